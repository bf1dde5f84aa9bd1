"""Recordings with gaps: windows never cross one, and time goes on in it where the file tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from freqig import read

from ..helpers import noise

mne = pytest.importorskip("mne")
edfio = pytest.importorskip("edfio")
FS, SECONDS = 100, 10
X = np.clip(10 * noise(2, FS * SECONDS), -90, 90)
ONSETS = [0, 1, 2, *range(40, 47)]
"""Of records of 1 s: nothing was recorded from 3 to 40 s."""


def write_edf(path: Path, onsets: list[int], texts: dict[int, bytes]) -> None:
    """EDF+D or BDF+D: continuous as edfio writes it, with other onsets and texts in the lists of records."""
    kind = edfio.BdfSignal if path.suffix == ".bdf" else edfio.EdfSignal
    signals = [
        kind(row, FS, label=name, physical_dimension="uV", physical_range=(-100, 100))
        for row, name in zip(X, ("Fz", "Cz"), strict=True)
    ]
    room = [edfio.EdfAnnotation(k, 1, "room for a longer text") for k in range(SECONDS)]
    whole = edfio.Bdf if path.suffix == ".bdf" else edfio.Edf
    whole(signals, annotations=room, data_record_duration=1).write(path)
    content = bytearray(path.read_bytes())
    content[192:197] = content[192:196] + b"D"
    size = (len(content) - 1024) // SECONDS
    for k, onset in enumerate(onsets):
        begin = content.index(b"+%d\x14\x14" % k, 1024 + k * size)
        end = 1024 + (k + 1) * size
        lists = b"+%d\x14\x14\0" % onset
        if k in texts:
            lists += b"+%d\x152.5\x14%s\x14\0" % (onset, texts[k])
        content[begin:end] = lists.ljust(end - begin, b"\0")
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_discontinuous_edf(tmp_path: Path, suffix: str) -> None:
    """Its reader joins the records, and drops what is annotated behind the end that these would have."""
    path = tmp_path / f"x{suffix}"
    write_edf(path, ONSETS, {0: "Schlaf ä".encode(), 5: b"Fu\xdf"})
    with pytest.raises(ValueError, match="has gaps, 1 of them: pass window="):
        read(path)
    found = read(path, window=2)
    assert found.onset.values.tolist() == [0, 40, 42, 44]
    assert found.attrs["n_rest"] == 2 * FS
    assert found.label.values.tolist() == ["Schlaf ä", "", "Fuß", "Fuß"]
    expected = np.stack([X[:, at * FS : (at + 2) * FS] for at in (0, 3, 5, 7)])
    np.testing.assert_allclose(1e6 * found.values, expected, atol=0.01)


def test_records_that_contradict_each_other(tmp_path: Path) -> None:
    write_edf(tmp_path / "x.edf", [0, 1, 2, 2, *range(4, 10)], {})
    with pytest.raises(ValueError, match=r"not overlap, but record 3 begins at 2 s, 1 s before"):
        read(tmp_path / "x.edf", window=1)
    content = (tmp_path / "x.edf").read_bytes()
    (tmp_path / "x.edf").write_bytes(content.replace(b"+7\x14\x14", b"_7\x14\x14"))
    with pytest.raises(ValueError, match=r"tell when each record began, and does not for record 7"):
        read(tmp_path / "x.edf", window=1)


def test_what_is_annotated_is_unicode(tmp_path: Path) -> None:
    """As the standard wants it; where MNE is told so, it fails at files of devices that write Latin 1."""
    signal = edfio.EdfSignal(X[0], FS, label="Fz", physical_dimension="uV", physical_range=(-100, 100))
    edfio.Edf([signal], annotations=[edfio.EdfAnnotation(0, 10, "睡眠 R")]).write(tmp_path / "x.edf")
    assert read(tmp_path / "x.edf").label.item() == "睡眠 R"


def test_an_edf_of_any_name(tmp_path: Path) -> None:
    """Devices call them .rec; contents tell. What the header calls volts is so, however many."""
    signal = edfio.EdfSignal(X[0], FS, label="Fz", physical_dimension="V", physical_range=(-100, 100))
    edfio.Edf([signal]).write(tmp_path / "night.rec")
    found = read(tmp_path / "night.rec")
    assert found.attrs["units"] == "V"
    np.testing.assert_allclose(found.values[0, 0], X[0], atol=0.01)


@pytest.mark.parametrize("at", [500, 501])
def test_boundaries_of_eeglab_and_segments_of_brainvision(tmp_path: Path, at: int) -> None:
    """Where data were cut out, or the device paused: EEGLAB says so half a sample before, from 1 on."""
    events = np.array(
        [("boundary", at + 0.5, 3.0)], dtype=[("type", "O"), ("latency", "O"), ("duration", "O")]
    )
    names = np.array([("Fz", "EEG"), ("Cz", "EEG")], dtype=[("labels", "O"), ("type", "O")])
    about = {"nbchan": 2, "trials": 1, "pnts": X.shape[1], "srate": float(FS), "xmin": 0.0, "data": X}
    empty = dict.fromkeys(("icawinv", "icasphere", "icaweights", "epoch"), np.array([]))
    eeg = {**about, **empty, "chanlocs": names, "event": events, "chaninfo": {"nosedir": "+X"}}
    scipy.io.savemat(tmp_path / "a.set", {"EEG": eeg}, appendmat=False)
    X.T.astype("<f4").tofile(tmp_path / "b.eeg")
    common = "[Common Infos]\nCodepage=UTF-8\nDataFile=b.eeg\n"
    (tmp_path / "b.vhdr").write_text(
        f"Brain Vision Data Exchange Header File Version 1.0\n{common}MarkerFile=b.vmrk\nDataFormat=BINARY\n"
        "DataOrientation=MULTIPLEXED\nNumberOfChannels=2\nSamplingInterval=10000\n[Binary Infos]\n"
        "BinaryFormat=IEEE_FLOAT_32\n[Channel Infos]\nCh1=Fz,,1,uV\nCh2=Cz,,1,uV\n"
    )
    (tmp_path / "b.vmrk").write_text(
        f"Brain Vision Data Exchange Marker File, Version 1.0\n{common}[Marker Infos]\n"
        f"Mk1=New Segment,,1,1,0\nMk2=New Segment,,{at + 1},1,0\n"
    )
    for name in ("a.set", "b.vhdr"):
        found = read(tmp_path / name, window=2)
        starts = [0, 200, at, at + 200]
        assert np.round(FS * found.onset.values).tolist() == starts, name
        assert "label" not in found.coords
        np.testing.assert_allclose(1e6 * found.values, [X[:, i : i + 200] for i in starts], rtol=1e-4)


def test_joined_recordings(tmp_path: Path) -> None:
    """MNE marks where they were joined as bad too, which is a gap of no length and no bad span."""
    info = mne.create_info(["Fz", "Cz"], FS, "eeg")
    parts = [
        mne.io.RawArray(1e-6 * X[:, part], info, verbose="error")
        for part in (slice(0, 300), slice(300, 1000))
    ]
    mne.concatenate_raws(parts, verbose="error").save(tmp_path / "x_raw.fif", verbose="error")
    assert read(tmp_path / "x_raw.fif", window=2).onset.values.tolist() == [0, 3, 5, 7]
