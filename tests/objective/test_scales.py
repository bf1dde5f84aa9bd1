"""What of the model's output is explained: scales, selectors, and outputs of more axes."""

from __future__ import annotations

import functools
import json
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig import Explainer

from ..helpers import Smooth, SmoothTruth, close, legendre, noise, scores_of

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 12
CLASSES = 4
NODES = 50

fixed = functools.partial(Explainer, n_steps=NODES)

# Every scale as (value, derivative by the logits), for a vector of logits and a class; written in
# NumPy from the definition, with the derivative by hand.
Scale = Callable[[np.ndarray, int], tuple[float, np.ndarray]]


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum()


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def logit(z: np.ndarray, t: int) -> tuple[float, np.ndarray]:
    return z[t], np.eye(len(z))[t]


def log_prob(z: np.ndarray, t: int) -> tuple[float, np.ndarray]:
    if len(z) == 1:
        return float(np.log(sigmoid(z))[0]), 1 - sigmoid(z)
    return float(np.log(softmax(z))[t]), np.eye(len(z))[t] - softmax(z)


def probability(z: np.ndarray, t: int) -> tuple[float, np.ndarray]:
    if len(z) == 1:
        return float(sigmoid(z)[0]), sigmoid(z) * (1 - sigmoid(z))
    return float(softmax(z)[t]), softmax(z)[t] * (np.eye(len(z))[t] - softmax(z))


def margin(z: np.ndarray, t: int) -> tuple[float, np.ndarray]:
    if len(z) == 1:
        return z[0], np.ones(1)
    others = np.arange(len(z)) != t
    slopes = np.eye(len(z))[t]
    slopes[others] = -softmax(z[others])
    return z[t] - float(np.log(np.exp(z[others]).sum())), slopes


SCALES: dict[str, Scale] = {
    "logit": logit,
    "log_prob": log_prob,
    "probability": probability,
    "margin": margin,
}

# The same scales as callables, which get raw outputs and targets.
CALLABLES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "logit": lambda raw, t: raw[torch.arange(len(raw)), t],
    "log_prob": lambda raw, t: torch.log(raw.exp()[torch.arange(len(raw)), t] / raw.exp().sum(1)),
    "probability": lambda raw, t: raw.exp()[torch.arange(len(raw)), t] / raw.exp().sum(1),
}


def truth_of(
    scale: Scale, truth: SmoothTruth, x: np.ndarray, baseline: np.ndarray, target: int
) -> np.ndarray:
    """Scores of a scale of `Smooth` for one series, by the chain rule in NumPy."""

    def gradient(point: np.ndarray) -> np.ndarray:
        slopes = scale(truth(point), target)[1]
        return sum(slope * truth.gradient(point, k) for k, slope in enumerate(slopes))

    nodes, weights = legendre(NODES)
    mean = sum(w * gradient(baseline + a * (x - baseline)) for a, w in zip(nodes, weights, strict=True))
    return scores_of(x - baseline, mean)


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("classes", [1, 2, CLASSES])
def test_named_scales(name: str, classes: int) -> None:
    x, baseline = noise(3, 2, N), noise(3, 2, N, seed=1)
    truth = SmoothTruth(N, 2, classes)
    targets = [0, classes - 1, classes // 2]
    result = fixed(Smooth(N, 2, classes), output=name)(x, baseline=baseline, target=targets)
    for i, target in enumerate(targets):
        close(result.rfft[i], truth_of(SCALES[name], truth, x[i], baseline[i], target), 1e-11)
        for variable, point in (("output", x[i]), ("baseline_output", baseline[i])):
            value = SCALES[name](truth(point), target)[0]
            assert float(result[variable][i]) == pytest.approx(value, rel=1e-12)
    assert bool(result.converged.all())


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
def test_one_output_needs_neither_target_nor_axis(name: str, shape: tuple[int, ...]) -> None:
    x = noise(3, N)
    truth, smooth = SmoothTruth(N, 1, 1), Smooth(N, 1, 1)
    result = fixed(lambda points: smooth(points).reshape(len(points), *shape), output=name)(x)
    expected = np.stack([truth_of(SCALES[name], truth, one, 0 * one, 0) for one in x])
    close(result.rfft, expected, 1e-11)
    np.testing.assert_array_equal(result.target, 0)


@pytest.mark.parametrize("name", CALLABLES)
def test_callables_equal_the_scales_they_spell(name: str) -> None:
    x = noise(3, 2, N)
    targets = []

    def scale(raw: Tensor, target: Tensor) -> Tensor:
        assert raw.shape[1:] == (CLASSES,)
        assert target.shape == (len(raw),)
        targets.append(target)
        return CALLABLES[name](raw, target)

    by_name = fixed(Smooth(N, 2, CLASSES), output=name)
    by_callable = fixed(Smooth(N, 2, CLASSES), output=scale)
    for target in (None, 2, [3, 0, 1]):
        close(by_callable(x, target=target).rfft, by_name(x, target=target).rfft, 1e-12)
    assert {t.dtype for t in targets} == {torch.int64}


def test_a_callable_may_ignore_the_target() -> None:
    x = noise(3, N)
    truth = SmoothTruth(N, 1, CLASSES)
    result = fixed(Smooth(N, 1, CLASSES), output=lambda raw, _: raw.sum(-1))(x)
    together = [
        sum(scores_of(one, truth.mean_gradient(one, 0 * one, k, NODES)) for k in range(CLASSES)) for one in x
    ]
    close(result.rfft, np.stack(together), 1e-12)
    assert "output" in json.loads(result.attrs["settings"])


@pytest.mark.parametrize(
    "scale",
    [lambda raw, t: raw, lambda raw, t: raw.sum(), lambda raw, t: 1.0, lambda raw, t: raw[:1, 0]],
    ids=["all of it", "sum over samples", "number", "one row"],
)
def test_a_callable_returns_one_scalar_a_sample(scale: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="one scalar per sample"):
        fixed(Smooth(N), output=scale)(noise(3, N))


@pytest.mark.parametrize("name", ["Logit", "softmax", "", None, 3, ["logit"]], ids=repr)
def test_unknown_scales(name: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        fixed(Smooth(N), output=name)


@pytest.mark.parametrize("name", SCALES)
def test_scales_are_recorded(name: str) -> None:
    result = fixed(Smooth(N), output=name)(noise(1, N))
    assert json.loads(result.attrs["settings"])["output"] == name
    assert result.rfft.attrs["units"] == result.output.attrs["units"] == name


def test_callables_are_recorded_by_name() -> None:
    def contrast(raw: Tensor, target: Tensor) -> Tensor:
        return raw[:, 0] - raw[:, 1]

    settings = json.loads(fixed(Smooth(N), output=contrast)(noise(1, N)).attrs["settings"])
    assert "contrast" in settings["output"]


def test_the_default_is_the_raw_output() -> None:
    x = noise(3, N)
    np.testing.assert_array_equal(fixed(Smooth(N))(x).rfft, fixed(Smooth(N), output="logit")(x).rfft)


# --- the target ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCALES)
def test_the_target_is_that_of_the_input_all_along_the_path(name: str) -> None:
    """The prediction changes on the way from x' = -x, and the class that is explained does not."""

    def model(points: Tensor) -> Tensor:
        return torch.stack([points[:, 0], -points[:, 0], 0 * points[:, 1]], 1)

    x = np.array([[2.0, 1.0], [-2.0, 1.0]])
    result = fixed(model, output=name, dtype=torch.float64)(x, baseline=-x)
    np.testing.assert_array_equal(result.target, [0, 1])
    np.testing.assert_array_equal(result.predicted, [0, 1])
    for variable, sign in (("output", 1), ("baseline_output", -1)):
        value = SCALES[name](np.array([2.0, -2.0, 0.0]) * sign, 0)[0]
        np.testing.assert_allclose(result[variable], [value, value])


def test_the_prediction_is_that_of_the_raw_output() -> None:
    """Also where the scale would order the classes the other way round."""
    x = noise(5, N)
    truth = SmoothTruth(N, 1, CLASSES)
    predicted = [int(truth(one).argmax()) for one in x]
    for output in (*SCALES, lambda raw, t: -raw[torch.arange(len(raw)), t]):
        result = fixed(Smooth(N, 1, CLASSES), output=output)(x)
        np.testing.assert_array_equal(result.target, predicted)
        np.testing.assert_array_equal(result.predicted, predicted)


def test_the_prediction_does_not_follow_a_given_target() -> None:
    x = noise(5, N)
    truth = SmoothTruth(N, 1, CLASSES)
    result = fixed(Smooth(N, 1, CLASSES))(x, target=1)
    np.testing.assert_array_equal(result.target, 1)
    np.testing.assert_array_equal(result.predicted, [int(truth(one).argmax()) for one in x])


# --- several outputs -----------------------------------------------------------------------------

Pair = namedtuple("Pair", ["scores", "features"])


@dataclass
class Record:
    scores: Tensor
    features: Tensor


class Mapping(dict):
    """As some libraries return them: keys that are attributes too."""

    __getattr__ = dict.__getitem__


SEVERAL: dict[str, tuple[Callable[[Tensor, Tensor], Any], Any]] = {
    "tuple": (lambda scores, features: (features, scores), 1),
    "tuple from its end": (lambda scores, features: (features, scores), -1),
    "list": (lambda scores, features: [scores, features], 0),
    "dict": (lambda scores, features: {"scores": scores, "features": features}, "scores"),
    "dict with numbers": (lambda scores, features: {3: scores, 4: features}, 3),
    "named tuple by name": (Pair, "scores"),
    "named tuple by place": (Pair, 0),
    "attributes": (Record, "scores"),
    "mapping": (lambda scores, features: Mapping(scores=scores, features=features), "scores"),
}


@pytest.mark.parametrize(("pack", "key"), SEVERAL.values(), ids=SEVERAL.keys())
@pytest.mark.parametrize("engine", ["path", "captum"])
def test_one_of_several_outputs(pack: Callable[..., Any], key: Any, engine: str) -> None:
    x = noise(3, N)
    smooth = Smooth(N)
    result = fixed(lambda points: pack(smooth(points), points), output_key=key, engine=engine)(x)
    close(result.rfft, fixed(smooth, engine=engine)(x).rfft, 1e-13)
    assert json.loads(result.attrs["settings"])["output_key"] == key


@pytest.mark.parametrize(
    ("pack", "offered"),
    [
        (lambda scores, features: (scores, features), "tuple of 2"),
        (lambda scores, features: [features, scores], "list of 2"),
        (lambda scores, features: {"scores": scores, "other": features}, "'scores', 'other'"),
        (Pair, "Pair of 2"),
    ],
)
def test_several_outputs_need_a_selector(pack: Callable[..., Any], offered: str) -> None:
    smooth = Smooth(N)
    with pytest.raises(ValueError, match=f"{offered}.*output_key"):
        fixed(lambda points: pack(smooth(points), points))(noise(3, N))


@pytest.mark.parametrize(
    ("pack", "key"),
    [
        (lambda scores, features: (scores, features), 2),
        (lambda scores, features: (scores, features), "scores"),
        (lambda scores, features: {"scores": scores}, "score"),
        (lambda scores, features: {"scores": scores}, 0),
    ],
)
def test_selectors_that_do_not_fit(pack: Callable[..., Any], key: Any) -> None:
    smooth = Smooth(N)
    with pytest.raises(ValueError, match=f"output_key={key!r} does not fit"):
        fixed(lambda points: pack(smooth(points), points), output_key=key)(noise(3, N))


def test_a_selector_may_leave_several() -> None:
    smooth = Smooth(N)
    with pytest.raises(ValueError, match="tuple of 2"):
        fixed(lambda points: {"a": (smooth(points), points)}, output_key="a")(noise(3, N))


@pytest.mark.parametrize(
    "output", [None, 1.0, "class", object()], ids=["nothing", "number", "text", "object"]
)
def test_outputs_that_are_no_tensors(output: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="tensor"):
        fixed(lambda points: output)(noise(3, N))


# --- outputs of more axes ------------------------------------------------------------------------

STEPS = 3


def by_step(points: Tensor) -> Tensor:
    """Scores of every class at every step, (batch, step, class): another model a step."""
    return torch.stack([Smooth(N, 2, CLASSES, seed=step)(points) for step in range(STEPS)], 1)


def step_truth(scale: Scale, x: np.ndarray, index: tuple[int, int]) -> np.ndarray:
    return truth_of(scale, SmoothTruth(N, 2, CLASSES, seed=index[0]), x, 0 * x, index[1])


@pytest.mark.parametrize("name", SCALES)
def test_a_tuple_is_one_index_for_all_samples(name: str) -> None:
    """The softmax is that of the step: over the axis of the classes alone."""
    x = noise(2, 2, N)
    result = fixed(by_step, output=name, class_axis=-1, dtype=torch.float64)(x, target=(2, 1))
    close(result.rfft, np.stack([step_truth(SCALES[name], one, (2, 1)) for one in x]), 1e-11)
    np.testing.assert_array_equal(result.target, [[2, 1], [2, 1]])
    last = SmoothTruth(N, 2, CLASSES, seed=2)
    np.testing.assert_array_equal(result.predicted, [int(last(one).argmax()) for one in x])


@pytest.mark.parametrize("pack", [list, np.array, torch.tensor], ids=["list", "array", "tensor"])
def test_a_list_of_tuples_is_one_index_a_sample(pack: Callable[[Any], Any]) -> None:
    x = noise(3, 2, N)
    indices = [(2, 1), (0, 3), (1, 0)]
    explainer = fixed(by_step, output="log_prob", class_axis=2, dtype=torch.float64)
    result = explainer(x, target=pack(indices))
    expected = [step_truth(log_prob, one, index) for one, index in zip(x, indices, strict=True)]
    close(result.rfft, np.stack(expected), 1e-11)
    np.testing.assert_array_equal(result.target, indices)


def test_three_axes_of_outputs() -> None:
    smooth = Smooth(N, 2, 24)
    x = noise(2, 2, N)
    result = fixed(lambda points: smooth(points).reshape(-1, 2, 3, 4))(x, target=(1, 2, 3))
    close(result.rfft, fixed(smooth)(x, target=23).rfft, 1e-13)


def test_no_target_for_more_axes_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"target must be given.*\('N', 3, 4\)"):
        fixed(by_step, dtype=torch.float64)(noise(2, 2, N))


@pytest.mark.parametrize(
    "target", [1, [0, 1], [1, 2, 3], (1,), (1, 2, 3), (3, 0), (0, 4), (0, -1), [(0, 1)] * 3, "all"], ids=repr
)
def test_targets_that_do_not_fit_more_axes(target: Any) -> None:
    with pytest.raises(ValueError, match="target"):
        fixed(by_step, dtype=torch.float64)(noise(2, 2, N), target=target)


def test_a_callable_reduces_more_axes() -> None:
    """It gets the outputs as they are, and the target only where one was given."""
    x = noise(2, 2, N)
    targets = []

    def first_step(raw: Tensor, target: Tensor | None) -> Tensor:
        assert raw.shape[1:] == (STEPS, CLASSES)
        targets.append(None if target is None else tuple(target.shape[1:]))
        return raw[:, 0, 1]

    explainer = fixed(by_step, output=first_step, dtype=torch.float64)
    expected = np.stack([step_truth(logit, one, (0, 1)) for one in x])
    close(explainer(x).rfft, expected, 1e-11)
    assert set(targets) == {None}
    targets.clear()
    close(explainer(x, target=(1, 1)).rfft, expected, 1e-11)
    assert set(targets) == {(2,)}


@pytest.mark.parametrize("name", SCALES)
def test_every_target_of_every_scale(name: str) -> None:
    x = noise(2, N)
    explainer = fixed(Smooth(N, 1, CLASSES), output=name)
    every = explainer(x, target="all")
    for target in range(CLASSES):
        close(every.rfft.sel(target=target), explainer(x, target=target).rfft, 1e-12)


def test_masked_classes() -> None:
    """A logit of minus infinity takes a class out of the softmax, and leaves gradients finite."""
    smooth = Smooth(N, 1, CLASSES)
    mask = torch.tensor([0.0, 0.0, -torch.inf, 0.0], dtype=torch.float64)
    x = noise(2, N)
    for name in SCALES:
        result = fixed(lambda points: smooth(points) + mask, output=name)(x, target=1)
        reduced = fixed(lambda points: smooth(points)[:, [0, 1, 3]], output=name)(x, target=1)
        close(result.rfft, reduced.rfft, 1e-12)
