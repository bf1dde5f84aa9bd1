"""Ready groupings, sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from freqig.groupings import agreement, correct, transition


def night(**along: Any) -> xr.Dataset:
    return xr.Dataset(coords={key: ("sample", own) for key, own in along.items()})


def test_decisions_by_number_and_by_name() -> None:
    assert correct(night(truth=[1, 0], predicted=[1, 1])).tolist() == ["right", "wrong"]
    names = night(truth=np.array(["W", ""], dtype=object), predicted=["W", "W"])
    assert correct(names).tolist() == ["right", ""]
    with pytest.raises(ValueError, match="both be names or both be numbers"):
        correct(night(truth=["W"], predicted=[0]))
    with pytest.raises(
        ValueError, match="must have the coordinate 'predicted' along its samples, got 'truth'"
    ):
        correct(night(truth=["W"]))
    assert np.isnan(agreement([np.nan, None], [1, 1])).all()


def test_transitions_within_files_only() -> None:
    found = transition(night(truth=["W", "N1", "N1", "N1", "W"], file=["a", "a", "b", "b", "b"]))
    assert found.tolist() == ["", "transition", "", "steady", "transition"]


def test_transitions_follow_onsets_whatever_the_order() -> None:
    stages, onsets = np.array(["W", "W", "N1", "N2", "N2"]), np.arange(5) * 30.0
    expected = np.array(["", "steady", "transition", "transition", "steady"])
    for order in (np.arange(5), np.array([3, 1, 4, 0, 2])):
        found = transition(night(truth=stages[order], onset=onsets[order]))
        assert found.tolist() == expected[order].tolist()


def test_what_stands_behind_a_gap_is_not_known() -> None:
    found = transition(night(label=["W", "W", "N1", "N1"], onset=[0.0, 30.0, 90.0, 120.0]))
    assert found.tolist() == ["", "steady", "", "steady"]
    assert transition(night(truth=["W", "", "N1", "N1"])).tolist() == ["", "", "", "steady"]


def test_of_the_predicted_class() -> None:
    both = night(truth=["W", "W"], predicted=["W", "N1"])
    assert transition(both).tolist() == ["", "steady"]
    assert transition(both, of="predicted").tolist() == ["", "transition"]
    with pytest.raises(ValueError, match="must have the coordinate 'truth'"):
        transition(night(predicted=["W"]))
    with pytest.raises(TypeError, match="Dataset"):
        transition(["W"])  # type: ignore[arg-type]
