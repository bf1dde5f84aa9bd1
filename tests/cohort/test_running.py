"""A run: results are an Explainer's, what is done is not done again, and errors come before any work."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig import cohort
from freqig.cohort import pools
from freqig.cohort.store import Store
from freqig.whole_files import write_whole

from .peoples import FS, WINDOW, files, network, write

pytest.importorskip("zarr")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
HOW: dict[str, Any] = {"fs": FS, "window": WINDOW, "progress": False}


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return write(tmp_path / "in")


@pytest.mark.parametrize("keep", ["spectra", "bands", "means"])
def test_a_group_is_what_an_explainer_returns(
    keep: str, paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    net, bands = network(), {"slow": (0, 8), "fast": (8, 25)}
    labels = [path.with_suffix(".txt") for path in paths]
    found = cohort.run(
        paths, net, tmp_path / "c.zarr", executor, keep=keep, bands=bands, annotations=labels, target=1, **HOW
    )
    assert found.done == tuple(path.stem for path in paths)
    assert found.exit_code == 0
    explainer = freqig.Explainer(net)
    tree = freqig.open_cohort(tmp_path / "c.zarr")
    for path in paths:
        signal = freqig.read(path, fs=FS, window=WINDOW, annotations=path.with_suffix(".txt"))
        if keep == "means":
            expected = explainer.average(signal, {"label": signal.label.values}, target=1)
        else:
            expected = explainer(signal, target=1)
        if keep == "bands":
            expected = freqig.bands(expected, bands).drop_vars(["signal", "time"])
        mine = tree[path.stem].to_dataset()
        assert set(mine.coords["subject"].values.ravel().tolist()) == {path.stem[4:6]}
        xr.testing.assert_equal(mine.drop_vars("subject").drop_attrs(), expected.drop_attrs())
        assert mine.attrs["settings"] == expected.attrs["settings"]


def test_a_second_run_skips_what_is_done_and_says_so(
    paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    store = tmp_path / "c.zarr"
    first = cohort.run(paths[:2], network(), store, executor, **HOW)
    before = files(store)
    second = cohort.run(paths, network(), store, executor, **HOW)
    assert first.done == second.skipped == ("sub-01_run-1", "sub-02_run-1")
    assert second.done == ("sub-03_run-1",)
    after = files(store)
    assert {name: after[name] for name in before if name != "zarr.json"} == {
        name: content for name, content in before.items() if name != "zarr.json"
    }
    assert set(freqig.open_cohort(store).children) == {path.stem for path in paths}


def test_a_touched_file_is_the_same_and_another_content_is_not(
    paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    store = tmp_path / "c.zarr"
    cohort.run(paths, network(), store, executor, **HOW)
    os.utime(paths[0], (1, 1))
    assert len(cohort.run(paths, network(), store, executor, **HOW).skipped) == 3
    np.save(paths[0], np.ones((2, 400)))
    with pytest.raises(ValueError, match="sub-01_run-1 it holds results of other contents"):
        cohort.run(paths, network(), store, executor, **HOW)
    Store.at(store).remove("sub-01_run-1")
    assert cohort.run(paths, network(), store, executor, **HOW).done == ("sub-01_run-1",)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tol": 0.02}, "tol=0.01, not 0.02"),
        ({"target": 1}, "target=None, not 1"),
        ({"keep": "means"}, "keep='spectra', not 'means'"),
        ({"window": 1.0}, "window=2.0, not 1.0"),
        ({"baseline": freqig.baselines.dc()}, "'name': 'dc'"),
        ({"domains": [freqig.Time()]}, "domains="),
        ({"probabilities": False}, "probabilities=None, not False"),
        ({"domains": [freqig.Spatial([[1, 0], [0, 2]]) >> freqig.RFFT()]}, "domains="),
    ],
)
def test_other_settings_are_refused_by_name(
    change: dict[str, Any], word: str, paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    store = tmp_path / "c.zarr"
    cohort.run(paths[:1], network(), store, executor, **HOW)
    before = files(store)
    with pytest.raises(ValueError, match="store must be of the same settings") as caught:
        cohort.run(paths, network(), store, executor, **{**HOW, **change})
    assert word in str(caught.value)
    assert files(store) == before


EDITED = """
def parts(x):
    return {{"some": x * {factor}}}

def score(outputs, target):
    return outputs[:, 0] * {factor}
"""


@pytest.mark.parametrize("what", ["matrix", "parts", "score"])
def test_settings_of_the_same_words_are_told_apart(
    what: str, paths: list[Path], tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)

    def made(factor: float) -> dict[str, Any]:
        (tmp_path / "edited.py").write_text(EDITED.format(factor=factor))
        monkeypatch.delitem(sys.modules, "edited", raising=False)
        importlib.invalidate_caches()
        module = importlib.import_module("edited")
        if what == "score":
            return {"output": module.score}
        gains = [[1, 0], [0, factor]]
        return {"domains": [freqig.Spatial(gains) if what == "matrix" else freqig.Components(module.parts)]}

    for skipped in (0, 1):
        found = cohort.run(paths[:1], network(), tmp_path / "c.zarr", executor, **HOW, **made(0.5))
        assert len(found.skipped) == skipped
    with pytest.raises(ValueError, match=r"store must be of the same settings.*code_and_matrices"):
        cohort.run(paths, network(), tmp_path / "c.zarr", executor, **HOW, **made(0.125))


def test_equal_numbers_are_the_same_setting(paths: list[Path], tmp_path: Path, executor: Executor) -> None:
    cohort.run(paths, network(), tmp_path / "c.zarr", executor, **HOW, target=1)
    again = {**HOW, "window": int(WINDOW), "target": np.int64(1)}
    assert len(cohort.run(paths, network(), tmp_path / "c.zarr", executor, **again).skipped) == 3


def test_another_model_is_refused(paths: list[Path], tmp_path: Path, executor: Executor) -> None:
    cohort.run(paths[:1], network(), tmp_path / "c.zarr", executor, **HOW)
    other = network()
    other[0].bias.data += 1
    for model in (other, network().append(torch.nn.Tanh())):
        with pytest.raises(ValueError, match="store must be of the same model"):
            cohort.run(paths, model, tmp_path / "c.zarr", executor, **HOW)


def test_what_fails_is_listed_and_the_rest_goes_on(
    paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    folder, store = paths[0].parent, tmp_path / "c.zarr"
    (folder / "damaged.npy").write_bytes(b"\x93NUMPY nonsense")
    (folder / "empty.npy").touch()
    np.save(folder / "gaps.npy", np.full((2, 400), np.nan))
    np.save(folder / "wide.npy", np.zeros((5, 400)))
    listed = sorted(folder.glob("*.npy"))
    found = cohort.run(listed, network(), store, executor, **HOW)
    assert set(found.failed) == {"damaged", "empty", "gaps", "wide"}
    assert "got an empty file" in found.failed["empty"]
    assert "finite" in found.failed["gaps"]
    assert (len(found.done), found.exit_code) == (3, 4)
    assert len(freqig.open_cohort(store).children) == 3
    # Listed again, and not tried again; unless it is asked for, or the file has changed.
    np.save(folder / "gaps.npy", np.ones((2, 400)))
    again = cohort.run(listed, network(), store, executor, **HOW)
    assert (again.done, set(again.failed)) == (("gaps",), {"damaged", "empty", "wide"})
    assert len(again.seconds) == 1
    assert len(cohort.run(listed, network(), store, executor, retry_failed=True, **HOW).seconds) == 3


def test_memory_that_runs_out_is_a_failure_of_a_recording(
    paths: list[Path], tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freqig.cohort import work

    def full(*arguments: object) -> None:
        raise torch.OutOfMemoryError("tried to allocate 80 GiB")

    monkeypatch.setattr(work, "_explained", full)
    found = cohort.run(paths[:1], network(), tmp_path / "c.zarr", executor, **HOW)
    assert found.failed == {"sub-01_run-1": "OutOfMemoryError: tried to allocate 80 GiB"}


def test_shards_share_a_store_out(paths: list[Path], tmp_path: Path, executor: Executor) -> None:
    store = tmp_path / "c.zarr"
    first = cohort.run(paths, network(), store, executor, shard=(1, 2), **HOW)
    assert first.done == ("sub-01_run-1", "sub-03_run-1")
    assert "consolidated_metadata" not in json.loads((store / "zarr.json").read_text())
    assert set(freqig.open_cohort(store).children) == set(first.done)
    assert cohort.run(paths, network(), store, executor, shard=(2, 2), **HOW).done == ("sub-02_run-1",)
    assert "consolidated_metadata" in json.loads((store / "zarr.json").read_text())
    whole = tmp_path / "whole.zarr"
    cohort.run(paths, network(), whole, executor, **HOW)
    xr.testing.assert_identical(
        freqig.open_cohort(store).to_dict()["/sub-02_run-1"].drop_attrs(),
        freqig.open_cohort(whole).to_dict()["/sub-02_run-1"].drop_attrs(),
    )


def test_leftovers_are_swept_and_a_chunk_is_not_done(
    paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    store = tmp_path / "c.zarr"
    cohort.run(paths[:2], network(), store, executor, **HOW)
    whole = files(store / "sub-01_run-1")
    # Whatever a machine may leave that lost power: chunks without a marker, and parts.
    marked = json.loads((store / "sub-01_run-1" / "zarr.json").read_text())
    del marked["attributes"]["freqig_recording"]
    (store / "sub-01_run-1" / "zarr.json").write_text(json.dumps(marked))
    place = Store.at(store)
    (place.begin("sub-03_run-1", "1-of-1") / "group").mkdir()
    (place.begin("sub-03_run-1", "2-of-5") / "group").mkdir()
    found = cohort.run(paths, network(), store, executor, **HOW)
    assert (found.done, found.skipped) == (("sub-01_run-1", "sub-03_run-1"), ("sub-02_run-1",))
    assert files(store / "sub-01_run-1") == whole
    assert not [path for path in (place.work / "parts").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        ({"recordings": []}, ValueError, "at least one, got none"),
        ({"recordings": ["absent.edf"]}, FileNotFoundError, "absent.edf"),
        ({"recordings": 3}, TypeError, "must be a sequence of paths"),
        ({"model": lambda x: x}, TypeError, "must be picklable"),
        ({"output": lambda out, target: out[:, 0]}, TypeError, "must be picklable"),
        ({"model": torch.sum}, ValueError, "pass model_id="),
        ({"keep": "all"}, ValueError, "keep must be"),
        ({"keep": "bands"}, ValueError, "bands must be given"),
        ({"shard": (3, 2)}, ValueError, "shard must be i/n"),
        ({"shard": 3}, ValueError, "shard must be two numbers"),
        ({"workers": 0}, ValueError, "workers must be"),
        ({"workers": 20, "device": "cuda"}, ValueError, "at most one per GPU|there is no GPU"),
        ({"target": [1, 2]}, TypeError, "one for all samples"),
        ({"target": -1}, ValueError, "target must be a class number from 0 on"),
        ({"target": 1.0}, TypeError, "target must consist of integers"),
        ({"target": "N2"}, ValueError, r"target must consist of integers.*names\.index\('N2'\)"),
        ({"target": "N2", "classes": ["a", "b", "c"]}, ValueError, "target must be one of classes, a, b, c"),
        ({"baseline": "dc"}, TypeError, r"baseline must be .*write freqig\.baselines\.dc\(\)"),
        ({"baseline": [np.nan]}, ValueError, "baseline must be finite"),
        ({"baseline": 0}, ValueError, "baseline must have the shape .* got a single number"),
        ({"annotations": ["a.txt"]}, ValueError, "annotations must be one per recording"),
        ({"subjects": {"nobody": "1"}}, ValueError, "subjects must be by names"),
        ({"tolerance": 3}, TypeError, "tolerance"),
    ],
)
def test_errors_come_before_any_work(
    change: dict[str, Any], kind: type[Exception], word: str, paths: list[Path], tmp_path: Path
) -> None:
    asked = {"recordings": paths, "model": network(), **HOW, **change}
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(kind, match=word):
        cohort.run(asked.pop("recordings"), asked.pop("model"), tmp_path / "c.zarr", **asked)
    assert sorted(tmp_path.rglob("*")) == before


def test_two_recordings_of_one_name_are_an_error(paths: list[Path], tmp_path: Path) -> None:
    other = paths[0].parent / "other"
    (twin,) = write(other, people=1)
    with pytest.raises(ValueError, match=r"have the same: rename one") as caught:
        cohort.run([*paths, twin], network(), tmp_path / "c.zarr", **HOW)
    assert str(paths[0]) in str(caught.value)
    assert str(twin) in str(caught.value)
    named = cohort.Recording(twin, name="twin")
    with ThreadPoolExecutor(1) as pool:
        assert "twin" in cohort.run([*paths, named], network(), tmp_path / "c.zarr", pool, **HOW).done


def test_a_store_of_something_else_is_left_alone(
    paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    xr.Dataset({"a": ("x", [1.0])}).to_zarr(tmp_path / "c.zarr", zarr_format=3, consolidated=False)
    before = files(tmp_path / "c.zarr")
    with pytest.raises(ValueError, match="holds something else"):
        cohort.run(paths, network(), tmp_path / "c.zarr", executor, **HOW)
    assert files(tmp_path / "c.zarr") == before


def test_a_model_without_weights_goes_by_its_id(
    paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    how = {**HOW, "target": 0}
    model = cohort.Loader(torch.nn.Flatten)
    with pytest.raises(ValueError, match="model_id"):
        cohort.run(paths, model, tmp_path / "c.zarr", executor, **how)
    assert len(cohort.run(paths, model, tmp_path / "c.zarr", executor, model_id="a", **how).done) == 3
    with pytest.raises(ValueError, match="of another"):
        cohort.run(paths, model, tmp_path / "c.zarr", executor, model_id="b", **how)


def test_a_run_names_the_process_that_holds_the_store(
    paths: list[Path], tmp_path: Path, executor: Executor
) -> None:
    from freqig.cohort.lock import Shard, held

    place = Store.at(tmp_path / "c.zarr")
    with held(place.locks, Shard()), pytest.raises(RuntimeError, match=f"process {os.getpid()} on "):
        cohort.run(paths, network(), place.path, executor, **HOW)
    with held(place.locks, Shard(1, 2)):
        # Another shard of two may run; who shares out in another way may not.
        assert cohort.run(paths, network(), place.path, executor, shard=(2, 2), **HOW).exit_code == 0
        with pytest.raises(RuntimeError, match=f"process {os.getpid()} on "):
            cohort.run(paths, network(), place.path, executor, **HOW)
    assert len(cohort.run(paths, network(), place.path, executor, **HOW).done) == 2


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    with pools.own_processes(2) as pool:
        # A function of the standard library, which a process has without this module.
        found = {pool.submit(os.getenv, "CUDA_VISIBLE_DEVICES").result()}
    assert found <= {"3", "GPU-5"}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no masks of signals")
def test_processes_that_begin_hear_no_interrupt() -> None:
    """Ctrl-C goes to all of them: one that imports would end with a traceback, and answer nothing."""
    with pools.own_processes(2) as pool:
        assert len(pool._processes) == 2
        for number in pool._processes:
            os.kill(number, signal.SIGINT)
        assert pool.submit(abs, -1).result() == 1
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


MADE: list[int] = []


def counted() -> torch.nn.Module:
    MADE.append(1)
    return network()


def test_a_model_is_made_once_per_worker(paths: list[Path], tmp_path: Path, executor: Executor) -> None:
    MADE.clear()
    cohort.run(paths, cohort.Loader(counted), tmp_path / "c.zarr", executor, **HOW)
    # By the run, to see what it is, and by its only worker.
    assert len(MADE) == 2


def test_processes_give_the_same_as_threads(paths: list[Path], tmp_path: Path, executor: Executor) -> None:
    cohort.run(paths, network(), tmp_path / "threads.zarr", executor, **HOW)
    found = cohort.run(paths, network(), tmp_path / "processes.zarr", workers=2, **HOW)
    assert len(found.done) == 3
    ours, theirs = (freqig.open_cohort(tmp_path / f"{kind}.zarr") for kind in ("threads", "processes"))
    for name, node in ours.children.items():
        xr.testing.assert_equal(node.to_dataset(), theirs[name].to_dataset())


@pytest.mark.parametrize(("named", "expected"), [("", []), ("0, 2", ["0", "2"])])
def test_gpus_that_are_hidden_are_none(
    named: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert pools.visible_gpus() == expected


def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").mkdir()
    with pytest.raises(OSError, match=r"zarr\.json"):
        write_whole(tmp_path / "zarr.json", [b"{}"])
    assert [path.name for path in tmp_path.iterdir()] == ["zarr.json"]
