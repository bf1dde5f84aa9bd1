"""What is held against signals goes by its names: the result is that of arrays put in order by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from freqig import Explainer, attribute, baselines
from freqig.baselines.reading import draw_baselines
from freqig.errors import SignalWarning
from freqig.signals import read_signal

from ..helpers import close, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N, FS = 24, 100.0
CHANNELS, SAMPLES = ("Fz", "Cz", "Pz"), ("w", "x", "y", "z")
GENERATOR = np.random.default_rng(3)
X, BASELINE = GENERATOR.normal(size=(4, 3, N)), GENERATOR.normal(size=(4, 3, N))
ORDERS = [("sample", "channel", "time"), ("time", "channel", "sample"), ("channel", "sample", "time")]


class Net(nn.Module):
    """No two channels, samples or times are alike to it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 5, dtype=torch.float64)
        self.dense = nn.Linear(4, 2, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(self.conv(x).tanh().mean(-1))


MODEL = seeded(Net)
EXPLAINER = Explainer(MODEL, n_steps=30)


def named(values: np.ndarray, **attrs: Any) -> xr.DataArray:
    return xr.DataArray(
        values,
        dims=("sample", "channel", "time"),
        coords={"sample": list(SAMPLES), "channel": list(CHANNELS), "time": np.arange(N) / FS},
        attrs=attrs,
    )


def shuffled(values: xr.DataArray, order: tuple[str, ...]) -> xr.DataArray:
    return values.isel(sample=[2, 0, 3, 1], channel=[1, 2, 0]).transpose(*order)


@pytest.fixture(scope="module")
def truth() -> xr.Dataset:
    return EXPLAINER(X, baseline=BASELINE, target=1)


@pytest.mark.parametrize("order", ORDERS)
def test_baseline_goes_by_its_names(truth: xr.Dataset, order: tuple[str, ...]) -> None:
    mixed = shuffled(named(BASELINE), order)
    close(EXPLAINER(named(X), baseline=mixed, target=1).rfft, truth.rfft.values, 0)
    close(EXPLAINER(named(X).transpose(*order), baseline=mixed, target=1).rfft, truth.rfft.values, 0)


@given(st.permutations(range(4)), st.permutations(range(3)), st.permutations(("sample", "channel", "time")))
def test_any_order_is_the_same_baseline(rows: list[int], channels: list[int], order: list[str]) -> None:
    x = read_signal(named(X), -1)
    mixed = named(BASELINE).isel(sample=rows, channel=channels).transpose(*order)
    drawn = draw_baselines(mixed, x.values, -1, FS, x)
    np.testing.assert_array_equal(drawn[0], BASELINE)


def test_one_baseline_for_all_goes_by_its_names() -> None:
    expected = EXPLAINER(X, baseline=BASELINE[2], target=1).rfft.values
    one = named(BASELINE).isel(sample=2, channel=[2, 0, 1]).transpose("time", "channel")
    close(EXPLAINER(named(X), baseline=one, target=1).rfft, expected, 0)
    # The names of one side alone say where time is.
    close(EXPLAINER(X, baseline=named(BASELINE)[2].transpose("time", "channel"), target=1).rfft, expected, 0)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batch", ["sample", "trial"])
def test_samples_as_baselines_go_by_their_names(order: tuple[str, ...], batch: str) -> None:
    expected = EXPLAINER(X, baseline=baselines.data(BASELINE[[2, 0, 3, 1]]), target=1).rfft.values
    samples = shuffled(named(BASELINE), order).rename(sample=batch)
    found = EXPLAINER(named(X), baseline=baselines.data(samples), target=1)
    close(found.rfft, expected, 0)


def test_what_has_no_labels_goes_by_position(truth: xr.Dataset) -> None:
    for x, baseline in (
        (named(X), BASELINE),
        (X, named(BASELINE)),
        (xr.DataArray(X), xr.DataArray(BASELINE)),
    ):
        close(EXPLAINER(x, baseline=baseline, target=1).rfft, truth.rfft.values, 0)
    bare = named(BASELINE).drop_vars(["sample", "channel", "time"])
    close(EXPLAINER(named(X), baseline=bare, target=1).rfft, truth.rfft.values, 0)


@pytest.mark.parametrize("axis", [0, -3, 3, -4])
def test_an_axis_of_time_that_there_is_not(axis: int) -> None:
    named = xr.DataArray(np.zeros((2, 4, 16)), dims=("sample", "channel", "time"))
    for x in (named, named.values):
        with pytest.raises(ValueError, match="time_axis must"):
            Explainer(lambda x: MODEL(x), time_axis=axis)(x, target=0)


def test_time_axis_of_the_model_is_no_matter_to_names(truth: xr.Dataset) -> None:
    turned = Explainer(lambda x: MODEL(x.mT), time_axis=1, n_steps=30)
    mixed = shuffled(named(BASELINE), ("channel", "sample", "time"))
    close(turned(named(X), baseline=mixed, target=1).rfft, truth.rfft.values, 1e-15)
    plain = np.swapaxes(X, 1, 2)
    close(turned(plain, baseline=named(BASELINE), target=1).rfft, truth.rfft.values, 1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.isel(channel=[0, 2]), "lacks 'Cz'"),
        (lambda b: b.assign_coords(channel=["Fz", "Cz", "Oz"]), "lacks 'Pz' and has 'Oz' besides"),
        (lambda b: b.assign_coords(channel=["Fz", "Cz", "Cz"]), "lacks 'Pz'"),
        (lambda b: b.assign_coords(sample=list("wxyk")), "along 'sample', but it lacks 'z' and has 'k'"),
        (lambda b: b.assign_coords(time=np.arange(N) / 50), "sampling rate of x, 100 Hz, got 50 Hz"),
        (lambda b: b.assign_attrs(units="T"), "unit of x, 'uV', got 'T'"),
        (lambda b: b.rename(channel="electrode"), r"dim.* x, .*\.rename\({'electrode': 'channel'}\)"),
        (lambda b: b.rename(sample="trial"), r"dim.* x, .*\.rename\({'trial': 'sample'}\)"),
        (lambda b: b[0].rename(time="t"), r"dim.* x, .*\.rename\({'t': 'time'}\)"),
        (
            lambda b: b[:, 0].rename(time="t"),
            r"dim.* x, .* in any order, got \('sample', 't'\): rename them$",
        ),
        (lambda b: b.isel(time=slice(None, None, -1)), r"times that rise.*falls: sort it by time"),
    ],
)
def test_names_that_contradict_are_errors(change: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"baseline must .*{message}"):
        EXPLAINER(named(X, units="uV"), baseline=change(named(BASELINE)))


def test_names_that_occur_twice_do_not_tell_an_order() -> None:
    twice = named(X).assign_coords(channel=["Fz", "Fz", "Pz"])
    assert EXPLAINER(twice, baseline=twice, target=0).sizes["channel"] == 3
    with pytest.raises(ValueError, match="occur twice"):
        EXPLAINER(twice, baseline=twice.isel(channel=[2, 0, 1]))


@pytest.mark.parametrize(
    ("x_unit", "unit", "times"),
    [
        ("V", "uV", 1e6),
        ("V", "µV", 1e6),
        ("uV", "V", 1e-6),
        ("mV", "microvolts", 1e3),
        ("V", "V", 1),
        ("fT", "T", 1e-15),
    ],
)
def test_units_are_converted(truth: xr.Dataset, x_unit: str, unit: str, times: float) -> None:
    other = named(BASELINE * times, units=unit)
    found = EXPLAINER(named(X, units=x_unit), baseline=other, target=1)
    close(found.rfft, truth.rfft.values, 1e-14)
    assert found.signal.attrs["units"] == x_unit
    averaged = EXPLAINER(named(X, units=x_unit), baseline=baselines.data(other[:2]), target=1)
    close(averaged.rfft, EXPLAINER(X, baseline=baselines.data(BASELINE[:2]), target=1).rfft.values, 1e-14)


def test_units_of_one_side_change_nothing(truth: xr.Dataset) -> None:
    for x, baseline in ((named(X, units="uV"), named(BASELINE)), (named(X), named(BASELINE, units="mmHg"))):
        close(EXPLAINER(x, baseline=baseline, target=1).rfft, truth.rfft.values, 0)


def test_attribute_goes_by_names_too() -> None:
    expected = attribute(X, MODEL, 1, BASELINE, 10)
    mixed = shuffled(named(BASELINE), ("time", "channel", "sample"))
    np.testing.assert_array_equal(attribute(named(X), MODEL, 1, mixed, 10), expected)
    turned = named(X).transpose("channel", "time", "sample")
    np.testing.assert_array_equal(attribute(turned, MODEL, 1, mixed, 10), expected)
    one = named(X).isel(sample=0).transpose("time", "channel")
    np.testing.assert_array_equal(attribute(one, MODEL, 1, None, 10), attribute(X[0], MODEL, 1, None, 10))


def test_segment_goes_by_names_too() -> None:
    expected = attribute(X, MODEL, 1, None, 10, 2 * X[..., 5:15], 5)
    segment = shuffled(named(2e6 * X, units="uV"), ("time", "sample", "channel")).isel(time=slice(5, 15))
    found = attribute(named(X, units="V"), MODEL, 1, None, 10, segment, 5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match="segment must have the sampling rate of x"):
        attribute(named(X), MODEL, 1, None, 10, segment.assign_coords(time=np.arange(10) / 50), 5)


def test_a_single_channel_may_go_unnamed() -> None:
    x = named(X).isel(channel=0, drop=True)
    expected = attribute(X[:, :1], lambda x: x.square().sum(-1), 0, BASELINE[:, :1])
    baseline = named(BASELINE).isel(channel=0, drop=True).transpose("time", "sample")
    np.testing.assert_array_equal(attribute(x, lambda x: x.square().sum(-1), 0, baseline), expected)


def test_inputs_of_one_model_go_by_the_samples_of_the_first() -> None:
    motion = GENERATOR.normal(size=(4, 10))
    labelled = xr.DataArray(motion, dims=("sample", "time"), coords={"sample": list(SAMPLES)})
    explainer = Explainer(lambda a, b: MODEL(a) * b.mean(-1, keepdim=True), n_steps=30, dtype=torch.float64)
    expected = explainer((X, motion), baseline=(BASELINE, None), target=1)
    mixed = shuffled(named(BASELINE), ("time", "channel", "sample"))
    found = explainer((named(X), labelled[[3, 1, 0, 2]]), baseline=(mixed, None), target=1)
    close(found.rfft_0, expected.rfft_0.values, 0)
    close(found.rfft_1, expected.rfft_1.values, 0)
    assert found.sample.values.tolist() == list(SAMPLES)
    assert found.channel_0.values.tolist() == list(CHANNELS)
    # A baseline of the second input goes by the labels that this had, in whatever order that came.
    rest = 0.5 * labelled + 1
    known = explainer((X, motion), baseline=(BASELINE, rest.values), target=1)
    beside = explainer((named(X), labelled[[3, 1, 0, 2]]), baseline=(BASELINE, rest[[2, 0, 3, 1]]), target=1)
    close(beside.rfft_1, known.rfft_1.values, 0)
    close(beside.baseline_output, known.baseline_output.values, 0)
    with pytest.raises(ValueError, match=r"x\[1\] must have the labels .*lacks 'z'"):
        explainer((named(X), labelled.assign_coords(sample=list("wxyk"))))


def test_targets_go_by_the_labels_of_samples() -> None:
    target = xr.DataArray([0, 1, 1, 0], dims="sample", coords={"sample": ["z", "x", "w", "y"]})
    found = EXPLAINER(named(X), target=target)
    np.testing.assert_array_equal(found.target, [1, 1, 0, 0])
    np.testing.assert_array_equal(EXPLAINER(X, target=target).target, [0, 1, 1, 0])


def test_what_is_known_of_samples_survives(tmp_path: Any) -> None:
    x = named(X).assign_coords(
        stage=("sample", [0, 2, 2, 4]),
        subject=("sample", np.array(["p", "p", "q", 7], dtype=object)),
        night=3,
    )
    result = EXPLAINER(x, target=0)
    assert result.sample.values.tolist() == list(SAMPLES)
    np.testing.assert_array_equal(result.groupby("stage").mean().rfft[1], result.rfft[1:3].mean("sample"))
    assert result.subject.values.tolist() == ["p", "p", "q", "7"]
    assert "night" not in result.coords
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as again:
        assert again.sel(sample="y").subject == "q"
    # One sample on its own still knows which one it was.
    one = EXPLAINER(x.isel(sample=2), target=0)
    assert [one[name].values.tolist() for name in ("sample", "stage", "night")] == [["y"], [2], [3]]
    trials = EXPLAINER(x.rename(sample="trial"), target=0)
    assert trials.trial.dims == ("sample",)


def test_levels_of_an_index_survive() -> None:
    x = named(X).drop_vars("sample")
    x = x.assign_coords(person=("sample", list("aabb")), night=("sample", [1, 2, 1, 2]))
    result = EXPLAINER(x.set_index(sample=["person", "night"]), target=0)
    assert result.night.dims == result.person.dims == ("sample",)
    assert result.night.values.tolist() == [1, 2, 1, 2]


def test_names_that_the_result_needs_are_left_out_aloud() -> None:
    x = named(X).assign_coords(status=("sample", [1, 1, 0, 0]))
    with pytest.warns(SignalWarning, match="coordinates 'status' along its samples.*rename"):
        result = EXPLAINER(x, target=0)
    assert "status" not in result.coords
