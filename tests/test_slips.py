"""What users pass by mistake: the error names the parameter and says what was meant."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from scipy.sparse import csr_matrix
from torch import nn

import freqig
from freqig import RFFT, Explainer, Time
from freqig.errors import FreqigWarning

from .helpers import noise, seeded

N, FS = 64, 32.0
X = noise(4, 3, N)


def conv() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(nn.Conv1d(3, 4, 5), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3))
    )


def explained(**settings: Any) -> Explainer:
    return Explainer(conv(), fs=FS, progress=False, **settings)


def heard(domains: list[Any]) -> tuple[xr.Dataset, nn.Module]:
    model = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * N, 1)))
    return Explainer(model, fs=FS, domains=domains, progress=False)(X, target=0), model


@pytest.mark.parametrize(
    ("model", "remedy"),
    [
        (lambda net: net.state_dict(), r"net\.load_state_dict\(weights\), and pass net"),
        (
            lambda net: {"epoch": 3, "state_dict": net.state_dict()},
            r"load_state_dict\(weights\['state_dict'\]\)",
        ),
        (
            lambda net: {"model_state_dict": {}, "loss": 0.1},
            r"load_state_dict\(weights\['model_state_dict'\]\)",
        ),
        (lambda net: [net, net], "explain one model after the other"),
        (lambda net: b"\x80\x04", "write it to a file and pass its path"),
        (lambda net: nn.Linear, r"make one, Linear\(\.\.\.\), and load its weights"),
    ],
)
def test_what_is_taken_for_a_model(model: Callable[[nn.Module], Any], remedy: str) -> None:
    with pytest.raises(TypeError, match=f"model must be .*{remedy}"):
        Explainer(model(conv()))


class Estimator:
    """Scores series of float32 by a network of which nothing is seen from outside."""

    def __init__(self) -> None:
        net = conv()
        self.predict_proba = lambda x: net(torch.from_numpy(x)).softmax(-1).detach().numpy()


def test_an_estimator_is_explained_by_its_scores_alone() -> None:
    with pytest.raises(
        TypeError, match=r"its scores have no gradients\. Without .* freqig\.Shapley\(model\)"
    ):
        Explainer(Estimator())
    # Its network takes no float64, which is tried first.
    model = Estimator()
    result = freqig.Shapley(model, fs=FS, players="channels", progress=False)(X, target=1)
    x = X.astype(np.float32)
    alone = [np.where(np.arange(3)[:, None] == channel, x, 0) for channel in range(3)]
    without = [np.where(np.arange(3)[:, None] == channel, 0, x) for channel in range(3)]
    score = lambda values: model.predict_proba(values)[:, 1].astype(float)
    # Shapley's formula for three players.
    for i in range(3):
        others = [j for j in range(3) if j != i]
        rises = score(without[others[0]]) + score(without[others[1]])
        rises -= score(alone[others[0]]) + score(alone[others[1]])
        ends = score(alone[i]) - score(0 * x) + score(x) - score(without[i])
        np.testing.assert_allclose(result.shapley[:, i], ends / 3 + rises / 6, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "way"),
    [
        (X[None], r"x\[0\], of shape \(4, 3, 64\), if the first axis is one too many"),
        (X.reshape(2, 2, 3, N), r"x\.reshape\(-1, \*x\.shape\[2:\]\), of shape \(4, 3, 64\)"),
    ],
)
def test_axes_of_samples_in_excess(x: np.ndarray, way: str) -> None:
    with pytest.raises(ValueError, match=f"x must have the axes of the model.* takes {way}"):
        explained()(x, target=0)


def test_labels_beside_the_signals() -> None:
    with pytest.raises(ValueError, match=r"x\[1\] must be signals like x\[0\], got 4 whole .* with target="):
        explained()((X, np.array([0, 1, 2, 0])))


@pytest.mark.parametrize("target", [0, None, "all"])
def test_a_long_signal_without_its_axis_of_samples(target: Any) -> None:
    long = noise(3, 6 * N)
    with pytest.raises(
        ValueError, match=r"signal must have the axes .* signal\[None\], of shape \(1, 3, 64\)"
    ):
        freqig.slide(explained(), long, window=2.0, target=target)
    with pytest.raises(ValueError, match=r"signal must be as long as a window.*: time must be its last axis"):
        freqig.slide(explained(), long.T[None], window=2.0, target=target)


def test_labels_without_a_name() -> None:
    by = pd.Series(["W", "N1", "W", "N1"], name="stage")
    with pytest.raises(
        TypeError, match=r"by must name its labels, by=\{'stage': labels\}, or coordinates of x.*got"
    ):
        explained().average(X, by=by, target=0)


def test_a_folder_of_recordings_is_refused_before_the_work(tmp_path: Path) -> None:
    np.save(tmp_path / "night.npy", X)
    for given in (tmp_path, [tmp_path / "night.npy", tmp_path]):
        with pytest.raises(ValueError, match=r"is a folder: pass the files in it"):
            freqig.cohort.run(given, conv(), tmp_path / "store", fs=FS)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ("alpha", "truth must be bands as freqig.bands takes them.*got 'alpha'"),
        ({"cue": (40, 50)}, "truth must hold a frequency of rfft, which has 0 to 16 Hz"),
        (np.zeros((4, 3, 33), dtype=bool), "truth must hold some of the coefficients of rfft.*got none"),
        (np.ones((4, 3, 33), dtype=bool), "truth must hold some of the coefficients of rfft.*got all"),
        ({}, "truth must be bands.*at least one band"),
    ],
)
def test_a_truth_that_is_none(truth: Any, said: str) -> None:
    result, model = heard([RFFT()])
    with pytest.raises(ValueError, match=said):
        freqig.evaluate(result, model, X, truth=truth, progress=False)


def test_a_truth_in_hertz_of_one_domain_among_others() -> None:
    result, model = heard([RFFT(), Time()])
    with pytest.raises(ValueError, match="truth is bands, so waveform must be over a frequency") as told:
        freqig.evaluate(result, model, X, truth={"cue": (4, 8)}, progress=False)
    assert "{'rfft': ..., 'waveform': ...}" in str(told.value)
    # As it says.
    table = freqig.evaluate(
        result, model, X, truth={"rfft": {"cue": (4, 8)}}, families="truth", progress=False
    )
    assert np.isfinite(table.score.sel(variable="rfft", metric="average_precision")).all()
    assert "truth= was not given" in table.reason.sel(variable="waveform", metric="average_precision").item()


def test_matrices_and_marks_that_are_no_signals_and_classes() -> None:
    with pytest.raises(
        TypeError, match=r"x must be numeric, an array, got a csr_matrix: pass x\.toarray\(\)"
    ):
        explained()(csr_matrix(X[0]), target=0)
    for target in (-1, [0, -1, 1, 2]):
        with pytest.raises(
            ValueError, match=r"target must be in 0\.\.2 .*got -1 .*leave samples without one out"
        ):
            explained()(X, target=target)


@pytest.mark.parametrize("second", [4, 3])
def test_batches_without_pairs_are_told_how_to_be_joined(second: int) -> None:
    with pytest.raises(ValueError, match=r"np\.concatenate\(x\)|x\.reshape\(-1, \*x\.shape\[2:\]\)"):
        explained().average([X, X[:second]], target=0)


def test_a_result_compared_with_itself_says_why_nothing_is_tested() -> None:
    pytest.importorskip("mne")
    result, _ = heard([RFFT()])
    result = xr.concat([result, result], "sample")
    with pytest.warns(FreqigWarning, match=r"a and b differ by the same everywhere.* not one twice"):
        found = freqig.compare(result, result, paired=True)
    assert np.isnan(found.rfft_t).all()
    assert len(found.cluster_p) == 0


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (
            lambda: pd.DataFrame(X[:, 0]).assign(label=[0, 1, 2, 0]),
            r"column 'label' of whole .*drop\(columns='label'",
        ),
        (lambda: pd.Series(list(X[:, 0])), r"a series in every cell: .* np\.stack\(list\(column\)\)"),
        (lambda: pd.DataFrame({3: list(X[:, 0])}), r"a series in every cell"),
        (lambda: X.astype(object), r"got dtype object: pass x\.astype\(float\)"),
        (lambda: np.where(X > 1, None, X), r"with None in it: drop what is no number"),
    ],
)
def test_tables_and_objects_that_hold_more_than_numbers(x: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError, match=f"x must .*{said}"):
        explained()(x(), target=0)


def test_whole_numbers_under_other_names_are_signals() -> None:
    table = pd.DataFrame(X[:, 0]).assign(label=np.arange(4.0))
    model = seeded(nn.Linear, N + 1, 1)
    result = Explainer(model, domains=[Time()], progress=False)(table, target=0)
    weights = model.weight.detach().numpy()[0]
    np.testing.assert_allclose(result.waveform, table.to_numpy() * weights, rtol=1e-5, atol=1e-6)


def test_tensors_that_are_negated_when_they_are_read() -> None:
    """The imaginary part of a conjugate is a view with a sign."""
    x = torch.from_numpy(X * 1j).conj().imag
    assert x.is_neg()
    for given in (x, list(x)):
        result = explained(domains=[Time()])(given, target=0)
        np.testing.assert_array_equal(result.waveform, explained(domains=[Time()])(-X, target=0).waveform)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: freqig.read("night.edf", sfreq=100), "sfreq: did you mean fs"),
        (lambda: freqig.read("night.edf", picks=["Cz"]), "picks: did you mean channels"),
        (lambda: freqig.slide(explained(), X, window=1.0, stride=0.5), "stride: did you mean hop"),
        (lambda: freqig.attribute(X, conv(), steps=20), "steps: did you mean n_steps"),
        (lambda: freqig.attribute(X, conv(), targets=[0]), "targets: did you mean target"),
        (lambda: freqig.STFT(nperseg=256), "nperseg: did you mean window, in seconds"),
        (lambda: freqig.Envelope(l_freq=1, h_freq=2), "l_freq: did you mean low"),
        (lambda: freqig.Polar(title="phase"), "title: it takes name"),
        (lambda: freqig.baselines.noise(random_state=0), "random_state: did you mean seed"),
        (lambda: freqig.plots.spectrum(xr.Dataset(), ax=None), "ax: did you mean axes"),
        (lambda: freqig.evaluate(xr.Dataset(), conv(), X, fold=1), "fold: it takes result, model, x"),
        (lambda: explained(sr=FS), "sr: did you mean fs"),
        (lambda: explained(ch_names=["Cz"]), r"ch_names: channels is given with the signals"),
        (lambda: explained()(X, class_idx=0), "class_idx: did you mean target"),
        (lambda: explained()(X, sampling_rate=FS), r"sampling_rate: fs is a setting, Explainer\(model, fs"),
        (lambda: explained().average(X, {}, targets=0), "targets: did you mean target"),
    ],
)
def test_names_that_other_packages_have_for_parameters(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError, match=f"^there is no parameter {said}"):
        call()


def test_names_are_looked_at_and_signatures_stay() -> None:
    assert list(signature(freqig.STFT).parameters)[:2] == ["window", "hop"]
    assert freqig.STFT(1.0, hop=0.5).hop == 0.5
    assert pickle.loads(pickle.dumps(freqig.slide)) is freqig.slide


def test_an_axis_of_time_with_one_value_is_told_of() -> None:
    """A recurrent network takes (batch, time, 1), of which the last axis is no time."""
    model = nn.LSTM(1, 2, batch_first=True)
    x = np.random.default_rng(0).normal(size=(4, 50, 1))
    with pytest.raises(ValueError, match=r"single value of shape \(4, 50, 1\): pass time_axis=1"):
        freqig.Explainer(model, output_key=0)(x)
    truth = r"truth must be .* got 'W': if it is that of all, pass \['W'\] \* 4$"
    with pytest.raises(TypeError, match=truth):
        freqig.Explainer(nn.Linear(50, 2))(x[..., 0], truth="W")
