"""Every way in which one series can change the output for another, whichever place it has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from freqig import Explainer, Polar, attribute
from freqig.objective.company import Company, find_dependent

from ..helpers import close, noise, scores_of, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 12
fixed = partial(Explainer, n_steps=7, tol=1e9)
OF_BATCH = r"independently.*batch_independent=False"
W = torch.tensor(noise(N, 6, seed=3) / 4, dtype=torch.float32)
V = torch.tensor(noise(6, 3, seed=4), dtype=torch.float32)


def network(points: Tensor) -> Tensor:
    return (points @ W.to(points)).tanh() @ V.to(points)


def decibels(points: Tensor) -> Tensor:
    """With a floor below the loudest of the batch, as spectrograms are often clamped."""
    level = 10 * points.square().clamp_min(1e-10).log10()
    return torch.maximum(level, level.max() - 20)


def in_groups(points: Tensor) -> Tensor:
    """Batch normalisation in two groups, as on two devices."""
    whole = len(points) // 2 * 2
    groups = points[:whole].reshape(2, -1, N)
    normed = (groups - groups.mean((1, 2), keepdim=True)) / (groups.std((1, 2), keepdim=True) + 1e-3)
    return torch.cat([normed.reshape(whole, N), points[whole:]])


def only_row(i: int) -> Callable[[Tensor], Tensor]:
    """Attention over the batch that a mask leaves to one row."""

    def attended(points: Tensor) -> Tensor:
        mask = (torch.arange(len(points)) == i).to(points).unsqueeze(1)
        return points + mask * points.mean(0)

    return attended


TRAPS: dict[str, Callable[[Tensor], Tensor]] = {
    "largest of the batch": lambda p: p / p.abs().max().clamp_min(1e-3),
    "clamp at the largest": lambda p: p.clamp(max=0.5 * p.max().item()),
    "decibels below the loudest": lambda p: decibels(p) / 20,
    "standardisation": lambda p: (p - p.mean(0)) / (p.std(0) + 1e-2),
    "batch norm in train mode": lambda p: functional.batch_norm(p, None, None, training=True),
    "batch norm in groups": in_groups,
    "layer norm over the wrong axis": lambda p: functional.layer_norm(p.T, (len(p),)).T,
    "sorted": lambda p: p.sort(0).values,
    "quantile": lambda p: p.clamp(max=p.quantile(0.9)),
    "branch where anything is loud": lambda p: p.tanh() if bool((p.abs() > 2.5).any()) else p,
    "branch on the largest": lambda p: p.tanh() if p.abs().max() > 0.5 else 5 * p,
    "branch close to the baseline": lambda p: p.tanh() if p.abs().max() > 0.1 else 5 * p,
    "only where another is loud": lambda p: p + 0.03 * (p.abs().amax(1) > 4).any() * p.sign(),
    "only where another is quiet": lambda p: p * (1 + (p.abs().amax(1).min() < 0.3).float()),
    "neighbour": lambda p: p + 0.01 * p.roll(1, 0),
    "all before": lambda p: p + 0.01 * p.cumsum(0),
    "all others, weakly": lambda p: p + 1e-3 * (p.sum(0, keepdim=True) - p),
    "place in the batch": lambda p: p * torch.linspace(1, 1.1, len(p)).to(p).unsqueeze(1),
    "rank in the batch": lambda p: p * (1 + 0.01 * p.norm(dim=1).argsort().argsort().unsqueeze(1)),
    "size of the batch": lambda p: p * len(p),
    "first row only": only_row(0),
    "third row only": only_row(2),
}


def with_one_loud(n_samples: int, place: int) -> np.ndarray:
    x = 0.8 * noise(n_samples, N, seed=n_samples)
    x[place] *= 6
    return x


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS.keys())
def test_whichever_sample_is_the_loud_one(trap: Callable[[Tensor], Tensor]) -> None:
    explainer = fixed(lambda p: network(trap(p)))
    for n_samples in (1, 2, 3, 5):
        for place in range(n_samples):
            with pytest.raises(ValueError, match=OF_BATCH) as caught:
                explainer(with_one_loud(n_samples, place), target=0)
            assert "chance" not in str(caught.value)
            assert "baseline" not in str(caught.value)


@pytest.mark.parametrize("place", [0, 1, 77, 149])
@pytest.mark.parametrize("name", ["decibels below the loudest", "only where another is loud", "neighbour"])
def test_in_a_large_batch(name: str, place: int) -> None:
    with pytest.raises(ValueError, match=OF_BATCH):
        fixed(lambda p: network(TRAPS[name](p)))(with_one_loud(150, place), target=0)


@pytest.mark.parametrize("place", [0, 40, 79])
def test_the_only_quiet_one_of_many(place: int) -> None:
    """All others are loud enough for the branch: it alone has another output alone."""
    x = noise(80, N) + np.sign(noise(80, N))
    x[place] *= 0.1
    with pytest.raises(ValueError, match=OF_BATCH):
        fixed(lambda p: network(p.tanh() if p.abs().max() > 0.9 else 5 * p))(x, target=0)


@pytest.mark.parametrize(
    "explain",
    [
        lambda model: Explainer(model)(noise(2, N)),
        lambda model: Explainer(model, domains=Polar())(noise(2, N)),
        lambda model: Explainer(model, engine="captum")(noise(2, N)),
        lambda model: attribute(noise(N), model),
        lambda model: attribute(noise(2, 1, N), model, n_steps=None),
    ],
    ids=["adaptive", "polar", "captum", "attribute", "attribute, adaptive"],
)
def test_with_every_way_of_integrating(explain: Callable[[Callable[[Tensor], Tensor]], Any]) -> None:
    with pytest.raises(ValueError, match="independently"):
        explain(lambda p: network(TRAPS["branch on the largest"](p)))


def test_chunks_of_the_path_are_looked_into() -> None:
    """Company counts in batches of more than 40 only, which no check in advance makes."""

    def model(p: Tensor) -> Tensor:
        return network(p + 0.1 * p.mean(0) if len(p) > 40 else p)

    with pytest.raises(ValueError, match=r"output for sample [01] changes.*batch_independent=False"):
        fixed(model, n_steps=50)(noise(2, N), target=0)
    fixed(model, n_steps=50, batch_independent=False)(noise(2, N), target=0)


def test_the_remedy_explains_each_series_alone() -> None:
    """Of the model that branches: on the path of each series by itself, where its own loudness decides."""
    x = noise(3, N)
    for sample in x:
        assert np.abs(sample).max() < 4

    def model(p: Tensor) -> Tensor:
        return (p.square() if p.abs().max() < 4 else p).sum(-1)

    found = fixed(model, batch_independent=False, dtype=torch.float64)(x)
    close(found.rfft, scores_of(x, x), 1e-12)


def test_few_series_are_compared_in_few_calls() -> None:
    """Not each by itself: the loudest, the others, and what lies at three places of the paths."""

    def calls_for(n_samples: int) -> int:
        sizes: list[int] = []

        def model(p: Tensor) -> Tensor:
            sizes.append(len(p) if not p.requires_grad else 0)
            return network(p)

        fixed(model, dtype=torch.float32)(noise(n_samples, N), target=0)
        return sum(map(bool, sizes))

    assert [calls_for(n) for n in (1, 4, 16)] == [6, 7, 7]


# --- what must pass ------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 30, 1000, 1e5])
@pytest.mark.parametrize("n_samples", [1, 9, 40])
def test_rounding_inside_the_model_is_no_company(n_samples: int, scale: float) -> None:
    """Sines of large arguments make any rounding large; so do terms that cancel."""
    x, wide = noise(n_samples, 64), torch.tensor(noise(64, 32, seed=1), dtype=torch.float32)
    for model in (
        lambda p: (scale * (p @ wide)).sin().mean(-1),
        lambda p: (30 * (scale * (p @ wide)).sin() @ wide.T).sin().mean(-1),
        lambda p: (scale * (1e-3 * (p @ wide) + torch.linspace(0, 1, 32))).sin().mean(-1),
        lambda p: (p @ wide + scale - scale).mean(-1),
        lambda p: (scale * p).sin().mean(-1),
    ):
        fixed(model, n_steps=3)(x)
    fixed(lambda p: (p @ wide).sin().mean(-1), n_steps=3)(scale * x)


@pytest.mark.parametrize("off", [0.0, 1e-3])
def test_rounding_of_terms_that_cancel_is_no_company(off: float) -> None:
    """Of silence only terms are left that cancel, and another order of adding them is an ulp of theirs."""

    def evaluate(points: Tensor, rows: Tensor) -> Tensor:
        return points.sum(1, keepdim=True) + (torch.finfo(torch.float32).eps + off) * (len(points) == 1)

    points = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 0.0], [0.0, -2.0]])
    batch, place = Company.of(evaluate, points, torch.arange(4)), torch.tensor([0])
    lone = Company.of(evaluate, points[:1], place)
    assert (find_dependent(evaluate, batch, place, lone, place) is not None) == bool(off)


def test_coupling_of_a_sine_network_is_still_found() -> None:
    wide = torch.tensor(noise(N, 32, seed=1), dtype=torch.float32)
    for name in ("all others, weakly", "batch norm in train mode", "place in the batch"):

        def model(p: Tensor, trap: Callable[[Tensor], Tensor] = TRAPS[name]) -> Tensor:
            return (30 * (trap(p) @ wide)).sin().mean(-1)

        with pytest.raises(ValueError, match=OF_BATCH):
            fixed(model)(noise(4, N))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rounding_in_half_precision(dtype: torch.dtype) -> None:
    net = nn.Sequential(nn.Linear(N, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    for n_samples in (1, 2, 7, 40):
        fixed(seeded(lambda: net).to(dtype), n_steps=2)(noise(n_samples, N), target=0)


# --- outputs, and failures -----------------------------------------------------------------------


@pytest.mark.parametrize("n_samples", [1, 3, 40])
@pytest.mark.parametrize(
    "model",
    [
        lambda p: p @ p.T,
        lambda p: network(p).repeat(1, len(p)),
        lambda p: network(p).repeat(1, 1 + int((p.abs() > 1).sum(1).max())),
    ],
    ids=["similarities", "as many as series", "padded to the longest"],
)
def test_outputs_whose_shape_depends_on_the_batch(model: Callable[[Tensor], Tensor], n_samples: int) -> None:
    with pytest.raises(ValueError, match="outputs of one shape whatever the batch, got shape"):
        fixed(model)(noise(n_samples, N), target=0)


@pytest.mark.parametrize(
    "options", [{}, {"n_steps": 5}, {"engine": "captum"}], ids=["adaptive", "fixed", "captum"]
)
def test_a_failure_at_the_baseline_says_so(options: dict[str, Any]) -> None:
    def model(p: Tensor) -> Tensor:
        if bool((p == 0).all(1).any()):
            raise RuntimeError("silence")
        return network(p)

    explainer = Explainer(model, **options)
    with pytest.raises(RuntimeError, match=r"silence.*at the baseline.*pass another baseline="):
        explainer(noise(2, N), target=0)
    explainer(noise(2, N), target=0, baseline=np.ones(N))
    with pytest.raises(RuntimeError) as caught:
        explainer(np.zeros((2, N)), target=0, baseline=np.ones(N))
    assert "at the baseline" not in str(caught.value)


def test_an_output_at_the_baseline_that_is_not_finite() -> None:
    with pytest.raises(ValueError, match=r"output at the baseline is not finite.*of sample 0"):
        fixed(lambda p: p.norm(dim=1).log())(noise(2, N))


def test_numpy_inside_the_model() -> None:
    x = noise(2, N)
    with pytest.raises(RuntimeError, match="hands its input to NumPy, which knows no gradients"):
        fixed(lambda p: torch.from_numpy(np.abs(p.numpy())).sum(-1))(x)
    with pytest.raises(TypeError, match="must return a tensor, got ndarray: NumPy knows no gradients"):
        fixed(lambda p: p.detach().numpy().sum(-1))(x)
    with pytest.raises(ValueError, match="does not depend differentiably"):
        fixed(lambda p: torch.from_numpy(p.detach().numpy().sum(-1)))(x)


def sure_of_its_class(points: Tensor) -> Tensor:
    """Logits whose log p is one half of an ulp of 1 below zero, with rounding that goes with the batch."""
    logit = 8.31777 + 1e-8 * points.mean(-1)
    logit = logit * (1 - (len(points) % 3) * 8 * torch.finfo(points.dtype).eps)
    return torch.stack([logit, -logit], -1)


@pytest.mark.parametrize("independent", [True, False])
def test_rounding_of_logits_that_cancel_is_no_company(independent: bool) -> None:
    """log p of a class that the model is sure of is 0 or 1.2e-7, by what rounding makes of the logits."""
    x = noise(5, N, seed=2).astype(np.float32)
    sizes = [torch.tensor(x[:size]) for size in (2, 3, 4)]
    found = {float(sure_of_its_class(points).log_softmax(-1)[0, 0]) for points in sizes}
    assert len(found) == 2, "the trap must be one"
    assert max(map(abs, found)) < 2e-7
    for count in (1, 2, 3, 5):
        fixed(sure_of_its_class, output="log_prob", batch_independent=independent)(x[:count], target=0)


def test_outputs_of_another_pass_are_refused() -> None:
    def model(points: Tensor) -> Tensor:
        scores = network(points)
        return scores * 1.5 if points.requires_grad else scores

    with pytest.raises(ValueError, match=r"whether gradients are taken or not.*differ by"):
        fixed(model)(noise(3, N), target=0)
    with pytest.raises(ValueError, match=r"whether gradients are taken or not.*differ by"):
        fixed(model, batch_independent=False)(noise(3, N), target=0)


@pytest.mark.parametrize("place", [2, 0])
def test_masked_classes_round_as_others_do(place: int) -> None:
    """The logit of a masked class is minus infinity, and those beside it round by the size of the batch."""
    mask = torch.zeros(3)
    mask[place] = -torch.inf
    x, eps = noise(4, N).astype(np.float32), torch.finfo(torch.float32).eps

    def masked(points: Tensor) -> Tensor:
        return network(points) * (1 + 2 * eps * (len(points) % 3)) + mask

    close(fixed(masked)(x, target=1).rfft, fixed(network)(x, target=1).rfft, 1e-4)


def test_a_class_that_is_masked_in_company_is_seen() -> None:
    def masked(points: Tensor) -> Tensor:
        loud = points.abs().amax(1) < points.abs().max()
        return torch.stack([network(points)[:, 0], torch.where(loud, -torch.inf, network(points)[:, 1])], 1)

    with pytest.raises(ValueError, match=OF_BATCH):
        fixed(masked)(noise(4, N).astype(np.float32), target=0)


def test_a_sample_that_is_its_baseline_is_explained_whatever_rounding_leaves() -> None:
    """Outputs for one point differ by its place in a batch, as matrix products of some processors do."""

    def placed(points: Tensor) -> Tensor:
        eps = torch.finfo(points.dtype).eps
        return network(points) * (1 + 12 * eps * torch.arange(len(points))[:, None])

    x = noise(4, N).astype(np.float32)
    silent = x.copy()
    silent[1:3] = 0
    assert not attribute(x[0], placed, 1, baseline=x[0]).any()
    for settings in ({"n_steps": 20}, {}):
        result = Explainer(placed, tol=0.01, **settings)(silent, target=1)
        assert not result.rfft.values[1:3].any()
        assert result.converged.values[[0, 3]].all()
