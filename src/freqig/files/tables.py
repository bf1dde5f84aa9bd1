"""CSV, TSV and Parquet, read by pandas: a column per channel, a row per point in time."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SignalWarning, warn
from ..signals.rates import SECONDS, SLOW, in_seconds, rate_of_times
from ..signals.tables import TIME, unit_in
from ..signals.units import in_one_unit, is_unit
from .dialect import COMMENTS, OTHERS, dialect, encoding_of, lines_above
from .formats import pick
from .label_columns import label_columns
from .limits import refuse_size
from .recording import Recording, UnclearRateError

MOST_COLUMNS, LONGEST_LINE, MOST_ABOVE = 4096, 2**18, 100
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": r"\s+"}
"""Where the first lines do not agree on another one."""
MARKS = " '\"()[]"
"""What may stand around a unit."""
NAMED = re.compile(r"(.*\S)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]")
"""Name and unit of a channel, such as "EEG Fz (uV)"."""
ABROAD = re.compile(r"(zeit|temps|tiempo|tempo|tijd|tid|czas|čas|aika|время|时间|時間)", re.IGNORECASE)
"""How the first column may begin where it holds times, in other languages."""
INDEX = re.compile(r"Unnamed: \d+|(index|sample|row|frame)s?( ?#| ?number)?", re.IGNORECASE)
"""What a first column is called that numbers the rows, or has no name, as the index of a table."""
FAST = 50.0
"""Rate in Hz below which times in s may as well be those of a fast device in ms."""
PARQUET = b"PAR1"
SINCE_1970 = 1e11
"""No time in s is later: it would be after the year 5000."""


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """A row per channel; a column of times gives the rate, and units behind names that of the values.

    Raises
    ------
    ValueError
        If there are too many columns, columns that are no numbers, missing values, or uneven times.
    """
    import pandas as pd

    table = _table(pd, path)
    table.columns = [str(column).strip(" '") for column in table.columns]
    times = _times(pd, table, channels)
    labels, spans = label_columns(pd, table.drop(columns=times), channels, path.name)
    recording = _signals(pd, table.drop(columns=[*times, *labels]), channels, path)
    recording = replace(recording, spans=tuple(spans))
    if not times:
        return recording
    name, column = times[0], table[times[0]]
    if sorted(map(str.lower, times))[:2] == ["date", "time"]:
        day, hour = sorted(times, key=str.lower)[:2]
        name, column = f"{day} {hour}", table[day].astype(str) + " " + table[hour].astype(str)
    return _at_its_rate(pd, recording, column, name, path)


def _times(pd: Any, table: Any, channels: tuple[str, ...] | None) -> list[str]:
    """Names of columns that tell of times or count rows, the one that gives the rate first."""
    columns = list(table.columns)
    times = [name for name in columns if TIME.fullmatch(name)]
    if len(columns) < 2 or columns[0] in (*times, *(channels or ())):
        return times
    name, first = columns[0], table.iloc[:, 0]
    even, unit = _rises_evenly(pd, first), unit_in(name)
    in_time = ABROAD.match(name) or (unit is not None and in_seconds(unit) is not None)
    rises = pd.api.types.is_numeric_dtype(first) and first.is_monotonic_increasing and first.is_unique
    if _dates(pd, first) is not None or (in_time and rises) or (INDEX.fullmatch(name) and even):
        return [*times, name]
    if even and not times and channels is None:
        warn(
            f"column {name!r} rises evenly, as times do, and is taken for a channel: where it holds times, "
            "call it 'time'; else pass channels= with those that are signals",
            SignalWarning,
        )
    return times


def _signals(pd: Any, table: Any, channels: tuple[str, ...] | None, path: Path) -> Recording:
    heads = tuple(table.columns)
    parted = [NAMED.fullmatch(head) for head in heads]
    units = [one[2] if one and is_unit(one[2]) else None for one in parted]
    names = tuple(
        one[1] if one and unit else head for one, unit, head in zip(parted, units, heads, strict=True)
    )
    if len(set(names)) < len(names):
        names = heads
    # By their names, or as they stand in the file.
    by_head = dict(zip(heads, names, strict=True))
    wanted = None if channels is None else tuple(by_head.get(one, one) for one in channels)
    places = pick(names, wanted, len(names), path.name)
    chosen = table.iloc[:, places]
    other = [name for name in chosen.columns if not pd.api.types.is_numeric_dtype(chosen[name])]
    if other or not places:
        raise ValueError(
            f"{path.name} must have columns of numbers, one per channel, got {', '.join(other[:5]) or 'none'}"
            ": pass channels= with those that are signals, or cut off what stands above the names"
        )
    values = chosen.to_numpy(dtype=np.float64, na_value=np.nan).T
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(0)))
        raise ValueError(
            f"{path.name} must have a number in every cell, but row {row} has none: fill or cut it"
        )
    values, unit = in_one_unit(values, [units[i] for i in places])
    return Recording(values, None, tuple(names[i] for i in places), unit)


def _table(pd: Any, path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(LONGEST_LINE)
    if path.suffix.lower() == ".parquet" or start.startswith(PARQUET):
        return _parquet(path)
    encoding = encoding_of(start, path.name, len(start) < LONGEST_LINE)
    usual, first = SEPARATORS.get(path.suffix.lower(), ","), _first_lines(path, encoding)
    if max(map(len, first)) >= LONGEST_LINE:
        raise ValueError(
            f"{path.name} must have a column per channel, {MOST_COLUMNS} at most, got a line of "
            f"{LONGEST_LINE} characters and more: transpose it"
        )
    above = lines_above(first, (*OTHERS, usual))
    lines = [line for one in first[above:] if one[0] not in COMMENTS and (line := one.strip())][:3] or [""]
    separator, decimal = dialect(lines, usual)
    columns = max(len(re.split(separator, line)) for line in lines)
    if columns > MOST_COLUMNS:
        raise ValueError(
            f"{path.name} must have a column per channel, {MOST_COLUMNS} at most, got {columns} in its first "
            "lines: transpose it"
        )
    # Names hold what begins comments too at times, as "sample #".
    comment = "%" if first[0].startswith("%") else None if "#" in lines[0] else "#"
    asked: dict[str, Any] = {"sep": separator, "decimal": decimal, "comment": comment, "encoding": encoding}
    asked |= {"skiprows": above} if above else {}
    rows = _rows_of_names(lines, separator)
    if not rows:
        # Without an index, which longer rows would make of their first cells, these are told of.
        asked["index_col"] = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, **asked, **rows)
            if len(table.columns) and _is_number(str(table.columns[0]).replace(decimal, ".")):
                # No names: the first line was a row of numbers.
                table = pd.read_csv(path, **asked, header=None)
                table.columns = [str(i) for i in range(table.shape[1])]
            if table.columns.nlevels > 1:
                table.columns = [
                    str(name).strip(" '") + ("" if unit.startswith("Unnamed") else f" ({unit.strip(MARKS)})")
                    for name, unit in table.columns
                ]
        if table.shape[1] > 1 and table.iloc[:, -1].isna().all():
            # Behind a separator at the end of every line.
            table = table.iloc[:, :-1]
    except (ValueError, pd.errors.ParserWarning) as error:
        said = " ".join(str(error).split()).removesuffix(".")
        begin = "; ".join(repr(line.strip()[:40]) for line in first[:3])
        raise ValueError(
            f"{path.name} must be a table, a row per point in time: {said}. It begins with "
            f"{begin}: cut off what stands above the names, or begin these lines with '#'"
        ) from None
    return table


def _first_lines(path: Path, encoding: str) -> list[str]:
    """The first lines, or as much of them as tells that they are too long."""
    with path.open(encoding=encoding, errors="replace") as file:
        return list(islice(iter(lambda: file.readline(LONGEST_LINE), ""), MOST_ABOVE))


def _rows_of_names(lines: list[str], separator: str) -> dict[str, Any]:
    """How pandas reads names whose units stand in a row of their own, as oscilloscopes write them.

    Examples
    --------
    >>> _rows_of_names(["Time,A", "(ms),(V)"], ","), _rows_of_names(["Time,A", "0,1"], ",")
    ({'header': [0, 1]}, {})
    """
    cells = (cell.strip(MARKS) for cell in re.split(separator, "".join(lines[1:2])))
    told = [cell for cell in cells if cell]
    are_units = bool(told) and all(one in SECONDS or is_unit(one) for one in told)
    return {"header": [0, 1]} if are_units else {}


def _parquet(path: Path) -> Any:
    from pyarrow import ArrowInvalid, parquet, types

    try:
        about = parquet.read_metadata(path)
        refuse_size(8 * about.num_columns * about.num_rows, path.name, path.stat().st_size)
        fields = list(about.schema.to_arrow_schema())
        columns = [one.name for one in fields if not types.is_nested(one.type)]
        if len(columns) < len(fields):
            nested = ", ".join(one.name for one in fields if one.name not in columns)
            warn(f"{path.name}: {nested} hold several values in a cell, and are left out", SignalWarning)
        # Texts that repeat are stored once, and stay so.
        table = parquet.read_table(path, columns=columns, read_dictionary=columns).to_pandas()
    except ArrowInvalid as error:
        raise ValueError(f"{path.name} must be a table of Parquet, and cannot be read: {error}") from None
    index = table.index
    if index.dtype.kind in "mMf" or hasattr(index, "tz") or TIME.fullmatch(str(index.name).strip()):
        # Times of the rows.
        return table.reset_index(names=str(index.name or "time"))
    return table


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rises_evenly(pd: Any, column: Any) -> bool:
    """Whether a column may be the index of a table: numbers of rows, or times."""
    if not pd.api.types.is_numeric_dtype(column) or len(column) < 3:
        return False
    steps = np.diff(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return bool(steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-3, atol=0))


def _dates(pd: Any, column: Any) -> Any:
    """A column of dates, or text that tells them, as dates without a zone; None where it is none.

    Day first where they are written with dots. Of hours without a day, midnight begins the next one.
    """
    if column.dtype.kind == "m":
        return column
    if pd.api.types.is_numeric_dtype(column) or not len(column):
        return None
    first = str(column.iloc[0])
    how = {"format": "ISO8601"} if re.match(r"\d{4}-", first) else {"dayfirst": first[:5].count(".") > 0}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            dates = pd.to_datetime(column, utc=True, **how).dt.tz_localize(None)
    except (ValueError, TypeError):
        return None
    if re.match(r"\d{1,2}:\d\d", first):
        dates += pd.to_timedelta((dates.diff() < pd.Timedelta(0)).cumsum(), "D")
    return dates


def _at_its_rate(pd: Any, recording: Recording, column: Any, name: str, path: Path) -> Recording:
    """The recording with the rate that a column of times tells."""
    if INDEX.fullmatch(name) and pd.api.types.is_integer_dtype(column) and set(np.diff(column)) == {1}:
        # Numbers of rows.
        return recording
    times = column if pd.api.types.is_numeric_dtype(column) else _dates(pd, column)
    if times is None:
        raise ValueError(
            f"column {name!r} of {path.name} must hold times, numbers or dates such as "
            f"2026-01-31T12:00:00.5, got {column.iloc[0]!r} to {column.iloc[-1]!r}"
        )
    unit = unit_in(name)
    try:
        fs, _ = rate_of_times(times.to_numpy(), unit, path.name)
    except ValueError as error:
        steps = np.diff(times.to_numpy().astype(float))
        worst = int(np.abs(steps - np.median(steps)).argmax())
        raise ValueError(f"{error}; the step after row {worst} differs most") from None
    if fs is None:
        raise ValueError(
            f"column {name!r} of {path.name} must rise in time, in s, ms, us, ns, min or h, got "
            + (f"the unit {unit!r}" if unit else "fewer than two times")
        )
    is_late = times.dtype.kind in "iuf" and float(abs(times).max()) > SINCE_1970
    if unit is None and times.dtype.kind in "iuf" and (fs * SLOW <= 1 or is_late):
        what, remedy = f"column {name!r} of {path.name}", f"name it, for example, '{name} (ms)'"
        raise UnclearRateError.of(what, fs, remedy, recording)
    if unit is None and times.dtype.kind in "iuf" and fs < FAST:
        warn(
            f"{path.name}: steps of {1 / fs:g} in column {name!r} are taken for seconds, {fs:g} Hz; where "
            f"they are ms, name it '{name} (ms)', and where they are s, '{name} (s)'",
            SignalWarning,
        )
    return replace(recording, fs=fs)
