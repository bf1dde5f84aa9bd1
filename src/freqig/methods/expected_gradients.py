"""Expected gradients: random points of the paths from many baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_draws, check_seed
from ..chunks import Chunks
from ..objective.paths import Paths
from .draws import generator
from .explaining import Comparator, words
from .gradients import Projected, averaged


@dataclass(frozen=True)
class RandomPoints(Projected):
    """The mean gradient at random points of each path.

    Parameters
    ----------
    draws : int
        Points per path.
    seed : int
        Of their places.
    """

    draws: int
    seed: int

    engine = "expected_gradients"
    title = "expected gradients (Erion et al. 2021)"
    adds_up = True
    meaning = "mean of (x - x') · ∇F over baselines and random points between"

    @property
    def n_least(self) -> int:
        return self.draws

    def mean_gradient(self, paths: Paths, chunks: Chunks) -> Tensor:
        x, delta = paths.x, paths.delta
        # Each stretch of the path has one point: α is uniform all the same, and its mean is known better.
        ends = zip(x, paths.baseline, strict=True)
        places = np.stack([generator(self.seed, torch.stack(pair)).random(self.draws) for pair in ends])
        alphas = torch.from_numpy((np.arange(self.draws) + places) / self.draws).to(x)

        def at(rows: Tensor, nodes: Tensor) -> Tensor:
            alpha = alphas[rows, nodes].reshape(-1, *(1,) * (x.ndim - 1))
            return paths.baseline[rows] + alpha * delta[rows]

        return averaged(paths, at, [1 / self.draws] * self.draws, chunks)


class ExpectedGradients(Comparator):
    """Expected gradients: E[(x - x') · ∇F(x' + α(x - x'))] over baselines x' and places α.

    Every baseline of ``freqig.baselines.data(...)`` is taken, `draws` places on the path from each, and the
    product of each path is projected before anything is averaged: the mean of products is not the product
    of means. Attributions add up to F(x) - E F(x') as far as the draws go, and the completeness gap says
    how far. `freqig.Explainer` with the same baselines integrates the same paths to a tolerance.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    draws : int, default 8
        Places on the path from each baseline, one in each of as many stretches.
    seed : int, default 0
        Of the places.
    tol : float, default 0.01
        Completeness gap, relative, up to which a sample is `converged`.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default. Give baselines, such as
        ``freqig.baselines.data(x_train[:20])``: with the one of zero these are integrated gradients.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg, Lee: Improving performance of deep learning models with axiomatic
    attribution priors and expected gradients, Nature Machine Intelligence 2021, eq. 3.

    Examples
    --------
    >>> import torch, freqig
    >>> x = torch.ones(1, 4)
    >>> others = freqig.baselines.data(torch.tensor([[0.0] * 4, [2.0] * 4]))
    >>> method = freqig.methods.ExpectedGradients(lambda x: (x**2).sum(1), baseline=others, draws=64)
    >>> result = method(x, target=0)  # 4 from zero, and -12 from two
    >>> round(float(result.rfft.sum()), 1), result.rfft.attrs["adds_up"]
    (-4.0, 1)
    """

    @words
    def __init__(
        self, model: Any, *, draws: int = 8, seed: int = 0, tol: float = 0.01, **shared: Any
    ) -> None:
        how = RandomPoints(check_draws(draws, "draws"), check_seed(seed, "seed"))
        self.settled(model, how, tol=tol, **shared)
