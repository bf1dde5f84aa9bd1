"""What an ONNX file declares of its inputs and outputs, and which axis of them holds the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Batch = int | str | None
"""Size of the batch where the file fixes it, else its name, None where it has none."""

DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float": torch.float32,
    "double": torch.float64,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "uint8": torch.uint8,
    "bool": torch.bool,
}

FLOATING = ("float", "double", "float16")
"""Types of signals, which NumPy has as well."""


@dataclass(frozen=True)
class Declared:
    """One input or output as the file declares it.

    Parameters
    ----------
    name : str
        Its name.
    type : str
        Its type in ONNX's words, such as "float".
    sizes : tuple of int, str or None
        A number where the file fixes a size, else the name of the axis, None where it has none.

    Examples
    --------
    >>> print(Declared("state", "float", (2, "batch", 128)))
    state (2, batch, 128)
    >>> Declared("state", "float", (2, "batch", 128)).batch_axes((2, 5, 128), 5, "batch")
    [1]
    """

    name: str
    type: str
    sizes: tuple[int | str | None, ...]

    @classmethod
    def of(cls, value: Any) -> Declared:
        """Read what onnxruntime says of an input or output."""
        sizes = tuple(
            s if isinstance(s, str) or (isinstance(s, int) and s > 0) else None for s in value.shape
        )
        return cls(value.name, value.type.removeprefix("tensor(").removesuffix(")"), sizes)

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.sizes)
        kind = "" if self.type in FLOATING else f" of {self.type}"
        return f"{self.name} ({sizes}{',' if len(self.sizes) == 1 else ''}){kind}"

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Sizes, None where they are free."""
        return tuple(size if isinstance(size, int) else None for size in self.sizes)

    def fits(self, sizes: tuple[int, ...]) -> bool:
        """Whether a tensor of these sizes may be given, whatever its first."""
        return len(sizes) == len(self.sizes) and all(
            size in (None, given) for size, given in zip(self.shape[1:], sizes[1:], strict=True)
        )

    def read(self, value: Any, device: torch.device) -> Tensor:
        """A caller's further argument as a tensor of the declared type.

        Raises
        ------
        ValueError
            If it is no number or array of numbers of that kind.
        """
        dtype = DTYPES.get(self.type)
        try:
            tensor = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"input {self} of the ONNX model must be a tensor, got {type(value).__name__}"
            ) from error
        if tensor.ndim != len(self.sizes):
            raise ValueError(f"the ONNX model takes {self}, got {tuple(tensor.shape)} for it")
        if dtype is None or (tensor.is_floating_point() and not dtype.is_floating_point):
            raise ValueError(f"input {self} of the ONNX model must be of {self.type}, got {tensor.dtype}")
        return tensor.to(device, dtype)

    def batch_axes(self, sizes: tuple[int, ...], n: int, batch: Batch) -> list[int]:
        """Axes of a tensor that can hold the n rows of a batch, the likeliest first; none if it is shared.

        Parameters
        ----------
        sizes : tuple of int
            Shape of the tensor that was given.
        n : int
            Rows of the batch.
        batch : int or str or None
            First size of the file's first input.
        """
        every = [axis for axis, size in enumerate(sizes) if size == n]
        if batch is not None and batch in self.sizes:
            return [axis for axis in every if self.sizes[axis] == batch]
        return [axis for axis in every if not isinstance(self.sizes[axis], int)]

    def batch_axis(self, batch: Batch) -> int:
        """Axis of an output that holds the batch: the one that has its name or size, else the first."""
        if batch is None or not self.sizes or self.sizes[0] == batch or self.sizes.count(batch) != 1:
            return 0
        return self.sizes.index(batch)


def listed(values: tuple[Declared, ...]) -> str:
    """Several of them in words."""
    return ", ".join(map(str, values))
