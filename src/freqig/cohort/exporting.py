"""Files beside a store: a netCDF with a sidecar for each recording, and its bands as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from ..exports.rows import write_table
from ..whole_files import replacing
from .bids import dataset_description, derived_name, source_of
from .opening import read_recording
from .recordings import DESCRIPTION, Recording
from .store import DONE, Store

COLUMNS = {
    "sample": "number of the sample, from 0",
    "onset": "where it begins, in s",
    "output": "the explained output at the input",
    "baseline_output": "the explained output at the baseline",
    "completeness_gap": "sum of attributions before correction, minus change of the output",
    "converged": "whether attributions are known to the tolerance",
    "n_evaluations": "gradients that were taken",
}


def export(store: Store, recordings: Sequence[Recording], folder: Path, bands: Any = None) -> None:
    """Write files of recordings that are done, each whole or not at all; those that are there are left.

    Parameters
    ----------
    store : Store
        What holds their results.
    recordings : sequence of Recording
        Which ones.
    folder : pathlib.Path
        Where files go; those of BIDS recordings by subject below it.
    bands : str, mapping or None
        Bands of the tables, as `freqig.bands` takes them; None for those that results have already.
    """
    model = ""
    for one in recordings:
        marker = store.marker(one.name)
        if marker is None or marker["state"] != DONE:
            continue
        base = folder / one.folder / derived_name(one, "attribution")
        sidecar = base.with_name(f"{base.name}.json")
        told = {**marker, "bands": bands}
        if not (base.with_name(f"{base.name}.nc").exists() and _is_of(sidecar, told)):
            result = read_recording(store, one.name)
            _write(result, base, one, bands)
            # Last: whatever has it is whole.
            with replacing(sidecar) as path:
                path.write_text(json.dumps(_sidecar(result, one, told), indent=2), encoding="utf-8")
        model = model or str(json.loads(sidecar.read_text(encoding="utf-8"))["Model"].get("class", ""))
    with replacing(folder / DESCRIPTION) as path:
        path.write_text(json.dumps(dataset_description(recordings, model), indent=2), encoding="utf-8")


def _write(result: xr.Dataset, base: Path, recording: Recording, bands: Any) -> None:
    with replacing(base.with_name(f"{base.name}.nc")) as path:
        result.to_netcdf(path, engine="h5netcdf")
    rows = _by_row(result)
    if bands is not None or any("band" in str(dim) for dim in result.dims):
        name = derived_name(recording, "bands")
        with replacing(base.with_name(f"{name}.tsv")) as path:
            write_table(rows, bands if "band" not in result.dims else None, path)
        with replacing(base.with_name(f"{name}.json")) as path:
            path.write_text(json.dumps(_columns(recording), indent=2), encoding="utf-8")


def _by_row(result: xr.Dataset) -> xr.Dataset:
    """Means of classes, as if each were a sample."""
    if "sample" in result.dims:
        return result
    for name in ("truth", "label"):
        if name in result.dims:
            return result.rename_dims({name: "sample"})
    return result.expand_dims("sample")


def _columns(recording: Recording) -> dict[str, Any]:
    about: dict[str, Any] = {name: {"Description": text} for name, text in COLUMNS.items()}
    about["Sources"] = [source_of(recording)]
    return about


def _sidecar(result: xr.Dataset, recording: Recording, marker: dict[str, Any]) -> dict[str, Any]:
    attributes = {key: value for key, value in result.attrs.items() if key.startswith("model_")}
    return {
        "Description": "Attributions of the decisions of a model, one variable per domain",
        "Sources": [source_of(recording)],
        "Model": {key.removeprefix("model_"): _plain(value) for key, value in attributes.items()},
        "Settings": json.loads(result.attrs["settings"]),
        "Versions": json.loads(result.attrs["versions"]),
        "Freqig": marker,
    }


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _is_of(sidecar: Path, marker: dict[str, Any]) -> bool:
    try:
        return bool(
            json.loads(sidecar.read_text(encoding="utf-8"))["Freqig"] == json.loads(json.dumps(marker))
        )
    except (OSError, ValueError, KeyError):
        return False
