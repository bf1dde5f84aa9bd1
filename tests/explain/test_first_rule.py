"""The first rule of adaptive integration: as many nodes as cost about what seven do."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig import Explainer, attribute
from freqig.chunks import CPU_BYTES, LIGHT, Chunks

from ..helpers import Smooth, noise

pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 24
CPU = torch.device("cpu")
MODEL = Smooth(N)


def begun(n_series: int, **settings: object) -> list[int]:
    """Evaluations of series whose paths are so smooth that the first rule will do."""
    explainer = Explainer(MODEL, tol=0.5, **settings)  # type: ignore[arg-type]
    found: list[int] = explainer(noise(n_series, N, seed=3) / 9, target=0).n_evaluations.values.tolist()
    return found


def test_few_series_begin_with_many_nodes() -> None:
    """Each takes the nodes of a rule, and one that no rule uses; a chunk has 1,024 points at most."""
    assert [set(begun(n)) for n in (1, 32, 33, 64, 65)] == [{32}, {32}, {16}, {16}, {8}]


def test_what_was_asked_for_is_taken() -> None:
    assert [begun(2, n_initial=n) for n in (7, 15, 31)] == [[8] * 2, [16] * 2, [32] * 2]
    assert Explainer(MODEL, n_initial=7).n_initial == 7
    assert Explainer(MODEL).n_initial is None


def test_nothing_is_spent_on_points_that_go_alone() -> None:
    assert begun(1, batch_independent=False) == [8]


def test_every_target_counts() -> None:
    """Each is a way back of its own."""
    explainer = Explainer(Smooth(N, outputs=30), tol=0.5)
    counts = [
        explainer(noise(n, N) / 9, target=target).n_evaluations[0].item()
        for n, target in ((1, "all"), (2, "all"), (3, "all"), (3, 0))
    ]
    assert counts == [32, 16, 8, 32]


def test_a_model_with_costly_points_begins_with_seven() -> None:
    def wide(points: Tensor) -> Tensor:
        return MODEL(points) + 0 * points.repeat(1, 20_000).tanh().sum(1, keepdim=True)

    explainer = Explainer(wide, tol=0.5, dtype=torch.float64)
    assert explainer(noise(1, N) / 9, target=0).n_evaluations.item() == 8


@pytest.mark.parametrize("memory", [None, 10**9])
def test_light_calls_are_a_part_of_a_chunk(memory: int | None) -> None:
    make = functools.partial(Chunks.for_model, bytes_per_input=100, device=CPU, memory=memory)
    each = CPU_BYTES / LIGHT / 128
    assert make(2 * each, held=each).light == 128
    assert make(each, held=None).light == 1
    assert make(None, held=None).light == 1
    assert make(1.0, held=1.0).light == make(1.0, held=1.0).size
    assert make(2 * each, held=each).at_most(3).light == 3
    assert make(2 * each, held=each).at_most(1000).light == 128


def test_a_series_alone_is_explained_as_among_many() -> None:
    """With other nodes, and so within the tolerance of the same truth."""
    x, tol = 6 * noise(80, N, seed=5), 1e-3
    explainer = Explainer(MODEL, tol=tol)
    among = explainer(x, target=1)
    assert among.converged.all()
    differ = 0
    for i in range(0, 80, 16):
        alone, its = explainer(x[i : i + 1], target=1).isel(sample=0), among.isel(sample=i)
        assert alone.converged
        assert alone.n_evaluations >= 32
        differ += int(alone.n_evaluations) != int(its.n_evaluations)
        size = np.abs(its.rfft.values).sum()
        assert np.abs(alone.rfft.values - its.rfft.values).sum() <= 2 * tol * size
    assert differ


def test_the_same_call_is_the_same_computation() -> None:
    x = 3 * noise(3, N)
    once, twice = (Explainer(MODEL)(x, target=0) for _ in range(2))
    np.testing.assert_array_equal(once.rfft.values, twice.rfft.values)
    assert once.n_evaluations.values.tolist() == twice.n_evaluations.values.tolist()


def test_attribute_begins_so_too() -> None:
    calls = []

    class Counted(Smooth):
        def forward(self, x: Tensor) -> Tensor:
            if x.requires_grad:
                calls.append(len(x))
            return super().forward(x)

    attribute(noise(N) / 9, Counted(N), 0, n_steps=None)
    # What a point holds was measured on two of them.
    assert calls == [2, 32]
