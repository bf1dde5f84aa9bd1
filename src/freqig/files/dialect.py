"""How a table is written: what stands above it, between its cells, and before its decimals."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from ..errors import SignalWarning, warn

COMMENTS = "#%"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How text in UTF-16 begins, as Windows calls Unicode."""
OTHERS = (";", "\t", ",")
"""What stands between cells, where all lines agree on it."""
DECIMAL_COMMA = re.compile(r"\s*\"?[+-]?\d+,\d+([eE][+-]?\d+)?\"?\s*")


def encoding_of(start: bytes, name: str, is_all: bool = True) -> str:
    """How a text is encoded, by its beginning or all of it: UTF-8, or what Windows writes, which is told.

    Raises
    ------
    ValueError
        If it is no text.

    Examples
    --------
    >>> encoding_of(b"a,b", "x.csv"), encoding_of("a,b".encode("utf-16"), "x.csv")
    ('utf-8-sig', 'utf-16')
    """
    if start.startswith(UTF_16):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start, final=is_all)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        if encoding == "cp1252":
            warn(
                f"{name} is not in UTF-8, and is read as Windows-1252: where names look wrong, save it in "
                "UTF-8",
                SignalWarning,
            )
        return encoding
    raise ValueError(f"{name} must be text in UTF-8")


def lines_above(lines: Sequence[str], separators: Sequence[str]) -> int:
    r"""How many of the first lines of a file stand above its table.

    These are lines with fewer cells than the table, whose first line has names only: then nothing else can
    be meant. A first line of fewer names than there are columns is none of these, as numbers follow it,
    unless one of them ends in a colon, which names of channels never do.

    Parameters
    ----------
    lines : sequence of str
        The first lines.
    separators : sequence of str
        What may stand between cells, as regular expressions.

    Returns
    -------
    int
        Zero where it is not clear.

    Examples
    --------
    >>> lines_above(["Scope 3", "Serial,12", "time,a,b", "0,1,2", "1,2,3"], [","])
    2
    >>> lines_above(["Device: X-1", "0.5 0.1", "0.2 0.3"], [r"\s+"])
    1
    >>> lines_above(["a,b", "0,1,2", "1,2,3"], [","]), lines_above(["t;a", "0,5;1", "1,5;2"], [";", ","])
    (0, 0)
    """
    if above := _device_lines(lines, separators):
        return above
    told = [(i, line) for i, line in enumerate(lines) if line.strip() and line[0] not in COMMENTS]
    for separator in separators:
        cells = [(i, re.split(separator, line.strip())) for i, line in told]
        width = len(cells[-1][1]) if cells else 0
        above = next((k for k, (_, row) in enumerate(cells) if len(row) >= width), 0)
        table = [row for _, row in cells[above:]]
        even = all(len(row) == width for row in table)
        if even and width > 1 and not above:
            # It begins at once, whatever else stands in its cells, such as a comma before decimals.
            return 0
        if above and width > 1 and even and len(table) > 1 and not any(map(_is_number, table[0])):
            return cells[above][0]
    return 0


def _device_lines(lines: Sequence[str], separators: Sequence[str]) -> int:
    """How many lines of words stand above rows of numbers without names; zero where it is not clear."""
    for separator in separators:
        rows = [re.split(separator, line.strip()) for line in lines if line.strip()]
        above = next((i for i, row in enumerate(rows) if all(map(_is_number, row))), 0)
        even = len({len(row) for row in rows[above:]}) == 1 and len(rows[-1]) > 1
        numbers = all(_is_number(cell) for row in rows[above:] for cell in row)
        if above and even and numbers and any(cell.strip().endswith(":") for cell in rows[above - 1]):
            return lines.index(
                next(line for line in lines if re.split(separator, line.strip()) == rows[above])
            )
    return 0


def dialect(lines: list[str], usual: str) -> tuple[str, str]:
    """What stands between cells, and before the decimals: what all of the first lines agree on.

    Examples
    --------
    >>> dialect(["t;a", "0,5;1,25"], ","), dialect(["t,a", "0.5,1.25"], ",")
    ((';', ','), (',', '.'))
    """
    agreed = [one for one in OTHERS if {line.count(one) for line in lines} == {lines[0].count(one)}]
    separator = next((one for one in agreed if lines[0].count(one)), usual)
    cells = [cell for line in lines[1:] for cell in re.split(separator, line)]
    comma = separator != "," and any(map(DECIMAL_COMMA.fullmatch, cells)) and not any("." in c for c in cells)
    return separator, "," if comma else "."


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*[-+]?[\d.,]+(e[-+]?\d+)?\s*", text, re.IGNORECASE) is not None
