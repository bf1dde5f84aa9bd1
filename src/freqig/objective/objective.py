"""The scalar whose change along the path is explained, as a function of points on the path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .._tensor_check import widest
from ..errors import add_context
from ..models import Model, TorchModel
from ..models.axes import ModelAxes
from ..models.outputs import OutputKey, tidy_outputs
from .arguments import Extra
from .classes import UNKNOWN, Classes
from .scales import ScaleName, scale_of

Watch = Callable[["Objective", Tensor, Tensor, Tensor], None]
"""Gets a chunk of the path: the objective, points, rows and explained scalars."""


def _ignore(count: int) -> None:
    """Nobody asked."""


@dataclass(frozen=True)
class Objective:
    """Explained scalars of the model, as a function of points and the samples they belong to.

    Parameters
    ----------
    model : Model
        The adapter.
    scale : str or callable
        Output scale, see `freqig.objective.scales`.
    targets : torch.Tensor or None
        Output indices, int64, shape (N, T, m); of a callable scale whatever it takes, shape
        (N, T, ...), or None.
    extra : Extra
        Further arguments of the model.
    output_key : int, str or tuple of them, optional
        Which of several outputs is explained.
    time_axis : int
        Axis of time in the model's layout; points here have time last.
    layout : ModelAxes, optional
        All axes of the model, in place of `time_axis`; points here are (P, channels, time).
    alone : bool
        Whether points must be handed to the model one per call.
    classes : Classes
        How the outputs are read.
    offset : int
        Number of the caller's sample that counts as the first here.
    watch : callable, optional
        Gets every chunk of the path: this objective unwatched, points, rows and explained scalars.
    evaluated : callable
        Told at how many points gradients were taken.
    """

    model: Model
    scale: ScaleName | Callable[..., Tensor]
    targets: Tensor | None
    extra: Extra
    output_key: OutputKey = None
    time_axis: int = -1
    layout: ModelAxes | None = None
    alone: bool = False
    classes: Classes = UNKNOWN
    offset: int = 0
    watch: Watch | None = None
    evaluated: Callable[[int], None] = _ignore

    @property
    def n_targets(self) -> int:
        return 1 if self.targets is None else self.targets.shape[1]

    @property
    def rounding_dtype(self) -> torch.dtype:
        """Dtype by which rounding in the outputs is judged: the model's own before its first gradient.

        That of the coarsest step between points and outputs, where it is known: under autocast outputs
        are rounded as bfloat16, though parameters and points are float32.
        """
        return self.model.rounding or self.model.dtype

    def block(self, start: int, stop: int, targets: slice = slice(None)) -> Objective:
        """The objective of samples start..stop and some of the targets alone, counted from zero."""
        chosen = None if self.targets is None else self.targets[start:stop, targets]
        extra = self.extra.block(start, stop)
        return replace(self, targets=chosen, extra=extra, offset=self.offset + start)

    def raw(self, points: Tensor, rows: Tensor) -> Tensor:
        """Selected raw outputs, shape (P, *axes), without gradients."""
        return self._joined(points, rows, self._raw)

    def value(self, points: Tensor, rows: Tensor) -> Tensor:
        """Explained scalars, float64, shape (P, T), without gradients."""
        return self.value_in_dtype(points, rows).to(widest(points.device))

    def value_in_dtype(self, points: Tensor, rows: Tensor) -> Tensor:
        """Explained scalars in the dtype of the outputs, shape (P, T), without gradients."""
        return self._joined(points, rows, self._value)

    def value_of(self, raw: Tensor) -> Tensor:
        """Explained scalars, float64, shape (N, T), of raw outputs that `raw` gave for all samples."""
        rows = torch.arange(len(raw), device=raw.device)
        with torch.no_grad():
            return self._explained(raw, rows, selected=True).to(widest(raw.device))

    def value_and_gradient(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Explained scalars, shape (P, T), and their gradients, shape (P, T, *shape)."""
        parts = [self._value_and_gradient(*call) for call in self._calls(points, rows)]
        values, gradients = (
            parts[0] if len(parts) == 1 else tuple(torch.cat(part) for part in zip(*parts, strict=True))
        )
        self.evaluated(len(points))
        if self.watch is not None:
            self.watch(replace(self, watch=None), points, rows, values)
        return values, gradients

    def differentiable(self, points: Tensor, rows: Tensor) -> Tensor:
        """Explained scalars, shape (P, T), with PyTorch's graph; for PyTorch models only."""
        if not isinstance(self.model, TorchModel):
            raise TypeError("engine must be 'path' for models outside PyTorch, which have no graph")
        model = self.model

        def one_call(points: Tensor, rows: Tensor) -> Tensor:
            outputs = model.call(self._arranged(points).clone(), self.extra.at(rows))
            return self._explained(outputs, rows)

        values = self._joined(points, rows, one_call)
        if self.watch is not None:
            self.watch(replace(self, watch=None), points.detach(), rows, values.detach())
        self.evaluated(len(points))
        return values

    def bytes_per_point(self, points: Tensor, rows: Tensor) -> float | None:
        """Memory that a point holds between forward and backward pass; None if unknown."""
        points, rows, _ = next(self._calls(points, rows))
        return self.model.bytes_per_point(
            self._arranged(points),
            self.extra.at(rows),
            lambda raw: self._tidied(raw, rows).flatten(1),
        )

    def peak_bytes_per_point(self, points: Tensor, rows: Tensor) -> float | None:
        """Most memory that a call takes, from its start until its gradients are there, by point."""
        points, rows, _ = next(self._calls(points, rows))
        peak = self.model.peak_bytes(
            self._arranged(points),
            self.extra.at(rows),
            lambda raw: self._tidied(raw, rows).flatten(1).sum(1, keepdim=True),
        )
        return None if peak is None else peak / len(rows)

    def settle_dtype(self, points: Tensor, rows: Tensor) -> None:
        """Let a PyTorch callable without parameters find out which dtype it accepts."""
        if isinstance(self.model, TorchModel):
            self.model.settle_dtype(self._arranged(points), self.extra.at(rows))

    def aimed_at(self, targets: Tensor | None, classes: Classes | None = None) -> Objective:
        """The objective for other targets, shape (N, T, ...), of outputs that are read so."""
        return replace(
            self,
            targets=None if targets is None else targets.to(self.model.device),
            classes=classes or self.classes,
        )

    def _arranged(self, points: Tensor) -> Tensor:
        if self.layout is not None:
            return self.layout.arranged(points)
        return points if self.time_axis == -1 else points.movedim(-1, self.time_axis).contiguous()

    def _raw(self, points: Tensor, rows: Tensor) -> Tensor:
        outputs = self.model.outputs(self._arranged(points), self.extra.at(rows))
        # A copy, for a model may write the outputs of its next call to the same memory.
        return self._tidied(outputs, rows).detach().clone()

    def _value(self, points: Tensor, rows: Tensor) -> Tensor:
        outputs = self.model.outputs(self._arranged(points), self.extra.at(rows))
        return self._explained(outputs, rows).detach()

    def _value_and_gradient(self, points: Tensor, rows: Tensor, n: int) -> tuple[Tensor, Tensor]:
        values, gradients = self.model.value_and_gradient(
            self._arranged(points), self.extra.at(rows), lambda raw: self._explained(raw, rows)
        )
        if self.layout is not None:
            gradients = self.layout.back(gradients)
        elif self.time_axis != -1:
            # The gradient has a target axis after the first, so a counted axis moves by one.
            axis = self.time_axis if self.time_axis < 0 else self.time_axis + 1
            gradients = gradients.movedim(axis, -1)
        return values[:n], gradients[:n]

    def _joined(self, points: Tensor, rows: Tensor, one_call: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """What the calls of the model return for all points, the first axis that of points."""
        parts = [one_call(*filled)[:n] for *filled, n in self._calls(points, rows)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _calls(self, points: Tensor, rows: Tensor) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Points and rows of one call after the other, and how many of them count."""
        batch = self.model.fixed_batch
        if batch is not None:
            for start in range(0, len(points), batch):
                index = torch.arange(start, start + batch, device=points.device).clamp(max=len(points) - 1)
                yield points[index], rows[index], min(batch, len(points) - start)
        elif len(points) == 1 and not self.alone:
            # Models squeeze their outputs, and Conv1d reads (1, n) as one unbatched series: a batch
            # of one point can mean something else than a batch, so no call has just one.
            yield points.expand(2, *points.shape[1:]), rows.expand(2), 1
        elif (more := self.model.filled(len(points)) - len(points)) and not self.alone:
            index = torch.arange(len(points) + more, device=points.device).clamp(max=len(points) - 1)
            yield points[index], rows[index], len(points)
        else:
            yield points, rows, len(points)

    def _tidied(self, outputs: Any, rows: Tensor) -> Tensor:
        """The tensor of outputs that is explained, where the points are: some models move their inputs."""
        return tidy_outputs(outputs, self.output_key, len(rows)).to(rows.device)

    def _explained(self, outputs: Any, rows: Tensor, selected: bool = False) -> Tensor:
        raw = outputs if selected else self._tidied(outputs, rows)
        targets = None if self.targets is None else self.targets.index_select(0, rows)
        if callable(self.scale):
            return _call_scale(self.scale, raw, targets)
        if targets is None:
            raise ValueError("target must be given unless output is a callable")
        scores, classes = self.classes.last(raw, targets)
        return scale_of(self.scale, self.classes.values)(scores, classes)


def _call_scale(scale: Callable[..., Tensor], raw: Tensor, targets: Tensor | None) -> Tensor:
    per_target: list[Tensor] = []
    for t in range(1 if targets is None else targets.shape[1]):
        try:
            values: Any = scale(raw, None if targets is None else targets[:, t])
        except Exception as error:
            add_context(
                error, "raised by the function given as output=, which is called with raw outputs and targets"
            )
            raise
        if not isinstance(values, Tensor) or values.numel() != len(raw):
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise ValueError(
                f"output as a callable must return one scalar per sample, shape ({len(raw)},) for "
                f"outputs of shape {tuple(raw.shape)}, got {got}"
            )
        per_target.append(values.reshape(len(raw)))
    return torch.stack(per_target, 1)
