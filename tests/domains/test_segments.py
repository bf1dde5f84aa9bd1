"""Stretches of a series: starts, remainders, and the spectra of peers for one stretch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from freqig.domains import RFFT, Segments
from freqig.domains.stretch import Stretch

from .every import tensor


def test_full_segments_are_the_spectra_of_their_stretches() -> None:
    n, size = 90, 30
    delta, gradient = tensor(2, n), tensor(2, n, seed=1)
    values = Segments(3.0).bind((2, n), 10.0).attribution(delta, gradient)
    for i in range(3):
        part = slice(i * size, (i + 1) * size)
        torch.testing.assert_close(values[:, i], RFFT().attribution(delta[:, part], gradient[:, part]))
        torch.testing.assert_close(values[:, i], Stretch(part.start, size).attribution(delta, gradient))


@pytest.mark.parametrize("n", [1, 29, 30, 31, 59, 60, 61, 75, 89])
def test_a_remainder_is_kept(n: int) -> None:
    delta, gradient = tensor(n), tensor(n, seed=1)
    segments = Segments(3.0).bind((n,), 10.0)
    values = segments.attribution(delta, gradient)
    starts, unit = segments.coords(n, 10.0)["segment"]
    along, lengths, _ = segments.auxiliary(n, 10.0)["length"]
    assert (unit, along) == ("s", ("segment",))
    np.testing.assert_allclose(starts, np.arange(0, n, 30) / 10)
    assert lengths.sum() == pytest.approx(n / 10)
    assert float(values.nansum()) == pytest.approx(float(delta @ gradient), abs=1e-12)
    rest = n % 30 if n > 30 else 0
    last = values[-1].isfinite().sum()
    assert int(last) == (rest // 2 + 1 if rest else min(n, 30) // 2 + 1)
    assert bool(values[:-1].isfinite().all())


def test_a_tone_in_the_remainder_has_its_own_frequency() -> None:
    """A last segment of half the length has bins twice as far apart: 10 Hz must not read as 5 Hz."""
    fs, n = 100.0, 4500
    tone = torch.sin(2 * torch.pi * 10 * torch.arange(n, dtype=torch.float64) / fs)
    segments = Segments(30.0).bind((n,), fs)
    values = segments.attribution(tone, tone).nan_to_num()
    frequency, _ = segments.coords(n, fs)["frequency"]
    assert values.shape == (2, 1501)
    np.testing.assert_allclose(frequency[values.argmax(-1)], 10.0)
    torch.testing.assert_close(values.amax(-1), torch.tensor([1500.0, 750.0], dtype=torch.float64))


@pytest.mark.parametrize(
    ("length", "fs", "message"),
    [(0.0, 10.0, "length must be finite"), (3.0, None, "pass fs="), (0.01, 10.0, "at least one sample")],
)
def test_errors(length: float, fs: float | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Segments(length).bind((50,), fs)
    with pytest.raises(ValueError, match="must be bound"):
        Segments(1.0).analyze(torch.ones(5))
