"""What all problems share: seeds, names, attributes, files, and arguments that are refused by name."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import freqig
from freqig import synth

NAMES = [name for name in synth.__all__ if name != "oracle"]


@pytest.mark.parametrize("name", NAMES)
def test_seeds_say_everything(name: str) -> None:
    make = getattr(synth, name)
    one, again, other = make(n=6, seed=3), make(n=6, seed=3), make(n=6, seed=4)
    xr.testing.assert_identical(one, again)
    assert not (one.signal.values == other.signal.values).all(-1).any(), "train and test share no series"


@pytest.mark.parametrize("name", NAMES)
def test_the_random_state_of_others_stays(name: str) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    getattr(synth, name)(n=2, seed=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("name", NAMES)
def test_problems_say_what_they_are(name: str) -> None:
    make = getattr(synth, name)
    problem = make(n=5, seed=2)
    assert problem.signal.dims == ("sample", "channel", "time")
    assert problem.signal.dtype == np.float32
    assert problem.label.dtype == np.int64
    assert problem.sizes["sample"] == 5
    assert set(np.unique(problem.label)) <= set(range(len(problem.attrs["classes"])))
    np.testing.assert_allclose(problem.time, np.arange(problem.sizes["time"]) / problem.fs)
    truths = [variable for variable in problem.data_vars if variable.startswith(("truth_", "distractor_"))]
    assert truths
    assert all(problem[variable].dtype == bool for variable in truths)
    assert all(problem[variable].attrs["long_name"] for variable in problem.data_vars)
    assert (problem.attrs["problem"], problem.attrs["seed"]) == (name, 2)
    assert problem.attrs["source"]
    settings = set(inspect.signature(make).parameters) - {"seed"}
    assert settings <= set(json.loads(problem.attrs["parameters"]))


@pytest.mark.parametrize("name", NAMES)
def test_problems_fit_into_files_and_their_oracles_come_back(name: str, tmp_path: Path) -> None:
    problem = getattr(synth, name)(n=2, seed=1)
    problem.to_netcdf(tmp_path / "problem.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "problem.nc", engine="h5netcdf") as found:
        read = found.load()
    xr.testing.assert_equal(read, problem)
    assert synth.oracle(read).state_dict().keys() == synth.oracle(problem).state_dict().keys()


def test_explainers_take_the_series_as_they_are() -> None:
    problem = synth.freqrise(n=3, seed=1)
    result = freqig.Explainer(synth.oracle(problem))(problem.signal, target=problem.label.values)
    np.testing.assert_allclose(result.frequency, problem.frequency)
    assert result.rfft.dims == problem.truth_rfft.dims


def test_large_sets_begin_like_small_ones_of_whole_blocks() -> None:
    few, many = (synth.freqrise(n=n, seed=1) for n in (1024, 1100))
    np.testing.assert_array_equal(many.signal[:1024], few.signal)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": 0}, "n must be at least 1"),
        ({"n": 2, "seed": -1}, "seed must be at least 0"),
    ],
)
def test_numbers_and_seeds_are_checked(name: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        getattr(synth, name)(**arguments)


WITH_NOISE = [name for name in NAMES if "noise" in inspect.signature(getattr(synth, name)).parameters]


@pytest.mark.parametrize(
    ("name", "argument"), [("freqrise", "sigma"), *((name, "noise") for name in WITH_NOISE)]
)
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, 1e31])
def test_noise_is_checked(name: str, argument: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{argument} must be"):
        getattr(synth, name)(n=2, **{argument: value})


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("arma", {"rare": "channel"}, "rare must be one of 'feature', 'time'"),
        ("arma", {"n_channels": 3}, "n_channels must be at least 4"),
        ("arma", {"n_time": 3}, "n_time must be at least 4"),
        ("arma", {"n_rare": 50}, "n_rare must be below n_channels, 50"),
        ("arma", {"rare": "time", "n_rare": 50}, "n_rare must be below n_time, 50"),
        ("arma", {"ar": (1.1,)}, "ar must make a process that forgets.*largest is 1.1"),
        ("arma", {"ar": (np.inf,)}, "ar must make a process"),
        ("hmm", {"n_time": 0}, "n_time must be at least 1"),
        ("freqshapes", {"n_time": 19}, "n_time must be at least 20"),
        ("unused_cue", {"agreement": 1.5}, "agreement must be in 0..1"),
        ("unused_cue", {"agreement": np.nan}, "agreement must be in 0..1"),
        ("channel_cue", {"n_channels": 1}, "n_channels must be at least 2"),
        ("channel_cue", {"channel": 4}, "channel must be in 0..3"),
        ("channel_cue", {"channel": -1}, "channel must be at least 0"),
        ("chirp", {"window": 0}, "window must be finite and above 0"),
    ],
)
def test_other_arguments_are_checked(name: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        getattr(synth, name)(n=2, **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_one_series_is_enough(name: str) -> None:
    assert getattr(synth, name)(n=1, seed=0).sizes["sample"] == 1
