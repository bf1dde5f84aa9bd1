"""A damaged bearing beside a pump: the envelope spectrum says at which rate a detector heard knocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import xarray as xr
from _shared import check, found, heading, panels, run, save, share, start
from torch import Tensor, nn

import freqig

FS, N, SHAFT = 4096.0, 4096, 25.0
TIME = np.arange(N) / FS
RATES = freqig.bearing_frequencies(n_balls=8, ball_diameter=15, pitch_diameter=65, shaft=SHAFT)
PUMP = 44.6
BAND = (800.0, 1600.0)
HARMONICS = 4


class Detector(nn.Module):
    """A band around the resonance, its amplitude over time, and how loud that is at the rates of defects."""

    def __init__(self) -> None:
        super().__init__()
        taps = np.arange(-64, 65) / FS
        band = sum(
            sign * 2 * edge * np.sinc(2 * edge * taps) for sign, edge in zip((-1, 1), BAND, strict=True)
        )
        self.band = torch.tensor(band * np.hanning(129) / FS)[None, None].float()
        multiples = np.outer([RATES["BPFO"], RATES["BPFI"]], np.arange(1, HARMONICS + 1)).ravel()
        clock = np.arange(N // 4) * 4 / FS
        waves = np.exp(-2j * np.pi * multiples[:, None] * clock) * np.hanning(N // 4) / (N // 8)
        self.waves = torch.tensor(waves, dtype=torch.complex64)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of signals, shape (batch, time): sound, outer ring, inner ring."""
        heard = nn.functional.conv1d(x.unsqueeze(1), self.band, padding=64)
        amplitude = nn.functional.avg_pool1d(heard.square(), 4)[:, 0].clamp_min(1e-9).sqrt()
        power = (amplitude.to(self.waves.dtype) @ self.waves.T).abs().square()
        loud = torch.log(1e-4 + power.unflatten(-1, (2, HARMONICS)).sum(-1))
        return torch.cat([torch.full_like(loud[:, :1], np.log(1.5e-3)), loud], 1)


def knocks(rng: np.random.Generator, rate: float) -> np.ndarray:
    """Knocks at a rate, even but for a slip of 1 %, that make the housing ring at 1,200 Hz."""
    first = rng.uniform(0, 1 / rate)
    at = first + np.arange(int(rate * (N / FS - first))) / rate
    at = np.clip(np.round((at + rng.normal(0, 0.01 / rate, at.size)) * FS), 0, N - 1)
    lag = np.arange(256) / FS
    return np.convolve(np.isin(np.arange(N), at), np.exp(-250 * lag) * np.sin(2 * np.pi * 1200 * lag))[:N]


def draw(rng: np.random.Generator, ring: str | None, pump: float = 1.0) -> np.ndarray:
    """A second of a machine: its shaft, a pump that knocks louder than any bearing, noise, and a defect."""
    shaft = rng.uniform(0.2, 1) * np.sin(2 * np.pi * (SHAFT * TIME + rng.uniform()))
    defect = 0.0 if ring is None else rng.uniform(0.8, 1.2) * knocks(rng, RATES[ring])
    return shaft + pump * rng.uniform(1.2, 2) * knocks(rng, PUMP) + defect + 0.05 * rng.standard_normal(N)


def at_rate(frequency: xr.DataArray, rate: str) -> xr.DataArray:
    """Frequencies within one bin of a rate and its multiples."""
    multiple = (frequency / RATES[rate]).round().clip(min=1)
    return abs(frequency - multiple * RATES[rate]) <= FS / N


def cross_share(spectrum: xr.DataArray, own: str, other: str, beside: float = 0.0) -> float:
    """Share of attributions on the comb of the other defect, or so many Hz beside it, without common bins.

    The fifth harmonic of the inner ring is the eighth of the outer one here, and belongs to both.
    """
    comb = at_rate(spectrum.frequency - beside, other)
    return share(spectrum, comb & ~at_rate(spectrum.frequency, own))


def main(folder: Path) -> None:
    """Explain, find the rate of the defect, draw."""
    start()
    rng, model = np.random.default_rng(0), Detector()
    kinds = [None, "BPFO", "BPFI"]
    x = {kind: np.array([draw(rng, kind) for _ in range(5)]).astype(np.float32) for kind in kinds}
    right = [
        float((model(torch.tensor(x[kind])).argmax(1) == i).float().mean()) for i, kind in enumerate(kinds)
    ]
    check("accuracy", float(np.mean(right)), 0.98)

    domain, flat = freqig.Envelope(*BAND) >> freqig.RFFT(), freqig.baselines.flat_envelope(*BAND)
    explainer = freqig.Explainer(model, fs=FS, domains=domain)
    squares = freqig.Explainer(lambda x: x.square().sum(1, keepdim=True), fs=FS, domains=domain)
    figure, axes = panels(2, 5)
    for target, (own, other) in enumerate((("BPFO", "BPFI"), ("BPFI", "BPFO")), 1):
        result = explainer(x[own], target=target, baseline=flat)
        spectrum = result.envelope_rfft.sel(envelope_row="envelope")
        energy = squares(x[own], target=0, baseline=flat).envelope_rfft.sel(envelope_row="envelope")
        found(spectrum, at_rate(spectrum.frequency, own), energy, 0.9)
        # What lies on the comb of the other defect is no more than what lies on any comb: the pump's knocks
        # let the envelope through at their own rate, and spread a little of everything everywhere.
        anywhere = [cross_share(spectrum, own, other, beside) for beside in (-21, -9, 7, 13, 17)]
        crossed = cross_share(spectrum, own, other)
        check(f"share at {other} over that of other combs", crossed / np.median(anywhere), at_most=1.5)
        quiet = np.array([draw(rng, own, pump=0) for _ in range(5)]).astype(np.float32)
        alone = explainer(quiet, target=target, baseline=flat).envelope_rfft.sel(envelope_row="envelope")
        check(f"share at {own} without the pump", share(alone, at_rate(alone.frequency, own)), 0.9)
        check(f"share at {other} without the pump", cross_share(alone, own, other), at_most=1e-3)
        print(f"evaluations: {result.n_evaluations.min().item()} to {result.n_evaluations.max().item()}")
        shown = result.assign(rfft=spectrum.drop_vars("envelope_row"))
        freqig.plots.spectrum(
            shown,
            markers={"BPFO": RATES["BPFO"], "BPFI": RATES["BPFI"], "pump": PUMP},
            max_frequency=330,
            signal=False,
            title=f"A defect of the {'outer' if target == 1 else 'inner'} ring",
            axes=axes[target - 1],
        )
    heading(
        figure,
        "At which rate does the ringing from 800 to 1,600 Hz come? The pump is louder than the bearing",
    )
    save(figure, folder, "bearing")


if __name__ == "__main__":
    run(main, __doc__)
