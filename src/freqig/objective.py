"""The scalar whose change along the path is explained, as a function of points on the path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .arguments import Extra
from .models import Model, TorchModel
from .scales import ScaleName, scale_of

OutputKey = int | str | None


@dataclass(frozen=True)
class Objective:
    """Explained scalars of the model, as a function of points and the samples they belong to.

    Parameters
    ----------
    model : Model
        The adapter.
    scale : str or callable
        Output scale, see `freqig.scales`.
    targets : torch.Tensor or None
        Output indices, int64, shape (N, T, m); None where a callable scale needs none.
    extra : Extra
        Further arguments of the model.
    output_key : int or str, optional
        Which of several outputs is explained.
    time_axis : int
        Axis of time in the model's layout; points here have time last.
    alone : bool
        Whether points must be handed to the model one a call.
    """

    model: Model
    scale: ScaleName | Callable[..., Tensor]
    targets: Tensor | None
    extra: Extra
    output_key: OutputKey = None
    time_axis: int = -1
    alone: bool = False

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

    def block(self, start: int, stop: int) -> Objective:
        """The objective of samples start..stop alone, counted from zero."""
        targets = None if self.targets is None else self.targets[start:stop]
        return replace(self, targets=targets, extra=self.extra.block(start, stop))

    def raw(self, points: Tensor, rows: Tensor) -> Tensor:
        """Selected raw outputs, shape (P, *axes), without gradients."""
        return self._joined(points, rows, self._raw)

    def value(self, points: Tensor, rows: Tensor) -> Tensor:
        """Explained scalars, float64, shape (P, T), without gradients."""
        return self._joined(points, rows, self._value).to(widest(points.device))

    def value_of(self, raw: Tensor) -> Tensor:
        """Explained scalars, float64, shape (N, T), of raw outputs that `raw` gave for all samples."""
        rows = torch.arange(len(raw), device=raw.device)
        with torch.no_grad():
            return self._explained(raw, rows, selected=True).to(widest(raw.device))

    def value_and_gradient(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Explained scalars, shape (P, T), and their gradients, shape (P, T, *shape)."""
        parts = [self._value_and_gradient(*call) for call in self._calls(points, rows)]
        if len(parts) == 1:
            return parts[0]
        values, gradients = zip(*parts, strict=True)
        return torch.cat(values), torch.cat(gradients)

    def differentiable(self, points: Tensor, rows: Tensor) -> Tensor:
        """Explained scalars, shape (P, T), with PyTorch's graph; for PyTorch models only."""
        if not isinstance(self.model, TorchModel):
            raise TypeError("engine must be 'path' for models outside PyTorch, which have no graph")
        model = self.model

        def one_call(points: Tensor, rows: Tensor) -> Tensor:
            outputs = model.call(self._arranged(points).clone(), self.extra.at(rows))
            return self._explained(outputs, rows)

        return self._joined(points, rows, one_call)

    def bytes_per_point(self, points: Tensor, rows: Tensor) -> float | None:
        """Memory that a point holds between forward and backward pass; None if unknown."""
        points, rows, _ = next(self._calls(points, rows))
        return self.model.bytes_per_point(
            self._arranged(points),
            self.extra.at(rows),
            lambda raw: tidy_outputs(raw, self.output_key, len(rows)).flatten(1),
        )

    def settle_dtype(self, points: Tensor, rows: Tensor) -> None:
        """Let a PyTorch callable without parameters find out which dtype it accepts."""
        if isinstance(self.model, TorchModel):
            self.model.settle_dtype(self._arranged(points), self.extra.at(rows))

    def aimed_at(self, targets: Tensor | None) -> Objective:
        """The objective for other targets, int64, shape (N, T, m)."""
        return replace(self, targets=None if targets is None else targets.to(self.model.device))

    def _arranged(self, points: Tensor) -> Tensor:
        return points if self.time_axis == -1 else points.movedim(-1, self.time_axis).contiguous()

    def _raw(self, points: Tensor, rows: Tensor) -> Tensor:
        outputs = self.model.outputs(self._arranged(points), self.extra.at(rows))
        return tidy_outputs(outputs, self.output_key, len(points)).detach()

    def _value(self, points: Tensor, rows: Tensor) -> Tensor:
        outputs = self.model.outputs(self._arranged(points), self.extra.at(rows))
        return self._explained(outputs, rows).detach()

    def _value_and_gradient(self, points: Tensor, rows: Tensor, n: int) -> tuple[Tensor, Tensor]:
        values, gradients = self.model.value_and_gradient(
            self._arranged(points), self.extra.at(rows), lambda raw: self._explained(raw, rows)
        )
        if self.time_axis != -1:
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
        else:
            yield points, rows, len(points)

    def _explained(self, outputs: Any, rows: Tensor, selected: bool = False) -> Tensor:
        raw = outputs if selected else tidy_outputs(outputs, self.output_key, len(rows))
        targets = None if self.targets is None else self.targets.index_select(0, rows)
        if callable(self.scale):
            return _call_scale(self.scale, raw, targets)
        if targets is None:
            raise ValueError("target must be given unless output is a callable")
        *leading, last = targets.unbind(-1)
        if leading:
            # Earlier axes, such as the step of a sequence, are selected before the scale.
            point = torch.arange(len(raw), device=raw.device).unsqueeze(1)
            raw = raw[(point, *leading)]
        return scale_of(self.scale)(raw, last)


def _call_scale(scale: Callable[..., Tensor], raw: Tensor, targets: Tensor | None) -> Tensor:
    per_target: list[Tensor] = []
    for t in range(1 if targets is None else targets.shape[1]):
        target = None if targets is None else targets[:, t]
        if target is not None and target.shape[-1] == 1:
            target = target[:, 0]
        values: Any = scale(raw, target)
        if not isinstance(values, Tensor) or values.numel() != len(raw):
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise ValueError(
                f"output as a callable must return one scalar a sample, shape ({len(raw)},) for "
                f"outputs of shape {tuple(raw.shape)}, got {got}"
            )
        per_target.append(values.reshape(len(raw)))
    return torch.stack(per_target, 1)


def tidy_outputs(outputs: Any, output_key: OutputKey, n_points: int) -> Tensor:
    """Select one tensor of shape (P, *axes) from what a model returns.

    Parameters
    ----------
    outputs : torch.Tensor, tuple, list, dict or object with attributes
        What the model returned.
    output_key : int or str or None
        Which part to take.
    n_points : int
        Number of points P that the model was called with.

    Returns
    -------
    torch.Tensor
        Floating outputs; one output a point has shape (P, 1).

    Raises
    ------
    TypeError
        If the output is no floating tensor.
    ValueError
        If a selector is needed, does not fit, or the first axis is not that of points.
    """
    selected = outputs
    if output_key is not None:
        try:
            has_name = isinstance(output_key, str) and not isinstance(outputs, dict)
            selected = getattr(outputs, str(output_key)) if has_name else outputs[output_key]
        except (KeyError, IndexError, TypeError, AttributeError):
            raise ValueError(
                f"output_key={output_key!r} does not fit the model's output: {_describe(outputs)}"
            ) from None
    if not isinstance(selected, Tensor):
        if isinstance(selected, (tuple, list, dict)) or hasattr(selected, "keys"):
            raise ValueError(
                f"the model returns {_describe(selected)}: pass output_key= to Explainer to choose "
                "the one to explain"
            )
        raise TypeError(f"the model must return a tensor, got {type(selected).__name__}")
    if not selected.is_floating_point():
        raise TypeError(
            f"the model must return floating scores, got dtype {selected.dtype}: class indices "
            "have no gradient, explain the logits they come from"
        )
    if n_points == 1 and selected.ndim == 0:
        selected = selected.reshape(1)
    if selected.ndim == 0 or len(selected) != n_points:
        raise ValueError(
            f"the model must return one row a series, batch axis first: for a batch of {n_points} "
            f"it returned shape {tuple(selected.shape)}"
        )
    return selected.reshape(n_points, 1) if selected.numel() == n_points else selected


def _describe(outputs: Any) -> str:
    if isinstance(outputs, Tensor):
        return f"a tensor of shape {tuple(outputs.shape)}"
    if hasattr(outputs, "keys"):
        return f"a dict with keys {', '.join(map(repr, outputs.keys()))}"
    if isinstance(outputs, (tuple, list)):
        return f"a {type(outputs).__name__} of {len(outputs)} (output_key 0..{len(outputs) - 1})"
    return f"a {type(outputs).__name__}"


def widest(device: torch.device) -> torch.dtype:
    """Dtype for sums over nodes: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64
