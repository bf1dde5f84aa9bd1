"""What was computed for some samples, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..diagnosis import Diagnosis
from ..domains import Domain
from ..domains.nonlinear import NonlinearDomain, attribution_shape
from ..objective.classes import UNKNOWN, Classes

FIELDS = ("output", "baseline_output", "gap", "correction", "limit", "converged", "error", "n_evaluations")


@dataclass(frozen=True)
class Attributions:
    """What was computed for some samples, without labels; S samples, T targets.

    Parameters
    ----------
    domains : sequence of Domain
        What was explained in.
    values : list of torch.Tensor
        Attributions, one tensor per domain, shape (S, T, *axes, *coefficients).
    output, baseline_output : torch.Tensor
        Explained scalars at both ends, float64, shape (S, T).
    gap, correction : torch.Tensor
        Completeness gap before the last correction of the attributions, and what that added to their
        sum, float64, shape (S, T): Σ attribution = output - baseline_output + gap + correction.
    limit : torch.Tensor
        Largest gap that counts as complete, float64, shape (S, T).
    converged : torch.Tensor
        Whether the tolerance was reached, bool, shape (S, T).
    error : torch.Tensor
        Estimated L1 error of the attributions relative to their norm, float64, shape (S, T); NaN
        where the integrator does not estimate it.
    n_evaluations : torch.Tensor
        Points at which a gradient was taken, int64, shape (S,).
    diagnoses : tuple of Diagnosis
        How integration ended, one per sample; empty where the integrator does not say.
    own : dict of str to dict of str to torch.Tensor
        By name of a domain that is not linear: `completeness_gap`, `correction` and `converged`,
        shape (S, T), and `n_evaluations`, shape (S,), of the path of its own, and what it counts.
    spreads : list of torch.Tensor
        Standard deviations over several baselines, one per domain; empty where there was one.
    targets : torch.Tensor or None
        Explained classes, shape (S, T), or output indices, shape (S, 1, m); of a callable scale
        whatever it was given, shape (S, T, ...); None where it needed none.
    predicted : torch.Tensor or None
        Predicted classes, shape (S,); None where it is not known which axis holds them.
    classes : Classes
        How the outputs were read.
    raw : torch.Tensor or None
        Raw outputs at the input, shape (S, *output axes), where the result tells them.
    names : tuple of str or None
        Names of the classes, where they are known.
    """

    domains: Sequence[Domain]
    values: list[Tensor]
    output: Tensor
    baseline_output: Tensor
    gap: Tensor
    correction: Tensor
    limit: Tensor
    converged: Tensor
    error: Tensor
    n_evaluations: Tensor
    diagnoses: tuple[Diagnosis, ...] = ()
    own: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    spreads: list[Tensor] = field(default_factory=list)
    targets: Tensor | None = None
    predicted: Tensor | None = None
    classes: Classes = UNKNOWN
    raw: Tensor | None = None
    names: tuple[str, ...] | None = None

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], n_targets: int, domains: Sequence[Domain], dtype: torch.dtype
    ) -> Attributions:
        """Results of no sample, for signals of a shape (0, *axes, n), on the CPU."""
        none, scalars = shape[0], (shape[0], n_targets)
        values: dict[str, Any] = {name: torch.empty(scalars, dtype=torch.float64) for name in FIELDS}
        values["converged"] = torch.empty(scalars, dtype=torch.bool)
        values["n_evaluations"] = torch.empty(none, dtype=torch.int64)
        own = {name: values[name] for name in ("correction", "converged", "n_evaluations")}
        own["completeness_gap"] = values["gap"]
        curved = [domain for domain in domains if isinstance(domain, NonlinearDomain)]
        # Fourier transforms refuse empty batches.
        counts = {d.name: d.counts(d.analyze(torch.zeros((1, *shape[1:])))) for d in curved}
        return cls(
            domains,
            [
                torch.empty((none, n_targets, *attribution_shape(domain, (1, *shape[1:]))[1:]), dtype=dtype)
                for domain in domains
            ],
            own={name: {**own, **{k: v[:none] for k, v in c.items()}} for name, c in counts.items()},
            **values,
        )

    def room(self, n_samples: int, n_targets: int) -> Attributions:
        """Space on the CPU for samples and targets, for results like these of some of them."""

        def room(values: Tensor) -> Tensor:
            sizes = (n_samples, n_targets)[: values.ndim]
            return torch.empty((*sizes, *values.shape[2:]), dtype=values.dtype)

        fields: dict[str, Any] = {name: room(getattr(self, name)) for name in FIELDS}
        return replace(
            self,
            values=[room(values) for values in self.values],
            own={name: {k: room(v) for k, v in scalars.items()} for name, scalars in self.own.items()},
            **fields,
        )

    def on_cpu(self) -> Attributions:
        """The same on the CPU, each tensor in memory of its own shape."""

        def here(values: Tensor) -> Tensor:
            return values.cpu().contiguous()

        fields: dict[str, Any] = {name: here(getattr(self, name)) for name in FIELDS}
        own = {name: {k: here(v) for k, v in scalars.items()} for name, scalars in self.own.items()}
        return replace(self, values=[here(values) for values in self.values], own=own, **fields)

    def store(self, samples: slice, targets: slice, block: Attributions) -> None:
        """Copy the results of a block of samples and targets to their place."""
        pairs = [
            *zip(self.values, block.values, strict=True),
            *((getattr(self, name), getattr(block, name)) for name in FIELDS),
            *((self.own[name][k], v) for name, scalars in block.own.items() for k, v in scalars.items()),
        ]
        for space, values in pairs:
            if space.ndim > 1:
                space[samples, targets] = values
            elif targets.start == 0:
                space[samples] = values
            else:
                # Evaluations of a sample, whose blocks of targets have nodes of their own.
                space[samples] = torch.maximum(space[samples], values.to(space.device))
