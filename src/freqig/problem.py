"""One call of an Explainer: checks, target, then path and projections block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from .averaging import average
from .chunks import Chunks
from .domains import Domain
from .engines import Method, explain_with_captum, explain_with_nodes
from .errors import OutputScaleWarning, warn
from .frame import Frame
from .objective import Objective
from .run import Run, explain_blocks, working_dtype
from .safeguards import check_independence
from .scales import EXPECTS_LOGITS, OutputScale, look_like_probabilities
from .statements import warn_of_shortfalls
from .targets import Target, predicted_class, resolve_target


@dataclass(frozen=True)
class Problem:
    """What is to be explained.

    Parameters
    ----------
    objective : Objective
        The model and its arguments; not aimed at a target yet.
    x : torch.Tensor
        Signals, shape (N, *shape), N at least 1, dtype and device of the model.
    baselines : torch.Tensor
        Where the paths start, shape (B, N, *shape): B of them for every sample.
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
    baselines: Tensor
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
        check_independence(self.objective, self.x, self.baselines[0])
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
        output = objective.value_of(raw)
        spoilt = (~output.isfinite().all(1)).nonzero().flatten().tolist()
        if spoilt:
            raise ValueError(
                f"the model's output at the input must be finite, got {output[spoilt[0]].tolist()} for "
                f"sample {spoilt[0]} ({len(spoilt)} such samples): leave them out, or explain another output"
            )
        runs = (
            self._along(objective, baseline, output, method, chunks, progress) for baseline in self.baselines
        )
        if len(self.baselines) == 1:
            run = next(runs)
        else:
            # Every baseline has its own path; projections are averaged, and never the gradients.
            run, spreads = average(runs, method.tol, self.x.dtype)
            run = replace(run, spreads=spreads)
        warn_of_shortfalls(run, method.n_steps, method.tol)
        predicted = None if targets is None else predicted_class(raw, targets)
        return replace(run, targets=targets, predicted=predicted)

    def _along(
        self,
        objective: Objective,
        baseline: Tensor,
        output: Tensor,
        method: Method,
        chunks: Chunks,
        progress: bool,
    ) -> Run:
        """Explain along the paths from one baseline a sample."""
        engine = explain_with_captum if method.engine == "captum" else explain_with_nodes
        space = Run.empty(
            (len(self.x), *self.frame.axes, self.frame.n),
            objective.n_targets,
            self.domains,
            working_dtype(self.x.dtype),
        )
        return explain_blocks(
            objective,
            self.x,
            baseline,
            output,
            partial(engine, method=method, chunks=chunks, frame=self.frame, domains=self.domains),
            method.block_size(chunks, self.x[0].numel(), objective.n_targets),
            space,
            progress,
        )

    def _raw_outputs(self, chunks: Chunks) -> Tensor:
        """Raw outputs at the input, shape (N, *axes)."""
        parts: list[Tensor] = []

        def evaluate(part: slice) -> None:
            rows = torch.arange(part.start, part.stop, device=self.x.device)
            parts.append(self.objective.raw(self.x[part], rows))

        chunks.run(len(self.x), evaluate)
        return torch.cat(parts)
