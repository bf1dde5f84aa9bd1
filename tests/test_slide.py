"""Long signals explained window by window: against sums over windows that are written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import freqig
from freqig import RFFT, STFT, Explainer, Time
from freqig.reporting.words.naming import summarised

from .helpers import noise, seeded

FS, SIZE = 40.0, 30
WEIGHTS = noise(2, SIZE, seed=3)


def linear(x: Tensor) -> Tensor:
    """Of windows (batch, 2, 30): ΔF and attributions are known in closed form."""
    return (x * torch.as_tensor(WEIGHTS, dtype=x.dtype)).sum((1, 2))


class Classes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 5, dtype=torch.float64)
        self.dense = nn.Linear(4, 3, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(self.conv(x).tanh().mean(-1))


def starts_of(n: int, hop: int) -> list[int]:
    starts = [*range(0, n - SIZE + 1, hop)]
    return starts if starts[-1] + SIZE == n else [*starts, n - SIZE]


@settings(max_examples=12)
@given(st.integers(SIZE, 100), st.integers(1, SIZE))
def test_maps_of_a_linear_model_in_closed_form(n: int, hop: int) -> None:
    x = noise(2, 2, n)
    explainer = Explainer(linear, fs=FS, dtype=torch.float64, domains=[RFFT(), Time()], n_steps=2)
    result = freqig.slide(explainer, x, window=SIZE / FS, hop=hop / FS)
    starts = starts_of(n, hop)
    covered = np.zeros(n)
    for start in starts:
        covered[start : start + SIZE] += 1
    weights = np.array([(1 / covered[start : start + SIZE]).mean() for start in starts])
    expected, rises = np.zeros((2, 2, n)), np.zeros((2, len(starts)))
    for i, start in enumerate(starts):
        part = WEIGHTS * x[..., start : start + SIZE]
        rises[:, i] = part.sum((1, 2))
        expected[..., start : start + SIZE] += weights[i] * part
    np.testing.assert_allclose(result.window_weight, weights)
    assert weights.sum() * SIZE == pytest.approx(n)
    np.testing.assert_allclose(result.window_difference, rises, atol=1e-9)
    np.testing.assert_allclose(result.waveform, expected, atol=1e-9)
    np.testing.assert_allclose(result.rfft.sum(("channel", "frequency")), rises @ weights, atol=1e-8)
    np.testing.assert_allclose(result.output - result.baseline_output, rises @ weights, atol=1e-8)
    np.testing.assert_array_equal(result.window, np.array(starts) / FS)
    np.testing.assert_array_equal(result.signal, x)
    assert result.time.values[-1] == pytest.approx((n - 1) / FS)


@pytest.mark.parametrize("target", [1, "all", [0, 2], "b"])
def test_each_window_is_what_the_explainer_says_of_it(target: Any) -> None:
    x = noise(2, 2, 100)
    explainer = Explainer(
        seeded(Classes), fs=FS, n_steps=20, domains=[RFFT(), Time(), STFT(0.25)], classes=("a", "b", "c")
    )
    result = freqig.slide(explainer, x, window=0.75, hop=0.5, target=target, truth=["a", "c"])
    starts = starts_of(100, 20)
    assert result.truth.values.tolist() == ["a", "c"]
    waveform = 0
    for i, start in enumerate(starts):
        one = explainer(x[..., start : start + SIZE], target=target)
        weight = float(result.window_weight[i])
        for name in ("rfft", "stft"):
            mine = result[f"{name}_by_window"].isel(window=i)
            np.testing.assert_allclose(mine, weight * one[name], atol=1e-9)
        np.testing.assert_allclose(result.window_output.isel(window=i), one.output, atol=1e-9)
        np.testing.assert_array_equal(result.window_predicted.isel(window=i), one.predicted)
        waveform = waveform + weight * one.waveform.sum(("channel", "time"))
    np.testing.assert_allclose(result.waveform.sum(("channel", "time")), waveform, atol=1e-9)
    np.testing.assert_allclose(result.rfft, result.rfft_by_window.sum("window"), atol=1e-12)
    told = result.output - result.baseline_output + result.completeness_gap + result.correction
    np.testing.assert_allclose(result.stft.sum(("channel", "stft_frequency", "stft_time")), told, atol=1e-8)
    assert result.sizes.get("target") == (3 if target == "all" else None)
    assert bool(result.converged.all())


def test_windows_side_by_side_are_the_epochs_of_a_reader(tmp_path: Path) -> None:
    np.savez(tmp_path / "long.npz", data=noise(2, 90), fs=FS, channels=np.array(["Cz", "Oz"]))
    explainer = Explainer(seeded(Classes), n_steps=20, domains=Time())
    result = freqig.slide(explainer, tmp_path / "long.npz", window=0.75, hop=0.75, target=1)
    epochs = explainer(tmp_path / "long.npz", window=0.75, target=1)
    together = np.concatenate(list(epochs.waveform.values), -1)
    np.testing.assert_allclose(result.waveform[0], together, atol=1e-9)
    assert result.channel.values.tolist() == ["Cz", "Oz"]
    assert result.window.values.tolist() == epochs.onset.values.tolist()


def test_the_unit_of_the_model_and_a_raw() -> None:
    mne = pytest.importorskip("mne")
    x = noise(2, 100)
    raw = mne.io.RawArray(1e-6 * x, mne.create_info(["Cz", "Oz"], FS, "eeg"), verbose="error")
    expected = freqig.slide(Explainer(seeded(Classes), fs=FS, n_steps=20), x[None], window=0.75, target=1)
    found = freqig.slide(Explainer(seeded(Classes), n_steps=20, unit="uV"), raw, window=0.75, target=1)
    np.testing.assert_allclose(found.rfft, expected.rfft, atol=1e-9)
    assert found.signal.attrs["units"] == "uV"
    np.testing.assert_allclose(found.signal, x[None], atol=1e-9)


def test_a_result_that_figures_bands_and_files_take(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    explainer = Explainer(seeded(Classes), fs=FS, n_steps=20, domains=[RFFT(), Time()])
    result = freqig.slide(explainer, noise(1, 2, 100), window=0.75, target=1)
    banded = freqig.bands(result, {"low": (0, 10)})
    assert banded.rfft_by_window.dims == ("sample", "window", "channel", "band")
    np.testing.assert_allclose(banded.rfft.sum(), result.rfft.sum(), atol=1e-9)
    freqig.plots.waveform(result, axes=Figure(layout="constrained").subplots(2))
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as back:
        xr.testing.assert_allclose(back.load(), result)
    assert freqig.summary(result)["samples"] == 1


def test_one_prediction_for_all_windows() -> None:
    calm = noise(2, 2, 60)
    energy = lambda x: torch.stack([x.square().mean((1, 2)), x.mean((1, 2)) * 0], 1)
    steady = Explainer(energy, fs=FS, n_steps=20)
    result = freqig.slide(steady, calm, window=0.75, target=None)
    assert result.predicted.values.tolist() == [0, 0]
    assert result.target.values.tolist() == [0, 0]
    loud = np.concatenate([calm - 5, calm + 5], -1)
    torn = Explainer(lambda x: torch.stack([x.mean((1, 2)), -x.mean((1, 2))], 1), fs=FS, n_steps=20)
    with pytest.raises(
        ValueError, match=r'target must be given where .* got 0, 1 in signal 0: .*target="all"'
    ):
        freqig.slide(torn, loud, window=0.75)
    assert freqig.slide(torn, loud, window=0.75, target="all").sizes["target"] == 2


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"window": 0.75, "hop": 0}, "hop must be finite and above 0"),
        ({"window": 0.75, "hop": -0.1}, "hop must be finite and above 0"),
        ({"window": 0.75, "hop": 1.0}, "hop must be at most the window, 0.75 s"),
        ({"window": 0.76}, "window must be a whole number of samples"),
        ({"window": 0.75, "hop": 0.01}, "hop must be a whole number of samples"),
        ({"window": 5.0}, r"signal must be as long as a window, 5 s, got 2\.5 s"),
        ({"window": float("nan")}, "window must be finite"),
    ],
)
def test_windows_that_do_not_fit(asked: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        freqig.slide(Explainer(linear, fs=FS), noise(1, 2, 100), **asked)


def test_signals_that_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match=r"fs must be known .*Explainer\(model, fs=\.\.\.\)"):
        freqig.slide(Explainer(linear), noise(1, 2, 100), window=0.75)
    broken = noise(1, 2, 100)
    broken[0, 1, 7] = np.nan
    with pytest.raises(
        ValueError, match="signal must be finite, got nan at sample 0, channel 1, time index 7"
    ):
        freqig.slide(Explainer(linear, fs=FS), broken, window=0.75)
    with pytest.raises(ValueError, match="batch axis"):
        freqig.slide(Explainer(linear, fs=FS), noise(100), window=0.75)


class Rough(nn.Module):
    """Two outputs by the power of a window, of which one has no smooth path."""

    def forward(self, x: Tensor) -> Tensor:
        power = x.square().mean((1, 2))
        return torch.stack([power, torch.sin(40 * power)], 1)


def test_warnings_name_windows_by_their_times() -> None:
    x = noise(1, 2, 5 * SIZE)
    x[..., SIZE : 2 * SIZE] = 0
    explainer = Explainer(Rough(), fs=FS, dtype=torch.float64, max_evaluations=3, tol=1e-9)

    def said(signal: np.ndarray, slid: bool) -> str:
        cut = {"window": SIZE / FS, "hop": SIZE / FS, "target": 1}
        with pytest.warns(freqig.errors.FreqigWarning) as told:
            freqig.slide(explainer, signal, **cut) if slid else explainer(signal, target=1)
        return " ".join(str(one.message) for one in told)

    # The second window begins at 0.75 s, and is silent.
    once = said(x, slid=True)
    assert "x equals its baseline for 1 of 5 windows (at 0.75 s)" in once
    assert "explanations did not reach tol=1e-09. the window at 0 s: " in once
    assert "sample" not in once
    both = np.concatenate([x, noise(1, 2, 5 * SIZE, seed=5)])
    assert "1 of 10 windows (at 0.75 s of signal 0)" in said(both, slid=True)
    assert "1 of 1 samples (0)" in said(x[..., SIZE : 2 * SIZE], slid=False)


@pytest.mark.parametrize(
    ("output", "unit"),
    [
        ("logit", "logits"),
        ("log_prob", "log probabilities"),
        ("probability", "probabilities"),
        ("margin", "margins"),
    ],
)
def test_sums_over_windows_are_no_outputs_and_are_not_called_so(output: Any, unit: str) -> None:
    """In axes, titles, methods_text and the report alike."""
    explainer = Explainer(seeded(Classes), fs=FS, output=output, classes=("W", "N1", "N2"))
    x = noise(1, 2, 3 * SIZE)
    result = freqig.slide(explainer, x, window=SIZE / FS, target=1)
    weighted = result.window_weight * result.window_output
    np.testing.assert_allclose(result.output, weighted.sum("window"), rtol=1e-5)
    above, below = freqig.plots.spectrum(result)
    assert f"weighted sum of {unit}" in " ".join(above.get_title(loc="left").split())
    assert f"(weighted sum of {unit})" in below.get_ylabel()
    assert result.window_output.attrs["units"] == result.rfft_by_window.attrs["units"] == output
    assert "The explained output of each window was the " in freqig.methods_text(result)
    told = summarised(result)[0].text
    assert told.endswith("in 5 windows of 0.75 s, added up.")
    # A single window is the signal.
    alone = freqig.slide(explainer, x[..., :SIZE], window=SIZE / FS, target=1)
    assert alone.output.attrs["units"] == output
