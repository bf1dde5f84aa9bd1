"""PyTorch modules and plain callables as models."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...chunks import Chunks
from ...errors import CALLED, add_context
from ..base import NOT_DIFFERENTIABLE, Explained, Model
from ..hints import Hints
from ..joined import BeginningOfInput, JoinedInputs
from .backward import (
    Slope,
    coarsest_dtype,
    held_bytes,
    is_about_reentrant_checkpoints,
    slope_by_backward,
    slope_by_grad,
)
from .convolution import quick_convolutions
from .footprint import peak_bytes
from .jacobian import Jacobian
from .modules import find_modules, first_floating_parameter, holds, submodules
from .session import Use
from .signature import signature

FIRST_WEIGHTS = 4
"""Of so many weights the shapes are read for sizes that inputs may have."""
PAGES = 16
"""Of batches of such sizes attention takes 1.4 times as long: positions lie whole pages of memory apart."""
ROWS = 64
"""Points times targets of one backward pass, where nothing is known of their memory."""


class TorchModel(Model):
    """An `nn.Module`, or any callable from tensors to tensors.

    Parameters
    ----------
    model : callable
        Called as `model(points, *extra)`.
    dtype : torch.dtype, optional
        Overrides the dtype of the first floating parameter found inside `model`; float32
        where there is none.
    device : torch.device or str, optional
        Where the model takes its inputs. Default: the device of that parameter; the CPU where there is none.

    Examples
    --------
    >>> model = TorchModel(lambda x: x.square().sum(-1))
    >>> value, gradient = model.value_and_gradient(
    ...     torch.ones(2, 3), (), lambda outputs: outputs[:, None])
    >>> gradient.shape
    torch.Size([2, 1, 3])
    """

    _backward: Slope = staticmethod(slope_by_grad)
    # What a session knows of its twins, and of the modules that they stand for.
    _looks: Hashable = None
    _quick: AbstractContextManager[Any] = nullcontext()
    _weights: Iterable[Tensor] = ()
    _chunks: Chunks | None = None
    _attends = False

    def __init__(
        self,
        model: Callable[..., Any],
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self._model = model
        modules = find_modules(model)
        self._modules: Sequence[nn.Module] = modules
        self._jacobian = Jacobian(modules)
        parameter = first_floating_parameter(modules)
        self._dtype_is_known = dtype is not None or parameter is not None
        self.dtype = dtype or (torch.float32 if parameter is None else parameter.dtype)
        where = device or (torch.device("cpu") if parameter is None else parameter.device)
        self.device = torch.device(where)
        self.description = {"framework": "torch", "class": dotted_name(model)}
        self.hints = Hints.of(model)

    @property
    def function(self) -> Callable[..., Any]:
        """The module or callable itself."""
        return self._model

    def calling(self, function: Callable[..., Any]) -> TorchModel:
        """The same model behind another function that calls it.

        Parameters
        ----------
        function : callable
            Calls `self.function` in its own way.

        Returns
        -------
        TorchModel
            Shares modules and description with this one.
        """
        twin = copy(self)
        twin._model = function
        return twin

    def of_inputs(self, inputs: JoinedInputs | BeginningOfInput) -> TorchModel:
        function = self._model
        return self.calling(lambda points, *extra: function(*inputs(points), *extra))

    def filled(self, count: int) -> int:
        return count + (self._attends and count % PAGES == 0 and self.device.type == "cpu")

    def outputs(self, points: Tensor, extra: tuple[Any, ...]) -> Any:
        with torch.no_grad():
            # The copy keeps a model whose first layer works in place from changing its input.
            return self.call(points.clone(), extra)

    def value_and_gradient(
        self, points: Tensor, extra: tuple[Any, ...], explained: Explained
    ) -> tuple[Tensor, Tensor]:
        leaf = points.detach().requires_grad_()
        # In-place layers refuse a leaf that requires a gradient, so they get a copy of it.
        with self._quick:
            outputs = self.call(leaf.clone(), extra)
        values = explained(outputs)
        if not values.requires_grad:
            raise ValueError(NOT_DIFFERENTIABLE)
        if self.rounding is None:
            self.rounding = coarsest_dtype(values)
        rows = ROWS if self._chunks is None else self._chunks.size
        try:
            gradients = self._jacobian(values, leaf, rows, self._backward)
        except RuntimeError as error:
            if self._backward is slope_by_grad and is_about_reentrant_checkpoints(error):
                weights = [t for m in self._modules for t in m.parameters()]
                self._backward = partial(slope_by_backward, weights=[*weights, *self._weights])
                return self.value_and_gradient(points, extra, explained)
            add_context(error, f"in the backward pass, for points of {_shape(points)}")
            raise
        if gradients is None:
            raise ValueError(NOT_DIFFERENTIABLE)
        return values.detach(), gradients

    @contextmanager
    def session(self) -> Iterator[TorchModel]:
        """Context that gives the model with twins of its modules, in eval.

        Modules are searched for each time, for what a callable refers to may have changed since.
        """
        running, use = copy(self), Use(self._model, self.device)
        # Before twins stand in for modules, of which they show nothing.
        running._looks = signature(use.originals)
        with use.session():
            running._model, running._modules = use.call, use.originals
            running._quick = quick_convolutions(use.function, use.modules)
            running._jacobian = Jacobian(use.modules)
            running._weights = list(_tensors(use.modules))
            running._attends = holds(use.modules, nn.MultiheadAttention)
            try:
                yield running
            finally:
                self.dtype, self._dtype_is_known = running.dtype, running._dtype_is_known

    def in_chunks(self, chunks: Chunks) -> TorchModel:
        twin = copy(self)
        # Not their size: where memory runs out, chunks shrink.
        twin._chunks = chunks
        return twin

    def settle_dtype(self, points: Tensor, extra: tuple[Any, ...]) -> None:
        """Try float64 for a callable without parameters that refuses float32.

        Parameters
        ----------
        points : torch.Tensor
            A few points on which to try.
        extra : tuple
            Further arguments of the model.
        """
        for dtype in (torch.float32, torch.float64):
            if self._dtype_is_known:
                return
            try:
                self.outputs(points.to(self.device, dtype), extra)
            except Exception:  # noqa: BLE001, S112
                # Neither may work: the caller meets the error of the default where it arises.
                continue
            self.dtype, self._dtype_is_known = dtype, True

    def sizes(self) -> Sequence[int]:
        weights = (t for module in self._modules for t in module.parameters() if t.ndim > 1)
        return tuple(dict.fromkeys(size for t in islice(weights, FIRST_WEIGHTS) for size in t.shape))

    def signature(self) -> Hashable:
        looks = signature(self._modules) if self._looks is None else self._looks
        return looks, self.dtype, self.device

    def fingerprint(self) -> dict[str, str]:
        digest = hashlib.sha256()
        tensors = [item for module in find_modules(self._model) for item in module.state_dict().items()]
        for name, tensor in tensors:
            if isinstance(tensor, Tensor):
                dense = tensor if tensor.layout is torch.strided else tensor.to_dense()
                flat = dense.detach().cpu().contiguous().reshape(-1)
                digest.update(name.encode())
                digest.update(flat.view(torch.uint8).numpy().data)
        return {"fingerprint": f"sha256:{digest.hexdigest()}"} if tensors else {}

    def bytes_per_point(self, points: Tensor, extra: tuple[Any, ...], explained: Explained) -> float | None:
        leaf = points.detach().requires_grad_()
        try:
            total = held_bytes(lambda: explained(self.call(leaf.clone(), extra)), self._weights)
        except torch.OutOfMemoryError:
            return None
        return total / len(points)

    def peak_bytes(self, points: Tensor, extra: tuple[Any, ...], explained: Explained) -> int | None:
        # Both, since some layers compute in another way where nothing is to be differentiated.
        calls = (
            lambda: explained(self.outputs(points, extra)),
            lambda: self.value_and_gradient(points, extra, explained),
        )
        peaks = [peak_bytes(call, self.device) for call in calls]
        return None if None in peaks else max(peak or 0 for peak in peaks)

    def call(self, points: Tensor, extra: tuple[Any, ...]) -> Any:
        """Call the model as it is; its errors say with what shape it was called."""
        try:
            return self._model(points, *(own(value) for value in extra))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            there = {str(tensor.device) for tensor in _tensors(self._modules)}
            if isinstance(error, RuntimeError) and there and str(points.device) not in there:
                # Known from the failure alone: a model may move its inputs by itself.
                where, got = " and ".join(sorted(there)), f"'{points.device}'"
                raise ValueError(
                    f"device must be where the weights of the model are, {where}, got {got}: "
                    f"move the model there first, model.to({got}), or omit device="
                ) from error
            add_context(error, f"{CALLED} {_shape(points)}")
            if "numpy" in str(error).lower() and "requires grad" in str(error):
                add_context(error, NUMPY)
            raise


def _tensors(modules: Iterable[nn.Module]) -> Iterator[Tensor]:
    """Parameters and buffers."""
    for sub in (sub for module in modules for sub in submodules(module)):
        yield from (t for own in (sub._parameters, sub._buffers) for t in own.values() if t is not None)


def own(value: Any) -> Any:
    """A copy of an argument, down to the tensors and arrays in it, for models that write to theirs.

    Examples
    --------
    >>> given = {"mask": torch.zeros(2)}
    >>> own(given)["mask"].add_(1), given["mask"]
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(map(own, value))
    return {key: own(entry) for key, entry in value.items()} if type(value) is dict else value


NUMPY = (
    "the model hands its input to NumPy, which knows no gradients; detach() would only hide that. "
    "Write that part in PyTorch, or put it before the model and explain what comes behind it, or explain "
    "all of it without gradients, by freqig.Shapley(model)"
)


def _shape(points: Tensor) -> str:
    return f"shape {tuple(points.shape)}, {str(points.dtype).removeprefix('torch.')}"


def dotted_name(model: object) -> str:
    """Name of a function or of the class of an object, with its module.

    Examples
    --------
    >>> dotted_name(torch.nn.ReLU())
    'torch.nn.modules.activation.ReLU'
    """
    named = model if hasattr(model, "__qualname__") else type(model)
    return f"{named.__module__}.{named.__qualname__}"
