"""FIF, BrainVision and EEGLAB, read by MNE."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..signals.recordings import read_recording
from .fif import refuse_lying_tags
from .formats import pick
from .limits import refuse_size
from .matlab import refuse_swelling
from .recording import Annotation, Recording

BREAKS = ("edge boundary", "bad boundary", "boundary", "new segment/")
"""What marks the first sample after a gap: for MNE, which marks it twice, for EEGLAB and for BrainVision."""
EARLY = 1e-3
"""By how much of a sample a mark may lie behind its sample, by rounding."""
MOST_CHANNELS = 4096
MOST_TEXT = 2**22
"""Bytes of a header of BrainVision, and of its markers, of which these are some 100,000."""
CHANNELS = re.compile(rb"^NumberOfChannels\s*=\s*(\d+)", re.MULTILINE)
MARKERS = re.compile(rb"^MarkerFile\s*=([^\r\n]+)", re.MULTILINE)
"""What the header of BrainVision says."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """Signals of a raw recording; channels of triggers and bad ones are left out, with a word."""
    return load_by(_read_raw, path, channels)


def load_by(
    read: Callable[[Any, Path, tuple[str, ...] | None], Any], path: Path, channels: tuple[str, ...] | None
) -> Recording:
    """The same by another function of MNE, which is given the library, the path and the channels wanted."""
    import mne

    with warnings.catch_warnings():
        # What MNE has to say of names, filters and scaling is not about what is read here.
        warnings.simplefilter("ignore")
        try:
            _refuse_growing(path)
            raw = read(mne, path, channels)
            _check_values(raw, path)
        except Exception as error:
            # MNE raises as the damage has it.
            said = (" ".join(str(error).split()) or type(error).__name__)[:300]
            if said.startswith("No raw data"):
                said = "it has no raw data; where it holds epochs, pass mne.read_epochs(path)"
            raise ValueError(f"{path.name} must be a recording, which MNE cannot read: {said}") from error
    return of_raw(raw, channels, path.name)


def of_raw(raw: Any, channels: tuple[str, ...] | None, name: str) -> Recording:
    """A Raw of MNE as a recording."""
    signal = read_recording(raw, name, cut=True)
    names = signal.channels or ()
    values = signal.values.numpy()
    places = pick(names, channels, len(names), name)
    first = float(raw.first_time)
    notes = [
        Annotation(float(one["onset"]) - first, float(one["duration"]), str(one["description"]))
        for one in raw.annotations
    ]
    # EEGLAB has them half a sample before it.
    marked = (one.onset * raw.info["sfreq"] for one in notes if one.label.lower() in BREAKS)
    breaks = {found for at in marked if 0 < (found := math.ceil(at - EARLY)) < values.shape[-1]}
    return Recording(
        values[places],
        signal.fs,
        tuple(names[i] for i in places),
        signal.unit,
        tuple(one for one in notes if one.label.lower() not in BREAKS),
        tuple(sorted(breaks)),
    )


def _refuse_growing(path: Path) -> None:
    """ValueError where MNE would take memory before anything can be asked of it."""
    suffix = path.suffix.lower()
    if path.name.lower().endswith((".fif", ".fif.gz")):
        refuse_lying_tags(path)
    elif suffix == ".set":
        refuse_swelling(path)
    elif suffix == ".vhdr":
        _refuse_long(path)
        with path.open("rb") as file:
            header = file.read(1 << 16)
        told, beside = CHANNELS.search(header), MARKERS.search(header)
        if told and int(told[1]) > MOST_CHANNELS:
            raise ValueError(f"it must have at most {MOST_CHANNELS} channels, got {told[1].decode()}")
        if beside:
            markers = path.parent / beside[1].decode("utf-8", "replace").strip()
            _refuse_away(path, [markers])
            _refuse_long(markers)


def _refuse_long(path: Path) -> None:
    """ValueError where a text is so long that MNE would be long at it."""
    if path.is_file() and path.stat().st_size > MOST_TEXT:
        raise ValueError(f"{path.name} must have {MOST_TEXT} bytes at most, got {path.stat().st_size}")


def _check_values(raw: Any, path: Path) -> None:
    """ValueError where values lie elsewhere than beside the file, or are more than are stored."""
    # None of a file that was opened for it.
    files = [Path(one) for one in raw.filenames if one is not None] or [path]
    _refuse_away(path, files)
    stored = sum(one.stat().st_size for one in files)
    refuse_size(8 * int(raw.n_times) * len(raw.ch_names), path.name, stored)


def _refuse_away(path: Path, files: list[Path]) -> None:
    """ValueError where a header names a file that does not lie beside it."""
    # As they are named: what lies elsewhere by a link of the user's is beside it.
    beside = Path(os.path.abspath(path)).parent  # noqa: PTH100
    away = next((one for one in map(os.path.abspath, files) if beside not in Path(one).parents), None)
    if away is not None:
        raise ValueError(f"its values must lie beside it, but it leads to {away!r}")


def read_by_any_name(read: Callable[..., Any], path: Path, ending: str, **asked: Any) -> Any:
    """A Raw of MNE, by a function that takes files of one ending, and of another name once they are open."""
    if path.suffix.lower() == ending:
        return read(path, **asked)
    with path.open("rb") as file:
        return read(file, preload=True, **asked)


def _read_raw(mne: Any, path: Path, _: tuple[str, ...] | None) -> Any:
    return mne.io.read_raw(path, verbose="error")
