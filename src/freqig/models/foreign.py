"""Models of other frameworks, driven by the framework's own gradients.

The framework gives the vector-Jacobian product of its model; what is explained
(a class, a difference of classes, a step of a sequence) is a torch function of
the outputs. The chain rule joins the two: torch differentiates the explained
values with respect to the outputs, the framework carries that back to the input.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from .base import Explained, Model, Raw

Pullback: TypeAlias = "Callable[[list[Tensor | None]], Tensor]"


class ForeignModel(Model):
    """A model whose gradients come from another framework.

    Subclasses set ``dtype``, ``device`` and ``description`` and give `vjp`.
    """

    @abstractmethod
    def vjp(self, points: Tensor, extra: tuple) -> tuple[Raw, Pullback]:
        """Run the model and return its outputs and its pullback.

        Parameters
        ----------
        points : Tensor
            Shape (P, \\*shape), of the adapter's ``dtype`` and on its ``device``.
        extra : tuple
            Further arguments of the model, passed on as they are.

        Returns
        -------
        outputs : Tensor, tuple or dict
            Torch tensors that share no memory with the framework's.
        pullback : callable
            Takes one cotangent an output, in the order of `leaves` (None for an
            output that is not floating-point), and returns the cotangent of
            ``points``. Can be called any number of times.
        """

    def outputs(self, points: Tensor, extra: tuple) -> Raw:
        """Return the raw outputs for P points."""
        return self.vjp(points.detach(), extra)[0]

    def value_and_gradient(
        self, points: Tensor, extra: tuple, explained: Explained
    ) -> tuple[Tensor, Tensor]:
        """Return values (P, T) and gradients (P, T, \\*shape)."""
        raw, pullback = self.vjp(points.detach(), extra)
        outputs = [leaf.detach() for leaf in leaves(raw)]
        floating = [leaf for leaf in outputs if leaf.is_floating_point()]
        with torch.enable_grad():
            for leaf in floating:
                leaf.requires_grad_()
            values = explained(rebuild(raw, iter(outputs)))
        gradients = []
        for t in range(values.shape[1]):
            found = iter(
                torch.autograd.grad(
                    values[:, t].sum(),
                    floating,
                    retain_graph=True,
                    allow_unused=True,
                    materialize_grads=True,
                )
            )
            gradients.append(
                pullback([next(found) if o.is_floating_point() else None for o in outputs])
            )
        return values.detach(), torch.stack(gradients, 1)


def leaves(tree: Any) -> list[Any]:
    """List the leaves of nested dicts, tuples and lists, dicts in their own order.

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


def rebuild(tree: Any, new: Any) -> Any:
    """Put the leaves that the iterator ``new`` gives in place of those of ``tree``.

    Lists and named tuples come back as tuples.

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
