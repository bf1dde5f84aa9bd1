"""The tight frame of band filters: partition of unity, leakage in time, presets, errors."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from freqig.bands import presets
from freqig.domains import FilterBank

from .every import tensor

FS, N = 100.0, 1000
TIME = torch.arange(N, dtype=torch.float64) / FS


def burst(frequency: float, centre: float) -> Tensor:
    """Two seconds of a tone under a Hann window."""
    place = TIME - centre
    window = torch.where(place.abs() < 1, (1 + torch.cos(torch.pi * place)) / 2, 0.0)
    return window * torch.cos(2 * torch.pi * frequency * place)


@pytest.mark.parametrize(("transition", "share"), [(0.0, 1e-3), (0.5, 2e-4), (1.0, 2e-4), (2.0, 2e-4)])
def test_no_leakage_in_time_of_a_model_with_two_detectors(transition: float, share: float) -> None:
    """Alpha at 2.5 s and beta at 7.5 s: next to nothing of alpha's attribution lies after 6 s.

    With the filter at the analysis alone far more than a third of it does, where the model looks for beta.
    """
    x = torch.cos(2 * torch.pi * 10 * TIME) + torch.cos(2 * torch.pi * 20 * TIME) + 0.1 * tensor(N)
    alpha, beta = burst(10, 2.5), burst(20, 7.5)
    # Path-averaged gradient of (alpha·x)²/2 + (beta·x)²/2 from zero.
    gradient = ((x @ alpha) * alpha + (x @ beta) * beta) / 2
    bank = FilterBank("eeg", transition).bind((N,), FS)
    names = bank.coords(N, FS)["band"]
    values = bank.attribution(x, gradient)[names.index("alpha")]

    H = torch.from_numpy(bank.weights(np.fft.rfftfreq(N, 1 / FS)))[names.index("alpha")]
    one_sided = torch.fft.irfft(torch.fft.rfft(x) * H, N) * gradient

    def late(attribution: Tensor) -> float:
        return float(attribution[TIME > 6].abs().sum() / attribution.abs().sum())

    assert late(values) < share
    assert late(one_sided) > 0.3
    # Both add up to the same total for the band.
    assert float(values.sum()) == pytest.approx(float(one_sided.sum()), rel=1e-9)


@given(
    edges=st.lists(st.floats(0, 90), min_size=2, max_size=8, unique=True).map(sorted),
    gaps=st.booleans(),
    transition=st.sampled_from([0.0, 0.1, 1.0, 50.0]),
    n=st.integers(1, 200),
)
def test_weights_add_up_to_one(edges: list[float], gaps: bool, transition: float, n: int) -> None:
    """Whatever the bands: gaps, edges beyond Nyquist, transitions wider than bands."""
    pairs = list(pairwise(edges))[:: 2 if gaps else 1]
    bank = FilterBank({f"b{i}": pair for i, pair in enumerate(pairs)}, transition)
    H = bank.weights(np.fft.rfftfreq(n, 1 / FS))
    assert H.shape == (len(pairs) + 1, n // 2 + 1)
    assert H.min() >= 0
    np.testing.assert_allclose(H.sum(0), 1, rtol=0, atol=1e-14)
    assert int((H > 0).sum(0).max()) <= 2


def test_sharp_edges_are_half_open_also_after_rounding() -> None:
    frequency = np.fft.rfftfreq(300, 1 / FS)
    H = FilterBank({"low": (1, 4), "high": (4, 8)}, transition=0).weights(frequency)
    exact = np.arange(151)  # thirds of a hertz
    np.testing.assert_array_equal(H[0], (exact >= 3) & (exact < 12))
    np.testing.assert_array_equal(H[1], (exact >= 12) & (exact < 24))


def test_smooth_edges_are_one_half_at_the_edge_and_one_inside() -> None:
    bank = FilterBank({"alpha": (8, 12)}, transition=2.0)
    alpha, rest = bank.weights(np.array([0.0, 6.9, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 50.0]))
    np.testing.assert_allclose(alpha, [0, 0, 0, 0.5, 1, 1, 1, 0.5, 0, 0], atol=1e-15)
    np.testing.assert_allclose(rest, 1 - alpha)


@pytest.mark.parametrize("preset", ["sleep", "eeg"])
def test_presets_are_those_of_the_band_sums(preset: str) -> None:
    bank = FilterBank(preset)
    coords, auxiliary = bank.coords(10, FS), bank.auxiliary(10, FS)
    assert coords["band"] == [*presets[preset], "rest"]
    np.testing.assert_array_equal(auxiliary["low"][1][:-1], [low for low, _ in presets[preset].values()])
    assert np.isnan(auxiliary["high"][1][-1])


def test_the_offset_is_in_the_rest_or_in_a_band_from_zero() -> None:
    ones = torch.ones(100, dtype=torch.float64)
    for bands, index in (({"alpha": (8, 12)}, 1), ({"slow": (0, 4)}, 0)):
        values = FilterBank(bands).bind((100,), FS).attribution(ones, ones).sum(-1)
        assert float(values[index]) == pytest.approx(100)
        assert float(values.sum()) == pytest.approx(100)


@pytest.mark.parametrize(
    ("arguments", "fs", "message"),
    [
        ({"bands": "sleeep"}, FS, "bands must be one of"),
        ({"bands": {"a": (4, 2)}}, FS, "0 <= low < high"),
        ({"bands": {"a": (1, 4), "b": (3, 5)}}, FS, "must not overlap"),
        ({"transition": -1.0}, FS, "transition must be finite"),
        ({}, None, "pass fs= in Hz"),
    ],
)
def test_errors(arguments: dict[str, Any], fs: float | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FilterBank(**arguments).bind((50,), fs)
    with pytest.raises(ValueError, match="must be bound"):
        FilterBank().analyze(torch.ones(5))
