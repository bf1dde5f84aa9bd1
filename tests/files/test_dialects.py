"""Tables and MAT files as programs of the field write them: separators, decimals, times, and structs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.io

from freqig import read

from ..helpers import noise

N, FS = 40, 250.0
X = np.round(noise(2, N), 4)
TIME = np.arange(N) / FS
DATES = pd.date_range("2026-01-31T10:00:00", periods=N, freq="4ms")


def table(
    folder: Path, head: str, times: Any, separator: str, *, comma: bool = False, end: str = "csv"
) -> Path:
    rows = [
        separator.join([str(t), *(f"{v:.4f}" for v in column)]) for t, column in zip(times, X.T, strict=True)
    ]
    text = "\n".join(rows)
    path = folder / f"x.{end}"
    path.write_text(f"{head}\n{text.replace('.', ',') if comma else text}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("head", "times", "separator", "how"),
    [
        ("time;Fz;Cz", TIME, ";", {"comma": True}),
        ("time;Fz;Cz", TIME, ";", {}),
        ("time\tFz\tCz", TIME, "\t", {"comma": True}),
        ("time;Fz;Cz", TIME, ";", {"comma": True, "end": "txt"}),
        ("time,Fz,Cz", TIME, ",", {"end": "txt"}),
        ("time Fz Cz", TIME, " ", {"end": "txt"}),
        ("time_ms,Fz,Cz", 1000 * TIME, ",", {}),
        ("Time [ms],Fz,Cz", 1000 * TIME, ",", {}),
        ("timestamp_us,Fz,Cz", np.arange(N) * 4000, ",", {}),
        ("timestamp,Fz,Cz", [date.isoformat() for date in DATES], ",", {}),
        ("Datum;Fz;Cz", DATES.strftime("%d.%m.%Y %H:%M:%S.%f"), ";", {}),
        ("time (ms),Fz,Cz", 1.7e12 + 1000 * TIME, ",", {}),
    ],
)
def test_tables_of_many_programs(
    tmp_path: Path, head: str, times: Any, separator: str, how: dict[str, Any]
) -> None:
    signal = read(table(tmp_path, head, times, separator, **how))
    assert signal.channel.values.tolist() == ["Fz", "Cz"]
    assert signal.attrs["fs"] == pytest.approx(FS, rel=1e-6)
    np.testing.assert_allclose(signal.values[0], X, atol=1e-12)


def test_decimal_commas_without_names(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\n".join(f"{a:.4f};{b:.4f}".replace(".", ",") for a, b in X.T))
    np.testing.assert_allclose(read(tmp_path / "x.csv", fs=FS).values[0], X)


def test_times_whose_unit_nobody_said(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"'time' of x\.csv must be in s, .* values up to 1.7e\+12: .* 'time \(ms\)'"
    ):
        read(table(tmp_path, "time,Fz,Cz", 1.7e12 + 1000 * TIME, ","))
    with pytest.raises(ValueError, match=r"says 0.25 Hz, got 250: .* 'time \(ms\)'"):
        read(table(tmp_path, "time,Fz,Cz", 1000 * TIME, ","), fs=FS)
    with pytest.raises(ValueError, match=r"must hold times, numbers or dates such as .*, got 'a' to 'a'"):
        read(table(tmp_path, "time,Fz,Cz", ["a"] * N, ","))


def test_variables_of_a_file_by_name(tmp_path: Path) -> None:
    """As of the bearing data center: a variable per place of the sensor, and the speed beside them."""
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"X097_DE_time": X[:1].T, "X097_FE_time": X[1:].T, "X097RPM": 1796})
    both = read(path, fs=FS, channels=["X097_FE_time", "X097_DE_time"])
    np.testing.assert_array_equal(both.values[0], X[::-1])
    assert read(path, fs=FS, channels=["X097_DE_time"]).channel.values.tolist() == ["X097_DE_time"]
    with pytest.raises(ValueError, match=r"got X097_DE_time, X097_FE_time: pass channels= with the names"):
        read(path, fs=FS)
    np.savez(tmp_path / "x.npz", train=noise(3, 2, N), test=noise(3, 2, N) + 1)
    np.testing.assert_array_equal(read(tmp_path / "x.npz", channels=["test"]).values, noise(3, 2, N) + 1)
    np.savez(tmp_path / "y.npz", a=X[0], b=X[1, 1:])
    with pytest.raises(ValueError, match=r"channels must be series of one length, .* a \(40,\), b \(39,\)"):
        read(tmp_path / "y.npz", channels=["a", "b"])


def test_structs_of_matlab(tmp_path: Path) -> None:
    scipy.io.savemat(
        tmp_path / "one.mat", {"bearing": {"gs": X[0][:, None], "sr": FS, "rate": 25.0, "load": 1.0}}
    )
    one = read(tmp_path / "one.mat")
    assert one.attrs["fs"] == FS
    np.testing.assert_array_equal(one.values[0, 0], X[0])
    several = np.zeros(2, dtype=[("sig", object), ("fs", object)])
    several["sig"], several["fs"] = list(X), [FS, 2 * FS]
    scipy.io.savemat(tmp_path / "several.mat", {"rec": several})
    # The rate is that of the same struct, and two rates are no rate.
    assert read(tmp_path / "several.mat", channels=["rec(1).sig"]).attrs["fs"] == FS
    assert read(tmp_path / "several.mat", channels=["rec(2).sig"]).attrs["fs"] == 2 * FS
    with pytest.raises(ValueError, match=r"one sampling rate, got rec\(1\).fs 250, rec\(2\).fs 500"):
        read(tmp_path / "several.mat", channels=["rec(1).sig", "rec(2).sig"])
    with pytest.raises(ValueError, match=r"got rec\(1\).sig, rec\(2\).sig: pass channels="):
        read(tmp_path / "several.mat")


def test_epochs_that_were_saved(tmp_path: Path) -> None:
    mne = pytest.importorskip("mne")
    path = tmp_path / "x-epo.fif"
    epochs = mne.EpochsArray(noise(3, 2, N), mne.create_info(2, FS, "eeg"), verbose="error")
    epochs.save(path, verbose="error")
    with pytest.raises(ValueError, match=r"where it holds epochs, pass mne.read_epochs\(path\)"):
        read(path)


def test_annotations_that_are_no_text(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "x-eve.fif").write_bytes(bytes(range(128, 256)))
    with pytest.raises(ValueError, match=r"must be text in UTF-8, got x-eve\.fif: .*annotations_from_events"):
        read(tmp_path / "x.npy", fs=FS, annotations=tmp_path / "x-eve.fif")
