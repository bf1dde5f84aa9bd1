"""What is known of the recordings of a cohort: evidence of all of them, taken in one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from ...groupings import class_names, in_order
from ...result.gaps import gap_shares
from ..content import Cell, Figure, PageLink, Paragraph, Piece, Table
from .alerts import alerts_of
from .cells import Array, Axis
from .counting import counted, listed, percent
from .decisions import right
from .judging import PERSON, RECORDING, Evidence, Verdict, evidence_of, judged
from .naming import table_of, told


@dataclass(eq=False)
class Person:
    """Sums over the samples of one person, of one class."""

    total: Array
    count: int


@dataclass(eq=False)
class People:
    """Recordings as they come: sums by person and class, and a row for each; no recording is kept.

    Parameters
    ----------
    axis : Axis or None
        Cells of frequency, of the first recording.
    first : xarray.Dataset or None
        Its attributes, coordinates but those of its samples, and no values.
    """

    axis: Axis | None = None
    first: xr.Dataset | None = None
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    persons: dict[str, dict[str, Person]] = field(default_factory=dict)
    tallies: dict[str, list[int]] = field(default_factory=dict)
    unknown: bool = False
    labelled: int = 0
    correct: int = 0
    alerts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, subject: str, result: xr.Dataset, link: str) -> None:
        """Take in the result of a recording.

        Raises
        ------
        ValueError
            If its frequencies are not those of the first.
        """
        axis = Axis.of(result)
        if self.first is None:
            self.axis, self.first = axis, result.isel(sample=slice(0, 1)).copy(deep=True)
        elif self._cells(axis) != self._cells(self.axis):
            raise ValueError(
                f"recordings must have the same frequencies to share a page, but those of {name} differ from "
                "those before: explain all with one window= and one rate"
            )
        self.unknown |= not subject
        if axis is not None:
            for one in evidence_of(result.drop_vars("subject", errors="ignore"), axis):
                self._add(one, subject or name)
        agreed, gap = right(result), gap_shares(result)
        if agreed is not None:
            self.labelled += int(np.isfinite(agreed).sum())
            self.correct += int(np.nansum(agreed))
        self.rows.append(
            (
                PageLink(link, name),
                subject,
                int(result.sizes["sample"]),
                _mean(result["converged"].values) if "converged" in result else None,
                None if gap is None or not np.isfinite(gap).any() else float(np.nanmedian(gap)),
                None if agreed is None else _mean(agreed),
            )
        )
        for alert in alerts_of(result):
            if alert.level != "note":
                self.alerts.setdefault(alert.text.partition(".")[0], []).append(name)

    def _add(self, evidence: Evidence, who: str) -> None:
        tally = self.tallies.setdefault(evidence.label, [0, 0, 0])
        parts = (evidence.samples, evidence.converged or 0, evidence.risen or 0)
        self.tallies[evidence.label] = [a + b for a, b in zip(tally, parts, strict=True)]
        mine = self.persons.setdefault(evidence.label, {})
        if len(evidence.values):
            known = mine.setdefault(who, Person(np.zeros(evidence.values.shape[1]), 0))
            known.total += evidence.values.sum(axis=0)
            known.count += len(evidence.values)

    @staticmethod
    def _cells(axis: Axis | None) -> Any:
        return None if axis is None else (axis.name, axis.member.tolist(), axis.low.tolist(), axis.names)

    def verdicts(self, seed: int = 0) -> list[Verdict]:
        """The band of each class, over people, or recordings where it is not known whose they are."""
        if self.axis is None:
            return []
        return [judged(one, self.axis, seed=seed) for one in self._evidence()]

    def _evidence(self) -> list[Evidence]:
        unit = RECORDING if self.unknown else PERSON
        order = in_order(self.tallies, () if self.first is None else class_names(self.first))
        return [
            Evidence(
                label,
                np.array([one.total / one.count for one in self.persons[label].values()]),
                unit,
                *self.tallies[label],
            )
            for label in order
        ]

    def summary(self, seed: int = 0) -> list[Piece]:
        """Three sentences on all of them."""
        if self.first is None:
            return []
        samples = sum(int(row[2]) for row in self.rows if isinstance(row[2], int))
        people = {str(row[1]) for row in self.rows if row[1]}
        of = f" of {counted(len(people), 'person')}" if people else ""
        verdicts = self.verdicts(seed)
        whole = f"{counted(samples, 'sample')} in {counted(len(self.rows), 'recording')}{of}"
        first, *_, bands = told(self.first, verdicts, whole)[:3]
        return [first, self._sure(), bands, *([table_of(verdicts)] if verdicts else [])]

    def _sure(self) -> Paragraph:
        count, converged, gap = (
            np.array([np.nan if row[place] is None else row[place] for row in self.rows], dtype=np.float64)
            for place in (2, 3, 4)
        )
        parts = []
        if (known := np.isfinite(converged)).any():
            share = float(np.average(converged[known], weights=count[known]))
            parts.append(f"{percent(share)} of the explanations converged")
        if np.isfinite(gap).any():
            usual = f"{percent(float(np.nanmedian(gap)))} of their L1 norm"
            parts.append(f"attributions miss the change of the output by {usual} in the median recording")
        if self.labelled:
            share = self.correct / self.labelled
            parts.append(f"the model is right in {percent(share)} of {counted(self.labelled, 'sample')}")
        sentence = "; ".join(parts) or "how sure they are is not known"
        return Paragraph(sentence[0].upper() + sentence[1:] + ".")

    def warned(self) -> list[Piece]:
        """Alerts of recordings, the most frequent first."""
        ordered = sorted(self.alerts.items(), key=lambda item: -len(item[1]))
        rows = [(text, len(names), listed(names, 5)) for text, names in ordered]
        if not rows:
            return [Paragraph("No recording has an alert that puts it in doubt.")]
        columns = ("what was found first", "recordings", "which")
        return [Table("alerts", "Alerts of recordings", columns, rows)]

    def recordings(self) -> Table:
        """A row for each recording, with a link to its page."""
        columns = (
            *("recording", "person", "samples", "share converged"),
            *("gap, median (share of the L1 norm)", "share right"),
        )
        return Table("recordings", "Recordings", columns, self.rows, shown=1000)

    def spectra(self) -> list[Piece]:
        """Mean attribution of each class, every person counting the same."""
        if self.axis is None:
            return []
        places: list[str | float] = [*self.axis.names] or [float(f"{one:.6g}") for one in self.axis.low]
        found: Mapping[str, Array] = {
            one.label: one.values.mean(axis=0) for one in self._evidence() if len(one.values)
        }
        dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
        traces = [
            {
                "type": "scatter",
                "mode": "lines",
                "name": label,
                "x": places,
                "y": mean.tolist(),
                "line": {"dash": dashes[i % len(dashes)]},
            }
            for i, (label, mean) in enumerate(found.items())
        ]
        x = f"frequency from ({self.axis.unit})" if not self.axis.names else "band"
        rows = [(place, *(mean[i] for mean in found.values())) for i, place in enumerate(places)]
        table = Table("group-spectra", "Mean attribution by class", (x, *found), rows)
        layout = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": "mean attribution"}}}
        alt = f"Mean attribution by frequency of {listed(list(found))}, a line for each."
        return [Figure("group-spectra", "Mean attribution by class", alt, traces, layout, table)]


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return float(known.mean()) if known.size else None
