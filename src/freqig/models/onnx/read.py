"""Reading ONNX files without trusting them.

An ONNX file names the files its weights lie in. Only files inside the model's folder
are read, and only after the sizes it states fit what is there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..content import NOT_TRUST

MAX_BYTES = 2 << 30  # what one protobuf message can hold


def read(source: Any, max_bytes: int = MAX_BYTES) -> Any:
    """Read and check an ONNX model, its external data included.

    Parameters
    ----------
    source : path or onnx.ModelProto
        What to read.
    max_bytes : int
        Largest size accepted, file and external data together.

    Returns
    -------
    onnx.ModelProto
        With all weights in it; not the caller's object.

    Raises
    ------
    ImportError
        Without onnx ≥ 1.21.
    PermissionError
        For external data outside the model's folder.
    ValueError
        For a file that is too large, damaged or not valid ONNX, or a `ModelProto`
        whose weights are in a file.
    """
    onnx = _import()
    if isinstance(source, onnx.ModelProto):
        model, folder = onnx.ModelProto(), None
        model.CopyFrom(source)
        name, size = "the ModelProto", source.ByteSize()
    else:
        path = Path(source)
        name, folder, size = str(path), path.resolve().parent, path.stat().st_size
        _limit(name, size, max_bytes)
        try:
            model = onnx.load_model(name, load_external_data=False)
        except Exception as error:
            raise ValueError(f"{name} is not an ONNX file ({error}); {NOT_TRUST}") from error
    external = [t for t in messages(model, "TensorProto") if _is_external(t)]
    if folder is None and external:
        raise ValueError(
            f"the ModelProto keeps {len(external)} weights in a file (first: "
            f"{external[0].name!r}) and does not say in which folder; pass the path of the "
            f".onnx file, or load it with its external data. {NOT_TRUST}"
        )
    for tensor in external:
        size += _check_external(tensor, folder or Path(), name)
        _limit(name, size, max_bytes)
    try:
        if external:
            onnx.load_external_data_for_model(model, str(folder))
        onnx.checker.check_model(model)
    except Exception as error:
        raise ValueError(f"{name} is not a valid ONNX model: {error}; {NOT_TRUST}") from error
    return model


def _limit(name: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ValueError(f"{name} with its weights has {size} bytes, more than {max_bytes}; {NOT_TRUST}")


def _is_external(tensor: Any) -> bool:
    return bool(tensor.data_location == tensor.EXTERNAL or tensor.external_data)


def messages(message: Any, kind: str) -> Iterator[Any]:
    """Every message of a kind, such as "TensorProto", wherever it is: in graphs, functions, attributes."""
    if message.DESCRIPTOR.name == kind:
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in [value] if hasattr(value, "ListFields") else value:
                yield from messages(child, kind)


def _check_external(tensor: Any, folder: Path, name: str) -> int:
    """Return how many bytes the tensor takes from its file, all checks passed."""
    stated = {entry.key: entry.value for entry in tensor.external_data}
    location = stated.get("location", "")
    path = (folder / location).resolve()
    if not location or Path(location).is_absolute() or folder not in path.parents:
        raise PermissionError(
            f"weight {tensor.name!r} of {name} lies in {location!r}, outside the model's folder; such "
            f"files are never read, {NOT_TRUST}"
        )
    if not path.is_file():
        raise ValueError(f"weight {tensor.name!r} of {name}: no file {location!r} beside it; {NOT_TRUST}")
    there = path.stat().st_size
    try:
        offset = int(stated.get("offset", 0))
        length = int(stated.get("length", there - offset))
    except ValueError as error:
        raise ValueError(
            f"weight {tensor.name!r} of {name}: offset or length: {error}; {NOT_TRUST}"
        ) from error
    needed = _bytes(tensor)
    if min(offset, length) < 0 or offset + length > there or length != needed:
        raise ValueError(
            f"weight {tensor.name!r} of {name} needs {needed} bytes and states {length} at offset {offset} "
            f"of {location!r}, which has {there}; {NOT_TRUST}"
        )
    return length


def _bytes(tensor: Any) -> int:
    from onnx import helper

    entries = int(math.prod(tensor.dims))
    try:
        return entries * int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
    except (KeyError, TypeError) as error:
        raise ValueError(f"weight {tensor.name!r} has data type {tensor.data_type}") from error


def _import() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ImportError("an ONNX model needs onnx: pip install freqig[onnx]") from error
    if tuple(int(n) for n in onnx.__version__.split(".")[:2]) < (1, 21):
        raise ImportError(
            f"ONNX files are read with onnx ≥ 1.21 only (safe external data), found "
            f"{onnx.__version__}: pip install freqig[onnx]"
        )
    return onnx
