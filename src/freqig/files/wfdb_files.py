"""Records of PhysioNet, header and signal, read by wfdb."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..signals.units import in_one_unit
from .formats import pick
from .limits import refuse_size
from .recording import Annotation, Recording, refuse_several_rates

MOST_TEXT = 2**22
"""Bytes of a header."""
BYTES = {"8": 1.0, "16": 2.0, "24": 3.0, "32": 4.0, "61": 2.0, "80": 1.0, "160": 2.0, "212": 1.5}
"""Of a sample, by the format of the signal; others are compressed, or rare."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """A row per signal, in its physical unit, with the rhythms of its annotations, or else the beats.

    Raises
    ------
    ValueError
        If header, signals or annotations are damaged or missing, or signals have several rates.
    """
    record_name, beside = str(path.resolve().with_suffix("")), path.with_suffix(".atr").exists()
    with warnings.catch_warnings():
        # What wfdb uses of pandas is not about what is read here.
        warnings.simplefilter("ignore")
        import wfdb

        try:
            _check_header(path)
            _check_sizes(wfdb.rdheader(record_name), path)
            # Of a signal with several values in a frame wfdb would give their mean.
            record = wfdb.rdrecord(record_name, smooth_frames=False)
            found = wfdb.rdann(record_name, "atr") if beside else None
        except Exception as error:
            # wfdb raises as the damage has it.
            said = " ".join(str(error).split())[:300]
            if isinstance(error, RecursionError):
                said = "its segments lead back to it"
            raise ValueError(
                f"{path.name} must be a whole record of WFDB, which wfdb cannot read: {said}"
            ) from error
    names = tuple(map(str, record.sig_name))
    places = pick(names, channels, len(names), path.name)
    rates = {names[i]: record.fs * len(record.e_p_signal[i]) / record.sig_len for i in places}
    refuse_several_rates(path.name, rates)
    series = np.stack([record.e_p_signal[i] for i in places])
    values, unit = in_one_unit(series, [record.units[i] or None for i in places])
    length = record.sig_len / record.fs
    # Marks count frames, unless they have a clock of their own.
    at = () if found is None else (found.sample / (found.fs or record.fs)).tolist()
    notes = () if found is None else _notes(at, found.symbol, found.aux_note, length)
    return Recording(values, rates[names[places[0]]], tuple(names[i] for i in places), unit, notes)


def _notes(
    times: Sequence[float], symbols: Sequence[str], texts: Sequence[str], end: float
) -> tuple[Annotation, ...]:
    """Rhythms, each until the next; where none are told, beats and other marks, each until the next."""
    told = [
        (float(at), text.strip("\x00 ") or symbol)
        for at, symbol, text in zip(times, symbols, texts, strict=True)
    ]
    told = [one for one in told if one[1].startswith("(")] or told
    ends = [*(at for at, _ in told[1:]), end]
    return tuple(Annotation(at, max(0.0, to - at), label) for (at, label), to in zip(told, ends, strict=True))


def _check_header(path: Path) -> None:
    """Before wfdb believes it: a header may tell of more signals, or segments, than it has lines for."""
    if path.stat().st_size > MOST_TEXT:
        raise ValueError(f"its header must have {MOST_TEXT} bytes at most, got {path.stat().st_size}")
    text = path.read_text(encoding="latin1")
    record, *lines = [line for line in map(str.strip, text.splitlines()) if line and line[0] != "#"] or [""]
    told = re.match(r"\S+?(?:/(\d+))?\s+(\d+)", record)
    count = int(told[1] or told[2]) if told else 0
    if told and count != len(lines):
        what = "segments" if told[1] else "signals"
        raise ValueError(f"its header tells of {count} {what}, and has lines for {len(lines)}")


def _check_sizes(header: Any, path: Path) -> None:
    """Before memory is taken: a header may tell of more samples than the file has."""
    if segments := getattr(header, "seg_name", None):
        sizes = {one.stem: one.stat().st_size for one in path.parent.iterdir() if one.suffix != ".hea"}
        stored = sum(sizes.get(name, 0) for name in set(segments))
        refuse_size(8 * int(header.sig_len or 0) * int(header.n_sig or 1), path.name, stored)
    for name in dict.fromkeys(getattr(header, "file_name", None) or ()):
        signals = path.parent / name
        if not signals.is_file():
            raise ValueError(f"there is no {name} beside it")
        rows = [i for i, own in enumerate(header.file_name) if own == name]
        if not all(header.fmt[i] in BYTES for i in rows):
            continue
        per_frame = sum(BYTES[header.fmt[i]] * (header.samps_per_frame[i] or 1) for i in rows)
        needed = int((header.sig_len or 0) * per_frame) + int(header.byte_offset[rows[0]] or 0)
        if needed > signals.stat().st_size:
            raise ValueError(
                f"its header tells of {header.sig_len} samples, {needed} bytes, and {name} has "
                f"{signals.stat().st_size}"
            )
