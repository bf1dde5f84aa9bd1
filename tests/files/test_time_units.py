"""In which unit times are: as names of columns and attributes say it, and not guessed where none does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import freqig
from freqig import read
from freqig.errors import SignalWarning
from freqig.files.recording import UnclearRateError

N = 50
VALUES = np.random.default_rng(0).normal(size=(2, N))
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *((f"time_{unit}", unit) for unit in SECONDS),
        *((f"Time ({unit})", unit) for unit in SECONDS),
        *((f"t [{unit}]", unit) for unit in SECONDS),
        *((f"t / {unit}", unit) for unit in SECONDS),
        *((name, "ms") for name in ("TIME (MS)", "Time_MS", "time_msec", "time ms", "Time, ms", "ms")),
        *((name, "s") for name in ("Time (Sec)", "time_sec", "seconds", "elapsed time (s)")),
        *((name, "us") for name in ("timestamp_µs", "time (microseconds)")),
    ],
)
def test_names_of_columns_say_it(name: str, unit: str, tmp_path: Path) -> None:
    table = pd.DataFrame({name: 4.0 * np.arange(N), "a": VALUES[0], "b": VALUES[1]})
    table.to_csv(tmp_path / "x.tsv", index=False, sep="\t")
    found = read(tmp_path / "x.tsv")
    assert found.channel.values.tolist() == ["a", "b"]
    assert found.attrs["fs"] == pytest.approx(1 / (4 * SECONDS[unit]))


def test_least_values_of_a_quantity_are_no_times(tmp_path: Path) -> None:
    table = pd.DataFrame({"time (s)": 0.1 * np.arange(N), "t_min": VALUES[0], "t_h": VALUES[1]})
    table.to_csv(tmp_path / "x.csv", index=False)
    assert read(tmp_path / "x.csv").channel.values.tolist() == ["t_min", "t_h"]


def array(step: float, unit: str | None) -> xr.DataArray:
    attrs = {} if unit is None else {"units": unit}
    coords = {"channel": ["a", "b"], "time": ("time", step * np.arange(N), attrs)}
    return xr.DataArray(VALUES[None], coords, ("sample", "channel", "time"), name="signal")


def explained(x: Any, **settings: Any) -> xr.Dataset:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * N, 1))
    return freqig.Explainer(model, n_steps=2, **settings)(x, target=0)


@pytest.mark.parametrize("unit", [*SECONDS, "milliseconds", "MS"])
@pytest.mark.parametrize("way", ["array", "netCDF", "zarr"])
def test_attributes_say_it(unit: str, way: str, tmp_path: Path) -> None:
    x: Any = array(4.0, unit)
    seconds = {"milliseconds": 1e-3, "MS": 1e-3, **SECONDS}[unit]
    if way == "netCDF":
        x.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    elif way == "zarr":
        pytest.importorskip("zarr")
        x.to_zarr(tmp_path / "x.zarr", zarr_format=2)
    found = x if way == "array" else read(tmp_path / ("x.nc" if way == "netCDF" else "x.zarr"))
    result = explained(found)
    assert float(result.frequency[-1]) == pytest.approx(1 / (8 * seconds))


@pytest.mark.parametrize(("step", "fs"), [(1.0, "1 Hz"), (4.0, "0.25 Hz"), (4, "0.25 Hz")])
def test_steps_of_a_second_and_more_are_told_once_with_the_remedy(step: float, fs: str) -> None:
    x = array(step, None)
    with pytest.warns(SignalWarning) as caught:
        explained(x)
    (one,) = caught
    assert f"steps of {step:g} are taken for seconds, {fs}: pass fs=, or say it" in str(one.message)
    assert "x.time.attrs['units'] = 'ms'" in str(one.message)
    # Both remedies do.
    assert float(explained(x, fs=250.0).frequency[-1]) == 125
    x.time.attrs["units"] = "s"
    assert float(explained(x).frequency[-1]) == 0.5 / step


def test_fine_steps_are_seconds() -> None:
    assert float(explained(array(0.004, None)).frequency[-1]) == pytest.approx(125)
    with pytest.raises(ValueError, match="fs must be the sampling rate of x"):
        explained(array(0.004, None), fs=100.0)


def test_files_that_do_not_say_it_are_refused_without_a_rate(tmp_path: Path) -> None:
    array(4.0, None).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with pytest.raises(UnclearRateError, match=r"steps of 4 are 0.25 Hz in s, and 250 Hz in ms. Pass fs="):
        read(tmp_path / "x.nc")
    with pytest.raises(UnclearRateError):
        read(tmp_path / "x.nc", fs=100)
    for fs in (0.25, 250.0):
        assert read(tmp_path / "x.nc", fs=fs).attrs["fs"] == fs
