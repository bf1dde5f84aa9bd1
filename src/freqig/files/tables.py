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
"""Where the first lines do not agree on another one."""
OTHERS = (";", "\t", ",")
UNIT = re.compile(r"[(\[]\s*([^)\]]+)\s*[)\]]|_(s|ms|us|µs|ns)$")
"""A unit behind a name, such as "time (ms)" or "time_ms"."""
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*")
SINCE_1970 = 1e11
"""No time in s is later: it would be after the year 5000."""


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
    if not times and len(table.columns) > 1 and _dates(pd, table.iloc[:, 0]) is not None:
        times = [table.columns[0]]
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
    lines = _first_lines(path)
    separator, decimal = _dialect(lines, SEPARATORS.get(path.suffix.lower(), ","))
    columns = max(len(re.split(separator, line)) for line in lines)
    if columns > MOST_COLUMNS:
        raise ValueError(
            f"{path.name} must have a column per channel, {MOST_COLUMNS} at most, got {columns} in its first "
            "lines: transpose it"
        )
    # Without an index, which longer rows would make of their first cells, a row that is too long is told of.
    asked: dict[str, Any] = {"sep": separator, "decimal": decimal, "comment": "#", "index_col": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, **asked)
            if len(table.columns) and _is_number(str(table.columns[0]).replace(decimal, ".")):
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


def _dialect(lines: list[str], usual: str) -> tuple[str, str]:
    """What stands between cells, and before the decimals: what all of the first lines agree on.

    Examples
    --------
    >>> _dialect(["t;a", "0,5;1,25"], ","), _dialect(["t,a", "0.5,1.25"], ",")
    ((';', ','), (',', '.'))
    """
    agreed = [one for one in OTHERS if {line.count(one) for line in lines} == {lines[0].count(one)}]
    separator = next((one for one in agreed if lines[0].count(one)), usual)
    cells = [cell for line in lines[1:] for cell in re.split(separator, line)]
    comma = separator != "," and any(map(DECIMAL_COMMA.fullmatch, cells)) and not any("." in c for c in cells)
    return separator, "," if comma else "."


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


def _dates(pd: Any, column: Any) -> Any:
    """A column of text as dates, day first where these are written with dots; None where it is none."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    if pd.api.types.is_numeric_dtype(column) or not len(column):
        return None
    first = str(column.iloc[0])
    how = {"format": "ISO8601"} if re.match(r"\d{4}-", first) else {"dayfirst": first[:5].count(".") > 0}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return pd.to_datetime(column, **how)
    except (ValueError, TypeError):
        return None


def _rate(pd: Any, column: Any, name: str, path: Path) -> float:
    times = column if pd.api.types.is_numeric_dtype(column) else _dates(pd, column)
    if times is None:
        raise ValueError(
            f"column {name!r} of {path.name} must hold times, numbers or dates such as "
            f"2026-01-31T12:00:00.5, got {column.iloc[0]!r} to {column.iloc[-1]!r}"
        )
    unit = UNIT.search(name)
    if unit is None and times.dtype.kind in "iuf" and float(abs(times).max()) > SINCE_1970:
        raise ValueError(
            f"column {name!r} of {path.name} must be in s, or say in which unit it is, got values up to "
            f"{float(times.max()):g}: name it, for example, 'time (ms)'"
        )
    try:
        fs, _ = rate_of_times(times.to_numpy(), (unit[1] or unit[2]) if unit else None, path.name)
    except ValueError as error:
        steps = np.diff(times.to_numpy().astype(float))
        worst = int(np.abs(steps - np.median(steps)).argmax())
        raise ValueError(f"{error}; the step after row {worst} differs most") from None
    if fs is None:
        raise ValueError(f"column {name!r} of {path.name} must rise in time, got fewer than two times")
    return fs
