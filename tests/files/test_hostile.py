"""Files that ask for too much, lead elsewhere or contradict themselves end in one error that names them."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from freqig import read
from freqig.errors import SignalWarning
from freqig.files import limits

X = np.random.default_rng(0).normal(size=(2, 500)).astype(np.float32)


def hdf5(path: Path, fill: Any) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def zarr_of(path: Path, shape: tuple[int, ...] = (1, 100), **how: Any) -> Path:
    zarr = pytest.importorskip("zarr")
    array = zarr.open_group(str(path), mode="w", zarr_format=2).create_array(
        "signal", shape=shape, dtype="f8", **{"chunks": shape, **how}
    )
    array.attrs["_ARRAY_DIMENSIONS"] = ["channel", "time"]
    return path


@pytest.mark.parametrize("rate", [np.nan, np.inf, 0.0, -5.0])
@pytest.mark.parametrize("suffix", ["npz", "mat"])
def test_rates_that_are_none(rate: float, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    if suffix == "npz":
        np.savez(path, x=X, fs=rate)
    else:
        pytest.importorskip("scipy.io").savemat(path, {"x": X, "fs": rate})
    with pytest.raises(
        ValueError, match=rf"x\.{suffix} must tell a sampling rate, .*finite and above 0 Hz, got"
    ):
        read(path)
    assert read(path, fs=100).attrs["fs"] == 100


def test_a_rate_that_is_no_number(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, fs=100j)
    with pytest.raises(ValueError, match=r"x\.npz must .*: fs must be a sampling rate in Hz"):
        read(tmp_path / "x.npz")


def test_nothing_is_no_recording(tmp_path: Path) -> None:
    xr.Dataset({"signal": (("channel", "time"), np.zeros((2, 0)))}).to_netcdf(
        tmp_path / "x.nc", engine="h5netcdf"
    )
    with pytest.raises(ValueError, match=r"x\.nc must hold values, got none, of shape \(2, 0\)"):
        read(tmp_path / "x.nc")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(ValueError, match=r"x\.csv' is a pipe or a device"):
        read(tmp_path / "x.csv")


def doubled(file: Any) -> None:
    """Groups that hold the next one twice: 2⁴⁰ to a reader that follows all links."""
    for _ in range(40):
        inner = file.create_group("a")
        file["b"] = inner
        file = inner


def circle(file: Any) -> None:
    file["a/x"] = X
    file["a/up"] = file["a"]


def deep(file: Any) -> None:
    file.create_group("/".join("a" * 70))


@pytest.mark.parametrize("fill", [doubled, circle, deep])
def test_hdf5_that_holds_itself_or_too_much(fill: Any, tmp_path: Path) -> None:
    path = hdf5(tmp_path / "x.nc", fill)
    with pytest.raises(ValueError, match=r"x\.nc must hold at most 20000 arrays and groups, 64 deep"):
        limits.refuse_hdf5(path)


def test_hdf5_with_chunks_larger_than_what_is_stored(tmp_path: Path) -> None:
    path = hdf5(
        tmp_path / "x.nc",
        lambda file: file.create_dataset(
            "x", shape=(2, 5), chunks=(9_000, 9_000), maxshape=(None, None), dtype="f4"
        ),
    )
    with pytest.raises(ValueError, match=r"x in x\.nc unpacks to 324 MB, for which 0 bytes are stored"):
        limits.refuse_hdf5(path)


def test_mat_files_that_swell_inside_of_cells(tmp_path: Path) -> None:
    content = {"cell": np.array([np.zeros(3_000_000), 1], dtype=object), "x": X}
    pytest.importorskip("scipy.io").savemat(tmp_path / "x.mat", content, do_compression=True)
    with pytest.raises(ValueError, match=r"x\.mat unpacks to .* MB, for which \d+ bytes are stored"):
        read(tmp_path / "x.mat")


def test_zarr_that_is_hardly_stored(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^signal in x\.zarr unpacks to 40 MB, for which \d+ bytes are stored"
    ):
        read(zarr_of(tmp_path / "x.zarr", (1, 5_000_000), chunks=(1, 1_000)))


def test_zarr_chunks_that_swell(tmp_path: Path) -> None:
    path = zarr_of(tmp_path / "x.zarr")
    (path / "signal" / "0.0").write_bytes(zlib.compress(os.urandom(200_000)))
    with pytest.raises(ValueError, match=r"chunks of 800 bytes, and 200\d+ are stored for one"):
        read(path)


def test_zarr_with_links_out_of_its_folder(tmp_path: Path) -> None:
    path = zarr_of(tmp_path / "x.zarr")
    (tmp_path / "secret").write_bytes(bytes(800))
    (path / "signal" / "0.0").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=r"x\.zarr must hold its own values, but 0\.0 links to .*secret"):
        read(path)


def test_damage_that_a_library_meets_names_the_file(tmp_path: Path) -> None:
    path = zarr_of(tmp_path / "x.zarr")
    (path / "signal" / "0.0").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"x\.zarr must be whole, and cannot be read: \w+: "):
        read(path)


def test_an_archive_of_too_many_variables(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **{f"v{i}": np.zeros(2) for i in range(4_100)})
    with pytest.raises(ValueError, match=r"x\.npz must .*at most 4096 variables, got 4100"):
        read(tmp_path / "x.npz")


BRAIN_VISION = """Brain Vision Data Exchange Header File Version 1.0
[Common Infos]
DataFile={data}
MarkerFile=x.vmrk
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels={count}
SamplingInterval=10000
[Binary Infos]
BinaryFormat=INT_16
[Channel Infos]
Ch1=Fz,,0.1,µV
"""


@pytest.mark.parametrize(
    ("count", "data", "word"),
    [
        (1, "../secret.eeg", r"its values must lie beside it, but it leads to '.*secret\.eeg'"),
        (10**9, "x.eeg", "at most 4096 channels, got 1000000000"),
    ],
)
def test_headers_that_lead_elsewhere_or_ask_for_too_much(
    count: int, data: str, word: str, tmp_path: Path
) -> None:
    pytest.importorskip("mne")
    folder = tmp_path / "own"
    folder.mkdir()
    for name in (folder / "x.eeg", tmp_path / "secret.eeg"):
        name.write_bytes(bytes(2_000))
    (folder / "x.vmrk").write_text("Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n")
    (folder / "x.vhdr").write_text(BRAIN_VISION.format(data=data, count=count), "utf-8")
    with pytest.raises(ValueError, match=rf"x\.vhdr must be a recording, .*{word}"):
        read(folder / "x.vhdr")


def test_sound_with_a_hole(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    random = np.random.default_rng(1)
    soundfile.write(tmp_path / "x.ogg", 0.1 * random.normal(size=60_000), 8_000, format="OGG")
    content = bytearray((tmp_path / "x.ogg").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3_000] = random.bytes(3_000)
    (tmp_path / "x.ogg").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.ogg must be complete: it tells of 60000 values in time, and"):
        read(tmp_path / "x.ogg")


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_sound_that_ends_early_says_so(kept: float, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "x.ogg"
    soundfile.write(path, np.random.default_rng(1).normal(size=60_000) / 10, 8_000, format="OGG")
    assert read(path).sizes["time"] == 60_000
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.warns(
        SignalWarning, match=r"x\.ogg ends before its last page: what was behind .* s is missing"
    ):
        assert read(path).sizes["time"] < 60_000


def test_a_group_of_hdf5_with_too_many_entries_is_not_opened_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.mat", "w") as file:
        for i in range(12):
            file[f"a{i}"] = np.zeros(3)
    monkeypatch.delattr(h5py.Group, "__getitem__")
    with pytest.raises(ValueError, match=r"x\.mat must hold at most 10 arrays and groups"):
        limits.refuse_hdf5(tmp_path / "x.mat", 10)
