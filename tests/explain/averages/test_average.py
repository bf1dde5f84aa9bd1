"""Means of groups against means of explanations of every sample, and what they say of their error."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import freqig
from freqig.errors import CompletenessWarning, ConvergenceWarning
from freqig.explain.averages.shifts import new_places

from ...helpers import noise

N = 64
STAGES = np.array(["W", "N2", "R"])


class Net(nn.Module):
    """Two layers, smooth or with kinks, of which no unit is saturated everywhere."""

    def __init__(self, bend: nn.Module) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.layers = nn.Sequential(nn.Linear(N, 24), bend, nn.Linear(24, 3)).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def samples(count: int, seed: int = 0) -> np.ndarray:
    """Noise on a rhythm that all have in common, so that means do not cancel."""
    t = np.arange(N) / N
    return noise(count, N, seed=seed) + 2 * np.sin(2 * np.pi * 6 * t) + 1.0


def truth(model: nn.Module, x: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Means of explanations of every sample by many fixed nodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CompletenessWarning)
        found = freqig.Explainer(model, fs=N, n_steps=400)(x, target=1)
    return {label: found.rfft.values[labels == label].mean(0) for label in np.unique(labels)}


def error(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.abs(found - true).sum() / np.abs(true).sum())


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
@pytest.mark.parametrize("bend", [nn.Tanh(), nn.ReLU()])
def test_means_are_those_of_all_samples(bend: nn.Module) -> None:
    model, x = Net(bend).eval(), samples(180)
    labels = np.repeat(STAGES, [100, 60, 20])
    means = freqig.Explainer(model, fs=N).average(x, {"stage": labels}, target=1)
    assert means.stage.values.tolist() == ["N2", "R", "W"]
    assert means.n_samples.values.tolist() == [60, 20, 100]
    assert means.one_by_one.values.tolist() == [False, True, False]
    assert means.converged.all()
    for label, true in truth(model, x, labels).items():
        own = means.sel(stage=label)
        # What is stated covers nine of ten; of one seed it says how large the error is.
        assert error(own.rfft.values, true) <= min(0.01, 2 * float(own.rfft_integration_error))
        change = own.output - own.baseline_output + own.completeness_gap + own.correction
        assert float(own.rfft.sum()) == pytest.approx(float(change), abs=1e-9)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_the_standard_error_is_that_of_the_samples() -> None:
    """Though their own estimates scatter more, for every one has two nodes."""
    model, x = Net(nn.Tanh()).eval(), samples(400)
    means = freqig.Explainer(model, fs=N).average(x, target=1)
    each = freqig.Explainer(model, fs=N, n_steps=100)(x, target=1).rfft
    expected = each.std("sample", ddof=1) / len(x) ** 0.5
    np.testing.assert_allclose(means.rfft_standard_error.sum(), expected.sum(), rtol=0.1)
    assert means.rfft.dims == ("frequency",)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_stated_errors_cover_true_ones() -> None:
    model, x = Net(nn.ReLU()).eval(), samples(64)
    true = truth(model, x, np.repeat("all", len(x)))["all"]
    explainer = freqig.Explainer(model, fs=N)
    trials = [explainer.average(x, target=1, seed=seed, tol=0.03) for seed in range(40)]
    errors = np.array([error(trial.rfft.values, true) for trial in trials])
    stated = np.array([float(trial.rfft_integration_error) for trial in trials])
    assert (errors <= stated).mean() >= 0.9
    assert errors.max() <= 0.06
    assert len(np.unique(errors)) == len(errors)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
@pytest.mark.parametrize("domain", [freqig.STFT(0.25), freqig.FilterBank({"low": (0, 8), "high": (8, 32)})])
def test_every_domain_and_class(domain: freqig.Domain) -> None:
    model, x = Net(nn.Tanh()).eval(), samples(100)
    explainer = freqig.Explainer(model, fs=N, domains=[domain, freqig.RFFT()], classes=["a", "b", "c"])
    means = explainer.average(x, {"half": np.arange(100) // 50}, target="all")
    each = freqig.Explainer(model, fs=N, domains=domain, n_steps=100)(x, target="all")[domain.name]
    for half in (0, 1):
        expected = each[50 * half : 50 * half + 50].mean("sample")
        assert error(means[domain.name].sel(half=half).values, expected.values) <= 0.02
    assert means[domain.name].dims[:2] == ("half", "target")
    assert means.target.values.tolist() == ["a", "b", "c"]


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_batches_make_the_same_as_one_array() -> None:
    """And to the bit, however they are cut: samples are added up in their order."""

    def model(x: Tensor) -> Tensor:
        # Elementwise, so that no kernel adds in another order for another batch.
        return torch.stack([x[:, 3].tanh() + x[:, 5] * x[:, 7], x[:, 1].square()], 1)

    x, stage = samples(120).round(2), np.repeat(STAGES, 40)
    explainer = freqig.Explainer(model, fs=N, dtype=torch.float64)
    whole = explainer.average(x, {"stage": stage}, target=0)

    def batches() -> object:
        return ((x[i : i + 30], {"stage": stage[i : i + 30]}) for i in range(0, 120, 30))

    streamed = explainer.average(batches, target=0)
    np.testing.assert_array_equal(streamed.rfft, whole.rfft)
    listed = explainer.average(list(batches()), target=0)  # type: ignore[call-overload]
    np.testing.assert_array_equal(listed.rfft, whole.rfft)
    small = freqig.Explainer(model, fs=N, dtype=torch.float64, memory="40 MB")
    np.testing.assert_array_equal(small.average(x, {"stage": stage}, target=0).rfft, whole.rfft)
    turned = np.random.default_rng(0).permutation(120)
    other = explainer.average(x[turned], {"stage": stage[turned]}, target=0)
    for label in STAGES:
        a, b = (one.sel(stage=label) for one in (other, whole))
        stated = float(a.rfft_integration_error + b.rfft_integration_error)
        assert error(a.rfft.values, b.rfft.values) <= stated + 1e-12


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
@pytest.mark.parametrize("place", range(3))
def test_a_batch_may_be_empty(place: int) -> None:
    explainer, x = freqig.Explainer(Net(nn.Tanh()).eval(), fs=N), samples(8)
    batches = [(x[:3], {"lap": [1] * 3}), (x[3:], {"lap": [2] * 5})]
    expected = explainer.average(batches, target=0)
    batches.insert(place, (x[:0], {"lap": []}))
    xr.testing.assert_identical(explainer.average(batches, target=0), expected)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_two_groupings_make_a_table_with_empty_cells() -> None:
    model, x = Net(nn.Tanh()).eval(), samples(120)
    by = {"stage": np.repeat(["W", "R"], 60), "subject": [1] * 100 + [2] * 20}
    means = freqig.Explainer(model, fs=N).average(x, by, target=0)
    assert means.rfft.dims == ("stage", "subject", "frequency")
    empty = means.sel(stage="W", subject=2)
    assert int(empty.n_samples) == 0
    assert bool(empty.rfft.isnull().all())
    assert not bool(empty.converged)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_several_baselines_are_averaged() -> None:
    model, x = Net(nn.Tanh()).eval(), samples(80)
    baseline = freqig.baselines.data(samples(4, seed=5))
    means = freqig.Explainer(model, fs=N).average(x, target=1, baseline=baseline)
    each = freqig.Explainer(model, fs=N, n_steps=100)(x, target=1, baseline=baseline).rfft
    assert error(means.rfft.values, each.mean("sample").values) <= 0.01
    few = freqig.Explainer(model, fs=N).average(x[:20], target=1, baseline=baseline)
    for one, count in ((means, 80), (few, 20)):
        # A sample's attribution is its mean over baselines, and what these differ by no sampling error.
        expected = each[:count].std("sample", ddof=1) / count**0.5
        np.testing.assert_allclose(one.rfft_standard_error.sum(), expected.sum(), rtol=0.1)
    assert float(means.n_evaluations) >= 2 * 4


def test_jumps_are_told_by_the_gap_of_the_mean() -> None:
    def smooth(x: Tensor) -> Tensor:
        return ((x[:, :1] / 3).sin() + 2 * (x[:, 2:3] / 2).tanh()).repeat(1, 2)

    def jumping(x: Tensor) -> Tensor:
        return smooth(x) + 3.0 * (x[:, 1:2] > 0.5)

    x = np.abs(samples(64)) + 1.0
    with pytest.warns(ConvergenceWarning, match="1 of 1 means"):
        means = freqig.Explainer(jumping, fs=N, max_evaluations=64).average(x, target=0)
    assert not bool(means.converged)
    # Gradients know nothing of a jump of 3, and what they do know does not get it instead.
    assert float(means.completeness_gap) == pytest.approx(-3.0, abs=0.1)
    true = freqig.Explainer(smooth, fs=N).average(x, target=0)
    assert error(means.rfft.values, true.rfft.values) < 0.01


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_the_sampling_error_may_be_the_limit() -> None:
    model, x = Net(nn.ReLU()).eval(), samples(100)
    explainer = freqig.Explainer(model, fs=N)
    close, enough = (explainer.average(x, target=1, tol=tol) for tol in (1e-3, "sampling"))
    assert float(enough.n_evaluations) < float(close.n_evaluations)
    limit = 0.25 * float(enough.rfft_standard_error.sum()) / float(np.abs(enough.rfft).sum())
    assert float(enough.rfft_integration_error) <= limit


BAD = [
    ({"stage": ["W"] * 7}, {}, ValueError, "one label per sample, so 8"),
    ({"stage": ["W"] * 7 + [None]}, {}, ValueError, "sample 7 has none"),
    ({"stage": [1.0] * 7 + [np.nan]}, {}, ValueError, "sample 7 has none"),
    ({"time": ["W"] * 8}, {}, ValueError, "'time'"),
    ({"rfft": ["W"] * 8}, {}, ValueError, "'rfft'"),
    ({3: ["W"] * 8}, {}, TypeError, "names of groupings"),
    ("stage", {}, ValueError, "coordinates of x"),
    (None, {"tol": "sample"}, ValueError, "'sampling'"),
    (None, {"tol": 0}, ValueError, "tol"),
    (None, {"tol": 2.5}, ValueError, r"tol must be above 0 and below 1, got 2\.5: 2\.5 % is 0\.025"),
    (None, {"seed": -1}, ValueError, "seed"),
]


@pytest.mark.parametrize(("by", "how", "kind", "says"), BAD)
def test_bad_arguments(by: object, how: dict[str, object], kind: type[Exception], says: str) -> None:
    explainer = freqig.Explainer(Net(nn.Tanh()).eval())
    with pytest.raises(kind, match=says):
        explainer.average(samples(8), by, target=0, **how)  # type: ignore[arg-type]


def test_what_cannot_be_averaged() -> None:
    model, x = Net(nn.Tanh()).eval(), samples(8)
    with pytest.raises(ValueError, match="polar"):
        freqig.Explainer(model, domains=freqig.Polar()).average(x, target=0)
    with pytest.raises(ValueError, match="n_steps"):
        freqig.Explainer(model, n_steps=50).average(x, target=0)
    explainer = freqig.Explainer(model)
    with pytest.raises(TypeError, match="several times"):
        explainer.average(((x, None) for _ in range(2)), target=0)
    with pytest.raises(ValueError, match="of one shape"):
        explainer.average([(x, None), (x[:, :32], None)], target=0)
    with pytest.raises(ValueError, match="by must be None"):
        explainer.average([(x, None)], {"stage": ["W"] * 8}, target=0)
    with pytest.raises(ValueError, match="at least one"):
        explainer.average(lambda: iter(()), target=0)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_labels_keep_what_they_are() -> None:
    explainer, x = freqig.Explainer(Net(nn.Tanh()).eval(), fs=N), samples(8)
    days = np.repeat(np.array(["2020-01-31", "2021-05-05"], "datetime64[ns]"), 4)
    same = [dt.date(2020, 1, 31)] * 4 + [dt.date(2021, 5, 5)] * 4
    for labels in (days, same, pd.Series(days)):
        means = explainer.average(x, {"day": labels}, target=0)
        assert means.day.dtype == np.dtype("datetime64[ns]")
        assert int(means.sel(day="2021-05-05").n_samples) == 4
    frame = pd.DataFrame({"ok": [True, False] * 4, "lap": np.arange(8) // 4})
    means = explainer.average(x, frame, target=0)
    assert means.ok.dtype == bool
    assert means.rfft.dims == ("ok", "lap", "frequency")
    means = explainer.average(x, {"who": freqig.shared("s01"), "lap": list(torch.arange(8) // 4)}, target=0)
    assert means.who.values.tolist() == ["s01"]
    assert means.lap.values.tolist() == [0, 1]


def test_tables_of_labels_go_by_the_names_of_samples() -> None:
    explainer, x = freqig.Explainer(Net(nn.Tanh()).eval()), samples(40)
    names, stage = [f"s{i}" for i in range(40)], np.repeat(["W", "N2"], 20)
    order = np.random.default_rng(0).permutation(40)
    signals = xr.DataArray(x, {"sample": names}, ("sample", "time"), attrs={"fs": N})
    expected = explainer.average(signals, {"stage": stage}, target=0)
    rows = [names[i] for i in order]
    frame = pd.DataFrame({"stage": stage[order]}, rows)
    dataset = xr.Dataset({"stage": ("sample", stage[order])}, {"sample": rows})
    for by in (frame, dataset):
        xr.testing.assert_identical(explainer.average(signals, by, target=0), expected)


TAKEN = ["n_samples", "one_by_one", "cancels", "converged", "rfft_standard_error", "stft_time", "channel"]


@pytest.mark.parametrize("name", TAKEN)
def test_groupings_are_not_named_like_parts_of_the_result(name: str) -> None:
    explainer = freqig.Explainer(Net(nn.Tanh()).eval(), domains=[freqig.RFFT(), freqig.STFT(0.25)], fs=N)
    with pytest.raises(ValueError, match=f"not be named '{name}'"):
        explainer.average(samples(4), {name: ["a"] * 4}, target=0)


def test_labels_of_two_kinds_are_refused() -> None:
    explainer, x = freqig.Explainer(Net(nn.Tanh()).eval()), samples(4)
    with pytest.raises(TypeError, match="number and text"):
        explainer.average(x, {"stage": ["W", "W", 1, 1]}, target=0)
    with pytest.raises(TypeError, match="text and then number"):
        explainer.average([(x, {"stage": ["W"] * 4}), (x, {"stage": [1] * 4})], target=0)
    with pytest.raises(TypeError, match=r"by must name its labels, by=\{'stage': labels\}.* list of 4"):
        explainer.average(x, [1, 2, 1, 2], target=0)
    laps = pd.Series([1, 2, 1, 2], name="lap")
    with pytest.raises(TypeError, match=r"by must name its labels, by=\{'lap': labels\}.* Series of shape"):
        explainer.average(x, laps, target=0)


def never(x: Tensor) -> Tensor:
    raise AssertionError("the model must not run")


def test_errors_before_the_model_runs() -> None:
    explainer, x = freqig.Explainer(never, dtype=torch.float64), samples(40)
    with pytest.raises(ValueError, match="one sample of N2"):
        explainer.average(x, {"stage": ["W"] * 39 + ["N2"]}, target=0, tol="sampling")
    with pytest.raises(TypeError, match="got generator"):
        explainer.average(((x, None) for _ in range(2)), target=0)
    once = iter([(x, None)])
    with pytest.raises(ValueError, match="1 and then 0"):
        explainer.average(lambda: once, target=0)
    with pytest.raises(TypeError, match="several inputs"):
        explainer.average((x, x), target=0)
    with pytest.raises(TypeError, match="names its labels"):
        explainer.average(lambda: iter([(x, np.ones(40))]), target=0)


def test_batches_must_be_the_same_every_time() -> None:
    model, x = Net(nn.Tanh()).eval(), samples(80)
    explainer, draws = freqig.Explainer(model, fs=N), np.random.default_rng(0)
    with pytest.raises(ValueError, match="another batch 0"):
        explainer.average(lambda: [(x[draws.permutation(80)], None)], target=0)
    data = TensorDataset(torch.as_tensor(x), torch.arange(80) % 2)
    with pytest.raises(ValueError, match="shuffle=False"):
        explainer.average(DataLoader(data, 40, shuffle=True), target=0)
    labels = iter([np.zeros(80), np.arange(80) % 2, np.arange(80) % 2])
    with pytest.raises(ValueError, match="another batch 0"):
        explainer.average(lambda: [(x, {"half": next(labels)})], target=0)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_a_loader_whose_batches_name_their_labels() -> None:
    model, x = Net(nn.Tanh()).eval(), samples(80)
    items = [(torch.as_tensor(one), {"half": i // 40, "who": "ab"[i % 2]}) for i, one in enumerate(x)]
    loader = DataLoader(items, batch_size=30)  # type: ignore[arg-type]
    means = freqig.Explainer(model, fs=N).average(loader, target=0)
    by = {"half": np.arange(80) // 40, "who": np.array(["a", "b"])[np.arange(80) % 2]}
    whole = freqig.Explainer(model, fs=N).average(x, by, target=0)
    xr.testing.assert_allclose(means, whole)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_recordings_in_a_list_and_what_is_said_of_each() -> None:
    mne = pytest.importorskip("mne")
    model = (
        nn.Sequential(nn.Conv1d(2, 3, 9), nn.Tanh(), nn.AdaptiveAvgPool1d(1), nn.Flatten()).double().eval()
    )
    info = mne.create_info(["C3", "C4", "STI"], N, ["eeg", "eeg", "stim"])
    values = noise(2, 3 * 20 * N, seed=1).reshape(2, 3, -1)
    raws = [mne.io.RawArray(one, info, verbose=False) for one in values]
    explainer = freqig.Explainer(model, fs=N, unit="V")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        means = explainer.average(raws, {"subject": ["s1", "s2"]}, target=0, window=0.5)
    left_out = [one for one in caught if issubclass(one.category, freqig.errors.SignalWarning)]
    assert len({str(one.message) for one in left_out}) == len(left_out)
    assert means.n_samples.values.tolist() == [40, 40]
    windows = values[:, :2].reshape(2, 2, 40, N // 2).swapaxes(1, 2)
    for mean, own in zip(means.rfft, windows, strict=True):
        expected = freqig.Explainer(model, fs=N, n_steps=100)(own, target=0).rfft.mean("sample")
        assert error(mean.values, expected.values) <= 0.02
    with pytest.raises(ValueError, match="one label per recording, so 2"):
        explainer.average(raws, {"subject": ["s1"] * 80}, target=0, window=0.5)


def test_new_nodes_lie_where_there_are_none() -> None:
    """After every round each of n parts has one node, wherever the sequence stands."""
    numbers = np.arange(50)
    found = new_places(numbers, 1, 0.3)
    for n in (2, 4, 8, 16):
        found = np.concatenate([found, new_places(numbers, n, 0.3)], axis=1)
        parts = np.sort((found * n).astype(int), axis=1)
        np.testing.assert_array_equal(parts, np.broadcast_to(np.arange(n), parts.shape))
        # Mirrored in every other part: what changes evenly cancels, from two nodes on.
        np.testing.assert_allclose(found.mean(1), 0.5)


def test_a_model_that_mixes_samples_is_refused() -> None:
    """Though it is examined on few of them."""
    explainer = freqig.Explainer(lambda x: (x - x.mean(0))[:, :2], dtype=torch.float64)
    with pytest.raises(ValueError, match="independently"):
        explainer.average(samples(200), target=0)


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int16])
def test_batches_of_any_dtype(dtype: torch.dtype) -> None:
    explainer, x = freqig.Explainer(Net(nn.Tanh()).eval(), fs=N), torch.as_tensor(samples(8)).to(dtype)
    means = explainer.average([(x[:4], None), (x[4:8], None), (x[:0], None)], target=0)
    assert int(means.n_samples) == 8


LOOP = """
import warnings, numpy as np, torch, freqig
explainer, told = freqig.Explainer(torch.nn.Linear(32, 2), progress=False), []
average = lambda: explainer.average(np.zeros((4, 32)), {"stage": list("aabb")}, target=0)
average()  # what is imported first may have Python forget, too
warnings.showwarning = lambda message, kind, *_: told.append(kind.__name__)
for _ in range(4):
    average()
print(*told)
"""


def test_what_is_told_at_a_line_is_told_there_once() -> None:
    """By Python's own filter, which forgets what it has told where warnings are caught."""
    run = subprocess.run([sys.executable, "-c", LOOP], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["EmptyExplanationWarning"]
