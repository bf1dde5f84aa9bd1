"""Which axis of the outputs holds the classes, and whether they are probabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from .._check import check_flag_or_none, check_integer
from ..errors import OutputScaleWarning, warn

Values = Literal["logits", "softmax", "probabilities"]

ROUNDING = 8
"""How far probabilities may be off one, in eps of their dtype."""
CLASSES = 128
"""Beyond so many classes that grows with their number: the sum that a softmax divides by is rounded too."""
ONE_OUTPUT = "one output"
"""How the attributes of a result say that there is no choice between classes."""
NEARLY = 1e-3
"""Where sums are off by less than this, outputs look like probabilities without being known for it."""


@dataclass(frozen=True)
class Classes:
    """How raw outputs of shape (P, *axes) are read.

    Parameters
    ----------
    axis : int or None
        Axis of the raw outputs that holds the classes, counted with the batch axis as 0; None
        where it is not known.
    values : {"logits", "softmax", "probabilities"}
        What the outputs are. `softmax`: probabilities that sum to one over `axis`;
        `probabilities`: others, such as those of several labels, or of one.
    normalised : bool
        Whether outputs were found to be a softmax over `axis`, whatever they are to be taken for.
    single : bool
        Whether there is one output, which is no choice between classes.
    """

    axis: int | None = None
    values: Values = "logits"
    normalised: bool = False
    single: bool = False

    def last(self, raw: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs and output indices with the axis of classes moved to the end.

        Parameters
        ----------
        raw : torch.Tensor
            Raw outputs, shape (P, *axes).
        indices : torch.Tensor
            Output indices, int64, shape (P, T, len(axes)).

        Returns
        -------
        scores : torch.Tensor
            The classes at the place that an index names, shape (P, T, K), or (P, K) for outputs
            without other axes.
        classes : torch.Tensor
            The classes, shape (P, T).
        """
        if self.axis is not None and self.axis != raw.ndim - 1:
            order = [a for a in range(indices.shape[-1]) if a != self.axis - 1]
            raw, indices = raw.movedim(self.axis, -1), indices[..., [*order, self.axis - 1]]
        *place, classes = indices.unbind(-1)
        if place:
            # The place, such as the step of a sequence, is selected before the scale.
            point = torch.arange(len(raw), device=raw.device).unsqueeze(1)
            raw = raw[(point, *place)]
        return raw, classes

    def unit(self, scale: Any, of_classes: bool) -> str:
        """What an explained value is called: what is raw is a logit only where it is known to be of a class.

        Examples
        --------
        >>> Classes(1).unit("logit", True), Classes(1).unit("logit", False), Classes(1).unit("margin", False)
        ('logit', 'output', 'margin')
        """
        if scale != "logit":
            return scale if isinstance(scale, str) else "output"
        if self.values != "logits":
            return "probability"
        return "logit" if of_classes and not self.single else "output"

    def describe(self, unit: str = "logit") -> str:
        """In words, for the attributes of results, of values that are called so."""
        if self.axis is None:
            return (
                "values; the axis of the classes, if any, is not known, so `predicted` is left out: pass "
                "class_axis= to Explainer"
            )
        raw = "logits" if unit != "output" else "values"
        kind = {"softmax": "a softmax", "logits": raw}.get(self.values, self.values)
        return f"{kind} over axis {self.axis}" + (f", {ONE_OUTPUT}" if self.single else "")


UNKNOWN = Classes()


@dataclass(frozen=True)
class ClassReader:
    """Finds out once how the outputs of a model are read.

    Parameters
    ----------
    class_axis : int or None
        Axis of the raw outputs that holds the classes, as the caller said it.
    probabilities : bool or None
        Whether outputs are probabilities, as the caller said it; None finds out.
    output : str or callable
        Output scale, of which a notice speaks.
    """

    class_axis: int | None
    probabilities: bool | None
    output: Any
    # By the number of axes of the outputs; `setdefault` lets one of several threads decide.
    _decided: dict[int, Classes] = field(default_factory=dict)

    @classmethod
    def of(cls, class_axis: Any, probabilities: Any, output: Any) -> ClassReader:
        """Check what a caller said.

        Raises
        ------
        ValueError
            If `class_axis` is 0, the batch axis.
        TypeError
            If `class_axis` is no integer, or `probabilities` neither None nor a truth value.
        """
        axis = None if class_axis is None else check_integer(class_axis, "class_axis")
        if axis == 0:
            raise ValueError("class_axis must not be 0, the batch axis: axes of the raw output count from it")
        return cls(axis, check_flag_or_none(probabilities, "probabilities"), output)

    def read(self, raw: Tensor, probe: Tensor) -> Classes:
        """How the outputs are read, decided at the first call and kept.

        Parameters
        ----------
        raw : torch.Tensor
            Raw outputs at the input, shape (N, *axes).
        probe : torch.Tensor
            Raw outputs at other points, shape (M, *axes).

        Returns
        -------
        Classes
            The axis is the only one of two axes, or what the caller said, or the only one over
            which outputs at the input and at the probe sum to one; never guessed from sizes.

        Raises
        ------
        ValueError
            If `class_axis` is no axis of the outputs, or they are known as probabilities and are
            none.
        """
        classes = self._decided.get(raw.ndim)
        if classes is None:
            rows = torch.cat([raw, probe])
            found = _normalised_axes(rows)
            new = self._classes(raw, found)
            classes = self._decided.setdefault(raw.ndim, new)
            if classes is new:
                self._tell(rows, classes, found)
        if classes.values != "logits":
            self._check(raw, classes)
        return classes

    def _classes(self, raw: Tensor, found: list[int]) -> Classes:
        axis = self._axis(raw)
        if axis is None and len(found) == 1:
            axis = found[0]
        normalised, single = axis in found, raw.shape[1:].numel() == 1
        if callable(self.output) or self.probabilities is False or axis is None:
            return Classes(axis, normalised=normalised, single=single)
        if normalised:
            return Classes(axis, "softmax", normalised)
        return Classes(axis, "probabilities" if self.probabilities else "logits", single=single)

    def _axis(self, raw: Tensor) -> int | None:
        """Axis that needs no finding out."""
        if raw.shape[1:] == (1,):
            # Whatever axes the model has, they hold one output.
            return 1
        if self.class_axis is None:
            return 1 if raw.ndim == 2 else None
        axis = self.class_axis % raw.ndim if self.class_axis >= -raw.ndim else 0
        if not 1 <= axis < raw.ndim or self.class_axis >= raw.ndim:
            allowed = "1 or -1" if raw.ndim == 2 else f"in 1..{raw.ndim - 1} or {1 - raw.ndim}..-1"
            raise ValueError(
                f"class_axis must be {allowed} for outputs of shape {('N', *raw.shape[1:])}, whose axis 0 "
                f"is the batch, got {self.class_axis}"
            )
        return axis

    def _tell(self, raw: Tensor, classes: Classes, found: list[int]) -> None:
        if self.class_axis is not None and found and classes.axis not in found and raw.ndim > 2:
            warn(
                f"class_axis={self.class_axis} of outputs of shape {('N', *raw.shape[1:])} was taken as it "
                f"was given, but they are non-negative and sum to 1 over axis {found[0]}, as a softmax over "
                "classes makes them",
                OutputScaleWarning,
            )
        if self.probabilities is not None or callable(self.output):
            return
        silence = "Pass probabilities=True to say so, or probabilities=False to take them for logits"
        if classes.values == "softmax":
            meaning = {
                "logit": "output='logit' explains the probability itself, which hardly moves where the model "
                "is sure; output='log_prob' or 'margin' explain its logarithm or log-odds",
                "probability": "output='probability' takes them as they are",
            }.get(str(self.output), f"output={self.output!r} takes their logarithm")
            warn(
                "the model's outputs are non-negative and sum to 1, so they are taken for probabilities: "
                f"{meaning}. {silence}",
                OutputScaleWarning,
            )
        elif self.output != "logit" and _look_normalised(raw, classes.axis):
            warn(
                f"output={self.output!r} takes the model's outputs for logits, but they are non-negative and "
                f"nearly sum to 1 like probabilities. {silence}",
                OutputScaleWarning,
            )

    def _check(self, raw: Tensor, classes: Classes) -> None:
        """ValueError where outputs that are known as probabilities are none."""
        slack = _slack(raw)
        wrong = (raw < -slack) | (raw > 1 + slack)
        if bool(wrong.any()):
            value = float(raw[wrong][0])
            said = "probabilities=True needs" if self.probabilities else "at the first call they were"
            raise ValueError(
                f"probabilities must fit the model's outputs: {said} values in 0..1, got {value:g}. Pass "
                "probabilities=False to Explainer if these are logits"
            )
        if classes.values == "softmax" and not _look_normalised(raw, classes.axis):
            raise ValueError(
                "probabilities must fit the model's outputs: at the first call they summed to 1, and now "
                "they do not. Pass probabilities=True or probabilities=False to a new Explainer"
            )


def _slack(raw: Tensor, n_classes: int = 1) -> float:
    slack = ROUNDING * torch.finfo(raw.dtype).eps
    return max(slack, min(slack * n_classes / CLASSES, NEARLY))


def _normalised_axes(raw: Tensor) -> list[int]:
    """Axes of two or more classes over which non-negative outputs sum to one, up to rounding."""
    # Elsewhere than at the input a model may give anything; infinite rows say nothing.
    rows = raw[torch.isfinite(raw.flatten(1)).all(1)]
    if len(rows) == 0 or bool((rows < 0).any()):
        return []
    axes = (axis for axis in range(1, rows.ndim) if rows.shape[axis] > 1)
    off = {axis: (rows.cpu().double().sum(axis) - 1).abs() for axis in axes}
    return [axis for axis, by in off.items() if bool((by <= _slack(rows, rows.shape[axis])).all())]


def _look_normalised(raw: Tensor, axis: int | None) -> bool:
    if axis is None or raw.shape[axis] < 2 or bool((raw < 0).any()):
        return False
    limit = max(NEARLY, _slack(raw))
    return bool(((raw.cpu().double().sum(axis) - 1).abs() <= limit).all())


def possible_readings(axes: tuple[int, ...]) -> str:
    """What outputs with several axes may mean.

    Examples
    --------
    >>> possible_readings((3, 3001))
    '(N, 3 classes, 3001 steps) or (N, 3 steps, 3001 classes)'
    """
    other = " steps" if len(axes) == 2 else ""
    readings = [
        ", ".join(["N", *(f"{size} classes" if a == k else f"{size}{other}" for a, size in enumerate(axes))])
        for k in range(len(axes))
    ]
    return " or ".join(f"({reading})" for reading in readings)
