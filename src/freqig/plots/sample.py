"""One decision on one page: the signal, the part that drove it, its spectrum, and the attributions."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ..resynthesis import resynthesize
from ..signals.units import factor
from ._axes import axes_for
from ._bars import bar_borders, draw_bars, edges_in_view, explain_signs, finish_bars, hide_upper_labels
from ._labels import fit_label, fitted, label_frequency, scaled
from ._limits import frequency_scale, set_scale
from ._map import total_over
from ._markers import read_markers
from ._options import documented
from ._select import one_channel
from ._signal import draw_signal
from ._style import PLACEHOLDER, settle, size_in_points, units_of
from ._title import leave_room, number, write_head
from ._view import View, look_at

WHOLE, KEPT = "0.72", "0.1"
"""Greys of the whole spectrum, and of the part of it."""


@documented
def sample(
    result: xr.Dataset,
    sample: int = 0,
    *,
    keep: Any = 0.9,
    explainer: Any = None,
    baseline: Any = None,
    channel: Hashable | None = None,
    bands: Any = None,
    max_frequency: float | int | None = None,
    markers: Any = None,
    harmonics: int = 1,
    scale: str | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    axes: Any = None,
) -> tuple[Axes, Axes, Axes, Axes]:
    """Draw a signal, the part of it that drove the decision, its spectrum, and the attributions.

    The part is what `freqig.resynthesize` keeps, on the scale of the signal. The spectrum has the
    amplitudes of the signal, root mean squares over channels where there are several, and darker those
    of the part. Attributions are sums over channels.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with variables ``rfft`` and ``signal``.
    {sample}
    keep : float, bands or xarray.DataArray of bool, default 0.9
        What makes up the part, as `freqig.resynthesize` takes it: by default the fewest frequencies
        that hold 90 % of the positive attribution.
    explainer : Explainer, optional
        What made the result; then the output at the part is told too.
    baseline : Baseline or array-like, optional
        Start of the path; needed where it was values.
    {channel or all}
    {bands}
    {max_frequency}
    {markers}
    {harmonics}
    {scale}
    {title}
    {vmax of bars}
    {robust bars}
    axes : sequence of four matplotlib.axes.Axes, optional
        Where to draw. Default new ones, below each other, of a new pyplot figure.

    Returns
    -------
    signal_axes, part_axes, spectrum_axes, attribution_axes : matplotlib.axes.Axes
        The four axes drawn on.

    Raises
    ------
    {type}
    ValueError
        If `result` lacks ``rfft`` over ``frequency``, or ``signal``, or holds several targets; if
        there is no such sample or channel, or no frequency up to `max_frequency`; if the part cannot be
        made, see `freqig.resynthesize`.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> t = np.arange(100) / 100
    >>> x = np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 20 * t)
    >>> heard = torch.nn.Linear(100, 1).double()
    >>> heard.weight.data[0] = torch.from_numpy(np.sin(2 * np.pi * 20 * t))
    >>> result = freqig.Explainer(heard, fs=100)(x[None], target=0)
    >>> axes = plots.sample(result, axes=Figure(layout="constrained").subplots(4))
    >>> axes[1].texts[0].get_text()
    'part with 90 % of the positive attribution, 1 of 51 coefficients'
    """
    view = look_at(result, sample, "rfft", ("frequency",), "freqig.RFFT()", channel)
    part = resynthesize(
        result, keep, sample=None if view.position is None else sample, explainer=explainer, baseline=baseline
    )
    series, kept = view.one["signal"], _like(part, view)
    chosen = frequency_scale(scale, "linear", "scale", view.one.frequency)
    frequency = view.one.frequency.values
    edges = edges_in_view(bands, view.one, view.one.frequency)
    lines = read_markers(markers, harmonics, float(frequency.max()))
    count = int(
        np.isfinite(result["rfft"].isel(sample=0) if "sample" in result.rfft.dims else result.rfft).sum()
    )
    view = view.up_to(
        "frequency", max_frequency, max((line.at for line in lines), default=0.0), scale=chosen[0]
    )
    values, summed = total_over(view.variable, ("frequency",))

    panels = axes_for(axes, 4, "panel: signal, part, spectrum and attributions", 8.0)
    above, driving, spectrum, below = panels
    draw_bars(below, values, bar_borders(view.one.frequency), *chosen)
    explain_signs(below)
    for panel in panels:
        panel.set_ylabel(PLACEHOLDER)
        panel.set_xlabel("time" if panel in (above, driving) else "frequency")
    told = _told(part, keep, count)
    # Before names of channels have made the panels narrower.
    leave_room(driving, len(fitted(told, 0.9 * size_in_points(driving)[0], size="small").splitlines()))
    leave_room(spectrum)
    above.set_title(PLACEHOLDER, loc="left")
    settle(above)
    draw_signal(above, series)
    draw_signal(driving, kept, like=series)
    low, high = above.get_ylim()
    driving.set_ylim(low, high)
    write_head(driving, fitted(told, size_in_points(driving)[0], size="small"))
    write_head(spectrum, "amplitudes of the signal, and darker of the part")
    hide_upper_labels(above)
    _draw_amplitudes(spectrum, view, series, kept, frequency, chosen)
    label_frequency(below, below.xaxis, view.one.frequency, view.in_view)
    hide_upper_labels(spectrum)
    finish_bars(
        below, values, view.variable, further=[summed], vmax=vmax, robust=robust, bands=edges, markers=lines
    )
    view.head(above, title)
    return above, driving, spectrum, below


def _like(part: xr.DataArray, view: View) -> xr.DataArray:
    """A part as the signal of the view: one sample, and one channel where one is drawn."""
    signal = view.one["signal"]
    one = part.isel(sample=0)
    one = one.squeeze([dim for dim in one.dims if str(dim).startswith("size_one")], drop=True)
    if view.channel is not None and "channel" in one.dims:
        one = one_channel(one.to_dataset(name="signal"), view.channel)["signal"]
    units = signal.attrs.get("units")
    given = part.attrs.get("units")
    if units != given and float(np.abs(signal).max()) > 0:
        # The part has the unit of the input, the signal that of the model.
        one = one * (factor(str(given), str(units)) or 1.0)
    return one.transpose(*signal.dims).assign_attrs(signal.attrs)


def _told(part: xr.DataArray, keep: Any, count: int) -> list[str]:
    """What the part is, in pieces between which a line may end."""
    told = (
        [f"part with {100 * keep:g} % of the positive attribution,"] if isinstance(keep, float | int) else []
    )
    told.append(f"{'' if told else 'part with '}{int(part.kept_count[0])} of {count} coefficients")
    if "part_output" in part.coords:
        output, whole = (number(float(part[name][0])) for name in ("part_output", "whole_output"))
        told[-1] += ":"
        told.append(f"output {output} of {whole}")
    return told


def _draw_amplitudes(
    panel: Axes,
    view: View,
    series: xr.DataArray,
    kept: xr.DataArray,
    frequency: np.ndarray,
    chosen: tuple[str, str],
) -> None:
    """Amplitudes of sine waves, of the whole signal and of its part, root mean squares over channels."""
    n = series.sizes["time"]
    weights = np.full(n // 2 + 1, 2.0)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    shown = np.isin(frequency, view.one.frequency.values)
    borders = bar_borders(view.one.frequency)
    largest = 0.0
    for one, color in ((series, WHOLE), (kept, KEPT)):
        lines = one.transpose(..., "time").values.reshape(-1, n).astype(np.float64)
        # A series that ends before the longest of its result has no values there.
        amplitude = np.sqrt(np.mean((weights * np.abs(np.fft.rfft(np.nan_to_num(lines))) / n) ** 2, axis=0))[
            shown
        ]
        panel.stairs(amplitude, borders, fill=True, facecolor=color, edgecolor=color, linewidth=0.4)
        largest = max(largest, float(amplitude.max()))
    panel.set_ylim(0, 1.05 * largest or 1.0)
    set_scale(panel.xaxis, *chosen, borders)
    fit_label(panel, panel.yaxis, ["amplitude", scaled(panel.yaxis, largest, units_of(series))])
