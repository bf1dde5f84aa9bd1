"""Explains a model behind a non-linear synthesis: the same integrator, on F ∘ S."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from ..domains.nonlinear import NonlinearDomain
from ..objective.objective import Objective
from ..objective.paths import Paths
from ..path.path import Path
from .projection import Sums, working_dtype


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
    sums : Sums
        How far they are from complete.
    path : Path
        What the integrator knows of the path in coordinates.
    counts : dict of str to torch.Tensor
        What the domain counts in the coordinates, int64, shape (S,).
    """

    attributions: Tensor
    sums: Sums
    path: Path
    counts: dict[str, Tensor] = field(default_factory=dict)

    def diagnostics(self) -> dict[str, Tensor]:
        """What the result tells of a path of its own, by name."""
        return {
            "completeness_gap": self.sums.gap,
            "correction": self.path.correction,
            "converged": self.sums.converged,
            "n_evaluations": self.path.n_evaluations,
            **self.counts,
        }


def explain_nonlinear(
    domain: NonlinearDomain,
    paths: Paths,
    baseline_output: Tensor,
    axes: tuple[int, ...],
    integrate: Callable[[Paths], Path],
    tol: float,
) -> OwnPath:
    """Explain a block of samples along the path of one non-linear domain.

    Parameters
    ----------
    domain : NonlinearDomain
        A bound domain.
    paths : Paths
        The straight paths of S signals.
    baseline_output : torch.Tensor
        F(x'), shape (S, T).
    axes : tuple of int
        Axes of a signal that appear in the result, without time.
    integrate : callable
        The integrator of straight paths.
    tol : float
        Tolerance of the completeness gap.

    Returns
    -------
    OwnPath
        Attributions, and how far they are from complete. Completeness is measured against F at
        the signals themselves, so that what the coordinates lose shows in it.
    """
    dtype = working_dtype(paths.x.dtype)
    shape = (len(paths), *axes, paths.x.shape[-1])
    c1, c0 = domain.coordinates(*(end.to(dtype).reshape(shape) for end in (paths.x, paths.baseline)))
    behind = CoordinateObjective.of(paths.objective, domain, tuple(paths.x.shape[1:]))
    own = replace(paths, objective=behind, x=c1, baseline=c0, baseline_output=None)
    path = integrate(own)
    products = own.delta.unsqueeze(1).to(path.mean_gradient.dtype) * path.mean_gradient
    return OwnPath(
        torch.stack([domain.assemble((one.to(dtype),)) for one in products.unbind(1)], 1),
        Sums.of(products, path, paths.output, baseline_output, tol, paths.x.dtype),
        path,
        domain.counts(c1),
    )
