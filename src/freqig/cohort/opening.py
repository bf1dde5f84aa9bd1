"""Opens a cohort: a tree with a node per recording, of which nothing is read before it is needed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from .store import DONE, MARKER, METADATA, Store

if TYPE_CHECKING:
    import xarray as xr


def open_cohort(store: str | os.PathLike[str], *, chunks: Any = None) -> xr.DataTree:
    """Open what `freqig.cohort.run` made.

    Parameters
    ----------
    store : path
        Of the Zarr store.
    chunks : int, dict, "auto" or None, default None
        As `xarray.open_datatree` takes them: with ``chunks={}`` arrays are Dask's. Default: NumPy's, read
        when they are asked for, and not kept.

    Returns
    -------
    xarray.DataTree
        A node for each recording that is done, its result a Dataset; what failed is not in it.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such store, or it is none of freqig.

    Examples
    --------
    >>> import freqig
    >>> freqig.open_cohort("nowhere.zarr")
    Traceback (most recent call last):
    FileNotFoundError: store must be the path of a cohort, but there is none at 'nowhere.zarr'
    """
    import xarray as xr

    place = checked(store)
    indexed = "consolidated_metadata" in (place.path / METADATA).read_text(encoding="utf-8")
    tree = xr.open_datatree(
        place.path, engine="zarr", consolidated=indexed, zarr_format=3, chunks=chunks, cache=False
    )
    return tree.drop_nodes([name for name, node in tree.children.items() if not _is_done(node)])


def _is_done(node: xr.DataTree) -> bool:
    return bool(json.loads(node.attrs.get(MARKER, "{}")).get("state") == DONE)


def read_recording(store: Store, name: str) -> xr.Dataset:
    """The result of a recording, in memory."""
    import xarray as xr

    with xr.open_dataset(store.path / name, engine="zarr", consolidated=False, zarr_format=3) as group:
        result = group.load()
    del result.attrs[MARKER]
    return result


def checked(store: str | os.PathLike[str]) -> Store:
    """A store that is there."""
    place = Store.at(store)
    if not place.path.is_dir():
        raise FileNotFoundError(
            f"store must be the path of a cohort, but there is none at {os.fspath(store)!r}"
        )
    if place.about() is None:
        raise ValueError(f"store must be one that freqig.cohort.run made, got {os.fspath(store)!r}")
    return place
