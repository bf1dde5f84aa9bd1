"""EEG of people who looked at flickering lights: each frequency is known, and so is what must be found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from freqig import compare, summarize
from freqig.demo import flicker, ssvep
from freqig.demo.recordings import read_recordings, split_recordings

pytest.importorskip("mne")
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


@pytest.fixture(scope="module")
def result(data_path: Path) -> xr.Dataset:
    """One window of each trial of nine recordings of four people."""
    if not any((data_path / "ssvep_exo").glob("*_raw.fif")):
        pytest.skip("no recordings of flicker in FREQIG_DATA or ../shared/data")
    recordings = read_recordings(data_path)
    training, _ = split_recordings(recordings)
    net = flicker.train(flicker.cut_windows(training), 0)
    one_window = [replace(own, trials=own.trials[..., : int(2 * own.fs)]) for own in recordings]
    found = ssvep.explain(net, one_window, n_steps=8)
    names = found.recording.values.astype(str)
    return found.assign_coords(subject=("sample", [name[:9] for name in names]))


def test_every_person_looks_for_the_frequency_of_the_light(result: xr.Dataset) -> None:
    total = result.assign(rfft=result.rfft.sum("channel", keep_attrs=True))[["rfft"]]
    found = summarize(total, by=["subject", "flicker"])
    assert found.attrs["unit"] == "sample"
    assert found.rfft.dims == ("subject", "flicker", "frequency")
    assert found.sizes["subject"] == 4
    sure = 0
    for person in found.subject.values:
        for light in found.flicker.values:
            own = found.sel(subject=person, flicker=light)
            strongest = float(own.rfft.idxmax())
            assert min(abs(strongest - light), abs(strongest - 2 * light)) <= 0.5, (person, light)
            sure += bool(own.rfft_lower.sel(frequency=strongest) > 0)
            assert own.n_units >= 6
            assert own.reason == ""
    # Of the person of whom the network has learned nothing, it takes a window or two for another light.
    assert sure >= 11


def test_four_people_have_means_and_no_interval(result: xr.Dataset) -> None:
    found = summarize(result[["rfft"]], by="flicker")
    assert found.attrs["unit"] == "subject"
    assert set(found.reason.values.tolist()) == {"4 subjects, fewer than 6"}
    assert np.isnan(found.rfft_lower).all()
    assert np.isfinite(found.rfft).all()


def test_two_lights_differ_at_their_frequencies_over_recordings(result: xr.Dataset) -> None:
    """Nine recordings, each seen as a unit of its own."""
    by_recording = result.assign_coords(subject=("sample", result.recording.values))
    total = by_recording.assign(rfft=result.rfft.sum("channel", keep_attrs=True))[["rfft"]]
    found = compare(total, by="flicker", between=(13.0, 21.0), paired=True)
    assert found.attrs["n_first"] == 9
    at = found.frequency.values[found.rfft_significant.values]
    for light, sign in ((13.0, 1), (21.0, -1)):
        near = np.minimum(np.abs(at - light), np.abs(at - 2 * light)) <= 1
        assert near.any()
        assert (sign * found.rfft.sel(frequency=at[near]) > 0).all()
