"""Records of PhysioNet, written and read by wfdb: values, units, beats and rhythms, damage."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import freqig

from ..helpers import noise

with warnings.catch_warnings():
    # It uses what newer versions of pandas will do without; reading is free of that.
    warnings.simplefilter("ignore")
    wfdb = pytest.importorskip("wfdb")

FS, N = 250, 5000


def write(folder: Path, name: str, **of_signals: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wfdb.wrsamp(name, FS, p_signal=noise(N, 2), fmt=["16", "16"], write_dir=str(folder), **of_signals)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    write(tmp_path, "rec", sig_name=["MLII", "V5"], units=["mV", "mV"])
    return tmp_path / "rec.hea"


def annotate(record: Path, times: list[float], symbols: list[str], texts: list[str], fs: float = FS) -> None:
    samples = (np.array(times) * fs).round().astype(int)
    where = {"fs": fs, "write_dir": str(record.parent)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wfdb.wrann("rec", "atr", samples, symbol=symbols, aux_note=texts, **where)


def test_values_names_unit_and_rate(record: Path) -> None:
    found = freqig.read(record)
    np.testing.assert_allclose(found[0], noise(N, 2).T, atol=2e-4)
    assert (found.attrs["fs"], found.attrs["units"]) == (FS, "mV")
    assert found.channel.values.tolist() == ["MLII", "V5"]
    only = freqig.read(record, channels=["V5"], window=5)
    np.testing.assert_array_equal(only[:, 0], found[0, 1].values.reshape(4, 1250))


@pytest.mark.parametrize(
    ("units", "unit", "scale"),
    [(["mV", "uV"], "mV", 1e-3), (["mV", "mmHg"], "mV and mmHg", 1), (["NU", "NU"], "NU", 1)],
)
def test_signals_of_several_units(tmp_path: Path, units: list[str], unit: str, scale: float) -> None:
    """In the unit of the first where all are volts; else no unit is taken for that of all."""
    write(tmp_path, "rec", sig_name=["MLII", "ABP"], units=units)
    found = freqig.read(tmp_path / "rec.hea")
    assert found.attrs["units"] == unit
    np.testing.assert_allclose(found[0, 1], scale * noise(N, 2)[:, 1], atol=2e-4)
    only = freqig.read(tmp_path / "rec.hea", channels=["ABP"])
    assert only.attrs["units"] == units[1]
    if unit == "mV and mmHg":
        with pytest.raises(ValueError, match=r"which is in mV and mmHg, got unit='uV': .* pick channels"):
            freqig.Explainer(lambda x: x.square().sum((1, 2)), unit="uV")(found)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """An ECG of four values in a frame, whose frames come at 125 Hz, and breathing of one."""
    ecg, breath = noise(4 * N), noise(N, seed=1)
    digital = [np.round(2000 * one).astype(int) for one in (ecg, breath)]
    about = {"adc_gain": [2000.0] * 2, "baseline": [0] * 2, "adc_res": [16] * 2, "adc_zero": [0] * 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record = wfdb.Record(
            record_name="rec",
            fs=125,
            n_sig=2,
            sig_len=N,
            sig_name=["ECG", "breath"],
            units=["mV", "mV"],
            fmt=["16"] * 2,
            samps_per_frame=[4, 1],
            e_d_signal=digital,
            init_value=[int(one[0]) for one in digital],
            checksum=[int(one.sum() % 65536) for one in digital],
            file_name=["rec.dat"] * 2,
            block_size=[0] * 2,
            byte_offset=[None] * 2,
            skew=[None] * 2,
            **about,
        )
        record.wrheader(write_dir=str(tmp_path), expanded=True)
        record.wr_dats(expanded=True, write_dir=str(tmp_path))
    return tmp_path / "rec.hea"


def test_signals_of_several_rates_are_listed_and_none_is_averaged(frames: Path) -> None:
    """By default wfdb has the mean of a frame, which is what no low-pass makes of it."""
    with pytest.raises(ValueError, match=r"one sampling rate, got ECG 500 Hz, breath 125 Hz: pass channels="):
        freqig.read(frames)
    annotate(frames, [1.0, 31.0], ["+", "+"], ["(N", "(AFIB"], fs=125)
    ecg = freqig.read(frames, channels=["ECG"], window=10)
    assert ecg.attrs["fs"] == 500
    np.testing.assert_allclose(ecg.values[:, 0].ravel(), noise(4 * N), atol=3e-4)
    assert ecg.label.values.tolist() == ["(N"] * 3 + ["(AFIB"]
    both = freqig.read(frames, resample=125)
    np.testing.assert_allclose(both[0, 1], noise(N, seed=1), atol=3e-4)
    assert both.sizes["time"] == N


def test_beats_label_windows(record: Path) -> None:
    annotate(record, [0.1, 4.9, 6.0, 15.2], ["N", "V", "N", "V"], [""] * 4)
    assert freqig.read(record, window=5).label.values.tolist() == ["N", "N", "N", "V"]


def test_rhythms_go_before_beats(record: Path) -> None:
    annotate(record, [0.0, 1.0, 9.0, 12.0], ["+", "N", "N", "+"], ["(N", "", "", "(AFIB"])
    assert freqig.read(record, window=5).label.values.tolist() == ["(N", "(N", "(AFIB", "(AFIB"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            str(N),
            "500000000000",
            r"tells of 500000000000 samples, 2000000000000 bytes, and rec.dat has 20000",
        ),
        ("rec.dat", "gone.dat", "there is no gone.dat beside it"),
        ("rec 2 250", "rec two", "invalid syntax"),
    ],
)
def test_damage_is_told_before_memory_is_taken(record: Path, old: str, new: str, told: str) -> None:
    record.write_text(record.read_text().replace(old, new))
    with pytest.raises(ValueError, match=rf"rec.hea must be a whole record of WFDB, which .*{told}"):
        freqig.read(record)
