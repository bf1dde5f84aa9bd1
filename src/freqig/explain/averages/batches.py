"""Samples as one array or as batches, read anew in every pass, which must give the same every time."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch.utils.data import DataLoader, RandomSampler

from ...errors import Told, but_once
from ...models import Model
from ...objective.arguments import shared
from ...signals import Signal, is_pair_with_rate
from ...signals.recordings import is_recording
from ..batch import Asked, question_of
from ..call import Question
from ..many_files import one_per_file
from ..pieces import is_iterator, is_path, is_stream
from ..settings import Settings

Reading = tuple[Question, Settings, Any]
"""What is asked of a batch, its settings, and what it is grouped by."""

AGAIN = "pass a sequence of batches (x, by), or a callable that gives an iterator of them anew, in one order"


@dataclass(frozen=True, eq=False)
class Batches:
    """Signals with what they are grouped by, which can be gone through again and again.

    Parameters
    ----------
    pairs : callable
        Gives (x, by) of all of them.
    several : bool
        Whether they are read anew every time, since only one of them is held; a single one is read once.
    annotations : sequence, optional
        Those of each, where they are recordings.
    """

    pairs: Callable[[], Iterable[Any]]
    several: bool
    annotations: Sequence[Any] | None = None

    def asked(
        self, model: Model, settings: Settings, asked: Asked, told: Told
    ) -> Callable[[], Iterable[Reading]]:
        """What is asked of each, as often as one likes."""

        def read() -> Iterator[Reading]:
            for place, (x, by) in enumerate(self._checked()):
                with but_once(told):
                    question, how = question_of(model, settings, x, self._own(asked, place))
                yield question, how, by

        if not self.several:
            whole = list(read())
            return lambda: whole
        seen = _Seen()
        return lambda: seen.the_same(read())

    def _checked(self) -> Iterator[tuple[Any, Any]]:
        for pair in self.pairs():
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(
                    f"x must hold batches (x, by), got {_told(pair)}; where there are no groupings, (x, None)"
                )
            if not _is_by(pair[1]):
                raise TypeError(
                    f"x must hold batches (x, by) whose by names its labels, got {_told(pair[1])}: pass "
                    '{"stage": labels}, from a loader by lambda: ((x, {"stage": y}) for x, y in loader)'
                )
            yield pair[0], pair[1]

    def _own(self, asked: Asked, place: int) -> Asked:
        if self.annotations is None:
            return asked
        return replace(asked, reading={**asked.reading, "annotations": self.annotations[place]})

    @classmethod
    def of(cls, x: Any, by: Any, asked: Asked) -> Batches:
        """Read what a caller passes: batches, several recordings, or signals of any other kind."""
        if is_iterator(x):
            raise TypeError(
                f"x must be gone through several times, got {_told(x)}, which gives its batches once: {AGAIN}"
            )
        if isinstance(x, DataLoader) and isinstance(x.sampler, RandomSampler):
            raise ValueError(  # noqa: TRY004
                "x must give the same batches in the same order every time, got a DataLoader with "
                "shuffle=True: pass shuffle=False"
            )
        if callable(x) or is_stream(x) or _holds_batches(x):
            if by is not None:
                raise ValueError("by must be None where x holds batches: these are pairs (x, by)")
            return cls(x if callable(x) else lambda: x, several=True)
        if not _is_by(by):
            raise TypeError(
                f"by must name its labels, by={{{getattr(by, 'name', None) or 'stage'!r}: labels}}, or "
                f"coordinates of x along its samples, got {_told(by)}"
            )
        if isinstance(x, (list, tuple)) and len(x) and all(is_path(one) or is_recording(one) for one in x):
            beside = asked.reading.get("annotations")
            if beside is not None:
                beside = [beside] if len(x) == 1 else one_per_file(beside, "annotations", len(x))
            labels = [_of_one(by, i, len(x)) for i in range(len(x))]
            return cls(lambda: zip(x, labels, strict=True), several=True, annotations=beside)
        if isinstance(x, (list, tuple)) and len(x) and all(isinstance(one, xr.DataArray) for one in x):
            if by is not None and not isinstance(by, str) and not _is_names(by):
                raise ValueError(
                    "by must name coordinates of the DataArrays in x, or x hold pairs (x, by) of each and "
                    f"its labels, got {_told(by)}"
                )
            return cls(lambda: ((one, by) for one in x), several=True)
        if isinstance(x, tuple) and not is_pair_with_rate(x) and all(hasattr(one, "shape") for one in x):
            raise TypeError(
                f"x must be signals of one input, got a tuple of {len(x)}: explain the samples of models "
                "with several inputs, and average the result"
            )
        return cls(lambda: [(x, by)], several=False)


@dataclass(eq=False)
class _Seen:
    """Checksums of the batches of the first pass, which all others must have.

    Errors of means are differences of passes; of other samples they would say nothing.
    """

    sums: list[int] | None = None

    def the_same(self, readings: Iterable[Reading]) -> Iterator[Reading]:
        """Pass readings on, and raise where they are others than those of the first pass."""
        own = list[int]()
        for place, (question, how, by) in enumerate(readings):
            own.append(_checksum(question.signal, by))
            if self.sums is not None and own[place:] != self.sums[place : place + 1]:
                raise ValueError(
                    "x must give the same batches in the same order every time it is gone through, got "
                    f"another batch {place} than before: draw neither order nor values anew"
                )
            yield question, how, by
        if self.sums is not None and len(own) != len(self.sums):
            raise ValueError(
                f"x must give the same batches every time it is gone through, got {len(self.sums)} and then "
                f"{len(own)}: {AGAIN}"
            )
        self.sums = own


def _checksum(signal: Signal, by: Any) -> int:
    # As bytes, for NumPy has no bfloat16.
    values = signal.values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    told = repr([(name, list(np.atleast_1d(by[name]))) for name in by] if is_mapping(by) else by)
    return zlib.crc32(told.encode(), zlib.crc32(values.data))


def _of_one(by: Any, place: int, count: int) -> Any:
    """What one of several recordings is grouped by: coordinates, or its own label for all of its samples."""
    if not is_mapping(by):
        return by
    found = {}
    for name in by:
        labels = by[name]
        if not isinstance(labels, str):
            if np.ndim(labels) != 1 or len(labels) != count:
                raise ValueError(
                    f"by[{name!r}] must hold one label per recording, so {count}, or name a coordinate, "
                    f"such as 'label', got {_told(labels)}"
                )
            labels = shared(list(labels)[place])
        found[name] = labels
    return found


def _holds_batches(x: Any) -> bool:
    """Whether this is a sequence of pairs whose second can be nothing but what the first is grouped by."""
    if not isinstance(x, Sequence) or isinstance(x, str) or len(x) == 0:
        return False
    return all(isinstance(one, (tuple, list)) and len(one) == 2 and _is_by(one[1]) for one in x)


def _is_by(by: Any) -> bool:
    return by is None or isinstance(by, str) or _is_names(by) or is_mapping(by)


def _is_names(by: Any) -> bool:
    return isinstance(by, (list, tuple)) and len(by) > 0 and all(isinstance(one, str) for one in by)


def is_mapping(by: Any) -> bool:
    """Whether labels are found in it by the names of groupings, as in dicts, DataFrames and Datasets.

    Examples
    --------
    >>> is_mapping({"stage": ["W", "N2"]}), is_mapping("stage")
    (True, False)
    """
    # A Series has keys as well, which are those of samples.
    return isinstance(by, Mapping) or (hasattr(by, "keys") and not hasattr(by, "to_frame"))


def _told(x: Any) -> str:
    shape = getattr(x, "shape", None)
    size = (
        f" of shape {tuple(shape)}" if shape is not None else f" of {len(x)}" if hasattr(x, "__len__") else ""
    )
    return f"{type(x).__name__}{size}"
