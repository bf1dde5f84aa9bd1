"""Opens a cohort: a tree with a node per recording, of which nothing is read before it is needed."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from .._check import shown
from .groups import read_head, told_in
from .store import DONE, MARKER, Store


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
    is_auto = isinstance(chunks, str) and chunks == "auto"
    if isinstance(chunks, bool) or not (chunks is None or is_auto or isinstance(chunks, (int, dict))):
        raise TypeError(f"chunks must be None, a number, 'auto' or a dict by dimension, got {shown(chunks)}")
    place = checked(store)
    _, indexed = read_head(place.path)
    how: dict[str, Any] = {"engine": "zarr", "zarr_format": 3, "consolidated": indexed, "cache": False}
    tree = xr.open_datatree(place.path, chunks=chunks, **how)
    # By name, as zarr lists a store that has no index in any order.
    done = {name: node.to_dataset() for name, node in sorted(tree.children.items()) if _is_done(node)}
    nodes = xr.DataTree.from_dict({name: _with_text(own) for name, own in done.items()})
    nodes.attrs = tree.attrs
    return nodes


def read_recording(store: Store, name: str) -> xr.Dataset:
    """The result of a recording, in memory, as it was before it was stored."""
    with xr.open_dataset(store.path / name, engine="zarr", consolidated=False, zarr_format=3) as group:
        result = _with_text(group).load()
    result.attrs.pop(MARKER, None)
    for own in result.variables.values():
        own.encoding = {}
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


def _is_done(node: xr.DataTree) -> bool:
    return bool(told_in(node.attrs, MARKER).get("state") == DONE)


def _with_text(result: xr.Dataset) -> xr.Dataset:
    """With text as objects, as netCDF gives it back; NumPy's own type for text is known to few."""

    def told(variable: xr.Variable) -> xr.Variable:
        return xr.Variable(variable.dims, indexing.LazilyIndexedArray(_Text(variable)), variable.attrs)

    return result.assign({name: told(own) for name, own in result.variables.items() if own.dtype.kind == "T"})


class _Text(BackendArray):
    """Text that is read when it is asked for."""

    def __init__(self, variable: xr.Variable) -> None:
        self.variable, self.shape, self.dtype = variable, variable.shape, np.dtype(object)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key,
            self.shape,
            indexing.IndexingSupport.BASIC,
            lambda one: self.variable[one].values.astype(object),
        )
