"""What is said where an ONNX file cannot be called with the batches that freqig needs."""

from __future__ import annotations

from typing import NoReturn

import torch
from torch import Tensor

from .onnx_net import Graph

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
    """Say which batch sizes a file takes that failed with one, if it is that; else raise the error itself.

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
    BatchError
        If the file runs with other batch sizes only.
    """
    n, batch = len(inputs[0]), runtime.batch
    if isinstance(batch, int) or _runs(runtime, inputs, n):
        raise error
    works = [size for size in TRIED if _runs(runtime, inputs, size)]
    if not works or len(works) == len(TRIED):
        raise error
    least = works[0]
    multiples = works == [size for size in TRIED if size % least == 0]
    which = (
        f"multiples of {least}" if multiples and least > 1 else "batches of " + " or ".join(map(str, works))
    )
    raise BatchError(
        f"the ONNX model takes only {which} series, though its file leaves the batch size free, and failed "
        f"with {n}: export it with a batch size that is fixed to {least}, which freqig fills up, or one that "
        "is really free"
    ) from error


def _runs(runtime: Graph, inputs: tuple[Tensor, ...], size: int) -> bool:
    """Whether the file gives rows for that many series."""
    n = len(inputs[0])
    given: list[Tensor] = []
    for declared, one in zip(runtime.inputs, inputs, strict=True):
        axes = [0] if not given else declared.batch_axes(tuple(one.shape), n, runtime.batch)
        rows = torch.arange(size, device=one.device) % n
        given.append(one.index_select(axes[0], rows) if axes else one)
    try:
        found = runtime(*given)
    except Exception:  # noqa: BLE001 - onnxruntime raises classes of its own
        return False
    # With one series alone, many files give a number without an axis.
    return any(output.shape[:1] == (size,) or output.numel() == size == 1 for output in found.values())
