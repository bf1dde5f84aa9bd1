"""What models say of their input: rate, channels, window, and where time lies."""

from __future__ import annotations

import warnings
from collections.abc import Callable
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
    n_times = property(lambda self: self._get("n_times"))


def told() -> Told:
    return Told(sfreq=100.0, chs_info=[{"ch_name": name, "kind": 2} for name in NAMES], n_times=32)


def test_rate_and_channels_come_from_the_model() -> None:
    result = Explainer(told(), n_steps=20)(noise(3, 2, 32), target=0)
    assert result.rfft.frequency.attrs["units"] == "Hz"
    assert result.rfft.frequency.values[-1] == 50
    assert tuple(result.channel.values) == NAMES


def test_the_caller_and_the_input_come_first() -> None:
    x = noise(3, 2, 32)
    labelled = xr.DataArray(x, dims=("sample", "channel", "time"), coords={"channel": ["a", "b"]})
    with pytest.warns(FreqigWarning, match="fs is 128 Hz.*sfreq=100 Hz"):
        result = Explainer(told(), fs=128, n_steps=20)(labelled, target=0)
    assert result.rfft.frequency.values[-1] == 64
    assert tuple(result.channel.values) == ("a", "b")
    labelled.attrs["fs"] = 200
    with pytest.warns(FreqigWarning, match="fs is 200 Hz"):
        assert Explainer(told(), n_steps=20)(labelled, target=0).rfft.frequency.values[-1] == 100


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
    ],
    ids=repr,
)
def test_attributes_of_another_kind_count_for_nothing(said: dict[str, Any]) -> None:
    assert as_model(Told(**said)).hints == Hints()


def test_the_window_is_named_where_the_model_fails() -> None:
    class Strict(Told):
        def forward(self, x: Tensor) -> Tensor:
            return x.reshape(len(x), 2, 32).mean(-1)

    with pytest.raises(RuntimeError, match="its own n_times is 32"):
        Explainer(Strict(n_times=32))(noise(3, 2, 30), target=0)


def lengths_said(call: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(w.message) for w in caught if "built for" in str(w.message)]


@pytest.mark.parametrize(
    ("model", "n", "length"),
    [
        (told(), 64, "0.64 s"),
        (Told(n_times=32), 200, "200 values"),
        (told(), 63, None),
        (told(), 32, None),
        (Told(), 400, None),
    ],
)
def test_series_much_longer_than_the_window_are_named(model: Told, n: int, length: str | None) -> None:
    x = noise(3, 2, n)
    for call in (lambda: Explainer(model, n_steps=2)(x), lambda: attribute(x, model, n_steps=2)):
        said = lengths_said(call)
        assert len(said) == (length is not None)
        if length is not None:
            assert said[0].startswith(f"each sample is {length} long, but the model was built for n_times=32")
            assert "cut the series into windows of that length, one per sample" in said[0]


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
    assert as_model(model).hints == Hints(fs=100, channels=NAMES, window=1000)
    assert as_model(net(n_outputs=3, n_chans=2, n_times=1000)).hints == Hints(window=1000)
    seconds = net(n_outputs=3, chs_info=info, input_window_seconds=10.0, sfreq=100.0)
    assert as_model(seconds).hints == Hints(fs=100, channels=NAMES, window=1000)
    explainer, x = Explainer(model, n_steps=100), noise(2, 2, 1000).astype(np.float32)
    result = explainer(x, target=0)
    assert result.rfft.frequency.values[-1] == 50
    assert tuple(result.channel.values) == NAMES
    with pytest.raises(Exception, match="its own n_times is 1000"):
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
    if axis == "asks":
        with pytest.raises(ValueError, match=r"time_axis must be given .*\(batch, 2.*time_axis=1"):
            hints.resolve(-1)
    else:
        assert hints.resolve(-1) == axis


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


def test_a_hint_does_not_reach_other_models() -> None:
    model = as_model(torch.tanh)
    assert model.with_time_axis(1).hints.time_axis == 1
    assert model.hints.time_axis is None
