"""Networks that have learnt a problem, kept by a hash of everything that they depend on."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

import freqig
from leaderboard.case import Case
from leaderboard.networks import Summed


@dataclass(frozen=True)
class Trained:
    """A network, what it was made of, and how well it does.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode, from series to classes; of stepwise problems to the sum over steps.
    digest : str
        Hash of problem, seed, architecture, training and version of torch.
    accuracy : float
        Share of fresh labels that it finds. NaN for what was not trained.
    seconds : float
        That the training took, when it was done.
    """

    model: nn.Module
    digest: str
    accuracy: float
    seconds: float


def shortened(case: Case) -> Case:
    """The same, learnt from fewer series in fewer epochs."""
    return replace(case, n_train=min(case.n_train, 1500), epochs=min(case.epochs, 4))


def untrained(case: Case, seed: int) -> tuple[nn.Module, str]:
    """The network of a case and a seed before its training, and the digest of what it will be."""
    if case.network is None:
        return freqig.synth.oracle(case.make(4, seed)), "oracle"
    few = case.training(seed, 16)
    torch.manual_seed(seed)
    model = case.network(few)
    return model, _digest(case, few, seed, model)


def trained(case: Case, seed: int, cache: Path) -> Trained:
    """The network of a case and a seed, out of the cache, or trained and put there."""
    model, digest = untrained(case, seed)
    if case.network is None:
        return Trained(Summed(model) if case.stepwise else model, digest, float("nan"), 0.0)
    kept = cache / f"{digest}.pt"
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        model.load_state_dict(state["weights"])
        accuracy, seconds = state["accuracy"], state["seconds"]
    else:
        problem = case.training(seed)
        begin = time.perf_counter()
        fit(model, case, problem, seed)
        seconds = time.perf_counter() - begin
        accuracy = _accuracy(model, case.make(500, seed + 500))
        cache.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        torch.save({"weights": model.state_dict(), "accuracy": accuracy, "seconds": seconds}, part)
        part.replace(kept)
    model.eval()
    return Trained(Summed(model) if case.stepwise else model, digest, accuracy, seconds)


def fit(model: nn.Module, case: Case, problem: xr.Dataset, seed: int) -> None:
    """Train by Adam."""
    x, y = _tensors(problem)
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), case.rate)
    steps = case.epochs * -(-len(x) // case.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(case.epochs):
        for rows in torch.randperm(len(x), generator=order).split(case.batch):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
            if case.decays:
                schedule.step()
    model.eval()


def loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy, of classes or, where labels have steps, of each step."""
    if labels.ndim == 2:
        return nn.functional.binary_cross_entropy_with_logits(scores, labels.to(scores.dtype))
    return nn.functional.cross_entropy(scores, labels)


def predicted(model: nn.Module, x: Tensor) -> np.ndarray:
    """Classes, of each series or each step."""
    with torch.no_grad():
        scores = torch.cat([model(part) for part in x.split(256)])
    return scores.argmax(1).numpy()


def _accuracy(model: nn.Module, problem: xr.Dataset) -> float:
    x, y = _tensors(problem)
    if y.ndim == 2:
        with torch.no_grad():
            return float(((model(x) > 0) == (y > 0)).double().mean())
    return float((predicted(model, x) == y.numpy()).mean())


def _tensors(problem: xr.Dataset) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(problem.signal.values), torch.from_numpy(problem.label.values)


def _digest(case: Case, few: xr.Dataset, seed: int, model: nn.Module) -> str:
    """Hash of the first series themselves, so that a problem that has changed is learnt anew."""
    said = {
        "case": case.name,
        "seed": seed,
        "series": hashlib.sha256(few.signal.values.tobytes()).hexdigest(),
        "architecture": [repr(model), sum(p.numel() for p in model.parameters())],
        "training": [
            case.n_train,
            case.epochs,
            case.batch,
            case.rate,
            *(() if case.decays else ("constant",)),
        ],
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
