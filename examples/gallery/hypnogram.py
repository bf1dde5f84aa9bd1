"""A night epoch by epoch: the spectrum and the bands behind each stage, and the whole night in one figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from _shared import check, run, save
from matplotlib.figure import Figure
from night import FS, LENGTH, RHYTHM, STAGES, epoch, stages_of_night, trained_stager

import freqig

BANDS = {"slow": (0.5, 3), "theta": (4.5, 7.5), "alpha": (8, 11.5), "sigma": (11.5, 15)}
BAND_OF = {"W": "alpha", "R": "theta", "N2": "sigma", "N3": "slow"}


def main(folder: Path) -> None:
    """Train, explain every epoch, find the rhythm of each stage, draw."""
    stager, rng, stages = trained_stager(), np.random.default_rng(5), stages_of_night(2)
    x = np.stack([epoch(rng, stage) for stage in stages])[:, None].astype(np.float32)
    onset = ("sample", LENGTH * np.arange(len(stages)))
    recording = xr.DataArray(x, {"onset": onset}, ("sample", "channel", "time"), attrs={"fs": FS})
    explainer = freqig.Explainer(stager, classes=STAGES, output="margin")
    result = explainer(recording, truth=stages)

    check("epochs staged as they were made", float((result.predicted == result.truth).mean()), 0.95)
    table = freqig.bands(result, BANDS).rfft.sum("channel")
    means = table.groupby("target").mean()
    right = [
        str(means.band[means.sel(target=stage).argmax("band")].values) == BAND_OF[stage] for stage in STAGES
    ]
    check("stages whose own band raises them most", float(np.mean(right)), 1.0)

    figure = Figure(figsize=(8, 7), layout="constrained")
    freqig.plots.night(result, bands=BANDS, order=STAGES, max_frequency=16, axes=figure.subplots(4))
    save(figure, folder, "hypnogram")
    figure = Figure(figsize=(8, 6), layout="constrained")
    freqig.plots.class_spectrum(result, max_frequency=16, markers=RHYTHM, axes=figure.subplots(len(STAGES)))
    save(figure, folder, "hypnogram-spectra")
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    freqig.plots.band_table(result, BANDS, axes=figure.subplots())
    save(figure, folder, "hypnogram-bands")


if __name__ == "__main__":
    run(main, __doc__)
