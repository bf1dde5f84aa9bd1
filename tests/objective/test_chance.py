"""Models that answer one input differently from call to call: by chance, or since they keep a state."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from freqig import Explainer

from ..helpers import noise, seeded

N = 16
fixed = partial(Explainer, n_steps=50, tol=1e9)
W = torch.tensor(noise(N, 4, seed=3) / 4, dtype=torch.float32)


class Memory(nn.Module):
    """Carries the hidden state of its last call along."""

    def __init__(self, keep_size: bool) -> None:
        super().__init__()
        self.cell, self.head, self.keep_size = nn.GRUCell(N, 8), nn.Linear(8, 2), keep_size
        self.state: Tensor | None = None

    def reset_states(self) -> None:
        self.state = None

    def forward(self, x: Tensor) -> Tensor:
        if self.state is None or (not self.keep_size and len(self.state) != len(x)):
            self.state = torch.zeros(len(x), 8)
        state = self.cell(x, self.state)
        self.state = state.detach()
        return self.head(state)


class Average(nn.Module):
    """Subtracts an average of what it has seen."""

    mean: Tensor

    def __init__(self, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(N))

    def forward(self, x: Tensor) -> Tensor:
        self.mean = (1 - self.momentum) * self.mean + self.momentum * x.detach().mean(0)
        return (x - self.mean) @ W


class Calls:
    """Counts its calls, and remembers the last one."""

    def __init__(self, effect: Callable[[int, float], float]) -> None:
        self.effect, self.n, self.last = effect, 0, 0.0

    def __call__(self, x: Tensor) -> Tensor:
        factor, self.n, self.last = self.effect(self.n, self.last), self.n + 1, float(x.detach().mean())
        return factor * (x @ W)


STATES: dict[str, Callable[[], Callable[[Tensor], Tensor]]] = {
    "hidden state": lambda: seeded(Memory, False),
    "hidden state of one batch size": lambda: seeded(Memory, True),
    **{f"running average {m}": partial(Average, m) for m in (0.01, 0.1, 0.9)},
    "count": lambda: Calls(lambda n, _: 1 + 0.01 * n),
    "toggle": lambda: Calls(lambda n, _: 1.0 + n % 2),
    "last input": lambda: Calls(lambda _, last: 1 + 0.1 * last),
}


@pytest.mark.parametrize("n_samples", [1, 3])
@pytest.mark.parametrize("batch_independent", [True, False])
@pytest.mark.parametrize("build", STATES.values(), ids=STATES.keys())
def test_a_state_is_called_a_state(
    build: Callable[[], Callable[[Tensor], Tensor]], batch_independent: bool, n_samples: int
) -> None:
    with pytest.raises(
        ValueError, match=r"same output for the same input.*keeps a state.*reset_states"
    ) as caught:
        fixed(build(), batch_independent=batch_independent)(noise(n_samples, N), target=0)
    assert "chance" not in str(caught.value)
    assert "dropout" not in str(caught.value)


def test_the_remedy_works() -> None:
    """As the error writes it."""
    model = seeded(Memory, True)
    result = Explainer(lambda x: (model.reset_states(), model(x))[1])(noise(3, N), target=0)
    assert bool(result.converged.all())


OWN, RNG = torch.Generator().manual_seed(3), np.random.default_rng(0)


def loudness(x: Tensor) -> Tensor:
    return x.abs().amax(1, keepdim=True)


CHANCE: dict[str, Callable[[Tensor], Tensor]] = {
    "close to the baseline": lambda x: x @ W + functional.dropout((0.1 - x.abs()).relu()) @ W,
    "in the middle": lambda x: x @ W + torch.randn_like(x) @ W * ((loudness(x) - 0.6).abs() < 0.3),
    "behind a sigmoid": lambda x: torch.sigmoid(200 * (functional.dropout(x.abs()) @ W.abs())),
    "in the gradient": lambda x: x @ W + ((x - x.detach()) * torch.randn_like(x)) @ W,
    "leaky by chance": lambda x: functional.rrelu(x, training=True) @ W,
    "Gumbel": lambda x: functional.gumbel_softmax(x @ W),
    "generator of its own": lambda x: x @ W + 0.1 * torch.randn(4, generator=OWN),
    "NumPy's own": lambda x: x @ W + 0.1 * float(RNG.normal()),
    "Python": lambda x: x @ W * (1 + 0.1 * random.random()),
}


@pytest.mark.parametrize("n_samples", [1, 3])
@pytest.mark.parametrize("batch_independent", [True, False])
@pytest.mark.parametrize("model", CHANCE.values(), ids=CHANCE.keys())
def test_chance_is_found_where_it_hides(
    model: Callable[[Tensor], Tensor], batch_independent: bool, n_samples: int
) -> None:
    with pytest.raises(ValueError, match=r"model must give the same .* depends on chance") as caught:
        fixed(model, batch_independent=batch_independent)(noise(n_samples, N, seed=1), target=0)
    assert "state" not in str(caught.value)


def test_generators_are_set_back() -> None:
    states = torch.get_rng_state(), random.getstate()
    with pytest.raises(ValueError, match="chance"):
        fixed(CHANCE["Python"])(noise(2, N))
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()


def test_kinks_do_not_look_like_chance() -> None:
    """The gradient at a kink hangs on the last bit, in one batch as in the other."""
    net = seeded(lambda: nn.Sequential(*(nn.Sequential(nn.Linear(N, N), nn.ReLU()) for _ in range(8))))
    for n_samples in (1, 5):
        fixed(net)(np.round(noise(n_samples, N)), target=0)
