"""Pages of a cohort: one of the group, and one of each recording, read one after another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import xarray as xr

from ..cohort.opening import checked, read_recording
from ..cohort.store import DONE
from ..whole_files import all_or_none, replacing
from .asked import checked as with_one_target
from .asked import material_of
from .content import Missing, PageLink, Paragraph, Piece, Section, Table
from .page import page_of, place_of
from .rendering import rendered
from .sections import downloads
from .words.counting import counted
from .words.people import People
from .words.sources import sources

BESIDE = "_recordings"


def report_cohort(
    store: str | os.PathLike[str],
    path: str | os.PathLike[str] = "report.html",
    *,
    bands: Any = None,
    info: Any = None,
    title: str | None = None,
    command: str = "",
    force: bool = False,
    seed: int = 0,
) -> Path:
    """Write a page of a cohort, and beside it a folder with a page of each recording, linked both ways.

    One recording is held in memory at a time.

    Parameters
    ----------
    store : path
        As `freqig.cohort.run` made it, of samples: ``keep="spectra"`` or ``"bands"``.
    path : path, default "report.html"
        Page of the group. Those of recordings lie in the folder ``PATH_recordings`` beside it.
    bands, info, title, command, force, seed
        As of `freqig.report`.

    Returns
    -------
    pathlib.Path
        Where the page of the group is.

    Raises
    ------
    FileExistsError
        If the page or the folder is there, and `force` is False.
    FileNotFoundError, ValueError
        If there is no such store; if none of its recordings is done, or holds samples; if their frequencies
        differ.
    """
    place, target = checked(store), place_of(path, force)
    folder = target.with_name(target.stem + BESIDE)
    if folder.exists() and not force:
        raise FileExistsError(f"{folder} must not be there yet: pass force=True to write over it")
    people, failed, without = People(), [], []
    with all_or_none(folder) as scratch:
        for name in place.names():
            marker = place.marker(name) or {}
            if marker["state"] != DONE:
                failed.append((name, str(marker.get("reason", ""))))
                continue
            result = read_recording(place, name)
            if "sample" not in result.dims or not result.sizes["sample"]:
                without.append(name)
                continue
            result = with_one_target(result, name)
            people.add(name, str(marker.get("subject") or ""), result, f"{folder.name}/{name}.html")
            asked = {"bands": bands, "info": info, "command": command, "seed": seed}
            text = _page_of_recording(result, name, target.name, asked)
            (scratch / f"{name}.html").write_text(text, encoding="utf-8")
        if people.first is None:
            why = ": its recordings are means, run with keep='spectra' or 'bands'" if without else ""
            if failed and not without:
                why = f": {counted(len(failed), 'recording')} failed, {failed[0][0]} since {failed[0][1]}"
            raise ValueError(
                f"store must hold a recording that is done and has samples, but {place.path} holds none{why}"
            )
        page = _page_of_group(people, people.first, failed, without, title, command, seed)
        with replacing(target) as whole:
            whole.write_text(page, encoding="utf-8")
    return target


def _page_of_recording(result: xr.Dataset, name: str, group: str, asked: dict[str, Any]) -> str:
    material = material_of(
        result, other=None, names=("result", "other"), samples=(), evaluation=None, baseline=None, **asked
    )
    back = Paragraph((PageLink(f"../{group}", "All recordings"),))
    return page_of(material, name, before=[back])


def _page_of_group(
    people: People,
    first: xr.Dataset,
    failed: list[tuple[str, str]],
    without: list[str],
    title: str | None,
    command: str,
    seed: int,
) -> str:
    recordings: list[Piece] = [people.recordings()]
    if failed:
        recordings.append(Table("failed", "Recordings that failed", ("recording", "why"), failed))
    if without:
        text = f"No page has {', '.join(without[:5])}{', …' if len(without) > 5 else ''}: means, not samples."
        recordings.append(Missing(text, "freqig.cohort.run(..., keep='spectra')"))
    sections = [
        Section("summary", "Summary", people.summary(seed)),
        Section("trust", "Trust", people.warned()),
        Section("recordings", "Recordings", recordings),
        Section("classes", "Classes", people.spectra()),
        Section("methods", "Methods", sources(_without_values(first), command)),
    ]
    sections.append(downloads.section(sections))
    return rendered(title or "Explanations of a cohort", sections, {}, {"count": 0})


def _without_values(first: xr.Dataset) -> xr.Dataset:
    """Attributes of a recording, whose settings are those of all; its counts are its own."""
    return xr.Dataset(attrs=first.attrs)
