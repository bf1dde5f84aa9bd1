"""Signals of any kind: one batch, several of them one after another, files, or series of unequal length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import xarray as xr

from ..models import Model
from .batch import Asked, explain_batch
from .kept import Kept
from .many_files import explain_files
from .pieces import explain_stream, explain_uneven, first_and_rest, is_iterator, is_path, is_stream, is_uneven
from .settings import Settings


def explain_any(model: Model, settings: Settings, kept: Kept, x: Any, asked: Asked) -> xr.Dataset:
    """Explain signals, however they come.

    Parameters
    ----------
    model : Model
        The adapter.
    settings : Settings
        How to explain.
    kept : Kept
        What is known from earlier calls; what this one finds out is added.
    x : object
        Signals, as `Explainer.__call__` takes them.
    asked : Asked
        What is asked of them.
    """
    one_batch = quietly(model, settings, kept)
    if is_iterator(x):
        first, x = first_and_rest(x)
        x = list(x) if is_path(first) else x
    one, asked = asked, replace(asked, domains=settings.domains)
    if isinstance(x, list) and x and all(map(is_path, x)):
        fs = settings.fs if asked.reading.get("resample") is None else None
        files = replace(asked, reading={**asked.reading, "fs": fs})
        return explain_files(one_batch, x, files, settings.progress, in_one_unit=settings.unit is not None)
    if is_stream(x):
        return explain_stream(one_batch, x, asked, settings.progress)
    if is_uneven(x):
        return explain_uneven(one_batch, x, asked, settings.progress, settings.time_axis)
    return explain_batch(model, settings, kept, x, one)


def quietly(model: Model, settings: Settings, kept: Kept) -> Callable[[Any, Asked, int | None], xr.Dataset]:
    """Explains a batch of several, whose bar counts for all of them."""
    silent = replace(settings, progress=False)
    return lambda x, asked, length: explain_batch(model, silent, kept, x, asked, length)
