"""EDF, EDF+ and BDF: the header is checked by itself, then MNE reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..signals.units import unit_of_all
from . import mne_files
from .edf_gaps import Records, in_unicode
from .formats import pick
from .mne_files import MOST_CHANNELS
from .recording import Recording, refuse_several_rates

VOLTS = ("uV", "µV", "μV", "mV", "V")
"""Units that MNE makes volts of; values in another one it returns as they are, and calls them volts."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The channels wanted, all of one rate.

    Raises
    ------
    ValueError
        If the header contradicts itself or the size of the file, or the channels have several rates.
    """
    header = _Header.read(path)
    wanted = header.signals()
    if channels is not None:
        own = _numbered([header.names[i] for i in wanted])
        wanted = [wanted[i] for i in pick(own, channels, len(own), path.name)]
    rates = {header.names[i]: header.per_record[i] / header.duration for i in wanted}
    refuse_several_rates(path.name, rates)
    recording = mne_files.load_by(partial(_read_raw, header), path, channels)
    told = header.units_of_signals()
    units = [told.get(name, "V") for name in recording.channels or ()]
    recording = replace(recording, unit=unit_of_all(units))
    if not header.has_gaps:
        notes = (replace(one, label=in_unicode(one.label.encode("latin1"))) for one in recording.annotations)
        return replace(recording, annotations=tuple(notes))
    gaps, annotations = header.records().gaps(path)
    per_record = recording.values.shape[-1] // header.count
    breaks = tuple(per_record * record for record in gaps)
    return replace(recording, annotations=annotations, breaks=breaks, lost=tuple(gaps.values()))


def _read_raw(header: _Header, mne: Any, path: Path, channels: tuple[str, ...] | None) -> Any:
    """A Raw of MNE."""
    read, ending = (mne.io.read_raw_bdf, ".bdf") if header.is_bdf else (mne.io.read_raw_edf, ".edf")
    # Where names are not unique, MNE numbers them once they are read.
    named = None if channels is None else [*channels, *(re.sub(r"-\d+$", "", one) for one in channels)]
    # Latin 1 reads every byte, and is undone where the standard wants UTF-8.
    asked = {"include": named, "encoding": "latin1", "verbose": "error"}
    return mne_files.read_by_any_name(read, path, ending, **asked)


def _numbered(names: list[str]) -> tuple[str, ...]:
    """Names as MNE makes them differ, "EEG-0" and "EEG-1" of two that are called "EEG"."""
    return tuple(
        f"{name}-{names[:i].count(name)}" if names.count(name) > 1 else name for i, name in enumerate(names)
    )


@dataclass(frozen=True)
class _Header:
    """What the header says: names, units, samples per record, seconds per record, and how many records."""

    names: list[str]
    units: list[str]
    per_record: list[int]
    duration: float
    count: int
    is_bdf: bool
    has_gaps: bool

    @classmethod
    def read(cls, path: Path) -> _Header:
        # Before memory is taken: readers believe a header that asks for anything.
        size = path.stat().st_size
        with path.open("rb") as file:
            fixed = file.read(256)
            try:
                length, records, count = (int(fixed[a:b]) for a, b in ((184, 192), (236, 244), (252, 256)))
                duration = float(fixed[244:252])
                fields = file.read(256 * count) if 0 < count <= MOST_CHANNELS else b""
                at = 216 * count
                per_record = [int(fields[at + 8 * i : at + 8 * i + 8]) for i in range(count if fields else 0)]
            except ValueError:
                raise ValueError(f"{path.name} must have a header of EDF or BDF, and has none") from None
        if count < 1 or len(fields) != 256 * count or length != 256 * (count + 1):
            raise ValueError(
                f"{path.name} must have 1 to {MOST_CHANNELS} channels and a header as long as they need, got "
                f"{count} channels and {length} bytes"
            )
        names = [fields[16 * i : 16 * i + 16].decode("latin1").strip() for i in range(count)]
        at = 96 * count
        units = [fields[at + 8 * i : at + 8 * i + 8].decode("latin1").strip() for i in range(count)]
        if not (np.isfinite(duration) and duration > 0) or min(per_record) < 1:
            raise ValueError(
                f"{path.name} must have records of more than 0 s, got {duration:g} s with "
                f"{min(per_record)} samples and more: the file is damaged"
            )
        for name, at in (("physical", 104), ("digital", 120)):
            low, high = (_numbers(fields, at * count + 8 * k * count, count) for k in range(2))
            signals = [i for i in range(count) if "annotations" not in names[i].lower()]
            wrong = [i for i in signals if not np.isfinite(low[i] - high[i]) or low[i] == high[i]]
            if wrong:
                raise ValueError(
                    f"{path.name} must have channels with a {name} range, got {low[wrong[0]]:g} to "
                    f"{high[wrong[0]]:g} for {names[wrong[0]]!r}: the file is damaged"
                )
        is_bdf = fixed[:1] == b"\xff"
        needed = length + records * sum(per_record) * (3 if is_bdf else 2)
        if records < 1 or needed > size:
            raise ValueError(
                f"{path.name} must be complete: its header tells of {records} records, {needed} bytes, and "
                f"the file has {size}"
            )
        has_gaps = fixed[192:197] in (b"EDF+D", b"BDF+D")
        return cls(names, units, per_record, duration, records, is_bdf, has_gaps)

    def signals(self) -> list[int]:
        """Places of the channels that hold no annotations."""
        return [i for i, name in enumerate(self.names) if "annotations" not in name.lower()]

    def records(self) -> Records:
        """Where records lie."""
        sizes = [n * (3 if self.is_bdf else 2) for n in self.per_record]
        annotations = sorted(set(range(len(self.names))) - set(self.signals()))
        return Records(256 * (len(self.names) + 1), self.count, sizes, annotations, self.duration)

    def units_of_signals(self) -> dict[str, str | None]:
        """Units of the values as MNE returns them, by the names that channels have there."""
        places = self.signals()
        units = ("V" if self.units[i] in VOLTS else self.units[i] or None for i in places)
        return dict(zip(_numbered([self.names[i] for i in places]), units, strict=True))


def _numbers(fields: bytes, at: int, count: int) -> list[float]:
    """Numbers of all channels that begin at a place in the header; NaN for what is none."""
    texts = [fields[at + 8 * i : at + 8 * i + 8].decode("latin1") for i in range(count)]
    try:
        return [float(text) for text in texts]
    except ValueError:
        return [float("nan")] * count
