"""Several inputs of a model as parts of one long series."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FURTHER = "pass x as a tuple, or what is not to be explained, in this order, as additional_forward_args"
"""What to do where a model takes more inputs than it got."""


@dataclass(frozen=True)
class JoinedInputs:
    """Where the inputs of a model lie in a series that holds them one behind the other.

    Parameters
    ----------
    shapes : tuple of tuple of int
        Shapes (*axes, n) of the inputs without their batch axis, time last.
    time_axes : tuple of int
        Axis of time of each in the model's own layout, counted from the end.

    Examples
    --------
    >>> eeg, motion = JoinedInputs(((2, 50), (31,)), (-2, -1))(torch.zeros(4, 131))
    >>> eeg.shape, motion.shape
    (torch.Size([4, 50, 2]), torch.Size([4, 31]))
    """

    shapes: tuple[tuple[int, ...], ...]
    time_axes: tuple[int, ...]

    def __call__(self, joined: Tensor) -> tuple[Tensor, ...]:
        """The inputs, each in the model's own layout."""
        sizes = [torch.Size(shape).numel() for shape in self.shapes]
        return tuple(
            part.reshape(len(joined), *shape).movedim(-1, axis).contiguous()
            for part, shape, axis in zip(
                torch.split(joined, sizes, 1), self.shapes, self.time_axes, strict=True
            )
        )


@dataclass(frozen=True)
class BeginningOfInput:
    """The one input of a model as the beginning of a longer series.

    Parameters
    ----------
    shape : tuple of int
        Shape (*axes, n) of the input without its batch axis, time last.
    time_axis : int
        Axis of time in the model's own layout, counted from the end.

    Examples
    --------
    >>> BeginningOfInput((2, 50), -1)(torch.zeros(4, 2, 80))[0].shape
    torch.Size([4, 2, 50])
    """

    shape: tuple[int, ...]
    time_axis: int

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of all inputs."""
        return (self.shape,)

    def __call__(self, longer: Tensor) -> tuple[Tensor, ...]:
        """The input, in the model's own layout."""
        return (longer.narrow(self.time_axis, 0, self.shape[-1]).contiguous(),)
