"""Where axes are swapped or missing, the error says which arrangement the model takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

from freqig import Explainer, attribute

from ..helpers import seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


def conv(channels: int) -> nn.Module:
    return seeded(
        lambda: nn.Sequential(
            nn.Conv1d(channels, 4, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2)
        )
    )


def image() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(nn.Conv2d(1, 4, (3, 5)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    )


class Recurrent(nn.Module):
    """Time before channels."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0][:, -1]


@pytest.mark.parametrize(
    ("model", "shape", "remedy", "takes", "settings"),
    [
        (conv(3), (4, 50, 3), lambda x: x.swapaxes(1, 2), r"x\.swapaxes\(1, 2\), of shape \(4, 3, 50\)", {}),
        (conv(3), (3, 50), lambda x: x[None], r"x\[None\], of shape \(1, 3, 50\), if it is one series", {}),
        (conv(2), (2, 50), lambda x: x[None], r"x\[None\], of shape \(1, 2, 50\)", {}),
        (conv(3), (50, 3), lambda x: x.T[None], r"x\.T\[None\], of shape \(1, 3, 50\)", {}),
        (conv(1), (4, 50), lambda x: x[:, None], r"x\[:, None\], of shape \(4, 1, 50\)", {}),
        (conv(3), (4, 1, 3, 50), lambda x: x[:, 0], r"x\[:, 0\], of shape \(4, 3, 50\)", {}),
        (image(), (4, 3, 50), lambda x: x[:, None], r"x\[:, None\], of shape \(4, 1, 3, 50\)", {}),
        (image(), (4, 50, 3), lambda x: x.swapaxes(1, 2)[:, None], r"x\.swapaxes\(1, 2\)\[:, None\]", {}),
        (seeded(Recurrent), (4, 3, 50), lambda x: x.swapaxes(1, 2), r"x\.swapaxes\(1, 2\)", {"time_axis": 1}),
    ],
)
def test_the_arrangement_that_fits_is_named(
    model: Any, shape: tuple[int, ...], remedy: Any, takes: str, settings: dict[str, Any]
) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    with pytest.raises(
        ValueError, match=rf"x must have the axes of the model, .*but takes {takes}"
    ) as caught:
        Explainer(model, **settings)(x)
    # The model's own words are the cause.
    assert isinstance(caught.value.__cause__, (RuntimeError, ValueError))
    # What it says works.
    assert Explainer(model, n_steps=2, tol=10.0, **settings)(remedy(x), target=0).rfft.notnull().all()


def test_another_number_of_channels_is_named() -> None:
    says = r"x must have the sizes .* it takes \(4, 3, 50\), with 3 in place of 5 in axis 1: .* channels="
    with pytest.raises(ValueError, match=says) as caught:
        Explainer(conv(3))(np.zeros((4, 5, 50)))
    # What the model said is kept.
    assert "3 channels, but got 5" in str(caught.value.__cause__)


def test_the_model_speaks_for_itself_where_nothing_fits() -> None:
    def fails(x: Tensor) -> Tensor:
        raise LookupError("nothing to do with axes")

    with pytest.raises(LookupError, match="nothing to do with axes"):
        Explainer(fails)(np.zeros((4, 50)))


def test_no_arrangement_is_offered_for_other_faults() -> None:
    def later(x: Tensor) -> Tensor:
        if x.requires_grad:
            raise LookupError("only on the way back")
        return x.mean(-1)

    with pytest.raises(LookupError, match="only on the way back"):
        Explainer(later)(np.ones((4, 50)), target=0)
    with pytest.raises(LookupError, match="only on the way back"):
        attribute(np.ones((4, 50)), lambda x: later(x.mean(1)), 0)


def test_a_series_without_axes() -> None:
    with pytest.raises(
        ValueError, match=r"for one series pass x\[None\], or x\[None, None\] where the model"
    ):
        Explainer(conv(1))(torch.zeros(50))


def test_words_of_a_framework_are_trimmed_to_the_line_that_tells() -> None:
    """Keras says six lines, with colour codes, where one counts."""

    def model(x: Tensor) -> Tensor:
        raise ValueError(
            "Exception encountered when calling Functional.call().\n\n\x1b[1mexpected axis -1 to be 2, "
            "got 3.\x1b[0m\n\nArguments received by Functional.call():\n  • training=False"
        )

    with pytest.raises(ValueError, match=r"^expected axis -1 to be 2, got 3 \[while") as caught:
        Explainer(model)(np.zeros((3, 4, 64)))
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "x has the shape (3, 4, 64)" in str(caught.value)


def test_other_words_of_many_lines_stay() -> None:
    def model(x: Tensor) -> Tensor:
        raise RuntimeError("size mismatch:\n\tone\n\ttwo")

    with pytest.raises(RuntimeError, match=r"^size mismatch:\n\tone\n\ttwo \[while"):
        Explainer(model)(np.zeros((3, 4, 64)))


# --- several inputs, and `attribute` ----------------------------------------------------------------


class Two(nn.Module):
    """Two inputs of three channels and of one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = conv(3), conv(1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.first(a) + self.second(b)


@pytest.mark.parametrize(
    ("shapes", "place", "remedy", "takes"),
    [
        (
            ((4, 50, 3), (4, 1, 40)),
            0,
            lambda x: x.swapaxes(1, 2),
            r"x\[0\]\.swapaxes\(1, 2\), of shape \(4, 3, 50\)",
        ),
        (((4, 3, 50), (4, 40)), 1, lambda x: x[:, None], r"x\[1\]\[:, None\], of shape \(4, 1, 40\)"),
        (((4, 3, 50), (4, 40, 1)), 1, lambda x: x.swapaxes(1, 2), r"x\[1\]\.swapaxes\(1, 2\)"),
    ],
)
def test_of_several_inputs_the_one_that_does_not_fit_is_named(
    shapes: Any, place: int, remedy: Any, takes: str
) -> None:
    x = [np.random.default_rng(0).normal(size=shape) for shape in shapes]
    model = Two()
    told = rf"x\[{place}\] must have the axes of the model, which fails on shape .*but takes {takes}"
    with pytest.raises(ValueError, match=told):
        Explainer(model)(tuple(x))
    x[place] = remedy(x[place])
    assert Explainer(model, n_steps=2, tol=10.0)(tuple(x), target=0).rfft_0.notnull().all()


@pytest.mark.parametrize(
    ("model", "shape", "remedy", "takes"),
    [
        (conv(3), (50, 3), lambda x: x.T, r"input\.T, of shape \(3, 50\), if it is one series"),
        (conv(3), (4, 50, 3), lambda x: x.swapaxes(1, 2), r"input\.swapaxes\(1, 2\), of shape \(4, 3, 50\)"),
        (conv(1), (4, 50), lambda x: x[:, None], r"input\[:, None\], of shape \(4, 1, 50\)"),
        (seeded(nn.Linear, 50, 2), (4, 50), lambda x: x[:, None], None),
    ],
)
def test_attribute_names_the_arrangement_that_fits(
    model: Any, shape: Any, remedy: Any, takes: str | None
) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    if takes is not None:
        told = rf"input must have the axes of the model, which fails on shape .*but takes {takes}"
        with pytest.raises(ValueError, match=told):
            attribute(x, model)
    assert np.isfinite(attribute(remedy(x), model, 0)).all()


def test_attribute_of_what_the_model_takes_as_an_image() -> None:
    with pytest.raises(ValueError, match=r"input\[:, None\] of an Explainer, of shape \(4, 1, 3, 50\)"):
        attribute(np.zeros((4, 3, 50)), image())


def test_attribute_lets_the_model_speak_where_nothing_fits() -> None:
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 5"):
        attribute(np.zeros((4, 5, 50)), conv(3))


def mono() -> nn.Module:
    """Series without an axis of channels."""
    return seeded(lambda: nn.Sequential(nn.Linear(50, 4), nn.GELU(), nn.Linear(4, 2)))


def flat() -> nn.Module:
    """A network that refuses an axis of channels."""

    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = mono()

        def forward(self, x: Tensor) -> Tensor:
            samples, _ = x.shape
            return self.inner(x).reshape(samples, 2)

    return Flat()


def tall() -> nn.Module:
    """A kernel over all three channels, which takes images in no other layout."""
    return seeded(lambda: nn.Sequential(nn.Conv2d(1, 4, (3, 5)), nn.Flatten(), nn.Linear(4 * 46, 2)))


class Permuted(nn.Module):
    """From (batch, channel, time, 1) to (batch, 1, channel, time)."""

    def forward(self, x: Tensor) -> Tensor:
        samples, channels, n, last = x.shape
        return x.reshape(samples, last, channels, n)


@pytest.mark.parametrize(
    ("model", "channels", "takes", "says"),
    [
        (flat(), 1, "(4, 50)", "N,T"),
        (tall(), 3, "(4, 1, 3, 50)", "N,1,C,T"),
        (nn.Sequential(Permuted(), tall()), 3, "(4, 3, 50, 1)", "N,C,T,1"),
        (tall().forward, 3, "(4, 1, 3, 50)", "N,1,C,T"),
        (seeded(Recurrent), 3, "(4, 50, 3)", "N,T,C"),
    ],
    ids=["series", "image", "last", "function", "time first"],
)
def test_recordings_keep_their_axes_and_the_model_is_arranged(
    model: Any, channels: int, takes: str, says: str
) -> None:
    """Axes of a file have names, so that arranging the signals would lose them."""
    values = np.random.default_rng(0).normal(size=(4, channels, 50))
    names = [f"C{i}" for i in range(channels)]
    x = xr.DataArray(
        values, dims=("sample", "channel", "time"), coords={"channel": names}, attrs={"fs": 50.0}
    )
    with pytest.raises(ValueError, match=r"x must have the axes of the model") as caught:
        Explainer(model)(x)
    told = (
        f"which fails on shape (4, {channels}, 50), the layout N,C,T, but takes {takes}: pass layout='{says}'"
    )
    assert str(caught.value).endswith(told)
    # What it says works.
    found = Explainer(model, layout=says)(x, target=0)
    assert found.rfft.shape == (4, channels, 26)
    assert found.channel.values.tolist() == names
