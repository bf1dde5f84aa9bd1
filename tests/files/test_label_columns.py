"""Columns called like labels are labels where they can be nothing else, and where they can, one is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from freqig import read
from freqig.errors import SignalWarning

FS, N = 10.0, 60
FLOATS = np.random.default_rng(0).normal(size=(2, N))
WHOLE = np.repeat([0, 1, 0], 20)


def table(folder: Path, **columns: Any) -> Path:
    """With times, two channels, and more."""
    data = {"time": np.arange(N) / FS, "a": FLOATS[0], "b": FLOATS[1], **columns}
    pd.DataFrame(data).to_csv(folder / "x.csv", index=False)
    return folder / "x.csv"


def told(path: Path, **asked: Any) -> xr.DataArray:
    with pytest.warns(SignalWarning, match="taken for no signal, and windows are labelled by"):
        return read(path, **asked)


pytestmark = pytest.mark.filterwarnings("ignore:.*are taken for seconds.*:freqig.errors.SignalWarning")


@pytest.mark.parametrize("name", ["label", "Label", "class", "target", "y", "stage"])
def test_few_whole_numbers_are_labels(name: str, tmp_path: Path) -> None:
    found = told(table(tmp_path, **{name: WHOLE}), window=1.0)
    assert found.channel.values.tolist() == ["a", "b"]
    assert found.label.values.tolist() == ["0", "0", "1", "1", "0", "0"]
    np.testing.assert_allclose(found.values.transpose(1, 0, 2).reshape(2, -1), FLOATS)


def test_text_is_labels(tmp_path: Path) -> None:
    found = told(table(tmp_path, stage=np.repeat(["W", "N1", ""], 20)), window=2.0)
    assert found.label.values.tolist() == ["W", "N1", ""]


@pytest.mark.parametrize("rate", [None, 5.0])
def test_most_of_a_window_labels_it_at_any_rate(rate: float | None, tmp_path: Path) -> None:
    found = told(table(tmp_path, label=np.repeat([0, 1, 2], [18, 25, 17])), window=2.0, resample=rate)
    assert found.label.values.tolist() == ["0", "1", "2"]


def test_events_begin_and_end(tmp_path: Path) -> None:
    events = np.zeros(N, dtype=int)
    events[[5, 44]] = 3, 7
    found = told(table(tmp_path, event=events), window=1.0)
    assert found.label.values.tolist() == ["3", "", "", "", "7", ""]


def test_a_rate_that_the_caller_gives(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    pd.DataFrame({"a": FLOATS[0], "label": WHOLE}).to_csv(path, index=False)
    assert told(path, fs=20.0, window=1.0).label.values.tolist() == ["0", "1", "0"]
    assert "label" not in told(path).coords


@pytest.mark.parametrize(
    "columns",
    [
        {"label": FLOATS[0]},
        {"x": FLOATS[0], "y": WHOLE, "z": FLOATS[1]},
        {"level": WHOLE},
    ],
)
def test_honest_channels_stay_channels(columns: dict[str, Any], tmp_path: Path) -> None:
    found = read(table(tmp_path, **columns))
    assert found.channel.values.tolist() == ["a", "b", *columns]


def test_counts_of_a_converter_under_the_name_of_a_class_are_a_channel(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).integers(0, 4096, size=(3, 200))
    data = {"time": np.arange(200) / FS, "a": counts[0], "y": counts[1], "target": counts[2]}
    pd.DataFrame(data).to_csv(tmp_path / "x.csv", index=False)
    assert read(tmp_path / "x.csv").channel.values.tolist() == ["a", "y", "target"]


def test_what_is_named_is_a_channel(tmp_path: Path) -> None:
    path = table(tmp_path, label=WHOLE)
    found = read(path, channels=["a", "label"])
    np.testing.assert_array_equal(found.sel(channel="label").values[0], WHOLE)
    assert "label" not in found.coords
    # Without its name it labels windows, and nothing needs to be said.
    assert read(path, channels=["a"], window=2.0).label.values.tolist() == ["0", "1", "0"]


def test_among_whole_numbers_one_is_asked(tmp_path: Path) -> None:
    data = {"time": np.arange(N) / FS, "a": WHOLE * 7, "label": WHOLE}
    pd.DataFrame(data).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(ValueError, match=r"column 'label' of x.csv may be a signal, or labels .* channels="):
        read(tmp_path / "x.csv")
    assert read(tmp_path / "x.csv", channels=["a", "label"]).sizes["channel"] == 2
    assert read(tmp_path / "x.csv", channels=["a"], window=2.0).label.values.tolist() == ["0", "1", "0"]


def test_labels_beside_the_file_go_before_its_own(tmp_path: Path) -> None:
    found = told(table(tmp_path, label=WHOLE), window=2.0, annotations=["x", "y", "z"])
    assert found.label.values.tolist() == ["x", "y", "z"]


def test_parquet_alike(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    data = {"time": np.arange(N) / FS, "a": FLOATS[0], "label": WHOLE.astype(bool)}
    pd.DataFrame(data).to_parquet(tmp_path / "x.parquet")
    assert told(tmp_path / "x.parquet", window=2.0).label.values.tolist() == ["False", "True", "False"]
