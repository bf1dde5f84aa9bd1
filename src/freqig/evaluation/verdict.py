"""What an evaluation says, in three sentences."""

from __future__ import annotations

import numpy as np
import xarray as xr

NEARLY_ALL, MOST = 0.9, 0.5
"""Shares of the samples from which on it is said of them."""
GONE = 0.5
"""Gap and magnitude without training, as shares of those with it, up to which they depend on the training."""
STABLE = 0.5
"""Relative change under noise up to which an explanation is called steady."""


def verdict(table: xr.Dataset, name: str) -> str:
    """Three sentences about the explanation in one variable: faithful, of the model, and true.

    Parameters
    ----------
    table : xarray.Dataset
        As `freqig.evaluate` makes it.
    name : str
        Which variable.

    Returns
    -------
    str
        Three sentences. What was not measured is said to be unknown.
    """
    return " ".join((_faithful(table, name), _of_the_model(table, name), _true(table, name)))


def _scores(table: xr.Dataset, name: str, metric: str) -> np.ndarray:
    if metric not in table.metric.values:
        return np.full(table.sizes["sample"], np.nan)
    return np.asarray(table.score.sel(variable=name, metric=metric).values, dtype=np.float64)


def _share(better: np.ndarray, known: np.ndarray) -> float:
    return float(better[known].mean()) if known.any() else np.nan


def _faithful(table: xr.Dataset, name: str) -> str:
    found = {
        order: _scores(table, name, "deletion_by_count" + order) for order in ("", "_random", "_amplitude")
    }
    own, chance, amplitude = found.values()
    known = np.isfinite(own) & np.isfinite(chance)
    if not known.any():
        return f"Whether the model follows {name} is unknown, as deletion was not measured."
    beats = _share(own < chance, known)
    ahead = _share(own < amplitude, known)
    judged = (
        "the model uses what is named"
        if beats >= NEARLY_ALL and ahead > MOST
        else "the order of the amplitudes says as much"
        if beats >= NEARLY_ALL
        else "not so in every sample"
        if beats > MOST
        else "the order says little about this model"
    )
    return (
        f"Replacing coefficients in the order of {name} lowers the output sooner than at random in "
        f"{100 * beats:.0f} % of {known.sum()} samples, and sooner than in the order of their amplitude in "
        f"{100 * ahead:.0f} %: {judged}."
    )


def _of_the_model(table: xr.Dataset, name: str) -> str:
    gap, magnitude = (_scores(table, name, f"untrained_{what}") for what in ("gap_ratio", "magnitude_ratio"))
    steady = _scores(table, name, "sensitivity")
    parts = []
    if np.isfinite(magnitude).any():
        g, m = float(np.nanmedian(gap)), float(np.nanmedian(magnitude))
        depends = (
            "it depends on the training" if max(g, m) <= GONE else "much of it is there without training"
        )
        parts.append(
            f"Without training the explained gap is {100 * g:.2g} % and the magnitude {100 * m:.2g} % of "
            f"what they are with it, so {depends}"
        )
    else:
        parts.append("Whether it depends on the training is unknown, as no untrained network was explained")
    if np.isfinite(steady).any():
        s = float(np.nanmedian(steady))
        word = "steady" if s <= STABLE else "unsteady"
        parts.append(f"under 5 % noise that leaves the class as it is it changes by {100 * s:.2g} % ({word})")
    else:
        parts.append("its steadiness under noise was not measured")
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
    word = (
        "finds" if found > MOST + chance / 2 else "finds part of" if found > 2 * chance else "does not find"
    )
    return (
        f"Held against the known truth it {word} it: average precision {found:.2f}, where chance reaches "
        f"{chance:.2f}."
    )
