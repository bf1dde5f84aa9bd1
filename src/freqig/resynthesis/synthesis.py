"""Signals of which some coefficients are kept, and the others are those of the baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..domains import Domain
from ..domains.base import Coefficients
from ..domains.nonlinear import NonlinearDomain
from .source import Source


def synthesized(source: Source, rows: Sequence[int], mask: np.ndarray) -> Tensor:
    """Parts of some samples.

    Parameters
    ----------
    source : Source
        Signals, baselines and the domain.
    rows : sequence of int
        Which samples, P of them; one may come several times.
    mask : numpy.ndarray
        Which coefficients are kept of each, bool, shape (P, *coefficients).

    Returns
    -------
    torch.Tensor
        float64, shape (P, *axes, n).
    """
    x, start, domain = source.x[rows], source.baseline[rows], source.domain
    n = x.shape[-1]
    if isinstance(domain, NonlinearDomain):
        c1, c0 = domain.coordinates(x, start)
        (own,) = masks(domain, (c1,), mask)
        return domain.synthesize(torch.where(own, c1, c0), n)
    c = domain.of_samples(torch.as_tensor(rows)).analyze_pair(x, start)
    parts, _ = domain.free_and_held(c)
    kept = tuple(part * own for part, own in zip(parts, masks(domain, parts, mask), strict=True))
    return start + change_of_signal(domain, c, kept, n)


def change_of_signal(domain: Domain, c: Coefficients, changes: tuple[Tensor, ...], n: int) -> Tensor:
    """What changes of coefficients make of a signal in a linear domain: `synthesize` without its constant.

    Parameters
    ----------
    domain : Domain
        A bound domain; a constant that its synthesis adds is in the signal already.
    c : torch.Tensor or tuple of torch.Tensor
        Coefficients as `analyze_pair` gives them, of which those that are held are taken.
    changes : tuple of torch.Tensor
        Of those that are not held.
    n : int
        Values in time.
    """
    _, held = domain.free_and_held(c)
    nothing = tuple(torch.zeros_like(part) for part in changes)
    moved, constant = (
        domain.synthesize((*one, *held) if isinstance(c, tuple) else one[0], n) for one in (changes, nothing)
    )
    change: Tensor = moved - constant
    return change


def masks(domain: Domain, parts: tuple[Tensor, ...], mask: np.ndarray) -> tuple[Tensor, ...]:
    """A mask of assembled coefficients, for the tensors that they are assembled of."""
    # Assembling is linear, so its adjoint leads from a place to the coefficients that stand there.
    with torch.enable_grad():
        leaves = tuple(torch.zeros_like(part, dtype=torch.float64).requires_grad_() for part in parts)
        placed = domain.assemble(leaves)
        found = torch.autograd.grad(placed[torch.from_numpy(mask)].sum(), leaves, materialize_grads=True)
    return tuple(one > 0 for one in found)
