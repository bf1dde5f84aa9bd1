"""One call of an Explainer: checks, target, then path and projections block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from .chunks import Chunks
from .completeness import warn_of_gaps
from .domains import Domain
from .engines import explain_with_captum
from .errors import OutputScaleWarning, warn
from .frame import Frame
from .objective import Objective
from .paths import integrate
from .quadrature import gauss_legendre
from .run import Engine, Run, explain_blocks, project, working_dtype
from .safeguards import check_independence
from .scales import EXPECTS_LOGITS, OutputScale, look_like_probabilities
from .targets import Target, predicted_class, resolve_target


@dataclass(frozen=True)
class Method:
    """How the path is integrated.

    Parameters
    ----------
    engine : {"path", "captum"}
        Whose integrator.
    n_steps : int
        Gauss-Legendre nodes.
    tol : float
        Tolerance of the completeness gap.
    """

    engine: str
    n_steps: int
    tol: float


@dataclass(frozen=True)
class Problem:
    """What is to be explained.

    Parameters
    ----------
    objective : Objective
        The model and its arguments; not aimed at a target yet.
    x, baseline : torch.Tensor
        Ends of the paths, shape (N, *shape), N at least 1, dtype and device of the model.
    frame : Frame
        Axes of the signal that appear in the result.
    domains : sequence of Domain
        Bound domains.
    target : int, tuple, sequence, array, tensor, "all" or None
        What the caller asked for.
    output : str or callable
        Output scale.
    """

    objective: Objective
    x: Tensor
    baseline: Tensor
    frame: Frame
    domains: Sequence[Domain]
    target: Target
    output: OutputScale

    def solve(self, method: Method, chunks: Chunks, progress: bool) -> Run:
        """Check the model, find the targets, integrate and project.

        Parameters
        ----------
        method : Method
            How the path is integrated.
        chunks : Chunks
            Points a call.
        progress : bool
            Whether to show a progress bar that counts samples.

        Returns
        -------
        Run
            Results of all samples.
        """
        raw = self._raw_outputs(chunks)
        check_independence(self.objective, self.x, self.baseline)
        if self.output in EXPECTS_LOGITS and look_like_probabilities(raw):
            warn(
                f"output={self.output!r} expects logits, but the model's outputs are non-negative "
                "and sum to 1 like probabilities: explain the layer before the softmax, or use "
                "output='logit' for the outputs as they are",
                OutputScaleWarning,
            )
        targets = None
        if not (self.target is None and callable(self.output) and raw.ndim > 2):
            targets = resolve_target(self.target, raw)
        objective = self.objective.aimed_at(targets)
        space = Run.empty(
            (len(self.x), *self.frame.axes, self.frame.n),
            objective.n_targets,
            self.domains,
            working_dtype(self.x.dtype),
        )
        # Enough samples a block that most chunks are full; few enough that memory stays bounded.
        block_size = max(1, -(-8 * chunks.size // method.n_steps))
        run = explain_blocks(
            objective,
            self.x,
            self.baseline,
            objective.value_of(raw),
            self._engine(method, chunks),
            block_size,
            space,
            progress,
        )
        warn_of_gaps(run.gap, run.limit, run.output - run.baseline_output, method.n_steps)
        predicted = None if targets is None else predicted_class(raw, targets)
        return replace(run, targets=targets, predicted=predicted)

    def _raw_outputs(self, chunks: Chunks) -> Tensor:
        """Raw outputs at the input, shape (N, *axes)."""
        parts: list[Tensor] = []

        def evaluate(part: slice) -> None:
            rows = torch.arange(part.start, part.stop, device=self.x.device)
            parts.append(self.objective.raw(self.x[part], rows))

        chunks.run(len(self.x), evaluate)
        return torch.cat(parts)

    def _engine(self, method: Method, chunks: Chunks) -> Engine:
        if method.engine == "captum":
            return partial(
                explain_with_captum,
                n_steps=method.n_steps,
                chunks=chunks,
                domain=self.domains[0],
                axes=self.frame.axes,
                tol=method.tol,
            )
        rule = gauss_legendre(method.n_steps)

        def explain(objective: Objective, x: Tensor, x0: Tensor, output: Tensor) -> Run:
            path = integrate(objective, x, x0, output, rule, chunks)
            return project(path, x, x0, self.frame, self.domains, method.tol)

        return explain
