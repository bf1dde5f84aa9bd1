"""What a file holds: series of channels with their rate, unit and annotations."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..signals.rates import CLOSE

BAD = re.compile("(comment/)?bad", re.IGNORECASE)
"""How descriptions of spans begin that are not to be used, for MNE, and as it writes them to BrainVision."""


@dataclass(frozen=True)
class Annotation:
    """A span of a recording with a description; onset and duration in s."""

    onset: float
    duration: float
    label: str

    @property
    def is_bad(self) -> bool:
        """Whether the span is marked as not to be used."""
        return BAD.match(self.label) is not None

    def overlap(self, begin: float, end: float) -> float:
        """Seconds that it shares with a stretch of time."""
        return max(0.0, min(end, self.onset + self.duration) - max(begin, self.onset))


class RatesError(ValueError):
    """Channels of a file have several rates, `rates` in Hz by name; each may be read by itself."""

    def __init__(self, file: str, rates: Mapping[str, float]) -> None:
        told = ", ".join(f"{name} {rate:g} Hz" for name, rate in rates.items())
        super().__init__(
            f"channels of {file} must have one sampling rate, got {told}: pass channels= with those of one "
            "rate, or resample= for all of them"
        )
        self.rates = dict(rates)


def refuse_several_rates(file: str, rates: Mapping[str, float]) -> None:
    """RatesError where channels of a file differ in their rates, in Hz by name."""
    if len(set(rates.values())) > 1:
        raise RatesError(file, rates)


class UnclearRateError(ValueError):
    """Times of a file are in a unit that it does not say, and that cannot be told from them.

    Parameters
    ----------
    message : str
        What the error says.
    recording : Recording
        What the file holds, without a rate.
    rates : tuple of float
        Rates in Hz that the times may mean; none where they count samples, of any rate.
    """

    def __init__(self, message: str, recording: Recording, rates: tuple[float, ...]) -> None:
        super().__init__(message)
        self.recording, self.rates = recording, rates

    @classmethod
    def of(cls, what: str, fs: float, remedy: str, recording: Recording) -> UnclearRateError:
        """Of times that are `fs` in Hz if they are s; `remedy` is what else than `fs=` would tell them."""
        return cls(
            f"{what} must say in which unit its times are: their steps of {1 / fs:g} are {fs:g} Hz in s, and "
            f"{1e3 * fs:g} Hz in ms{', or count samples' if fs == 1 else ''}. Pass fs= in Hz, or {remedy}",
            replace(recording, fs=None),
            () if fs == 1 else tuple(fs * scale for scale in (1.0, 1e3, 1e6, 1e9)),
        )

    def at(self, fs: float | None) -> Recording:
        """The recording at the rate that the caller gave, where the times may mean it; else this error."""
        if fs is None or (self.rates and not any(math.isclose(fs, one, rel_tol=CLOSE) for one in self.rates)):
            raise self
        return replace(self.recording, fs=fs)


@dataclass(frozen=True)
class Recording:
    """What a file holds.

    Parameters
    ----------
    values : numpy.ndarray
        Real numbers, shape (channel, time); (sample, channel, time) where the file holds series that are
        cut already.
    fs : float or None
        Sampling rate in Hz.
    channels : tuple of str or None
        Names of the channels.
    unit : str or None
        Unit of the values.
    annotations : tuple of Annotation
        Spans with a description.
    breaks : tuple of int
        Where the recording was interrupted: the first sample after each gap.
    labels : tuple of str
        Labels of samples that are cut already, one per sample.
    spans : tuple of (int, int, str)
        Stretches with a label: the first sample of each, how many there are, and the label.
    lost : tuple of float
        Seconds that passed in each gap, one per break; none where onsets count what was recorded only.
    coords : mapping of str to numpy.ndarray
        What else is known of samples that are cut already, one value per sample each, such as their onset.
    """

    values: np.ndarray
    fs: float | None = None
    channels: tuple[str, ...] | None = None
    unit: str | None = None
    annotations: tuple[Annotation, ...] = ()
    breaks: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    spans: tuple[tuple[int, int, str], ...] = ()
    lost: tuple[float, ...] = ()
    coords: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = np.shape(self.values)
        if len(shape) not in (2, 3):
            raise ValueError(
                f"values must be an array of shape (channel, time), or (sample, channel, time), got {shape}"
            )
        if self.channels is not None and len(self.channels) != shape[-2]:
            raise ValueError(
                f"channels must be one name per row of values, so {shape[-2]}, got {len(self.channels)}"
            )
        if self.labels and len(self.labels) != (shape[0] if self.is_cut else 0):
            raise ValueError(
                f"labels must be one per sample of values (sample, channel, time), got {len(self.labels)} "
                f"for shape {shape}: pass annotations for what is not cut"
            )
        wrong = [key for key, along in self.coords.items() if not self.is_cut or len(along) != shape[0]]
        if wrong:
            raise ValueError(
                f"coords must each be one per sample of values (sample, channel, time), got "
                f"{len(self.coords[wrong[0]])} of {wrong[0]!r} for shape {shape}"
            )

    @property
    def notes(self) -> tuple[Annotation, ...]:
        """Annotations, those of stretches of samples among them, where the rate is known."""
        fs = self.fs
        if fs is None:
            return self.annotations
        return (*self.annotations, *(Annotation(at / fs, n / fs, label) for at, n, label in self.spans))

    @property
    def is_cut(self) -> bool:
        """Whether the file holds several samples."""
        return self.values.ndim == 3

    def seconds(self, samples: np.ndarray) -> np.ndarray:
        """Times of some samples in s, those of gaps counted.

        Examples
        --------
        >>> found = Recording(np.zeros((1, 20)), fs=10.0, breaks=(10,), lost=(60.0,))
        >>> found.seconds(np.array([0, 9, 10])).tolist()
        [0.0, 0.9, 61.0]
        """
        if self.fs is None:
            raise ValueError("fs must be known for times in s, got none")
        passed = np.concatenate([[0.0], np.cumsum(self.lost)])
        # Breaks whose time is not told do not count.
        gaps = np.searchsorted(self.breaks[: len(self.lost)], samples, side="right")
        times: np.ndarray = samples / self.fs + passed[gaps]
        return times
