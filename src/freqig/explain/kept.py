"""What is found out once and kept: how outputs are read, and by shape layouts and points per call."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..chunks import Chunks
from ..objective.classes import ClassReader
from ..objective.objective import Objective

T = TypeVar("T")

MOST_SHAPES = 256
"""Shapes of signals of which something is remembered; more of them are found out anew."""


@dataclass
class Kept:
    """What is known of a model from earlier calls.

    Several threads may read it and add to it: what two of them find out at once is the same.

    Parameters
    ----------
    reader : ClassReader
        Finds out how the outputs are read.
    chunks : dict
        Points per call, by the shape of one signal.
    layouts : dict
        Axes between batch and time that the model takes, by what they were asked for.
    signature : hashable
        Of the model of which all this is known, see `freqig.models.torch.signature`.
    foreign : bool
        Whether a gradient was found that is not that of the output.
    """

    reader: ClassReader
    chunks: dict[Hashable, Chunks] = field(default_factory=dict)
    layouts: dict[Hashable, tuple[int, ...]] = field(default_factory=dict)
    signature: Hashable = None
    foreign: bool = False

    def settle(self, signature: Hashable) -> None:
        """Forget what was found out of a model that looked otherwise."""
        if self.signature not in (None, signature):
            self.chunks, self.layouts, self.foreign = {}, {}, False
        self.signature = signature

    def chunks_for(self, objective: Objective, x: Tensor, memory: int | None) -> Chunks:
        """Points per call of the model with signals of shape (N, *shape), within so many bytes."""
        if objective.alone and memory is None:
            return Chunks(1)
        shape = tuple(x.shape[1:])
        found = self.chunks.get(shape)
        if found is None:
            found = remember(self.chunks, shape, _measured(objective, x, memory))
        return found.at_most(1) if objective.alone else found


def remember(known: dict[Hashable, T], key: Hashable, value: T) -> T:
    """Keep what was found out, and forget all else where it is too much; gives the value back."""
    if len(known) >= MOST_SHAPES:
        known.clear()
    known[key] = value
    return value


class OfModels:
    """What is known of models for as long as they live, by their identity."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._known: dict[int, tuple[weakref.ref[Any], Kept]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, model: Any, signature: Hashable, reader: ClassReader) -> Kept:
        """What is known of a model that looks like this.

        Parameters
        ----------
        model : object
            Anything that can be referred to weakly. It is neither hashed nor compared.
        signature : hashable
            Of the model. Where it is another one than before, nothing is known.
        reader : ClassReader
            Reads outputs in this call.
        """
        with self._lock:
            reference, kept = self._known.get(id(model), (None, None))
            if reference is None or kept is None or reference() is not model or kept.signature != signature:
                reference, kept = weakref.ref(model, self._forget), Kept(reader, signature=signature)
                self._known[id(model)] = reference, kept
            return replace(kept, reader=reader)

    def _forget(self, reference: weakref.ref[Any]) -> None:
        # Called wherever garbage is collected, in this thread or another.
        with self._lock:
            gone = [identity for identity, (known, _) in self._known.items() if known is reference]
            for identity in gone:
                del self._known[identity]


def _measured(objective: Objective, x: Tensor, memory: int | None) -> Chunks:
    rows = torch.tensor([0] if objective.alone else [0, len(x) - 1], device=x.device)
    each = held = objective.bytes_per_point(x[rows], rows)
    if memory is not None:
        peak = objective.peak_bytes_per_point(x[rows], rows)
        # Gradients on the way back take as much again, where PyTorch does not tell.
        each = peak or (each and 2 * each)
    return Chunks.for_model(
        each,
        x[0].nbytes,
        x.device,
        # A lone point goes over twice, so that two of them cost as much.
        fewest=objective.model.fixed_batch or (1 if objective.alone else 2),
        memory=memory,
        n_features=x[0].numel(),
        held=held,
    )
