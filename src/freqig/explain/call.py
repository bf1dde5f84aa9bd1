"""One call of an Explainer: checks, aim, then paths and projections block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .._tensor_check import all_finite, in_dtype
from ..baselines.reading import draw_baselines
from ..chunks import Chunks
from ..domains import Domain
from ..domains.preparing import ready
from ..errors import ResolutionWarning, warn
from ..models import Model
from ..objective.argument_axes import settle_readings
from ..objective.arguments import Extra
from ..objective.failures import told_of
from ..objective.independence import Examined, examine, examine_first, raw_at_baseline, unexamined
from ..objective.objective import Objective
from ..objective.paths import Paths
from ..objective.targets import Target
from ..objective.witness import Witness
from ..progress import Progress
from ..result.attributions import Attributions
from ..rows import such_rows
from ..signals import Signal
from ..signals.axes import Axes
from .aim import Aim
from .blocks import explain_blocks
from .class_names import names_of_all
from .contrast import Standing, standing, tell_of_contrast
from .kept import Kept
from .methods import Method
from .projection import working_dtype
from .settings import Settings
from .several_baselines import average


@dataclass(frozen=True)
class Question:
    """What a caller asks.

    Parameters
    ----------
    signal : Signal
        Signals with their axes placed, shape (N, *axes, n), and their labels.
    target, baseline, arguments
        As `Explainer.__call__` takes them.
    inputs : sequence of torch.Tensor
        Every input in the model's own layout, of which errors tell.
    name : str, default "x"
        What the caller knows the signals by.
    """

    signal: Signal
    target: Target
    baseline: Any
    arguments: Any
    inputs: Sequence[Tensor]
    name: str = "x"


@dataclass(eq=False)
class Passes:
    """What is known of signals that are gone through several times.

    Parameters
    ----------
    n_examined : int
        Samples on which the model is examined: to examine it on all of them costs more than a few gradients.
    keeps : bool
        Whether outputs at the input are kept for later passes, as where the signals themselves are.
    checked : bool
        Whether an earlier pass examined the model on these signals, and said what there is to say.
    """

    n_examined: int
    keeps: bool
    checked: bool = False
    _seen: Examined | None = None

    def look(self, objective: Objective, x: Tensor, baseline: Tensor, chunks: Chunks) -> Examined:
        """Outputs at the input, for ends of the paths of shape (N, *shape)."""
        if self._seen is not None:
            return self._seen
        if self.checked:
            return unexamined(objective, x, chunks)
        seen = examine_first(objective, x, baseline, chunks, self.n_examined)
        self._seen = seen if self.keeps else None
        return seen


def explain(
    model: Model,
    settings: Settings,
    kept: Kept,
    question: Question,
    axes: Axes,
    method: Method | None = None,
    passes: Passes | None = None,
) -> Attributions:
    """Explain signals.

    Parameters
    ----------
    model : Model
        The adapter.
    settings : Settings
        How to explain.
    kept : Kept
        What is known from earlier calls; what this one finds out is added.
    question : Question
        What to explain.
    axes : Axes
        Axes of the signals that appear in the result.
    method : Method, optional
        How paths are explained, in place of that of the settings.
    passes : Passes, optional
        Of signals that are gone through several times, what is known of them.

    Returns
    -------
    Attributions
        Those of all samples.
    """
    signal, values = question.signal, question.signal.values
    checked = passes is not None and passes.checked
    starts = draw_baselines(question.baseline, values, settings.time_axis, axes.fs, signal)
    dtype, given = working_dtype(model.dtype), ((values, question.name), (starts, "baseline"))
    ends = [in_dtype(v, dtype, name) for v, name in given]
    domains = _ready_domains(settings.domains, ends[0], ends[1], len(values), axes, not checked)
    if len(values) == 0:
        return _nothing(domains, axes, dtype)
    shapes = [one.shape for one in question.inputs]
    with model.session() as running, told_of(shapes, question.name) as hints:
        objective = _objective(running, settings, question.arguments, values.ndim, len(values))
        hints += objective.extra.hints
        if objective.extra.values:
            hints.append(f"with {len(objective.extra.values)} further arguments, additional_forward_args")
        objective = settle_readings(objective, values, starts[0])
        few = torch.tensor([0, len(values) - 1])
        # Not by brackets, which do not know unsigned integers in older versions of PyTorch.
        outermost = values.index_select(0, few.to(values.device))
        objective.settle_dtype(outermost, few.to(running.device))
        if running.dtype != dtype:
            # Of a model in half precision, whose domains are in float32, or one that has told its dtype now.
            ends = [in_dtype(v, running.dtype, name) for v, name in given]
        x, starts = (v.to(running.device) for v in ends)
        # What was given in another dtype, or on another device, need not stay.
        del ends, given
        kept.settle(running.signature())
        chunks = kept.chunks_for(objective, x, settings.memory)
        objective = replace(objective, model=objective.model.in_chunks(chunks))
        look = examine if passes is None else passes.look
        seen = look(objective, x, starts[0], chunks)
        classes = kept.reader.read(seen.raw, seen.places)
        names = names_of_all(settings.classes, question.signal.classes, seen.raw, classes)
        aim = Aim.at(question.target, settings.output, seen.raw, classes)
        objective = objective.aimed_at(aim.targets, classes)
        output = _finite(objective.value_of(seen.raw))
        how = (method or settings.method).doubting(kept.foreign)
        found, standings = _along_all(
            objective, x, starts, output, seen, settings, how, chunks, axes, domains
        )
        found, kept.foreign = how.concluded(found, kept.foreign)
        how.warn_of_shortfalls(found)
        if not checked:
            at_x = standing(objective, seen.raw)
            tell_of_contrast(found, x, starts, at_x, standings, sums=how.adds_up)
    # Told by class, where classes have names.
    raw = None if names is None else seen.raw.cpu()
    return replace(found, targets=aim.told, predicted=aim.predicted, classes=classes, raw=raw, names=names)


def _ready_domains(
    domains: Sequence[Domain], x: Tensor, starts: Tensor, count: int, axes: Axes, tells: bool
) -> tuple[Domain, ...]:
    # Domains learn from every baseline, since each has its own x - x'.
    ends = [v.expand(starts.shape).reshape(-1, *axes.sizes, axes.n) for v in (x, starts)]
    made = ready(domains, ends[0], ends[1], axes.fs, count)
    if tells and (remarks := [remark for domain in made if (remark := domain.remark(axes.n))]):
        warn("; ".join(remarks), ResolutionWarning)
    return made


def _nothing(domains: Sequence[Domain], axes: Axes, dtype: torch.dtype) -> Attributions:
    none = torch.zeros((0, 1), dtype=torch.int64)
    found = Attributions.empty((0, *axes.sizes, axes.n), 1, domains, dtype)
    return replace(found, targets=none, predicted=none[:, 0])


def _objective(model: Model, settings: Settings, arguments: Any, ndim: int, n_samples: int) -> Objective:
    return Objective(
        model,
        settings.output,
        None,
        Extra.of(arguments, n_samples, model.device, model.sample_axis),
        settings.output_key,
        settings.counted_time_axis(ndim),
        settings.model_axes,
        alone=not settings.batch_independent,
    )


def _finite(output: Tensor) -> Tensor:
    """Explained scalars at the input, which must be finite, shape (N, T)."""
    if all_finite(output):
        return output
    spoilt = (~output.isfinite().all(1)).nonzero().flatten().tolist()
    raise ValueError(
        f"the model's output at the input must be finite, got {output[spoilt[0]].tolist()} for "
        f"{such_rows(spoilt)}: leave them out, or explain another output"
    )


def _along_all(
    objective: Objective,
    x: Tensor,
    baselines: Tensor,
    output: Tensor,
    seen: Examined,
    settings: Settings,
    method: Method,
    chunks: Chunks,
    axes: Axes,
    domains: Sequence[Domain],
) -> tuple[Attributions, list[Standing]]:
    """Attributions along paths from every baseline, shape (B, N, *shape), and how sure the model is there."""
    standings = list[Standing]()
    method = method.for_call(output.numel(), chunks)
    with Progress(settings.progress, len(x) * len(baselines), method.n_least, method.exact) as bar:
        watched = replace(objective, watch=Witness(), evaluated=bar.evaluated)
        size = method.block_size(chunks, x[0].numel(), output.shape[1])

        def along(baseline: Tensor) -> Attributions:
            # What is known is that of the first baseline.
            raw = raw_at_baseline(
                objective, baseline, seen.at_baseline if len(baselines) == 1 else None, chunks
            )
            at_start = standing(objective, raw)
            standings.extend(() if at_start is None else (at_start,))
            paths = Paths(watched, x, baseline, output, objective.value_of(raw))
            return explain_blocks(
                paths, lambda block: method.explain(block, axes, domains, chunks), size, bar.done
            )

        if len(baselines) == 1:
            return along(baselines[0]), standings
        # Every baseline has its own path; projections are averaged, and never the gradients.
        found, spreads = average(map(along, baselines), method.tol, x.dtype)
        return replace(found, spreads=spreads), standings
