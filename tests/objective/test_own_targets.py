"""Targets of a callable output are the callable's own: they follow the samples, and nothing else is asked."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig import RFFT, Explainer, Polar, Time, baselines
from freqig.chunks import Chunks

from ..helpers import close, noise

N = 24
fixed = functools.partial(Explainer, n_steps=12, dtype=torch.float64, domains=(RFFT(), Time()))


def same_series(x: Tensor) -> Tensor:
    """One output per time step, (batch, step, 1): a callable sums over a window of them."""
    return x.square().unsqueeze(-1)


def window(raw: Tensor, target: Tensor) -> Tensor:
    step = torch.arange(raw.shape[1])
    inside = (step >= target[:, :1]) & (step < target[:, 1:])
    return (raw[..., 0] * inside).sum(1)


def energies(x: np.ndarray, windows: Any) -> np.ndarray:
    """The closed form: x² of every step inside the window, and nothing outside."""
    step = np.arange(N)
    return np.stack([one**2 * ((step >= a) & (step < b)) for one, (a, b) in zip(x, windows, strict=True)])


@pytest.mark.parametrize("pack", [list, np.array, torch.tensor], ids=["list", "array", "tensor"])
def test_a_window_per_sample(pack: Any) -> None:
    x, windows = noise(3, N), [[10, 20], [0, 5], [3, 100]]
    result = fixed(same_series, output=window)(x, target=pack(windows))
    close(result.waveform, energies(x, windows), 1e-12)
    np.testing.assert_array_equal(result.target, windows)
    assert "predicted" not in result.variables


def test_one_series_with_one_window() -> None:
    x = noise(1, N)
    result = fixed(same_series, output=window)(x, target=[[10, 60]])
    close(result.waveform, energies(x, [[10, 60]]), 1e-12)


def test_a_tuple_is_one_window_for_all() -> None:
    x = noise(3, N)
    result = fixed(same_series, output=window)(x, target=(2, 9))
    close(result.waveform, energies(x, [(2, 9)] * 3), 1e-12)


@pytest.mark.parametrize("baseline", [None, "data"])
@pytest.mark.parametrize("engine", ["path", "captum"])
@pytest.mark.parametrize("size", [1, 7])
def test_targets_follow_through_chunks_and_blocks(size: int, engine: str, baseline: str | None) -> None:
    x = noise(9, N)
    windows = [[i, i + 4] for i in range(9)]
    start = baselines.data(noise(3, N, seed=5)) if baseline else None
    explainer = Explainer(same_series, output=window, n_steps=12, dtype=torch.float64, engine=engine)
    explainer._kept.chunks[(N,)] = Chunks(size)
    together = explainer(x, target=windows, baseline=start)
    alone = [explainer(x[i : i + 1], target=windows[i : i + 1], baseline=start) for i in range(9)]
    close(together.rfft, np.concatenate([one.rfft for one in alone]), 1e-5 if engine == "captum" else 1e-12)


@pytest.mark.parametrize("n_steps", [None, 12])
def test_adaptive_and_curved_paths(n_steps: int | None) -> None:
    x, windows = noise(3, N), [[10, 20], [0, 5], [3, 24]]
    explainer = Explainer(
        same_series, output=window, n_steps=n_steps, dtype=torch.float64, domains=[Time(), Polar()], tol=0.1
    )
    result = explainer(x, target=windows, baseline=baselines.dc())
    total = energies(x, windows).sum(1) - energies(0 * x + x.mean(1, keepdims=True), windows).sum(1)
    np.testing.assert_allclose(result.output - result.baseline_output, total, rtol=1e-10)


@pytest.mark.parametrize(
    ("target", "shape", "dtype"),
    [
        (3, (), torch.int64),
        (np.uint8(3), (), torch.int64),
        (2.5, (), torch.float64),
        (True, (), torch.bool),
        ([0.5, 1.0, 2.0], (), torch.float64),
        ([True, False, True], (), torch.bool),
        (np.zeros((3, 2, 5), np.float32), (2, 5), torch.float32),
        ((1, 2, 3, 4), (4,), torch.int64),
        (((1, 2), (3, 4)), (2, 2), torch.int64),
        ([torch.ones(2), torch.zeros(2), torch.ones(2)], (2,), torch.float32),
        (np.arange(3)[::-1], (), torch.int64),
        (np.arange(3, dtype=">i4"), (), torch.int64),
    ],
    ids=str,
)
def test_anything_numeric(target: Any, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    seen = set()

    def scale(raw: Tensor, given: Tensor) -> Tensor:
        seen.add((tuple(given.shape[1:]), given.dtype))
        assert len(given) == len(raw)
        return raw[:, 0]

    result = fixed(lambda x: x[:, :4], output=scale)(noise(3, N), target=target)
    assert seen == {(shape, dtype)}
    assert result.target.dims[0] == "sample"
    assert result.target.shape == (3, *shape)


@pytest.mark.parametrize("target", ["all", None], ids=str)
def test_words_stay_those_of_classes(target: str | None) -> None:
    x = noise(3, N)
    pick = lambda raw, k: raw[torch.arange(len(raw)), k]
    model = lambda v: torch.stack([v[:, 0], v[:, 1] ** 2, v[:, 2]], 1)
    result, by_name = fixed(model, output=pick)(x, target=target), fixed(model)(x, target=target)
    close(result.rfft, by_name.rfft, 1e-13)
    np.testing.assert_array_equal(result.target, by_name.target)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ([[10, 60]], ValueError, "one thing per sample, 3, got 1 .*a tuple"),
        ([1, 2], ValueError, "one thing per sample, 3, got 2"),
        (np.zeros((4, 2)), ValueError, r"3, got 4 \(shape \(4, 2\)\)"),
        (((1, 2), (3, 4), (5, 6)), ValueError, "tuple of 3 sequences may also mean one per sample"),
        ([[1, 2], [3], [4, 5]], ValueError, "ragged"),
        (["a", "b", "c"], TypeError, "must be numeric.*functools.partial"),
        ("left", ValueError, "classes are numbers"),
    ],
    ids=str,
)
def test_what_cannot_follow(target: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fixed(lambda x: x[:, :4], output=lambda raw, t: raw[:, 0])(noise(3, N), target=target)
