"""What is said where an ONNX file cannot be called with the batches that freqig needs."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from .limits import LimitError
from .net import Graph
from .parity import ConversionError

# Batch sizes that are tried on a file that failed with another.
TRIED = range(1, 17)


class BatchError(ValueError):
    """An ONNX file does not give one row for every series of a batch, whatever converts it.

    Examples
    --------
    >>> issubclass(BatchError, ValueError)
    True
    """


def check_rows(name: str, output: Tensor | None, n: int) -> Tensor:
    """An output that has a row for every series.

    Raises
    ------
    BatchError
        If it has not.
    """
    if output is not None and output.shape[:1] == (n,):
        return output
    if output is not None and output.ndim == 0:
        raise BatchError(
            f"output {name!r} of the ONNX model is a scalar, one number for a whole batch, and must have one "
            "row for every series: export the model with an output that keeps the batch axis"
        )
    got = "another number of rows in every call" if output is None else tuple(output.shape)
    raise BatchError(
        f"output {name!r} of the ONNX model must have the batch first, {n} rows for {n} series, got {got}: "
        "export the model with an output that keeps the batch axis"
    )


def explain_failure(runtime: Graph, inputs: tuple[Tensor, ...], error: Exception) -> NoReturn:
    """Say why a converted file failed on a batch: its conversion, the size of the batch, or the inputs.

    Parameters
    ----------
    runtime : Graph
        The file, run by onnxruntime.
    inputs : tuple of torch.Tensor
        What failed.
    error : Exception
        How it failed.

    Raises
    ------
    ConversionError
        If onnxruntime runs the file on these inputs.
    BatchError
        If the file runs with other batch sizes only.
    ValueError
        If onnxruntime runs the file on nothing of the kind.
    """
    if isinstance(error, LimitError):
        raise error
    n, batch = len(inputs[0]), runtime.batch
    found = _outcome(runtime, inputs, n)
    if isinstance(found, dict):
        raise ConversionError(
            f"the conversion fails on shapes {_shapes(inputs)}, where onnxruntime runs: {_line(error)}"
        ) from error
    if not isinstance(batch, int):
        outcomes = {size: _outcome(runtime, inputs, size) for size in TRIED}
        ran = [size for size, one in outcomes.items() if isinstance(one, dict)]
        works = [size for size in ran if _has_rows(outcomes[size], size)]
        if works and len(works) < len(TRIED):
            raise BatchError(_sizes_taken(works, n)) from error
        if ran and not works:
            shapes = ", ".join(f"{name} {tuple(one.shape)}" for name, one in outcomes[ran[0]].items())
            raise BatchError(
                f"the ONNX model runs with {ran[0]} series and gives no row for each of them, but {shapes}, "
                f"and failed with {n}: it answers for one recording at a time. Export the model with a free "
                "batch size and outputs that keep the batch axis"
            ) from error
    raise ValueError(
        f"onnxruntime cannot run the ONNX model on shapes {_shapes(inputs)}: {_line(found)}"
    ) from error


def _sizes_taken(works: list[int], n: int) -> str:
    least = works[0]
    multiples = works == [size for size in TRIED if size % least == 0]
    which = (
        f"multiples of {least}" if multiples and least > 1 else "batches of " + " or ".join(map(str, works))
    )
    return (
        f"the ONNX model takes only {which} series, though its file leaves the batch size free, and failed "
        f"with {n}: export it with a batch size that is fixed to {least}, which freqig fills up, or one that "
        "is really free"
    )


def _outcome(runtime: Graph, inputs: tuple[Tensor, ...], size: int) -> Any:
    """Outputs of the file for that many series, or how it failed."""
    n = len(inputs[0])
    given: list[Tensor] = []
    for declared, one in zip(runtime.inputs, inputs, strict=True):
        axes = [0] if not given else declared.batch_axes(tuple(one.shape), n, runtime.batch)
        rows = torch.arange(size, device=one.device) % n
        given.append(one.index_select(axes[0], rows) if axes else one)
    try:
        return runtime(*given)
    except Exception as error:  # noqa: BLE001 - onnxruntime raises classes of its own
        return error


def _has_rows(found: dict[str, Tensor], size: int) -> bool:
    # With one series alone, many files give a number without an axis.
    return any(output.shape[:1] == (size,) or output.numel() == size == 1 for output in found.values())


def _shapes(inputs: tuple[Tensor, ...]) -> str:
    return " and ".join(str(tuple(one.shape)) for one in inputs)


def _line(error: Exception) -> str:
    """First line of an error, with its class."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0].rstrip('.')}"
