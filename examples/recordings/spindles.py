"""Where are the spindles? 15 s of sleep in stage N2, from a text file to a figure.

    python examples/recordings/spindles.py FILE [PICTURES]

FILE is ``data_N2_spindles_15sec_200Hz.txt`` of YASA (github.com/raphaelvallat/yasa, BSD-3-Clause), one
channel at 200 Hz in µV, with two spindles, near 3.4 and 13.3 s. The detector is written down and not trained:
it compares the power from 11 to 16 Hz of every quarter of a second with what is usual, and adds up what is
beyond. Slow waves are many times as strong, so the power of the signal does not tell where the spindles are;
the explanation must.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import freqig
from freqig import plots

FS, LOW, HIGH = 200.0, 11.0, 16.0
SPINDLES = (3.4, 13.3)
NEAR = 0.75
"""A spindle is half a second to two seconds long."""


class SpindleDetector(nn.Module):
    """Excess of sigma power, of series in µV, shape (batch, channel, time), as one number."""

    def __init__(self) -> None:
        super().__init__()
        n = int(FS)
        lag = (torch.arange(n) - n // 2) / FS
        taper = torch.hann_window(n, periodic=False)
        angle = 2 * torch.pi * (LOW + HIGH) / 2 * lag
        pair = torch.stack([taper * torch.cos(angle), taper * torch.sin(angle)])
        self.register_buffer("filters", (pair / taper.sum())[:, None])

    def forward(self, x: Tensor) -> Tensor:
        waves = nn.functional.conv1d(x.mean(1, keepdim=True), self.filters, padding=int(FS) // 2)
        power = waves.square().sum(1)
        power = nn.functional.avg_pool1d(power[:, None], int(FS) // 4)
        usual = power.median(-1, keepdim=True).values
        return torch.relu(power - 4 * usual).sum(-1)


def main(path: Path, pictures: Path) -> dict[str, float]:
    """Explain, print what came out, and draw it."""
    recording = freqig.read(path, fs=FS, unit="uV")
    explainer = freqig.Explainer(SpindleDetector(), domains=[freqig.STFT(0.5), freqig.RFFT()], progress=False)
    result = explainer(recording, target=0)
    raising = result.stft.isel(sample=0, channel=0).clip(min=0)
    inside = np.minimum.reduce([np.abs(raising.stft_time - moment) for moment in SPINDLES]) <= NEAR
    sigma = (raising.stft_frequency >= LOW - 1) & (raising.stft_frequency <= HIGH + 1)
    power = np.abs(np.fft.rfft(recording.values[0, 0])) ** 2
    frequency = np.fft.rfftfreq(recording.shape[-1], 1 / FS)
    found = {
        "near": float(raising.where(inside).sum() / raising.sum()),
        "sigma": float(raising.where(sigma).sum() / raising.sum()),
        "power": float(power[(frequency >= LOW) & (frequency <= HIGH)].sum() / power.sum()),
    }
    strongest = raising.where(sigma).sum("stft_frequency").to_series().nlargest(4).index
    print(f"share of the positive attribution within {NEAR} s of the spindles: {found['near']:.2f}")
    print(f"share from {LOW - 1:g} to {HIGH + 1:g} Hz: {found['sigma']:.2f}")
    print(f"share of the power of the signal from {LOW:g} to {HIGH:g} Hz: {found['power']:.3f}")
    print("strongest windows at", ", ".join(f"{moment:g} s" for moment in strongest))
    axes = plots.spectrogram(result, max_frequency=30)
    axes.figure.savefig(pictures / "spindles.png", dpi=150)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "."))
