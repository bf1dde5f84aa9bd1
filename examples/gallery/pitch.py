"""The pitch of a voice: a network tells two pitches apart, and the cepstrum says by which period."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from _shared import check, found, heading, panels, run, save, start, train
from torch import Tensor, nn

import freqig

FS, N = 4000.0, 800
TIME = np.arange(N) / FS
PITCHES = (125.0, 160.0)


class Listener(nn.Module):
    """A small network of the logarithm of the spectrum, as many of sounds are."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(N // 2 + 1, 16), nn.Softplus(), nn.Linear(16, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of signals, shape (batch, time)."""
        return self.layers(torch.log(torch.fft.rfft(x).abs().square() + 1e-3))


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Vowels of either pitch, any formants, and a louder voice of any pitch below, shape (size, N)."""
    high = rng.integers(0, 2, size)
    x = 0.03 * rng.standard_normal((size, N))
    voices = [(np.array(PITCHES)[high], 1), (rng.uniform(75, 105, size), 2)]
    for i, pitch, loud in ((i, pitch, loud) for pitches, loud in voices for i, pitch in enumerate(pitches)):
        harmonics = np.arange(pitch, FS / 2, pitch)
        formants = rng.uniform((300, 1000), (900, 1900))
        gains = 0.1 + sum(1 / (1 + ((harmonics - f) / 150) ** 2) for f in formants)
        phases = rng.uniform(0, 2 * np.pi, (harmonics.size, 1))
        x[i] += loud * rng.uniform(0.7, 1) * gains @ np.cos(2 * np.pi * harmonics[:, None] * TIME + phases)
    return x, high


def main(folder: Path) -> None:
    """Train, explain, find the period of the pitch, draw."""
    start()
    model = Listener()
    check("accuracy", train(model, draw, 120), 0.98)
    x, high = draw(np.random.default_rng(2), 40)
    x = x.astype(np.float32)
    domain, flat = freqig.Cepstrum(), freqig.baselines.flat_log_spectrum()
    explainer = freqig.Explainer(model, fs=FS, output="margin", domains=domain)
    squares = freqig.Explainer(lambda x: x.square().sum(1, keepdim=True), fs=FS, domains=domain)

    figure, axes = panels(2, 5)
    for target, (pitch, panel) in enumerate(zip(PITCHES, axes, strict=True)):
        with warnings.catch_warnings():
            # Of a flat spectrum the network says one of the two pitches, as it knows no third answer.
            warnings.simplefilter("ignore", freqig.errors.EmptyExplanationWarning)
            result = explainer(x[high == target], target=target, baseline=flat)
        mean = result.cepstrum.mean("sample")
        quefrency = mean.cepstrum_quefrency
        # The period and its multiples, a sample to either side.
        multiple = (quefrency * pitch).round().clip(min=1)
        inside = abs(quefrency - multiple / pitch) <= 1.01 / FS
        energy = squares(x[high == target], target=0, baseline=flat).cepstrum.mean("sample")
        found(mean, inside, energy, 0.75)
        print(f"evaluations: {int(result.cepstrum_n_evaluations.max())}")
        panel.bar(1000 * quefrency, mean, 1000 / FS, color=np.where(mean > 0, "#8c1515", "#7fb5d5"))
        panel.axvline(1000 / pitch, color="0.4", linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        panel.set(xlim=(0, 40), xlabel="quefrency (ms)", ylabel="attribution (logit)")
        panel.set_title(
            f"A voice of {pitch:g} Hz, a period of {1000 / pitch:g} ms", fontsize="medium", loc="left"
        )
    heading(figure, "Which of two pitches? Formants, phases and a louder, lower voice tell nothing")
    save(figure, folder, "pitch")


if __name__ == "__main__":
    run(main, __doc__)
