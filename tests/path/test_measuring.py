"""Norms of combinations in the watched domains, against explicit sums, in parts of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.chunks import Chunks
from freqig.path.measuring import Gauge

from ..helpers import noise
from .paths import nodes_at, norm_of

DELTA, GRADIENT, WEIGHTS = torch.tensor(noise(5, 2, 8)), torch.tensor(noise(3, 6, 2, 16)), noise(3, 2, 4, 6)
MATRIX = torch.tensor(noise(16, 5, seed=7))
SAMPLE = np.array([4, 0, 2])


def domain(mean_gradient: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
    """Two tensors of attributions, both linear in the gradient."""
    products = (DELTA[rows].unsqueeze(1) * mean_gradient).flatten(2)
    return products @ MATRIX.to(products), products.cumsum(-1)


@pytest.mark.parametrize("chunk", [1, 3, 100])
@pytest.mark.parametrize("unit", [1.0, 2.0**-40])
def test_norms_are_explicit_sums(chunk: int, unit: float) -> None:
    places = np.sort(np.random.default_rng(1).uniform(size=(3, 6)))
    own = DELTA.flatten(1).numpy()[SAMPLE]
    nodes = nodes_at(places, GRADIENT * unit, sample=SAMPLE)
    ends = torch.tensor(noise(5, 2, seed=3)) * unit, torch.tensor(noise(5, 2, seed=4)) * unit
    gauge = Gauge(DELTA, *ends, [norm_of(domain)], 0.01, Chunks(chunk))
    units = np.full((3, 2), unit)
    norms = gauge.norms(nodes, WEIGHTS, units)
    block = np.einsum("atkn,antd->aktd", WEIGHTS, GRADIENT.numpy())
    products = block * own[:, None, None]
    parts = products @ MATRIX.numpy(), products.cumsum(-1)
    expected = [np.abs(products).sum(-1), sum(np.abs(part).sum(-1) for part in parts)]
    np.testing.assert_allclose(norms.swapaxes(0, 1), np.stack(expected, 2), rtol=1e-10)
    allowed, correctable = gauge.limits(SAMPLE, norms[0, :, 0], units)
    rise = np.abs((ends[0] - ends[1]).numpy()[SAMPLE]) / unit
    limit = 0.01 * np.maximum(rise, 0.01 * expected[0][:, 0])
    np.testing.assert_allclose(allowed, limit, rtol=1e-10)
    np.testing.assert_allclose(correctable, 0.01 * expected[0][:, 0], rtol=1e-10)
