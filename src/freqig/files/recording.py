"""What a file holds: series of channels with their rate, unit and annotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BAD = "bad"
"""How descriptions of spans begin that are not to be used, in any case, as MNE has it."""


@dataclass(frozen=True)
class Annotation:
    """A span of a recording with a description; onset and duration in s."""

    onset: float
    duration: float
    label: str

    @property
    def is_bad(self) -> bool:
        """Whether the span is marked as not to be used."""
        return self.label.lower().startswith(BAD)

    def overlap(self, begin: float, end: float) -> float:
        """Seconds that it shares with a stretch of time."""
        return max(0.0, min(end, self.onset + self.duration) - max(begin, self.onset))


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
    """

    values: np.ndarray
    fs: float | None = None
    channels: tuple[str, ...] | None = None
    unit: str | None = None
    annotations: tuple[Annotation, ...] = ()
    breaks: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def is_cut(self) -> bool:
        """Whether the file holds several samples."""
        return self.values.ndim == 3
