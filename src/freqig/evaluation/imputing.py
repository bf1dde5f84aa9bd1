"""ROAD: coefficients that are removed are imputed from their neighbours, so that no hole is left."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..domains.nonlinear import NonlinearDomain
from ..resynthesis.source import Source
from ..resynthesis.synthesis import change_of_signal, masks
from .ordering import places, ranked
from .replacing import Replacing

SHARES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
NOISE = 0.01
"""Noise on imputed values that have no phase, as a share of the standard deviation of the coefficients."""
NEIGHBOURLY = ("frequency", "band", "quefrency")
"""Last words of dimensions along which coefficients have neighbours in frequency."""

Array = np.ndarray


def road(replacing: Replacing, attribution: Array, seed: int) -> dict[str, Array]:
    """Answers as the top, or the bottom, of the order is imputed, by name, shape (N,) each."""
    place = places(ranked(attribution))
    count = np.isfinite(attribution).sum(1)[:, None]
    n, each = len(attribution), replacing.at_once
    found = {"road_most_first": np.zeros(n), "road_least_first": np.zeros(n)}
    for start in range(0, n, each):
        rows = np.arange(start, min(start + each, n))
        for share in SHARES:
            many = np.rint(count[rows] * share)
            for name, gone in (
                ("road_most_first", place[rows] < many),
                ("road_least_first", (place[rows] >= count[rows] - many) & (place[rows] < count[rows])),
            ):
                points = imputed(replacing.source, rows, gone.reshape(-1, *replacing.coefficients), seed)
                found[name][rows] += replacing.scorer(points, rows).own_or_output / len(SHARES)
    return {**found, "road": found["road_least_first"] - found["road_most_first"]}


def imputed(source: Source, rows: Array, gone: Array, seed: int) -> Tensor:
    """Signals some coefficients of which are imputed.

    Parameters
    ----------
    source : Source
        What signals are made of.
    rows : numpy.ndarray
        Which samples, shape (P,).
    gone : numpy.ndarray
        Which coefficients of x - x' are imputed, bool, shape (P, *coefficients).
    seed : int
        Of the phases and the noise.

    Returns
    -------
    torch.Tensor
        float64, shape (P, *axes, n).
    """
    x, start, domain = source.x[rows], source.baseline[rows], source.domain
    n, axis = x.shape[-1], _axis(source)
    generator = np.random.default_rng(seed)
    if isinstance(domain, NonlinearDomain):
        c1, _ = domain.coordinates(x, start)
        (own,) = masks(domain, (c1,), gone)
        return domain.synthesize(_filled(c1, own, axis, generator), n)
    c = domain.of_samples(torch.as_tensor(rows)).analyze_pair(x, start)
    parts, _ = domain.free_and_held(c)
    owns = masks(domain, parts, gone)
    changes = tuple(
        torch.where(own, _filled(part, own, axis if part.ndim == gone.ndim else -1, generator) - part, 0)
        for part, own in zip(parts, owns, strict=True)
    )
    return x + change_of_signal(domain, c, changes, n)


def _axis(source: Source) -> int:
    dims = [str(dim).rpartition("_")[2] for dim in source.attribution.dims]
    along = [i for i, dim in enumerate(dims) if dim in NEIGHBOURLY]
    return along[-1] - len(dims) if along else -1


def _filled(values: Tensor, gone: Tensor, axis: int, generator: np.random.Generator) -> Tensor:
    """Values with those that are gone taken from the line between their nearest neighbours.

    Where each of them is to be the mean of both neighbours, imputed ones included, as ROAD asks, the
    solution of these equations is the line between those that are there, and constant beyond the last.
    """
    complex_ = values.is_complex()
    size = (values.abs() if complex_ else values).movedim(axis, -1)
    there = ~gone.movedim(axis, -1)
    length = size.shape[-1]
    # Shares of float64: quotients of integers would be float32.
    index = torch.arange(length).expand(size.shape)
    left = torch.where(there, index, -1).cummax(-1).values
    right = length - 1 - torch.where(there.flip(-1), index, -1).cummax(-1).values.flip(-1)
    # Beyond the last that is there, the last.
    has_left, has_right = left >= 0, right < length
    low = torch.where(has_left, left, right).clamp(0, length - 1)
    high = torch.where(has_right, right, left).clamp(0, length - 1)
    weight = torch.where(high > low, (index - low).double() / (high - low).clamp(min=1), 0.0)
    filled = (1 - weight) * size.gather(-1, low) + weight * size.gather(-1, high)
    filled = torch.where(has_left | has_right, filled, 0.0).movedim(-1, axis)
    shape = values.shape[1:]
    if complex_:
        # Phases of neighbours say nothing of its own. They are the same for all samples.
        turn = torch.from_numpy(np.exp(2j * np.pi * generator.random(shape)))
        filled = filled * turn.to(values.dtype)
    else:
        spread = values.flatten(1).std(1, correction=0).reshape(-1, *(1,) * len(shape))
        filled = filled + NOISE * spread * torch.from_numpy(generator.normal(size=shape))
    return torch.where(gone, filled.to(values.dtype), values)
