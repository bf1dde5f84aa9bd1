"""Examples on real recordings find what physiology predicts."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def example(root: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    monkeypatch.syspath_prepend(root / "examples" / "recordings")
    return importlib.import_module(request.param)


@pytest.mark.parametrize("example", ["eyes"], indirect=True)
def test_closed_eyes_are_told_by_alpha_over_the_occiput(
    example: ModuleType, data_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data_path / "eegmmidb_S001"
    windows = example.read(folder)
    result, right = example.explain(example.train(windows), windows)
    found = example.shares(result)
    assert right >= 0.9
    assert bool(result.converged.all())
    # A seventh of the channels.
    assert found["behind"] >= 0.5
    assert found["alpha"] >= 0.4
    example.main(folder, tmp_path)
    assert "O1" in capsys.readouterr().out
    assert (tmp_path / "eyes.png").stat().st_size > 10_000


@pytest.mark.parametrize("example", ["spindles"], indirect=True)
def test_spindles_are_found_where_they_are(example: ModuleType, data_path: Path, tmp_path: Path) -> None:
    path = data_path / "yasa_samples" / "data_N2_spindles_15sec_200Hz.txt"
    found = example.main(path, tmp_path)
    assert found["power"] < 0.1
    assert found["sigma"] > 0.9
    assert found["near"] > 0.85
    assert (tmp_path / "spindles.png").stat().st_size > 10_000
