"""What is said where there is nothing, or hardly anything, to explain between baseline and input."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig import STFT, Domain, Explainer, Segments, Spatial, Time, Wavelet, attribute, baselines
from freqig.errors import EmptyExplanationWarning, FreqigWarning, ResolutionWarning

from ..helpers import noise

N = 20
fixed = functools.partial(Explainer, n_steps=30, domains=Time(), dtype=torch.float64)


def said(call: Callable[[], Any], category: type[Warning] = EmptyExplanationWarning) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", FreqigWarning)
        call()
    return [str(w.message) for w in caught if issubclass(w.category, category)]


def sleep(x: Tensor) -> Tensor:
    """Three stages; silence and what is constant are stage 2 for sure, and a ramp is stage 0."""
    first = x[..., 0]
    fast = (x[..., 1:] - x[..., :-1]).mean(-1)
    return torch.stack([60 * fast.abs(), -5 + 0 * first, 8 + 0.5 * first], -1)


FLAT = np.ones((3, N))
RAMP = np.cumsum(np.full((3, N), 0.5), -1)


@pytest.mark.parametrize("output", ["logit", "log_prob", "probability", "margin"])
def test_a_baseline_that_is_itself_the_class(output: str) -> None:
    (message,) = said(lambda: fixed(sleep, output=output)(FLAT))
    assert "the baseline is itself predicted as the target for 3 of 3 samples (0, 1, 2)" in message
    assert "p = 1.00" in message
    assert "baselines.data(...)" in message


def test_one_notice_names_the_samples() -> None:
    x = np.concatenate([RAMP[:1], FLAT[:1], RAMP[:1], FLAT[:2]])
    (message,) = said(lambda: fixed(sleep)(x))
    assert "3 of 5 samples (1, 3, 4)" in message


def test_the_numbers_are_those_of_the_model() -> None:
    x = 2 * FLAT[:1]
    (message,) = said(lambda: fixed(sleep)(x))
    assert "F(x') = 8" in message
    assert "F(x) = 9" in message


@pytest.mark.parametrize("domain", [Time(), Segments(0.3), Wavelet("haar")])
def test_places_without_a_coefficient_hide_nothing(domain: Domain) -> None:
    # The last segment is shorter, and coarse levels have fewer coefficients: there NaN fills the table.
    (message,) = said(lambda: Explainer(lambda x: 1 + 0 * x.sum(-1), fs=100, domains=domain)(noise(2, 70)))
    assert "all attributions are 0" in message


def test_attributions_that_are_not_known_are_not_called_zero() -> None:
    class NoSlope(torch.autograd.Function):
        @staticmethod
        def forward(_: Any, x: Tensor) -> Tensor:
            return 1 + 0 * x

        @staticmethod
        def backward(_: Any, *gradients: Tensor) -> Tensor:
            return gradients[0] * torch.nan

    explainer = Explainer(lambda x: NoSlope.apply(x.sum(-1)))
    assert "all attributions are 0" not in " ".join(said(lambda: explainer(noise(2, N))))


@pytest.mark.parametrize("given", [0, None])
def test_a_baseline_of_another_class_is_not_spoken_of(given: int | None) -> None:
    assert said(lambda: fixed(sleep)(RAMP, target=given)) == []
    assert said(lambda: fixed(sleep)(FLAT, baseline=RAMP)) == []


def pair(at_baseline: tuple[float, ...], at_x: tuple[float, ...]) -> Callable[[Tensor], Tensor]:
    """A model of given probabilities at silence and at ones, with logits that move in a line."""
    start, end = (torch.tensor(p, dtype=torch.float64).log() for p in (at_baseline, at_x))
    return lambda x: start + (end - start) * x.mean(-1, keepdim=True)


ONES = np.ones((1, N))


@pytest.mark.parametrize("output", ["logit", "log_prob", "probability", "margin"])
@pytest.mark.parametrize(
    ("at_baseline", "at_x"),
    [
        ((0.6, 0.4), (0.95, 0.05)),
        ((0.55, 0.25, 0.2), (0.99, 0.005, 0.005)),
        ((0.4, 0.3, 0.3), (0.91, 0.05, 0.04)),
        ((0.7, 0.3), (0.8, 0.2)),
        ((0.6, 0.4), (0.7, 0.3)),  # however little the model is sure of
        ((0.7, 0.3), (0.4, 0.6)),  # nor need the input be of that class
    ],
)
def test_a_baseline_that_leans_to_the_class(
    at_baseline: tuple[float, ...], at_x: tuple[float, ...], output: str
) -> None:
    (message,) = said(lambda: fixed(pair(at_baseline, at_x), output=output)(ONES, target=0))
    assert "the baseline is itself predicted as the target for 1 of 1 samples (0)" in message
    assert f"p = {at_baseline[0]:.2f}" in message
    assert f"p = {at_x[0]:.2f}" in message


@pytest.mark.parametrize(
    ("at_baseline", "at_x"),
    [
        ((0.4, 0.6), (0.95, 0.05)),  # another class
        ((0.5, 0.5), (0.95, 0.05)),  # none
        ((0.34, 0.33, 0.33), (0.98, 0.01, 0.01)),  # hardly any
        ((0.34, 0.33, 0.33), (0.35, 0.33, 0.32)),  # at neither end
    ],
)
def test_a_baseline_that_decides_nothing_is_not_spoken_of(
    at_baseline: tuple[float, ...], at_x: tuple[float, ...]
) -> None:
    for output in ("log_prob", "probability", "margin"):
        assert said(lambda o=output: fixed(pair(at_baseline, at_x), output=o)(ONES)) == []


def test_an_output_that_hardly_rises() -> None:
    """From another class: then it is the others that fell, which scales between classes see."""
    model = lambda x: torch.stack([5 + 0.01 * x.mean(-1), 6 - 5 * x.mean(-1)], -1)
    (message,) = said(lambda: fixed(model)(FLAT))
    assert "has nearly as high an output, or a higher one, for 3 of 3 samples" in message
    assert "F(x') = 5 at the baseline" in message
    assert "output='log_prob' or 'margin'" in message
    assert said(lambda: fixed(model, output="margin")(FLAT)) == []


def test_an_output_that_falls_while_the_model_is_sure_of_nothing() -> None:
    """p = 0.60 at the input, of another class at the baseline, whose logit was higher all the same."""
    model = lambda x: torch.stack([1 - x.mean(-1), 2 - 2.4 * x.mean(-1)], -1)
    (message,) = said(lambda: fixed(model)(FLAT))
    assert "has nearly as high an output, or a higher one, for 3 of 3 samples" in message
    assert "p = 0.60 and F(x) = 0 at the input" in message
    tied = lambda x: torch.stack([1 - x.mean(-1), 2 - 2.01 * x.mean(-1)], -1)
    assert said(lambda: fixed(tied)(FLAT)) == []


def test_series_of_other_classes_as_baselines() -> None:
    """The remedy that is named: most of the baselines are something else."""
    assert said(lambda: fixed(sleep)(FLAT, baseline=baselines.data(RAMP))) == []
    (message,) = said(lambda: fixed(sleep)(FLAT, baseline=baselines.data(2 * FLAT)))
    assert "itself predicted" in message


def test_of_every_class_only_the_decision_counts() -> None:
    assert said(lambda: fixed(sleep)(RAMP, target="all")) == []
    (message,) = said(lambda: fixed(sleep)(FLAT, target="all"))
    assert "3 of 3 samples" in message


def test_baselines_of_their_own() -> None:
    """Every sample has its own, and the arguments of the model follow them."""
    start = np.concatenate([FLAT[:1], RAMP[:2]])
    (message,) = said(lambda: fixed(sleep)(2 * FLAT, baseline=start))
    assert "1 of 3 samples (0)" in message
    bias = torch.tensor([[0.0, 0, 0], [50, 0, 0], [0, 0, 0]], dtype=torch.float64)
    shifted = lambda x, add: sleep(x) + add
    (message,) = said(lambda: fixed(shifted)(FLAT, target=2, additional_forward_args=bias))
    assert "2 of 3 samples (0, 2)" in message


def test_an_output_that_was_higher_at_the_baseline() -> None:
    """The class wins since another lost: its own logit fell, which is all that was explained."""
    model = lambda x: torch.stack([5 - x.mean(-1), 9 - 20 * x.mean(-1)], -1)
    (message,) = said(lambda: fixed(model)(FLAT))
    assert "has nearly as high an output, or a higher one, for 3 of 3 samples" in message
    assert said(lambda: fixed(model, output="log_prob")(FLAT)) == []


def test_models_that_end_in_a_softmax() -> None:
    model = lambda x: sleep(x).softmax(-1)
    for probabilities in (True, False):
        (message,) = said(lambda p=probabilities: fixed(model, probabilities=p)(FLAT))
        assert "p = 1.00" in message
    assert "p = 1.00" in said(lambda: attribute(FLAT[:1], model))[0]
    assert said(lambda: fixed(model, probabilities=True)(RAMP)) == []


def test_one_probability() -> None:
    """One output is a class only where it is said to be one."""
    model = lambda x: 6 + x.mean(-1)
    (message,) = said(lambda: fixed(model, output="log_prob")(FLAT))
    assert "itself predicted" in message
    assert said(lambda: fixed(lambda x: x.mean(-1) * 5 - 2, output="log_prob")(FLAT)) == []


@pytest.mark.parametrize("output", ["logit", "margin", lambda raw, t: raw[:, 0]])
@pytest.mark.parametrize("sign", [1, -1])
def test_regression_has_no_classes(output: Any, sign: int) -> None:
    """A number may fall, and a baseline may have a larger one, without a word."""
    assert said(lambda: fixed(lambda x: 100 + sign * x.mean(-1), output=output)(FLAT)) == []


def test_the_place_of_a_step_counts() -> None:
    model = lambda x: torch.stack([sleep(x), sleep(x).flip(-1)], -1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", EmptyExplanationWarning)
        fixed(model, class_axis=1)(RAMP, target=(0, 0))
        fixed(model)(2 * FLAT, target=(2, 0))
    (message,) = said(lambda: fixed(model, class_axis=1)(FLAT, target=(None, 1)))
    assert "itself predicted" in message


# --- nothing at all --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_steps", [None, 10])
def test_an_output_that_is_saturated_at_both_ends(dtype: torch.dtype, n_steps: int | None) -> None:
    model = lambda x: torch.sigmoid(200 + x.sum(-1))
    (message,) = said(lambda: Explainer(model, n_steps=n_steps, dtype=dtype)(FLAT))
    assert "all attributions are 0" in message
    assert "F(x) = 1 and F(x') = 1" in message


def test_saturated_samples_are_named() -> None:
    x = np.stack([[1.0, 1.0], [-1.0, 0.0], [1.0, -1.0], [-2.0, 0.0]])
    (message,) = said(lambda: fixed(lambda v: torch.relu(v[..., 0]))(x))
    assert "2 of 4 samples (1, 3)" in message
    assert said(lambda: fixed(lambda v: torch.tanh(v[..., 0]))(x)) == []


def test_an_input_that_is_its_baseline() -> None:
    x = np.concatenate([RAMP[:1], 0 * RAMP[:2]])
    (message,) = said(lambda: fixed(sleep)(x))
    assert "x equals its baseline for 2 of 3 samples (1, 2)" in message
    assert "itself predicted" not in message
    assert len(said(lambda: fixed(sleep)(RAMP, baseline=RAMP))) == 1
    assert "x equals its baseline" in said(lambda: attribute(np.zeros(N), lambda v: v.sum(-1)))[0]


def test_cancelling_attributions_are_not_nothing() -> None:
    """F(x) = F(x') with attributions that cancel is an explanation."""
    x = np.array([[1.0, 1.0]])
    assert said(lambda: fixed(lambda v: v[..., 0] - v[..., 1])(x)) == []


def test_the_notice_has_a_class_of_its_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        fixed(sleep)(FLAT)
    with pytest.warns(EmptyExplanationWarning):
        fixed(sleep)(FLAT)


# --- frames that see everything ---------------------------------------------------------------------


def test_windows_that_are_longer_than_the_signal() -> None:
    model, x = (lambda v: v.square().sum((-1, -2))), noise(2, 3, 75)
    for domain in (STFT(2.0), Spatial(np.eye(3)) >> STFT(2.0)):
        (message,) = said(lambda d=domain: fixed(model, fs=100, domains=d)(x), ResolutionWarning)
        assert "2 s, longer than the signal of 0.75 s" in message
        assert "2 frames" in message
    assert said(lambda: fixed(model, fs=100, domains=STFT(0.75))(x), ResolutionWarning) == []
    two = lambda a, b: a.sum(-1) * b.sum(-1)
    (message,) = said(
        lambda: fixed(two, fs=100, domains=STFT(0.5))((noise(2, 30), noise(2, 90))), ResolutionWarning
    )
    assert "0.3 s" in message
