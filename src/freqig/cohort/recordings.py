"""What is a recording of a cohort: a file, the name of its group, whose it is, and its labels."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._check import check_path, check_text, shown
from ..files.formats import reader_of, stem_of

DESCRIPTION = "dataset_description.json"
"""The file that makes a folder one of BIDS."""
SUBJECT = re.compile(r"sub-([A-Za-z0-9+]+)(?:_|$)")
"""How names begin that say whose recording this is, as BIDS has them."""


@dataclass(frozen=True, init=False)
class Recording:
    """A file, and what is known of it.

    Parameters
    ----------
    path : path
        What `freqig.read` reads.
    name : str, default ""
        What its results go by; no other recording of the cohort may have it. Empty: the name of the file,
        without its ending.
    subject : str, default ""
        Whose recording it is. Empty: what follows ``sub-`` at the beginning of the name, else unknown.
    annotations : path or sequence, optional
        Labels of windows, as `freqig.read` takes them.
    truth : int or str, optional
        True class of all of its windows.
    folder : str, default ""
        Where its files go, below the folder of all.

    Examples
    --------
    >>> Recording("nights/sub-01_task-sleep.edf").subject, Recording("nights/anna.fif.gz").name
    ('01', 'anna')
    """

    path: Path
    name: str
    subject: str
    annotations: Any
    truth: Any
    folder: str

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str = "",
        subject: str = "",
        annotations: Any = None,
        truth: Any = None,
        folder: str = "",
    ) -> None:
        place = placed(path)
        name = check_text(name, "name") or stem_of(place)
        if not name.strip(".") or set(name) & {"/", "\\", "\0"} or name.startswith(("__", ".")):
            raise ValueError(
                f"name must be that of a folder, and not begin with a dot or two underscores, got {name!r}"
            )
        found = SUBJECT.match(name)
        own = {
            "path": place,
            "name": name,
            "subject": _person(subject) or (found[1] if found else ""),
            "annotations": placed(annotations, "annotations")
            if isinstance(annotations, (str, os.PathLike))
            else annotations,
            "truth": truth,
            "folder": check_text(folder, "folder"),
        }
        for field, value in own.items():
            object.__setattr__(self, field, value)


def _person(subject: Any) -> str:
    """Whose recording it is, by a name or a number."""
    if isinstance(subject, (int, np.integer)) and not isinstance(subject, (bool, np.timedelta64)):
        return str(subject)
    if not isinstance(subject, str):
        raise TypeError(
            f"subject must be a name or a whole number, and so must subjects, got {shown(subject)}"
        )
    return subject


def placed(path: str | os.PathLike[str], name: str = "path") -> Path:
    """A path for workers, which may be in other folders; links stay what they are called."""
    return Path(os.path.abspath(check_path(path, name)))  # noqa: PTH100


def read_recordings(
    recordings: Any, *, annotations: Any = None, truth: Any = None, subjects: Any = None
) -> list[Recording]:
    """Recordings as a caller passes them, in the order of their names.

    Parameters
    ----------
    recordings : sequence of path or Recording, or path
        At least one; the path of a BIDS folder stands for all recordings in it.
    annotations, truth, subjects : sequence or mapping, optional
        One for each recording, or by its name.

    Raises
    ------
    ValueError, TypeError
        If there is none, two have one name, or something is given for others.
    FileNotFoundError
        If a file is missing.
    """
    if isinstance(recordings, (str, os.PathLike)):
        recordings = [recordings]
    if not isinstance(recordings, Sequence) and not _is_long(recordings):
        raise TypeError(f"recordings must be a sequence of paths, got {type(recordings).__name__}")
    listed = [one for given in recordings for one in _opened(given)]
    if not listed:
        raise ValueError("recordings must be at least one, got none")
    missing = [str(one.path) for one in listed if not one.path.exists()]
    if missing:
        raise FileNotFoundError(
            f"recordings must be there, but there is none at {', '.join(map(repr, missing[:5]))}"
            f"{', …' if len(missing) > 5 else ''}"
        )
    for one in listed:
        if one.path.is_dir():
            # A folder that nobody reads is a slip of the caller's, and no recording that fails.
            reader_of(one.path)
    for field, values in (("annotations", annotations), ("truth", truth), ("subject", subjects)):
        listed = _with(listed, field, values)
    _refuse_same_names(listed)
    return sorted(listed, key=lambda one: one.name)


def _opened(given: Any) -> list[Recording]:
    if isinstance(given, Recording):
        return [given]
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(f"recordings must be paths or freqig.cohort.Recording, got {shown(given)}")
    path = check_path(given, "recordings")
    if (path / DESCRIPTION).is_file():
        from .bids import recordings_in

        return recordings_in(path)
    return [Recording(path)]


def _is_long(values: Any) -> bool:
    """Whether it has a length, which arrays without axes have not."""
    return hasattr(values, "__len__") and getattr(values, "ndim", 1) > 0


def _with(listed: list[Recording], field: str, values: Any) -> list[Recording]:
    """Recordings, each with its own of the values."""
    if values is None:
        return listed
    what = "subjects" if field == "subject" else field
    if isinstance(values, Mapping):
        known = {one.name for one in listed}
        if wrong := [name for name in values if name not in known]:
            raise ValueError(f"{what} must be by names of recordings, got {', '.join(map(repr, wrong[:5]))}")
        return [replace(one, **{field: values[one.name]}) if one.name in values else one for one in listed]
    if isinstance(values, (str, os.PathLike)) or not _is_long(values) or len(values) != len(listed):
        raise ValueError(
            f"{what} must be one per recording, a sequence of {len(listed)}, or a mapping by name, got "
            f"{shown(values)}"
        )
    return [replace(one, **{field: value}) for one, value in zip(listed, values, strict=True)]


def _refuse_same_names(listed: list[Recording]) -> None:
    # Where file names ignore case, two groups that differ in nothing else would be one.
    by_name = defaultdict[str, list[str]](list)
    for one in listed:
        by_name[one.name.casefold()].append(str(one.path))
    for paths in by_name.values():
        if len(paths) > 1:
            raise ValueError(
                f"recordings must have names of their own, but {' and '.join(paths[:3])} have the same: "
                "rename one, or pass freqig.cohort.Recording(path, name=...)"
            )
