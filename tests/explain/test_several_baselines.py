"""Several baselines: attributions are averaged, in one pass, and never the gradients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
import torch

from freqig.chunks import Chunks
from freqig.diagnosis import Diagnosis
from freqig.domains import RFFT, Domain, Time
from freqig.explain.projection import Analysis, project
from freqig.explain.several_baselines import average
from freqig.models import as_model
from freqig.objective.arguments import Extra
from freqig.objective.ends import values_at
from freqig.objective.objective import Objective
from freqig.objective.paths import Paths
from freqig.path import integrate
from freqig.path.rules import gauss_legendre
from freqig.result.attributions import Attributions
from freqig.signals.axes import Axes

from ..helpers import close, noise, scores_of


def cubic(x: torch.Tensor) -> torch.Tensor:
    return x.pow(3).sum((1, 2))


def explained(x: np.ndarray, baseline: np.ndarray, domains: list[Domain], dtype: torch.dtype) -> Attributions:
    """One run with one baseline for all samples."""
    ends = (
        torch.from_numpy(x).to(dtype),
        torch.from_numpy(np.broadcast_to(baseline, x.shape).copy()).to(dtype),
    )
    chunks = Chunks(16)
    objective = Objective(as_model(cubic, dtype=dtype), lambda raw, _: raw.reshape(len(raw)), None, Extra())
    output = values_at(objective, ends[0], chunks)
    paths = Paths(objective, *ends, output)
    path = integrate(paths, gauss_legendre(2), chunks)
    return project(path, paths, Analysis.of(paths, Axes(x.shape, None), domains), 0.01)


def mean_of(
    runs: Iterable[Attributions], dtype: torch.dtype = torch.float64, tol: float = 0.01
) -> tuple[Attributions, list[torch.Tensor]]:
    """Their mean at the tolerance of the package."""
    return average(runs, tol, dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("n", [8, 9])
def test_cubic_in_closed_form(n: int, dtype: torch.dtype, tolerance: float) -> None:
    """F = Σ x³ gives x³ - E[x'³] in time; averaging ḡ first gives something else."""
    x, samples = noise(3, 2, n), 0.5 + noise(7, 2, n, seed=1)
    domains = [Time(), RFFT()]
    run, spreads = mean_of((explained(x, sample, domains, dtype) for sample in samples), dtype)
    in_time = x[:, None] ** 3 - samples**3
    close(run.values[0][:, 0].numpy(), in_time.mean(1), tolerance)
    close(spreads[0][:, 0].numpy(), in_time.std(1, ddof=1), tolerance)
    delta = x[:, None] - samples
    gradient = x[:, None] ** 2 + x[:, None] * samples + samples**2
    spectra = scores_of(delta, gradient)
    close(run.values[1][:, 0].numpy(), spectra.mean(1), tolerance)
    close(spreads[1][:, 0].numpy(), spectra.std(1, ddof=1), tolerance)
    # The mean of the baselines' outputs is what the attributions are complete against.
    close(run.output[:, 0].numpy(), (x**3).sum((1, 2)), tolerance)
    close(run.baseline_output[:, 0].numpy(), np.full(3, (samples**3).sum((1, 2)).mean()), tolerance)
    total = run.values[1].flatten(1).sum(1).double()
    assert float((total - (run.output - run.baseline_output)[:, 0]).abs().max()) <= 100 * tolerance
    assert run.n_evaluations.tolist() == [14] * 3
    assert bool(run.converged.all())
    assert run.values[0].dtype == spreads[0].dtype == dtype
    wrong = delta.mean(1) * gradient.mean(1)
    assert np.abs(wrong.sum((1, 2)) - in_time.mean(1).sum((1, 2))).min() > 0.1


def test_one_number_wrong_the_wrong_way() -> None:
    """x = 2 against -1, 0, 2 and 3: E[x³ - x'³] = 8 - 8.5, but E[x - x'] · E[x² + x x' + x'²] = 9.5."""
    x, samples = np.full((1, 1, 1), 2.0), np.array([-1.0, 0, 2, 3]).reshape(4, 1, 1)
    runs = [explained(x, sample, [Time()], torch.float64) for sample in samples]
    assert mean_of(runs)[0].values[0].item() == pytest.approx(-0.5)
    gradients = [4 + 2 * s + s**2 for s in samples.ravel()]
    assert np.mean(2 - samples) * np.mean(gradients) == pytest.approx(9.5)


def test_one_pass_over_anything_that_yields_runs() -> None:
    seen = []

    def runs():
        for i in range(5):
            seen.append(i)
            yield explained(noise(2, 1, 6), noise(1, 6, seed=i), [RFFT()], torch.float64)

    run, (spread,) = mean_of(runs())
    assert seen == list(range(5))
    assert run.values[0].shape == spread.shape == (2, 1, 1, 4)


def test_a_single_baseline_has_no_spread() -> None:
    one = explained(noise(2, 1, 6), noise(1, 6), [RFFT()], torch.float64)
    run, (spread,) = mean_of([one])
    assert torch.equal(run.values[0], one.values[0])
    assert bool(spread.isnan().all())
    with pytest.raises(ValueError, match="at least one, got none"):
        mean_of([])


def test_padding_stays_nan_and_runs_stay_as_they_were() -> None:
    one = explained(noise(2, 1, 6), noise(1, 6), [RFFT()], torch.float64)
    padded = replace(one, values=[torch.tensor([[[[1.0, torch.nan]]]] * 2)])
    run, (spread,) = mean_of([padded, padded, padded])
    assert bool(run.values[0][..., 1].isnan().all())
    assert bool((run.values[0][..., 0] == 1).all())
    assert bool((spread[..., 0] == 0).all())
    assert padded.values[0][0, 0, 0, 0] == 1


def test_large_offsets_do_not_cost_the_spread_its_digits() -> None:
    one = explained(noise(2, 1, 6), noise(1, 6), [Time()], torch.float64)
    values = 1e9 + noise(50, 2, 1, 1, 6)
    _, (spread,) = mean_of(replace(one, values=[torch.from_numpy(v)]) for v in values)
    close(spread.numpy(), values.std(0, ddof=1), 1e-6)


def test_a_sample_has_converged_where_all_of_its_runs_have() -> None:
    one = explained(noise(2, 1, 6), noise(1, 6, seed=1), [Time()], torch.float64)
    good, bad = Diagnosis("converged"), Diagnosis("budget")
    first = replace(one, diagnoses=(good, good), error=torch.tensor([[0.1], [0.2]]))
    second = replace(
        first,
        diagnoses=(good, bad),
        converged=torch.tensor([[True], [False]]),
        error=torch.tensor([[0.3], [0.1]]),
    )
    for runs in ([first, second], [second, first]):
        run, _ = mean_of(runs, tol=1.0)
        assert run.converged.tolist() == [[True], [False]]
        # Of two equal means with independent errors.
        assert run.error.flatten().tolist() == pytest.approx([np.hypot(0.1, 0.3) / 2, np.hypot(0.2, 0.1) / 2])
        assert run.diagnoses == (good, bad)


def run_of(attributions: list[float], gap: float, error: float) -> Attributions:
    """One sample that converged, with these attributions in time."""
    values = torch.tensor([[attributions]], dtype=torch.float64)
    scalar = torch.ones(1, 1, dtype=torch.float64)
    return Attributions(
        [Time()],
        [values],
        output=scalar * (sum(attributions) - gap),
        baseline_output=0 * scalar,
        gap=gap * scalar,
        correction=0 * scalar,
        limit=scalar,
        converged=scalar.bool(),
        error=error * scalar,
        n_evaluations=torch.ones(1, dtype=torch.int64),
        diagnoses=(Diagnosis("converged"),),
    )


def test_means_keep_the_tolerance_themselves() -> None:
    """Attributions of 1 and -0.98 leave 0.01, beside which a gap or an error of 0.005 is large."""
    for gap, error in ((0.005, 0.0), (0.0, 0.005)):
        run, _ = mean_of([run_of([1.0], gap, error), run_of([-0.98], gap, error)])
        assert not run.converged.any()
        assert run.diagnoses[0].status == "cancelling"
        assert "lower tol" in run.diagnoses[0].explain()
    # Where nothing cancels, nothing is asked beyond what every path has.
    run, _ = mean_of([run_of([1.0], 0.005, 0.005), run_of([0.98], 0.005, 0.005)])
    assert run.converged.all()
    assert run.diagnoses[0].status == "converged"
    # Two independent errors of 0.5 % each add in quadrature.
    assert run.error.item() == pytest.approx(0.005 / 2**0.5, rel=0.02)


def test_the_limit_is_that_of_the_outputs_reported() -> None:
    run, _ = mean_of([run_of([1.0], 0.0, 0.0), run_of([-0.98], 0.0, 0.0)])
    difference = run.output - run.baseline_output
    assert run.limit.item() == pytest.approx(0.01 * difference.item())
