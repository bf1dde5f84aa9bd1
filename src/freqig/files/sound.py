"""WAV, FLAC and OGG, read by soundfile."""

from __future__ import annotations

from pathlib import Path

from .formats import pick
from .recording import Recording


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """Sound between -1 and 1, a row per channel.

    Raises
    ------
    ValueError
        If the file is damaged or holds nothing.
    """
    import soundfile

    try:
        values, fs = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise ValueError(
            f"{path.name} must be a file of sound, which soundfile cannot read: {error}"
        ) from None
    names = ("left", "right") if values.shape[1] == 2 else tuple(map(str, range(values.shape[1])))
    places = pick(names, channels, len(names), path.name)
    return Recording(values.T[places], float(fs), tuple(names[i] for i in places))
