"""Paths whose mean gradient is known: closed forms, and trained networks with brute-force references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from freqig.chunks import Chunks
from freqig.foreign import Foreign
from freqig.models import TorchModel
from freqig.objective.arguments import Extra
from freqig.objective.objective import Objective
from freqig.objective.paths import Paths
from freqig.path import Path, integrate_adaptive

CHUNK = 64
N_FEATURES = 32
N_TIMES = 64
FS = 128.0
Watched = Sequence[str]
"""Names of domains, keys of `PROJECT`."""


@dataclass(frozen=True)
class Case:
    """Paths from baseline to x, shape (S, *shape), float64, and their mean gradients, (S, 1, *shape).

    Where the reference itself could not be computed, `trusted`, shape (S,), is False.
    """

    name: str
    objective: Objective
    x: Tensor
    baseline: Tensor
    mean_gradient: Tensor
    trusted: Tensor

    @property
    def delta(self) -> Tensor:
        return self.x - self.baseline

    def solve(self, tol: float, watched: Watched = ("time", "frequency"), **how: int) -> Path:
        """Integrate adaptively, watching these domains."""
        rows = torch.arange(len(self.x))

        def projection(name: str) -> Callable[[Tensor, Tensor], Tensor]:
            return lambda gradient, rows: PROJECT[name](self.delta[rows], gradient).abs().flatten(2).sum(-1)

        return integrate_adaptive(
            Paths(self.objective, self.x, self.baseline, self.objective.value(self.x, rows)),
            projections=[projection(name) for name in watched],
            tol=tol,
            max_evaluations=how.get("max_evaluations", 2000),
            n_initial=how.get("n_initial", 7),
            chunks=Chunks(how.get("chunk", CHUNK)),
            inspector=Foreign(),
        )

    def error(self, path: Path, watched: Watched = ("time", "frequency")) -> Tensor:
        """True relative L1 error of the attributions, the largest over these domains, shape (S,)."""
        errors = []
        for name in watched:
            found, truth = (
                PROJECT[name](self.delta, g).flatten(1) for g in (path.mean_gradient, self.mean_gradient)
            )
            errors.append((found - truth).abs().sum(1) / truth.abs().sum(1))
        return torch.stack(errors).amax(0)


def spectrum(delta: Tensor, gradient: Tensor) -> Tensor:
    """Scores of frequencies, shape (S, T, *axes, n // 2 + 1)."""
    n = delta.shape[-1]
    counts = torch.full((n // 2 + 1,), 2.0, dtype=torch.float64)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return (torch.fft.rfft(delta).conj().unsqueeze(1) * torch.fft.rfft(gradient)).real * counts / n


PROJECT: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "time": lambda delta, gradient: delta.unsqueeze(1) * gradient,
    "frequency": spectrum,
}


def drawn(seed: int) -> Callable[..., Tensor]:
    """Standard normal numbers, float64, one stream."""
    rng = np.random.default_rng(seed)
    return lambda *shape: torch.tensor(rng.normal(size=shape))


class OfSample(nn.Module):
    """A function with parameters of its own for every sample: called with points and their samples."""

    def __init__(self, **parameters: Tensor) -> None:
        super().__init__()
        for name, values in parameters.items():
            self.register_buffer(name, values)


def closed(name: str, model: OfSample, x: Tensor, mean_gradient: Tensor) -> Case:
    """A case of a model with a closed form and the baseline zero."""
    index = torch.arange(len(x))
    targets = torch.zeros((len(x), 1, 1), dtype=torch.int64)
    objective = Objective(TorchModel(model, torch.float64), "logit", targets, Extra((index,), (0,)))
    trusted = torch.ones(len(x), dtype=torch.bool)
    return Case(name, objective, x, torch.zeros_like(x), mean_gradient.unsqueeze(1), trusted)


class PowerSum(OfSample):
    """Powers 1 to d of as many linear functions: Σ_k (w_k·x)^k."""

    w: Tensor

    def forward(self, x: Tensor, sample: Tensor) -> Tensor:
        z = torch.einsum("pkd,pd->pk", self.w[sample], x)
        return sum(z[:, k] ** (k + 1) for k in range(z.shape[1])).unsqueeze(1)  # type: ignore[union-attr]


def polynomial(n: int, degree: int, seed: int = 0) -> Case:
    """The mean gradient of (w·x)^k from 0 to x is (w·x)^(k - 1) w."""
    normal = drawn(seed)
    x, w = 5 * normal(n, N_FEATURES), normal(n, degree, N_FEATURES) / N_FEATURES**0.5 / 5
    z = torch.einsum("skd,sd->sk", w, x)
    truth = sum((z[:, k] ** k).unsqueeze(1) * w[:, k] for k in range(degree))
    assert isinstance(truth, Tensor)
    return closed(f"polynomial of degree {degree}", PowerSum(w=w), x, truth)


class Kinked(OfSample):
    """Σ_k a_k ReLU(w_k·x - c_k)."""

    w: Tensor
    c: Tensor
    a: Tensor

    def forward(self, x: Tensor, sample: Tensor) -> Tensor:
        z = torch.einsum("pkd,pd->pk", self.w[sample], x) - self.c[sample]
        return (self.a[sample] * torch.relu(z)).sum(1, keepdim=True)


def kinks(n: int, count: int, seed: int = 0, clustered: bool = False) -> Case:
    """Kinks at drawn places: each unit is on along a known share of the path."""
    normal = drawn(seed)
    x, w = 5 * normal(n, N_FEATURES), normal(n, count, N_FEATURES) / N_FEATURES**0.5
    places = torch.tensor(np.random.default_rng(seed + 1000).random((n, count)) ** (3 if clustered else 1))
    a, slope = normal(n, count) + 1, torch.einsum("skd,sd->sk", w, x)
    share = torch.where(slope > 0, 1 - places, places)
    truth = torch.einsum("sk,sk,skd->sd", a, share, w)
    return closed(
        f"{count} kink{'s' * (count > 1)}{', clustered' * clustered}",
        Kinked(w=w, c=places * slope, a=a),
        x,
        truth,
    )


class Step(OfSample):
    """σ(s (w·x - p)) (1 + 0.3 sin(v·x)) + 0.3 tanh(u·x), with w·x running from 0 to 1 on the path."""

    w: Tensor
    v: Tensor
    u: Tensor
    p: Tensor
    s: Tensor

    def forward(self, x: Tensor, sample: Tensor) -> Tensor:
        w, v, u = ((weight[sample] * x).sum(1) for weight in (self.w, self.v, self.u))
        step = torch.sigmoid(self.s * (w - self.p[sample]))
        return (step * (1 + 0.3 * torch.sin(v)) + 0.3 * torch.tanh(u)).unsqueeze(1)


def logistic(n: int, steepness: float, seed: int = 0) -> Case:
    """The mean gradient is a combination of w, v and u by integrals over the path of three scalars."""
    normal = drawn(seed)
    x = 5 * normal(n, N_FEATURES)
    w, v, u = normal(n, N_FEATURES), *(normal(n, N_FEATURES) / N_FEATURES**0.5 / 5 for _ in range(2))
    w = w / (w * x).sum(1, keepdim=True)
    p = torch.tensor(np.random.default_rng(seed + 1000).uniform(0.02, 0.98, n))
    model = Step(w=w, v=v, u=u, p=p, s=torch.tensor(steepness, dtype=torch.float64))
    truth = torch.zeros_like(x)
    grid = np.concatenate([np.linspace(0, 1, 9), *(sign * np.geomspace(1e-2, 1e2, 25) for sign in (-1, 1))])
    for i in range(n):
        # Panels as narrow as the step needs, each with 20 Gauss nodes.
        edges = np.concatenate([grid[:9], p[i].item() + grid[9:] / steepness])
        alpha, weight = composite(np.unique(np.clip(edges, 0, 1)), 20)
        sigma = torch.sigmoid(steepness * (alpha - p[i]))
        va, ua = alpha * (v[i] @ x[i]), alpha * (u[i] @ x[i])
        of_w = steepness * sigma * (1 - sigma) * (1 + 0.3 * torch.sin(va))
        of_v, of_u = 0.3 * sigma * torch.cos(va), 0.3 / torch.cosh(ua) ** 2
        truth[i] = (weight @ of_w) * w[i] + (weight @ of_v) * v[i] + (weight @ of_u) * u[i]
    return closed(f"logistic step {steepness:g}", model, x, truth)


def composite(edges: np.ndarray, n_nodes: int) -> tuple[Tensor, Tensor]:
    """Gauss nodes in every panel between `edges`, and their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    width = np.diff(edges)[:, None]
    places = edges[:-1, None] + width * (nodes + 1) / 2
    return torch.tensor(places.ravel()), torch.tensor((width * weights / 2).ravel())
