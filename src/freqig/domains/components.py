"""Any decomposition of a series into parts that add up to it: trend and season, EMD, SSA."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_names, shown
from .._keywords import says_what_is_meant
from ..errors import add_context
from ..signals import as_tensor
from ..signals.axes import times
from .base import Coefficients, Coords, Domain

RESIDUAL = "residual"
Decompose = Callable[[np.ndarray], Any]


class Components(Domain):
    """Named parts of every series × time, by a function that may be as non-linear as it likes.

    The coefficients are c = A(x) - A(x'), part by part, and synthesis is their sum: linear, so
    the path stays the straight line and attributions are c · ḡ. What the parts miss of x - x' is
    the part `residual`, and so the attributions are complete whatever the function does.

    Parameters
    ----------
    decompose : callable
        Takes series as a float64 array of shape (series, n) and returns arrays of that shape by
        name. A part that one call has and another has not is zero there. A part of its own that
        is called "residual" is united with what is missing.
    parts : sequence of str, optional
        Names of the parts that stand in the result; all others are in the residual. By default
        all, which a first run of `decompose` over the data finds.
    name : str, optional
        Name of the variable in the result, "components" by default.

    Raises
    ------
    TypeError
        If `decompose` is not callable; when it is called: if it returns no mapping of names.
    ValueError
        When it is called: if an array has another shape, or holds NaN or infinity.

    Examples
    --------
    >>> def trend_and_rest(series):
    ...     trend = np.broadcast_to(series.mean(-1, keepdims=True), series.shape)
    ...     return {"trend": trend, "rest": series - trend}
    >>> domain = Components(trend_and_rest, parts=["trend", "rest"])
    >>> x = torch.tensor([[1.0, 3.0]])
    >>> domain.analyze(x)
    tensor([[[ 2.,  2.],
             [-1.,  1.],
             [ 0.,  0.]]])
    >>> domain.attribution(x, torch.ones(1, 2)).sum(-1)
    tensor([[4., 0., 0.]])
    """

    shared = ("channel", "time")
    series = True
    # By the residual.
    inverts = "always"

    @says_what_is_meant
    def __init__(
        self, decompose: Decompose, parts: Iterable[str] | None = None, name: str | None = None
    ) -> None:
        super().__init__(name)
        if not callable(decompose):
            raise TypeError(
                "decompose must be a function from an array of shape (series, n) to a dict of named arrays "
                f"that add up to it, got {shown(decompose)}"
            )
        self.decompose = decompose
        self.fixed = parts is not None
        self.names = _with_residual(check_names(parts, "parts") or ())

    def __repr__(self) -> str:
        function = getattr(self.decompose, "__qualname__", type(self.decompose).__name__)
        return f"Components({function}, name={self.name!r})"

    def prepare(self, x: Tensor, baseline: Tensor) -> Components:
        """A copy that knows the names of the parts."""
        if self.fixed:
            return self
        found = (name for signal in (x, baseline) for name in self._run(signal))
        prepared = copy.copy(self)
        prepared.names = _with_residual((*self.names, *found))
        return prepared

    def analyze(self, x: Tensor) -> Tensor:
        """Parts of series, shape (..., part, n)."""
        return self._stack(self._run(x), x)

    def analyze_pair(self, x: Tensor, baseline: Tensor) -> Coefficients:
        """A(x) - A(x'), with what it misses of x - x' in the residual."""
        ours, theirs = self._run(x), self._run(baseline)
        # In float64: parts may be far larger than their difference.
        zero = np.zeros(x.shape)
        difference = {name: ours.get(name, zero) - theirs.get(name, zero) for name in {**ours, **theirs}}
        return self._stack(difference, x - baseline)

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return c.sum(-2)

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"part": list(self.names), "time": times(n, fs)}

    def _run(self, x: Tensor) -> dict[str, np.ndarray]:
        """Parts by name, float64, the shape of `x`."""
        series = x.detach().cpu().to(torch.float64).reshape(-1, x.shape[-1]).numpy()
        try:
            found = self.decompose(series.copy())
        except Exception as error:
            add_context(error, f"raised by decompose of domain {self.name!r}")
            raise
        if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
            raise TypeError(
                f"decompose of domain {self.name!r} must return a dict of named arrays, got "
                f"{type(found).__name__}" + (" with other keys" if isinstance(found, Mapping) else "")
            )
        shape = series.shape
        return {name: self._read(name, part, shape).reshape(x.shape) for name, part in found.items()}

    def _read(self, part: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
        array = as_tensor(values, f"decompose of domain {self.name!r}: {part!r}").cpu().numpy()
        if array.shape != shape:
            raise ValueError(
                f"decompose of domain {self.name!r} must return arrays of the shape it was given, {shape}, "
                f"got {array.shape} for {part!r}"
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f"decompose of domain {self.name!r} must return finite values, got NaN or infinity for "
                f"{part!r}: fill the ends of moving averages, or leave the part out there"
            )
        return array.astype(np.float64)

    def _stack(self, found: Mapping[str, np.ndarray], whole: Tensor) -> Tensor:
        rows = [
            torch.from_numpy(found[name]).to(whole) if name in found else torch.zeros_like(whole)
            for name in self.names
        ]
        # In the dtype of the coefficients, so that their sum is the signal to its last digits.
        rows[-1] = whole - torch.stack(rows[:-1]).sum(0) if len(rows) > 1 else whole
        return torch.stack(rows, -2)


def _with_residual(names: Iterable[str]) -> tuple[str, ...]:
    """Names without repetitions, the residual last."""
    return (*dict.fromkeys(name for name in names if name != RESIDUAL), RESIDUAL)
