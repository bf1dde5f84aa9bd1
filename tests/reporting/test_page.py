"""A page is one file, whole or not at all, with every section in its order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import freqig

ORDER = [
    "summary",
    "trust",
    "overview",
    "sample",
    "classes",
    "channels",
    "worth",
    "comparison",
    "methods",
    "downloads",
]


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    """Three waves that are told apart by their amplitudes at three frequencies."""
    rng, t = np.random.default_rng(0), np.arange(64) / 64
    waves = torch.from_numpy(np.sin(2 * np.pi * np.array([4.0, 9.0, 20.0])[:, None] * t))
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(128, 3, bias=False).double())
    model[1].weight.data = torch.cat([waves, waves], 1)
    truth = np.arange(9) % 3
    x = waves.numpy()[truth][:, None] + 0.1 * rng.normal(size=(9, 2, 64))
    return freqig.Explainer(model, fs=64, classes=("W", "N1", "N2"))(x, truth=truth)


def test_all_sections_in_their_order(result: xr.Dataset, tmp_path: Path) -> None:
    page = freqig.report(result, tmp_path / "page.html").read_text(encoding="utf-8")
    places = [page.index(f'<section id="{name}"') for name in ORDER]
    assert places == sorted(places)
    assert all(f'href="#{name}"' in page for name in ORDER)


def test_a_file_that_is_there_stays_unless_forced(result: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="force=True"):
        freqig.report(result, path)
    assert path.read_text() == "mine"
    freqig.report(result, path, force=True)
    assert path.read_text(encoding="utf-8") != "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
