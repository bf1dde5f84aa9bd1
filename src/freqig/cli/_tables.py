"""Summaries as text or JSON, and a table with a row for each sample."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

BESIDE = ("file", "onset", "label", "truth", "predicted", "target", "n_times")
MEASURED = ("output", "baseline_output", "completeness_gap", "converged", "n_evaluations")


def told(found: dict[str, Any], as_json: bool) -> str:
    """A summary for people, or as JSON."""
    if as_json:
        return json.dumps(found, indent=2, ensure_ascii=False)
    lines = [f"{name + ':':<14}{text}" for name, text in _head(found).items() if text]
    rows = _class_rows(found["classes"])
    return "\n".join([*lines, *(["", *_aligned(rows)] if rows else [])])


def _head(found: dict[str, Any]) -> dict[str, str]:
    files, channels = found["files"], found["channels"]
    gap, evaluations = found.get("gap"), found.get("evaluations")
    rate = "" if found["fs"] is None else f" at {found['fs']:g} Hz"
    return {
        "samples": f"{found['samples']} of {found['values']} values{rate}"
        + (f", {len(files)} files, {_some(files)}" if files else ""),
        "channels": f"{len(channels)}, {_some(channels)}" if channels else "",
        "unit": found["unit"] or "",
        "model": found["model"],
        "explained": f"{found['output']} in {', '.join(found['domains'])}",
        "converged": f"{found['converged']} of {found['samples']}" if "converged" in found else "",
        "gap": _gap(gap) if gap else "",
        "evaluations": f"{evaluations['sum']}, {evaluations['median']:g} for a sample in the median"
        if evaluations
        else "",
    }


def _class_rows(classes: list[dict[str, Any]]) -> list[list[str]]:
    bands = list(classes[0].get("bands", {})) if classes else []
    right = any("right" in one for one in classes)
    rows = [["class", "samples", *(["right"] if right else []), "output", "baseline", *bands]]
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


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(t.rjust(w) for t, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _gap(gap: dict[str, float | None]) -> str:
    """The completeness gap; it is not finite where F(x) = F(x')."""
    median, largest = gap["median"], gap["largest"]
    told = "not finite in the median" if median is None else f"{median:.2%} in the median"
    return f"{told}, {'the largest is not finite' if largest is None else f'{largest:.2%} at most'}"


def write_table(result: xr.Dataset, bands: Any, path: Path) -> None:
    """Write a table: a row for each sample and target, a column for each band, summed over channels.

    Parameters
    ----------
    result : xarray.Dataset
        A result.
    bands : str, mapping or None
        As `freqig.summary` takes them; None where there are no columns of bands.
    path : pathlib.Path
        CSV to write.
    """
    from ..summaries import banded_attributions

    banded = banded_attributions(result, bands)
    every = "target" in result.dims
    beside = [name for name in BESIDE if name in result.coords and not (every and name == "target")]
    names = [] if banded is None else list(map(str, banded["band"].values))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", *(["target"] if every else []), *beside, *MEASURED, *names])
        for sample in range(result.sizes["sample"]):
            one = result.isel(sample=sample)
            for place in range(result.sizes["target"]) if every else [None]:
                own = one if place is None else one.isel(target=place)
                mine = None if banded is None else banded.isel(sample=sample)
                mine = mine if mine is None or place is None else mine.isel(target=place)
                writer.writerow(
                    [
                        sample,
                        *([own["target"].item()] if every else []),
                        *(own[name].values.tolist() for name in beside),
                        *(own[name].item() for name in MEASURED),
                        *([] if mine is None else mine.values.tolist()),
                    ]
                )
