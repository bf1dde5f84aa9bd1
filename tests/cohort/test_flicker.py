"""Nine recordings of people who look at flickering lights: means by frequency and person, killed twice."""

from __future__ import annotations

import importlib
import os
import signal
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import freqig
from freqig import cohort
from freqig.cohort.store import Store
from freqig.demo import flicker
from freqig.demo.recordings import FLICKER_HZ, read_recordings, split_recordings

from .faults import wait_for
from .forks import Runs

for library in ("zarr", "mne"):
    pytest.importorskip(library)
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")

SHORT = """
import torch
from freqig.demo.flicker import FlickerNet

model = FlickerNet(8)
model.load_state_dict(torch.load("flicker.pt", weights_only=True))
model.eval()
"""


@pytest.fixture
def example(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(root / "examples" / "recordings")
    return importlib.import_module("flicker_cohort")


def test_flickers_of_each_person(
    example: ModuleType, data_path: Path, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = read_recordings(data_path / "ssvep_exo")
    paths = example.write(recordings, tmp_path)
    training, _ = split_recordings(recordings)
    # A third of the training is enough to find the flickers.
    monkeypatch.setattr(flicker, "EPOCHS", 7)
    net = flicker.train(flicker.cut_windows(training))
    torch.save(net.state_dict(), tmp_path / "flicker.pt")
    (tmp_path / "net.py").write_text(SHORT)
    words = ["cohort", "net.py:model", *map(str, paths), "--trust", "--classes", "13 Hz,17 Hz,21 Hz"]
    words += ["--labels", "labels", "--subjects", r"(subject\d+)", "--keep", "spectra"]
    words += ["--out", "derived", "--tol", "0.02", "--no-progress"]
    store = Store.at(tmp_path / "derived" / "cohort.zarr")
    for at_least, how in ((1, signal.SIGKILL), (4, signal.SIGINT)):
        process = runs.start(words, tmp_path)
        wait_for(lambda number=at_least: store.path.is_dir() and len(store.names()) >= number)
        os.kill(process.pid, how)
        assert process.wait() == (130 if how == signal.SIGINT else -how), process.said()
    assert "the same command goes on" in process.said()
    assert len(store.names()) < 9
    process = runs.start(words, tmp_path)
    assert process.wait() == 0, process.said()
    assert "done before" in process.said()

    found = cohort.means(store.path, ["truth", "subject"])
    assert found.subject.values.tolist() == ["subject03", "subject07", "subject08", "subject12"]
    assert found.n_samples.values.min() >= 112
    assert bool((found.rfft_lower <= found.rfft).all() & (found.rfft <= found.rfft_upper).all())
    strongest = found.rfft.sum("channel").idxmax("frequency")
    for rate, name in zip(FLICKER_HZ, example.CLASSES, strict=True):
        assert set(strongest.sel(truth=name).values.tolist()) <= {rate, 2 * rate}
    # Four people are too few for an interval over people, which says so.
    over = cohort.means(store.path, "truth")
    assert over.reason.values.tolist() == ["4 subjects, fewer than 6"] * 3
    assert np.isnan(over.rfft_upper).all()

    # What a run that nobody stops would have made.
    tree = freqig.open_cohort(store.path)
    explainer = freqig.Explainer(net, classes=example.CLASSES, tol=0.02)
    for path in (paths[0], paths[-1]):
        labels = tmp_path / "labels" / f"{path.stem}.txt"
        expected = explainer(freqig.read(path, annotations=labels))
        np.testing.assert_array_equal(tree[path.stem].rfft.values, expected.rfft.values)
        assert tree[path.stem].truth.values.tolist() == expected.truth.values.tolist()
