"""How good the estimate is that gradients kept at the nodes make: of many samples at once.

Arrays have the axes sample A, interval or node n, projection P (time first) and target T.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..quadrature import fejer2
from .division import with_ends
from .measuring import Measured
from .node_trace import (
    SIZES,
    SLOPES,
    TINY,
    VALUES,
    amplification,
    effective_number,
    interval_gaps,
    mean_size,
)
from .path import Array
from .roughness import Roughness, differences, draws, spreads, trapezoid
from .sample import Settings

SAFETY, SCATTER = 1.25, 3.0
"""Of the error estimate: always, as mean sizes instead of variances make it a fifth too small for a
walk; and times one over the number of intervals that make the error, whose luck does not average."""

SELECTION = 0.18
"""More of it with every doubling of the nodes: they went where differences were large, and what was
small by luck is left."""

SELECTED = 7
"""Nodes at which this begins."""

UNSEEN = 1.5
"""Of what the gap of an interval shows that its nodes do not."""

FEW = 0.35
"""Share of the intervals below which those that make the error are few."""

FOUND = 0.5
"""Weight of the gaps that were found beside those that were expected, in squares. Where nodes lie
badly in the intervals that matter both the gaps and the errors are large."""

MOST = 3.0
"""Times the estimate that they can make it; less than it they never make it, that is luck as often."""

KINK = 2.0
"""Gap of an interval, in expected errors, that its nodes can explain; √3 is the most of one kink."""

BLIND = 2.0
"""Of the error of a domain that sees what time does not."""

FLAT = 1e-3
"""Change of the gradient over the path, in its own size, below which the change tells nothing."""

RULE, CHANGE, BEND, CLOSING = range(4)
"""What is measured: the estimate; two errors that it might have; a direction that closes its gap."""


@dataclass(frozen=True)
class Verdict:
    """What is known of A samples at n nodes.

    Parameters
    ----------
    relative : numpy.ndarray
        Estimated L1 error and rounding relative to the norm of the attributions, the largest of what is
        watched, shape (A, T).
    excess : numpy.ndarray
        Estimated L1 error relative to what is allowed, likewise.
    done : numpy.ndarray
        Whether more nodes would be of no use, shape (A, T): `tol` is kept, or rounding reached.
    steps : numpy.ndarray
        How far the estimate is moved along the direction that closes its gap, shape (A, T).
    strength : numpy.ndarray
        Part of each interval in the error, ends of the path included, shape (A, n + 1).
    few : numpy.ndarray
        Whether few intervals make the error, shape (A,).
    """

    relative: Array
    excess: Array
    done: NDArray[np.bool_]
    steps: Array
    strength: Array
    few: NDArray[np.bool_]


def combinations(nodes: Array, trace: Array, probed: Array) -> Array:
    """Weights of the gradients at the nodes in what is to be measured, shape (A, T, 4, n).

    The estimate, by Fejér's rule as long as the nodes but one are his; two errors that it might have; and the
    direction in which a gap of the sum is closed. Of random walks whose sum is known at both ends of
    the path and nowhere else, that is the mean of those with this sum.

    Parameters
    ----------
    nodes, trace : numpy.ndarray
        As `reach_verdict` takes them.
    probed : numpy.ndarray
        The node that no rule uses, shape (A,).
    """
    n_samples, n_nodes = nodes.shape
    weights = np.empty((n_samples, trace.shape[-1], 4, n_nodes))
    own = fejer2(n_nodes - 1)
    others = np.arange(n_nodes) != np.abs(nodes - probed[:, None]).argmin(1)[:, None]
    undivided = np.allclose(nodes[others].reshape(n_samples, -1), own.nodes, rtol=0, atol=1e-12)
    estimate = np.zeros_like(nodes) if undivided else trapezoid(nodes)
    if undivided:
        estimate[others] = np.tile(own.weights, n_samples)
    weights[:, :, RULE] = estimate[:, None]
    weights[:, :, CHANGE : BEND + 1] = draws(nodes)[:, None]
    closing = np.diff(trace[SLOPES, :, 1:-1], axis=1) * np.diff(nodes)[:, :, None] ** 2
    # A direction: its length must not be a matter of the scale of F.
    length = np.abs(closing).max(1, keepdims=True)
    closing /= np.where(length > 0, length, 1.0)
    weights[:, :, CLOSING] = differences(closing.transpose(0, 2, 1))
    return weights


def reach_verdict(
    nodes: Array, trace: Array, rough: Roughness, measured: Measured, settings: Settings, unit: Array
) -> Verdict:
    """Judge estimates.

    Parameters
    ----------
    nodes : numpy.ndarray
        Ascending, shape (A, n).
    trace : numpy.ndarray
        F, its slope and Σ |δ·g| at the nodes and both ends of the path, shape (3, A, n + 2, T).
    rough : Roughness
        Of the gradients at the nodes, in `unit`.
    measured : Measured
        Of the four combinations, all of them projected.
    settings : Settings
        What is asked.
    unit : numpy.ndarray
        Size of F, shape (A, T), in which all is judged.
    """
    noise = settings.noise(mean_size(trace[SIZES]), trace[VALUES, :, [0, -1]]) / unit
    rounding = settings.rounding(trace[VALUES], 1) / unit
    trace, measured = trace / unit[:, None], measured.in_units(unit)
    norms, watched = measured.norms, settings.watched
    strength, in_time, number = error_in_time(nodes, trace, rough, rounding)
    # What a domain makes of the error is what it makes of the two errors that there might be.
    sizes = np.sqrt(norms[:, CHANGE]) * np.sqrt(norms[:, BEND])
    error = _ratio(sizes, sizes[:, :1], most=1e6) * in_time[:, None]
    # Where neither is anything in time, since x - x' is zero there, they are what is known.
    error = np.where(sizes[:, :1] > 1e-6 * sizes, error, np.maximum(in_time[:, None], BLIND * sizes))
    allowed = settings.allowed(norms[:, RULE], noise) + TINY
    excess = (error / allowed)[:, watched].max(1)

    gap = measured.totals[:, RULE] - (trace[VALUES, :, -1] - trace[VALUES, :, 0])
    closing = measured.totals[:, CLOSING]
    possible = closing != 0
    steps = np.where(possible, -gap / np.where(possible, closing, 1.0), 0.0)
    # A step as large as the error may be is one of the errors that there may be.
    cost = np.abs(steps)[:, None] * norms[:, CLOSING]
    # Rounding is no gap to close.
    closes = possible & (cost <= error)[:, watched].all(1) & (np.abs(gap) <= measured.correctable)
    closes &= np.abs(gap) > rounding
    complete = closes | settings.complete(np.abs(gap), measured.allowed_gap, norms[:, RULE, 0], noise)
    return Verdict(
        settings.relative(error, norms[:, RULE], noise),
        excess,
        (excess <= 1) & complete,
        np.where(closes, steps, 0.0),
        (strength / allowed[:, :1]).max(2),
        number.min(1) < FEW * nodes.shape[1],
    )


def error_in_time(
    nodes: Array, trace: Array, rough: Roughness, rounding: Array
) -> tuple[Array, Array, Array]:
    """L1 error of δ · ḡ, from how the gradient wanders and from what F says beyond it and its rounding.

    Returns
    -------
    strength : numpy.ndarray
        Of each interval, ends of the path included, shape (A, n + 1, T).
    error : numpy.ndarray
        Of all, with its margin, shape (A, T).
    number : numpy.ndarray
        How many intervals make it, shape (A, T).
    """
    each = np.concatenate([rough.each[:, :1], rough.each, rough.each[:, -1:]], 1)
    expected = np.sqrt(each * spreads(nodes)[:, :, None])
    # From the root of squares over features, which is cheap, to the size that they have in all.
    expected *= (rough.total / (np.linalg.norm(expected, axis=1) + TINY))[:, None]

    gaps, reach = interval_gaps(with_ends(nodes), trace[VALUES], trace[SLOPES])
    gaps = np.maximum(np.abs(gaps) - rounding[:, None], 0.0)
    change = np.diff(trace[SLOPES, :, 1:-1], axis=1)
    # A gap is the error of a sum; what else errs there, differences between nodes tell.
    rises = np.linalg.norm(rough.rises, axis=1)
    told = np.maximum(_ratio(rises, np.linalg.norm(change, axis=1), most=30.0), 1.0)
    flat = rises <= FLAT * mean_size(trace[SIZES])
    factor = np.where(flat, amplification(trace[SLOPES], trace[SIZES]), told)[:, None]
    # One kink between two nodes makes a gap of half the width times the change at most; where the
    # gradient drifts smoothly it cannot make that much unseen.
    reach = np.minimum(KINK * expected / factor, reach / 2)
    reach[:, [0, -1]] = np.sqrt(3) * expected[:, [0, -1]] / factor
    unseen = np.maximum(gaps - reach, 0.0) * factor

    strength = np.hypot(expected, unseen)
    number = effective_number(np.square(strength), axis=1)
    safety = SAFETY * (1 + SCATTER / number) + SELECTION * max(0.0, np.log2(nodes.shape[1] / SELECTED))
    found = _ratio(np.linalg.norm(gaps * factor, axis=1), np.linalg.norm(expected, axis=1), most=2 * MOST)
    found = np.sqrt(1 - FOUND + FOUND * np.square(found))
    total = np.clip(found, 1.0, MOST) * rough.total
    return strength, safety * total + UNSEEN * np.linalg.norm(unseen, axis=1), number


def _ratio(values: Array, to: Array, most: float) -> Array:
    """Values over others, both at least zero, and `most` at most; 0 / 0 is 0."""
    ratio: Array = values / np.maximum(np.maximum(to, values / most), TINY)
    return ratio
