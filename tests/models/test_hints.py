"""What models say of their input: rate, channels, window, and where time lies."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

from freqig import Explainer, attribute
from freqig.errors import FreqigWarning
from freqig.models import Hints, as_model

from ..helpers import SmallCNN, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

NAMES = ("Cz", "Pz")


class Told(nn.Module):
    """Attributes as braindecode's models have them: properties that raise where nothing was said."""

    def __init__(self, **said: Any) -> None:
        super().__init__()
        self.said = said
        self.net = seeded(SmallCNN, channels=2).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def _get(self, name: str) -> Any:
        if name not in self.said:
            raise ValueError(f"{name} could not be inferred")
        return self.said[name]

    sfreq = property(lambda self: self._get("sfreq"))
    chs_info = property(lambda self: self._get("chs_info"))
    n_chans = property(lambda self: self._get("n_chans"))
    n_times = property(lambda self: self._get("n_times"))


def told() -> Told:
    return Told(sfreq=100.0, chs_info=[{"ch_name": name, "kind": 2} for name in NAMES], n_times=32)


def test_rate_and_channels_come_from_the_model() -> None:
    result = Explainer(told(), n_steps=20)(noise(3, 2, 32), target=0)
    assert result.rfft.frequency.attrs["units"] == "Hz"
    assert result.rfft.frequency.values[-1] == 50
    assert tuple(result.channel.values) == NAMES


def with_names(x: np.ndarray, names: list[str], **attrs: Any) -> xr.DataArray:
    return xr.DataArray(x, dims=("sample", "channel", "time"), coords={"channel": names}, attrs=attrs)


def test_another_rate_is_an_error_before_the_model_runs() -> None:
    x = noise(3, 2, 32)
    told_rate = (
        r"x must have the sampling rate of the model, which says sfreq=100 Hz, got 128 Hz: pass resample=100"
    )
    for call in (
        lambda: Explainer(told(), fs=128)(x),
        lambda: Explainer(told())(with_names(x, list(NAMES), fs=128)),
    ):
        with pytest.raises(ValueError, match=told_rate):
            call()
    with pytest.raises(ValueError, match="input must have the sampling rate of the model"):
        attribute(with_names(x, list(NAMES), fs=128), told())
    assert Explainer(told(), fs=100.05, n_steps=32)(x, target=0).sizes["sample"] == 3


def test_channels_are_put_in_the_order_of_the_model_and_it_is_said() -> None:
    x = noise(3, 2, 32)
    expected = Explainer(told(), n_steps=20)(x, target=0)
    turned = with_names(x[:, ::-1], ["PZ.", "Cz.."])
    with pytest.warns(FreqigWarning, match=r"x: channels are put in the order of the model, 'Cz', 'Pz'"):
        result = Explainer(told(), n_steps=20)(turned, target=0)
    np.testing.assert_array_equal(result.rfft, expected.rfft)
    assert result.channel.values.tolist() == ["Cz..", "PZ."]
    with pytest.raises(
        ValueError, match="input must have its channels in the order of the model, 'Cz', 'Pz'"
    ):
        attribute(turned, told())


def test_other_channels_are_an_error_that_lists_them() -> None:
    three = with_names(noise(3, 3, 32), ["Pz", "Oz", "Cz"])
    told_more = r"channels of the model, 'Cz', 'Pz', but it has 'Oz' besides: pass channels=\['Cz', 'Pz'\]"
    with pytest.raises(ValueError, match=told_more):
        Explainer(told())(three)
    picked = Explainer(told(), n_steps=20)(three, target=0, channels=["Cz", "Pz"])
    assert picked.channel.values.tolist() == ["Cz", "Pz"]
    np.testing.assert_array_equal(
        picked.rfft, Explainer(told(), n_steps=20)(three.values[:, [2, 0]], target=0).rfft
    )
    with pytest.raises(ValueError, match=r"but it lacks 'Cz' and has 'Oz' besides: .*rename_channels"):
        Explainer(told())(three[:, :2])
    with pytest.raises(ValueError, match="channels must each be one of 'Pz', 'Oz', 'Cz', got 'Fz'"):
        Explainer(told())(three, channels=["Fz"])
    with pytest.raises(ValueError, match="channels must be None for x, whose channels have no names"):
        Explainer(told())(noise(3, 3, 32), channels=["Fz"])


def test_a_model_that_was_told_nothing_says_nothing() -> None:
    assert as_model(Told()).hints == Hints()
    result = Explainer(Told(), n_steps=20)(noise(3, 2, 32), target=0)
    assert result.rfft.frequency.values[-1] == 0.5


@pytest.mark.parametrize(
    "said",
    [
        {"sfreq": -1.0},
        {"sfreq": "fast"},
        {"sfreq": float("nan")},
        {"sfreq": True},
        {"chs_info": [{"kind": 2}]},
        {"chs_info": "Cz"},
        {"n_times": 0},
        {"n_chans": True},
    ],
    ids=repr,
)
def test_attributes_of_another_kind_count_for_nothing(said: dict[str, Any]) -> None:
    assert as_model(Told(**said)).hints == Hints()


@pytest.mark.parametrize(
    ("model", "n", "said"),
    [
        (told(), 64, r"n_times=32, got 64 values, 0\.64 s: cut it into windows, with window=0\.32"),
        (Told(n_times=32), 200, r"n_times=32, got 200 values: .*window=their length in s"),
        (told(), 31, "got 31 values"),
    ],
)
def test_another_length_than_the_window_is_an_error(model: Told, n: int, said: str) -> None:
    x = noise(3, 2, n)
    for name, call in (("x", lambda: Explainer(model)(x)), ("input", lambda: attribute(x, model))):
        with pytest.raises(ValueError, match=rf"{name} must have as many values in time .*{said}"):
            call()


@pytest.mark.parametrize("model", [told(), Told(n_chans=2), Told(n_chans=np.int64(2), n_times=32)])
@pytest.mark.parametrize("shape", [(3, 5, 32), (3, 1, 32)])
def test_another_number_of_channels_is_an_error_before_the_model_runs(
    model: Told, shape: tuple[int, ...]
) -> None:
    ran = []
    model.register_forward_pre_hook(lambda *_: ran.append(1))
    said = rf"as many channels as .* built for, n_chans=2, got {shape[1]}, of shape \(3, {shape[1]}, 32\)"
    for call in (lambda: Explainer(model)(noise(*shape)), lambda: attribute(noise(*shape), model)):
        with pytest.raises(ValueError, match=said):
            call()
    assert not ran


def test_a_model_behind_a_function_says_nothing_of_its_input() -> None:
    """Which the errors offer for models that take other signals than they say."""
    model = told()
    assert Explainer(lambda x: model(x), n_steps=32, fs=128)(noise(3, 2, 64), target=0).sizes["time"] == 64


def test_numbers_may_be_those_of_numpy() -> None:
    said = Told(sfreq=np.int64(100), n_times=np.int64(32))
    assert as_model(said).hints == Hints(fs=100, window=32)
    assert as_model(Told(sfreq=np.float32(100))).hints == Hints(fs=100)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of braindecode, about its own defaults
@pytest.mark.parametrize("name", ["EEGNet", "ShallowFBCSPNet", "Deep4Net"])
def test_braindecode(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports
        models = pytest.importorskip("braindecode.models", exc_type=ImportError)
    mne = pytest.importorskip("mne")
    info = mne.create_info(list(NAMES), 100.0, "eeg")["chs"]
    net = getattr(models, name)
    model = seeded(net, n_outputs=3, sfreq=100, chs_info=info, n_times=1000)
    assert as_model(model).hints == Hints(fs=100, channels=NAMES, n_channels=2, window=1000)
    assert as_model(net(n_outputs=3, n_chans=2, n_times=1000)).hints == Hints(n_channels=2, window=1000)
    seconds = net(n_outputs=3, chs_info=info, input_window_seconds=10.0, sfreq=100.0)
    assert as_model(seconds).hints == Hints(fs=100, channels=NAMES, n_channels=2, window=1000)
    explainer, x = Explainer(model, n_steps=100), noise(2, 2, 1000).astype(np.float32)
    result = explainer(x, target=0)
    assert result.rfft.frequency.values[-1] == 50
    assert tuple(result.channel.values) == NAMES
    with pytest.raises(Exception, match="n_times=1000"):
        explainer(x[..., :100], target=0)


SHAPES = [
    ((None, 2, 24), None, -1),
    ((None, 24, 2), None, "asks"),
    ((None, 22, 250, 1), None, "asks"),
    ((None, 1, 22, 250), None, -1),
    ((None, None, 2), 1, 1),
    ((None, None, None), None, -1),
    ((None, 9), None, -1),
    (None, None, -1),
]


@pytest.mark.parametrize(("shape", "own", "axis"), SHAPES, ids=repr)
def test_time_axis_left_to_the_model(shape: Any, own: int | None, axis: Any) -> None:
    hints = Hints(shape=shape, time_axis=own)
    assert hints.resolve(2) == 2
    hints.refuse_unclear(2)
    if axis == "asks":
        with pytest.raises(ValueError, match=r"time_axis must be given .*\(batch, 2.*time_axis=1"):
            hints.refuse_unclear(hints.resolve(-1))
    else:
        assert hints.resolve(-1) == axis
        hints.refuse_unclear(axis)


@pytest.mark.parametrize(
    ("shape", "own", "series", "axis"),
    [
        ((None, 24, 2), None, (2, 24), 1),
        ((None, 2, 24), None, (2, 24), -1),
        ((None, 24, 1), None, (1, 24), 1),
        ((None, None, None), None, (2, 24), -1),
        ((None, 24, 2), 1, (24, 2), 1),
        ((None, 24), None, (1, 24), -1),
        (None, None, (1, 24), -1),
    ],
    ids=repr,
)
def test_time_axis_for_series_of_a_known_shape(
    shape: Any, own: int | None, series: tuple[int, int], axis: int
) -> None:
    assert Hints(shape=shape, time_axis=own).axis_for(*series) == axis


@pytest.mark.parametrize(
    ("declared", "shape", "time_axis", "said"),
    [
        ((None, 2, 24), (5, 2, 24), -1, ""),
        ((None, None, None), (5, 7, 9), -1, ""),
        ((4, 2, 24), (5, 2, 24), -1, ""),
        (None, (5, 7, 9), -1, ""),
        ((None, 2, 24), (5, 2, 30), -1, "pass window= .* to cut 24 values in time, or resample="),
        ((None, 24, 2), (5, 30, 2), 1, "pass window= .* to cut 24 values in time"),
        ((None, 2, 24), (5, 3, 24), -1, "pass channels="),
        ((None, 1, 2, 24), (5, 2, 24), -1, "it has 3 axes in place of 4"),
    ],
)
def test_declared_shapes(declared: Any, shape: tuple[int, ...], time_axis: int, said: str) -> None:
    misfit = Hints(shape=declared).misfit(shape, time_axis)
    assert re.search(said, misfit)
    assert bool(misfit) == bool(said)


def test_a_hint_does_not_reach_other_models() -> None:
    model = as_model(torch.tanh)
    assert model.with_time_axis(1).hints.time_axis == 1
    assert model.hints.time_axis is None
