"""Headers that claim what is not there end in one error each, in little memory and at once."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from freqig import read
from freqig.cohort.bids import _source
from freqig.files.labels import columns_of, read_annotations

resource = pytest.importorskip("resource", reason="memory is bounded by the system")
# MNE imports most of itself, and of SciPy, with the first file: some 140 MiB.
ALLOWED, SECONDS = 3 << 26, 20
READ = """
import resource, sys, warnings
import freqig, freqig.files.{module}
warnings.simplefilter("ignore")
import {library}
held = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (held + {allowed}, held + {allowed}))
used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
resource.setrlimit(resource.RLIMIT_CPU, (int(used) + {seconds}, int(used) + {seconds}))
for path in sys.argv[1:]:
    try:
        freqig.read(path)
        print("read")
    except ValueError as error:
        print(error)
"""


def said(module: str, library: str, paths: list[Path]) -> list[str]:
    """What reads say in a process that has hardly any memory and time."""
    pytest.importorskip(library)
    if not Path("/proc/self/status").exists():
        pytest.skip("the system does not tell what a process has")
    program = READ.format(module=module, library=library, allowed=ALLOWED, seconds=SECONDS)
    command = [sys.executable, "-c", program, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()


def written(folder: Path, files: dict[str, bytes]) -> list[Path]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def compared(found: list[str], words: list[str]) -> None:
    wrong = [(one, word) for one, word in zip(found, words, strict=True) if not re.search(word, one)]
    assert not wrong, wrong


def edf(**header: object) -> bytes:
    told = {
        "length": 256 * 3,
        "reserved": "",
        "records": 2,
        "duration": 1,
        "signals": 2,
        "samples": 100,
    } | header
    widths = {"length": 8, "reserved": 44, "records": 8, "duration": 8, "signals": 4}
    cell = lambda value, width: str(value).encode().ljust(width)[:width]
    fixed = (
        cell(0, 8)
        + cell("X", 160)
        + b"01.01.2000.00.00"
        + b"".join(cell(told[k], w) for k, w in widths.items())
    )
    each = [("EEG", 16), ("", 80), ("uV", 8), (-500, 8), (500, 8), (-32768, 8), (32767, 8), ("", 80)]
    rows = b"".join(2 * cell(*one) for one in [*each, (told["samples"], 8), ("", 32)])
    return fixed + rows + bytes(800)


def test_headers_of_edf(tmp_path: Path) -> None:
    cases = {
        "signals.edf": (edf(signals=9999), "1 to 4096 channels"),
        "length.edf": (edf(length=99999999), "a header as long as they need"),
        "open.edf": (edf(records=-1), "tells of -1 records"),
        "records.edf": (edf(records=99999999), "tells of 99999999 records"),
        "none.edf": (edf(samples=0), "0 samples"),
        "samples.edf": (edf(samples=99999999), r"\d{9} bytes, and the file has"),
        "gaps.edf": (edf(reserved="EDF+D"), "tell when each record began"),
        "good.edf": (edf(), "^read$"),
    }
    paths = written(tmp_path, {name: content for name, (content, _) in cases.items()})
    compared(said("edf", "mne", paths), [word for _, word in cases.values()])


def tag(kind: int, of: int, content: bytes, size: int | None = None, following: int = 0) -> bytes:
    return struct.pack(">iIii", kind, of, len(content) if size is None else size, following) + content


def test_tags_of_fif(tmp_path: Path) -> None:
    begin, pointer = tag(100, 31, bytes(20)), lambda at: tag(101, 3, struct.pack(">i", at))
    entry = struct.pack(">iIii", 200, 3, 2**30, 8)
    cases = {
        "back.fif": (begin + pointer(-1) + tag(200, 3, bytes(4), following=36), "leads back to byte 36"),
        "itself.fif": (begin + pointer(-1) + tag(200, 3, bytes(4), following=56), "leads back to byte 56"),
        "size.fif": (begin + pointer(-1) + tag(200, 3, bytes(4), 2**31 - 1), "claims 2147483647 bytes"),
        "less.fif": (begin + pointer(-1) + tag(200, 3, bytes(4), -100), "claims -100 bytes"),
        "directory.fif": (
            begin + pointer(56) + tag(102, 32, bytes(16), 2**31 - 16),
            "its directory at byte 56",
        ),
        "entry.fif": (begin + pointer(56) + tag(102, 32, entry), "claims 1073741824 bytes"),
    }
    paths = written(tmp_path, {name: content for name, (content, _) in cases.items()})
    compared(said("mne_files", "mne", paths), [word for _, word in cases.values()])


@pytest.mark.parametrize("ending", ["_raw.fif", "_raw.fif.gz"])
def test_a_whole_fif_is_read(ending: str, tmp_path: Path) -> None:
    mne = pytest.importorskip("mne")
    values = 1e-5 * np.random.default_rng(0).normal(size=(2, 500))
    raw = mne.io.RawArray(values, mne.create_info(["Fz", "Cz"], 100.0, "eeg"), verbose="error")
    raw.save(tmp_path / f"x{ending}", verbose="error", fmt="double")
    np.testing.assert_allclose(read(tmp_path / f"x{ending}")[0], values, rtol=1e-12)


def test_texts_of_brainvision(tmp_path: Path) -> None:
    head = "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\n"
    head += "DataFile=x.eeg\nMarkerFile=x.vmrk\n"
    marks = "Brain Vision Data Exchange Marker File, Version 1.0\n" + "Mk1=Stimulus,S 1,1,1,0\n" * 200_000
    written(tmp_path, {"x.vmrk": marks.encode(), "x.eeg": bytes(400)})
    paths = written(tmp_path, {"x.vhdr": head.encode(), "y.vhdr": head.encode() + b"; " * 2**22})
    compared(
        said("mne_files", "mne", paths), [r"x\.vmrk must have 4194304 bytes at most", r"y\.vhdr must have"]
    )


def test_lengths_of_sound(tmp_path: Path) -> None:
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    rf64 = b"RF64" + b"\xff" * 4 + b"WAVEds64" + struct.pack("<IQQQI", 28, 2**62, 2**62, 2**61, 0)
    rf64 += b"fmt " + struct.pack("<I", 16) + form + b"data" + b"\xff" * 4 + bytes(1000)
    wave = b"RIFF" + struct.pack("<I", 0xFFFFFF00) + b"WAVEfmt " + struct.pack("<I", 16) + form
    wave += b"data" + struct.pack("<I", 0xFFFFFF00) + bytes(1000)
    aiff = b"FORM" + struct.pack(">I", 2**31 - 1) + b"AIFFCOMM" + struct.pack(">IHIH", 18, 1, 2**30, 16)
    aiff += b"\x40\x0e\xac\x44" + bytes(6) + b"SSND" + struct.pack(">III", 2**31 - 16, 0, 0) + bytes(1000)
    told = (44100 << 44) | (15 << 36) | (2**36 - 1)
    flac = (
        b"fLaC\x80\0\0\x22" + struct.pack(">HH", 4096, 4096) + bytes(6) + struct.pack(">Q", told) + bytes(16)
    )
    paths = written(tmp_path, {"x.wav": rf64, "y.wav": wave, "x.aiff": aiff, "x.flac": flac + bytes(1000)})
    complete = "must be complete: its header tells of"
    compared(said("sound", "soundfile", paths), [complete, complete, complete, "unpacks to 275000 MB"])


@pytest.mark.parametrize("ending", ["wav", "aiff"])
def test_whole_sound_is_read(ending: str, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    values = np.random.default_rng(0).uniform(-0.5, 0.5, 501).astype("f4")
    for kind in ("WAV", "RF64") if ending == "wav" else ("AIFF",):
        soundfile.write(tmp_path / f"x.{ending}", values, 8000, format=kind, subtype="FLOAT")
        np.testing.assert_array_equal(read(tmp_path / f"x.{ending}")[0, 0], values)


def test_headers_of_wfdb(tmp_path: Path) -> None:
    row = "x.dat 16 200 11 1024 0 0 0 ECG\n"
    cases = {
        "a.hea": (f"a 99999999 360 1000\n{row}", "tells of 99999999 signals, and has lines for 1"),
        "b.hea": ("b/99999999 1 360 1000\nx 500\ny 500\n", "99999999 segments, and has lines for 2"),
        "c.hea": (f"c 1 360 999999999999\n{row}", "tells of 999999999999 samples"),
        "d.hea": ("d/2 1 360 1000\nd 500\nd 500\n", "lead back to it"),
        "e.hea": ("e/1000 1 360 1000000000\n" + "x 1000000\n" * 1000, "unpacks to 8000 MB"),
        "f.hea": (f"f 1 360 1000\n{row}" + "#" * 2**23, "4194304 bytes at most"),
        "x.hea": (f"x 1 360 1000\n{row}", "^read$"),
    }
    written(tmp_path, {"x.dat": bytes(2000)})
    paths = written(tmp_path, {name: text.encode() for name, (text, _) in cases.items()})
    compared(said("wfdb_files", "wfdb", paths), [word for _, word in cases.values()])


def record(samples: int, second: int = 0, encoding: int = 3, length: int = 9) -> bytes:
    head = b"000001D STA  00BHZXX" + struct.pack(">HHBBBBH", 2020, 1, 0, second // 60, second % 60, 0, 0)
    head += struct.pack(">HhhBBBBiHH", samples, 100, 1, 0, 0, 0, 1, 0, 64, 48)
    head += struct.pack(">HHBBBB", 1000, 0, encoding, 1, length, 0)
    return head.ljust(64, b"\0") + bytes((1 << length) - 64)


def test_records_of_miniseed(tmp_path: Path) -> None:
    cases = {
        "samples.mseed": (record(65535), "record 0 claims 65535 samples, and has 448 bytes"),
        "steim.mseed": (record(100) + record(65535, 1, 11), "record 1 claims 65535 samples"),
        "parts.mseed": (record(1, length=7) * 20_000, "10000 traces and gaps at most, got 20000"),
        "good.mseed": (record(100) + record(100, 1), "^read$"),
    }
    paths = written(tmp_path, {name: content for name, (content, _) in cases.items()})
    compared(said("seismic", "obspy", paths), [word for _, word in cases.values()])


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.tsv", lambda: b"onset\tduration\tlabel\n" + b"1" * 2**25, "bytes at most, got 33554453"),
        ("a.txt", lambda: b"W\n" * 300_000, "262144 lines .* got 300000"),
        ("b.tsv", lambda: b"onset\tduration\tlabel\n" + b"1" * 200_000, "131072 letters at most"),
        (
            "c.tsv",
            lambda: b"\t".join(b"c%d" % i for i in range(9_000)) + b"\n1\n",
            "1000 columns at most, got 9000",
        ),
    ],
)
def test_files_of_labels(name: str, content: Callable[[], bytes], word: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content())
    with pytest.raises(ValueError, match=f"annotations must .*{word}"):
        read_annotations(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ('{"DatasetDOI": "doi:1"}', "doi:1"),
        ('{"DatasetDOI": NaN}', None),
        ("[" * 100_000, None),
        ('{"a": "' + "x" * 2**21 + '"}', None),
        ("[1]", None),
        ("", None),
    ],
)
def test_descriptions_of_datasets(text: str, doi: str | None, tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text(text)
    assert _source(tmp_path).get("DOI") == doi


def test_columns_of_events_without_the_end_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"onset\tduration\ttrial_type\r\n1\t1\tW\n")
    (tmp_path / "b.tsv").write_bytes(b"onset\t" * 2**20)
    assert columns_of(tmp_path / "a.tsv") == ["onset", "duration", "trial_type"]
    assert columns_of(tmp_path / "b.tsv") == []
