"""Discrete wavelets and wavelet packets: which octaves, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_choice, check_count, check_flag, shown
from .._keywords import says_what_is_meant
from .base import Coefficients, Coordinate, Coords, Domain

MODES = ("zero", "symmetric", "reflect", "periodic", "constant")
# Stages of a cascade whose joint delay is computed exactly. A stage this far below the last moves
# an atom by a 64th of the distance between two coefficients.
EXACT_STAGES = 6


class Wavelet(Domain):
    """Discrete wavelet transform, or the full tree of wavelet packets, by ptwt.

    With an orthogonal wavelet and the mode "zero" this is a tight frame (Daubechies 1992,
    section 5.6, of the series continued by zeros): the attribution of a coefficient is the product
    of what its wavelet finds in δ with what it finds in the path-averaged gradient. Other modes
    invert as exactly, but what they make up beyond the ends shows in the coefficients there.

    Without packets the coefficients are (level, position), from the approximation, which holds
    the lowest frequencies, to the finest detail. Coarser levels have fewer coefficients: the
    places that are left over are NaN. With packets they are (frequency, position), in equal bands
    from 0 to half the sampling rate, ordered by frequency.

    Parameters
    ----------
    wavelet : str or pywt.Wavelet, default "db4"
        A discrete wavelet, see `pywt.wavelist(kind="discrete")`, or a filter bank of your own.
    level : int, optional
        Depth of the decomposition, at most log2 of the number of samples. Default: the deepest at
        which a coefficient is not all boundary, `pywt.dwt_max_level`, and at least 1.
    mode : {"zero", "symmetric", "reflect", "periodic", "constant"}, default "zero"
        How the series goes on beyond its ends, as in `pywt.Modes`.
    packets : bool, default False
        Whether details are split again, as in a packet transform.
    name : str, optional
        Name of the variable in the result, "wavelet" by default.

    Raises
    ------
    ImportError
        If ptwt is not installed.
    TypeError, ValueError
        If the wavelet is unknown or not discrete, or level or mode are not as above; when bound
        to a signal: if it is too short for level or mode. A wavelet that does not invert, such as
        "dmey", is refused as any such domain is.

    Notes
    -----
    Coordinates besides the dimensions, named after the domain: `time` of every coefficient, where
    the energy of its wavelet is centred, in s from the first sample (coefficients of the ends may
    lie a little outside); per level `frequency`, the wavelet's pseudo-frequency in Hz
    (`pywt.scale2frequency`; 0 for the approximation), and `step`, the time between coefficients;
    per packet its `path` of low-pass ("a") and high-pass ("d") filters.

    Examples
    --------
    >>> wavelet = Wavelet("haar", level=2)
    >>> x = torch.tensor([1.0, 1.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0])
    >>> wavelet.attribution(x, x).round(decimals=3) + 0.0
    tensor([[4., 9., nan, nan],
            [0., 1., nan, nan],
            [0., 0., 2., 0.]])
    >>> list(wavelet.coords(8, fs=100.0)["level"])
    ['A2', 'D2', 'D1']
    """

    affine = False

    @says_what_is_meant
    def __init__(
        self,
        wavelet: Any = "db4",
        level: int | None = None,
        mode: str = "zero",
        packets: bool = False,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._filters = _read_wavelet(wavelet)
        self.wavelet: str = self._filters.name
        self.level = None if level is None else check_count(level, "level")
        self.mode = check_choice(mode, "mode", MODES)
        self.packets = check_flag(packets, "packets")

    def __repr__(self) -> str:
        return (
            f"Wavelet({self.wavelet!r}, level={self.level}, mode={self.mode!r}, packets={self.packets}, "
            f"name={self.name!r})"
        )

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Wavelet:
        n, level = shape[-1], self.depth(shape[-1])
        deepest = max(1, n.bit_length() - 1)
        if level > deepest:
            raise ValueError(
                f"level of domain {self.name!r} must be in 1..{deepest} for {n} samples, got {level}"
            )
        for stage, length in enumerate(self._lengths(n)[:-1], 1):
            # What PyTorch can mirror or repeat; the right end gets one more where the length is odd.
            wanted = self._padding + length % 2
            if wanted > {"reflect": length - 1, "periodic": length}.get(self.mode, wanted):
                raise ValueError(
                    f"mode {self.mode!r} of domain {self.name!r} must continue a series by less than its "
                    f"length, got {length} samples by {wanted} at level {stage} for a signal of {n}: use "
                    "the mode 'zero' or 'symmetric', a lower level or a shorter wavelet"
                )
        return self

    def depth(self, n: int) -> int:
        """Level of the decomposition of n samples."""
        if self.level is not None:
            return self.level
        return max(1, int(_pywt().dwt_max_level(n, self._filters.dec_len)))

    def analyze(self, x: Tensor) -> Coefficients:
        """Approximation and details, coarse to fine, or packets of shape (..., frequency, position)."""
        n = x.shape[-1]
        if not self.packets:
            return tuple(self._split(x, self.depth(n)))
        # Packets of one level have one length: ptwt.WaveletPacket splits them one by one, here
        # they are a batch. The letters of a path count from its start.
        packets = x.unsqueeze(-2)
        for _ in range(self.depth(n)):
            packets = torch.stack(self._split(packets, 1), -2).flatten(-3, -2)
        return packets[..., self._order(n), :]

    def synthesize(self, c: Any, n: int) -> Tensor:
        if not self.packets:
            return self._join(c)[..., :n]
        packets = c[..., self._order(n).argsort(), :]
        for length in self._lengths(n)[-2::-1]:
            pairs = packets.unflatten(-2, (-1, 2))
            # One sample longer where the length was odd.
            packets = self._join((pairs[..., 0, :], pairs[..., 1, :]))[..., :length]
        signal: Tensor = packets.squeeze(-2)
        return signal

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        longest = max(part.shape[-1] for part in parts)
        rows = (_extended(part, longest) for part in parts)
        return parts[0] if self.packets else torch.stack(list(rows), -2)

    def coords(self, n: int, fs: float | None) -> Coords:
        level = self.depth(n)
        position = np.arange(self._lengths(n)[-1 if self.packets else 1])
        if not self.packets:
            return {"level": [f"A{level}", *(f"D{i}" for i in range(level, 0, -1))], "position": position}
        width = 0.5 / 2**level * (fs or 1)
        middle = (np.arange(2**level) + 0.5) * width
        return {"frequency": (middle, _frequency_unit(fs)), "position": position}

    def auxiliary(self, n: int, fs: float | None) -> Mapping[str, tuple[tuple[str, ...], Coordinate, str]]:
        level, lengths = self.depth(n), self._lengths(n)
        time_unit = "samples" if fs is None else "s"
        if self.packets:
            paths = [_path(index, level) for index in self._order(n).tolist()]
            times = self._times(paths, [lengths[-1]] * len(paths)) / (fs or 1)
            return {
                "time": (("frequency", "position"), times, time_unit),
                "path": (("frequency",), np.array(paths), ""),
            }
        levels = [level, *range(level, 0, -1)]
        paths = ["a" * level, *("a" * (i - 1) + "d" for i in levels[1:])]
        steps = 2.0 ** np.array(levels)
        frequency = _pywt().central_frequency(self._filters) / steps * (fs or 1)
        # The scaling function's spectrum is largest at 0.
        frequency[0] = 0
        times = self._times(paths, [lengths[i] for i in levels]) / (fs or 1)
        return {
            "time": (("level", "position"), times, time_unit),
            "frequency": (("level",), frequency, _frequency_unit(fs)),
            "step": (("level",), steps / (fs or 1), time_unit),
        }

    @property
    def _padding(self) -> int:
        return int(2 * self._filters.dec_len - 3) // 2

    def _lengths(self, n: int) -> list[int]:
        """Number of samples, then of coefficients at level 1, 2, …."""
        lengths = [n]
        for _ in range(self.depth(n)):
            lengths.append((lengths[-1] + self._filters.dec_len - 1) // 2)
        return lengths

    def _split(self, x: Tensor, level: int) -> list[Tensor]:
        return list(_ptwt().wavedec(x, self._filters, mode=self.mode, level=level))

    def _join(self, c: tuple[Tensor, ...]) -> Tensor:
        signal: Tensor = _ptwt().waverec(list(c), self._filters)
        return signal

    def _order(self, n: int) -> Tensor:
        """Paths, read as binary numbers with "d" for 1, in the order of their frequencies.

        A high-pass filter and the halving of the rate that follows turn the spectrum round, so
        the order is that of Gray's code (Wickerhauser 1994, section 7.3).
        """
        k = torch.arange(2 ** self.depth(n))
        return k ^ (k >> 1)

    def _times(self, paths: list[str], counts: list[int]) -> np.ndarray:
        """Centres of coefficients in samples, shape (path, position), NaN where there is none."""
        times = np.full((len(paths), max(counts)), np.nan)
        cache: dict[str, float] = {}
        centres = {letter: _centre(self._taps(letter)) for letter in "ad"}
        for row, (path, count) in enumerate(zip(paths, counts, strict=True)):
            early, late = path[:-EXACT_STAGES], path[-EXACT_STAGES:]
            if late not in cache:
                cache[late] = _centre(self._atom(late))
            delay = 2 ** len(early) * cache[late] + sum(2**m * centres[s] for m, s in enumerate(early))
            # The first coefficient of every stage lies before the first sample by the padding.
            first = delay - self._padding * (2 ** len(path) - 1)
            times[row, :count] = first + 2 ** len(path) * np.arange(count)
        return times

    def _taps(self, letter: str) -> np.ndarray:
        return np.array(self._filters.rec_lo if letter == "a" else self._filters.rec_hi)

    def _atom(self, path: str) -> np.ndarray:
        """Synthesis of a lone coefficient: filters convolved, each spread twice as wide as the last."""
        atom = np.ones(1)
        for stage, letter in enumerate(path):
            taps = self._taps(letter)
            spread = np.zeros((len(taps) - 1) * 2**stage + 1)
            spread[:: 2**stage] = taps
            atom = np.convolve(atom, spread)
        return atom


def _read_wavelet(wavelet: Any) -> Any:
    pywt = _pywt()
    if isinstance(wavelet, pywt.Wavelet):
        return wavelet
    if not isinstance(wavelet, str):
        raise TypeError(f"wavelet must be a name or a pywt.Wavelet, got {shown(wavelet)}")
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise ValueError(
            "wavelet must be a discrete one, a name of pywt.wavelist(kind='discrete') such as 'db4', "
            f"'sym8' or 'haar', got {wavelet!r}"
        )
    return pywt.Wavelet(wavelet)


def _centre(atom: np.ndarray) -> float:
    energy = atom**2
    return float(energy @ np.arange(len(atom)) / energy.sum())


def _path(index: int, level: int) -> str:
    return f"{index:0{level}b}".replace("0", "a").replace("1", "d")


def _extended(part: Tensor, length: int) -> Tensor:
    return torch.nn.functional.pad(part, (0, length - part.shape[-1]), value=torch.nan)


def _frequency_unit(fs: float | None) -> str:
    return "cycles/sample" if fs is None else "Hz"


def _ptwt() -> Any:
    try:
        import ptwt
    except ImportError as error:
        raise ImportError(
            "Wavelet needs ptwt, which is not installed: pip install 'freqig[wavelet]'"
        ) from error
    return ptwt


def _pywt() -> Any:
    # PyWavelets comes with ptwt.
    _ptwt()
    import pywt

    return pywt
