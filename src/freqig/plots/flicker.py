"""Mean explanation of each of several classes that stand for frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from freqig._check import check_positive
from freqig.plots._style import (
    NEGATIVE,
    NEGATIVE_EDGE,
    POSITIVE,
    POSITIVE_EDGE,
    SMALL,
    label_with_units,
    size_in_points,
)

_SIGNS = (
    (np.maximum, POSITIVE, POSITIVE_EDGE, "raises the output"),
    (np.minimum, NEGATIVE, NEGATIVE_EDGE, "lowers the output"),
)


def flicker(
    result: xr.Dataset,
    frequencies: Sequence[float | int],
    *,
    max_frequency: float | int | None = None,
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
    >>> from freqig.plots.flicker import flicker
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
    if max_frequency is not None:
        shown = attribution.frequency.values <= check_positive(max_frequency, "max_frequency") * (1 + 1e-9)
        if not shown.any():
            raise ValueError(
                f"max_frequency must be at least {float(attribution.frequency.min()):g}, the lowest "
                f"frequency of the result, got {max_frequency}"
            )
    else:
        shown = np.ones(attribution.sizes["frequency"], dtype=bool)
    grid = _new_axes(len(classes)) if axes is None else _given_axes(axes, len(classes))

    means = [attribution.isel(sample=np.flatnonzero(target == i)) for i in range(len(classes))]
    counts = [mean.sizes["sample"] for mean in means]
    means = [mean.sum("sample", dtype=np.float64) / max(n, 1) for mean, n in zip(means, counts, strict=True)]
    spectra = np.stack([mean.sum("channel").values[shown] for mean in means])
    # One scale in a column, so that classes can be compared.
    for row, (mean, spectrum) in enumerate(zip(means, spectra, strict=True)):
        _draw_spectrum(grid[row, 0], attribution.isel(frequency=shown), spectrum, spectra)
        _mark(grid[row, 0], classes[row])
        _draw_channels(grid[row, 1], mean.sum("frequency"))
        title = f"class {classes[row]:g} Hz, mean of {counts[row]} samples"
        grid[row, 0].set_title(title, loc="left", fontsize="medium")
    _share_limits(grid[:, 1])
    grid[0, 1].set_title("by channel", loc="left", fontsize="medium")
    quantity = label_with_units("attribution", attribution)
    grid[-1, 0].set_xlabel(label_with_units("frequency", attribution.frequency))
    grid[-1, 1].set_xlabel(f"{quantity},\nsum over frequencies")
    grid[len(grid) // 2, 0].set_ylabel(f"{quantity}, sum of {attribution.sizes['channel']} channels")
    _explain_colours(grid[0, 0])
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
                "(sample, channel, time) with freqig.RFFT() and one target a sample"
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
            f"frequencies must be one a class, got {len(classes)} and a target {int(target.max())}"
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
            f"axes must be {n_classes} x 2 matplotlib Axes, two a class, got "
            f"{', '.join(type(one).__name__ for one in grid.flat)}; for example "
            f"Figure().subplots({n_classes}, 2)"
        )
    return grid.reshape(n_classes, 2)


def _draw_spectrum(axes: Axes, attribution: xr.DataArray, values: np.ndarray, every: np.ndarray) -> None:
    frequency = attribution.frequency.values.astype(np.float64)
    spacing = float(np.diff(frequency).min()) if frequency.size > 1 else 1.0
    borders = np.append(frequency - spacing / 2, frequency[-1] + spacing / 2)
    for part, face, edge, _ in _SIGNS:
        heights = part(values, 0)
        if heights.any():
            axes.stairs(heights, borders, fill=True, facecolor=face, edgecolor=edge, linewidth=0.8)
    axes.axhline(0, color="0.3", linewidth=0.6)
    axes.set_xlim(borders[0], borders[-1])
    low, high = float(min(every.min(), 0)), float(max(every.max(), 0))
    height = (high - low) or 1.0
    # Room above the bars for the names of the marks.
    room = min(2 * SMALL / size_in_points(axes)[1], 0.5)
    axes.set_ylim(low - 0.05 * height, low + 1.05 * height / (1 - room))


def _mark(axes: Axes, frequency: float) -> None:
    """Mark a frequency and its double, where they are in view."""
    low, high = axes.get_xlim()
    for name, at in (("f", frequency), ("2f", 2 * frequency)):
        if low <= at <= high:
            axes.axvline(at, color="0.5", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.5)
            left = at > (low + high) * 0.85
            axes.annotate(
                f"{name} = {at:g} Hz",
                (at, 1),
                xycoords=axes.get_xaxis_transform(),
                xytext=(-3 if left else 3, -3),
                textcoords="offset points",
                ha="right" if left else "left",
                va="top",
                fontsize=SMALL,
            )


def _draw_channels(axes: Axes, values: xr.DataArray) -> None:
    heights = values.values
    rows = np.arange(heights.size)
    for part, face, edge, _ in _SIGNS:
        axes.barh(rows, part(heights, 0), height=0.7, facecolor=face, edgecolor=edge, linewidth=0.8)
    axes.axvline(0, color="0.3", linewidth=0.6)
    names = values.channel.values.tolist() if "channel" in values.coords else rows.tolist()
    every = -(-len(names) // 12)
    axes.set_yticks(rows[::every], [str(name) for name in names[::every]], fontsize=SMALL)
    axes.set_ylim(heights.size - 0.4, -0.6)


def _share_limits(column: np.ndarray) -> None:
    limits = np.array([axes.get_xlim() for axes in column])
    for axes in column:
        axes.set_xlim(limits[:, 0].min(), limits[:, 1].max())


def _explain_colours(axes: Axes) -> None:
    handles = [Patch(facecolor=face, edgecolor=edge, label=label) for _, face, edge, label in _SIGNS]
    figure = axes.get_figure()
    assert figure is not None
    figure.legend(handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL)
