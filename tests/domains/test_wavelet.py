"""Wavelets: PyWavelets' own numbers, explicit matrices, places in time and frequency, refusals."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import freqig
from freqig.domains import ICA, Time, Wavelet, ready
from freqig.domains.wavelet import MODES

from ..helpers import close, noise, seeded
from .every import tensor

ptwt = pytest.importorskip("ptwt")
pywt = pytest.importorskip("pywt")

# PyWavelets warns of levels at which every coefficient is boundary; here it is the boundary that counts.
pytestmark = pytest.mark.filterwarnings("ignore:Level value of:UserWarning")

# Filters that PyWavelets holds to full precision; others are printed to twelve digits or so.
EXACT = ("haar", "db2", "db4", "db7", "coif3", "bior2.2", "rbio3.1")


def made(domain: Wavelet, n: int, channels: int = 1, fs: float | None = 16.0) -> Wavelet:
    x = tensor(2, channels, n)
    (bound,) = ready([domain], x, torch.zeros_like(x), fs)
    return bound


def coefficients(signal: np.ndarray, wavelet: str, level: int, mode: str) -> np.ndarray:
    """PyWavelets' coefficients, coarse to fine, end to end."""
    return np.concatenate(pywt.wavedec(signal, wavelet, mode, level))


def matrices(n: int, wavelet: str, level: int, mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Analysis and synthesis by PyWavelets, one unit vector after another."""
    analysis = np.stack([coefficients(e, wavelet, level, mode) for e in np.eye(n)], 1)
    shapes = [len(c) for c in pywt.wavedec(np.zeros(n), wavelet, mode, level)]
    units = (np.split(e, np.cumsum(shapes)[:-1]) for e in np.eye(sum(shapes)))
    return analysis, np.stack([pywt.waverec(unit, wavelet, mode)[:n] for unit in units], 1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("n", "level"), [(16, 1), (17, 2), (23, 3)])
@pytest.mark.parametrize("wavelet", ["haar", "db2", "bior2.2"])
def test_attributions_by_explicit_matrices(wavelet: str, n: int, level: int, mode: str) -> None:
    analysis, synthesis = matrices(n, wavelet, level, mode)
    close(synthesis @ analysis, np.eye(n), 1e-12)
    delta, gradient = noise(3, n), noise(3, n, seed=1)
    domain = made(Wavelet(wavelet, level, mode), n, 3)
    values = domain.attribution(*map(torch.from_numpy, (delta, gradient))).numpy()
    expected = (delta @ analysis.T) * (gradient @ synthesis)
    close(values[~np.isnan(values)].reshape(3, -1), expected, 1e-12)
    # Rows are filled from the left, and the finest is full.
    counts = (~np.isnan(values[0])).sum(-1)
    shapes = [len(c) for c in pywt.wavedec(np.zeros(n), wavelet, mode, level)]
    assert counts.tolist() == shapes
    assert all(np.isfinite(values[:, i, :count]).all() for i, count in enumerate(counts))


@pytest.mark.parametrize("n", [1, 2, 7, 16, 33])
@pytest.mark.parametrize("wavelet", ["haar", "db4", "coif3"])
@pytest.mark.parametrize("packets", [False, True])
def test_orthogonal_wavelets_are_a_tight_frame(n: int, wavelet: str, packets: bool) -> None:
    """Continued by zeros, what a wavelet finds in δ times what it finds in the mean gradient."""
    delta, gradient = tensor(2, n), tensor(2, n, seed=1)
    domain = made(Wavelet(wavelet, packets=packets), n)
    found = [domain.analyze(x) for x in (delta, gradient)]
    products = [a * b for a, b in zip(*found, strict=True)]
    expected = torch.stack(products) if packets else domain.assemble(tuple(products))
    torch.testing.assert_close(
        domain.attribution(delta, gradient), expected, rtol=0, atol=1e-12, equal_nan=True
    )


@pytest.mark.parametrize("n", [8, 13, 40])
@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("mode", ["zero", "symmetric"])
def test_packets_are_those_of_ptwt(n: int, level: int, mode: str) -> None:
    x = tensor(2, n)
    domain = made(Wavelet("db2", level, mode, packets=True), n)
    tree = ptwt.WaveletPacket(x, "db2", mode, maxlevel=level)
    paths = tree.get_level(level)
    expected = torch.stack([tree[path] for path in paths], -2)
    torch.testing.assert_close(domain.analyze(x), expected, rtol=0, atol=1e-13)
    assert list(domain.auxiliary(n, 16.0)["path"][1]) == paths


@pytest.mark.parametrize("wavelet", pywt.wavelist(kind="discrete"))
def test_every_discrete_wavelet_but_dmey(wavelet: str) -> None:
    x = tensor(1, 1, 101)
    for dtype in (torch.float64, torch.float32):
        signal = x.to(dtype)
        if wavelet == "dmey":
            with pytest.raises(
                ValueError, match=r"'wavelet' must invert, .* got 0\.00\d+ for a random probe"
            ):
                ready([Wavelet(wavelet, 2)], signal, torch.zeros_like(signal), None)
        else:
            ready([Wavelet(wavelet, 2)], signal, torch.zeros_like(signal), None)


@given(
    n=st.integers(1, 70),
    wavelet=st.sampled_from(EXACT),
    mode=st.sampled_from(["zero", "symmetric", "constant"]),
    packets=st.booleans(),
    batch=st.lists(st.integers(1, 3), max_size=2),
)
def test_inverts_to_rounding(n: int, wavelet: str, mode: str, packets: bool, batch: list[int]) -> None:
    x = tensor(*batch, n)
    domain = Wavelet(wavelet, mode=mode, packets=packets).bind((n,), None)
    back = domain.synthesize(domain.analyze(x), n)
    assert back.shape == x.shape
    assert float((back - x).abs().max()) <= 1e-13


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
@pytest.mark.parametrize("packets", [False, True])
@pytest.mark.parametrize("n", [100, 3001])
def test_completeness(dtype: torch.dtype, tolerance: float, packets: bool, n: int) -> None:
    delta, gradient = (tensor(4, 3, n, seed=seed, dtype=dtype) for seed in (0, 1))
    products = delta.double() * gradient.double()
    total = made(Wavelet(packets=packets), n, 3).attribution(delta, gradient).double().flatten(1).nansum(1)
    error = (total - products.sum((1, 2))).abs() / products.abs().sum((1, 2))
    assert float(error.max()) <= tolerance


def test_haar_by_hand() -> None:
    """Two samples: half the square of the sum, and half that of the difference."""
    x, g = torch.tensor([[3.0, 1.0]]), torch.tensor([[1.0, 5.0]])
    values = Wavelet("haar").attribution(x, g)
    torch.testing.assert_close(values[0, :, 0], torch.tensor([4 * 6 / 2, 2 * -4 / 2]))


def centre_of_energy(signal: np.ndarray) -> float:
    return float(signal**2 @ np.arange(len(signal)) / (signal**2).sum())


@pytest.mark.parametrize("packets", [False, True])
@pytest.mark.parametrize("wavelet", ["haar", "db4", "db10", "sym8", "bior4.4"])
def test_times_are_where_the_wavelets_are(wavelet: str, packets: bool) -> None:
    """Each lone coefficient synthesized: the centre of its energy, to a twentieth of a step."""
    n, fs = 6000, 10.0
    domain = made(Wavelet(wavelet, 5 if packets else 7, packets=packets), n, fs=fs)
    times, (key, *_) = domain.auxiliary(n, fs)["time"][1], domain.coords(n, fs)
    c = domain.analyze(torch.zeros(n, dtype=torch.float64))
    parts = list(c)
    assert times.shape == domain.assemble(tuple(parts) if not packets else (c,)).shape
    for row in {0, 1, len(parts) // 2, len(parts) - 1}:
        count = parts[row].shape[-1]
        lone = [torch.zeros_like(part) for part in parts]
        lone[row][count // 2] = 1
        signal = domain.synthesize(torch.stack(lone) if packets else tuple(lone), n).numpy()
        step = (times[row, 1] - times[row, 0]) * fs
        assert abs(centre_of_energy(signal) / fs - times[row, count // 2]) * fs <= 0.05 * step, (key, row)
        assert np.isnan(times[row, count:]).all()
        assert np.isfinite(times[row, :count]).all()


def test_a_burst_is_found_in_its_octave_at_its_time() -> None:
    n, fs = 1001, 100.0
    t = np.arange(n) / fs
    burst = np.exp(-(((t - 6.3) / 0.3) ** 2)) * np.sin(2 * np.pi * 9 * t)
    signal = torch.from_numpy(burst + 0.1 * noise(n))
    for packets in (False, True):
        domain = made(Wavelet("db4", 5 if packets else None, packets=packets), n, fs=fs)
        values = domain.attribution(signal, torch.from_numpy(burst)).numpy()
        coords, further = domain.coords(n, fs), domain.auxiliary(n, fs)
        frequency = coords["frequency"][0] if packets else further["frequency"][1]
        row, column = np.unravel_index(np.nanargmax(np.abs(values)), values.shape)
        assert abs(np.log2(frequency[row] / 9)) <= 0.5
        assert abs(further["time"][1][row, column] - 6.3) <= 0.3
        inside = np.abs(further["time"][1] - 6.3) <= 0.75
        assert np.nansum(values[inside]) / np.nansum(values) > 0.98


def test_packets_in_the_order_of_frequency() -> None:
    n, fs = 2048, 64.0
    domain = made(Wavelet("db10", 4, packets=True), n, fs=fs)
    frequencies, unit = domain.coords(n, fs)["frequency"]
    assert unit == "Hz"
    np.testing.assert_allclose(frequencies, np.arange(16) * 2 + 1)
    for k, f in enumerate(frequencies):
        tone = torch.sin(2 * torch.pi * float(f) * torch.arange(n, dtype=torch.float64) / fs)
        share = domain.attribution(tone, tone).sum(-1)
        assert int(share.argmax()) == k
        # The rest is at its mirror images, which filters of twenty taps do not quite suppress.
        assert float(share[k] / share.sum()) > 0.5


def test_labels() -> None:
    domain = made(Wavelet("db4"), 500, fs=100.0)
    coords, further = domain.coords(500, 100.0), domain.auxiliary(500, 100.0)
    assert coords["level"] == ["A6", "D6", "D5", "D4", "D3", "D2", "D1"]
    assert domain.dims(coords) == ("wavelet_level", "wavelet_position")
    scales = 2.0 ** np.array([6, 5, 4, 3, 2, 1])
    np.testing.assert_allclose(further["frequency"][1][1:], pywt.scale2frequency("db4", scales) * 100)
    assert further["frequency"][1][0] == 0
    np.testing.assert_allclose(further["step"][1], np.array([64, *scales]) / 100)
    unknown = domain.auxiliary(500, None)
    assert (unknown["time"][2], unknown["frequency"][2]) == ("samples", "cycles/sample")
    assert Wavelet(name="octaves").dims(["level"]) == ("octaves_level",)
    custom = pywt.Wavelet("mine", filter_bank=pywt.Wavelet("db2").filter_bank)
    x = tensor(20)
    for one, other in zip(Wavelet(custom).analyze(x), Wavelet("db2").analyze(x), strict=True):
        torch.testing.assert_close(one, other)
    assert "'mine'" in repr(Wavelet(custom))


def test_in_a_result() -> None:
    x = noise(3, 2, 301).astype(np.float32)
    model = seeded(torch.nn.Linear, 602, 2)
    explainer = freqig.Explainer(
        lambda x: model(x.flatten(1)),
        fs=100,
        domains=[Time(), Wavelet("db4"), Wavelet("sym4", 3, packets=True, name="packets")],
        n_steps=3,
    )
    result = explainer(x, target=1)
    assert result.wavelet.dims == ("sample", "channel", "wavelet_level", "wavelet_position")
    assert result.wavelet_time.dims == ("wavelet_level", "wavelet_position")
    assert result.wavelet_time.attrs["units"] == "s"
    assert result.packets.dims == ("sample", "channel", "packets_frequency", "packets_position")
    waveform = result.waveform.sum(("channel", "time"))
    for values in (result.wavelet, result.packets):
        total = values.sum(("channel", *values.dims[2:]))
        np.testing.assert_allclose(total, waveform, rtol=0, atol=1e-5)
    by_band = freqig.bands(result[["packets"]], {"low": (0, 10)})
    np.testing.assert_allclose(
        by_band.packets.sum("packets_band"), result.packets.sum("packets_frequency"), atol=1e-6
    )


def test_after_a_map_over_channels() -> None:
    x, gradient = tensor(2, 3, 33), tensor(2, 3, 33, seed=1)
    domain = ICA(noise(3, 2)) >> Wavelet("haar")
    (bound,) = ready([domain], x, torch.zeros_like(x), 16.0)
    values = bound.attribution(x, gradient)
    names = bound.dims(bound.coords(33, 16.0))
    assert names == ("ica_component", "wavelet_level", "wavelet_position")
    assert "wavelet_time" in bound.auxiliary(33, 16.0)
    torch.testing.assert_close(values.flatten(1).nansum(1), (x * gradient).sum((1, 2)), rtol=0, atol=1e-11)


def without_ptwt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ptwt", None)


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    without_ptwt(monkeypatch)
    with pytest.raises(ImportError, match=r"pip install 'freqig\[wavelet\]'"):
        Wavelet()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Wavelet("db99"), ValueError, r"wavelet must be a discrete one, .* got 'db99'"),
        (lambda: Wavelet("morl"), ValueError, "wavelet must be a discrete one"),
        (lambda: Wavelet(4), TypeError, r"wavelet must be a name or a pywt\.Wavelet, got 4"),
        (lambda: Wavelet(level=0), ValueError, "level must be at least 1, got 0"),
        (
            lambda: Wavelet(mode="periodization"),
            ValueError,
            "mode must be one of 'zero', .* got 'periodization'",
        ),
        (lambda: Wavelet(level=6).bind((40,), 1.0), ValueError, r"must be in 1\.\.5 for 40 samples, got 6"),
        (lambda: Wavelet(mode="reflect").bind((6,), 1.0), ValueError, "6 samples by 6 at level 1"),
        (
            lambda: Wavelet(mode="periodic", level=2).bind((5,), 1.0),
            ValueError,
            "the mode 'zero' or 'symmetric'",
        ),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("mode", ["reflect", "periodic"])
@pytest.mark.parametrize("n", range(1, 40))
def test_modes_are_refused_exactly_where_they_fail(mode: str, n: int) -> None:
    """Not left to an error of PyTorch from inside ptwt."""
    domain, x = Wavelet("db2", mode=mode), tensor(n)
    try:
        ptwt.wavedec(x, "db2", mode=mode, level=domain.depth(n))
        fits = True
    except RuntimeError:
        fits = False
    if fits:
        assert domain.bind((n,), None) is domain
    else:
        with pytest.raises(ValueError, match=f"mode '{mode}' of domain 'wavelet'"):
            domain.bind((n,), None)


def test_levels_that_hold_nothing_keep_no_explanation_from_converging() -> None:
    """A slow wave leaves rounding alone in the fine levels; what is known is the whole domain."""
    time = np.arange(256) / 128
    wave = np.sin(2 * np.pi * 5 * time) * np.hanning(256)

    def model(x: torch.Tensor) -> torch.Tensor:
        return torch.tanh((x * torch.as_tensor(wave).to(x)).sum(-1, keepdim=True) / 50)

    result = freqig.Explainer(model, fs=128, domains=[Wavelet(), freqig.RFFT()])(wave[None], target=0)
    assert result.converged.all()
    assert float(result.estimated_error[0]) < 0.01
    close(result.wavelet.sum(skipna=True).values, result.rfft.sum().values, 1e-5)
