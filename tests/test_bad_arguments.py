"""What is typed wrong is refused before the work, by an error that names the parameter and the remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from torch.utils.data import DataLoader

from freqig import (
    RFFT,
    STFT,
    Components,
    Explainer,
    Spatial,
    attribute,
    baselines,
)
from freqig.domains.reading import read_domains

from .helpers import close, seeded

pd = pytest.importorskip("pandas")

N, FS = 32, 100.0
X = np.random.default_rng(0).normal(size=(2, N))
TWO = np.random.default_rng(1).normal(size=(2, 2, N))
MODEL = seeded(nn.Linear, N, 3)
FLAT = nn.Sequential(nn.Flatten(), seeded(nn.Linear, 2 * N, 3))
EXPLAINER = Explainer(MODEL, fs=FS, n_steps=2, tol=100.0)


def explainer(**kwargs: Any) -> Explainer:
    return Explainer(MODEL, **{"fs": FS, "n_steps": 2, "tol": 100.0, **kwargs})


def explained(domain: Any) -> xr.Dataset:
    return Explainer(FLAT, fs=FS, n_steps=2, tol=100.0, domains=domain)(TWO, target=0)


def test_bad_values_are_refused_by_name() -> None:
    # In a process of its own, since annotations are checked here, which users do not do.
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("bad_arguments.py"), "4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "", ran.stdout


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            {"__header__": b"", "fs": 100, "eeg": X},
            r"a dict with the keys 'fs', 'eeg': pass one entry, such as x\['eeg'\]",
        ),
        (DataLoader([{"eeg": X[0]}] * 2), r"yield batches .* a dict with the keys 'eeg'"),
        (DataLoader([lambda: X[0]]), r"yield arrays or tensors: "),
        ((8000, X[0]), r"x=pair\[1\]\[None\], and the rate, Explainer\(model, fs=pair\[0\]\)"),
        ((X, 8000.0), r"x=pair\[0\]\[None\], and the rate, Explainer\(model, fs=pair\[1\]\)"),
        (MODEL, r"the model Linear: signals come first in attribute"),
        ((row for row in X), r"yield batches of signals, .*got ndarray with 1 axes.*list\(x\)"),
        (xr.Dataset({"eeg": 1}), "an xarray Dataset with the variables 'eeg': pass one of them"),
        ([X[0], {"a": 1}], "a list with a dict .* in it"),
        (
            [xr.DataArray(X[0]), xr.DataArray(X[1])],
            r"a list with a DataArray in it: join them .*xarray\.concat",
        ),
        (
            np.array([X[0], X[1][:5]], dtype=object),
            r"arrays inside: .* np\.stack\(x\), else explain them one by one",
        ),
        (np.zeros(2, dtype=[("eeg", float)]), r"fields 'eeg': pass one of them, such as x\['eeg'\]"),
        (
            pd.DataFrame({"time": [0.0, 0.1], "Cz": [1.0, 2.0]}),
            r"a column of times, 'time'.*\.to_numpy\(\)\.T\[None\]",
        ),
        (pd.DataFrame({"Time (s)": [0.0, 0.1], "Cz": [1.0, 2.0]}), r"a column of times, 'Time \(s\)'"),
        (pd.DataFrame({"Cz": [1.0]}, index=pd.date_range("2020", periods=1)), "times for its index"),
        (pd.DataFrame({"Cz": [1.0], "subject": ["a"]}), "columns of other dtypes, 'subject': drop"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_array_says_what_to_pass(x: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"x must .*{message}"):
        EXPLAINER(x)


@pytest.mark.parametrize("path", ["night.edf", Path("night.edf")])
def test_a_path_to_nothing(path: Any) -> None:
    with pytest.raises(FileNotFoundError, match="there is none at"):
        EXPLAINER(path)
    with pytest.raises(TypeError, match=r"'night\.edf': read the file first, freqig\.read\(path\)"):
        attribute(path, MODEL)


def test_series_of_different_lengths() -> None:
    """They are explained one by one by models that take any length, which this one does not."""
    for x in ([X[0], X[1][:5]], [X[0].tolist(), X[1][:5].tolist()], [torch.ones(3), torch.ones(4)]):
        with pytest.raises(
            ValueError, match=r"x must be rectangular, got series of different lengths or shapes"
        ):
            EXPLAINER(x)
    with pytest.raises(ValueError, match=r"x must be rectangular, got series of different lengths or shapes"):
        EXPLAINER([X[0], [X[1]]])


def test_numbers_of_pandas_that_may_be_missing() -> None:
    nullable = pd.DataFrame(X).astype("Float64")
    expected = EXPLAINER(X, target=0).rfft.values
    # Not bit for bit: frames lie in memory the other way round, and matrix products round by that.
    close(EXPLAINER(nullable, target=0).rfft, expected, 1e-5)
    close(EXPLAINER(pd.DataFrame(X), target=0).rfft, expected, 1e-5)
    nullable.iloc[1, 3] = pd.NA
    with pytest.raises(ValueError, match="x must be finite, got nan at sample 1, time index 3"):
        EXPLAINER(nullable)


def test_masked_values_in_a_list_are_refused() -> None:
    rows = [np.ma.masked_array(row, mask=np.arange(N) == 3) for row in X]
    for use in (EXPLAINER, lambda v: EXPLAINER(X, baseline=v), baselines.data, Spatial):
        with pytest.raises(ValueError, match="must have no masked values"):
            use(rows)


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("dc", r"got the text 'dc': write freqig\.baselines\.dc\(\)"),
        ("band_removed", r"write freqig\.baselines\.band_removed\(low, high\)"),
        ("mean", r"got the text 'mean': the rules are zero\(\), dc\(\)"),
        (baselines.dc, r"write dc\(\), with parentheses"),
    ],
)
def test_baselines_that_were_only_named(baseline: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"baseline must be .*{message}"):
        EXPLAINER(X, baseline=baseline)


@pytest.mark.parametrize(
    ("domains", "message"),
    [
        ("stft", r"got 'stft': write freqig\.STFT\(\)"),
        ("filter_bank", r"write freqig\.FilterBank\(\)"),
        ("fourier", r"they are made by freqig\.RFFT\(\)"),
        (RFFT, r"write RFFT\(\), with parentheses"),
        ([RFFT(), STFT], r"write STFT\(\), with parentheses"),
        (3, "got 3"),
    ],
)
def test_domains_that_were_only_named(domains: Any, message: str) -> None:
    with pytest.raises(TypeError, match=rf"domains must consist of freqig\.Domain instances, .*{message}"):
        read_domains(domains)


def test_settings_go_by_name() -> None:
    with pytest.raises(TypeError, match=r"got 160 besides: name it, such as Explainer\(model, fs=160\)"):
        Explainer(MODEL, 160)


@pytest.mark.parametrize("device", ["tpu", "cuda:7", "meta"])
def test_devices_that_are_not_here(device: str) -> None:
    with pytest.raises(
        ValueError, match=rf"device must be one that PyTorch has here, such as 'cpu', got '{device}'"
    ):
        explainer(device=device)


def test_two_rows_have_names() -> None:
    result = explained(Spatial([[1, -1], [0, 1]], rows=("C3-C4", "C4")))
    assert result.spatial_row.values.tolist() == ["C3-C4", "C4"]


def test_errors_of_functions_that_were_passed_say_so() -> None:
    def fails(*args: Any) -> Any:
        raise LookupError("no such thing")

    for use, name in (
        (lambda: explainer(output=fails)(X), "output="),
        (lambda: explained(STFT(0.1, taper=fails)), "taper of domain 'stft'"),
        (lambda: explained(Components(fails)), "decompose of domain 'components'"),
    ):
        with pytest.raises(LookupError, match=f"no such thing .*raised by .*{name}"):
            use()
    with pytest.raises(TypeError, match="1 further arguments, additional_forward_args"):
        EXPLAINER(X, additional_forward_args=3)
