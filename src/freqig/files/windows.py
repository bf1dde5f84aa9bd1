"""Cuts a recording into windows, which never cross a gap nor a span marked bad."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .._check import check_whole
from .recording import Annotation, Recording


@dataclass(frozen=True)
class Windows:
    """Windows of one recording.

    Parameters
    ----------
    starts : numpy.ndarray
        First sample of each, int64.
    size : int
        Samples in each.
    n_bad : int
        Windows that were left out, since they touch a span marked bad.
    n_rest : int
        Samples at the ends of stretches that fill no window.
    kept : numpy.ndarray, optional
        Which of all windows these are, bool. Default all.
    """

    starts: np.ndarray
    size: int
    n_bad: int = 0
    n_rest: int = 0
    kept: np.ndarray | None = None

    @classmethod
    def of(cls, recording: Recording, window: float | None, step: float | None, name: str) -> Windows:
        """Cut a recording into windows of this many seconds, one every `step` seconds; None: the whole of it.

        Raises
        ------
        ValueError
            If windows are no whole number of samples, or none is left.
        """
        n = recording.values.shape[-1]
        if window is None or recording.fs is None:
            if recording.breaks:
                raise ValueError(
                    f"{name} must be one stretch unless it is read in windows, and it has gaps, "
                    f"{len(recording.breaks)} of them: pass window= where it is read, the length in s of the "
                    "windows that the model takes"
                )
            return cls(np.zeros(1, dtype=np.int64), n)
        size = check_whole(window, recording.fs, "window")
        hop = size if step is None else check_whole(step, recording.fs, "step")
        starts, rest = list[int](), 0
        edges = [0, *recording.breaks, n]
        for begin, end in pairwise(edges):
            found = list(range(begin, end - size + 1, hop))
            rest += end - (found[-1] + size if found else begin)
            starts += found
        bad = [note for note in recording.annotations if note.is_bad]
        onsets = recording.seconds(np.array(starts, dtype=np.int64)).tolist()
        length = size / recording.fs
        kept = np.array([not _touches(at, at + length, bad) for at in onsets], dtype=bool)
        if not kept.any():
            told = f"{n / recording.fs:.4g} s" + (
                f" in {len(edges) - 1} stretches" if recording.breaks else ""
            )
            bad_too = f", with {len(starts)} windows that all touch spans marked bad" if starts else ""
            raise ValueError(
                f"{name} must hold a window of {window:g} s, got {told}{bad_too}: pass a shorter window="
            )
        return cls(np.array(starts, dtype=np.int64)[kept], size, int((~kept).sum()), rest, kept)

    def cut(self, values: np.ndarray) -> np.ndarray:
        """Series of shape (channel, time) as (sample, channel, time); a view where windows allow it."""
        if self.size == values.shape[-1]:
            return values[None]
        every = np.lib.stride_tricks.sliding_window_view(values, self.size, axis=-1)
        return np.moveaxis(every[:, self.starts], 0, 1)

    def given(self, labels: list[str], name: str) -> list[str]:
        """Labels of these windows, given one per window, with or without those that were left out.

        Raises
        ------
        ValueError
            If there are others.
        """
        if self.kept is not None and len(labels) == len(self.kept):
            return [label for label, kept in zip(labels, self.kept, strict=True) if kept]
        if len(labels) != len(self.starts):
            every = f", or {len(self.starts) + self.n_bad} with those left out" if self.n_bad else ""
            raise ValueError(
                f"annotations must be one per window, so {len(self.starts)} of them for {name}{every}, got "
                f"{len(labels)}: for spans of another length pass a table of onset, duration and label"
            )
        return labels

    def labels(self, recording: Recording) -> list[str]:
        """Label of each window: that of the annotation which covers most of it; empty where there is none."""
        fs = recording.fs
        notes = [note for note in recording.annotations if not note.is_bad]
        if fs is None or not notes:
            return [""] * len(self.starts)
        return [_label(notes, at, at + self.size / fs) for at in recording.seconds(self.starts).tolist()]


def _touches(begin: float, end: float, bad: list[Annotation]) -> bool:
    return any(note.overlap(begin, end) > 0 or begin <= note.onset < end for note in bad)


def _label(notes: list[Annotation], begin: float, end: float) -> str:
    shares = defaultdict[str, float](float)
    for note in notes:
        # An event without duration labels the window in which it lies.
        shares[note.label] += note.overlap(begin, end) or (1e-9 if begin <= note.onset < end else 0)
    label, share = max(shares.items(), key=lambda item: item[1])
    return label if share > 0 else ""
