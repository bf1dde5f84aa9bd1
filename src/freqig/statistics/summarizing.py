"""Means of groups over people or samples, their spread, and intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from .._check import check_draws, check_seed, check_share, shown
from .._keywords import says_what_is_meant
from ..explain.averages.grouping import Groups
from .cases import SUBJECT, Cases, scalars_of
from .groups import Group, groups_of_standard_errors
from .labelling import ENDINGS, OWN, label_summary


@says_what_is_meant
def summarize(
    result: xr.Dataset,
    by: Any = None,
    *,
    interval: float = 0.95,
    n_resamples: int = 5000,
    seed: int = 0,
) -> xr.Dataset:
    """Means of groups, their spread, and intervals that say how sure they are.

    The unit is the subject where samples have a coordinate ``subject`` and a group holds several of them.
    Means are then taken over the samples of each subject, and over subjects, each of which counts the same;
    intervals resample subjects. So samples of one person, which are alike, are not taken for many people.
    Else the unit is the sample, as with ``by="subject"``. ``attrs["unit"]`` says which.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation of many samples, as `freqig.Explainer` returns it, also after `freqig.bands`; or means,
        as `Explainer.average` returns them.
    by : str, sequence of str, mapping, or None
        What to group by. Names of coordinates along the samples, such as "target", "predicted", "truth",
        "stage"; the ready groupings "correct" (right and wrong decisions) and "transition" (samples of
        another class than the one before), see `freqig.groupings`, which leave out samples that belong to no
        group; or a mapping from names to labels, one per sample, to such names, or to functions of the
        result.
        Default: all samples are one group; of means, their own groupings but the subject.
    interval : float, default 0.95
        Share of the intervals that is to hold the true mean, between 0 and 1.
    n_resamples : int, default 5000
        Number of resamples of the bootstrap, the same for all places of a group.
    seed : int, default 0
        Of the resamples.

    Returns
    -------
    xarray.Dataset
        A dimension per grouping: labels in the order of the model's classes, others sorted. A variable per
        attribution, its mean in float64, with its coordinates and attributes; `NAME_spread`, the standard
        deviation over units; `NAME_lower` and `NAME_upper`, the interval at each place by itself: BCa of a
        bootstrap, widened for few units. By group `n_samples`, `n_units`, and `reason`: why there is no
        interval, which then is NaN (no samples, one unit, or fewer than six), else empty. `output`,
        `baseline_output`, `completeness_gap` and `correction` are means, so that sums of attributions still
        are what they were. ``attrs["unit"]`` is "subject" or "sample", ``attrs["intervals"]`` says in words
        how intervals were made, ``attrs["summary"]`` all of it as JSON.

        Of means over samples only subjects can be resampled. Without several subjects the interval is the
        normal one from `NAME_standard_error`, and ``attrs["intervals"]`` says so.

    Raises
    ------
    TypeError, ValueError
        If `result` is no result; if a grouping is unknown or has not a label for every sample; if
        attributions are not finite; if a number is out of range.

    See Also
    --------
    freqig.compare : whether two groups differ, and where.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    >>> result = freqig.Explainer(model, fs=64)(np.random.default_rng(0).normal(size=(40, 64)), target=0)
    >>> result = result.assign_coords(
    ...     subject=("sample", np.repeat(np.arange(10), 4)), stage=("sample", ["W", "N2"] * 20)
    ... )
    >>> means = freqig.summarize(result, by="stage")
    >>> means.rfft.dims, means.stage.values.tolist(), means.n_units.values.tolist(), means.attrs["unit"]
    (('stage', 'frequency'), ['N2', 'W'], [10, 10], 'subject')
    >>> bool((means.rfft_lower < means.rfft).all())
    True
    """
    share = check_share(interval, "interval")
    count, seed = check_draws(n_resamples, "n_resamples", 100), check_seed(seed, "seed")
    cases = Cases.of(result)
    if by is None and cases.of_means:
        by = [name for name in cases.groupings if name != SUBJECT]
    labels, known = cases.labels(by)
    variables, beside = cases.attributions(), scalars_of(cases)
    _check_names(cases, labels, variables, beside)
    if not known.any():
        raise ValueError(
            f"by must leave at least one sample in a group, got {shown(by)}, which is known of none"
        )
    if not known.all():
        rows = np.flatnonzero(known)
        cases, labels = cases.take(rows), {name: own[rows] for name, own in labels.items()}
        variables, beside = (
            {name: own.isel(sample=rows) for name, own in these.items()} for these in (variables, beside)
        )
    groups = Groups(tuple(labels))
    numbers = groups.of(labels, len(cases))
    subjects = cases.subjects()
    # Where every group is of one person, as with by="subject", there are no several to resample.
    several = subjects is not None and len(set(zip(numbers, subjects.tolist(), strict=True))) > len(groups)
    units = subjects if several else None
    if cases.of_means and not several:
        how, made = "normal", groups_of_standard_errors(cases, variables, beside, numbers, share)
    else:
        how = "bootstrap"
        made = [
            Group.of(cases, variables, beside, np.flatnonzero(numbers == g), units, (share, count, seed))
            for g in range(len(groups))
        ]
    unit = SUBJECT if several else "sample"
    told = {
        "by": list(labels),
        "unit": unit,
        "interval": share,
        "method": "BCa bootstrap, widened for few units"
        if how == "bootstrap"
        else "normal, of standard errors",
        **({"n_resamples": count, "seed": seed} if how == "bootstrap" else {}),
        "left_out": int((~known).sum()),
    }
    return label_summary(cases, variables, beside, groups, made, unit, told)


def _check_names(
    cases: Cases,
    labels: Mapping[str, Any],
    variables: Mapping[str, xr.DataArray],
    scalars: Mapping[str, xr.DataArray],
) -> None:
    dims = {str(dim) for own in variables.values() for dim in own.dims}
    beside = {
        *dims,
        *OWN,
        *scalars,
        *(key for own in variables.values() for key in cases.about(own)),
    }
    made = [name + ending for name in variables for ending in ENDINGS]
    if twice := sorted({name for name in made if made.count(name) > 1 or name in beside}):
        raise ValueError(
            f"result must leave the name {twice[0]!r} to the summary, which calls what it finds "
            f"{', '.join('NAME' + ending for ending in ENDINGS)}: rename the domain, or select variables"
        )
    for name in labels:
        if name in {*beside, *made}:
            raise ValueError(
                f"by must not be named {name!r}, "
                + (
                    "a dimension of what was explained, which stays one: leave it out"
                    if name in dims
                    else "which the summary uses for something else: name it otherwise"
                )
            )
