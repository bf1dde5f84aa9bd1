"""Chunks: results do not depend on them, they stay small, and they shrink where memory runs out."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from freqig import RFFT, Explainer, Time, attribute, chunks
from freqig.chunks import Chunks

from ..helpers import SmallCNN, Smooth, close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 20

NODES = 20

fixed = functools.partial(Explainer, n_steps=NODES, tol=10.0)


class Meter:
    """A model that notes how many points it gets a call, and has memory for so many."""

    def __init__(
        self,
        model: Callable[[Tensor], Tensor],
        limit: float = np.inf,
        error: type[Exception] = torch.OutOfMemoryError,
    ) -> None:
        self.model, self.limit, self.error = model, limit, error
        self.sizes: list[int] = []
        self.refused: list[int] = []

    def __call__(self, points: Tensor, *further: Any) -> Tensor:
        if len(points) > self.limit:
            self.refused.append(len(points))
            raise self.error("no memory left")
        self.sizes.append(len(points))
        return self.model(points, *further)


class GradientMeter(torch.autograd.Function):
    """The identity, whose backward pass has memory for so many points."""

    limit = 10

    @staticmethod
    def forward(ctx: Any, points: Tensor) -> Tensor:
        return points.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        if len(gradient) > GradientMeter.limit:
            raise torch.OutOfMemoryError("no memory left")
        return gradient


@pytest.fixture(params=[1, 2, 7, 64])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """At most so many points per call."""
    monkeypatch.setattr(chunks, "MAX_POINTS", request.param)
    return request.param


# --- independence of the chunk -------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("engine", ["path", "captum"])
def test_results_do_not_depend_on_the_chunk(engine: str, dtype: torch.dtype, most: int) -> None:
    x, baseline = noise(5, 2, N), noise(5, 2, N, seed=1)
    model = seeded(SmallCNN, 2, 3).to(dtype)
    reference = fixed(model, engine=engine)
    reference._kept.chunks = {(2, N): Chunks(17)}
    expected = reference(x, baseline=baseline)
    meter = Meter(model)
    result = fixed(meter, engine=engine)(x, baseline=baseline)
    assert max(meter.sizes) <= max(most, 3)
    rounding = 1e-13 if dtype == torch.float64 else 1e-5
    close(result.rfft, expected.rfft, rounding)
    for name in ("output", "baseline_output"):
        np.testing.assert_allclose(result[name], expected[name], rtol=rounding)
    np.testing.assert_array_equal(result.target, expected.target)


def test_every_option_in_every_chunk(most: int) -> None:
    """Targets, further arguments and time axes stay with their points."""
    x, baseline = noise(4, N, 2), noise(4, N, 2, seed=1)
    smooth = Smooth(N, 2)
    factor = torch.arange(1.0, 5.0, dtype=torch.float64)[:, None]

    def model(points: Tensor, by_row: Tensor, same: float) -> Tensor:
        return smooth(points.mT) * by_row * same

    explainer = fixed(Meter(model), time_axis=1, output="margin", domains=[RFFT(), Time()])
    for target in ([0, 2, 1, 0], "all"):
        result = explainer(x, baseline=baseline, target=target, additional_forward_args=(factor, 0.5))
        for i in range(4):
            alone = fixed(model, time_axis=1, output="margin", domains=[RFFT(), Time()])(
                x[i : i + 1],
                baseline=baseline[i : i + 1],
                target=target if target == "all" else target[i],
                additional_forward_args=(factor[i : i + 1], 0.5),
            )
            for name in ("rfft", "waveform"):
                close(result[name][i], alone[name][0], 1e-12)


@settings(max_examples=25)
@given(n_samples=st.integers(1, 6), n_steps=st.integers(1, 12), size=st.integers(1, 50))
def test_every_point_is_taken_once(n_samples: int, n_steps: int, size: int) -> None:
    """Of a quadratic form one node suffices, and twice or never taken points would show."""
    x = noise(n_samples, 3, seed=n_steps)
    explainer = fixed(
        lambda points: points.square().sum(-1), domains=Time(), n_steps=n_steps, dtype=torch.float64
    )
    explainer._kept.chunks = {(3,): Chunks(size)}
    np.testing.assert_allclose(explainer(x).waveform, x**2, rtol=1e-11)


def test_repetition_repeats() -> None:
    """No clock and no chance decides on the chunk."""
    x = noise(5, 2, N)
    first, second = (fixed(seeded(SmallCNN, 2))(x) for _ in range(2))
    np.testing.assert_array_equal(first.rfft, second.rfft)
    np.testing.assert_array_equal(fixed(seeded(SmallCNN, 2))(x).rfft, first.rfft)


def test_no_call_has_a_lone_point(most: int) -> None:
    """Models squeeze, and Conv1d reads (1, n) as one unbatched series."""
    for engine in ("path", "captum"):
        meter = Meter(Smooth(N))
        fixed(meter, engine=engine)(noise(3, N))
        fixed(meter, engine=engine, n_steps=1)(noise(1, N))
        assert min(meter.sizes) >= 2


# --- bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["path", "captum"])
def test_points_a_call_are_bounded_whatever_the_nodes_and_samples(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MAX_POINTS", 100)
    largest = []
    for n_samples, n_steps in ((3, 100), (40, 20), (250, 3)):
        meter = Meter(lambda points: points.square().sum(-1))
        fixed(meter, engine=engine, n_steps=n_steps)(noise(n_samples, 4))
        largest.append(max(meter.sizes))
    assert 75 <= min(largest) <= max(largest) <= 100


@pytest.mark.parametrize("width", [3_000, 30_000])
def test_points_a_call_follow_what_they_hold(width: int) -> None:
    """A model that keeps maps of `width` numbers per point for its backward pass."""

    def model(points: Tensor) -> Tensor:
        return points.mean(-1, keepdim=True).expand(-1, width).exp().sum(-1)

    meter = Meter(model)
    fixed(meter)(noise(50, 8))
    fit = min(chunks.CPU_BYTES / (4 * width), 50 * NODES)
    assert 0.3 * fit <= max(meter.sizes) <= max(1.05 * fit, 3)


def test_samples_a_block_are_bounded_in_memory() -> None:
    """What is summed up for a block of long series does not grow with the batch."""
    alive: list[int] = []

    def model(points: Tensor) -> Tensor:
        return points.square().sum(-1)

    class Watched(Time):
        def products(self, c: Any, mean_gradient: Tensor) -> tuple[Tensor, ...]:
            alive.append(mean_gradient.shape[0])
            return super().products(c, mean_gradient)

    fixed(model, domains=Watched("watched"), n_steps=2)(torch.zeros(3000, 1).expand(3000, 2000) + 1)
    assert sum(size for size in alive if size > 1) >= 3000 - 10
    assert max(alive) < 3000


# --- out of memory -------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [2, 3, 5, 31, 100])
@pytest.mark.parametrize("engine", ["path", "captum"])
def test_chunks_shrink_where_memory_runs_out(engine: str, limit: int) -> None:
    x = noise(8, 2, N)
    smooth = Smooth(N, 2)
    meter = Meter(smooth, limit)
    explainer = fixed(meter, engine=engine)
    close(explainer(x).rfft, fixed(smooth, engine=engine)(x).rfft, 1e-12)
    # Each refusal halves the chunk, so there are few.
    assert len(meter.refused) <= 10
    # And it stays halved: at most the check's batch of three, or another split, is refused again.
    found = len(meter.refused)
    explainer(x)
    assert len(meter.refused) <= found + 1
    assert max(meter.sizes) > limit // 4


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_both_kinds_of_error(error: type[Exception]) -> None:
    smooth = Smooth(N)
    close(fixed(Meter(smooth, 5, error))(noise(3, N)).rfft, fixed(smooth)(noise(3, N)).rfft, 1e-12)


def test_memory_that_runs_out_in_the_backward_pass() -> None:
    smooth = Smooth(N)
    result = fixed(lambda points: smooth(GradientMeter.apply(points)))(noise(3, N))
    close(result.rfft, fixed(smooth)(noise(3, N)).rfft, 1e-12)


def test_memory_that_runs_out_later() -> None:
    """Another program takes memory while the path is walked."""
    smooth = Smooth(N)
    meter = Meter(smooth)

    def model(points: Tensor) -> Tensor:
        meter.limit = max(6, 800 - 80 * len(meter.sizes))
        return meter(points)

    x = noise(30, N)
    close(fixed(model)(x).rfft, fixed(smooth)(x).rfft, 1e-12)
    assert meter.refused


def test_memory_is_remembered_by_shape() -> None:
    """Short series are not made to pay for long ones."""
    meter = Meter(lambda points: points.square().sum(-1))
    explainer = fixed(meter)
    meter.limit = 8
    explainer(noise(3, 50))
    meter.limit = np.inf
    meter.sizes.clear()
    explainer(noise(3, 10))
    assert max(meter.sizes) > 8
    meter.sizes.clear()
    explainer(noise(3, 50))
    assert max(meter.sizes) <= 8


@pytest.mark.parametrize("engine", ["path", "captum"])
def test_one_point_that_does_not_fit_is_a_clear_error(engine: str) -> None:
    meter = Meter(Smooth(N), 0)
    with pytest.raises(torch.OutOfMemoryError, match="one point of the path does not fit into memory"):
        fixed(meter, engine=engine, dtype=torch.float64)(noise(3, N))
    assert len(meter.refused) <= 13


def test_one_point_that_fits_once() -> None:
    """Lone points go to the model in a pair; the error names the way to hand them over alone."""
    smooth = Smooth(N)
    with pytest.raises(torch.OutOfMemoryError, match="batch_independent=False"):
        fixed(Meter(smooth, 1))(noise(3, N))
    result = fixed(Meter(smooth, 1), batch_independent=False)(noise(3, N))
    close(result.rfft, fixed(smooth)(noise(3, N)).rfft, 1e-12)


def test_attribute_goes_on_too() -> None:
    smooth = Smooth(N, 2)
    close(attribute(noise(2, 2, N), Meter(smooth, 3)), attribute(noise(2, 2, N), smooth), 1e-12)


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    meter = Meter(Smooth(N), 5, RuntimeError)
    with pytest.raises(RuntimeError, match="no memory left"):
        fixed(meter)(noise(3, N))
    assert len(meter.refused) == 1


# --- the chunks themselves -----------------------------------------------------------------------


@given(size=st.integers(-1, 20), total=st.integers(0, 60))
def test_slices_cover_everything_once(size: int, total: int) -> None:
    for parts in (list(Chunks(size).split(total)), run_parts(Chunks(size), total, np.inf)):
        assert [i for part in parts for i in range(part.start, part.stop)] == list(range(total))
        assert all(1 <= part.stop - part.start <= max(size, 1) for part in parts)


@given(size=st.integers(1, 100), total=st.integers(1, 200), limit=st.integers(1, 100))
def test_slices_cover_everything_once_where_memory_runs_out(size: int, total: int, limit: int) -> None:
    halved = Chunks(size)
    parts = run_parts(halved, total, limit)
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(total))
    assert halved.size == size or min(size, total) > limit
    assert all(part.stop - part.start <= limit for part in parts)


def run_parts(chunks: Chunks, total: int, limit: float) -> list[slice]:
    done: list[slice] = []

    def call(part: slice) -> None:
        if part.stop - part.start > limit:
            raise torch.OutOfMemoryError
        done.append(part)

    chunks.run(total, call)
    return done


def test_chunks_shrink_where_memory_of_a_cpu_runs_out() -> None:
    done: list[slice] = []

    def call(part: slice) -> None:
        # More than any machine has: PyTorch raises a plain RuntimeError.
        torch.empty(10**15 if part.stop - part.start > 2 else 1)
        done.append(part)

    Chunks(8).run(5, call)
    assert [(part.start, part.stop) for part in done] == [(0, 2), (2, 4), (4, 5)]


def test_memory_of_a_failed_call_is_free_before_the_cache_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[Tensor]] = []
    alive: list[bool] = []

    def call(part: slice) -> None:
        tensor = torch.ones(part.stop - part.start)
        if len(tensor) > 1:
            held.append(weakref.ref(tensor))
            raise torch.OutOfMemoryError

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: alive.append(held[-1]() is not None))
    Chunks(4).run(3, call)
    assert alive == [False]


def test_size_follows_from_memory() -> None:
    cpu = torch.device("cpu")
    assert Chunks.for_model(chunks.CPU_BYTES / 16, 4, cpu).size == 16
    assert Chunks.for_model(1.0, 4, cpu).size == chunks.MAX_POINTS
    assert Chunks.for_model(chunks.CPU_BYTES * 3.0, 4, cpu).size == 1
    assert Chunks.for_model(None, chunks.CPU_BYTES // 100, cpu).size == 2
    assert Chunks.for_model(0.0, 4, cpu).size == chunks.MAX_POINTS
