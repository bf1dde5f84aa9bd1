"""Models of other frameworks, driven by the framework's own gradients.

The framework gives the vector-Jacobian product of its model; what is explained (a class, a
difference of classes, a step of a sequence) is a torch function of the outputs. The chain rule joins
the two: torch differentiates the explained values with respect to the outputs, the framework carries
that back to the input.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import CALLED, add_context
from .base import NOT_DIFFERENTIABLE, Explained, Model
from .fixed_batch import filled, gathered
from .joined import BeginningOfInput, JoinedInputs
from .torch.backward import coarsest_dtype

Pullback = Callable[[list[Tensor | None]], Sequence[Tensor]]
"""From one cotangent per output, None for outputs that are not floating, to one per input."""


class ForeignModel(Model):
    """A model whose gradients come from another framework.

    Subclasses set `dtype`, `device` and `description` and give `vjp`.

    Attributes
    ----------
    batch : int or None
        The only batch size that the model takes, where it has one.
    """

    batch: int | None = None
    _inputs: JoinedInputs | BeginningOfInput | None = None

    @abstractmethod
    def vjp(self, inputs: tuple[Tensor, ...], extra: tuple[Any, ...]) -> tuple[Any, Pullback]:
        """Run the model and return its outputs and its pullback.

        Parameters
        ----------
        inputs : tuple of torch.Tensor
            Shapes (P, *shape), `dtype` and `device` of the adapter.
        extra : tuple
            Further arguments of the model; tensors become the framework's.

        Returns
        -------
        outputs : torch.Tensor, tuple or dict
            Tensors that share no memory with the framework's.
        pullback : callable
            Takes one cotangent per output, in the order of `leaves`, and returns the cotangents of
            the inputs. Can be called any number of times.
        """

    def fix_batch(self, batch: int | None) -> None:
        """Call the model with that batch size only; None leaves it free."""
        self.batch = batch
        if batch is not None:
            self.description["fixed_batch"] = batch

    def of_inputs(self, inputs: JoinedInputs | BeginningOfInput) -> ForeignModel:
        twin = copy(self)
        twin._inputs = inputs
        return twin

    def weights(self) -> Iterable[np.ndarray]:
        """Weights by which models are told apart; none where they cannot be found."""
        return ()

    def outputs(self, points: Tensor, extra: tuple[Any, ...]) -> Any:
        return self._run(points, extra)[0]

    def value_and_gradient(
        self, points: Tensor, extra: tuple[Any, ...], explained: Explained
    ) -> tuple[Tensor, Tensor]:
        raw, pullback = self._run(points, extra)
        outputs = [leaf.detach() for leaf in leaves(raw)]
        floating = [leaf.requires_grad_() for leaf in outputs if leaf.is_floating_point()]
        with torch.enable_grad():
            values = explained(rebuild(raw, iter(outputs)))
        if not values.requires_grad:
            raise ValueError(NOT_DIFFERENTIABLE)
        self.rounding = coarsest_dtype(values)
        gradients = []
        for t in range(values.shape[1]):
            found = iter(
                torch.autograd.grad(
                    values[:, t].sum(), floating, retain_graph=True, allow_unused=True, materialize_grads=True
                )
            )
            gradients.append(
                pullback([next(found) if leaf.is_floating_point() else None for leaf in outputs])[0]
            )
        return values.detach(), torch.stack(gradients, 1)

    def fingerprint(self) -> dict[str, str]:
        digest, count = hashlib.sha256(), 0
        for weight in self.weights():
            digest.update(f"{weight.dtype}{weight.shape}".encode())
            digest.update(np.ascontiguousarray(weight).tobytes())
            count += 1
        return {"fingerprint": f"sha256:{digest.hexdigest()}"} if count else {}

    def _run(self, points: Tensor, extra: tuple[Any, ...]) -> tuple[Any, Pullback]:
        """Outputs, and the pullback to the points."""
        leaf = points.detach().requires_grad_()
        with torch.enable_grad():
            inputs = (leaf,) if self._inputs is None else self._inputs(leaf)
        given = tuple(one.detach() for one in inputs)
        try:
            raw, pullback = self.vjp(given, extra) if self.batch is None else self._in_batches(given, extra)
        except Exception as error:
            shapes = ", ".join(str(tuple(one.shape)) for one in given)
            add_context(error, f"{CALLED} shape {shapes}")
            raise

        def to_points(cotangents: list[Tensor | None]) -> Sequence[Tensor]:
            return torch.autograd.grad(inputs, leaf, pullback(cotangents), retain_graph=True)

        return raw, to_points

    def _in_batches(self, inputs: tuple[Tensor, ...], extra: tuple[Any, ...]) -> tuple[Any, Pullback]:
        """`vjp` in calls of the one batch size that the model takes."""
        n, batch = len(inputs[0]), self.batch or 1
        starts = range(0, n, batch)
        runs = []
        for start in starts:
            rows = filled((*inputs, *extra), start, batch, n)
            runs.append(self.vjp(rows[: len(inputs)], rows[len(inputs) :]))

        def pullback(cotangents: list[Tensor | None]) -> Sequence[Tensor]:
            parts = [
                back(
                    [
                        None if one is None else _padded(one[start : start + batch], batch)
                        for one in cotangents
                    ]
                )
                for start, (_, back) in zip(starts, runs, strict=True)
            ]
            return [torch.cat(part)[:n] for part in zip(*parts, strict=True)]

        return gathered([raw for raw, _ in runs], n, batch), pullback


def _padded(cotangent: Tensor, batch: int) -> Tensor:
    """A cotangent with zeros for the rows that only fill a call."""
    missing = cotangent.new_zeros(batch - len(cotangent), *cotangent.shape[1:])
    return torch.cat([cotangent, missing])


def check_device(device: torch.device | str | None, framework: str) -> None:
    """Refuse a device: other frameworks choose theirs, and tensors come and go through the CPU.

    Raises
    ------
    ValueError
        If a device other than the CPU is asked for.
    """
    if device is not None and str(device) != "cpu":
        raise ValueError(
            f"device must be left out for models of {framework}, which chooses its own, got {device}"
        )


def leaves(tree: Any) -> list[Any]:
    """Leaves of nested dicts, tuples and lists, dicts in their own order.

    Examples
    --------
    >>> leaves({"b": 1, "a": (2, [3])})
    [1, 2, 3]
    """
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return [leaf for value in tree for leaf in leaves(value)]
    return [tree]


def rebuild(tree: Any, new: Iterator[Any]) -> Any:
    """The tree with the leaves that `new` gives in place of its own; lists come back as tuples.

    Examples
    --------
    >>> rebuild({"b": 1, "a": (2, [3])}, iter("xyz"))
    {'b': 'x', 'a': ('y', ('z',))}
    """
    if isinstance(tree, dict):
        return {key: rebuild(value, new) for key, value in tree.items()}
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return tuple(rebuild(value, new) for value in tree)
    return next(new)
