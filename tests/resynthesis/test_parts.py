"""Parts of signals: closed forms, both extremes in every domain, brute force, layouts, units, the outcome."""

from __future__ import annotations

import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import freqig
from freqig.errors import FreqigWarning
from freqig.resynthesis.keeping import kept_coefficients

# Of random weights, whose baselines may be any class.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

FS, N = 64.0, 100
DOMAINS = [
    freqig.RFFT(),
    freqig.Time(),
    freqig.STFT(0.37, 0.11),
    freqig.Segments(0.4),
    freqig.Wavelet(),
    freqig.Wavelet("db2", packets=True, name="packets"),
    freqig.FilterBank("eeg"),
    freqig.FilterBank("mel", n=7, name="mel"),
    freqig.Polar(),
]


class Net(torch.nn.Module):
    """Two classes of anything, smooth."""

    def __init__(self, size: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(size, 2, generator=generator, dtype=torch.float64) / 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x.flatten(1) @ self.weight)


def explained(x: np.ndarray, baseline: object = None, **settings: object) -> xr.Dataset:
    model = settings.pop("model", None) or Net(x[0].size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FreqigWarning)
        return freqig.Explainer(model, fs=FS, **{"n_steps": 4, **settings})(x, target=0, baseline=baseline)


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 2, N))


@pytest.mark.parametrize("baseline", [None, freqig.baselines.dc()], ids=str)
@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_all_coefficients_are_the_input_and_none_the_baseline(
    domain: freqig.Domain, baseline: freqig.baselines.Baseline | None, x: np.ndarray
) -> None:
    result = explained(x, baseline, domains=domain, n_steps=3)
    values = result[domain.name]
    every = freqig.resynthesize(result, values == values)
    np.testing.assert_allclose(every, x, atol=1e-9)
    none = freqig.resynthesize(result, values != values, name=domain.name)
    start = 0 * x if baseline is None else np.broadcast_to(x.mean(-1, keepdims=True), x.shape)
    np.testing.assert_allclose(none, start, atol=1e-9)
    assert every.dims == ("sample", "channel", "time")
    assert every.kept_count.values.tolist() == [int(np.isfinite(values[0]).sum())] * 3
    np.testing.assert_allclose(every.kept_attribution, values.sum(values.dims[1:]))


@pytest.mark.parametrize("domain", DOMAINS[:-1], ids=lambda domain: domain.name)
def test_a_mask_and_its_opposite_add_up(domain: freqig.Domain, x: np.ndarray) -> None:
    result = explained(x, x[::-1].copy(), domains=domain, n_steps=2)
    mask = result[domain.name] > 0.01
    start = x[::-1].copy()
    one, other = (freqig.resynthesize(result, m, baseline=start) for m in (mask, ~mask))
    np.testing.assert_allclose(one + other, x + start, atol=1e-9)


def test_kept_frequencies_are_those_of_a_masked_spectrum(x: np.ndarray) -> None:
    result = explained(x, freqig.baselines.dc())
    start = x.mean(-1, keepdims=True)
    part = freqig.resynthesize(result, {"alpha": (8, 12), "gamma": (20, 30)})
    f = np.fft.rfftfreq(N, 1 / FS)
    inside = ((f >= 8) & (f < 12)) | ((f >= 20) & (f < 30))
    wanted = start + np.fft.irfft(np.fft.rfft(x - start) * inside, N)
    np.testing.assert_allclose(part, wanted, atol=1e-12)
    mask = (result.frequency >= 8) & (result.frequency < 12)
    with pytest.raises(ValueError, match="name must be a variable of attributions, which are 'rfft' here"):
        freqig.resynthesize(result, mask)
    alone = freqig.resynthesize(result, mask, name="rfft", sample=-1)
    inside = (f >= 8) & (f < 12)
    np.testing.assert_allclose(
        alone, (start + np.fft.irfft(np.fft.rfft(x - start) * inside, N))[-1:], atol=1e-12
    )


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=7).filter(lambda v: max(v) > 0),
    st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)
def test_a_share_keeps_the_fewest(values: list[int], share: float) -> None:
    attribution = xr.DataArray([values], dims=("sample", "frequency")).astype(float)
    mask = kept_coefficients(attribution, share, [0])[0]
    total = sum(v for v in values if v > 0)
    sums = [
        (len(chosen), sum(values[i] for i in chosen))
        for size in range(len(values) + 1)
        for chosen in itertools.combinations(range(len(values)), size)
    ]
    fewest = min(size for size, found in sums if found >= share * total - 1e-9)
    most = max(found for size, found in sums if size == fewest)
    assert mask.sum() == fewest
    assert sum(v for v, kept in zip(values, mask, strict=True) if kept) == most


def test_a_share_of_one_keeps_all_that_is_positive() -> None:
    values = xr.DataArray([[0.1, 0.2, 0.3, -1.0, 0.0, np.nan]], dims=("sample", "frequency"))
    assert kept_coefficients(values, 1, [0]).tolist() == [[True, True, True, False, False, False]]


@pytest.mark.parametrize(
    ("shape", "time_axis", "dims"),
    [
        ((3, N), -1, ("sample", "time")),
        ((3, 1, N), -1, ("sample", "channel", "time")),
        ((3, N, 2), 1, ("sample", "time", "channel")),
        ((3, 1, 2, N), -1, ("sample", "size_one_1", "channel", "time")),
        ((3, 2, 1, 4, N), -1, ("sample", "axis_1", "size_one_2", "channel", "time")),
        ((3, 1, 1, N), -1, ("sample", "size_one_1", "channel", "time")),
        ((3, N, 1, 2), 1, ("sample", "time", "size_one_1", "channel")),
    ],
    ids=str,
)
def test_parts_have_the_layout_of_the_input(
    shape: tuple[int, ...], time_axis: int, dims: tuple[str, ...]
) -> None:
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    explainer = freqig.Explainer(Net(x[0].size), fs=FS, time_axis=time_axis)
    result = explainer(x, target=0)
    part = freqig.resynthesize(result, result.rfft == result.rfft, explainer=explainer)
    assert (part.dims, part.shape, part.dtype) == (dims, shape, np.float32)
    np.testing.assert_allclose(part, x, atol=1e-6)
    # It is an input: the model takes it as it is, and answers as it did.
    np.testing.assert_allclose(explainer(part, target=0).output, result.output, rtol=1e-5)
    np.testing.assert_allclose(part.part_output, part.whole_output, rtol=1e-5)


def test_parts_have_the_unit_of_the_input(x: np.ndarray) -> None:
    volts = xr.DataArray(1e-6 * x, dims=("sample", "channel", "time"), attrs={"units": "V", "fs": FS})
    result = freqig.Explainer(Net(x[0].size), unit="uV")(volts, target=0)
    assert result.signal.attrs["units"] == "uV"
    part = freqig.resynthesize(result, result.rfft == result.rfft)
    assert part.attrs["units"] == "V"
    np.testing.assert_allclose(part, volts, rtol=1e-9, atol=1e-20)


def test_the_outcome_is_that_of_the_model(x: np.ndarray) -> None:
    model = Net(x[0].size)
    explainer = freqig.Explainer(model, fs=FS, output="margin", classes=["no", "yes"])
    result = explainer(x, baseline=freqig.baselines.dc())
    part = freqig.resynthesize(result, 0.5, explainer=explainer)
    answers = model(torch.from_numpy(part.values)).detach().numpy()
    own = np.array(["no", "yes"]).tolist().index
    wanted = [a[own(t)] - a[1 - own(t)] for a, t in zip(answers, result.target.values.tolist(), strict=True)]
    np.testing.assert_allclose(part.part_output, wanted, rtol=1e-9)
    np.testing.assert_allclose(part.whole_output, result.output)
    other = freqig.Explainer(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * N, 2)), fs=FS)
    with pytest.raises(ValueError, match="explainer and baseline must be those that made the result"):
        freqig.resynthesize(explained(x, freqig.baselines.dc()), explainer=other)


def test_further_arguments_and_targets_of_every_class(x: np.ndarray) -> None:
    class Scaled(Net):
        def forward(self, x: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
            return by * super().forward(x)

    explainer = freqig.Explainer(Scaled(x[0].size), fs=FS)
    by = freqig.per_sample(torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64))
    result = explainer(x, target="all", additional_forward_args=by)
    with pytest.raises(ValueError, match=r"result must hold one target, got 2; select one"):
        freqig.resynthesize(result)
    part = freqig.resynthesize(result.isel(target=1), 0.8, explainer=explainer, additional_forward_args=by)
    answers = Net(x[0].size)(torch.from_numpy(part.values)).detach().numpy()[:, 1]
    np.testing.assert_allclose(part.part_output, answers * [1, 2, 3])


@pytest.mark.parametrize(
    ("domain", "baseline"),
    [
        (freqig.Envelope(8, 16), freqig.baselines.flat_envelope(8, 16)),
        (freqig.Envelope(8, 16) >> freqig.RFFT(), freqig.baselines.flat_envelope(8, 16)),
        (freqig.Cepstrum(), freqig.baselines.flat_log_spectrum()),
        (freqig.RFFT(orders=4.0), None),
    ],
    ids=str,
)
def test_domains_with_baselines_of_their_own_are_made_again(
    domain: freqig.Domain, baseline: freqig.baselines.Baseline | None, x: np.ndarray
) -> None:
    result = explained(x, baseline, domains=domain)
    values = result[domain.name]
    np.testing.assert_allclose(freqig.resynthesize(result, values == values), x, atol=1e-8)
    none = freqig.resynthesize(result, values != values, name=domain.name)
    start = 0 * x if baseline is None else baseline.draw(torch.from_numpy(x), FS)[0].numpy()
    np.testing.assert_allclose(none, start, atol=1e-8)


def test_what_was_saved_is_as_good(x: np.ndarray, tmp_path: Path) -> None:
    result = explained(x, domains=[freqig.STFT(1 / 3), freqig.RFFT()])
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as loaded:
        part = freqig.resynthesize(loaded.load(), 0.7, name="stft", sample=1)
    np.testing.assert_array_equal(part, freqig.resynthesize(result, 0.7, name="stft")[1:2])
    one = freqig.resynthesize(result.isel(sample=1), 0.7, name="stft")
    np.testing.assert_array_equal(part, one)


def test_random_baselines_are_those_of_their_place(x: np.ndarray) -> None:
    rule = freqig.baselines.surrogate(seed=3)
    result = explained(x, rule)
    start = rule.draw(torch.from_numpy(x), FS)[0].numpy()
    none = freqig.resynthesize(result, result.rfft != result.rfft, sample=2)
    np.testing.assert_allclose(none, start[2:3], atol=1e-12)
    for selected in (result.isel(sample=[2]), result.isel(sample=[1, 0, 2])):
        with pytest.raises(ValueError, match=r"baseline was surrogate\(...\), which depends on the place"):
            freqig.resynthesize(selected)


def test_labels_of_the_samples_stay(x: np.ndarray) -> None:
    signal = xr.DataArray(
        x,
        dims=("sample", "channel", "time"),
        coords={"channel": ["Fz", "Oz"], "file": ("sample", list("abc"))},
    )
    part = freqig.resynthesize(explained(signal), sample=1)
    assert part.file.values.tolist() == ["b"]
    assert part.channel.values.tolist() == ["Fz", "Oz"]
    assert part.attrs["fs"] == FS
    assert part.time.attrs["units"] == "s"


def test_ica_and_functions_come_with_the_explainer(x: np.ndarray) -> None:
    def halves(series: np.ndarray) -> dict[str, np.ndarray]:
        return {"half": series / 2}

    ica = freqig.ICA(np.array([[1.0], [1.0]]))
    domains = [
        ica,
        ica >> freqig.RFFT(),
        freqig.RFFT(),
        freqig.Components(halves),
        freqig.Spatial([[1, -1], [1, 1]]),
    ]
    explainer = freqig.Explainer(Net(x[0].size), fs=FS, domains=domains)
    result = explainer(x, target=0)
    freqig.resynthesize(result)
    for domain in domains:
        if isinstance(domain, freqig.RFFT):
            continue
        with pytest.raises(
            ValueError, match=r"cannot be made again from the settings .* pass the explainer="
        ):
            freqig.resynthesize(result, name=domain.name)
        values = result[domain.name]
        every = freqig.resynthesize(result, values == values, explainer=explainer)
        np.testing.assert_allclose(every, x, atol=1e-9)
    source = freqig.resynthesize(
        result, result.ica.ica_component == "ICA000", name="ica", explainer=explainer
    )
    # The least-squares fit of the one pattern, (1, 1), is the mean over channels.
    np.testing.assert_allclose(source, np.broadcast_to(x.mean(1, keepdims=True), x.shape), atol=1e-9)


@pytest.mark.parametrize(
    ("keep", "error", "says"),
    [
        (0, ValueError, r"keep must be a number in \(0, 1\].*got 0$"),
        (1.01, ValueError, r"keep must be a number in \(0, 1\].*got 1.01"),
        (float("nan"), ValueError, r"keep must be a number in \(0, 1\]"),
        (True, TypeError, r"keep must be a number in \(0, 1\].*got True"),
        (None, TypeError, "keep must be a number"),
        ([8, 12], TypeError, "keep must be a number"),
        ("theta", ValueError, "bands must be one of"),
        ({"ultra": (40, 50)}, ValueError, "keep must hold a frequency of rfft, which has 0 to 32 Hz"),
    ],
)
def test_what_cannot_be_kept(keep: object, error: type[Exception], says: str, x: np.ndarray) -> None:
    with pytest.raises(error, match=says):
        freqig.resynthesize(explained(x), keep)


def test_masks_that_do_not_fit(x: np.ndarray) -> None:
    result = explained(x)
    with pytest.raises(TypeError, match=r"keep as a mask must be bool, such as result.rfft > 0.1"):
        freqig.resynthesize(result, result.rfft)
    with pytest.raises(ValueError, match="must have the coordinates of rfft along 'frequency'"):
        freqig.resynthesize(result, result.rfft.sel(frequency=slice(0, 9)) > 0)
    with pytest.raises(ValueError, match="must have the coordinates of rfft along 'frequency'"):
        freqig.resynthesize(result, (result.rfft > 0).isel(frequency=slice(None, None, -1)))
    with pytest.raises(ValueError, match=r"keep as a mask must be over dimensions of rfft.*got 'time'"):
        freqig.resynthesize(result, (result.time > 0).rename("rfft"))


def test_sums_over_windows_belong_to_no_baseline_but_zero() -> None:
    """Of a slid signal: in time from zero each value is kept or not, all else is refused."""
    x = np.random.default_rng(3).normal(size=(1, 2, 96))
    explainer = freqig.Explainer(
        lambda x: x.square().mean((1, 2)), fs=FS, domains=[freqig.RFFT(), freqig.Time()]
    )
    slid, centred = (
        freqig.slide(explainer, x, window=0.5, hop=0.25, baseline=baseline)
        for baseline in (freqig.baselines.zero(), freqig.baselines.dc())
    )
    part = freqig.resynthesize(slid, slid.waveform > 0.001)
    np.testing.assert_allclose(part, np.where(slid.waveform > 0.001, x, 0))
    for result, asked in (
        (slid, {}),
        (centred, {"name": "waveform"}),
        (slid, {"name": "waveform", "explainer": explainer}),
    ):
        with pytest.raises(
            ValueError, match=r"got sums over windows of freqig\.slide, .* explain a window by"
        ):
            freqig.resynthesize(result, **asked)


def test_results_that_hold_too_little(x: np.ndarray) -> None:
    result = explained(x, x[0])
    with pytest.raises(ValueError, match=r"baseline was values that were given.*pass baseline= as it was"):
        freqig.resynthesize(result)
    freqig.resynthesize(result, baseline=x[0], sample=1)
    with pytest.raises(ValueError, match="baseline was values that were given"):
        freqig.resynthesize(explained(x, freqig.baselines.data(x)))
    with pytest.raises(ValueError, match=r"baseline must be one per sample, got 3, over which"):
        freqig.resynthesize(explained(x, freqig.baselines.data(x)), baseline=freqig.baselines.data(x))
    plain = explained(x)
    with pytest.raises(ValueError, match=r"result must hold attrs\['settings'\]"):
        freqig.resynthesize(plain.drop_attrs(deep=False))
    with pytest.raises(ValueError, match="must hold every frequency that it was explained in, 51 of them"):
        freqig.resynthesize(plain.sel(frequency=slice(0, 9)))
    with pytest.raises(ValueError, match=r"must have the dimensions 'sample', 'channel', 'frequency'"):
        freqig.resynthesize(freqig.bands(plain, "eeg"))
    with pytest.raises(ValueError, match=r"sample must be in -3..2 \(the result has 3\), got 3"):
        freqig.resynthesize(plain, sample=3)
    with pytest.raises(ValueError, match=r"explainer must be the freqig.Explainer that made result.rfft"):
        freqig.resynthesize(plain, explainer=freqig.Explainer(Net(2 * N), domains=freqig.Time()))
    with pytest.raises(ValueError, match="result must hold the signal of one input"):
        freqig.resynthesize(plain.drop_vars("signal"))
    with pytest.raises(TypeError):
        freqig.resynthesize(plain.rfft)
    lower = plain.assign(rfft=(-np.abs(plain.rfft)).assign_attrs(plain.rfft.attrs))
    with pytest.raises(ValueError, match=r"of which sample 0 has none \(3 such samples\)"):
        freqig.resynthesize(lower)


class Halves(freqig.Domain):
    """Even and odd part of a series, of the caller's own."""

    def analyze(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x + x.flip(-1), x - x.flip(-1)], -2) / 2

    def synthesize(self, c: torch.Tensor, n: int) -> torch.Tensor:
        return c.sum(-2)

    def coords(self, n: int, fs: float | None) -> dict[str, object]:
        return {"part": ["even", "odd"], "time": np.arange(n) / (fs or 1)}


def test_a_domain_of_the_callers_own_comes_with_the_explainer(x: np.ndarray) -> None:
    explainer = freqig.Explainer(Net(x[0].size), fs=FS, domains=Halves())
    result = explainer(x, target=0)
    with pytest.raises(ValueError, match="cannot be made again"):
        freqig.resynthesize(result, name="halves")
    odd = freqig.resynthesize(result, result.halves_part == "odd", name="halves", explainer=explainer)
    np.testing.assert_allclose(odd, (x - x[..., ::-1]) / 2, atol=1e-12)


def test_nothing_of_the_settings_is_executed(x: np.ndarray, tmp_path: Path) -> None:
    result = explained(x)
    settings = json.loads(result.attrs["settings"])
    harmful = f"RFFT(name=__import__('os').mkdir({str(tmp_path / 'made')!r})) + f(name='rfft')"
    result.attrs["settings"] = json.dumps({**settings, "domains": [harmful]})
    with pytest.raises(ValueError, match="cannot be made again"):
        freqig.resynthesize(result)
    assert not (tmp_path / "made").exists()
