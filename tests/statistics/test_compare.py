"""Comparisons against brute force, SciPy, MNE and the null; pairs, units and what is refused."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import sparse, stats

import freqig
from freqig import compare
from freqig.errors import FreqigWarning
from freqig.statistics.clusters import clusters_of, t_of_groups, t_threshold

from ..helpers import noise, seeded
from .cases import people, result_of

mne = pytest.importorskip("mne")
LINE = slice(3, 6)
"""Where a difference is planted."""


def two_classes(n: int = 8, shift: float = 2.5, seed: int = 0, channels: int = 0) -> xr.Dataset:
    """Each person has six samples of N2, with a planted band, and six of W."""
    rng = np.random.default_rng(seed)
    shape = (n, 12, *([channels] if channels else []), 12)
    values = rng.normal(size=shape) + rng.normal(size=(n, 1, *shape[2:]))
    values[:, ::2, ..., LINE] += shift
    return result_of(
        values.reshape(n * 12, *shape[2:]),
        subject=np.repeat([f"s{i}" for i in range(n)], 12),
        stage=np.tile(["N2", "W"], 6 * n),
    )


def clusters_by_hand(t: np.ndarray, threshold: float) -> list[tuple[list[int], float]]:
    """Runs of places on a line beyond the threshold, of one sign each."""
    found: list[tuple[list[int], float]] = []
    for sign in (1, -1):
        run: list[int] = []
        for i, value in enumerate([*(sign * t), -np.inf]):
            if value > threshold:
                run.append(i)
            elif run:
                found.append((run, float(t[run].sum())))
                run = []
    return found


def t_of(differences: np.ndarray) -> np.ndarray:
    return np.asarray(stats.ttest_1samp(differences, 0).statistic)


def line(n: int) -> Any:
    return sparse.diags([np.ones(n - 1), np.ones(n), np.ones(n - 1)], [-1, 0, 1]).tocoo()


def test_six_pairs_by_going_through_all_signs() -> None:
    result = two_classes(6, shift=1.0, seed=3)
    found = compare(result, by="stage", paired=True)
    values = result.rfft.values.reshape(6, 12, -1)
    differences = values[:, ::2].mean(1) - values[:, 1::2].mean(1)
    threshold = stats.t.ppf(0.975, 5)
    np.testing.assert_allclose(found.rfft, differences.mean(0))
    np.testing.assert_allclose(found.rfft_t, t_of(differences))
    np.testing.assert_allclose(found.attrs["threshold_t"], threshold)
    truth = clusters_by_hand(t_of(differences), threshold)
    assert truth
    largest = []
    for signs in itertools.product([1, -1], repeat=6):
        flipped = clusters_by_hand(t_of(np.array(signs)[:, None] * differences), threshold)
        largest.append(max((abs(mass) for _, mass in flipped), default=0.0))
    for places, mass in truth:
        (number,) = set(found.rfft_cluster.values[places].tolist())
        assert number > 0
        own = found.sel(cluster=number)
        np.testing.assert_allclose(own.cluster_mass, mass)
        p = np.mean(np.array(largest) >= abs(mass) * (1 - 1e-9))
        np.testing.assert_allclose(own.cluster_p, p)
        np.testing.assert_allclose(found.rfft_p.values[places], p)
    assert (found.rfft_cluster > 0).sum() == sum(len(places) for places, _ in truth)
    assert "all 32" in found.attrs["test"]


def test_groups_by_going_through_all_deals() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
    first[:, 2:4] += 1.6
    threshold = t_threshold(0.05, 10)
    together = np.concatenate([first, second])
    highest, lowest = [], []
    for chosen in itertools.combinations(range(12), 6):
        rest = [i for i in range(12) if i not in chosen]
        dealt = clusters_by_hand(t_of_groups(together[list(chosen)], together[rest]), threshold)
        highest.append(max((mass for _, mass in dealt), default=0.0))
        lowest.append(min((mass for _, mass in dealt), default=0.0))
    found = clusters_of([first, second], line(5), threshold, 4000, seed=0)
    truth = clusters_by_hand(t_of_groups(first, second), threshold)
    assert len(found) == len(truth) > 0
    for one in found:
        assert one.mass == pytest.approx(
            next(mass for places, mass in truth if places == one.places.tolist())
        )
        tail = np.array(highest) >= one.mass if one.mass > 0 else np.array(lowest) <= one.mass
        p = min(1.0, 2 * float(tail.mean()))
        assert one.p == pytest.approx(p, abs=5 * np.sqrt(p / 2000) + 2e-3)


def test_statistics_are_those_of_scipy_and_mne() -> None:
    first, second = noise(9, 7), noise(12, 7, seed=1) + 0.5
    np.testing.assert_allclose(
        t_of_groups(first, second), stats.ttest_ind(first, second).statistic, rtol=1e-12
    )
    differences = noise(12, 20, seed=2)
    differences[:, 5:9] += 1.5
    threshold = t_threshold(0.05, 11)
    found = clusters_of([differences.copy()], line(20), threshold, 500, seed=4)
    new = "rng" in inspect.signature(mne.stats.permutation_cluster_1samp_test).parameters
    drawn = {"rng": np.random.default_rng(4)} if new else {"seed": 4}
    t, places, p, _ = mne.stats.permutation_cluster_1samp_test(
        differences.copy(),
        threshold=threshold,
        n_permutations=500,
        **drawn,
        out_type="indices",
        verbose="critical",
    )
    assert {(tuple(one.places.tolist()), round(one.p, 6)) for one in found} == {
        (tuple(where[0].tolist()), round(float(value), 6)) for where, value in zip(places, p, strict=True)
    }
    np.testing.assert_allclose(t, stats.ttest_1samp(differences, 0).statistic)


@pytest.mark.parametrize("sizes", [(7,), (6, 14)], ids=str)
def test_false_positives_stay_within_their_rate(sizes: tuple[int, ...]) -> None:
    """Of data sets without a difference, a quarter may seem to have one: that rate is asked for."""
    rng = np.random.default_rng(6)
    trials, rate, hits = 80, 0.25, 0
    for trial in range(trials):
        # Signs of differences may be flipped where these are symmetric.
        samples = [
            rng.exponential(size=(n, 8)) if len(sizes) == 2 else rng.laplace(size=(n, 8)) for n in sizes
        ]
        threshold = t_threshold(0.2, sum(sizes) - len(sizes))
        found = clusters_of(samples, line(8), threshold, 40, seed=trial)
        hits += bool(found and found[0].p <= rate)
    assert stats.binom.sf(hits - 1, trials, rate) > 1e-3, hits
    assert hits > trials * rate / 4


def test_a_planted_band_is_found_and_nothing_else() -> None:
    for seed in range(3):
        found = compare(two_classes(seed=seed), by="stage", paired=True)
        assert np.flatnonzero(found.rfft_significant).tolist() == [3, 4, 5]
        assert found.cluster_p[0] < 0.05
        assert (found.cluster_frequency_from[0], found.cluster_frequency_to[0]) == (1.5, 2.5)
    assert found.attrs["unit"] == "subject"
    assert (found.first, found.second) == ("N2", "W")
    assert found.rfft.sel(frequency=2.0) > 1.5
    assert ((found.rfft_lower < found.rfft) & (found.rfft < found.rfft_upper)).all()
    turned = compare(two_classes(seed=seed), by="stage", between=("W", "N2"), paired=True)
    np.testing.assert_allclose(turned.rfft, -found.rfft)
    np.testing.assert_allclose(turned.cluster_p, found.cluster_p)


def test_effect_sizes_by_their_formulas() -> None:
    a, b = people(9, 1), people(12, 1, seed=1)
    b = b.assign_coords(subject=("sample", np.arange(100, 112)))
    found = compare(a, b, paired=False, names=["patients", "controls"])
    x, y = a.rfft.values, b.rfft.values
    pooled = np.sqrt((8 * x.var(0, ddof=1) + 11 * y.var(0, ddof=1)) / 19)
    np.testing.assert_allclose(
        found.rfft_effect_size, (x.mean(0) - y.mean(0)) / pooled * (1 - 3 / (4 * 19 - 1))
    )
    assert found.attrs["effect_size"] == "Hedges' g"
    np.testing.assert_allclose(found.rfft_mean.sel(group="controls"), y.mean(0))
    c = people(9, 1, seed=2)
    paired = compare(a, c, paired=True)
    difference = x - c.rfft.values
    np.testing.assert_allclose(paired.rfft_effect_size, difference.mean(0) / difference.std(0, ddof=1))
    assert paired.attrs["effect_size"] == "Cohen's d_z"
    for own in paired.cluster.values.tolist():
        inside = difference[:, paired.rfft_cluster.values == own].mean(1)
        np.testing.assert_allclose(
            paired.cluster_effect_size.sel(cluster=own), inside.mean() / inside.std(ddof=1)
        )


def test_order_of_samples_changes_nothing() -> None:
    result = two_classes()
    rng = np.random.default_rng(0)
    one = compare(result, by="stage", paired=True)
    other = compare(result.isel(sample=rng.permutation(96)), by="stage", paired=True)
    xr.testing.assert_allclose(one, other)


def test_channels_are_independent_unless_said_otherwise() -> None:
    result = two_classes(channels=3)
    found = compare(result, by="stage", paired=True)
    assert sorted(found.cluster_channel.values[:3].tolist()) == ["C0", "C1", "C2"]
    assert found.attrs["neighbours"] == "channels independent, along frequency"
    chain = np.eye(3, k=1) + np.eye(3, k=-1)
    for adjacency in (chain, sparse.csr_matrix(chain), chain.astype(bool).tolist()):
        joined = compare(result, by="stage", paired=True, adjacency=adjacency)
        assert joined.cluster_channel.values[0] == "C0, C1, C2"
        assert joined.cluster_size[0] >= 9
    assert joined.attrs["neighbours"] == "channels as adjacency says, along frequency"
    named = result.isel(channel=[0, 1, 2, 0]).assign_coords(channel=["Oz", "O1", "o2", "POz"])
    placed = compare(named, by="stage", paired=True, montage="standard_1005")
    assert placed.attrs["neighbours"] == "channels by their positions, along frequency"
    assert placed.cluster_channel.values[0] == "Oz, O1, o2, POz"


def test_time_and_frequency_make_clusters_together() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 9, 7))
    values[::2, 3:6, 2:5] += 2.5
    result = xr.Dataset(
        {
            "stft": (
                ("sample", "stft_frequency", "stft_time"),
                values,
                {"kind": "attribution", "units": "logit"},
            )
        },
        {
            "stft_frequency": ("stft_frequency", np.arange(9.0), {"units": "Hz"}),
            "stft_time": ("stft_time", np.arange(7.0), {"units": "s"}),
            "subject": ("sample", np.repeat(np.arange(10), 2)),
            "stage": ("sample", ["N2", "W"] * 10),
        },
    )
    found = compare(result, by="stage", paired=True, name="stft")
    where = found.stft_cluster.values == 1
    assert where[3:6, 2:5].sum() >= 8
    assert where.sum() <= 11
    assert found.cluster_p[0] < 0.05


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_two_models_on_the_same_samples() -> None:
    """Pairs are found by file and onset, whatever the order."""
    models = [seeded(torch.nn.Linear, 16, 2, seed=seed) for seed in (0, 1)]
    x = noise(9, 16)
    results = [
        freqig.Explainer(model, fs=16)(x, target=0).assign_coords(
            file=("sample", ["a"] * 9), onset=("sample", np.arange(9.0))
        )
        for model in models
    ]
    found = compare(*results, paired=True, names=("one", "other"))
    np.testing.assert_allclose(found.rfft, (results[0].rfft - results[1].rfft).mean("sample"), rtol=1e-5)
    shuffled = compare(results[0], results[1].isel(sample=[3, 1, 4, 0, 8, 5, 2, 7, 6]), paired=True)
    np.testing.assert_allclose(shuffled.rfft_t, found.rfft_t, rtol=1e-6)
    plain = [own.drop_vars(["file", "onset"]) for own in results]
    np.testing.assert_allclose(compare(*plain, paired=True).rfft_t, found.rfft_t)
    with pytest.raises(ValueError, match="sample 0 has another signal in b"):
        compare(plain[0], plain[1].isel(sample=slice(None, None, -1)), paired=True)


def test_means_of_subjects_are_compared_like_their_samples() -> None:
    result = two_classes()
    stage, subject = result.stage.values, result.subject.values
    names = np.unique(subject)
    mean = np.array(
        [[result.rfft.values[(stage == s) & (subject == p)].mean(0) for p in names] for s in ("N2", "W")]
    )
    means = xr.Dataset(
        {
            "rfft": (("stage", "subject", "frequency"), mean, {"kind": "attribution", "units": "logit"}),
            "n_samples": (("stage", "subject"), np.full((2, 8), 6)),
        },
        {"stage": ["N2", "W"], "subject": names, "frequency": result.frequency},
    )
    truth = compare(result, by="stage", paired=True)
    for found in (
        compare(means, by="stage", paired=True),
        compare(means.sel(stage="N2"), means.sel(stage="W"), paired=True),
    ):
        np.testing.assert_allclose(found.rfft_t, truth.rfft_t)
        np.testing.assert_allclose(found.cluster_p, truth.cluster_p)
    with pytest.raises(ValueError, match="means must be those of subjects"):
        compare(means.isel(subject=0, drop=True), by="stage", paired=False)
    means["n_samples"][1, 3] = 0
    with pytest.raises(ValueError, match="same subjects where paired=True, but only a has 's3'"):
        compare(means, by="stage", paired=True)


def test_right_and_wrong_decisions() -> None:
    result = two_classes(shift=3.0)
    result = result.assign_coords(
        truth=("sample", ["W"] * 96), predicted=("sample", np.where(result.stage == "N2", "W", "N1"))
    )
    found = compare(result, by="correct", paired=True)
    assert (found.first, found.second) == ("right", "wrong")
    assert np.flatnonzero(found.rfft_significant).tolist() == [3, 4, 5]


def test_places_without_variance_are_not_tested() -> None:
    result = two_classes()
    result["rfft"][:, 0] = 0
    result["rfft"][:, 1] = 3.7
    found = compare(result, by="stage", paired=True)
    assert np.isnan(found.rfft_t[:2]).all()
    assert found.rfft_cluster[:2].sum() == 0
    assert np.isfinite(found.rfft_t[2:]).all()
    with pytest.warns(FreqigWarning, match="nothing to test"):
        none = compare(result, result, paired=True)
    assert none.sizes["cluster"] == 0
    assert not none.rfft_significant.any()


def test_rounding_is_no_difference() -> None:
    """A transform in float32 errs a little, and in one direction, where there is nothing."""
    result = two_classes()
    values = result.rfft.values.copy()
    values[:, 8:] = 1e-8 * (1 + 0.1 * noise(96, 4)) * np.where(result.stage == "N2", 2, 1)[:, None]
    exact = compare(result.assign(rfft=result.rfft.copy(data=values)), by="stage", paired=True)
    assert exact.rfft_significant[8:].all()
    single = compare(result.assign(rfft=result.rfft.copy(data=values.astype("f4"))), by="stage", paired=True)
    assert np.flatnonzero(single.rfft_significant).tolist() == [3, 4, 5]
    assert np.isnan(single.rfft_t[8:]).all()


def test_a_comparison_goes_through_a_file(tmp_path: Path) -> None:
    for n, result in enumerate((two_classes(channels=2), two_classes(shift=0.0).isel(frequency=[0]))):
        found = compare(result, by="stage", paired=True)
        found.to_netcdf(tmp_path / f"{n}.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / f"{n}.nc", engine="h5netcdf") as back:
            xr.testing.assert_allclose(back, found)
            assert dict(back.attrs) == dict(found.attrs)


def refused(message: str, *sides: xr.Dataset, **options: Any) -> None:
    with pytest.raises(ValueError, match=message):
        compare(*sides, **{"paired": True, **options})


def test_units_that_are_refused() -> None:
    result = two_classes()
    a, b = (result.sel(sample=result.stage == stage) for stage in ("N2", "W"))
    few = [own.sel(sample=own.subject < "s5") for own in (a, b)]
    refused("a must have at least 6 subjects, got 5", *few)
    refused("only a has 's7'", a, b.sel(sample=b.subject != "s7"))
    refused("only b has 's0'", a.sel(sample=a.subject != "s0"), b)
    refused("no subject in common unless paired=True", a, b, paired=False)
    refused("only a has it", a, b.drop_vars("subject"))
    refused("only b has it", a.drop_vars("subject"), b)
    refused("paired must be False for two groups of samples", result.drop_vars("subject"), by="stage")
    refused("a must hold at least one sample, got none", a.isel(sample=[]), b)
    refused(r"by\['subject'\] must have a label", a.assign_coords(subject=("sample", [""] * 48)), b)
    one = [own.sel(sample=own.subject == "s0") for own in (a, b)]
    refused(r"got 1: .* drop_vars\('subject'\)", *one)
    alone = [own.drop_vars("subject") for own in one]
    assert compare(*alone, paired=False).attrs["unit"] == "sample"
    refused("a must have at least 6 samples, got 1", *(own.isel(sample=[0]) for own in alone))
    refused("the same samples where paired=True, got 6 and 5", alone[0], alone[1].isel(sample=slice(5)))
    bad = a.copy(deep=True)
    bad.rfft[3, 1] = np.nan
    refused("a.rfft must be finite, but 1 of 48 samples", bad, b)


@pytest.mark.parametrize("paired", [True, False])
def test_places_without_a_coefficient_are_not_compared(paired: bool) -> None:
    result = two_classes()
    if not paired:
        result = result.drop_vars("subject")
    sparse = result.assign(rfft=result.rfft.where(result.frequency != 0.5))
    found = compare(sparse, by="stage", paired=paired)
    expected = compare(result.drop_sel(frequency=0.5), by="stage", paired=paired)
    for name in ("rfft", "rfft_t", "rfft_effect_size", "rfft_lower", "rfft_upper"):
        assert found[name].sel(frequency=0.5).isnull().all()
        xr.testing.assert_allclose(found[name].drop_sel(frequency=0.5), expected[name])


def test_pairs_that_are_refused() -> None:
    result = people(8, 1).drop_vars("subject")
    keyed = result.assign_coords(file=("sample", list("abcdefgh")))
    refused("b has none with file 'h'", keyed, keyed.assign_coords(file=("sample", list("abcdefgx"))))
    truth = result.assign_coords(truth=("sample", ["W"] * 8))
    refused(
        "pair 7 has the truth W in a and N2 in b",
        truth,
        truth.assign_coords(truth=("sample", ["W"] * 7 + ["N2"])),
    )


def test_axes_that_are_refused() -> None:
    result = two_classes(channels=2)
    a, b = (result.sel(sample=result.stage == stage) for stage in ("N2", "W"))
    refused("same frequency, got 12 and 11", a, b.isel(frequency=slice(11)))
    refused(
        "same frequency, but at position 1 there is 0.5 in a and 1.0 in b",
        a,
        b.assign_coords(frequency=("frequency", 2 * b.frequency.values, {"units": "Hz"})),
    )
    refused("same channel, but at position 1", a, b.assign_coords(channel=["C0", "Fz"]))
    refused("same axes, got channel, frequency and frequency", a, b.isel(channel=0))
    logs = b.copy()
    logs["rfft"] = logs.rfft.assign_attrs(units="log_prob")
    refused("in one unit, got logit and log_prob", a, logs)
    refused("name must be a variable of attributions, which in a are 'rfft', got 'stft'", a, b, name="stft")
    turned = compare(a, b.isel(channel=[1, 0]), paired=True)
    np.testing.assert_allclose(turned.rfft, compare(a, b, paired=True).rfft)
    several = result.expand_dims(target=["x", "y"], axis=1)
    refused("result must hold one target", several, by="stage")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": None}, "by must say what makes two groups"),
        ({"by": ["stage", "subject"]}, "by must be one grouping"),
        ({"by": "subject"}, "between must name two of the groups by 'subject'"),
        ({"between": ("N2", "N3")}, "between must be two of the groups by 'stage', which are 'N2', 'W', got"),
        ({"between": ("W", "W")}, "between must be two of the groups"),
        ({"names": ["x", "x"]}, "names must be two different ones"),
        ({"alpha": 0}, "alpha must be above 0 and below 1"),
        ({"threshold": 2.0}, r"threshold must be above 0 and below 1, got 2\.0: 2 % is 0\.02"),
        ({"n_permutations": 1}, "n_permutations must be at least 20"),
        ({"montage": "standard_1005"}, "montage must be None for attributions without channels"),
        ({"montage": "a", "adjacency": np.eye(2)}, "must not both be given"),
    ],
)
def test_arguments_that_are_refused(options: dict[str, Any], message: str) -> None:
    refused(message, two_classes(6), **{"by": "stage", **options})


def test_neighbours_that_are_refused() -> None:
    result = two_classes(6, channels=3)
    refused(r"adjacency must be a matrix .* \(3, 3\)", result, by="stage", adjacency=np.eye(2))
    refused("adjacency must be symmetric", result, by="stage", adjacency=np.eye(3, k=1))
    refused("montage must be one of", result, by="stage", montage="nowhere")
    refused("has none called C0", result, by="stage", montage="standard_1005")
    refused(
        "montage must be None for 3 channels",
        result.assign_coords(channel=["O1", "Oz", "O2"]),
        by="stage",
        montage="standard_1005",
    )
    with pytest.raises(TypeError, match="between must be two labels"):
        compare(result, by="stage", between="N2", paired=True)
