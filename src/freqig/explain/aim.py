"""Which outputs are explained: targets, as the objective takes them and as the result tells them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from ..objective.classes import Classes, possible_readings
from ..objective.own_targets import own_target
from ..objective.scales import OutputScale
from ..objective.targets import Target, predicted_class, resolve_target


@dataclass(frozen=True)
class Aim:
    """What is explained of the outputs of N samples, T targets each.

    Parameters
    ----------
    classes : Classes
        How the outputs are read.
    targets : torch.Tensor or None
        What the objective is aimed at: output indices, shape (N, T, m), or what a callable scale takes,
        shape (N, T, ...); None where it needs none.
    told : torch.Tensor or None
        The same as the result tells it: classes where one number says which, shape (N, T).
    predicted : torch.Tensor or None
        Predicted classes, shape (N,); None where it is not known what they are.
    """

    classes: Classes
    targets: Tensor | None
    told: Tensor | None
    predicted: Tensor | None

    @classmethod
    def at(cls, target: Target, output: OutputScale, raw: Tensor, classes: Classes) -> Aim:
        """Take aim.

        Parameters
        ----------
        target : int, tuple, sequence, array, tensor, "all" or None
            What the caller asked for.
        output : str or callable
            Output scale.
        raw : torch.Tensor
            Raw outputs at the input, shape (N, *axes).
        classes : Classes
            How they are read.

        Raises
        ------
        ValueError
            If the target is none of these outputs, or the scale compares classes whose axis nobody knows.
        """
        targets = _targets(target, output, raw, classes)
        if targets is None:
            return cls(classes, None, None, None)
        axis, told, predicted = classes.axis, targets, None
        if axis is not None and raw.ndim == 2:
            predicted = raw.argmax(-1)
        elif axis is not None and not callable(output):
            predicted = predicted_class(raw, targets, axis)
        if not callable(output) and (raw.ndim == 2 or targets.shape[1] > 1):
            # One number says which, of one axis or of all classes.
            told = targets[..., (axis or 0) - 1]
        return cls(classes, targets, told, predicted)


def _targets(target: Target, output: OutputScale, raw: Tensor, classes: Classes) -> Tensor | None:
    axes = tuple(raw.shape[1:])
    if not callable(output):
        if classes.axis is None and output != "logit":
            either = " or ".join(f"class_axis={a + 1}" for a in range(len(axes)))
            raise ValueError(
                f"output={output!r} compares classes, and outputs of shape {('N', *axes)} may be "
                f"{possible_readings(axes)}: pass {either} to Explainer, or output='logit'"
            )
        return resolve_target(target, raw, classes.axis)
    if target is None and (classes.axis is None or math.prod(axes) > axes[classes.axis - 1]):
        return None
    if target is None or isinstance(target, str):
        return resolve_target(target, raw, classes.axis)[..., (classes.axis or 0) - 1]
    return own_target(target, len(raw))
