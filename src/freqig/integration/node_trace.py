"""What one path looked like at its nodes: F and its slope are free there, and say where it is rough."""

from __future__ import annotations

import numpy as np

from .path import Array

TINY = float(np.finfo(float).tiny)

VALUES, SLOPES, SIZES, MIXES = range(4)
"""Scalars at nodes, where they are in one array: F, its slope Σ δ·g, Σ |δ·g|, and Σ ±δ·g with signs that
have nothing to do with the model: where F is constant and its gradient moves, the last one shows it."""


class NodeTrace:
    """Scalars at every node of one sample, both ends included.

    Parameters
    ----------
    nodes : numpy.ndarray
        Places on the path, ascending from 0 to 1, shape (n,).
    values, slopes, sizes : numpy.ndarray
        F, its slope Σ δ·g and Σ |δ·g|, shape (n, T). Slope and size are NaN at both ends: the
        gradient at the baseline need not exist.
    """

    def __init__(self, nodes: Array, values: Array, slopes: Array, sizes: Array) -> None:
        self.nodes, self.values, self.slopes, self.sizes = nodes, values, slopes, sizes

    def mean_size(self) -> Array:
        """Mean L1 norm of δ·g over the nodes, shape (T,)."""
        return mean_size(self.sizes)

    def gaps(self) -> tuple[Array, Array]:
        """Gap of each interval between neighbours, and how far its slopes can explain it, (n - 1, T).

        The gap is what F rose by beyond the mean of the slopes at both sides. A kink or a bend
        gives at most the width times the difference of the slopes; more is something that no
        node has seen.
        """
        return interval_gaps(self.nodes, self.values, self.slopes)

    def amplification(self) -> Array:
        """What L1 norm a gap stands for, shape (T,), see `amplification`."""
        return amplification(self.slopes, self.sizes)

    def blind_to_scale(self) -> bool:
        """Whether F is constant along the path at the nodes, though its gradient is not zero."""
        sizes, slopes = self.sizes[1:-1], np.abs(self.slopes[1:-1])
        return bool((np.median(slopes, 0) <= 1e-3 * np.median(sizes, 0)).any())

    def cuts(self, allowed_gap: Array, most: int) -> list[tuple[float, Array | None, Array | None]]:
        """Cuts where the gaps of intervals are, if nearly all of them are in few.

        Parameters
        ----------
        allowed_gap : numpy.ndarray
            Completeness gap that the whole path may have, shape (T,).
        most : int
            How many are few.

        Returns
        -------
        list of (float, numpy.ndarray or None, numpy.ndarray or None)
            Place, and F and its slope there where they are known; empty where the gaps are spread.
        """
        gaps, reach = self.gaps()
        relative = (np.abs(gaps) / (allowed_gap + TINY)).max(1)
        order = np.argsort(-relative)
        covered = np.cumsum(relative[order]) / (relative.sum() + TINY)
        few = int(np.searchsorted(covered, 0.9)) + 1
        if few > most or relative[order[0]] < 0.1:
            return []
        cuts: dict[float, tuple[Array | None, Array | None]] = {}
        for j in order[:few]:
            pair = slice(j, j + 2)
            kink = tangents_meet(self.nodes[pair], self.values[pair], self.slopes[pair])
            if kink is not None and (np.abs(gaps[j]) <= reach[j]).all():
                cuts[kink] = None, None
                continue
            for k in (j, j + 1):
                slope = None if np.isnan(self.slopes[k]).any() else self.slopes[k]
                cuts[float(self.nodes[k])] = self.values[k], slope
        return [(place, *cuts[place]) for place in sorted(cuts) if 0.0 < place < 1.0]


def unit(sizes: Array) -> Array:
    """Power of two near the largest size at the nodes, shape (..., n, T) to (..., T); 1 where all are zero.

    In this unit numbers may be squared and multiplied whatever the scale of F, and dividing by it is exact.
    """
    largest = np.nanmax(sizes[..., 1:-1, :], -2)
    powers: Array = np.exp2(np.frexp(np.where(largest > 0, largest, 1.0))[1].clip(-1000, 1000).astype(float))
    return powers


def mean_size(sizes: Array) -> Array:
    """Mean over the nodes, of arrays of shape (..., n, T) with both ends."""
    mean: Array = sizes[..., 1:-1, :].mean(-2)
    return mean


def amplification(slopes: Array, sizes: Array) -> Array:
    """What L1 norm a gap stands for: twice the median of size over slope at the nodes.

    Parameters
    ----------
    slopes, sizes : numpy.ndarray
        Shape (..., n, T), both ends included.

    Returns
    -------
    numpy.ndarray
        Between 1 and 30, shape (..., T).
    """
    sizes, slopes = sizes[..., 1:-1, :], np.abs(slopes[..., 1:-1, :])
    ratio = sizes / (np.maximum(slopes, 1e-3 * sizes) + TINY)
    limited: Array = np.clip(2 * np.median(ratio, -2), 1.0, 30.0)
    return limited


def effective_number(sizes: Array, axis: int = 0) -> Array:
    """(Σ s)² / Σ s² along an axis: how many of the sizes matter, at least 1.

    Examples
    --------
    >>> float(effective_number(np.array([2.0, 2.0, 0.0])))
    2.0
    """
    relative = sizes / (sizes.max(axis, keepdims=True) + TINY)
    number: Array = np.asarray(relative.sum(axis) ** 2 / (np.square(relative).sum(axis) + TINY))
    return np.maximum(number, 1.0, out=number)


def interval_gaps(nodes: Array, values: Array, slopes: Array) -> tuple[Array, Array]:
    """Rise of F beyond the mean slope in each interval, and width times difference of slopes.

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (..., n).
    values, slopes : numpy.ndarray
        F and its derivative there, shape (..., n, T). Slopes may be NaN at the ends: the neighbour's
        stands in.

    Returns
    -------
    gaps, reach : numpy.ndarray
        Shape (..., n - 1, T).
    """
    slopes = slopes.copy()
    if nodes.shape[-1] > 2:
        for end, neighbour in ((0, 1), (-1, -2)):
            unknown = np.isnan(slopes[..., end, :])
            slopes[..., end, :] = np.where(unknown, slopes[..., neighbour, :], slopes[..., end, :])
    width = np.diff(nodes)[..., None]
    gaps = np.diff(values, axis=-2) - width * (slopes[..., 1:, :] + slopes[..., :-1, :]) / 2
    return gaps, width * np.abs(np.diff(slopes, axis=-2))


def tangents_meet(nodes: Array, values: Array, slopes: Array) -> float | None:
    """Where the tangents at two nodes meet: the place of a kink, if there is just one between them.

    No rule then needs to find it by halving.

    Parameters
    ----------
    nodes : numpy.ndarray
        Shape (2,).
    values, slopes : numpy.ndarray
        Shape (2, T); the target whose slope changes most decides.

    Returns
    -------
    float or None
        A place strictly between the nodes, or None.

    Examples
    --------
    >>> tangents_meet(np.array([0.0, 1.0]), np.array([[0.0], [1.5]]), np.array([[1.0], [2.0]]))
    0.5
    """
    bend = slopes[0] - slopes[1]
    if not np.isfinite(bend).all():
        return None
    t = int(np.abs(bend).argmax())
    width = nodes[1] - nodes[0]
    if bend[t] == 0 or width == 0:
        return None
    share = (values[1, t] - values[0, t] - slopes[1, t] * width) / (bend[t] * width)
    return float(nodes[0] + share * width) if 0.0 < share < 1.0 else None
