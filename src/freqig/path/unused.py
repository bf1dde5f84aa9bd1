"""One gradient at a place that no rule uses: what a path hides at the places of all rules, it shows there.

The nodes of a rule are known beforehand. A gradient that happens to be zero, or a polynomial, at all of
them looks solved whatever it does between them, and F tells only where F moves too. So a path is called
converged only where the gradient at one more place, its own, is near what the nodes lead to expect.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from .._tensor_check import widest
from ..diagnosis import Array
from .measuring import as_array
from .nodes import Nodes

BETWEEN, JITTER = (3 - 5**0.5) / 2, 0.002
"""Where between two neighbouring nodes of the first rule, in angle: the golden section, from one side or the
other. No multiple of it is near a whole number early on, so that what repeats itself from node to node, a
whole number of times, does not look the same there."""


def places_of(delta: Tensor, first: int) -> Array:
    """A place inside (0, 1) for every path of δ, (S, D), from its content: not from its number in a batch."""
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
    """Weights of the N - 1 nodes of Fejér's rule in the polynomial through them, by the barycentric formula.

    The nodes are those of Chebyshev's polynomial U, whose weights are (-1)^k sin²θ_k. `places`, shape (A,),
    are none of them; the result has the shape (A, N - 1).
    """
    angles = np.pi * np.arange(1, size) / size
    signs = np.resize([1.0, -1.0], size - 1)
    weights = signs * np.sin(angles) ** 2 / (np.sin(angles / 2) ** 2 - places[:, None])
    normalized: Array = weights / weights.sum(1, keepdims=True)
    return normalized


def off_the_line(nodes: Nodes, delta: Tensor) -> tuple[Array, Array]:
    """How far the unused gradient is from the line of its neighbours, and these from each other, (A, T).

    L1 norms, of undivided paths, δ being (A, D). A kink, or a drift, is nowhere farther from the line than
    its neighbours are apart, and of a random walk no more than half as far. What is, has its like between
    other nodes too, as far as anybody knows.
    """
    rows = np.arange(len(nodes.place))
    at = np.clip(np.abs(nodes.place - nodes.unused[:, None]).argmin(1), 1, nodes.n - 2)
    before, own, after = (nodes.gradient[rows, at + k] for k in (-1, 0, 1))
    a, b, c = (nodes.place[rows, at + k] for k in (-1, 0, 1))
    share = delta.new_tensor((b - a) / (c - a))[:, None, None]
    off, apart = (
        as_array((values * delta.unsqueeze(1)).abs().sum(-1))
        for values in (own - before - share * (after - before), after - before)
    )
    return off, apart
