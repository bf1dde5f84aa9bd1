"""The cepstrum: how regular a spectrum is, such as the harmonics of a voice or the side bands of a gear."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..log_spectra import LogSpectrum
from ..signals.axes import times
from .base import Coords
from .nonlinear import NonlinearDomain

OTHERWISE = 0.02
"""Share of a difference by which a baseline may differ from the flat spectrum: as much as rounding to float32
makes of the phases of bins that are hardly above the floor."""
ROUNDING = 100
"""The same in eps of the signal's own size."""
NEAR = 10
"""Times the floor up to which another dtype may see a bin on its other side."""


class Cepstrum(NonlinearDomain):
    """Quefrencies, the Fourier transform of log|X|, with the phases of the input held.

    What repeats itself along a spectrum is a peak of its cepstrum (Bogert, Healy, Tukey: The quefrency
    alanysis of time series for echoes, 1963): harmonics of a pitch f at the quefrency 1/f (Noll 1967), side
    bands of a gear at the time of one turn (Randall 1982), an echo at its delay. The
    path is straight in log|X| and so in the cepstrum, from a flat spectrum with the phases of the input,
    `freqig.baselines.flat_log_spectrum()`, to the input. Attributions are those of
    `freqig.domains.nonlinear.NonlinearDomain`; they say what the shape of the spectrum did. The quefrency
    0 is the overall level, which is the same at both ends and gets nothing.

    log|X| is floored at eps · max|X|, eps = 1.2e-7 of float32. Bins at the floor are rounding: they are
    held as they are, and the result counts them as `cepstrum_n_held`, one number per sample, over all
    channels.

    Parameters
    ----------
    name : str, optional
        Name of the variable in the result, "cepstrum" by default.

    Raises
    ------
    ValueError
        When made ready for data: if a signal is zero throughout, or a baseline is not that of
        `freqig.baselines.flat_log_spectrum()` for the same signals.

    Examples
    --------
    >>> x = torch.zeros(64, dtype=torch.float64)
    >>> x[5], x[15] = 1.0, 0.5  # an echo after 10 samples
    >>> quefrencies = Cepstrum().analyze(x)[0]
    >>> quefrencies[1:].abs().argmax().item() + 1
    10
    >>> Cepstrum().coords(64, fs=8.0)["quefrency"][0][10].item()
    1.25
    """

    def prepare(self, x: Tensor, baseline: Tensor) -> Cepstrum:
        """Itself, once it is clear that baselines are flat and in phase with the input.

        Raises
        ------
        ValueError
            If a signal is zero throughout, or a baseline is another one.
        """
        silent = (x == 0).flatten(1).all(1)
        if bool(silent.any()):
            raise ValueError(
                f"x must not be zero throughout for domain {self.name!r}, as there is no logarithm of its "
                f"spectrum, got {int(silent.sum())} such samples: leave them out"
            )
        found, given = LogSpectrum.of(x), LogSpectrum.of(baseline).spectrum
        held = _held(found, given)
        wanted = torch.where(held, found.spectrum, found.at_level(found.mean(found.log(), ~held).exp()))
        # A flat spectrum lies above the floor. Silence does not, and would pass where most bins are at the
        # floor, as the flat spectrum is small too.
        clear = found.spectrum.abs() > NEAR * found.floor
        faint = found.mean(given.abs(), clear) < found.floor / 2
        otherwise, change = (given - wanted).norm(dim=-1), (given - found.spectrum).norm(dim=-1)
        rounding = ROUNDING * torch.finfo(x.dtype).eps * found.spectrum.norm(dim=-1)
        # Spectra of n samples, in each of which a little is lost below the normal numbers.
        rounding = rounding + x.shape[-1] ** 2 * torch.finfo(x.dtype).tiny
        if bool((otherwise > OTHERWISE * change + rounding).any() | faint.any()):
            raise ValueError(
                f"baseline for domain {self.name!r} must have a flat log spectrum and the phases of x, which "
                "are held, got another one: pass baseline=freqig.baselines.flat_log_spectrum()"
            )
        return self

    def admit(self, x: Tensor, baseline: Tensor) -> Tensor:
        """The signal with a flat log spectrum, whatever was given."""
        flat: Tensor = torch.fft.irfft(LogSpectrum.of(x).flattened(), x.shape[-1])
        return flat.to(x.dtype)

    def analyze(self, x: Tensor) -> Tensor:
        """Quefrencies; phases and amplitudes of what is held, which do not move; shape (..., 3, K)."""
        found = LogSpectrum.of(x)
        return _coordinates(found, found.log(), found.held).to(x.dtype)

    def coordinates(self, x: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        found, given = LogSpectrum.of(x), LogSpectrum.of(baseline).spectrum
        held = _held(found, given)
        log = found.log()
        ends = (log, torch.where(held, log, found.log(given)))
        c1, c0 = (_coordinates(found, end, held).to(x.dtype) for end in ends)
        return c1, c0

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        quefrencies, phase, fixed = c.unbind(-2)
        log = torch.fft.hfft(quefrencies.to(torch.promote_types(c.dtype, torch.complex64)), n)
        amplitude = torch.where(fixed < 0, log[..., : c.shape[-1]].exp(), fixed)
        signal: Tensor = torch.fft.irfft(torch.complex(amplitude * phase.cos(), amplitude * phase.sin()), n)
        return signal

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        (values,) = parts
        return values[..., 0, :]

    def coords(self, n: int, fs: float | None) -> Coords:
        values, unit = times(n, fs)
        return {"quefrency": (np.asarray(values)[: n // 2 + 1], unit)}

    def counts(self, c: Tensor) -> dict[str, Tensor]:
        """How many bins of each sample are held."""
        return {"n_held": (c[..., 2, :] >= 0).flatten(1).sum(1)}


def _coordinates(found: LogSpectrum, log: Tensor, held: Tensor) -> Tensor:
    quefrencies = torch.fft.irfft(log.to(found.spectrum.dtype), found.n)[..., : log.shape[-1]]
    # What is held is no number below zero, and what is free has none.
    fixed = torch.where(held, found.spectrum.abs(), -1.0)
    return torch.stack([quefrencies, found.spectrum.angle(), fixed], -2)


def _held(found: LogSpectrum, given: Tensor) -> Tensor:
    """Bins near the floor that a baseline left as they are, bool, shape (..., K)."""
    near = found.spectrum.abs() <= NEAR * found.floor
    level = found.mean(given.abs(), ~near)
    return near & ((given - found.spectrum).abs() <= (given - found.at_level(level)).abs())
