"""The adaptive integrator as a procedure: counts, chunks, targets, dtypes, memory."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import Tensor

from freqig.chunks import Chunks

from ..helpers import noise
from .paths import Counter, adaptive

X = 5 * torch.tensor(noise(6, 32, seed=1))
W = torch.tensor(noise(32, 3, seed=2))


def smooth(x: Tensor) -> Tensor:
    return torch.tanh(x @ W.to(x)[:, 0] / 9)


def steps(x: Tensor) -> Tensor:
    """Some paths smooth, some steep: both phases at work at once."""
    return smooth(x) + torch.sigmoid(40 * (x @ W.to(x)[:, 1] - 4))


def kinked(x: Tensor) -> Tensor:
    return torch.relu(x @ W.to(x) - 3).sum(1)


@pytest.mark.parametrize("n_initial", [1, 2, 3, 4, 7, 15, 20])
def test_the_first_rule_sets_the_floor(n_initial: int) -> None:
    path = adaptive(smooth, X, n_initial=n_initial)
    assert path.converged.all()
    assert path.n_evaluations.min() >= n_initial


@pytest.mark.parametrize("function", [smooth, steps, kinked])
def test_counts_are_those_of_the_model(function: object) -> None:
    """Every point at which a gradient or F was taken, but for the ends of the path."""
    counter = Counter(function)  # type: ignore[arg-type]
    path = adaptive(counter, X, chunks=Chunks(1000))
    # Calls with a single point hold it twice.
    inside = counter.points - 2 * len(X)
    assert 0 <= inside - int(path.n_evaluations.sum()) <= 10


@pytest.mark.parametrize("function", [smooth, steps, kinked])
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_results_do_not_depend_on_chunks(function: object, size: int) -> None:
    expected = adaptive(function, X)  # type: ignore[arg-type]
    counter = Counter(function)  # type: ignore[arg-type]
    path = adaptive(counter, X, chunks=Chunks(size))
    assert path.n_evaluations.tolist() == expected.n_evaluations.tolist()
    torch.testing.assert_close(path.mean_gradient, expected.mean_gradient, rtol=1e-9, atol=1e-12)
    assert counter.most <= max(size, 2)


def test_running_out_of_memory_changes_nothing() -> None:
    """A chunk that fails half-way leaves nothing behind, in either phase."""
    expected = adaptive(steps, X)
    calls = 0

    def sometimes(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if len(x) > 3 and calls % 4 == 0:
            raise torch.OutOfMemoryError
        return steps(x)

    chunks = Chunks(400)
    path = adaptive(sometimes, X, chunks=chunks)
    assert chunks.size < 400
    assert path.n_evaluations.tolist() == expected.n_evaluations.tolist()
    torch.testing.assert_close(path.mean_gradient, expected.mean_gradient, rtol=1e-9, atol=1e-12)


def test_samples_do_not_see_one_another() -> None:
    together = adaptive(steps, X)
    for i in range(len(X)):
        alone = adaptive(steps, X[i : i + 1])
        assert alone.n_evaluations.tolist() == together.n_evaluations[i : i + 1].tolist()
        torch.testing.assert_close(alone.mean_gradient[0], together.mean_gradient[i], rtol=1e-9, atol=1e-12)


def test_converged_samples_leave() -> None:
    """One rough path does not make the smooth ones pay."""
    x = torch.cat([X[:5], X[5:] * 20])
    path = adaptive(smooth, x)
    assert path.n_evaluations[:5].max() < path.n_evaluations[5]


def test_several_targets_share_the_points() -> None:
    function = lambda x: torch.stack([smooth(x), steps(x)], 1)
    both = adaptive(function, X, n_targets=2)
    assert both.mean_gradient.shape == (6, 2, 32)
    assert both.converged.shape == both.error.shape == (6, 2)
    assert both.converged.all()
    for t, single in enumerate((smooth, steps)):
        one = adaptive(single, X, tol=1e-4)
        difference = (X * (both.mean_gradient[:, t] - one.mean_gradient[:, 0])).abs().sum(1)
        assert (difference <= 0.0101 * (X * one.mean_gradient[:, 0]).abs().sum(1)).all()


def test_one_target_that_jumps_does_not_mark_the_other() -> None:
    u = X[0] / X[0].square().sum()
    function = lambda x: torch.stack([smooth(x), smooth(x) + (x @ u > 0.3)], 1)
    path = adaptive(function, X[:1], n_targets=2)
    assert path.diagnoses[0].status == "jump"
    assert path.converged.tolist()[0][1] is False
    assert abs(path.diagnoses[0].jumps[0].size[0]) < 1e-3


def test_projections_are_watched() -> None:
    """A domain that does not see the large smooth part must be accurate in what it does see."""
    function = lambda x: 10 * smooth(x) + 0.02 * torch.sigmoid(40 * (x @ W[:, 1] - 4))
    large = X * W[:, 0]

    def without_large(mean_gradient: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
        products, direction = X[rows].unsqueeze(1) * mean_gradient, large[rows].unsqueeze(1)
        share = (products * direction).sum(-1, keepdim=True) / direction.square().sum(-1, keepdim=True)
        return (products - share * direction,)

    plain, watched = adaptive(function, X), adaptive(function, X, domains=[without_large])
    assert watched.n_evaluations.sum() > 1.5 * plain.n_evaluations.sum()
    exact = adaptive(function, X, tol=1e-7, domains=[without_large])
    rows = torch.arange(len(X))
    (found,), (truth,) = (without_large(p.mean_gradient, rows) for p in (watched, exact))
    assert ((found - truth).abs().sum(-1) <= 0.01 * truth.abs().sum(-1) + 1e-10).all()


@pytest.mark.parametrize("function", [smooth, steps, kinked])
def test_float32(function: object) -> None:
    double = adaptive(function, X, tol=1e-3)  # type: ignore[arg-type]
    single = adaptive(function, X.float(), tol=1e-3)  # type: ignore[arg-type]
    assert single.mean_gradient.dtype == torch.float64
    assert single.converged.all()
    difference = (X * (double.mean_gradient - single.mean_gradient)[:, 0]).abs().sum(1)
    assert (difference <= 2e-3 * (X * double.mean_gradient[:, 0]).abs().sum(1)).all()


def test_axes_of_the_signal_are_kept() -> None:
    flat = adaptive(steps, X)
    path = adaptive(lambda x: steps(x.flatten(1)), X.reshape(6, 4, 8))
    assert path.mean_gradient.shape == (6, 1, 4, 8)
    torch.testing.assert_close(path.mean_gradient.flatten(2), flat.mean_gradient)


def test_estimated_errors_bound_true_ones() -> None:
    exact = adaptive(steps, X, tol=1e-6).mean_gradient[:, 0]
    path = adaptive(steps, X, tol=0.03)
    error = (X * (path.mean_gradient[:, 0] - exact)).abs().sum(1) / (X * exact).abs().sum(1)
    assert (error <= path.error[:, 0]).all()


def test_few_gradients_are_kept() -> None:
    """Whatever the number of nodes: one chunk's, the sums, and what may be kept of rough paths."""
    alive: list[int] = []
    n_features = 50_000
    x = torch.tensor(noise(2, n_features))
    w = torch.tensor(noise(n_features)) / n_features**0.5

    def watching(x: Tensor) -> Tensor:
        alive.append(large_tensors(n_features))
        return torch.sigmoid(1000 * (x @ w - 0.3))

    adaptive(watching, x, chunks=Chunks(8), max_evaluations=1000, tol=1e-3)
    # Of two series of 50,000 values 1,000 gradients would be 800 MB. Those of two fifths of the budget of
    # 384 MiB may be kept, and this path needs 300 vectors at once, ends, sums and a chunk included: 120 MB.
    assert max(alive) <= 300


def large_tensors(n_features: int) -> int:
    """How many vectors as long as a series are alive."""
    # By type and not isinstance, which would ask every object of every library for its class.
    storages = [
        t.untyped_storage()
        for t in gc.get_objects()
        if type(t) is Tensor and t.layout is torch.strided and t.numel() >= n_features
    ]
    return sum({s.data_ptr(): s.nbytes() for s in storages}.values()) // (8 * n_features)


def test_ends_are_evaluated_once() -> None:
    """A single point counts twice: no call has just one."""
    counter = Counter(smooth)
    adaptive(counter, X[:1], max_evaluations=8)
    # Seven nodes, and one place that no rule uses.
    assert counter.points == 2 + 2 + 8
