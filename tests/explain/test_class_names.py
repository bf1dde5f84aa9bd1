"""Classes by name, units that the model takes, and recordings straight from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from freqig import Explainer, plots, read
from freqig.explain.class_names import numbered, read_classes
from freqig.signals.units import read_unit

from ..helpers import noise, seeded

STAGES = ("W", "N1", "N2")

pytestmark = pytest.mark.filterwarnings(
    # Untrained networks take the baseline for one of the classes, whatever it is.
    "ignore::freqig.errors.EmptyExplanationWarning"
)


def network(n: int = 32) -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(n, 8), nn.Tanh(), nn.Linear(8, 3)))


@pytest.mark.parametrize("target", [2, "N2"])
def test_a_name_is_its_number(target: Any) -> None:
    x = noise(4, 32)
    by_number = Explainer(network(), n_steps=8)(x, target=2)
    named = Explainer(network(), n_steps=8, classes=STAGES)(x, target=target)
    np.testing.assert_array_equal(named.rfft, by_number.rfft)
    assert named.target.values.tolist() == ["N2"] * 4
    assert named.predicted.values.tolist() == [STAGES[k] for k in by_number.predicted.values]


@pytest.mark.parametrize("kind", [list, np.array, lambda names: xr.DataArray(names, dims="sample")])
def test_a_name_per_sample(kind: Any) -> None:
    x, names = noise(3, 32), ["N2", "W", "N1"]
    result = Explainer(network(), n_steps=8, classes=STAGES)(x, target=kind(names))
    assert result.target.values.tolist() == names
    np.testing.assert_array_equal(result.rfft, Explainer(network(), n_steps=8)(x, target=[2, 0, 1]).rfft)


def test_every_class_and_its_outputs() -> None:
    x, model = noise(4, 32), network()
    result = Explainer(model, n_steps=8, classes=np.array(STAGES))(x, target="all")
    assert result.target.values.tolist() == list(STAGES)
    assert result.rfft.sel(target="N1").dims == ("sample", "frequency")
    expected = model(torch.from_numpy(x).float()).detach().numpy()
    assert result.outputs.dims == ("sample", "class")
    np.testing.assert_allclose(result.outputs.sel({"class": "N1"}), expected[:, 1], rtol=1e-5)
    assert "outputs" not in Explainer(model, n_steps=8)(x)


def test_figures_and_files_keep_the_names(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    result = Explainer(network(), n_steps=8, classes=STAGES)(noise(2, 32), target="N2")
    axes = plots.spectrum(result, signal=False, axes=Figure().subplots())
    assert "'N2'" in axes.get_title(loc="left")
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as back:
        assert back.target.values.tolist() == ["N2", "N2"]


@pytest.mark.parametrize(
    ("classes", "error", "word"),
    [
        ("W", TypeError, "sequence of names"),
        ((), TypeError, "sequence of names"),
        ((0, 1, 2), TypeError, "sequence of names"),
        (("W", "W", "N1"), ValueError, "names that differ"),
        (("all", "N1", "N2"), ValueError, '"all"'),
    ],
)
def test_classes_must_be_names(classes: Any, error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=rf"classes must be.*{word}"):
        read_classes(classes)


def test_wrong_names() -> None:
    with pytest.raises(ValueError, match=r"target must be one of classes, W, N1, N2, or a number, got 'REM'"):
        Explainer(network(), classes=STAGES)(noise(2, 32), target="REM")
    with pytest.raises(ValueError, match=r"classes must name every class, and the model has 3, got 2: W, N1"):
        Explainer(network(), classes=STAGES[:2])(noise(2, 32))
    assert read_classes(None) is None
    assert numbered(("N2", 5), STAGES) == (2, 5)


def test_the_unit_of_the_model_scales_signals_and_baselines() -> None:
    micro = xr.DataArray(noise(3, 32), dims=("sample", "time"), attrs={"units": "uV"})
    volts = (micro * 1e-6).assign_attrs(units="V")
    explainer = Explainer(network(), n_steps=8, unit="uV")
    in_micro = explainer(micro, target=1, baseline=micro[0] * 0.5)
    in_volts = explainer(volts, target=1, baseline=(volts[0] * 0.5).assign_attrs(units="V"))
    np.testing.assert_allclose(in_volts.rfft, in_micro.rfft, rtol=1e-4, atol=1e-6)
    assert in_volts.signal.attrs["units"] == "uV"
    assert explainer(micro.values, target=1).signal.attrs["units"] == "uV"
    with pytest.raises(
        ValueError, match=r"unit must be one of what x measures, which is in T, got unit='uV'"
    ):
        explainer(micro.assign_attrs(units="T"))
    with pytest.raises(ValueError, match="unit must be one of V, T"):
        Explainer(network(), unit="parsec")
    with pytest.raises(TypeError, match="unit must be the name of a unit"):
        read_unit(3)


def test_a_file_is_explained_as_what_is_read_from_it(tmp_path: Path) -> None:
    path = tmp_path / "night.npz"
    np.savez(path, data=noise(2, 1000), fs=100.0)
    model = network(2 * 50)
    explainer = Explainer(model, n_steps=8)
    direct = explainer(path, target=1, window=0.5, annotations=["W"] * 20)
    read_first = explainer(read(path, window=0.5), target=1)
    np.testing.assert_array_equal(direct.rfft, read_first.rfft)
    assert direct.label.values.tolist() == ["W"] * 20
    assert direct.onset.values.tolist() == (0.5 * np.arange(20)).tolist()
    with pytest.raises(TypeError, match="window must be None for x of type ndarray"):
        explainer(noise(2, 2, 50), window=0.5)
    with pytest.raises(FileNotFoundError, match="none at"):
        explainer(tmp_path / "absent.edf")


def test_a_raw_is_cut() -> None:
    mne = pytest.importorskip("mne")
    values = 1e-5 * noise(2, 1000)
    info = mne.create_info(["Fz", "Oz"], 100.0, "eeg")
    raw = mne.io.RawArray(values, info, verbose="error")
    raw.set_annotations(mne.Annotations([0, 4], [4, 6], ["rest", "task"]))
    result = Explainer(network(100), n_steps=8, unit="uV")(raw, target=1, window=0.5)
    assert result.label.values.tolist() == ["rest"] * 8 + ["task"] * 12
    np.testing.assert_allclose(result.signal[1], 1e6 * values[:, 50:100], rtol=1e-6)


def test_a_long_raw_that_is_cut_says_nothing_of_its_length() -> None:
    mne = pytest.importorskip("mne")
    info = mne.create_info(["Fz", "Oz"], 100.0, "eeg")
    raw = mne.io.RawArray(1e-5 * noise(2, 4000), info, verbose="error")
    before = raw.annotations
    result = Explainer(network(100), n_steps=64, unit="uV")(raw, target=1, window=0.5)
    assert result.sizes["sample"] == 80
    assert raw.annotations == before


STEPS = nn.Sequential(nn.Flatten(), nn.Linear(32, 15), nn.Unflatten(1, (3, 5)))


@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize(
    ("target", "got"),
    [
        ("N1", r"got 'N1': say which place is explained, too, such as target=\('N1', 0\)"),
        (("N1",), r"needs 2 numbers for outputs of shape \('N', 3, 5\), got \('N1',\)"),
        (("N1", 9), r"target must be in 0..4 on output axis 2 .*, got 9"),
        ([("N1", 0), ("N2", 9), ("W", 0)], r"got 9 for sample 1"),
    ],
)
def test_errors_tell_the_name_that_was_given(axis: int | None, target: Any, got: str) -> None:
    """Not the number that it became."""
    with pytest.raises(ValueError, match=got):
        Explainer(STEPS, classes=STAGES, class_axis=axis)(noise(3, 32), target=target)


@pytest.mark.parametrize("target", [("R", 0), [("N1", 0), ("R", 0), ("W", 0)]])
def test_a_name_beyond_the_outputs_is_told_by_name(target: Any) -> None:
    """Of outputs whose axes nobody knows, names cannot be counted before."""
    with pytest.raises(ValueError, match=r"target must be in 0..2 on output axis 1 .*, got 'R'"):
        Explainer(STEPS, classes=("W", "N1", "N2", "N3", "R"))(noise(3, 32), target=target)


def test_a_name_and_a_step_for_each_sample() -> None:
    x, steps = noise(3, 32), Explainer(STEPS, n_steps=4, classes=STAGES, class_axis=1)
    by_name = steps(x, target=[("N1", 4), ("W", 0), ("N2", 2)])
    np.testing.assert_array_equal(by_name.rfft, steps(x, target=[(1, 4), (0, 0), (2, 2)]).rfft)
