"""One path, every domain: what the stages give together, through the public call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

import freqig
from freqig import baselines

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

X = np.random.default_rng(3).normal(size=(3, 2, 101))
DOMAINS = [
    freqig.Time(),
    freqig.RFFT(),
    freqig.STFT(window=0.5),
    freqig.Segments(0.3),
    freqig.FilterBank("eeg"),
    freqig.Spatial(np.array([[1.0, 1.0], [1.0, -1.0]])) >> freqig.RFFT(),
    freqig.Polar(),
]


def smooth() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv1d(2, 8, 5), nn.GELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 3)
        ).double()


def total(variable: xr.DataArray) -> xr.DataArray:
    return variable.sum([dim for dim in variable.dims if dim not in ("sample", "target")])


@pytest.mark.parametrize("baseline", [None, baselines.dc(), X[0] / 3, baselines.surrogate(1)], ids=str)
def test_every_domain_sums_to_the_same_difference(baseline: object) -> None:
    result = freqig.Explainer(smooth(), fs=100, domains=DOMAINS, n_steps=40)(X, baseline=baseline)
    difference = result.output - result.baseline_output
    names = [name for name, v in result.data_vars.items() if v.attrs.get("kind") == "attribution"]
    assert len(names) == len(DOMAINS)
    for name in names:
        np.testing.assert_allclose(total(result[name]), difference, rtol=0, atol=1e-9, err_msg=str(name))


def test_domains_share_the_evaluations_of_one() -> None:
    calls = []

    def counting(model: nn.Module) -> nn.Module:
        model.register_forward_hook(lambda module, inputs, output: calls.append(len(inputs[0])))
        return model

    linear = [domain for domain in DOMAINS if domain.linear]
    freqig.Explainer(counting(smooth()), fs=100, n_steps=40)(X)
    alone, calls[:] = sum(calls), []
    freqig.Explainer(counting(smooth()), fs=100, domains=linear, n_steps=40)(X)
    assert sum(calls) == alone


def test_path_of_its_own_is_reported() -> None:
    result = freqig.Explainer(smooth(), domains=[freqig.Polar(name="disc")])(X)
    assert result.disc_completeness_gap.dims == ("sample",)
    assert bool(result.disc_converged.all())
    assert bool((result.disc_n_evaluations > 0).all())


def test_every_class_at_once_equals_one_after_the_other() -> None:
    explainer = freqig.Explainer(smooth(), fs=100, domains=DOMAINS, n_steps=20)
    together = explainer(X, target="all")
    assert together.target.values.tolist() == [0, 1, 2]
    for t in range(3):
        alone = explainer(X, target=t)
        for name in ("rfft", "stft", "polar", "output", "completeness_gap", "polar_completeness_gap"):
            np.testing.assert_allclose(together[name].sel(target=t), alone[name], rtol=0, atol=1e-12)


def test_several_baselines_are_averaged_after_projection() -> None:
    """F = Σ x³ / 3 has the path integral (x² + x x' + x'²) / 3 for its gradient: a cubic closed form."""

    def cubic(points: Tensor) -> Tensor:
        return points.pow(3).sum(-1) / 3

    x, starts = X[:, 0], np.stack([X[0, 1], -X[1, 1], 2 * X[2, 1]])
    result = freqig.Explainer(cubic, domains=freqig.Time(), n_steps=5, dtype=torch.float64)(
        x, baseline=baselines.data(starts)
    )
    each = np.stack([(x - s) * (x**2 + x * s + s**2) / 3 for s in starts])
    np.testing.assert_allclose(result.waveform, each.mean(0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.waveform_spread, each.std(0, ddof=1), rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.baseline_output, (starts**3).sum(-1).mean() / 3)
    assert result.n_evaluations.values.tolist() == [15, 15, 15]


def test_result_survives_a_file(tmp_path: Path) -> None:
    result = freqig.Explainer(smooth(), fs=100, domains=DOMAINS)(
        X, target="all", baseline=baselines.data(X[:2])
    )
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as read:
        xr.testing.assert_identical(read.load(), result)


def test_a_model_blind_to_scale_is_called_so() -> None:
    def normalised(points: Tensor) -> Tensor:
        unit = points / points.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        return (unit * torch.linspace(-1, 1, unit.shape[-1])).sum(-1).exp()

    with pytest.warns(
        freqig.errors.ConvergenceWarning, match=r"blind to its scale: completeness fails .* another baseline"
    ):
        result = freqig.Explainer(normalised)(X[:, 0])
    assert not bool(result.converged.any())


@pytest.mark.parametrize("name", ["signal", "time", "status"])
def test_names_of_the_result_are_not_for_domains(name: str) -> None:
    with pytest.raises(ValueError, match=f"must not be called '{name}'"):
        freqig.Explainer(smooth(), domains=freqig.RFFT(name=name))
