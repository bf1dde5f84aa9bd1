"""A table of text with a row for each sample."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..summaries import banded_attributions

if TYPE_CHECKING:
    import xarray as xr

BESIDE = ("file", "onset", "label", "truth", "predicted", "target", "n_times")
MEASURED = ("output", "baseline_output", "completeness_gap", "converged", "n_evaluations")


def write_table(result: xr.Dataset, bands: Any, path: Path) -> None:
    """Write a table: a row for each sample and target, a column for each band, summed over channels.

    Parameters
    ----------
    result : xarray.Dataset
        A result.
    bands : str, mapping or None
        As `freqig.summary` takes them; None where there are no columns of bands.
    path : pathlib.Path
        To write: CSV, or a table of BIDS where it ends in ``.tsv``: with tabs between columns, and "n/a" for
        what is missing.
    """
    banded = banded_attributions(result, bands)
    every = "target" in result.dims
    beside = [name for name in BESIDE if name in result.coords and not (every and name == "target")]
    # Numbers that are no parts of a sum have no gap.
    measured = [name for name in MEASURED if name in result]
    names = [] if banded is None else list(map(str, banded["band"].values))
    with path.open("w", encoding="utf-8", newline="") as file:
        tabs = path.suffix == ".tsv"
        writer = csv.writer(file, delimiter="\t" if tabs else ",", lineterminator="\n" if tabs else "\r\n")
        writer.writerow(["sample", *(["target"] if every else []), *beside, *measured, *names])
        for sample in range(result.sizes["sample"]):
            one = result.isel(sample=sample)
            for place in range(result.sizes["target"]) if every else [None]:
                own = one if place is None else one.isel(target=place)
                mine = None if banded is None else banded.isel(sample=sample)
                mine = mine if mine is None or place is None else mine.isel(target=place)
                row = [
                    sample,
                    *([own["target"].item()] if every else []),
                    *(own[name].values.tolist() for name in beside),
                    *(own[name].item() for name in measured),
                    *([] if mine is None else mine.values.tolist()),
                ]
                writer.writerow(map(_of_bids, row) if tabs else row)


def _of_bids(value: Any) -> Any:
    """A cell as BIDS has it.

    Examples
    --------
    >>> [_of_bids(value) for value in ("W", "", float("nan"), True, 0)]
    ['W', 'n/a', 'n/a', 'true', 0]
    """
    if value is None or value == "" or value != value:
        return "n/a"
    return str(value).lower() if isinstance(value, bool) else value
