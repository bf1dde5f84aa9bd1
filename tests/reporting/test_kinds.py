"""Results of every kind have a page: pairs of players, windows of long signals, single outputs, odd names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig.reporting.sections import waves

from .unpacking import array_of, data_of

FS = 64.0
TIME = np.arange(128) / FS


def written(result: xr.Dataset, folder: Path, **options: Any) -> str:
    return freqig.report(result, folder / "page.html", **options).read_text(encoding="utf-8")


def missing(page: str) -> str:
    return " ".join(re.findall(r'<div class="missing">(.*?)</div>', page, re.S))


def test_a_pair_that_works_together_is_shown(tmp_path: Path) -> None:
    def product(x: np.ndarray) -> np.ndarray:
        size = np.abs(np.fft.rfft(x)) / 64
        return size[:, 10] * size[:, 40] + size[:, 60]

    bands = freqig.FilterBank({"slow": (4, 6), "fast": (19, 21), "alone": (29, 31)})
    x = sum(np.sin(2 * np.pi * f * TIME) for f in (5, 20, 30)) * np.array([[1.0], [2.0]])
    shapley = freqig.Shapley(product, fs=FS, players=bands, max_order=2, progress=False)
    page = written(shapley(x), tmp_path)
    told = data_of(page)["tables"]["interactions-0"]["rows"]
    pairs = {(one, other): mean for _, one, other, mean, _ in told}
    # Amplitudes 1 and 2: products 1 and 4, of which neither band alone has anything; 1 and 2 of the third.
    assert told[0][1:3] == ["slow", "fast"]
    np.testing.assert_allclose([pairs["slow", "fast"], pairs["alone", ""]], [2.5, 1.5], rtol=0.02)
    np.testing.assert_allclose([pairs["slow", ""], pairs["fast", ""], pairs["fast", "alone"]], 0, atol=0.05)
    trace = data_of(page)["figures"]["interactions-0"]["traces"][0]
    assert trace["x"] == trace["y"] == ["slow", "fast", "alone", "rest"]


def test_windows_of_a_long_signal_have_an_overview(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * 64, 3, bias=False).double())
    x = np.random.default_rng(0).normal(size=(1, 2, 640))
    explainer = freqig.Explainer(model, fs=FS, classes=("a", "b", "c"), progress=False)
    result = freqig.slide(explainer, x, window=1.0, target="b")
    page = written(result, tmp_path, bands={"low": (0, 16), "high": (16, 33)})
    table = data_of(page)["tables"]["night"]
    heads, rows = table["columns"], np.array(table["rows"], dtype=object)
    assert len(rows) == result.sizes["window"] == 19
    np.testing.assert_allclose(rows[:, 1].astype(float), result.window, rtol=1e-5)
    low = rows[:, heads.index("attribution of low")].astype(float)
    each = result.rfft_by_window.isel(sample=0).sum("channel")
    np.testing.assert_allclose(low, each.where(each.frequency < 16, 0).sum("frequency"), rtol=1e-4, atol=1e-6)
    assert rows[:, heads.index("predicted")].tolist() == result.window_predicted.values[0].tolist()
    assert data_of(page)["figures"]["night"]["opens"] == []
    two = freqig.slide(explainer, np.concatenate([x, -x]), window=1.0, target="b")
    assert len(data_of(written(two, tmp_path, force=True))["tables"]["night"]["rows"]) == 2


@pytest.mark.parametrize("truth", [None, [0, 1, 0, 1, 1, 1]])
def test_one_output_is_no_choice_between_classes(truth: list[int] | None, tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(128, 1).double(), torch.nn.Tanh())
    x = np.random.default_rng(0).normal(size=(6, 128))
    result = freqig.Explainer(model, fs=FS, progress=False)(x, truth=truth)
    page = written(result, tmp_path)
    assert "classes=" not in missing(page)
    assert "truth=" not in missing(page)
    assert "at chance" not in re.sub("no model at chance", "", page)
    assert "one output" in missing(page)
    assert "the output" in page.lower()
    assert data_of(page)["live"]["sample"]["predicted"] is None
    assert data_of(page)["tables"]["night"]["columns"][2] == "output"


def test_rows_of_one_name_stay_apart(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4 * 128, 1).double())
    x = np.random.default_rng(0).normal(size=(4, 4, 128))
    result = freqig.Explainer(model, fs=FS, progress=False)(x)
    long = "accelerometer of the motor, " * 5
    page = written(result.assign_coords(channel=["Cz", "Cz", f"{long}left", f"{long}right"]), tmp_path)
    rows = data_of(page)["figures"]["channel-bands-0"]["traces"][0]["y"]
    assert len(set(rows)) == 4
    assert rows[:2] == ["Cz", "Cz (2)"]


def test_many_frequencies_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waves, "BINS", 20)
    model = torch.nn.Linear(128, 1).double()
    result = freqig.Explainer(model, fs=FS, progress=False)(np.random.default_rng(0).normal(size=(4, 128)))
    page = written(result, tmp_path)
    assert "added up over 4 neighbours" in page
    levels, step = array_of(page, "spectrum"), array_of(page, "spectrum-step")
    assert levels.shape == (4, 17)
    sums = np.add.reduceat(result.rfft.values, range(0, 65, 4), axis=1)
    np.testing.assert_allclose(levels * step[:, None], sums, atol=float(np.abs(sums).max()) / 30000)
    at = array_of(page, "spectrum-frequency")
    np.testing.assert_allclose(at[[0, -1]], [0.75, 32.0])
