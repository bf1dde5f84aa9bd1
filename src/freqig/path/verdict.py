"""How good the estimate is that gradients at the nodes make, as a smooth path or as a walk.

Many samples are judged at once: axes are sample A, interval or node n, projection P (time first), target T.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..diagnosis import Array
from . import smooth, walk
from .measuring import Gauge
from .nodes import SIZES, SLOPES, TINY, VALUES, Flags, Nodes, interval_gaps, unit
from .tolerance import NOISE, Tolerance
from .unused import interpolation, off_the_line

RULE, CLOSING, CHANGE, BEND, LAST, BEFORE, MISSED = range(7)
"""What is measured: the estimate; a direction that closes its gap; two errors that a walk might have; of
undivided paths the last two differences between rules, and what the last rule misses at the unused place."""

FIRST = 7
"""Nodes at which it begins that new ones go where differences are large."""


@dataclass(frozen=True)
class Margins:
    """Fitted numbers of the error estimate.

    Chosen on kinks, logistic steps and trained networks of the seeds 71, 81 and 82, so that hardly any path
    of some 57,000 is called converged beyond `tol`; the gate of `benchmarks/adaptive.py` has other seeds.

    Parameters
    ----------
    safety : float
        Of the error of a walk. Mean sizes instead of variances make it a fifth too small; the rest is
        scatter.
    scatter : float
        More of it, over the number of intervals that make the error: the luck of few does not average.
    selection : float
        More of it with every doubling of the nodes: they went where differences were large, and what was
        small by luck is left.
    few : float
        Share of the intervals below which those that make the error are few. Then the gradient near both ends
        is looked at too, where a kink has a node on one side only.
    sure : float
        Error of rules, in what is allowed, that they cannot agree to by luck. Where they agree less, and the
        path is not smooth, the gradients at the nodes are judged as a walk.
    order : float
        Order of convergence of F below which no path is smooth, and the highest that is believed of rules:
        kinks have 1 to 2.
    rules : float
        Of the error of rules, which is extrapolated from two differences.
    doubt : float
        Times the difference of its neighbours by which the unused gradient is off the line between them where
        what the nodes show is taken for chance: the path is believed when looking everywhere changes nothing.
    """

    safety: float = 1.4
    scatter: float = 3.0
    selection: float = 0.18
    few: float = 0.35
    sure: float = 0.05
    order: float = 2.3
    rules: float = 1.6
    doubt: float = 3.0


MARGINS = Margins()


@dataclass(frozen=True)
class Verdict:
    """What is known of A samples at n nodes.

    Of the estimated L1 error of what is watched, the largest: `relative` to the norm of the attributions,
    rounding included, (A, T), and as an `excess` over what is allowed, (A,). `done`, (A, T): more nodes
    would be of no use, as `tol` is kept or rounding reached. By sample, (A,): `smooth`, the next rule serves
    the path better than divided intervals; `few` intervals make the error of a walk; the unused gradient is
    `astray`, so that every interval is to be looked into, and so far that this leaves `doubt` at the end. By
    interval, ends included: its `strength` in the error, (A, n + 1), and `gaps`, what F rises by beyond
    slopes and one kink, in gaps that are allowed, (A, n + 1, T). The weights of the final `estimate`, gap
    closed, (A, T, n), and the `correction` that closing adds to the sum.
    """

    relative: Array
    excess: Array
    done: Flags
    smooth: Flags
    few: Flags
    astray: Flags
    doubt: Flags
    strength: Array
    gaps: Array
    estimate: Array
    correction: Array


def combinations(nodes: Nodes, size: int, eps: float) -> Array:
    """Weights of the gradients at the nodes in what is to be measured, shape (A, T, K, n), K = 4 or 7.

    The estimate is Fejér's as long as the nodes but one are his, then the trapezoid.
    """
    n_samples, n = nodes.place.shape
    slopes, sizes = nodes.trace[SLOPES:, :, 1:-1]
    weights = np.zeros((n_samples, nodes.trace.shape[-1], MISSED + 1 if size else BEND + 1, n))
    weights[:, :, RULE] = walk.trapezoid(nodes.place)[:, None]
    weights[:, :, CHANGE : BEND + 1] = walk.draws(nodes.place)[:, None]
    weights[:, :, CLOSING] = walk.closing(nodes.place, slopes, NOISE * eps * sizes.max(1))
    if size:
        fine, middle, coarse = smooth.weights(size)
        of_rules = np.tile([fine, fine - middle, middle - coarse, fine], (n_samples, 1, 1))
        of_rules[:, 3] = -interpolation(nodes.unused, size)
        isolated = smooth.is_unused(nodes)
        own = np.zeros((n_samples, 4, n))
        own[np.broadcast_to(~isolated[:, None], own.shape)] = of_rules.ravel()
        own[:, 3][isolated] = 1.0
        weights[:, :, [RULE, LAST, BEFORE, MISSED]] = own[:, None]
    return weights


def judge(
    nodes: Nodes, gauge: Gauge, tolerance: Tolerance, margins: Margins, hidden: Array, last: bool = False
) -> Verdict:
    """Judge the estimates of samples with as many nodes, at least 4, all divided or none.

    `hidden`, (A, T), is rounding that the size of F does not tell. Gaps are closed where that may be the end
    of a path, or is, as it is judged for the `last` time.
    """
    size, delta = smooth.size_of(nodes), gauge.delta[nodes.sample].flatten(1)
    weights = combinations(nodes, size, tolerance.eps)
    # In units of the size of F: nothing depends on its scale.
    scale = unit(nodes.trace)
    noise = tolerance.noise(nodes.trace, hidden) / scale
    rounding = tolerance.rounding(nodes.trace[VALUES], hidden) / scale
    rough = walk.measure(nodes.gradient, delta, nodes.place, scale)
    negligible = tolerance.tol * nodes.trace[SIZES, :, 1:-1].mean(1)
    nodes = replace(nodes, trace=nodes.trace / scale[:, None])
    # The slope of each node is the sum of a combination: no pass over gradients is needed.
    totals = np.einsum("atkn,ant->akt", weights[:, :, : CLOSING + 1], nodes.trace[SLOPES, :, 1:-1])
    gap = totals[:, RULE] - (nodes.trace[VALUES, :, -1] - nodes.trace[VALUES, :, 0])
    # No gap is larger than the L1 error, whatever a domain sees of it at the nodes.
    at_least = np.maximum(np.abs(gap) - rounding, 0.0)[:, None]

    # In every domain, which is dear: zero stands where nobody asks.
    norms = np.zeros((weights.shape[2], len(noise), 1 + len(gauge.projections), noise.shape[1]))

    def ask(rows: Flags, *kinds: int) -> None:
        if len(which := np.flatnonzero(rows)):
            found = gauge.norms(nodes.take(which), weights[which][:, :, list(kinds)], scale[which])
            norms[np.array(kinds)[:, None], which] = found

    # Rules are judged first. Where they are no matter of luck, the walk is not asked.
    even, lost, by_rules, doubt = np.zeros((4, len(noise)), dtype=bool)
    order = smooth.order(nodes, size) if size >= 8 else np.zeros_like(noise)
    ordered = np.all(order >= margins.order, axis=1)
    ask(ordered, RULE, LAST, BEFORE, MISSED)
    ask(~ordered, RULE, CHANGE, BEND)
    allowed, of_rules = tolerance.allowed(norms[RULE], noise), np.zeros_like(norms[RULE])
    if size:
        off, apart = np.maximum(off_the_line(nodes, delta), negligible)
        if size >= 8:
            # Where the gap alone is more than rules can be sure of, they are not asked.
            asked = ordered | (tolerance.largest(at_least, allowed).max(1) <= margins.sure)
            ask(asked & ~ordered, LAST, BEFORE, MISSED)
            trusted, missed = np.minimum(order, margins.order), norms[MISSED]
            of_rules = smooth.error(norms[LAST], norms[BEFORE], trusted, margins.rules)
            of_rules = np.maximum(of_rules, at_least)
            excess = np.where(asked, tolerance.largest(of_rules, allowed).max(1), np.inf)
            # Kinks may have a high order by luck. That of a smooth path is far higher, or else the polynomial
            # knows more of the unused gradient than the line between its neighbours does.
            beyond = (order >= 2 * smooth.KINK) | (missed[:, 0] <= np.maximum(off / scale, noise))
            # Where rules look solved and the polynomial is not right between their nodes, the walk is asked.
            hollow = (excess <= 1) & (tolerance.largest(missed, allowed).max(1) > 1)
            even = ordered & np.all(beyond, axis=1) & ~hollow
            by_rules = even | ((excess <= margins.sure) & ~hollow)
        strays = (off / np.maximum(apart, TINY)).max(1)
        even, lost, doubt = even | (size < 8), ~by_rules & (strays > 1), strays > margins.doubt
    ask(ordered & ~by_rules, CHANGE, BEND)
    in_time, strength, number, gaps = error_of_walk(nodes, rough, rounding, margins)
    of_walk = np.maximum(in_domains(in_time, norms[CHANGE], norms[BEND]), at_least)
    error = np.where(by_rules[:, None, None], of_rules, of_walk)

    allowed_gap, correctable = gauge.limits(nodes.sample, norms[RULE][:, 0], scale)
    # What rules make of a smooth path is left alone, unless its sum is off.
    wanted = ~by_rules[:, None] | (np.abs(gap) > allowed_gap)
    wanted &= np.any((tolerance.largest(error, allowed) <= 1) | last, axis=1)[:, None]
    steps = np.where(wanted, close(gap, rounding, totals[:, CLOSING], correctable), 0.0)
    ask((steps != 0).any(1), CLOSING)
    cost = np.abs(steps)[:, None] * norms[CLOSING]
    # A step as large as the error of a walk may be is one of the errors that there may be. On a smooth path
    # it is an error of its own.
    fits = np.where(by_rules[:, None, None], error + cost <= allowed, cost <= error)[:, tolerance.watched]
    steps = np.where(fits.all(1), steps, 0.0)
    closed = steps != 0
    error = np.where((closed & by_rules[:, None])[:, None], error + cost, error)
    complete = closed | tolerance.complete(gap, allowed_gap, norms[RULE][:, 0], noise)
    excess = tolerance.largest(error, allowed)
    return Verdict(
        relative=tolerance.largest(error + noise[:, None], norms[RULE] + TINY),
        excess=excess.max(1),
        done=(excess <= 1) & complete,
        smooth=even & ~lost,
        few=~by_rules & (number.min(1) < margins.few * nodes.n),
        astray=lost,
        doubt=doubt,
        strength=(strength / allowed[:, :1]).max(2),
        gaps=gaps / (allowed_gap + TINY)[:, None],
        estimate=weights[:, :, RULE] + steps[:, :, None] * weights[:, :, CLOSING],
        correction=steps * totals[:, CLOSING] * scale,
    )


def close(gap: Array, rounding: Array, closing: Array, correctable: Array) -> Array:
    """Step along the mean of the walks with the known sum, of which one adds `closing` to it, (A, T).

    No step where there is nothing to close, or rounding alone, or too much.
    """
    possible = (closing != 0) & (np.abs(gap) > rounding) & (np.abs(gap) <= correctable)
    return np.where(possible, -gap / np.where(possible, closing, 1.0), 0.0)


def in_domains(in_time: Array, change: Array, bend: Array) -> Array:
    """What every domain makes of the error in time: as of the two errors that there might be, (A, P, T)."""
    sizes = np.sqrt(change) * np.sqrt(bend)
    error = ratio(sizes, sizes[:, :1], most=1e6) * in_time[:, None]
    # Where neither is anything in time, since x - x' is zero there, they are what is known.
    return np.where(sizes[:, :1] > 1e-6 * sizes, error, np.maximum(in_time[:, None], 2 * sizes))


def error_of_walk(
    nodes: Nodes, rough: walk.Roughness, rounding: Array, margins: Margins
) -> tuple[Array, Array, Array, Array]:
    """L1 error of δ · ḡ, from how the gradient wanders and from what F says beyond it and its rounding.

    Returns the error with its margin, (A, T); the strength of each interval, ends included, (A, n + 1, T);
    how many of them make the error, (A, T); and what F rises by in each beyond its slopes and one kink.
    """
    each = np.concatenate([rough.each[:, :1], rough.each, rough.each[:, -1:]], 1)
    expected = np.sqrt(each * walk.spreads(nodes.place)[:, :, None])
    # From the root of squares over features, which is cheap, to the size that they have in all.
    expected *= (rough.total / (np.linalg.norm(expected, axis=1) + TINY))[:, None]

    gaps, reach = interval_gaps(nodes.edges, nodes.trace[VALUES], nodes.trace[SLOPES])
    gaps = np.maximum(np.abs(gaps) - rounding[:, None], 0.0)
    # A gap is the error of a sum; what else errs there, differences between nodes tell.
    rises, change = rough.rises, np.diff(nodes.trace[SLOPES, :, 1:-1], axis=1)
    told = ratio(np.linalg.norm(rises, axis=1), np.linalg.norm(change, axis=1), most=30.0)
    factor = np.maximum(told, 1.0)[:, None]
    one_kink = walk.ONE_KINK * expected / factor
    one_kink[:, 1:-1] = np.minimum(one_kink[:, 1:-1], reach[:, 1:-1] / 2)
    unseen = np.maximum(gaps - one_kink, 0.0)

    strength = np.hypot(expected, unseen * factor)
    squares = np.square(strength / (strength.max(1, keepdims=True) + TINY))
    # (Σ s²)² / Σ s⁴: as many equal intervals would make the same error.
    number = np.maximum(squares.sum(1) ** 2 / (np.square(squares).sum(1) + TINY), 1.0)
    safety = margins.safety * (1 + margins.scatter / number)
    safety += margins.selection * max(0.0, np.log2(nodes.n / FIRST))
    error = safety * rough.total + margins.safety * np.linalg.norm(unseen * factor, axis=1)
    return error, strength, number, unseen


def ratio(values: Array, to: Array, most: float) -> Array:
    """Values over others, both at least zero, and `most` at most; 0 / 0 is 0."""
    return values / np.maximum(np.maximum(to, values / most), TINY)
