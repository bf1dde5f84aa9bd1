"""BIDS: recordings of a folder, and where files that are derived of them go."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._version import __version__
from ..files.formats import endings
from ..files.labels import columns_of
from .recordings import DESCRIPTION, Recording

VERSION = "1.9.0"
KINDS = ("eeg", "ieeg", "meg", "emg", "nirs", "physio", "motion")
"""Suffixes of recordings in BIDS."""
LONGEST = 2**20
"""Bytes of a description of a dataset, beyond which it is none."""
ELSEWHERE = ("derivatives", "sourcedata", "code", "stimuli")
ENTITIES = re.compile(r"(?:[a-z]+-[A-Za-z0-9+]+)(?:_[a-z]+-[A-Za-z0-9+]+)*")


def recordings_in(root: Path) -> list[Recording]:
    """Recordings of a BIDS folder, with labels out of their files of events, where these have types.

    Parameters
    ----------
    root : pathlib.Path
        Folder with a ``dataset_description.json``.

    Raises
    ------
    ImportError
        If mne-bids is missing.
    ValueError
        If there is no recording.
    """
    try:
        from mne_bids import find_matching_paths
    except ImportError as error:
        raise ImportError("a BIDS folder needs the library mne-bids: pip install freqig[bids]") from error
    wanted = sorted(set(endings()) - {".tsv", ".txt"})
    found = find_matching_paths(root, suffixes=list(KINDS), extensions=wanted, ignore_nosub=True)
    listed = []
    for one in found:
        path = Path(one.fpath)
        folder = path.relative_to(root).parent
        # Further parts of a long recording are read with the first.
        if folder.parts[0] in ELSEWHERE or one.split not in (None, "01"):
            continue
        listed.append(
            Recording(path, subject=one.subject or "", annotations=_events_of(one), folder=folder.as_posix())
        )
    if not listed:
        raise ValueError(f"recordings must be at least one, but the BIDS folder {root} holds none")
    return listed


def _events_of(path: Any) -> Path | None:
    """The file of events of a recording, by the principle of inheritance; None where it names no types."""
    found = path.find_matching_sidecar(suffix="events", extension=".tsv", on_error="ignore")
    if found is None:
        return None
    named = {"onset", "duration", "trial_type"} <= set(columns_of(Path(found)))
    return Path(found) if named else None


def derived_name(recording: Recording, suffix: str) -> str:
    """Name of a file that is derived of a recording, without its ending.

    Examples
    --------
    >>> derived_name(Recording("sub-01_task-sleep_eeg.edf"), "attribution")
    'sub-01_task-sleep_desc-freqig_attribution'
    >>> derived_name(Recording("night.edf"), "attribution")
    'night_desc-freqig_attribution'
    """
    entities, _, kind = recording.name.rpartition("_")
    named = entities if kind in KINDS and ENTITIES.fullmatch(entities) else recording.name
    # A description of what it was derived of gives way to that of the derivative.
    parts = [part for part in named.split("_") if not part.startswith("desc-")]
    return "_".join([*parts, "desc-freqig", suffix])


def roots_of(recordings: Sequence[Recording]) -> list[Path]:
    """BIDS folders that recordings are from."""
    return sorted({_root(one) for one in recordings if one.folder})


def source_of(recording: Recording, roots: Sequence[Path]) -> str:
    """Where a recording lies: a BIDS URI where `roots` are the one folder of all, else its path."""
    if recording.folder and len(roots) == 1:
        return f"bids:raw:{recording.folder}/{recording.path.name}"
    return recording.path.as_uri()


def dataset_description(roots: Sequence[Path], model: str) -> dict[str, Any]:
    """What BIDS wants to know of a folder of derivatives.

    Parameters
    ----------
    roots : sequence of pathlib.Path
        BIDS folders of what was explained.
    model : str
        Class of the model.
    """
    told: dict[str, Any] = {
        "Name": "Explanations by freqig",
        "BIDSVersion": VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": "freqig",
                "Version": __version__,
                "Description": f"Attributions of the decisions of {model} to frequencies",
            }
        ],
    }
    if roots:
        told["SourceDatasets"] = [_source(root) for root in roots]
    if len(roots) == 1:
        told["DatasetLinks"] = {"raw": roots[0].as_uri()}
    return told


def _root(recording: Recording) -> Path:
    return recording.path.parents[len(Path(recording.folder).parts)]


def _source(root: Path) -> dict[str, str]:
    """Where a folder lies, with the identifier that it has; one that cannot be read has none."""
    about = root / DESCRIPTION
    try:
        held = json.loads(about.read_text(encoding="utf-8")) if about.stat().st_size <= LONGEST else {}
    except (ValueError, RecursionError):
        held = {}
    doi = held.get("DatasetDOI") if isinstance(held, dict) else None
    return {"URL": root.as_uri(), **({"DOI": doi} if isinstance(doi, str) else {})}
