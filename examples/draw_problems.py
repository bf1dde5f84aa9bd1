"""Draws the pictures of the page of problems: one series of each, and where its truth lies.

    python examples/draw_problems.py [FOLDER]

The folder is docs/images unless another one is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from freqig import synth

QUIET, TRUE = "0.7", "#8c1515"
LINES = {
    "freqrise": (70, "rfft"),
    "flextime": (500, "rfft"),
    "phase_coded": (64, "rfft"),
    "unused_cue": (64, "rfft"),
    "amplitude_modulation": (128, "rfft"),
    "product": (64, "rfft"),
    "pitch": (1000, "rfft"),
    "bearing": (330, "envelope_rfft"),
}
"""Problems whose truth is in a spectrum: the last frequency that is drawn, and the domain."""


def amplitude(one: xr.Dataset, domain: str) -> np.ndarray:
    """Amplitudes of a series, or of the envelope of the band that decides, by frequency."""
    series = one.signal[0].values.astype(float)
    if domain == "envelope_rfft":
        spectrum, hertz = np.fft.fft(series), np.fft.fftfreq(series.size, 1 / one.fs)
        series = np.abs(np.fft.ifft(2 * spectrum * ((hertz >= 800) & (hertz < 1600))))
        series -= series.mean()
    return 2 * np.abs(np.fft.rfft(series)) / series.size


def spectrum(axes: Axes, one: xr.Dataset, last: float, domain: str) -> None:
    """Amplitudes as lines, those of the truth dark and with a dot."""
    height, true = amplitude(one, domain), one[f"truth_{domain}"][0].values
    shown = one.frequency.values <= last
    frequency = one.frequency.values
    axes.vlines(frequency[shown & ~true], 0, height[shown & ~true], color=QUIET, linewidth=1)
    axes.vlines(frequency[shown & true], 0, height[shown & true], color=TRUE, linewidth=1.4)
    if true[shown].sum() <= 12:
        axes.plot(frequency[shown & true], height[shown & true], "o", color=TRUE, markersize=4)
    of = "of the envelope " if domain == "envelope_rfft" else ""
    axes.set(xlim=(0, last), ylim=(0, None), xlabel=f"frequency {of}(Hz)", ylabel="amplitude")


def series(axes: Axes, one: xr.Dataset) -> None:
    """The series, its truth dark and with dots."""
    x, true = one.signal[0].values, one.truth_waveform[0].values
    axes.plot(one.time, x, color=QUIET, linewidth=1)
    axes.plot(one.time[true], x[true], "o", color=TRUE, markersize=3)
    axes.set(xlim=(0, float(one.time[-1])), xlabel="time (samples)", ylabel="signal")


def mask(axes: Axes, true: xr.DataArray, ylabel: str, xlabel: str) -> None:
    """A map of the truth, dark where it is."""
    y, x = true.dims
    across = true[x].values if x in true.coords else np.arange(true.sizes[x])
    up = true[y].values if y in true.coords else np.arange(true.sizes[y])
    axes.pcolormesh(across, up, true, cmap="Reds", vmin=0, vmax=1.4, shading="nearest")
    axes.set(xlabel=xlabel, ylabel=ylabel)


def draw(name: str, axes: Axes) -> None:
    """One series of a problem, of its last class."""
    problem = getattr(synth, name)(n=24, seed=0)
    kinds = problem.label if problem.label.ndim == 1 else problem.label[:, 0]
    one = problem.isel(sample=int(kinds.values.argmax()))
    if name in LINES:
        spectrum(axes, one, *LINES[name])
    elif name == "freqshapes":
        series(axes, one)
    elif name == "chirp":
        mask(axes, one.truth_stft[0], "frequency (Hz)", "time (s)")
        axes.set_ylim(0, 64)
    elif name == "channel_cue":
        mask(axes, one.truth_rfft[:, :64], "channel", "frequency (Hz)")
        axes.set_yticks(range(one.sizes["channel"]))
    else:
        mask(axes, one.truth_waveform, "channel", "time (samples)")
        if name == "hmm":
            axes.set_yticks(range(3))
    axes.set_title(name, loc="left", fontsize="medium", fontweight="bold")


def main(folder: Path) -> None:
    """All problems on one figure."""
    names = [name for name in synth.__all__ if name != "oracle"]
    figure = Figure(figsize=(9, 11), layout="constrained")
    panels = figure.subplots(5, 3)
    for name, axes in zip(names, panels.flat, strict=False):
        draw(name, axes)
    for axes in panels.flat[len(names) :]:
        axes.remove()
    figure.savefig(folder / "problems.png", dpi=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images")
