"""Orders of a shaft: an axis relabelled, and series resampled over the angle by an explicit matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from freqig import (
    ICA,
    RFFT,
    STFT,
    Envelope,
    Explainer,
    Time,
    bands,
    bands_around,
    baselines,
    bearing_frequencies,
    plots,
)
from freqig.domains.turns import Grid, Turns

from ..helpers import noise

FS, N = 1000.0, 2000
TIME = np.arange(N) / FS
RUN_UP = 20 + 10 * TIME / TIME[-1]
ANGLE = np.concatenate([[0.0], np.cumsum((RUN_UP[1:] + RUN_UP[:-1]) / 2 / FS)])


def explain(domains: Any, x: np.ndarray, model: Any = None, **how: Any) -> Any:
    power = lambda x: x.square().flatten(1).sum(1, keepdim=True)
    explainer = Explainer(model or power, fs=FS, domains=domains, dtype=torch.float64, n_steps=4, **how)
    return explainer(x, target=0)


def test_one_speed_divides_the_axis() -> None:
    x = noise(2, 3, 200)
    result = explain([RFFT(), RFFT("orders", orders=12.5)], x)
    np.testing.assert_array_equal(result.rfft.values, result.orders.values)
    np.testing.assert_allclose(result.orders_frequency, result.frequency / 12.5)
    assert result.orders_frequency.attrs["units"] == "orders"
    alone = explain(RFFT(orders=12.5), x)
    assert alone.rfft.dims == ("sample", "channel", "frequency")
    assert alone.frequency.attrs["units"] == "orders"


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40, 101])
@pytest.mark.parametrize("depth", [0.0, 0.5, 4.5])
def test_resampling_and_its_inverse_as_matrices(n: int, depth: float) -> None:
    """Linear interpolation over the angle by numpy, and weighted least squares by a dense solve."""
    speed = 5 + depth * np.sin(np.arange(n) / 3)
    grid = Grid.of(speed, n, 100.0, "rfft")
    turns = Turns.of(speed, grid, n, 100.0)
    eye = torch.eye(n, dtype=torch.float64)
    R = turns.over_angle(eye).numpy().T
    m = len(R)
    steps = np.append((speed[1:] + speed[:-1]) / 2, speed[-1]) / 100
    angle = np.append(0, np.cumsum(steps))
    at = np.arange(m) * angle[-1] / m
    by_numpy = np.stack([np.interp(at, angle, np.append(row, row[0])) for row in eye.numpy()], 1)
    np.testing.assert_allclose(R, by_numpy, atol=1e-9)
    assert np.diff(at).max(initial=0) <= steps.min() / 2 * (1 + 1e-12)
    # Each angle stands for the time that the shaft takes for a step of it.
    W = np.diag(angle[-1] / m / steps[np.minimum(np.searchsorted(angle, at, "right") - 1, n - 1)])
    S = turns.in_time(torch.eye(m, dtype=torch.float64)).numpy().T
    np.testing.assert_allclose(S, np.linalg.solve(R.T @ W @ R, R.T @ W), atol=1e-12)
    np.testing.assert_allclose(S @ R, np.eye(n), atol=1e-12)
    assert grid.turns == pytest.approx(angle[-1])


@pytest.mark.parametrize("order", [1.0, 3.0, 8.2])
def test_what_is_locked_to_the_shaft_is_one_line_while_it_speeds_up(order: float) -> None:
    x = np.cos(2 * np.pi * order * ANGLE)[None]
    result = explain([RFFT(), RFFT("orders", orders=RUN_UP), Time()], x)
    found = result.orders[0]
    near = abs(found.orders_frequency - order) < 1.5 / ANGLE[-1]
    assert float(found.where(near).sum() / found.sum()) > 0.99
    # In Hz it is smeared over the run-up.
    largest = float(abs(result.rfft).max() / abs(result.rfft).sum())
    assert largest < 0.2 * float(abs(found).max() / abs(found).sum())
    np.testing.assert_allclose(found.sum(), result.waveform.sum(), rtol=1e-9)


def test_amplitudes_are_right_up_to_a_quarter_of_the_rate() -> None:
    """A track that hardly varies, so that the closed form of a tone holds: its power is at its order."""
    speed = np.full(N, 25.0)
    speed[::2] *= 1 + 1e-9
    for frequency, tolerance in ((50.0, 1e-3), (125.0, 3e-3), (250.0, 0.02)):
        x = np.cos(2 * np.pi * frequency * TIME)[None]
        found = explain(RFFT(orders=speed), x).rfft[0]
        at = found.sel(frequency=frequency / 25, method="nearest")
        assert float(at) == pytest.approx(N / 2, rel=tolerance)


def test_the_envelope_spectrum_in_orders() -> None:
    """A bearing that knocks at an order while the shaft speeds up."""
    order = bearing_frequencies(n_balls=9, ball_diameter=7.94, pitch_diameter=39.04)["BPFO"]
    x = ((1 + np.cos(2 * np.pi * order * ANGLE)) * np.cos(2 * np.pi * 300 * TIME) + 0.1 * noise(N))[None]
    spectrum = Envelope(200, 400) >> RFFT(orders=RUN_UP)
    flat = baselines.flat_envelope(200, 400)
    fourth = lambda x: x.pow(4).sum(-1, keepdim=True)
    result = Explainer(fourth, fs=FS, domains=spectrum, dtype=torch.float64)(x, target=0, baseline=flat)
    found = result.envelope_rfft.sel(envelope_row="envelope")
    assert float(found.frequency[found.values[0].argmax()]) == pytest.approx(order, abs=1 / ANGLE[-1])
    summed = bands(result[["envelope_rfft"]], bands_around({"BPFO": order}, 0.2, harmonics=2))
    share = summed.envelope_rfft.sel(band="BPFO").sum() / summed.envelope_rfft.sum()
    assert float(share) > 0.8
    assert summed.band_low.attrs["units"] == "orders"


def test_frames_of_one_speed_divide_the_axis() -> None:
    x = noise(2, 3, 200)
    result = explain([STFT(0.1), STFT(0.1, name="orders", orders=12.5)], x)
    np.testing.assert_array_equal(result.stft.values, result.orders.values)
    np.testing.assert_allclose(result.orders_frequency, result.stft_frequency / 12.5)
    np.testing.assert_array_equal(result.orders_time, result.stft_time)
    assert result.orders_frequency.attrs["units"] == "orders"


@pytest.mark.parametrize("order", [3.0, 8.2])
def test_frames_over_the_angle_show_a_level_line_while_the_shaft_speeds_up(order: float) -> None:
    x = np.cos(2 * np.pi * order * ANGLE)[None]
    result = explain([STFT(0.25), STFT(0.25, name="orders", orders=RUN_UP), Time()], x)
    inner = result.orders[0].isel(orders_time=slice(1, -2))
    strongest = inner.orders_frequency.values[inner.argmax("orders_frequency")]
    np.testing.assert_allclose(strongest, order, atol=float(result.orders_frequency[1]))
    in_hertz = result.stft[0].isel(stft_time=slice(1, -2))
    assert np.ptp(in_hertz.stft_frequency.values[in_hertz.argmax("stft_frequency")]) >= order * 7
    np.testing.assert_allclose(result.orders.sum(), result.waveform.sum(), rtol=1e-9)
    # Frames of equal numbers of turns, at the times when the shaft has made them.
    turns = np.interp(result.orders_time, TIME, ANGLE)
    np.testing.assert_allclose(np.diff(turns[:-1]), 0.125 * ANGLE[-1] / TIME[-1], rtol=5e-3)
    assert (np.diff(result.orders_time) > 0).all()
    panel = plots.spectrogram(result, name="orders", max_frequency=12)
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("time (s)", "frequency (orders)")


def test_figures_are_in_orders() -> None:
    result = explain(RFFT(orders=25.0), np.cos(2 * np.pi * 75 * TIME)[None])
    frequencies = bearing_frequencies(n_balls=8, ball_diameter=15, pitch_diameter=70)
    edges = bands_around({"third": 3.0}, 0.5)
    axes = plots.spectrum(result, markers=frequencies, bands=edges, max_frequency=8, signal=False)
    below = np.atleast_1d(np.asarray(axes, dtype=object))[-1]
    assert below.get_xlabel().startswith("frequency (orders)")
    assert {"BPFO", "third"} <= {text.get_text() for text in below.texts}
    for preset in ("sleep", "octave"):
        with pytest.raises(ValueError, match=r"bands are in Hz, .* got 'orders'"):
            plots.spectrum(result, bands=preset, signal=False)


def test_published_bearings() -> None:
    """SKF 6205-2RS and 6203-2RS as the bearing data center of Case Western Reserve University lists them."""
    inch = {"6205": (9, 0.3126, 1.537), "6203": (8, 0.2656, 1.122)}
    # Inner ring, outer ring, cage, and twice the spin, in multiples of the shaft.
    listed = {"6205": (5.4152, 3.5848, 0.39828, 4.7135), "6203": (4.9469, 3.0530, 0.3817, 3.9874)}
    for name, (n, ball, pitch) in inch.items():
        found = bearing_frequencies(n_balls=n, ball_diameter=ball, pitch_diameter=pitch)
        ours = (found["BPFI"], found["BPFO"], found["FTF"], 2 * found["BSF"])
        np.testing.assert_allclose(ours, listed[name], rtol=2e-3)
    tilted = bearing_frequencies(n_balls=9, ball_diameter=1, pitch_diameter=5, contact_angle=60, shaft=30)
    straight = bearing_frequencies(n_balls=9, ball_diameter=0.5, pitch_diameter=5, shaft=30)
    assert tilted["BPFO"] == pytest.approx(straight["BPFO"])
    assert tilted["BPFO"] + tilted["BPFI"] == pytest.approx(9 * 30)
    assert tilted["FTF"] * 9 == pytest.approx(tilted["BPFO"])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_balls": 1}, ValueError, "n_balls must be at least 2"),
        ({"n_balls": 8.5}, TypeError, "n_balls"),
        ({"n_balls": 40}, ValueError, "n_balls must be so few that elements of 8 fit on a circle of 40"),
        ({"ball_diameter": 0.0}, ValueError, "ball_diameter must be finite and above 0"),
        ({"ball_diameter": 50.0}, ValueError, "ball_diameter must be below pitch_diameter"),
        ({"contact_angle": 90.0}, ValueError, "contact_angle must be in 0..90 degrees"),
        ({"shaft": -1.0}, ValueError, "shaft must be finite and above 0"),
    ],
)
def test_geometry_is_checked(change: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        bearing_frequencies(**{"n_balls": 9, "ball_diameter": 8, "pitch_diameter": 40, **change})


def test_bands_around_frequencies() -> None:
    found = bands_around({"a": 10.0, "b": 14.0}, 2.0, harmonics=2)
    assert found == {"a": (9, 11), "2×a": (19, 21), "b": (13, 15), "2×b": (27, 29)}
    for frequencies, width, harmonics, message in (
        ({"a": 10.0, "b": 11.0}, 2.0, 1, r"neither overlap .* for a \(10\) and b \(11\)"),
        ({"a": 10.0, "b": 20.5}, 2.0, 2, r"for 2×a \(20\) and b \(20.5\)"),
        ({"a": 1.0}, 2.5, 1, "nor reach below 0, got 2.5"),
        ({"a": 1.0}, 0.0, 1, "width must be finite and above 0"),
        ({"a": -1.0}, 1.0, 1, r"frequencies\['a'\] must be finite and above 0"),
        ({"a": 1.0}, 1.0, 0, "harmonics must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            bands_around(frequencies, width, harmonics)
    with pytest.raises(TypeError, match="frequencies"):
        bands_around([107], 1.0)
    with pytest.raises(ValueError, match=r"frequencies must be a mapping .*got none"):
        bands_around({}, 1.0)


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (0.0, "orders must be finite and above 0"),
        (float("nan"), "orders must be finite and above 0"),
        (np.zeros(N), "orders must be finite and above 0 Hz throughout"),
        (np.append(np.ones(N - 1), np.nan), "orders must be finite and above 0 Hz throughout"),
        (np.ones((1, 2, N)), r"a row per sample, .*, got shape \(1, 2, 2000\)"),
        (np.ones(N - 1), "must be one speed per time sample, 2000, got 1999"),
        (np.append(np.full(N - 1, 100.0), 1.0), "lowest speed of at least 1/32 of the mean, got 1 to 100 Hz"),
    ],
)
def test_speeds_are_checked(orders: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RFFT(orders=orders).bind((N,), FS)


def test_errors() -> None:
    for orders in (25.0, RUN_UP):
        with pytest.raises(ValueError, match="the sampling rate must be known: pass fs="):
            Explainer(lambda x: x.sum(-1, keepdim=True), domains=RFFT(orders=orders))(noise(1, N))
    with pytest.raises(TypeError, match="orders must be the speed of the shaft in Hz"):
        RFFT(orders=True)
    with pytest.raises(ValueError, match="engine='captum' explains in RFFT"):
        explain(RFFT(orders=RUN_UP), noise(1, N), engine="captum")
    # One Hz makes equal numbers of another unit.
    with pytest.raises(ValueError, match="both have a dimension 'frequency', with different coordinates"):
        explain([ICA(np.eye(2)) >> RFFT(), RFFT(orders=1.0)], noise(1, 2, N))
