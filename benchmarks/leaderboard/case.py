"""What a problem is: how it is drawn, what learns it, and where its truth is looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from torch import nn

Array = np.ndarray
FRESH = 1000
"""Test series are those of a seed by so much larger than that of training."""


@dataclass(frozen=True)
class Printed:
    """A number that a paper prints, beside which ours stands.

    Parameters
    ----------
    method : str
        Whose number it is, in the words of the paper.
    ours : str
        Method of this leaderboard that comes next to it.
    metric : str
        Which of our metrics it is.
    value : float
        As printed.
    source : str
        Where.
    """

    method: str
    ours: str
    metric: str
    value: float
    source: str


@dataclass(frozen=True)
class Case:
    """A problem, the network that has learnt it, and how explanations of that are scored.

    Parameters
    ----------
    name : str
        Key of its results.
    make : callable
        ``(n, seed) -> problem``, a Dataset of `freqig.synth`, for tests.
    make_training : callable, optional
        The same for training, where it is another.
    network : callable or None
        ``problem -> untrained network``; None takes `freqig.synth.oracle`.
    variable : str
        Name of the attributions in a result: which domain they are of.
    truth : str
        Variable of the problem that holds the truth.
    domain : callable
        ``() -> domain`` of freqig.
    reading : {"sign", "magnitude"}
        How attributions are ranked for the headline: "sign" where the truth is what speaks for the class,
        "magnitude" where it is what the model sees. Results hold both.
    n_train, epochs, batch, rate
        Of the training, by Adam.
    decays : bool
        Whether the rate falls along a cosine, or stays.
    stepwise : bool
        Whether there is a label, and an answer, for each step; their sum is explained, which has no classes.
    start : callable, optional
        ``() -> baseline`` where the domain asks for one of its own.
    printed : tuple of Printed
        What papers print.
    missing : callable
        ``() -> reason`` why there are no series on this machine, "" where there are.
    """

    name: str
    make: Callable[[int, int], xr.Dataset]
    variable: str
    truth: str
    domain: Callable[[], Any]
    network: Callable[[xr.Dataset], nn.Module] | None = None
    make_training: Callable[[int, int], xr.Dataset] | None = None
    reading: str = "sign"
    n_train: int = 2000
    epochs: int = 6
    batch: int = 64
    rate: float = 2e-3
    decays: bool = True
    stepwise: bool = False
    bands: tuple[float, float, float] = (2.0, 60.0, 2.0)
    start: Callable[[], Any] | None = None
    printed: tuple[Printed, ...] = field(default=())
    missing: Callable[[], str] = str

    @property
    def headline(self) -> str:
        """The metric that ranks methods on this problem."""
        return "average_precision" + ("_by_sign" if self.reading == "sign" else "")

    def training(self, seed: int, n: int | None = None) -> xr.Dataset:
        """Series to learn from."""
        return (self.make_training or self.make)(n or self.n_train, seed)

    def test(self, n: int, seed: int) -> xr.Dataset:
        """Series to be explained, of which each has a truth: n of them, or fewer if chance has it so."""
        problem = self.make(3 * n, seed + FRESH)
        true = problem[self.truth]
        has = true.any([dim for dim in true.dims if dim != "sample"]).values
        return problem.isel(sample=np.flatnonzero(has))

    def true(self, problem: xr.Dataset) -> Array:
        """Which attributions are true, bool, shape (N, p)."""
        truth = problem[self.truth].values
        return truth.reshape(len(truth), -1)

    def scored(self, problem: xr.Dataset, attribution: Array) -> Array:
        """Attributions as they are held against the truth, shape (N, p)."""
        if self.truth == "truth_line":
            # It is known at which frequency, and not at which electrode.
            return attribution.sum(1)
        flat = attribution.reshape(len(attribution), -1)
        if self.truth != "truth_region" or flat.shape[1] == problem.sizes["region"]:
            return flat
        # Attributions add up, so a region has the sum of its bins.
        edges = [*problem.region_low.values, np.inf]
        region = np.searchsorted(edges, problem.frequency.values, side="right") - 1
        return np.stack([flat[:, region == r].sum(1) for r in range(problem.sizes["region"])], 1)
