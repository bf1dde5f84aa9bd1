"""Models in use elsewhere: by threads, by interrupted calls, behind objects that hide them."""

from __future__ import annotations

import copy
import functools
import pickle
import random
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import freqig
from freqig.models.torch import standin
from freqig.models.torch.borrowed import Lease
from freqig.models.torch.twin import Twins

from ...helpers import close, noise, seeded
from ..test_model_returned import Unchanged, same, snapshot

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 16
few = functools.partial(freqig.Explainer, n_steps=4, tol=100.0)


class Net(nn.Module):
    """Left in train mode, it answers by chance and by the batch, and changes its buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.5), nn.Flatten()
        )
        self.head = nn.Linear(4 * (N - 2), 2)

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(self.head(self.body(x)), 0.3, self.training)


GLOBAL: dict[str, nn.Module] = {}


class Slotted:
    """Holds its network where no `__dict__` shows it."""

    __slots__ = ("net",)

    def __init__(self, net: Any) -> None:
        self.net = net

    def __call__(self, x: Tensor) -> Tensor:
        return self.net(x)


class Unlisted:
    """Finds its network by a way that no search knows."""

    def __init__(self, net: nn.Module) -> None:
        self.key = f"net {id(net)}"
        sys.modules[__name__].__dict__[self.key] = net

    def __call__(self, x: Tensor) -> Tensor:
        return getattr(sys.modules[__name__], self.key)(x)


def nested(net: nn.Module, levels: int) -> Callable[[Tensor], Tensor]:
    """Behind objects that hold one another."""
    model: Any = net
    for _ in range(levels):
        model = Slotted(model)
    return model


def through_global(x: Tensor) -> Tensor:
    return GLOBAL["net"](x)


@functools.lru_cache(maxsize=1)
def cached() -> nn.Module:
    return GLOBAL["net"]


def in_module(net: nn.Module) -> nn.Module:
    """A module that holds another without saying so."""

    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = Slotted(net)

        def forward(self, x: Tensor) -> Tensor:
            return self.hidden(x)

    return Holder()


WHERE: dict[str, Callable[[nn.Module], Callable[[Tensor], Tensor]]] = {
    "itself": lambda net: net,
    "method": lambda net: net.forward,
    "closure": lambda net: lambda x: net(x),
    "partial": lambda net: functools.partial(lambda other, x: other(x), net),
    "global": lambda net: through_global,
    "cached": lambda net: lambda x: cached()(x),
    "slots": Slotted,
    "set": lambda net: (lambda nets: lambda x: next(iter(nets))(x))({net}),
    "keys": lambda net: (lambda nets: lambda x: next(iter(nets))(x))({net: 1}),
    "weak reference": lambda net: (lambda found: lambda x: found()(x))(weakref.ref(net)),
    "weak proxy": lambda net: (lambda found: lambda x: found(x))(weakref.proxy(net)),
    "deep": lambda net: nested(net, 20),
    "unlisted": Unlisted,
    "slots in a module": in_module,
}


@pytest.fixture
def net() -> Iterator[Net]:
    GLOBAL["net"] = net = seeded(Net)
    cached.cache_clear()
    with torch.no_grad():
        net.body[1].running_var.fill_(2.0)
    yield net
    GLOBAL.clear()
    cached.cache_clear()


def alone(net: nn.Module) -> np.ndarray:
    """What an explanation of the network in eval says."""
    return few(copy.deepcopy(net).eval())(X, target=0).rfft.values


X = noise(3, 1, N)


@pytest.mark.parametrize("hide", WHERE.values(), ids=WHERE.keys())
def test_wherever_a_network_hides_it_runs_in_eval(hide: Any, net: Net) -> None:
    expected, model = alone(net), hide(net)
    with Unchanged(net):
        close(few(model)(X, target=0).rfft.values, expected, 1e-6)


@pytest.mark.parametrize("hide", WHERE.values(), ids=WHERE.keys())
def test_threads_share_a_network(hide: Any, net: Net) -> None:
    """Results are right, and the network is as it was: in train mode, with all it held."""
    expected, model = alone(net), hide(net)
    explainer = few(model)

    def explain(i: int) -> np.ndarray:
        return (explainer if i % 2 else few(model))(X, target=0).rfft.values

    with Unchanged(net), ThreadPoolExecutor(4) as pool:
        for found in pool.map(explain, range(14)):
            close(found, expected, 1e-6)


def test_a_look_that_outlasts_the_twin_finds_the_class(net: Net) -> None:
    """Another thread may give the module its class back in the middle of it."""
    during = standin._answering(Net)
    assert standin._get(net, "__class__") is Net
    made, arguments, *_ = standin._reduce(net, 2)
    assert during not in arguments
    assert type(made(*arguments)) is Net


def test_two_hundred_explanations_while_the_network_is_trained(net: Net) -> None:
    """Training goes on with gradients, in train mode, and no explanation fails or is left to chance."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    stop, steps, problems = threading.Event(), [0], list[Exception]()
    points = torch.tensor(noise(4, 1, N, seed=1)).float()

    def train() -> None:
        try:
            while not stop.is_set():
                assert net.training
                optimizer.zero_grad()
                net(points).square().sum().backward()
                assert all(parameter.grad is not None for parameter in net.parameters())
                optimizer.step()
                steps[0] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            problems.append(error)

    net.body[1].momentum = 0.0
    expected, explainer = alone(net), few(net)
    trainer = threading.Thread(target=train)
    trainer.start()
    try:
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda _: explainer(X, target=0), range(200)))
    finally:
        stop.set()
        trainer.join()
    assert not problems
    assert steps[0] > 10
    assert net.training
    for result in results:
        close(result.rfft.values, expected, 1e-6)


class Checkpointed:
    """Computes its network once more on the way back."""

    __slots__ = ("net", "reentrant")

    def __init__(self, net: nn.Module, reentrant: bool) -> None:
        self.net, self.reentrant = net, reentrant

    def __call__(self, x: Tensor) -> Tensor:
        return checkpoint(self.net, x, use_reentrant=self.reentrant)


TRAINED = {
    **{name: WHERE[name] for name in ("global", "slots", "set", "deep", "unlisted", "slots in a module")},
    "checkpoint": lambda net: Checkpointed(net, False),
    "reentrant checkpoint": lambda net: Checkpointed(net, True),
    "compiled": lambda net: Slotted(torch.compile(net, backend="eager")),
    "scripted": lambda net: net,
    "scripted in slots": Slotted,
}


class Trainer:
    """Context in which another thread trains: a step adds 1 to a bias that target 0 does not depend on."""

    def __init__(self, net: nn.Module) -> None:
        self.net, self.thread = net, threading.Thread(target=self.train)
        self.stop, self.steps, self.problems = threading.Event(), 0, list[Exception]()
        self.points = torch.tensor(noise(4, 1, N, seed=1)).float()

    def train(self) -> None:
        net = self.net
        try:
            optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
            while not self.stop.is_set():
                assert all(sub.training for sub in net.modules())
                optimizer.zero_grad()
                net(self.points).square().sum().backward()
                assert all(parameter.grad is not None for parameter in net.parameters())
                optimizer.step()
                with torch.no_grad():
                    net.head.bias[1] += 1
                self.steps += 1
                self.stop.wait(1e-3)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            self.problems.append(error)

    def __enter__(self) -> Trainer:
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        self.thread.join()


@pytest.mark.filterwarnings(
    "ignore:.*torch.jit.*:DeprecationWarning", "ignore:None of the inputs:UserWarning"
)
@pytest.mark.parametrize("name", TRAINED)
def test_a_network_that_cannot_be_exchanged_is_trained_meanwhile(name: str, net: Net) -> None:
    """No step is lost, none meets the network in eval, and every explanation is of the network in eval."""
    net.body[1].momentum = 0.0
    expected = alone(net)
    trained = torch.jit.script(net) if "scripted" in name else net
    model = TRAINED[name](trained)
    bias = net.head.bias[1].item()
    before = int(trained.body[1].num_batches_tracked)
    with Trainer(trained) as trainer:
        while trainer.steps < 3 and not trainer.problems:
            trainer.stop.wait(0.01)
        for _ in range(4):
            close(few(model)(X, target=0).rfft.values, expected, 1e-5)
    assert not trainer.problems
    assert trainer.steps > 3
    assert abs(trained.head.bias[1].item() - bias - trainer.steps) < 1e-2
    assert int(trained.body[1].num_batches_tracked) - before == trainer.steps
    assert all(sub.training for sub in trained.modules())
    assert all(parameter.requires_grad for parameter in trained.parameters())
    if trained is net:
        assert type(net) is Net


def test_another_thread_copies_and_changes_a_network_in_use(net: Net) -> None:
    """It meets a network of its own class, and what it sets stays."""
    seen: list[Any] = []

    def other() -> None:
        there = GLOBAL["net"]
        again = copy.deepcopy(there)
        seen.extend(
            [type(again), there.__class__, again.training, pickle.loads(pickle.dumps(there)).training]
        )
        there.body[1].eval()
        there.head.requires_grad_(False)

    def model(x: Tensor) -> Tensor:
        if not seen:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        return through_global(x)

    expected = alone(net)
    close(few(model)(X, target=0).rfft.values, expected, 1e-6)
    assert seen == [Net, Net, True, True]
    assert (net.training, net.body[1].training, net.head.weight.requires_grad) == (True, False, False)


def test_training_of_what_was_borrowed_stays_and_is_told(net: Net) -> None:
    lease, before = Lease(), net.head.weight.detach().clone()
    lease.take([net])
    net(torch.zeros(2, 1, N)).sum().backward()
    with torch.no_grad():
        net.head.weight += 1
    with pytest.warns(freqig.errors.SharedModelWarning, match=r"model was trained .* copy.deepcopy\(model\)"):
        lease.give_back()
    assert torch.equal(net.head.weight, before + 1)
    assert net.training
    assert net.body.training


def test_random_numbers_of_another_thread_are_drawn_once(net: Net) -> None:
    stop = threading.Event()
    drawn: list[tuple[float, float, float]] = []

    def draw() -> None:
        while not stop.is_set():
            drawn.append((torch.rand(()).item(), np.random.random(), random.random()))  # noqa: NPY002

    thread = threading.Thread(target=draw)
    explainer = few(net)
    thread.start()
    try:
        for _ in range(10):
            explainer(X, target=0)
    finally:
        stop.set()
        thread.join()
    assert len(drawn) > 10
    # PyTorch's numbers have 24 bits, so a few of many would be equal by chance.
    for numbers, most in zip(zip(*drawn, strict=True), (len(drawn) ** 2 / 2**24 + 5, 0, 0), strict=True):
        assert len(numbers) - len(set(numbers)) <= most


@pytest.mark.parametrize("other", [False, True], ids=["one thread", "two threads"])
def test_a_model_that_draws_leaves_the_generators_of_pytorch(other: bool) -> None:
    net = seeded(nn.Linear, N, 2)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    if other:
        thread.start()
    before = torch.get_rng_state()
    few(lambda x: net(x.flatten(1)) + 0 * torch.rand(()))(X, target=0)
    after = torch.get_rng_state()
    stop.set()
    if other:
        thread.join()
    assert torch.equal(before, after)


def test_a_model_with_a_generator_of_its_own() -> None:
    """It is part of the module, and comes back as it was."""

    class Draws(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(N, 2)
            self.torch, self.numpy = torch.Generator(), np.random.default_rng(0)

        def forward(self, x: Tensor) -> Tensor:
            zero = 0 * torch.rand((), generator=self.torch) + 0 * self.numpy.random()
            return self.linear(x.flatten(1)) + zero

    model = seeded(Draws)
    before = model.torch.get_state(), model.numpy.bit_generator.state
    few(model)(X, target=0)
    assert torch.equal(model.torch.get_state(), before[0])
    assert model.numpy.bit_generator.state == before[1]


# --- interruptions -------------------------------------------------------------------------------


class Interruption:
    """Raises at the n-th line that runs in the files of the package, or sends the signal of Ctrl-C there."""

    def __init__(self, at: int, by_signal: bool) -> None:
        self.left, self.by_signal, self.passed = at, by_signal, 0

    def __call__(self, frame: Any, event: str, _: Any) -> Any:
        if "freqig/" not in frame.f_code.co_filename or "tests" in frame.f_code.co_filename:
            return None
        # Looking an attribute up changes nothing, and is most of what runs.
        if frame.f_code.co_name in ("_get", "_set", "_before", "_twin_of", "twin"):
            return None
        return self.line

    def line(self, frame: Any, event: str, _: Any) -> Any:
        # Where Ctrl-C is held, nothing is raised.
        if event == "line" and not self.passed and frame.f_code.co_name != "interrupts_held":
            self.left -= 1
            if self.left < 0:
                self.passed = 1
                if self.by_signal:
                    signal.raise_signal(signal.SIGINT)
                else:
                    raise KeyboardInterrupt
        return self.line


def state() -> tuple[Any, ...]:
    """What PyTorch and the process keep for this thread."""
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch._C._len_torch_function_stack(),
        torch._C._len_torch_dispatch_stack(),
        len(nn.modules.module._global_forward_pre_hooks),
        signal.getsignal(signal.SIGINT),
        torch.backends.cudnn.enabled,
    )


@pytest.mark.parametrize("by_signal", [False, True], ids=["raised", "signal"])
@pytest.mark.parametrize("hide", [WHERE[name] for name in ("itself", "global", "unlisted")])
def test_an_interruption_anywhere_leaves_nothing_behind(hide: Any, by_signal: bool, net: Net) -> None:
    explainer = few(hide(net))
    x = X[:1]
    before, around = snapshot(net), state()
    at, finished = 0, False
    # Every line of a run would take minutes: a stride without common factor, another one for each way.
    stride = 31 if by_signal else 29
    while not finished:
        old = sys.gettrace()
        interruption = Interruption(at, by_signal)
        with suppress(KeyboardInterrupt):
            sys.settrace(interruption)
            try:
                explainer(x, target=0)
                finished = not interruption.passed
            finally:
                sys.settrace(old)
        after = snapshot(net)
        for key in before:
            if key != "versions":
                assert same(before[key], after[key]), (key, at)
        assert state() == around, at
        at += stride


# --- copies, arguments, nesting ------------------------------------------------------------------


@pytest.mark.parametrize("hide", [WHERE[name] for name in ("itself", "closure", "slots", "global")])
def test_copies_of_an_explainer_work(hide: Any, net: Net) -> None:
    expected = alone(net)
    explainer = copy.deepcopy(few(hide(net)))
    with Unchanged(net):
        close(explainer(X, target=0).rfft.values, expected, 1e-6)


def test_an_explainer_can_be_pickled(net: Net) -> None:
    again = pickle.loads(pickle.dumps(few(net)))
    close(again(X, target=0).rfft.values, alone(net), 1e-6)


def test_another_network_by_the_same_name(net: Net) -> None:
    explainer = few(through_global)
    explainer(X, target=0)
    GLOBAL["net"] = other = seeded(Net, seed=1)
    with Unchanged(other):
        close(explainer(X, target=0).rfft.values, alone(other), 1e-6)


def test_an_argument_that_the_model_writes_to() -> None:
    def model(x: Tensor, scale: Tensor, more: dict[str, Any]) -> Tensor:
        scale.mul_(2)
        more["offset"][0].add_(1)
        return (x.flatten(1) * scale).sum(-1, keepdim=True) + more["offset"][0]

    scale, more = torch.ones(1), {"offset": [torch.zeros(1)]}
    result = few(model)(X, target=0, additional_forward_args=(scale, more))
    assert scale.tolist() == [1.0]
    assert more["offset"][0].tolist() == [0.0]
    np.testing.assert_allclose(result.output, 2 * X.sum((1, 2)) + 1, rtol=1e-5)


def test_an_explanation_within_an_explanation(net: Net) -> None:
    inner: list[np.ndarray] = []

    def hook(module: nn.Module, inputs: Any, output: Any) -> None:
        if not inner:
            inner.append(np.zeros(0))
            inner.append(few(through_global)(X, target=0).rfft.values)

    expected = alone(net)
    for hide in (WHERE["itself"], WHERE["global"]):
        inner.clear()
        handle = net.head.register_forward_hook(hook)
        with Unchanged(net):
            close(few(hide(net))(X, target=0).rfft.values, expected, 1e-6)
        handle.remove()
        close(inner[1], expected, 1e-6)


def test_the_last_user_gives_back(net: Net) -> None:
    first, second, third = Lease(), Lease(), Lease()
    with Unchanged(net):
        first.take([net])
        second.take([net.body])
        third.take([net])
        first.give_back()
        first.give_back()
        third.give_back()
        assert net.training
        assert not net.body.training
        second.give_back()


# --- twins ---------------------------------------------------------------------------------------


def test_references_between_modules_lead_to_twins() -> None:
    class Tangled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
            self.second.weight = self.first.weight
            self.again = self.first
            self.listed: Any = [self.first, {"one": (self.second,)}, {self.first}]
            self.weights = [self.first.weight]
            self.parent: Any = weakref.ref(self)
            self.keyed = {self.first: 1}
            self.bound = self.first.forward
            self.made = functools.partial(self.first.forward)
            first = self.first
            self.closed = lambda x: first(x)

    model = Tangled()
    model.forward = functools.partial(Tangled.__call__, model)
    twin = Twins().of(model)
    assert twin.second.weight is twin.first.weight is twin.weights[0] is not model.first.weight
    assert twin.parent() is twin
    found = [
        twin.again,
        twin.listed[0],
        *twin.listed[2],
        *twin.keyed,
        twin.bound.__self__,
        twin.made.func.__self__,
        twin.closed.__closure__[0].cell_contents,
    ]
    assert all(one is twin.first for one in found)
    assert twin.listed[1]["one"][0] is twin.second
    assert twin.forward.args == (twin,)


class Stateful(nn.Module):
    """Keeps state in every place that a module has."""

    __slots__ = ("extra",)

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(N, 2)
        self.embedding = nn.Embedding(4, 2, max_norm=0.01)
        self.register_buffer("calls", torch.zeros(()))
        self.cache, self.extra = torch.zeros(2), torch.zeros(2)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.calls += 1
            self.cache.add_(1)
            self.linear.bias.data = self.linear.bias.data.clamp(max=0.01)
        return self.linear(x.flatten(1)) + self.embedding(torch.zeros(len(x), dtype=torch.long))


def test_what_a_forward_pass_writes_to_is_the_twins() -> None:
    model = seeded(Stateful)
    before = [t.clone() for t in (*model.state_dict().values(), model.cache)], snapshot(model)
    few(model)(X, target=0)
    after = snapshot(model)
    assert same(before[0], [*model.state_dict().values(), model.cache])
    # To the bit, versions and memory included.
    assert all(same(before[1][key], after[key]) for key in after)


def test_outputs_in_memory_that_is_used_again() -> None:
    """They are read before the next call writes over them."""

    class Again(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.out = nn.Linear(N, 2), torch.zeros(64, 2)

        def forward(self, x: Tensor) -> Tensor:
            outputs = self.linear(x.flatten(1))
            if torch.is_grad_enabled():
                return outputs
            self.out[: len(x)] = outputs
            return self.out[: len(x)]

    model = seeded(Again)
    found = few(model)(X, target=0)
    close(found.output, few(model.linear)(X[:, 0], target=0).output, 1e-6)


def test_programs_of_export_are_explained() -> None:
    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.dropout = nn.Linear(N, 2), nn.Dropout()

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(self.dropout(x.flatten(1))).tanh()

    net = seeded(Small).eval()
    size = torch.export.Dim("batch", min=2, max=4096)
    program = torch.export.export(net, (torch.zeros(4, 1, N),), dynamic_shapes=({0: size},))
    for model in (program.module(), nn.Sequential(program.module())):
        found = few(model)(X, target=0)
        close(found.rfft.values, few(net)(X, target=0).rfft.values, 1e-6)
