"""FreqRISE, occlusion, and insertion and deletion, against sums over masks and what is known to go wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation
from hypothesis import given, settings
from hypothesis import strategies as st

import freqig
from freqig import methods
from freqig.methods.freqrise import Grids
from freqig.methods.insertion_deletion import balanced

from .common import FS, N, T, attribution, made, network, signals

SINES = {f: np.sin(2 * np.pi * f * np.arange(64) / 64) for f in (5, 12, 20)}
X = sum(SINES.values())[None]


def amplitude(x: np.ndarray, f: int) -> np.ndarray:
    return np.abs(np.fft.rfft(x)[..., f]) / 32


# FreqRISE.


@settings(max_examples=8, deadline=None, derandomize=True)
@given(size=st.integers(1, 40), cells=st.integers(1, 20), linear=st.booleans())
def test_the_mean_mask_is_the_same_at_every_bin(size: int, cells: int, linear: bool) -> None:
    cells = min(cells, size)
    rng = np.random.default_rng(0)
    nodes = rng.random((4000, cells + 2)) < 0.3
    made_masks = Grids(nodes, rng.random((4000, 1)), (size,), linear).masks(slice(None))
    assert made_masks.shape == (4000, size)
    assert ((made_masks >= 0) & (made_masks <= 1)).all()
    # The first bin and the last as the others: where a grid is stretched over the bins and cut off, they
    # differ.
    np.testing.assert_allclose(made_masks.mean(0), 0.3, atol=0.04)


def test_masks_follow_the_nodes_that_they_lie_between() -> None:
    nodes = np.array([[True, False, True, False]])
    for linear, expected in ((True, [0.5, 0, 0.5, 1]), (False, [1, 0, 0, 1])):
        found = Grids(nodes, np.array([[0.5]]), (4,), linear).masks(slice(None))
        np.testing.assert_allclose(found, [expected])


@pytest.mark.parametrize("count", [2, 3, 50])
def test_a_constant_model_finds_all_coefficients_alike_after_any_number_of_masks(count: int) -> None:
    # Divided by the number of masks, coefficients that happen to be kept more often would come out on top;
    # and two masks are a batch of masks, and no pair of something else.
    found = made("FreqRISE", lambda x: np.full(len(x), 7.0), n_masks=count)(X, target=0)
    np.testing.assert_allclose(found.rfft, 7, atol=1e-6)


@pytest.mark.parametrize("n", [9, 10])
def test_the_model_sees_series_of_their_own_length(n: int) -> None:
    seen = set[int]()

    def score(x: np.ndarray) -> np.ndarray:
        seen.add(x.shape[-1])
        return x.sum(-1)

    made("FreqRISE", score)(np.random.default_rng(0).normal(size=(1, n)), target=0)
    assert seen == {n}


def test_scores_are_the_mean_output_where_a_coefficient_is_kept() -> None:
    # Of masks that are 0 or 1 bin by bin, E[F | bin kept] of a linear model is known: half of all else, and
    # all of it.
    weights = np.random.default_rng(2).normal(size=8)
    x = np.random.default_rng(3).normal(size=(1, 8))
    score = made(
        "FreqRISE",
        lambda x: x @ weights,
        n_masks=20000,
        cells=5,
        interpolation="nearest",
        dtype=torch.float64,
    )
    parts = attribution(made("Occlusion", lambda x: x @ weights)(x, target=0))[0]
    # Neighbours share a cell for a part of the shifts, so that bins far from it count by half.
    found = attribution(score(x, target=0))[0]
    assert np.corrcoef(found, np.convolve(parts, [0.0, 1.0, 0.0], "same"))[0, 1] > 0.8
    np.testing.assert_allclose(found.mean(), parts.sum() / 2, atol=abs(parts).sum() / 2)


def test_errors_fall_with_the_number_of_masks() -> None:
    def spread(count: int) -> float:
        runs = [
            attribution(made("FreqRISE", lambda x: amplitude(x, 5), n_masks=count, seed=s)(X, target=0))
            for s in range(6)
        ]
        return float(np.std(runs, 0).mean())

    assert spread(800) < 0.5 * spread(50)


# Occlusion.


def test_occlusion_of_bins_is_captum_s_ablation_of_the_spectrum() -> None:
    net = network()
    layer = freqig.FrequencyModel(net, N)
    x = torch.from_numpy(signals())
    spectrum = layer.inverse.spectrum(x)
    mask = torch.arange(2 * (N // 2 + 1)).reshape(2, -1, 1).expand(spectrum.shape[1:])[None]
    expected = FeatureAblation(layer).attribute(spectrum, target=1, feature_mask=mask)[..., 0]
    found = made("Occlusion", net)(x, target=1)
    np.testing.assert_allclose(found.rfft, expected, atol=1e-9)
    assert (found.n_evaluations == 2 * (N // 2 + 1) + 1).all()


def test_a_product_of_two_bands_is_taken_from_both() -> None:
    bands = freqig.FilterBank({"low": (2, 8), "mid": (9, 16), "high": (17, 28)}, transition=0)
    method = methods.Occlusion(lambda x: amplitude(x, 5) * amplitude(x, 12), fs=64, players=bands)
    found = method(X, target=0)
    np.testing.assert_allclose(found.occlusion, [[1, 1, 0, 0]], atol=1e-9)
    assert found.occlusion_band.values.tolist() == ["low", "mid", "high", "rest"]
    assert found.occlusion.attrs["adds_up"] == 0


def test_windows_overlap_and_have_the_mean_of_those_that_hold_a_bin() -> None:
    weights = np.random.default_rng(0).normal(size=64)
    score = made("Occlusion", lambda x: x @ weights, fs=64)
    single = attribution(score(X, target=0))[0]
    wide = attribution(made("Occlusion", lambda x: x @ weights, fs=64, width=4.0)(X, target=0))[0]
    windows = [np.arange(start, start + 4) for start in range(0, 33 - 4 + 2, 2)]
    windows = [one[one < 33] for one in windows]
    expected = [np.mean([single[one].sum() for one in windows if k in one]) for k in range(33)]
    np.testing.assert_allclose(wide, expected, atol=1e-9)


def test_windows_of_time_and_of_both_axes() -> None:
    weights = np.where(np.arange(33) < 10, 1.0, 0.0)
    x = np.ones((1, 33))
    found = made("Occlusion", lambda x: x @ weights, domains=freqig.Time(), width=0.25)(x, target=0)
    assert found.waveform.sel(time=slice(0, 0.1)).min() > 0
    assert abs(found.waveform.sel(time=slice(0.7, None))).max() == 0
    stft = made("Occlusion", lambda x: x @ weights, domains=freqig.STFT(0.5), width={"frequency": 4.0})
    assert np.isfinite(stft(x, target=0).stft).all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"step": 1.0}, "step must be omitted where no width is given"),
        ({"width": 1.0, "players": "channels"}, "width must be omitted where players="),
        ({"domains": freqig.RFFT(), "players": "channels"}, "domains must be omitted where players="),
        ({"domains": freqig.STFT(0.5), "width": 1.0}, r"width must say which axis it is of"),
        ({"domains": freqig.STFT(0.5), "width": {"band": 1.0}}, "width must name axes among"),
        ({"domains": freqig.FilterBank(), "width": {"band": 1.0}}, "width must not be given along 'band'"),
        ({"domains": freqig.Segments(0.4), "width": {"segment": 1.0}}, "width must be omitted for domain"),
    ],
)
def test_windows_that_make_no_sense(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made("Occlusion", network(), **asked)(signals())


# Insertion and deletion.


@pytest.mark.parametrize("mode", ["insertion", "deletion", "combined"])
def test_cells_of_a_linear_model_come_in_the_order_of_what_they_add(mode: str) -> None:
    weights = np.random.default_rng(4).normal(size=16)
    x = np.random.default_rng(5).normal(size=(1, 16))
    # One cell at a time: then the order is exact.
    method = made(
        "InsertionDeletion", lambda x: x @ weights, mode=mode, rounds=9, draws=9, cells=9, share=0.01
    )
    parts = attribution(made("Occlusion", lambda x: x @ weights)(x, target=0))
    np.testing.assert_array_equal(np.argsort(-attribution(method(x, target=0))), np.argsort(-parts))


def test_later_rounds_ask_for_what_goes_with_what_was_chosen() -> None:
    # 12 Hz says nothing without 5 Hz, and 20 Hz a little by itself: after 5 comes 12, though alone it is
    # worth less.
    def score(x: np.ndarray) -> np.ndarray:
        return amplitude(x, 5) + 3 * amplitude(x, 5) * amplitude(x, 12) + 0.5 * amplitude(x, 20)

    method = made(
        "InsertionDeletion", score, mode="insertion", fs=64, rounds=3, draws=33, cells=33, share=0.01
    )
    found = method(X, target=0).rfft[0]
    assert found.argsort().values[::-1][:3].tolist() == [5, 12, 20]


def test_each_sample_has_its_own_order() -> None:
    x = np.stack([SINES[5], SINES[20]])
    method = made("InsertionDeletion", lambda x: np.abs(x).mean(-1), fs=64, rounds=2, draws=99, cells=33)
    assert method(x, target=0).rfft.idxmax("frequency").values.tolist() == [5, 20]


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 30), draws=st.integers(1, 40), size=st.integers(1, 10), seed=st.integers(0, 9))
def test_sets_hold_every_cell_alike_often(count: int, draws: int, size: int, seed: int) -> None:
    sets = balanced(np.random.default_rng(seed), np.arange(count), draws, min(size, count))
    assert sets.shape == (draws, min(size, count))
    assert np.ptp(np.bincount(sets.ravel(), minlength=count)) <= 1


assert len(T) == N
assert FS == 32.0
