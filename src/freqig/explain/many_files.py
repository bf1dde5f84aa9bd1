"""Several recordings, one after another, as one result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from os import PathLike, fspath
from typing import Any

import numpy as np
import xarray as xr

from .._keywords import no_others
from ..errors import warnings_about
from ..files import read
from ..progress import counting
from ..result.joining import joined
from ..signals.rates import CLOSE
from .batch import Asked
from .pieces import OneBatch
from .shares import of_rows, refuse_rest, with_rows

Path = str | PathLike[str]
Failed = Callable[[Path, Exception], object]
"""Told of a file that cannot be read or explained."""
READING = ("fs", "unit", "window", "step", "channels", "resample", "annotations")
"""Arguments of `freqig.read` that are the same for all files, but for `annotations`."""
FILE_AXES = 3
"""Axes of what is read from a file: sample, channel and time."""


def explain_files(
    one_batch: OneBatch,
    paths: Iterable[Path],
    asked: Asked,
    progress: bool | None,
    failed: Failed | None = None,
    in_one_unit: bool = False,
) -> xr.Dataset:
    """Explain recordings; those of unequal length on the coordinates of the longest.

    Parameters
    ----------
    one_batch : callable
        Explains a batch.
    paths : iterable of path
        At least one.
    asked : Asked
        What is asked; its `reading` holds arguments of `freqig.read`. `annotations`, `truth` and `names`, if
        given, hold one entry per file, in a sequence as long as `paths`.
    progress : bool or None
        Whether to show a bar.
    failed : callable, optional
        Told of files that cannot be read or explained, which are then left out. Default: the error is
        raised.
    in_one_unit : bool
        Whether the Explainer converts them to the unit of the model.

    Raises
    ------
    ValueError
        If nothing is left.
    TypeError
        If `freqig.read` has no argument of such a name.
    """
    no_others(asked.reading, READING)
    places = list(paths)
    reading = {name: value for name, value in asked.reading.items() if value is not None}
    beside = reading.pop("annotations", None)
    if beside is not None and len(places) > 1:
        beside = one_per_file(beside, "annotations", len(places))
    cut = "window" in reading
    per_file = [
        replace(
            own,
            reading={},
            truth=None if asked.truth is None else one_per_file(asked.truth, "truth", len(places))[i],
            names=None if asked.names is None else one_per_file(asked.names, "names", len(places))[i],
        )
        for i, own in enumerate(_rows_per_file(asked, len(places), cut))
    ]

    first = dict[str, Any]()

    def opened(i: int) -> xr.DataArray | None:
        mine = beside if beside is None or len(places) == 1 else beside[i]
        try:
            signal = read(places[i], **reading, annotations=mine)
            _refuse_other(signal, fspath(places[i]), first, in_one_unit)
        except Exception as error:
            if failed is None:
                raise
            failed(places[i], error)
            return None
        return signal

    def explained(i: int, signal: xr.DataArray, length: int | None) -> xr.Dataset | None:
        count = signal.sizes["sample"]
        own = per_file[i]
        mine = replace(
            own,
            truth=None if own.truth is None else _repeated(own.truth, count),
            names=None if own.names is None else _repeated(own.names, count),
        )
        try:
            with warnings_about(f"of {fspath(places[i])}" if len(places) > 1 else ""):
                return one_batch(signal, mine, length)
        except Exception as error:
            if failed is None:
                raise
            failed(places[i], error)
            return None

    # Windows have one length, so that one file at a time is held; else the longest must be known first.
    signals: Mapping[int, xr.DataArray] | None = None if cut else dict(_read_all(places, opened))
    lengths = {} if signals is None else {i: signal.sizes["time"] for i, signal in signals.items()}
    length = max(lengths.values()) if len(set(lengths.values())) > 1 else None
    order = range(len(places)) if signals is None else sorted(signals, key=lambda i: -lengths[i])
    results: dict[int, xr.Dataset] = {}
    with counting(progress, len(places)) as done:
        for i in order:
            signal = opened(i) if signals is None else signals[i]
            found = None if signal is None else explained(i, signal, length)
            if found is not None:
                results[i] = found
            done(1)
    if not results:
        raise ValueError(f"x must hold a recording that can be explained, and none of {len(places)} can")
    kept = sorted(results)
    return joined([results[i] for i in kept])


def _rows_per_file(asked: Asked, count: int, cut: bool) -> list[Asked]:
    """What is asked of each file, with its own of what has a row per sample, which is a file if not `cut`."""
    bare = Asked(baseline=asked.baseline, domains=asked.domains)
    named = with_rows(bare, [FILE_AXES])
    if not named or (cut and count == 1):
        return [asked] * count
    if cut:
        raise ValueError(
            f"{named[0]} must be the same for all samples of several files that are cut into windows, got "
            'one row per sample: pass xr.concat([freqig.read(path, ...) for path in paths], "sample") as x, '
            "or explain one file after another"
        )
    refuse_rest(bare, count, [FILE_AXES])
    own = [of_rows(bare, [i], [FILE_AXES]) for i in range(count)]
    return [replace(asked, baseline=one.baseline, domains=one.domains) for one in own]


def _refuse_other(signal: xr.DataArray, path: str, first: dict[str, Any], in_one_unit: bool) -> None:
    """ValueError where a file has another rate or unit than the first one, of which `first` is to tell."""
    fs, unit = signal.attrs.get("fs"), signal.attrs.get("units")
    if not first:
        first |= {"path": path, "fs": fs, "unit": unit}
    if fs and first["fs"] and not math.isclose(fs, first["fs"], rel_tol=CLOSE):
        raise ValueError(
            f"x must be of one sampling rate, got {first['fs']:g} Hz in {first['path']} and {fs:g} Hz in "
            f"{path}: pass resample= in Hz for all of them"
        )
    if unit != first["unit"] and not in_one_unit:
        raise ValueError(
            f"x must be in one unit, got {first['unit'] or 'none'} in {first['path']} and {unit or 'none'} "
            f"in {path}: pass unit= to Explainer, the unit that the model takes"
        )


def _read_all(
    places: list[Path], opened: Callable[[int], xr.DataArray | None]
) -> Iterator[tuple[int, xr.DataArray]]:
    for i in range(len(places)):
        signal = opened(i)
        if signal is not None:
            yield i, signal


def one_per_file(values: Any, name: str, count: int) -> list[Any]:
    """Values that must be one per file, as a list."""
    if isinstance(values, (str, PathLike)) or not hasattr(values, "__len__") or len(values) != count:
        got = fspath(values) if isinstance(values, (str, PathLike)) else type(values).__name__
        raise ValueError(f"{name} must be one per file, a sequence of {count}, got {got}")
    return list(values)


def _repeated(value: Any, count: int) -> list[Any]:
    """One per window of a file, for which one value stands."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return list(value)
    return [value] * count
