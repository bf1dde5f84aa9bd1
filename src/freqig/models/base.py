"""What freqig needs of a model: outputs, and the gradient of chosen scalars of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..chunks import Chunks
from .hints import Hints
from .joined import BeginningOfInput, JoinedInputs
from .outputs import OutputKey

Explained = Callable[[Any], Tensor]
"""Maps raw outputs for P points to the explained scalars, shape (P, T): T targets per point."""


class Model(ABC):
    """A model of any framework, seen as a differentiable function of a batch of signals.

    Points come as torch tensors in the model's own layout, batch axis first; what the model
    returns is converted to torch tensors. Everything above this class is framework-free.

    Attributes
    ----------
    dtype : torch.dtype
        Floating dtype in which the model runs.
    device : torch.device
        Device on which points must lie.
    description : dict
        Strings and numbers recorded in the `attrs` of every result.
    hints : Hints
        What the model says of the signals it takes.
    rounding : torch.dtype or None
        Coarsest floating dtype between points and outputs, such as bfloat16 under autocast; None as
        long as it is not known.

    Examples
    --------
    >>> from freqig.models import as_model
    >>> model = as_model(torch.nn.Linear(4, 2))
    >>> model.dtype, model.device.type
    (torch.float32, 'cpu')
    """

    dtype: torch.dtype
    device: torch.device
    description: dict[str, str | int | float]
    hints: Hints = Hints()
    rounding: torch.dtype | None = None

    @property
    def fixed_batch(self) -> int | None:
        """Number of points of every call that the model was built for; None where any will do."""
        batch = getattr(self, "description", {}).get("fixed_batch")
        return None if batch is None else int(batch)

    def filled(self, count: int) -> int:
        """Points with which a call of `count` is best made; the rest are copies of the last."""
        return count

    @abstractmethod
    def outputs(self, points: Tensor, extra: tuple[Any, ...]) -> Any:
        """Raw outputs for P points, without gradients.

        Parameters
        ----------
        points : torch.Tensor
            Shape (P, ...), `dtype` and `device` of the model.
        extra : tuple
            Further positional arguments of the model.

        Returns
        -------
        torch.Tensor or tuple or list or dict
            What the model returns, as tensors.
        """

    @abstractmethod
    def value_and_gradient(
        self, points: Tensor, extra: tuple[Any, ...], explained: Explained
    ) -> tuple[Tensor, Tensor]:
        """Explained scalars of P points and their gradients with respect to the points.

        Parameters
        ----------
        points : torch.Tensor
            Shape (P, *shape).
        extra : tuple
            Further positional arguments of the model.
        explained : callable
            Maps raw outputs to scalars of shape (P, T).

        Returns
        -------
        values : torch.Tensor
            Shape (P, T).
        gradients : torch.Tensor
            Shape (P, T, *shape).

        Raises
        ------
        ValueError
            If the scalars do not depend differentiably on the points.
        """

    def with_time_axis(self, time_axis: int) -> Model:
        """The same model, known to have time on this axis."""
        twin = copy(self)
        twin.hints = replace(self.hints, time_axis=time_axis)
        return twin

    def choosing(self, output_key: OutputKey) -> Model:
        """The same model, told which of its outputs is explained; others are then not judged.

        Parameters
        ----------
        output_key : int, str, tuple of them, or None
            As `Explainer` takes it.
        """
        return self

    def of_inputs(self, inputs: JoinedInputs | BeginningOfInput) -> Model:
        """The same model of several inputs, called on series that hold all of them.

        Parameters
        ----------
        inputs : JoinedInputs or BeginningOfInput
            Where the inputs lie in the points.

        Raises
        ------
        TypeError
            If this kind of model takes one input only.
        """
        raise TypeError(
            f"x must be one input for models of class {type(self).__name__}, got {len(inputs.shapes)}: give "
            "the others as additional_forward_args"
        )

    def sample_axis(self, i: int, shape: tuple[int, ...], n_samples: int) -> int | None:
        """Axis on which a further argument may follow the samples, where the caller did not say.

        Parameters
        ----------
        i : int
            Position among the further arguments.
        shape : tuple of int
            Of the argument.
        n_samples : int
            Samples in the batch.

        Returns
        -------
        int or None
            The first axis if it is as long as the batch, for models that declare nothing; None for what
            is the same for all samples.
        """
        return first_axis(i, shape, n_samples)

    def in_chunks(self, chunks: Chunks) -> Model:
        """The same model, known to be called with so many points."""
        return self

    def session(self) -> AbstractContextManager[Model]:
        """Context that gives what is to be called in place of the model, which is left as it is."""
        return nullcontext(self)

    def sizes(self) -> Sequence[int]:
        """Sizes that the axes of inputs may have to have, as far as the first weights tell."""
        return ()

    def signature(self) -> Hashable:
        """What changes where the model computes otherwise than before, and not with its weights."""
        return None

    def fingerprint(self) -> dict[str, str]:
        """What tells this model from another with other weights, for the `attrs` of results."""
        return {}

    def bytes_per_point(self, points: Tensor, extra: tuple[Any, ...], explained: Explained) -> float | None:
        """Memory that one point holds between forward and backward pass; None if unknown."""
        return None

    def peak_bytes(self, points: Tensor, extra: tuple[Any, ...], explained: Explained) -> int | None:
        """Most memory that outputs of these points, and their gradients, take; None if unknown."""
        return None


NOT_DIFFERENTIABLE = (
    "the model's output does not depend differentiably on its input: freqig needs gradients of "
    "the output with respect to the signal. Look for .detach(), torch.no_grad(), conversion to "
    "NumPy, argmax or rounding inside the model, and explain a score that comes before it; or explain the "
    "model without gradients, by freqig.Shapley(model)"
)


def first_axis(i: int, shape: tuple[int, ...], n_samples: int) -> int | None:  # noqa: ARG001
    """The first axis, if it is as long as the batch.

    Examples
    --------
    >>> first_axis(0, (4, 3), 4), first_axis(0, (3, 4), 4)
    (0, None)
    """
    return 0 if shape[:1] == (n_samples,) else None
