"""EDF+ and BDF+ with gaps, which MNE does not tell of: when each record began, and what is annotated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .recording import Annotation

LISTS = re.compile(rb"([+-]\d+\.?\d*)(?:\x15(\d+\.?\d*))?\x14([^\x00]*)\x14\x00")
"""Onset, duration and texts of a list; the first of a record has no text and tells when it began."""
ROUNDED = 1e-3
"""Share of a record by which its onset may be off."""


@dataclass(frozen=True)
class Records:
    """Where records lie in a file.

    Parameters
    ----------
    begin : int
        Bytes in front of the first one.
    count : int
        How many there are.
    sizes : sequence of int
        Bytes of each channel in a record.
    annotations : sequence of int
        Places of the channels that hold annotations.
    duration : float
        Seconds of a record.
    """

    begin: int
    count: int
    sizes: Sequence[int]
    annotations: Sequence[int]
    duration: float

    def lists(self, path: Path) -> Iterator[list[tuple[bytes, bytes, bytes]]]:
        """Lists of annotations of each record: onset, duration, texts."""
        ends = np.cumsum(self.sizes)
        rows = np.memmap(path, np.uint8, "r", self.begin, (self.count, int(ends[-1])))
        for row in rows:
            yield LISTS.findall(
                b"\x00".join(bytes(row[ends[i] - self.sizes[i] : ends[i]]) for i in self.annotations)
            )

    def gaps(self, path: Path) -> tuple[dict[int, float], tuple[Annotation, ...]]:
        """Seconds that passed unrecorded before a record, by its number, and all annotations.

        Raises
        ------
        ValueError
            If a record does not tell when it began, or begins before the end of the one before.
        """
        starts, notes = list[float](), list[Annotation]()
        for number, lists in enumerate(self.lists(path)):
            if not lists:
                raise ValueError(
                    f"{path.name} must tell when each record began, and does not for record {number}"
                )
            starts.append(float(lists[0][0]))
            notes += [
                Annotation(float(onset) - starts[0], float(duration or 0), in_unicode(text))
                for onset, duration, texts in lists
                for text in texts.split(b"\x14")
                if text
            ]
        lost = np.diff(starts) - self.duration
        if len(lost) and lost.min() < -ROUNDED * self.duration:
            number = int(lost.argmin()) + 1
            raise ValueError(
                f"{path.name} must have records that do not overlap, but record {number} begins at "
                f"{starts[number]:g} s, {-lost.min():g} s before the end of the one before"
            )
        gaps = np.flatnonzero(lost > ROUNDED * self.duration)
        return {int(i) + 1: float(lost[i]) for i in gaps}, tuple(notes)


def in_unicode(text: bytes) -> str:
    """What an annotation says: UTF-8, as the standard wants it, else Latin 1, as some devices write it.

    Examples
    --------
    >>> in_unicode("é".encode()), in_unicode("é".encode("latin1"))
    ('é', 'é')
    """
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin1")
