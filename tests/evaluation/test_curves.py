"""Deletion, insertion and erasure against closed forms, where the model is linear and outputs are sums."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers import Smooth, noise

import freqig
from freqig.evaluation.curves import trapezoid_weights
from freqig.evaluation.ordering import best_orders, by_energy, energies, ranked, top

N = 15
FAMILIES = ("deletion", "erasure", "difference")


def linear(n: int = N, seed: int = 3) -> torch.nn.Linear:
    """One output, the weights known."""
    model = torch.nn.Linear(n, 1, bias=False).double()
    model.weight.data[0] = torch.from_numpy(noise(n, seed=seed))
    return model


def evaluated(model: torch.nn.Module, x: np.ndarray, **options: object) -> tuple[xr.Dataset, xr.Dataset]:
    """An explanation, and its evaluation."""
    result = freqig.Explainer(model, fs=1.0)(x, target=0)
    return result, freqig.evaluate(result, model, x, steps=8, **{"families": FAMILIES, **options})


def prefix_sums(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, ... values of an order."""
    taken = np.cumsum(np.take_along_axis(values, order, 1), axis=1)
    return np.concatenate([np.zeros((len(values), 1)), taken], axis=1)


def test_curves_of_a_linear_model_are_sums_of_attributions() -> None:
    x, model = noise(3, N), linear()
    result, table = evaluated(model, x)
    attribution = result.rfft.values
    counts = np.rint(attribution.shape[1] * np.linspace(0, 1, 9)).astype(int)
    taken = prefix_sums(attribution, np.argsort(-attribution, axis=1))[:, counts]
    own = table.curve.sel(variable="rfft", by="count", order="attribution", replacement="baseline")
    np.testing.assert_allclose(own.sel(kind="insertion").T, taken, atol=1e-9)
    np.testing.assert_allclose(
        own.sel(kind="deletion").T, attribution.sum(1, keepdims=True) - taken, atol=1e-9
    )
    area = ((taken[:, 1:] + taken[:, :-1]) / 2).mean(1)
    np.testing.assert_allclose(table.score.sel(variable="rfft", metric="insertion_by_count"), area, atol=1e-9)


def test_amplitude_order_is_that_of_the_power_spectrum() -> None:
    x, model = noise(3, N), linear()
    result, table = evaluated(model, x)
    power = np.abs(np.fft.rfft(x)) ** 2 / N
    power[:, 1:] *= 2
    counts = np.rint(power.shape[1] * np.linspace(0, 1, 9)).astype(int)
    taken = prefix_sums(result.rfft.values, np.argsort(-power, axis=1))[:, counts]
    own = table.curve.sel(
        variable="rfft", by="count", order="amplitude", kind="insertion", replacement="baseline"
    )
    np.testing.assert_allclose(own.T, taken, atol=1e-9)


def test_energies_are_shares_of_the_energy_of_the_signal() -> None:
    x = torch.from_numpy(noise(2, 16))
    found = energies(freqig.RFFT(), x, torch.zeros_like(x))
    np.testing.assert_allclose(found.sum(1), x.square().sum(1))
    whole = np.abs(np.fft.fft(x.numpy())) ** 2 / 16
    np.testing.assert_allclose(found[:, 3], whole[:, 3] + whole[:, -3])


def test_the_best_order_of_a_linear_model_is_that_of_its_attributions() -> None:
    _, table = evaluated(linear(), noise(3, N))
    mean = table.score.sel(variable="rfft")
    for kind in ("deletion", "insertion"):
        best, own = (mean.sel(metric=f"{kind}_by_count{end}") for end in ("_best", ""))
        np.testing.assert_allclose(best, own, atol=1e-9)


def test_no_order_beats_the_best_one() -> None:
    generator = np.random.default_rng(0)
    values, weights = generator.normal(size=(2, 2**4)), generator.random(5)
    for removing in (True, False):
        found = best_orders(values, weights, removing)
        for i in range(2):

            def total(order: tuple[int, ...], row: np.ndarray, removing: bool = removing) -> float:
                taken = [sum(1 << j for j in order[:k]) for k in range(1, 5)]
                kept = [15 ^ t for t in taken] if removing else taken
                return float(sum(w * row[k] for w, k in zip(weights[1:], kept, strict=True)))

            all_of_them = [total(order, values[i]) for order in permutations(range(4))]
            best = min(all_of_them) if removing else max(all_of_them)
            assert total(tuple(found[i]), values[i]) == pytest.approx(best)


def test_deletion_in_reverse_is_insertion() -> None:
    x, model = noise(4, N), Smooth(N)
    result = freqig.Explainer(model, fs=1.0)(x, target=1)
    turned = result.assign(rfft=(-result.rfft).assign_attrs(result.rfft.attrs))
    options = {"families": "deletion", "steps": 8}
    own = freqig.evaluate(result, model, x, **options).curve
    other = freqig.evaluate(turned, model, x, **options).curve
    place = {"by": "count", "order": "attribution"}
    deletion = other.sel(kind="deletion", **place).values[..., ::-1, :]
    np.testing.assert_allclose(deletion, own.sel(kind="insertion", **place).values, atol=1e-9)


def test_erasure_of_a_linear_model_by_hand() -> None:
    x = noise(3, N)
    result, table = evaluated(linear(), x)
    a = np.sort(result.rfft.values, axis=1)[:, ::-1]
    score = table.score.sel(variable="rfft")
    np.testing.assert_allclose(score.sel(metric="comprehensiveness"), a[:, 0], atol=1e-9)
    np.testing.assert_allclose(score.sel(metric="sufficiency"), a[:, 1:].sum(1), atol=1e-9)
    np.testing.assert_allclose(score.sel(metric="faithfulness@0.25"), a[:, :2].sum(1), atol=1e-9)
    np.testing.assert_allclose(score.sel(metric="cpd_by_sign"), np.abs(a[:, 0]), atol=1e-9)
    np.testing.assert_allclose(score.sel(metric="cpd_by_magnitude"), np.abs(a).max(1), atol=1e-9)
    np.testing.assert_allclose(score.sel(metric="cpp_by_magnitude"), np.abs(a).min(1), atol=1e-9)
    np.testing.assert_allclose(score.sel(metric="cpp_by_sign"), np.abs(a[:, -1]), atol=1e-9)


def test_log_odds_and_differences_are_those_of_probabilities() -> None:
    x, model = noise(3, N), Smooth(N)
    result, table = evaluated(model, x)
    first = result.rfft.values.argmax(1)
    spectrum = np.fft.rfft(x)
    spectrum[np.arange(3), first] = 0
    without = torch.from_numpy(np.fft.irfft(spectrum, N))
    with torch.no_grad():
        before, after = model(torch.from_numpy(x)).softmax(-1).numpy(), model(without).softmax(-1).numpy()
    score = table.score.sel(variable="rfft")
    np.testing.assert_allclose(score.sel(metric="log_odds"), np.log(after[:, 0] / before[:, 0]), atol=1e-9)
    np.testing.assert_allclose(score.sel(metric="cpd_by_sign"), np.abs(after - before).sum(1), atol=1e-9)


def test_replacements_end_at_what_they_say() -> None:
    x, model = noise(4, N), Smooth(N)
    result = freqig.Explainer(model, fs=1.0)(x, target=0)
    operators = ("baseline", "surrogate", "noise", "data")
    table = freqig.evaluate(result, model, x, families="deletion", operator=operators, seed=5, steps=4)
    end = table.curve.sel(variable="rfft", kind="deletion", by="count", order="attribution").isel(share=-1)
    signals = torch.from_numpy(x)
    rules = {"surrogate": freqig.baselines.surrogate(5), "noise": freqig.baselines.noise(seed=5)}
    for name, rule in rules.items():
        with torch.no_grad():
            wanted = model(rule.draw(signals, 1.0)[0])[:, 0]
        np.testing.assert_allclose(end.sel(replacement=name), wanted, atol=1e-9)
    data = end.sel(replacement="data").values
    np.testing.assert_allclose(np.sort(data), np.sort(result.output), atol=1e-9)
    assert not np.isclose(data, result.output).any()
    whole = table.curve.sel(kind="deletion").isel(share=0)
    assert (whole.max("replacement") - whole.min("replacement")).max() < 1e-9
    assert "deletion_by_count[data]" in table.metric.values


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 10), min_size=2, max_size=9), st.floats(0.05, 0.95))
def test_shares_of_energy_are_reached_and_no_sooner(values: list[float], share: float) -> None:
    energy = np.array([values])
    order = ranked(energy)
    count = int(by_energy(energy, order, np.array([share]))[0, 0])
    sums = prefix_sums(energy, order)[0]
    slack = 1e-9 * sums[-1]
    assert sums[count] >= share * sums[-1] - slack
    assert count <= 1 or sums[count - 1] <= share * sums[-1] + slack


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0.01, 100), st.permutations(range(4)))
def test_scores_follow_the_samples_and_not_the_scale(scale: float, order: list[int]) -> None:
    x, model = noise(4, 9), torch.nn.Sequential(linear(9), torch.nn.Tanh())
    result = freqig.Explainer(model, fs=1.0, n_steps=16)(x, target=0)
    options = {"families": (*FAMILIES, "complexity"), "steps": 3, "random_orders": 1}
    own = freqig.evaluate(result, model, x, **options).score
    other = result.isel(sample=order)
    other = other.assign(rfft=(other.rfft * scale).assign_attrs(result.rfft.attrs))
    moved = freqig.evaluate(other, model, x[order], **options).score
    np.testing.assert_allclose(moved, own.isel(sample=order), atol=1e-9)


def test_weights_and_tops() -> None:
    np.testing.assert_allclose(trapezoid_weights(np.linspace(0, 1, 5)).sum(), 1)
    assert top(np.array([10, 11, 1]), 0.1).tolist() == [1, 2, 1]
