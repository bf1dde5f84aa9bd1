"""
A seismogram
============

A detector of local earthquakes, over the noise of the sea that is louder than they are. When did it see
one, and in which band?
"""

# %%
# Ground velocity
# ---------------
# P waves travel at 6 km/s and S waves at 3.5 km/s, so a distance of 42 km puts 5 s between them. The
# spectrum of the source has its top at the corner frequency, 4 Hz. The sea is at 0.2 Hz, and surface waves
# from far away at 0.5 to 1 Hz.

import numpy as np
import torch
import xarray as xr
from torch import nn

import freqig

FS, N = 40.0, 1024
time, hertz = np.arange(N) / FS, np.fft.rfftfreq(N, 1 / FS)
rng = np.random.default_rng(0)


def shaped(weight):
    """Noise of unit variance with a spectrum of this shape."""
    noise = np.fft.irfft(weight * np.fft.rfft(rng.normal(size=N)), N)
    return noise / noise.std()


def wave(arrival, corner, decay):
    """A wave with its coda, of a source with this corner frequency."""
    late = np.clip(time - arrival, 0, None)
    return (
        (late > 0) * np.exp(-late / decay) * shaped(hertz / (1 + (hertz / corner) ** 2))
    )


def record(local, origin=None, distance=None, corner=None):
    """25.6 s of the sea, with waves from far away, and with a local earthquake or not."""
    sea = 3 * shaped(
        1 / np.maximum(hertz, 0.1) + 40 * np.exp(-0.5 * ((hertz - 0.2) / 0.05) ** 2)
    )
    swell = np.exp(-(((time - rng.uniform(5, 20)) / 5) ** 2))
    far = (
        rng.uniform(0, 4)
        * swell
        * np.sin(2 * np.pi * (rng.uniform(0.5, 1) * time + rng.uniform()))
    )
    origin = rng.uniform(0, 6) if origin is None else origin
    distance = rng.uniform(20, 50) if distance is None else distance
    corner = rng.uniform(3, 6) if corner is None else corner
    quake = wave(origin + distance / 6, 1.5 * corner, 1.5) + 3 * wave(
        origin + distance / 3.5, corner, 2.5
    )
    return sea + far + local * rng.uniform(0.7, 1.2) * quake


# %%
# A detector
# ----------


class Energies(nn.Module):
    """Energies behind learnt filters in stretches of time, then classes."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Conv1d(1, 8, 33, padding=16, bias=False)
        self.classes = nn.Linear(128, 2)

    def forward(self, x):
        """Logits of (batch, time)."""
        energy = nn.functional.adaptive_avg_pool1d(
            self.filters(x[:, None]).square(), 16
        )
        return self.classes(torch.log1p(energy).flatten(1))


torch.manual_seed(0)
model = Energies()
optimizer = torch.optim.Adam(model.parameters(), 0.01, weight_decay=0.01)
for _ in range(80):
    label = rng.integers(0, 2, 32)
    x = torch.tensor(np.array([record(local) for local in label]), dtype=torch.float32)
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), torch.tensor(label)).backward()
    optimizer.step()

# %%
# One earthquake
# --------------
# The recording comes as an `xarray.DataArray`, as `freqig.read` makes it of miniSEED and SAC with the extra
# ``seismic``; its time axis tells the sampling rate.

p, s = 4 + 42 / 6, 4 + 42 / 3.5
recording = xr.DataArray(
    record(True, 4.0, 42.0, 4.0)[None].astype(np.float32),
    dims=("sample", "time"),
    coords={"time": ("time", time, {"units": "s"})},
)
explainer = freqig.Explainer(
    model, output="margin", domains=[freqig.STFT(window=1.6), freqig.Time()]
)
result = explainer(recording, target=1)
axes = freqig.plots.spectrogram(result, max_frequency=16, robust=True)
for name, arrival in (("P", p), ("S", s)):
    axes.axvline(arrival, color="black", linestyle="--", linewidth=0.9)
    axes.annotate(name, (arrival, 14.5), xytext=(3, 0), textcoords="offset points")

# %%
# Physics predicts what raises the output: from P until the coda has faded, around the corner frequency.

raises = result.stft.clip(min=0).isel(sample=0)
shaking = (raises.stft_time > p - 0.8) & (raises.stft_time < s + 7.5)
corner = (raises.stft_frequency >= 2) & (raises.stft_frequency <= 16)
print(
    "of what raises the output,",
    f"{float(raises.where(shaking & corner).sum() / raises.sum()):.0%} is there",
)
lowers = result.stft.clip(max=0).isel(sample=0)
sea = float(lowers.sel(stft_frequency=slice(0, 1.5)).sum() / lowers.sum())
print(
    f"of what lowers it, {sea:.0%} is below 1.5 Hz:",
    "the sea speaks against an earthquake",
)
