"""Maps of a filter bank: bands over time, each from its lower edge to its upper one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

import freqig
from freqig import plots
from freqig.errors import EmptyExplanationWarning

FS, N = 200.0, 800
BANDS = {"fast": (30.0, 60.0), "slow": (1.0, 4.0), "alpha": (8.0, 12.0), "high": (80.0, 300.0)}


@pytest.fixture(scope="module")
def bursts() -> xr.Dataset:
    """A model that hears 10 Hz in the second second, and 40 Hz in the fourth, which lowers its output."""
    t = np.arange(N) / FS
    second, fourth = (t >= 1) & (t < 2), t >= 3
    heard = np.sin(2 * np.pi * 10 * t) * second - np.sin(2 * np.pi * 40 * t) * fourth
    x = np.sin(2 * np.pi * 10 * t) + np.sin(2 * np.pi * 40 * t) + np.sin(2 * np.pi * 20 * t)
    weights = torch.from_numpy(heard)
    explainer = freqig.Explainer(
        lambda x: (x.flatten(1) @ weights)[:, None],
        fs=FS,
        domains=freqig.FilterBank(BANDS),
        dtype=torch.float64,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmptyExplanationWarning)
        return explainer(x[None, None], target=0)


def drawn(axes: Axes) -> tuple[np.ma.MaskedArray, np.ndarray, np.ndarray]:
    """Cells of a map and the borders between them."""
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    at = mesh.get_coordinates()
    shape = np.array(at.shape[:2]) - 1
    return np.ma.asarray(mesh.get_array()).reshape(shape), at[0, :, 0], at[:, 0, 1]


def test_bands_lie_between_their_edges_and_gaps_are_blank(bursts: xr.Dataset) -> None:
    axes = plots.spectrogram(bursts, name="filterbank", max_frequency=np.inf)
    cells, x, y = drawn(axes)
    # Up to half of the sampling rate; 4 to 8, 12 to 30 and 60 to 80 Hz are in no band.
    np.testing.assert_allclose(y, [1, 4, 8, 12, 30, 60, 80, 100])
    assert cells.mask.all(axis=1).tolist() == [False, True, False, True, False, True, False]
    by_band = bursts.filterbank[0, 0]
    for row, band in ((0, "slow"), (2, "alpha"), (4, "fast"), (6, "high")):
        assert cells[row].sum() == pytest.approx(float(by_band.sel(filterbank_band=band).sum()), abs=1e-9)
    middle = (x[1:] + x[:-1]) / 2
    assert cells[2, (middle > 1) & (middle < 2)].sum() > 0.95 * cells[2].sum() > 0
    assert cells[4, middle > 3].sum() < 0.95 * cells[4].sum() < 0
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (s)", "frequency (Hz)")
    assert axes.get_xlim() == (0, 4)


def test_scales_limits_markers_and_the_rest(bursts: xr.Dataset) -> None:
    for scale in ("log", "mel"):
        axes = plots.spectrogram(bursts, name="filterbank", scale=scale, markers={"heard": 10})
        assert axes.get_ylim()[0] == pytest.approx(1)
        assert "heard" in [one.get_text() for one in axes.texts]
    limited = plots.spectrogram(bursts, name="filterbank", max_frequency=12)
    assert limited.get_ylim() == (1, 12)


def test_a_band_from_zero_has_no_place_on_a_logarithmic_axis() -> None:
    """Bands of mel begin at 0 Hz; the others are drawn where they are, and the label says what is missing."""
    x = 1 + np.random.default_rng(0).normal(size=(1, N)) / 10
    bank = freqig.FilterBank("mel", n=5)
    result = freqig.Explainer(lambda x: x.square().mean(-1, keepdim=True), fs=FS, domains=bank)(x, target=0)
    axes = plots.spectrogram(result, name="filterbank", scale="log", max_frequency=np.inf)
    cells, _, y = drawn(axes)
    edges = np.append(result.filterbank_low.values[1:5], FS / 2)
    np.testing.assert_allclose(y, edges)
    sums = result.filterbank[0].isel(filterbank_band=slice(1, 5)).sum("time")
    np.testing.assert_allclose(cells.sum(axis=1), sums, atol=1e-9)
    size = np.abs(result.filterbank[0]).sum("time").values
    said = f"without 0–{edges[0]:.3g} Hz, {100 * size[0] / size[:5].sum():.1f} % of |attribution|"
    assert said in " ".join(axes.get_ylabel().split())


def test_what_lies_outside_all_bands_is_told_unless_it_is_next_to_nothing(bursts: xr.Dataset) -> None:
    rest = np.arange(5) == bursts.filterbank_band.values.tolist().index("rest")
    for share in (0.001, 0.2):
        values = np.where(rest[:, None], share * bursts.filterbank[0, 0].values[::-1], bursts.filterbank)
        size = np.abs(values).sum(axis=(0, 1, 3))
        changed = bursts.assign(filterbank=(bursts.filterbank.dims, values, bursts.filterbank.attrs))
        label = plots.spectrogram(changed, name="filterbank").figure.axes[-1].get_ylabel()
        told = label.partition("without rest, ")[2].replace("\N{MINUS SIGN}", "-")
        if size[rest][0] > 0.005 * size.sum():
            total = values[0, 0, rest][0].sum()
            assert float(told) == pytest.approx(total, rel=0.01)
        else:
            assert not told
    assert told


def test_channels_components_and_what_is_refused(bursts: xr.Dataset) -> None:
    twice = bursts.filterbank.isel(channel=0, drop=True) * xr.DataArray(
        [1.0, 2.0], {"channel": ["a", "b"]}, "channel"
    )
    two = bursts.drop_dims("channel").assign(filterbank=twice.assign_attrs(bursts.filterbank.attrs))
    cells, *_ = drawn(plots.spectrogram(two, name="filterbank", channel="b", max_frequency=np.inf))
    once, *_ = drawn(plots.spectrogram(bursts, name="filterbank", max_frequency=np.inf))
    np.testing.assert_allclose(cells, 2 * once)
    bare = bursts.drop_vars("filterbank_low")
    with pytest.raises(ValueError, match="must have the edges of its bands as coordinates"):
        plots.spectrogram(bare, name="filterbank")
    high = bursts.filterbank_high.values + 30
    with pytest.raises(ValueError, match=r"bands of result.filterbank must not overlap"):
        plots.spectrogram(bursts.assign_coords(filterbank_high=("filterbank_band", high)), name="filterbank")
