"""GDF, the format of motor imagery competitions: files written here by its specification, 1.25 to 2.20.

No library writes GDF. Schlögl, "GDF: a general data format for biosignals" (2006), has the tables that the
headers below follow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from freqig import read

from ..helpers import noise

FS = 250
NAMES = ["EEG-Fz", "EEG-C3", "EEG-C4"]
STEPS = 0.05, 0.1, 0.02
"""Of a digital step, in the unit of each channel."""
INT16, MICROVOLTS, MILLIVOLTS = 3, 4275, 4274
CODES = {"uV": MICROVOLTS, "mV": MILLIVOLTS, "": 0}

Event = tuple[int, int, int]
"""Sample, counted from 1; what happened; for how many samples."""


def text(content: str, size: int) -> bytes:
    return content.encode().ljust(size)


def numbers(kind: str, *values: float) -> bytes:
    return np.array(values, dtype=f"<{kind}").tobytes()


def ranges(kind: str) -> bytes:
    """Physical and digital: lowest of all channels, then highest."""
    physical = [sign * 2**15 * step for sign in (-1, 1) for step in STEPS]
    return numbers("f8", *physical) + numbers(kind, *[-(2**15)] * 3, *[2**15] * 3)


def header_1(n_records: int, per_record: list[int], unit: str) -> bytes:
    fixed = [b"GDF 1.25", text("X X", 80), text("", 80), text("2005010112000000", 16)]
    fixed += [numbers("i8", 256 * 4), bytes(44), numbers("i8", n_records)]
    fixed += [numbers("u4", max(per_record), FS, 3)]
    each = [*(text(name, 16) for name in NAMES), text("", 80 * 3), 3 * text(unit, 8), ranges("i8")]
    each += [text("", 80 * 3), numbers("i4", *per_record, *[INT16] * 3), bytes(32 * 3)]
    return b"".join(fixed + each)


def header_2(version: str, n_records: int, per_record: list[int], unit: str) -> bytes:
    fixed = [text(f"GDF {version}", 8), text("X X", 66), bytes(10 + 4), text("", 64), bytes(4 + 12 + 16)]
    fixed += [numbers("u2", 4), bytes(6 + 8 + 6 + 6 + 24), numbers("i8", n_records)]
    fixed += [numbers("u4", max(per_record), FS), numbers("u2", 3, 0)]
    each = [*(text(name, 16) for name in NAMES), text("", (80 + 6) * 3), numbers("u2", *[CODES[unit]] * 3)]
    each += [ranges("f8"), bytes(68 * 3), numbers("f4", *[100.0] * 3, *[0.5] * 3, *[50.0] * 3)]
    each += [numbers("u4", *per_record, *[INT16] * 3), bytes((12 + 20) * 3)]
    return b"".join(fixed + each)


def events_of(version: str, events: list[Event], durations: bool) -> bytes:
    first, what, how_long = (list(one) for one in zip(*events, strict=True))
    count = len(events).to_bytes(4, "little")
    head = FS.to_bytes(3, "little") + count if version < "1.94" else count[:3] + numbers("f4", FS)
    table = bytes([3 if durations else 1]) + head + numbers("u4", *first) + numbers("u2", *what)
    return table + (numbers("u2", *[0] * len(events)) + numbers("u4", *how_long) if durations else b"")


def write(
    path: Path,
    version: str,
    values: list[np.ndarray],
    n_records: int,
    events: list[Event],
    *,
    unit: str = "uV",
    durations: bool = True,
) -> None:
    """Three channels, of one rate or of several."""
    digital = [
        np.round(one / step).astype("<i2").reshape(n_records, -1)
        for one, step in zip(values, STEPS, strict=True)
    ]
    about = n_records, [one.shape[1] for one in digital], unit
    header = header_1(*about) if version < "1.9" else header_2(version, *about)
    assert len(header) == 256 * 4
    path.write_bytes(header + np.concatenate(digital, 1).tobytes() + events_of(version, events, durations))


def signals(n: int) -> list[np.ndarray]:
    return list(20 * noise(3, n))


@pytest.mark.parametrize("n_records", [12 * FS, 12], ids=["records of a sample", "records of a second"])
@pytest.mark.parametrize("version", ["1.25", "2.10", "2.20"])
def test_values_units_and_events(version: str, n_records: int, tmp_path: Path) -> None:
    """Trials of four seconds from their cues on, as in the competitions."""
    values = signals(12 * FS)
    cues = [(1 + 2 * FS, 769, 4 * FS), (1 + 7 * FS, 770, 4 * FS)]
    write(tmp_path / "A01T.gdf", version, values, n_records, cues)
    whole = read(tmp_path / "A01T.gdf")
    assert (whole.attrs["fs"], whole.channel.values.tolist(), whole.attrs["units"]) == (FS, NAMES, "V")
    for found, wanted, step in zip(1e6 * whole.values[0], values, STEPS, strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.51 * step)
    cut = read(tmp_path / "A01T.gdf", window=1.0, channels=["EEG-C4", "EEG-Fz"])
    np.testing.assert_array_equal(np.concatenate(cut.values, -1), whole.values[0, [2, 0]])
    labels = dict(zip(cut.onset.values.tolist(), cut.label.values.tolist(), strict=True))
    assert {second for second, label in labels.items() if label == "769"} == {2, 3, 4, 5}
    assert {second for second, label in labels.items() if label == "770"} == {7, 8, 9, 10}


@pytest.mark.parametrize(
    ("version", "unit", "told", "volts"),
    [("1.25", "mV", "mV", 1.0), ("2.10", "mV", "V", 1e-3), ("1.25", "", None, 1.0), ("2.10", "", None, 1.0)],
)
def test_units(version: str, unit: str, told: str | None, volts: float, tmp_path: Path) -> None:
    """Of version 1 MNE knows microvolts alone, and returns others as they are stored."""
    values = signals(FS)
    write(tmp_path / "x.gdf", version, values, 1, [(1, 768, FS)], unit=unit)
    found = read(tmp_path / "x.gdf")
    assert found.attrs.get("units") == told
    np.testing.assert_allclose(found.values[0, 1], volts * values[1], atol=volts * 0.51 * STEPS[1])


def test_several_rates(tmp_path: Path) -> None:
    values = [one[: FS if i else FS // 5] for i, one in enumerate(signals(FS))]
    write(tmp_path / "x.gdf", "1.25", values, 1, [(1, 768, FS)])
    with pytest.raises(ValueError, match="EEG-Fz 50 Hz, EEG-C3 250 Hz, EEG-C4 250 Hz"):
        read(tmp_path / "x.gdf")
    found = read(tmp_path / "x.gdf", channels=["EEG-C4", "EEG-C3"])
    assert found.attrs["fs"] == FS
    for row, i in zip(1e6 * found.values[0], [2, 1], strict=True):
        np.testing.assert_allclose(row, values[i], atol=0.51 * STEPS[i])
    with pytest.raises(ValueError, match=r"its highest rate, 250 Hz, got EEG-Fz 50 Hz, which MNE cannot"):
        read(tmp_path / "x.gdf", channels=["EEG-Fz"])


def test_events_without_durations(tmp_path: Path) -> None:
    write(tmp_path / "x.gdf", "2.10", signals(4 * FS), 4, [(1 + 2 * FS, 770, 0)], durations=False)
    found = read(tmp_path / "x.gdf", window=1.0)
    assert found.label.values.tolist() == ["", "", "770", ""]


def test_by_content(tmp_path: Path) -> None:
    write(tmp_path / "A01T", "1.25", signals(FS), 1, [(1, 768, FS)])
    assert read(tmp_path / "A01T").shape == (1, 3, FS)


END = 256 * 4 + 2 * 3 * FS
"""Where the table of events begins."""


@pytest.mark.parametrize(
    ("at", "size", "value"),
    [
        (4, 4, 0),  # Version.
        (184, 8, 2**62),  # Bytes of the header.
        (184, 8, 256),
        (236, 8, 2**40),  # Records.
        (236, 8, -1),
        (244, 4, 0),  # Seconds of each.
        (248, 4, 0),
        (252, 4, 2**31 - 1),  # Channels.
        (252, 4, 0),
        (256 + 120 * 3, 8, 2**15),  # The least digital value, which is the largest.
        (256 + 216 * 3, 4, 2**30),  # Samples per record.
        (256 + 216 * 3, 4, -5),
        (256 + 220 * 3, 4, 99),  # Type.
        (END + 4, 4, 2**32 - 1),  # Events.
    ],
)
def test_headers_that_lie(at: int, size: int, value: int, tmp_path: Path) -> None:
    """What is told is not there: an error before memory is taken for it."""
    write(tmp_path / "x.gdf", "1.25", signals(FS), 1, [(1, 768, FS)])
    content = bytearray((tmp_path / "x.gdf").read_bytes())
    content[at : at + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")
    (tmp_path / "x.gdf").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.gdf must"):
        read(tmp_path / "x.gdf")


def test_truncated(tmp_path: Path) -> None:
    write(tmp_path / "x.gdf", "2.10", signals(4 * FS), 4, [(1, 768, FS)])
    content = (tmp_path / "x.gdf").read_bytes()
    (tmp_path / "x.gdf").write_bytes(content[:-2000])
    with pytest.raises(ValueError, match=r"must be complete: its header tells of 4 records, \d+ bytes"):
        read(tmp_path / "x.gdf")
