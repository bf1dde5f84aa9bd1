"""One call of an Explainer: checks, target, then path and projections block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..chunks import Chunks
from ..domains import Domain
from ..objective.chance import check_repeatable
from ..objective.classes import Classes, ClassReader, possible_readings
from ..objective.company import check_shapes
from ..objective.independence import Witness, check_independence
from ..objective.objective import Objective
from ..objective.own_targets import own_target
from ..objective.scales import OutputScale
from ..objective.targets import Target, predicted_class, resolve_target
from ..progress import Progress
from ..result.attributions import Run
from ..signals.axes import Axes
from .blocks import explain_blocks
from .contrast import Standing, tell_of_contrast
from .methods import Method, explain_with_captum, explain_with_nodes
from .several_baselines import average
from .shortfalls import warn_of_shortfalls


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
    axes : Axes
        Axes of the signal that appear in the result.
    domains : sequence of Domain
        Bound domains.
    target : int, tuple, sequence, array, tensor, "all" or None
        What the caller asked for.
    output : str or callable
        Output scale.
    reader : ClassReader
        Finds out how the outputs are read.
    """

    objective: Objective
    x: Tensor
    baselines: Tensor
    axes: Axes
    domains: Sequence[Domain]
    target: Target
    output: OutputScale
    reader: ClassReader

    def solve(self, method: Method, chunks: Chunks, progress: bool | None) -> Run:
        """Check the model, find the targets, integrate and project.

        Parameters
        ----------
        method : Method
            How the path is integrated.
        chunks : Chunks
            Points a call.
        progress : bool or None
            Whether to show a progress bar, see `Progress`.

        Returns
        -------
        Run
            Results of all samples.
        """
        # One call of two points, the fewest there are: what does not fit is told as for any chunk.
        chunks.run(1, lambda _: check_repeatable(self.objective, self.x, self.baselines[0]))
        raw = self._raw_outputs(self.x, chunks)
        check_independence(self.objective, self.x, self.baselines[0], raw, chunks)
        classes = self.reader.read(raw, self._probe(chunks))
        targets = self._targets(raw, classes)
        objective = replace(self.objective.aimed_at(targets, classes), watch=Witness())
        output = objective.value_of(raw)
        spoilt = (~output.isfinite().all(1)).nonzero().flatten().tolist()
        if spoilt:
            raise ValueError(
                f"the model's output at the input must be finite, got {output[spoilt[0]].tolist()} for "
                f"sample {spoilt[0]} ({len(spoilt)} such samples): leave them out, or explain another output"
            )
        n_paths, n_least = len(self.x) * len(self.baselines), method.n_steps or method.n_initial
        with Progress(progress, n_paths, n_least, exact=method.n_steps is not None) as bar:
            objective = replace(objective, evaluated=bar.evaluated)
            runs = (self._along(objective, one, output, method, chunks, bar) for one in self.baselines)
            if len(self.baselines) == 1:
                run = next(runs)
            else:
                # Every baseline has its own path; projections are averaged, and never the gradients.
                run, spreads = average(runs, method.tol, self.x.dtype)
                run = replace(run, spreads=spreads)
        warn_of_shortfalls(run, method.n_steps, method.tol)
        self._tell_of_contrast(run, objective, raw, chunks)
        targets, predicted = self._labels(raw, classes, targets)
        return replace(run, targets=targets, predicted=predicted, classes=classes)

    def _probe(self, chunks: Chunks) -> Tensor:
        """Raw outputs at two points of the path beside the input, normalised by chance in few models."""
        start = self.baselines[0, 0]
        return self._raw_outputs(torch.stack([start, start + 0.5 * (self.x[0] - start)]), chunks, 0)

    def _targets(self, raw: Tensor, classes: Classes) -> Tensor | None:
        """What the objective is aimed at, shape (N, T, m), or (N, T, ...) for a callable scale."""
        axes = tuple(raw.shape[1:])
        if not callable(self.output):
            if classes.axis is None and self.output != "logit":
                either = " or ".join(f"class_axis={a + 1}" for a in range(len(axes)))
                raise ValueError(
                    f"output={self.output!r} compares classes, and outputs of shape {('N', *axes)} may be "
                    f"{possible_readings(axes)}: pass {either} to Explainer, or output='logit'"
                )
            return resolve_target(self.target, raw, classes.axis)
        if self.target is None and (classes.axis is None or math.prod(axes) > axes[classes.axis - 1]):
            return None
        if self.target is None or isinstance(self.target, str):
            return resolve_target(self.target, raw, classes.axis)[..., (classes.axis or 0) - 1]
        return own_target(self.target, len(raw))

    def _labels(
        self, raw: Tensor, classes: Classes, targets: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """Targets as they are stored, and predicted classes where it is known what they are."""
        if targets is None:
            return None, None
        axis = classes.axis
        predicted = None
        if axis is not None and raw.ndim == 2:
            predicted = raw.argmax(-1)
        elif axis is not None and not callable(self.output):
            predicted = predicted_class(raw, targets, axis)
        if not callable(self.output) and (raw.ndim == 2 or targets.shape[1] > 1):
            # One number says which, of one axis or of all classes.
            targets = targets[..., (axis or 0) - 1]
        return targets, predicted

    def _tell_of_contrast(self, run: Run, objective: Objective, raw: Tensor, chunks: Chunks) -> None:
        """Say where there is nothing to explain between baseline and input."""
        moves = (self.x.unsqueeze(0) != self.baselines).flatten(2).any(2).any(0)
        eps = torch.finfo(self.x.dtype).eps
        classes, indices = objective.classes, objective.targets
        decides = classes.axis is not None and (
            raw.shape[classes.axis] > 1
            or classes.values != "logits"
            or self.output in ("log_prob", "probability")
        )
        if callable(self.output) or indices is None or not decides:
            tell_of_contrast(run, moves, None, None, eps)
            return
        starts = [self._standing_at(start, indices, objective, chunks) for start in self.baselines]
        tell_of_contrast(run, moves, Standing.of(raw, indices, classes), Standing.mean(starts), eps)

    def _standing_at(
        self, baseline: Tensor, indices: Tensor, objective: Objective, chunks: Chunks
    ) -> Standing:
        """How sure the model is of the targets at baselines of shape (N, *shape)."""
        n_samples, parts = len(baseline), list[Standing]()
        if not any(objective.extra.follows) and bool((baseline == baseline[:1]).all()):
            # One baseline for all, such as silence, is asked once.
            raw = self._raw_outputs(baseline[:1], chunks)
            return Standing.of(raw.expand(n_samples, *raw.shape[1:]), indices, objective.classes)

        def evaluate(part: slice) -> None:
            rows = torch.arange(part.start, part.stop, device=baseline.device)
            parts.append(Standing.of(objective.raw(baseline[part], rows), indices[part], objective.classes))

        chunks.run(n_samples, evaluate)
        return Standing.joined(parts)

    def _along(
        self,
        objective: Objective,
        baseline: Tensor,
        output: Tensor,
        method: Method,
        chunks: Chunks,
        progress: Progress,
    ) -> Run:
        """Explain along the paths from one baseline a sample."""
        engine = explain_with_captum if method.engine == "captum" else explain_with_nodes
        return explain_blocks(
            objective,
            self.x,
            baseline,
            output,
            partial(engine, method=method, chunks=chunks, axes=self.axes, domains=self.domains),
            method.block_size(chunks, self.x[0].numel(), objective.n_targets),
            progress.done,
        )

    def _raw_outputs(self, points: Tensor, chunks: Chunks, sample: int | None = None) -> Tensor:
        """Raw outputs, shape (P, *axes), at points that belong to one sample, or one by one to all."""
        parts: list[Tensor] = []

        def evaluate(part: slice) -> None:
            rows = torch.arange(part.start, part.stop, device=points.device)
            parts.append(self.objective.raw(points[part], rows if sample is None else rows * 0 + sample))
            check_shapes(parts[0], parts[-1])

        chunks.run(len(points), evaluate)
        return torch.cat(parts)
