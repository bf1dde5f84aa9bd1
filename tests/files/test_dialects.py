"""Tables and MAT files as programs of the field write them: separators, decimals, times, and structs."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.io

from freqig import Explainer, read
from freqig.errors import SignalWarning

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
        ("Elapsed time (ms),Fz (uV),Cz [uV]", 1000 * TIME, ",", {}),
        ("'Elapsed time','Fz','Cz'\n'seconds','uV','uV'", TIME, ",", {}),
        ("Time,Fz,Cz\n(ms),(V),(V)\n", 1000 * TIME, ",", {}),
        ("Time;Fz;Cz\nms;mV;", 1000 * TIME, ";", {"comma": True}),
        (",Fz,Cz", TIME, ",", {}),
        ("seconds,Fz,Cz", TIME, ",", {}),
        (
            "time,Fz,Cz",
            [f"23:59:59.{ms:03}" if ms < 1000 else f"00:00:00.{ms - 1000:03}" for ms in range(900, 1060, 4)],
            ",",
            {},
        ),
        ("Date,Time,Fz,Cz", DATES.strftime("%Y-%m-%d,%H:%M:%S.%f"), ",", {}),
        ("time,Fz,Cz", [f"{date.isoformat()}+02:00" for date in DATES], ",", {}),
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
        ("Datum;Fz;Cz", DATES.strftime("%d.%m.%Y %H:%M:%S,%f"), ";", {}),
        ("Zeit;Fz;Cz", TIME, ";", {"comma": True}),
        ("Zeit [ms],Fz,Cz", 1000 * TIME, ",", {}),
        ("Laufzeit (s),Fz,Cz", TIME, ",", {}),
        ("Temps (ms);Fz;Cz", 1000 * TIME, ";", {}),
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


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_tables_as_windows_writes_them(tmp_path: Path, encoding: str) -> None:
    """µ and ü are one byte each in Windows-1252, which no file says of itself."""
    written = table(tmp_path, "Zeit (s);Höhe (µV);Cz (µV)", TIME, ";", comma=True)
    written.write_bytes(written.read_text("utf-8").replace("\n", "\r\n").encode(encoding))
    warns = pytest.warns(SignalWarning, match="is read as Windows-1252")
    with warns if encoding == "cp1252" else nullcontext():
        signal = read(written)
    assert (signal.channel.values.tolist(), signal.attrs["units"]) == (["Höhe", "Cz"], "µV")
    assert signal.attrs["fs"] == pytest.approx(FS, rel=1e-6)
    np.testing.assert_allclose(signal.values[0], X, atol=1e-12)


def test_a_first_column_that_rises_evenly_is_told_of(tmp_path: Path) -> None:
    """It may be times in a language that nobody thought of; said by channels=, it is a channel."""
    written = table(tmp_path, "Laufende Nummer,Fz,Cz", TIME, ",")
    with pytest.warns(
        SignalWarning, match=r"'Laufende Nummer' rises evenly.*call it 'time'; else.*channels="
    ):
        assert read(written, fs=FS).sizes["channel"] == 3
    assert read(written, fs=FS, channels=["Fz", "Cz"]).sizes["channel"] == 2


def test_decimal_commas_in_quotes(tmp_path: Path) -> None:
    rows = (f'"{t:.3f}";"{a:.4f}";"{b:.4f}"'.replace(".", ",") for t, a, b in zip(TIME, *X, strict=True))
    (tmp_path / "x.csv").write_text("\n".join(['"time";"Fz";"Cz"', *rows]))
    np.testing.assert_allclose(read(tmp_path / "x.csv").values[0], X, atol=1e-12)


def test_decimal_commas_without_names(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\n".join(f"{a:.4f};{b:.4f}".replace(".", ",") for a, b in X.T))
    np.testing.assert_allclose(read(tmp_path / "x.csv", fs=FS).values[0], X)


def test_times_whose_unit_nobody_said(tmp_path: Path) -> None:
    """Steps of 4 are 0.25 Hz or 250, and steps of 1 may count samples: told by fs, or not read."""
    for times in (1000 * TIME, 1.7e12 + 1000 * TIME, 4 * np.arange(N)):
        path = table(tmp_path, "time,Fz,Cz", times, ",")
        with pytest.raises(
            ValueError, match=r"'time' of x\.csv .* 0\.25 Hz in s, and 250 Hz in ms\. Pass fs="
        ):
            read(path)
        with pytest.raises(ValueError, match="which unit its times are"):
            read(path, fs=100)
        assert read(path, fs=FS, window=0.08).shape == (2, 2, 20)
    counted = table(tmp_path, "t,Fz,Cz", np.arange(N), ",")
    with pytest.raises(ValueError, match=r"1000 Hz in ms, or count samples\. Pass fs= .* 't \(ms\)'"):
        read(counted)
    assert read(counted, fs=FS).attrs["fs"] == FS
    slow = table(tmp_path, "time (s),Fz,Cz", 4 * np.arange(N), ",")
    assert read(slow).attrs["fs"] == 0.25
    halves = table(tmp_path, "time,Fz,Cz", np.arange(N) / 2, ",")
    with (
        pytest.warns(UserWarning, match="taken for seconds, 2 Hz"),
        pytest.raises(ValueError, match=r"says 2 Hz, got 2000: .* 'time \(ms\)'"),
    ):
        read(halves, fs=2000)
    with pytest.raises(ValueError, match=r"must hold times, numbers or dates such as .*, got 'a' to 'a'"):
        read(table(tmp_path, "time,Fz,Cz", ["a"] * N, ","))


@pytest.mark.parametrize("head", ["", "sample", "Index", "'sample #'"])
def test_numbers_of_rows_are_no_channel(tmp_path: Path, head: str) -> None:
    """As pandas writes them, where it is not told otherwise."""
    path = table(tmp_path, f"{head},Fz,Cz", np.arange(N), ",")
    assert read(path, fs=FS).channel.values.tolist() == ["Fz", "Cz"]
    assert "fs" not in read(path).attrs
    if head == "sample":
        assert read(path, channels=["sample"]).values.ravel().tolist() == list(range(N))
    by_hand = table(tmp_path, f"{head},Fz,Cz", X[0], ",")
    assert read(by_hand).sizes["channel"] == 3


def test_units_of_channels(tmp_path: Path) -> None:
    path = table(tmp_path, "time (s),EEG Fz (uV),ecg [mV]", TIME, ",")
    both = read(path)
    # In the unit of the first.
    np.testing.assert_allclose(both.values[0], X * [[1], [1000]])
    assert (both.attrs["units"], both.channel.values.tolist()) == ("uV", ["EEG Fz", "ecg"])
    for name in ("ecg", "ecg [mV]"):
        one = read(path, channels=[name])
        assert (one.attrs["units"], one.channel.values.tolist()) == ("mV", ["ecg"])
        np.testing.assert_array_equal(one.values[0, 0], X[1])
    with pytest.raises(ValueError, match=r"unit must be that of x.csv, which is read in 'uV', got 'V'"):
        read(path, unit="V")
    other = read(table(tmp_path, "time (s),Fz (left),acc (m/s2)", TIME, ","))
    assert other.channel.values.tolist() == ["Fz (left)", "acc"]
    assert other.attrs["units"] == "an unknown unit and m/s2"
    twice = read(table(tmp_path, "time (s),a (V),a (mV)", TIME, ","))
    assert twice.channel.values.tolist() == ["a (V)", "a (mV)"]


def test_parquet_with_times_for_its_index(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "x.parquet"
    rows = pd.DataFrame(X.T, columns=["Fz (uV)", "Cz (uV)"])
    for index in (
        DATES,
        DATES.tz_localize("Europe/Berlin"),
        DATES - DATES[0],
        pd.Index(TIME, name="time"),
        pd.Index(TIME),
    ):
        rows.set_axis(index).to_parquet(path)
        signal = read(path)
        assert signal.attrs["fs"] == pytest.approx(FS)
        assert (signal.channel.values.tolist(), signal.attrs["units"]) == (["Fz", "Cz"], "uV")
        np.testing.assert_array_equal(signal.values[0], X)
    rows.to_parquet(path)
    assert "fs" not in read(path).attrs


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


def test_names_in_cells_of_matlab(tmp_path: Path) -> None:
    """Each cell is an array of its own, {'Fz', 'Höhe'}; names of unequal length have no other way."""
    cells = np.empty((1, 2), dtype=object)
    cells[0] = [np.array(["Fz"]), np.array(["Höhe"])]
    scipy.io.savemat(tmp_path / "x.mat", {"data": X, "fs": FS, "channels": cells})
    assert read(tmp_path / "x.mat").channel.values.tolist() == ["Fz", "Höhe"]
    np.testing.assert_array_equal(read(tmp_path / "x.mat", channels=["Höhe"]).values[0], X[1:])


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


@pytest.mark.parametrize(
    ("units", "unit"),
    [
        (["uV", "mV"], "V"),
        (["uV", "%"], "% and V"),
        (["uV", ""], "V and an unknown unit"),
        (["", ""], None),
        (["degC", "degC"], "degC"),
    ],
)
def test_units_of_edf_are_those_of_its_header(tmp_path: Path, units: list[str], unit: str | None) -> None:
    """Its reader calls everything volts, a saturation of 97 and a temperature of 37."""
    edfio = pytest.importorskip("edfio")
    pytest.importorskip("mne")
    values = np.clip(10 * noise(2, 200), -99, 99)
    signals = [
        edfio.EdfSignal(row, 100, label="same", physical_dimension=one, physical_range=(-100, 100))
        for row, one in zip(values, units, strict=True)
    ]
    edfio.Edf(signals).write(tmp_path / "x.edf")
    found = read(tmp_path / "x.edf")
    assert found.attrs.get("units") == unit
    scale = np.array([{"uV": 1e-6, "mV": 1e-3}.get(one, 1.0) for one in units])
    np.testing.assert_allclose(found.values[0] / scale[:, None], values, atol=0.01)
    if unit == "% and V":
        with pytest.raises(
            ValueError, match=r"which is in % and V, got unit='uV'.*pick channels of one kind"
        ):
            Explainer(lambda x: x.square().mean((1, 2)), unit="uV")(tmp_path / "x.edf")


def test_objects_in_an_archive_are_left_out(tmp_path: Path) -> None:
    names = np.array(["Fz", "Cz"], dtype=object)
    np.savez(tmp_path / "x.npz", data=X, fs=FS, names=names)
    with pytest.warns(SignalWarning, match=r"x\.npz: names are pickled objects, and left out"):
        found = read(tmp_path / "x.npz")
    assert found.attrs["fs"] == FS
    np.testing.assert_array_equal(found.values[0], X)
    np.savez(tmp_path / "y.npz", names=names)
    with pytest.raises(ValueError, match=r"holds pickled objects only, names, and to read them runs code"):
        read(tmp_path / "y.npz")


def test_rows_that_are_points_in_time(tmp_path: Path) -> None:
    """As MATLAB has them: no shape tells what a row is, and 40 channels of 2 values are few."""
    scipy.io.savemat(tmp_path / "x.mat", {"x": X.T, "fs": FS})
    np.save(tmp_path / "x.npy", X.T)
    for end in ("mat", "npy"):
        with pytest.warns(
            SignalWarning, match=rf"x\.{end} holds 40 channels of 2 values in time: .* array\.T"
        ):
            assert read(tmp_path / f"x.{end}").shape == (1, N, 2)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("%Device\n%Rate = 250\nSample Index, Fz, Cz\n", ["Sample Index", "Fz", "Cz"]),
        ("# Device\n# EndOfHeader\n", ["0", "1", "2"]),
    ],
)
def test_lines_above_names_and_separators_at_the_end(tmp_path: Path, text: str, names: list[str]) -> None:
    end = "," if text.startswith("#") else ""
    rows = (f"{i % 9}, {a:.4f}, {b:.4f}{end}" for i, (a, b) in enumerate(X.T))
    (tmp_path / "x.csv").write_text(text + "\n".join(rows))
    found = read(tmp_path / "x.csv", fs=FS)
    assert found.channel.values.tolist() == names
    np.testing.assert_array_equal(found.values[0, 1:], X)


def test_channels_of_one_name_go_by_numbers(tmp_path: Path) -> None:
    edfio = pytest.importorskip("edfio")
    pytest.importorskip("mne")
    signals = [
        edfio.EdfSignal(np.clip(row, -9, 9), 100, label="EEG", physical_range=(-9, 9))
        for row in noise(2, 200)
    ]
    edfio.Edf(signals).write(tmp_path / "x.edf")
    both = read(tmp_path / "x.edf")
    assert both.channel.values.tolist() == ["EEG-0", "EEG-1"]
    np.testing.assert_array_equal(
        read(tmp_path / "x.edf", channels=["EEG-1"]).values[0, 0], both.values[0, 1]
    )


def test_the_header_of_a_file_of_values_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.eeg").write_bytes(b"1")
    with pytest.raises(ValueError, match=r"x\.eeg'$"):
        read(tmp_path / "x.eeg")
    (tmp_path / "x.vhdr").write_text("")
    with pytest.raises(ValueError, match=r"x\.eeg': pass its header, 'x\.vhdr'"):
        read(tmp_path / "x.eeg")


def test_files_of_several_rates_are_refused_before_the_model_runs(tmp_path: Path) -> None:
    for name, rate in (("a", FS), ("b", 2 * FS)):
        np.savez(tmp_path / f"{name}.npz", x=noise(1, 100), fs=rate)
    asked: list[int] = []
    both = [tmp_path / "a.npz", tmp_path / "b.npz"]
    explainer = Explainer(lambda x: asked.append(1) or x.square().mean((1, 2)), n_steps=2)
    with pytest.raises(ValueError, match=r"one sampling rate, got 250 Hz in .*a\.npz and 500 Hz in .*b\.npz"):
        explainer(both)
    assert not asked
    assert explainer(both, resample=FS).sizes["sample"] == 2


@pytest.mark.parametrize("other", ["mV", ""])
def test_files_of_several_units_are_not_taken_for_one(tmp_path: Path, other: str) -> None:
    """Nor are batches; with a unit of the model all are converted to it."""
    for name, unit in (("a", "uV"), ("b", other)):
        head = f"time (s),Fz ({unit}),Cz ({unit})" if unit else "time (s),Fz,Cz"
        table(tmp_path, head, TIME, ",").rename(tmp_path / f"{name}.csv")
    both, energy = [tmp_path / "a.csv", tmp_path / "b.csv"], lambda x: x.square().mean((1, 2))
    told = (
        rf"must be in one unit, got uV in .*a\.csv and {other or 'none'} in .*b\.csv: pass unit= to Explainer"
    )
    with pytest.raises(ValueError, match=told):
        Explainer(energy, n_steps=2)(both)
    with pytest.raises(ValueError, match=rf"batches must be in one unit, got uV and {other or 'none'}"):
        Explainer(energy, n_steps=2)(read(path) for path in both)
    found = Explainer(energy, n_steps=2, unit="uV")(both).output.values
    np.testing.assert_allclose(found[1], found[0] * (1e6 if other else 1), rtol=1e-5)


ROWS = "\n".join(f"{i / 100},{i % 7},{i % 3}" for i in range(300))


@pytest.mark.parametrize(
    "above",
    [
        "Device: Foo 3\nSerial,1234\n\n",
        "Model,MSO24\n",
        "Recorder X\n# a, comment, of, four\nStart 12:00\n",
        "".join(f"Key {i}: a value\n" for i in range(30)),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_lines_of_a_device_above_a_table(above: str, separator: str, tmp_path: Path) -> None:
    text = f"{above}time,a,b\n{ROWS}\n".replace(",", separator)
    (tmp_path / "x.csv").write_text(text)
    signal = read(tmp_path / "x.csv")
    assert signal.attrs["fs"] == 100
    assert signal.channel.values.tolist() == ["a", "b"]
    np.testing.assert_array_equal(signal[0], [np.arange(300) % 7, np.arange(300) % 3])


@pytest.mark.parametrize("above", ["Device: X-1\n", "Lab 3\nDevice: X-1 rev 2\n", "Rate: 100\n\n"])
def test_a_line_of_a_device_is_no_row_of_names(above: str, tmp_path: Path) -> None:
    """Also where it has as many words as there are columns."""
    values = np.random.default_rng(0).normal(size=(20, 2)).round(3)
    rows = "\n".join(f"{a} {b}" for a, b in values)
    (tmp_path / "x.txt").write_text(above + rows)
    signal = read(tmp_path / "x.txt", fs=100)
    np.testing.assert_array_equal(signal[0], values.T)
    assert "Device:" not in map(str, signal.coords.get("channel", []))


@pytest.mark.parametrize("first", ["Device X", "a,b"])
def test_lines_above_a_table_without_names_are_shown(first: str, tmp_path: Path) -> None:
    """They may be names of too few columns."""
    (tmp_path / "x.csv").write_text(f"{first}\n{ROWS}\n")
    with pytest.raises(
        ValueError, match=rf"x\.csv must be a table.* begins with '{first}'.*cut off what stands above"
    ):
        read(tmp_path / "x.csv")


def test_steps_that_may_be_ms_are_told_of(tmp_path: Path) -> None:
    rows = "\n".join(f"{i / 2},{i % 7}" for i in range(300))
    (tmp_path / "x.csv").write_text(f"time,a\n{rows}\n")
    with pytest.warns(
        UserWarning, match=r"steps of 0\.5 in column 'time' are taken for seconds, 2 Hz; .*'time \(ms\)'"
    ):
        assert read(tmp_path / "x.csv").attrs["fs"] == 2
    (tmp_path / "x.csv").write_text(f"time (s),a\n{rows}\n")
    assert read(tmp_path / "x.csv").attrs["fs"] == 2
    (tmp_path / "x.csv").write_text(f"time (ms),a\n{rows}\n")
    assert read(tmp_path / "x.csv").attrs["fs"] == 2_000
