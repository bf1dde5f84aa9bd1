"""Signals in pieces: loaders, iterators, series of unequal length and files, against one by one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import freqig
from freqig import Explainer, baselines, per_sample, shared
from freqig.errors import EmptyExplanationWarning

from ..helpers import noise, seeded

pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

NAMES = ("a", "b", "c")


class AnyLength(nn.Module):
    """Takes series of every length, and hears where they end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 6, 5, padding=2, dtype=torch.float64)
        self.dense = nn.Linear(6, 3, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense((self.conv(x).tanh() + x[..., -1:].mean(1, keepdim=True)).mean(-1))


def explainer(**settings: Any) -> Explainer:
    return Explainer(seeded(AnyLength), **{"n_steps": 20, "fs": 50.0, **settings})


X = noise(10, 2, 40)
LABELS = torch.arange(10) % 3


class Items(Dataset[Any]):
    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, i: int) -> Any:
        return X[i], int(LABELS[i]), [i, 0, 40]


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(X)


@pytest.mark.parametrize(
    ("pieces", "labelled"),
    [
        (lambda: DataLoader(TensorDataset(torch.from_numpy(X), LABELS), batch_size=4), True),
        (lambda: DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=3), False),
        (lambda: DataLoader(Items(), batch_size=4), True),
        (lambda: Items(), True),
        (lambda: Stream(), False),
        (lambda: iter([X[:7], X[7:]]), False),
        (lambda: (X[i : i + 1] for i in range(10)), False),
        (lambda: ((X[i : i + 2], LABELS[i : i + 2]) for i in range(0, 10, 2)), True),
        (lambda: ((X[i : i + 2], [NAMES[k] for k in LABELS[i : i + 2]]) for i in range(0, 10, 2)), True),
        # A regression: values that are no classes are no truth.
        (lambda: iter([(X, np.linspace(0, 1, 10))]), False),
        (lambda: iter([xr.DataArray(X, dims=("sample", "channel", "time"))]), False),
    ],
)
def test_batches_are_explained_as_all_at_once(pieces: Any, labelled: bool) -> None:
    asked = {"target": 1, "baseline": baselines.dc()}
    whole = explainer(classes=NAMES)(X, truth=LABELS if labelled else None, **asked)
    xr.testing.assert_allclose(explainer(classes=NAMES)(pieces(), **asked), whole, atol=1e-12)


def test_what_is_per_sample_is_shared_out() -> None:
    target = [0, 1, 2, 0, 1, 2, 2, 1, 0, 0]
    asked = {"target": target, "truth": LABELS, "names": [f"{i}.wav" for i in range(10)]}
    whole = explainer()(X, **asked)
    loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=4)
    xr.testing.assert_allclose(explainer()(loader, **asked), whole, atol=1e-12)
    for count in (9, 11):
        with pytest.raises(ValueError, match="target must be one per sample"):
            explainer()(loader, target=[0] * count)
    shuffled = DataLoader(TensorDataset(torch.from_numpy(X)), shuffle=True)
    with pytest.raises(ValueError, match=r"known order where target .*shuffle=True"):
        explainer()(shuffled, target=target)
    assert explainer()(shuffled, target=1).sizes["sample"] == 10


def test_batches_of_several_inputs() -> None:
    model = seeded(AnyLength)
    two = Explainer(lambda a, b: model(a + b.square()), n_steps=20, dtype=torch.float64)
    pair = TensorDataset(torch.from_numpy(X), torch.from_numpy(X[::-1].copy()))
    whole = two((X, X[::-1].copy()), target=1)
    xr.testing.assert_allclose(two(DataLoader(pair, batch_size=5), target=1), whole, atol=1e-12)


def test_only_one_batch_is_held() -> None:
    """The next batch is asked for when the last is explained."""
    events = []

    def model(x: Tensor) -> Tensor:
        events.append("model")
        return x.square().mean((1, 2))

    def batches() -> Iterator[np.ndarray]:
        for i in range(3):
            events.append(f"batch {i}")
            yield X[i : i + 1]

    Explainer(model, n_steps=2)(batches())
    assert events.index("batch 1") > events.index("model")
    assert [one for one in events if one != "model"] == ["batch 0", "batch 1", "batch 2"]


@pytest.mark.parametrize(
    ("pieces", "error", "word"),
    [
        (iter([]), ValueError, "at least one batch"),
        (iter([X, X[..., :30]]), ValueError, "batches must have the same channels, length"),
        (iter(X[0]), TypeError, r"batch axis first, got ndarray with 1 axes"),
        (iter([{"y": LABELS, "x": X}]), TypeError, r"with the keys 'y', 'x': .*\(batch\['x'\] for batch"),
        (iter([3.0]), TypeError, "must yield batches"),
    ],
)
def test_pieces_that_do_not_fit(pieces: Any, error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=word):
        explainer()(pieces, target=1)


def test_arrays_must_be_said_to_follow_pieces_or_not() -> None:
    with pytest.raises(ValueError, match=r"must be freqig.per_sample\(...\) or freqig.shared.*may be either"):
        explainer()(iter([X]), additional_forward_args=LABELS)


def loudness(x: Tensor, gain: Tensor, weight: Tensor) -> Tensor:
    """Of any length: energy of weighted channels, times a gain of each series."""
    return gain[:, None] * (x.square().mean(-1) @ weight)[:, None]


GAINS = np.arange(1.0, 6.0, dtype="f4")
WEIGHT = shared(np.array([1.0, 2.0], dtype="f4"))


@pytest.mark.parametrize("kind", ["iterator", "loader", "uneven"])
def test_further_arguments_follow_pieces(kind: str) -> None:
    """As batch by batch, and as a closed form: an energy sums to itself."""
    series = [torch.tensor(noise(2, n, seed=i)).float() for i, n in enumerate((30, 47, 30, 64, 12))]
    even = torch.stack([one.repeat(1, 6)[:, :60] for one in series])
    pieces: dict[str, Any] = {
        "iterator": iter(even.split(2)),
        "loader": DataLoader(TensorDataset(even), batch_size=3),
        "uneven": series,
    }
    found = Explainer(loudness)(pieces[kind], target=0, additional_forward_args=(per_sample(GAINS), WEIGHT))
    used = series if kind == "uneven" else list(even)
    expected = [
        g * float(one.square().mean(-1) @ torch.tensor([1.0, 2.0]))
        for g, one in zip(GAINS, used, strict=True)
    ]
    np.testing.assert_allclose(found.output, expected, rtol=1e-5)
    np.testing.assert_allclose(found.rfft.sum(("channel", "frequency")), expected, rtol=1e-3)


@pytest.mark.parametrize("count", [4, 6])
def test_entries_are_as_many_as_samples_of_all_pieces(count: int) -> None:
    gains = per_sample(np.ones(count, dtype="f4"))
    with pytest.raises(
        ValueError, match=rf"additional_forward_args must have one entry per sample, .*{count}"
    ):
        Explainer(loudness)(
            iter(torch.ones(5, 2, 20).split(2)), target=0, additional_forward_args=(gains, WEIGHT)
        )


def test_entries_need_an_order() -> None:
    loader = DataLoader(TensorDataset(torch.ones(5, 2, 20)), shuffle=True)
    with pytest.raises(
        ValueError, match="known order where additional_forward_args has one entry per sample"
    ):
        Explainer(loudness)(loader, target=0, additional_forward_args=(per_sample(GAINS), WEIGHT))


# --- series of unequal length ----------------------------------------------------------------------------

SERIES = [noise(2, n) for n in (30, 47, 30, 64, 12)]


@pytest.mark.parametrize(
    "baseline", [None, baselines.dc(), baselines.surrogate(seed=1)], ids=["zero", "dc", "phase"]
)
def test_each_series_is_explained_as_by_itself(baseline: Any) -> None:
    domains = [freqig.RFFT(), freqig.Time(), freqig.STFT(0.2), freqig.Polar()]
    asked: dict[str, Any] = {"target": 1, "baseline": baseline}
    result = explainer(domains=domains)(SERIES, truth=[0, 1, 2, 0, 1], **asked)
    assert result.truth.values.tolist() == [0, 1, 2, 0, 1]
    assert result.n_times.values.tolist() == [30, 47, 30, 64, 12]
    assert result.frequency.values.tolist() == np.fft.rfftfreq(64, 1 / 50).tolist()
    for i, series in enumerate(SERIES):
        n = series.shape[-1]
        if isinstance(baseline, type(baselines.surrogate())) and [len(s[0]) for s in SERIES].count(n) > 1:
            continue  # Drawn for those of one length together.
        alone = explainer(domains=freqig.Time())(series[None], **asked)
        np.testing.assert_allclose(result.waveform[i, :, :n], alone.waveform[0], atol=1e-9)
        np.testing.assert_array_equal(result.waveform[i, :, n:], 0)
        np.testing.assert_array_equal(result.signal[i, :, :n], series)
        assert bool(result.signal[i, :, n:].isnull().all())
        difference = float(alone.waveform.sum())
        for name in ("rfft", "stft"):
            assert float(result[name][i].sum()) == pytest.approx(difference, abs=1e-9)


def test_the_spectrum_is_that_of_the_series_with_zeros_behind() -> None:
    """Of δ and the mean gradient of the series alone, by an explicit sum."""
    result = explainer(domains=[freqig.RFFT(), freqig.Time()])([SERIES[1], SERIES[3]], target=1)
    delta = np.zeros((2, 64))
    delta[:, :47] = SERIES[1]
    waveform = result.waveform.values[0]
    gradient = np.divide(waveform, delta, out=np.zeros_like(delta), where=delta != 0)
    k, t = np.arange(33)[:, None], np.arange(64)
    wave = np.exp(-2j * np.pi * k * t / 64)
    weights = np.where((k[:, 0] == 0) | (k[:, 0] == 32), 1, 2) / 64
    expected = weights * np.real(np.conj(delta @ wave.T) * (gradient @ wave.T))
    np.testing.assert_allclose(result.rfft.values[0], expected, atol=1e-9)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, np.ndarray.tolist])
def test_series_of_every_kind(kind: Any) -> None:
    expected = explainer()(SERIES, target=1)
    xr.testing.assert_allclose(explainer()([kind(one) for one in SERIES], target=1), expected, atol=1e-9)


def test_data_arrays_keep_what_they_say() -> None:
    arrays = [
        xr.DataArray(
            one[None],
            dims=("sample", "channel", "time"),
            coords={"channel": ["Cz", "Oz"], "file": ("sample", [f"{i}.wav"])},
            attrs={"fs": 50.0},
        )
        for i, one in enumerate(SERIES)
    ]
    result = explainer(fs=None)(arrays, target=1)
    assert result.file.values.tolist() == [f"{i}.wav" for i in range(5)]
    assert result.channel.values.tolist() == ["Cz", "Oz"]
    np.testing.assert_allclose(result.rfft, explainer()(SERIES, target=1).rfft, atol=1e-9)
    arrays[2] = arrays[2].assign_coords(channel=["Oz", "Cz"])
    with pytest.raises(ValueError, match="same coordinate 'channel', but one has other labels"):
        explainer(fs=None)(arrays, target=1)
    arrays[2] = arrays[2].assign_coords(channel=["Cz", "Oz"]).assign_attrs(fs=25.0)
    with pytest.raises(ValueError, match="batches must have the same coordinate"):
        explainer(fs=None)(arrays, target=1)


def test_dates_that_only_some_series_have_are_missing_for_the_others() -> None:
    arrays = [xr.DataArray(one[None], dims=("sample", "channel", "time")) for one in SERIES]
    dated = arrays[0].assign_coords(day=("sample", np.array(["2024-02-29"], "M8[ns]")))
    result = explainer()([dated, *arrays[1:]], target=1)
    assert np.isnat(result.day.values).tolist() == [False, True, True, True, True]


def test_a_model_of_one_length_says_which_series_does_not_fit() -> None:
    fixed = Explainer(seeded(lambda: nn.Linear(64, 3)), n_steps=2)
    told = r"different lengths or shapes, 30 to 64 values in time, and the model fails on those with 30"
    with pytest.raises(ValueError, match=told):
        fixed([noise(64), noise(30)], target=1)


# --- several files ---------------------------------------------------------------------------------------


def written(folder: Path) -> list[Path]:
    for i, series in enumerate(SERIES):
        np.savez(folder / f"{i}.npz", data=series, fs=50.0)
    return sorted(folder.glob("*.npz"))


def test_series_that_differ_in_more_than_their_length() -> None:
    for x in ([X[0], X[0][:1]], [X[0], X[1][:1, :30]]):
        with pytest.raises(ValueError, match=r"length alone, got the shapes \(2, 40\) and \(1, (40|30)\)"):
            Explainer(lambda x: x.square().mean((1, 2)))(x)


def test_files_of_unequal_length(tmp_path: Path) -> None:
    paths = written(tmp_path)
    expected = explainer()(SERIES, target=1)
    for x in (paths, list(map(str, paths)), iter(paths)):
        result = explainer(fs=None)(x, target=1)
        np.testing.assert_allclose(result.rfft, expected.rfft, atol=1e-9)
        assert result.file.values.tolist() == [path.name for path in paths]


def test_files_that_are_cut(tmp_path: Path) -> None:
    paths = written(tmp_path)[:4]
    result = explainer(fs=None, classes=NAMES).explain_files(
        paths,
        target="b",
        window=0.4,
        truth=["a", "b", "c", 0],
        annotations=[["x"], ["x", "y"], ["x"], ["x"] * 3],
    )
    assert result.file.values.tolist() == ["0.npz", "1.npz", "1.npz", "2.npz", "3.npz", "3.npz", "3.npz"]
    assert result.truth.values.tolist() == ["a", "b", "b", "c", "a", "a", "a"]
    assert result.label.values.tolist() == ["x", "x", "y", "x", "x", "x", "x"]
    assert "n_times" not in result.coords
    np.testing.assert_array_equal(result.signal[2], SERIES[1][:, 20:40])


@pytest.mark.parametrize("window", [None, 0.2])
def test_one_that_fails_does_not_stop_the_others(tmp_path: Path, window: float | None) -> None:
    paths = written(tmp_path)
    paths[1].write_bytes(b"no archive")
    paths.append(tmp_path / "absent.wav")
    failed: dict[Any, Exception] = {}
    result = explainer(fs=None).explain_files(paths, target=1, window=window, failed=failed.__setitem__)
    assert list(dict.fromkeys(result.file.values.tolist())) == ["0.npz", "2.npz", "3.npz", "4.npz"]
    assert list(failed) == [paths[1], paths[-1]]
    assert isinstance(failed[paths[-1]], FileNotFoundError)
    with pytest.raises(ValueError, match=r"1\.npz must hold an array"):
        explainer(fs=None)(paths, target=1, window=window)
    with pytest.raises(ValueError, match="a recording that can be explained, and none of 1 can"):
        explainer(fs=None).explain_files(paths[1:2], failed=failed.__setitem__)


def test_one_entry_per_file(tmp_path: Path) -> None:
    paths = written(tmp_path)
    for name in ("truth", "names", "annotations"):
        with pytest.raises(ValueError, match=f"{name} must be one per file, a sequence of 5, got"):
            explainer(fs=None).explain_files(paths, **{name: ["a"]})


def test_figures_and_parts_end_where_a_series_does() -> None:
    from matplotlib.figure import Figure

    result = explainer(classes=NAMES)([noise(2, n) for n in (40, 64)], target="b", names=["short", "long"])
    part = freqig.resynthesize(result, 0.9)
    assert bool(part[0, :, 40:].isnull().all())
    assert bool(part[0, :, :40].notnull().all())
    assert bool(part[1].notnull().all())
    alone = freqig.resynthesize(result, 1e-9 + 0.9, explainer=explainer(classes=NAMES))
    model = seeded(AnyLength)
    expected = model(torch.from_numpy(alone.values[:1, :, :40])).detach()[0, 1]
    assert float(alone.part_output[0]) == pytest.approx(float(expected), abs=1e-9)
    axes = freqig.plots.sample(result, 0, axes=Figure(figsize=(8, 8)).subplots(4))
    heights = [patch.get_data().values for patch in axes[2].patches]
    assert heights
    assert all(np.isfinite(one).all() for one in heights)


def told_of(explain: Any) -> list[str]:
    """What is said of signals that equal their baseline: which samples, and of what."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EmptyExplanationWarning)
        explain()
    return [str(one.message).rpartition("baseline")[2] for one in caught]


def test_warnings_tell_which_samples_of_all_they_are_of(tmp_path: Path) -> None:
    """Samples are counted within a file, a batch, or series of one length."""
    silent, loud = np.zeros((2, 1, 40)), np.ones((2, 1, 40))
    energy = Explainer(lambda x: x.square().sum((1, 2))[:, None], fs=10)
    paths = []
    for name, values in (("a", loud), ("b", silent)):
        paths.append(tmp_path / f"{name}.npy")
        np.save(paths[-1], values)
    assert told_of(lambda: energy(paths)) == [f" [of {paths[1]}]"]
    assert told_of(lambda: energy(paths[1:])) == [""]
    batches = [loud, silent]
    assert told_of(lambda: energy(iter(batches))) == [" [of the batch that begins with sample 2]"]
    uneven = [loud[0], silent[0], loud[0, :, :30], silent[0, :, :30]]
    said = [" [of the samples 0, 1, counted from 0]", " [of the samples 2, 3, counted from 0]"]
    assert told_of(lambda: energy(uneven)) == said
    assert told_of(lambda: energy(silent)) == [""]
