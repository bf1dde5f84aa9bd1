"""A detector of knocks: how loud the amplitude of a band is at the rates of defects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .._typing import Float

HALF, STEP = 64, 4
SILENCE, THRESHOLD = 1e-4, 1.5e-3


class Knocks(nn.Module):
    """A band around a resonance, its amplitude over time, and how loud that is at the rates of defects.

    Parameters
    ----------
    rates : sequence of float
        Rates of the defects in Hz.
    band : (float, float)
        Edges of the band in Hz.
    harmonics : int
        Multiples of each rate that are heard, from 1 on.
    fs : float
        Sampling rate in Hz.
    n : int
        Samples of a series.
    """

    filter: Tensor
    waves: Tensor

    def __init__(
        self, rates: Sequence[float], band: tuple[float, float], harmonics: int, fs: float, n: int
    ) -> None:
        super().__init__()
        self.harmonics = harmonics
        taps = np.arange(-HALF, HALF + 1) / fs
        low, high = (2 * edge * np.sinc(2 * edge * taps) for edge in band)
        # A band-pass as the difference of two low-passes, and a window that tapers it.
        self.register_buffer("filter", torch.tensor((high - low) * np.hanning(taps.size) / fs).double())
        multiples = np.outer(rates, np.arange(1, harmonics + 1)).ravel()
        steps = n // STEP
        angle = 2 * np.pi * multiples[:, None] * np.arange(steps) * STEP / fs
        waves = np.stack([np.cos(angle), np.sin(angle)]) * np.hanning(steps) / (steps / 2)
        self.register_buffer("waves", torch.tensor(waves).double())

    def forward(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch class"]:
        """Logits of series: sound, and a defect of each rate."""
        # By spectra, for a convolution of float64 takes eight times as long; with zeros between the end of a
        # series and its beginning, which would meet there.
        length = 1 << (x.shape[-1] + 2 * HALF - 1).bit_length()
        spectrum = torch.fft.rfft(x.to(self.filter.dtype), length) * torch.fft.rfft(self.filter, length)
        heard = torch.fft.irfft(spectrum, length)[..., HALF : HALF + x.shape[-1]]
        amplitude = nn.functional.avg_pool1d(heard.square(), STEP)[:, 0].clamp_min(1e-9).sqrt()
        loud = torch.einsum("bt,pmt->bmp", amplitude, self.waves).square().sum(-1)
        found = torch.log(SILENCE + loud.reshape(len(loud), -1, self.harmonics).sum(-1))
        sound = torch.full_like(found[:, :1], float(np.log(THRESHOLD)))
        return torch.cat([sound, found], 1).to(x.dtype)
