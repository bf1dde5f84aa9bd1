"""Results in files, netCDF or Zarr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import xarray as xr

SUFFIXES = (".nc", ".zarr")


def check_format(path: Path) -> None:
    """Raise where a result cannot be written under such a name.

    Raises
    ------
    click.ClickException
        If the name ends in something else, or the library for it is missing.
    """
    from importlib.util import find_spec

    if path.suffix not in SUFFIXES:
        raise click.ClickException(f"--out must end in .nc or .zarr, got {str(path)!r}")
    if path.suffix == ".zarr" and find_spec("zarr") is None:
        raise click.ClickException("--out with .zarr needs the library zarr: pip install freqig[zarr]")


def is_cohort(path: Path) -> bool:
    """Whether this is the store of `freqig cohort`, and not a result."""
    if path.suffix != ".zarr" or not path.is_dir():
        return False
    from ..cohort.store import Store

    return Store.at(path).about() is not None


def write_result(result: xr.Dataset, path: Path) -> None:
    """Write a result."""
    if path.suffix == ".zarr":
        result.to_zarr(path, mode="w")
    else:
        result.to_netcdf(path, engine="h5netcdf")


def read_result(path: Path, target: str | None = None) -> xr.Dataset:
    """A result out of a file, in memory; where it holds several targets, one of them if it is named.

    Raises
    ------
    ValueError
        If the file holds none, or no such target.
    """
    import xarray as xr

    if not path.exists():
        raise FileNotFoundError(f"RESULT must be the path of a result, but there is none at {str(path)!r}")
    try:
        with xr.open_dataset(path, engine="zarr" if path.suffix == ".zarr" else "h5netcdf") as file:
            result = file.load()
    except Exception as error:
        raise ValueError(
            f"{path} must be a result as freqig explain writes it, and cannot be read: {error}"
        ) from error
    if not {"output", "cluster_p"} & set(result) or not any(
        v.attrs.get("kind") == "attribution" for v in result.values()
    ):
        held = ", ".join(map(str, result.data_vars)) or "nothing"
        raise ValueError(f"{path} must be a result as freqig explain writes it, got a file with {held}")
    if target is None:
        return result
    known = list(map(str, result["target"].values)) if "target" in result.dims else []
    if target not in known:
        raise ValueError(
            f"target must be one of {', '.join(known)}, got {target!r}"
            if known
            else f"target must be left out for a result of one target, got {target!r}"
        )
    return result.isel(target=known.index(target))
