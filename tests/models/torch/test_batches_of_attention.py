"""Batches whose size makes attention slow on a CPU get one point more, which nobody sees in the result."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import Explainer

from ...helpers import close, noise, scores_of, seeded

N = 24


class Patches(nn.Module):
    """Notes of how many points its batches are."""

    def __init__(self, attends: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True) if attends else None
        self.head = nn.Linear(N, 2)
        self.sizes = list[int]()

    def forward(self, points: Tensor) -> Tensor:
        self.sizes.append(len(points))
        tokens = points.unflatten(1, (-1, 4))
        if self.attention is not None:
            tokens = self.attention(tokens, tokens, tokens)[0]
        return self.head(tokens.flatten(1).tanh())


@pytest.mark.parametrize(("attends", "sizes"), [(True, {17, 33, 49}), (False, {16, 32, 48})])
def test_no_batch_of_attention_is_a_multiple_of_sixteen(attends: bool, sizes: set[int]) -> None:
    network = seeded(Patches, attends).eval()
    for n_steps in (16, 32, 48):
        Explainer(network, n_steps=n_steps, tol=1e9)(noise(1, N), target=0)
    assert {size for size in network.sizes if size > 8} == sizes


def test_what_is_added_does_not_count() -> None:
    network = seeded(Patches, True).double().eval()
    x = noise(2, N)
    found = Explainer(network, n_steps=8)(x, target=0)
    mean = np.zeros_like(x)
    for node, weight in zip(*np.polynomial.legendre.leggauss(8), strict=True):
        leaf = torch.from_numpy((node + 1) / 2 * x).requires_grad_()
        mean += weight / 2 * torch.autograd.grad(network(leaf)[:, 0].sum(), leaf)[0].numpy()
    close(found.rfft, scores_of(x, mean), 1e-12)
    assert found.n_evaluations.values.tolist() == [8, 8]
