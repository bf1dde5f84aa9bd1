"""MAT files, of version 5 by scipy and 7.3 by pymatreader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .arrays import of_variables
from .limits import refuse_hdf5, refuse_size
from .recording import Recording

HDF5 = b"\x89HDF\r\n\x1a\n"


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The largest variable of numbers, as (channel, time) or (sample, channel, time).

    Raises
    ------
    ValueError
        If the file is damaged, or there is no such variable.
    """
    content = {name: value for name, value in _content(path).items() if not name.startswith("__")}
    try:
        return of_variables(content, path, channels)
    except ValueError as error:
        raise ValueError(f"{path.name} must hold an array of numbers: {error}") from None


def _content(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        start = file.read(128)
    try:
        if b"MATLAB 7.3" in start or start.startswith(HDF5):
            import pymatreader

            refuse_hdf5(path)
            content: dict[str, Any] = pymatreader.read_mat(path)
        else:
            from scipy.io import loadmat, whosmat

            for name, shape, _ in whosmat(path):
                needed = 8 * int(np.prod(shape, dtype=object))
                refuse_size(needed, f"{name} in {path.name}", path.stat().st_size)
            content = loadmat(path)
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 - readers raise as the damage has it
        raise ValueError(f"{path.name} must be a MAT file, which cannot be read: {error}") from None
    return content
