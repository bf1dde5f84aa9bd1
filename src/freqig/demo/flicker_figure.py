"""Mean explanation of each of several classes that stand for frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .._check import check_positive
from ..plots._bars import SIGNS, bar_borders, draw_bars, finish_bars
from ..plots._labels import fit_label, fitted, label_frequency, scaled
from ..plots._limits import up_to
from ..plots._markers import Marker
from ..plots._style import PLACEHOLDER, letters, root_of, settle, size_in_points, units_of


def flicker(
    result: xr.Dataset,
    frequencies: Sequence[float | int],
    *,
    max_frequency: float | int | None = None,
    title: str | None = None,
    vmax: float | int | None = None,
    xscale: str = "linear",
    axes: Any = None,
) -> np.ndarray:
    """Draw the mean attributions of each class, by frequency and by channel.

    A row is a class: the mean over the samples that were explained for it. On the left the
    attributions of frequencies, summed over channels, with the frequency of the class and its
    double marked; on the right those of channels, summed over frequencies. Attributions that raise
    the explained output are dark red, those that lower it light blue.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation with ``rfft`` over ``sample``, ``channel`` and ``frequency`` in Hz, and one
        ``target`` a sample, as `freqig.Explainer` returns it.
    frequencies : sequence of float
        Frequency in Hz that each class stands for, in the order of the model's outputs.
    max_frequency : float, optional
        End of the frequency axis in Hz. Default the last one.
    title : str, optional
        Title above the whole figure. Default none.
    vmax : float, optional
        Where the axis of attributions ends, above and below. Default where the bars do.
    xscale : {"linear", "log"}, default "linear"
        Scale of the frequency axis. A logarithmic one begins above zero.
    axes : array of matplotlib.axes.Axes, optional
        Where to draw, shape (number of classes, 2). Default those of a new pyplot figure.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        The axes drawn on, shape (number of classes, 2).

    Raises
    ------
    TypeError
        If `result`, `frequencies`, `max_frequency` or `axes` are of another type.
    ValueError
        If `result` lacks ``rfft``, ``target`` or their dimensions, is not in Hz, or has a target
        beyond the `frequencies`; if one of these is not above 0; or if there is no frequency up to
        `max_frequency`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from freqig.demo.flicker_figure import flicker
    >>> result = xr.Dataset(
    ...     {
    ...         "rfft": (("sample", "channel", "frequency"), np.ones((3, 2, 33)), {"units": "logit"}),
    ...         "target": ("sample", [0, 1, 1]),
    ...     },
    ...     coords={"frequency": ("frequency", np.arange(33.0), {"units": "Hz"})},
    ... )
    >>> axes = flicker(result, (8, 12), axes=Figure(layout="constrained").subplots(2, 2))
    >>> axes[1, 0].get_title(loc="left")
    'class 12 Hz, mean of 2 samples'
    """
    attribution, target, classes = _checked(result, frequencies)
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string or None, got {title!r}")
    marks = [(Marker(f"f = {f:g} Hz", f), Marker(f"2f = {2 * f:g} Hz", 2 * f)) for f in classes]
    last = max(mark.at for pair in marks for mark in pair)
    shown, note = up_to(attribution.to_dataset(name="rfft"), "rfft", "frequency", max_frequency, last)
    frequency = shown.frequency
    grid = _new_axes(len(classes)) if axes is None else _given_axes(axes, len(classes))

    means = [attribution.isel(sample=np.flatnonzero(target == i)) for i in range(len(classes))]
    counts = [mean.sizes["sample"] for mean in means]
    means = [mean.sum("sample", dtype=np.float64) / max(n, 1) for mean, n in zip(means, counts, strict=True)]
    spectra = np.stack([mean.sum("channel").values[: frequency.size] for mean in means])
    for row, (mean, spectrum) in enumerate(zip(means, spectra, strict=True)):
        left, right = grid[row]
        draw_bars(left, spectrum, bar_borders(frequency), xscale)
        _draw_channels(right, mean.sum("frequency"))
        left.set_title(PLACEHOLDER, loc="left", fontsize="medium")
    _share_limits(grid[:, 1])
    grid[0, 1].set_title("by channel", loc="left", fontsize="medium")
    grid[-1, 0].set_xlabel(PLACEHOLDER)
    grid[-1, 1].set_xlabel(PLACEHOLDER)
    _explain_colours(grid[0, 0], title)
    settle(grid[0, 0])
    label_frequency(grid[-1, 0], grid[-1, 0].xaxis, frequency, note)
    units = scaled(grid[-1, 1].xaxis, float(np.abs(grid[-1, 1].get_xlim()).max()), units_of(attribution))
    fit_label(grid[-1, 1], grid[-1, 1].xaxis, ["attribution", units])
    for row, axes_of_class in enumerate(grid[:, 0]):
        finish_bars(
            axes_of_class,
            # One scale in a column, so that classes can be compared.
            spectra,
            attribution,
            further=[f"sum of {attribution.sizes['channel']} channels"] if row == len(grid) // 2 else [],
            vmax=vmax,
            markers=marks[row],
        )
        parts = [f"class {classes[row]:g} Hz", f"mean of {counts[row]} samples"]
        heading = fitted(parts, size_in_points(axes_of_class)[0], between=", ")
        axes_of_class.set_title(heading, loc="left", fontsize="medium")
    low = min(axes_of_class.get_ylim()[0] for axes_of_class in grid[:, 0])
    high = max(axes_of_class.get_ylim()[1] for axes_of_class in grid[:, 0])
    for axes_of_class in grid[:, 0]:
        axes_of_class.set_ylim(low, high)
    for right in grid[:, 1]:
        _name_channels(right, attribution)
    return grid


def _checked(
    result: xr.Dataset, frequencies: Sequence[float | int]
) -> tuple[xr.DataArray, np.ndarray, list[float]]:
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"result must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    for name, dims in (("rfft", {"sample", "channel", "frequency"}), ("target", {"sample"})):
        found = result[name].dims if name in result else None
        if found is None or set(found) != dims:
            raise ValueError(
                f"result must have a variable {name!r} over {', '.join(sorted(dims))}, got "
                f"{'none' if found is None else f'one over {found}'}; explain signals of shape "
                "(sample, channel, time) with freqig.RFFT() and one target per sample"
            )
    attribution = result.rfft.transpose("sample", "channel", "frequency")
    if attribution.frequency.attrs.get("units") != "Hz":
        raise ValueError(
            "result.frequency must have attrs['units'] 'Hz', got "
            f"{attribution.frequency.attrs.get('units')!r}; pass the sampling rate, "
            "freqig.Explainer(model, fs=...)"
        )
    classes = [check_positive(value, "frequencies") for value in frequencies]
    target = result.target.values
    if target.size and int(target.max()) >= len(classes):
        raise ValueError(
            f"frequencies must be one per class, got {len(classes)} and a target {int(target.max())}"
        )
    if not classes:
        raise ValueError("frequencies must be at least one, got none")
    return attribution, target, classes


def _new_axes(n_classes: int) -> np.ndarray:
    # Only here does a figure need pyplot, which looks for a display and keeps the figure.
    from matplotlib import pyplot as plt

    height = 1 + 1.9 * n_classes
    figure = plt.figure(figsize=(9, height), layout="constrained")
    grid: np.ndarray = figure.subplots(n_classes, 2, squeeze=False, width_ratios=(2.4, 1))
    return grid


def _given_axes(axes: Any, n_classes: int) -> np.ndarray:
    grid = np.asarray(axes, dtype=object)
    if grid.size != 2 * n_classes or not all(isinstance(one, Axes) for one in grid.flat):
        raise TypeError(
            f"axes must be {n_classes} x 2 matplotlib Axes, two per class, got "
            f"{', '.join(type(one).__name__ for one in grid.flat)}; for example "
            f"Figure().subplots({n_classes}, 2)"
        )
    return grid.reshape(n_classes, 2)


def _draw_channels(axes: Axes, values: xr.DataArray) -> None:
    heights = values.values
    rows = np.arange(heights.size)
    for part, face, edge, _ in SIGNS:
        axes.barh(rows, part(heights, 0), height=0.7, facecolor=face, edgecolor=edge, linewidth=0.6)
    axes.axvline(0, color="0.3", linewidth=0.6)
    axes.set_ylim(heights.size - 0.4, -0.6)
    axes.locator_params(axis="x", nbins=3)
    _name_channels(axes, values)


def _name_channels(axes: Axes, values: xr.DataArray) -> None:
    count = values.sizes["channel"]
    names = values.channel.values.tolist() if "channel" in values.coords else range(count)
    every = -(-count // max(1, int(size_in_points(axes)[1] / (1.25 * letters()))))
    axes.set_yticks(range(count)[::every], [str(name) for name in names][::every], fontsize="small")


def _share_limits(column: np.ndarray) -> None:
    limits = np.array([axes.get_xlim() for axes in column])
    for axes in column:
        axes.set_xlim(limits[:, 0].min(), limits[:, 1].max())


def _explain_colours(axes: Axes, title: str | None) -> None:
    handles = [Patch(facecolor=face, edgecolor=edge, label=label) for _, face, edge, label in SIGNS]
    figure = root_of(axes)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    figure.legend(
        handles=handles,
        loc="outside upper right",
        ncols=2,
        frameon=False,
        fontsize="small",
        handlelength=1,
        borderpad=0.1,
    )
