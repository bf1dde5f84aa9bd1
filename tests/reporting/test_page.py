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
    rng = np.random.default_rng(0)
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(128, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
    )
    explainer = freqig.Explainer(model, fs=64, classes=("W", "N1", "N2"))
    return explainer(rng.normal(size=(9, 2, 64)), truth=rng.integers(0, 3, 9))


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
