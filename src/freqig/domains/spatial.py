"""Linear maps over channels: re-referencing, spatial filters and patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_names
from .._keywords import says_what_is_meant
from ..signals import as_tensor
from ..signals.axes import times
from .base import Coords, Domain

INVERTED = 1e-9
"""Largest entry of pinv(matrix) @ matrix - identity for which a map counts as invertible."""


EXTREME = 1e15
"""Size of the largest entry of a matrix beyond which float32 overflows on the way back."""


class Spatial(Domain):
    """Series of a linear map over channels, c = matrix · δ, synthesized by its pseudo-inverse.

    The attribution of a row at a time is c · (pinv(matrix)ᵀ ḡ): what the row holds of the
    signal, times the gradient along the row's pattern (Haufe et al. 2014), not along its filter.

    Parameters
    ----------
    matrix : array-like
        Real, shape (rows, channels): filters as rows. It must lose nothing, that is have as many
        independent rows as there are channels; there may be more rows than that.
    rows : sequence of str, optional
        Names of the rows; numbers from 0 by default.
    name : str, optional
        Name of the variable in the result, "spatial" by default.

    Raises
    ------
    ValueError
        If the matrix is no matrix, not finite, or has no left inverse, as the average reference,
        which loses the mean; when bound to a signal: if it has another number of channels.

    Examples
    --------
    >>> bipolar = Spatial([[1, -1], [0, 1]], rows=["C3-C4", "C4"])
    >>> x = torch.tensor([[3.0, 4.0], [1.0, 1.0]])
    >>> bipolar.analyze(x)
    tensor([[2., 3.],
            [1., 1.]])
    >>> bipolar.attribution(x, torch.ones(2, 2)).sum(-1)
    tensor([5., 4.])
    """

    consumes = ("channel", "time")
    shared = ("time",)
    series = True
    affine = False

    @says_what_is_meant
    def __init__(self, matrix: Any, rows: Sequence[str] | None = None, name: str | None = None) -> None:
        super().__init__(name)
        self.matrix = read_matrix(matrix, "matrix", "(rows, channels)")
        self.inverse = torch.linalg.pinv(self.matrix)
        n_rows, n_channels = self.matrix.shape
        residual = float((self.inverse @ self.matrix - torch.eye(n_channels)).abs().max())
        if not residual <= INVERTED:
            rank = int(torch.linalg.matrix_rank(self.matrix))
            raise ValueError(
                f"matrix must be invertible or overcomplete, got rank {rank} for {n_channels} channels "
                f"(pinv(matrix) @ matrix is off by {residual:.2g}): add rows for what it loses, such as "
                "the mean over channels, or use ICA(pinv(matrix)), which keeps it as a residual"
            )
        self.rows = check_names(rows, "rows")
        if self.rows is not None and len(self.rows) != n_rows:
            raise ValueError(
                f"rows must be {n_rows} names, as many as the matrix has rows, got {len(self.rows)}"
            )

    def __repr__(self) -> str:
        return f"Spatial(matrix of shape {tuple(self.matrix.shape)}, name={self.name!r})"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Spatial:
        check_channels(self, shape, self.matrix.shape[1], "matrix")
        return self

    def analyze(self, x: Tensor) -> Tensor:
        rows: Tensor = self.matrix.to(x) @ x
        return rows

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        signal: Tensor = self.inverse.to(c) @ c
        return signal

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"row": self.rows or np.arange(len(self.matrix)), "time": times(n, fs)}


def read_matrix(matrix: Any, parameter: str, axes: str) -> Tensor:
    """A real matrix as a float64 tensor on the CPU.

    Raises
    ------
    TypeError
        If it is complex.
    ValueError
        If it is no matrix, empty, or holds NaN or infinity.
    """
    values = as_tensor(matrix, parameter).cpu().to(torch.float64)
    if values.ndim != 2 or values.numel() == 0 or not bool(torch.isfinite(values).all()):
        raise ValueError(
            f"{parameter} must be a finite matrix of shape {axes}, got shape {tuple(values.shape)}"
            + (" with NaN or infinity" if not bool(torch.isfinite(values).all()) else "")
        )
    # Their squares stand in the pseudo-inverse, and a model may run in float32.
    largest = float(values.abs().max())
    if not EXTREME**-1 <= largest <= EXTREME:
        raise ValueError(
            f"{parameter} must have a largest entry from {1 / EXTREME:g} to {EXTREME:g} in size, got "
            f"{largest:.3g}: rescale it"
        )
    return values


def check_channels(domain: Domain, shape: tuple[int, ...], n_channels: int, parameter: str) -> None:
    """ValueError unless signals of a shape (*channels, n) have the number of channels of a map."""
    if len(shape) < 2:
        raise ValueError(
            f"domain {domain.name!r} maps channels, so signals must have shape (samples, channels, "
            "time), got signals without a channel axis: add one, or use a domain over time"
        )
    if shape[-2] != n_channels:
        raise ValueError(
            f"{parameter} of domain {domain.name!r} is for {n_channels} channels, got signals with "
            f"{shape[-2]}: pick the channels that it was made for, in their order"
        )
