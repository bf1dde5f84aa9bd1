"""Decisions that are chosen, of results in which it is known which stand out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from freqig.reporting.content import SampleLink, Table
from freqig.reporting.words.looking import away_from_power, pieces_of, worth_a_look

from .results import FS, N, hertz, told

CLASSES = ["N2", "W"] * 30
BANDS = {"N2": (11.0, 16.0), "W": (8.0, 11.0)}


def test_the_wrong_and_the_uncertain_are_chosen() -> None:
    truth = CLASSES.copy()
    truth[7] = "N2"
    result = told(CLASSES, BANDS, truth=truth)
    result["outputs"][11] = 0.0
    look = worth_a_look(result, count=4)
    why = {one.sample: one.why for one in look.chosen}
    assert "wrong" in why[7]
    assert why[11][0] == "least certain" or "transition" in why[11]
    assert len(look.chosen) == 4
    assert look.missing == ()
    text = {one.sample: one.text for one in look.chosen}
    assert text[7].startswith("predicted W, true N2; leads by")


def test_how_sure_a_model_is_is_not_told_where_it_is_not_known() -> None:
    result = told(CLASSES, BANDS, truth=["N2"] * 60)
    result["outputs"][1, 0] = np.nan
    text = {one.sample: one.text for one in worth_a_look(result, count=60).chosen}
    assert "leads by" in text[3]
    assert "leads by" not in text[1]


def test_wrong_ones_that_the_model_is_surest_of_come_first() -> None:
    truth = ["N2"] * 60
    result = told(CLASSES, BANDS, truth=truth, onset=np.zeros(60))
    result["outputs"][1::2, 1] = np.linspace(1, 4, 30)
    wrong = [one.sample for one in worth_a_look(result, count=6).chosen if "wrong" in one.why]
    assert wrong[-2:] == [57, 59]


def test_kinds_take_turns_and_no_sample_is_chosen_twice() -> None:
    result = told(CLASSES, BANDS, truth=["W"] * 30 + ["N2"] * 30)
    look = worth_a_look(result, count=20)
    samples = [one.sample for one in look.chosen]
    assert samples == sorted(set(samples))
    assert len(samples) == 20
    assert 30 in samples
    kinds = [kind for one in look.chosen for kind in one.why]
    assert {"wrong", "transition", "least certain", "not where the power is"} == set(kinds)
    assert len(worth_a_look(result, count=500).chosen) == 60


def test_attribution_like_the_power_is_not_away_and_elsewhere_is() -> None:
    result = told(None, {"": (8, 11)}, count=3)
    time = np.arange(N) / FS
    # Two waves of equal power: attribution on both, on one, and on none of them.
    result["signal"][:] = np.sin(2 * np.pi * 10 * time) + np.sin(2 * np.pi * 30 * time)
    values = np.zeros((3, 1, len(hertz)))
    values[0, 0, [20, 60]] = 1, 1
    values[1, 0, 20] = -3
    values[2, 0, 80] = 1
    result["rfft"] = result["rfft"].copy(data=values)
    away = away_from_power(result)
    assert away is not None
    np.testing.assert_allclose(away, [0, 0.5, 1], atol=1e-9)
    assert worth_a_look(result, count=1).samples == (2,)


def test_what_cannot_be_looked_for_is_named() -> None:
    bare = xr.Dataset({"output": ("sample", np.ones(3))})
    look = worth_a_look(bare)
    assert look.chosen == ()
    assert len(look.missing) == 4
    assert all(one.call for one in look.missing)
    assert [type(one).__name__ for one in pieces_of(look, bare)] == ["Paragraph", *["Missing"] * 4]


def test_the_table_links_to_the_samples() -> None:
    result = told(CLASSES, BANDS, truth=["W"] * 60)
    *_, table = pieces_of(worth_a_look(result, count=5), result)
    assert isinstance(table, Table)
    assert len(table.rows) == 5
    assert all(isinstance(row[0], SampleLink) for row in table.rows)
