"""Bands by the scale of a field: tables of standards, the formula of HTK, and what rests on them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from freqig import RFFT, Explainer, FilterBank, bands, plots
from freqig.band_scales import SCALES
from freqig.bands import named_bands

# Preferred frequencies of ISO 266 from 25 Hz to 20 kHz, as sound level meters show them.
THIRDS = (
    *("25", "31.5", "40", "50", "63", "80", "100", "125", "160", "200", "250", "315", "400", "500", "630"),
    *("800", "1 k", "1.25 k", "1.6 k", "2 k", "2.5 k", "3.15 k", "4 k", "5 k", "6.3 k", "8 k", "10 k"),
    *("12.5 k", "16 k", "20 k"),
)


def explained(fs: float, n: int, domains: Any = None, seed: int = 0) -> xr.Dataset:
    """Of the sum of squares: every frequency gets its power."""
    x = np.random.default_rng(seed).normal(size=(2, 1, n))
    squares = lambda x: x.square().sum((1, 2))[:, None]
    return Explainer(squares, fs=fs, domains=domains, dtype=torch.float64, n_steps=4)(x, target=0)


def test_third_octaves_of_a_48_khz_recording_are_those_of_a_sound_level_meter() -> None:
    found = SCALES["third-octave"].bands(24_000.0)
    assert [name.removesuffix("Hz").rstrip() for name in found] == list(THIRDS)
    octaves = list(SCALES["octave"].bands(24_000.0))
    assert [name.removesuffix("Hz").rstrip() for name in octaves] == list(THIRDS)[1::3]


@pytest.mark.parametrize(
    ("scale", "name", "low", "high"),
    [
        # Edges as IEC 61260-1:2014 and many tables print them, to five digits.
        ("octave", "1 kHz", 707.95, 1412.5),
        ("octave", "63 Hz", 44.668, 89.125),
        ("third-octave", "1 kHz", 891.25, 1122.0),
        ("third-octave", "125 Hz", 112.20, 141.25),
        ("third-octave", "5 kHz", 4466.8, 5623.4),
    ],
)
def test_edges_are_those_of_the_standard(scale: str, name: str, low: float, high: float) -> None:
    np.testing.assert_allclose(SCALES[scale].bands(24_000.0)[name], (low, high), rtol=5e-5)


@pytest.mark.parametrize("highest", [4.0, 50.0, 4_000.0, 22_050.0])
@pytest.mark.parametrize("scale", list(SCALES))
@pytest.mark.parametrize("n", [1, 7, 128])
def test_bands_meet_and_reach_up_to_half_of_the_rate(scale: str, n: int, highest: float) -> None:
    found = SCALES[scale].bands(highest, n)
    assert len(found) == n
    assert all(a[1] == b[0] for a, b in pairwise(found.values()))
    *_, (low, high) = found.values()
    if scale == "mel":
        assert high == highest
        mel = 2595 * np.log10(1 + np.array(list(found.values())) / 700)
        np.testing.assert_allclose(np.diff(mel), 2595 * np.log10(1 + highest / 700) / n, rtol=1e-9)
    else:
        ratio = 10 ** (0.3 / {"octave": 1, "third-octave": 3}[scale])
        np.testing.assert_allclose([h / l for l, h in found.values()], ratio)
        # The middle of the last lies below half of the rate, and that of the next one would not.
        assert low * np.sqrt(ratio) < highest * (1 + 1e-9) <= high * np.sqrt(ratio) * (1 + 2e-9)


@pytest.mark.parametrize("scale", list(SCALES))
def test_a_filter_bank_and_band_sums_have_the_same_bands(scale: str) -> None:
    """Sharp bands: the sum over time of a band is the sum over its frequencies (Parseval)."""
    bank = FilterBank(scale, transition=0, n=6)
    result = explained(1000.0, 501, [bank, FilterBank(scale, n=6, name="smooth"), RFFT()])
    summed = bands(result[["rfft", "time"]], scale, n=6)
    assert summed.band.values.tolist() == result.filterbank_band.values.tolist()
    np.testing.assert_array_equal(summed.band_low, result.filterbank_low)
    np.testing.assert_array_equal(summed.band_high, result.filterbank_high)
    np.testing.assert_allclose(summed.rfft, result.filterbank.sum("time"), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.smooth.sum(("smooth_band", "time")), result.rfft.sum("frequency"))


def test_a_tone_is_in_its_mel_band_and_as_short_as_the_band_is_wide() -> None:
    """A click of 1 kHz at 0.5 s: bands of a scale pass into one another and so do not ring."""
    fs, n = 8000.0, 8000
    t = np.arange(n) / fs
    x = np.exp(-(((t - 0.5) / 0.005) ** 2)) * np.sin(2 * np.pi * 1000 * t)
    bank = FilterBank("mel", n=20).bind((n,), fs)
    values = bank.attribution(torch.from_numpy(x), torch.from_numpy(x)).numpy()
    total = values.sum(-1)
    low, high = bank.bands[list(bank.bands)[int(total.argmax())]]
    assert low <= 1000 < high
    assert values.sum() == pytest.approx(np.square(x).sum())
    away = abs(t - 0.5) > 0.05
    assert abs(values[:, away]).sum() < 1e-3 * values.sum()


def test_nothing_below_half_of_the_rate_is_lost_to_the_rest() -> None:
    weights = FilterBank("mel").bind((16_000,), 16_000.0).weights(np.fft.rfftfreq(16_000, 1 / 16_000.0))
    assert not weights[-1, :-1].any()
    assert weights[-1, -1] == 1.0  # the Nyquist frequency itself: bands are half-open


def test_bands_without_a_frequency_are_said() -> None:
    with pytest.warns(UserWarning, match=r"hold no frequency of a signal of 64 samples.* take fewer bands"):
        result = explained(1000.0, 64, FilterBank("third-octave"))
    assert result.sizes["filterbank_band"] == 31
    quiet = explained(1000.0, 64, FilterBank("octave", n=4))
    assert float(abs(quiet.filterbank).sum("time").min()) > 0


def test_figures_take_scales_too() -> None:
    result = explained(1000.0, 500)
    axes = plots.spectrum(result, bands="octave", signal=False)
    told = {text.get_text() for text in axes[-1].texts} if isinstance(axes, tuple) else set()
    told = told or {text.get_text() for text in np.atleast_1d(axes)[-1].texts}
    assert "250 Hz" in told


@pytest.mark.parametrize("n", [0, 10_001, -1])
def test_the_number_of_bands_is_checked(n: int) -> None:
    for use in (lambda: FilterBank("mel", n=n), lambda: bands(explained(100.0, 50), "octave", n=n)):
        with pytest.raises(ValueError, match="n must be at"):
            use()


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"n must be None unless bands are one of 'mel'.*n=3 and 'sleep'"):
        FilterBank("sleep", n=3)
    with pytest.raises(ValueError, match=r"n must be None unless"):
        bands(explained(100.0, 50), {"a": (1, 2)}, n=3)
    with pytest.raises(ValueError, match="must be one of 'mel', 'third-octave', 'octave', 'sleep', 'eeg'"):
        FilterBank("third")
    with pytest.raises(ValueError, match="half of the sampling rate, which must be known: pass fs="):
        named_bands("mel")
    with pytest.raises(ValueError, match="pass fs= in Hz"):
        FilterBank("mel").bind((50,), None)
    result = explained(100.0, 50)
    result.frequency.attrs["units"] = "orders"
    with pytest.raises(ValueError, match=r"bands 'mel' are in Hz, got result.frequency in orders"):
        bands(result, "mel")
    assert bands(result, {"a": (1, 2)}).band_low.attrs["units"] == "orders"


def test_what_a_bank_is_can_be_read_from_its_name() -> None:
    for bank in (FilterBank("mel", n=9), FilterBank("octave", 2.0, "o"), FilterBank({"a": (1, 2.123456789)})):
        again = eval(repr(bank), {"FilterBank": FilterBank})
        assert repr(again.bind((64,), 64.0)) == repr(bank.bind((64,), 64.0)) == repr(bank)
