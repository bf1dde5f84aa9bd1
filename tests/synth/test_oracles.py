"""Models that decide by the truth: right, explained as theory says, and blind to everything else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig import synth

from .scores import rank_accuracy

LINES = (
    "freqrise",
    "flextime",
    "unused_cue",
    "channel_cue",
    "amplitude_modulation",
    "phase_coded",
    "product",
)
ALL = (*LINES, "chirp", "freqshapes", "pitch", "bearing")
EMPTY = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def logits(problem: xr.Dataset) -> np.ndarray:
    with torch.no_grad():
        return synth.oracle(problem)(torch.tensor(problem.signal.values)).numpy()


@pytest.mark.parametrize("name", ALL)
def test_oracles_decide_by_the_truth(name: str) -> None:
    problem = getattr(synth, name)(n=60, seed=11)
    found = logits(problem)
    assert found.shape == (60, len(problem.attrs["classes"]))
    assert found.dtype == np.float32
    right = (found.argmax(1) == problem.label.values).mean()
    # Voices are mixed, and spikes are drowned now and then.
    assert right >= (0.95 if name in ("pitch", "freqshapes") else 1)


@EMPTY
@pytest.mark.filterwarnings("ignore:the baseline is itself predicted")
@pytest.mark.parametrize("name", LINES)
def test_explanations_of_oracles_rank_the_truth_first(name: str) -> None:
    problem = getattr(synth, name)(n=8, seed=12)
    explainer = freqig.Explainer(synth.oracle(problem), fs=problem.fs)
    result = explainer(problem.signal.values, target=problem.label.values)
    assert result.rfft.dims == problem.truth_rfft.dims
    np.testing.assert_allclose(result.frequency, problem.frequency)
    assert (rank_accuracy(result.rfft.values, problem.truth_rfft.values) == 1).all()


def test_what_is_correlated_but_unused_gets_nothing() -> None:
    problem = synth.unused_cue(n=16, seed=13)
    explainer = freqig.Explainer(synth.oracle(problem), fs=problem.fs)
    result = explainer(problem.signal.values, target=problem.label.values)
    assert np.abs(result.rfft.values[problem.distractor_rfft.values]).max() < 1e-6
    power = np.abs(np.fft.rfft(problem.signal.values)) ** 2
    assert rank_accuracy(power, problem.truth_rfft.values).max() == 0, "the data say another thing"
    # What the unused cue would have said of the class.
    cue = (power[:, 0, 88] > power[:, 0, 62]).astype(int)
    assert 0.7 < (cue == problem.label.values).mean() <= 1


def test_no_amplitude_tells_classes_that_phases_make() -> None:
    problem = synth.phase_coded(n=12, noise=0, seed=14)
    x, label = problem.signal.values, problem.label.values
    # A series of the other class with the same amplitudes: another phase at 24 Hz, bin 48.
    spectrum = np.fft.rfft(x.astype(float))
    spectrum[..., 48] *= -1
    other = np.fft.irfft(spectrum, 256).astype(np.float32)
    model = synth.oracle(problem)
    assert (model(torch.tensor(other)).argmax(1).numpy() == 1 - label).all()
    explainer = freqig.Explainer(model, fs=problem.fs, domains=[freqig.RFFT(), freqig.Polar()])
    result = explainer(x, target=label, baseline=other)
    assert result.polar.dims == problem.truth_polar.dims
    assert list(result.polar_part.values) == list(problem.polar_part.values)
    amplitude, phase = (result.polar.sel(polar_part=part).values for part in ("amplitude", "phase"))
    assert np.abs(amplitude).max() < 1e-3 * np.abs(phase).max()
    np.testing.assert_allclose(phase.sum((1, 2)), 2, rtol=1e-2)
    blind = np.log1p(np.abs(np.fft.rfft(x)) ** 2)[:, 0]
    assert np.abs(blind - np.log1p(np.abs(np.fft.rfft(other)) ** 2)[:, 0]).max() < 1e-2


def test_a_bispectrum_shares_two_to_one() -> None:
    problem = synth.phase_coded(n=6, noise=0, seed=15)
    explainer = freqig.Explainer(synth.oracle(problem), fs=problem.fs)
    result = explainer(problem.signal.values, target=problem.label.values)
    # X(f)² X(2f)* is of degree 2 in one and 1 in the other: Euler's shares of its value, 1.
    found = result.rfft.sel(frequency=[12, 24]).values[:, 0]
    np.testing.assert_allclose(found, [[2 / 3, 1 / 3]] * 6, rtol=1e-3)


@EMPTY
def test_of_a_product_neither_band_says_anything_alone() -> None:
    problem = synth.product(n=30, noise=0, seed=16)
    value = logits(problem)[:, 1]
    alone = problem.present.values.sum(1) < 2
    assert np.abs(value[alone]).max() < 1e-6
    np.testing.assert_allclose(value[~alone], 1, rtol=1e-4)
    both = problem.isel(sample=np.flatnonzero(problem.label.values == 1)[:4])
    result = freqig.Explainer(synth.oracle(both), fs=both.fs)(both.signal.values, target=1)
    shares = freqig.bands(result, {"low": (10, 14), "high": (26, 34)})
    # Half each by the symmetry of a product, and nothing for the rest.
    np.testing.assert_allclose(shares.rfft.values[:, 0], [[0.5, 0.5, 0]] * 4, atol=1e-3)


@EMPTY
def test_bearings_are_explained_at_the_rate_of_the_defect_and_not_of_the_pump() -> None:
    problem = synth.bearing(n=6, seed=17)
    problem = problem.isel(sample=np.flatnonzero(problem.label.values))
    domain = freqig.Envelope(800, 1600) >> freqig.RFFT()
    explainer = freqig.Explainer(synth.oracle(problem), fs=problem.fs, domains=domain)
    baseline = freqig.baselines.flat_envelope(800, 1600)
    result = explainer(problem.signal.values, target=problem.label.values, baseline=baseline)
    found = result.envelope_rfft.sel(envelope_row="envelope").clip(min=0)
    assert found.dims == problem.truth_envelope_rfft.dims
    inside = found.where(problem.truth_envelope_rfft).sum("frequency") / found.sum("frequency")
    # Knocks slip by 1 %, so some of a line lies beside its bin.
    assert inside.min().item() > 0.85
    pump = found.where(problem.distractor_envelope_rfft).sum("frequency") / found.sum("frequency")
    assert pump.max().item() < 0.05


def test_chirps_are_explained_along_their_line() -> None:
    problem = synth.chirp(n=6, seed=18)
    explainer = freqig.Explainer(synth.oracle(problem), fs=problem.fs, domains=freqig.STFT(0.5))
    found = explainer(problem.signal.values, target=problem.label.values).stft.clip(min=0)
    assert found.where(problem.truth_stft).sum().item() > 0.95 * found.sum().item()


def test_spikes_are_explained_where_they_are() -> None:
    problem = synth.freqshapes(n=20, seed=19)
    explainer = freqig.Explainer(synth.oracle(problem), fs=problem.fs, domains=freqig.Time())
    found = explainer(problem.signal.values, target=problem.label.values).waveform
    assert rank_accuracy(found.values, problem.truth_waveform.values).mean() > 0.95


def test_pitches_are_explained_by_their_harmonics() -> None:
    problem = synth.pitch(n=4, seed=20)
    explainer = freqig.Explainer(synth.oracle(problem), fs=problem.fs)
    found = explainer(problem.signal.values, target=problem.label.values).rfft
    assert (rank_accuracy(found.values, problem.truth_rfft.values) == 1).all()


@pytest.mark.parametrize("rare", ["feature", "time"])
def test_white_boxes_are_explained_by_what_they_see(rare: str) -> None:
    problem = synth.arma(n=5, rare=rare, seed=21)
    seen = freqig.per_sample(problem.truth_waveform.values)
    explainer = freqig.Explainer(
        synth.oracle(problem), fs=problem.fs, domains=freqig.Time(), output=lambda outputs, _: outputs.sum(1)
    )
    found = explainer(problem.signal.values, additional_forward_args=seen).waveform
    # A square from zero belongs to its own input, all of it.
    np.testing.assert_allclose(found, (problem.signal**2).where(problem.truth_waveform, 0), atol=1e-4)
    assert (rank_accuracy(found.values, problem.truth_waveform.values) == 1).all()


def test_hidden_states_are_explained_by_the_signal_that_decides() -> None:
    problem = synth.hmm(n=3, n_time=30, seed=22)
    explainer = freqig.Explainer(
        synth.oracle(problem), fs=problem.fs, domains=freqig.Time(), output=lambda outputs, _: outputs.sum(1)
    )
    deciding = freqig.per_sample(problem.truth_waveform.values)
    found = explainer(problem.signal.values, additional_forward_args=deciding).waveform
    np.testing.assert_allclose(found, (2 * problem.signal).where(problem.truth_waveform, 0), atol=1e-5)


def test_spikes_are_decided_as_well_as_can_be() -> None:
    """Bayes' rule, written out: the mean density of the series over all places where a comb may start."""
    problem = synth.freqshapes(n=6, seed=23)
    for x, found in zip(problem.signal.values[:, 0].astype(float), logits(problem), strict=True):
        density = []
        for sign, period in ((-1, 10), (1, 10), (-1, 17), (1, 17)):
            each = []
            for start in range(50 - period):
                series = np.zeros(50)
                for centre in range(start, 50, period):
                    if 0 < centre < 49:
                        series[centre - 1 : centre + 2] = sign * (2 - 0.25 * np.arange(-1, 2) ** 2)
                each.append(-((x - series) ** 2).sum() / 2 / 0.25**2)
            density.append(np.logaddexp.reduce(each) - np.log(len(each)))
        np.testing.assert_allclose(found - found[0], np.array(density) - density[0], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (xr.Dataset(), "problem must be a Dataset that freqig.synth made.*freqrise"),
        (xr.Dataset(attrs={"problem": "freqrise"}), "with its attributes"),
    ],
)
def test_only_problems_have_oracles(problem: xr.Dataset, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        synth.oracle(problem)
