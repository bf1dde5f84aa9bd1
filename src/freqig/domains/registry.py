"""Examples of every domain, on which the tests run: a domain added here is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from .base import Domain
from .components import Components
from .filterbank import FilterBank
from .ica import ICA
from .polar import Polar
from .rfft import RFFT
from .segments import Segments
from .spatial import Spatial
from .stft import STFT
from .time import Time
from .wavelet import Wavelet

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


_EXAMPLES: dict[str, Example] = {}


def register(label: str, make: Callable[[int], Domain], needs: tuple[str, ...] = ()) -> None:
    """Add an example of a domain, and have the tests of all domains run on it.

    Parameters
    ----------
    label : str
        What tells it from other examples.
    make : callable
        From a number of channels to the domain, for signals of any length sampled at `FS`.
    needs : tuple of str
        Optional libraries that it needs.

    Raises
    ------
    ValueError
        If the label is taken.

    Examples
    --------
    >>> next(examples()).make(3)
    Time(name='waveform')
    """
    if label in _EXAMPLES:
        raise ValueError(f"label must be new, got {label!r}, which is registered")
    _EXAMPLES[label] = Example(label, make, needs)


def examples() -> Iterator[Example]:
    """Every registered example whose libraries are installed."""
    return (example for example in _EXAMPLES.values() if example.available)


def matrix(rows: int, columns: int) -> np.ndarray:
    """A matrix of full rank with nothing special about it, for examples."""
    return np.random.default_rng(0).normal(size=(rows, columns))


def trend_and_cycle(series: np.ndarray) -> dict[str, np.ndarray]:
    """A decomposition that is not linear and leaves something over, for examples."""
    trend = np.cumsum(series, -1) / np.arange(1, series.shape[-1] + 1)
    return {"trend": trend, "extremes": np.clip(series - trend, -1, 1)}


def _chain(channels: int) -> Domain:
    return Spatial(matrix(channels + 1, channels)) >> ICA(matrix(channels + 1, 2)) >> STFT(window=0.5)


register("time", lambda _: Time())
register("rfft", lambda _: RFFT())
register("stft", lambda _: STFT(window=0.5))
register("stft, odd window and hop", lambda _: STFT(window=0.7, hop=0.3, taper="hamming"))
register("stft, no overlap", lambda _: STFT(window=0.5, hop=0.5, taper="boxcar"))
register("stft, one sample a hop", lambda _: STFT(window=1.0, hop=1 / FS, taper="blackman"))
register("segments", lambda _: Segments(0.75))
register("segments, odd", lambda _: Segments(0.3))
register("filterbank", lambda _: FilterBank({"low": (0.5, 2), "high": (2, 6)}))
register("filterbank, sharp", lambda _: FilterBank({"low": (0, 2), "high": (3, 20)}, transition=0))
register("spatial", lambda channels: Spatial(matrix(channels, channels)))
register("spatial, overcomplete", lambda channels: Spatial(matrix(channels + 2, channels)))
register("ica", lambda channels: ICA(matrix(channels, max(1, channels - 1))))
register("ica, more components than channels", lambda channels: ICA(matrix(channels, channels + 1)))
register("components", lambda _: Components(trend_and_cycle))
register("ica >> rfft", lambda channels: ICA(matrix(channels, 2)) >> RFFT())
register("ica >> segments", lambda channels: ICA(matrix(channels, 2)) >> Segments(0.75))
register("spatial >> ica >> stft", _chain)
register("ica >> components", lambda channels: ICA(matrix(channels, 2)) >> Components(trend_and_cycle))
register("components >> rfft", lambda _: Components(trend_and_cycle) >> RFFT())
register("wavelet", lambda _: Wavelet(), needs=("ptwt",))
register("wavelet, biorthogonal", lambda _: Wavelet("bior4.4", mode="symmetric"), needs=("ptwt",))
register("wavelet, packets", lambda _: Wavelet("sym4", packets=True), needs=("ptwt",))
register("ica >> wavelet", lambda channels: ICA(matrix(channels, 2)) >> Wavelet("haar"), needs=("ptwt",))
register("polar", lambda _: Polar())
