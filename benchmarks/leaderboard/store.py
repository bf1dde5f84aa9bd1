"""Results by key, a line of JSON each, so that a run that was interrupted goes on where it was.

A cache has everything. What is committed beside the tables has the results that count, without their scatter
over series, so that a run on another machine adds to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Cell = dict[str, Any]


def key(cell: Cell) -> str:
    """What a result depends on: another network, or another number of samples, is another result."""
    return "|".join(str(cell[part]) for part in ("case", "seed", "method", "samples", "network"))


def read(path: Path) -> dict[str, Cell]:
    """All results of a file by key, the latest where a key comes twice.

    Raises
    ------
    ValueError
        If a line is no result: the error names file and line. The last line may be cut off.
    """
    if not path.exists():
        return {}
    found = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            cell = json.loads(line)
            found[key(cell)] = cell
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and isinstance(error, ValueError):
                break
            raise ValueError(f"{path}, line {number}, is no result: remove the line or the file") from error
    return found


def append(path: Path, cell: Cell) -> None:
    """Add a result, on a line of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        file.seek(0)
        whole = file.read()
        # A run that was killed in the middle of a line.
        if whole and not whole.endswith("\n"):
            file.truncate(whole.rfind("\n") + 1)
        file.write(json.dumps(cell) + "\n")


def write(path: Path, cells: Iterable[Mapping[str, Any]]) -> None:
    """Write results without their scatter over series, in the order of their keys."""
    short = ({part: value for part, value in cell.items() if part != "scatter"} for cell in cells)
    lines = [json.dumps(cell, ensure_ascii=False, separators=(",", ":")) for cell in sorted(short, key=key)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
