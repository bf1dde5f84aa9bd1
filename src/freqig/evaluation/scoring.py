"""What a model answers at points: the explained output, and the probabilities of the classes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..chunks import Chunks
from ..errors import FreqigWarning
from ..explain.aim import Aim
from ..explain.class_names import numbered
from ..explain.explainer import Explainer
from ..explain.kept import Kept
from ..objective.argument_axes import settle_readings
from ..objective.arguments import Extra
from ..objective.classes import ClassReader
from ..objective.objective import Objective
from ..result.reading import rows_by_length
from ..resynthesis.outcome import targets_of
from ..resynthesis.source import Source

AGREE = 1e-3
"""By how much outputs of the same model may be off those of the result, as a share of the largest."""

Array = np.ndarray


@dataclass(frozen=True)
class Answers:
    """What a model says of P points.

    Parameters
    ----------
    output : numpy.ndarray
        The explained output, float64, shape (P,).
    classes : numpy.ndarray or None
        Probabilities of all K classes, float64, shape (P, K); None where outputs are no classes.
    own : numpy.ndarray or None
        That of the explained class, shape (P,).
    raw : numpy.ndarray
        Raw outputs, float64, shape (P, ...).
    """

    output: Array
    classes: Array | None
    own: Array | None
    raw: Array

    @property
    def predicted(self) -> Array | None:
        """The class with the largest probability, shape (P,)."""
        return None if self.classes is None else self.classes.argmax(1)

    @property
    def vector(self) -> Array:
        """Probabilities, or the explained output where there are none, shape (P, K or 1)."""
        return self.output[:, None] if self.classes is None else self.classes

    @property
    def own_or_output(self) -> Array:
        """Probability of the explained class, or the explained output where there is none, shape (P,)."""
        return self.output if self.own is None else self.own


@dataclass(frozen=True)
class Scorer:
    """A model, ready to be asked about points that belong to the samples of a result.

    Parameters
    ----------
    lengths : list of (int, Objective, Chunks)
        By length of the series: the objective of all N samples, and points per call.
    which : numpy.ndarray
        Which of these each sample has, shape (N,).
    between : tuple of int
        Axes of the input between sample and time.
    """

    lengths: list[tuple[int, Objective, Chunks]]
    which: Array
    between: tuple[int, ...]

    def __call__(self, points: Tensor, rows: Array) -> Answers:
        """Ask about points.

        Parameters
        ----------
        points : torch.Tensor
            float64, shape (P, *axes, n).
        rows : numpy.ndarray
            Sample that each belongs to, shape (P,).
        """
        found: list[Answers] = []
        places: list[Array] = []
        for kind, (n, objective, chunks) in enumerate(self.lengths):
            mine = np.flatnonzero(self.which[rows] == kind)
            for start in range(0, len(mine), chunks.size):
                part = mine[start : start + chunks.size]
                found.append(self._call(objective, points[part][..., :n], rows[part]))
                places.append(part)
        order = np.argsort(np.concatenate(places))

        def joined(field: str) -> Array | None:
            parts = [getattr(one, field) for one in found]
            return None if any(part is None for part in parts) else np.concatenate(parts)[order]

        return Answers(*(joined(field) for field in ("output", "classes", "own", "raw")))  # type: ignore[arg-type]

    def _call(self, objective: Objective, points: Tensor, rows: Array) -> Answers:
        model = objective.model
        index = torch.from_numpy(rows).to(model.device)
        arranged = points.reshape(len(points), *self.between, points.shape[-1])
        raw = objective.raw(arranged.to(model.device, model.dtype), index)
        targets = None if objective.targets is None else objective.targets.index_select(0, index)
        output = objective.aimed_at(targets).value_of(raw)[:, 0].cpu().double().numpy()
        classes, own = _probabilities(objective, raw, targets)
        return Answers(output, classes, own, raw.cpu().double().numpy())


def _probabilities(objective: Objective, raw: Tensor, targets: Tensor | None) -> tuple[Any, Any]:
    """Probabilities of all classes, and of the explained one."""
    classes = objective.classes
    if targets is None or classes.axis is None or callable(objective.scale):
        return None, None
    scores, chosen = classes.last(raw, targets)
    scores = scores[:, 0] if scores.ndim == 3 else scores
    scores, one = scores.cpu().double(), scores.shape[-1] == 1
    if one and classes.values == "logits":
        return None, None
    p = scores.softmax(-1) if classes.values == "logits" else scores
    if one:
        # A single probability, whose other class is the rest.
        p = torch.cat([p, 1 - p], 1)
    return p.numpy(), p.gather(1, chosen.cpu()[:, :1])[:, 0].numpy()


@contextmanager
def scoring(explainer: Explainer, result: xr.Dataset, source: Source, arguments: Any) -> Iterator[Scorer]:
    """Make a model ready for questions about the samples of a result.

    Parameters
    ----------
    explainer : Explainer
        Model and settings.
    result : xarray.Dataset
        The explanation, of N samples.
    source : Source
        What it was made of.
    arguments
        Further arguments of the model.

    Raises
    ------
    ValueError
        If the outputs at the signals are not those of the result.
    """
    settings, count = explainer.settings, len(source.x)
    with explainer.model.session() as running, warnings.catch_warnings():
        warnings.simplefilter("ignore", FreqigWarning)
        lengths = []
        which = np.zeros(count, dtype=np.int64)
        full = (*source.layout.between, source.x.shape[-1])
        for kind, (n, rows) in enumerate(rows_by_length(result)):
            which[rows] = kind
            x = source.x[..., :n].reshape(count, *full[:-1], n)
            start = source.baseline[..., :n].reshape(x.shape)
            objective = Objective(
                running,
                settings.output,
                None,
                Extra.of(arguments, count, running.device, running.sample_axis),
                settings.output_key,
                settings.counted_time_axis(x.ndim),
                settings.model_axes,
                alone=not settings.batch_independent,
            )
            objective = settle_readings(objective, x, start)
            objective.settle_dtype(x[:2], torch.arange(min(2, count), device=running.device))
            x = x.to(running.device, running.dtype)
            reader = ClassReader(settings.class_axis, settings.probabilities, settings.output)
            kept = Kept(reader)
            chunks = kept.chunks_for(objective, x, settings.memory)
            objective = replace(objective, model=objective.model.in_chunks(chunks))
            everyone = torch.arange(count, device=x.device)
            raw = torch.cat([objective.raw(x[part], everyone[part]) for part in chunks.split(count)])
            classes = reader.read(raw, raw[:0])
            target = numbered(targets_of(result, list(range(count))), settings.classes)
            aim = Aim.at(target, settings.output, raw, classes)
            lengths.append((n, objective.aimed_at(aim.targets, classes), chunks))
        scorer = Scorer(lengths, which, source.layout.between)
        _refuse_other_model(scorer, result, source)
        yield scorer


def _refuse_other_model(scorer: Scorer, result: xr.Dataset, source: Source) -> None:
    rows = np.arange(len(source.x))
    ends = ("output", source.x), ("baseline_output", source.baseline)
    largest = max(float(np.abs(result[name].values).max()) for name, _ in ends)
    for name, points in ends:
        off = float(np.abs(scorer(points, rows).output - result[name].values).max())
        if not off <= AGREE * largest:
            raise ValueError(
                f"model and baseline must be those that made the result, got outputs that differ by up to "
                f"{off:.3g} from result.{name}"
            )
