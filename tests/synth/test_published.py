"""The problems of papers: lines, spikes and regions against NumPy's FFT and what is printed."""

from __future__ import annotations

import numpy as np
import pytest

from freqig import synth
from freqig.synth.regions import voigt

from .scores import amplitudes

KEYS = np.array([5, 16, 32, 53])


def test_freqrise_has_whole_bins_of_unit_amplitude_and_no_others() -> None:
    problem = synth.freqrise(n=1500, sigma=0, seed=4)
    found = amplitudes(problem.signal.values[:, 0])
    lines = found > 0.5
    np.testing.assert_allclose(found[lines], 1, atol=1e-4)
    assert found[~lines].max() < 1e-4
    assert not lines[:, 0].any()
    assert not lines[:, 61:].any()
    count = lines.sum(1)
    np.testing.assert_array_equal(count, problem.n_sines)
    assert (count.min(), count.max()) == (10, 49)
    assert abs(count.mean() - 29.5) < 4 * np.sqrt((40**2 - 1) / 12 / 1500)


def test_freqrise_is_decided_by_its_truth() -> None:
    problem = synth.freqrise(n=1500, sigma=0, seed=5)
    keys = amplitudes(problem.signal.values[:, 0])[:, KEYS] > 0.5
    np.testing.assert_array_equal(keys @ [1, 2, 4, 8], problem.label)
    np.testing.assert_array_equal(problem.truth_rfft.values[:, 0, KEYS], keys)
    assert problem.truth_rfft.values.sum() == keys.sum()
    # Drawn uniformly: χ² of 16 classes.
    observed = np.bincount(problem.label, minlength=16)
    assert ((observed - 1500 / 16) ** 2 / (1500 / 16)).sum() < 37.7
    meanings = [problem.attrs["classes"][c] for c in (0, 1, 12)]
    assert meanings == ["none", "5", "32 and 53"]


def test_freqrise_has_uniform_phases_and_noise_of_its_size() -> None:
    problem = synth.freqrise(n=600, sigma=0.8, seed=6)
    spectrum = np.fft.rfft(problem.signal.values[:, 0].astype(float))
    phase = np.angle(spectrum[:, 1:61][amplitudes(problem.signal.values[:, 0])[:, 1:61] > 0.5])
    # Mean of unit vectors: of size 1 / √N in each part.
    assert np.abs(np.exp(1j * phase).mean()) < 4 / np.sqrt(phase.size)
    assert np.abs(np.exp(2j * phase).mean()) < 4 / np.sqrt(phase.size)
    beyond = np.abs(spectrum[:, 100:1200]) ** 2
    assert np.sqrt(beyond.mean() / 2560) == pytest.approx(0.8, rel=0.01)


def test_flextime_occupies_ten_regions_and_no_others() -> None:
    problem = synth.flextime(n=64, noise=0, seed=1)
    assert set(np.bincount(problem.label)) == {4}
    occupied = problem.occupied.values
    np.testing.assert_array_equal(occupied.sum(1), 10)
    np.testing.assert_array_equal(occupied[:, [6, 13, 20, 27]] @ [1, 2, 4, 8], problem.label)
    power = amplitudes(problem.signal.values[:, 0]) ** 2
    # Within 4 Hz of the middle: where peaks are, away from what leaks over the edges.
    middle = (np.arange(32) + 0.5) * 15.625
    near = np.abs(problem.frequency.values - middle[:, None]) < 4
    by_region = power @ near.T
    assert by_region[occupied].min() > 20 * by_region[~occupied].max()


def test_regions_and_bands_stand_beside_their_edges() -> None:
    region = synth.flextime(n=1).region
    np.testing.assert_array_equal(region.region_low, np.arange(32) * 15.625)
    np.testing.assert_array_equal(region.region_high - region.region_low, 15.625)
    band = synth.product(n=1).band
    assert dict(zip(band.values, band.band_low.values, strict=True)) == {"low": 10, "high": 26}
    assert band.band_high.values.tolist() == [14, 34]


def test_flextime_marks_the_bins_of_salient_regions() -> None:
    problem = synth.flextime(n=32, seed=2)
    truth = problem.truth_rfft.values[:, 0]
    frequency = problem.frequency.values
    for i, region in enumerate((6, 13, 20, 27)):
        inside = (frequency >= 15.625 * region) & (frequency < 15.625 * (region + 1))
        np.testing.assert_array_equal(truth[:, inside].all(1), problem.label.values >> i & 1 == 1)
        np.testing.assert_array_equal(truth[:, inside].any(1), problem.label.values >> i & 1 == 1)
    assert truth.sum() == problem.truth_region.values[:, [6, 13, 20, 27]].sum(0) @ [
        ((frequency >= 15.625 * r) & (frequency < 15.625 * (r + 1))).sum() for r in (6, 13, 20, 27)
    ]


def test_flextime_as_published_has_up_to_nine_regions() -> None:
    occupied = synth.flextime(n=320, always_ten=False, seed=3).occupied
    others = occupied.sum("region") - occupied.sel(region=[6, 13, 20, 27]).sum("region")
    assert int(occupied.sum("region").max()) == 9
    assert int(others.min()) == 0


def test_voigt_is_the_lorentzian_averaged_over_the_gaussian() -> None:
    special = pytest.importorskip("scipy.special")
    distance = np.linspace(-8, 8, 101)
    np.testing.assert_allclose(
        voigt(distance, 0.5, 1.5), special.voigt_profile(distance, 0.5, 1.5), rtol=1e-10
    )


def test_freqshapes_has_spikes_of_the_printed_shape_a_period_apart() -> None:
    problem = synth.freqshapes(n=400, noise=0, seed=1)
    assert set(np.bincount(problem.label)) == {100}
    for label, series, truth, period, start in zip(
        problem.label.values,
        problem.signal.values[:, 0],
        problem.truth_waveform.values[:, 0],
        problem.period.values,
        problem.start.values,
        strict=True,
    ):
        sign, expected = ((-1, 10), (1, 10), (-1, 17), (1, 17))[label]
        assert period == expected
        np.testing.assert_array_equal(series != 0, truth)
        centres = np.flatnonzero(series == 2 * sign)
        assert set(np.diff(centres)) <= {period}
        np.testing.assert_array_equal(series[centres - 1], 1.75 * sign)
        np.testing.assert_array_equal(series[centres + 1], 1.75 * sign)
        assert truth.sum() == 3 * centres.size
        # None is missing that would have fit.
        assert centres[0] == (start or period)
        assert centres[-1] + period > 48


def test_freqshapes_names_the_bins_of_its_period() -> None:
    problem = synth.freqshapes(n=8, n_time=170, noise=0, seed=2)
    for truth, period in zip(problem.truth_rfft.values[:, 0], problem.period.values, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(truth), np.arange(1, period // 2 + 1) * 170 // period)
    # Where whole periods fit, the spectrum of spikes has those lines.
    whole = problem.isel(sample=(problem.period == 17) & (problem.start > 1) & (problem.start < 16))
    found = amplitudes(whole.signal.values[:, 0])[:, 1:]
    assert (
        found[whole.truth_rfft.values[:, 0, 1:]].min() > 100 * found[~whole.truth_rfft.values[:, 0, 1:]].max()
    )


def test_freqshapes_has_noise_of_its_size() -> None:
    one, other = (synth.freqshapes(n=500, noise=noise, seed=3) for noise in (0.25, 0))
    np.testing.assert_array_equal(one.start, other.start)
    assert (one.signal - other.signal).std().item() == pytest.approx(0.25, rel=0.02)
