"""Short-time Fourier transform: coverage, coordinates, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from freqig.domains import STFT
from freqig.domains.windows import TAPERS

from .every import tensor


@pytest.mark.parametrize("n", [1, 2, 5, 31, 32, 33, 100, 1000, 1001])
@pytest.mark.parametrize(
    ("taper", "window"),
    [(taper, window) for taper in TAPERS for window in (3, 16, 31, 32)]
    # Other tapers of one or two samples are zero where they meet.
    + [(taper, window) for taper in ("boxcar", "hamming") for window in (1, 2)],
)
def test_every_sample_comes_back(n: int, taper: str, window: int) -> None:
    """Tails, odd lengths and series shorter than the window included, to 1e-13."""
    x = tensor(2, n)
    for hop in {1, max(1, window // 4), max(1, window // 2)}:
        stft = STFT(window, hop, taper).bind((n,), fs=1.0)
        back = stft.synthesize(stft.analyze(x), n)
        assert float((back - x).abs().max()) <= 1e-13


def test_impulses_at_the_ends_are_attributed() -> None:
    """No NaN and no hole at the tails: an impulse on any sample gets all of its attribution."""
    n = 37
    stft = STFT(1.0, hop=0.4).bind((n,), fs=16.0)
    impulses = torch.eye(n, dtype=torch.float64)
    totals = stft.attribution(impulses, impulses).sum((-1, -2))
    assert float((totals - 1).abs().max()) <= 1e-13


def test_frames_are_those_of_scipy() -> None:
    """Coefficients in the interior, at the same centre times, by scipy's own transform."""
    n, fs, length, step = 200, 50.0, 32, 8
    x = tensor(n)
    stft = STFT(length / fs, step / fs).bind((n,), fs)
    reference = ShortTimeFFT(hann(length, sym=False), step, fs)
    slices = reference.stft(x.numpy())
    times, unit = stft.coords(n, fs)["time"]
    frequencies, _ = stft.coords(n, fs)["frequency"]
    shared, mine, theirs = np.intersect1d(
        np.round(times, 9), np.round(reference.t(n), 9), return_indices=True
    )
    assert unit == "s"
    assert len(shared) == len(times)
    np.testing.assert_allclose(frequencies, reference.f)
    # Phases are counted from other points of the window; magnitudes are the same.
    magnitude = stft.analyze(x)[:, mine].abs().numpy()
    np.testing.assert_allclose(magnitude, np.abs(slices[:, theirs]), rtol=0, atol=1e-12)


def test_a_burst_is_found_where_it_is() -> None:
    fs, n = 100.0, 1000
    t = torch.arange(n, dtype=torch.float64) / fs
    burst = torch.exp(-(((t - 6.0) / 0.4) ** 2)) * torch.sin(2 * torch.pi * 12 * t)
    stft = STFT(1.0).bind((n,), fs)
    values = stft.attribution(burst + 0.1 * tensor(n), burst)
    coords = stft.coords(n, fs)
    k, j = np.unravel_index(int(values.argmax()), values.shape)
    assert coords["frequency"][0][k] == 12
    assert coords["time"][0][j] == 6.0
    inside = values[10:15][:, np.abs(coords["time"][0] - 6) <= 1].sum() / values.sum()
    assert float(inside) > 0.99


def test_times_run_from_the_first_sample_past_the_last() -> None:
    times, _ = STFT(2.0).bind((1050,), 100.0).coords(1050, 100.0)["time"]
    np.testing.assert_allclose(times, np.arange(0, 12.0))


@pytest.mark.parametrize(
    ("window", "hop", "taper"),
    [
        (1.0, 1.0, "hann"),  # adjacent frames, and zero where they meet
        (1.0, 2.0, "boxcar"),  # gaps between frames
        (1.0, 1.5, "hamming"),
        (1.0, 0.5, np.zeros(16)),
    ],
)
def test_what_cannot_be_inverted_is_refused(window: float, hop: float, taper: object) -> None:
    with pytest.raises(
        ValueError, match=r"hop of domain 'stft' must be so small .* samples where all tapers"
    ):
        STFT(window, hop, taper).bind((100,), fs=16.0)


def test_given_tapers() -> None:
    x = tensor(50)
    by_name = STFT(1.0).bind((50,), 16.0)
    for taper in (
        hann(16, sym=False),
        hann(16, sym=False).tolist(),
        lambda length: hann(length, sym=False),
        torch.hann_window(16, dtype=torch.float64),
    ):
        other = STFT(1.0, taper=taper).bind((50,), 16.0)
        torch.testing.assert_close(other.analyze(x), by_name.analyze(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: STFT(0.0), "window must be finite and above 0"),
        (lambda: STFT(1.0, hop=-1.0), "hop must be finite and above 0"),
        (lambda: STFT(taper="han"), r"taper must be one of 'bartlett', .* got 'han'"),
        (lambda: STFT(taper=[[1.0]]), "taper must be a series of finite real numbers"),
        (lambda: STFT(taper=[1.0, np.nan]), "NaN"),
        (
            lambda: STFT(1.0, taper=[1.0]).bind((9,), 16.0),
            "as many values as .* samples, 16, got 1",
        ),
        (lambda: STFT().bind((9,), None), "pass fs= in Hz"),
        (lambda: STFT(0.01).bind((9,), 16.0), "at least one sample, 0.0625 s at fs=16 Hz, got 0.01 s"),
        (lambda: STFT().analyze(torch.ones(9)), "must be bound"),
    ],
)
def test_errors(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
