"""What an evaluation says, in three sentences."""

from __future__ import annotations

import numpy as np
import xarray as xr

NEARLY_ALL = 0.9
"""Share of the samples from which on it is said of them all."""
ENOUGH = 5
"""Samples below which no share of them is beyond chance by two standard errors."""
FOUND = ((0.9, "finds"), (0.5, "finds most of"), (0.1, "finds part of"))
"""What is said from which part of the way from chance to a perfect average precision on."""
REPLACED = {
    "baseline": "those of the baseline",
    "surrogate": "those of a surrogate",
    "noise": "those of noise",
    "data": "those of another sample",
}
"""What coefficients are replaced by, in words."""
GONE = 0.5
"""Gap and magnitude without training, as shares of those with it, up to which they depend on the training."""
STABLE = 0.5
"""Relative change under noise up to which an explanation is called steady."""


def verdict(table: xr.Dataset, name: str, parts: str = "coefficients") -> str:
    """Three sentences about the explanation in one variable: faithful, of the model, and true.

    Parameters
    ----------
    table : xarray.Dataset
        As `freqig.evaluate` makes it.
    name : str
        Which variable.
    parts : str, default "coefficients"
        What its attributions are those of.

    Returns
    -------
    str
        Three sentences. What was not measured is said to be unknown.
    """
    return " ".join((_faithful(table, name, parts), _of_the_model(table, name), _true(table, name)))


def _scores(table: xr.Dataset, name: str, metric: str) -> np.ndarray:
    if metric not in table.metric.values:
        return np.full(table.sizes["sample"], np.nan)
    return np.asarray(table.score.sel(variable=name, metric=metric).values, dtype=np.float64)


def _reason(table: xr.Dataset, name: str, metric: str) -> str:
    """Why a metric that was asked for has no score."""
    if "reason" not in table or metric not in table.metric.values:
        return ""
    return str(table.reason.sel(variable=name, metric=metric).values)


def _faithful(table: xr.Dataset, name: str, parts: str) -> str:
    found = {
        order: _scores(table, name, "deletion_by_count" + order) for order in ("", "_random", "_amplitude")
    }
    own, chance, amplitude = found.values()
    known = np.isfinite(own) & np.isfinite(chance) & np.isfinite(amplitude)
    count = int(known.sum())
    if not count:
        return f"Whether the model follows {name} is unknown, as deletion was not measured."
    beats, ahead = (float((own < other)[known].mean()) for other in (chance, amplitude))
    by = str(table.operator.values[list(table.metric.values).index("deletion_by_count")])
    samples = "the one sample" if count == 1 else f"{count} samples"
    return (
        f"Replacing {parts} by {REPLACED[by]} in the order of {name} lowers the output sooner than at "
        f"random in {100 * beats:.0f} % of {samples}, and sooner than in the order of their amplitude in "
        f"{100 * ahead:.0f} %: {_judged(beats, ahead, count)}."
    )


def _judged(beats: float, ahead: float, count: int) -> str:
    """What these shares of the samples say; half of them is chance, within two standard errors of a share."""
    if count < ENOUGH:
        return "too few samples to tell that from chance"
    slack = 1 / np.sqrt(count)
    if beats <= 0.5 + slack:
        return "the order says little about this model"
    if beats < NEARLY_ALL:
        return "not so in every sample"
    if ahead > 0.5 + slack:
        return "the model uses what is named"
    return f"the order of the amplitudes does {'better' if ahead < 0.5 - slack else 'as well'}"


def _of_the_model(table: xr.Dataset, name: str) -> str:
    gap, magnitude = (_scores(table, name, f"untrained_{what}") for what in ("gap_ratio", "magnitude_ratio"))
    steady = _scores(table, name, "sensitivity")
    parts = []
    if np.isfinite(magnitude).any() and np.isfinite(gap).any():
        g, m = float(np.nanmedian(gap)), float(np.nanmedian(magnitude))
        depends = (
            "its size depends on the training"
            if max(g, m) <= GONE
            else "much of it is there without training"
        )
        parts.append(
            f"With weights drawn anew, once, the explained gap is {100 * g:.2g} % and the magnitude "
            f"{100 * m:.2g} % of what they are with the training, in the median of {_counted(magnitude)}, so "
            f"{depends}"
        )
    else:
        why = _reason(table, name, "untrained_magnitude_ratio") or "no untrained network was explained"
        parts.append(f"Whether it depends on the training is unknown: {why}")
    if np.isfinite(steady).any():
        s = float(np.nanmedian(steady))
        word = "steady" if s <= STABLE else "unsteady"
        parts.append(
            f"under 5 % noise that leaves the class as it is it changes by {100 * s:.2g} %, in the median of "
            f"{_counted(steady)} ({word})"
        )
    else:
        why = _reason(table, name, "sensitivity")
        parts.append(f"its steadiness under noise was not measured{f': {why}' if why else ''}")
    return "; ".join(parts) + "."


def _true(table: xr.Dataset, name: str) -> str:
    precision, share = (_scores(table, name, what) for what in ("average_precision", "truth_share"))
    if not np.isfinite(precision).any():
        return (
            "No truth was given, so this says what the model reacts to, and not whether that is what made "
            "the data so."
        )
    known = np.isfinite(precision)
    found, chance = float(precision[known].mean()), float(share[known].mean())
    part = (found - chance) / (1 - chance)
    word = next((word for least, word in FOUND if part >= least), "hardly tells")
    ending = "" if part >= FOUND[-1][0] else " from chance"
    return (
        f"Held against the known truth it {word} it{ending}: average precision {found:.2f} by magnitude in "
        f"{_counted(precision)}, where chance reaches {chance:.2f}."
    )


def _counted(scores: np.ndarray) -> str:
    count = int(np.isfinite(scores).sum())
    return f"{count} sample{'' if count == 1 else 's'}"
