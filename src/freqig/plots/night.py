"""A whole night: stages true and predicted, how sure the model was, the signal, and what drove it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from ..result.reading import rate_of
from ._axes import axes_for
from ._epochs import epochs_of, on_grid, power_of, probabilities_of, time_borders
from ._groups import Decisions
from ._labels import fit_label, scaled
from ._limits import check_limit
from ._map import draw_grid, hatch_bar, total_over
from ._names import fit_names, name_rows, short_names
from ._options import documented
from ._select import one_channel
from ._stages import from_the_top, stages_of
from ._style import PLACEHOLDER, SIGNED_COLORMAP, root_of, settle, signed_norm, units_of
from ._title import draw_title, named_channel


@documented
def night(
    result: xr.Dataset,
    *,
    hypnogram: Any = None,
    bands: Any = "sleep",
    name: str = "rfft",
    channel: Hashable | None = None,
    order: Sequence[str] | None = None,
    max_frequency: float | int = 30.0,
    title: str | None = None,
    vmax: float | int | None = None,
    robust: bool = False,
    axes: Any = None,
) -> tuple[Axes, Axes, Axes, Axes]:
    """Draw a night: hypnogram, hypnodensity, spectrogram of the signal, and attributions of bands over time.

    Samples are the epochs of one recording. The hypnogram has the true stages, and darker on top of them
    the predicted ones; the hypnodensity the probabilities of all classes, stacked, from the outputs of
    the model; the spectrogram the power of the signal, mean over channels; the last panel what each band
    contributed to the class that was explained, red where it raised the output, blue and hatched where it
    lowered it. Gaps of the recording are blank.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation of many samples, as `freqig.Explainer` returns it with `classes`, so that it has
        ``outputs``; with ``signal``, and the coordinate ``onset`` in s where epochs do not follow each
        other.
    hypnogram : yasa.Hypnogram, pandas.Series or sequence, optional
        True stages: names, or positions in the classes, one per sample; a Hypnogram may have epochs of
        another length. Stages that are none of the classes are left blank. Default: the coordinate
        ``truth``.
    bands : str or mapping of str to (float, float), default "sleep"
        As `freqig.bands` takes them; not looked at where bands were summed before.
    name : str, default "rfft"
        Variable of attributions to draw, named as its domain is.
    {channel or sum}
    order : sequence of str, optional
        Classes from the top of the hypnogram down. Default W, R, N1, N2, N3 where these are the classes,
        else their own order.
    max_frequency : float, default 30
        End of the frequency axis of the spectrogram, in Hz.
    {title}
    {vmax of colours}
    {robust}
    axes : sequence of four matplotlib.axes.Axes, optional
        Where to draw. Default new ones, below each other, of a new pyplot figure.

    Returns
    -------
    hypnogram_axes, hypnodensity_axes, spectrogram_axes, attribution_axes : matplotlib.axes.Axes
        The four axes drawn on.

    Raises
    ------
    {type}
    ValueError
        If `result` lacks the variable, ``outputs``, ``signal``, ``predicted``, or the true stages, and
        there is no `hypnogram`; if samples are of several files, or two begin at once; if stages are not
        one per sample.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig import plots
    >>> rng = np.random.default_rng(0)
    >>> stages = ("sample", ["W", "W", "N2", "N2", "N2", "N2"])
    >>> result = xr.Dataset(
    ...     {
    ...         "rfft": (("sample", "frequency"), rng.normal(size=(6, 151)), {"kind": "attribution"}),
    ...         "signal": (("sample", "time"), rng.normal(size=(6, 300))),
    ...         "outputs": (("sample", "class"), rng.normal(size=(6, 2))),
    ...     },
    ...     coords={
    ...         "frequency": ("frequency", np.arange(151) / 30, {"units": "Hz"}),
    ...         "time": ("time", np.arange(300) / 10, {"units": "s"}),
    ...         "class": ["N2", "W"],
    ...         "target": stages,
    ...         "predicted": stages,
    ...     },
    ... )
    >>> four = Figure(figsize=(8, 8), layout="constrained").subplots(4)
    >>> above, *_ = plots.night(result, hypnogram=["W", "W", "N2", "N2", "N2", "ART"], axes=four)
    >>> [label.get_text() for label in above.get_yticklabels()]
    ['W', 'N2']
    """
    found, dim = Decisions.by_band(result, name, bands, channel)
    _check_inputs(result, hypnogram)
    top = check_limit(max_frequency)
    begins, step = epochs_of(result)
    columns = np.round((begins - begins.min()) / step).astype(int)
    if len(set(columns.tolist())) < columns.size:
        raise ValueError(
            "samples must begin at times of their own to be drawn as a night, got two that begin at once"
        )
    classes = [str(label) for label in result["class"].values]
    truth = stages_of(
        result["truth"].values if hypnogram is None else hypnogram,
        classes,
        begins,
        "truth" if hypnogram is None else "hypnogram",
    )
    predicted = stages_of(result["predicted"].values, classes, begins, "predicted")
    rows = from_the_top(classes, order)

    x, unit = time_borders(begins, columns, step)
    panels = axes_for(axes, 4, "panel: hypnogram, hypnodensity, spectrogram and attributions", 8.0)
    stages, density, spectrum, map_ = panels
    _draw_stages(stages, x, on_grid(truth, columns), on_grid(predicted, columns), rows, classes)
    _draw_density(density, x, on_grid(probabilities_of(result), columns), rows, classes)
    power = _draw_power(spectrum, x, result, columns, channel, top)
    values, summed = total_over(found.attribution, ("sample", dim))
    norm = signed_norm(values, vmax, robust)
    names = [str(band) for band in found.attribution[dim].values]
    draw_grid(map_, x, np.arange(len(names) + 1.0), on_grid(values, columns).T, norm)
    name_rows(map_, np.arange(len(names)) + 0.5, names)
    map_.set_xlabel(unit)
    for panel in panels:
        panel.set_xlim(x[0], x[-1])
    for panel in panels[:-1]:
        panel.tick_params(axis="x", labelbottom=False)
    power_bar = _bar(spectrum, power, PLACEHOLDER, "max")
    bar = _bar(map_, ScalarMappable(norm, SIGNED_COLORMAP), PLACEHOLDER, "both" if norm.beyond else "neither")
    hatch_bar(bar, norm)
    units = scaled(bar.yaxis, norm.limit, units_of(found.attribution))
    stages.set_title(PLACEHOLDER, loc="left")
    settle(stages)
    fit_label(bar, bar.yaxis, ["attribution", units], [summed])
    fit_label(power_bar, power_bar.yaxis, ["power", "(dB)"])
    fit_label(stages, stages.yaxis, ["stage"])
    fit_label(density, density.yaxis, ["probability"])
    fit_label(spectrum, spectrum.yaxis, ["frequency", "(Hz)" if rate_of(result) else ""])
    for panel in (stages, map_):
        fit_names(panel, panel.yaxis)
    scored = np.isfinite(truth)
    told = [f"{_file(result)}true and predicted stages of {len(begins)} epoch{'s' * (len(begins) != 1)}"]
    if scored.any():
        of = "" if scored.all() else f" of {int(scored.sum())} scored"
        told.append(f"{np.mean(truth[scored] == predicted[scored]):.1%} right{of}".replace("%", " %"))
    made = ", ".join(filter(None, [*told, named_channel(channel)]))
    draw_title(stages, found.about, name, None, channel, title=made if title is None else title)
    return stages, density, spectrum, map_


def _check_inputs(result: xr.Dataset, hypnogram: Any) -> None:
    """What is missing, and which call supplies it."""
    if "outputs" not in result or "class" not in result["outputs"].dims:
        raise ValueError(
            "result must have the variable 'outputs', raw outputs by class, for the hypnodensity, which the "
            "predicted class alone does not tell: pass classes= to Explainer"
        )
    if hypnogram is None and "truth" not in result.coords:
        raise ValueError(
            "result must have the coordinate 'truth', the true stage of each sample: pass hypnogram=, or "
            "truth= when you call the Explainer"
        )
    if "signal" not in result:
        raise ValueError("result must have the variable 'signal', as freqig.Explainer returns it")
    if "file" in result.coords and len(set(np.atleast_1d(result["file"].values).tolist())) > 1:
        raise ValueError(
            "samples must be of one recording, got several files: select one, for example "
            "result.isel(sample=result.file.values == result.file.values[0])"
        )


def _draw_stages(
    panel: Axes, x: np.ndarray, truth: np.ndarray, predicted: np.ndarray, rows: list[int], classes: list[str]
) -> None:
    level = {place: row for row, place in enumerate(rows)}
    for values, color, width, label in ((truth, "0.72", 4.0, "true"), (predicted, "0.1", 1.1, "predicted")):
        places = np.array([np.nan if np.isnan(v) else level[int(v)] for v in values])
        panel.stairs(places, x, baseline=None, color=color, linewidth=width, label=label)
    name_rows(panel, np.arange(len(rows)), [classes[place] for place in rows])
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_ylabel("stage")
    _key(panel)


def _draw_density(
    panel: Axes, x: np.ndarray, shares: np.ndarray, rows: list[int], classes: list[str]
) -> None:
    # From the bottom: deep sleep first, dark to light, so that neighbours differ in grey as well.
    shades = colormaps["viridis"](np.linspace(0.05, 0.95, len(rows)))
    below = np.zeros(len(shares))
    names = short_names(panel, classes)
    for place, color in zip(reversed(rows), shades, strict=True):
        above = below + shares[:, place]
        panel.stairs(above, x, baseline=below, fill=True, color=color, label=names[place], linewidth=0)
        below = above
    panel.set_ylim(0, 1)
    panel.set_ylabel("probability")
    _key(panel, reverse=True)


def _key(panel: Axes, reverse: bool = False) -> None:
    panel.legend(
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize="small",
        handlelength=1,
        handletextpad=0.4,
        borderaxespad=0.4,
        labelspacing=0.25,
        reverse=reverse,
    )


def _draw_power(
    panel: Axes,
    x: np.ndarray,
    result: xr.Dataset,
    columns: np.ndarray,
    channel: Hashable | None,
    top: float,
) -> Any:
    """Power in dB of every epoch, mean over channels; what to make a colour bar of."""
    chosen = result[["signal"]] if channel is None else one_channel(result[["signal"]], channel)
    signal = chosen["signal"].transpose("sample", ..., "time").values
    frequency, power = power_of(signal, rate_of(result) or 1.0)
    # The mean was taken out.
    shown = (frequency > 0) & (frequency <= top)
    if not shown.any():
        raise ValueError(f"max_frequency must be at least {frequency[1]:g} Hz, got {top:g}")
    decibels = 10 * np.log10(np.maximum(power[:, shown], np.finfo(float).tiny))
    low, high = np.percentile(decibels, [5, 98])
    at = frequency[shown]
    edges = np.append(at - frequency[1] / 2, at[-1] + frequency[1] / 2)
    mesh = panel.pcolormesh(
        x,
        edges,
        on_grid(decibels, columns).T,
        cmap="magma",
        vmin=low,
        vmax=max(high, low + 1),
        rasterized=True,
    )
    panel.set_ylabel(PLACEHOLDER)
    return mesh


def _bar(panel: Axes, of: Any, label: str, extend: str) -> Axes:
    """A colour bar beside a panel that leaves it as wide as the others."""
    place = panel.inset_axes((1.012, 0, 0.016, 1))
    bar = root_of(panel).colorbar(of, cax=place, extend=extend)
    bar.ax.tick_params(labelsize="small")
    bar.set_label(label)
    drawn: Axes = bar.ax
    return drawn


def _file(result: xr.Dataset) -> str:
    file = str(np.atleast_1d(result["file"].values)[0]) if "file" in result.coords else ""
    return f"{file.replace(chr(92), '/').rpartition('/')[2]}: " if file else ""
