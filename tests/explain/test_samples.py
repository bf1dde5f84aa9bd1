"""What is known of samples beside their signals: true classes and names, given or brought along."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from freqig import Explainer
from freqig.errors import SignalWarning

from ..helpers import noise, seeded

STAGES = ("W", "N1", "N2")

pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def network(n: int = 32, outputs: int = 3) -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(n, 8), nn.Tanh(), nn.Linear(8, outputs)))


@pytest.mark.parametrize(
    "truth",
    [
        [2, 0, 1],
        ["N2", "W", "N1"],
        np.array([2, 0, 1], dtype=np.int8),
        np.array([2.0, 0.0, 1.0]),
        torch.tensor([2, 0, 1]),
        np.array(["N2", "0", "N1"]),
        xr.DataArray([1, 2, 0], dims="sample", coords={"sample": ["c", "a", "b"]}),
    ],
    ids=lambda truth: type(truth).__name__,
)
def test_true_classes_go_by_their_names(truth: Any) -> None:
    x = xr.DataArray(noise(3, 32), dims=("sample", "time"), coords={"sample": ["a", "b", "c"]})
    result = Explainer(network(), n_steps=32, classes=STAGES)(x, truth=truth)
    assert result.truth.values.tolist() == ["N2", "W", "N1"]
    assert result.truth.dims == ("sample",)


def test_without_names_of_classes_they_are_what_was_given() -> None:
    result = Explainer(network(), n_steps=32)(noise(2, 32), truth=[2, 0], names=["a.wav", "b.wav"])
    assert result.truth.values.tolist() == [2, 0]
    assert result.file.values.tolist() == ["a.wav", "b.wav"]
    assert Explainer(network(), n_steps=32)(noise(2, 32), truth=["x", None]).truth.values.tolist() == [
        "x",
        "",
    ]


def test_they_reach_a_file_and_several_inputs(tmp_path: Path) -> None:
    model = network(64)
    joined = Explainer(lambda a, b: model(torch.cat([a, b], 1)), n_steps=32, classes=STAGES)
    result = joined((noise(2, 32), noise(2, 32)), truth=[1, 2], names=["a", "b"])
    assert result.truth.values.tolist() == ["N1", "N2"]
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as back:
        assert back.file.values.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("known", "error", "word"),
    [
        ({"truth": [0, 1]}, ValueError, "truth must be one per sample, so 3 of them, got 2"),
        ({"truth": [0, 1, 3]}, ValueError, "truth must be classes, W, N1, N2, or their numbers.*got 3"),
        ({"truth": ["W", "N1", "REM"]}, ValueError, "got 'REM'"),
        ({"truth": "W"}, TypeError, "truth must be a sequence"),
        ({"truth": 1}, TypeError, "truth must be a sequence"),
        ({"truth": [0.5, 1, 2]}, TypeError, "truth must be whole numbers or names"),
        ({"truth": [True, False, True]}, TypeError, "truth must be whole numbers or names"),
        ({"names": ["a"]}, ValueError, "names must be one per sample, so 3"),
        ({"names": [1, 2, 3]}, TypeError, "names must be names"),
    ],
)
def test_what_is_wrong_is_said_before_the_model_runs(
    known: dict[str, Any], error: type[Exception], word: str
) -> None:
    calls = []

    def model(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return x[:, :3]

    with pytest.raises(error, match=word):
        Explainer(model, n_steps=32, classes=STAGES)(noise(3, 32), **known)
    assert calls == []


def labelled(labels: list[str]) -> xr.DataArray:
    return xr.DataArray(
        noise(len(labels), 32), dims=("sample", "time"), coords={"label": ("sample", np.array(labels))}
    )


@pytest.mark.parametrize(
    ("labels", "truth"),
    [
        (["W", "N2", ""], ["W", "N2", ""]),
        (["0", "2", "1"], ["W", "N2", "N1"]),
        (["T0", "T1", "T0"], None),
        (["", "", ""], None),
        (["0", "2", "4"], None),
    ],
)
def test_labels_are_the_truth_where_all_are_classes(labels: list[str], truth: list[str] | None) -> None:
    result = Explainer(network(), n_steps=32, classes=STAGES)(labelled(labels))
    assert result.label.values.tolist() == labels
    assert (result.truth.values.tolist() if "truth" in result.coords else None) == truth
    assert "truth" not in Explainer(network(), n_steps=32)(labelled(labels)).coords


def test_labels_of_which_some_are_classes_are_told_of() -> None:
    """One stage in another spelling, and nothing would be said of right and wrong in a whole night."""
    with pytest.warns(SignalWarning, match=r"labels 'REM', '\?' are none of the classes, W, N1, N2,.*rename"):
        result = Explainer(network(), n_steps=32, classes=STAGES)(labelled(["W", "REM", "?", "N1"]))
    assert "truth" not in result.coords


def epochs(event_id: dict[str, int], codes: list[int]) -> Any:
    mne = pytest.importorskip("mne")
    info = mne.create_info(["Cz", "Oz"], 16.0, "eeg")
    events = np.column_stack([np.arange(len(codes)) * 40, np.zeros(len(codes), int), codes])
    values = 1e-5 * noise(2, 40 * len(codes))
    raw = mne.io.RawArray(values, info, verbose="error")
    return mne.Epochs(
        raw,
        events,
        event_id,
        0,
        31 / 16,
        baseline=None,
        preload=True,
        reject_by_annotation=False,
        verbose="error",
    )


def test_classes_come_from_event_id_in_the_order_of_codes() -> None:
    x = epochs({"right": 7, "left": 3, "rest": 11}, [11, 3, 7, 3])
    explainer = Explainer(network(64), n_steps=32, unit="uV")
    result = explainer(x)
    assert result["class"].values.tolist() == ["left", "right", "rest"]
    assert result.truth.values.tolist() == ["rest", "left", "right", "left"]
    assert set(result.predicted.values.tolist()) <= {"left", "right", "rest"}
    assert result.onset.values.tolist() == [0, 2.5, 5, 7.5]
    by_name = explainer(x, target="rest")
    np.testing.assert_array_equal(by_name.rfft, explainer(x, target=2).rfft)
    assert by_name.target.values.tolist() == ["rest"] * 4
    # Names that the caller gives come first.
    own = Explainer(network(64), n_steps=32, unit="uV", classes=STAGES)(x)
    assert own["class"].values.tolist() == list(STAGES)
    assert own.label.values.tolist() == ["rest", "left", "right", "left"]
    assert "truth" not in own.coords


def test_events_that_are_not_as_many_as_outputs_name_no_classes() -> None:
    x = epochs({"right": 7, "left": 3}, [3, 7, 7])
    explainer = Explainer(network(64), n_steps=32, unit="uV")
    result = explainer(x)
    assert result.predicted.dtype.kind == "i"
    assert result.label.values.tolist() == ["left", "right", "right"]
    assert "class" not in result.coords
    with pytest.raises(
        ValueError,
        match=r"classes must name every class, and the model has 3, got 2: left, right, as .*: pass classes=",
    ):
        explainer(x, target="right")


def test_epochs_of_one_event_keep_its_name() -> None:
    """Of one class of several selected, the label is as true as it was beside the others."""
    x = epochs({"right": 7, "left": 3}, [3, 7, 7])["right"]
    explainer = Explainer(network(64), n_steps=32, unit="uV", classes=("left", "rest", "right"))
    assert explainer(x).truth.values.tolist() == ["right"] * 2
    plain = Explainer(network(64), n_steps=32, unit="uV")(x)
    assert plain.label.values.tolist() == ["right"] * 2
    assert "class" not in plain.coords
    assert "label" not in Explainer(network(64), n_steps=32, unit="uV")(epochs({"1": 1}, [1, 1])).coords


def test_one_warning_tells_the_rise_in_either_unit() -> None:
    x = xr.DataArray(1e-5 * noise(4, 32), dims=("sample", "time"), attrs={"units": "V"})
    model, start = network(), xr.DataArray(1e-6 * noise(32), dims="time", attrs={"units": "V"})
    moved = {}
    for unit in ("V", "uV"):
        said = Explainer(model, unit=unit, n_steps=32)(x, target=[1, 0, 1, 2], baseline=start)
        moved[unit] = float(abs(said.output - said.baseline_output).max())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SignalWarning)
        Explainer(model, n_steps=32)(x, target=[1, 0, 1, 2], baseline=start)
    (text,) = [str(one.message) for one in caught if one.category is SignalWarning]
    assert f"F(x) - F(x') is {moved['V']:.2g} at most in V, and would be {moved['uV']:.2g} in µV" in text
    assert "pass unit='uV' to Explainer" in text
    assert "else unit='V'" in text
