"""What a baseline is: a rule that makes the start of the path for every signal."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from .._tensor_check import widest
from ..signals import Signal


class Baseline(ABC):
    """A rule that makes baselines for signals.

    Subclass it for one of your own: `draw` makes the baselines, `describe` tells the result
    which they were. Random ones take their numbers from a generator of their own.

    Examples
    --------
    >>> import torch
    >>> class Reversed(Baseline):
    ...     "What did the direction of time do."
    ...     def draw(self, x, fs):
    ...         return x.flip(-1)[None]
    ...     def describe(self):
    ...         return {"name": "reversed"}
    >>> Reversed().draw(torch.tensor([[1.0, 2.0]]), fs=None)
    tensor([[[2., 1.]]])
    """

    @abstractmethod
    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        """Baselines of every sample.

        Parameters
        ----------
        x : torch.Tensor
            Signals, shape (N, *axes, n), time last, of any real dtype.
        fs : float or None
            Sampling rate in Hz; None where unknown.

        Returns
        -------
        torch.Tensor
            Shape (B, N, *axes, n); B is 1 unless attributions are averaged over several baselines.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Name and parameters, as JSON can hold them, for the settings of a result."""

    def arranged(self, time_axis: int) -> Baseline:
        """The baseline for callers whose signals have time on another axis than the last."""
        return self

    def beside(self, x: Signal, time_axis: int) -> Baseline:
        """The baseline for signals with these labels.

        Parameters
        ----------
        x : Signal
            What is explained, with its axes placed.
        time_axis : int
            Axis of time in the callers' layout.

        Returns
        -------
        Baseline
            Itself, `arranged`, unless it has labels of its own.
        """
        return self.arranged(time_axis)


def wide(x: Tensor) -> Tensor:
    """Signals of any real dtype in float64, or float32 on devices without it."""
    return x.detach().to(widest(x.device))


def digest(values: Tensor) -> str:
    """What tells signals from any others, whatever their dtype."""
    return hashlib.sha256(values.detach().cpu().double().contiguous().numpy().tobytes()).hexdigest()
