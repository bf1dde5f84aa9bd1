"""The caller's model comes back exactly as it was, wherever it is found and however the call ends."""

from __future__ import annotations

import functools
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freqig
from freqig import Explainer, attribute
from freqig.models.torch.draws import Draws
from freqig.models.torch.modules import find_modules
from freqig.models.torch.switches import IN_FULL_PRECISION, WITHOUT_CUDNN, Switch

from ..helpers import FEW_NODES, SmallCNN, Smooth, close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

BY_THE_OLDER_NAMES = pytest.mark.filterwarnings("ignore:Please use the new API settings")
"""PyTorch 2.9 advises whoever uses them, itself as well."""

N = 16

fixed = functools.partial(Explainer, n_steps=5, tol=10.0)


class Net(nn.Module):
    """Layers whose behaviour depends on the mode, in modes that no single call of eval() gives."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(56, 8)
        )
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 3))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("scale", torch.full((3,), 2.0), persistent=False)
        self.register_buffer("nothing", None)
        self.train()
        self.body[3].eval()
        self.head.eval()
        self.body[0].requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)) * self.scale


Snapshot = dict[str, Any]


def snapshot(model: nn.Module) -> Snapshot:
    """Everything that must not change: identities, and copies of values."""
    return {
        "modes": [(name, module.training) for name, module in model.named_modules()],
        "names": [name for name, _ in (*model.named_parameters(), *model.named_buffers())],
        "state": list(model.state_dict()),
        "identities": [id(t) for t in (*model.parameters(), *model.buffers())],
        "storage": [t.data_ptr() for t in (*model.parameters(), *model.buffers())],
        "values": [t.detach().clone() for t in (*model.parameters(), *model.buffers())],
        "requires_grad": [t.requires_grad for t in (*model.parameters(), *model.buffers())],
        "versions": [t._version for t in (*model.parameters(), *model.buffers()) if not t.is_inference()],
        "grads": [id(p.grad) for p in model.parameters()],
        "grad values": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "hooks": [
            [
                (name, list(value.items()))
                for name, value in vars(module).items()
                if name.endswith("_hooks") and value
            ]
            for module in model.modules()
        ],
        "attributes": [
            {k: v for k, v in vars(module).items() if not k.startswith("_")} for module in model.modules()
        ],
    }


def random_states() -> Snapshot:
    # Python's own has a test to itself: the annotation checks of these tests draw from it.
    return {"torch": torch.get_rng_state(), "numpy": np.random.get_state()[1]}  # noqa: NPY002


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


class Unchanged:
    """Context at whose end models and random states must be as they were at its start."""

    def __init__(self, *models: nn.Module) -> None:
        self.models = models

    def __enter__(self) -> None:
        self.before = [*map(snapshot, self.models), random_states()]

    def __exit__(self, *exception: object) -> None:
        after = [*map(snapshot, self.models), random_states()]
        for old, new in zip(self.before, after, strict=True):
            for key in old:
                assert same(old[key], new[key]), key


@pytest.fixture
def net() -> Net:
    """A net in the middle of training: gradients, running statistics and hooks are there."""
    net = seeded(Net)
    net(torch.tensor(noise(6, 1, N), dtype=torch.float32)).square().sum().backward()
    net.register_forward_hook(lambda module, arguments, output: None)
    net.body[1].register_full_backward_hook(lambda module, before, after: None)
    return net


x = noise(3, 1, N)

CALLS: dict[str, Callable[[Any], Any]] = {
    "path": lambda model: fixed(model)(x),
    "captum": lambda model: fixed(model, engine="captum")(x),
    "all targets": lambda model: fixed(model)(x, target="all"),
    "one per call": lambda model: fixed(model, batch_independent=False)(x),
    "log_prob": lambda model: fixed(model, output="log_prob")(x),
    "attribute": lambda model: attribute(x, model),
    "attribute, layout to be found": lambda model: attribute(x[0, 0], model),
}


@FEW_NODES
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_after_an_explanation(call: Callable[[Any], Any], net: Net) -> None:
    with Unchanged(net):
        call(net)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_in_every_mode_of_autograd(mode: Callable[[], AbstractContextManager[Any]], net: Net) -> None:
    with Unchanged(net), mode():
        fixed(net)(x)


def test_runs_in_eval(net: Net) -> None:
    """The mode is not that of the caller: dropout and batch statistics would show in the values."""
    reference = seeded(Net)
    reference.load_state_dict(net.state_dict())
    reference.eval()
    close(fixed(net)(x).rfft, fixed(reference)(x).rfft, 1e-6)
    with torch.no_grad():
        expected = reference(torch.tensor(x, dtype=torch.float32)).amax(1)
    np.testing.assert_allclose(fixed(net)(x).output, expected, rtol=1e-5)


def test_a_graph_from_before_can_still_be_differentiated() -> None:
    """Writing to a weight or buffer, even its own values, would make autograd refuse."""
    gradients = []
    for explain in (False, True):
        net = seeded(Net)
        net.body[3].p = 0.0
        loss = net(torch.tensor(noise(4, 1, N), dtype=torch.float32)).square().sum()
        if explain:
            fixed(net)(x)
        loss.backward()
        gradients.append([parameter.grad for parameter in net.parameters()])
    assert gradients[0][0] is gradients[1][0] is None
    assert same(gradients[0][2:], gradients[1][2:])


def test_training_goes_on_as_if_nothing_had_happened() -> None:
    def train(explain: bool) -> list[float]:
        losses = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = Net()
            optimizer = torch.optim.SGD(
                [p for p in net.parameters() if p.requires_grad], lr=0.1, momentum=0.9
            )
            for _ in range(4):
                optimizer.zero_grad()
                loss = net(torch.randn(8, 1, N)).square().mean()
                loss.backward()
                if explain:
                    fixed(net)(x)
                optimizer.step()
                losses.append(loss.item())
        return losses

    assert train(explain=True) == train(explain=False)


# --- errors --------------------------------------------------------------------------------------


class Breaks(nn.Module):
    """Changes everything it can reach, then raises at a certain call."""

    def __init__(self, net: nn.Module, error: BaseException, at: int) -> None:
        super().__init__()
        self.net = net
        self.error, self.left = error, at

    def forward(self, x: Tensor) -> Tensor:
        torch.rand(3)
        np.random.random(3)  # noqa: NPY002
        random.random()
        output = self.net(x)
        if self.left == 0:
            raise self.error
        self.left -= 1
        return output


@pytest.mark.parametrize("engine", ["path", "captum"])
@pytest.mark.parametrize("at", [0, 1, 3, 6, 8, 9])
@pytest.mark.parametrize("error", [RuntimeError("own"), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_after_errors_and_interruptions(error: BaseException, at: int, engine: str, net: Net) -> None:
    model = Breaks(net, error, at)
    with Unchanged(model), pytest.raises(type(error)):
        Explainer(model, engine=engine, n_steps=100)(noise(30, 1, N))


def resynthesized(model: nn.Module) -> Any:
    explainer = Explainer(model, n_steps=5, tol=10.0)
    return freqig.resynthesize(explainer(x), x, explainer=explainer)


def evaluated(model: nn.Module) -> Any:
    return freqig.evaluate(Explainer(model, n_steps=5, tol=10.0)(x), model, x)


INTERRUPTED: dict[str, Callable[[Any], Any]] = {
    "slide": lambda model: freqig.slide(
        fixed(model, fs=N), noise(1, 1, 4 * N), window=1.0, hop=0.5, target=0
    ),
    "average": lambda model: Explainer(model).average(noise(40, 1, N), {"stage": ["W"] * 40}),
    "resynthesize": resynthesized,
    "shapley": lambda model: freqig.Shapley(model, fs=100)(x),
    "method": lambda model: freqig.methods.SmoothGrad(model, draws=20)(x),
    "evaluate": evaluated,
}


@pytest.mark.parametrize("at", [0, 3, 8])
@pytest.mark.parametrize("call", INTERRUPTED.values(), ids=INTERRUPTED.keys())
def test_after_an_interruption_of_what_calls_the_model(call: Callable[[Any], Any], at: int, net: Net) -> None:
    model = Breaks(net, KeyboardInterrupt(), at)
    with Unchanged(model), pytest.raises(KeyboardInterrupt):
        call(model)


@pytest.mark.parametrize("engine", ["path", "captum"])
def test_after_running_out_of_memory(engine: str, net: Net) -> None:
    model = Breaks(net, torch.OutOfMemoryError(), 9)
    with Unchanged(model), pytest.raises(torch.OutOfMemoryError):
        Explainer(model, engine=engine, n_steps=100)(noise(30, 1, N))


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({}, {"target": 7}),
        ({}, {"target": [0, 1]}),
        ({"output_key": "scores"}, {}),
        ({"output": lambda raw, target: raw}, {}),
        ({}, {"additional_forward_args": 1.0}),
    ],
)
def test_after_errors_of_the_caller(settings: Any, arguments: Any, net: Net) -> None:
    with Unchanged(net), pytest.raises((ValueError, TypeError)):
        fixed(net, **settings)(x, **arguments)


def test_after_an_interruption_in_the_backward_pass(net: Net) -> None:
    def interrupt(module: nn.Module, before: Any, after: Any) -> None:
        raise KeyboardInterrupt

    handle = net.body[5].register_full_backward_hook(interrupt)
    with Unchanged(net), pytest.raises(KeyboardInterrupt):
        fixed(net)(x)
    handle.remove()


# --- what a forward pass may change --------------------------------------------------------------


class Changes(nn.Module):
    """A layer that changes itself in its forward pass, without effect on its output."""

    def __init__(self, change: Callable[[Changes], None]) -> None:
        super().__init__()
        self.linear = nn.Linear(N, 2)
        self.weight = nn.Parameter(torch.ones(2, 3) * 5)
        self.register_buffer("memory", torch.zeros(3))
        self.register_buffer("shared", torch.arange(3.0).expand(4, 3))
        self.register_buffer("undefined", torch.full((2,), torch.nan))
        self.names = ["a"]
        self.count = 0
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.change(self)
        return self.linear(x.flatten(1))


CHANGES: dict[str, Callable[[Any], Any]] = {
    "buffer in place": lambda m: m.memory.add_(1),
    "buffer by its data": lambda m: m.memory.data.add_(1),
    "buffer in another size": lambda m: setattr(m.memory, "data", torch.ones(7)),
    "buffer resized": lambda m: m.memory.resize_(5),
    "buffer replaced": lambda m: setattr(m, "memory", m.memory + 1),
    "buffer set to nothing": lambda m: setattr(m, "memory", None),
    "buffer deleted": lambda m: m._buffers.pop("memory", None),
    "buffer added": lambda m: m.register_buffer("new", torch.ones(3)),
    "weight in place": lambda m: m.weight.clamp_(max=1.0),
    "weight by its data": lambda m: m.weight.data.clamp_(max=1.0),
    "weight bounded": lambda m: setattr(m.weight, "data", torch.renorm(m.weight.data, 2, 0, 1.0)),
    "weight replaced": lambda m: setattr(m, "weight", nn.Parameter(torch.zeros(2, 3))),
    "weight frozen": lambda m: m.weight.requires_grad_(False),
    "weight thawed": lambda m: m.weight.requires_grad_(True),
    "weight deleted": lambda m: m._parameters.pop("weight", None),
    "parameter added": lambda m: m.register_parameter("new", nn.Parameter(torch.ones(1))),
    "module added": lambda m: m.add_module("new", nn.Linear(1, 1)),
    "mode": lambda m: m.linear.train(),
    "counter": lambda m: setattr(m, "count", m.count + 1),
    "attribute added": lambda m: setattr(m, "last", torch.ones(3)),
}


@pytest.mark.parametrize("engine", ["path", "captum"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_a_forward_pass_changes(change: Callable[[Any], Any], engine: str) -> None:
    model = seeded(Changes, change)
    before = snapshot(model)
    fixed(model, engine=engine)(x)
    after = snapshot(model)
    for snap in (before, after):
        snap["values"] = [value.nan_to_num(nan=-1.0) for value in snap["values"]]
        # What is written to must be written back, and that counts.
        snap.pop("versions")
        snap.pop("storage")
    for key in before:
        assert same(before[key], after[key]), key


def test_random_state_of_python() -> None:
    """Without the annotation checks of these tests, which draw from it."""
    draws = Draws(torch.device("cpu"))
    before = random.getstate()
    random.random()
    draws.set_back()
    assert random.getstate() == before


def test_random_numbers_of_a_forward_pass() -> None:
    """A model may draw as it likes as long as its output does not depend on it."""
    smooth = Smooth(N)

    def model(points: Tensor) -> Tensor:
        torch.manual_seed(3)
        np.random.random()  # noqa: NPY002
        random.seed(4)
        return smooth(points) + torch.rand(())

    with Unchanged(smooth):
        fixed(model)(x)


@BY_THE_OLDER_NAMES
def test_settings_of_the_backends_hold_inside() -> None:
    seen = set()

    def model(points: Tensor) -> Tensor:
        cudnn = torch.backends.cudnn
        seen.add((cudnn.enabled, cudnn.benchmark, cudnn.deterministic))
        return points.square().sum(-1)

    with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=True):
        fixed(model)(noise(2, N))
    assert seen == {(True, True, True)}


@BY_THE_OLDER_NAMES
def test_recurrent_layers_do_without_cudnn_and_leave_its_settings() -> None:
    cudnn = torch.backends.cudnn
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=True):
        with suppress(KeyboardInterrupt), WITHOUT_CUDNN.on():
            assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (False, True, True)
            raise KeyboardInterrupt
        assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (True, True, True)


@BY_THE_OLDER_NAMES
@pytest.mark.parametrize("newer", [False, True])
def test_products_are_in_full_precision_and_as_the_caller_had_them_afterwards(newer: bool) -> None:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    if newer and not hasattr(matmul, "fp32_precision"):
        pytest.skip("this PyTorch has the older names alone")
    before = cudnn.allow_tf32, matmul.allow_tf32

    def state() -> list[Any]:
        if newer:
            return [cudnn.conv.fp32_precision, matmul.fp32_precision]
        return [cudnn.allow_tf32, matmul.allow_tf32]

    try:
        cudnn.allow_tf32, matmul.allow_tf32 = True, True
        if newer:
            # Unlike that of matrices: now the older names cannot be read.
            cudnn.conv.fp32_precision = "ieee"
        given = state()
        with suppress(KeyboardInterrupt), IN_FULL_PRECISION.on():
            assert state() == (["ieee", "ieee"] if newer else [False, False])
            raise KeyboardInterrupt
        assert state() == given
    finally:
        cudnn.allow_tf32, matmul.allow_tf32 = before


def test_nobody_is_advised_on_settings_that_freqig_changes() -> None:
    # PyTorch 2.9 warns once per process of names that older versions have alone.
    program = "from freqig.models.torch.switches import IN_FULL_PRECISION as s\nwith s.on():\n    pass"
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", program], check=True)


def test_a_setting_is_given_back_by_the_last_who_needs_it() -> None:
    seen: list[int] = []
    values = [1]
    switch = Switch(lambda: values[0], lambda value: values.__setitem__(0, value), lambda _: 0)
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with switch.on():
            entered.set()
            leave.wait(10)
            seen.append(values[0])

    thread = threading.Thread(target=other)
    with switch.on():
        thread.start()
        assert entered.wait(10)
    assert values == [0]
    leave.set()
    thread.join()
    assert (seen, values) == ([0], [1])


# --- where modules are found ---------------------------------------------------------------------


class Plain:
    """Neither a module nor callable."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def predict(self, points: Tensor) -> Tensor:
        return self.net(points)


class Callee(Plain):
    def __call__(self, points: Tensor) -> Tensor:
        return self.net(points)


class ThroughGlobal:
    def __call__(self, points: Tensor) -> Tensor:
        return GLOBAL["net"](points)


def wrapped(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @functools.wraps(function)
    def wrapper(*arguments: Any) -> Tensor:
        return function(*arguments)

    return wrapper


def named(net: nn.Module, points: Tensor) -> Tensor:
    return net(points)


GLOBAL: dict[str, Any] = {}


def through_global(points: Tensor) -> Tensor:
    return GLOBAL["net"](points)


def in_a_comprehension(points: Tensor) -> Tensor:
    return torch.stack([GLOBAL["net"](points) for _ in range(2)]).mean(0)


def unregistered(net: nn.Module) -> nn.Module:
    class Ensemble(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.members = [net]

        def forward(self, points: Tensor) -> Tensor:
            return torch.stack([member(points) for member in self.members]).mean(0)

    return Ensemble()


WHERE: dict[str, Callable[[nn.Module], Callable[[Tensor], Tensor]]] = {
    "closure": lambda net: lambda points: net(points),
    "closure of a closure": lambda net: (lambda inner: lambda points: inner(points))(lambda p: net(p)),
    "default": lambda net: lambda points, n=net: n(points),
    "keyword default": lambda net: lambda points, *, n=net: n(points),
    "bound method of the module": lambda net: net.forward,
    "bound method of an object": lambda net: Plain(net).predict,
    "object in a closure": lambda net: (lambda plain: lambda points: plain.predict(points))(Plain(net)),
    "callable object": Callee,
    "callable object in an object": lambda net: Plain(Callee(net)).predict,
    "callable object and global": lambda net: ThroughGlobal(),
    "partial": lambda net: functools.partial(named, net),
    "partial by keyword": lambda net: functools.partial(lambda points, net: net(points), net=net),
    "partial of a partial": lambda net: functools.partial(functools.partial(named, net)),
    "list in a closure": lambda net: (lambda nets: lambda points: nets[0](points))([net]),
    "dict in a closure": lambda net: (lambda nets: lambda points: nets["a"](points))({"a": net}),
    "global": lambda net: through_global,
    "global in a lambda": lambda net: lambda points: through_global(points),
    "global in a comprehension": lambda net: in_a_comprehension,
    "decorated": lambda net: wrapped(lambda points: net(points)),
    "module of modules": lambda net: nn.Sequential(net),
    "list of a module": unregistered,
}


@pytest.fixture
def as_global(net: Net) -> Iterator[Net]:
    GLOBAL["net"] = net
    yield net
    GLOBAL.clear()


@pytest.mark.parametrize("hide", WHERE.values(), ids=WHERE.keys())
def test_hidden_modules_run_in_eval_and_come_back(hide: Callable[..., Any], as_global: Net) -> None:
    net = as_global
    reference = seeded(Net)
    reference.load_state_dict(net.state_dict())
    expected = fixed(reference.eval())(x)
    with Unchanged(net):
        result = fixed(hide(net))(x)
    close(result.rfft, expected.rfft, 1e-6)
    assert result.attrs["model_fingerprint"].startswith("sha256:")


@pytest.mark.parametrize("hide", WHERE.values(), ids=WHERE.keys())
def test_hidden_modules_give_dtype_and_device(hide: Callable[..., Any], as_global: Net) -> None:
    net = as_global.double()
    assert fixed(hide(net))(x.astype(np.float32)).rfft.dtype == np.float64


def test_modules_are_found_once() -> None:
    net = nn.Sequential(nn.Linear(3, 2))
    assert find_modules(lambda points: net(points) + net.forward(points)) == [net]
    assert find_modules(nn.Sequential(net)) != [net]
    first, second = nn.Linear(3, 3), nn.Linear(3, 2)
    assert find_modules(lambda points: second(first(points))) == [first, second]
    # A submodule that is reached by another way too is no further one.
    assert set(
        find_modules((lambda outer, inner: lambda points: outer(points) + inner(points))(net, net[0]))
    ) <= {
        net,
        net[0],
    }


def test_attributes_are_not_taken_for_globals() -> None:
    """Among the variables of a notebook there is another network by the name of an attribute."""
    namespace: dict[str, Any] = {"net": nn.Linear(3, 2).double(), "wrapper": Plain(nn.Linear(3, 2))}
    exec("def model(points): return wrapper.net(points)", namespace)
    exec("def on_each(points): return [net(p) for p in points]", namespace)
    assert find_modules(namespace["model"]) == [namespace["wrapper"].net]
    assert find_modules(namespace["on_each"]) == [namespace["net"]]


def test_what_holds_itself_is_searched_once() -> None:
    endless: list[Any] = []
    endless.append(endless)
    net = nn.Linear(3, 2)
    assert find_modules(lambda points: (endless, net)[1](points)) == [net]


def test_callables_without_modules() -> None:
    assert find_modules(lambda points: points.square().sum(-1)) == []
    assert find_modules(torch.sum) == []
    assert find_modules(np.sum) == []


def test_names_that_are_not_bound_yet() -> None:
    def outer() -> Callable[[Tensor], Tensor]:
        def inner(points: Tensor) -> Tensor:
            return later(points)

        found = find_modules(inner)
        assert found == []
        later = nn.Linear(3, 2)
        return inner

    assert len(find_modules(outer())) == 1


# --- modules of other kinds ----------------------------------------------------------------------


def frozen_script(net: nn.Module) -> Any:
    return torch.jit.freeze(torch.jit.script(net.eval()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["script", "trace", "freeze"])
def test_scripted_modules(kind: str) -> None:
    plain = seeded(SmallCNN).eval()
    if kind == "script":
        model = torch.jit.script(plain)
        model.train()
    elif kind == "trace":
        model = torch.jit.trace(plain, torch.zeros(2, 1, N))
    else:
        model = frozen_script(plain)
    before = [value.clone() for value in model.state_dict().values()], getattr(model, "training", None)
    close(fixed(model)(x).rfft, fixed(plain)(x).rfft, 1e-6)
    after = [value.clone() for value in model.state_dict().values()], getattr(model, "training", None)
    assert same(before, after)


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.rnn = kind(1, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, points: Tensor) -> Tensor:
        return self.head(self.rnn(points.mT)[0][:, -1])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("inside", [False, True])
def test_parameters_made_in_inference_mode(kind: type[nn.RNNBase], inside: bool) -> None:
    """Autograd refuses such tensors, so clones stand in for them."""
    plain = seeded(Recurrent, kind)
    with torch.inference_mode():
        model = seeded(Recurrent, kind)
    assert all(parameter.is_inference() for parameter in model.parameters())
    before = snapshot(model)
    with torch.inference_mode(inside):
        result = fixed(model)(x)
    after = snapshot(model)
    assert all(same(before[key], after[key]) for key in before)
    assert all(parameter.is_inference() for parameter in model.parameters())
    close(result.rfft, fixed(plain)(x).rfft, 1e-6)
    with torch.inference_mode():
        model(torch.zeros(2, 1, N))


def test_buffers_and_caches_made_in_inference_mode() -> None:
    class Cached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(N, 2)
            self.norm = nn.BatchNorm1d(N)
            self.window: Tensor | None = None

        def forward(self, points: Tensor) -> Tensor:
            if self.window is None:
                self.window = torch.hann_window(points.shape[-1]) + 1
            return self.linear(self.norm(points[:, 0] * self.window))

    model = Cached().eval()
    with torch.inference_mode():
        model(torch.zeros(2, 1, N))
        model.norm.running_mean = torch.ones(N)
    assert model.window is not None
    assert model.window.is_inference()
    before = snapshot(model)
    fixed(model)(x)
    after = snapshot(model)
    assert all(same(before[key], after[key]) for key in before)


def test_sparse_buffers() -> None:
    """As nets over graphs of electrodes hold them."""

    class Graph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("edges", torch.eye(N).to_sparse())
            self.linear = nn.Linear(N, 2)

        def forward(self, points: Tensor) -> Tensor:
            return self.linear((self.edges @ points[:, 0].T).T)

    model = seeded(Graph)
    edges = model.edges
    result = fixed(model)(x)
    assert model.edges is edges
    close(result.rfft[:, 0], fixed(model.linear)(x[:, 0]).rfft, 1e-6)


def test_tied_weights_stay_tied() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(N, N), nn.Linear(N, N)
            self.second.weight = self.first.weight

        def forward(self, points: Tensor) -> Tensor:
            return self.second(self.first(points[:, 0]).tanh())

    model = seeded(Tied)
    with Unchanged(model):
        fixed(model)(x)
    assert model.second.weight is model.first.weight


def test_lazy_modules_must_have_met_a_batch() -> None:
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(2))
    with pytest.raises(ValueError, match=r"initialized.*LazyLinear"):
        fixed(model)(x)
    assert isinstance(model[1], nn.LazyLinear)
    model(torch.zeros(2, 1, N))
    with Unchanged(model):
        fixed(model)(x)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("normalize", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_normalized_weights(normalize: Callable[[nn.Module], nn.Module]) -> None:
    model = nn.Sequential(nn.Flatten(), normalize(nn.Linear(N, 2)))
    model(torch.zeros(2, 1, N)).sum().backward()
    with Unchanged(model):
        fixed(model)(x)
    model(torch.zeros(2, 1, N)).sum().backward()


def test_dropout_in_train_mode_behind_everything_is_found() -> None:
    """The common mistake: a network that was never put in eval."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(N, 8), nn.Dropout(0.5), nn.Linear(8, 2)).train()
    first, second = (fixed(lambda points: net(points))(x) for _ in range(2))
    np.testing.assert_array_equal(first.rfft, second.rfft)
    assert net.training
