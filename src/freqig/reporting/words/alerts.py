"""What puts an explanation in doubt, told from its attributes and variables, each with a remedy."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import xarray as xr

from ...known_values import known
from ...result.reading import names_of_attributions
from ...signals.units import HARDLY, OF_NETWORKS, factor
from ..content import Alert
from .cells import Array, blocks
from .counting import counted, listed, number, percent
from .decisions import agreement_with_truth, groups_of, probabilities
from .statuses import remedy_of, statuses_of

VOLTS = 1e-3
"""Peak-to-peak below which signals without a unit may be volts; amplified brain signals are 1e-5 to 1e-3."""
QUIET = 0.1
"""Share of the usual amplitude from which on a sample is no silence."""
EVEN = {"log_prob": math.log(0.5), "probability": 0.5, "margin": 0.0}
"""The explained output at which a class has half of the probability, for scales that tell it."""
FLAT = 1e-6
"""Part of the output that attributions must exceed, to be more than its rounding in float32."""
FEW = 0.1
"""Share of the samples up to which something is a note, and above a warning."""
DATA = "baseline=freqig.baselines.data(...) with signals of other classes (--baseline data:FILE)"

LEVELS = ("serious", "warning", "note")

Check = Callable[[xr.Dataset], "Alert | None"]


def alerts_of(result: xr.Dataset) -> list[Alert]:
    """Alerts, the most serious first.

    Parameters
    ----------
    result : xarray.Dataset
        At least one sample.
    """
    checks: tuple[Check, ...] = (
        at_chance,
        blind_to_scale,
        saturated,
        doubtful_unit,
        softmax_inside,
        baseline_of_the_class,
        unknown_baseline,
        not_converged,
        undecided,
    )
    found = [alert for check in checks if (alert := check(result)) is not None]
    return sorted(found, key=lambda one: LEVELS.index(one.level))


def at_chance(result: xr.Dataset) -> Alert | None:
    """A model that is right no more often than labels dealt at random."""
    found = agreement_with_truth(result)
    if found is None or not found.at_chance:
        return None
    return Alert(
        "serious",
        f"The model is right in {percent(found.share)} of {counted(found.count, 'sample')}, and labels dealt "
        f"at random would be in {percent(found.chance)}: it is at chance on these.",
        "What decided a model that is at chance says nothing about the classes. Look whether rate, unit, "
        "channels and their order, and the names of the classes are those that it was trained with.",
    )


def blind_to_scale(result: xr.Dataset) -> Alert | None:
    """A model that divides its input by a norm of it: its output jumps at the baseline."""
    if not {"jump_place", "jump_width"} <= set(result):
        return None
    place, width = (np.asarray(result[name].values).ravel() for name in ("jump_place", "jump_width"))
    rows = np.flatnonzero(place <= width)
    if not len(rows):
        return None
    count = len(place)
    return Alert(
        "warning" if len(rows) > FEW * count else "note",
        f"The output of {len(rows):,} of {counted(count, 'sample')} jumps right at the baseline, by "
        f"{number(float(np.median(np.abs(result['jump_size'].values.ravel()[rows]))))} in the median. That "
        "of a model does which normalises its input, and so is blind to its scale: on every path from a "
        "constant baseline completeness fails.",
        f"Pass a baseline with an amplitude like that of a signal, such as {DATA} or "
        "baseline=freqig.baselines.surrogate().",
    )


def saturated(result: xr.Dataset) -> Alert | None:
    """Attributions that are all zero, because the output is the same at both ends."""
    if not {"output", "baseline_output"} <= set(result):
        return None
    ends = [np.asarray(result[name].values, dtype=np.float64) for name in ("output", "baseline_output")]
    size = np.maximum(*map(np.abs, ends))
    still = np.abs(ends[0] - ends[1]) <= FLAT * size
    if "target" not in result["output"].dims:
        norm = np.zeros(still.shape)
        for name in names_of_attributions(result):
            norm = np.maximum(norm, _norms(result[name]))
        still &= norm <= FLAT * size
    rows = np.flatnonzero(still.reshape(len(still), -1).all(axis=1))
    if not len(rows):
        return None
    first = rows[0]
    at_x, at_baseline = (float(own.reshape(len(still), -1)[first, 0]) for own in ends)
    return Alert(
        "warning" if len(rows) > FEW * len(still) else "note",
        f"All attributions of {len(rows):,} of {counted(len(still), 'sample')} are 0, or less than the "
        f"rounding of the output: it does not move on the path, F(x) = {at_x:.6g} and F(x') = "
        f"{at_baseline:.6g} for sample {first}.",
        "Where it is saturated, explain what comes before: the logits, or output='log_prob' or "
        f"output='margin'. Else take another baseline, such as {DATA}.",
    )


def doubtful_unit(result: xr.Dataset) -> Alert | None:
    """Signals in volts for a model that may have learned from microvolts."""
    signal = next((own for own in result.data_vars.values() if own.attrs.get("kind") == "signal"), None)
    settings = json.loads(result.attrs.get("settings", "{}"))
    if signal is None or settings.get("unit") is not None or not signal.size or "time" not in signal.dims:
        return None
    peaks = np.concatenate([(own.max("time") - own.min("time")).values.ravel() for own in blocks(signal)])
    usual, unit = float(known(np.nanmedian, peaks)), signal.attrs.get("units")
    if not {"output", "baseline_output"} <= set(result) or not np.isfinite(usual):
        return None
    moved = float(np.abs(result["output"].values - result["baseline_output"].values).max())
    # A model whose output does move knows such signals.
    if moved >= HARDLY:
        return None
    if unit is None:
        if not 0 < usual < VOLTS:
            return None
        return Alert(
            "warning",
            f"Signals are {usual:.2g} from peak to peak in the median, and their unit is not known; the "
            f"output moves by {moved:.2g} at most. That is the size of brain signals in volts, where most "
            "networks learned from microvolts.",
            "Say in which unit the model takes its signals: unit='uV' of Explainer (--unit uV), and give "
            "signals with their unit, x.attrs['units'] = 'V'; else multiply them.",
        )
    other = next((own for own in OF_NETWORKS.values() if (factor(unit, own) or 0) >= 1e3), None)
    if other is None:
        return None
    return Alert(
        "warning",
        f"Signals are in {unit}, {usual:.2g} {unit} from peak to peak in the median, and the output moves by "
        f"{moved:.2g} at most. Most networks learned from {other.replace('u', 'µ')}, to which such a signal "
        "is silence.",
        f"Pass unit={other!r} to Explainer (--unit {other}), which multiplies; or unit={unit!r}, if the "
        "model takes it so.",
    )


def softmax_inside(result: xr.Dataset) -> Alert | None:
    """A model that gives probabilities, which hardly move where it is sure."""
    told = str(result.attrs.get("outputs", ""))
    settings = json.loads(result.attrs.get("settings", "{}"))
    if not told.startswith(("a softmax", "probabilities")):
        return None
    scale = settings.get("output")
    as_they_are = scale in ("logit", "probability")
    what = "a softmax" if told.startswith("a softmax") else "probabilities"
    return Alert(
        "warning" if as_they_are else "note",
        f"The last layer of the model makes {what}, of which "
        + (
            "the probability itself was explained. Where the model is sure it hardly moves, and a class "
            "gains what another loses."
            if as_they_are
            else f"output={scale!r} was computed. What is close to 0 or 1 has lost its digits."
        ),
        "Explain the layer before it, or output='log_prob' or output='margin', which are its logarithm and "
        "log-odds."
        if as_they_are
        else "Explain the layer before it, where the model allows.",
    )


def baseline_of_the_class(result: xr.Dataset) -> Alert | None:
    """A baseline that is the class itself: as likely as at the signal, or likelier than all others."""
    if not {"output", "baseline_output"} <= set(result):
        return None
    scale = json.loads(result.attrs.get("settings", "{}")).get("output")
    higher, total = 0, 0
    whose: list[str] = []
    for group in groups_of(result):
        ends = [group.of(result[name]).values for name in ("output", "baseline_output")]
        mine = int(((ends[1] >= ends[0]) | (ends[1] > EVEN.get(scale, np.inf))).sum())
        whose += [group.label] if mine > len(ends[0]) / 2 else []
        higher, total = higher + mine, total + len(ends[0])
    if not total or higher <= FEW * total:
        return None
    most = f", and for most of {listed(whose)}" if whose else ""
    return Alert(
        "warning" if whose else "note",
        f"The baseline is taken for the class itself, or F(x') ≥ F(x), for {higher:,} of "
        f"{counted(total, 'decision')}{most}. Attributions tell what makes up F(x) - F(x'), and so not why "
        "it is this class.",
        f"Take {DATA}."
        if scale in ("log_prob", "margin")
        else f"Explain output='log_prob' or output='margin', which compare the classes, or take {DATA}.",
    )


def unknown_baseline(result: xr.Dataset) -> Alert | None:
    """A path that begins at silence or a constant, where no signal is like it."""
    settings = json.loads(result.attrs.get("settings", "{}"))
    name = dict(settings.get("baseline") or {}).get("name")
    if name not in ("zero", "dc") or "signal" not in result or "time" not in result["signal"].dims:
        return None
    spread = np.concatenate(
        [
            own.std("time").max([dim for dim in own.dims if dim not in ("sample", "time")]).values
            for own in blocks(result["signal"])
        ]
    )
    usual = float(known(np.nanmedian, spread))
    quietest = float(known(np.nanmin, spread))
    if not usual > 0 or quietest < QUIET * usual:
        return None
    return Alert(
        "note",
        f"Paths began at {'zero' if name == 'zero' else 'the mean of each series'}, a flat line, and none of "
        f"{counted(len(spread), 'signal')} is like it: the quietest has {percent(quietest / usual)} of the "
        "usual amplitude. What a model says of an input that it never saw is not settled by its training.",
        f"Explain once more with {DATA}, or baseline=freqig.baselines.surrogate(), and see whether the same "
        "bands come out: freqig report first.nc second.nc lays them side by side.",
    )


def not_converged(result: xr.Dataset) -> Alert | None:
    """Samples whose attributions did not reach the tolerance, and why."""
    statuses = {name: count for name, count in statuses_of(result).items() if name != "converged"}
    if not statuses:
        return None
    total, bad = result.sizes["sample"], sum(statuses.values())
    told = [f"{name} ({count:,}): {remedy_of(result, name)}" for name, count in statuses.items()]
    return Alert(
        "warning" if bad > FEW * total else "note",
        f"{bad:,} of {counted(total, 'sample')} did not converge ({percent(bad / total)}).",
        "; ".join(told) + ".",
    )


def undecided(result: xr.Dataset) -> Alert | None:
    """A model whose probabilities hardly differ from class to class."""
    known = probabilities(result)
    if known is None or known.shape[1] < 2:
        return None
    likeliest = known.max(axis=1)
    if np.isnan(likeliest).all():
        return None
    usual, even = float(np.nanmedian(likeliest)), 1 / known.shape[1]
    if usual > even + 0.1 * (1 - even):
        return None
    return Alert(
        "warning",
        f"The likeliest of {known.shape[1]} classes has a probability of {percent(usual)} in the median, "
        f"where a model that knows nothing gives {percent(even)}.",
        "Look whether rate, unit and channels are those of the training, and whether outputs are logits "
        "(probabilities=False, --no-probabilities) or probabilities (probabilities=True, --probabilities).",
    )


def _norms(variable: xr.DataArray) -> Array:
    """L1 norms by sample of what there is; infinite where nothing is known."""
    parts = []
    for own in blocks(variable):
        sizes = np.abs(own.values).reshape(own.sizes["sample"], -1)
        known = ~np.isnan(sizes).all(axis=1)
        parts.append(np.where(known, np.nansum(sizes, axis=1, dtype=np.float64), np.inf))
    return np.concatenate(parts)
