"""Heads: the attribution of each band over the electrodes, all on one scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from ..exports.electrodes import find_mne, info_of, names_of, without_place
from ._axes import axes_for
from ._labels import fit_label, scaled
from ._map import hatch_bar, hatch_negative, total_over
from ._names import shortened
from ._options import documented
from ._select import check_variable, over_bands
from ._style import (
    PLACEHOLDER,
    SIGNED_COLORMAP,
    SignedNorm,
    root_of,
    settle,
    signed_norm,
    size_in_points,
    units_of,
)
from ._view import View, look_at

HEAD, BESIDE = 2.1, 1.2
"""Inches of a head in a new figure, and of the colour bar beside all of them."""
WIDE = 110.0
"""Points from which on a head has lines of full width."""
CONTOURS = np.array([-0.75, -0.5, -0.25, 0.25, 0.5, 0.75])
"""Shares of the colour limit at which there are lines."""


@documented
def topomap(
    result: xr.Dataset,
    sample: int = 0,
    *,
    bands: Any = "eeg",
    name: str = "rfft",
    info: Any = None,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    axes: Any = None,
) -> tuple[Axes, ...]:
    """Draw the attributions of each band over the head, one head per band.

    Colours are those of `freqig.plots.spectrogram`, on one scale for all heads, so that bands can be
    compared; interpolation between electrodes, marked by dots, is MNE's. For a mean over samples pass
    ``result.mean("sample", keep_attrs=True)``, for a class
    ``result.groupby("target").mean(keep_attrs=True)``.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, with a variable over channel and frequency, or
        what `freqig.bands` makes of it.
    {sample}
    bands : str or mapping of str to (float, float), default "eeg"
        As `freqig.bands` takes them; not looked at where bands were summed before. What lies outside
        all of them has no head.
    name : str, default "rfft"
        Variable to draw, named as its domain is.
    info : mne.Info, optional
        Positions of the electrodes. Default those of the 10-05 system, by the names of the channels.
    {title}
    {vmax of colours}
    {robust}
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw, one per band. Default new ones of a new pyplot figure.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        The axes drawn on, one per band. The colour bar has axes of its own in the same figure.

    Raises
    ------
    ImportError
        If MNE is not installed.
    {type}
    ValueError
        If `result` lacks the variable, its channels or the sample, or holds several targets; if
        positions of electrodes are not known; if `bands` are wrong.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> values = np.ones((4, 33)) * np.arange(4.0)[:, None]
    >>> result = xr.Dataset(
    ...     {"rfft": (("channel", "frequency"), values, {"kind": "attribution"})},
    ...     coords={
    ...         "frequency": ("frequency", np.arange(33.0), {"units": "Hz"}),
    ...         "channel": ["Fz", "C3", "C4", "Oz"],
    ...     },
    ... )
    >>> heads = plots.topomap(result, axes=Figure(layout="constrained").subplots(1, 5))
    >>> [axes.texts[0].get_text().splitlines()[0] for axes in heads]
    ['delta', 'theta', 'alpha', 'beta', 'gamma']
    """
    mne = find_mne("topomap")
    check_variable(result, name, (), "freqig.RFFT()")
    if "channel" not in result[name].dims:
        raise ValueError(
            f"result.{name} must be over channels to be drawn on a head, got the dimensions "
            f"{', '.join(map(repr, result[name].dims))}"
        )
    if result.sizes["channel"] < 2:
        raise ValueError(f"result.{name} must be over at least 2 channels to be drawn on a head, got 1")
    result = over_bands(result, name, bands)
    view = look_at(result, sample, name, ("band", "channel"), "freqig.RFFT()")
    places = _places(mne, view.variable, info)
    kept = [str(band) for band in view.one[view.dims[0]].values if str(band) != "rest"]
    values, summed = total_over(view.variable.sel({view.dims[0]: kept}), view.dims)
    norm = signed_norm(values, vmax, robust)

    height, width = 2.9 if len(kept) <= 5 else 5.4, min(8.0, BESIDE + HEAD * len(kept))
    panels = axes_for(axes, len(kept), "band", height, columns=5, width=width)
    for panel, row, band in zip(panels, values, kept, strict=True):
        # Before it is square, a panel is as wide as its share of the figure.
        name = shortened(band, 1.2 * size_in_points(panel)[0], "small")
        mne.viz.plot_topomap(
            row,
            places,
            axes=panel,
            cmap=SIGNED_COLORMAP,
            cnorm=norm,
            # Solid where positive and dashed where negative, which colours do not tell in grey.
            contours=norm.limit * CONTOURS,
            sensors=True,
            show=False,
        )
        _hatch(panel, norm)
        panel.annotate(
            "\n".join([name, *_edges(view.one, view.dims[0], band)]),
            (0.5, 0),
            xycoords="axes fraction",
            xytext=(0, -3),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize="small",
        )
    _finish(panels, view, norm, summed, title)
    return tuple(panels)


def _places(mne: Any, variable: xr.DataArray, info: Any) -> Any:
    """An Info with a position for every channel."""
    if info is None:
        _refuse_lost(without_place(mne, names_of(variable)[0]))
    made = info_of(mne, variable, 1.0, info, spectra=True)
    placed = made.get_montage()
    known = {} if placed is None else placed.get_positions()["ch_pos"]
    found = {channel for channel, place in known.items() if np.isfinite(place).all()}
    _refuse_lost([channel for channel in made["ch_names"] if channel not in found])
    return made


def _refuse_lost(lost: list[str]) -> None:
    if lost:
        raise ValueError(
            f"channels must have positions on the head, got none for {', '.join(lost[:8])}"
            f"{' and more' if len(lost) > 8 else ''}: pass info=raw.info of the recording "
            "with a montage, leave them out, or name channels as the 10-05 system does, "
            "result.assign_coords(channel=[...])"
        )


def _edges(one: xr.Dataset, dim: str, band: str) -> list[str]:
    low, high = one.coords.get(f"{dim}_low"), one.coords.get(f"{dim}_high")
    if low is None or high is None:
        return []
    place = list(map(str, one[dim].values)).index(band)
    return [f"{float(low[place]):g}–{float(high[place]):g} Hz"]


def _hatch(panel: Axes, norm: SignedNorm) -> None:
    """Hatch what is negative on a head, within its outline."""
    (image,) = panel.images
    grid: Any = image.get_array()
    left, right, bottom, top = image.get_extent()
    x, y = np.linspace(left, right, grid.shape[1] + 1), np.linspace(bottom, top, grid.shape[0] + 1)
    for patch in hatch_negative(panel, x, y, grid, norm):
        patch.set_clip_path(image.get_clip_path())


def _thin(panel: Axes) -> None:
    """Draw electrodes and contours of a small head in thin lines, which would cover its colours."""
    share = min(1.0, size_in_points(panel)[0] / WIDE)
    drawn: list[Any] = [*panel.lines, *panel.collections]
    for artist in drawn:
        artist.set_linewidth(share * np.asarray(artist.get_linewidth()))


def _finish(panels: list[Axes], view: View, norm: SignedNorm, summed: str, title: str | None) -> None:
    """One colour bar for all heads, and the title above them."""
    figure = root_of(panels[0])
    bar = figure.colorbar(
        ScalarMappable(norm, SIGNED_COLORMAP),
        ax=panels,
        pad=0.02,
        aspect=20,
        shrink=0.8,
        extend="both" if norm.beyond else "neither",
    )
    units = scaled(bar.ax.yaxis, norm.limit, units_of(view.variable))
    bar.ax.tick_params(labelsize="small")
    hatch_bar(bar.ax, norm)
    bar.set_label(PLACEHOLDER)
    # Heads are square, and so the smaller, the higher what stands above them: three lines at most.
    panels[0].set_title("\n".join([PLACEHOLDER] * 3), loc="left")
    settle(panels[0])
    for panel in panels:
        _thin(panel)
    last = max(float(panel.get_window_extent().x1) for panel in panels)
    beside = (last - float(panels[0].get_window_extent().x1)) * 72 / figure.dpi
    view.head(panels[0], title, beside=beside)
    fit_label(bar.ax, bar.ax.yaxis, ["attribution", units], [summed])
