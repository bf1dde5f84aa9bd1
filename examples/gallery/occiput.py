"""Alpha over the back of the head, and a model beside it that listens to a tremor in front."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import xarray as xr
from _shared import check, run, save, share, start
from matplotlib.figure import Figure
from torch import Tensor, nn

import freqig

FS, N = 128.0, 256
TIME = np.arange(N) / FS
NAMES = [
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8"),
    *("T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
]
BACK = ("P3", "Pz", "P4", "O1", "O2")
BANDS = {"theta": (4, 7.5), "alpha": (8, 13), "beta": (13.5, 25)}


class Power(nn.Module):
    """Power at a frequency in Hz, summed over some channels."""

    def __init__(self, heard: tuple[str, ...], frequency: float) -> None:
        super().__init__()
        weights = [float(name in heard) for name in NAMES]
        waves = [wave(2 * np.pi * frequency * TIME) for wave in (np.cos, np.sin)]
        self.register_buffer("weights", torch.tensor(weights))
        self.register_buffer("waves", torch.tensor(np.array(waves)).float())

    def forward(self, x: Tensor) -> Tensor:
        """One number per signal, shape (batch, 1)."""
        powers = torch.einsum("bct,wt->bcw", x, self.waves).square().sum(-1) / N
        return (powers * self.weights).sum(1, keepdim=True)


def main(folder: Path) -> None:
    """Write down two models, explain both, draw the head and both side by side."""
    start()
    rng = np.random.default_rng(2)
    x = rng.standard_normal((len(NAMES), N))
    # Eyes closed: alpha behind; and a tremor of 6 Hz in front, which is louder, and which nobody listens to.
    x[[NAMES.index(name) for name in BACK]] += 1.5 * np.sin(2 * np.pi * 10 * TIME)
    x[:7] += 4 * np.sin(2 * np.pi * 6 * TIME + 1)
    signal = xr.DataArray(x[None].astype(np.float32), {"channel": NAMES}, ("sample", "channel", "time"))
    signal.attrs["fs"] = FS
    models = Power(BACK, 10), Power(tuple(NAMES[:7]), 6)
    behind, before = (freqig.Explainer(model)(signal, target=0) for model in models)

    alpha = np.abs(behind.frequency - 10) <= 1
    back = behind.channel.isin(BACK)
    check("share of attributions at alpha over the back", share(behind.rfft[0], alpha & back), 0.95)
    tremor = np.abs(before.frequency - 6) <= 1
    check("share of those of the other model at the tremor", share(before.rfft[0], tremor & ~back), 0.95)
    check(
        "share of the signal's energy behind",
        float(np.square(x[-5:]).sum() / np.square(x).sum()),
        at_most=0.4,
    )

    figure = Figure(figsize=(8, 3), layout="constrained")
    freqig.plots.topomap(behind, bands=BANDS, axes=figure.subplots(1, len(BANDS)))
    save(figure, folder, "occiput")
    figure = Figure(figsize=(8, 3), layout="constrained")
    freqig.plots.compare(
        behind,
        before,
        names=("alpha behind", "tremor in front"),
        max_frequency=20,
        axes=figure.subplots(1, 2),
    )
    save(figure, folder, "occiput-models")
    figure = Figure(figsize=(8, 6), layout="constrained")
    freqig.plots.sample(behind, channel="O1", max_frequency=20, axes=figure.subplots(4))
    save(figure, folder, "occiput-part")


if __name__ == "__main__":
    run(main, __doc__)
