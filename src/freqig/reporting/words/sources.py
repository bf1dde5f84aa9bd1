"""Settings, versions, the paragraph for a paper, citations, and what makes the page again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import xarray as xr

from ...exports.paper import bibtex, methods_text
from ..content import Cell, Listing, Missing, Paragraph, Piece, Table

MODEL = "model_"


def sources(result: xr.Dataset, command: str = "") -> list[Piece]:
    """How the explanation was made, in a form to copy.

    Parameters
    ----------
    result : xarray.Dataset
        The result.
    command : str
        What makes the page again; empty where that is not known.

    Returns
    -------
    list of Piece
        The paragraph for a paper, citations as BibTeX, the command, settings, versions and what is known of
        the model.
    """
    pieces: list[Piece] = []
    if "settings" in result.attrs:
        pieces += [
            Listing("methods-text", "The paragraph for a paper", methods_text(result)),
            Listing("bibtex", "Citations as BibTeX", bibtex(result)),
        ]
    else:
        text = "How the explanation was made is not known, as the result has lost its attributes."
        pieces.append(Missing(text, "xarray.set_options(keep_attrs=True)"))
    pieces.append(
        Listing("command", "What makes this page again", command)
        if command
        else Missing("Which command made this page is not known.", "freqig.report(result, command=...)")
    )
    pieces.append(Table("settings", "Settings, versions and model", ("of", "name", "value"), _rows(result)))
    if "model_fingerprint" in result.attrs:
        text = "The fingerprint is a hash of the weights: a model with other ones has another."
        pieces.append(Paragraph(text))
    return pieces


def _rows(result: xr.Dataset) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for of in ("settings", "versions"):
        told: Mapping[str, Any] = json.loads(result.attrs.get(of, "{}"))
        rows += [(of, key, _text(value)) for key, value in sorted(told.items()) if value is not None]
    for key, value in sorted(result.attrs.items()):
        if str(key).startswith(MODEL):
            rows.append(("model", str(key).removeprefix(MODEL), str(value)))
    rows += [("result", key, str(result.attrs[key])) for key in ("method", "outputs") if key in result.attrs]
    return rows


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
