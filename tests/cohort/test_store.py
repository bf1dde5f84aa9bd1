"""A group is whole or not there, wherever the process that makes it ends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from freqig.cohort.opening import read_recording
from freqig.cohort.store import Store

from .peoples import files

pytest.importorskip("zarr")

RESULT = xr.Dataset(
    {
        "rfft": (("sample", "frequency"), np.arange(6.0).reshape(2, 3), {"kind": "attribution"}),
        "converged": ("sample", [True, False]),
    },
    {"label": ("sample", ["a", "bé"]), "frequency": [0.0, 0.5, 1.0]},
    {"settings": "{}"},
)
MARKER = {"state": "done", "subject": "01"}


class EndError(BaseException):
    """In the place of SIGKILL, behind which nothing is tidied up."""


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """End at the n-th time that a file is opened, synced or moved; what was done until then is told."""
    done: list[str] = []
    last = [0]

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **more: Any) -> Any:
            done.append(name)
            if 0 < last[0] <= len(done):
                # Nothing runs after SIGKILL, so nothing is removed either.
                monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
                raise EndError
            return call(*arguments, **more)

        return step

    monkeypatch.setattr(Path, "open", counted("open", Path.open))
    monkeypatch.setattr(os, "fsync", counted("fsync", os.fsync))
    monkeypatch.setattr(Path, "rename", counted("rename", Path.rename))

    def at(which: int) -> list[str]:
        done.clear()
        last[0] = which
        return done

    return at


def made(store: Store, ends_soon: Callable[[], object] = lambda: None) -> None:
    part = store.begin("night", "1-of-1")
    ends_soon()
    store.finish(part, "night", RESULT, MARKER)


def test_every_step_may_be_the_last(
    tmp_path: Path, ends: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = Store.at(tmp_path / "whole.zarr")
    reference.open_for({}, "model")
    steps = ends(0)
    made(reference, steps.clear)
    count = len(steps)
    assert {"open", "fsync", "rename"} == set(steps)
    assert count > 15
    remove = shutil.rmtree
    for which in range(1, count + 1):
        store = Store.at(tmp_path / f"{which}.zarr")
        ends(0)
        store.open_for({}, "model")
        with pytest.raises(EndError):
            made(store, lambda which=which: ends(which))
        monkeypatch.setattr(shutil, "rmtree", remove)
        ends(0)
        # What is there has no marker, or is whole: only the last step puts it there.
        assert store.names() == []
        assert store.left_behind("1-of-1") == ["night"]
        store.open_for({}, "model")
        store.sweep(lambda shard: shard == "1-of-1")
        made(store)
        assert files(store.path) == files(reference.path)
        assert not [path for path in store.work.rglob("*") if path.is_file()]


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store.at(tmp_path / "c.zarr")
    store.open_for({}, "model")
    made(store)
    found = read_recording(store, "night")
    xr.testing.assert_identical(found, RESULT.assign_coords(label=RESULT.label.astype(object)))
    assert store.marker("night") == MARKER


def test_who_comes_second_leaves_what_stands_there(tmp_path: Path) -> None:
    """Two workers of Dask may be at one recording, where one of them was taken for lost."""
    store = Store.at(tmp_path / "c.zarr")
    store.open_for({}, "model")
    made(store)
    before = {path: path.stat().st_mtime_ns for path in store.path.rglob("*")}
    assert store.finish(store.begin("night", "1-of-1"), "night", RESULT * 2, MARKER) is False
    assert {path: path.stat().st_mtime_ns for path in store.path.rglob("*")} == before
    assert store.left_behind("1-of-1") == []


def test_what_cannot_be_read_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.at(tmp_path / "c.zarr")
    store.open_for({}, "model")
    made(store)

    def fails(*arguments: Any, **more: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", fails)
        with pytest.raises(OSError, match="Input/output"):
            store.sweep(lambda shard: True)
    assert store.names() == ["night"]
