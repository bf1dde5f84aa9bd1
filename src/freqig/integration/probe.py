"""One gradient at a place that no rule uses: what a path hides at the places of all rules, it shows there.

The nodes of a rule are known beforehand. A gradient that happens to be zero, or a polynomial, at all of
them looks solved whatever it does between them, and F tells only where F moves too. So a path is called
converged only where the gradient at one more place, its own, is near what the nodes lead to expect.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..objective.objective import widest
from .measuring import as_array
from .path import Array
from .sample import Sample
from .streaming import Group, Sums

BETWEEN, JITTER = 0.4, 0.02
"""Where between two neighbouring nodes of the first rule, in angle, 0.4 or 0.6 of the way. Of the finer
rules, whose sizes are 2, 3, 4, 6, 8, … times the first, no node is nearer than a fifth of their spacing."""


def places_of(delta: Tensor, first: int) -> Array:
    """A place of its own for every path, from the content of the sample: not from its number in a batch.

    Parameters
    ----------
    delta : torch.Tensor
        Input minus baseline, shape (S, D).
    first : int
        Size of the first rule.

    Returns
    -------
    numpy.ndarray
        Shape (S,), float64, inside (0, 1).

    Examples
    --------
    >>> places = places_of(torch.arange(6.0).reshape(3, 2), 8)
    >>> bool((places > 0.03).all() and (places < 0.97).all())
    True
    """
    sizes = delta.to(widest(delta.device)).abs().sum(1).double().cpu().numpy()
    # The first 20 bits: the last ones depend on the order of summation, which a batch may change.
    code = (np.frexp(sizes)[0] * 2**20).astype(np.uint64) * np.uint64(2654435761) >> np.uint64(7)
    intervals = np.arange(first) if first < 4 else np.arange(1, first - 1)
    which = intervals[(code % np.uint64(len(intervals))).astype(int)]
    bits = (code >> np.uint64(8)).astype(int)
    share = np.where(bits % 2, BETWEEN, 1 - BETWEEN) + JITTER * ((bits >> 1) % 1024 / 512 - 1)
    places: Array = np.sin(np.pi * (which + share) / (2 * first)) ** 2
    return places


def interpolation(places: Array, size: int) -> Array:
    """Weights of the nodes of a rule in the polynomial through them, by the barycentric formula.

    Parameters
    ----------
    places : numpy.ndarray
        Where its value is wanted, no nodes, shape (A,).
    size : int
        Size N of the rule of Fejér, whose N - 1 nodes are those of Chebyshev's polynomial U.

    Returns
    -------
    numpy.ndarray
        Shape (A, N - 1).

    Examples
    --------
    >>> weights = interpolation(np.array([0.3]), 4)
    >>> nodes = np.sin(np.pi * np.arange(1, 4) / 8) ** 2
    >>> bool(np.allclose(weights @ nodes**2, 0.09))
    True
    """
    angles = np.pi * np.arange(1, size) / size
    signs = np.resize([1.0, -1.0], size - 1)
    weights = signs * np.sin(angles) ** 2 / (np.sin(angles / 2) ** 2 - places[:, None])
    normalized: Array = weights / weights.sum(1, keepdims=True)
    return normalized


class Probe:
    """Gradients of A samples, each at a place of its own.

    Parameters
    ----------
    samples : sequence of Sample
        Whose they are.
    places : numpy.ndarray
        Shape (A,).
    gradients : torch.Tensor
        Room for them, shape (A, 1, T, D).
    """

    def __init__(self, samples: Sequence[Sample], places: Array, gradients: Tensor) -> None:
        self.samples, self.places, self.gradients = list(samples), places, gradients
        # What `node_trace` lists, there.
        self.trace = np.full((4, len(places), gradients.shape[2]), np.nan)

    def propose(self) -> Group:
        """The places, one per sample."""
        for sample in self.samples:
            sample.used += 1
        index = [sample.index for sample in self.samples]
        return Group(index, self.places[:, None], np.zeros((0, 1)), store=self.gradients)

    def absorb(self, part: slice, result: Sums) -> None:
        """Take what came of some of these samples."""
        self.trace[:, part] = result.trace()[:, :, 0]

    def part(self, chosen: NDArray[np.bool_]) -> Probe:
        """Those of some of the samples."""
        rows = torch.as_tensor(np.flatnonzero(chosen), device=self.gradients.device)
        part = Probe(
            [s for s, c in zip(self.samples, chosen, strict=True) if c],
            self.places[chosen],
            self.gradients[rows],
        )
        part.trace = self.trace[:, chosen]
        return part

    def astray(self, nodes: Array, gradients: Tensor, delta: Tensor, allowed: Array) -> NDArray[np.bool_]:
        """Whose gradient is farther from the line between its neighbours than these are from each other.

        A kink, or a drift, is nowhere farther than that, and of a random walk no more than half as far. What
        is, has its like between other nodes too, as far as anybody knows.

        Parameters
        ----------
        nodes : numpy.ndarray
            Of the rule, shape (A, n).
        gradients : torch.Tensor
            There, shape (A, n, T, D).
        delta : torch.Tensor
            Input minus baseline, shape (A, D).
        allowed : numpy.ndarray
            L1 norm that is of no account, shape (A, T).
        """
        right = np.clip((nodes < self.places[:, None]).sum(1), 1, nodes.shape[1] - 1)
        rows = np.arange(len(nodes))
        a, b = nodes[rows, right - 1], nodes[rows, right]
        share = torch.as_tensor((self.places - a) / (b - a)).to(gradients)[:, None, None]
        at, of = (
            torch.as_tensor(right, device=gradients.device),
            torch.as_tensor(rows, device=gradients.device),
        )
        before, after, own = gradients[of, at - 1], gradients[of, at], self.gradients[:, 0]
        sizes = delta.abs().unsqueeze(1)
        off = as_array(((own - before - share * (after - before)) * sizes).abs().sum(-1))
        apart = as_array(((after - before) * sizes).abs().sum(-1))
        found: NDArray[np.bool_] = np.any(off > np.maximum(apart, allowed), axis=1)
        return found

    def merged(self, nodes: Array, trace: Array) -> tuple[Array, Array]:
        """Nodes, shape (A, n), and their trace, (4, A, n + 2, T), with these put in order."""
        order = self._order(nodes)
        joined = np.take_along_axis(np.concatenate([nodes, self.places[:, None]], 1), order, 1)
        inner = np.concatenate([trace[:, :, 1:-1], self.trace[:, :, None]], 2)
        inner = np.take_along_axis(inner, order[None, :, :, None], 2)
        return joined, np.concatenate([trace[:, :, :1], inner, trace[:, :, -1:]], 2)

    def merged_gradients(self, nodes: Array, gradients: Tensor) -> Tensor:
        """Gradients at the nodes, shape (A, n, T, D), with these put in order."""
        columns = torch.as_tensor(self._order(nodes), device=gradients.device)
        rows = torch.arange(len(nodes), device=gradients.device).unsqueeze(1)
        return torch.cat([gradients, self.gradients], 1)[rows, columns]

    def _order(self, nodes: Array) -> NDArray[np.intp]:
        return np.concatenate([nodes, self.places[:, None]], 1).argsort(1)
