"""Files beside a store: a netCDF with a sidecar for each recording, and its bands as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from .._check import object_in
from ..exports.rows import write_table
from ..files.labels import columns_of
from ..whole_files import replacing
from .bids import dataset_description, derived_name, roots_of, source_of
from .opening import read_recording
from .recordings import DESCRIPTION, Recording
from .store import DONE, Store

COLUMNS = {
    "sample": "number of the sample, from 0",
    "file": "name of the recording",
    "onset": "where it begins, in s",
    "label": "what was said of it",
    "truth": "its true class",
    "predicted": "the class that the model answered",
    "target": "the class, or output, that is explained",
    "n_times": "how many times it has",
    "output": "the explained output at the input",
    "baseline_output": "the explained output at the baseline",
    "completeness_gap": "sum of attributions before correction, minus change of the output",
    "converged": "whether attributions are known to the tolerance",
    "n_evaluations": "gradients that were taken",
}
BAND = "sum of the attributions in this band, over all channels"


def export(
    store: Store,
    recordings: Sequence[Recording],
    folder: Path,
    bands: Any = None,
    *,
    cohort: Sequence[Recording] | None = None,
) -> None:
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
    cohort : sequence of Recording, optional
        All recordings, where these are a shard of them.
    """
    model, roots = "", roots_of(cohort or recordings)
    for one in recordings:
        marker = store.marker(one.name)
        if marker is None or marker["state"] != DONE:
            continue
        base = folder / one.folder / derived_name(one, "attribution")
        sidecar = base.with_name(f"{base.name}.json")
        sources = [source_of(one, roots)]
        about = {"Sources": sources, "Freqig": {**marker, "bands": bands}}
        if not (base.with_name(f"{base.name}.nc").exists() and _says(sidecar, about)):
            result = read_recording(store, one.name)
            _write(result, base, one, bands, sources)
            # Last: whatever has it is whole.
            with replacing(sidecar) as path:
                path.write_text(json.dumps(_sidecar(result, about), indent=2), encoding="utf-8")
        if not model:
            known = _held(sidecar).get("Model")
            model = str(known.get("class", "")) if isinstance(known, dict) else ""
    with replacing(folder / DESCRIPTION) as path:
        path.write_text(json.dumps(dataset_description(roots, model), indent=2), encoding="utf-8")


def _write(result: xr.Dataset, base: Path, recording: Recording, bands: Any, sources: list[str]) -> None:
    with replacing(base.with_name(f"{base.name}.nc")) as path:
        result.to_netcdf(path, engine="h5netcdf")
    rows = _by_row(result)
    if bands is not None or any("band" in str(dim) for dim in result.dims):
        name = derived_name(recording, "bands")
        table = base.with_name(f"{name}.tsv")
        with replacing(table) as path:
            write_table(rows, bands if "band" not in result.dims else None, path)
        about = {column: {"Description": COLUMNS.get(column, BAND)} for column in columns_of(table)}
        with replacing(table.with_suffix(".json")) as path:
            path.write_text(json.dumps({**about, "Sources": sources}, indent=2), encoding="utf-8")


def _by_row(result: xr.Dataset) -> xr.Dataset:
    """Means of classes, as if each were a sample."""
    if "sample" in result.dims:
        return result
    for name in ("truth", "label"):
        if name in result.dims:
            return result.rename_dims({name: "sample"})
    return result.expand_dims("sample")


def _sidecar(result: xr.Dataset, about: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {key: value for key, value in result.attrs.items() if key.startswith("model_")}
    return {
        "Description": "Attributions of the decisions of a model, one variable per domain",
        "Model": {key.removeprefix("model_"): _plain(value) for key, value in attributes.items()},
        "Settings": json.loads(result.attrs["settings"]),
        "Versions": json.loads(result.attrs["versions"]),
        **about,
    }


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _says(sidecar: Path, about: Mapping[str, Any]) -> bool:
    held = _held(sidecar)
    return all(held.get(key) == value for key, value in json.loads(json.dumps(about)).items())


def _held(sidecar: Path) -> dict[str, Any]:
    """What a sidecar says; nothing where there is none that can be read."""
    try:
        return object_in(sidecar.read_bytes())
    except (OSError, ValueError):
        return {}
