"""Models whose outputs are probabilities: found out once, said, and explained by what they mean."""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import Explainer, attribute
from freqig.errors import OutputScaleWarning
from freqig.objective.classes import ClassReader

from ..helpers import Smooth, close, noise

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 12
CLASSES = 5
SCALES = ("logit", "log_prob", "probability", "margin")

fixed = functools.partial(Explainer, n_steps=50)


def scale_warnings(call: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(w.message) for w in caught if issubclass(w.category, OutputScaleWarning)]


def quiet(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutputScaleWarning)
        return call()


class Softmax(nn.Module):
    """Logits, or their softmax, of which one gives the truth for the other by the chain rule."""

    def __init__(self, outputs: int = CLASSES, gain: float = 1.0, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.logits, self.gain = Smooth(N, outputs=outputs, dtype=dtype), gain

    def forward(self, x: Tensor) -> Tensor:
        return (self.gain * self.logits(x)).softmax(-1)


# --- by the chain rule, it is the explanation of the logits ---------------------------------------


@pytest.mark.parametrize("name", ["log_prob", "probability", "margin"])
@pytest.mark.parametrize("target", [None, 3, "all"])
@pytest.mark.parametrize("probabilities", [None, True])
def test_a_softmax_is_explained_like_its_logits(name: str, target: Any, probabilities: bool | None) -> None:
    x, baseline, model = noise(4, N), noise(4, N, seed=1), Softmax()
    of_logits = fixed(model.logits, output=name)(x, target=target, baseline=baseline)
    explainer = fixed(model, output=name, probabilities=probabilities)
    result = quiet(lambda: explainer(x, target=target, baseline=baseline))
    close(result.rfft, of_logits.rfft, 1e-10)
    close(result.output, of_logits.output, 1e-10)
    close(result.baseline_output, of_logits.baseline_output, 1e-10)
    np.testing.assert_array_equal(result.predicted, of_logits.predicted)
    assert json.loads(result.attrs["settings"])["probabilities"] is True
    assert "softmax over axis 1" in result.attrs["outputs"]


def test_a_sure_model_keeps_its_log_odds() -> None:
    """p is 1 in float32, and the log-odds still move as those of the logits do."""
    model = Softmax(gain=8, dtype=torch.float32)
    x = 3 * noise(4, N)
    assert float(model(torch.tensor(x, dtype=torch.float32)).detach().max()) == 1.0
    truth = Explainer(lambda v: 8 * model.logits(v), output="margin", n_steps=200)(x)
    result = Explainer(model, output="margin", probabilities=True, n_steps=200)(x)
    close(result.rfft, truth.rfft, 1e-5)
    close(result.output, truth.output, 1e-5)


@pytest.mark.parametrize("name", SCALES)
def test_one_probability_is_that_of_a_sigmoid(name: str) -> None:
    x, net = noise(4, N), Smooth(N, outputs=1)
    of_logit = fixed(net, output="probability" if name == "logit" else name)(x)
    result = fixed(lambda v: net(v).sigmoid(), output=name, probabilities=True)(x)
    close(result.rfft, of_logit.rfft, 1e-10)
    close(result.output, of_logit.output, 1e-10)


@pytest.mark.parametrize("name", ["log_prob", "probability", "margin"])
def test_probabilities_of_several_labels(name: str) -> None:
    """They do not sum to one: each label has log-odds of its own."""
    x, net = noise(4, N), Smooth(N, outputs=3)
    result = fixed(lambda v: net(v).sigmoid(), output=name, probabilities=True)(x, target=2)
    alone = fixed(lambda v: net(v)[:, 2:], output=name)(x)
    close(result.rfft, alone.rfft, 1e-10)


def test_logarithms_are_clamped() -> None:
    """A probability of 0 has no logarithm; that of the smallest number stands for it."""
    model = lambda v: torch.stack([torch.ones_like(v[:, 0]), torch.zeros_like(v[:, 0])], 1) + 0 * v[:, :1]
    for name, expected in (("log_prob", np.log(np.finfo(np.float32).tiny)), ("margin", None)):
        result = fixed(model, output=name, probabilities=True)(noise(2, N), target=1)
        assert np.isfinite(result.output).all()
        if expected is not None:
            np.testing.assert_allclose(result.output, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    model = Softmax(7, dtype=dtype)
    x = noise(6, N)
    result = quiet(lambda: fixed(model, output="log_prob", tol=1.0)(x))
    assert json.loads(result.attrs["settings"])["probabilities"] is True
    wide = fixed(Smooth(N, outputs=7), output="log_prob")(x, target=result.target.values)
    close(result.output, wide.output, 0.05)


# --- finding out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", SCALES)
def test_a_softmax_is_noticed_once(name: str, dtype: torch.dtype) -> None:
    explainer = fixed(Softmax(7, dtype=dtype), output=name, tol=1.0)
    (message,) = scale_warnings(lambda: [explainer(noise(40, N, seed=seed)) for seed in range(3)])
    assert f"output={name!r}" in message
    assert "sum to 1" in message
    assert "probabilities=False" in message


def test_thousands_of_classes_sum_to_one_up_to_rounding() -> None:
    torch.manual_seed(0)
    raw = (3 * torch.randn(50, 5000)).softmax(-1)
    with pytest.warns(OutputScaleWarning):
        classes = ClassReader.of(None, None, "logit").read(raw[2:], raw[:2])
    assert classes.values == "softmax"


def test_nothing_to_say() -> None:
    x, net = noise(5, N), Smooth(N)
    for name in SCALES:
        assert scale_warnings(functools.partial(fixed(net, output=name), x)) == []
        assert scale_warnings(functools.partial(fixed(Smooth(N, outputs=1), output=name), x)) == []
        for said in (True, False):
            assert (
                scale_warnings(functools.partial(fixed(Softmax(), output=name, probabilities=said), x)) == []
            )
        # Scores of several labels lie between 0 and 1 each, and do not sum to 1.
        assert scale_warnings(functools.partial(fixed(lambda v: net(v).sigmoid(), output=name), x)) == []
        # Neither is one output between 0 and 1 known for a probability.
        one = fixed(lambda v: net(v).sigmoid()[:, :1], output=name)
        assert scale_warnings(functools.partial(one, x)) == []
        logs = fixed(lambda v: net(v).log_softmax(-1), output=name)
        assert scale_warnings(functools.partial(logs, x)) == []
    assert scale_warnings(lambda: fixed(Softmax(), output=lambda raw, t: raw[:, 0])(x)) == []
    # The documented call has no output scales to choose from.
    assert scale_warnings(lambda: attribute(x[:, None], Softmax())) == []


def test_labels_that_sum_to_one_at_the_input_only() -> None:
    """At other points of the path they do not, so they are no softmax."""
    weights = torch.linspace(0.1, 0.9, N, dtype=torch.float64)
    first = lambda v: (v @ weights).tanh().square()
    x = np.ones((3, N))
    rest = 1 - float(first(torch.ones(1, N, dtype=torch.float64)))
    model = lambda v: torch.stack([first(v), rest + 0 * v[:, 0]], 1)
    explainer = fixed(model, output="log_prob", dtype=torch.float64)
    assert scale_warnings(lambda: explainer(x)) == []
    close(
        explainer(x).output,
        np.log(np.exp([1 - rest, rest]) / np.exp([1 - rest, rest]).sum()).max() * np.ones(3),
        1e-12,
    )


def test_outputs_that_nearly_sum_to_one_are_left_as_logits_with_a_word() -> None:
    net = Smooth(N)
    clipped = lambda v: net(v).softmax(-1).clamp(1e-5, 1) + 1e-6
    explainer = fixed(clipped, output="margin")
    (message,) = scale_warnings(lambda: explainer(noise(3, N)))
    assert "nearly sum to 1" in message
    close(
        explainer(noise(3, N)).rfft, fixed(clipped, output="margin", probabilities=False)(noise(3, N)).rfft, 0
    )


def test_false_takes_them_for_logits() -> None:
    x, model = noise(3, N), Softmax()
    result = fixed(model, output="log_prob", probabilities=False)(x)
    spelt = fixed(lambda v: model(v).log_softmax(-1))(x)
    close(result.rfft, spelt.rfft, 1e-12)
    assert json.loads(result.attrs["settings"])["probabilities"] is False


# --- what does not fit -----------------------------------------------------------------------------


@pytest.mark.parametrize("net", [Smooth(N), lambda v: 2 + v.sum(-1).tanh()], ids=["logits", "above 1"])
@pytest.mark.parametrize("name", SCALES)
def test_logits_are_no_probabilities(net: Any, name: str) -> None:
    with pytest.raises(ValueError, match=r"values in 0\.\.1, got .*probabilities=False"):
        fixed(net, output=name, probabilities=True)(3 * noise(8, N))


def test_a_model_that_changes_its_mind() -> None:
    """What was found at the first call is not applied to outputs that it does not fit."""
    net, gain = Smooth(N), [1.0]
    explainer = fixed(lambda v: net(v).softmax(-1) * gain[0], output="margin")
    quiet(lambda: explainer(noise(3, N)))
    gain[0] = 0.5
    with pytest.raises(ValueError, match="at the first call they summed to 1"):
        explainer(noise(3, N))


@pytest.mark.parametrize("value", ["yes", 1, 0.0, "auto"], ids=repr)
def test_probabilities_is_a_truth_value(value: Any) -> None:
    with pytest.raises(TypeError, match="probabilities must be None, True or False"):
        ClassReader.of(None, value, "logit")


def test_numpy_truth_values_are_recorded() -> None:
    result = Explainer(Softmax(), probabilities=np.True_, n_steps=5)(noise(2, N))
    assert json.loads(result.attrs["settings"])["probabilities"] is True
