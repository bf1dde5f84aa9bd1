"""What the paragraph for a paper says of means: over whom they were taken, and how sure they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr


def are_means(result: xr.Dataset) -> bool:
    """Whether this holds means of groups, of `freqig.summarize` or `Explainer.average`."""
    return "n_samples" in result


def over_whom(result: xr.Dataset) -> str:
    """Over how many signals and subjects means were taken, and by what; nothing of other results."""
    if not are_means(result):
        return ""
    groups = " and ".join(map(str, result["n_samples"].dims))
    told = f"Means were taken over {_range(result['n_samples'])} signals"
    told = told.replace("taken", f"taken by {groups},") + " each" if groups else told
    if result.attrs.get("unit") == "subject":
        told += f", first within a subject and then over {_range(result['n_units'])} subjects"
    return f"{told}.{_intervals(result)}"


def _intervals(result: xr.Dataset) -> str:
    made = json.loads(result.attrs.get("summary", "{}"))
    if not made:
        return ""
    missing = np.asarray(result["reason"].values != "")
    fewest = f" Groups of fewer than 6 {made['unit']}s have none." if missing.any() else ""
    if missing.all():
        return f" No intervals are given, as there are fewer than 6 {made['unit']}s."
    drawn = f" ({made['n_resamples']} resamples, seed {made['seed']})" if "n_resamples" in made else ""
    how = made["method"] if drawn else f"of the {made['method']}"
    return f" Intervals ({100 * made['interval']:g} %) are {how}, over {made['unit']}s{drawn}.{fewest}"


def shifted_nodes(result: xr.Dataset, settings: Mapping[str, Any]) -> str:
    """How `Explainer.average` integrated; nothing where every signal was integrated by itself."""
    alone = result["one_by_one"].values if "one_by_one" in result else np.zeros(1, dtype=bool)
    if "seed" not in settings or alone.all():
        return ""
    tol, nodes = settings["tol"], ""
    if "n_evaluations" in result:
        nodes = f", with {_range(result['n_evaluations'].values[~alone])} nodes per signal,"
    until = "was a quarter of that of sampling" if tol == "sampling" else f"was {tol:g} of their L1 norm"
    return (
        f"Paths were integrated over all signals of a group at once{nodes} at shifts drawn for each signal "
        f"(seed {settings['seed']}), until the error of the means {until} at most."
        f"{' Signals of small groups were integrated one by one.' if alone.any() else ''}"
    )


def _range(counts: Any) -> str:
    values = np.asarray(counts)
    known = values[values > 0]
    low, high = (known.min(), known.max()) if known.size else (0, 0)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
