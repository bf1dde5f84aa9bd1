"""Examples of every domain, on which the tests run: a domain added here is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from freqig.domains import (
    ICA,
    RFFT,
    STFT,
    Cepstrum,
    Components,
    Domain,
    Envelope,
    FilterBank,
    Polar,
    Segments,
    Spatial,
    Time,
    Wavelet,
)

FS = 16.0
"""Sampling rate in Hz of the signals that the examples are made for."""


@dataclass(frozen=True)
class Example:
    """How to make a domain for a test.

    Parameters
    ----------
    label : str
        What tells it from other examples.
    make : callable
        From a number of channels to the domain, for signals of any length sampled at `FS`.
    needs : tuple of str
        Optional libraries without which there is no such domain.
    """

    label: str
    make: Callable[[int], Domain]
    needs: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """Whether the libraries it needs are installed."""
        return all(find_spec(library) is not None for library in self.needs)


def matrix(rows: int, columns: int) -> np.ndarray:
    """A matrix of full rank with nothing special about it, for examples."""
    return np.random.default_rng(0).normal(size=(rows, columns))


def trend_and_cycle(series: np.ndarray) -> dict[str, np.ndarray]:
    """A decomposition that is not linear and leaves something over, for examples."""
    trend = np.cumsum(series, -1) / np.arange(1, series.shape[-1] + 1)
    return {"trend": trend, "extremes": np.clip(series - trend, -1, 1)}


class OfAnyLength(RFFT):
    """Orders of a shaft that speeds up and slows down, for signals of any length."""

    inverts = "checked"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> RFFT:
        n = shape[-1]
        return RFFT(self.name, orders=2 + np.sin(np.arange(n) / 5)).bind(shape, fs)


class FramesOfAnyLength(STFT):
    """Frames over the angle of such a shaft."""

    def bind(self, shape: tuple[int, ...], fs: float | None) -> STFT:
        return STFT(self.window, orders=2 + np.sin(np.arange(shape[-1]) / 5)).bind(shape, fs)


def _chain(channels: int) -> Domain:
    return Spatial(matrix(channels + 1, channels)) >> ICA(matrix(channels + 1, 2)) >> STFT(window=0.5)


EXAMPLES = [
    Example("time", lambda _: Time()),
    Example("rfft", lambda _: RFFT()),
    Example("rfft, orders", lambda _: RFFT(orders=3.0)),
    Example("rfft, orders of a track", lambda _: OfAnyLength()),
    Example("stft", lambda _: STFT(window=0.5)),
    Example("stft, odd window and hop", lambda _: STFT(window=0.7, hop=0.3, taper="hamming")),
    Example("stft, no overlap", lambda _: STFT(window=0.5, hop=0.5, taper="boxcar")),
    Example("stft, one sample a hop", lambda _: STFT(window=1.0, hop=1 / FS, taper="blackman")),
    Example("stft, orders of a track", lambda _: FramesOfAnyLength(window=0.5)),
    Example("segments", lambda _: Segments(0.75)),
    Example("segments, odd", lambda _: Segments(0.3)),
    Example("filterbank", lambda _: FilterBank({"low": (0.5, 2), "high": (2, 6)})),
    Example("filterbank, sharp", lambda _: FilterBank({"low": (0, 2), "high": (3, 20)}, transition=0)),
    Example("filterbank, mel", lambda _: FilterBank("mel", n=7)),
    Example("filterbank, third-octave", lambda _: FilterBank("third-octave", n=9)),
    Example("filterbank, octave, sharp", lambda _: FilterBank("octave", transition=0)),
    Example("envelope", lambda _: Envelope(2, 6)),
    Example("envelope, up to half of the rate", lambda _: Envelope(0, FS / 2)),
    Example("envelope >> rfft", lambda _: Envelope(2, 6) >> RFFT()),
    Example("envelope >> segments", lambda _: Envelope(2, 6) >> Segments(0.75)),
    Example("envelope >> components", lambda _: Envelope(2, 6) >> Components(trend_and_cycle)),
    Example("envelope >> wavelet", lambda _: Envelope(2, 6) >> Wavelet("haar"), needs=("ptwt",)),
    Example("spatial", lambda channels: Spatial(matrix(channels, channels))),
    Example("spatial, overcomplete", lambda channels: Spatial(matrix(channels + 2, channels))),
    Example("ica", lambda channels: ICA(matrix(channels, max(1, channels - 1)))),
    Example("ica, more components than channels", lambda channels: ICA(matrix(channels, channels + 1))),
    Example("components", lambda _: Components(trend_and_cycle)),
    Example("ica >> rfft", lambda channels: ICA(matrix(channels, 2)) >> RFFT()),
    Example("ica >> segments", lambda channels: ICA(matrix(channels, 2)) >> Segments(0.75)),
    Example("spatial >> ica >> stft", _chain),
    Example("ica >> components", lambda channels: ICA(matrix(channels, 2)) >> Components(trend_and_cycle)),
    Example("components >> rfft", lambda _: Components(trend_and_cycle) >> RFFT()),
    Example("wavelet", lambda _: Wavelet(), needs=("ptwt",)),
    Example("wavelet, biorthogonal", lambda _: Wavelet("bior4.4", mode="symmetric"), needs=("ptwt",)),
    Example("wavelet, packets", lambda _: Wavelet("sym4", packets=True), needs=("ptwt",)),
    Example("ica >> wavelet", lambda channels: ICA(matrix(channels, 2)) >> Wavelet("haar"), needs=("ptwt",)),
    Example("polar", lambda _: Polar()),
    Example("cepstrum", lambda _: Cepstrum()),
]


def examples() -> Iterator[Example]:
    """Every example whose libraries are installed."""
    return (example for example in EXAMPLES if example.available)
