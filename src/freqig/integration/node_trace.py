"""What one path looked like at its nodes: F and its slope are free there, and say where it is rough."""

from __future__ import annotations

import numpy as np

from .path import Array

TINY = float(np.finfo(float).tiny)


class NodeTrace:
    """Scalars at every node of one sample, both ends included.

    Parameters
    ----------
    baseline_output, output : numpy.ndarray
        F at both ends of the path, shape (T,). The slope there is unknown: the gradient at the
        baseline need not exist.
    """

    def __init__(self, baseline_output: Array, output: Array) -> None:
        unknown = np.full_like(output, np.nan)
        self.nodes = np.array([0.0, 1.0])
        self.values = np.stack([baseline_output, output])
        self.slopes = np.stack([unknown, unknown])
        self.sizes = np.stack([unknown, unknown])

    def add(self, nodes: Array, values: Array, slopes: Array, sizes: Array) -> None:
        """Remember new nodes, shape (m,), with F, slope Σ δ·g and size Σ |δ·g|, shape (m, T)."""
        order = np.argsort(together := np.concatenate([self.nodes, nodes]))
        self.nodes = together[order]
        self.values = np.concatenate([self.values, values])[order]
        self.slopes = np.concatenate([self.slopes, slopes])[order]
        self.sizes = np.concatenate([self.sizes, sizes])[order]

    def mean_size(self) -> Array:
        """Mean L1 norm of δ·g over the nodes, shape (T,)."""
        mean: Array = self.sizes[1:-1].mean(0)
        return mean

    def gaps(self) -> tuple[Array, Array]:
        """Gap of each interval between neighbours, and how far its slopes can explain it, (n - 1, T).

        The gap is what F rose by beyond the mean of the slopes at both sides. A kink or a bend
        gives at most the width times the difference of the slopes; more is something that no
        node has seen.
        """
        return interval_gaps(self.nodes, self.values, self.slopes)

    def effective_intervals(self) -> float:
        """Over how many intervals the gaps are spread: one for a single step, all for many kinks."""
        return effective_number(np.abs(self.gaps()[0]).sum(1))

    def amplification(self) -> Array:
        """What L1 norm a gap stands for: twice the median of size over slope at the nodes, (T,)."""
        sizes, slopes = self.sizes[1:-1], np.abs(self.slopes[1:-1])
        ratio = sizes / (np.maximum(slopes, 1e-3 * sizes) + TINY)
        limited: Array = np.clip(2 * np.median(ratio, 0), 1.0, 30.0)
        return limited

    def blind_to_scale(self) -> bool:
        """Whether F is constant along the path at the nodes, though its gradient is not zero."""
        sizes, slopes = self.sizes[1:-1], np.abs(self.slopes[1:-1])
        return bool((np.median(slopes, 0) <= 1e-3 * np.median(sizes, 0)).any())

    def crossing(self, left: int) -> float | None:
        """Where the tangents at nodes `left` and `left + 1` meet, see `tangents_meet`."""
        pair = slice(left, left + 2)
        return tangents_meet(self.nodes[pair], self.values[pair], self.slopes[pair])


def effective_number(sizes: Array) -> float:
    """(Σ s)² / Σ s²: how many of the sizes matter, at least 1.

    Examples
    --------
    >>> effective_number(np.array([2.0, 2.0, 0.0]))
    2.0
    """
    relative = sizes / (sizes.max() + TINY)
    return max(1.0, float(relative.sum() ** 2 / (np.square(relative).sum() + TINY)))


def interval_gaps(nodes: Array, values: Array, slopes: Array) -> tuple[Array, Array]:
    """Rise of F beyond the mean slope in each interval, and width times difference of slopes.

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (n,).
    values, slopes : numpy.ndarray
        F and its derivative there, shape (n, T). Slopes may be NaN at the ends: the neighbour's
        stands in.

    Returns
    -------
    gaps, reach : numpy.ndarray
        Shape (n - 1, T).
    """
    slopes = slopes.copy()
    if len(nodes) > 2:
        slopes[0] = np.where(np.isnan(slopes[0]), slopes[1], slopes[0])
        slopes[-1] = np.where(np.isnan(slopes[-1]), slopes[-2], slopes[-1])
    width = np.diff(nodes)[:, None]
    gaps = np.diff(values, axis=0) - width * (slopes[1:] + slopes[:-1]) / 2
    return gaps, width * np.abs(np.diff(slopes, axis=0))


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
