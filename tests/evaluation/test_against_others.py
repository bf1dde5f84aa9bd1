"""Metrics against Quantus, against formulas of their own, and on recordings of which the model is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import noise

import freqig
from freqig.evaluation.complexity import complexity
from freqig.evaluation.truth import truth_metrics

pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def given() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Attributions, truth and series, shape (3, 12), of which Quantus 0.6.0 said the numbers below."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 12))
    truth = np.zeros((3, 12), dtype=bool)
    for row, places in zip(truth, ([0, 3, 7], [1, 2], [5, 6, 8, 9]), strict=True):
        row[places] = True
    return a, truth, rng.normal(size=(3, 12))


def test_metrics_with_a_truth_and_complexity_are_those_of_quantus() -> None:
    a, truth, _ = given()
    found = truth_metrics(a, truth)
    # RelevanceRankAccuracy and RelevanceMassAccuracy, normalise=False, with abs=True and without; for the
    # mass without, negative attributions were put to zero beforehand.
    assert found["relevance_rank_accuracy"] == pytest.approx([1 / 3, 0, 0.25])
    assert found["relevance_rank_accuracy_by_sign"] == pytest.approx([1 / 3, 0, 0.5])
    assert found["relevance_mass_accuracy"] == pytest.approx([0.173569, 0.156679, 0.331053], abs=1e-6)
    assert found["relevance_mass_accuracy_by_sign"] == pytest.approx([0.334097, 0, 0.32683], abs=1e-6)
    # Complexity, abs=True.
    assert complexity(a)["entropy"] == pytest.approx([2.184944, 2.215728, 2.267427], abs=1e-6)


class Saturating(torch.nn.Module):
    """Two outputs, 3 tanh of weighted sums."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(2, 12))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 3 * torch.tanh(x[:, 0] @ self.weight.T)


def test_deletion_is_pixel_flipping_of_quantus() -> None:
    a, _, x = given()
    result = freqig.Explainer(Saturating(), fs=1.0, domains=freqig.Time(), n_steps=16)(
        x[:, None], target=[0, 1, 0]
    )
    result["waveform"] = result.waveform.copy(data=a[:, None])
    table = freqig.evaluate(result, Saturating(), x[:, None], families="deletion", steps=4)
    curve = table.curve.sel(variable="waveform", kind="deletion", by="count", order="attribution")
    # PixelFlipping, features_in_step=3, perturb_baseline=0, softmax=False.
    flipped = [
        [-1.72283, 1.71869, -0.5991, 0],
        [-2.45633, -2.26005, -0.62585, 0],
        [-2.73845, -2.97566, -2.84878, 0],
    ]
    np.testing.assert_allclose(curve.isel(share=slice(1, None), replacement=0).T, flipped, atol=2e-5)


class Energies(torch.nn.Module):
    """A weighted sum of the squared magnitudes of bins, which does not see phases."""

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(weights))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.fft.rfft(x).abs().square() @ self.weights)[:, None]


def test_road_of_energies_is_that_of_interpolated_magnitudes() -> None:
    # An odd length has no bin that is real by itself but the first, which weighs nothing.
    n, bins = 41, np.arange(21)
    weights = np.where(bins == 0, 0, np.random.default_rng(2).normal(size=21))
    x, model = noise(3, n), Energies(weights)
    result = freqig.Explainer(model, fs=1.0)(x, target=0)
    table = freqig.evaluate(result, model, x, families="road")
    expected = {"road_most_first": np.zeros(3), "road_least_first": np.zeros(3)}
    for i, (attribution, magnitude) in enumerate(
        zip(result.rfft.values, np.abs(np.fft.rfft(x)), strict=True)
    ):
        order = np.argsort(-attribution, kind="stable")
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            gone = round(21 * share)
            for name, left in (("road_most_first", order[gone:]), ("road_least_first", order[: 21 - gone])):
                left = np.sort(left)
                filled = np.interp(bins, left, magnitude[left])
                expected[name][i] += weights @ filled**2 / 5
    for name, values in expected.items():
        np.testing.assert_allclose(table.score.sel(variable="rfft", metric=name), values, rtol=1e-9)
    difference = expected["road_least_first"] - expected["road_most_first"]
    np.testing.assert_allclose(table.score.sel(variable="rfft", metric="road"), difference, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")
def test_a_keras_network_is_randomised_from_the_output_down(keras: Any) -> None:
    layers = keras.layers
    keras.utils.set_random_seed(0)
    low, norm, top = layers.Conv1D(4, 5, name="low"), layers.BatchNormalization(name="norm"), layers.Dense(3)
    net = keras.Sequential([keras.Input((24, 2)), low, layers.ReLU(), norm, layers.Flatten(), top])
    before = [np.array(w) for w in net.get_weights()]
    x = noise(4, 24, 2)
    result = freqig.Explainer(net, fs=24.0, time_axis=1, n_steps=8)(x, target=1)
    table = freqig.evaluate(result, net, x, families="sanity")
    cascade = table.randomised.sel(variable="rfft")
    assert cascade.layer.values.tolist() == [top.name, "norm", "low"]
    assert np.isfinite(cascade).all()
    cosine = cascade.sel(measure="cosine").mean("sample")
    # Another head on the same features still shares something; nothing is left that is the same.
    assert (abs(cosine) < 0.99).all()
    last = table.score.sel(variable="rfft", metric="untrained_cosine")
    np.testing.assert_array_equal(last, cascade.sel(measure="cosine", layer="low"))
    for old, new in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


class Hearing(torch.nn.Module):
    """log(1 + power of a band of one channel), in a unit of power."""

    def __init__(self, hertz: np.ndarray, band: tuple[float, float], channel: int, unit: float) -> None:
        super().__init__()
        self.register_buffer("band", torch.from_numpy((hertz >= band[0]) & (hertz < band[1])))
        self.channel, self.unit = channel, unit

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        power = torch.fft.rfft(x[:, self.channel].double()).abs().square()
        return torch.log1p((power * self.band).sum(-1, keepdim=True) / self.unit)


@pytest.mark.parametrize(
    ("file", "window", "band", "channel"),
    [
        ("eegmmidb_S001/S001R02.edf", 4.0, (8.0, 13.0), 61),
        ("yasa_samples/data_resting_EO_200Hz_raw.fif", 60.0, (4.0, 8.0), 1),
        ("fsdd_subset/7_jackson_2.wav", 0.1, (300.0, 600.0), 0),
    ],
)
def test_a_model_that_hears_a_band_of_a_recording(
    data_path: Path, file: str, window: float, band: tuple[float, float], channel: int
) -> None:
    pytest.importorskip("mne")
    if not (data_path / file).exists():
        pytest.skip(f"no recording {file} in FREQIG_DATA or ../shared/data")
    x = freqig.read(data_path / file, window=window).isel(sample=slice(0, 3))
    hertz = np.fft.rfftfreq(x.sizes["time"], float(x.time[1] - x.time[0]))
    heard = np.zeros((x.sizes["channel"], hertz.size), dtype=bool)
    heard[channel] = (hertz >= band[0]) & (hertz < band[1])
    power = np.abs(np.fft.rfft(x.values[:, channel].astype(float))) ** 2
    model = Hearing(hertz, band, channel, unit=float(power[:, heard[channel]].sum(1).mean()))
    result = freqig.Explainer(model)(x, target=0)
    table = freqig.evaluate(
        result,
        model,
        x,
        truth=heard,
        families=("truth", "deletion", "erasure", "complexity"),
        steps=4,
        random_orders=1,
    )
    score = table.score.sel(variable="rfft")
    for metric in ("average_precision", "relevance_rank_accuracy", "relevance_mass_accuracy"):
        np.testing.assert_allclose(score.sel(metric=metric), 1, atol=1e-6)
    # The output at the signal as it is, and log 1 without the band, however many coefficients go.
    own = np.log1p(power[:, heard[channel]].sum(1) / model.unit)
    np.testing.assert_allclose(score.sel(metric="comprehensiveness"), own, rtol=1e-5)
    np.testing.assert_allclose(score.sel(metric="sufficiency"), 0, atol=1e-5)
    assert (score.sel(metric="deletion_by_count") < score.sel(metric="deletion_by_count_random")).all()
    # Shares of what a coefficient does are shares of power: its entropy by the formula.
    share = power * heard[channel] / power[:, heard[channel]].sum(1, keepdims=True)
    entropy = -np.sum(share * np.log(np.where(share > 0, share, 1)), axis=1)
    np.testing.assert_allclose(score.sel(metric="entropy"), entropy, rtol=1e-4)
