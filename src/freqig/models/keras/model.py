"""Keras models, in memory on any backend or from a `.keras` file.

The backend of Keras is one per process, chosen at its first import. On torch a model is an `nn.Module`
and runs natively; on TensorFlow and JAX it keeps its backend and gives that backend's gradients. A
file is loaded on torch unless Keras already runs on another backend (or `KERAS_BACKEND` asks for
one), which then is used as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from os import PathLike
from typing import Any

import torch
from torch import nn

from ..base import Model
from ..content import NOT_TRUST
from ..fixed_batch import FixedBatch
from ..foreign import ForeignModel, check_device
from ..hints import LAST, Hints
from ..joined import FURTHER
from ..torch.model import TorchModel, dotted_name
from .archive import TooLargeError, at_most, check_archive, ending_in_keras
from .building import built_once
from .order import Sizes, check_order
from .sizes import SizeError, bounded_calls, bounded_sizes

MAX_BYTES = 4 << 30
TRUST = (
    "trust=True loads it with the safe mode of Keras off, which runs Python code that is stored in "
    "the file: only for files whose origin you trust"
)
FRAMEWORKS = {"torch", "tensorflow", "jax"}


class InferenceKeras(nn.Module):
    """A Keras model on torch, always in inference mode.

    Keras ignores `nn.Module.train` and `eval`: the mode is the `training` argument of the call, whose
    default a subclass may set to True.

    Parameters
    ----------
    model : torch.nn.Module
        The Keras model.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._call = _in_inference(model)

    def forward(self, *points: Any) -> Any:
        """Run the model with `training=False`."""
        return self._call(*points)


def adapt(model: Any, dtype: torch.dtype | None, device: torch.device | str | None) -> Model:
    """Make a model of a built Keras 3 or legacy `tf_keras` model or layer.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        On any backend that runs in this process.
    dtype : torch.dtype, optional
        Dtype of the points.
    device : torch.device or str, optional
        Device of the points; on the torch backend only.

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
            f"model must have weights, but this {name} is not built: call it once on data, or give it "
            "a keras.Input, then explain it"
        )
    legacy = not any(base.__module__.startswith("keras.src.") for base in type(model).__mro__)
    library = "tf_keras" if legacy else "keras"
    backend = "tensorflow" if legacy else str(sys.modules["keras"].backend.backend())
    adapter = _on_backend(backend, model, dtype, device)
    version = getattr(sys.modules.get(library), "__version__", "?")
    adapter.description |= {"framework": f"{library} {version} on {backend}", "class": dotted_name(model)}
    batch = _fixed_batch(model)
    if isinstance(adapter, ForeignModel):
        adapter.fix_batch(batch)
    elif batch is not None:
        adapter.description["fixed_batch"] = batch
    adapter.hints = Hints(shape=_input_shape(model), time_axis=time_axis(model))
    return adapter


def _on_backend(
    backend: str, model: Any, dtype: torch.dtype | None, device: torch.device | str | None
) -> Model:
    if backend == "torch":
        net, batch = InferenceKeras(model), _fixed_batch(model)
        return TorchModel(net if batch is None else FixedBatch(net, batch), dtype, device)
    if backend == "tensorflow":
        from ..tensorflow_model import TensorFlowModel, declared_dtype

        check_device(device, "Keras on TensorFlow")
        return TensorFlowModel(_in_inference(model), dtype or declared_dtype(model), "", model)
    if backend == "jax":
        from ..jax_model import JaxModel

        check_device(device, "Keras on JAX")
        scope, call = sys.modules["keras"].StatelessScope, _in_inference(model)

        def stateless(*points: Any) -> Any:
            with scope():  # what layers would write to variables stays out of them
                return call(*points)

        return JaxModel(stateless, dtype, "", [variable.value for variable in model.variables])
    raise ValueError(f"Keras must run on {', '.join(sorted(FRAMEWORKS))}, but it runs on {backend!r}")


def _in_inference(model: Any) -> Callable[..., Any]:
    inputs, built = getattr(model, "inputs", None), _built_shapes(model)
    declared: Any = inputs if isinstance(inputs, (list, tuple)) else ()
    # Models take several inputs as one list, or as the dict that they were built with.
    structure, names = getattr(model, "_inputs_struct", None), None
    if inputs is None and not isinstance(structure, dict):
        if built is None or isinstance(built, tuple):
            # A class of the caller's, whose call may have further arguments.
            return partial(model, training=False)
        # Names are in the order of functional models, which sort them.
        declared, names = built, sorted(built) if isinstance(built, dict) else None
    count = max(len(declared), 1)

    def call(*points: Any) -> Any:
        if len(points) != count:
            takes = f"a tuple of {count} inputs" if count > 1 else "1 input"
            remedy = f": {FURTHER}" if len(points) < count else ", those in additional_forward_args counted"
            raise ValueError(f"the model takes {takes}, got {len(points)}{remedy}")
        if isinstance(built, dict) and names is not None:
            check_order(_built_sizes(built, points), points, list(built))
            return model(dict(zip(names, points, strict=True)), training=False)
        if isinstance(inputs, (list, tuple)) and count > 1:
            written = list(structure) if isinstance(structure, dict) and len(structure) == count else []
            keys = sorted(written) or [one.name for one in inputs]
            sizes = [tuple(one.shape)[1:] for one in inputs]
            check_order(list(zip(keys, sizes, strict=True)), points, written)
        packed: Any = list(points) if count > 1 or isinstance(structure, dict) else points[0]
        if structure is not None and packed is not points[0]:
            packed = sys.modules["keras"].tree.pack_sequence_as(structure, packed)
        return model(packed, training=False)

    return call


def _built_sizes(built: dict[str, Any], points: Sequence[Any]) -> list[tuple[str, Sizes]]:
    """What is known of the inputs of a subclass: the sizes that it was built with, or their number alone.

    Time may be longer or shorter than then.
    """
    known = [(name, tuple(built[name])[1:]) for name in sorted(built)]
    came = [tuple(point.shape)[1:] for point in points]
    if sorted(came) == sorted(sizes for _, sizes in known):
        return known
    return [(name, (None,) * len(sizes)) for name, sizes in known]


def _built_shapes(model: Any) -> Any:
    """What a subclass was first called with: a shape, a list or dict of several shapes; None for others."""
    if getattr(model, "input_shape", None) is not None:
        return None
    shapes: Any = (getattr(model, "_build_shapes_dict", None) or {}).get("input_shape")
    several = isinstance(shapes, (list, tuple)) and len(shapes) > 1 and isinstance(shapes[0], (list, tuple))
    return list(shapes) if several else shapes if isinstance(shapes, (tuple, dict)) else None


def _fixed_batch(model: Any) -> int | None:
    """Batch size that a model was built for, where it has one for all its inputs."""
    shapes = getattr(model, "input_shape", None)
    every = shapes if isinstance(shapes, list) else [shapes]
    sizes = {shape[0] if isinstance(shape, tuple) and shape else None for shape in every}
    batch = sizes.pop() if len(sizes) == 1 else None
    return batch if isinstance(batch, int) else None


def time_axis(model: Any) -> int | None:
    """Time axis of a Keras model's input, batch axis counted.

    Parameters
    ----------
    model : keras.Model
        Anything with `input_shape`, or a subclass that was called once, and `layers`.

    Returns
    -------
    int or None
        1 for (batch, time, channel); -1 for (batch, time), and for (batch, channel, time), which
        layers with `data_format="channels_first"` tell; None where the shape does not say. Of
        several inputs, those of (batch, time) have time at 1 as well.

    Examples
    --------
    >>> class Net:
    ...     input_shape, layers = (None, 256, 3), []
    >>> time_axis(Net())
    1
    """
    shapes = getattr(model, "input_shape", None) or _built_shapes(model)
    shapes = list(shapes.values()) if isinstance(shapes, dict) else shapes
    axes = {_axis_of(shape, model) for shape in (shapes if isinstance(shapes, list) else [shapes])}
    if axes == {1, LAST}:
        return 1
    return axes.pop() if len(axes) == 1 else None


def _axis_of(shape: Any, model: Any) -> int | None:
    if not isinstance(shape, tuple) or len(shape) not in (2, 3):
        return None
    first = any(getattr(layer, "data_format", None) == "channels_first" for layer in _layers(model))
    return LAST if len(shape) == 2 or first else 1


def _input_shape(model: Any) -> tuple[int | None, ...] | None:
    shape = getattr(model, "input_shape", None)
    plain = isinstance(shape, tuple) and all(size is None or isinstance(size, int) for size in shape)
    return shape if plain else None


def _layers(model: Any) -> list[Any]:
    found = []
    for layer in getattr(model, "layers", ()):
        found += [layer, *_layers(layer)]
    return found


def load(
    path: str | PathLike[str],
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    trust: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Model:
    """Load a `.keras` file.

    Parameters
    ----------
    path : path
        A file that Keras 3 saved.
    dtype, device
        As `adapt` takes them.
    trust : bool, default False
        Load with the safe mode of Keras off. It is on otherwise, and a Lambda layer, whose Python
        code is stored in the file, is refused.
    max_bytes : int
        Largest unpacked size accepted.

    Returns
    -------
    Model
        The adapter.

    Raises
    ------
    ImportError
        Without Keras 3.15 or later.
    PermissionError
        For a file that would run code on loading, without `trust`.
    ValueError
        For a file that is not a `.keras` archive, is too large or cannot be read.
    """
    allowed = check_archive(path, max_bytes)
    keras = _import()
    try:
        file = os.fspath(path)
        with ending_in_keras(path) as name, at_most(allowed), bounded_sizes(file), built_once():
            model = keras.saving.load_model(name, compile=False, safe_mode=not trust)
        bounded_calls(model, os.fspath(path))
    except SizeError:
        raise
    except Exception as error:
        text = str(error)
        if "TooLargeError" in text or isinstance(error, TooLargeError):
            raise ValueError(f"{os.fspath(path)} is not loaded: {TooLargeError.REASON}") from error
        if isinstance(error, RecursionError):
            raise ValueError(  # noqa: TRY004
                f"{os.fspath(path)} is not loaded: its layers follow one another, or lie within one another, "
                "deeper than Keras can go. Load it yourself, after sys.setrecursionlimit(100_000), and pass "
                f"the model. {NOT_TRUST}"
            ) from error
        if not trust and ("safe_mode" in text or "unsafe" in text.lower()):
            raise PermissionError(
                f"{os.fspath(path)} holds Python code (a Lambda layer), which freqig does not load. {TRUST}"
            ) from error
        line = text.splitlines()[0][:300] if text else repr(error)
        raise ValueError(
            f"Keras cannot load {os.fspath(path)} ({line}): import "
            "the module that registers its custom layers first. trust=True does not help with this"
        ) from error
    return adapt(model, dtype, device)


def _import() -> Any:
    try:
        with _torch_by_default():
            import keras
    except ImportError as error:
        raise ImportError("a Keras model needs Keras: pip install freqig[keras]") from error
    if tuple(int(number) for number in keras.__version__.split(".")[:2]) < (3, 15):
        raise ImportError(
            "a .keras file needs Keras 3.15 or later, since earlier safe modes can be escaped, found "
            f"{keras.__version__}: pip install freqig[keras]"
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
