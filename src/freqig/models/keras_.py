"""Keras models, in memory on any backend or from a ``.keras`` file.

The backend of Keras is one a process, chosen at its first import. On torch a model
is an ``nn.Module`` and runs natively; on TensorFlow and JAX it keeps its backend and
gives that backend's gradients. A file is loaded on torch unless Keras already runs on
another backend (or ``KERAS_BACKEND`` asks for one), which then is used as it is.
"""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

from torch import nn

from .base import Model, Raw

MAX_BYTES = 4 << 30
_TRUST = (
    "trust=True loads it with Keras's safe mode off, which runs Python code that is "
    "stored in the file: only for files whose origin you trust"
)


class InferenceKeras(nn.Module):
    """A Keras model on torch, always in inference mode.

    Keras ignores ``nn.Module.train`` and ``eval``: the mode is the ``training``
    argument of the call, whose default a subclass may set to True.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *points: Any) -> Raw:
        """Run the model with ``training=False``."""
        return self.model(*points, training=False)


def adapt(model: Any) -> Model:
    """Make a model of a built Keras 3 or legacy ``tf_keras`` model or layer.

    Parameters
    ----------
    model : keras.Model or keras.Layer

    Returns
    -------
    Model
        On the backend the model lives on.

    Raises
    ------
    ValueError
        For a model that is not built yet, or an unknown backend.
    """
    name = type(model).__qualname__
    if not getattr(model, "built", True):
        raise ValueError(
            f"model ({name}) has no weights yet; call it once on data, or give it a "
            "keras.Input, before explaining it"
        )
    legacy = not any(c.__module__.startswith("keras.src.") for c in type(model).__mro__)
    backend = "tensorflow" if legacy else sys.modules["keras"].backend.backend()
    if backend == "torch":
        from .torch_ import TorchModel

        adapter: Model = TorchModel(InferenceKeras(model))
    elif backend == "tensorflow":
        from .tensorflow_ import TensorFlowModel, _dtype

        def call(x: Any, *extra: Any) -> Any:
            return model(x, *extra, training=False)

        adapter = TensorFlowModel(call, _dtype(model), name)
    elif backend == "jax":
        from .jax_ import JaxModel

        scope = sys.modules["keras"].StatelessScope

        def stateless(x: Any, *extra: Any) -> Any:
            with scope():  # what layers would write to variables stays out of them
                return model(x, *extra, training=False)

        adapter = JaxModel(stateless, name=name)
    else:
        raise ValueError(f"Keras runs on {backend!r}; supported: torch, tensorflow, jax")
    version = getattr(sys.modules.get("tf_keras" if legacy else "keras"), "__version__", "?")
    adapter.description |= {
        "framework": f"{'tf_keras' if legacy else 'keras'} {version} on {backend}",
        "class": name,
    }
    axis = time_axis(model)
    if axis is not None:
        adapter.description["time_axis"] = axis
    return adapter


def time_axis(model: Any) -> int | None:
    """Find the time axis of a Keras model's input, batch axis counted.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    int or None
        1 for (batch, time) and (batch, time, channel); 2 for (batch, channel, time),
        which layers with ``data_format="channels_first"`` tell; None where the shape
        does not say (other ranks, several inputs): the caller has to.

    Examples
    --------
    >>> class Net:
    ...     input_shape, layers = (None, 256, 3), []
    >>> time_axis(Net())
    1
    """
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or not all(n is None or isinstance(n, int) for n in shape):
        return None
    if len(shape) == 2:
        return 1
    if len(shape) != 3:
        return None
    layers = _flatten(model)
    first = any(getattr(layer, "data_format", None) == "channels_first" for layer in layers)
    return 2 if first else 1


def load(path: str | PathLike[str], *, trust: bool = False, max_bytes: int = MAX_BYTES) -> Model:
    """Load a ``.keras`` file.

    Parameters
    ----------
    path : path
        A file that Keras 3 saved.
    trust : bool
        Load with Keras's safe mode off. It is on otherwise, and a Lambda layer, whose
        Python code is stored in the file, is refused.
    max_bytes : int
        Largest unpacked size accepted.

    Returns
    -------
    Model

    Raises
    ------
    ImportError
        Without Keras ≥ 3.15.
    PermissionError
        For a file that would run code on loading, without ``trust``.
    ValueError
        For a file that is not a ``.keras`` archive, too large or cannot be read.
    """
    _check_archive(path, max_bytes)
    keras = _import()
    try:
        model = keras.saving.load_model(os.fspath(path), compile=False, safe_mode=not trust)
    except Exception as error:
        text = str(error)
        if not trust and ("safe_mode" in text or "unsafe" in text.lower()):
            raise PermissionError(
                f"{os.fspath(path)} holds Python code (a Lambda layer), which freqig does "
                f"not load. {_TRUST}"
            ) from error
        raise ValueError(
            f"Keras cannot load {os.fspath(path)} ({text.splitlines()[0] if text else error!r}); "
            "import the module that registers its custom layers first. trust=True does not "
            "help with this"
        ) from error
    return adapt(model)


def _check_archive(path: str | PathLike[str], max_bytes: int) -> None:
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such file: {os.fspath(path)}")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{os.fspath(path)} is not a .keras archive; HDF5 and SavedModel files are not "
            "loaded: open them in Keras and save as .keras. trust=True does not change this"
        )
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > max_bytes:
        raise ValueError(
            f"{os.fspath(path)} unpacks to {size} bytes, more than max_bytes={max_bytes}; "
            "trust=True does not change this"
        )


def _import() -> Any:
    try:
        with _torch_by_default():
            import keras
    except ImportError as error:
        raise ImportError("a Keras model needs Keras: pip install freqig[keras]") from error
    if tuple(int(n) for n in keras.__version__.split(".")[:2]) < (3, 15):
        raise ImportError(
            f"loading a .keras file needs Keras ≥ 3.15 (earlier safe modes can be escaped), "
            f"found {keras.__version__}: pip install freqig[keras]"
        )
    return keras


@contextmanager
def _torch_by_default() -> Iterator[None]:
    """Let a first import of Keras choose torch, and leave the environment as it was."""
    if "keras" in sys.modules or "KERAS_BACKEND" in os.environ:
        yield
        return
    os.environ["KERAS_BACKEND"] = "torch"
    try:
        yield
    finally:
        del os.environ["KERAS_BACKEND"]


def _flatten(model: Any) -> list[Any]:
    found = []
    for layer in getattr(model, "layers", ()):
        found += [layer, *_flatten(layer)]
    return found
