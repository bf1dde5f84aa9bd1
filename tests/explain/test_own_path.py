"""Models behind a non-linear synthesis: layouts, frameworks, integrators, and what is reported."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.chunks import Chunks
from freqig.domains import Polar
from freqig.explain.methods import FixedNodes
from freqig.explain.own_path import CoordinateObjective, explain_nonlinear
from freqig.models import Model, as_model
from freqig.objective.ends import values_at
from freqig.objective.paths import Paths

from ..domains.every import tensor
from ..helpers import Smooth, SmoothTruth, close, seeded
from ..own_path import explained, objective_of


def test_layouts_batches_and_extra_arguments() -> None:
    """Axes of size one, time on another axis, chunks, targets and blocks: the same numbers."""
    n = 21
    x, baseline, scale = tensor(5, 3, n), tensor(5, 3, n, seed=1), tensor(5, 1, seed=2)
    smooth = Smooth(n, 3)
    plain = explained(lambda x, s: s * smooth(x), x, baseline, [0, 2], extra=scale)
    assert plain.attributions.shape == (5, 2, 3, 2, 11)

    def four_axes(x: Tensor, s: Tensor) -> Tensor:
        assert x.shape[1:] == (1, 3, n)
        return s * smooth(x[:, 0])

    ends = (x.unsqueeze(1), baseline.unsqueeze(1))
    squeezed = explained(four_axes, *ends, [0, 2], axes=(3,), extra=scale, chunk=64)
    close(squeezed.attributions.numpy(), plain.attributions.numpy(), 1e-12)

    def time_first(x: Tensor, s: Tensor) -> Tensor:
        assert x.shape[1:] == (n, 3)
        return s * smooth(x.transpose(1, 2))

    for axis in (1, -2):
        moved = explained(time_first, x, baseline, [0, 2], extra=scale, time_axis=axis)
        close(moved.attributions.numpy(), plain.attributions.numpy(), 1e-12)
    for i in range(5):
        rows = slice(i, i + 1)
        alone = explained(lambda x, s: s * smooth(x), x[rows], baseline[rows], [0, 2], extra=scale[rows])
        close(alone.attributions.numpy(), plain.attributions[rows].numpy(), 1e-12)


class NumpyModel(Model):
    """A framework that knows nothing of PyTorch's graph."""

    def __init__(self, truth: SmoothTruth) -> None:
        self.truth, self.dtype, self.device, self.description = truth, torch.float64, torch.device("cpu"), {}

    def outputs(self, points: Tensor, extra: tuple[Any, ...]) -> Tensor:
        assert not points.requires_grad
        return torch.from_numpy(np.stack([self.truth(point) for point in points.numpy()]))

    def value_and_gradient(
        self, points: Tensor, extra: tuple[Any, ...], explained: Any
    ) -> tuple[Tensor, Tensor]:
        values = explained(self.outputs(points, extra))
        gradients = [[self.truth.gradient(point, t) for t in (0, 2)] for point in points.numpy()]
        return values, torch.from_numpy(np.array(gradients))


def test_models_of_other_frameworks() -> None:
    n = 9
    x, baseline = tensor(2, 2, n), tensor(2, 2, n, seed=1)
    ours = explained(NumpyModel(SmoothTruth(n, 2)), x, baseline, [0, 2]).attributions
    close(ours.numpy(), explained(Smooth(n, 2), x, baseline, [0, 2]).attributions.numpy(), 1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_adaptive_integration(dtype: torch.dtype) -> None:
    n = 31
    x, baseline = (tensor(3, 2, n, seed=seed).to(dtype) for seed in (0, 1))
    if dtype == torch.bfloat16:
        model = seeded(torch.nn.Linear, 2 * n, 2).to(dtype)
        own = explained(lambda x: model(x.flatten(1)), x, baseline, [1])
        assert own.attributions.dtype == torch.float32
        assert bool(own.attributions.isfinite().all())
        return
    fine = explained(Smooth(n, 2), x.double(), baseline.double(), [1]).attributions
    own = explained(Smooth(n, 2, dtype=dtype), x, baseline, [1], adaptive=True)
    assert bool(own.sums.converged.all())
    assert int(own.path.n_evaluations.max()) < 400
    close(own.attributions.double().numpy(), fine.numpy(), 1e-4)


def test_loss_of_the_coordinates_shows_in_the_gap() -> None:
    """Completeness is against the signals, not against what the coordinates make of them."""

    class Coarse(Polar):
        def coordinates(self, x: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
            c1, c0 = super().coordinates(x, baseline)
            return c1, c0 + 0.5

    x, model = tensor(2, 8), as_model(lambda x: x.square().sum(-1), dtype=torch.float64)
    baseline = torch.ones_like(x)
    objective = objective_of(model, x)
    chunks = Chunks(4)
    paths = Paths(objective, x, baseline, values_at(objective, x, chunks))
    run = partial(FixedNodes(0.01, 20).integrate, projections=[], chunks=chunks)
    own = explain_nonlinear(Coarse(), paths, values_at(objective, baseline, chunks), (), run, 0.01)
    assert not own.sums.converged.any()
    assert float(own.sums.gap.abs().min()) > 0.1


def test_objective_of_coordinates() -> None:
    x = tensor(4, 10)
    polar, smooth = Polar(), Smooth(10)
    model = as_model(smooth)
    objective = CoordinateObjective.of(objective_of(model, x, [0, 1]), polar, (10,))
    c, rows = polar.analyze(x), torch.arange(4)
    values, gradients = objective.value_and_gradient(c, rows)
    torch.testing.assert_close(objective.value(c, rows), smooth(x)[:, :2].detach(), rtol=0, atol=1e-13)
    torch.testing.assert_close(values.double(), objective.value(c, rows), rtol=0, atol=1e-13)
    assert gradients.shape == (4, 2, 2, 6)
    assert not gradients[..., 1, [0, 5]].any()
    assert isinstance(objective.block(1, 3), CoordinateObjective)
    assert objective.block(1, 3).targets.shape == (2, 2, 1)
    leaf = c.clone().requires_grad_()
    (expected,) = torch.autograd.grad(smooth(polar.synthesize(leaf, 10))[:, 0].sum(), leaf)
    torch.testing.assert_close(gradients[:, 0], expected, rtol=0, atol=1e-13)
    with torch.inference_mode(), model.session():
        again = objective.value_and_gradient(c, rows)[1]
    torch.testing.assert_close(again, gradients, rtol=0, atol=0)
