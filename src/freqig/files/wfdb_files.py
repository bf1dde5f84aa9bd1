"""Records of PhysioNet, header and signal, read by wfdb."""

from __future__ import annotations

from pathlib import Path

from .formats import pick
from .recording import Annotation, Recording


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """A row per signal, in its physical unit, with the rhythms or beats of its annotations."""
    import wfdb

    record = wfdb.rdrecord(str(path.with_suffix("")))
    names = tuple(record.sig_name)
    places = pick(names, channels, len(names), path.name)
    units = {record.units[i] for i in places}
    notes = tuple[Annotation, ...]()
    if path.with_suffix(".atr").exists():
        found = wfdb.rdann(str(path.with_suffix("")), "atr")
        times = [sample / record.fs for sample in found.sample]
        ends = [*times[1:], record.sig_len / record.fs]
        labels = [
            note.strip("\x00") or symbol for note, symbol in zip(found.aux_note, found.symbol, strict=True)
        ]
        notes = tuple(Annotation(a, b - a, label) for a, b, label in zip(times, ends, labels, strict=True))
    return Recording(
        record.p_signal.T[places],
        float(record.fs),
        tuple(names[i] for i in places),
        units.pop() if len(units) == 1 else None,
        notes,
    )
