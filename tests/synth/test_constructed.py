"""Problems by construction: exactly the lines that the truth names, and classes that only the truth tells."""

from __future__ import annotations

import numpy as np
import pytest

import freqig
from freqig import synth

from .scores import amplitudes


def test_unused_cue_has_two_lines_and_agrees_as_often_as_asked() -> None:
    problem = synth.unused_cue(n=400, noise=0, seed=1)
    found = amplitudes(problem.signal.values[:, 0])
    truth, other = problem.truth_rfft.values[:, 0], problem.distractor_rfft.values[:, 0]
    np.testing.assert_allclose(found, truth * 1.0 + other * 2.0, atol=1e-5)
    used = problem.frequency.values[truth.argmax(1)]
    np.testing.assert_array_equal(used, np.array([10, 17])[problem.label])
    agrees = (problem.frequency.values[other.argmax(1)] == 44) == (problem.label.values == 1)
    np.testing.assert_array_equal(agrees, problem.agrees)
    assert abs(agrees.mean() - 0.9) < 4 * np.sqrt(0.09 / 400)
    assert np.bincount(problem.label).tolist() == [200, 200]


@pytest.mark.parametrize("agreement", [0, 1])
def test_agreement_can_be_all_or_nothing(agreement: int) -> None:
    assert (synth.unused_cue(n=20, agreement=agreement, seed=1).agrees == bool(agreement)).all()


def test_channel_cue_is_told_by_one_channel_alone() -> None:
    problem = synth.channel_cue(n=2000, n_channels=3, channel=2, noise=0, seed=2)
    found = amplitudes(problem.signal.values)
    own = problem.frequency.values[found[:, 2].argmax(1)]
    np.testing.assert_array_equal(own, np.array([12, 20])[problem.label])
    np.testing.assert_array_equal(problem.truth_rfft.values.nonzero()[1], 2)
    np.testing.assert_allclose(found[problem.truth_rfft.values], 1, atol=1e-5)
    np.testing.assert_allclose(np.sort(found, -1)[..., -1], [[2, 2, 1]] * 2000, atol=1e-5)
    assert np.sort(found, -1)[..., -2].max() < 1e-5
    for channel in (0, 1):
        other = problem.frequency.values[found[:, channel].argmax(1)] == 20
        assert abs((other == problem.label.values).mean() - 0.5) < 4 * np.sqrt(0.25 / 2000)


def test_phases_are_uniform_and_only_their_relation_tells_the_class() -> None:
    problem = synth.phase_coded(n=2000, noise=0, seed=3)
    series = problem.signal.values[:, 0].astype(float)
    found = amplitudes(series)
    lines = problem.truth_rfft.values[0, 0]
    np.testing.assert_array_equal(problem.frequency.values[lines], [12, 24])
    for label in (0, 1):
        rows = problem.label.values == label
        np.testing.assert_allclose(found[rows][:, [24, 48, 82]], 1, atol=1e-5)
        phase = np.angle(np.fft.rfft(series[rows])[:, lines])
        for k in (1, 2):
            assert np.abs(np.exp(1j * k * phase).mean(0)).max() < 4 / np.sqrt(rows.sum())
        relation = np.exp(1j * (phase[:, 1] - 2 * phase[:, 0]))
        np.testing.assert_allclose(relation, (1, -1)[label], atol=1e-4)
    assert np.delete(found, [24, 48, 82], axis=1).max() < 1e-5
    assert not problem.truth_polar.sel(polar_part="amplitude").any()
    np.testing.assert_array_equal(problem.truth_polar.sel(polar_part="phase"), problem.truth_rfft)


def test_product_has_both_bands_where_the_class_says_so() -> None:
    problem = synth.product(n=600, noise=0, seed=4)
    found = amplitudes(problem.signal.values[:, 0])
    frequency = problem.frequency.values
    lines = found > 0.1
    np.testing.assert_allclose(found[lines], np.sqrt(1 / 5), rtol=1e-4)
    low, high = (lines[:, (frequency >= a) & (frequency < b)].sum(1) for a, b in ((10, 14), (26, 34)))
    assert lines.sum() == low.sum() + high.sum()
    np.testing.assert_array_equal(low, 5 * problem.present.sel(band="low"))
    np.testing.assert_array_equal(high, 5 * problem.present.sel(band="high"))
    np.testing.assert_array_equal((low > 0) & (high > 0), problem.label == 1)
    np.testing.assert_array_equal(
        problem.truth_rfft.values[:, 0], lines & (problem.label.values == 1)[:, None]
    )
    _, counts = np.unique(problem.present.values[problem.label.values == 0], axis=0, return_counts=True)
    assert counts.tolist() == [100, 100, 100]


def test_modulated_carriers_have_sidebands_at_the_rate() -> None:
    problem = synth.amplitude_modulation(n=50, noise=0, seed=5)
    found = amplitudes(problem.signal.values[:, 0])
    expected = problem.truth_rfft.values[:, 0] * 0.4 + problem.distractor_rfft.values[:, 0] * 1.0
    expected[:, 128] = 1
    np.testing.assert_allclose(found, expected, atol=1e-5)
    sides = [problem.frequency.values[row[0]] for row in problem.truth_rfft.values]
    np.testing.assert_array_equal(
        np.abs(np.array(sides) - 64), np.array([3, 7])[problem.label][:, None] * [1, 1]
    )
    # The envelope, by the analytic signal of the band that the docstring names.
    spectrum = np.fft.fft(problem.signal.values[:, 0].astype(float))
    hertz = np.fft.fftfreq(512, 1 / 256)
    envelope = np.abs(np.fft.ifft(2 * spectrum * ((hertz >= 48) & (hertz < 80))))
    loudest = np.abs(np.fft.rfft(envelope))[:, 1:].argmax(1) + 1
    np.testing.assert_array_equal(loudest, problem.truth_envelope_rfft.values[:, 0].argmax(1))


def test_chirps_have_one_spectrum_and_the_frequency_that_is_told() -> None:
    problem = synth.chirp(n=40, noise=0, seed=6)
    series = problem.signal.values[:, 0].astype(float)
    hum = np.fft.rfft(series)
    hum[:, (problem.time.size * 46) // 128 :] = 0
    # The derivative of the angle of the analytic signal, away from the ends.
    analytic = np.fft.ifft(np.pad(2 * hum, ((0, 0), (0, 255))), axis=1)
    rate = np.diff(np.unwrap(np.angle(analytic), axis=1), axis=1) * 128 / 2 / np.pi
    told = problem.instantaneous_frequency.values
    middle = slice(100, 400)
    assert np.abs(rate - (told[:, 1:] + told[:, :-1]) / 2)[:, middle].mean() < 0.5
    np.testing.assert_array_equal(told[:, -1] > told[:, 0], problem.label == 1)
    power = amplitudes(series)[:, 24:180] ** 2
    by_class = [power[problem.label.values == c].mean(0).reshape(-1, 12).sum(1) for c in (0, 1)]
    assert np.abs(by_class[0] / by_class[1] - 1).max() < 0.1


def test_chirps_have_the_coordinates_of_their_spectrogram_and_its_energy() -> None:
    problem = synth.chirp(n=4, noise=0, window=0.25, seed=7)
    squares = freqig.Explainer(lambda x: x.square().sum((1, 2))[:, None], fs=128.0, domains=freqig.STFT(0.25))
    energy = squares(problem.signal.values, target=0).stft
    truth = problem.truth_stft
    assert energy.dims == truth.dims
    for dim in ("stft_frequency", "stft_time"):
        np.testing.assert_allclose(energy[dim], truth[dim])
    # All of the chirp but what its ends smear; the hum lies elsewhere.
    chirps = energy.sel(stft_frequency=slice(0, 44))
    inside = chirps.where(truth.sel(stft_frequency=slice(0, 44))).sum() / chirps.sum()
    assert inside.item() > 0.97


def test_pitches_have_all_harmonics_and_no_common_ones() -> None:
    problem = synth.pitch(n=60, noise=0, seed=8)
    for label, f0 in enumerate((125, 160)):
        rows = problem.label.values == label
        truth = problem.truth_rfft.values[rows][0, 0]
        np.testing.assert_array_equal(problem.frequency.values[truth], np.arange(f0, 2000, f0))
    both = [problem.truth_rfft.values[problem.label.values == c][0, 0] for c in (0, 1)]
    assert not (both[0] & both[1]).any()
    assert problem.lower.min().item() >= 75
    assert problem.lower.max().item() <= 105


def test_defects_knock_at_the_rates_of_the_geometry() -> None:
    problem = synth.bearing(n=30, seed=9)
    assert np.bincount(problem.label).tolist() == [10, 10, 10]
    assert not problem.truth_envelope_rfft.values[problem.label.values == 0].any()
    # Eight balls, ratio 15/65, 25 Hz: n/2 (1 ∓ ratio) turns.
    for label, rate in ((1, 100 * (1 - 15 / 65)), (2, 100 * (1 + 15 / 65))):
        truth = problem.truth_envelope_rfft.values[problem.label.values == label][0, 0]
        expected = np.abs(problem.frequency.values - rate * np.arange(1, 5)[:, None]) <= 1
        np.testing.assert_array_equal(truth, expected.any(0))
    spectrum = np.fft.fft(problem.signal.values[:, 0].astype(float))
    hertz = np.fft.fftfreq(4096, 1 / 4096)
    envelope = np.abs(np.fft.ifft(2 * spectrum * ((hertz >= 800) & (hertz < 1600))))
    loud = np.abs(np.fft.rfft(envelope)) ** 2
    for label, rate in ((1, 77), (2, 123)):
        rows = problem.label.values == label
        # The first multiple stands out against the same place in the other classes.
        assert (
            loud[rows][:, rate - 1 : rate + 2].sum(1).min() > loud[~rows][:, rate - 1 : rate + 2].sum(1).max()
        )
    assert np.abs(problem.frequency.values[loud[:, 20:60].argmax(1) + 20] - 44.6).max() < 1
