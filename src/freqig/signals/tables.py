"""Tables of pandas: columns that are no signal, and numbers that may be missing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .arrays import as_array
from .rates import SECONDS

UNITS = "|".join(sorted(SECONDS, key=len, reverse=True))
TIME = re.compile(
    r"((elapsed[ _])?times?|timestamps?|datetime|date|t|seconds?|milliseconds?|ms|msec)"
    # Behind a word of one letter a unit stands apart: the least of something is called t_min, too.
    rf"\s*([(\[].*|[,/]\s*({UNITS})|_(s|ms|us|µs|ns)|(?<=[a-z]{{3}})[ _]({UNITS}))?",
    re.IGNORECASE,
)
"""Names of columns that hold times, with or without a unit behind."""
UNIT = re.compile(rf"[(\[]\s*([^)\]]+?)\s*[)\]]|(?:^|[ ,/_])({UNITS})$", re.IGNORECASE)
"""A unit in the name of a column of times: "time (ms)", "time_ms", "t / ms", or the name itself."""


LABELS = ("label", "labels", "target", "class", "y")
"""Names of columns that hold classes, where their numbers are whole and those of the others are not."""


def unit_in(name: str) -> str | None:
    """The unit that the name of a column of times tells; None where it tells none.

    Examples
    --------
    >>> [unit_in(name) for name in ("Time (MS)", "t / us", "time_min", "milliseconds", "time")]
    ['MS', 'us', 'min', 'milliseconds', None]
    """
    told = UNIT.search(name)
    return (told[1] or told[2]) if told else None


def is_table(x: Any) -> bool:
    """Whether this is a DataFrame or a Series of pandas, which is not imported to ask."""
    return any(
        base.__module__.partition(".")[0] == "pandas" and base.__name__ in ("DataFrame", "Series")
        for base in type(x).__mro__
    )


def read_table(table: Any, name: str) -> np.ndarray:
    """Numbers of a table, one series per row; nullable ones are floating, with NaN where missing.

    Parameters
    ----------
    table : pandas.DataFrame or pandas.Series
        One series per row.
    name : str
        Name of the parameter in errors.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns), or (rows,) of a Series.

    Raises
    ------
    TypeError
        If rows are points in time rather than series, or columns are not numeric.
    """
    if not hasattr(table, "columns"):
        table = table.to_frame()
        return read_table(table, name)[:, 0]
    dtypes = dict(zip(map(str, table.columns), table.dtypes, strict=True))
    _refuse_rows_in_time(table, dtypes, name)
    _refuse_labels(dtypes, name)
    other = [column for column, dtype in dtypes.items() if not _is_numeric(dtype)]
    if other and all(np.ndim(cell) for cell in table.iloc[:, list(dtypes).index(other[0])]):
        raise TypeError(
            f"{name} must be numeric, got a column with a series in every cell: pass an array of its cells, "
            "np.stack(list(column))"
        )
    if other:
        raise TypeError(
            f"{name} must be numeric, got a DataFrame with columns of other dtypes, "
            f"{', '.join(map(repr, other[:5]))}{', …' if len(other) > 5 else ''}: drop or convert them first"
        )
    if any(not isinstance(dtype, np.dtype) for dtype in dtypes.values()):
        return np.array(table.to_numpy(dtype=np.float64, na_value=np.nan))
    return as_array(table.to_numpy(), name)


def _refuse_rows_in_time(table: Any, dtypes: dict[str, Any], name: str) -> None:
    columns = [
        column
        for column, dtype in dtypes.items()
        if TIME.fullmatch(column.strip()) or getattr(dtype, "kind", "") in ("M", "m")
    ]
    by_index = type(table.index).__name__ in ("DatetimeIndex", "TimedeltaIndex", "PeriodIndex")
    by_index = by_index or _rises(table.index)
    if not (columns or by_index or TIME.fullmatch(str(table.index.name).strip())):
        return
    what = f"a column of times, {columns[0]!r}" if columns else "times for its index"
    values = f"table.drop(columns={columns!r})" if columns else "table"
    raise TypeError(
        f"{name} must have one series per row, got a DataFrame with {what}, whose rows are points in time: "
        f"for one sample with one channel per column pass {name}={values}.to_numpy().T[None], and fs="
    )


def _refuse_labels(dtypes: dict[str, Any], name: str) -> None:
    """TypeError where a column of classes stands beside those of a series."""
    found = [column for column in dtypes if column.strip().lower() in LABELS]
    kinds = {column: getattr(dtype, "kind", "O") for column, dtype in dtypes.items()}
    if found and kinds[found[0]] in "biu" and any(kind == "f" for kind in kinds.values()):
        raise TypeError(
            f"{name} must hold signals alone, got a DataFrame with the column {found[0]!r} of whole numbers: "
            f"pass {name}=table.drop(columns={found[0]!r}), and target= or truth=table[{found[0]!r}]"
        )


def _rises(index: Any) -> bool:
    """Whether rows are named by fractions that rise, as times do, and numbers of samples do not."""
    values = index.to_numpy() if getattr(index.dtype, "kind", "") == "f" else np.zeros(0)
    return len(values) > 2 and bool((np.diff(values) > 0).all() and (values % 1 != 0).any())


def _is_numeric(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "biufc" and type(dtype).__name__ != "CategoricalDtype"
