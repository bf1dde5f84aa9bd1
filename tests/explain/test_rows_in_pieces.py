"""Baselines and domains with one row per sample, of signals that come in pieces: as of one array, or told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch.utils.data import DataLoader, TensorDataset

from freqig import RFFT, Explainer

from ..helpers import noise

N, FS = 60, 100.0
X, STARTS = noise(5, 2, N), 0.3 * noise(5, 2, N)[::-1].copy()
SPEEDS = 5 + np.arange(5.0)[:, None] + np.sin(np.arange(N) / 9)


def explainer(**how: Any) -> Explainer:
    net = lambda x: (x.pow(3).sum((1, 2)) + x[:, 0].square().sum(1))[:, None]
    return Explainer(net, fs=FS, n_steps=4, dtype=torch.float64, **how)


def pieces(kind: str) -> Any:
    if kind == "iterator":
        return iter([X[:2], X[2:4], X[4:]])
    if kind == "arrays of xarray":
        made = xr.DataArray(X, dims=("sample", "channel", "time"), attrs={"fs": FS})
        return iter([made[:2], made[2:]])
    data = TensorDataset(torch.from_numpy(X))
    return data if kind == "data set" else DataLoader(data, batch_size=2)


@pytest.mark.parametrize(
    ("kind", "form"),
    [("iterator", "array"), ("loader", "tensor"), ("data set", "list"), ("arrays of xarray", "DataArray")],
)
def test_rows_follow_their_samples(kind: str, form: str) -> None:
    made = {
        "array": STARTS,
        "tensor": torch.from_numpy(STARTS),
        "list": list(STARTS),
        "DataArray": xr.DataArray(STARTS, dims=("sample", "channel", "time")),
    }[form]
    own = explainer(domains=[RFFT(), RFFT("orders", orders=SPEEDS)])
    whole = own(X, target=0, baseline=STARTS)
    found = own(pieces(kind), target=0, baseline=made)
    for name in ("rfft", "orders", "baseline_output"):
        np.testing.assert_allclose(found[name], whole[name], atol=1e-12)
    one = own(pieces(kind), target=0, baseline=STARTS[0])
    np.testing.assert_allclose(one.rfft, own(X, target=0, baseline=STARTS[0]).rfft, atol=1e-12)


def test_rows_of_series_of_unequal_length() -> None:
    lengths = [60, 50, 60, 40, 50]
    series, starts = ([one[i, :, :n] for i, n in enumerate(lengths)] for one in (X, STARTS))
    found = explainer()(series, target=0, baseline=starts)
    for i, n in enumerate(lengths):
        alone = explainer()(X[i : i + 1, :, :n], target=0, baseline=STARTS[i, :, :n])
        assert float(found.baseline_output[i]) == pytest.approx(float(alone.baseline_output[0]))


def test_rows_of_several_inputs() -> None:
    own = Explainer(
        lambda a, b: (a.pow(3) + b.square()).sum((1, 2))[:, None], fs=FS, n_steps=4, dtype=torch.float64
    )
    whole = own((X, X), target=0, baseline=(STARTS, STARTS[0]))
    found = own(iter([(X[:2], X[:2]), (X[2:], X[2:])]), target=0, baseline=(STARTS, STARTS[0]))
    np.testing.assert_allclose(found.rfft_0, whole.rfft_0, atol=1e-12)


def write(folder: Path) -> list[Path]:
    places = [folder / f"{i}.npy" for i in range(5)]
    for place, one in zip(places, X, strict=True):
        np.save(place, one)
    return places


def test_rows_of_files(tmp_path: Path) -> None:
    places = write(tmp_path)
    own = explainer(domains=RFFT(orders=SPEEDS))
    whole = own(X, target=0, baseline=STARTS)
    np.testing.assert_allclose(own(places, target=0, baseline=STARTS).rfft, whole.rfft, atol=1e-12)
    # Windows of one file are samples like others.
    cut = explainer()(places[0], target=0, window=0.2, baseline=STARTS[:3, :, :20])
    rows = X[0].reshape(2, 3, 20).swapaxes(0, 1)
    np.testing.assert_allclose(cut.rfft, explainer()(rows, target=0, baseline=STARTS[:3, :, :20]).rfft)
    with pytest.raises(
        ValueError, match=r"baseline must be the same for all samples of several files .*xr.concat"
    ):
        explainer()(places[:2], target=0, window=0.2, baseline=STARTS[:3, :, :20])
    with pytest.raises(ValueError, match="domain 'rfft' must be the same for all samples of several files"):
        own(places, target=0, window=0.2)


@pytest.mark.parametrize("kind", ["iterator", "loader", "data set", "arrays of xarray"])
def test_too_few_and_too_many_rows(kind: str) -> None:
    # As many as a batch has: taken again and again, they would belong to other samples.
    with pytest.raises(
        ValueError, match=r"baseline must be one per sample, so at least .* got 2, or one series"
    ):
        explainer()(pieces(kind), target=0, baseline=STARTS[:2])
    more = np.concatenate([STARTS, STARTS])
    with pytest.raises(ValueError, match="baseline must be one per sample, so 5 of them, got 10"):
        explainer()(pieces(kind), target=0, baseline=more)
    for rows, told in (
        (SPEEDS[:2], "so at least .*, got 2"),
        (np.concatenate([SPEEDS, SPEEDS]), "so 5, got 10"),
    ):
        with pytest.raises(ValueError, match=f"domain 'rfft' must have a row per sample, {told}"):
            explainer(domains=RFFT(orders=rows))(pieces(kind), target=0)


def test_shuffled_loaders_have_no_rows() -> None:
    loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=2, shuffle=True)
    for how, given, name in (
        ({}, STARTS, "baseline"),
        ({"domains": RFFT(orders=SPEEDS)}, None, "domain 'rfft'"),
    ):
        with pytest.raises(ValueError, match=f"where {name} has one entry per sample, .* shuffle=False"):
            explainer(**how)(loader, target=0, baseline=given)
    assert explainer()(loader, target=0, baseline=STARTS[0]).sizes["sample"] == 5


def test_averages_over_batches_have_no_rows() -> None:
    batches = [(X[:2], None), (X[2:4], None)]
    own = Explainer(lambda x: x.square().sum((1, 2))[:, None], fs=FS)
    with pytest.raises(
        ValueError, match="baseline must be the same for all samples where these come in batches"
    ):
        own.average(batches, target=0, baseline=STARTS[:2])
    own = Explainer(lambda x: x.square().sum((1, 2))[:, None], fs=FS, domains=RFFT(orders=SPEEDS[:2]))
    with pytest.raises(ValueError, match="domain 'rfft' must be the same for all samples where these come"):
        own.average(batches, target=0)
