"""Decisions that are worth a look: wrong, between two classes, uncertain, or not where the power is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ...groupings import transition
from ..content import Missing, Paragraph, Piece, SampleLink, Table
from .cells import Array, Axis, blocks
from .counting import counted, percent
from .decisions import along_samples, lead, of_one_output, right

CHOSEN = 50
TRUTH = "explainer(x, truth=...)"
WRONG, TRANSITION, UNCERTAIN, AGAINST_POWER = "wrong", "transition", "least certain", "not where the power is"
IN_WORDS = {TRANSITION: "at a transition"}
"""How kinds are called in a sentence, where that is not as in the table."""


@dataclass(frozen=True)
class Chosen:
    """A sample that was chosen, and why.

    Parameters
    ----------
    sample : int
        Its place.
    why : tuple of str
        Kinds that it was chosen for.
    text : str
        What there is to see, with its numbers.
    """

    sample: int
    why: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Look:
    """Samples that are worth a look, and what could not be looked for."""

    chosen: tuple[Chosen, ...]
    missing: tuple[Missing, ...]

    @property
    def samples(self) -> tuple[int, ...]:
        """Places of the samples, in order."""
        return tuple(sorted(one.sample for one in self.chosen))


def worth_a_look(result: xr.Dataset, count: int = CHOSEN) -> Look:
    """Choose the samples that a reader should look at first, as many of each kind as there are.

    Parameters
    ----------
    result : xarray.Dataset
        At least one sample.
    count : int, default 50
        How many are chosen at most.

    Returns
    -------
    Look
        Kinds take turns: the wrong decisions that the model is surest of; those of another class than the one
        before, those that it is least sure of, and those whose attribution lies least where the power is, the
        most striking of each first.

    Examples
    --------
    >>> coords = {"truth": ("sample", ["W", "W", "N2"]), "predicted": ("sample", ["W", "N2", "N2"])}
    >>> found = worth_a_look(xr.Dataset({"output": ("sample", np.ones(3))}, coords))
    >>> [(one.sample, one.why) for one in found.chosen]
    [(1, ('wrong',)), (2, ('transition',))]
    """
    sure, away = lead(result), away_from_power(result)
    ranks, missing = _ranks(result, sure, away)
    why: dict[int, list[str]] = {}
    queues = {kind: list(rows) for kind, rows in ranks.items()}
    while any(queues.values()) and len(why) < count:
        for kind, rows in queues.items():
            if len(why) >= count:
                break
            fresh = next((i for i, row in enumerate(rows) if row not in why), None)
            if fresh is None:
                rows.clear()
                continue
            why[rows[fresh]] = [kind]
            del rows[: fresh + 1]
    for kind, rows in ranks.items():
        # What is uncertain or away from the power is so by degrees: only those that were chosen for it.
        if kind in (WRONG, TRANSITION):
            for row in rows:
                if row in why and kind not in why[row]:
                    why[row].append(kind)
    chosen = tuple(
        Chosen(row, tuple(kinds), _text(result, row, sure, away)) for row, kinds in sorted(why.items())
    )
    return Look(chosen, tuple(missing))


def pieces_of(look: Look, result: xr.Dataset) -> list[Piece]:
    """What was chosen, in words and as a table."""
    kinds = [kind for one in look.chosen for kind in one.why]
    told = [
        f"{kinds.count(kind)} {IN_WORDS.get(kind, kind)}"
        for kind in (WRONG, TRANSITION, UNCERTAIN, AGAINST_POWER)
        if kind in kinds
    ]
    of = counted(result.sizes["sample"], "sample")
    first = (
        f"{len(look.chosen)} of {of} were chosen: {', '.join(told)}." if told else f"None of {of} was chosen."
    )
    pieces: list[Piece] = [Paragraph(first), *look.missing]
    if look.chosen:
        rows = [(SampleLink(one.sample), ", ".join(one.why), one.text) for one in look.chosen]
        columns = ("sample", "why", "what there is to see")
        note = "Kinds take turns, the most striking of each first; rows are in the order of the samples."
        pieces.append(Table("worth-a-look", "Decisions worth a look", columns, rows, note))
    return pieces


def away_from_power(result: xr.Dataset) -> Array | None:
    """Share of the attribution that lies elsewhere than the power, 0 to 1, shape (N,); None where unknown.

    Half of the sum of absolute differences between the shares of |attribution| and of power in the cells of
    frequency: 0 where they are alike, 1 where they have nothing in common.
    """
    axis = Axis.of(result)
    if axis is None or axis.names or "signal" not in result or axis.unit not in ("Hz", "cycles/sample"):
        return None
    signal, variable = result["signal"], result[axis.name]
    if "time" not in signal.dims or "target" in variable.dims:
        return None
    frequency = np.asarray(result[axis.dim].values, dtype=np.float64)
    n = signal.sizes["time"]
    if axis.dim != "frequency" or len(frequency) != n // 2 + 1:
        return None
    found: list[Array] = []
    for own in blocks(signal, 1 << 20):
        power = np.abs(np.fft.rfft(own.transpose("sample", ..., "time").values)) ** 2
        # Both halves of the spectrum, but for its ends.
        power[..., 1 : (n + 1) // 2] *= 2
        power = power.reshape(len(power), -1, power.shape[-1]).sum(axis=1)
        start = sum(len(one) for one in found)
        rows = variable.isel(sample=slice(start, start + len(power)))
        other = [dim for dim in rows.dims if dim not in ("sample", axis.dim)]
        size = abs(rows).sum(other).transpose("sample", axis.dim).values.astype(np.float64)
        shares = [_shares(axis.gathered(values)) for values in (power, size)]
        found.append(np.abs(shares[0] - shares[1]).sum(axis=1) / 2)
    return np.concatenate(found)


def _ranks(
    result: xr.Dataset, sure: Array | None, away: Array | None
) -> tuple[dict[str, list[int]], list[Missing]]:
    """Samples of each kind, the most striking first, and what is missing."""
    ranks: dict[str, list[int]] = {}
    missing: list[Missing] = []
    by_doubt = np.zeros(result.sizes["sample"]) if sure is None else sure
    told, changes, classes = right(result), _changes(result), not of_one_output(result)
    if not classes:
        missing.append(Missing("The model has one output: none is wrong, uncertain, or between two classes."))
    if told is not None:
        ranks[WRONG] = _ordered(np.flatnonzero(told == 0), -by_doubt)
    elif classes:
        missing.append(Missing("Wrong decisions are not known, as the result holds no truth.", TRUTH))
    if changes is not None and classes:
        ranks[TRANSITION] = _ordered(np.flatnonzero(changes), by_doubt)
    elif classes:
        missing.append(Missing("Transitions are not known, as the result holds no classes.", TRUTH))
    if sure is None and classes:
        text = "Which decisions are least certain is not known, as the outputs of all classes are not held."
        missing.append(Missing(text, "freqig.Explainer(model, classes=...)"))
    elif sure is not None:
        ranks[UNCERTAIN] = _ordered(np.flatnonzero(np.isfinite(sure)), sure)
    if away is None:
        text = "Power and attribution are not compared, for want of the signal and a spectrum of one target."
        missing.append(Missing(text, "freqig.Explainer(model, domains=[freqig.RFFT()])"))
    else:
        ranks[AGAINST_POWER] = _ordered(np.flatnonzero(np.isfinite(away)), -away)
    return ranks, missing


def _changes(result: xr.Dataset) -> np.ndarray | None:
    """Where the class is another one than before, by the truth or else by what was predicted."""
    for name in ("truth", "label", "predicted"):
        if along_samples(result, name) is not None:
            return np.asarray(transition(result, of=name) == "transition")
    return None


def _ordered(rows: np.ndarray, by: Sequence[float] | Array) -> list[int]:
    found: list[int] = rows[np.argsort(np.asarray(by)[rows], kind="stable")].tolist()
    return found


def _text(result: xr.Dataset, row: int, sure: Array | None, away: Array | None) -> str:
    parts = []
    predicted, truth = along_samples(result, "predicted"), along_samples(result, "truth")
    if predicted is not None:
        parts.append(f"predicted {predicted[row]}")
        if truth is not None and str(truth[row]) not in ("", "nan"):
            parts[-1] += f", true {truth[row]}"
    if sure is not None and np.isfinite(sure[row]):
        parts.append(f"leads by {percent(sure[row])}")
    if away is not None and np.isfinite(away[row]):
        parts.append(f"{percent(away[row])} of the attribution away from the power")
    return "; ".join(parts)


def _shares(values: Array) -> Array:
    total = values.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(values, total, out=np.full_like(values, np.nan), where=total > 0))
