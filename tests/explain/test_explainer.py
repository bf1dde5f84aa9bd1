"""The labelled result: dimensions, coordinates, diagnostics, what is refused, and how it is stored."""

from __future__ import annotations

import copy
import functools
import inspect
import json
import pickle
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

import freqig
from freqig import RFFT, Domain, Explainer, Time
from freqig.errors import CompletenessWarning, FreqigWarning, warn

from ..helpers import FEW_NODES, LENGTHS, SmallCNN, Smooth, SmoothTruth, close, noise, scores_of, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 18

# Fixed nodes, so that every number can be computed a second time.
fixed = functools.partial(Explainer, n_steps=50)

DIAGNOSTICS = {
    "signal",
    "output",
    "baseline_output",
    "target",
    "predicted",
    "completeness_gap",
    "converged",
    "n_evaluations",
}


def truth_of(x: np.ndarray, baseline: np.ndarray, targets: Any, n_steps: int = 50) -> np.ndarray:
    """Scores of `Smooth` for a batch (N, k, n), without PyTorch and without an FFT."""
    truth = SmoothTruth(x.shape[-1], x.shape[1])
    return np.stack(
        [
            scores_of(one - start, truth.mean_gradient(one, start, int(target), n_steps))
            for one, start, target in zip(x, baseline, targets, strict=True)
        ]
    )


def test_parameters_are_those_of_the_specification() -> None:
    parameters = inspect.signature(Explainer).parameters
    specified = {
        "fs": None,
        "domains": None,
        "output": "logit",
        "output_key": None,
        "engine": "path",
        "tol": 0.01,
        "time_axis": -1,
        "dtype": None,
        "device": None,
        "trust": False,
        "progress": None,
        "memory": None,
    }
    assert next(iter(parameters)) == "model"
    assert specified.items() <= {name: p.default for name, p in parameters.items()}.items()
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in list(parameters.values())[1:])
    call = inspect.signature(Explainer.__call__).parameters
    assert {name: call[name].default for name in ("target", "baseline", "additional_forward_args")} == {
        "target": None,
        "baseline": None,
        "additional_forward_args": None,
    }


@pytest.mark.parametrize("n", LENGTHS)
def test_plain_series_have_no_channel(n: int) -> None:
    x = noise(4, n)
    result = fixed(Smooth(n), fs=50.0)(x)
    assert result.rfft.dims == ("sample", "frequency")
    assert dict(result.sizes) == {"sample": 4, "frequency": n // 2 + 1, "time": n}
    np.testing.assert_array_equal(result.signal, x)
    close(result.rfft, truth_of(x[:, None], 0 * x[:, None], result.target)[:, 0], 1e-12)


def test_series_of_channels() -> None:
    x = noise(4, 3, N)
    result = fixed(Smooth(N, 3), fs=50.0)(x)
    assert isinstance(result, xr.Dataset)
    assert DIAGNOSTICS | {"rfft"} <= set(result.variables)
    assert {"target", "predicted"} <= set(result.coords)
    assert result.rfft.dims == ("sample", "channel", "frequency")
    assert result.signal.dims == ("sample", "channel", "time")
    assert result.rfft.dtype == np.float64
    for name in DIAGNOSTICS - {"signal"}:
        assert result[name].dims == ("sample",), name
    close(result.rfft, truth_of(x, 0 * x, result.target), 1e-12)


def test_one_channel_stays_an_axis() -> None:
    result = fixed(seeded(SmallCNN))(noise(2, 1, N))
    assert result.rfft.dims == ("sample", "channel", "frequency")
    assert result.sizes["channel"] == 1


@pytest.mark.parametrize(
    ("axes", "dims", "sizes"),
    [
        ((1, 4), ("channel",), (4,)),
        ((4, 1), ("channel",), (4,)),
        ((1, 1), ("channel",), (1,)),
        ((2, 4), ("axis_1", "channel"), (2, 4)),
        ((2, 1, 4), ("axis_1", "channel"), (2, 4)),
        ((2, 3, 4), ("axis_1", "axis_2", "channel"), (2, 3, 4)),
        ((1, 2, 1, 3, 4), ("axis_1", "axis_2", "channel"), (2, 3, 4)),
    ],
)
def test_axes_of_size_one_are_dropped(
    axes: tuple[int, ...], dims: tuple[str, ...], sizes: tuple[int, ...]
) -> None:
    x = noise(2, *axes, 6)
    seen = set()

    def model(points: Tensor) -> Tensor:
        seen.add(tuple(points.shape[1:]))
        return points.flatten(1).square().sum(1)

    result = fixed(model, fs=1.0, domains=[RFFT(), Time()], dtype=torch.float64)(x)
    assert seen == {(*axes, 6)}
    assert result.rfft.dims == ("sample", *dims, "frequency")
    assert result.rfft.shape == (2, *sizes, 4)
    assert result.signal.dims == result.waveform.dims == ("sample", *dims, "time")
    # Of a quadratic form each axis keeps its own share: x² by time.
    close(result.waveform, x.reshape(2, *sizes, 6) ** 2, 1e-14)
    close(result.rfft.sum("frequency"), (x**2).reshape(2, *sizes, 6).sum(-1), 1e-14)


@pytest.mark.parametrize("n", LENGTHS)
def test_frequencies_in_hz(n: int) -> None:
    result = fixed(Smooth(n), fs=40)(noise(1, n))
    np.testing.assert_allclose(result.frequency, [40 * k / n for k in range(n // 2 + 1)])
    np.testing.assert_allclose(result.time, [i / 40 for i in range(n)])
    assert result.frequency.attrs["units"] == "Hz"
    assert result.time.attrs["units"] == "s"


def test_frequencies_without_fs_are_in_cycles_per_sample() -> None:
    result = fixed(Smooth(N))(noise(1, N))
    np.testing.assert_allclose(result.frequency, [k / N for k in range(N // 2 + 1)])
    assert result.frequency.attrs["units"] == "cycles/sample"
    np.testing.assert_array_equal(result.time, range(N))
    assert result.time.attrs["units"] == "samples"


@pytest.mark.parametrize("time_axis", [1, -2])
def test_time_axis_is_that_of_the_model_too(time_axis: int) -> None:
    x, baseline = noise(4, N, 3), noise(4, N, 3, seed=1)
    smooth = Smooth(N, 3)
    seen = set()

    def model(points: Tensor) -> Tensor:
        seen.add(tuple(points.shape[1:]))
        return smooth(points.mT)

    explainer = fixed(model, time_axis=time_axis)
    result = explainer(x, baseline=baseline)
    assert seen == {(N, 3)}
    assert result.rfft.dims == ("sample", "channel", "frequency")
    close(result.rfft, truth_of(x.swapaxes(1, 2), baseline.swapaxes(1, 2), result.target), 1e-12)
    np.testing.assert_array_equal(result.signal, x.swapaxes(1, 2))
    one_series = explainer(x, baseline=baseline[0], target=0)
    every = np.broadcast_to(baseline[0].T, (4, 3, N))
    close(one_series.rfft, truth_of(x.swapaxes(1, 2), every, [0] * 4), 1e-12)


def test_time_axis_between_others() -> None:
    x = noise(2, 1, N, 3)
    smooth = Smooth(N, 3)
    result = fixed(lambda points: smooth(points.mT), time_axis=2)(x, target=1)
    assert result.rfft.dims == ("sample", "channel", "frequency")
    close(result.rfft, truth_of(x[:, 0].swapaxes(1, 2), np.zeros((2, 3, N)), [1, 1]), 1e-12)


@pytest.mark.parametrize("time_axis", [2, -3, 5])
def test_time_axis_outside_the_input_is_an_error(time_axis: int) -> None:
    with pytest.raises(ValueError, match="time_axis"):
        fixed(Smooth(N), time_axis=time_axis)(noise(2, N))


def test_batch_axis_cannot_be_that_of_time() -> None:
    with pytest.raises(ValueError, match="batch axis"):
        fixed(Smooth(N), time_axis=0)(noise(2, N))


def labelled(values: np.ndarray, *, step: float = 0.02, **attrs: Any) -> xr.DataArray:
    return xr.DataArray(
        values,
        dims=("sample", "channel", "time"),
        coords={"channel": ["Fz", "Cz", "Pz"], "time": ("time", 5.0 + step * np.arange(N), {"units": "s"})},
        attrs=attrs,
    )


def test_labels_of_a_data_array_are_kept() -> None:
    x = noise(2, 3, N)
    result = fixed(Smooth(N, 3))(labelled(x))
    assert result.channel.values.tolist() == ["Fz", "Cz", "Pz"]
    assert result.frequency.attrs["units"] == "Hz"
    np.testing.assert_allclose(result.frequency, np.arange(N // 2 + 1) * 50 / N)
    np.testing.assert_array_equal(result.rfft, fixed(Smooth(N, 3))(x).rfft)


def test_sampling_rate_of_a_data_array() -> None:
    x = noise(1, 3, N)

    def highest(signal: Any, fs: float | None = None) -> float:
        return float(fixed(Smooth(N, 3), fs=fs)(signal).frequency[-1])

    stamps = np.datetime64("2020-01-01", "ns") + np.arange(N) * np.timedelta64(4, "ms")
    assert highest(labelled(x).assign_coords(time=stamps)) == pytest.approx(125)
    assert highest(labelled(x, fs=200.0).drop_vars("time")) == pytest.approx(100)
    assert highest(labelled(x), fs=50) == pytest.approx(25)
    with pytest.raises(ValueError, match="says that it is 50 Hz, got fs=10"):
        highest(labelled(x), fs=10)
    with pytest.raises(ValueError, match="200 Hz from its attribute 'fs' and 50 Hz from its time"):
        highest(labelled(x, fs=200.0))
    assert highest(labelled(x).drop_vars("time")) == pytest.approx(0.5)
    uneven = labelled(x).assign_coords(time=np.arange(N) ** 2.0)
    with pytest.raises(ValueError, match="evenly"):
        highest(uneven)


def test_time_of_a_data_array_is_found_by_name() -> None:
    x = labelled(noise(2, 3, N))
    result = fixed(Smooth(N, 3))(x)
    turned = fixed(Smooth(N, 3))(x.transpose("sample", "time", "channel"))
    xr.testing.assert_allclose(result.rfft, turned.rfft)


def test_result_can_be_explained_again() -> None:
    first = fixed(Smooth(N, 3), fs=50.0)(noise(2, 3, N))
    again = fixed(Smooth(N, 3))(first.signal)
    xr.testing.assert_allclose(first.rfft, again.rfft, rtol=1e-12)


def test_kinds_tell_attributions_from_the_rest() -> None:
    result = fixed(Smooth(N, 2), domains=[RFFT(), Time(), RFFT("other")])(noise(2, 2, N))
    kinds = {name: variable.attrs.get("kind") for name, variable in result.data_vars.items()}
    assert {name for name, kind in kinds.items() if kind == "attribution"} == {"rfft", "waveform", "other"}
    assert kinds["signal"] == "signal"
    assert result.rfft.attrs["units"] == result.output.attrs["units"] == "logit"


def test_diagnostics() -> None:
    x, baseline = noise(5, 2, N), noise(5, 2, N, seed=1)
    truth = SmoothTruth(N, 2)
    result = fixed(Smooth(N, 2), n_steps=7)(x, baseline=baseline, target=[0, 2, 1, 1, 0])
    at_x, at_baseline = (np.stack([truth(one) for one in batch]) for batch in (x, baseline))
    rows = np.arange(5)
    np.testing.assert_array_equal(result.target, [0, 2, 1, 1, 0])
    np.testing.assert_array_equal(result.predicted, at_x.argmax(1))
    np.testing.assert_allclose(result.output, at_x[rows, result.target], rtol=1e-13)
    np.testing.assert_allclose(result.baseline_output, at_baseline[rows, result.target], rtol=1e-13)
    np.testing.assert_array_equal(result.n_evaluations, [7] * 5)
    gap = result.rfft.sum(("channel", "frequency")) - (result.output - result.baseline_output)
    np.testing.assert_allclose(result.completeness_gap, gap, atol=1e-13)
    assert result.converged.dtype == bool
    assert bool(result.converged.all())
    for name, kind in {"target": "i", "predicted": "i", "n_evaluations": "i", "output": "f"}.items():
        assert result[name].dtype.kind == kind, name


def test_every_evaluation_of_a_gradient_is_counted() -> None:
    taken = []

    def model(points: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            points.register_hook(lambda gradient: taken.append(len(gradient)))
        return points.square().sum(-1)

    result = fixed(model, n_steps=9)(noise(6, N))
    assert sum(taken) == int(result.n_evaluations.sum()) == 54


def test_target_of_each_kind() -> None:
    x = noise(3, N)
    explainer = fixed(Smooth(N))
    predicted = explainer(x)
    np.testing.assert_array_equal(predicted.target, predicted.predicted)
    for target in ([2, 0, 1], np.array([2, 0, 1]), torch.tensor([2, 0, 1])):
        result = explainer(x, target=target)
        np.testing.assert_array_equal(result.target, [2, 0, 1])
        close(result.rfft, truth_of(x[:, None], 0 * x[:, None], [2, 0, 1])[:, 0], 1e-12)
    xr.testing.assert_equal(explainer(x, target=1), explainer(x, target=(1,)))
    with pytest.raises(ValueError, match=r"0\.\.2.*got 3"):
        explainer(x, target=3)
    with pytest.raises(ValueError, match="got -1"):
        explainer(x, target=-1)
    with pytest.raises(ValueError, match="one index per sample"):
        explainer(x, target=[0, 1])


def test_all_targets_share_one_path() -> None:
    x = noise(3, 2, N)
    explainer = fixed(Smooth(N, 2))
    every = explainer(x, target="all")
    assert every.rfft.dims == ("sample", "target", "channel", "frequency")
    np.testing.assert_array_equal(every.target, [0, 1, 2])
    for target in range(3):
        one = explainer(x, target=target)
        close(every.rfft.sel(target=target), one.rfft, 1e-14)
        for name in ("output", "baseline_output"):
            np.testing.assert_allclose(every[name].sel(target=target), one[name], rtol=1e-14)


@pytest.mark.parametrize("shape", [(4, 2, N), (2, N)])
def test_baseline_of_the_input_or_of_one_series(shape: tuple[int, ...]) -> None:
    x, baseline = noise(4, 2, N), noise(*shape, seed=1)
    result = fixed(Smooth(N, 2))(x, baseline=baseline, target=0)
    close(result.rfft, truth_of(x, np.broadcast_to(baseline, x.shape), [0] * 4), 1e-12)


@pytest.mark.parametrize("shape", [(N,), (4, N), (1, 2, N), (4, 2, N - 1), (3, 2, N), ()])
def test_baseline_of_another_shape_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"baseline.*\(4, 2, 18\)"):
        fixed(Smooth(N, 2))(noise(4, 2, N), baseline=noise(*shape))


def test_input_at_its_baseline_gets_zeros() -> None:
    x = noise(3, 2, N)
    for values, baseline in ((x, x), (0 * x, None), (np.ones_like(x), np.ones((2, N)))):
        result = fixed(Smooth(N, 2, dtype=torch.float32))(values, baseline=baseline)
        np.testing.assert_array_equal(result.rfft, np.zeros_like(result.rfft))
        np.testing.assert_array_equal(result.completeness_gap, 0)
        assert bool(result.converged.all())


def test_parts_of_the_input_at_their_baseline_get_zeros() -> None:
    x = noise(3, 2, N)
    x[1] = 0
    x[2, 0] = 0
    result = fixed(Smooth(N, 2))(x)
    zero = (result.rfft == 0).all("frequency")
    np.testing.assert_array_equal(zero, [[False, False], [True, True], [True, False]])


def test_a_constant_has_only_a_mean() -> None:
    result = fixed(Smooth(N))(np.full((1, N), 2.0), target=0)
    close(result.rfft[:, 1:], np.zeros((1, N // 2)), 1.0)
    assert abs(float(result.rfft[0, 0] - (result.output - result.baseline_output)[0])) < 1e-13
    assert float(abs(result.rfft[0, 1:]).max()) < 1e-15


# --- completeness --------------------------------------------------------------------------------

# One node, at 1/2, takes 3/4 x³ for a cube, whose share is x³: the gap is -x³/4.
GAP = -0.25


def cube(points: Tensor) -> Tensor:
    return points[:, 0] ** 3


def warnings_of(call: Callable[[], Any]) -> tuple[Any, list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = call()
    return value, [w for w in caught if issubclass(w.category, FreqigWarning)]


@pytest.mark.parametrize(("tol", "complete"), [(0.2501, True), (0.2499, False)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_limit_relative_to_the_difference(tol: float, complete: bool, scale: float) -> None:
    explainer = fixed(lambda p: scale * cube(p), n_steps=1, tol=tol, dtype=torch.float64)
    result, caught = warnings_of(lambda: explainer(np.ones((1, 1))))
    assert float(result.completeness_gap[0]) == pytest.approx(GAP * scale)
    assert bool(result.converged[0]) is complete
    assert len(caught) == 1 - complete


@pytest.mark.parametrize(("tol", "complete"), [(0.0126, True), (0.0124, False)])
def test_limit_where_the_difference_vanishes(tol: float, complete: bool) -> None:
    """F(x) = F(x'), attributions of 1000, -1000 and -1/4: the limit is tol times 0.01 · 2000.25."""

    def model(points: Tensor) -> Tensor:
        return cube(points) - points[:, 0] + 1000 * (points[:, 1] - points[:, 2])

    explainer = fixed(model, n_steps=1, tol=tol, domains=Time(), dtype=torch.float64)
    result, caught = warnings_of(lambda: explainer(np.ones((1, 3))))
    assert float(result.output[0]) == float(result.baseline_output[0]) == 0
    close(result.waveform, np.array([[-0.25, 1000.0, -1000.0]]), 1e-14)
    assert bool(result.converged[0]) is complete
    assert len(caught) == 1 - complete


@pytest.mark.parametrize(("dtype", "complete"), [(torch.float32, True), (torch.float64, False)])
def test_limit_allows_for_rounding_of_the_output(dtype: torch.dtype, complete: bool) -> None:
    """A gap of 1/4 on an output of 2**20, where 8 eps are 1 in float32 and 2e-9 in float64."""
    explainer = fixed(lambda p: cube(p) + 2**20, n_steps=1, tol=1e-9, dtype=dtype)
    result, caught = warnings_of(lambda: explainer(np.ones((1, 1))))
    assert float(result.completeness_gap[0]) == pytest.approx(GAP)
    assert bool(result.converged[0]) is complete
    assert len(caught) == 1 - complete


def test_one_warning_names_the_samples() -> None:
    x = np.array([[1.0], [0.0], [2.0], [0.0], [3.0]])
    _, caught = warnings_of(lambda: fixed(cube, n_steps=1)(x))
    (warning,) = (w for w in caught if w.category is CompletenessWarning)
    message = str(warning.message)
    assert "3 of 5 samples (0, 2, 4)" in message
    assert "n_steps" in message


def test_a_long_list_of_samples_is_cut() -> None:
    _, caught = warnings_of(lambda: fixed(cube, n_steps=1)(np.ones((300, 1))))
    (warning,) = caught
    assert "300 of 300 samples (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …)" in str(warning.message)


@pytest.mark.parametrize("engine", ["path", "captum"])
def test_infinite_outputs_do_not_pass_for_complete(engine: str) -> None:
    """The logarithm of a power is -inf at a baseline of zero."""
    explainer = fixed(lambda p: p.square().mean(-1).log(), engine=engine)
    with pytest.raises(ValueError, match=r"not finite at 0 of the path .* another baseline"):
        explainer(noise(2, N))


def test_gradients_that_do_not_exist_do_not_pass_for_complete() -> None:
    """The square root has an infinite slope at zero, and 0 · ∞ is NaN."""

    def model(points: Tensor) -> Tensor:
        return (points[:, 0] * 0).sqrt() + points.sum(-1)

    with pytest.raises(ValueError, match=r"not finite at .* of the path .* of sample 0"):
        fixed(model)(noise(2, N))
    result, caught = warnings_of(lambda: Explainer(model)(noise(2, N)))
    assert not bool(result.converged.any())
    assert len(caught) == 1


def test_warnings_point_to_the_line_of_the_caller() -> None:
    """The annotation checks of these tests stand between the frames, so the function is unwrapped."""
    source = "def inner():\n    warn('off', Category)\ndef outer():\n    inner()\n"
    namespace = {"warn": inspect.unwrap(warn), "Category": CompletenessWarning}
    exec(compile(source, str(Path(freqig.__file__).with_name("some.py")), "exec"), namespace)
    with pytest.warns(CompletenessWarning) as caught:
        namespace["outer"]()
    assert caught[0].filename == __file__
    # A neighbour of the package whose name begins with the same letters is the caller's own code.
    beside = Path(freqig.__file__).parent.with_name("freqig_study.py")
    exec(compile(source, str(beside), "exec"), namespace)
    with pytest.warns(CompletenessWarning) as caught:
        namespace["outer"]()
    assert caught[0].filename == str(beside)


@FEW_NODES
@pytest.mark.parametrize("n_steps", [1, 2, 3, 50])
def test_n_steps_are_the_nodes(n_steps: int) -> None:
    x, baseline = 3 * noise(2, 2, N), noise(2, 2, N, seed=1)
    result = fixed(Smooth(N, 2), n_steps=n_steps)(x, baseline=baseline, target=2)
    close(result.rfft, truth_of(x, baseline, [2, 2], n_steps), 1e-12)
    np.testing.assert_array_equal(result.n_evaluations, n_steps)


# --- storing -------------------------------------------------------------------------------------


def steps_of_classes(points: Tensor) -> Tensor:
    """Outputs by step and class, shape (N, 2, 3)."""
    return torch.stack([points[..., :3], points[..., 3:6] ** 2], -2).flatten(1, -3).sum(1, keepdim=True)


STORED: dict[str, Callable[[], xr.Dataset]] = {
    "plain": lambda: fixed(Smooth(N), fs=100.0)(noise(3, N)),
    "channels": lambda: fixed(Smooth(N, 3), domains=[RFFT(), Time()])(labelled(noise(3, 3, N))),
    "float32": lambda: fixed(Smooth(N, dtype=torch.float32))(noise(3, N).astype(np.float32)),
    "bfloat16": lambda: fixed(nn.Linear(N, 2).bfloat16(), tol=1.0)(torch.ones(2, N).bfloat16()),
    "all": lambda: fixed(Smooth(N))(noise(3, N), target="all"),
    "callable": lambda: fixed(Smooth(N), output=lambda raw, target: raw.logsumexp(-1))(noise(3, N)),
    "one sample": lambda: fixed(Smooth(1))(noise(1, 1)),
    "no samples": lambda: fixed(Smooth(N))(noise(0, N)),
    "images": lambda: fixed(Smooth(N, 6))(noise(2, 2, 1, 3, N)),
    "captum": lambda: fixed(Smooth(N), engine="captum")(noise(2, N)),
    "steps": lambda: fixed(lambda p: p.reshape(len(p), 2, 3) ** 2)(noise(4, 6), target=(1, 2)),
}


@pytest.mark.parametrize("make", STORED.values(), ids=STORED.keys())
def test_round_trip_through_netcdf(make: Callable[[], xr.Dataset], tmp_path: Path) -> None:
    result = make()
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as stored:
        xr.testing.assert_identical(stored.load(), result)
        for name in result.variables:
            assert stored[name].dtype.kind == result[name].dtype.kind, name


@pytest.mark.parametrize("make", STORED.values(), ids=STORED.keys())
def test_attributes_hold_strings_numbers_and_arrays_only(make: Callable[[], xr.Dataset]) -> None:
    result = make()
    for attrs in (result.attrs, *(variable.attrs for variable in result.variables.values())):
        for name, value in attrs.items():
            assert isinstance(name, str)
            assert isinstance(value, (str, int, float, np.ndarray, np.number)), (name, value)


def test_settings_are_recorded() -> None:
    explainer = fixed(Smooth(N, 2), fs=64, output="log_prob", n_steps=20, tol=0.05)
    result = explainer(noise(2, 2, N), baseline=noise(2, N), target=1)
    settings = json.loads(result.attrs["settings"])
    expected = {
        "fs": 64.0,
        "output": "log_prob",
        "n_steps": 20,
        "tol": 0.05,
        "engine": "path",
        "output_key": None,
        "time_axis": -1,
        "dtype": "float64",
    }
    assert expected.items() <= settings.items()
    plain = json.loads(fixed(Smooth(N, 2))(noise(2, 2, N)).attrs["settings"])
    assert plain["baseline"] != settings["baseline"]
    assert plain["target"] != settings["target"]
    assert plain["fs"] is None
    versions = json.loads(result.attrs["versions"])
    assert versions["freqig"] == freqig.__version__
    assert versions["torch"] == torch.__version__


ASKED: dict[str, Any] = {
    "fs": 50.0,
    "domains": (Time(),),
    "output": "margin",
    "output_key": ("heads", 0),
    "class_axis": 1,
    "probabilities": False,
    "engine": "path",
    "n_steps": 5,
    "tol": 0.5,
    "max_evaluations": 99,
    "n_initial": 9,
    "time_axis": 1,
    "layout": None,
    "trust": True,
    "progress": False,
    "batch_independent": False,
    "memory": 10**9,
    "unit": "uV",
    "classes": ("W", "N1", "N2"),
}


def test_settings_read_back() -> None:
    explainer = Explainer(Smooth(N), **ASKED)
    assert {name: getattr(explainer, name) for name in ASKED} == ASKED
    assert set(ASKED) | {"model", "dtype", "device"} == set(inspect.signature(Explainer).parameters)
    assert explainer.dtype == torch.float64
    assert explainer.device == torch.device("cpu")
    default = Explainer(Smooth(N))
    parameters = inspect.signature(Explainer).parameters
    for name in set(ASKED) - {"domains"}:
        assert getattr(default, name) == parameters[name].default, name
    assert [type(domain) for domain in default.domains] == [RFFT]


def test_settings_are_read_as_they_are_understood() -> None:
    explainer = Explainer(
        Smooth(N),
        class_axis=np.int64(1),
        tol=np.float32(0.5),
        memory="1 GB",
        domains=Time(),
        output_key=[np.int64(1)],
    )
    assert (explainer.class_axis, explainer.tol, explainer.memory) == (1, 0.5, 10**9)
    assert Explainer(Smooth(N), layout="n1ct").layout == "N,1,C,T"
    assert explainer.output_key == 1
    assert [type(domain) for domain in explainer.domains] == [Time]
    assert Explainer(Smooth(N), engine="captum").n_steps is not None


@pytest.mark.parametrize("name", [*ASKED, "dtype", "device"])
def test_settings_do_not_change(name: str) -> None:
    explainer = Explainer(Smooth(N))
    before = getattr(explainer, name)
    with pytest.raises(AttributeError, match=name):
        setattr(explainer, name, 1)
    with pytest.raises(AttributeError):
        delattr(explainer, name)
    assert getattr(explainer, name) == before


def test_a_setting_is_none_of_the_class() -> None:
    with pytest.raises(AttributeError, match="tol is a setting of an Explainer that was made"):
        _ = Explainer.tol


def test_an_explainer_shows_what_was_asked_for() -> None:
    assert (
        repr(Explainer(Smooth(N))) == f"Explainer({Smooth.__module__}.Smooth, domains=(RFFT(name='rfft'),))"
    )
    told = repr(Explainer(Smooth(N), **ASKED))
    for name in ("fs=50.0", "output='margin'", "n_steps=5", "tol=0.5", "memory=1000000000", "time_axis=1"):
        assert name in told
    assert "engine" not in told


@pytest.mark.parametrize(
    "other",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deep", "pickle"],
)
@pytest.mark.parametrize("used", [False, True])
def test_copies_are_the_same_explainer(other: Callable[[Explainer], Explainer], used: bool) -> None:
    x, explainer = noise(2, N), fixed(seeded(SmallCNN).double(), fs=50.0, domains=[RFFT(), Time()])
    if used:
        explainer(x[:, None], target=0)
    twin = other(explainer)
    assert repr(twin) == repr(explainer)
    assert all(repr(getattr(twin, name)) == repr(getattr(explainer, name)) for name in ASKED)
    xr.testing.assert_identical(twin(x[:, None], target=0), explainer(x[:, None], target=0))


def test_the_model_is_recorded() -> None:
    def attrs(seed: int) -> dict[str, Any]:
        return fixed(Smooth(N, seed=seed))(noise(1, N)).attrs

    assert attrs(0)["model_class"].endswith("Smooth")
    assert attrs(0)["model_fingerprint"] == attrs(0)["model_fingerprint"] != attrs(1)["model_fingerprint"]


# --- inputs --------------------------------------------------------------------------------------

INTEGERS = np.arange(2 * N).reshape(2, N) % 7 - 3

INPUTS: dict[str, Any] = {
    "float16": INTEGERS.astype(np.float16),
    "float32": INTEGERS.astype(np.float32),
    "int64": INTEGERS,
    "int8": INTEGERS.astype(np.int8),
    "list": INTEGERS.tolist(),
    "tensor": torch.tensor(INTEGERS),
    "half tensor": torch.tensor(INTEGERS).half(),
    "tensor that requires a gradient": torch.tensor(INTEGERS, dtype=torch.float64, requires_grad=True),
    "list of tensors": list(torch.tensor(INTEGERS).double()),
    "list of arrays": list(INTEGERS),
    "columns first": np.asfortranarray(INTEGERS),
    "every second": np.repeat(INTEGERS, 2, axis=1)[:, ::2],
    "negative strides": INTEGERS[:, ::-1].copy()[:, ::-1],
    "read only": np.broadcast_to(INTEGERS, (2, N)),
    "other byte order": INTEGERS.astype(">f4"),
}


@pytest.mark.parametrize("x", INPUTS.values(), ids=INPUTS.keys())
def test_inputs_of_every_kind(x: Any) -> None:
    close(fixed(Smooth(N))(x, target=1).rfft, fixed(Smooth(N))(INTEGERS * 1.0, target=1).rfft, 1e-14)


def test_input_and_baseline_are_not_changed() -> None:
    def model(points: Tensor) -> Tensor:
        return points.mul_(2.0).add_(1.0).square_().sum(-1)

    for values in (noise(3, N), torch.tensor(noise(3, N))):
        before = np.asarray(values).copy()
        baseline = np.ones((3, N))
        fixed(model, dtype=torch.float64)(values, baseline=baseline)
        np.testing.assert_array_equal(np.asarray(values), before)
        np.testing.assert_array_equal(baseline, 1.0)


@pytest.mark.parametrize("mode", [nullcontext, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("engine", ["path", "captum"])
def test_works_in_every_mode_of_autograd(
    mode: Callable[[], AbstractContextManager[Any]], engine: str
) -> None:
    model = Smooth(N)
    explainer = fixed(lambda p, scale, by_row: model(p * scale) * by_row, engine=engine)
    expected = explainer(noise(2, N), additional_forward_args=(torch.ones(N), torch.ones(2, 1)))
    with mode():
        x, baseline = torch.tensor(noise(2, N)), torch.zeros(2, N, dtype=torch.float64)
        extra = (torch.ones(N, dtype=torch.float64), torch.ones(2, 1, dtype=torch.float64))
        result = explainer(x, baseline=baseline, additional_forward_args=extra)
        assert torch.is_grad_enabled() is (mode is nullcontext)
    close(result.rfft, expected.rfft, 1e-14)


def test_further_arguments() -> None:
    x = noise(3, N)
    model = Smooth(N)

    def scaled(points: Tensor, by_row: Tensor, options: dict[str, float], factor: float) -> Tensor:
        assert len(by_row) == len(points)
        return model(points) * by_row * options["scale"] * factor

    by_row = torch.tensor([[1.0], [2.0], [3.0]])
    result = fixed(scaled)(x, target=0, additional_forward_args=(by_row, {"scale": 0.5}, 4.0))
    expected = truth_of(x[:, None], 0 * x[:, None], [0, 0, 0])[:, 0]
    close(result.rfft, expected * by_row.numpy() * 2, 1e-12)
    one = fixed(lambda p, factor: model(p) * factor)(x, target=0, additional_forward_args=2.0)
    close(one.rfft, 2 * expected, 1e-12)


def test_no_samples() -> None:
    result = fixed(Smooth(N, 3), fs=10, domains=[RFFT(), Time()])(noise(0, 3, N))
    assert result.rfft.shape == (0, 3, N // 2 + 1)
    assert result.waveform.shape == result.signal.shape == (0, 3, N)
    assert result.output.shape == result.completeness_gap.shape == (0,)


def test_progress_counts_samples(capfd: pytest.CaptureFixture[str]) -> None:
    fixed(Smooth(N))(noise(3, N))
    assert capfd.readouterr() == ("", "")
    fixed(Smooth(N), progress=True)(noise(3, N))
    out, err = capfd.readouterr()
    assert out == ""
    assert "3/3" in err


# --- domains -------------------------------------------------------------------------------------


def test_domains_share_one_path() -> None:
    calls = []

    def model(points: Tensor) -> Tensor:
        calls.append(len(points))
        return points.square().sum(-1)

    explainer = fixed(model)
    explainer(noise(4, N))
    alone = sum(calls)
    calls.clear()
    several = fixed(model, domains=[RFFT(), Time(), RFFT("again")])(noise(4, N))
    assert sum(calls) == alone
    total = several.output - several.baseline_output
    for name, dim in (("rfft", "frequency"), ("waveform", "time"), ("again", "frequency")):
        np.testing.assert_allclose(several[name].sum(dim), total, rtol=1e-5)


def test_one_domain_needs_no_list() -> None:
    result = fixed(Smooth(N), domains=Time())(noise(1, N))
    assert "waveform" in result
    assert "rfft" not in result


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fs", [0, -1.0, np.nan, np.inf, -np.inf])
def test_fs_must_be_a_rate(fs: float) -> None:
    with pytest.raises(ValueError, match=r"fs must be.*Hz, got"):
        fixed(Smooth(N), fs=fs)


@pytest.mark.parametrize("n_steps", [0, -3])
def test_n_steps_must_be_at_least_one(n_steps: int) -> None:
    with pytest.raises(ValueError, match=f"n_steps must be at least 1, got {n_steps}"):
        fixed(Smooth(N), n_steps=n_steps)


@pytest.mark.parametrize(
    "settings",
    [
        {"fs": "fast"},
        {"n_steps": 2.5},
        {"n_steps": True},
        {"tol": "tight"},
        {"domains": RFFT},
        {"domains": ["rfft"]},
        {"dtype": torch.int64},
        {"dtype": "float32"},
    ],
    ids=str,
)
def test_settings_of_another_type(settings: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        fixed(Smooth(N), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tol": -0.1}, "tol"),
        ({"tol": np.nan}, "tol"),
        ({"n_steps": None, "tol": 1}, r"tol must be above 0 and below 1, got 1\.0: 1 % is 0\.01"),
        ({"n_steps": None, "tol": 5}, r"got 5\.0: 5 % is 0\.05"),
        ({"n_steps": 10**9}, "n_steps must be at most 100000, got 1000000000"),
        ({"engine": "fast"}, "'path', 'captum'"),
        ({"domains": []}, "domains"),
        ({"domains": [RFFT(), RFFT()]}, "different names.*name="),
        ({"domains": Time(), "engine": "captum"}, "engine='path'"),
    ],
    ids=str,
)
def test_settings_of_another_value(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fixed(Smooth(N), **settings)


@pytest.mark.parametrize("model", [None, 3, "model.pt.that.is.not.there", np.zeros(3)], ids=repr)
def test_models_must_be_callable(model: Any) -> None:
    with pytest.raises((TypeError, ValueError, FileNotFoundError)):
        fixed(model)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_placed(value: float) -> None:
    x = noise(4, 3, N)
    x[2, 1, 5] = value
    with pytest.raises(ValueError, match=r"x must be finite.*sample 2.*channel 1"):
        fixed(Smooth(N, 3))(x)
    with pytest.raises(ValueError, match=r"baseline must be finite"):
        fixed(Smooth(N, 3))(noise(4, 3, N), baseline=x)


def test_one_series_needs_a_batch_axis() -> None:
    with pytest.raises(ValueError, match=r"batch axis.*x\[None\]"):
        fixed(Smooth(N))(noise(N))


@pytest.mark.parametrize("shape", [(2, 0), (2, 0, N), (2, 3, 0)])
def test_series_need_channels_and_samples(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one channel and one sample in time"):
        fixed(Smooth(N))(np.zeros(shape))


def test_signals_must_be_real_numbers() -> None:
    with pytest.raises(TypeError, match="real"):
        fixed(Smooth(N))(noise(2, N) + 1j)
    with pytest.raises(TypeError, match="numeric"):
        fixed(Smooth(N))([["a"] * N])
    with pytest.raises(ValueError, match="different lengths"):
        fixed(Smooth(N))([[1.0, 2.0], [1.0]])


def test_values_beyond_the_dtype_of_the_model() -> None:
    with pytest.raises(ValueError, match="float32"):
        fixed(Smooth(N, dtype=torch.float32))(1e300 * noise(2, N))


class Fails(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.layer = nn.Linear(N, 2)

    def forward(self, x: Tensor) -> Tensor:
        raise self.error


class OwnError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("out of range"), KeyError("weights"), OwnError(3, "bad"), ZeroDivisionError()],
    ids=repr,
)
@pytest.mark.parametrize("engine", ["path", "captum"])
def test_errors_of_the_model_come_back_with_the_shape(error: Exception, engine: str) -> None:
    with pytest.raises(type(error)) as caught:
        fixed(Fails(error), engine=engine)(noise(3, N))
    assert caught.value is error
    notes = " ".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert f"{N})" in notes
    assert "float32" in notes


def test_shape_errors_of_layers_say_what_came() -> None:
    with pytest.raises(RuntimeError, match=rf"shape \(\d+, {N}\), float64"):
        fixed(Smooth(N + 1))(noise(3, N))


NOT_DIFFERENTIABLE: dict[str, Callable[[Tensor], Tensor]] = {
    "detached": lambda p: p.detach().sum(-1),
    "through numpy": lambda p: torch.from_numpy(p.detach().numpy().sum(-1)),
    "without gradients": torch.no_grad()(lambda p: p.square().sum(-1)),
    "classes": lambda p: p.cumsum(-1).argmax(-1).float(),
    "constant": lambda p: torch.ones(len(p), 2),
}


@pytest.mark.parametrize("model", NOT_DIFFERENTIABLE.values(), ids=NOT_DIFFERENTIABLE.keys())
@pytest.mark.parametrize("engine", ["path", "captum"])
def test_models_without_gradient_are_refused(model: Callable[[Tensor], Tensor], engine: str) -> None:
    with pytest.raises(ValueError, match="does not depend differentiably on its input"):
        fixed(model, engine=engine)(noise(2, N))


def test_gradients_of_something_else_do_not_count() -> None:
    weights = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="does not depend differentiably on its input"):
        fixed(lambda p: weights.expand(len(p), 2) * 2)(noise(2, N))


def test_class_indices_are_no_scores() -> None:
    with pytest.raises(TypeError, match=r"floating scores.*int64"):
        fixed(lambda p: p.argmax(-1))(noise(2, N))


def test_outputs_need_a_row_a_series() -> None:
    for model in (lambda p: p.sum(), lambda p: p.sum(0), lambda p: p[:1], lambda p: p.repeat(2, 1)):
        with pytest.raises(ValueError, match="one row per series"):
            fixed(model)(noise(3, N))


@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_models_that_squeeze_their_output(n_samples: int) -> None:
    """A squeeze takes the batch axis too where one series comes alone, so none does."""
    smooth = Smooth(N, outputs=1)
    x = noise(n_samples, N)
    for engine in ("path", "captum"):
        for n_steps in (1, 3):
            explainer = fixed(lambda p: smooth(p).squeeze(), engine=engine, n_steps=n_steps, tol=9.0)
            reference = fixed(smooth, engine=engine, n_steps=n_steps, tol=9.0)
            close(explainer(x).rfft, reference(x).rfft, 1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("engine", ["path", "captum"])
def test_models_in_half_precision(dtype: torch.dtype, engine: str) -> None:
    """Their attributions are those of the same weights in double precision, to the eps of the dtype."""
    half = Smooth(N, dtype=dtype)
    exact = Smooth(N)
    exact.load_state_dict({name: value.double() for name, value in half.state_dict().items()})
    x = torch.tensor(noise(3, N)).to(dtype)
    result = fixed(half, engine=engine, tol=0.1)(x, target=1)
    assert result.rfft.dtype == np.float32
    expected = fixed(exact)(x.double(), target=1).rfft
    close(result.rfft, expected, 8 * torch.finfo(dtype).eps)


def test_callables_that_refuse_float32_get_float64() -> None:
    weights = torch.tensor(noise(N, 2))
    result = fixed(lambda p: p @ weights)(noise(3, N), target=0)
    assert result.rfft.dtype == np.float64
    assert json.loads(result.attrs["settings"])["dtype"] == "float64"


def test_dtype_can_be_chosen() -> None:
    result = fixed(lambda p: p.square().sum(-1), dtype=torch.float64)(noise(3, N))
    assert result.rfft.dtype == np.float64
    assert fixed(lambda p: p.square().sum(-1))(noise(3, N)).rfft.dtype == np.float32


def test_in_place_first_layers() -> None:
    def build(inplace: bool) -> nn.Module:
        net = nn.Sequential(
            nn.ELU(inplace=inplace), nn.Linear(N, 8), nn.ELU(inplace=inplace), nn.Linear(8, 2)
        )
        return net.double()

    x, baseline = noise(3, N), noise(3, N, seed=1)
    for engine in ("path", "captum"):
        results = [
            fixed(seeded(build, inplace), engine=engine)(x, baseline=baseline).rfft
            for inplace in (False, True)
        ]
        close(*results, 1e-14)


class Unusual(Domain):
    """A domain whose coordinates do not fit."""

    def __init__(self, values: Any) -> None:
        super().__init__()
        self.values = values

    def analyze(self, x: Tensor) -> Tensor:
        return x

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return c

    def coords(self, n: int, fs: float | None) -> Any:
        return {"part": self.values}


def test_coordinates_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"'unusual'.*'part'"):
        fixed(Smooth(N), domains=Unusual([1.0, 2.0]))(noise(2, N))
