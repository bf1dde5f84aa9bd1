"""What a method is given: a model, series, classes, and everything else that it may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import nn

import freqig
from leaderboard.case import Case
from leaderboard.training import Trained, predicted

Array = np.ndarray
REFERENCES = 5
"""Training series that stand for the data, of which half or more are of other classes."""


@dataclass(frozen=True)
class Task:
    """One problem, one network, and the series that are to be explained.

    Parameters
    ----------
    case : Case
        The problem.
    problem : xarray.Dataset
        Its N series, of which each has a truth and the network names the right class.
    model : torch.nn.Module
        The network.
    references : numpy.ndarray
        Series of the training, shape (R, channel, time).
    seed : int
        Of everything that a method draws.
    """

    case: Case
    problem: xr.Dataset
    model: nn.Module
    references: Array
    seed: int

    @property
    def x(self) -> Array:
        """Series, float32, shape (N, channel, time)."""
        return self.problem.signal.values

    @property
    def fs(self) -> float:
        """Sampling rate in Hz."""
        return float(self.problem.attrs["fs"])

    @property
    def target(self) -> Array | int:
        """Class of each series, shape (N,); the only output where there are no classes."""
        return 0 if self.case.stepwise else self.problem.label.values

    @property
    def extra(self) -> Any:
        """What the model takes beside series, or None: white boxes are told what they see."""
        if not self.case.stepwise or self.case.network is not None:
            return None
        return freqig.per_sample(self.problem[self.case.truth].values)

    def output(self, asked: str) -> str:
        """The output scale, which is the output itself where there are no classes."""
        return "logit" if self.case.stepwise else asked

    def baseline(self, asked: str) -> Any:
        """A baseline by name: "zero", "data" or "surrogate"; or what the domain of the case asks for."""
        if self.case.start is not None:
            return self.case.start()
        if asked == "data":
            return freqig.baselines.data(self.references)
        return {"zero": freqig.baselines.zero, "surrogate": freqig.baselines.surrogate}[asked]()

    def first(self, n: int) -> Task:
        """The same of n series."""
        return Task(self.case, self.problem.isel(sample=slice(0, n)), self.model, self.references, self.seed)


def task_of(case: Case, network: Trained, seed: int, n: int) -> Task:
    """N series that the network names rightly, or as many as there are."""
    problem = case.test(n, seed)
    if case.network is not None and not case.stepwise:
        right = predicted(network.model, torch.from_numpy(problem.signal.values)) == problem.label.values
        problem = problem.isel(sample=np.flatnonzero(right))
    few = case.training(seed, REFERENCES)
    return Task(case, problem.isel(sample=slice(0, n)), network.model, few.signal.values, seed)


@dataclass
class Calls:
    """Series that a model was asked about, and of how many of them a gradient was taken."""

    series: int = 0
    gradients: int = 0


@contextmanager
def counting(model: nn.Module) -> Iterator[Calls]:
    """Count what a model is asked, whoever asks, copies of the model included."""
    calls = Calls()

    def count(_: nn.Module, given: tuple[Any, ...]) -> None:
        series = given[0]
        if not isinstance(series, torch.Tensor):
            # The network is traced, and nothing is computed.
            return
        calls.series += len(series)
        calls.gradients += len(series) * bool(torch.is_grad_enabled() and series.requires_grad)

    handle = model.register_forward_pre_hook(count)
    try:
        yield calls
    finally:
        handle.remove()
