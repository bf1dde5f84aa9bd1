"""Clusters of neighbouring places in which two sides differ, and their p values: MNE's permutation tests."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from .._check import shown
from ..exports.electrodes import MONTAGES, find_mne, names_of
from .intervals import BLOCK

ORDERED = ("frequency", "time", "quefrency")
"""Kinds of dimensions along which neighbours follow each other."""


def is_ordered(dim: str) -> bool:
    """Whether places along a dimension follow each other.

    Examples
    --------
    >>> is_ordered("stft_time"), is_ordered("channel")
    (True, False)
    """
    return any(dim == kind or dim.endswith(f"_{kind}") for kind in ORDERED)


@dataclass(frozen=True, eq=False)
class Cluster:
    """Places that hang together: their positions among all, flat, their sum of t, and the p value."""

    places: np.ndarray
    mass: float
    p: float


def neighbours_of(place: xr.DataArray, montage: Any, adjacency: Any) -> tuple[Any, str]:
    """Which places are neighbours, a sparse matrix, and how that was said.

    Parameters
    ----------
    place : xarray.DataArray
        Its dimensions are those of the places.
    montage : str, mne.channels.DigMontage or None
        Positions of the channels.
    adjacency : array-like or sparse matrix or None
        Which channels are neighbours.

    Raises
    ------
    ImportError
        If MNE is not installed.
    TypeError, ValueError
        If both are given, or do not fit the channels.
    """
    mne = find_mne("compare")
    from scipy import sparse

    if montage is not None and adjacency is not None:
        raise ValueError("montage and adjacency must not both be given")
    if (montage is not None or adjacency is not None) and "channel" not in place.dims:
        what = "montage" if adjacency is None else "adjacency"
        raise ValueError(f"{what} must be None for attributions without channels")
    parts: list[Any] = []
    said = []
    for dim in map(str, place.dims):
        if dim == "channel" and adjacency is not None:
            parts.append(_checked(sparse, adjacency, place))
            said.append("channels as adjacency says")
        elif dim == "channel" and montage is not None:
            parts.append(_of_montage(mne, sparse, montage, place))
            said.append("channels by their positions")
        elif is_ordered(dim):
            parts.append(place.sizes[dim])
            said.append(f"along {dim}")
        else:
            parts.append(sparse.eye(place.sizes[dim], format="coo"))
            said.append(f"{dim}s independent")
    if not parts:
        return sparse.eye(1, format="coo"), "one place"
    return mne.stats.combine_adjacency(*parts), ", ".join(said)


def _checked(sparse: Any, adjacency: Any, place: xr.DataArray) -> Any:
    names, number = names_of(place)[0], place.sizes["channel"]
    matrix = adjacency if sparse.issparse(adjacency) else np.asarray(adjacency)
    if matrix.shape != (number, number) or matrix.dtype.kind not in "biuf":
        raise ValueError(
            f"adjacency must be a matrix of truth values for {number} channels, shape ({number}, {number}), "
            f"in the order {', '.join(names[:5])}{', …' if number > 5 else ''}, got shape {matrix.shape}"
        )
    found = sparse.coo_matrix(matrix != 0)
    if (found != found.T).nnz:
        raise ValueError("adjacency must be symmetric: who is a neighbour has one")
    return sparse.coo_matrix(found + sparse.eye(number, dtype=bool))


def _of_montage(mne: Any, sparse: Any, montage: Any, place: xr.DataArray) -> Any:
    names = names_of(place)[0]
    if isinstance(montage, str):
        known = mne.channels.get_builtin_montages()
        if montage in MONTAGES:
            montage = next(name for name in MONTAGES if name in known)
        if montage not in known:
            raise ValueError(f"montage must be one of {', '.join(known)}, or a DigMontage, got {montage!r}")
        montage = mne.channels.make_standard_montage(montage)
    if not isinstance(montage, mne.channels.DigMontage):
        raise TypeError(f"montage must be the name of one of MNE or a DigMontage, got {shown(montage)}")
    there = {name.lower() for name in montage.ch_names}
    if lost := [name for name in names if name.lower() not in there]:
        raise ValueError(f"montage must have every channel, and has none called {', '.join(lost[:5])}")
    if len(names) < 4:
        raise ValueError(
            f"montage must be None for {len(names)} channels, which have no triangles: pass adjacency="
        )
    info = mne.create_info(names, 1.0, "eeg", verbose="error")
    info.set_montage(montage, match_case=False, verbose="error")
    found, order = mne.channels.find_ch_adjacency(info, "eeg")
    places = [order.index(name) for name in names]
    return sparse.coo_matrix(found.tocsr()[places][:, places])


def t_threshold(p: float, df: int) -> float:
    """The t whose two-sided p value is `p`."""
    from scipy import stats

    return float(stats.t.isf(p / 2, df))


def clusters_of(
    samples: list[np.ndarray], neighbours: Any, threshold: float, n_permutations: int, seed: int
) -> list[Cluster]:
    """Clusters of places whose |t| exceeds a threshold, the most significant first.

    Sums of t are compared with the largest of the data with signs flipped, or with units dealt anew to
    the two groups (Maris and Oostenveld, J. Neurosci. Methods 164:177, 2007).

    Parameters
    ----------
    samples : list of numpy.ndarray
        Differences of pairs, or two groups of units, shape (n, F) each, which vary at every place.
    neighbours : scipy.sparse matrix
        Shape (F, F).
    threshold : float
        Of |t|.
    n_permutations : int
        At most; signs of few pairs are all gone through.
    seed : int
        Of the permutations.
    """
    mne = find_mne("compare")
    asked: dict[str, Any] = {
        "threshold": threshold,
        "n_permutations": n_permutations,
        "adjacency": neighbours,
        "out_type": "indices",
        "verbose": "error",
    }
    # MNE before 1.12 knows `seed` only, and later ones say at every call that it is old.
    new = "rng" in inspect.signature(mne.stats.permutation_cluster_test).parameters
    asked |= {"rng": np.random.default_rng(seed)} if new else {"seed": seed}
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        # MNE warns where nothing exceeds the threshold.
        warnings.simplefilter("ignore", RuntimeWarning)
        if len(samples) == 1:
            found = [(1, 1, mne.stats.permutation_cluster_1samp_test(samples[0], tail=0, **asked))]
        else:
            # MNE compares sums of either sign with the largest positive one of each permutation. So both
            # signs are tested by themselves, and p counts twice.
            large = sum(own.nbytes for own in samples) > 8 * BLOCK
            asked |= {"stat_fun": t_of_groups, "buffer_size": 1000 if large else None}
            found = [
                (
                    sign,
                    2,
                    mne.stats.permutation_cluster_test([sign * own for own in samples], tail=1, **asked),
                )
                for sign in (1, -1)
            ]
    clusters = [
        Cluster(np.asarray(where[0]), sign * float(t[where[0]].sum()), min(1.0, sides * float(p)))
        for sign, sides, (t, places, ps, _) in found
        for where, p in zip(places, ps, strict=True)
    ]
    return sorted(clusters, key=lambda one: (one.p, -abs(one.mass)))


def t_of_groups(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Student's t of two groups, their variances pooled; 0 where nothing varies and means are the same.

    Examples
    --------
    >>> t_of_groups(np.array([[1.0], [2.0], [3.0]]), np.array([[0.0], [1.0], [2.0]])).round(3).tolist()
    [1.225]
    """
    m, n = len(first), len(second)
    difference = first.mean(0) - second.mean(0)
    pooled = (first.var(0) * m + second.var(0) * n) / (m + n - 2)
    return np.asarray(np.where(difference == 0, 0.0, difference / np.sqrt(pooled * (1 / m + 1 / n))))
