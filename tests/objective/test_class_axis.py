"""Which axis of the outputs holds the classes: said, found by a softmax, or an error; never by sizes."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import Explainer, Time
from freqig.errors import OutputScaleWarning
from freqig.objective.classes import ClassReader

from ..helpers import SmoothTruth, close, legendre, noise, scores_of

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N, CLASSES, STEPS = 16, 3, 5
TRUTH = SmoothTruth(N, 1, CLASSES * STEPS)
SCALES = ("logit", "log_prob", "probability", "margin")

fixed = functools.partial(Explainer, n_steps=40)
known = functools.partial(fixed, probabilities=True)


class Picker(nn.Module):
    """Logits or a softmax of every class at every step, classes on an axis of choice."""

    def __init__(self, axis: int = 1, softmax: bool = False, steps: int = STEPS) -> None:
        super().__init__()
        self.axis, self.softmax, self.steps = axis, softmax, steps
        for name in ("W", "b", "V", "c"):
            setattr(self, name, nn.Parameter(torch.tensor(getattr(TRUTH, name))))

    def forward(self, x: Tensor) -> Tensor:
        raw = torch.tanh(x.flatten(1) @ self.W.T + self.b) @ self.V.T + self.c
        raw = raw.reshape(-1, CLASSES, STEPS)[..., : self.steps]
        raw = raw.softmax(1) if self.softmax else raw
        return raw.movedim(1, self.axis)


def logits(x: np.ndarray, step: int) -> np.ndarray:
    return TRUTH(x).reshape(CLASSES, STEPS)[:, step]


def scale(name: str, z: np.ndarray, k: int) -> tuple[float, np.ndarray]:
    """A scale and its slopes by the logits, from the definition."""
    p, one = np.exp(z) / np.exp(z).sum(), np.eye(len(z))[k]
    return {
        "logit": (z[k], one),
        "log_prob": (np.log(p[k]), one - p),
        "probability": (p[k], p[k] * (one - p)),
        "margin": (np.log(p[k] / (1 - p[k])), (one - p) / (1 - p[k])),
    }[name]


def truth_of(name: str, x: np.ndarray, k: int, step: int) -> np.ndarray:
    """Scores of one series against silence, by the chain rule in NumPy."""

    def gradient(point: np.ndarray) -> np.ndarray:
        slopes = scale(name, logits(point, step), k)[1]
        return sum(s * TRUTH.gradient(point, c * STEPS + step) for c, s in enumerate(slopes))

    nodes, weights = legendre(40)
    return scores_of(x, sum(w * gradient(a * x) for a, w in zip(nodes, weights, strict=True)))


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize(("axis", "said"), [(1, 1), (1, -2), (2, 2), (2, -1)])
def test_classes_are_on_the_axis_that_is_said(name: str, axis: int, said: int) -> None:
    x = noise(3, N)
    target = (2, 4) if axis == 1 else (4, 2)
    result = fixed(Picker(axis), output=name, class_axis=said)(x, target=target)
    close(result.rfft, np.stack([truth_of(name, one, 2, 4) for one in x]), 1e-11)
    close(result.output, np.array([scale(name, logits(one, 4), 2)[0] for one in x]), 1e-11)
    np.testing.assert_array_equal(result.predicted, [logits(one, 4).argmax() for one in x])
    np.testing.assert_array_equal(result.target, [target] * 3)
    assert json.loads(result.attrs["settings"])["class_axis"] == axis


@pytest.mark.parametrize("name", ["log_prob", "probability", "margin"])
@pytest.mark.parametrize("axis", [1, 2])
def test_a_softmax_over_one_axis_decides(name: str, axis: int) -> None:
    x = noise(3, N)
    explainer = fixed(Picker(axis, softmax=True), output=name)
    with pytest.warns(OutputScaleWarning, match="sum to 1"):
        result = explainer(x, target=(0, 4) if axis == 1 else (4, 0))
    close(result.rfft, np.stack([truth_of(name, one, 0, 4) for one in x]), 1e-11)
    np.testing.assert_array_equal(result.predicted, [logits(one, 4).argmax() for one in x])
    assert f"softmax over axis {axis}" in result.attrs["outputs"]


@pytest.mark.parametrize("steps", [CLASSES, 1])
def test_sizes_decide_nothing(steps: int) -> None:
    """As many steps as classes, or one: the softmax says which axis it is, and without one nothing does."""
    x = noise(2, N)
    result = known(Picker(1, softmax=True, steps=steps), output="log_prob")(x, target=(2, 0))
    close(result.rfft, np.stack([truth_of("log_prob", one, 2, 0) for one in x]), 1e-11)
    with pytest.raises(ValueError, match=rf"3 classes, {steps} steps\) or \(N, 3 steps, {steps} classes"):
        fixed(Picker(1, steps=steps), output="log_prob")(x, target=(2, 0))


def test_a_long_sequence_of_picks() -> None:
    """(N, 3, 3001): the softmax over time would give every class one three-thousandth."""
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(3, 1, 9, dtype=torch.float64, generator=generator)
    onset = lambda v: nn.functional.conv1d(v[:, None], kernel, padding=4)
    x = noise(2, 3001)
    result = known(lambda v: onset(v).softmax(1), output="probability", dtype=torch.float64, domains=Time())(
        x, target=[(1, 1404), (2, 20)]
    )
    z = onset(torch.tensor(x)).numpy()
    for i, (k, step) in enumerate([(1, 1404), (2, 20)]):
        value = np.exp(z[i, k, step]) / np.exp(z[i, :, step]).sum()
        assert float(result.output[i]) == pytest.approx(value, rel=1e-12)
        assert int(result.predicted[i]) == z[i, :, step].argmax()
    assert set(np.flatnonzero(result.waveform[0])) <= set(range(1400, 1409))


# --- where nothing says it --------------------------------------------------------------------------


def test_a_tuple_of_a_logit_needs_no_axis() -> None:
    x = noise(3, N)
    result = fixed(Picker())(x, target=(2, 4))
    close(result.rfft, np.stack([truth_of("logit", one, 2, 4) for one in x]), 1e-11)
    assert "predicted" not in result.variables
    assert "class_axis" in result.attrs["outputs"]
    assert json.loads(result.attrs["settings"])["class_axis"] is None


BOTH = r"\(N, 3 classes, 5 steps\) or \(N, 3 steps, 5 classes\).*class_axis=1 or class_axis=2"


@pytest.mark.parametrize("target", [None, "all"])
@pytest.mark.parametrize("name", SCALES)
def test_without_an_axis_there_is_no_class(name: str, target: Any) -> None:
    with pytest.raises(ValueError, match=BOTH):
        fixed(Picker(), output=name)(noise(2, N), target=target)


@pytest.mark.parametrize("name", ["log_prob", "probability", "margin"])
def test_without_an_axis_there_is_no_softmax(name: str) -> None:
    with pytest.raises(ValueError, match=BOTH):
        fixed(Picker(), output=name)(noise(2, N), target=(0, 0))


def test_images_of_classes() -> None:
    model = lambda v: Picker()(v).reshape(-1, CLASSES, 1, STEPS)
    with pytest.raises(
        ValueError, match=r"\(N, 3 classes, 1, 5\) or \(N, 3, 1 classes, 5\) or \(N, 3, 1, 5 c"
    ):
        fixed(model, dtype=torch.float64)(noise(2, N))
    x = noise(2, N)
    result = fixed(model, output="margin", class_axis=1, dtype=torch.float64)(x, target=(2, 0, 4))
    close(result.rfft, np.stack([truth_of("margin", one, 2, 4) for one in x]), 1e-11)


# --- targets with an axis of classes ----------------------------------------------------------------


@pytest.mark.parametrize(("axis", "place"), [(1, (None, 4)), (2, (4, None))])
def test_the_predicted_class_at_a_place(axis: int, place: tuple[Any, ...]) -> None:
    x = noise(6, N)
    explainer = fixed(Picker(axis), output="log_prob", class_axis=axis)
    classes = [int(logits(one, 4).argmax()) for one in x]
    assert len(set(classes)) > 1, "the samples do not tell one class from their own"
    result = explainer(x, target=place)
    given = explainer(x, target=[(k, 4) if axis == 1 else (4, k) for k in classes])
    close(result.rfft, given.rfft, 0)
    np.testing.assert_array_equal(result.target, given.target)
    np.testing.assert_array_equal(result.predicted, classes)


@pytest.mark.parametrize(("axis", "place"), [(1, ("all", 4)), (2, (4, "all"))])
def test_every_class_at_a_place(axis: int, place: tuple[Any, ...]) -> None:
    x = noise(2, N)
    result = fixed(Picker(axis), output="margin", class_axis=axis)(x, target=place)
    assert result.rfft.dims == ("sample", "target", "frequency")
    np.testing.assert_array_equal(result.target, range(CLASSES))
    for k in range(CLASSES):
        close(result.rfft.sel(target=k), np.stack([truth_of("margin", one, k, 4) for one in x]), 1e-11)


@pytest.mark.parametrize("target", [None, 2, [2, 0], "all", (2, 0)], ids=repr)
@pytest.mark.parametrize("axis", [1, 2])
def test_one_step_is_the_only_place(axis: int, target: Any) -> None:
    """Outputs (N, K, 1) and (N, 1, K) have one place, once it is said where their classes are."""
    x = noise(2, N)
    plain = lambda v: Picker()(v)[..., 0]
    shaped = lambda v: plain(v).unsqueeze(3 - axis)
    if isinstance(target, (tuple, list)):
        index = [(k, 0) if axis == 1 else (0, k) for k in (target if isinstance(target, list) else [2, 2])]
        plain_target: Any = [2, 2] if isinstance(target, tuple) else target
    else:
        index = plain_target = target
    result = fixed(shaped, class_axis=axis, output="log_prob", dtype=torch.float64)(x, target=index)
    expected = fixed(plain, output="log_prob", dtype=torch.float64)(x, target=plain_target)
    close(result.rfft, expected.rfft, 1e-13)
    np.testing.assert_array_equal(result.predicted, expected.predicted)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (None, r"classes are on axis 1: say which place .*target=\(None, step\)"),
        ("all", r"target=\('all', step\)"),
        (1, "tuple of 2 numbers, in the order of the output axes"),
        ((1, None), "in the place of the classes only"),
        ((1, "all"), "in the place of the classes only"),
        ((None, None), "in the place of the classes only"),
        ((3, 0), r"0\.\.2 on output axis 1"),
        ((None, 5), r"0\.\.4 on output axis 2"),
        ((0,), "needs 2 numbers"),
    ],
    ids=str,
)
def test_targets_that_name_no_class_at_a_place(target: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fixed(Picker(), class_axis=1)(noise(2, N), target=target)


@pytest.mark.parametrize(
    ("class_axis", "message"),
    [
        (0, "must not be 0, the batch axis"),
        (3, r"in 1\.\.2 or -2\.\.-1 for outputs of shape \('N', 3, 5\)"),
        (-3, "whose axis 0 is the batch, got -3"),
    ],
)
def test_axes_that_are_none(class_axis: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fixed(Picker(), class_axis=class_axis)(noise(2, N), target=(0, 0))


@pytest.mark.parametrize("class_axis", [1.0, True, "class", [1]], ids=repr)
def test_an_axis_is_an_integer(class_axis: Any) -> None:
    with pytest.raises(TypeError, match="class_axis must be an integer"):
        ClassReader.of(class_axis, None, "logit")


def test_two_axes_have_their_classes_last() -> None:
    x, model = noise(2, N), lambda v: Picker()(v)[..., 0]
    for class_axis in (1, -1, np.int64(1)):
        result = fixed(model, class_axis=class_axis, dtype=torch.float64)(x)
        close(result.rfft, fixed(model, dtype=torch.float64)(x).rfft, 0)
        assert json.loads(result.attrs["settings"])["class_axis"] == 1
    with pytest.raises(ValueError, match="must be 1 or -1"):
        fixed(model, class_axis=2, dtype=torch.float64)(x)


def test_a_softmax_over_another_axis_than_was_said() -> None:
    with pytest.warns(OutputScaleWarning, match="class_axis=2 .* sum to 1 over axis 1"):
        fixed(Picker(1, softmax=True), class_axis=2)(noise(2, N), target=(0, 0))


def test_both_engines() -> None:
    x = noise(2, N)
    results = [
        Explainer(Picker(), output="margin", class_axis=1, n_steps=40, engine=engine)(x, target=(None, 4))
        for engine in ("path", "captum")
    ]
    close(results[0].rfft, results[1].rfft, 1e-6)
