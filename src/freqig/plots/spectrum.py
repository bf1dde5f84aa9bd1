"""One explained series: the signal above, what each of its frequencies contributed below."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from freqig._check import check_positive
from freqig.bands import named_bands
from freqig.plots._select import one_channel, one_sample
from freqig.plots._signal import draw_signal
from freqig.plots._style import (
    NEGATIVE,
    NEGATIVE_EDGE,
    POSITIVE,
    POSITIVE_EDGE,
    SMALL,
    label_with_units,
    shade_bands,
    size_in_points,
)


def spectrum(
    result: xr.Dataset,
    sample: int = 0,
    *,
    channel: Hashable | None = None,
    bands: Any = None,
    max_frequency: float | int | None = None,
    axes: Any = None,
) -> tuple[Axes, Axes]:
    """Draw a series and the attributions of its frequencies.

    Attributions that raise the explained output point up and are dark red, those that lower it
    point down and are light blue. Each bar is as wide as the spacing of the frequencies. The title
    has the target, the output at the series and at the baseline, and the completeness gap.

    With several channels the bars are sums over channels, which still add up to the difference of
    the outputs; channels of opposite sign cancel in them, and `channel` shows one alone. The
    signals are drawn above each other on one scale, whose step is in the label.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with variables ``rfft`` and ``signal``.
    sample : int, default 0
        Position of the sample; negative positions count from the end.
    channel : hashable, optional
        Name of the one channel to draw, or its position where names are not integers. Default all.
    bands : {"sleep", "eeg"} or mapping of str to (float, float), optional
        Bands to shade and name, as for `freqig.bands`; needs frequencies in Hz. A name that would
        run into its neighbour is left out; lower `max_frequency` to make room. Default none.
    max_frequency : float, optional
        End of the frequency axis, in its units (Hz, or cycles per sample). Default the last one.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw the signal and the spectrum. Default two new ones, one above the other, of a
        new pyplot figure.

    Returns
    -------
    signal_axes, spectrum_axes : matplotlib.axes.Axes
        The two axes drawn on.

    Raises
    ------
    TypeError
        If `result`, `sample`, `max_frequency` or `axes` are of another type.
    ValueError
        If `result` lacks ``rfft`` over ``frequency``, or ``signal``, or holds several targets; if
        there is no such sample or channel, or no frequency up to `max_frequency`; if `bands` are
        wrong (see `freqig.bands`) or the frequencies are not in Hz.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> result = xr.Dataset(
    ...     {
    ...         "signal": (("sample", "time"), np.sin(np.arange(64.0))[None]),
    ...         "rfft": (("sample", "frequency"), np.eye(1, 33, 10)),
    ...     },
    ...     coords={
    ...         "time": ("time", np.arange(64) / 64, {"units": "s"}),
    ...         "frequency": ("frequency", np.arange(33.0), {"units": "Hz"}),
    ...     },
    ... )
    >>> axes = Figure(figsize=(8, 5), layout="constrained").subplots(2)
    >>> above, below = plots.spectrum(result, bands="eeg", max_frequency=30, axes=axes)
    >>> below.get_xlabel()
    'frequency (Hz)'
    """
    one = one_sample(result, sample)
    edges = None if bands is None else named_bands(bands)
    if edges is not None and one.frequency.attrs.get("units") != "Hz":
        raise ValueError(
            f"bands are in Hz, so result.frequency must have attrs['units'] 'Hz', got "
            f"{one.frequency.attrs.get('units')!r}; pass the sampling rate, "
            "freqig.Explainer(model, fs=...), or leave bands out"
        )
    one = one if channel is None else one_channel(one, channel)
    one = _up_to(one, max_frequency)
    above, below = _new_axes(one) if axes is None else _given_axes(axes)
    draw_signal(above, one.signal)
    above.set_title(_title(one, _position(result, sample), channel), loc="left", fontsize="medium")
    _draw_attributions(below, one.rfft, edges)
    return above, below


def _up_to(one: xr.Dataset, max_frequency: float | int | None) -> xr.Dataset:
    if max_frequency is None:
        return one
    limit = check_positive(max_frequency, "max_frequency", zero_allowed=True)
    # With the slack that bands allow for the rounding of k * fs / n.
    shown = one.frequency.values <= limit * (1 + 1e-9)
    if not shown.any():
        raise ValueError(
            f"max_frequency must be at least {float(one.frequency.min()):g}, the lowest frequency "
            f"of the result, got {max_frequency}"
        )
    return one.isel(frequency=shown)


def _new_axes(one: xr.Dataset) -> tuple[Axes, Axes]:
    # Only here does a figure need pyplot, which looks for a display and keeps the figure.
    from matplotlib import pyplot as plt

    several = one.signal.size > one.signal.sizes["time"]
    _, (above, below) = plt.subplots(
        2,
        figsize=(8, 6 if several else 5),
        height_ratios=(1.4 if several else 1, 1.8),
        layout="constrained",
    )
    return above, below


def _given_axes(axes: Any) -> tuple[Axes, Axes]:
    pair = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(pair) != 2 or not all(isinstance(one, Axes) for one in pair):
        raise TypeError(
            "axes must be two matplotlib Axes, for the signal and for the spectrum, got "
            f"{', '.join(type(one).__name__ for one in pair)}; for example Figure().subplots(2)"
        )
    return pair[0], pair[1]


def _draw_attributions(
    axes: Axes, attribution: xr.DataArray, edges: Mapping[str, tuple[float, float]] | None
) -> None:
    frequency = attribution.frequency.values.astype(np.float64)
    others = [dim for dim in attribution.dims if dim != "frequency"]
    values = attribution.sum(others, skipna=False, dtype=np.float64).values
    # One frequency alone has no spacing, and nothing beside it to show a width.
    spacing = float(np.diff(frequency).min()) if frequency.size > 1 else 1.0
    borders = np.append(frequency - spacing / 2, frequency[-1] + spacing / 2)
    # One patch a sign, whatever the number of frequencies; the outline keeps a bar that is
    # narrower than a pixel from fading out.
    for part, face, edge, label in (
        (np.maximum(values, 0), POSITIVE, POSITIVE_EDGE, "raises the output"),
        (np.minimum(values, 0), NEGATIVE, NEGATIVE_EDGE, "lowers the output"),
    ):
        if part.any():
            axes.stairs(part, borders, fill=True, facecolor=face, edgecolor=edge, linewidth=0.8, label=label)
    axes.axhline(0, color="0.3", linewidth=0.6)
    axes.set_xlim(borders[0], borders[-1])
    if frequency.size < 4:
        # The axes begin half a bar before the first frequency, and no tick may be negative.
        axes.set_xticks(frequency)
    axes.set_xlabel(label_with_units("frequency", attribution.frequency))
    quantity = label_with_units("attribution", attribution)
    summed = int(np.prod([attribution.sizes[dim] for dim in others], dtype=np.int64))
    axes.set_ylabel(f"{quantity}\nsum of {summed} channels" if summed > 1 else quantity)
    _make_room(axes, values, edges)


def _make_room(axes: Axes, values: np.ndarray, edges: Mapping[str, tuple[float, float]] | None) -> None:
    """Set vertical limits that leave the legend and the names of bands free of bars."""
    taken = 0.0
    if values.any():
        axes.legend(
            loc="upper right",
            ncols=2,
            frameon=False,
            fontsize=SMALL,
            borderpad=0,
            borderaxespad=0.5,
        )
        taken += 2 * SMALL / size_in_points(axes)[1]
    if edges is not None:
        taken += shade_bands(axes, edges, top=1 - taken - 0.01)
    low, high = float(np.min(values, initial=0.0)), float(np.max(values, initial=0.0))
    if not np.isfinite(high - low) or high == low:
        low, high = -1.0, 1.0
    margin = 0.05 * (high - low)
    bottom = low - margin
    # Never less than a third for the bars, however flat the axes are.
    axes.set_ylim(bottom, bottom + (high + margin - bottom) / max(1 - taken, 1 / 3))


def _position(result: xr.Dataset, sample: int) -> int | None:
    return sample % result.sizes["sample"] if "sample" in result.dims else None


def _title(one: xr.Dataset, sample: int | None, channel: Hashable | None) -> str:
    def value(name: str) -> str | None:
        # The target is a coordinate where one of several targets was selected.
        found = one.get(name)
        if found is None:
            return None
        entry = found.values.tolist()
        return f"{entry:.4g}" if isinstance(entry, float) else str(entry)

    # Averages and other derived results lack some of these, and the title says what there is.
    what = [] if sample is None else [f"sample {sample}"]
    if channel is not None:
        what.append(f"channel {channel}")
    if (target := value("target")) is not None:
        what.append(f"target {target}")
    if (predicted := value("predicted")) is not None and predicted != target:
        what.append(f"predicted {predicted}")
    sums = []
    if (output := value("output")) is not None:
        units = one.output.attrs.get("units", one.rfft.attrs.get("units", "output"))
        sums.append(f"{units} {output}")
        if (baseline := value("baseline_output")) is not None:
            sums[-1] += f" (baseline {baseline})"
    if (gap := value("completeness_gap")) is not None:
        converged = one.data_vars.get("converged")
        late = converged is not None and not bool(converged)
        sums.append(f"completeness gap {gap}{', not converged' if late else ''}")
    return "\n".join(", ".join(line) for line in (what, sums) if line)
