"""Do two groups differ, where, and by how much: permutation tests over clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from .._check import check_draws, check_flag, check_names, check_seed, check_share, shown
from .._keywords import says_what_is_meant
from ..errors import FreqigWarning, warn
from .cases import Cases
from .clusters import Cluster, clusters_of, neighbours_of, t_threshold
from .differences import Difference
from .intervals import bca_interval
from .sides import Sides, lined_up, split


@says_what_is_meant
def compare(
    a: xr.Dataset,
    b: xr.Dataset | None = None,
    *,
    paired: bool,
    by: Any = None,
    between: Any = None,
    name: str = "rfft",
    names: Sequence[str] | None = None,
    montage: Any = None,
    adjacency: Any = None,
    threshold: float = 0.05,
    alpha: float = 0.05,
    n_permutations: int = 1000,
    interval: float = 0.95,
    n_resamples: int = 5000,
    seed: int = 0,
) -> xr.Dataset:
    """Compare the attributions of two groups by a permutation test over clusters.

    Between classes, right and wrong decisions, two models, or two groups of people. The unit is the subject
    where samples have a coordinate ``subject``, never its samples, whose mean is taken first; else the
    sample. At each place, such as a frequency of a channel, t of the difference is computed; neighbouring
    places beyond the threshold make clusters; and the sum of t of a cluster is compared with the largest of
    data in which signs of pairs are flipped, or units dealt to groups anew. This holds the error rate for all
    places together. It says that there is a difference, and not that each place of a cluster has one.

    Parameters
    ----------
    a, b : xarray.Dataset
        Results, as `freqig.Explainer` returns them, or means by subject, as `Explainer.average` returns them,
        over the same places and in one unit. Without `b`, two groups of `a` are compared.
    paired : bool
        Whether each subject is on both sides, as for two classes or two models; without subjects, whether
        each sample is: pairs are found by ``file`` and ``onset``, by the labels of samples, or else as they
        stand, where their signals must be the same. False for different people.
    by : str or mapping, optional
        Without `b`: what makes the groups, as `freqig.summarize` takes it, such as "stage" or "correct".
    between : tuple of two labels, optional
        Without `b`: the groups by `by`. Default: the two that there are, classes in the order
        of the model's, other labels sorted.
    name : str, default "rfft"
        Variable that is compared.
    names : sequence of two str, optional
        What the sides are called. Default: their labels, or ("a", "b").
    montage : str or mne.channels.DigMontage, optional
        Positions of channels, such as "standard_1005": triangles between them make neighbours. Default:
        channels are independent, and clusters lie within one.
    adjacency : array-like or sparse matrix, optional
        Which channels are neighbours, shape (C, C), instead.
    threshold : float, default 0.05
        Two-sided p value of a place, below which it joins a cluster. It sets what clusters look like, and not
        the error rate.
    alpha : float, default 0.05
        p value below which a cluster is called significant.
    n_permutations : int, default 1000
        Number of permutations; of fewer than 11 pairs all sign flips are taken.
    interval : float, default 0.95
        Share of the intervals of the difference that is to hold the true one, at each place by itself.
    n_resamples : int, default 5000
        Of the bootstrap that makes them.
    seed : int, default 0
        Of permutations and resamples.

    Returns
    -------
    xarray.Dataset
        Over the places: the variable `NAME`, the mean difference a - b; `NAME_lower` and `NAME_upper`, its
        interval; `NAME_mean` over ``group``, the means; `NAME_t`; `NAME_effect_size`, Cohen's d_z of pairs,
        Hedges' g of groups; `NAME_cluster`, the number of the cluster, 0 for none; `NAME_p`, its p value, NaN
        for none; `NAME_significant`. Over ``cluster``, the most significant first: `cluster_p`,
        `cluster_mass` (sum of t), `cluster_size`, `cluster_effect_size` of the mean over the cluster (which
        was chosen for being large), and where it lies, such as `cluster_frequency_from` and `_to`. Attributes
        say what was done: ``unit``, ``n_first``, ``n_second``, ``effect_size``, ``neighbours``, ``test``.
        Where nothing varies between units beyond rounding, t and effect size are NaN; places
        without a coefficient stay empty.

    Raises
    ------
    ImportError
        If MNE is not installed.
    TypeError, ValueError
        If there are fewer than six units, one target is not all there is, axes, units or pairs differ, values
        are not finite, labels are missing, groups are empty, or a number is out of range.

    See Also
    --------
    freqig.plots.difference : the figure.
    freqig.summarize : means and intervals of any number of groups.

    Notes
    -----
    The tests are ``permutation_cluster_1samp_test`` and ``permutation_cluster_test`` of MNE (Maris and
    Oostenveld, J. Neurosci. Methods 164:177, 2007; Sassenhagen and Draschkow, Psychophysiology 56:e13335,
    2019, on what they do not say). Effect sizes: d_z = mean / standard deviation of the differences; g =
    difference over the pooled standard deviation, times 1 - 3 / (4 df - 1) (Lakens, Front. Psychol. 4:863,
    2013).

    Examples
    --------
    >>> import numpy as np, xarray as xr, freqig
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(60, 33))
    >>> values[::2, 10:14] += 2
    >>> result = xr.Dataset(
    ...     {"rfft": (("sample", "frequency"), values, {"kind": "attribution", "units": "logit"})},
    ...     coords={
    ...         "frequency": ("frequency", np.arange(33.0), {"units": "Hz"}),
    ...         "subject": ("sample", np.repeat(np.arange(10), 6)),
    ...         "stage": ("sample", ["N2", "W"] * 30),
    ...     },
    ... )
    >>> found = freqig.compare(result, by="stage", paired=True)
    >>> found.attrs["unit"], found.attrs["n_first"], float(found.cluster_p[0]) < 0.05
    ('subject', 10, True)
    >>> found.frequency[found.rfft_significant].values.tolist()
    [10.0, 11.0, 12.0, 13.0]
    """
    paired = check_flag(paired, "paired")
    limits = [check_share(own, key) for own, key in ((threshold, "threshold"), (alpha, "alpha"))]
    share, seed = check_share(interval, "interval"), check_seed(seed, "seed")
    count = check_draws(n_permutations, "n_permutations", 20)
    resamples = check_draws(n_resamples, "n_resamples", 100)
    if b is None:
        if by is None:
            raise ValueError("by must say what makes two groups of one result, got None: name it, or pass b")
        first, second, called = split(a, by, between)
    else:
        if by is not None or between is not None:
            raise ValueError("by and between must be None where b is given: a and b are the groups")
        first, second, called = Cases.of(a, "a"), Cases.of(b, "b"), ("a", "b")
    chosen = check_names(names, "names") or called
    if len(chosen) != 2 or chosen[0] == chosen[1]:
        raise ValueError(f"names must be two different ones, got {shown(names)}")
    sides = lined_up(first, second, name, paired=paired, one_result=b is None)
    neighbours, said = neighbours_of(sides.place, montage, adjacency)
    difference = Difference.of(sides)
    limit = t_threshold(limits[0], difference.df)
    if not difference.varies.any():
        warn(
            f"{chosen[0]} and {chosen[1]} differ by the same everywhere, beyond rounding, so that there is "
            "nothing to test: t and effect sizes are NaN. Pass results of two models or groups, not one twice"
            if paired
            else f"values of {name} do not vary within {chosen[0]} and {chosen[1]}, so that there is nothing "
            "to test: t and effect sizes are NaN",
            FreqigWarning,
        )
    clusters = _tested(sides, difference, neighbours, limit, count, seed)
    lower, upper = bca_interval(sides.samples, share, resamples, seed)
    made = {
        "unit": sides.unit,
        "paired": int(paired),
        "n_first": len(sides.first),
        "n_second": len(sides.second),
        "effect_size": difference.called,
        "neighbours": said,
        "threshold_t": limit,
        "alpha": limits[1],
        "interval": share,
        "test": f"cluster permutation test over {sides.unit}s, "
        + ("signs of pairs flipped" if paired else "units dealt to groups anew, two-sided")
        + f", {_number(len(sides.first), count, paired)}, seed {seed}",
    }
    return difference.labelled(sides, name, chosen, clusters, (lower, upper), made)


def _tested(
    sides: Sides, difference: Difference, neighbours: Any, limit: float, count: int, seed: int
) -> list[Cluster]:
    """Clusters among the places at which units vary."""
    varies = np.flatnonzero(difference.varies.ravel())
    if not len(varies) or not (np.abs(difference.t.ravel()[varies]) > limit).any():
        return []
    # t does not depend on the scale, and squares of values of size one neither overflow nor vanish.
    scale = difference.scale.ravel()[varies].astype(sides.first.dtype)
    samples = [own.reshape(len(own), -1)[:, varies] / scale for own in sides.samples]
    among = neighbours.tocsr()[varies][:, varies].tocoo()
    found = clusters_of(samples, among, limit, count, seed)
    return [Cluster(varies[own.places], own.mass, own.p) for own in found]


def _number(n: int, asked: int, paired: bool) -> str:
    every = 2 ** (n - 1) if n < 60 else asked + 1
    return f"all {every} of them" if paired and every <= asked else f"{asked} permutations"
