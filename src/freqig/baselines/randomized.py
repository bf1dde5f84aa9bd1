"""Random baselines: surrogates with other phases, and power-law noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_draws, check_flag, check_number, check_seed
from .._keywords import says_what_is_meant
from .base import Baseline, wide

STEEPEST = 100.0
"""Exponent beyond which one frequency holds all of the noise."""


@says_what_is_meant
def surrogate(seed: int = 0, *, together: bool = False, draws: int = 1) -> Baseline:
    """The same magnitudes with random phases: what did the phases do, the power spectrum as it is.

    Transients, bursts and the shape of a wave are gone; means, variances and power spectra stay.
    DC stays as it is, Nyquist gets a random sign, and every other phase is turned by a random
    angle, uniform on the circle (Theiler et al., Testing for nonlinearity in time series: the
    method of surrogate data, 1992).

    Parameters
    ----------
    seed : int, default 0
        Seed of a generator of its own. A sample's surrogate depends on its place in the batch and
        not on the other samples.
    together : bool, default False
        Whether all channels of a sample are turned by the same angles, which keeps how they are
        related to each other: cross-spectra and coherence (Prichard and Theiler, Generating
        surrogate data for time series with several simultaneously measured variables, 1994).
    draws : int, default 1
        Number of surrogates that attributions are averaged over.

    Returns
    -------
    Baseline
        Real signals, in float64.

    Raises
    ------
    TypeError, ValueError
        If seed or draws are not whole numbers, or too small.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 0.0, 5.0, 0.0, 0.0]], dtype=torch.float64)
    >>> other = surrogate(seed=1).draw(x, fs=None)[0]
    >>> torch.allclose(torch.fft.rfft(other).abs(), torch.fft.rfft(x).abs()), torch.allclose(other, x)
    (True, False)
    """
    return _Surrogate(check_seed(seed, "seed"), check_flag(together, "together"), check_draws(draws, "draws"))


@says_what_is_meant
def noise(power: float = -1.0, seed: int = 0, *, draws: int = 1) -> Baseline:
    """Random noise with a power spectrum f^power: what sets the signal apart from such noise.

    With the default, 1/f, this is the background of many natural signals. Every series gets
    noise of its own mean and of exactly its own variance, so that only the distribution of that
    variance over frequencies and times is explained, and not its size.

    Parameters
    ----------
    power : float, default -1
        Exponent of the power spectral density: 0 is white, -1 pink, -2 brown.
    seed : int, default 0
        Seed of a generator of its own. The noise of a sample depends on its place in the batch
        and not on the other samples.
    draws : int, default 1
        Number of noises that attributions are averaged over.

    Returns
    -------
    Baseline
        Gaussian noise, made in frequency (Timmer and König, On generating power law noise, 1995),
        in float64.

    Raises
    ------
    TypeError, ValueError
        If the power is no finite number, or seed or draws are not whole numbers, or too small.

    Examples
    --------
    >>> x = torch.tensor([[1.0, 3.0, 1.0, 3.0]], dtype=torch.float64)
    >>> other = noise(seed=1).draw(x, fs=None)[0]
    >>> round(other.mean().item(), 9), round(other.std(correction=0).item(), 9)
    (2.0, 1.0)
    """
    return _Noise(_read_power(power), check_seed(seed, "seed"), check_draws(draws, "draws"))


def _read_power(power: Any) -> float:
    number = check_number(power, "power")
    if not abs(number) <= STEEPEST:
        raise ValueError(f"power must be finite and no steeper than {STEEPEST:g}, got {power}")
    return number


@dataclass(frozen=True)
class _Surrogate(Baseline):
    seed: int
    together: bool
    draws: int

    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        n, spectrum = x.shape[-1], torch.fft.rfft(wide(x))
        turns = np.ones((self.draws, *spectrum.shape), dtype=complex)
        shape = (1,) * (x.ndim - 2) if self.together else x.shape[1:-1]
        for place, generator in _generators(self.seed, self.draws, len(x)):
            angles = generator.uniform(-np.pi, np.pi, (*shape, spectrum.shape[-1]))
            turns[place] = np.exp(1j * angles)
        turns[..., 0] = 1
        if n % 2 == 0:
            # Real, as the bin must be: a random sign.
            turns[..., -1] = np.where(turns[..., -1].imag < 0, -1, 1)
        other: Tensor = torch.fft.irfft(spectrum * torch.from_numpy(turns).to(spectrum), n)
        return other

    def describe(self) -> dict[str, Any]:
        return {"name": "surrogate", **asdict(self)}


@dataclass(frozen=True)
class _Noise(Baseline):
    power: float
    seed: int
    draws: int

    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        n = x.shape[-1]
        k = np.arange(n // 2 + 1)
        amplitude = np.zeros(len(k))
        # Relative to the highest frequency, so that steep powers do not overflow.
        amplitude[1:] = (k[1:] / k[-1]) ** (self.power / 2) if n > 1 else 0
        if n % 2 == 0:
            # The bin at Nyquist is real: without its imaginary part it would have half of the power.
            amplitude[-1] *= np.sqrt(2)
        made = np.zeros((self.draws, *x.shape))
        for place, generator in _generators(self.seed, self.draws, len(x)):
            real, imaginary = generator.normal(size=(2, *x.shape[1:-1], len(k)))
            made[place] = np.fft.irfft(amplitude * (real + 1j * imaginary), n)
        deviation = made.std(-1, keepdims=True)
        series = wide(x)
        unit = made / np.where(deviation > 0, deviation, 1)
        mean, scale = series.mean(-1, keepdim=True), series.std(-1, keepdim=True, correction=0)
        return mean + scale * torch.from_numpy(unit).to(series)

    def describe(self) -> dict[str, Any]:
        return {"name": "noise", **asdict(self)}


def _generators(
    seed: int, draws: int, n_samples: int
) -> Iterator[tuple[tuple[int, int], np.random.Generator]]:
    """A generator for every draw and sample: none depends on how many others there are."""
    for draw in range(draws):
        for sample in range(n_samples):
            yield (draw, sample), np.random.default_rng((seed, draw, sample))
