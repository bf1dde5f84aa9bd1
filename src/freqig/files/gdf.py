"""GDF: the header is checked by itself, then MNE reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..signals.units import unit_of_all
from . import mne_files
from .formats import pick
from .mne_files import MOST_CHANNELS
from .recording import Recording, refuse_several_rates

BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 16: 4, 17: 8}
"""Of a value, by the number of its type."""
UNITS = {4256: "V", 4274: "V", 4275: "V", 4276: "nV"}
"""By their codes of ISO 11073; of milli- and microvolts MNE makes volts."""
OLD, COUNTED = 1.9, 1.94
"""Versions from which on the header has its second form, and the table of events."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The channels wanted, all of one rate.

    Raises
    ------
    ValueError
        If the header contradicts itself or the size of the file, or the channels have several rates, or one
        that is not the fastest of the file.
    """
    header = _Header.read(path)
    places = pick(header.names, channels, len(header.names), path.name)
    rates = {header.names[i]: header.per_record[i] / header.duration for i in places}
    refuse_several_rates(path.name, rates)
    fastest = max(header.per_record)
    if places and header.per_record[places[0]] < fastest:
        raise ValueError(
            f"channels of {path.name} must have its highest rate, {fastest / header.duration:g} Hz, got "
            f"{', '.join(f'{name} {rate:g} Hz' for name, rate in rates.items())}, which MNE cannot read as "
            "they are: pass channels= with others, or convert the file to EDF"
        )
    recording = mne_files.load_by(_read_raw, path, channels)
    told = dict(zip(header.names, header.units, strict=True))
    return replace(recording, unit=unit_of_all(told.get(name, "V") for name in recording.channels or ()))


def _read_raw(mne: Any, path: Path, _: tuple[str, ...] | None) -> Any:
    # All channels: of some, MNE returns values of the first.
    return mne_files.read_by_any_name(mne.io.read_raw_gdf, path, ".gdf", verbose="error")


@dataclass(frozen=True)
class _Header:
    """Names of the channels, units of their values in MNE, samples per record, and seconds per record."""

    names: tuple[str, ...]
    units: tuple[str | None, ...]
    per_record: list[int]
    duration: float

    @classmethod
    def read(cls, path: Path) -> _Header:
        # Before memory is taken: MNE believes a header that asks for anything.
        size = path.stat().st_size
        with path.open("rb") as file:
            fixed = file.read(256).ljust(256, b"\0")
            try:
                version = float(fixed[4:8])
            except ValueError:
                raise ValueError(f"{path.name} must have a header of GDF, and has none") from None
            old = version < OLD
            length = _number(fixed, 184, "i8") if old else 256 * _number(fixed, 184, "u2")
            count = _number(fixed, 252, "u4" if old else "u2")
            fields = file.read(256 * count) if 0 < count <= MOST_CHANNELS else b""
            if not fields or len(fields) != 256 * count or not 256 * (count + 1) <= length <= size:
                raise ValueError(
                    f"{path.name} must have 1 to {MOST_CHANNELS} channels and a header as long as they need, "
                    f"got {count} channels and {length} of {size} bytes"
                )
            per_record, types = (_numbers(fields, at * count, "i4", count) for at in (216, 220))
            records, (seconds, parts) = _number(fixed, 236, "i8"), _numbers(fixed, 244, "u4", 2)
            each = sum(n * BYTES.get(kind, 0) for n, kind in zip(per_record, types, strict=True))
            if min(per_record) < 1 or not set(types) <= set(BYTES) or not seconds * parts:
                raise ValueError(
                    f"{path.name} must have records of more than 0 s, of numbers, got {seconds}/{parts} s "
                    f"with {min(per_record)} samples and more, of the types {sorted(set(types))}"
                )
            end = length + records * each
            needed = end + _size_of_events(file, end, version) if records > 0 and end <= size else end
        if records < 1 or needed > size:
            raise ValueError(
                f"{path.name} must be complete: its header tells of {records} records, {needed} bytes, and "
                f"the file has {size}"
            )
        for name, at, kind in (("physical", 104, "f8"), ("digital", 120, "i8" if old else "f8")):
            low, high = (np.frombuffer(fields, f"<{kind}", count, (at + k) * count) for k in (0, 8))
            if not np.isfinite(low.astype(float) - high).all() or (low == high).any():
                raise ValueError(f"{path.name} must have channels with a {name} range, got {low} to {high}")
        names = tuple(fields[16 * i : 16 * i + 16].decode("latin1").strip(" \0") for i in range(count))
        return cls(names, tuple(_units(fields, count, old)), per_record, seconds / parts)


def _size_of_events(file: Any, at: int, version: float) -> int:
    """Bytes of the table of events, which stands behind the records; 0 where there is none."""
    file.seek(at)
    head = file.read(8)
    if len(head) < 8:
        return 0
    count = _number(head, 4, "u4") if version < COUNTED else int.from_bytes(head[1:4], "little")
    return 8 + count * (12 if head[0] == 3 else 6)


def _units(fields: bytes, count: int, old: bool) -> list[str | None]:
    """Units of the values as MNE returns them: volts of those that it knows, others as they are stored."""
    if old:
        texts = [fields[96 * count + 8 * i :][:8].decode("latin1").strip(" \0") for i in range(count)]
        return ["V" if text.startswith("uV") else text or None for text in texts]
    return [UNITS.get(code) for code in _numbers(fields, 102 * count, "u2", count)]


def _numbers(content: bytes, at: int, kind: str, count: int) -> list[int]:
    return [int(one) for one in np.frombuffer(content, f"<{kind}", count, at)]


def _number(content: bytes, at: int, kind: str) -> int:
    return _numbers(content, at, kind, 1)[0]
