"""The documented call: what it takes, what it gives back, and what it says when it cannot."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import attribute

from .helpers import LENGTHS, Recorder, SmallCNN, Smooth, SmoothTruth, close, noise, scores_of, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 20
FREQUENCIES = N // 2 + 1


def energy(x: Tensor) -> Tensor:
    """Half the energy of each series, of any number of axes."""
    return x.flatten(1).square().sum(1) / 2


def test_signature_is_the_documented_one() -> None:
    parameters = inspect.signature(attribute).parameters
    assert {name: p.default for name, p in parameters.items()} == {
        "input": inspect.Parameter.empty,
        "model": inspect.Parameter.empty,
        "target": None,
        "baseline": None,
        "n_steps": 50,
        "segment": None,
        "start_idx": None,
        "additional_forward_args": None,
    }
    assert all(p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in parameters.values())


def test_arguments_may_be_positional() -> None:
    x, model = noise(N), Smooth(N)
    by_name = attribute(
        input=x,
        model=lambda x, gain: gain * model(x),
        target=1,
        baseline=np.ones(N),
        n_steps=20,
        segment=np.zeros(5),
        start_idx=3,
        additional_forward_args=2.0,
    )
    scaled = lambda x, gain: gain * model(x)
    np.testing.assert_array_equal(by_name, attribute(x, scaled, 1, np.ones(N), 20, np.zeros(5), 3, 2.0))


# Input


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((N,), (FREQUENCIES,)),
        ((1, N), (FREQUENCIES,)),
        ((3, N), (3, FREQUENCIES)),
        ((1, 1, N), (1, 1, FREQUENCIES)),
        ((1, 3, N), (1, 3, FREQUENCIES)),
        ((4, 1, N), (4, 1, FREQUENCIES)),
        ((4, 3, N), (4, 3, FREQUENCIES)),
    ],
    ids=str,
)
def test_shapes(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    x = noise(*shape)
    scores = attribute(x, Smooth(N, channels=shape[-2] if len(shape) > 1 else 1), target=0)
    assert type(scores) is np.ndarray
    assert scores.shape == expected
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("n", LENGTHS)
def test_number_of_frequencies(n: int) -> None:
    """One-sided, n // 2 + 1 for even and odd n."""
    assert attribute(noise(n), energy).shape == (len(np.fft.rfftfreq(n)),)
    assert attribute(noise(2, 3, n), energy).shape == (2, 3, n // 2 + 1)


X = noise(3, 2, N)
WHOLE = np.round(2 * X)


@pytest.mark.parametrize(
    ("x", "reference"),
    [
        (X.tolist(), X),
        ([[tuple(row) for row in sample] for sample in X], X),
        (list(X), X),
        (torch.tensor(X), X),
        ([torch.tensor(sample) for sample in X], X),
        (torch.tensor(X, requires_grad=True), X),
        (X.astype(np.float32), X.astype(np.float32)),
        (X.astype(np.float16), X.astype(np.float16)),
        (torch.tensor(X).half(), torch.tensor(X).half().numpy()),
        (torch.tensor(X).bfloat16(), torch.tensor(X).bfloat16().float().numpy()),
        (X.astype(np.longdouble), X),
        (X.astype(">f8"), X),
        (WHOLE.astype(np.int16), WHOLE),
        (WHOLE.astype(np.int64), WHOLE),
        (torch.tensor(WHOLE).int(), WHOLE),
        (np.abs(WHOLE).astype(np.uint8), np.abs(WHOLE)),
        (np.abs(WHOLE).astype(np.uint16), np.abs(WHOLE)),
        (torch.tensor(np.abs(WHOLE)).to(torch.uint16), np.abs(WHOLE)),
        (X > 0, (X > 0).astype(float)),
        (torch.tensor(X > 0), (X > 0).astype(float)),
        (X[..., ::-1], X[..., ::-1].copy()),
        (X[::-1, ::-1], X[::-1, ::-1].copy()),
        (np.repeat(X, 2, axis=-1)[..., ::2], X),
        (np.asfortranarray(X), X),
        (torch.tensor(X.transpose(2, 1, 0).copy()).permute(2, 1, 0), X),
        (torch.tensor(X[:1]).expand(3, 2, N), np.repeat(X[:1], 3, axis=0)),
    ],
    ids=[
        "lists",
        "tuples",
        "list of arrays",
        "tensor",
        "list of tensors",
        "tensor with gradient",
        "float32",
        "float16",
        "half tensor",
        "bfloat16 tensor",
        "long double",
        "big endian",
        "int16",
        "int64",
        "int32 tensor",
        "uint8",
        "uint16",
        "uint16 tensor",
        "truth values",
        "bool tensor",
        "negative stride",
        "negative strides",
        "not contiguous",
        "Fortran order",
        "permuted tensor",
        "expanded tensor",
    ],
)
def test_kinds_of_input(x: Any, reference: np.ndarray) -> None:
    expected = attribute(reference.astype(np.float64), Smooth(N, 2), target=0, baseline=-X)
    close(attribute(x, Smooth(N, 2), target=0, baseline=-X), expected, 1e-12)


def test_read_only_input() -> None:
    x = noise(N)
    x.flags.writeable = False
    assert attribute(x, energy, segment=x[:5], start_idx=4).shape == (3,)


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["array", "tensor"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_of_the_caller_is_changed(make: Callable[..., Any], dtype: str) -> None:
    """Arrays and tensors may share memory with what is computed on; in-place models write into it."""

    def in_place(x: Tensor, gain: Tensor) -> Tensor:
        return x.mul_(gain).square_().sum((-2, -1))

    values = {"input": X, "baseline": 2 * X, "segment": X[..., :7] + 1, "additional_forward_args": 1 + X}
    given = {name: make(value.astype(dtype)) for name, value in values.items()}
    attribute(model=in_place, start_idx=5, **given)
    for name, value in values.items():
        np.testing.assert_array_equal(np.asarray(given[name]), value.astype(dtype), err_msg=name)


@pytest.mark.parametrize("channels", [1, 2])
def test_batch_of_no_series(channels: int) -> None:
    scores = attribute(np.zeros((0, channels, N)), Smooth(N, channels))
    assert scores.shape == (0, channels, FREQUENCIES)
    empty = np.zeros((0, channels, 5))
    assert attribute(np.zeros((0, channels, N)), Smooth(N), segment=empty, start_idx=2).shape == (
        0,
        channels,
        3,
    )


@pytest.mark.parametrize("n", [1, 2, 15, 16])
def test_constant_and_zero_series(n: int) -> None:
    """A constant has its energy at DC, and silence has none."""
    x = np.stack([np.full(n, 3.0), np.zeros(n)])
    scores = attribute(x, energy)
    expected = np.zeros((2, n // 2 + 1))
    expected[0, 0] = 9 * n / 2
    close(scores, expected, 1e-6)
    assert not scores[1].any()


@pytest.mark.parametrize("target", [0, None])
def test_input_that_is_its_baseline_gets_zeros(target: int | None) -> None:
    assert not attribute(X, Smooth(N, 2), target, baseline=X).any()
    assert not attribute(X[0, 0], Smooth(N), target, baseline=X[0, 0]).any()


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_large_and_small_amplitudes(scale: float) -> None:
    """Recordings in volts and in units of the converter: the norm is as large as its argument."""
    norm = lambda x: x.flatten(1).square().sum(1).sqrt()
    expected = attribute(X, norm, baseline=np.ones_like(X))
    close(attribute(scale * X, norm, baseline=scale * np.ones_like(X)), scale * expected, 1e-5)


# Models


def test_module_is_returned_as_it_came() -> None:
    """Modes, weights, gradients, buffers and random states (beartype draws from Python's own)."""
    model = nn.Sequential(
        nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(2)
    )
    model(torch.zeros(2, 2, N))
    model.train()
    model[1].eval()
    model[0].bias.requires_grad_(False)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before = copy.deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]
    flags = [parameter.requires_grad for parameter in model.parameters()]
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    attribute(X, model, target=1)
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert [p.grad is None for p in model.parameters()] == [False] + [True] * (len(flags) - 1)
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


def test_module_runs_in_eval() -> None:
    """Dropout and BatchNorm in train mode would give something else, or be refused."""
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(2 * N, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2)
    )
    scores = attribute(X, model.train(), target=1)
    close(scores, attribute(X, model.eval(), target=1), 1e-6)


class Wrapped:
    """A classifier that is no module and holds one."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __call__(self, x: Tensor) -> Tensor:
        return self.network(x)

    def predict(self, x: Tensor) -> Tensor:
        return self.network(x)


class WrappedOnly:
    """A classifier that cannot be called itself."""

    def __init__(self, network: nn.Module) -> None:
        self.inner = [Wrapped(network)]

    def predict(self, x: Tensor) -> Tensor:
        return self.inner[0].predict(x)


def apply(network: nn.Module, x: Tensor) -> Tensor:
    return network(x)


GLOBAL = seeded(lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(N, 2))).double()
GLOBAL_OBJECT = WrappedOnly(GLOBAL)


def closure(net: nn.Module) -> Callable[..., Any]:
    def inner(x: Tensor) -> Tensor:
        return net(x)

    return inner


def closure_over_a_closure(net: nn.Module) -> Callable[..., Any]:
    inner = closure(net)
    return lambda x: inner(x).clone()


def closure_over_an_object(net: nn.Module) -> Callable[..., Any]:
    wrapped = WrappedOnly(net)
    return lambda x: wrapped.predict(x).clone()


def closure_over_containers(net: nn.Module) -> Callable[..., Any]:
    nets = {"all": [net]}
    return lambda x: nets["all"][0](x)


def default(net: nn.Module) -> Callable[..., Any]:
    return lambda x, model=net: model(x)


def global_module(_: nn.Module) -> Callable[..., Any]:
    return lambda x: GLOBAL(x).clone()


def global_object(_: nn.Module) -> Callable[..., Any]:
    return lambda x: GLOBAL_OBJECT.predict(x).clone()


def global_in_a_comprehension(_: nn.Module) -> Callable[..., Any]:
    return lambda x: torch.stack([GLOBAL(row) for row in x])


CALLABLES: dict[str, Callable[[nn.Module], Callable[..., Any]]] = {
    "closure": closure,
    "closure over a closure": closure_over_a_closure,
    "closure over an object": closure_over_an_object,
    "closure over containers": closure_over_containers,
    "bound method of a module": lambda net: net.forward,
    "bound method of an object": lambda net: Wrapped(net).predict,
    "bound method of an object that cannot be called": lambda net: WrappedOnly(net).predict,
    "callable object": Wrapped,
    "partial": lambda net: functools.partial(apply, net),
    "partial of a method": lambda net: functools.partial(Wrapped(net).predict),
    "default": default,
    "global module": global_module,
    "global object": global_object,
    "global in a comprehension": global_in_a_comprehension,
}


@pytest.mark.parametrize("wrap", CALLABLES.values(), ids=CALLABLES.keys())
def test_module_inside_a_callable_is_found(wrap: Callable[[nn.Module], Callable[..., Any]]) -> None:
    """Its dtype is taken, and it runs in eval and is restored: dropout would be refused as chance."""
    GLOBAL.train()
    scores = attribute(noise(N), wrap(GLOBAL), target=1)
    assert scores.dtype == np.float64
    close(scores, attribute(noise(N), GLOBAL[1], target=1), 1e-12)
    assert all(module.training for module in GLOBAL.modules())


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.float64, np.float64),
        (torch.float32, np.float32),
        (torch.bfloat16, np.float32),
        (torch.float16, np.float32),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "x", [noise(N), noise(N).astype(np.float32), [1] * N], ids=["double", "single", "ints"]
)
def test_series_get_the_dtype_and_device_of_the_module(dtype: torch.dtype, expected: type, x: Any) -> None:
    seen = set()

    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.index = nn.Parameter(torch.arange(3), requires_grad=False)
            self.first = nn.Linear(N, 2).to(dtype)
            self.second = nn.Linear(N, 2).to(torch.float64)

        def forward(self, x: Tensor) -> Tensor:
            seen.add((x.dtype, x.device))
            return self.first(x)

    assert attribute(x, Spy(), target=0).dtype == expected
    assert seen == {(dtype, torch.device("cpu"))}


def test_module_without_parameters_runs_in_single_precision() -> None:
    recorder = Recorder(nn.Flatten())
    assert attribute(noise(N), recorder, target=3).dtype == np.float32
    assert recorder.dtypes == {torch.float32}


def test_plain_callable_runs_in_single_precision() -> None:
    recorder = Recorder(energy)
    assert attribute(noise(N), recorder).dtype == np.float32
    assert recorder.dtypes == {torch.float32}


def test_callable_that_refuses_single_precision_runs_in_double() -> None:
    weights = torch.tensor(noise(N, 2))
    recorder = Recorder(lambda x: x @ weights)
    scores = attribute(noise(N), recorder, target=1)
    assert scores.dtype == np.float64
    # Only the attempts see float32.
    assert recorder.dtypes == {torch.float32, torch.float64}
    close(scores, scores_of(noise(N), noise(N, 2)[:, 1]), 1e-12)


def test_callable_that_refuses_single_precision_and_plain_series() -> None:
    network = seeded(SmallCNN).double()
    weights = {name: value.detach() for name, value in network.state_dict().items()}
    # No module can be found here, only tensors.
    stateless = lambda x: torch.nn.functional.conv1d(x, weights["layers.0.weight"]).tanh().sum((1, 2))
    recorder = Recorder(stateless)
    assert attribute(noise(N), recorder).dtype == np.float64
    assert recorder.last_axes == (1, N)


@pytest.mark.parametrize(
    "output",
    [lambda s: s, lambda s: s[:, None], lambda s: s[:, None, None], lambda s: s[:, None].squeeze()],
    ids=["(batch,)", "(batch, 1)", "(batch, 1, 1)", "squeezed"],
)
@pytest.mark.parametrize("x", [X, X[:1], X[0, 0]], ids=["batch", "batch of one", "series"])
def test_models_with_one_output_need_no_target(output: Callable[[Tensor], Tensor], x: np.ndarray) -> None:
    expected = attribute(x, energy)
    np.testing.assert_array_equal(attribute(x, lambda x: output(energy(x))), expected)
    np.testing.assert_array_equal(attribute(x, lambda x: output(energy(x)), target=0), expected)


def test_first_layer_may_work_in_place() -> None:
    in_place = lambda x: x.mul_(2).tanh_().sum((1, 2))
    close(attribute(X, in_place), attribute(X, lambda x: (2 * x).tanh().sum((1, 2))), 1e-6)


@pytest.mark.parametrize("context", [nullcontext, torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("made_inside", [False, True], ids=["made outside", "made inside"])
def test_works_without_gradients_around_it(
    context: Callable[[], AbstractContextManager[Any]], made_inside: bool
) -> None:
    def everything() -> tuple[nn.Module, dict[str, Any]]:
        model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.Flatten()).double()
        model[1].running_mean.fill_(0.1)
        for parameter in model.parameters():
            parameter.requires_grad_(False).copy_(torch.linspace(-1, 1, parameter.numel()).view_as(parameter))
        gain = torch.full((3, 1), 2.0, dtype=torch.float64)
        tensors = {
            "input": torch.tensor(X),
            "baseline": torch.tensor(X[0]),
            "target": torch.tensor([0, 1, 2]),
        }
        segment = torch.ones((2, 4), dtype=torch.float64)
        extra = (gain, torch.tensor(3.0, dtype=torch.float64))
        return model, {**tensors, "segment": segment, "start_idx": 3, "additional_forward_args": extra}

    def explain(model: nn.Module, arguments: dict[str, Any]) -> np.ndarray:
        return attribute(model=lambda x, gain, power: gain * model(x).tanh() * power, **arguments)

    expected = explain(*everything())
    given = None if made_inside else everything()
    with context():
        model, arguments = given or everything()
        scores = explain(model, arguments)
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        assert modes == (context in (nullcontext, torch.enable_grad), context is torch.inference_mode)
    np.testing.assert_array_equal(scores, expected)
    assert all(not parameter.requires_grad for parameter in model.parameters())


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    attribute(X, Smooth(N, 2))
    attribute(noise(N), seeded(SmallCNN), segment=[0.0] * 4, start_idx=2)
    with pytest.raises(ValueError, match="finite"):
        attribute([np.nan] * N, Smooth(N))
    assert capfd.readouterr() == ("", "")


# Target


def one_by_one(indices: list[Any]) -> np.ndarray:
    return np.stack([attribute(x, Smooth(N, 2), target=i) for x, i in zip(X, indices, strict=True)])


def test_target_for_all_samples() -> None:
    expected = one_by_one([2, 2, 2])
    for target in (2, np.int64(2), torch.tensor(2), (2,)):
        close(attribute(X, Smooth(N, 2), target=target), expected, 1e-12)


def test_target_a_sample() -> None:
    expected = one_by_one([2, 0, 1])
    for target in ([2, 0, 1], np.array([2, 0, 1]), torch.tensor([2, 0, 1]), [(2,), (0,), (1,)]):
        close(attribute(X, Smooth(N, 2), target=target), expected, 1e-12)


def test_target_none_is_the_predicted_class() -> None:
    with torch.no_grad():
        predicted = Smooth(N, 2)(torch.tensor(X)).argmax(1)
    assert len(set(predicted.tolist())) > 1, "the samples do not tell one class for all from their own"
    close(attribute(X, Smooth(N, 2)), attribute(X, Smooth(N, 2), target=predicted), 1e-12)


def test_predicted_class_is_that_of_the_input() -> None:
    """Not of points on the way: at the baseline and at most nodes another class leads."""
    model = lambda x: torch.stack([x.sum(-1) ** 3, x.sum(-1) + 1], -1)
    x = np.array([0.5, 1.5])
    assert attribute(x, model).sum() == pytest.approx(2.0**3)


def test_target_of_outputs_with_more_axes() -> None:
    steps = lambda x: torch.stack([Smooth(N, 2)(x), 2 * Smooth(N, 2)(x)], 1)
    close(attribute(X, steps, target=(1, 2)), 2 * one_by_one([2, 2, 2]), 1e-12)
    expected = one_by_one([0, 1, 2]) * np.array([1, 2, 1])[:, None, None]
    for target in ([(0, 0), (1, 1), (0, 2)], np.array([[0, 0], [1, 1], [0, 2]])):
        close(attribute(X, steps, target=target), expected, 1e-12)
    with pytest.raises(ValueError, match=r"more than two output axes.*tuple"):
        attribute(X, steps)
    with pytest.raises(ValueError, match="tuple of 2"):
        attribute(X, steps, target=1)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (3, ValueError, r"target must be in 0\.\.2 \(the model has 3 outputs\), got 3"),
        (-1, ValueError, r"0\.\.2.*got -1"),
        ([0, 1], ValueError, r"one index per sample, shape \(3,\)"),
        ((0, 1, 2), ValueError, r"one index for all samples and needs 1"),
        (1.5, TypeError, "1.5"),
        ([0.0, 1.0, 2.0], TypeError, "integers"),
        (True, TypeError, "True"),
        ("all", TypeError, "target"),
    ],
    ids=str,
)
def test_targets_that_do_not_fit(target: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attribute(X, Smooth(N, 2), target=target)


# Baseline


def explained(x: np.ndarray, baseline: np.ndarray, target: int = 1) -> np.ndarray:
    """The integral in NumPy for one series of shape (k, n)."""
    gradient = SmoothTruth(N, len(x)).mean_gradient(x, baseline, target, 50)
    return scores_of(x - baseline, gradient)


def test_baselines_of_a_series() -> None:
    x, baseline = noise(N), noise(N, seed=1)
    expected = explained(x[None], baseline[None])[0]
    for given in (x, x[None]):
        for start in (baseline, baseline[None], baseline.tolist(), torch.tensor(baseline)):
            close(attribute(given, Smooth(N), 1, baseline=start), expected, 1e-12)


def test_baselines_of_channels() -> None:
    x, baseline = noise(3, N), noise(3, N, seed=1)
    close(attribute(x, Smooth(N, 3), 1, baseline=baseline), explained(x, baseline), 1e-12)


@pytest.mark.parametrize("channels", [1, 2])
def test_baselines_of_a_batch(channels: int) -> None:
    x, baseline = noise(4, channels, N), noise(4, channels, N, seed=1)
    expected = [explained(*pair) for pair in zip(x, baseline, strict=True)]
    close(attribute(x, Smooth(N, channels), 1, baseline=baseline), np.stack(expected), 1e-12)
    shared = np.stack([explained(sample, baseline[0]) for sample in x])
    close(attribute(x, Smooth(N, channels), 1, baseline=baseline[0]), shared, 1e-12)
    if channels == 1:
        close(attribute(x, Smooth(N), 1, baseline=baseline[0, 0]), shared, 1e-12)


def test_default_baseline_is_zero() -> None:
    scores = attribute(X, Smooth(N, 2), 1)
    close(attribute(X, Smooth(N, 2), 1, baseline=np.zeros_like(X)), scores, 0)
    close(
        attribute(X.astype(int), Smooth(N, 2), 1, baseline=None),
        attribute(X.astype(int) * 1.0, Smooth(N, 2), 1),
        0,
    )


@pytest.mark.parametrize("dtype", ["float16", "int8", "float32"])
def test_baseline_may_have_another_dtype(dtype: str) -> None:
    baseline = np.round(3 * noise(N, seed=1)).astype(dtype)
    for x in (noise(N), np.arange(N)):
        expected = attribute(x, Smooth(N), 1, baseline=baseline.astype(float))
        close(attribute(x, Smooth(N), 1, baseline=baseline), expected, 1e-12)


@pytest.mark.parametrize(
    ("input_shape", "baseline_shape"),
    [
        ((N,), ()),
        ((N,), (N - 1,)),
        ((N,), (2, N)),
        ((N,), (1, 1, N)),
        ((1, N), (N, 1)),
        ((2, N), (N,)),
        ((2, N), (1, N)),
        ((2, N), (1, 2, N)),
        ((3, 2, N), (N,)),
        ((3, 2, N), (1, N)),
        ((3, 2, N), (3, N)),
        ((3, 2, N), (1, 2, N)),
        ((3, 2, N), (2, 2, N)),
        ((3, 2, N), (3, 2, N - 1)),
        ((3, 1, N), (3, N)),
    ],
    ids=str,
)
def test_baselines_that_do_not_fit(input_shape: tuple[int, ...], baseline_shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"baseline must have shape .*got \(.*\)") as caught:
        attribute(noise(*input_shape), energy, baseline=np.zeros(baseline_shape))
    assert str(baseline_shape) in str(caught.value)


# Segments


@pytest.mark.parametrize("edges", [[0, 20], [0, 10, 20], [0, 1, 3, 8, 19, 20]], ids=str)
@pytest.mark.parametrize("shape", [(N,), (2, N), (3, 2, N)], ids=str)
@pytest.mark.parametrize("with_baseline", [False, True], ids=["zero", "baseline"])
def test_segments_of_a_partition_add_up(
    edges: list[int], shape: tuple[int, ...], with_baseline: bool
) -> None:
    model = Smooth(N, shape[-2] if len(shape) > 1 else 1)
    x, baseline = noise(*shape), noise(*shape, seed=1) if with_baseline else None
    total = 0.0
    for begin, end in itertools.pairwise(edges):
        piece = x[..., begin:end]
        scores = attribute(x, model, 1, baseline, segment=piece, start_idx=begin)
        assert scores.shape[-1] == (end - begin) // 2 + 1
        total = total + scores.sum(-1)
    with torch.no_grad():
        ends = (x, np.zeros(shape) if baseline is None else baseline)
        after, before = (model(torch.tensor(v.reshape(-1, model.W.shape[1])))[:, 1].numpy() for v in ends)
    per_sample = total.sum(-1) if len(shape) == 3 else np.atleast_1d(total.sum())
    np.testing.assert_allclose(per_sample, after - before, rtol=1e-9, atol=1e-9)


def test_segment_replaces_its_stretch() -> None:
    """Explained is the input with the segment in it, whatever was there before, be it NaN."""
    x, piece = noise(N), noise(6, seed=2)
    replaced = x.copy()
    replaced[4:10] = piece
    expected = attribute(replaced, Smooth(N), 1, segment=replaced[4:10], start_idx=4)
    close(attribute(x, Smooth(N), 1, segment=piece, start_idx=4), expected, 1e-12)
    x[4:10] = np.nan
    close(attribute(x, Smooth(N), 1, segment=piece, start_idx=4), expected, 1e-12)


def test_segment_of_the_whole_input() -> None:
    x, y = noise(N), noise(N, seed=2)
    close(attribute(x, Smooth(N), 1, segment=y, start_idx=0), attribute(y, Smooth(N), 1), 1e-12)


def test_segment_of_integers_keeps_fractions() -> None:
    x = np.arange(N)
    replaced = x.astype(float)
    replaced[3:5] = 0.5, 0.25
    expected = attribute(replaced, Smooth(N), 1, segment=[0.5, 0.25], start_idx=3)
    close(attribute(x, Smooth(N), 1, segment=[0.5, 0.25], start_idx=3), expected, 1e-12)


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor], ids=["list", "array", "tensor"])
@pytest.mark.parametrize("start", [4, np.int64(4)], ids=["int", "NumPy int"])
def test_kinds_of_segment(kind: Callable[..., Any], start: Any) -> None:
    x, piece = noise(N), [0.5, -1.0, 2.0]
    expected = attribute(x, Smooth(N), 1, segment=np.array(piece), start_idx=4)
    for given in (x, x.tolist(), torch.tensor(x)):
        close(attribute(given, Smooth(N), 1, segment=kind(piece), start_idx=start), expected, 1e-12)
        close(attribute(given, Smooth(N), 1, segment=kind([piece]), start_idx=start), expected, 1e-12)


def test_one_segment_for_a_batch() -> None:
    x, piece = noise(3, 2, N), noise(2, 5, seed=2)
    expected = np.stack([attribute(s, Smooth(N, 2), 1, segment=piece, start_idx=2) for s in x])
    close(attribute(x, Smooth(N, 2), 1, segment=piece, start_idx=2), expected, 1e-12)
    repeated = np.repeat(piece[None], 3, axis=0)
    close(attribute(x, Smooth(N, 2), 1, segment=repeated, start_idx=2), expected, 1e-12)


@pytest.mark.parametrize("shape", [(N,), (2, N), (3, 2, N)], ids=str)
def test_baseline_of_the_segment_leaves_the_context_zero(shape: tuple[int, ...]) -> None:
    model = Smooth(N, shape[-2] if len(shape) > 1 else 1)
    x = noise(*shape)
    start = noise(*shape[:-1], 5, seed=1)
    whole = np.zeros(shape)
    whole[..., 8:13] = start
    stretch = {"segment": x[..., 8:13], "start_idx": 8}
    close(attribute(x, model, 1, start, **stretch), attribute(x, model, 1, whole, **stretch), 1e-12)
    if len(shape) == 3:
        whole[:, :, 8:13] = start[0]
        close(attribute(x, model, 1, start[0], **stretch), attribute(x, model, 1, whole, **stretch), 1e-12)


@pytest.mark.parametrize(
    ("segment", "start_idx", "error", "message"),
    [
        (np.zeros(5), None, ValueError, "start_idx must be given with segment"),
        (np.zeros(5), -1, ValueError, r"start_idx must be in 0\.\.15 .*got -1"),
        (np.zeros(5), 16, ValueError, r"start_idx must be in 0\.\.15 .*got 16"),
        (np.zeros(5), 20, ValueError, r"0\.\.15"),
        (np.zeros(21), 0, ValueError, r"segment must have 1 to 20 samples .*got 21"),
        (np.zeros(0), 0, ValueError, r"segment must have 1 to 20 samples .*got 0"),
        (1.0, 0, ValueError, "segment"),
        (np.zeros((2, 5)), 0, ValueError, r"segment must have shape \(5,\) or \(1, 5\).*got \(2, 5\)"),
        (np.zeros(5), 1.0, TypeError, "start_idx"),
        (np.zeros(5), "1", TypeError, "start_idx"),
        (None, 3, ValueError, "segment must be given with start_idx"),
        ([np.nan] * 5, 3, ValueError, "segment must be finite, got nan"),
        (["a"] * 5, 3, TypeError, "segment must be numeric"),
        (np.zeros(5, complex), 3, TypeError, "segment must be real"),
    ],
)
def test_segments_that_do_not_fit(segment: Any, start_idx: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attribute(noise(N), Smooth(N), 1, segment=segment, start_idx=start_idx)


def test_baseline_that_fits_neither_input_nor_segment() -> None:
    with pytest.raises(ValueError, match=r"\(20,\) or \(1, 20\) or \(5,\) or \(1, 5\).*got \(6,\)"):
        attribute(noise(N), Smooth(N), 1, np.zeros(6), segment=np.zeros(5), start_idx=0)


# Additional arguments


def scaled(x: Tensor, *gains: Any) -> Tensor:
    """Energy, times gains that may be one per series."""
    total = energy(x)
    for gain in gains:
        assert not isinstance(gain, Tensor) or gain.ndim == 0 or gain.shape[0] == len(x)
        total = total * (
            gain if isinstance(gain, float) or gain.ndim == 0 else gain.reshape(len(x), -1).sum(1)
        )
    return total


@pytest.mark.parametrize(
    ("extra", "factors"),
    [
        (torch.tensor([1.0, 2.0, 4.0]), [1, 2, 4]),
        (torch.tensor([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]), [2, 4, 8]),
        (np.array([1.0, 2.0, 4.0]), [1, 2, 4]),
        (np.array([4.0, 2.0, 1.0])[::-1], [1, 2, 4]),
        (np.array([1.0, 2.0, 4.0], dtype=">f4"), [1, 2, 4]),
        (torch.tensor(3.0), [3, 3, 3]),
        (np.array(3.0), [3, 3, 3]),
        (3.0, [3, 3, 3]),
        ((torch.tensor([1.0, 2.0, 4.0]), 3.0), [3, 6, 12]),
        ([torch.tensor([1.0, 2.0, 4.0]), 3.0], [3, 6, 12]),
        ((), [1, 1, 1]),
        (None, [1, 1, 1]),
    ],
    ids=[
        "tensor",
        "rows",
        "array",
        "reversed array",
        "big endian",
        "0-d tensor",
        "0-d array",
        "number",
        "tuple",
        "list",
        "empty",
        "none",
    ],
)
def test_additional_arguments(extra: Any, factors: list[int]) -> None:
    """Those with a row per sample follow the points of that sample along the path."""
    expected = attribute(X, energy) * np.array(factors)[:, None, None]
    close(attribute(X, scaled, additional_forward_args=extra), expected, 1e-6)


def test_additional_arguments_of_one_series() -> None:
    rows = torch.tensor([[1.0, 2.0]])
    close(attribute(X[0, 0], scaled, additional_forward_args=rows), 3 * attribute(X[0, 0], energy), 1e-6)


def test_additional_objects_arrive_as_they_are() -> None:
    class Settings:
        power = 2

    table, words = {"gain": torch.ones(3)}, np.array(["a", "b", "c"])
    lookup, settings = torch.ones(5, dtype=torch.float64), Settings()

    def model(x: Tensor, *extra: Any) -> Tensor:
        assert extra[0] is settings
        # Copies, for a model that writes to what it is given.
        torch.testing.assert_close(extra[1], table)
        np.testing.assert_array_equal(extra[2], words)
        assert extra[3] is None
        assert extra[4] == "text"
        # Five rows for three samples are no rows of samples.
        assert extra[5].shape == (5,)
        assert extra[5].dtype == torch.float64
        assert extra[6] == [1, 2, 3]
        return energy(x)

    extra = (settings, table, words, None, "text", lookup, [1, 2, 3])
    close(attribute(X, model, additional_forward_args=extra), attribute(X, energy), 0)


def test_additional_integers_and_masks_keep_their_dtype() -> None:
    embedding = torch.tensor([[0.0], [1.0], [10.0]])

    def model(x: Tensor, index: Tensor, mask: Tensor) -> Tensor:
        return energy(x) * embedding[index][:, 0] * torch.where(mask, 1.0, -1.0)

    expected = attribute(X, energy) * np.array([10, -1, 0])[:, None, None]
    index, mask = np.array([2, 1, 0]), np.array([True, False, True])
    close(attribute(X, model, additional_forward_args=(index, mask)), expected, 1e-6)
    tensors = torch.tensor(index), torch.tensor(mask)
    close(attribute(X, model, additional_forward_args=tensors), expected, 1e-6)


# Errors


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (1.0, ValueError, r"input must have shape \(n,\), .*got \(\)"),
        ([], ValueError, r"at least one .* time sample, got \(0,\)"),
        (np.zeros((0, N)), ValueError, r"at least one channel"),
        (np.zeros((3, 0, N)), ValueError, r"at least one channel .*got \(3, 0, 20\)"),
        (np.zeros((3, 2, 0)), ValueError, r"time sample, got \(3, 2, 0\)"),
        (np.zeros((3, 1, 2, N)), ValueError, r"input must have shape .*got \(3, 1, 2, 20\)"),
        ([[1.0, 2.0], [1.0]], ValueError, "input must be rectangular"),
        (np.zeros(N, complex), TypeError, "input must be real"),
        (torch.zeros(N, dtype=torch.complex64), TypeError, "input must be real"),
        (["a"] * N, TypeError, "input must be numeric"),
        ([None] * N, TypeError, "input must be numeric"),
        (None, TypeError, "input must be numeric"),
    ],
)
def test_inputs_that_do_not_fit(x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        attribute(x, energy)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_that_are_not_finite(value: float, dtype: type) -> None:
    x = noise(3, 2, N).astype(dtype)
    x[1, 1, 7] = value
    for given in (x, torch.tensor(x)):
        with pytest.raises(
            ValueError, match=rf"input must be finite, got {value} at sample 1, channel 1, .*7"
        ):
            attribute(given, Smooth(N, 2))
        with pytest.raises(ValueError, match=rf"baseline must be finite, got {value} at sample 1, channel 1"):
            attribute(np.zeros((3, 2, N)), Smooth(N, 2), baseline=given)
    with pytest.raises(ValueError, match=r"input must be finite.*sample 0, channel 1"):
        attribute(x[1], Smooth(N, 2))
    with pytest.raises(ValueError, match=r"baseline must be finite.*sample 0, channel 1"):
        attribute(np.zeros((3, 2, N)), Smooth(N, 2), baseline=x[1])
    with pytest.raises(ValueError, match=r"input must be finite.*sample 0, channel 0, .*7"):
        attribute(x[1, 1], Smooth(N))


def test_values_that_overflow_are_those_of_the_input() -> None:
    with pytest.raises(ValueError, match=r"^input must fit float32"):
        attribute(np.full((2, N), 1e60), nn.Linear(N, 2), target=0)


def test_finite_values_whose_sum_overflows() -> None:
    x = np.full(N, 60000, dtype=np.float16)
    assert np.isfinite(attribute(x, Smooth(N), 0, baseline=x / 2)).all()


def test_values_that_the_model_cannot_hold() -> None:
    with pytest.raises(ValueError, match="float32"):
        attribute(np.full(N, 1e300), nn.Linear(N, 2), target=0)


def test_baselines_that_the_model_cannot_hold() -> None:
    with pytest.raises(ValueError, match="float32"):
        attribute(np.ones(N), nn.Linear(N, 2), target=0, baseline=np.full(N, 1e300))


@pytest.mark.parametrize(
    ("n_steps", "error"),
    [(0, ValueError), (-3, ValueError), (2.5, TypeError), ("50", TypeError), (True, TypeError)],
)
def test_number_of_steps(n_steps: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="n_steps"):
        attribute(noise(N), Smooth(N), n_steps=n_steps)


def test_as_many_steps_as_it_takes() -> None:
    """Beyond what the original documents: no fixed number of nodes, but an error of one percent."""
    scores = attribute(X, Smooth(N, 2), 1, n_steps=None)
    close(scores, attribute(X, Smooth(N, 2), 1, n_steps=100), 1e-2)


@pytest.mark.parametrize("model", [None, 3, [], Smooth], ids=str)
def test_models_that_are_none(model: Any) -> None:
    with pytest.raises(TypeError, match=r"model must be .* a callable .*got "):
        attribute(noise(N), model)


@torch.no_grad()
def without_gradient(x: Tensor) -> Tensor:
    return x.sum(-1)


@pytest.mark.parametrize(
    "model",
    [
        lambda x: x.detach().sum(-1),
        without_gradient,
        lambda x: torch.from_numpy(x.detach().numpy().sum(-1)),
        lambda x: x.argmax(-1).float(),
        lambda x: (x > 0).float().sum(-1),
        lambda x: torch.zeros(len(x), 2, requires_grad=True),
    ],
    ids=["detach", "no_grad", "NumPy", "argmax", "comparison", "constant"],
)
def test_models_without_gradient(model: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match="does not depend differentiably on its input"):
        attribute(noise(N), model)


def test_class_indices_are_no_scores() -> None:
    with pytest.raises(TypeError, match=r"floating scores, got dtype torch\.int64"):
        attribute(noise(N), lambda x: x.argmax(-1))


@pytest.mark.parametrize(
    "output",
    [lambda s: (s, s), lambda s: [s, s], lambda s: {"logits": s, "states": s}],
    ids=["tuple", "list", "dict"],
)
def test_several_outputs_need_a_selector(output: Callable[[Tensor], Any]) -> None:
    with pytest.raises(ValueError, match="output_key"):
        attribute(noise(N), lambda x: output(energy(x)))


@pytest.mark.parametrize("model", [lambda x: x.sum(), lambda x: x.sum(-1).repeat(2)], ids=["scalar", "twice"])
def test_outputs_need_one_row_a_series(model: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match=r"one row per series.*batch of 2.*shape \("):
        attribute(noise(N), model)


def test_errors_of_the_model_keep_their_type_and_say_the_shape() -> None:
    def model(x: Tensor) -> Tensor:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match=r"no such thing .*shape \(2, 3, 20\), float32"):
        attribute(noise(3, N), model)


def test_model_that_depends_on_chance() -> None:
    with pytest.raises(ValueError, match="chance"):
        attribute(noise(N), lambda x: energy(x + torch.randn_like(x)))
