"""`freqig cohort`: how it ends, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

import freqig
from freqig.cli import main
from freqig.cohort import pools

from ..cohort.peoples import own_thread
from .workshop import FS, SECONDS, examples, sleep_network, split, write_night

pytest.importorskip("zarr")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")

NET = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(100, 2)).eval()
step = lambda x: (x.mean((1, 2)) > 0.1).float() + 0 * x.sum((1, 2))
"""


@pytest.fixture(autouse=True)
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    Path("labels").mkdir()
    rng = np.random.default_rng(0)
    for name in ("anna-1", "anna-2", "bert-1"):
        np.save(f"{name}.npy", rng.normal(size=(2, 100)))
        Path("labels", f"{name}.txt").write_text("a\nb\n")
    monkeypatch.setattr(pools, "own_processes", own_thread)
    return tmp_path


def call(*words: object) -> Result:
    asked = ["--trust", "--fs", 50, "--window", 1, "--out", "out", "--target", 0]
    return CliRunner().invoke(main, ["cohort", *map(str, words), *map(str, asked)])


def test_examples_of_the_help_run(export: Callable[..., str]) -> None:
    for library in ("onnx", "edfio", "mne"):
        pytest.importorskip(library)
    export(sleep_network(), torch.zeros(1, 2, FS * SECONDS), name="model.onnx")
    for folder in ("nights", "stages"):
        Path(folder).mkdir()
    for name in ("sub-01_task-sleep", "sub-02_task-sleep"):
        write_night(Path("nights", f"{name}.edf"))
        Path("stages", f"{name}.txt").write_text("0\n2\n2\n4\n")
    lines = examples(main.commands["cohort"])
    assert len(lines) == 2
    for line in lines:
        done = CliRunner().invoke(main, split(line)[1:])
        assert done.exit_code == 0, done.output
    tree = freqig.open_cohort("derivatives/freqig/cohort.zarr")
    assert tree["sub-02_task-sleep"].truth.values.tolist() == ["W", "N2", "N2", "R"]


NAMES = ("anna-1.npy", "anna-2.npy", "bert-1.npy")


def test_labels_and_subjects_come_by_name() -> None:
    done = call("net.py:model", *NAMES, "--labels", "labels", "--subjects", "([a-z]+)-")
    assert done.exit_code == 0, done.output
    assert "explained:    3" in done.stdout
    tree = freqig.open_cohort("out/cohort.zarr")
    assert tree["anna-2"].label.values.tolist() == ["a", "b"]
    assert tree["anna-2"].subject.values.tolist() == ["anna", "anna"]
    assert sorted(path.name for path in Path("out").glob("bert*")) == [
        "bert-1_desc-freqig_attribution.json",
        "bert-1_desc-freqig_attribution.nc",
    ]
    means = freqig.cohort.means("out/cohort.zarr", ["label", "subject"])
    assert means.n_samples.values.tolist() == [[2, 1], [2, 1]]


def test_some_failed() -> None:
    Path("empty.npy").touch()
    done = call("net.py:model", *NAMES, "empty.npy")
    assert done.exit_code == 4
    assert "explained:    3" in done.stdout
    assert done.stderr.count("Failed: empty: empty.npy must hold a recording, got an empty file") == 1
    again = call("net.py:model", *NAMES, "empty.npy")
    assert (again.exit_code, "skipped:      3" in again.stdout, "Failed: empty" in again.stderr) == (
        4,
        True,
        True,
    )
    np.save("empty.npy", np.ones((2, 100)))
    assert call("net.py:model", *NAMES, "empty.npy", "--retry-failed").exit_code == 0


def test_some_do_not_converge() -> None:
    for name in NAMES:
        np.save(name, np.full((2, 100), 0.5))
    done = call("net.py:step", *NAMES, "--model-id", "step")
    assert done.exit_code == 3, done.output
    assert "unconverged:  6, in anna-1 (2), anna-2 (2), bert-1 (2)" in done.stdout
    # Also when nothing is left to do.
    assert call("net.py:step", *NAMES, "--model-id", "step").exit_code == 3


def test_shards_and_bands() -> None:
    asked = ["--keep", "bands", "--bands", "slow=0-10,fast=10-25"]
    for i in (1, 2):
        assert call("net.py:model", *NAMES, *asked, "--shard", f"{i}/2").exit_code == 0
    tree = freqig.open_cohort("out/cohort.zarr")
    assert len(tree.children) == 3
    assert tree["bert-1"].rfft.dims == ("sample", "channel", "band")
    assert Path("out/anna-1_desc-freqig_bands.tsv").read_text().startswith("sample\tfile\t")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["net.py:model", "absent.npy"], 1, "there is none at"),
        (["net.py:model", *NAMES, "--shard", "3/2"], 2, "i/n with i from 1 to n"),
        (["net.py:model", *NAMES, "--keep", "bands"], 1, "needs --bands"),
        (["net.py:model", *NAMES, "--subjects", "("], 1, "must be a regular expression"),
        (["net.py:model", *NAMES, "--subjects", "([0-9])"], 0, ""),
        (["net.py:model", *NAMES, "--subjects", "(x)"], 1, "which is not in anna-1.npy"),
        (["net.py:model", *NAMES, "--labels", "."], 1, "holds none for anna-1.npy"),
        (["net.py:step", *NAMES], 1, "--model-id"),
        (["net.py:model", NAMES[0], NAMES[0]], 1, "have the same: rename one"),
        (["net.py:model", *NAMES, "--dask", "tcp://127.0.0.1:1"], 1, ""),
    ],
)
def test_what_is_wrong_is_one_line(words: list[str], code: int, said: str) -> None:
    if "--dask" in words:
        pytest.importorskip("distributed")
        from dask import config

        with config.set({"distributed.comm.timeouts.connect": "0.2s"}):
            done = call(*words)
    else:
        done = call(*words)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert "Traceback" not in done.output
    assert code == 0 or not Path("out", "cohort.zarr").exists()
