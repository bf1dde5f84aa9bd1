"""Stretches side by side tell a gradient of something else from kinks, ripples and rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from freqig.foreign.stretches import Stretches

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

AROUND = 1e-3 * np.array([-15.1, -3.7, -1.0, 1.0, 3.7, 15.1])


def judged(function: Function, slope: Function, rounding: float = 1e-9, **how: bool) -> tuple[bool, bool]:
    """Whether it is against the slope, and in its favour, around 0.3."""
    places = 0.3 + AROUND[None]
    found = Stretches.of(places, function(places), slope(places)).judge(0.03, np.array(rounding), **how)
    return bool(found[0].all()), bool(found[1].all())


def stairs(x: Array) -> Array:
    return np.floor(x / 0.1) * 0.1


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.5, 0.95, 1.05, 3.0])
@pytest.mark.parametrize("kink", [0.0, 0.301, 0.31, 0.287])
def test_a_scaled_gradient_is_wrong_on_every_stretch_without_a_kink(factor: float, kink: float) -> None:
    def function(x: Array) -> Array:
        return x + 2 * np.maximum(x - kink, 0)

    assert judged(function, lambda x: factor * (1.0 + 2 * (x > kink))) == (True, False)


def test_the_gradient_of_smooth_functions_is_right() -> None:
    assert judged(np.sin, np.cos) == (False, True)
    assert judged(lambda x: np.square(x - 0.3), lambda x: 2 * (x - 0.3))[0] is False


@pytest.mark.parametrize("phase", np.linspace(0, 6, 25).tolist())
@pytest.mark.parametrize("wave", [1e2, 3e3, 1e5, 1e7])
def test_ripples_are_no_other_gradient(wave: float, phase: float) -> None:
    def ripple(x: Array) -> Array:
        return x + 3 / wave * np.sin(wave * x + phase)

    assert not judged(ripple, lambda x: 1 + 3 * np.cos(wave * x + phase))[0]


@pytest.mark.parametrize("seed", range(200))
def test_rounding_of_unknown_size_is_no_other_gradient(seed: int) -> None:
    """What is rounded to a twentieth of what F does over a stretch of middle length."""
    noise = np.random.default_rng(seed).uniform(-1, 1, (1, 6)) * 1.3e-4
    assert not judged(lambda x: x + noise, np.ones_like)[0]


def test_stairs_count_as_another_gradient_where_they_are_no_rounding() -> None:
    assert judged(lambda x: stairs(x - 0.05), np.ones_like) == (True, False)
    assert judged(lambda x: stairs(x - 0.05), np.ones_like, flat=False) == (False, False)
    assert judged(lambda x: stairs(x - 0.05), np.ones_like, rounding=0.1) == (False, False)
