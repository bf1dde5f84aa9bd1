"""Short-time Fourier transform: which frequencies, and when."""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from .._check import check_positive, exact
from .._keywords import says_what_is_meant
from .base import Coefficients, Coords, as_tuple
from .shaft import OfShaft
from .turns import angle_times
from .windows import Taper, read_taper, samples_in, taper_values

# Below this share of its maximum the sum of squared tapers is rounding, not coverage.
UNCOVERED = 1e-10
LONGEST = 64
"""Length of a window over that of the signal beyond which it would hold little but zeros."""


class STFT(OfShaft):
    """Short-time Fourier transform over frames whose centres run from the first sample on.

    The series is padded with zeros so that every sample lies between the centres of two frames,
    the tails included. Synthesis is the least-squares inverse of Griffin and Lim (1984), eq. 6:
    overlap-add of the tapered frames, divided by the sum of squared tapers.

    Parameters
    ----------
    window : float, default 2.0
        Length of a frame in s, rounded to whole samples.
    hop : float, optional
        Step between frames in s; half a window by default.
    taper : str, array-like or callable, default "hann"
        One of "bartlett", "blackman", "boxcar", "cosine", "hamming", "hann", "nuttall" in their
        periodic form, the values of the taper, or a function from the number of samples to them.
    name : str, optional
        Name of the variable in the result, "stft" by default.
    orders : float or array-like, optional
        Speed of a shaft in Hz, as for `RFFT`: frequencies are then orders, multiples of it. One number
        divides the frequencies by it. With a track, shape (n,), or a row for each sample, frames follow one
        another over the angle of the shaft and hold equal numbers of turns: as many as `window` and `hop`
        have at the mean speed, of rows that of the sample with the most turns. Their times are those at which
        the shaft passed their centres; of rows, which differ in that, they are turns.

    Raises
    ------
    TypeError, ValueError
        If window or hop is not above zero, the taper unknown, or the speed not finite and above 0; when bound
        to a signal: if the sampling rate is unknown, if window, hop and taper leave samples uncovered, or the
        speed does not fit, see `RFFT`.

    Examples
    --------
    >>> stft = STFT(window=0.5).bind((20,), fs=16.0)
    >>> x = torch.arange(20.0)
    >>> stft.analyze(x).shape
    torch.Size([5, 6])
    >>> torch.allclose(stft.synthesize(stft.analyze(x), 20), x, atol=1e-5)
    True
    >>> stft.coords(20, fs=16.0)["time"]
    (array([0.  , 0.25, 0.5 , 0.75, 1.  , 1.25]), 's')
    """

    affine = False

    @says_what_is_meant
    def __init__(
        self,
        window: float = 2.0,
        hop: float | None = None,
        taper: Taper = "hann",
        name: str | None = None,
        *,
        orders: Any = None,
    ) -> None:
        super().__init__(name)
        if orders is not None:
            self._take(orders)
        self.window = check_positive(window, "window")
        self.hop = None if hop is None else check_positive(hop, "hop")
        self.taper = read_taper(taper)
        self._length = self._step = 0
        self._taper = self._coverage = torch.empty(0)

    def __repr__(self) -> str:
        taper = self.taper if isinstance(self.taper, str) else "given"
        given = f"window={exact(self.window)}, hop={self.hop}, taper={taper!r}, name={self.name!r}"
        return f"STFT({given}{self._orders_shown()})"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> STFT:
        bound = copy.copy(self._bound(shape[-1], fs))
        n = bound._size(shape[-1])
        rate = fs if fs is None or bound._grid is None else fs * n / shape[-1]
        bound._length = samples_in(self.window, rate, "window", self.name)
        if bound._length > max(LONGEST * n, LONGEST**2):
            raise ValueError(
                f"window of domain {self.name!r} must be at most {LONGEST} times as long as the signal of "
                f"{n} samples, got {bound._length} samples"
            )
        half = max(1, bound._length // 2)
        bound._step = half if self.hop is None else samples_in(self.hop, rate, "hop", self.name)
        bound._taper = taper_values(self.taper, bound._length, self.name)
        bound._coverage = coverage = bound._squares(n)
        if not coverage.min() > UNCOVERED * coverage.max():
            uncovered = int((coverage <= UNCOVERED * coverage.max()).sum())
            raise ValueError(
                f"hop of domain {self.name!r} must be so small that tapered frames cover every sample, "
                f"got {bound._step} samples for a window of {bound._length}, which leaves {uncovered} of "
                f"{n} samples where all tapers vanish: choose a hop of half a window or less, "
                "or a taper that is not zero at its ends"
            )
        return bound

    def analyze(self, x: Tensor) -> Coefficients:
        """Spectra of the frames, complex, shape (..., length // 2 + 1, frames)."""
        series, held = self._over_angle(x)
        spectra = self._spectra(series)
        return (spectra, *held) if held else spectra

    def synthesize(self, c: Any, n: int) -> Tensor:
        spectra, *held = as_tuple(c)
        frames = torch.fft.irfft(spectra.transpose(-1, -2), self._length)
        added = self._overlap_add(frames * self._taper.to(frames), self._size(n))
        return self._in_time(added / self._coverage.to(frames), held, n)

    def adjoint(self, c: Coefficients, gradient: Tensor) -> tuple[Tensor, ...]:
        if self.resampled:
            return super().adjoint(c, gradient)
        # Every step backwards: frames of the gradient over the coverage, tapered. The inverse RFFT has
        # the RFFT times 2 / length as its adjoint, where all but DC and Nyquist stand for two bins.
        wanted = gradient.to(as_tuple(c)[0].real)
        weights = wanted.new_full((self._length // 2 + 1, 1), 2 / self._length)
        weights[0] = 1 / self._length
        if self._length % 2 == 0:
            weights[-1] = 1 / self._length
        return (self._spectra(wanted / self._coverage.to(wanted)) * weights,)

    def coords(self, n: int, fs: float | None) -> Coords:
        if fs is None or not self._length:
            return self.bind((n,), fs).coords(n, fs)
        grid, centres = self._grid, np.arange(self._count(self._size(n))) * self._step
        if grid is None or not isinstance(self.speed, np.ndarray):
            hertz, at = np.fft.rfftfreq(self._length, 1 / fs), (centres / fs, "s")
            frequency = (hertz, "Hz") if self.speed is None else (hertz / self.speed, "orders")
        else:
            turns = centres * grid.turns / grid.count
            frequency = (np.fft.rfftfreq(self._length, grid.turns / grid.count), "orders")
            at = (turns, "turns") if self.by_sample else (angle_times(self.speed, turns, n, fs), "s")
        return {"frequency": frequency, "time": at}

    def remark(self, n: int) -> str:
        size = self._size(n)
        if self._length <= size:
            return ""
        return (
            f"window of domain {self.name!r} is {self.window:g} s, longer than the signal of "
            f"{self.window * size / self._length:.3g} s, so each of its {self._count(size)} frames sees most "
            "of it and they hardly tell times apart: choose a window of a fraction of the signal, or RFFT()"
        )

    def _spectra(self, x: Tensor) -> Tensor:
        left, right = self._padding(x.shape[-1])
        frames = pad(x, (left, right)).unfold(-1, self._length, self._step)
        spectra: Tensor = torch.fft.rfft(frames * self._taper.to(x))
        return spectra.transpose(-1, -2)

    def _count(self, n: int) -> int:
        # Centres at 0, step, 2 step, ... up to the first at or beyond the last sample: then the
        # tails are covered as well as the middle.
        return -(-(n - 1) // self._step) + 1

    def _padding(self, n: int) -> tuple[int, int]:
        if not self._length:
            raise ValueError(f"domain {self.name!r} must be bound to a sampling rate first: bind(shape, fs)")
        left = self._length // 2
        return left, (self._count(n) - 1) * self._step + self._length - left - n

    def _overlap_add(self, frames: Tensor, n: int) -> Tensor:
        """Sum of frames at their places: the adjoint of unfolding the padded series."""
        left, _ = self._padding(n)
        step = self._step
        # Frames cut into blocks of one step: block r of frame k lands on block k + r.
        blocks = -(-self._length // step)
        padded = pad(frames, (0, blocks * step - self._length))
        cut = padded.reshape(*frames.shape[:-1], blocks, step)
        # Padded and added, since autograd is slow at additions in place; unbound, since the gradient
        # of a selection is as large as what it selects from, once for every block.
        shifted = (pad(block, (0, 0, r, blocks - 1 - r)) for r, block in enumerate(cut.unbind(-2)))
        total = functools.reduce(torch.add, shifted)
        return total.flatten(-2)[..., left : left + n]

    def _squares(self, n: int) -> Tensor:
        """Sum of squared tapers over every sample, float64, shape (n,)."""
        return self._overlap_add(self._taper.square().expand(self._count(n), -1), n)
