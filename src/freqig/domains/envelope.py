"""The amplitude of a band over time, its carrier held: knocks of a bearing, syllables, waxing rhythms."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from .._keywords import says_what_is_meant
from ..carriers import Carried, CarrierBand
from ..signals.axes import times
from .base import Coords, Domain

ELSEWHERE = 1e-3
"""Share of a difference that may lie elsewhere than in the envelope. Rounding of signals makes that much
where an envelope nearly vanishes; what lies elsewhere is the row `rest`."""
ROUNDING = 100
"""The same in eps of the signal's own size, for differences that are nothing but rounding."""


class Envelope(Domain):
    """Amplitude over time of the band from `low` to `high`, its carrier held.

    The band of x is e · c, an envelope e times a carrier c, the cosine of its phase (by the analytic
    signal of the band, low ≤ f < high). With the carrier of the input held, e ↦ e · c is linear, so
    attributions follow from the common path: e - e' at a time, times c · ḡ. ``Envelope(low, high) >>
    RFFT()`` is the envelope spectrum in Hz: which modulation of the band mattered, such as the rate at
    which a damaged bearing knocks (Randall and Antoni, Rolling element bearing diagnostics, 2011).

    Input and baseline must differ in the envelope alone, which must be flat in the baseline:
    x' = x + (ē - e) · c, as `freqig.baselines.flat_envelope` makes it with the same edges, or
    `freqig.baselines.band_removed`, where ē = 0. What lies outside the band stays as it is, so that
    attributions sum to what the envelope did.

    There are two rows. Where the envelope is at most 1e-6 of its largest value there is no telling
    the carrier: the signal is kept there and belongs to the row `rest`, as does everything outside the
    band. Of the difference the rest is rounding.

    Parameters
    ----------
    low, high : float
        Edges of the band in Hz, 0 ≤ low < high, high at most half of the sampling rate.
    name : str, optional
        Name of the variable in the result, "envelope" by default.

    Raises
    ------
    TypeError, ValueError
        If the edges are not numbers in this order; when bound to a signal: if the sampling rate is
        unknown or too low; when made ready for data: if a baseline differs in more than the envelope.

    Examples
    --------
    >>> from freqig import RFFT
    >>> from freqig.baselines import flat_envelope
    >>> t = torch.arange(200) / 200
    >>> x = (1 + 0.5 * torch.cos(2 * torch.pi * 4 * t)) * torch.cos(2 * torch.pi * 50 * t)
    >>> spectrum = (Envelope(30, 70) >> RFFT()).bind((200,), fs=200.0)
    >>> c = spectrum.analyze_pair(x, flat_envelope(30, 70).draw(x[None], fs=200.0)[0, 0])
    >>> spectrum.coords(200, fs=200.0)["frequency"][0][c[0][0].abs().argmax()].item()
    4.0
    """

    shared = ("channel", "time")
    series = True
    # By the row `rest`.
    inverts = "always"
    held = 1

    @says_what_is_meant
    def __init__(self, low: float, high: float, name: str | None = None) -> None:
        super().__init__(name)
        self.band = CarrierBand.read(low, high, f"domain {self.name!r}")
        self._fs: float | None = None

    def __repr__(self) -> str:
        return f"Envelope(low={self.band.low!r}, high={self.band.high!r}, name={self.name!r})"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Envelope:
        bound = copy.copy(self)
        bound._fs = self.band.check(fs)
        return bound

    def prepare(self, x: Tensor, baseline: Tensor) -> Envelope:
        """Itself, once it is clear that input and baseline differ in the envelope alone.

        Raises
        ------
        ValueError
            If a baseline leaves the carrier that is held, or changes what lies outside the band.
        """
        rows, _ = self.analyze_pair(x, baseline)
        elsewhere, size = rows[..., 1, :].double().norm(dim=-1), (x - baseline).double().norm(dim=-1)
        kind = torch.finfo(x.dtype)
        rounding = ROUNDING * kind.eps * x.double().norm(dim=-1) + x.shape[-1] * kind.tiny
        if bool((elsewhere > ELSEWHERE * size + rounding).any()):
            low, high = self.band.low, self.band.high
            share = float((elsewhere / size).nan_to_num().max())
            raise ValueError(
                f"baseline for domain {self.name!r} must be x with a flat envelope of the band from {low:g} "
                f"to {high:g} Hz, its carrier held, got one of which {share:.2g} of the difference from x "
                f"lies elsewhere: pass baseline=freqig.baselines.flat_envelope({low!r}, {high!r})"
            )
        return self

    def admit(self, x: Tensor, baseline: Tensor) -> Tensor:
        """X with an envelope as flat as it is strong in the given baseline."""
        ours, theirs = self._split(x), self._split(baseline)
        return (x - ours.above(theirs.level) * ours.carrier).to(x.dtype)

    def analyze(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Envelope and rest, shape (..., 2, n), and the carrier, which is held, shape (..., n)."""
        found = self._split(x)
        return self._rows(found.envelope, found.carrier, x)

    def analyze_pair(self, x: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        """E - e' and what it leaves of x - x', shape (..., 2, n), and the carrier of x, shape (..., n)."""
        found = self._split(x)
        delta = x - baseline
        # The flat envelope that explains most of δ = (e - ē) c. Dividing δ by c would not do, as c
        # crosses zero all the time.
        carrier = found.carrier
        power = carrier.square().sum(-1, keepdim=True)
        level = ((found.envelope * carrier - delta) * carrier).sum(-1, keepdim=True) / power
        return self._rows(found.above(torch.where(power > 0, level, 0.0)), carrier, delta)

    def synthesize(self, c: tuple[Tensor, Tensor], n: int) -> Tensor:
        rows, carrier = c
        return rows[..., 0, :] * carrier + rows[..., 1, :]

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"row": ["envelope", "rest"], "time": times(n, fs)}

    def _split(self, x: Tensor) -> Carried:
        if self._fs is None:
            raise ValueError(f"domain {self.name!r} must be bound to a sampling rate first: bind(shape, fs)")
        return self.band.split(x, self._fs)

    def _rows(self, envelope: Tensor, carrier: Tensor, whole: Tensor) -> tuple[Tensor, Tensor]:
        # In the dtype of the coefficients, so that they make up the whole to its last digits.
        envelope, carrier = envelope.to(whole.dtype), carrier.to(whole.dtype)
        return torch.stack([envelope, whole - envelope * carrier], -2), carrier
