"""JSON that a store, its sidecars and its lock are read from, where it is something else, or half of it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xarray as xr

import freqig
from freqig import cohort
from freqig._check import object_in
from freqig.cohort.bids import _source
from freqig.cohort.exporting import export
from freqig.cohort.groups import METADATA
from freqig.cohort.lock import _holder, _owner
from freqig.cohort.store import COHORT, MARKER, Store

from .peoples import HOW, network, write

pytest.importorskip("zarr")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")

BROKEN = {
    "a list": b'["Freqig", "Model"]',
    "pairs": b'[["state", "done"]]',
    "null": b"null",
    "a number": b"7",
    "a text": b'"Freqig"',
    "empty": b"",
    "half": b'{"Freqig": {"state": ',
    "not UTF-8": b'{"Freqig": "\xff"}',
    "deep": b"[" * 100_000,
    "binary": b"\x00\x01\x02",
}
every = pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)


@every
def test_what_is_no_object_is_told(content: bytes) -> None:
    with pytest.raises(ValueError):
        object_in(content)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    run(folder, write(folder / "in", people=1))
    return folder


def run(folder: Path, paths: list[Path]) -> cohort.Report:
    with ThreadPoolExecutor(1) as pool:
        found = cohort.run(paths, network(), folder / "store.zarr", pool, **HOW)
    export(Store.at(folder / "store.zarr"), found.recordings, folder / "out")
    return found


@every
def test_a_sidecar_is_written_again(made: Path, content: bytes) -> None:
    (sidecar,) = (made / "out").rglob("*attribution.json")
    before = sidecar.read_bytes()
    sidecar.write_bytes(content)
    run(made, sorted((made / "in").glob("*.npy")))
    assert sidecar.read_bytes() == before
    about = json.loads((made / "out" / "dataset_description.json").read_text())
    assert "Sequential" in about["GeneratedBy"][0]["Description"]


@every
def test_a_group_whose_marker_cannot_be_read_is_made_again(made: Path, content: bytes) -> None:
    store = Store(made / "store.zarr")
    (name,) = store.names()
    place = store.path / name / METADATA
    before = place.read_bytes()
    try:
        place.write_bytes(content)
        assert store.names() == []
        held = json.loads(before)
        held["attributes"][MARKER] = content.decode("latin1")
        place.write_text(json.dumps(held))
        assert store.names() == []
        held["attributes"] = [1]
        place.write_text(json.dumps(held))
        assert store.names() == []
    finally:
        place.write_bytes(before)
    assert store.names() == [name]


@every
def test_a_store_that_says_nothing_of_itself_is_none(tmp_path: Path, content: bytes) -> None:
    about = {"zarr_format": 3, "node_type": "group", "attributes": {COHORT: content.decode("latin1")}}
    for written in (content, json.dumps(about).encode()):
        (tmp_path / METADATA).write_bytes(written)
        with pytest.raises(ValueError, match=r"store must be one that freqig.cohort.run made"):
            freqig.open_cohort(tmp_path)


@every
def test_who_holds_a_lock_is_unknown_where_nobody_says_so(tmp_path: Path, content: bytes) -> None:
    lock = tmp_path / "1-of-1.lock"
    _owner(lock).write_bytes(content)
    assert _holder(lock) == ""


@every
def test_a_description_of_a_source_without_an_identifier(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "dataset_description.json").write_bytes(content)
    assert _source(tmp_path) == {"URL": tmp_path.as_uri()}


@pytest.mark.parametrize("settings", ["[1]", "null", "7", "", "{", 3])
def test_settings_of_a_result(settings: object) -> None:
    rfft = ("sample", "frequency"), [[1.0], [2.0]], {"kind": "attribution"}
    result = xr.Dataset({"rfft": rfft}, attrs={"settings": settings})
    with pytest.raises(ValueError, match=r"result must hold attrs\['settings'\]"):
        freqig.methods_text(result)
    assert freqig.summarize(result, {"stage": ["W", "N1"]}).stage.values.tolist() == ["N1", "W"]
