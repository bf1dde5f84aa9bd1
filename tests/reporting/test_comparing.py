"""Two results of which it is known where they differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from freqig.reporting.content import Figure, Missing, Paragraph, Table
from freqig.reporting.words import comparing

from .results import hertz, told

CLASSES = ["N2", "W"] * 15
BANDS = {"N2": (11.0, 16.0), "W": (8.0, 11.0)}


def compared(one: xr.Dataset, other: xr.Dataset, *names: Any) -> list[Any]:
    return comparing.compared(one, other, *names, permutations=50)


def noisy(bands: dict[str, tuple[float, float]], seed: int, **coords: Any) -> xr.Dataset:
    return told(CLASSES, bands, noise=0.1, seed=seed, truth=CLASSES, onset=np.arange(30.0), **coords)


def table(pieces: list[Any], anchor: str) -> Table:
    (found,) = (one for one in pieces if isinstance(one, Table) and one.anchor == anchor)
    return found


def test_a_difference_is_found_where_it_is_and_in_the_class_that_has_it() -> None:
    file = ["night"] * 30
    one, other = noisy(BANDS, 1, file=file), noisy({**BANDS, "W": (30.0, 33.0)}, 2, file=file)
    pieces = compared(one, other, ("cnn", "lstm"))
    clusters = table(pieces, "compared-clusters").rows
    of_w = {(row[1], row[2], row[4] > 0) for row in clusters if row[0] == "W" and row[5] == ""}
    assert {(8.0, 11.0, True), (30.0, 33.0, False)} <= of_w
    assert not [row for row in clusters if row[0] == "N2" and row[5] == "" and row[3] < 0.03]
    rows = {row[0]: row for row in table(pieces, "compared-bands").rows}
    assert rows["N2"][1] == rows["N2"][4] == "11–16 Hz"
    assert (rows["W"][1], rows["W"][4]) == ("8–11 Hz", "30–33 Hz")
    texts = " ".join(str(one.text) for one in pieces if isinstance(one, Paragraph))
    assert "in logit in both" in texts
    assert "in pairs" in texts
    assert "decide alike in 100 % of 30 samples" in texts


def test_means_stand_on_one_axis() -> None:
    one, other = noisy(BANDS, 1), noisy(BANDS, 2)
    (figure,) = (piece for piece in compared(one, other, ("a", "b")) if isinstance(piece, Figure))
    assert [trace["name"] for trace in figure.traces] == ["a", "b"]
    for trace, result in zip(figure.traces, (one, other), strict=True):
        total = result.rfft.sum(("channel", "frequency")).mean()
        assert sum(trace["y"]) == pytest.approx(float(total), rel=1e-5)
    assert len(figure.table.rows) == len(figure.traces[0]["x"])


@pytest.mark.filterwarnings("ignore:.*differ by the same everywhere:freqig.errors.FreqigWarning")
def test_other_units_are_compared_as_shares() -> None:
    one, other = noisy(BANDS, 1, file=["a"] * 30), noisy(BANDS, 1, file=["a"] * 30)
    other["rfft"] = other["rfft"] * 1000
    other["rfft"].attrs["units"] = "probability"
    other["rfft"].attrs["kind"] = "attribution"
    pieces = compared(one, other)
    assert "in logit and in probability" in str(pieces[0])
    (figure,) = (piece for piece in pieces if isinstance(piece, Figure))
    np.testing.assert_allclose(figure.traces[0]["y"], figure.traces[1]["y"], rtol=1e-4, atol=1e-9)
    remarks = {row[5] for row in table(pieces, "compared-clusters").rows}
    assert remarks == {"no difference beyond the threshold anywhere"}


def test_unequal_axes_are_an_error_that_names_them() -> None:
    one = noisy(BANDS, 1)
    with pytest.raises(ValueError, match="same frequency, got 101 and 51"):
        compared(one, one.isel(frequency=slice(None, None, 2)))
    with pytest.raises(ValueError, match="same channel, but at position 0 there is Cz in a and Pz in b"):
        compared(one, one.assign_coords(channel=["Pz"]))
    moved = one.assign_coords(frequency=("frequency", hertz + 0.25, {"units": "Hz"}))
    with pytest.raises(ValueError, match="same frequency"):
        compared(one, moved)


def test_what_cannot_be_tested_is_said() -> None:
    one = noisy(BANDS, 1)
    few = compared(one.isel(sample=slice(4)), one.isel(sample=slice(4)))
    assert "at least 6 samples" in table(few, "compared-clusters").rows[0][5]
    nothing = compared(one, one.drop_vars("rfft"))
    assert isinstance(nothing[0], Missing)
    first, later = noisy(BANDS, 1, file=["a"] * 30), noisy(BANDS, 1, file=["a"] * 30)
    overlap = compared(first.isel(sample=slice(0, 20)), later.isel(sample=slice(10, 30)))
    assert any(
        isinstance(piece, Missing) and "some recordings are in both" in piece.text for piece in overlap
    )


def test_people_are_paired_and_others_are_not() -> None:
    people = [f"s{row // 3}" for row in range(30)]
    one, other = noisy(BANDS, 1, subject=people), noisy(BANDS, 2, subject=people)
    text = " ".join(str(piece.text) for piece in compared(one, other) if isinstance(piece, Paragraph))
    assert "over subjects" in text
    assert ", in pairs" in text
    strangers = noisy(BANDS, 2, subject=[f"t{row // 3}" for row in range(30)])
    text = " ".join(str(piece.text) for piece in compared(one, strangers) if isinstance(piece, Paragraph))
    assert "not in pairs" in text
