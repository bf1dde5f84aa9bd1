"""Gradients that are not those of F: its rises between nodes, and close around them, against its slopes.

A model may return another gradient than its own: statistics detached, rounding with a straight-through
gradient, a hook that scales it. No number of nodes makes attributions add up then. Where the rises of F
between most nodes are not what the slopes at both sides can make, F is evaluated close around some of them:
a jump, a kink or a steep step is somewhere, and its slope right everywhere else, but a gradient of something
else is wrong at every place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .node_trace import SIZES, SLOPES, VALUES, interval_gaps
from .path import Array

UNEXPLAINED = 0.05
"""Share of the rise, or of what the slopes make of it, by which an interval is not explained."""

MOST = 0.6
"""Share of the intervals, and of the places looked at, that makes it the gradient and not the path."""

PLACES = 5
"""Nodes around which F is evaluated, on both sides at every distance."""

DISTANCES = (1e-5, 1e-3, 0.02)
"""Of these from the node, in widths of the interval around it. The smallest at which rounding does not hide
the rise decides: what bends or jumps nearby spoils the larger ones."""


def suspects(nodes: Array, trace: Array, rounding: Array, of_slopes: Array) -> NDArray[np.bool_]:
    """Samples whose F rises in most intervals by what the slopes at their ends cannot make.

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (A, n).
    trace : numpy.ndarray
        What `node_trace` lists at the nodes and both ends, shape (4, A, n + 2, T).
    rounding : numpy.ndarray
        Difference of values of F that rounding may make, shape (A, T).
    of_slopes : numpy.ndarray
        Rounding of slopes, shape (A, T).

    Returns
    -------
    numpy.ndarray
        Bool, shape (A, T).
    """
    values, slopes = trace[VALUES, :, 1:-1], trace[SLOPES, :, 1:-1]
    gaps, reach = interval_gaps(nodes, values, slopes)
    rises = np.abs(np.diff(values, axis=1))
    widths = np.diff(nodes)[:, :, None]
    told = widths * np.maximum(np.abs(slopes[:, 1:]), np.abs(slopes[:, :-1]))
    # A kink between two nodes makes a gap of half of `reach` at most.
    limit = reach / 2 + UNEXPLAINED * np.maximum(rises, told)
    limit += rounding[:, None] + widths * of_slopes[:, None]
    found: NDArray[np.bool_] = (np.abs(gaps) > limit).mean(1) >= MOST
    return found


COARSE = 1e-4
"""Rounding of a dtype beyond which rises from near by say nothing: that of half precision."""


def places_around(nodes: Array, eps: float) -> Array:
    """Where F is evaluated, for one sample: pairs around some of its nodes, shape (distances, places, 2).

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (n,).
    eps : float
        Rounding of the model's dtype. Places nearer than its root differ by too few digits.
    """
    inner = np.unique(np.linspace(0, len(nodes) - 1, PLACES).round().astype(int))
    edges = np.concatenate([[0.0], nodes, [1.0]])
    width = np.minimum(np.diff(edges)[inner], np.diff(edges)[inner + 1])
    steps = np.maximum(np.array(DISTANCES)[:, None] * width, np.sqrt(eps))
    around: Array = nodes[inner][:, None] + steps[:, :, None] * np.array([-1.0, 1.0])
    return around


def contradicted(
    nodes: Array, trace: Array, around: Array, values: Array, rounding: Array, of_slopes: Array
) -> NDArray[np.bool_]:
    """Whether F around the nodes of one sample rises otherwise than its slopes say, shape (T,).

    Parameters
    ----------
    nodes, trace : numpy.ndarray
        Of this sample, shapes (n,) and (4, n + 2, T).
    around, values : numpy.ndarray
        What `places_around` returned, and F there, shape (distances, places, 2, T).
    rounding, of_slopes : numpy.ndarray
        Of F and of its slopes, shape (T,).
    """
    inner = np.unique(np.linspace(0, len(nodes) - 1, PLACES).round().astype(int))
    rises = values[:, :, 1] - values[:, :, 0]
    told = trace[SLOPES, 1:-1][inner] * (around[:, :, 1] - around[:, :, 0])[:, :, None]
    # What rounding hides tells nothing. A rise that is there at a larger distance is to be expected at a
    # smaller one too, in proportion: where it is not, F is flat around the node.
    larger = np.maximum(np.abs(rises), np.abs(told))
    steps = around[:, :, 1] - around[:, :, 0]
    expected = np.maximum(larger, larger[-1] * (steps / steps[-1])[:, :, None])
    hidden = rounding + steps[:, :, None] * of_slopes
    seen = expected > 8 * hidden
    first = seen.argmax(0)[None]
    off, larger, hidden = (np.take_along_axis(v, first, 0)[0] for v in (np.abs(rises - told), larger, hidden))
    wrong = seen.any(0) & (off > UNEXPLAINED * larger + 2 * hidden)
    against = wrong.sum(0) >= MOST * np.maximum(seen.any(0).sum(0), 1)
    # A model that hands back no gradient at all moves by steps too fine to meet one here.
    none = (trace[SIZES, 1:-1] == 0).all(0)
    found: NDArray[np.bool_] = against | none
    return found


def told_of(nodes: Array, trace: Array) -> str:
    """What was found, as a sentence, for the target whose F and slopes are farthest apart."""
    values, slopes = trace[VALUES, 1:-1], trace[SLOPES, 1:-1]
    gaps, _ = interval_gaps(nodes, values, slopes)
    t = int(np.abs(gaps).sum(0).argmax())
    j = int(np.abs(gaps[:, t]).argmax())
    rise, told = float(values[j + 1, t] - values[j, t]), float(values[j + 1, t] - values[j, t] - gaps[j, t])
    return (
        "the gradient of the model is not that of its output: "
        f"between {nodes[j]:.3g} and {nodes[j + 1]:.3g} of the path the output changes by {rise:.3g} where "
        f"the gradient says {told:.3g}, and likewise in most other places, close around the nodes too. No "
        "number of nodes mends that. Such gradients come from detach() or stop_gradient (as on the "
        "statistics of a reversible normalisation), torch.no_grad() around a part of the model, rounding "
        "and quantised layers (straight-through or without a gradient), and hooks or custom backward "
        "passes that change it (remove them for the explanation)"
    )
