"""Explains a model behind a non-linear synthesis: the same integrator, on F ∘ S."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from ..completeness import is_complete
from ..domains.nonlinear import NonlinearDomain
from ..integration.path import Path
from ..objective.objective import Objective


@dataclass(frozen=True)
class CoordinateObjective(Objective):
    """Explained scalars as a function of coordinates c of a non-linear domain, F(S(c)).

    An `Objective` whose points are coordinates: signals are synthesized before the model sees
    them, and its gradients are pulled back by PyTorch's autograd, so that models of every
    framework work.

    Parameters
    ----------
    domain : NonlinearDomain
        A bound domain.
    shape : tuple of int
        Shape of one signal, time last, as the objective of signals wants it, axes of size one
        included.
    **objective
        Fields of the objective of signals.
    """

    domain: NonlinearDomain = field(kw_only=True)
    shape: tuple[int, ...] = field(kw_only=True)

    @classmethod
    def of(cls, objective: Objective, domain: NonlinearDomain, shape: tuple[int, ...]) -> CoordinateObjective:
        """The objective of coordinates that belongs to one of signals of a shape (*axes, n)."""
        return cls(**_own_fields(objective), domain=domain, shape=shape)

    def signals(self, points: Tensor) -> Tensor:
        """Signals S(c) in the dtype of the model, shape (P, *coordinates) to (P, *shape)."""
        signals = self.domain.synthesize(points, self.shape[-1])
        return signals.reshape(len(points), *self.shape).to(self.model.dtype)

    def value_and_gradient(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Explained scalars, shape (P, T), and gradients, shape (P, T, *coordinates)."""
        with torch.inference_mode(False), torch.enable_grad():
            leaves = points.detach().clone().requires_grad_()
            signals = self.signals(leaves)
        values, gradients = Objective(**_own_fields(self)).value_and_gradient(signals.detach(), rows)
        count = gradients.shape[1]
        pulled = [
            torch.autograd.grad(
                signals, leaves, gradients[:, t].to(signals.dtype), retain_graph=t < count - 1
            )[0]
            for t in range(count)
        ]
        return values, torch.stack(pulled, 1)

    def _arranged(self, points: Tensor) -> Tensor:
        return super()._arranged(self.signals(points))


def _own_fields(objective: Objective) -> dict[str, Any]:
    return {f.name: getattr(objective, f.name) for f in fields(Objective)}


@dataclass(frozen=True)
class OwnPath:
    """What came of the path of one non-linear domain; S samples, T targets.

    Parameters
    ----------
    attributions : torch.Tensor
        Shape (S, T, *axes, *coordinates), dtype of the ends.
    gap : torch.Tensor
        Σ attribution - (F(x) - F(x')) before the correction of the path, float64, shape (S, T).
    complete : torch.Tensor
        Whether that is small enough, bool, shape (S, T).
    path : Path
        What the integrator knows of the path in coordinates.
    """

    attributions: Tensor
    gap: Tensor
    complete: Tensor
    path: Path

    @property
    def converged(self) -> Tensor:
        """Whether the tolerance was reached, bool, shape (S, T)."""
        return self.complete if self.path.converged is None else self.complete & self.path.converged


Integrator = Callable[[Objective, Tensor, Tensor, Tensor], Path]
"""From objective, ends c and c', and F(x), shape (S, T), to the path between the ends."""


def explain_nonlinear(
    domain: NonlinearDomain,
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    outputs: tuple[Tensor, Tensor],
    axes: tuple[int, ...],
    integrate: Integrator,
    tol: float,
) -> OwnPath:
    """Explain a block of samples along the path of one non-linear domain.

    Parameters
    ----------
    domain : NonlinearDomain
        A bound domain.
    objective : Objective
        Explained scalars of the S samples, as a function of signals.
    x, baseline : torch.Tensor
        Ends of the path, shape (S, *shape), dtype and device of the model.
    outputs : pair of torch.Tensor
        F(x) and F(x'), shape (S, T).
    axes : tuple of int
        Axes of a signal that appear in the result, without time.
    integrate : callable
        The integrator of the straight path, with everything but objective, ends and output at
        the input filled in.
    tol : float
        Tolerance of the completeness gap.

    Returns
    -------
    OwnPath
        Attributions, and how far they are from complete. Completeness is measured against F at
        the signals themselves, so that what the coordinates lose shows in it.
    """
    # There are neither Fourier transforms nor angles in half precision.
    dtype = x.dtype if x.dtype in (torch.float32, torch.float64) else torch.float32
    shape = (len(x), *axes, x.shape[-1])
    c1, c0 = domain.coordinates(*(end.to(dtype).reshape(shape) for end in (x, baseline)))
    output, baseline_output = outputs
    path = integrate(CoordinateObjective.of(objective, domain, tuple(x.shape[1:])), c1, c0, output)
    products = (c1 - c0).unsqueeze(1).to(path.mean_gradient.dtype) * path.mean_gradient
    sizes = products.flatten(2).abs().sum(-1)
    gap = products.flatten(2).sum(-1) - (output - baseline_output) - path.correction
    return OwnPath(
        torch.stack([domain.assemble((one.to(dtype),)) for one in products.unbind(1)], 1),
        gap,
        is_complete(gap, path.correction, sizes, output, baseline_output, tol, x.dtype),
        path,
    )
