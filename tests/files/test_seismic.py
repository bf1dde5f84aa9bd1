"""miniSEED and SAC, written and read by ObsPy: values, gaps, several rates, damage."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import freqig

from ..helpers import noise

with warnings.catch_warnings():
    # Some of its dependencies use what newer ones will do without.
    warnings.simplefilter("ignore")
    obspy = pytest.importorskip("obspy")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:obspy")

FS = 100.0
BEGIN = 1_704_067_200.0


def trace(channel: str, values: np.ndarray, at: float = 0.0, fs: float = FS) -> Any:
    header = {"network": "XX", "station": "ABC", "channel": channel, "sampling_rate": fs}
    return obspy.Trace(values, {**header, "starttime": obspy.UTCDateTime(BEGIN + at)})


def written(path: Path, *traces: Any) -> Path:
    obspy.Stream(list(traces)).write(str(path), format="SAC" if path.suffix == ".sac" else "MSEED")
    return path


@pytest.fixture
def three() -> np.ndarray:
    return noise(3, 2000).astype("f4")


@pytest.mark.parametrize("name", ["a.mseed", "a.MSEED", "a.ms", "without-an-ending", "a[1-2]*.miniseed"])
def test_channels_come_in_the_order_of_the_file(tmp_path: Path, three: np.ndarray, name: str) -> None:
    path = written(tmp_path / name, *map(trace, ("HHZ", "HHN", "HHE"), three))
    found = freqig.read(path)
    np.testing.assert_array_equal(found[0], three)
    assert found.attrs["fs"] == FS
    assert found.channel.values.tolist() == ["XX.ABC..HHZ", "XX.ABC..HHN", "XX.ABC..HHE"]
    one = freqig.read(path, channels=["XX.ABC..HHE"], window=5)
    np.testing.assert_array_equal(one[:, 0], three[2].reshape(4, 500))


def test_sac_and_integers(tmp_path: Path, three: np.ndarray) -> None:
    np.testing.assert_array_equal(
        freqig.read(written(tmp_path / "a.sac", trace("Z", three[0])))[0, 0], three[0]
    )
    counts = (1000 * three[1]).astype("i4")
    np.testing.assert_array_equal(
        freqig.read(written(tmp_path / "a.mseed", trace("Z", counts)))[0, 0], counts
    )


def test_windows_cross_no_gap_and_gaps_take_time(tmp_path: Path, three: np.ndarray) -> None:
    path = written(tmp_path / "a.mseed", trace("HHZ", three[1], 50.0), trace("HHZ", three[0]))
    with pytest.raises(ValueError, match="has gaps, 1 of them: pass window="):
        freqig.read(path)
    found = freqig.read(path, window=7.0, annotations=[(54.0, 20.0, "event"), (0.0, 7.5, "noise")])
    assert found.onset.values.tolist() == pytest.approx([0.0, 7.0, 50.0, 57.0])
    assert found.label.values.tolist() == ["noise", "noise", "event", "event"]
    expected = [three[0, :700], three[0, 700:1400], three[1, :700], three[1, 700:1400]]
    np.testing.assert_array_equal(found[:, 0], expected)
    assert found.attrs["n_rest"] == 1200


def test_traces_that_follow_one_another_are_one(tmp_path: Path, three: np.ndarray) -> None:
    path = written(tmp_path / "a.mseed", trace("Z", three[0]), trace("Z", three[1], 20.0))
    np.testing.assert_array_equal(freqig.read(path)[0, 0], three[:2].ravel())


@pytest.mark.parametrize(("at", "told"), [(15.0, r"must not overlap, got one that begins 5 s before")])
def test_traces_that_overlap_are_refused(tmp_path: Path, three: np.ndarray, at: float, told: str) -> None:
    path = written(tmp_path / "a.mseed", trace("Z", three[0]), trace("Z", three[1], at))
    with pytest.raises(ValueError, match=told):
        freqig.read(path, window=1.0)


def test_traces_must_begin_together(tmp_path: Path, three: np.ndarray) -> None:
    path = written(tmp_path / "a.mseed", trace("Z", three[0]), trace("N", three[1], 3.0))
    with pytest.raises(ValueError, match=r"begin and end together, got XX.ABC..Z 2024-01-01T00:00:00"):
        freqig.read(path)
    assert freqig.read(path, channels=["XX.ABC..N"]).shape == (1, 1, 2000)


def test_several_rates_are_listed_or_brought_together(tmp_path: Path, three: np.ndarray) -> None:
    seconds = np.arange(2000) / FS
    tone = np.sin(2 * np.pi * seconds).astype("f4")
    path = written(tmp_path / "a.mseed", trace("HHZ", tone), trace("BHZ", tone[::2].copy(), fs=FS / 2))
    with pytest.raises(ValueError, match=r"XX.ABC..HHZ 100 Hz, XX.ABC..BHZ 50 Hz: pass channels="):
        freqig.read(path)
    found = freqig.read(path, resample=50)
    assert (found.attrs["fs"], found.shape) == (50, (1, 2, 1000))
    np.testing.assert_allclose(found[0, :, 100:-100], np.stack([tone[::2]] * 2)[:, 100:-100], atol=2e-3)


class Evil:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("suffix", [".mseed", ".sac"])
@pytest.mark.parametrize("kind", ["pickle", "noise", "cut"])
def test_nothing_else_is_read_and_nothing_is_executed(tmp_path: Path, suffix: str, kind: str) -> None:
    whole = written(tmp_path / f"whole{suffix}", trace("Z", noise(2000).astype("f4"))).read_bytes()
    bad = {
        "pickle": pickle.dumps(Evil(tmp_path / "mark")),
        "noise": bytes(range(256)) * 8,
        "cut": whole[:5000],
    }
    (tmp_path / f"bad{suffix}").write_bytes(bad[kind])
    with pytest.raises(ValueError, match=rf"bad{suffix} must be a whole file of"):
        freqig.read(tmp_path / f"bad{suffix}")
    assert not (tmp_path / "mark").exists()
