"""Models whose answer for one series depends on its neighbours, or on chance, are told so."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from freqig import Explainer, attribute

from ..helpers import SmallCNN, Smooth, close, noise, scores_of, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 16

fixed = functools.partial(Explainer, n_steps=20, tol=10.0)

OF_BATCH = r"independently.*batch_independent=False"
OF_CHANCE = "same output for the same input"


def normed(x: Tensor) -> Tensor:
    """Batch normalization in train mode, without a module that could be put in eval."""
    return functional.batch_norm(x, None, None, training=True)


def net_of(layer: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    network = seeded(SmallCNN).eval()
    return lambda points: network(layer(points))


class SwitchesBack(nn.Module):
    """Puts itself in train mode in its forward pass, so that eval() has no effect."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.network = layer, seeded(SmallCNN)

    def forward(self, points: Tensor) -> Tensor:
        return self.network(self.layer.train()(points))


BATCH: dict[str, Callable[[Tensor], Any]] = {
    "batch norm in train mode": net_of(normed),
    "batch norm that goes back to train mode": SwitchesBack(nn.BatchNorm1d(1)),
    "standardisation": net_of(lambda p: (p - p.mean(0)) / (p.std(0) + 1e-3)),
    "standardisation without a floor": net_of(lambda p: (p - p.mean(0)) / p.std(0)),
    "mean of the batch": net_of(lambda p: p - p.mean(0, keepdim=True)),
    "largest of the batch": net_of(lambda p: p / p.abs().max().clamp_min(1e-3)),
    "neighbour": net_of(lambda p: p + 0.1 * p.roll(1, 0)),
    "order": net_of(lambda p: p * torch.linspace(0, 1, len(p))[:, None, None]),
    "size of the batch": net_of(lambda p: p * len(p)),
    "attention over the batch": net_of(
        lambda p: functional.scaled_dot_product_attention(p.mT, p.mT, p.mT).mT + p - p.mean(0)
    ),
    "softmax over the batch": lambda p: net_of(lambda q: q)(p).softmax(0),
    "normed outputs": lambda p: functional.normalize(net_of(lambda q: q)(p), dim=0),
}

CHANCE: dict[str, Callable[[Tensor], Any]] = {
    "functional dropout": net_of(functional.dropout),
    "dropout of the output": lambda p: functional.dropout(net_of(lambda q: q)(p), 0.5),
    "noise": net_of(lambda p: p + 0.1 * torch.randn_like(p)),
    "noise of NumPy": net_of(lambda p: p + 0.1 * np.random.normal()),  # noqa: NPY002
    "dropout that goes back to train mode": SwitchesBack(nn.Dropout()),
    "random crop": net_of(lambda p: p.roll(int(torch.randint(N, ())), -1)),
}


@pytest.mark.parametrize("n_samples", [1, 4])
@pytest.mark.parametrize("model", BATCH.values(), ids=BATCH.keys())
def test_dependence_on_the_batch_is_an_error(model: Callable[..., Any], n_samples: int) -> None:
    with pytest.raises(ValueError, match=OF_BATCH) as caught:
        fixed(model)(noise(n_samples, 1, N))
    assert "chance" not in str(caught.value)


@pytest.mark.parametrize("n_samples", [1, 4])
@pytest.mark.parametrize("model", CHANCE.values(), ids=CHANCE.keys())
def test_dependence_on_chance_is_an_error(model: Callable[..., Any], n_samples: int) -> None:
    for batch_independent in (True, False):
        with pytest.raises(ValueError, match=f"{OF_CHANCE}.*chance"):
            fixed(model, batch_independent=batch_independent)(noise(n_samples, 1, N))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize(("layer", "message"), [(normed, OF_BATCH), (functional.dropout, OF_CHANCE)])
def test_in_every_precision(layer: Any, message: str, dtype: torch.dtype) -> None:
    smooth = Smooth(N, dtype=dtype)
    with pytest.raises(ValueError, match=message):
        fixed(lambda points: smooth(layer(points)))(noise(4, 1, N))


@pytest.mark.parametrize("engine", ["path", "captum"])
def test_with_every_engine(engine: str) -> None:
    for model, message in ((BATCH["neighbour"], OF_BATCH), (CHANCE["noise"], OF_CHANCE)):
        with pytest.raises(ValueError, match=message):
            fixed(model, engine=engine)(noise(3, 1, N))


def test_attribute_has_the_same_safeguards() -> None:
    for x in (noise(4, 1, N), noise(1, 1, N)):
        with pytest.raises(ValueError, match="independently"):
            attribute(x, BATCH["batch norm in train mode"])
        with pytest.raises(ValueError, match=OF_CHANCE):
            attribute(x, CHANCE["functional dropout"])


@pytest.mark.parametrize("place", range(5))
def test_samples_at_their_baseline_do_not_hide_it(place: int) -> None:
    """Padding: all samples but one are zero, as is the baseline."""
    x = np.zeros((5, 1, N))
    x[place] = noise(1, N)
    with pytest.raises(ValueError, match=OF_BATCH):
        fixed(BATCH["mean of the batch"])(x)


def test_equal_samples_do_not_hide_it() -> None:
    x = np.repeat(noise(1, 1, N), 4, axis=0)
    with pytest.raises(ValueError, match=OF_BATCH):
        fixed(BATCH["standardisation"])(x)
    with pytest.raises(ValueError, match=OF_BATCH):
        fixed(BATCH["standardisation"])(x, baseline=-x)


class Counter:
    """A model that counts its calls, and answers differently after so many."""

    def __init__(self, after: int, effect: float = 1.0) -> None:
        self.after, self.effect, self.calls = after, effect, 0

    def __call__(self, points: Tensor) -> Tensor:
        self.calls += 1
        return points.square().mean(-1) * (1 + self.effect * (self.calls > self.after))


@pytest.mark.parametrize("effect", [1.0, 0.01])
def test_counting_calls_is_an_error(effect: float) -> None:
    """Whenever the count takes effect between the calls of the check: six, and two before it."""
    refused = 0
    for after in range(12):
        try:
            fixed(Counter(after, effect), dtype=torch.float64, tol=1e9)(noise(2, N))
        except ValueError as error:
            assert "chance" in str(error) or "independently" in str(error)  # noqa: PT017
            refused += 1
    assert refused >= 4


def test_alternating_answers_are_an_error() -> None:
    calls = []

    def model(points: Tensor) -> Tensor:
        calls.append(0)
        return points.square().mean(-1) * (1 + len(calls) % 2)

    with pytest.raises(ValueError, match=r"same output|independently"):
        fixed(model)(noise(2, N))


# --- the remedy ----------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["path", "captum"])
def test_one_point_a_call(engine: str) -> None:
    sizes = set()

    def model(points: Tensor) -> Tensor:
        sizes.add(len(points))
        return BATCH["neighbour"](points)

    result = fixed(model, batch_independent=False, engine=engine)(noise(3, 1, N), target=0)
    assert sizes == {1}
    # With itself as its only neighbour a series counts 1.1 times.
    network = seeded(SmallCNN).eval()
    close(
        result.rfft,
        fixed(lambda points: network(1.1 * points), engine=engine)(noise(3, 1, N), target=0).rfft,
        1e-5,
    )


def test_what_is_explained_with_one_point_a_call() -> None:
    """The mean of a batch of one is the series itself: nothing is left that could be attributed."""

    def model(points: Tensor) -> Tensor:
        return (points - points.mean(0)).sum(-1) + points[:, 0] ** 2

    x = noise(3, N)
    result = Explainer(model, batch_independent=False, n_steps=3, dtype=torch.float64)(x)
    gradient = np.zeros((3, N))
    gradient[:, 0] = x[:, 0]
    close(result.rfft, scores_of(x, gradient), 1e-13)


def test_modules_are_put_in_eval_before_anything_is_asked() -> None:
    """Nets left in train mode behind a lambda are found, and need no remedy."""
    net = nn.Sequential(
        nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ELU(), nn.Dropout(), nn.Flatten(), nn.Linear(56, 2)
    )
    reference = nn.Sequential(*net).eval()
    expected = fixed(reference)(noise(3, 1, N))
    net.train()
    close(fixed(lambda points: net(points))(noise(3, 1, N)).rfft, expected.rfft, 1e-6)
    assert net.training


# --- what must pass ------------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 2)

    def forward(self, points: Tensor) -> Tensor:
        return self.head(self.encoder(points.unflatten(-1, (-1, 16))).mean(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(1, 16, 2, batch_first=True, dropout=0.3), nn.Linear(16, 2)

    def forward(self, points: Tensor) -> Tensor:
        return self.head(self.rnn(points.unsqueeze(-1))[0][:, -1])


INDEPENDENT: dict[str, Callable[[], nn.Module]] = {
    "convolutions": lambda: nn.Sequential(
        nn.Unflatten(1, (1, -1)),
        *(
            nn.Sequential(nn.Conv1d(1 if i == 0 else 32, 32, 9, padding=4), nn.BatchNorm1d(32), nn.ReLU())
            for i in range(6)
        ),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(32, 3),
    ),
    "wide": lambda: nn.Sequential(
        nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 3)
    ),
    "attention": Attention,
    "recurrent": Recurrent,
    "group norm": lambda: nn.Sequential(
        nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 8, 9), nn.GroupNorm(2, 8), nn.Flatten(), nn.Linear(8 * 248, 3)
    ),
}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("build", INDEPENDENT.values(), ids=INDEPENDENT.keys())
def test_rounding_passes(build: Callable[[], nn.Module], scale: float) -> None:
    """Kernels differ between batch sizes; that is no dependence, in whatever units outputs are."""
    model = seeded(build).eval()
    fixed(lambda points: scale * model(points), n_steps=2, tol=1e9)(noise(3, 256))


@pytest.mark.parametrize("looks", [lambda x: x.requires_grad, lambda _: torch.is_grad_enabled()])
def test_a_model_that_looks_at_gradients_is_told_so(looks: Callable[[Tensor], bool]) -> None:
    """No other sample was in its way, though outputs on the path differ from those that are asked alone."""
    with pytest.raises(ValueError, match=r"output whether gradients are taken or not.*grad mode"):
        fixed(lambda x: x.square().sum(-1) * (1.1 if looks(x) else 1.0))(noise(3, N))


def test_constant_outputs_pass() -> None:
    fixed(lambda points: 0 * points.sum(-1) + 3)(noise(3, N))
    fixed(lambda points: 0 * points.sum(-1))(noise(3, N))


def test_further_arguments_stay_with_their_series() -> None:
    by_row = torch.arange(1.0, 5.0)[:, None]
    result = fixed(lambda points, scale: points.square() * scale)(
        noise(4, N), target=0, additional_forward_args=by_row
    )
    np.testing.assert_allclose(result.output, noise(4, N)[:, 0] ** 2 * by_row[:, 0].numpy(), rtol=1e-6)
