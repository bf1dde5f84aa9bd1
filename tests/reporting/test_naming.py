"""Bands that are named, and those that are not, of results whose attributions are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import freqig
from freqig.reporting.words.cells import Axis
from freqig.reporting.words.choosing import choose
from freqig.reporting.words.judging import Verdict, evidence_of, judged
from freqig.reporting.words.naming import summarised

from .results import hertz, told

STAGES = ["N2", "W"] * 12
BANDS = {"N2": (11.0, 16.0), "W": (8.0, 11.0)}


def verdicts(result: xr.Dataset) -> dict[str, Verdict]:
    axis = Axis.of(result)
    assert axis is not None
    return {one.label: judged(one, axis) for one in evidence_of(result, axis)}


def test_each_class_has_the_band_that_holds_its_attribution() -> None:
    found = verdicts(told(STAGES, BANDS))
    assert {label: one.choice.band for label, one in found.items()} == {"N2": "11–16 Hz", "W": "8–11 Hz"}
    assert all(one.named and one.choice.share == one.choice.agreed == 1.0 for one in found.values())


def test_the_share_and_its_interval_are_those_of_a_known_mixture() -> None:
    # Units put 60 to 80 parts of 100 into the band, the rest far from it: share 0.7, spread known.
    result = told(None, {"": (0, 0)}, count=400)
    part = np.random.default_rng(0).choice([0.6, 0.8], size=400)
    values = np.zeros((400, 1, len(hertz)))
    inside, outside = (hertz >= 11) & (hertz < 16), (hertz >= 30) & (hertz < 50)
    values[:, 0, inside] = part[:, None] / inside.sum()
    values[:, 0, outside] = (1 - part[:, None]) / outside.sum()
    result["rfft"] = result["rfft"].copy(data=values)
    result["output"][:] = 2.0
    choice = verdicts(result)["the output"].choice
    assert choice.band == "11–16 Hz"
    assert choice.share == pytest.approx(part.mean())
    error = 1.96 * part.std(ddof=1) / math.sqrt(400)
    assert (choice.high - choice.low) / 2 == pytest.approx(error, rel=0.15)
    assert choice.low < part.mean() < choice.high


def test_sentences_have_their_numbers() -> None:
    truth = [*STAGES[:-1], "N2"]
    sentences = [
        one.text for one in summarised(told(STAGES, BANDS, truth=truth, file=["night.edf"] * 24))[:3]
    ]
    assert len(sentences) == 3
    assert sentences[0] == (
        "24 samples of night.edf (1 channel, 2 s at 100 Hz) were explained, as the model Stager (fingerprint "
        "01234567) decided: by the logit of the class that it predicts."
    )
    assert "100 % of 24 explanations converged" in sentences[1]
    assert "right in 96 % of 24 samples, where labels dealt at random would be in 50 %" in sentences[1]
    assert sentences[2] == (
        "N2 was decided by 11–16 Hz (100 % of the positive attribution, 95 % interval 100–100, over 12 "
        "samples); W by 8–11 Hz (100 %, 100–100, over 12 samples)."
    )


@pytest.mark.parametrize(("failed", "named"), [(2, True), (3, False)])
def test_no_band_where_fewer_than_nine_in_ten_converged(failed: int, named: bool) -> None:
    result = told(None, {"": (11, 16)}, count=20)
    result["converged"][:failed] = False
    found = verdicts(result)["the output"]
    assert found.named is named
    assert named or found.why_not == "85 % of its explanations converged, fewer than 90 %"


def test_no_band_where_the_output_is_no_higher_than_at_the_baseline() -> None:
    result = told(None, {"": (11, 16)}, count=20)
    result["baseline_output"][:10] = 1e6
    assert "higher than at the baseline for 10 of 20" in verdicts(result)["the output"].why_not
    result["baseline_output"][0] = 0.0
    assert verdicts(result)["the output"].named


def test_no_band_where_samples_disagree() -> None:
    result = told(None, {"": (11, 16)}, count=20)
    values = np.zeros(result["rfft"].shape)
    for row in range(20):
        low = 11 if row % 2 else 30
        values[row, 0, (hertz >= low) & (hertz < low + 5)] = 1
    result["rfft"] = result["rfft"].copy(data=values)
    found = verdicts(result)["the output"]
    assert not found.named
    assert "drawn anew" in found.why_not
    assert found.choice.agreed < 0.95
    assert "30–35 Hz" in found.why_not
    assert "11–16 Hz" in found.why_not
    sentence = summarised(result)[2].text
    assert sentence.startswith("No band is named for the output, because with samples drawn anew")


def test_no_band_of_noise_and_none_of_what_is_spread_evenly() -> None:
    spread = told(None, {"": (0, 51)}, count=20)
    assert "spread" in verdicts(spread)["the output"].why_not
    noise = told(None, {"": (60, 61)}, count=20, noise=1.0)
    noise["output"][:] = 2.0
    assert not verdicts(noise)["the output"].named
    negative = told(None, {"": (11, 16)}, count=20)
    negative["rfft"] = -negative["rfft"]
    assert "no frequency has a positive" in verdicts(negative)["the output"].why_not


def test_people_are_the_units_where_they_are_known() -> None:
    result = told(None, {"": (11, 16)}, count=40, subject=[f"s{row // 10}" for row in range(40)])
    found = verdicts(result)["the output"]
    assert found.why_not == "it rests on 4 people, fewer than 6"
    one = result.assign_coords(subject=("sample", ["s0"] * 40))
    assert verdicts(one)["the output"].named
    many = result.assign_coords(subject=("sample", [f"s{row // 5}" for row in range(40)]))
    assert summarised(many)[2].text.endswith("over 8 people).")


def test_bands_that_a_result_has_are_chosen_from_and_the_rest_is_not() -> None:
    result = told(None, {"": (11, 16)}, count=20)
    summed = freqig.bands(result, {"alpha": (8, 11), "spindle": (11, 16)})
    assert verdicts(summed)["the output"].choice.band == "spindle (11–16 Hz)"
    outside = freqig.bands(told(None, {"": (30, 40)}, count=20), {"alpha": (8, 11), "spindle": (11, 16)})
    assert "no frequency has a positive" not in verdicts(outside)["the output"].why_not
    assert not verdicts(outside)["the output"].named


def test_what_is_missing_is_named() -> None:
    result = told(None, {"": (11, 16)}, count=20)
    assert "does not tell converged" in verdicts(result.drop_vars("converged"))["the output"].why_not
    assert "baseline_output" in verdicts(result.drop_vars("baseline_output"))["the output"].why_not
    assert "freqig.RFFT()" in summarised(result.drop_vars("rfft"))[2].text
    assert "holds no truth" in summarised(result)[1].text


def test_a_class_that_was_never_decided_for_has_no_band() -> None:
    result = told(STAGES, BANDS)
    one = result.drop_vars("target")
    both = xr.concat([one, one], "target").assign_coords(target=["N2", "N3"])
    for name in ("n_evaluations", "status", "signal"):
        both[name] = result[name]
    assert verdicts(both)["N3"].why_not == "the model did not decide for it in any sample"
    assert verdicts(both)["N2"].choice.band == "11–16 Hz"


def test_samples_that_are_not_finite_are_left_out() -> None:
    result = told(None, {"": (11, 16)}, count=20)
    result["rfft"][0] = np.nan
    found = verdicts(result)["the output"]
    assert found.named
    assert len(found.evidence.values) == 19


def test_places_without_a_coefficient_add_nothing() -> None:
    result = told(None, {"": (11, 16)}, count=20)
    # A last segment, shorter than the others, has every other frequency alone.
    lacking = result.rfft.where(result.frequency.astype(int) % 2 == 0)
    result["rfft"] = xr.concat([result.rfft, lacking], "segment").transpose("sample", ...)
    result["rfft"].attrs["kind"] = "attribution"
    assert verdicts(result)["the output"].choice.band == "11–16 Hz"


@settings(max_examples=20, deadline=None)
@given(low=st.integers(0, 80), width=st.integers(1, 12), scale=st.floats(1e-6, 1e6))
def test_a_block_is_found_wherever_it_lies_and_at_any_scale(low: int, width: int, scale: float) -> None:
    hertz = xr.DataArray(np.arange(100.0), dims="frequency", attrs={"units": "Hz"})
    values = np.zeros((8, 100))
    values[:, low : low + width] = scale
    rfft = ("sample", "frequency"), values, {"kind": "attribution"}
    axis = Axis.of(xr.Dataset({"rfft": rfft}, {"frequency": hertz}))
    assert axis is not None
    found = choose(values, axis, draws=100)
    assert found.band == (f"{low}–{low + width - 1} Hz" if width > 1 else f"{low} Hz")
    assert found.share == pytest.approx(1)
    assert found.agreed == 1


def test_cells_add_up_whatever_the_number_of_frequencies() -> None:
    for n in (50, 200, 201, 3000):
        frequency = np.fft.rfftfreq(n, 1 / 100)
        values = np.random.default_rng(n).normal(size=(5, 2, len(frequency)))
        rfft = ("sample", "channel", "frequency"), values, {"kind": "attribution"}
        result = xr.Dataset({"rfft": rfft}, {"frequency": ("frequency", frequency, {"units": "Hz"})})
        axis = Axis.of(result)
        assert axis is not None
        assert len(axis) <= 101
        np.testing.assert_allclose(axis.sums(result["rfft"]).sum(1), values.sum((1, 2)))
        assert axis.weights.sum() == pytest.approx(1)
        low, high = axis.low[axis.member], axis.high[axis.member]
        assert ((frequency >= low - 1e-9) & (frequency <= high + 1e-9)).all()
