"""Orders of shafts whose speed differs from sample to sample, against gears whose closed form is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from freqig import ICA, RFFT, STFT, Envelope, Explainer, FilterBank, Time, baselines, plots, resynthesize
from freqig.domains.turns import Grid, Turns

from ..helpers import noise

FS, N = 1000.0, 800
TIME = np.arange(N) / FS
SPEEDS = np.stack([8 + 8 * TIME / TIME[-1], 18 - 9 * TIME / TIME[-1], np.full(N, 11.0), 9 + 3 * np.sin(TIME)])
STEPS = np.cumsum((SPEEDS[:, 1:] + SPEEDS[:, :-1]) / 2 / FS, axis=1)
ANGLES = np.concatenate([np.zeros((len(SPEEDS), 1)), STEPS], axis=1)
TEETH = 10


def meshing(order: float = TEETH) -> np.ndarray:
    """Gears that mesh, one tooth after another, at the speed of each sample."""
    return np.cos(2 * np.pi * order * ANGLES)


def explain(domains: Any, x: Any, **how: Any) -> Any:
    baseline = how.pop("baseline", None)
    power = lambda x: x.square().flatten(1).sum(1, keepdim=True)
    explainer = Explainer(power, fs=FS, domains=domains, **{"dtype": torch.float64, "n_steps": 4} | how)
    return explainer(x, target=0, baseline=baseline)


def strongest(found: Any) -> np.ndarray:
    dim = found.dims[-1]
    return np.asarray(found[dim].values[found.argmax(dim).values])


def test_the_order_of_a_gear_stays_where_its_frequency_moves() -> None:
    x = meshing()
    result = explain([RFFT(), RFFT("orders", orders=SPEEDS), Time()], x)
    width = 1 / ANGLES[:, -1].max()
    np.testing.assert_allclose(strongest(result.orders), TEETH, atol=width)
    # In Hz the frequency of meshing differs from sample to sample, and runs through many of them besides.
    assert np.ptp(strongest(result.rfft)) > 20
    assert float((result.rfft[:2].max("frequency") / result.rfft[:2].sum("frequency")).max()) < 0.2
    near = abs(result.orders_frequency - TEETH) < 2 / ANGLES[:, -1].min()
    share = result.orders.where(near).sum("orders_frequency") / result.orders.sum("orders_frequency")
    assert float(share.min()) > 0.9
    np.testing.assert_allclose(result.orders.sum("orders_frequency"), result.waveform.sum("time"), rtol=1e-9)


def test_one_speed_per_sample_and_one_track_for_all_are_the_same_transform() -> None:
    x = noise(3, 2, N)
    one = explain(RFFT(orders=np.array([[12.0], [12.0], [12.0]])), x)
    track = explain(RFFT(orders=np.full(N, 12.0)), x)
    np.testing.assert_allclose(one.frequency, track.frequency)
    np.testing.assert_allclose(one.rfft, track.rfft, rtol=1e-9, atol=1e-12)


def test_orders_of_a_sample_do_not_depend_on_where_it_stands() -> None:
    x, order = meshing() + 0.1 * noise(4, N), [2, 0, 3, 1]
    there = explain(RFFT(orders=SPEEDS), x)
    turned = explain(RFFT(orders=SPEEDS[order]), x[order])
    np.testing.assert_allclose(turned.rfft, there.rfft[order], rtol=1e-9, atol=1e-12)


def test_frames_of_each_shaft() -> None:
    """As those of its own track; where shafts make other numbers of turns, over turns of the longest."""
    x = meshing() + 0.1 * noise(4, N)
    result = explain([STFT(0.2, orders=SPEEDS), Time()], x)
    inner = result.stft.isel(stft_time=slice(1, 4))
    strongest = inner.stft_frequency.values[inner.argmax("stft_frequency")]
    np.testing.assert_allclose(strongest, TEETH, atol=float(result.stft_frequency[1]))
    np.testing.assert_allclose(
        result.stft.sum(["stft_frequency", "stft_time"]), result.waveform.sum("time"), rtol=1e-9
    )
    most = int(ANGLES[:, -1].argmax())
    assert result.stft_time.attrs["units"] == "turns"
    beyond = float(result.stft_time[-1]) - ANGLES[most, -1]
    assert 0 <= beyond <= 1.001 * float(result.stft_time[1])
    alone = explain(STFT(0.2, orders=SPEEDS[most]), x[most : most + 1])
    assert alone.stft_time.attrs["units"] == "s"
    # Angles next to one another, and so frames in samples of them, are those of the slowest shaft.
    assert float(alone.stft_frequency[1]) == pytest.approx(float(result.stft_frequency[1]), rel=1e-2)
    turned = explain(ICA(np.eye(1)) >> STFT(0.2, orders=SPEEDS[::-1]), x[::-1, None])
    np.testing.assert_allclose(turned.ica_stft[:, 0], result.stft[::-1], atol=1e-9)
    assert plots.spectrogram(result, 2).get_xlabel() == "angle (turns)"


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_rows_are_matrices_of_their_own(n: int) -> None:
    """Each sample resampled by numpy, zeros behind it, and fitted back by a dense solve."""
    speed = np.stack([5 + 4.5 * np.sin(np.arange(n) / 3), np.full(n, 12.0)])
    grid = Grid.of(speed, n, 100.0, "rfft")
    turns = Turns.of(speed, grid, n, 100.0)
    eye = torch.eye(n, dtype=torch.float64)
    for row in range(2):
        own = Turns(*(one[row : row + 1] for one in turns.tensors), n)
        R = own.over_angle(eye).numpy().T
        steps = np.append((speed[row, 1:] + speed[row, :-1]) / 2, speed[row, -1]) / 100
        angle = np.append(0, np.cumsum(steps))
        at = np.arange(grid.count) * grid.turns / grid.count
        wanted = np.stack([np.interp(at, angle, np.append(e, e[0]), right=0) for e in eye.numpy()], 1)
        np.testing.assert_allclose(R, wanted, atol=1e-9)
        W = np.diag(own.weight[0].numpy())
        S = own.in_time(torch.eye(grid.count, dtype=torch.float64)).numpy().T
        np.testing.assert_allclose(S, np.linalg.solve(R.T @ W @ R, R.T @ W), atol=1e-12)
        np.testing.assert_allclose(S @ R, np.eye(n), atol=1e-12)


def test_the_envelope_spectrum_of_each_bearing() -> None:
    x = (1 + 0.8 * np.cos(2 * np.pi * 3.6 * ANGLES)) * np.cos(2 * np.pi * 300 * TIME) + 0.05 * noise(4, N)
    domain = Envelope(200, 400) >> RFFT(orders=SPEEDS)
    result = explain(domain, x, baseline=baselines.flat_envelope(200, 400), n_steps=8)
    found = result.envelope_rfft.sel(envelope_row="envelope")
    np.testing.assert_allclose(strongest(found), 3.6, atol=1 / ANGLES[:, -1].min())
    rise = result.output - result.baseline_output + result.completeness_gap
    np.testing.assert_allclose(result.envelope_rfft.sum(["envelope_row", "frequency"]), rise, rtol=1e-6)


def test_several_baselines_targets_and_nodes() -> None:
    """Rows go with their samples wherever these are blocked, repeated or left out."""
    x, net = (
        meshing() + 0.1 * noise(4, N),
        torch.nn.Sequential(torch.nn.Linear(N, 6), torch.nn.Tanh()).double(),
    )
    domains = [RFFT("orders", orders=SPEEDS), FilterBank({"low": (0, 100)})]
    starts = baselines.data(0.5 * noise(3, N))
    for how in ({"n_steps": 3}, {"tol": 0.1}):
        explainer = Explainer(net, fs=FS, domains=domains, dtype=torch.float64, **how)
        result = explainer(x, target="all", baseline=starts)
        total = result.orders.sum("orders_frequency")
        np.testing.assert_allclose(total, result.filterbank.sum(["filterbank_band", "time"]), atol=1e-9)


def test_the_part_that_is_locked_to_each_shaft() -> None:
    x = meshing() + np.cos(2 * np.pi * 333 * TIME)
    domain = RFFT(orders=SPEEDS)
    explainer = Explainer(
        lambda x: x.square().sum(-1, keepdim=True), fs=FS, domains=domain, dtype=torch.float64
    )
    result = explainer(x, target=0)
    part = resynthesize(result, {"gear": (9.0, 11.0)}, explainer=explainer)
    inner = slice(80, -80)
    for found, wanted in zip(part.values, meshing(), strict=True):
        assert np.corrcoef(found[inner], wanted[inner])[0, 1] > 0.97
    with pytest.raises(ValueError, match="pass the explainer="):
        resynthesize(result, {"gear": (9.0, 11.0)})


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (SPEEDS[:3], "domain 'rfft' must have a row per sample, so 4, got 3"),
        (SPEEDS[:, :-1], "one speed per time sample, 800, got 799"),
        (SPEEDS[:, 0], r"one speed per time sample, 800, got 4: .* as speeds\[:, None\]"),
        (
            np.where(np.arange(N) == 7, 0, SPEEDS),
            "above 0 Hz throughout, got 0 Hz at time sample 7 of sample 0",
        ),
        (-SPEEDS, "above 0 Hz throughout"),
        (np.stack([SPEEDS]), r"a row per sample, .* got shape \(1, 4, 800\)"),
        ([[1.0], [100.0], [1.0], [1.0]], "lowest speed of at least 1/32 of the largest mean of a sample"),
        (SPEEDS[:0], r"got shape \(0, 800\)"),
    ],
)
def test_speeds_that_do_not_fit(orders: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explain(RFFT(orders=orders), meshing())


def test_no_sampling_rate() -> None:
    with pytest.raises(ValueError, match="the sampling rate must be known: pass fs="):
        Explainer(lambda x: x.sum(-1, keepdim=True), domains=RFFT(orders=SPEEDS))(meshing())
