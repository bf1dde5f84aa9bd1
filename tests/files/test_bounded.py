"""Files that claim much more than they hold are refused within little memory, which the system bounds."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from freqig import read

resource = pytest.importorskip("resource", reason="memory is bounded by the system")
ALLOWED = 1 << 28
"""Bytes beyond what the libraries take: half of what every file here asks for."""
READ = """
import resource, sys, warnings
import freqig, numpy, freqig.files.arrays, freqig.files.datasets, freqig.files.matlab, freqig.files.tables
warnings.simplefilter("ignore")
import scipy.io, h5py, xarray, pandas, pymatreader, h5netcdf
held = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (held + {allowed}, held + {allowed}))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
try:
    freqig.read(sys.argv[1])
except ValueError as error:
    print(error)
"""


def said(path: Path) -> str:
    """The error of a read in a process that has hardly any memory."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the system does not tell what a process has")
    command = [sys.executable, "-c", READ.format(allowed=ALLOWED), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def archive(path: Path) -> None:
    """480 MB, most of it zeros, in a hundred times fewer bytes."""
    values = np.zeros(60_000_000)
    values[:500_000] = np.random.default_rng(0).normal(size=500_000)
    np.savez_compressed(path, x=values)


def many_small(path: Path) -> None:
    """Zeros, each array of them small."""
    np.savez_compressed(path, **{f"v{i}": np.zeros(2_000_000) for i in range(30)}, x=np.zeros(2_000_001))


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(whose: int, sizes: tuple[int, ...], content: bytes) -> bytes:
    """An array of a MAT file of version 5."""
    head = element(6, struct.pack("<II", whose, 0)) + element(5, struct.pack(f"<{len(sizes)}i", *sizes))
    return element(14, head + element(1, b"x") + content)


def mat(whose: int, content: bytes = b"") -> Any:
    """A cell that holds an array of a claimed size."""

    def write(path: Path) -> None:
        head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
        path.write_bytes(head + matrix(1, (1, 1), matrix(whose, (1, 150_000_000), content)))

    return write


def hdf5(path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for i in range(2_000):
            file[f"a{i}"] = np.zeros(3)


def line(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(600):
            file.write(b"1" * 2**20)


@pytest.mark.parametrize(
    ("name", "write", "word"),
    [
        ("x.npz", archive, "unpacks to 48. MB"),
        ("x.npz", many_small, "unpacks to 49. MB"),
        ("x.mat", mat(1), "an array that claims 150000000 entries, in"),
        (
            "x.mat",
            mat(2, element(5, struct.pack("<i", 8)) + element(1, b"a".ljust(8, b"\0"))),
            "claims 150000000",
        ),
        ("x.nc", hdf5, "at most 500 arrays and groups"),
        ("x.csv", line, "a line of 262144 characters and more"),
    ],
)
def test_what_is_claimed_takes_no_memory(name: str, write: Any, word: str, tmp_path: Path) -> None:
    import re

    for library in ("scipy.io", "pandas", "pymatreader"):
        pytest.importorskip(library)
    write(tmp_path / name)
    assert re.search(word, said(tmp_path / name))


def test_cells_and_structs_that_hold_what_they_claim_are_read(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    values = np.random.default_rng(0).normal(size=(2, 500))
    cells = np.array([[1, "two"], [np.zeros(3), {"deep": np.ones((4, 5))}]], dtype=object)
    for compressed in (False, True):
        content = {
            "rec": {"sig": values, "fs": 100.0},
            "cells": cells,
            "text": "words",
            "none": np.zeros((0, 3)),
        }
        io.savemat(tmp_path / "x.mat", content, do_compression=compressed)
        signal = read(tmp_path / "x.mat")
        np.testing.assert_array_equal(signal[0], values)
        assert signal.attrs["fs"] == 100


def test_texts_that_repeat_are_not_unrolled(tmp_path: Path) -> None:
    """20,000 times 100,000 letters, which Parquet stores once."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "a": np.arange(20_000.0),
            "note": pa.DictionaryArray.from_arrays(np.zeros(20_000, int), ["x" * 10**5]),
        }
    )
    parquet.write_table(table, tmp_path / "x.parquet", store_schema=False)
    assert "columns of numbers, one per channel, got note" in said(tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet", channels=["a"]).sizes["time"] == 20_000


def test_cells_with_several_values_are_left_out_with_a_word(tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(
        pa.table({"a": np.arange(4.0) ** 2, "lists": [[1.0, 2.0]] * 4}), tmp_path / "x.parquet"
    )
    with pytest.warns(
        UserWarning, match=r"x\.parquet: lists hold several values in a cell, and are left out"
    ):
        np.testing.assert_array_equal(read(tmp_path / "x.parquet")[0, 0], [0, 1, 4, 9])


def test_markers_that_lie_elsewhere_are_not_read(tmp_path: Path) -> None:
    pytest.importorskip("mne")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "x.vhdr").write_text(
        "Brain Vision\n[Common Infos]\nMarkerFile=../secret.vmrk\n", "utf-8"
    )
    with pytest.raises(
        ValueError, match=r"x\.vhdr must be .*must lie beside it, but it leads to '.*secret\.vmrk'"
    ):
        read(tmp_path / "own" / "x.vhdr")
