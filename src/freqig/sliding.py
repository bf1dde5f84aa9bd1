"""Long signals, explained window by window, with maps that are added up."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr

from ._check import check_positive, shown
from ._keywords import says_what_is_meant
from .domains import RFFT
from .errors import FreqigWarning
from .explain.batch import Asked, explain_batch, may_be_axes
from .explain.explainer import Explainer
from .explain.fitting import refuse_axes
from .explain.reading import read_input
from .explain.samples import told_truth, with_known
from .objective.own_targets import as_array
from .signals import Signal, aligned_rows
from .signals.axes import Axes

WHOLE = 1e-6
"""By how much of a sample a window may miss a whole number of them."""

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
    count = len(windows.starts)
    known = replace(settings, fs=whole.fs)
    short = windows.cut(whole, settings.time_axis)
    try:
        if target is None:
            target = _predicted(explainer, known, short, baseline, count)
        else:
            target = _of_windows(aligned_rows(target, whole, "target"), len(whole.values), count)
        found = explain_batch(model, known, explainer._kept, short, Asked(target=target, baseline=baseline))
    except Exception as error:
        if may_be_axes(error, settings):
            # Windows of all signals are one batch, so that what would fit shows in the signals alone.
            first = whole.values[..., : windows.size].movedim(-1, settings.time_axis)
            refuse_axes(model, [first], None, settings.output_key, error, "signal")
        raise
    return _assembled(found, whole, windows, settings.classes)


@dataclass(frozen=True)
class Windows:
    """Where windows lie in a long signal.

    Parameters
    ----------
    starts : numpy.ndarray
        First value of each, int64.
    size, n : int
        Values in each, and in the signal.
    fs : float
        Sampling rate in Hz.
    """

    starts: np.ndarray
    size: int
    n: int
    fs: float

    @classmethod
    def of(cls, signal: Signal, window: float, hop: float | None) -> Windows:
        """Cut a signal.

        Raises
        ------
        ValueError
            If `window` and `hop` do not fit it.
        """
        if signal.fs is None or math.isinf(signal.fs_error):
            raise ValueError("fs must be known to cut windows of so many s: pass Explainer(model, fs=...)")
        n, fs = signal.values.shape[-1], signal.fs
        size = _whole(check_positive(window, "window"), fs, "window")
        step = max(size // 2, 1) if hop is None else _whole(check_positive(hop, "hop"), fs, "hop")
        if step > size:
            raise ValueError(
                f"hop must be at most the window, {window:g} s, or times are left out, got {hop:g} s"
            )
        if n < size:
            longest = max(signal.values.shape[1:])
            last = ": time must be its last axis, or that of time_axis=" if longest >= size else ""
            raise ValueError(f"signal must be as long as a window, {window:g} s, got {n / fs:.4g} s{last}")
        starts = list(range(0, n - size + 1, step))
        if starts[-1] + size < n:
            starts.append(n - size)
        return cls(np.array(starts, dtype=np.int64), size, n, fs)

    @property
    def weights(self) -> np.ndarray:
        """Weight of each window: the mean of 1 / (windows at this time) over its times; n / size in all.

        Examples
        --------
        >>> Windows(np.array([0, 2, 4]), 4, 8, 1.0).weights.tolist()
        [0.75, 0.5, 0.75]
        """
        share = self.spread(np.ones(len(self.starts)))
        return np.array([(1 / share[start : start + self.size]).mean() for start in self.starts])

    def cut(self, signal: Signal, time_axis: int) -> Any:
        """Windows of all signals, those of one signal behind each other, as an Explainer takes them."""
        values = signal.values.unfold(-1, self.size, 1)[..., torch.from_numpy(self.starts), :].movedim(-2, 1)
        values = values.reshape(-1, *values.shape[2:])
        if signal.dims is None:
            return values.movedim(-1, time_axis)
        coords = {} if signal.channels is None else {"channel": list(signal.channels)}
        attrs = {"fs": self.fs} | ({} if signal.unit is None else {"units": signal.unit})
        dims = ("sample", *signal.dims[1:-1], "time")
        return xr.DataArray(values.numpy(), coords, dims, attrs=attrs)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Sums over windows at each time, of values over (window, ...) or (window, ..., time in it)."""
        by_time = values.ndim > 1
        total = np.zeros((*values.shape[1:-1], self.n))
        for start, one in zip(self.starts, values, strict=True):
            total[..., start : start + self.size] += one if by_time else float(one)
        return total


def _whole(seconds: float, fs: float, name: str) -> int:
    values = seconds * fs
    if round(values) < 1 or abs(values - round(values)) > WHOLE * max(1.0, values):
        raise ValueError(
            f"{name} must be a whole number of samples, at least one, got {seconds:g} s, which is {values:g} "
            f"at {fs:g} Hz"
        )
    return round(values)


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
        classes = ", ".join(map(str, np.unique(predicted[differ[0]])))
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
        shaped = weights.reshape(-1, *[1] * len(rest))
        kind = attrs.get("kind")
        if kind == "attribution" and "time" in rest:
            weighted = np.moveaxis(values * shaped, rest.index("time") + 2, -1)
            dims = ("sample", *(dim for dim in rest if dim != "time"), "time")
            variables[name] = dims, np.stack([windows.spread(one) for one in weighted]), attrs
        elif kind == "attribution":
            weighted = values * shaped
            variables[name] = ("sample", *rest), weighted.sum(1), attrs
            variables[f"{name}_by_window"] = ("sample", "window", *rest), weighted, attrs
        else:
            variables[f"window_{name}"] = ("sample", "window", *rest), values, attrs
            summed = _of_all(name, values, shaped)
            if summed is not None:
                variables[name] = ("sample", *rest), summed, attrs
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
