"""The band that made a decision, named only where other samples or people would have named it too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...quantiles import normal_share, t_quantile
from ...statistics.intervals import FEWEST
from .cells import REST, Array, Axis

DRAWS = 1000
AGREED = 0.95
"""Share of the draws in which the choice must fall on the band."""
ALIKE = 0.5
"""Two bands are one where they have more than this share of their frequencies in common."""
BLOCK = 1 << 20


@dataclass(frozen=True)
class Choice:
    """The band that was chosen of units, and how far it can be trusted.

    Parameters
    ----------
    band : str
        In words, such as "11–16 Hz"; empty where nothing is positive.
    share : float
        Of the positive attribution that lies in it.
    low, high : float
        95 % interval of the share; NaN of fewer than six units.
    agreed : float
        Share of the draws that choose this band.
    rival : str
        The band that is chosen most often besides; empty where there is none.
    share_of_axis : float
        Share of all frequencies that the band has.
    """

    band: str
    share: float = math.nan
    low: float = math.nan
    high: float = math.nan
    agreed: float = math.nan
    rival: str = ""
    share_of_axis: float = math.nan


def choose(values: Array, axis: Axis, *, draws: int = DRAWS, seed: int = 0) -> Choice:
    """Choose the band of a mean, and repeat the choice for units drawn anew.

    Of cells it is the run in which positive attribution is most crowded: with a share s of it in a share w of
    the frequencies, that of the largest s log(s / w), which is what the run adds to the divergence of
    Kullback and Leibler from an even spread. Attribution that fills a band evenly chooses just this band, and
    one with the shape of a bell that of two standard deviations to both sides. Of bands with names it is the
    largest.

    Parameters
    ----------
    values : numpy.ndarray
        Attribution of each unit over the cells, shape (U, C).
    axis : Axis
        The cells.
    draws, seed : int
        Of the bootstrap over units. Means of draws are spread out by √(U / (U - 1)), and levels are those of
        Student's t, since a bootstrap of few units is too narrow (Hesterberg, Am. Stat. 69:371, 2015).

    Returns
    -------
    Choice
        Without a band where no cell is positive.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.reporting.words.cells import Axis
    >>> hertz = xr.DataArray(np.arange(40.0), dims="frequency", attrs={"units": "Hz"})
    >>> rfft = ("sample", "frequency"), np.zeros((9, 40)), {"kind": "attribution"}
    >>> axis = Axis.of(xr.Dataset({"rfft": rfft}, {"frequency": hertz}))
    >>> values = np.zeros((9, 40))
    >>> values[:, 11:17], values[:, 30] = 2.0, 4.0
    >>> found = choose(values, axis)
    >>> found.band, found.share, found.agreed
    ('11–16 Hz', 0.75, 1.0)
    """
    weights = axis.weights
    mean = values.mean(axis=0)
    if not (mean > 0).any():
        return Choice("")
    first, last = _runs(axis)
    best = int(_chosen(mean[None], weights, first, last, bool(axis.names))[0])
    inside = slice(first[best], last[best] + 1)
    share = float(_share(mean[None], inside)[0])
    told = axis.called(int(first[best]), int(last[best]))
    of_axis = float(weights[inside].sum())
    if len(values) < FEWEST:
        return Choice(told, share, share_of_axis=of_axis)
    resampled = _drawn(values, draws, seed)
    found = _chosen(resampled, weights, first, last, bool(axis.names))
    alike = _alike(first, last, weights, best, bool(axis.names))[found]
    others = found[~alike]
    rival = ""
    if len(others):
        most = int(np.bincount(others).argmax())
        rival = axis.called(int(first[most]), int(last[most]))
    level = normal_share(np.array([-1.0, 1.0]) * t_quantile(0.975, len(values) - 1))
    low, high = np.quantile(_share(resampled, inside), level)
    return Choice(told, share, float(low), float(high), float(alike.mean()), rival, of_axis)


def _runs(axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """First and last cell of every band that may be chosen."""
    if axis.names:
        there = np.array([i for i, name in enumerate(axis.names) if name != REST])
        return there, there
    first, last = np.triu_indices(len(axis))
    return first, last


def _drawn(values: Array, draws: int, seed: int) -> Array:
    count = len(values)
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    mean = values.mean(axis=0)
    return np.asarray(mean + math.sqrt(count / (count - 1)) * (counts @ values / count - mean))


def _chosen(means: Array, weights: Array, first: np.ndarray, last: np.ndarray, named: bool) -> np.ndarray:
    """Which band each mean chooses, of those from `first` to `last`, shape (draws,)."""
    found = []
    width = _between(weights[None], first, last)[0]
    for rows in _rows(len(means), len(first)):
        positive = np.maximum(means[rows], 0)
        total = positive.sum(axis=1, keepdims=True)
        share = _between(positive / np.where(total > 0, total, 1), first, last)
        found.append((share if named else _crowded(share, width)).argmax(axis=1))
    return np.concatenate(found)


def _crowded(share: Array, width: Array) -> Array:
    """What a run adds to the divergence from an even spread; less than 0 where it holds less than that."""
    # Nothing in a run adds nothing: s log(s) goes to 0.
    return np.asarray(share * np.log(np.maximum(share, 1e-12) / width))


def _between(values: Array, first: np.ndarray, last: np.ndarray) -> Array:
    before = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    # Sums of all that is there must not exceed one by rounding.
    return np.asarray(np.clip(before[:, last + 1] - before[:, first], 0, 1))


def _share(means: Array, inside: slice) -> Array:
    positive = np.maximum(means, 0)
    total = positive.sum(axis=1)
    return np.asarray(positive[:, inside].sum(axis=1) / np.where(total > 0, total, 1))


def _alike(first: np.ndarray, last: np.ndarray, weights: Array, best: int, named: bool) -> np.ndarray:
    """Which bands count as the one that was chosen, bool."""
    if named:
        return np.asarray(np.arange(len(first)) == best)
    before = np.concatenate([[0.0], np.cumsum(weights)])
    common = before[np.minimum(last, last[best]) + 1] - before[np.maximum(first, first[best])]
    union = before[np.maximum(last, last[best]) + 1] - before[np.minimum(first, first[best])]
    return np.asarray(common > ALIKE * union)


def _rows(count: int, bands: int) -> Iterator[slice]:
    step = max(1, BLOCK // max(1, bands))
    for start in range(0, count, step):
        yield slice(start, start + step)
