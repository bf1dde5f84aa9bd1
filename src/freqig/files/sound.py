"""WAV, FLAC, OGG, MP3 and whatever else soundfile reads."""

from __future__ import annotations

import struct
from pathlib import Path

from ..errors import SignalWarning, warn
from .formats import pick
from .limits import MOST_DECODED, refuse_size
from .recording import Recording

OPEN = 0xFFFFFFFF
"""A length that is not told."""
PAGE, MARKED_LAST, LONGEST_PAGE = b"OggS", 4, 65_307
"""How pages of OGG begin, the flag of the last one, and the most bytes of one."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """Sound between -1 and 1, a row per channel.

    Raises
    ------
    ValueError
        If the file is damaged or holds nothing.
    """
    import soundfile

    _refuse_truncated(path)
    try:
        about = soundfile.info(str(path))
        refuse_size(4 * about.frames * about.channels, path.name, path.stat().st_size, MOST_DECODED)
        values, fs = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise ValueError(
            f"{path.name} must be a file of sound, which soundfile cannot read: {error}"
        ) from None
    if len(values) < about.frames:
        raise ValueError(
            f"{path.name} must be complete: it tells of {about.frames} values in time, and {len(values)} "
            "can be read"
        )
    if len(values) == 0:
        raise ValueError(f"{path.name} must hold sound, got 0 values in time")
    if _ends_early(path):
        warn(
            f"{path.name} ends before its last page: what was behind {len(values) / fs:.4g} s is missing",
            SignalWarning,
        )
    names = ("left", "right") if values.shape[1] == 2 else tuple(map(str, range(values.shape[1])))
    places = pick(names, channels, len(names), path.name)
    return Recording(values.T[places], float(fs), tuple(names[i] for i in places))


def _refuse_truncated(path: Path) -> None:
    """ValueError where WAV or AIFF says that it has more data than there are, which its reader ignores."""
    size = path.stat().st_size
    with path.open("rb") as file:
        kind, about = file.read(4), file.read(8)[4:]
        order = {b"RIFF": "<", b"RF64": "<", b"FORM": ">"}.get(kind)
        if order is None or about not in (b"WAVE", b"AIFF", b"AIFC"):
            return
        # What was written as a stream leaves its length open, and RF64 has told it before.
        long = 0
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack(f"{order}4sI", head)
            if name == b"ds64":
                long = struct.unpack("<8xQ", file.read(16))[0]
                file.seek(-16, 1)
            told = long if length == OPEN else length
            if name in (b"data", b"SSND") and file.tell() + told > size:
                raise ValueError(
                    f"{path.name} must be complete: its header tells of {told} bytes of sound, and the "
                    f"file has {size - file.tell()}"
                )
            file.seek(length + length % 2, 1)


def _ends_early(path: Path) -> bool:
    """Whether the last page of an OGG is cut off or not marked as the last, which its reader ignores."""
    with path.open("rb") as file:
        if file.read(4) != PAGE:
            return False
        file.seek(max(0, path.stat().st_size - LONGEST_PAGE))
        end = file.read()
    page = end[end.rfind(PAGE) :]
    if len(page) < 27:
        return True
    segments = page[27 : 27 + page[26]]
    return not page[5] & MARKED_LAST or len(page) < 27 + page[26] + sum(segments)
