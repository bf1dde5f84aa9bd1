"""A tight frame of band filters: when did a rhythm matter."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from .._check import check_positive
from .._keywords import says_what_is_meant
from ..band_edges import named_bands
from ..band_scales import SCALES, inside
from ..signals.axes import times
from .base import Coefficients, Coordinate, Coords, Domain, as_tuple

REST = "rest"
SHARP = 1e-9
"""Half width of a transition in Hz below which it is a step."""


class FilterBank(Domain):
    """Bands × time, by zero-phase filters with gains √H_b, Σ_b H_b = 1.

    Analysis and synthesis both filter with √H_b, so the attribution of a band at a time is the
    product of what the band holds of δ with what it holds of the path-averaged gradient: a tight
    frame (Vetterli and Kovačević 1995, section 5.3). With H_b at the analysis alone, any gradient
    at that time would do, whatever its band. Everything outside the bands is the band `rest`.

    Filters act on the discrete Fourier transform of the whole series, which is periodic: what
    leaves at one end comes in at the other.

    Parameters
    ----------
    bands : str or mapping of str to (float, float), default "sleep"
        A preset of `freqig.bands`, "sleep" or "eeg", a scale, "mel", "third-octave" or "octave", or
        edges (low, high) in Hz by name; gaps are allowed.
    transition : float, optional
        Width in Hz over which a band passes into the next, H_b following a raised cosine that is
        ½ at the edge; narrower where edges are closer than that, so that no more than two bands
        share a frequency. 0 gives sharp, half-open bands [low, high), which ring longer in time.
        By default 1.0 Hz, and as wide as the bands of a scale allow.
    name : str, optional
        Name of the variable in the result, "filterbank" by default.
    n : int, optional
        Number of bands of a scale, see `freqig.bands`.

    Raises
    ------
    ValueError, TypeError
        If bands are not as `freqig.bands` wants them, the transition is negative, or `n` is given
        for bands that are no scale; when bound to a signal: if the sampling rate is unknown.

    Examples
    --------
    >>> bank = FilterBank({"alpha": (8, 12)}).bind((200,), fs=100.0)
    >>> t = torch.arange(200) / 100
    >>> tone = torch.sin(2 * torch.pi * 10 * t)
    >>> values = bank.attribution(tone, tone)
    >>> values.shape, [round(float(v)) for v in values.sum(-1)]
    (torch.Size([2, 200]), [100, 0])
    >>> list(FilterBank("octave", n=3).bind((200,), fs=100.0).bands)
    ['8 Hz', '16 Hz', '31.5 Hz']
    """

    shared = ("channel", "time")
    inverts = "always"
    affine = False

    @says_what_is_meant
    def __init__(
        self,
        bands: str | Mapping[str, tuple[float, float]] = "sleep",
        transition: float | None = None,
        name: str | None = None,
        *,
        n: int | None = None,
    ) -> None:
        super().__init__(name)
        self.scale = bands if isinstance(bands, str) and bands in SCALES else None
        self.n = n
        # Those of a scale are known with the sampling rate; here it is checked what was asked for.
        found = named_bands(bands, 1.0 if self.scale else None, n)
        self.bands = {} if self.scale else found
        if transition is not None:
            self.transition = check_positive(transition, "transition", zero_allowed=True)
        else:
            self.transition = np.inf if self.scale else 1.0
        self._nyquist = np.inf
        self._gains = torch.empty(0)

    def __repr__(self) -> str:
        transition = None if self.transition == np.inf else self.transition
        number = f", n={self.n}" if self.n is not None else ""
        bands = self.scale or self.bands
        return f"FilterBank(bands={bands!r}, transition={transition}, name={self.name!r}{number})"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> FilterBank:
        if fs is None:
            raise ValueError(
                f"bands of domain {self.name!r} are in Hz, so the sampling rate must be known: pass fs= in Hz"
            )
        bound = copy.copy(self)
        bound._nyquist = fs / 2
        if self.scale is not None:
            bound.bands = named_bands(self.scale, fs / 2, self.n)
        frequency = np.fft.rfftfreq(shape[-1], 1 / fs)
        bound._gains = torch.from_numpy(np.sqrt(bound.weights(frequency)))
        return bound

    def weights(self, frequency: np.ndarray) -> np.ndarray:
        """H_b at some frequencies.

        Parameters
        ----------
        frequency : numpy.ndarray
            Frequencies in Hz, shape (f,).

        Returns
        -------
        numpy.ndarray
            Non-negative, float64, shape (bands + 1, f), the last row `rest`; columns add up to 1.
        """
        edges = sorted({edge for pair in self.bands.values() for edge in pair} - {0.0})
        # Between consecutive edges lies a stretch of one band, or of the rest. Differences of one
        # rising step an edge add up to 1 whatever the steps are.
        steps = [np.ones_like(frequency), *self._steps(edges, frequency), np.zeros_like(frequency)]
        starts = [0.0, *edges]
        rows = {name: np.zeros_like(frequency) for name in (*self.bands, REST)}
        for i, start in enumerate(starts):
            holder = (name for name, (low, high) in self.bands.items() if low <= start < high)
            rows[next(holder, REST)] += np.maximum(steps[i] - steps[i + 1], 0)
        return np.stack(list(rows.values()))

    def _steps(self, edges: list[float], frequency: np.ndarray) -> list[np.ndarray]:
        """For every edge a step that rises from 0 to 1 around it."""
        # Nothing lies beyond half of the sampling rate that a band could share with.
        bounds = np.minimum([0.0, *edges, np.inf], self._nyquist)
        steps = []
        for i, edge in enumerate(edges):
            half = min(self.transition, *np.diff(bounds[i : i + 3])) / 2
            if half <= SHARP:
                steps.append(inside(edge, np.inf, frequency).astype(float))
            else:
                position = np.clip((frequency - edge) / half, -1, 1)
                steps.append((1 + np.sin(np.pi / 2 * position)) / 2)
        return steps

    def analyze(self, x: Tensor) -> Tensor:
        """What every band holds, shape (..., band, n)."""
        return self._filter(torch.fft.rfft(x).unsqueeze(-2), x.shape[-1])

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        # The sum over bands before the inverse transform, of which one is enough.
        gains = self._gains.to(c)
        signal: Tensor = torch.fft.irfft((torch.fft.rfft(c) * gains).sum(-2), n)
        return signal

    def adjoint(self, c: Coefficients, gradient: Tensor) -> tuple[Tensor, ...]:
        # Filters of zero phase are their own adjoints.
        return (self.analyze(gradient.to(as_tuple(c)[0])),)

    def _filter(self, spectrum: Tensor, n: int) -> Tensor:
        if not len(self._gains):
            raise ValueError(f"domain {self.name!r} must be bound to a sampling rate first: bind(shape, fs)")
        filtered: Tensor = torch.fft.irfft(spectrum * self._gains.to(spectrum.real), n)
        return filtered

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"band": [*self.bands, REST], "time": times(n, fs)}

    def auxiliary(self, n: int, fs: float | None) -> Mapping[str, tuple[tuple[str, ...], Coordinate, str]]:
        low, high = zip(*self.bands.values(), (np.nan, np.nan), strict=True)
        return {"low": (("band",), np.array(low), "Hz"), "high": (("band",), np.array(high), "Hz")}

    def remark(self, n: int) -> str:
        if self.scale is None:
            return ""
        empty = [name for name, gain in zip(self.bands, self._gains, strict=False) if not gain.any()]
        if not empty:
            return ""
        step = 2 * self._nyquist / n
        return (
            f"{len(empty)} bands of domain {self.name!r} hold no frequency of a signal of {n} samples, which "
            f"knows multiples of {step:.3g} Hz, such as {empty[0]!r}: take fewer bands or longer signals"
        )
