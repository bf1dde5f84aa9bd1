"""Layouts of models, against transposes of NumPy."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from freqig.models.axes import ModelAxes, layouts_of, layouts_that_fit

from ..helpers import noise

K, N = 3, 7
LAYOUTS = {
    "N,C,T": lambda x: x,
    "N,T,C": lambda x: x.transpose(0, 2, 1),
    "N,1,C,T": lambda x: x[:, None],
    "N,C,1,T": lambda x: x[:, :, None],
    "N,C,T,1": lambda x: x[..., None],
    "N,1,T,C": lambda x: x.transpose(0, 2, 1)[:, None],
    "N,T,1,C": lambda x: x.transpose(0, 2, 1)[:, :, None],
    "N,T,C,1": lambda x: x.transpose(0, 2, 1)[..., None],
    "N,1,1,C,T": lambda x: x[:, None, None],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_signals_go_to_the_model_and_gradients_come_back(layout: str) -> None:
    axes, x = ModelAxes.read(layout), noise(5, K, N)
    wanted = LAYOUTS[layout](x)
    arranged = axes.arranged(torch.from_numpy(x))
    np.testing.assert_array_equal(arranged.numpy(), wanted)
    assert arranged.is_contiguous()
    assert axes.sizes(K, N) == wanted.shape[1:]
    assert wanted.shape[axes.time_axis] == N
    assert axes.channel_axis is not None
    assert wanted.shape[axes.channel_axis] == K
    # Gradients have an axis of targets behind that of the points.
    gradients = np.stack([arranged, 2 * arranged], 1)
    np.testing.assert_array_equal(axes.back(torch.from_numpy(gradients)), np.stack([x, 2 * x], 1))


@pytest.mark.parametrize(("layout", "shape"), [("N,T", (5, N)), ("N,1,T", (5, 1, N)), ("N,T,1", (5, N, 1))])
def test_series_of_one_channel_need_no_axis_for_it(layout: str, shape: tuple[int, ...]) -> None:
    axes, x = ModelAxes.read(layout), torch.from_numpy(noise(5, 1, N))
    assert axes.arranged(x).shape == shape
    assert axes.channel_axis is None
    assert torch.equal(axes.back(axes.arranged(x)[:, None])[:, 0], x)


@pytest.mark.parametrize("typed", ["N,1,C,T", "n,1,c,t", "N1CT", "n1ct", " N, 1, C, T "])
def test_letters_are_read_large_or_small(typed: str) -> None:
    assert str(ModelAxes.read(typed)) == "N,1,C,T"


@pytest.mark.parametrize(
    "typed",
    [
        *("", "N", "N,C", "C,T", "1,N,C,T", "N,C,C,T", "N,T,T", "N,N,T", "N,2,C,T", "N,C,T,", "N,,C,T"),
        *("NCHW", "N,1,C,T,X", "batch,channel,time", "N;C;T", "(N,C,T)", "N,11,C,T"),
    ],
)
def test_other_letters_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"layout must be N for samples, then .* such as 'N,1,C,T', got"):
        ModelAxes.read(typed)


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
@pytest.mark.parametrize(("k", "n"), [(K, N), (N, K), (N, N), (1, N), (K, 1), (1, 1)])
def test_layouts_are_all_ways_to_place_the_axes(rank: int, k: int, n: int) -> None:
    """Told apart by where values go, with every number another one."""
    x = torch.arange(2.0 * k * n).reshape(2, k, n)
    ways = set()
    for c, t in permutations(range(rank), 2):
        axes = [1] * rank
        axes[c], axes[t] = k, n
        turned = x if c < t else x.mT
        ways.add((tuple(axes), tuple(turned.flatten().tolist())))
    if rank == 1 and k == 1:
        ways.add(((n,), tuple(x.flatten().tolist())))
    found = [one.arranged(x) for one in layouts_of(rank, k, n)]
    told = [(tuple(one.shape[1:]), tuple(one.flatten().tolist())) for one in found]
    assert set(told) == ways
    # None twice.
    assert len(told) == len(ways)


@pytest.mark.parametrize(
    ("declared", "series", "fit"),
    [
        ((1, 2, 30), (2, 30), ["N,1,C,T"]),
        ((2, 30, 1), (2, 30), ["N,C,T,1"]),
        ((30, 2, 1), (2, 30), ["N,T,C,1"]),
        ((30, 2), (2, 30), ["N,T,C"]),
        ((30,), (1, 30), ["N,T"]),
        ((30, 1), (1, 30), ["N,T,C"]),
        ((1, None, None), (2, 30), ["N,1,C,T", "N,1,T,C"]),
        ((1, 8, 8), (8, 8), ["N,1,C,T", "N,1,T,C"]),
        ((1, 2, 30), (3, 30), []),
        ((30,), (2, 30), []),
        ((), (2, 30), []),
    ],
    ids=str,
)
def test_layouts_that_fit_a_declared_shape(
    declared: tuple[int | None, ...], series: tuple[int, int], fit: list[str]
) -> None:
    assert list(map(str, layouts_that_fit(declared, *series))) == fit
