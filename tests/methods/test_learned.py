"""Learned masks: what they keep, and what the published ones are known to get wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freqig
from freqig import methods
from freqig.methods.dynamask import wanted_of
from freqig.methods.flextime import over_bins

from .common import attribution, explained, made

LEARNED = ("DynaMask", "ExtremalMask", "FLEXtime", "LearnedMask")
TIME = np.arange(65) / 65
X = np.stack([sum(np.sin(2 * np.pi * f * TIME + f) for f in few) for few in ((5, 12), (5, 20))])


class Amplitudes(nn.Module):
    """Amplitudes at 5, 12 and 20 Hz as the logits of three classes."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * torch.fft.rfft(x)[..., [5, 12, 20]].abs() / 32


def learned(name: str, steps: int = 40, **asked: object) -> np.ndarray:
    settings = {"steps": steps, "rate": 0.2, **({"area": 0.03} if name == "DynaMask" else {}), **asked}
    aim = settings.pop("target", 0)
    if name == "FLEXtime":
        settings = {"filters": 33, "rate": 0.5, **settings}
    return attribution(made(name, Amplitudes(), fs=65, **settings)(X, target=aim))


@pytest.mark.parametrize("name", LEARNED)
def test_what_the_output_needs_is_kept_and_nothing_else_that_is_there(name: str) -> None:
    found = learned(name)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[:, 5] > 0.6).all()
    assert found[0, 12] < 0.5
    assert found[1, 20] < 0.5


@pytest.mark.parametrize("name", LEARNED)
def test_a_sample_has_the_loss_of_itself_alone(name: str) -> None:
    # Beside a sample whose output falls a thousandfold as far, where a loss or a size that is averaged over
    # the batch would leave this one what the other does not need.
    x = np.concatenate([X, 1000 * X[:1], 1e-3 * X[1:]])
    settings = {"steps": 8, "rate": 0.2, "fs": 65}
    together = attribution(made(name, Amplitudes(), **settings)(x, target=0))
    for i in (0, 3):
        alone = attribution(made(name, Amplitudes(), **settings)(x[i : i + 1], target=0))
        np.testing.assert_allclose(together[i : i + 1], alone, atol=1e-6)


@pytest.mark.parametrize("name", LEARNED)
def test_a_step_asks_about_as_many_samples_as_a_call_holds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freqig.chunks.MAX_POINTS", 16)
    asked = list[int]()

    class Watching(Amplitudes):
        def forward(self, x: Tensor) -> Tensor:
            asked.append(len(x))
            return super().forward(x)

    steps = 60
    made(name, Watching(), fs=65, steps=steps)(np.tile(X, (12, 1)), target=0)
    # In two calls, and a few before the first step.
    assert sum(asked) > 24 * steps
    assert len(asked) < 3 * steps


@pytest.mark.parametrize("name", LEARNED)
def test_the_size_of_outputs_and_signals_is_no_matter(name: str) -> None:
    # Powers of two, that round nothing: DynaMask ranks all coefficients, also those that are rounding alone.
    few = {"steps": 6, "fs": 65}
    one = attribution(made(name, Amplitudes(), **few)(X, target=0))
    other = attribution(made(name, Amplitudes(64.0), **few)(X / 1024, target=0))
    np.testing.assert_allclose(other, one, atol=1e-9)


@pytest.mark.parametrize("name", ["DynaMask", "FLEXtime", "LearnedMask"])
def test_a_complex_coefficient_is_masked_with_its_phase(name: str) -> None:
    # Where the real parts alone were masked, a sine, which is all imaginary part, would be left whatever
    # the mask is.
    seen = list[Tensor]()

    class Watching(Amplitudes):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(torch.fft.rfft(x.detach()))
            return super().forward(x)

    made(name, Watching(), fs=65, steps=2)(X[:1], target=0)
    whole = torch.fft.rfft(torch.from_numpy(X[0]))
    assert all(spectrum.shape[-1] == 33 for spectrum in seen)
    masked = seen[-1][0, [5, 12]] / whole[[5, 12]]
    assert (masked.abs() < 0.95).all()
    torch.testing.assert_close(masked.imag, torch.zeros(2, dtype=torch.float64), atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", LEARNED)
def test_a_coefficient_that_is_not_there_has_no_importance(name: str) -> None:
    even = np.sin(2 * np.pi * 5 * np.arange(64) / 64)[None]
    even = np.fft.irfft(np.where(np.arange(33) == 5, np.fft.rfft(even), 0), 64)
    domain = freqig.RFFT()
    found = attribution(made(name, Amplitudes(), fs=64, domains=domain)(even, target=0))
    there = np.abs(np.fft.rfft(even)) > 0
    np.testing.assert_array_equal(found[~there], 0)


def test_the_loss_is_that_of_the_explained_output_and_no_softmax_of_it() -> None:
    # Behind one more softmax the loss of a probability of .999 hardly differs from that of .5, and masks
    # come out too small to keep it.
    explainer = made("LearnedMask", Amplitudes(20.0), fs=65, output="log_prob", steps=40, sparsity=0.2)
    result = explainer(X[:1], target=1)
    mask = result.rfft.values[0]
    spectrum = torch.from_numpy(mask * np.fft.rfft(X[0]))
    kept = Amplitudes(20.0)(torch.fft.irfft(spectrum, 65)[None]).log_softmax(-1)[0, 1]
    assert kept.item() > result.output.item() - 0.2 * abs(
        result.output.item() - result.baseline_output.item()
    )


# FLEXtime's filters.


@pytest.mark.parametrize("filters", [1, 2, 7, 33])
@pytest.mark.parametrize("bins", [1, 2, 33, 64])
def test_bands_add_up_to_the_signal(filters: int, bins: int) -> None:
    responses = over_bins(torch.eye(min(filters, bins), dtype=torch.float64), bins)
    torch.testing.assert_close(responses.sum(0), torch.ones(bins, dtype=torch.float64))
    assert ((responses >= 0) & (responses <= 1)).all()


def test_the_first_signal_that_a_model_sees_is_half_of_all_of_it() -> None:
    # From the first value to the last: causal filters that are shifted back lose the beginning, and turn
    # round the end.
    seen = list[Tensor]()

    class Watching(Amplitudes):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.detach())
            return super().forward(x)

    made("FLEXtime", Watching(), fs=65, steps=1)(X[:1], target=0)
    torch.testing.assert_close(seen[-1][0], torch.from_numpy(X[0]) / 2, atol=1e-12, rtol=0)


def test_smoothness_makes_neighbours_alike() -> None:
    rough, smooth = (
        np.abs(np.diff(learned("FLEXtime", smoothness=weight, rate=0.02))).mean() for weight in (0.0, 3.0)
    )
    assert smooth < 0.97 * rough


# DynaMask's area, and ExtremalMask's filling.


@pytest.mark.parametrize("area", [0.4])
def test_the_area_is_kept(area: float) -> None:
    found = explained("DynaMask", steps=30, rate=0.2, area=area)
    share = (attribution(found) > 0.5).mean((1, 2))
    np.testing.assert_allclose(share, area, atol=0.1)


def test_of_numbers_that_are_alike_those_come_first_that_the_output_asks_for() -> None:
    # A sort would take the last ones, or the first ones, of every mask at the first step.
    masks, slopes = torch.full((1, 6), 0.5), torch.tensor([[0.0, 1.0, -3.0, 0.0, -2.0, 0.0]])
    assert wanted_of(masks, slopes, 1 / 3).tolist() == [[0, 0, 1, 0, 1, 0]]
    masks = torch.tensor([[0.9, 0.5, 0.1, 0.5, 0.8, 0.5]])
    assert wanted_of(masks, slopes, 1 / 3).tolist() == [[1, 0, 0, 0, 1, 0]]


def test_masks_that_reach_an_end_may_come_back() -> None:
    # All weight on size first sends masks to zero; a mask that is clamped as it is used alone would stay
    # there.
    found = made("ExtremalMask", Amplitudes(), fs=65, steps=50, rate=0.3, size=0.3, fill=100.0)(X, target=0)
    assert (found.rfft[:, 5] > 0.5).all()


def test_filling_is_dear_or_takes_the_place_of_what_is_masked() -> None:
    dear, cheap = (
        attribution(
            made("ExtremalMask", Amplitudes(), fs=65, steps=50, rate=0.2, size=5.0, fill=fill)(X, target=0)
        )[:, 5]
        for fill in (100.0, 0.0)
    )
    assert (dear > cheap + 0.3).all()


def test_every_framework_s_gradients_will_do() -> None:
    jnp = pytest.importorskip("jax.numpy")

    def score(x: object) -> object:
        return jnp.abs(jnp.fft.rfft(x)[:, 5])[:, None]

    found = methods.LearnedMask(score, fs=65, steps=4, rate=0.2)(X.astype(np.float32), target=0)
    assert (found.rfft[:, 5] == found.rfft.max("frequency")).all()


@pytest.mark.parametrize("name", ["size", "dilation", "smoothness", "rate"])
def test_weights_that_overflow_are_refused_before_the_work(name: str) -> None:
    # A loss of infinity has gradients of NaN, which masks then are.
    with pytest.raises(ValueError, match=rf"{name} must be in 1e-09\.\.1e\+09, got 1e\+30"):
        methods.DynaMask(Amplitudes(), fs=65, **{name: 1e30})
    largest = attribution(methods.DynaMask(Amplitudes().float(), fs=65, steps=3, **{name: 1e9})(X, target=0))
    assert np.isfinite(largest).all()
