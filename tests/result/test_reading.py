"""What those find in a result who do something with it."""

from __future__ import annotations

import pytest
import xarray as xr

from freqig.result.reading import attributions_of, of_predicted


def test_a_predicted_class_that_was_selected_away_is_named() -> None:
    rfft = ("sample", "target"), [[1.0, 2.0], [3.0, 4.0]]
    result = xr.Dataset({"rfft": rfft}, {"target": ["W", "N2"], "predicted": ("sample", ["N2", "W"])})
    with pytest.raises(ValueError, match="got 'N2' as its targets and none for 'W'"):
        of_predicted(result.isel(target=[1]), "rfft")


def test_a_variable_that_lost_its_attributes_is_told_how_to_keep_them() -> None:
    result = xr.Dataset({"rfft": ("frequency", [1.0, 2.0], {"kind": "attribution"})})
    with xr.set_options(keep_attrs=False), pytest.raises(ValueError, match=r"has lost its attrs\['kind'\]"):
        attributions_of(result.assign(rfft=0 * result.rfft), "rfft")
    with pytest.raises(ValueError, match=r"which are 'rfft' here, got 'fft'$"):
        attributions_of(result, "fft")
