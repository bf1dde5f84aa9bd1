"""Gradients of many scalars of one forward pass."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .backward import Slope, slope_by_grad

AGREEING = 1e-3
"""Of the largest value: by how much gradients taken together and one by one may differ. Kernels for other
shapes round otherwise, and deep networks amplify it; what does not know batches is wrong by more."""


class Jacobian:
    """Gradients of the targets of P points, several of them in one backward pass where that can be.

    PyTorch maps a backward pass over a batch of cotangents (`is_grads_batched`), which for small networks
    is many times as fast as one pass after the other. Not every operation allows it: functions with a
    backward of their own may leave PyTorch, and hooks would see batches that they do not know. Where it
    fails, or a first pass by itself disagrees, or hooks are registered, targets go one by one.

    Parameters
    ----------
    modules : iterable of torch.nn.Module
        What the model consists of, as far as it is known.

    Examples
    --------
    >>> leaf = torch.ones(3, 2, requires_grad=True)
    >>> values = torch.stack([leaf.sum(1), leaf.square().sum(1)], 1)
    >>> Jacobian([])(values, leaf, at_once=8, slope=slope_by_grad)[0]
    tensor([[1., 1.],
            [2., 2.]])
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._modules = tuple(modules)
        # Whether targets go together: not known before it has been tried.
        self._together: bool | None = None

    def __call__(self, values: Tensor, leaf: Tensor, at_once: int, slope: Slope) -> Tensor | None:
        """Gradients of `values`, shape (P, T), with respect to `leaf`, shape (P, *shape).

        Parameters
        ----------
        values, leaf : torch.Tensor
            What is differentiated, with its graph, and with respect to what.
        at_once : int
            Rows, points times targets, of one backward pass.
        slope : callable
            The way back for one target alone.

        Returns
        -------
        torch.Tensor or None
            Shape (P, T, *shape); None where the values do not depend on the leaf.
        """
        n_points, n_targets = values.shape
        if n_targets == 1:
            gradient = slope(values.sum(), leaf, False)
            return None if gradient is None else gradient.unsqueeze(1)
        each = max(1, at_once // max(1, n_points)) if slope is slope_by_grad and self._may() else 1
        result = leaf.new_empty((n_points, n_targets, *leaf.shape[1:]))
        start = 0
        while start < n_targets:
            stop = min(start + each, n_targets)
            block = self._block(values, leaf, start, stop) if stop - start > 1 else None
            if block is None:
                each, stop = 1, start + 1
                # One scalar to differentiate: the sum over points, which do not see one another.
                block = slope(values[:, start].sum(), leaf, stop < n_targets)
                if block is None:
                    return None
                block = block.unsqueeze(1)
            result[:, start:stop] = block
            start = stop
        return result

    def _may(self) -> bool:
        return self._together is not False and not any(map(_has_hooks, self._modules))

    def _block(self, values: Tensor, leaf: Tensor, start: int, stop: int) -> Tensor | None:
        """Gradients of some targets in one pass, shape (P, t, *shape); None where that cannot be."""
        cotangents = values.new_zeros((stop - start, *values.shape))
        cotangents[torch.arange(stop - start), :, torch.arange(start, stop)] = 1
        try:
            (found,) = torch.autograd.grad(
                values, leaf, cotangents, retain_graph=True, allow_unused=True, is_grads_batched=True
            )
        except torch.OutOfMemoryError:
            raise
        except Exception:  # noqa: BLE001 - what a backward pass of their own raises is not known
            found = None
        if found is not None and self._together is None:
            alone = slope_by_grad(values[:, start].sum(), leaf, True)
            self._together = alone is not None and _agree(found[0], alone)
        elif found is None:
            self._together = False
        return found.movedim(0, 1) if found is not None and self._together else None


def _agree(a: Tensor, b: Tensor) -> bool:
    finite = a.isfinite() & b.isfinite()
    scale = float(torch.where(finite, b, 0).abs().max()) if b.numel() else 0.0
    allowed = max(AGREEING, 4 * torch.finfo(b.dtype).eps) * scale
    same = torch.where(finite, (a - b).abs() <= allowed, a.isfinite() == b.isfinite())
    return bool(same.all())


def _has_hooks(module: nn.Module) -> bool:
    """Whether somebody watches the backward pass of the module or of one inside."""
    return any(sub._backward_hooks or sub._backward_pre_hooks for sub in module.modules())
