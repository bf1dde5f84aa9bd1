"""Nine recordings of four people who look at flickering lights, as a cohort.

    python examples/recordings/flicker_cohort.py FOLDER WORK

FOLDER holds the recordings of github.com/sylvchev/dataset-ssvep-exoskeleton (CC0; cite Kalunga, Chevallier
and Barthélemy, Neurocomputing 2016). In WORK this writes windows of 2 s of each recording, with a file of
labels, and a network that was trained on five of them. The rest are commands, see the page on cohorts in the
docs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import xarray as xr
from torch import nn

from freqig.demo import flicker
from freqig.demo.recordings import FLICKER_HZ, Recording, read_recordings, split_recordings

CLASSES = tuple(f"{f:g} Hz" for f in FLICKER_HZ)


def write(recordings: list[Recording], work: Path) -> list[Path]:
    """Windows of each recording as netCDF in ``windows``, and what the light did in ``labels``."""
    paths = []
    for recording in recordings:
        windows = flicker.cut_windows([recording])
        path = work / "windows" / f"{recording.name}.nc"
        labels = work / "labels" / f"{recording.name}.txt"
        for folder in (path.parent, labels.parent):
            folder.mkdir(parents=True, exist_ok=True)
        signal = xr.DataArray(
            windows.signals,
            {"channel": list(recording.channels)},
            ("sample", "channel", "time"),
            attrs={"fs": recording.fs},
        )
        signal.to_dataset(name="signal").to_netcdf(path, engine="h5netcdf")
        labels.write_text("".join(f"{CLASSES[one]}\n" for one in windows.labels), encoding="utf-8")
        paths.append(path)
    return paths


def main(folder: Path, work: Path) -> nn.Module:
    """Write recordings and network."""
    recordings = read_recordings(folder)
    write(recordings, work)
    training, _ = split_recordings(recordings)
    net = flicker.train(flicker.cut_windows(training))
    program = torch.export.export(
        net, (torch.zeros(2, 8, 256),), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    torch.export.save(program, work / "flicker.pt2")
    return net


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
