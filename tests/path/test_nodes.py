"""Nodes are values: merged, taken and joined they are new ones, in order, and nothing is lost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from freqig.path.nodes import SIZES, SLOPES, VALUES, Nodes, halves, interval_gaps, unit

from ..helpers import noise
from .paths import nodes_at


def sorted_by_hand(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.stack([row[np.argsort(own)] for own, row in zip(places, values, strict=True)])


def test_merged_is_sorted_with_all_that_belongs_to_a_place() -> None:
    rng = np.random.default_rng(3)
    places, gradients = rng.uniform(size=(4, 9)), noise(4, 9, 2, 5)
    old = nodes_at(np.sort(places[:, :5]), torch.tensor(sorted_by_hand(places[:, :5], gradients[:, :5])))
    trace = noise(3, 4, 4, 2, seed=2)
    new = dataclasses.replace(old, wanted=places[:, 5:]).merged(trace, torch.tensor(gradients[:, 5:]))
    assert np.array_equal(new.place, np.sort(places))
    assert np.array_equal(new.gradient.numpy(), sorted_by_hand(places, gradients))
    for row in (VALUES, SLOPES, SIZES):
        inner = np.concatenate([old.trace[row, :, 1:-1], trace[row]], 1)
        both = np.concatenate([old.place, places[:, 5:]], 1)
        assert np.array_equal(new.trace[row, :, 1:-1], sorted_by_hand(both, inner))
        assert np.array_equal(new.trace[row, :, [0, -1]], old.trace[row, :, [0, -1]], equal_nan=True)
    # The old ones are as they were.
    assert old.n == 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        old.place = places  # type: ignore[misc]


def test_take_and_join_are_inverse() -> None:
    nodes = nodes_at(np.sort(np.random.default_rng(4).uniform(size=(6, 5))), torch.tensor(noise(6, 5, 1, 3)))
    chosen = np.array([True, False, True, True, False, False])
    again = Nodes.join([nodes.take(np.flatnonzero(own)) for own in (chosen, ~chosen)])
    order = np.argsort(again.sample)
    for field in dataclasses.fields(Nodes):
        before, after = (np.asarray(getattr(n, field.name)) for n in (nodes, again))
        after = after[:, order] if field.name == "trace" else after[order]
        assert np.array_equal(before, after, equal_nan=field.name == "trace")


def test_gaps_of_a_kink_are_half_the_width_times_the_change_at_most() -> None:
    """F with slope 1 before a kink and 3 after it, at places all over the interval."""
    places = np.array([[0.2, 0.6]])
    found = []
    for kink in np.linspace(0.2, 0.6, 21):
        values = np.array([[[0.0], [(kink - 0.2) + 3 * (0.6 - kink)]]])
        gaps, reach = interval_gaps(places, values, np.array([[[1.0], [3.0]]]))
        assert reach[0, 0, 0] == pytest.approx(0.4 * 2)
        found.append(abs(gaps[0, 0, 0]))
    assert max(found) == pytest.approx(0.4)
    assert min(found) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-40, 1.0, 3e30])
def test_units_are_powers_of_two_near_the_size(scale: float) -> None:
    trace = np.full((3, 1, 4, 1), np.nan)
    trace[VALUES], trace[SIZES, :, 1:-1] = 5.0 * scale, scale * np.array([1.0, 3.0])[None, :, None]
    size = float(unit(trace)[0, 0])
    assert np.log2(size) == round(np.log2(size))
    assert 0.5 <= 3 * scale / size <= 1
    first, second = halves(np.array([[size]]))
    assert first * second * size == 1
