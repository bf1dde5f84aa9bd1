"""Recordings from files: values against those that were written, labels, windows, and what is refused."""

from __future__ import annotations

import struct
import sys
import wave
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from freqig import Explainer
from freqig.errors import SignalWarning
from freqig.files import read

FS = 100.0
RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(2, 1000))


def as_npy(path: Path) -> Path:
    np.save(path / "signal.npy", VALUES)
    return path / "signal.npy"


def as_npz(path: Path) -> Path:
    np.savez(path / "signal.npz", data=VALUES, sf=FS, chan=np.array(["Fz", "Oz"]))
    return path / "signal.npz"


def as_mat(path: Path) -> Path:
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(path / "signal.mat", {"eeg": VALUES, "Fs": FS, "note": "a word"})
    return path / "signal.mat"


def as_mat73(path: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("pymatreader")
    with h5py.File(path / "signal.mat", "w", userblock_size=512) as file:
        # MATLAB stores the transpose.
        file["eeg"] = VALUES.T
        file["Fs"] = np.array([[FS]])
    with (path / "signal.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path / "signal.mat"


def as_csv(path: Path, separator: str = ",", end: str = "csv") -> Path:
    rows = np.column_stack([np.arange(1000) / FS, VALUES.T])
    header = separator.join(["time (s)", "Fz", "Oz"])
    np.savetxt(path / f"signal.{end}", rows, delimiter=separator, header=header, comments="", fmt="%.17g")
    return path / f"signal.{end}"


def as_tsv(path: Path) -> Path:
    return as_csv(path, "\t", "tsv")


def as_netcdf(path: Path) -> Path:
    array = xr.DataArray(
        VALUES, dims=("channel", "time"), coords={"channel": ["Fz", "Oz"], "time": np.arange(1000) / FS}
    )
    array.to_dataset(name="signal").to_netcdf(path / "signal.nc", engine="h5netcdf")
    return path / "signal.nc"


WITH_RATE = [as_npz, as_mat, as_csv, as_tsv, as_netcdf]


@pytest.mark.parametrize("write", [as_npy, as_mat73, *WITH_RATE], ids=lambda write: write.__name__)
def test_values_come_back(write: Any, tmp_path: Path) -> None:
    signal = read(write(tmp_path))
    assert signal.dims == ("sample", "channel", "time")
    np.testing.assert_allclose(signal.values[0], VALUES, rtol=1e-12)
    assert signal.file.values.tolist() == [next(tmp_path.iterdir()).name]


@pytest.mark.parametrize("write", WITH_RATE, ids=lambda write: write.__name__)
def test_rates_are_those_of_the_file(write: Any, tmp_path: Path) -> None:
    path = write(tmp_path)
    assert read(path).attrs["fs"] == pytest.approx(FS)
    assert read(path, fs=FS).attrs["fs"] == pytest.approx(FS)
    with pytest.raises(ValueError, match=r"fs must be that of signal.*100 Hz, got 128"):
        read(path, fs=128)


@pytest.mark.parametrize("write", [as_npz, as_csv, as_netcdf], ids=lambda write: write.__name__)
def test_channels_by_name_and_in_order(write: Any, tmp_path: Path) -> None:
    path = write(tmp_path)
    turned = read(path, channels=["Oz", "Fz"])
    assert turned.channel.values.tolist() == ["Oz", "Fz"]
    np.testing.assert_allclose(turned.values[0], VALUES[::-1], rtol=1e-12)
    with pytest.raises(ValueError, match=r"channels must each be one of Fz, Oz in .*no 'Cz'"):
        read(path, channels=["Cz"])


def test_sound(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    samples = np.round(VALUES.clip(-3, 3) / 3 * 32767).astype("<i2")
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.T.tobytes())
    sound = read(tmp_path / "tone.wav", window=0.1, step=0.0125)
    assert sound.shape == (3, 2, 800)
    assert sound.attrs["fs"] == 8000
    np.testing.assert_allclose(sound.values[2], samples[:, 200:1000] / 32768, rtol=1e-6)


def test_windows_and_rests(tmp_path: Path) -> None:
    path = as_npz(tmp_path)
    cut = read(path, window=3, step=1.5)
    assert cut.onset.values.tolist() == [0, 1.5, 3, 4.5, 6]
    assert cut.attrs["n_rest"] == 100
    for onset, series in zip(cut.onset.values, cut.values, strict=True):
        begin = int(onset * FS)
        np.testing.assert_array_equal(series, VALUES[:, begin : begin + 300])
    assert cut.time.values[-1] == pytest.approx(2.99)
    for window, word in ((0.0123, "whole number"), (11, "must hold a window"), (-1, "window must be")):
        with pytest.raises(ValueError, match=word):
            read(path, window=window)
    with pytest.raises(ValueError, match="fs must be given with window"):
        read(as_npy(tmp_path), window=1)
    with pytest.raises(ValueError, match=r"step must come with window=, .*got step=1\.5 alone"):
        read(path, step=1.5)


def test_resampling_keeps_a_sine(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    at = np.arange(1000) / FS
    np.savez(tmp_path / "sine.npz", data=np.stack([np.sin(2 * np.pi * 5 * at)] * 2), fs=FS)
    slow = read(tmp_path / "sine.npz", resample=64)
    assert slow.attrs["fs"] == 64
    expected = np.sin(2 * np.pi * 5 * np.arange(640) / 64)
    np.testing.assert_allclose(slow.values[0, 0, 64:-64], expected[64:-64], atol=0.01)


def test_a_rate_that_the_file_does_not_tell_can_be_told_and_changed(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    np.save(tmp_path / "noise.npy", VALUES)
    np.savez(tmp_path / "noise.npz", data=VALUES, fs=FS)
    told = read(tmp_path / "noise.npy", fs=FS, resample=64)
    known = read(tmp_path / "noise.npz", resample=64)
    assert told.attrs["fs"] == known.attrs["fs"] == 64
    np.testing.assert_array_equal(told, known)


def test_labels_of_windows(tmp_path: Path) -> None:
    path = as_npz(tmp_path)
    listed = read(path, window=5, annotations=["W", "N2"])
    assert listed.label.values.tolist() == ["W", "N2"]
    text = tmp_path / "hypnogram.txt"
    text.write_text("# one per window\nW\nN2\n")
    assert read(path, window=5, annotations=text).label.values.tolist() == ["W", "N2"]
    spans = read(path, window=5, annotations=[(0, 2, "W"), (2, 8, "N2")])
    assert spans.label.values.tolist() == ["N2", "N2"]
    table = tmp_path / "events.tsv"
    table.write_text("onset\tduration\ttrial_type\n0\t5\tW\n5\t5\tN2\n")
    assert read(path, window=5, annotations=table).label.values.tolist() == ["W", "N2"]
    with pytest.raises(ValueError, match=r"one per window, so 2 of them for signal\.npz, got 3"):
        read(path, window=5, annotations=["W", "N1", "N2"])


def test_spans_marked_bad_are_left_out(tmp_path: Path) -> None:
    path = as_npz(tmp_path)
    with pytest.warns(SignalWarning, match=r"1 of 5 windows touch spans marked bad"):
        kept = read(path, window=2, annotations=[(2.5, 0.5, "BAD_muscle"), (0, 10, "rest")])
    assert kept.onset.values.tolist() == [0, 4, 6, 8]
    assert kept.attrs["n_bad"] == 1
    with pytest.raises(ValueError, match="all touch spans marked bad"):
        read(path, window=2, annotations=[(0, 10, "bad")])
    # As MNE writes them to files of BrainVision.
    with pytest.warns(SignalWarning, match=r"1 of 5 windows touch spans marked bad"):
        kept = read(path, window=2, annotations=[(2.5, 0.5, "Comment/BAD_muscle"), (5, 1, "Comment/good")])
    assert kept.label.values.tolist() == ["", "Comment/good", "", ""]


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_windows_that_were_read_come_back_with_what_is_known_of_them(tmp_path: Path, suffix: str) -> None:
    spans = [(0, 4, "W"), (4, 6, "N2")]
    first = read(as_npz(tmp_path), window=2, annotations=spans, unit="uV")
    first = first.assign_coords(subject=("sample", ["a", "b", "a", "b", "a"]), age=("sample", np.arange(5.0)))
    path = tmp_path / f"windows{suffix}"
    first.to_netcdf(path, engine="h5netcdf") if suffix == ".nc" else first.to_zarr(path, zarr_format=2)
    again = read(path)
    xr.testing.assert_identical(again.drop_attrs(deep=False), first.drop_attrs(deep=False))
    assert again.attrs == first.attrs
    assert read(path, annotations=["x"] * 5).label.values.tolist() == ["x"] * 5
    result = Explainer(lambda x: x.square().mean((1, 2)), n_steps=2)(path)
    assert result.subject.values.tolist() == ["a", "b", "a", "b", "a"]
    assert result.onset.values.tolist() == [0, 2, 4, 6, 8]


def test_labels_are_counted_with_windows_that_are_left_out_or_without(tmp_path: Path) -> None:
    """A hypnogram has a stage for every epoch of the night, whichever of them the recording marks bad."""
    mne = pytest.importorskip("mne")
    raw = mne.io.RawArray(VALUES * 1e-6, mne.create_info(2, FS, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([2.5], [0.5], ["BAD_muscle"]))
    raw.save(tmp_path / "x_raw.fif", verbose="error")
    cut = partial(read, tmp_path / "x_raw.fif", window=2)
    for given in (["W", "N1", "N2", "N3", "R"], ["W", "N2", "N3", "R"]):
        with pytest.warns(SignalWarning, match="1 of 5 windows touch"):
            found = cut(annotations=given)
        assert found.label.values.tolist() == ["W", "N2", "N3", "R"]
        assert found.onset.values.tolist() == [0, 4, 6, 8]
    told = r"one per window, so 4 of them for x_raw.fif, or 5 with those left out, got 3"
    with pytest.raises(ValueError, match=told):
        cut(annotations=["W", "N1", "N2"])


def test_spans_marked_bad_are_named_where_nothing_is_cut(tmp_path: Path) -> None:
    spans = [(2.5, 0.5, "BAD_muscle"), (5, 1, "bad"), (0, 10, "rest")]
    told = r"signal\.npz: spans marked bad \(1 × BAD_muscle, 1 × bad, 1\.5 s in all\) are read with the rest"
    with pytest.warns(SignalWarning, match=told):
        whole = read(as_npz(tmp_path), annotations=spans)
    assert whole.label.values.tolist() == ["rest"]
    assert whole.sizes["time"] == VALUES.shape[1]


def test_uneven_times_say_where(tmp_path: Path) -> None:
    rows = "\n".join(f"{t},0.5" for t in [0, 1, 2, 3, 7, 8, 9])
    (tmp_path / "late.csv").write_text(f"t,a\n{rows}\n")
    with pytest.raises(ValueError, match=r"sampled evenly.*step after row 3 differs most"):
        read(tmp_path / "late.csv")


def test_units(tmp_path: Path) -> None:
    assert read(as_npz(tmp_path), unit="uV").attrs["units"] == "uV"


# --- real recordings ----------------------------------------------------------------------------------


def test_eyes_open_and_closed_keep_their_labels_to_the_end(data_path: Path) -> None:
    """Alpha rises over the occiput as eyes close, in the signal as it was read; labels reach the result."""
    pytest.importorskip("mne")
    alpha = {}
    for run in ("S001R01", "S001R02"):
        signal = read(data_path / "eegmmidb_S001" / f"{run}.edf", window=2, channels=["Oz..", "Cz.."])
        assert signal.shape == (30, 2, 320)
        assert signal.attrs == {"n_bad": 0, "n_rest": 0, "fs": 160.0, "units": "V"}
        power = np.abs(np.fft.rfft(signal.values - signal.values.mean(-1, keepdims=True))) ** 2
        frequency = np.fft.rfftfreq(320, 1 / 160)
        inside = (frequency >= 8) & (frequency <= 13)
        alpha[run] = (power[..., inside].sum(-1) / power.sum(-1)).mean(0)
    assert alpha["S001R02"][0] > 3 * alpha["S001R01"][0]
    assert alpha["S001R02"][0] > alpha["S001R02"][1]
    result = Explainer(lambda x: (1e6 * x).square().mean((1, 2)), n_steps=4)(signal)
    assert result.onset.values.tolist() == signal.onset.values.tolist()
    assert set(result.file.values) == {"S001R02.edf"}
    assert result.rfft.sel(channel="Oz..").sizes == {"sample": 30, "frequency": 161}
    assert float(result.frequency.max()) == 80


def test_a_spoken_digit(data_path: Path) -> None:
    pytest.importorskip("soundfile")
    sound = read(data_path / "fsdd_subset" / "7_theo_0.wav")
    assert sound.attrs["fs"] == 8000
    assert sound.file.values.tolist() == ["7_theo_0.wav"]
    assert 0 < float(np.abs(sound).max()) <= 1


def test_spindles_from_a_text_file(data_path: Path) -> None:
    path = data_path / "yasa_samples" / "data_N2_spindles_15sec_200Hz.txt"
    sleep = read(path, fs=200, unit="uV", window=1)
    power = np.abs(np.fft.rfft(sleep.values[:, 0] * np.hanning(200))) ** 2
    sigma = power[:, 11:17].sum(-1)
    # Spindles near 3.4 and 13.3 s.
    assert {3, 13} == set(np.argsort(sigma)[-2:].tolist())


# --- files are not to be trusted ---------------------------------------------------------------------


def header_of(records: int, duration: str, count: int = 1, per_record: int = 100) -> bytes:
    """An EDF header with so much in it."""
    fixed = b"0".ljust(8) + b" " * 160 + b"01.01.2001.01.01" + str(256 * (count + 1)).ljust(8).encode()
    fixed += (
        b" " * 44 + str(records).ljust(8).encode() + duration.ljust(8).encode() + str(count).ljust(4).encode()
    )
    fields = b"EEG".ljust(16) * count + b" " * 80 * count + b"uV".ljust(8) * count
    for value in ("-100", "100", "-32768", "32767"):
        fields += value.ljust(8).encode() * count
    fields += b" " * 80 * count + str(per_record).ljust(8).encode() * count + b" " * 32 * count
    return fixed + fields


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (header_of(10, "0") + bytes(2000), "more than 0 s"),
        (header_of(10, "-1") + bytes(2000), "more than 0 s"),
        (header_of(10, "nan") + bytes(2000), "more than 0 s"),
        (header_of(10, "1", per_record=0) + bytes(2000), "more than 0 s"),
        (header_of(10, "1") + bytes(1000), "must be complete"),
        (header_of(10**7, "1") + bytes(2000), "must be complete"),
        (header_of(10, "1", count=9999)[:256], "channels"),
        (header_of(0, "1") + bytes(2000), "must be complete"),
        (header_of(-1, "1") + bytes(2000), "must be complete"),
        (header_of(2, "1", count=0) + bytes(400), "1 to 4096 channels"),
        (
            (header_of(2, "1") + bytes(400)).replace(b"-100    ", b"nan     "),
            "physical range, got nan to 100",
        ),
        (
            (header_of(2, "1") + bytes(400)).replace(b"-100    ", b"100     "),
            "physical range, got 100 to 100",
        ),
        ((header_of(2, "1") + bytes(400)).replace(b"-32768  ", b"32767   "), "digital range"),
        (b"0".ljust(300), "header of EDF"),
        (b"", "empty file"),
    ],
)
def test_edf_headers_are_checked(content: bytes, word: str, tmp_path: Path) -> None:
    (tmp_path / "x.edf").write_bytes(content)
    with pytest.raises(ValueError, match=word):
        read(tmp_path / "x.edf")


def test_a_npy_that_asks_for_32_gib(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296,), }".ljust(117) + b"\n"
    (tmp_path / "big.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(ValueError, match=r"big\.npy must hold an array"):
        read(tmp_path / "big.npy")


def npy_that_asks(shape: str) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def test_an_archive_that_asks_for_32_gib(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ask.npz", "w") as archive:
        archive.writestr("x.npy", npy_that_asks("(4294967296,)") + bytes(100))
    with pytest.raises(ValueError, match=r"x\.npy asks for 34359738368 bytes, and has \d+"):
        read(tmp_path / "ask.npz")


@pytest.mark.parametrize("suffix", [".nc", ".mat"])
def test_hdf5_that_stores_nothing_or_leads_elsewhere(tmp_path: Path, suffix: str) -> None:
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("pymatreader")
    path = tmp_path / f"x{suffix}"

    def write(fill: Any) -> None:
        with h5py.File(path, "w", userblock_size=512 if suffix == ".mat" else 0) as file:
            fill(file)
        if suffix == ".mat":
            with path.open("r+b") as file:
                file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")

    write(lambda file: file.create_dataset("x", shape=(10, 10**12), chunks=(1, 1000), dtype="f8"))
    with pytest.raises(ValueError, match=r"x in x\.\w+ unpacks to .*, for which 0 bytes are stored"):
        read(path)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["k"] = np.arange(100.0)
    write(lambda file: file.__setitem__("x", h5py.ExternalLink(str(tmp_path / "other.h5"), "/k")))
    with pytest.raises(ValueError, match="must hold its own values, but 'x' links to another file"):
        read(path)
    layout = h5py.VirtualLayout(shape=(100,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "k", shape=(100,))
    write(lambda file: file.create_virtual_dataset("x", layout))
    with pytest.raises(ValueError, match="'x' is stored elsewhere"):
        read(path)


def test_mat_files_that_swell(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(tmp_path / "zeros.mat", {"x": np.zeros((100, 30_000))}, do_compression=True)
    with pytest.raises(ValueError, match=r"x in zeros\.mat unpacks to 24 MB, for which \d+ bytes are stored"):
        read(tmp_path / "zeros.mat")


def test_pickles_in_zarr_are_refused_before_its_library_sees_them(tmp_path: Path) -> None:
    array = tmp_path / "x.zarr" / "signal"
    array.mkdir(parents=True)
    (array / ".zarray").write_text('{"zarr_format": 2, "dtype": "|O", "filters": [{"id": "pickle"}]}')
    with pytest.raises(ValueError, match=r"x\.zarr must hold numbers, but signal holds pickles"):
        read(array.parent)


def wav(data: bytes, told: int | None = None, channels: int = 1) -> bytes:
    size = len(data) if told is None else told
    head = struct.pack("<IHHIIHH", 16, 1, channels, 8000, 16000 * channels, 2 * channels, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + head
        + b"data"
        + struct.pack("<I", size)
        + data
    )


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (
            wav(bytes(200), told=1000),
            "must be complete: .* tells of 1000 bytes of sound, and the file has 200",
        ),
        (wav(b""), "must hold sound, got 0 values"),
        (wav(bytes(200), channels=0), "which soundfile cannot read"),
        (b"RIFF", "which soundfile cannot read"),
    ],
)
def test_sound_that_is_cut_short(content: bytes, word: str, tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(ValueError, match=word):
        read(tmp_path / "x.wav")


def test_sound_that_was_streamed_says_no_length(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    (tmp_path / "x.wav").write_bytes(wav(bytes(200), told=0xFFFFFFFF))
    assert read(tmp_path / "x.wav").shape == (1, 1, 100)


@pytest.mark.parametrize(
    "suffix", [".fif", ".gdf", ".set", ".vhdr", ".mat", ".nc", ".csv", ".flac", ".bdf", ".npz"]
)
def test_noise_is_no_recording(suffix: str, tmp_path: Path) -> None:
    for library in ("mne", "pymatreader", "soundfile", "pandas"):
        pytest.importorskip(library)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(np.random.default_rng(1).bytes(3000))
    with pytest.raises(ValueError, match=rf"x{suffix} must"):
        read(path)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}, None]), allow_pickle=True)
    with pytest.raises(ValueError, match="must hold an array"):
        read(tmp_path / "objects.npy")


def test_a_zip_bomb(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(20_000_000))
    with pytest.raises(ValueError, match=r"bomb\.npz unpacks to 20 MB, for which \d+ bytes are stored"):
        read(tmp_path / "bomb.npz")


@pytest.mark.parametrize("before", ["", "a,b\n", "# a comment\n"])
def test_a_table_of_a_million_columns(before: str, tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(before + "0," * 1_000_000 + "\n")
    with pytest.raises(ValueError, match="4096 at most"):
        read(tmp_path / "wide.csv")


@pytest.mark.parametrize("rows", ["1,2\n1,2,3,4\n", "1,2,3\n4,5,6\n"])
def test_rows_longer_than_the_first_are_told_of(rows: str, tmp_path: Path) -> None:
    (tmp_path / "ragged.csv").write_text(f"a,b\n{rows}")
    with pytest.raises(ValueError, match=r"ragged\.csv must be a table"):
        read(tmp_path / "ragged.csv")


@pytest.mark.parametrize("content", ["a,b\n1,x\n2,y\n", "a,b\n1,\n2,3\n"])
def test_tables_must_be_numbers(content: str, tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text(content)
    with pytest.raises(ValueError, match=r"words\.csv must"):
        read(tmp_path / "words.csv")


def test_what_is_not_there_or_has_no_reader(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none at"):
        read(tmp_path / "absent.edf")
    (tmp_path / "notes.doc").write_text("words")
    with pytest.raises(ValueError, match=r"recording that has a reader.*\.edf.*notes\.doc"):
        read(tmp_path / "notes.doc")
    as_npz(tmp_path)
    with pytest.raises(TypeError, match="channels must be a sequence of names"):
        read(tmp_path / "signal.npz", channels="Fz")


def test_contents_tell_what_the_name_does_not(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"time": np.arange(1000) / FS, "Fz": VALUES[0]})
    table.to_parquet(tmp_path / "table")
    xr.DataArray(VALUES[:1], {"channel": ["Fz"]}, ("channel", "time"), "eeg", {"fs": FS}).to_netcdf(
        tmp_path / "array", engine="h5netcdf"
    )
    for name in ("table", "array"):
        found = read(tmp_path / name)
        assert (found.channel.values.tolist(), found.attrs["fs"]) == (["Fz"], FS)
        np.testing.assert_array_equal(found.values[0], VALUES[:1])


@pytest.mark.parametrize(
    ("library", "name", "extra"),
    [
        ("pandas", "x.csv", "tables"),
        ("soundfile", "x.flac", "audio"),
        ("zarr", "x.zarr", "zarr"),
        ("obspy", "x.mseed", "seismic"),
        ("wfdb", "x.hea", "ecg"),
        ("mne", "x.vhdr", "eeg"),
    ],
)
def test_a_missing_library_is_told_with_its_extra(
    library: str, name: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / name).mkdir() if extra == "zarr" else (tmp_path / name).write_text("something")
    with pytest.raises(
        ImportError, match=rf"{name} needs the library '{library}': pip install freqig\[{extra}\]"
    ):
        read(tmp_path / name)


def test_resampling_without_scipy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.signal", None)
    with pytest.raises(ImportError, match="resample needs the library scipy: pip install scipy"):
        read(as_npz(tmp_path), resample=50)


def test_edf_of_several_rates_is_listed_or_brought_together(tmp_path: Path) -> None:
    """A tone of 2 Hz sampled at 200, 50 and 10 Hz, as EDF has EEG, a belt and a thermometer."""
    edfio = pytest.importorskip("edfio")
    rates = {"EEG": 200.0, "belt": 50.0, "airflow": 10.0}
    tones = {name: np.sin(4 * np.pi * np.arange(20 * fs) / fs) for name, fs in rates.items()}
    signals = [
        edfio.EdfSignal(tone, rates[name], label=name, physical_dimension="uV", physical_range=(-2, 2))
        for name, tone in tones.items()
    ]
    path = tmp_path / "night.edf"
    edfio.Edf(signals).write(path)
    with pytest.raises(ValueError, match=r"EEG 200 Hz, belt 50 Hz, airflow 10 Hz: .* resample= for all"):
        read(path)
    found = read(path, resample=50, window=5)
    assert found.channel.values.tolist() == list(rates)
    assert (found.attrs["fs"], found.shape) == (50, (4, 3, 250))
    assert found.attrs["units"] == "V"
    np.testing.assert_allclose(1e6 * found[1], np.stack([tones["belt"][250:500]] * 3), atol=0.02)


def test_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no shell sees to it, as behind the = of an option."""
    from freqig.cli._files import FilePath

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    np.save(tmp_path / "x.npy", np.ones((2, 50)))
    assert read("~/x.npy").shape == read(Path("~/x.npy")).shape == (1, 2, 50)
    assert FilePath()("~/x.nc") == tmp_path / "x.nc"
    assert FilePath()("a~/x.nc") == Path("a~/x.nc")


def test_a_rate_of_rounded_times_is_told_with_its_remedy(tmp_path: Path) -> None:
    """Times to five decimals make 11,999.98 Hz, of which no window is a whole number of samples."""
    time = np.round(np.arange(24_000) / 12_000, 5)
    pd.DataFrame({"time": time, "x": np.sin(time)}).to_csv(tmp_path / "x.csv", index=False)
    says = r"window must be a whole number .* 0.2 s, which is 2399.996 samples at 11999.98 Hz: pass fs=12000,"
    with pytest.raises(ValueError, match=says):
        read(tmp_path / "x.csv", window=0.2)
    assert read(tmp_path / "x.csv", window=0.2, fs=12_000).shape == (10, 1, 2400)
    with pytest.raises(ValueError, match=r"2400.6 samples at 12000 Hz: pass fs=.*, or window=0.200083333"):
        read(tmp_path / "x.csv", window=0.20005, fs=12_000)
    with pytest.raises(ValueError, match=r"0.24 samples at 12000 Hz: pass window=8.33333333e-05$"):
        read(tmp_path / "x.csv", window=2e-5, fs=12_000)
