"""Summaries as text or JSON."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 80
"""Letters of a line of a table, that of a terminal."""


def told(found: dict[str, Any], as_json: bool) -> str:
    """A summary for people, or as JSON."""
    if as_json:
        return json.dumps(found, indent=2, ensure_ascii=False)
    lines = [f"{name + ':':<14}{text}" for name, text in _head(found).items() if text]
    # An output that is not known to be a class may be a horizon.
    rows = _class_rows(found["classes"], "target" if found["output"] == "output" else "class")
    return "\n".join([*lines, *(["", *_fitting(rows)] if rows else [])])


def _head(found: dict[str, Any]) -> dict[str, str]:
    files, channels = found["files"], found["channels"]
    gap, evaluations = found.get("gap"), found.get("evaluations")
    rate = "" if found["fs"] is None else f" at {found['fs']:g} Hz"
    return {
        "samples": f"{found['samples']} of {found['values']} values{rate}"
        + (f", {len(files)} {'file' if len(files) == 1 else 'files'}, {_some(files)}" if files else ""),
        "channels": _channels(channels),
        "unit": found["unit"] or "",
        "model": found["model"],
        "explained": f"{found['output']} in {', '.join(found['domains'])}",
        "converged": f"{found['converged']} of {found['samples']}" if "converged" in found else "",
        "gap": _gap(gap) if gap else "",
        "evaluations": f"{evaluations['sum']}, {evaluations['median']:g} for a sample in the median"
        if evaluations
        else "",
    }


def _class_rows(classes: list[dict[str, Any]], kind: str) -> list[list[str]]:
    bands = list(classes[0].get("bands", {})) if classes else []
    right = any("right" in one for one in classes)
    rows = [[kind, "samples", *(["right"] if right else []), "output", "baseline", *bands]]
    for one in classes:
        name = "all" if one["class"] is None else str(one["class"])
        rows.append(
            [
                name,
                str(one["samples"]),
                *([str(one.get("right", ""))] if right else []),
                _short(one["output"]),
                _short(one["baseline_output"]),
                *(_short(one["bands"][band]) for band in bands),
            ]
        )
    return rows


def _fitting(rows: list[list[str]]) -> list[str]:
    """A table no wider than a terminal: many bands go below one another, and many classes into several."""
    lines = _aligned(rows)
    if len(lines[0]) <= WIDTH:
        return lines
    # A row of the table becomes a column.
    first, *columns = rows
    blocks, block = list[list[str]](), list[list[str]]()
    for column in columns:
        if block and len(_turned([first, *block, column])[0]) > WIDTH:
            blocks, block = [*blocks, [*_turned([first, *block]), ""]], []
        block.append(column)
    return [line for lines in [*blocks, _turned([first, *block])] for line in lines]


def _turned(columns: list[list[str]]) -> list[str]:
    return _aligned([list(row) for row in zip(*columns, strict=True)])


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(t.rjust(w) for t, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _channels(names: list[str]) -> str:
    """How many channels there are, and what they are called, if anything."""
    unnamed = names == [str(i) for i in range(len(names))]
    return f"{len(names)}{', unnamed' if unnamed else f', {_some(names)}'}" if names else ""


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _gap(gap: dict[str, float | None]) -> str:
    """The completeness gap, as a share of the L1 norm of the attributions, which `tol` is one of, too."""
    median, largest = gap["median"], gap["largest"]
    told = "not finite in the median" if median is None else f"{median:.2%} of Σ|attribution| in the median"
    return f"{told}, {'the largest is not finite' if largest is None else f'{largest:.2%} at most'}"
