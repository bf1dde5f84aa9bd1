"""Every transform again as an explicit sum, without an FFT, an overlap-add or autograd.

A synthesis is written as x = Re(Σ_k S_k c_k), columns S_k from the definition. Then coefficient k
gets Re(c_k ⟨S_k, ḡ⟩), which needs no convention for adjoints of complex maps.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from freqig.domains import ICA, RFFT, STFT, FilterBank, Segments, Spatial, Time, ready

from ..helpers import close, noise

LENGTHS = (1, 2, 3, 8, 13, 16)
FS = 8.0


def spectrum(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Analysis (n_freq, n) and synthesis (n, n_freq) of the one-sided spectrum, from the definition."""
    k, t = np.arange(n // 2 + 1), np.arange(n)
    wave = np.exp(2j * np.pi * np.outer(t, k) / n)
    # Each frequency stands for itself and its mirror image; DC and, n even, Nyquist have none.
    counts = np.array([1.0 if 2 * i % n == 0 else 2.0 for i in k])
    return wave.conj().T, wave * counts / n


def attributions(S: np.ndarray, c: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    return (c * (gradient @ S)).real


def ours(domain: object, delta: np.ndarray, gradient: np.ndarray, fs: float | None = FS) -> np.ndarray:
    """Attributions of one series (n,) or one multi-channel series (channels, n)."""
    batch = torch.from_numpy(delta)[None]
    (bound,) = ready([domain], batch, torch.zeros_like(batch), fs)
    return bound.attribution(batch, torch.from_numpy(gradient)[None])[0].numpy()


@pytest.mark.parametrize("n", LENGTHS)
def test_rfft(n: int) -> None:
    delta, gradient = noise(n), noise(n, seed=1)
    A, S = spectrum(n)
    close((S @ (A @ delta)).real, delta, 1e-12)
    close(ours(RFFT(), delta, gradient), attributions(S, A @ delta, gradient), 1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_rfft_of_pure_waves(n: int) -> None:
    """DC counts once, Nyquist once with alternating signs, the others twice: a common slip each."""
    t = np.arange(n)
    for k in range(n // 2 + 1):
        wave = np.cos(2 * np.pi * k * t / n)
        expected = np.zeros(n // 2 + 1)
        expected[k] = wave @ wave
        values = ours(RFFT(), wave, wave)
        np.testing.assert_allclose(values, expected, atol=1e-12 * n)
    if n % 2 == 0:
        alternating = np.where(t % 2 == 0, 1.0, -1.0)
        assert ours(RFFT(), alternating, alternating)[-1] == pytest.approx(n)
        # A row of ones in the place of alternating signs would give n here.
        assert ours(RFFT(), alternating, np.ones(n))[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_one_sided_is_the_sum_of_both_sides(n: int) -> None:
    """The two-sided spectrum integrated in full, its negative frequencies folded on the positive."""
    delta, gradient = noise(n), noise(n, seed=1)
    t = np.arange(n)
    wave = np.exp(2j * np.pi * np.outer(t, t) / n)
    both = attributions(wave / n, wave.conj().T @ delta, gradient)
    folded = np.array([both[k] + (both[n - k] if 0 < k < n - k else 0) for k in range(n // 2 + 1)])
    close(ours(RFFT(), delta, gradient), folded, 1e-12)
    assert both.sum() == pytest.approx(delta @ gradient, abs=1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_time(n: int) -> None:
    delta, gradient = noise(3, n), noise(3, n, seed=1)
    close(ours(Time(), delta, gradient), delta * gradient, 1e-15)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize(
    ("window", "hop", "taper"),
    [(0.5, None, "hann"), (0.5, 0.125, "hann"), (0.625, 0.375, "hamming"), (0.375, 0.375, "boxcar")],
)
def test_stft(n: int, window: float, hop: float | None, taper: str) -> None:
    length = round(window * FS)
    step = round(hop * FS) if hop else length // 2
    phase = 2 * np.pi * np.arange(length) / length
    w = {
        "hann": 0.5 - 0.5 * np.cos(phase),
        "hamming": 0.54 - 0.46 * np.cos(phase),
        "boxcar": np.ones(length),
    }[taper]
    A, S = spectrum(length)
    centres = np.arange(0, n - 1 + step, step)
    columns, rows = [], []
    coverage = np.zeros(n)
    for centre in centres:
        place = np.zeros((n, length))
        for i in range(length):
            t = centre - length // 2 + i
            if 0 <= t < n:
                place[t, i] = 1
        rows.append(A @ np.diag(w) @ place.T)
        columns.append(place @ np.diag(w) @ S)
        coverage += place @ w**2
    assert coverage.min() > 0.01
    analysis = np.concatenate(rows)
    synthesis = np.concatenate(columns, 1) / coverage[:, None]
    close((synthesis @ analysis).real, np.eye(n), 1e-12)
    delta, gradient = noise(n), noise(n, seed=1)
    expected = attributions(synthesis, analysis @ delta, gradient).reshape(len(centres), -1).T
    close(ours(STFT(window, hop, taper), delta, gradient), expected, 1e-12)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("size", [1, 3, 5, 8])
def test_segments(n: int, size: int) -> None:
    """Blocks of the transform; the remainder's frequencies stand where they belong in Hz."""
    size_used = min(size, n)
    delta, gradient = noise(n), noise(n, seed=1)
    grid = np.arange(size_used // 2 + 1) * FS / size_used
    expected = np.full((-(-n // size_used), len(grid)), np.nan)
    for row, start in enumerate(range(0, n, size_used)):
        stretch = slice(start, min(start + size_used, n))
        length = stretch.stop - start
        A, S = spectrum(length)
        values = attributions(S, A @ delta[stretch], gradient[stretch])
        for k, value in enumerate(values):
            expected[row, np.abs(grid - k * FS / length).argmin()] = value
    values = ours(Segments(size / FS), delta, gradient)
    np.testing.assert_array_equal(np.isnan(values), np.isnan(expected))
    close(np.nan_to_num(values), np.nan_to_num(expected), 1e-12)
    assert np.nansum(values) == pytest.approx(delta @ gradient, abs=1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_filterbank(n: int) -> None:
    """Each band by a circulant matrix with gains √H at both sides, negative frequencies included."""
    frequency = np.abs(np.fft.fftfreq(n, 1 / FS))
    rise = np.clip((frequency - 2) / 0.5, -1, 1)
    upper = (1 + np.sin(np.pi / 2 * rise)) / 2
    wave = np.exp(2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
    delta, gradient = noise(n), noise(n, seed=1)
    expected = []
    for H in (1 - upper, upper):
        root = (wave * np.sqrt(H) / n @ wave.conj().T).real
        expected.append((root @ delta) * (gradient @ root))
    close(ours(FilterBank({"slow": (0, 2)}), delta, gradient), np.stack(expected), 1e-12)


@pytest.mark.parametrize("n", [1, 8, 13])
def test_maps_over_channels(n: int) -> None:
    delta, gradient = noise(3, n), noise(3, n, seed=1)
    square, tall, mixing = noise(3, 3, seed=2), noise(5, 3, seed=3), noise(3, 2, seed=4)
    for matrix in (square, tall):
        left_inverse = np.linalg.inv(matrix.T @ matrix) @ matrix.T
        expected = (matrix @ delta) * (left_inverse.T @ gradient)
        close(ours(Spatial(matrix), delta, gradient), expected, 1e-12)
    unmixing = np.linalg.inv(mixing.T @ mixing) @ mixing.T
    sources = unmixing @ delta
    residual = (delta - mixing @ sources) * gradient
    expected = np.vstack([sources * (mixing.T @ gradient), residual.sum(0)])
    close(ours(ICA(mixing), delta, gradient), expected, 1e-12)
    A, S = spectrum(n)
    by_channel = [
        attributions(S, A @ one, other) for one, other in zip(delta - mixing @ sources, gradient, strict=True)
    ]
    by_source = [
        attributions(S, A @ one, other) for one, other in zip(sources, mixing.T @ gradient, strict=True)
    ]
    expected = np.stack([*by_source, np.sum(by_channel, 0)])
    close(ours(ICA(mixing) >> RFFT(), delta, gradient), expected, 1e-12)
