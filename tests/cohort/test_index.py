"""The index of a store is that of Zarr, and takes no memory that grows with the recordings."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import freqig
from freqig.cohort import groups
from freqig.cohort.groups import read_head
from freqig.cohort.store import COHORT, Store

from .test_store import MARKER, RESULT

zarr = pytest.importorskip("zarr")

AWKWARD = {"text": f'so that, "{groups.INDEX}": {{is said}} ü', "nested": {groups.INDEX: 1}}
"""Settings that hold what the index begins with."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three recordings, one of a group within."""
    made = Store.at(tmp_path / "c.zarr")
    made.open_for(AWKWARD, "sha256:0")
    for name in ("b", "a", "ü 1"):
        part = made.begin(name, "1-of-1")
        made.finish(part, name, RESULT.assign_attrs(name=name), MARKER)
    xr.Dataset({"x": ("n", np.arange(3))}).to_zarr(
        made.path / "a" / "within", zarr_format=3, consolidated=False
    )
    return made


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
def test_as_zarr_writes_it(store: Store, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.zarr"
    shutil.copytree(store.path, theirs)
    zarr.consolidate_metadata(str(theirs), zarr_format=3)
    store.write_index()
    own, wanted = (json.loads((path / "zarr.json").read_bytes()) for path in (store.path, theirs))
    assert own == wanted
    assert sorted(freqig.open_cohort(store.path).children) == ["a", "b", "ü 1"]
    with xr.open_datatree(store.path, engine="zarr", zarr_format=3, consolidated=True) as tree:
        xr.testing.assert_equal(tree["b/rfft"].variable, RESULT.rfft.variable)


@pytest.mark.parametrize("piece", [1, 7, 2**16])
@pytest.mark.filterwarnings("ignore:Consolidated metadata")
def test_what_stands_before_it(piece: int, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PIECE", piece)
    bare = json.loads((store.path / "zarr.json").read_bytes())
    assert read_head(store.path) == (bare, False)
    store.write_index()
    assert read_head(store.path) == (bare, True)
    assert store.about() == json.loads(bare["attributes"][COHORT])
    store.write_index()
    store.forget_index()
    assert json.loads((store.path / "zarr.json").read_bytes()) == bare
    # One that Zarr wrote stands amid the rest.
    zarr.consolidate_metadata(str(store.path), zarr_format=3)
    assert read_head(store.path) == (bare, True)


def test_half_an_index_is_swept(store: Store) -> None:
    """As SIGKILL leaves it, beside the file that it was to replace."""
    (store.path / "zarr.json.0123abcd").write_bytes(b'{"attributes"')
    store.sweep(lambda shard: True)
    assert sorted(path.name for path in store.path.iterdir()) == ["a", "b", "zarr.json", "ü 1"]


def test_memory(tmp_path: Path) -> None:
    """A megabyte for 400 recordings, whose metadata are ten."""
    store = Store.at(tmp_path / "c.zarr")
    store.open_for({}, "sha256:0")
    about = json.dumps({"node_type": "group", "zarr_format": 3, "attributes": {"settings": "s" * 25_000}})
    for i in range(400):
        (store.path / f"{i:03}").mkdir()
        (store.path / f"{i:03}" / "zarr.json").write_text(about)
    tracemalloc.start()
    try:
        store.write_index()
        store.about()
        store.forget_index()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20
