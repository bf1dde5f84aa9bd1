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
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import add_context
from .base import NOT_DIFFERENTIABLE, Explained, Model

Pullback = Callable[[list[Tensor | None]], Tensor]
"""From one cotangent an output, None for outputs that are not floating, to that of the points."""


class ForeignModel(Model):
    """A model whose gradients come from another framework.

    Subclasses set `dtype`, `device` and `description` and give `vjp`.
    """

    @abstractmethod
    def vjp(self, points: Tensor, extra: tuple[Any, ...]) -> tuple[Any, Pullback]:
        """Run the model and return its outputs and its pullback.

        Parameters
        ----------
        points : torch.Tensor
            Shape (P, *shape), `dtype` and `device` of the adapter.
        extra : tuple
            Further arguments of the model; tensors become the framework's.

        Returns
        -------
        outputs : torch.Tensor, tuple or dict
            Tensors that share no memory with the framework's.
        pullback : callable
            Takes one cotangent an output, in the order of `leaves`, and returns the cotangent of
            the points. Can be called any number of times.
        """

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
        gradients = []
        for t in range(values.shape[1]):
            found = iter(
                torch.autograd.grad(
                    values[:, t].sum(), floating, retain_graph=True, allow_unused=True, materialize_grads=True
                )
            )
            gradients.append(
                pullback([next(found) if leaf.is_floating_point() else None for leaf in outputs])
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
        try:
            return self.vjp(points.detach(), extra)
        except Exception as error:
            add_context(error, f"while freqig called the model with shape {tuple(points.shape)}")
            raise


def check_device(device: torch.device | str | None, framework: str) -> None:
    """Refuse a device: other frameworks choose theirs, and tensors come and go through the CPU.

    Raises
    ------
    ValueError
        If a device other than the CPU is asked for.
    """
    if device is not None and torch.device(device).type != "cpu":
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
