"""What may be written as a target, and what it means."""

from __future__ import annotations

import inspect
from collections import UserList
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from freqig.objective.targets import predicted_class, resolve_target

OUTPUTS = torch.tensor([[0.1, 0.9, 0.3], [0.7, -2.0, 0.5]])
DEEP = torch.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("target", [2, np.int64(2), np.uint8(2), np.array(2), torch.tensor(2), (2,)])
def test_one_index_for_all_samples(target: Any) -> None:
    assert resolve_target(target, OUTPUTS).tolist() == [[[2]], [[2]]]


@pytest.mark.parametrize(
    "target",
    [
        [2, 0],
        [np.int32(2), torch.tensor(0)],
        [(2,), (0,)],
        np.array([2, 0], dtype=np.uint16),
        np.array([[2], [0]]),
        torch.tensor([2, 0], dtype=torch.int32),
        UserList([2, 0]),
        xr.DataArray([2, 0], dims="sample"),
        range(2, -1, -2),
    ],
    ids=lambda target: type(target).__name__,
)
def test_one_index_a_sample(target: Any) -> None:
    resolved = resolve_target(target, OUTPUTS)
    assert resolved.tolist() == [[[2]], [[0]]]
    assert resolved.dtype == torch.int64


def test_tuple_is_one_index_for_outputs_with_more_axes() -> None:
    assert resolve_target((1, 3), DEEP).tolist() == [[[1, 3]], [[1, 3]]]


@pytest.mark.parametrize(
    "target",
    [[(1, 3), (0, 2)], [[1, 3], [0, 2]], np.array([[1, 3], [0, 2]]), torch.tensor([[1, 3], [0, 2]])],
    ids=["tuples", "lists", "array", "tensor"],
)
def test_indices_a_sample_for_outputs_with_more_axes(target: Any) -> None:
    assert resolve_target(target, DEEP).tolist() == [[[1, 3]], [[0, 2]]]


def test_none_is_the_predicted_class() -> None:
    assert resolve_target(None, OUTPUTS).tolist() == [[[1]], [[0]]]
    assert resolve_target(None, torch.tensor([[-4.0], [3.0]])).tolist() == [[[0]], [[0]]]


def test_none_is_ambiguous_with_more_axes() -> None:
    with pytest.raises(ValueError, match=r"target.*\('N', 3, 4\).*more than two output axes.*tuple"):
        resolve_target(None, DEEP)


def test_every_class() -> None:
    assert resolve_target("all", OUTPUTS).tolist() == [[[0], [1], [2]]] * 2
    with pytest.raises(ValueError, match=r"outputs of shape \(N, classes\)"):
        resolve_target("all", DEEP)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (3, r"target must be in 0\.\.2 \(the model has 3 outputs\), got 3"),
        (-1, r"target must be in 0\.\.2 .*got -1"),
        ([0, 7], r"0\.\.2.*got 7 for sample 1"),
        ([-1, 0], r"got -1 for sample 0"),
        ((0, 1), r"needs 1 number .*got \(0, 1\).*pass a list"),
        ([0, 1, 2], r"one index per sample, shape \(2,\), got shape \(3"),
        ([], r"one index per sample, shape \(2,\)"),
        (np.zeros((3, 1), dtype=int), r"shape \(3, 1\)"),
        ([[0, 1], [2]], r"one length"),
        ("none", r"got 'none'"),
    ],
    ids=str,
)
def test_targets_that_do_not_fit(target: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve_target(target, OUTPUTS)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (0, r"tuple of 2 numbers.*\('N', 3, 4\)"),
        ((0,), r"needs 2 numbers"),
        ((3, 0), r"0\.\.2 on output axis 1 .*got 3"),
        ((0, 4), r"0\.\.3 on output axis 2 .*got 4"),
        ([(0, 0), (0, -1)], r"output axis 2 .*got -1 for sample 1"),
        ([0, 1], r"shape \(2, 2\)"),
    ],
    ids=str,
)
def test_targets_that_do_not_fit_more_axes(target: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve_target(target, DEEP)


@pytest.mark.parametrize(
    "target",
    [1.0, True, [0.0, 1.0], [True, False], np.array([0.5, 1.0]), torch.tensor([True, False]), (1.0,), {1}],
    ids=str,
)
def test_targets_that_are_no_integers(target: Any) -> None:
    with pytest.raises(TypeError):
        resolve_target(target, OUTPUTS)


NAMES = r"classes are numbers, 0\.\.2 here.*names\.index\('N2'\)"
EVENTS = np.array([[10, 0, 1], [20, 0, 2]])


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("N2", ValueError, NAMES),
        (["N2", "W"], ValueError, NAMES),
        (np.array(["N2", "W"]), ValueError, NAMES),
        ([0, "N2"], ValueError, "classes are numbers"),
        ([0, 2.0], TypeError, "class numbers are integers"),
        (1.0, TypeError, r"class numbers are integers, such as int\(target\)"),
        (np.array([0.0, 2.0]), TypeError, r"class numbers are integers, such as target\.astype\(int\)"),
        ([True, False], TypeError, "truth value is no class number"),
        ([True, 2], TypeError, "truth value is no class number"),
        (np.eye(3)[:2], TypeError, r"one-hot, pass np\.argmax\(target, -1\)"),
        (np.eye(3, dtype=int)[:2], ValueError, r"one-hot: pass np\.argmax\(target, -1\)"),
        (torch.eye(3)[:2].bool(), TypeError, "one-hot"),
        ([3, 1], ValueError, r"targets are 1, 3: if these are codes of events or labels.*classes\.index"),
        ([769, 770], ValueError, "The targets are 769, 770"),
        (EVENTS, ValueError, r"events of Epochs, their codes are events\[:, 2\]"),
        ([None, 1], TypeError, "must consist of integers"),
        ({"N2": 1}, TypeError, "got a dict"),
    ],
    ids=str,
)
def test_what_is_often_at_hand_in_place_of_class_numbers(
    target: Any, error: type[Exception], message: str
) -> None:
    # EVENTS has three columns like OUTPUTS has classes, and is no table of them.
    with pytest.raises(error, match=message):
        inspect.unwrap(resolve_target)(target, OUTPUTS)


def test_integers_of_objects() -> None:
    assert resolve_target(np.array([2, 0], dtype=object), OUTPUTS).tolist() == [[[2]], [[0]]]


def test_predicted_class_is_where_the_target_is() -> None:
    """For outputs with more axes the class axis is the last, at the step that the target names."""
    outputs = torch.tensor([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    assert predicted_class(outputs, resolve_target((0, 0), outputs)).tolist() == [1, 1]
    assert predicted_class(outputs, resolve_target((1, 0), outputs)).tolist() == [0, 1]
    assert predicted_class(OUTPUTS, resolve_target(2, OUTPUTS)).tolist() == [1, 0]
