"""Which band decided for a class, or why none is named: what is known of it, and the conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ...statistics.cases import rows_of
from ...statistics.intervals import FEWEST
from .cells import Array, Axis
from .choosing import AGREED, Choice, choose
from .counting import counted, percent, plural
from .decisions import OUTPUT, Group, along_samples, groups_of

CONVERGED = 0.9
"""Share of the explanations of a class that must have converged before a band of it is named."""
MOST = 0.5
PERSON, RECORDING, SAMPLE = "person", "recording", "sample"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the explanations of one class: all that a band is named by.

    Parameters
    ----------
    label : str
        The class.
    values : numpy.ndarray
        Mean attribution of each unit over the cells, finite, shape (U, C).
    unit : {"person", "recording", "sample"}
        What a unit is.
    samples : int
        Explanations.
    converged, risen : int or None
        Those that converged, and whose output is higher at the signal than at the baseline; None where the
        result does not tell.
    """

    label: str
    values: Array
    unit: str
    samples: int
    converged: int | None
    risen: int | None


@dataclass(frozen=True)
class Verdict:
    """The band of a class, or why none is named."""

    evidence: Evidence
    choice: Choice
    why_not: str = ""

    @property
    def named(self) -> bool:
        """Whether a band is named."""
        return not self.why_not


def evidence_of(result: xr.Dataset, axis: Axis) -> list[Evidence]:
    """What is known of each class. Units are people where a result knows more than one, else samples."""
    people = along_samples(result, "subject")
    if people is not None and len(set(people.tolist())) < 2:
        people = None
    found = []
    for group in groups_of(result):
        cells = axis.sums(group.of(result[axis.name]))
        finite = np.isfinite(cells).all(axis=1)
        values = cells[finite]
        if people is not None:
            rows = rows_of(people[group.rows][finite].tolist()).values()
            values = np.array([values[own].mean(axis=0) for own in rows]).reshape(-1, len(axis))
        found.append(
            Evidence(
                group.label,
                values,
                SAMPLE if people is None else PERSON,
                len(group.rows),
                _count(result, group, "converged"),
                _risen(result, group),
            )
        )
    return found


def judged(evidence: Evidence, axis: Axis, *, seed: int = 0) -> Verdict:
    """Name the band of a class, or say why not.

    Parameters
    ----------
    evidence : Evidence
        What is known of it.
    axis : Axis
        The cells of its values.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Verdict
        It names a band where 90 % of the explanations converged, the output is higher at the signal than at
        the baseline for most, there are six units, the choice falls on the band in 95 % of the draws, and
        attribution is more crowded in it than in the rest.
    """
    count = evidence.samples
    if not count:
        return Verdict(evidence, Choice(""), "the model did not decide for it in any sample")
    if evidence.converged is None or evidence.risen is None:
        missing = "converged" if evidence.converged is None else "output and baseline_output"
        return Verdict(
            evidence,
            Choice(""),
            f"the result does not tell {missing}, which freqig.Explainer does",
        )
    if evidence.converged < CONVERGED * count:
        share = percent(evidence.converged / count)
        return Verdict(
            evidence, Choice(""), f"{share} of its explanations converged, fewer than {percent(CONVERGED)}"
        )
    if evidence.risen <= MOST * count:
        # What has a number and no name may be no class.
        unnamed = evidence.label == OUTPUT or evidence.label.isdecimal()
        what = "what raised it" if unnamed else "why it is this class"
        return Verdict(
            evidence,
            Choice(""),
            f"the output is higher than at the baseline for {evidence.risen} of {count} only, so its "
            f"attributions do not say {what}",
        )
    if not len(evidence.values):
        return Verdict(evidence, Choice(""), "none of its attributions are finite")
    choice = choose(evidence.values, axis, seed=seed)
    if not choice.band:
        return Verdict(evidence, choice, "no frequency has a positive attribution in the mean")
    units = len(evidence.values)
    if units < FEWEST:
        return Verdict(evidence, choice, f"it rests on {counted(units, evidence.unit)}, fewer than {FEWEST}")
    if choice.agreed < AGREED:
        rival = f", and others on {choice.rival}" if choice.rival else ""
        return Verdict(
            evidence,
            choice,
            f"with {plural(evidence.unit)} drawn anew the choice falls on "
            f"{choice.band} in {percent(choice.agreed)} of the draws, fewer than {percent(AGREED)}{rival}",
        )
    if not choice.low > choice.share_of_axis:
        return Verdict(
            evidence,
            choice,
            f"positive attribution is spread: {choice.band} has {percent(choice.share)} of it, and "
            f"{percent(choice.share_of_axis)} of the frequencies",
        )
    return Verdict(evidence, choice)


def _risen(result: xr.Dataset, group: Group) -> int | None:
    if not {"output", "baseline_output"} <= set(result):
        return None
    return int((group.of(result["output"]).values > group.of(result["baseline_output"]).values).sum())


def _count(result: xr.Dataset, group: Group, name: str) -> int | None:
    return int(group.of(result[name]).values.astype(bool).sum()) if name in result else None
