"""What is said of completeness gaps agrees with what is called converged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib.figure import Figure

import freqig
from freqig import plots
from freqig.cli._tables import told
from freqig.plots._title import gap_of
from freqig.reporting.words.naming import summarised
from freqig.result.gaps import gap_shares

N, TOL = 64, 0.01


class Cancelling(torch.nn.Module):
    """Attributions of both signs, which add up to hardly anything, along paths with kinks."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = torch.arange(1, 13, dtype=x.dtype)[:, None] * torch.arange(N, dtype=x.dtype)
        kinks = torch.relu(x @ torch.sin(rows / 3).T + torch.linspace(-2, 2, 12, dtype=x.dtype))
        return kinks @ torch.tensor([1.0, -1.0], dtype=x.dtype).repeat(6)[:, None]


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    x = np.random.default_rng(3).normal(size=(24, N))
    found = freqig.Explainer(Cancelling(), fs=float(N), tol=TOL)(x, target=0)
    assert found.converged.all()
    # As a share of what is explained gaps are far more than the tolerance.
    assert float(np.abs(found.completeness_gap / (found.output - found.baseline_output)).max()) > 3 * TOL
    return found


def test_no_gap_of_a_sample_that_converged_is_more_than_the_tolerance(result: xr.Dataset) -> None:
    shares = gap_shares(result)
    norms = np.abs(result.rfft.values.astype(np.float64)).sum(1)
    np.testing.assert_allclose(shares, np.abs(result.completeness_gap) / norms)
    assert shares is not None
    assert shares.max() <= TOL


def test_summaries_reports_and_methods_say_the_same(result: xr.Dataset) -> None:
    shares = gap_shares(result)
    assert shares is not None
    line = f"{np.median(shares):.2%} of Σ|attribution| in the median, {shares.max():.2%} at most"
    assert line in told(freqig.summary(result), as_json=False)
    sentence = summarised(result)[1].text  # type: ignore[union-attr]
    assert "100 % of 24 explanations converged" in sentence
    assert sentence.count("of their L1 norm in the median") == 1
    said = freqig.methods_text(result)
    assert f" at most, and never more than {shares.max():.2g} of the L1 norm of the attributions" in said
    assert ("before it was closed" in said) == bool(result.correction.any())


def test_a_figure_says_that_a_path_with_a_large_gap_converged(result: xr.Dataset) -> None:
    rise = np.abs(result.output - result.baseline_output)
    row = int(np.abs(result.completeness_gap / rise).values.argmax())
    axes = plots.spectrum(result, row, axes=Figure(layout="constrained").subplots())
    assert gap_of(result.isel(sample=row), "rfft").endswith(", converged")
    assert gap_of(result.isel(sample=row), "rfft") in [text.get_text() for text in np.ravel(axes)[0].texts]
    small = result.isel(sample=row).assign(completeness_gap=1e-6)
    assert gap_of(small, "rfft") == "completeness gap 1e−06"


def test_paths_of_their_own_and_attributions_of_zero() -> None:
    about = {"kind": "attribution"}
    data = {
        "polar": (("sample", "frequency"), [[9.0, 9.0]], about),
        "polar_completeness_gap": ("sample", [5.0]),
        "rfft": (("sample", "frequency"), [[2.0, -2.0]], about),
        "completeness_gap": ("sample", [-0.1]),
    }
    assert gap_shares(xr.Dataset(data)) == pytest.approx([0.025])
    nothing = xr.Dataset(data).assign(rfft=(("sample", "frequency"), [[0.0, 0.0]], about))
    assert gap_shares(nothing) == pytest.approx([np.inf])
    assert gap_shares(nothing.assign(completeness_gap=("sample", [0.0]))) == pytest.approx([0.0])
    assert gap_shares(nothing.drop_vars("completeness_gap")) is None


def test_check_says_of_what_its_gap_is_a_share(tmp_path: Path) -> None:
    x = xr.DataArray(np.random.default_rng(0).normal(size=(3, N)), dims=("sample", "time"))
    found = freqig.check(freqig.Explainer(Cancelling(), tol=TOL), x, target=0)
    assert found["converged"] == 3
    assert found["gap"]["largest"] <= TOL
