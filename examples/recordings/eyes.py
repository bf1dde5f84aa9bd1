"""Eyes open or closed? 64 channels of EEG, from two EDF files to a figure.

    python examples/recordings/eyes.py FOLDER [PICTURES]

FOLDER holds ``S001R01.edf`` (eyes open) and ``S001R02.edf`` (closed) of the EEG Motor Movement/Imagery
Dataset (physionet.org/content/eegmmidb, ODC-BY 1.0; Schalk et al., BCI2000, 2004; Goldberger et al.,
PhysioNet, 2000). The network is trained on the first 38 s of each and explained on what comes after 40 s.
Physiology predicts the alpha rhythm, 8 to 13 Hz, over the occiput: it grows when eyes close.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

import freqig
from freqig import plots

FILES = {"open": "S001R01.edf", "closed": "S001R02.edf"}
FS, WINDOW, STEP = 160.0, 2.0, 1.0
LEARNT, HELD_OUT = 38.0, 40.0
ALPHA = (8.0, 13.0)
BEHIND = ("O1..", "Oz..", "O2..", "Iz..", "Po7.", "Po3.", "Poz.", "Po4.", "Po8.")
"""Channels over the occiput."""


class BandPower(nn.Module):
    """Logarithmic power behind learnt spatial and temporal filters, of EEG in µV."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.spatial = nn.Conv1d(n_channels, 8, 1, bias=False)
        self.temporal = nn.Conv1d(8, 8, 33, padding=16, groups=8, bias=False)
        self.norm = nn.BatchNorm1d(8, affine=False)
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(1, keepdim=True)
        filtered = self.norm(self.temporal(self.spatial(x / 30)))
        return self.head(torch.log(filtered.square().mean(-1) + 1e-3))


def read(folder: Path) -> xr.DataArray:
    """Windows of both files, in volts as they are, with the state of the eyes as their label."""
    parts = [
        freqig.read(folder / name, window=WINDOW, step=STEP).assign_coords(eyes=("sample", [state] * 59))
        for state, name in FILES.items()
    ]
    return xr.concat(parts, "sample", combine_attrs="override", join="override")


def train(windows: xr.DataArray, seed: int = 0) -> nn.Module:
    """Train on the first part of each recording."""
    own = windows[windows.onset.values < LEARNT]
    x = torch.tensor(own.values * 1e6, dtype=torch.float32)
    y = torch.tensor([list(FILES).index(state) for state in own.eyes.values])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BandPower(x.shape[1])
        optimizer = torch.optim.AdamW(model.parameters(), 5e-3, weight_decay=0.01)
        for _ in range(120):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    return model.eval()


def explain(model: nn.Module, windows: xr.DataArray) -> tuple[xr.Dataset, float]:
    """Why windows that were not learnt are said to be of closed eyes, and the share of right answers."""
    later = windows[windows.onset.values >= HELD_OUT]
    learnt = windows[(windows.onset.values < LEARNT) & (windows.eyes.values == "open")]
    explainer = freqig.Explainer(model, unit="uV", classes=tuple(FILES), output="margin", progress=False)
    # Against windows of open eyes: what sets closed eyes apart from them.
    baseline = freqig.baselines.data(learnt[::8])
    result = explainer(later, target="closed", baseline=baseline, truth=later.eyes.values)
    right = float((result.predicted.values == later.eyes.values).mean())
    return result[{"sample": later.eyes.values == "closed"}], right


def shares(result: xr.Dataset) -> dict[str, float]:
    """Shares of the positive mean attribution in alpha, and of that in alpha over the occiput."""
    mean = result.rfft.mean("sample").clip(min=0)
    alpha = mean.sel(frequency=slice(*ALPHA))
    behind = alpha.sel(channel=list(BEHIND))
    return {"alpha": float(alpha.sum() / mean.sum()), "behind": float(behind.sum() / alpha.sum())}


def main(folder: Path, pictures: Path) -> None:
    """Train, explain, print what came out, and draw it."""
    windows = read(folder)
    result, right = explain(train(windows), windows)
    found = shares(result)
    channels = result.rfft.mean("sample").sel(frequency=slice(*ALPHA)).sum("frequency")
    strongest = channels.channel.values[np.argsort(-channels.values)[:6]]
    print(f"right answers on what was not learnt: {right:.2f}")
    print(f"share of alpha in the positive attribution of 'closed': {found['alpha']:.2f}")
    print(f"share of that over the occiput, {len(BEHIND)} of {len(channels)} channels: {found['behind']:.2f}")
    print("strongest in alpha:", ", ".join(map(str, strongest)))
    print(f"converged: {float(result.converged.mean()):.2f}")
    axes = plots.spectrum(result.mean("sample", keep_attrs=True), bands="eeg", max_frequency=30, signal=False)
    axes.figure.savefig(pictures / "eyes.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "."))
