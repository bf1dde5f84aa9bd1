"""A model in another layout is explained as the same model that takes (sample, channel, time)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn
from torch.utils.data import DataLoader

import freqig
from freqig import RFFT, Explainer, Polar, Time, baselines
from freqig.errors import SignalWarning
from freqig.models import Hints, as_model

from ..helpers import close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

K, N, FS = 3, 40, 20.0
X = noise(6, K, N)

LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "N,1,C,T": lambda x: x.squeeze(1),
    "N,C,T,1": lambda x: x.squeeze(3),
    "N,T,C": lambda x: x.mT,
    "N,T,C,1": lambda x: x.squeeze(3).mT,
}


class Net(nn.Module):
    """No two channels or times are alike to it; it takes time in any length."""

    def __init__(self, layout: str | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv1d(K, 4, 5, dtype=torch.float64)
        self.dense = nn.Linear(4, 2, dtype=torch.float64)
        self.back = LAYOUTS[layout] if layout else None

    def forward(self, x: Tensor, weight: Tensor | float = 1.0) -> Tensor:
        x = x if self.back is None else self.back(x)
        return weight * self.dense(self.conv(x).tanh().mean(-1))


def net(layout: str | None = None) -> nn.Module:
    return seeded(Net, layout)


def named(x: np.ndarray = X) -> xr.DataArray:
    coords = {"channel": ["Fz", "Cz", "Pz"][: x.shape[1]]}
    return xr.DataArray(x, coords, ("sample", "channel", "time"), attrs={"fs": FS})


def declaring(layout: str, *shape: int | None) -> Any:
    """A model whose file would declare the shape of its input."""
    model = as_model(net(layout))
    model.hints = Hints(shape=(None, *shape))
    return model


WAYS: dict[str, Callable[[Any, dict[str, Any]], xr.Dataset]] = {
    "call": lambda m, s: Explainer(m, **s)(X, target=0),
    "fixed nodes": lambda m, s: Explainer(m, n_steps=8, **s)(X, target=0),
    "all classes": lambda m, s: Explainer(m, **s)(X, target="all"),
    "captum": lambda m, s: Explainer(m, engine="captum", n_steps=8, **s)(X, target=0),
    "own path": lambda m, s: Explainer(m, domains=[Polar(), RFFT()], n_steps=8, **s)(X, target=0),
    "baseline": lambda m, s: Explainer(m, **s)(X, target=0, baseline=0.1 * X[0]),
    "baselines": lambda m, s: Explainer(m, **s)(X, target=0, baseline=baselines.data(0.1 * X[:2])),
    "one by one": lambda m, s: Explainer(m, batch_independent=False, **s)(X, target=0),
    "further arguments": lambda m, s: Explainer(m, **s)(
        X, target=0, additional_forward_args=freqig.per_sample(torch.arange(1.0, 7.0)[:, None].double())
    ),
    "unequal lengths": lambda m, s: Explainer(m, **s)([X[0], X[1, :, :30]], target=0),
    "loader": lambda m, s: Explainer(m, **s)(DataLoader(X, batch_size=4), target=0),
    "slide": lambda m, s: freqig.slide(Explainer(m, **s), X, window=1.0, hop=0.5, target=0),
    "average": lambda m, s: Explainer(m, **s).average(np.tile(X, (8, 1, 1)), target=0),
    "shapley": lambda m, s: freqig.Shapley(m, players="channels", **s)(X, target=0),
    "smoothgrad": lambda m, s: freqig.methods.SmoothGrad(m, **s)(X, target=0),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_way_to_explain_knows_the_layout(way: str, layout: str) -> None:
    found, wanted = (
        WAYS[way](net(given), {"fs": FS} | ({"layout": given} if given else {})) for given in (layout, None)
    )
    attributions = [name for name, own in wanted.data_vars.items() if own.attrs.get("kind") == "attribution"]
    assert attributions
    for name in attributions:
        assert found[name].dims == wanted[name].dims
        close(found[name].values, wanted[name].values, 1e-6)
    assert json.loads(found.attrs["settings"])["layout"] == layout


DECLARED = [
    ("N,1,C,T", (1, K, N)),
    ("N,1,C,T", (1, K, None)),
    ("N,C,T,1", (K, N, 1)),
    ("N,C,T,1", (K, None, 1)),
    ("N,T,C", (N, K)),
    ("N,T,C,1", (N, K, 1)),
]


@pytest.mark.parametrize(("layout", "shape"), DECLARED, ids=str)
def test_the_one_way_in_which_recordings_fit_is_taken_and_said(layout: str, shape: tuple[Any, ...]) -> None:
    wanted = Explainer(net())(named(), target=0)
    explainer = Explainer(declaring(layout, *shape))
    with pytest.warns(SignalWarning, match=f"in the layout {layout}, the only one that fits$") as said:
        found = explainer(named(), target=0)
    assert len(said) == 1
    xr.testing.assert_allclose(found.drop_attrs(), wanted.drop_attrs())
    # What goes on from the result needs no telling.
    part = freqig.resynthesize(found, keep=0.5, explainer=explainer)
    close(
        part.part_output.values,
        freqig.resynthesize(wanted, keep=0.5, explainer=Explainer(net())).part_output,
        1e-6,
    )
    with pytest.warns(SignalWarning, match=layout):
        means = explainer.average(named(), target=0)
    assert json.loads(means.attrs["settings"])["layout"] == layout
    with pytest.warns(SignalWarning, match=layout):
        slid = freqig.slide(explainer, named(np.tile(X, 2)), window=N / FS, target=0)
    close(
        slid.rfft.values,
        freqig.slide(Explainer(net()), named(np.tile(X, 2)), window=N / FS, target=0).rfft,
        1e-6,
    )


def test_arrays_come_as_the_model_takes_them_and_nothing_is_said() -> None:
    found = Explainer(declaring("N,1,C,T", 1, K, N), fs=FS)(X[:, None], target=0)
    close(found.rfft.values, Explainer(net(), fs=FS)(X, target=0).rfft.values, 1e-6)
    with pytest.raises(ValueError, match=r"\(batch, 1, 3, 40\), got shape \(6, 3, 40\)"):
        Explainer(declaring("N,1,C,T", 1, K, N))(X, target=0)


@pytest.mark.parametrize(
    ("shape", "offered"),
    [
        ((1, None, None), "layout='N,1,C,T' or layout='N,1,T,C'"),
        ((None, None, 1), "layout='N,C,T,1' or layout='N,T,C,1'"),
    ],
    ids=str,
)
def test_of_two_ways_none_is_taken(shape: tuple[Any, ...], offered: str) -> None:
    with pytest.raises(ValueError, match=f"layout must be given .*: windows of 3 channels .* fit {offered}$"):
        Explainer(declaring("N,1,C,T", *shape))(named(), target=0)


@pytest.mark.parametrize(("shape", "layout"), [((N, K), "N,C,T"), ((1, N, K), "N,1,C,T")], ids=str)
def test_a_file_with_time_before_channels_is_asked_about(shape: tuple[int, ...], layout: str) -> None:
    """It is read as 40 channels of 3 values, which fit where time and channels belong."""
    model = as_model(lambda x: x.flatten(1).square().sum(1))
    model.hints = Hints(shape=(None, *shape))
    swapped = xr.DataArray(X.swapaxes(1, 2), dims=("sample", "channel", "time"), attrs={"fs": FS})
    told = f"windows of 40 channels by 3 values in time fit layout='{layout}', if the file has channels"
    with pytest.raises(ValueError, match=told):
        Explainer(model)(swapped)
    # Where it is meant so, as of many sensors, it is said.
    found = Explainer(model, layout=layout, domains=Time())(swapped)
    close(found.waveform.values, X.swapaxes(1, 2) ** 2, 1e-5)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((1, K + 1, N), r"\(batch, 1, 4, 40\), got shape \(6, 1, 3, 40\): pass channels="),
        ((1, K, N + 1), r"\(batch, 1, 3, 41\), got shape \(6, 1, 3, 40\): pass window="),
        ((N,), r"\(batch, 40\), of one channel, got 3: pass channels="),
        ((2, K, N), r"got shape \(6, 3, 40\): it has 3 axes in place of 4"),
    ],
    ids=str,
)
def test_sizes_that_fit_in_no_layout_are_told(shape: tuple[int, ...], says: str) -> None:
    def refuses(x: Tensor) -> Tensor:
        raise RuntimeError("never called with what does not fit")

    model = as_model(refuses)
    model.hints = Hints(shape=(None, *shape))
    with pytest.raises(ValueError, match=says):
        Explainer(model, domains=Time())(named(), target=0)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (X[:, None], r"got shape \(6, 1, 3, 40\): leave layout= out"),
        (X[:, 0], r"got shape \(6, 40\): .* or pass x\[:, None\] for series of one channel"),
        ((X, X), "layout must be left out for several inputs"),
    ],
    ids=["with all axes", "without channels", "several inputs"],
)
def test_signals_of_other_axes_are_refused(x: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Explainer(net("N,1,C,T"), layout="N,1,C,T")(x, target=0)


def test_two_sayings_of_where_time_is_are_refused() -> None:
    with pytest.raises(ValueError, match="layout must be left out where time_axis=1 is given"):
        Explainer(net(), layout="N,T,C", time_axis=1)
