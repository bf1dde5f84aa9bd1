"""`freqig.report`: one page in HTML, from a result to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import xarray as xr

from .._check import check_flag, check_path, check_text
from .._keywords import says_what_is_meant
from ..whole_files import replacing
from .asked import material_of
from .content import Piece, Section
from .material import Material
from .rendering import rendered
from .sections import SECTIONS, downloads

TITLE = "Explanation of a time-series model"
PAGES = (".html", ".htm", "")
"""Endings of a page. What ends in another, such as .pdf, would be taken for what it is not."""


@says_what_is_meant
def report(
    result: xr.Dataset,
    path: str | os.PathLike[str] = "report.html",
    *,
    other: xr.Dataset | None = None,
    names: Sequence[str] = ("result", "other"),
    bands: Any = None,
    samples: Sequence[int] = (),
    info: Any = None,
    evaluation: Any = None,
    baseline: Any = None,
    title: str | None = None,
    command: str | None = None,
    force: bool = False,
    seed: int = 0,
) -> Path:
    """Write one page in HTML that says what decided, how sure that is, and shows each sample.

    One file that opens offline in any browser and needs no network: figures that can be clicked, the data
    behind them, and what a paper needs to say. What the result does not hold is named, with the call that
    supplies it.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it. Of results with every class the page shows that of
        the predicted class.
    path : str or os.PathLike, default "report.html"
        The file to write; whole or not at all.
    other : xarray.Dataset, optional
        A second result to compare with: of another model, baseline or scale of the output.
    names : sequence of two str, default ("result", "other")
        What the two are called.
    bands : str or mapping of str to (float, float), optional
        As `freqig.bands` takes them. Default those that the result was summed over, else "sleep" where
        frequencies are in Hz and the classes are stages of sleep, "eeg" up to a sampling rate of 1 kHz, and
        "octave" above.
    samples : sequence of int, optional
        Positions of samples that are shown in time and frequency together, beside those that the page
        chooses itself.
    info : mne.Info, optional
        Positions of the electrodes. Default those of the 10-05 system, by the names of the channels.
    evaluation : pandas.DataFrame or xarray.Dataset, optional
        What `freqig.evaluate` returned of the result.
    baseline : Baseline or array-like, optional
        Start of the paths, as `freqig.resynthesize` takes it; needed where it was values.
    title : str, optional
        Of the page.
    command : str, optional
        What makes the page again. Default the call, as far as it is known.
    force : bool, default False
        Whether a file that is there is replaced.
    seed : int, default 0
        Of the bootstraps.

    Returns
    -------
    pathlib.Path
        Where the page is.

    Raises
    ------
    ImportError
        If jinja2 is not installed: ``pip install 'freqig[report]'``.
    FileExistsError
        If there is such a file, and `force` is False.
    OSError
        If it cannot be written to.
    TypeError, ValueError
        If `result` is no result, or holds no sample or no attribution; if an argument is out of range.

    Examples
    --------
    >>> import tempfile, numpy as np, torch, freqig
    >>> explainer = freqig.Explainer(torch.nn.Linear(64, 1), fs=64)
    >>> result = explainer(np.random.default_rng(0).normal(size=(12, 64)), target=0)
    >>> page = freqig.report(result, tempfile.mkdtemp() + "/report.html")
    >>> page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    True
    """
    target = place_of(path, force)
    title = None if title is None else check_text(title, "title")
    material = material_of(
        result,
        other=other,
        names=names,
        bands=bands,
        samples=samples,
        info=info,
        evaluation=evaluation,
        baseline=baseline,
        command=command,
        seed=seed,
    )
    # Whether there is a place to write to is known before the page is made.
    with replacing(target) as scratch:
        scratch.write_text(page_of(material, title or TITLE), encoding="utf-8")
    return target


def place_of(path: str | os.PathLike[str], force: bool) -> Path:
    """Where a page goes.

    Raises
    ------
    FileExistsError
        If there is such a file, and `force` is False.
    ValueError
        If this is a folder, or ends in something else than .html, .htm or nothing.
    """
    check_flag(force, "force")
    target = check_path(path, "path")
    if target.is_dir() or str(path).endswith(("/", os.sep)):
        raise ValueError(
            f"path must be that of a page, but {str(path)!r} is a folder: name one in it, such as "
            f"{str(target / 'report.html')!r}"
        )
    if target.suffix.lower() not in PAGES:
        raise ValueError(
            f"path must end in .html, got {str(path)!r}: write a page, which a browser prints to PDF"
        )
    if target.exists() and not force:
        raise FileExistsError(f"{target} must not be there yet: pass force=True to write over it")
    return target


def page_of(material: Material, title: str, before: Sequence[Piece] = ()) -> str:
    """The text of a page, with pieces before all others."""
    sections: list[Section] = [make(material) for make in SECTIONS]
    sections[0] = replace(sections[0], pieces=[*before, *sections[0].pieces])
    sections.append(downloads.section(sections))
    return rendered(title, sections, material.arrays, {"count": len(material)})
