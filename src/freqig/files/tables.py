"""CSV, TSV and Parquet, read by pandas: a column per channel, a row per point in time."""

from __future__ import annotations

import re
import warnings
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..signals.rates import rate_of_times
from ..signals.tables import TIME
from .formats import pick
from .limits import refuse_size
from .recording import Recording

MOST_COLUMNS = 4096
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": r"\s+"}
UNIT = re.compile(r"[(\[]\s*([^)\]]+)\s*[)\]]")
"""A unit behind a name, such as "time (ms)"."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """A row per channel; a column of times gives the rate.

    Raises
    ------
    ValueError
        If there are too many columns, columns that are no numbers, missing values, or uneven times.
    """
    import pandas as pd

    table = _table(pd, path)
    times = [column for column in table.columns if TIME.fullmatch(str(column).strip())]
    fs = None
    if times:
        fs = _rate(pd, table[times[0]], str(times[0]), path)
        table = table.drop(columns=times)
    names = tuple(map(str, table.columns))
    places = pick(names, channels, len(names), path.name)
    table = table.iloc[:, places]
    other = [str(name) for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    if other or table.shape[1] == 0:
        raise ValueError(
            f"{path.name} must have columns of numbers, one per channel, got {', '.join(other[:5]) or 'none'}"
            ": pass channels= with those that are signals"
        )
    values = table.to_numpy(dtype=np.float64, na_value=np.nan).T
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(0)))
        raise ValueError(
            f"{path.name} must have a number in every cell, but row {row} has none: fill or cut it"
        )
    return Recording(values, fs, tuple(names[i] for i in places))


def _table(pd: Any, path: Path) -> Any:
    if path.suffix.lower() == ".parquet":
        return _parquet(pd, path)
    separator = SEPARATORS.get(path.suffix.lower(), ",")
    columns = max(len(re.split(separator, line)) for line in _first_lines(path))
    if columns > MOST_COLUMNS:
        raise ValueError(
            f"{path.name} must have a column per channel, {MOST_COLUMNS} at most, got {columns} in its first "
            "lines: transpose it"
        )
    # Without an index, which longer rows would make of their first cells, a row that is too long is told of.
    asked: dict[str, Any] = {"sep": separator, "comment": "#", "index_col": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, **asked)
            if len(table.columns) and _is_number(table.columns[0]):
                # No names: the first line was a row of numbers.
                table = pd.read_csv(path, **asked, header=None)
                table.columns = [str(i) for i in range(table.shape[1])]
    except (ValueError, pd.errors.ParserWarning) as error:
        said = " ".join(str(error).split()).removesuffix(".")
        raise ValueError(f"{path.name} must be a table, a row per point in time, in UTF-8: {said}") from None
    return table


def _first_lines(path: Path) -> list[str]:
    """The first two lines that are no comments, or as much of them as tells that they are too long."""
    with path.open("rb") as file:
        lines = (line.decode("utf-8", "replace") for line in iter(lambda: file.readline(2**20), b""))
        return [line.strip() for line in islice((one for one in lines if one[0] != "#"), 2)] or [""]


def _parquet(pd: Any, path: Path) -> Any:
    from pyarrow import ArrowInvalid, parquet

    try:
        about = parquet.read_metadata(path)
        refuse_size(8 * about.num_columns * about.num_rows, path.name, path.stat().st_size)
        return pd.read_parquet(path)
    except ArrowInvalid as error:
        raise ValueError(f"{path.name} must be a table of Parquet, and cannot be read: {error}") from None


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rate(pd: Any, column: Any, name: str, path: Path) -> float:
    try:
        times = column if pd.api.types.is_numeric_dtype(column) else pd.to_datetime(column)
    except ValueError as error:
        raise ValueError(f"column {name!r} of {path.name} must hold times: {error}") from None
    unit = UNIT.search(name)
    try:
        fs, _ = rate_of_times(times.to_numpy(), unit[1] if unit else None, path.name)
    except ValueError as error:
        steps = np.diff(times.to_numpy().astype(float))
        worst = int(np.abs(steps - np.median(steps)).argmax())
        raise ValueError(f"{error}; the step after row {worst} differs most") from None
    if fs is None:
        raise ValueError(f"column {name!r} of {path.name} must rise in time, got fewer than two times")
    return fs
