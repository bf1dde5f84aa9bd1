"""Lets Keras build a Sequential model of a file once, and not anew with every layer that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..exchanged import exchanged


@contextmanager
def built_once() -> Iterator[None]:
    """Read all layers of a Sequential model, then build it.

    Keras builds the layers so far with each that it adds: n²/2 calls, a minute for 400 layers.
    """
    import keras

    def read(own: Any, cls: Any, config: Any, custom_objects: Any = None) -> Any:
        layers = config.get("layers") if isinstance(config, dict) else None
        plain = isinstance(layers, list) and all(isinstance(one, dict) and "module" in one for one in layers)
        if not plain or "name" not in config:
            return own.__get__(None, cls)(config, custom_objects)
        model, make = cls(name=config["name"]), keras.saving.deserialize_keras_object
        for one in layers or ():
            model.add(make(one, custom_objects=custom_objects), rebuild=False)
        if layers:
            model._maybe_rebuild()
        shape = config.get("build_input_shape")
        if not model._functional and isinstance(shape, (list, tuple)) and shape:
            model.build(shape)
        return model

    with exchanged(keras.Sequential, "from_config", lambda own: classmethod(partial(read, own))):
        yield
