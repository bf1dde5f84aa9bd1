"""`engine="captum"`: Captum's own integrator behind the same call, as a reference."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from freqig import RFFT, Explainer, FrequencyModel, Time

from ..helpers import SmallCNN, Smooth, close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

# Captum computes nodes and weights in float32.
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-6}


def both(
    model: Any, x: Any, n_steps: int = 50, baseline: Any = None, target: Any = None, **settings: Any
) -> Any:
    return [
        Explainer(model, engine=engine, n_steps=n_steps, **settings)(x, baseline=baseline, target=target)
        for engine in ("path", "captum")
    ]


@pytest.mark.parametrize(("n", "channels"), [(1, 1), (2, 1), (33, 1), (2, 3), (33, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("with_baseline", [False, True])
def test_equals_the_path_engine(n: int, channels: int, dtype: torch.dtype, with_baseline: bool) -> None:
    baseline = noise(4, channels, n, seed=1) if with_baseline else None
    path, captum = both(Smooth(n, channels, dtype=dtype), noise(4, channels, n), baseline=baseline)
    assert captum.rfft.dims == path.rfft.dims
    assert captum.rfft.dtype == path.rfft.dtype
    close(captum.rfft, path.rfft, TOLERANCE[dtype])
    for name in ("output", "baseline_output", "target", "predicted", "converged", "n_evaluations"):
        np.testing.assert_array_equal(captum[name], path[name])
    np.testing.assert_array_equal(captum.frequency, path.frequency)


def test_is_what_captum_says() -> None:
    """The same by hand: Captum over the model with the inverse real FFT in front."""
    x, baseline = (torch.tensor(noise(3, 2, 11, seed=seed), dtype=torch.float32) for seed in (0, 1))
    model = seeded(SmallCNN, 2, 3)
    frequency_model = FrequencyModel(model, 11)
    spectrum = frequency_model.inverse.spectrum
    by_hand = IntegratedGradients(frequency_model).attribute(
        spectrum(x), baselines=spectrum(baseline), target=2, n_steps=20, method="gausslegendre"
    )
    result = Explainer(model, engine="captum", n_steps=20)(x, baseline=baseline, target=2)
    close(result.rfft, by_hand.sum(-1).detach(), 1e-6)


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({"output": "log_prob"}, {}),
        ({"output": "margin"}, {"target": [0, 2, 1]}),
        ({"output": lambda raw, target: raw.square().sum(-1)}, {}),
        ({}, {"target": "all"}),
        ({"batch_independent": False, "n_steps": 5, "tol": 0.5}, {}),
        ({"fs": 100, "domains": RFFT("spectrum")}, {}),
    ],
)
def test_takes_the_same_settings(settings: dict[str, Any], arguments: dict[str, Any]) -> None:
    path, captum = both(Smooth(9, 2), noise(3, 2, 9), **settings, **arguments)
    name = "spectrum" if "domains" in settings else "rfft"
    assert captum[name].dims == path[name].dims
    close(captum[name], path[name], 1e-6)


def test_layouts_of_the_model() -> None:
    smooth = Smooth(9, 2)
    path, captum = both(lambda points: smooth(points.squeeze(1).mT), noise(3, 1, 9, 2), time_axis=2)
    assert captum.rfft.dims == ("sample", "channel", "frequency")
    close(captum.rfft, path.rfft, 1e-6)


def test_further_arguments_follow_the_points() -> None:
    smooth = Smooth(9)
    extra = (torch.arange(1.0, 4.0)[:, None], {"factor": 2.0})

    def model(points: Tensor, by_row: Tensor, options: dict[str, float]) -> Tensor:
        return smooth(points) * by_row * options["factor"]

    results = [
        Explainer(model, engine=engine, n_steps=50)(noise(3, 9), target=1, additional_forward_args=extra)
        for engine in ("path", "captum")
    ]
    close(results[1].rfft, results[0].rfft, 1e-6)


def test_input_at_its_baseline_gets_zeros() -> None:
    x = noise(3, 2, 9)
    result = Explainer(Smooth(9, 2), engine="captum")(x, baseline=x)
    np.testing.assert_array_equal(result.rfft, 0.0)
    assert bool(result.converged.all())


def test_gap_is_that_of_the_spectrum() -> None:
    result = Explainer(Smooth(9, 2), engine="captum", n_steps=2, tol=10.0)(3 * noise(3, 2, 9))
    total = result.rfft.sum(("channel", "frequency")) - (result.output - result.baseline_output)
    np.testing.assert_allclose(result.completeness_gap, total, atol=1e-14)
    assert float(abs(result.completeness_gap).max()) > 1e-6


def test_is_recorded() -> None:
    result = Explainer(Smooth(9), engine="captum", n_steps=7, tol=10.0)(noise(2, 9))
    settings = json.loads(result.attrs["settings"])
    assert (settings["engine"], settings["n_steps"]) == ("captum", 7)


def test_explains_in_the_spectrum_only() -> None:
    with pytest.raises(ValueError, match="engine='path'"):
        Explainer(Smooth(9), engine="captum", domains=[RFFT(), Time()])


def test_the_spectrum_under_two_names() -> None:
    domains = [RFFT(), RFFT("again")]
    path, captum = both(Smooth(9, 2), noise(3, 2, 9), domains=domains)
    np.testing.assert_array_equal(captum.again, captum.rfft)
    close(captum.again, path.again, 1e-6)


def test_large_batches_go_in_parts() -> None:
    """Captum warns where a part is smaller than its batch; parts are never."""
    sizes = []

    def model(points: Tensor) -> Tensor:
        sizes.append(len(points))
        return points.square().sum(-1)

    result = Explainer(model, engine="captum", n_steps=2, dtype=torch.float64)(noise(2100, 4))
    np.testing.assert_allclose(result.rfft.sum("frequency"), (noise(2100, 4) ** 2).sum(1), rtol=1e-6)
    assert max(sizes) <= 1024


def test_models_with_modules_that_captum_would_hook() -> None:
    """Nothing of Captum is left behind in the model."""
    net = nn.Sequential(nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    Explainer(net, engine="captum", tol=1.0)(noise(2, 9))
    assert all(
        not module._forward_hooks and not module._forward_pre_hooks and not module._backward_hooks
        for module in net.modules()
    )
