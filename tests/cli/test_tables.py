"""Summaries as text: tables that fit a terminal, and channels without names."""

from __future__ import annotations

from typing import Any

import pytest

from freqig.cli._tables import WIDTH, told


def summary(classes: int, bands: int, channels: list[str]) -> dict[str, Any]:
    """What `freqig.summary` gives, every number of its own."""
    values = [
        {
            "class": f"class {c}",
            "samples": 3,
            "output": c + 0.5,
            "baseline_output": -c - 0.5,
            "bands": {f"{100 * b} Hz": -(1000.0 * c + b) / 7 for b in range(bands)},
        }
        for c in range(classes)
    ]
    head = {"samples": 3, "files": [], "channels": channels, "fs": 8000, "values": 100, "unit": None}
    return {**head, "model": "net", "output": "logit", "domains": {"filterbank": {}}, "classes": values}


@pytest.mark.parametrize(("classes", "bands"), [(1, 0), (3, 5), (1, 40), (5, 40), (12, 40), (40, 3)])
def test_tables_fit_a_terminal_and_lose_nothing(classes: int, bands: int) -> None:
    found = summary(classes, bands, [])
    text = told(found, False)
    assert max(map(len, text.splitlines())) <= WIDTH
    words = text.split()
    for one in found["classes"]:
        for value in (one["output"], one["baseline_output"], *one["bands"].values()):
            assert f"{value:.4g}" in words


def test_few_bands_stay_columns() -> None:
    lines = told(summary(2, 3, []), False).splitlines()
    assert lines[-3].split() == [
        "class",
        "samples",
        "output",
        "baseline",
        "0",
        "Hz",
        "100",
        "Hz",
        "200",
        "Hz",
    ]


@pytest.mark.parametrize(
    ("channels", "line"),
    [(["0"], "1, unnamed"), (["0", "1", "2"], "3, unnamed"), (["Fz", "Oz"], "2, Fz, Oz"), (["7"], "1, 7")],
)
def test_channels_without_names_are_called_so(channels: list[str], line: str) -> None:
    lines = told(summary(1, 0, channels), False).splitlines()
    assert next(one for one in lines if one.startswith("channels:")).split(maxsplit=1)[1] == line
