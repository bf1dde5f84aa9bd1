"""Labels beside a recording, as programs write them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from freqig import read
from freqig.errors import SignalWarning


@pytest.fixture
def ten_seconds(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.zeros((1, 100)))
    return tmp_path / "x.npy"


def labels(recording: Path, annotations: Any) -> list[str]:
    found: list[str] = read(recording, fs=10, window=5, annotations=annotations).label.values.tolist()
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.txt", "Fuß\r\nN2, tief\r\n"),
        ("x.csv", 'onset,duration,label\n0,2.5,Fuß\n5,5,"N2, tief"\n'),
        ("x.csv", "onset;duration;label\r\n0,0;2,5;Fuß\r\n5;5,0;N2, tief\r\n"),
        ("x.TSV", "Onset\tDuration\ttrial_type\n0\tn/a\tFuß\n5.0\t5\tN2, tief\n"),
    ],
)
def test_labels_as_programs_write_them(ten_seconds: Path, name: str, text: str, encoding: str) -> None:
    """Editors put a mark in front of UTF-8, PowerShell writes UTF-16, and Excel semicolons."""
    path = ten_seconds.with_name(name)
    path.write_bytes(text.encode(encoding))
    warns = pytest.warns(SignalWarning, match="is read as Windows-1252")
    with warns if encoding == "cp1252" else nullcontext():
        assert labels(ten_seconds, path) == ["Fuß", "N2, tief"]


def test_tables_of_pandas(ten_seconds: Path) -> None:
    pandas = pytest.importorskip("pandas")
    spans = {"onset": [0, 5], "duration": [2.5, 5], "label": ["W", 2]}
    for name in ("label", "Description", "trial_type"):
        assert labels(ten_seconds, pandas.DataFrame(spans).rename(columns={"label": name})) == ["W", "2"]
    with pytest.raises(ValueError, match="columns onset, duration and label, got onset, label in it"):
        labels(ten_seconds, pandas.DataFrame(spans)[["onset", "label"]])
    with pytest.raises(ValueError, match="in s, must be in"):
        labels(ten_seconds, pandas.DataFrame({**spans, "duration": [1, None]}))


def test_spans_without_a_place_are_refused(ten_seconds: Path) -> None:
    """All comparisons with NaN are false, so that such a span would cover every window."""
    path = ten_seconds.with_name("x.csv")
    for onset, said in (("nan", "onset in s, must be in"), ("soon", "onsets and durations in s, got 'soon'")):
        path.write_text(f"onset,duration,label\n{onset},1,a\n")
        with pytest.raises(ValueError, match=rf"annotations.*{said}.*x\.csv"):
            labels(ten_seconds, path)
    for span in ((float("nan"), 1.0, "a"), (0.0, float("inf"), "a"), (0.0, -1.0, "a")):
        with pytest.raises(ValueError, match="in s, must be in"):
            labels(ten_seconds, [span])
