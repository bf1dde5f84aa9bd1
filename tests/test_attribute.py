"""The documented call: what it takes, what it gives back, and what it says when it cannot."""

from __future__ import annotations

import copy
import functools
import inspect
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import attribute

from .helpers import LENGTHS, Recorder, SmallCNN, Smooth, SmoothTruth, close, noise, scores_of, seeded

N = 20
FREQUENCIES = N // 2 + 1


def energy(x: Tensor) -> Tensor:
    """Half the energy of each series, of any number of axes."""
    return x.flatten(1).square().sum(1) / 2


def test_signature_is_the_documented_one() -> None:
    parameters = inspect.signature(attribute).parameters
    assert {name: p.default for name, p in parameters.items()} == {
        "input": inspect.Parameter.empty,
        "model": inspect.Parameter.empty,
        "target": None,
        "baseline": None,
        "n_steps": 50,
        "segment": None,
        "start_idx": None,
        "additional_forward_args": None,
    }
    assert all(p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in parameters.values())


def test_arguments_may_be_positional() -> None:
    x, model = noise(N), Smooth(N)
    by_name = attribute(
        input=x,
        model=lambda x, gain: gain * model(x),
        target=1,
        baseline=np.ones(N),
        n_steps=20,
        segment=np.zeros(5),
        start_idx=3,
        additional_forward_args=2.0,
    )
    scaled = lambda x, gain: gain * model(x)
    np.testing.assert_array_equal(
        by_name, attribute(x, scaled, 1, np.ones(N), 20, np.zeros(5), 3, 2.0)
    )


# Input


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((N,), (FREQUENCIES,)),
        ((1, N), (FREQUENCIES,)),
        ((3, N), (3, FREQUENCIES)),
        ((1, 1, N), (1, 1, FREQUENCIES)),
        ((1, 3, N), (1, 3, FREQUENCIES)),
        ((4, 1, N), (4, 1, FREQUENCIES)),
        ((4, 3, N), (4, 3, FREQUENCIES)),
    ],
    ids=str,
)
def test_shapes(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    x = noise(*shape)
    scores = attribute(x, Smooth(N, channels=shape[-2] if len(shape) > 1 else 1), target=0)
    assert type(scores) is np.ndarray
    assert scores.shape == expected
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("n", LENGTHS)
def test_number_of_frequencies(n: int) -> None:
    """One-sided, n // 2 + 1 for even and odd n."""
    assert attribute(noise(n), energy).shape == (len(np.fft.rfftfreq(n)),)
    assert attribute(noise(2, 3, n), energy).shape == (2, 3, n // 2 + 1)


X = noise(3, 2, N)
WHOLE = np.round(10 * X)


@pytest.mark.parametrize(
    ("x", "reference"),
    [
        (X.tolist(), X),
        ([[tuple(row) for row in sample] for sample in X], X),
        (list(X), X),
        (torch.tensor(X), X),
        ([torch.tensor(sample) for sample in X], X),
        (torch.tensor(X, requires_grad=True), X),
        (X.astype(np.float32), X.astype(np.float32)),
        (X.astype(np.float16), X.astype(np.float16)),
        (torch.tensor(X).half(), torch.tensor(X).half().numpy()),
        (torch.tensor(X).bfloat16(), torch.tensor(X).bfloat16().float().numpy()),
        (X.astype(np.longdouble), X),
        (X.astype(">f8"), X),
        (WHOLE.astype(np.int16), WHOLE),
        (WHOLE.astype(np.int64), WHOLE),
        (torch.tensor(WHOLE).int(), WHOLE),
        (np.abs(WHOLE).astype(np.uint8), np.abs(WHOLE)),
        (np.abs(WHOLE).astype(np.uint16), np.abs(WHOLE)),
        (torch.tensor(np.abs(WHOLE)).to(torch.uint16), np.abs(WHOLE)),
        (X > 0, (X > 0).astype(float)),
        (torch.tensor(X > 0), (X > 0).astype(float)),
        (X[..., ::-1], X[..., ::-1].copy()),
        (X[::-1, ::-1], X[::-1, ::-1].copy()),
        (np.repeat(X, 2, axis=-1)[..., ::2], X),
        (np.asfortranarray(X), X),
        (torch.tensor(X.transpose(2, 1, 0).copy()).permute(2, 1, 0), X),
        (torch.tensor(X[:1]).expand(3, 2, N), np.repeat(X[:1], 3, axis=0)),
    ],
    ids=[
        "lists",
        "tuples",
        "list of arrays",
        "tensor",
        "list of tensors",
        "tensor with gradient",
        "float32",
        "float16",
        "half tensor",
        "bfloat16 tensor",
        "long double",
        "big endian",
        "int16",
        "int64",
        "int32 tensor",
        "uint8",
        "uint16",
        "uint16 tensor",
        "truth values",
        "bool tensor",
        "negative stride",
        "negative strides",
        "not contiguous",
        "Fortran order",
        "permuted tensor",
        "expanded tensor",
    ],
)
def test_kinds_of_input(x: Any, reference: np.ndarray) -> None:
    expected = attribute(reference.astype(np.float64), Smooth(N, 2), target=0, baseline=-X)
    close(attribute(x, Smooth(N, 2), target=0, baseline=-X), expected, 1e-12)


def test_read_only_input() -> None:
    x = noise(N)
    x.flags.writeable = False
    assert attribute(x, energy, segment=x[:5], start_idx=4).shape == (3,)


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["array", "tensor"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_of_the_caller_is_changed(make: Callable[..., Any], dtype: str) -> None:
    """Arrays and tensors may share memory with what is computed on; in-place models write into it."""

    def in_place(x: Tensor, gain: Tensor) -> Tensor:
        return x.mul_(gain).square_().sum((-2, -1))

    values = {"input": X, "baseline": 2 * X, "segment": X[..., :7] + 1, "additional_forward_args": 1 + X}
    given = {name: make(value.astype(dtype)) for name, value in values.items()}
    attribute(model=in_place, start_idx=5, **given)
    for name, value in values.items():
        np.testing.assert_array_equal(np.asarray(given[name]), value.astype(dtype), err_msg=name)


@pytest.mark.parametrize("channels", [1, 2])
def test_batch_of_no_series(channels: int) -> None:
    scores = attribute(np.zeros((0, channels, N)), Smooth(N, channels))
    assert scores.shape == (0, channels, FREQUENCIES)
    empty = np.zeros((0, channels, 5))
    assert attribute(np.zeros((0, channels, N)), Smooth(N), segment=empty, start_idx=2).shape == (0, channels, 3)


@pytest.mark.parametrize("n", [1, 2, 15, 16])
def test_constant_and_zero_series(n: int) -> None:
    """A constant has its energy at DC, and silence has none."""
    x = np.stack([np.full(n, 3.0), np.zeros(n)])
    scores = attribute(x, energy)
    expected = np.zeros((2, n // 2 + 1))
    expected[0, 0] = 9 * n / 2
    close(scores, expected, 1e-6)
    assert not scores[1].any()


@pytest.mark.parametrize("target", [0, None])
def test_input_that_is_its_baseline_gets_zeros(target: int | None) -> None:
    assert not attribute(X, Smooth(N, 2), target, baseline=X).any()
    assert not attribute(X[0, 0], Smooth(N), target, baseline=X[0, 0]).any()


def test_large_and_small_amplitudes() -> None:
    """Recordings in volts and in analogue-to-digital units."""
    for scale in (1e-8, 1e8):
        scores = attribute(scale * X, lambda x: x.flatten(1).square().sum(1).sqrt(), baseline=scale)
        close(scores, scale * attribute(X, lambda x: x.flatten(1).square().sum(1).sqrt(), baseline=1.0), 1e-5)
