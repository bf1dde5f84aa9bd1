"""Results in files, netCDF or Zarr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

if TYPE_CHECKING:
    import xarray as xr

SUFFIXES = (".nc", ".zarr")


def check_format(path: Path) -> None:
    """Raise where a result cannot be written under such a name.

    Raises
    ------
    click.ClickException
        If the name ends in something else, or is that of a folder for .nc; if the library for it is missing.
    """
    from importlib.util import find_spec

    if path.suffix not in SUFFIXES:
        raise click.ClickException(f"--out must end in .nc or .zarr, got {str(path)!r}")
    if path.suffix == ".nc" and path.is_dir():
        raise click.ClickException(f"--out must be a file, got the folder {str(path)!r}")
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


def read_result(path: Path, target: str | None = None, option: str = "RESULT") -> xr.Dataset:
    """A result out of a file, in memory; where it holds several targets, one of them if it is named.

    Parameters
    ----------
    path : path
        A file of netCDF, or a store of Zarr.
    target : str, optional
        As `freqig explain` takes it: predicted, all, or a class by name or number.
    option : str, default "RESULT"
        What the path was given as.

    Raises
    ------
    ValueError
        If the file holds none, or no such target.
    """
    what = f"{option} must be a result as freqig explain writes it"
    if not path.exists():
        raise FileNotFoundError(f"{what}, but there is none at {str(path)!r}")
    if path.is_dir() and path.suffix != ".zarr":
        raise ValueError(f"{what}, got the folder {str(path)!r}")
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="zarr" if path.suffix == ".zarr" else "h5netcdf") as file:
            result = file.load()
    except Exception as error:
        raise ValueError(f"{what}, but {str(path)!r} cannot be read: {error}") from error
    if not {"output", "cluster_p"} & set(result) or not any(
        v.attrs.get("kind") == "attribution" for v in result.values()
    ):
        held = ", ".join(map(str, result.data_vars)) or "nothing"
        raise ValueError(f"{what}, got {str(path)!r} with {held}")
    return result if target is None else _of_target(result, target)


def of_file(result: xr.Dataset, name: str | None) -> xr.Dataset:
    """The samples of one recording, by the name of its file; all of them where none is named.

    Raises
    ------
    ValueError
        If the result knows of no such file.
    """
    if name is None:
        return result
    if "file" not in result.coords or result["file"].dims != ("sample",):
        raise ValueError("--file must be omitted for a result that does not know the file of each sample")
    files = result["file"].values.astype(str)
    if name not in files:
        told = ", ".join(dict.fromkeys(files.tolist()))
        raise ValueError(f"--file must be one of {told}, got {name!r}")
    return result.isel(sample=np.flatnonzero(files == name))


def read_evaluation(path: Path, option: str) -> xr.Dataset:
    """What `freqig.evaluate` returned, out of a file.

    Raises
    ------
    ValueError
        If the file holds something else; `option` is what it was given as.
    """
    import xarray as xr

    what = f"{option} must be a table as freqig.evaluate returns it, written by to_netcdf"
    try:
        with xr.open_dataset(path, engine="h5netcdf") as file:
            table = file.load()
    except Exception as error:
        raise ValueError(f"{what}, but {str(path)!r} cannot be read: {error}") from error
    if not {"score", "mean"} <= set(table):
        raise ValueError(
            f"{what}, got {str(path)!r} with {', '.join(map(str, table.data_vars)) or 'nothing'}"
        )
    return table


def _of_target(result: xr.Dataset, text: str) -> xr.Dataset:
    """What a result says of one target, which is named as where results are made."""
    from ._reading import read_target

    targets = list(map(str, np.atleast_1d(result["target"].values)))
    named = list(map(str, result["class"].values)) if "class" in result.coords else None
    target = read_target(text, named or targets)
    if target == "all":
        return result
    if target is None and "predicted" in result.coords:
        if "target" in result.dims:
            return result.sel(target=result["predicted"])
        wanted = list(map(str, result["predicted"].values))
    else:
        is_number = isinstance(target, int) and named is not None and 0 <= target < len(named)
        wanted = [named[target] if is_number and named else str(target)]
    if "target" in result.dims:
        if wanted[0] in targets:
            return result.isel(target=targets.index(wanted[0]))
    elif targets == wanted * (len(targets) // len(wanted)):
        return result
    told = ", ".join(dict.fromkeys(targets))
    numbers = ", or its number from 0" if named is not None else ""
    raise ValueError(
        f"target must be one of {told}{numbers}, got {text!r}"
        if "target" in result.dims
        else f"target must be omitted for a result of one target per sample, here {told}, got {text!r}"
    )
