"""Maps over channels: scikit-learn's and MNE's decompositions, references, and their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from freqig.domains import ICA, Spatial

from .every import tensor


def mixed(n: int = 400, channels: int = 4) -> np.ndarray:
    """Channels (channels, n) mixed from sources that are far from Gaussian, with offsets."""
    rng = np.random.default_rng(0)
    t = np.arange(n) / 100
    sources = np.stack(
        [np.sin(2 * np.pi * 7 * t), np.sign(np.sin(2 * np.pi * 3 * t)), rng.uniform(-1, 1, n), (t * 1.7) % 1]
    )
    return rng.normal(size=(channels, 4)) @ sources + rng.normal(size=(channels, 1))


@pytest.mark.parametrize("n_components", [2, 4])
@pytest.mark.parametrize("whiten", ["unit-variance", "arbitrary-variance"])
def test_fastica_is_that_of_scikit_learn(n_components: int, whiten: str) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    data = mixed()
    fitted = decomposition.FastICA(n_components, whiten=whiten, random_state=0, max_iter=2000).fit(data.T)
    x, baseline = data[:, :100], mixed()[:, 100:200]
    domain = ICA(fitted)
    c = domain.analyze_pair(torch.from_numpy(x), torch.from_numpy(baseline)).numpy()
    sources, residual = c[:n_components], c[n_components:]
    # The means that transform removes are the same at both ends.
    expected = (fitted.transform(x.T) - fitted.transform(baseline.T)).T
    np.testing.assert_allclose(sources, expected, atol=1e-10)
    back = (fitted.inverse_transform(fitted.transform(x.T))).T
    back_of_baseline = (fitted.inverse_transform(fitted.transform(baseline.T))).T
    np.testing.assert_allclose(residual, (x - back) - (baseline - back_of_baseline), atol=1e-10)
    if n_components == 4:
        assert np.abs(residual).max() < 1e-10


def test_fastica_without_whitening() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    data = mixed()
    white = np.linalg.inv(np.linalg.cholesky(np.cov(data))) @ (data - data.mean(1, keepdims=True))
    fitted = decomposition.FastICA(whiten=False, random_state=0, max_iter=2000).fit(white.T)
    x = torch.from_numpy(data[:, :50])
    np.testing.assert_allclose(
        ICA(fitted).analyze(x)[:4].numpy(), fitted.transform(x.numpy().T).T, atol=1e-10
    )


def mne_ica(mne: Any, *, projected: bool, noise_cov: bool, n_components: int) -> tuple[Any, Any]:
    """A fitted ICA of MNE's and the recording that it was fitted on, magnitudes as of EEG and EOG."""
    info = mne.create_info(["Fz", "Cz", "Pz", "EOG"], 100.0, ["eeg", "eeg", "eeg", "eog"])
    scale = np.array([1e-5, 1e-5, 1e-5, 2e-4])[:, None]
    raw = mne.io.RawArray(mixed(2000) * scale, info, verbose="error")
    picks: Any = ["eeg", "eog"]
    if projected:
        raw.set_eeg_reference(projection=True, verbose="error").apply_proj(verbose="error")
    cov = None
    if noise_cov:
        picks = "eeg"
        raw.pick("eeg")
        cov = mne.make_ad_hoc_cov(raw.info, {"eeg": 1e-5}, verbose="error")
    ica = mne.preprocessing.ICA(n_components, noise_cov=cov, random_state=0, max_iter=500, verbose="error")
    ica.fit(raw, picks=picks, verbose="error")
    return ica, raw


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("projected", "noise_cov", "n_components"),
    [(False, False, 4), (False, False, 2), (True, False, 2), (False, True, 2)],
    ids=["all", "fewer", "projected", "noise covariance"],
)
def test_ica_is_that_of_mne(projected: bool, noise_cov: bool, n_components: int) -> None:
    mne = pytest.importorskip("mne")
    ica, raw = mne_ica(mne, projected=projected, noise_cov=noise_cov, n_components=n_components)
    x = raw.get_data()
    first, second = (torch.from_numpy(part.copy()) for part in np.split(x, 2, axis=1))
    domain = ICA(ica)
    c = domain.analyze_pair(first, second).numpy()
    sources = ica.get_sources(raw).get_data()
    difference = np.subtract(*np.split(sources, 2, axis=1))
    np.testing.assert_allclose(c[:n_components], difference, rtol=0, atol=1e-9 * np.abs(difference).max())
    # What `apply` removes with a component is its column of the mixing matrix times its source.
    # Differences, since the mean that it takes out and puts back is of no interest here.
    kept = ica.apply(raw.copy(), exclude=[], verbose="error").get_data()
    without = ica.apply(raw.copy(), exclude=[1], verbose="error").get_data()
    removed = np.subtract(*np.split(kept - without, 2, axis=1))
    share = domain.mixing[:, 1:2].numpy() @ c[1:2]
    np.testing.assert_allclose(share, removed, rtol=0, atol=1e-9 * np.abs(removed).max())
    delta = (first - second).numpy()
    back = domain.synthesize(torch.from_numpy(c), first.shape[1]).numpy()
    np.testing.assert_allclose(back, delta, rtol=0, atol=1e-12 * np.abs(delta).max())


def test_a_source_of_known_place_is_found() -> None:
    """The model listens to one source: that component gets all of the attribution."""
    decomposition = pytest.importorskip("sklearn.decomposition")
    data = mixed()
    fitted = decomposition.FastICA(4, whiten="unit-variance", random_state=0, max_iter=2000).fit(data.T)
    x = torch.from_numpy(data - data.mean(1, keepdims=True))
    w = torch.from_numpy(fitted.components_[2])
    values = ICA(fitted).attribution(x, w[:, None] * (w @ x))
    total = values.abs().sum(-1)
    assert float(total[2] / total.sum()) > 1 - 1e-9
    assert float(values.sum()) == pytest.approx(float((w @ x).square().sum()))


def test_residual_of_channels_that_cancel_is_summed() -> None:
    domain = ICA(np.eye(3)[:, :1])
    x = torch.tensor([[1.0], [2.0], [-2.0]], dtype=torch.float64)
    values = domain.attribution(x, torch.ones(3, 1, dtype=torch.float64))
    assert values[:, 0].tolist() == [1.0, 0.0]
    assert domain.coords(1, None)["component"] == ["ICA000", "residual"]


def test_the_average_reference_is_refused_with_a_way_out() -> None:
    average = np.eye(3) - 1 / 3
    with pytest.raises(ValueError, match=r"rank 2 for 3 channels .* add rows for what it loses"):
        Spatial(average)
    with_mean = Spatial(np.vstack([average, np.full(3, 1 / 3)]), rows=["A", "B", "C", "mean"])
    x = tensor(2, 3, 10)
    torch.testing.assert_close(with_mean.synthesize(with_mean.analyze(x), 10), x)
    assert with_mean.coords(10, 1.0)["row"] == ("A", "B", "C", "mean")
    kept = ICA(np.linalg.pinv(average[:2]))
    torch.testing.assert_close(kept.synthesize(kept.analyze(x), 10), x)


def test_lists_keep_their_digits() -> None:
    matrix = tensor(3, 3)
    assert torch.equal(Spatial(matrix.tolist()).matrix, matrix)
    assert torch.equal(ICA(matrix.tolist()).mixing, matrix)


class Unfitted:
    def fit_transform(self) -> None: ...


class UnfittedOfMNE:
    n_components = None

    def get_sources(self) -> None: ...


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ICA("fastica"), TypeError, "mixing must be a fitted sklearn FastICA"),
        (lambda: ICA(3), TypeError, "got 3"),
        (lambda: ICA(Unfitted()), ValueError, "call its fit first"),
        (lambda: ICA(UnfittedOfMNE()), ValueError, "one without a fit"),
        (lambda: ICA([1.0, 2.0]), ValueError, r"shape \(channels, components\), got shape \(2,\)"),
        (lambda: ICA([[np.nan]]), ValueError, "NaN"),
        (lambda: ICA([[1j]]), TypeError, "mixing must be real"),
        (lambda: ICA(np.eye(3)).bind((2, 9), None), ValueError, "is for 3 channels, got signals with 2"),
        (lambda: ICA(np.eye(3)).bind((9,), None), ValueError, "without a channel axis"),
        (lambda: Spatial(np.ones((2, 3))), ValueError, "rank 1 for 3 channels"),
        (lambda: Spatial(np.eye(2), rows=["a"]), ValueError, "rows must be 2 names"),
        (lambda: Spatial(np.eye(2)).bind((3, 9), None), ValueError, "matrix of domain 'spatial' is for 2"),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
