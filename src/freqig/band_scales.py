"""Bands by the scale of a field, mel, octaves and third-octaves, and which frequencies a band holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._check import check_count

MOST = 10_000
"""Bands of one scale beyond which none is wide enough to hold anything."""

NOMINAL = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
"""Mid-band frequencies as they are called, of ten third-octaves: table E.1 of IEC 61260-1:2014, ISO 266."""


@dataclass(frozen=True)
class BandScale:
    """Bands next to each other on a logarithmic scale, or one much like it.

    Parameters
    ----------
    n : int
        How many there are unless another number is asked for.
    edges : callable
        From a number of bands and the highest frequency in Hz to names, and to edges in Hz, float64,
        shape (bands + 1,), rising.
    """

    n: int
    edges: Callable[[int, float], tuple[list[str], np.ndarray]]

    def bands(self, highest: float, n: int | None = None) -> dict[str, tuple[float, float]]:
        """Bands by name, from the lowest to the highest.

        Parameters
        ----------
        highest : float
            Half of the sampling rate, in Hz.
        n : int, optional
            Number of bands, 1 to 10,000.

        Raises
        ------
        TypeError, ValueError
            If `n` is no such number.

        Examples
        --------
        >>> list(SCALES["octave"].bands(4000.0, n=2).items())
        [('2 kHz', (1412.53..., 2818.38...)), ('4 kHz', (2818.38..., 5623.41...))]
        """
        count = self.n if n is None else check_count(n, "n")
        if count > MOST:
            raise ValueError(f"n must be at most {MOST} bands, got {count}")
        names, edges = self.edges(count, highest)
        pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        return dict(zip(names, pairs, strict=True))


def inside(low: float, high: float, frequency: np.ndarray) -> np.ndarray:
    """Which frequencies a half-open band, low ≤ f < high, holds, bool.

    k · fs / n is rounded: a bin that belongs on an edge may come out just below, and would count in the
    wrong band. No two bins are as close to each other as this tolerance.

    Examples
    --------
    >>> inside(0.3, 0.6, np.array([0.1 * 3, 0.6])).tolist()
    [True, False]
    """
    precision = np.finfo(frequency.dtype).eps if frequency.dtype.kind == "f" else 0.0
    slack = 1 - max(1e-9, 4 * float(precision))
    members: np.ndarray = (frequency >= low * slack) & (frequency < high * slack)
    return members


def hertz_to_mel(frequency: float | np.ndarray) -> Any:
    """The mel scale of O'Shaughnessy (Speech Communication, 1987), that of HTK: 2595 log10(1 + f / 700 Hz).

    Examples
    --------
    >>> round(float(hertz_to_mel(1000.0)))
    1000
    """
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """Frequencies in Hz of numbers of mel: inverts `hertz_to_mel`.

    Examples
    --------
    >>> mel_to_hertz(np.array([hertz_to_mel(440.0)])).round(9)
    array([440.])
    """
    hertz: np.ndarray = 700 * (10 ** (mel / 2595) - 1)
    return hertz


def _mel(n: int, highest: float) -> tuple[list[str], np.ndarray]:
    """From 0 Hz to the highest frequency, all as wide in mel, named by their middle."""
    steps = np.linspace(0, hertz_to_mel(highest), 2 * n + 1)
    hertz = mel_to_hertz(steps)
    # What rounding makes of it would put a frequency of its own beyond the last band.
    hertz[-1] = highest
    return _named(hertz[1::2]), hertz[::2]


def _octaves(fraction: int) -> Callable[[int, float], tuple[list[str], np.ndarray]]:
    """Bands of 1/fraction octave, eqs. 1 to 5 of IEC 61260-1:2014, base ten.

    Exact mid-band frequencies are 1000 Hz · G^(x / fraction), G = 10^0.3, x any integer, and edges lie
    half a step to either side.
    """

    def bands(n: int, highest: float) -> tuple[list[str], np.ndarray]:
        step = 0.3 / fraction
        # The highest whose middle is below half of the sampling rate, and those below it.
        top = math.ceil(math.log10(highest / 1000) / step - 1e-9) - 1
        x = np.arange(top - n + 1, top + 1)
        thirds = x * (3 // fraction)
        names = [_hertz(NOMINAL[k % 10] * 1000 * 10.0 ** (k // 10), 4) for k in thirds.tolist()]
        return names, 1000 * 10 ** ((np.arange(x[0], x[-1] + 2) - 0.5) * step)

    return bands


def _named(frequencies: np.ndarray) -> list[str]:
    """Names with as many digits as tell them apart."""
    names: list[str] = []
    for digits in range(3, 18):
        names = [_hertz(f, digits) for f in frequencies.tolist()]
        if len(set(names)) == len(names):
            break
    return names


def _hertz(frequency: float, digits: int) -> str:
    rounded = float(f"{frequency:.{digits}g}")
    return f"{rounded / 1000:.{digits}g} kHz" if rounded >= 1000 else f"{rounded:.{digits}g} Hz"


SCALES = {
    "mel": BandScale(40, _mel),
    "third-octave": BandScale(30, _octaves(3)),
    "octave": BandScale(10, _octaves(1)),
}
"""Scales by name."""
