"""From recordings to parts, tables and figures: what flicker and closed eyes do is known beforehand."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib.figure import Figure
from torch.nn.functional import cross_entropy

import freqig
from freqig import plots
from freqig.errors import FreqigWarning

mne = pytest.importorskip("mne")

FLICKER = {"13 Hz": 2, "17 Hz": 4, "21 Hz": 3}
SITES = ("Fp1", "Fz", "C3", "Cz", "C4", "P3", "Pz", "P4", "O1", "Oz", "O2")


class Powers(torch.nn.Module):
    """Logarithms of what filters leave of the signal, mean over time, and a layer on them."""

    def __init__(
        self, frequencies: list[float], fs: float, channels: int, classes: int, scale: float
    ) -> None:
        super().__init__()
        length = int(fs)
        t = np.arange(length) / fs
        waves = [wave(2 * np.pi * f * t) for f in frequencies for wave in (np.sin, np.cos)]
        kernel = torch.tensor(np.stack(waves) * np.hanning(length) / length, dtype=torch.float32)
        self.kernel = torch.nn.Parameter(kernel[:, None])
        self.layer = torch.nn.Linear(channels * len(frequencies), classes)
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, channels, time = x.shape
        found = torch.conv1d((x / self.scale).reshape(-1, 1, time), self.kernel)
        pairs = found.reshape(n, channels, -1, 2, found.shape[-1]).square().sum(3).mean(-1)
        return self.layer(torch.log(pairs + 1e-4).flatten(1))


def trained(net: Powers, x: np.ndarray, y: np.ndarray, steps: int = 60) -> Powers:
    with torch.no_grad():
        net.layer.weight.zero_()
        net.layer.bias.zero_()
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    for _ in range(steps):
        optimizer.zero_grad()
        cross_entropy(net(x), y).backward()
        optimizer.step()
    return net.eval()


@pytest.fixture(scope="module")
def flicker(data_path: Path) -> tuple[xr.Dataset, freqig.Explainer]:
    """A network trained on one recording of a person, explained on another."""
    sets = []
    for name in ("subject12_record-[2014.03.10-19.47.49]", "subject12_record-[2014.03.10-20.26.46]"):
        raw = mne.io.read_raw_fif(data_path / "ssvep_exo" / f"{name}_raw.fif", preload=True, verbose="error")
        events = mne.read_events(data_path / "ssvep_exo" / f"{name}-eve.fif", verbose="error")
        raw.pick(sorted(raw.ch_names)).filter(5, 45, verbose="error")
        epochs = mne.Epochs(
            raw, events, FLICKER, 0.5, 4.5 - 1 / 256, baseline=None, preload=True, verbose="error"
        )
        sets.append(epochs.resample(128, verbose="error"))
    classes = sorted(FLICKER)
    codes = [FLICKER[label] for label in classes]
    learned, held_out = sets
    y = np.array([codes.index(code) for code in learned.events[:, 2]])
    x = learned.get_data(units="uV")
    net = trained(Powers([13, 17, 21, 26, 34, 42], 128, x.shape[1], 3, 20.0), x, y)
    explainer = freqig.Explainer(net, unit="uV", classes=classes, output="margin", tol=0.02)
    truth = [classes[codes.index(code)] for code in held_out.events[:, 2]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FreqigWarning)
        return explainer(held_out, truth=truth, baseline=freqig.baselines.noise(seed=1)), explainer


def near(frequency: np.ndarray, label: str) -> np.ndarray:
    """Which frequencies the brain answers a flicker with: its own, and twice that."""
    f = float(label.split(maxsplit=1)[0])
    return (abs(frequency - f) <= 1) | (abs(frequency - 2 * f) <= 1)


def test_class_spectra_of_flicker_peak_at_it(flicker: tuple[xr.Dataset, freqig.Explainer]) -> None:
    result, _ = flicker
    assert float((result.truth == result.predicted).mean()) > 0.8
    labels = sorted(set(result.target.values.tolist()))
    panels = plots.class_spectrum(result, axes=Figure(figsize=(8, 6)).subplots(len(labels)))
    for panel, label in zip(panels, labels, strict=True):
        line = next(one for one in panel.get_lines() if one.get_label() == "right")
        strongest = line.get_xdata()[np.argmax(line.get_ydata())]
        assert near(strongest, label)


def test_the_part_that_drove_a_decision_is_the_flicker(flicker: tuple[xr.Dataset, freqig.Explainer]) -> None:
    result, explainer = flicker
    right = np.flatnonzero(result.truth == result.predicted)
    with pytest.raises(ValueError, match="depends on the place of a sample in its batch"):
        freqig.resynthesize(result.isel(sample=right))
    part = freqig.resynthesize(
        result, keep={"answers": (12, 14), "2": (16, 18), "3": (20, 22), "more": (24, 44)}
    )
    assert part.attrs["units"] == "V"
    epochs = freqig.to_mne(part)
    assert 0 < epochs.get_data().std() < 1.1e-6 * float(result.signal.std())
    strongest = freqig.peaks(result, 1)
    hits = [
        near(row.frequency, str(result.target.values[int(row.sample)]))
        for row in strongest.itertuples()
        if int(row.sample) in right
    ]
    assert np.mean(hits) > 0.8
    driving = freqig.resynthesize(result, 0.9, explainer=explainer)
    # In place of the noise that the path began at, the part brings back most of what the whole does.
    start = result.baseline_output.values[right]
    gained = (driving.part_output.values[right] - start).mean() / (
        driving.whole_output.values[right] - start
    ).mean()
    assert gained > 0.5


@pytest.fixture(scope="module")
def eyes(data_path: Path) -> xr.Dataset:
    """A minute of open and a minute of closed eyes: first halves are learned, second halves explained."""
    halves: list[list[xr.DataArray]] = [[], []]
    for run in ("S001R01", "S001R02"):
        path = data_path / "eegmmidb_S001" / f"{run}.edf"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            signal = freqig.read(path, window=2.0, channels=[f"{site:.<4}" for site in SITES])
        for half, start in zip(halves, (0, 15), strict=True):
            half.append(signal.isel(sample=slice(start, start + 15)))
    learned, explained = (xr.concat(half, "sample").assign_coords(channel=list(SITES)) for half in halves)
    for one in (learned, explained):
        one.attrs = {"units": "V", "fs": 160.0}
    y = np.repeat([0, 1], 15)
    net = trained(Powers([2, 6, 10, 20], 160, len(SITES), 2, 30.0), 1e6 * learned.values, y)
    explainer = freqig.Explainer(net, unit="uV", classes=("open", "closed"), output="margin", tol=0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FreqigWarning)
        return explainer(
            explained,
            target="closed",
            truth=np.array(["open", "closed"])[y],
            baseline=freqig.baselines.noise(),
        )


def test_closed_eyes_are_told_by_alpha(eyes: xr.Dataset) -> None:
    assert float((eyes.truth == eyes.predicted).mean()) > 0.8
    closed = eyes.isel(sample=(eyes.truth == "closed").values)
    bands = freqig.bands(closed, "eeg").rfft.sum("channel").mean("sample")
    assert bands.idxmax("band") == "alpha"
    table = freqig.to_dataframe(freqig.bands(eyes, "eeg"))
    alpha = table[table["band"] == "alpha"].groupby("truth")["attribution"].mean()
    assert alpha["closed"] > 0 > alpha["open"]
    mean = closed.mean("sample", keep_attrs=True)
    heads = plots.topomap(mean, axes=list(Figure(figsize=(8, 2.5)).subplots(1, 5)))
    assert len(heads) == 5
