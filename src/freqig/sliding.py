"""Long signals, explained window by window, with maps that are added up."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from ._check import shown
from ._keywords import says_what_is_meant
from .domains import RFFT
from .errors import FreqigWarning
from .explain.batch import Asked, explain_batch, may_be_axes
from .explain.explainer import Explainer
from .explain.fitting import refuse_axes
from .explain.reading import read_input
from .explain.samples import told_truth, with_known
from .groupings import class_names, in_order
from .objective.own_targets import as_array
from .rows import windows_at
from .signals import Signal, aligned_rows
from .signals.axes import Axes
from .windows import Windows

PLURALS = {
    "logit": "logits",
    "log_prob": "log probabilities",
    "probability": "probabilities",
    "margin": "margins",
    "output": "outputs",
}
"""Units of outputs, several of them."""

SUMS = ("output", "baseline_output", "completeness_gap", "correction")
"""Endings of the variables that add up as attributions do."""


@says_what_is_meant
def slide(
    explainer: Explainer,
    signal: Any,
    *,
    window: float,
    hop: float | None = None,
    target: Any = None,
    baseline: Any = None,
    truth: Any = None,
    names: Any = None,
    channels: Sequence[str] | None = None,
    resample: float | None = None,
    annotations: Any = None,
) -> xr.Dataset:
    """Explain a long signal by a model of short windows, and add the maps up.

    Each window is explained by itself. Its attributions are multiplied by its weight v, the mean of 1 /
    (windows at this time) over its own times, so that overlaps do not count twice: Σ attribution = Σ v ΔF, ΔF
    being F(x) - F(x') of a window, with the gaps and corrections that every result has.

    Parameters
    ----------
    explainer : Explainer
        Model and settings.
    signal : array-like, xarray.DataArray, MNE Raw, or path of a file
        Long signals as the Explainer takes short ones, batch first, shape (N, ..., n); its sampling rate must
        be known.
    window : float
        Length in s of the windows that the model takes.
    hop : float, optional
        From one window to the next, in s; half a window by default. A last window that ends where the
        signal does covers the rest.
    target : int, str, tuple, sequence, "all" or None
        As for the Explainer; a sequence has one entry per signal. None: the predicted class, which must be
        the same in all windows of a signal.
    baseline : Baseline or array-like, optional
        As for the Explainer; values are those of a window.
    truth, names : sequence, optional
        As for the Explainer, one per signal.
    channels, resample, annotations : optional
        As for the Explainer.

    Returns
    -------
    xarray.Dataset
        A result as the Explainer returns it, of sums over windows: of `Time()` placed where each window was,
        of all others over their own coordinates. `output`, `baseline_output`, `completeness_gap` and
        `correction` are the sums of v times those of the windows. Beside it, over ``window`` (its onset in
        s): the attributions of each, weighted, as NAME_by_window; `window_weight`, v; `window_difference`,
        ΔF; and what else is known of each, such as `window_output`, `window_predicted` and
        `window_converged`.

    Raises
    ------
    ValueError
        If the signal is shorter than a window, `hop` not above 0 or longer than the window, the rate not
        known; if values are NaN; if predictions differ and no target is given.

    Examples
    --------
    >>> import numpy as np, freqig
    >>> x = np.random.default_rng(0).normal(size=(1, 1000))
    >>> energy = lambda x: x.square().mean(-1)
    >>> result = freqig.slide(freqig.Explainer(energy, fs=100), x, window=1.0, hop=0.5)
    >>> result.rfft.dims, result.rfft_by_window.sizes["window"]
    (('sample', 'frequency'), 19)
    >>> weighted = (result.window_weight * result.window_difference).sum()
    >>> bool(np.isclose(result.rfft.sum(), weighted, rtol=1e-3))
    True
    """
    if not isinstance(explainer, Explainer):
        raise TypeError(f"explainer must be a freqig.Explainer, got {shown(explainer)}")
    model, settings = explainer.model, explainer.settings
    reading = {"channels": channels, "resample": resample, "annotations": annotations}
    whole = read_input(signal, replace(model.hints, window=None), settings, reading, "signal")
    whole = with_known(whole, truth, names)
    windows = Windows.of(whole, window, hop)
    count, begin = len(windows.starts), Axes.of(whole).start
    known = replace(settings, fs=whole.fs)
    short = windows.cut(whole, settings.time_axis)
    try:
        if target is None:
            target = _predicted(explainer, known, short, baseline, count)
        else:
            target = _of_windows(aligned_rows(target, whole, "target"), len(whole.values), count)
        with windows_at((begin + windows.starts / windows.fs).tolist(), len(whole.values)):
            asked = Asked(target=target, baseline=baseline)
            found = explain_batch(model, known, explainer._kept, short, asked)
    except Exception as error:
        if may_be_axes(error, settings):
            # Windows of all signals are one batch, so that what would fit shows in the signals alone.
            first = settings.arranged(whole.values[..., : windows.size])
            layout = settings.layout_of(whole)
            refuse_axes(model, [first], None, settings.output_key, error, "signal", layout=layout)
        raise
    return _assembled(found, whole, windows, settings.classes)


def _predicted(explainer: Explainer, settings: Any, short: Any, baseline: Any, count: int) -> Any:
    """The predicted class of every window, which must be one for each signal; None where there is none."""
    quick = replace(settings, n_steps=1, domains=(RFFT(),), engine="path", progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FreqigWarning)
        kept = explainer._kept
        found = explain_batch(explainer.model, quick, kept, short, Asked(baseline=baseline))
    if "predicted" not in found.coords:
        return None
    predicted = found["predicted"].values.reshape(-1, count)
    differ = np.flatnonzero((predicted != predicted[:, :1]).any(axis=1))
    if len(differ):
        classes = ", ".join(map(str, in_order(predicted[differ[0]].tolist(), class_names(found))))
        raise ValueError(
            f"target must be given where windows of a signal are predicted to be of several classes, got "
            f'{classes} in signal {differ[0]}: pass one of them, or target="all"'
        )
    return found["predicted"].values.tolist()


def _of_windows(target: Any, n_signals: int, count: int) -> Any:
    """A target that windows share, or that of its signal for every window."""
    if isinstance(target, (str, tuple)):
        return target
    array = as_array(target)
    if array.ndim == 0:
        return target
    if len(array) != n_signals:
        raise ValueError(f"target must be one per signal, so {n_signals} of them, got {len(array)}")
    return np.repeat(array, count, axis=0)


def _assembled(
    found: xr.Dataset, whole: Signal, windows: Windows, classes: tuple[str, ...] | None
) -> xr.Dataset:
    count, weights = len(windows.starts), windows.weights
    variables: dict[str, Any] = {}
    for name, variable in map(_named, found.data_vars.items()):
        if "sample" not in variable.dims or name == "signal" or name.startswith("jump_"):
            continue
        values = variable.values.reshape(-1, count, *variable.shape[1:])
        rest, attrs = variable.dims[1:], dict(variable.attrs)
        total = _summed(attrs) if count > 1 else attrs
        shaped = weights.reshape(-1, *[1] * len(rest))
        kind = attrs.get("kind")
        if kind == "attribution" and "time" in rest:
            weighted = np.moveaxis(values * shaped, rest.index("time") + 2, -1)
            dims = ("sample", *(dim for dim in rest if dim != "time"), "time")
            variables[name] = dims, np.stack([windows.spread(one) for one in weighted]), total
        elif kind == "attribution":
            weighted = values * shaped
            variables[name] = ("sample", *rest), weighted.sum(1), total
            variables[f"{name}_by_window"] = ("sample", "window", *rest), weighted, attrs
        else:
            variables[f"window_{name}"] = ("sample", "window", *rest), values, attrs
            summed = _of_all(name, values, shaped)
            if summed is not None:
                variables[name] = ("sample", *rest), summed, total if name.endswith(SUMS) else attrs
    variables["window_weight"] = "window", weights, {"long_name": "what attributions were multiplied by"}
    difference = variables["window_output"][1] - variables["window_baseline_output"][1]
    variables["window_difference"] = variables["window_output"][0], difference, {"long_name": "F(x) - F(x')"}
    axes = Axes.of(whole)
    signal = whole.values.reshape(len(whole.values), *axes.sizes, axes.n).numpy()
    variables["signal"] = ("sample", *axes.dims, "time"), signal, axes.about_signal()
    coords: dict[Any, Any] = {
        **{name: c for name, c in found.coords.items() if "sample" not in c.dims and name != "time"},
        **{k: v for k, v in axes.coords().items() if k == "time" or k == "channel"},
        **{k: ("sample", v) for k, v in told_truth(whole.coords, classes).items()},
        "window": (
            "window",
            axes.start + windows.starts / windows.fs,
            {"units": "s", "long_name": "onset of the window"},
        ),
    }
    for name in ("predicted", "target"):
        if name in found.coords and found[name].dims == ("sample",):
            values = found[name].values.reshape(-1, count)
            coords[f"window_{name}"] = ("sample", "window"), values
            if (values == values[:, :1]).all():
                coords[name] = "sample", values[:, 0]
    settings = json.loads(found.attrs["settings"])
    settings["slide"] = {"window": windows.size / windows.fs, "windows": count}
    attrs = {**found.attrs, "settings": json.dumps(settings, sort_keys=True)}
    return xr.Dataset(variables, coords, attrs)


def _summed(attrs: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a weighted sum over windows, which is no output of the model."""
    unit = attrs.get("units")
    return attrs if unit is None else {**attrs, "units": f"weighted sum of {PLURALS.get(unit, unit)}"}


def _named(item: tuple[Any, xr.DataArray]) -> tuple[str, xr.DataArray]:
    return str(item[0]), item[1]


def _of_all(name: str, values: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
    """What holds of a signal, from what holds of its windows, shape (signal, window, ...)."""
    if name.endswith(SUMS):
        return np.asarray((values * weights).sum(1))
    if name.endswith("converged"):
        return np.asarray(values.all(1))
    if name.endswith("n_evaluations"):
        return np.asarray(values.sum(1))
    if name == "estimated_error":
        return np.asarray(values.max(1))
    if name == "status":
        # The first status is that of convergence.
        return np.asarray(np.take_along_axis(values, (values > 0).argmax(1)[:, None], 1)[:, 0])
    return None
