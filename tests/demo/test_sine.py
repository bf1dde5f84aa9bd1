"""The documented example: its series, its network, and its claim."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from freqig.demo import sine


@pytest.fixture(scope="module")
def found() -> sine.SineExplanation:
    return sine.run()


@pytest.fixture
def untouched() -> Iterator[None]:
    """The global random states, the gradient mode and the threads are the same afterwards."""
    state = np.random.get_state
    before = torch.get_rng_state(), state()[1].copy(), torch.get_num_threads()
    yield
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(state()[1], before[1])
    assert torch.get_num_threads() == before[2]
    assert torch.is_grad_enabled()


def test_series_are_as_documented() -> None:
    series = sine.make_series()
    assert series.signals.shape == (100, 256)
    assert series.signals.dtype == torch.float32
    assert set(series.labels.tolist()) == {0, 1}
    assert series.frequency in range(1, 10)
    spectrum = np.abs(np.fft.rfft(series.signals.numpy())) / 128
    at_sine = spectrum[:, int(2 * series.frequency)]
    with_sine = series.labels.numpy() == 1
    # The noise adds to an amplitude by about 5 * sqrt(2 / 256) = 0.44 in each of two phases.
    assert at_sine[with_sine].min() > 10 - 2
    assert at_sine[with_sine].max() < 30 + 2
    assert at_sine[~with_sine].max() < 2
    noise = series.signals[torch.from_numpy(~with_sine)]
    assert float(noise.std()) == pytest.approx(5, rel=0.03)
    phases = np.angle(np.fft.rfft(series.signals.numpy()))[with_sine, int(2 * series.frequency)]
    assert len(set(np.floor(phases / (np.pi / 2)))) == 4


def test_seeds_give_other_series_and_the_same_seed_the_same() -> None:
    assert {sine.make_series(seed).frequency for seed in range(40)} == set(range(1, 10))
    assert torch.equal(sine.make_series(3).signals, sine.make_series(3).signals)
    assert not torch.equal(sine.make_series(3).signals, sine.make_series(4).signals)
    first, second = (sine.SineNet(5).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_network_is_as_documented() -> None:
    shapes = [tuple(p.shape) for p in sine.SineNet().parameters()]
    assert shapes == [(8, 1, 5), (8,), (16, 8, 3), (16,), (2, 16), (2,)]


@pytest.mark.usefixtures("untouched")
def test_training_works_where_gradients_are_off_and_touches_no_global_state() -> None:
    series = sine.make_series(1)
    with torch.no_grad():
        net = sine.train(series, seed=1)
        predicted = net(series.signals).argmax(dim=1)
    assert not net.training
    assert float((predicted == series.labels).double().mean()) > 0.95


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("seed", [9, 11])
def test_the_strongest_frequency_is_that_of_the_sine_for_other_seeds(seed: int) -> None:
    found = sine.run(seed)
    assert found.agrees
    assert found.strongest_frequency == found.target_frequency
    assert found.accuracy > 0.95


def test_the_explained_series_is_a_recognised_one(found: sine.SineExplanation) -> None:
    result = found.result
    assert result.sizes["sample"] == 1
    assert result.target.item() == result.predicted.item() == 1
    assert result.frequency.attrs["units"] == "Hz"
    series = sine.make_series()
    assert found.target_frequency == series.frequency
    matches = (series.signals.numpy() == result.signal.values).all(axis=1)
    assert series.labels[int(np.flatnonzero(matches)[0])] == 1


def test_the_strongest_frequency_is_that_of_the_sine(found: sine.SineExplanation) -> None:
    assert found.agrees
    strongest = found.result.rfft.isel(sample=0).to_series().idxmax()
    assert strongest == found.strongest_frequency == found.target_frequency


def test_the_attributions_add_up(found: sine.SineExplanation) -> None:
    result = found.result.isel(sample=0)
    difference = float(result.output - result.baseline_output)
    assert bool(result.converged)
    assert float(result.rfft.sum()) == pytest.approx(difference, rel=0.01)


def test_disagreement_is_told(found: sine.SineExplanation) -> None:
    other = sine.SineExplanation(found.result, 8.0, 7.5, 1.0, 0.0, 0.0)
    assert not other.agrees


def test_a_network_that_recognises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Never(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tensor([1.0, 0.0]).expand(len(x), 2)

    monkeypatch.setattr(sine, "train", lambda series, seed: Never())
    with pytest.raises(RuntimeError, match=r"recognises no series with the sine .*another seed"):
        sine.run()


@pytest.mark.parametrize("seed", [-1])
def test_wrong_seeds(seed: int) -> None:
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        sine.make_series(seed)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        sine.train(sine.make_series(), seed)
