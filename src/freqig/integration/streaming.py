"""Carries groups of nodes through the model in full chunks and hands on weighted sums of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from ..chunks import Chunks
from ..objective.objective import Objective, widest
from .fixed import points_on_path
from .path import Array


@dataclass(frozen=True)
class Group:
    """Nodes of some samples whose gradients are wanted only as the weighted sums weights @ gradients.

    Parameters
    ----------
    samples : sequence of int
        Which samples, C of them.
    nodes : numpy.ndarray
        Places on the path, shape (m,) where all samples have the same, otherwise (C, m).
    weights : numpy.ndarray
        Weights of the R sums, shape (R, m).
    measured : bool
        Whether the norms of the sums are wanted.
    store : torch.Tensor or None
        Where the gradients themselves are put, shape (C, m, T, D).
    """

    samples: Sequence[int]
    nodes: Array
    weights: Array
    measured: bool = False
    store: Tensor | None = None

    @property
    def n_nodes(self) -> int:
        """Nodes m of each sample."""
        n_nodes: int = self.nodes.shape[-1]
        return n_nodes

    def places(self) -> Array:
        """Nodes of all samples, one after the other, shape (C · m,)."""
        places: Array = np.broadcast_to(self.nodes, (len(self.samples), self.n_nodes)).ravel()
        return places


@dataclass(frozen=True)
class Sums:
    """What came of some samples of one group, or without the axis C of one of them.

    Parameters
    ----------
    sums : torch.Tensor
        Weighted sums of gradients, shape (C, R, T, D), D features a sample; valid during the call only.
    norms : numpy.ndarray
        L1 norm of δ · sums, the size of each sum as an attribution, shape (C, R, T); zero where the
        group did not ask for it.
    values, slopes, sizes, mixes : numpy.ndarray
        At each node F, its derivative along the path Σ δ·g, Σ |δ·g|, and Σ ±δ·g, shape (C, m, T). `sizes`
        is NaN where F or the gradient is not finite; such gradients are not in the sums.
    """

    sums: Tensor
    norms: Array
    values: Array
    slopes: Array
    sizes: Array
    mixes: Array

    def of_one(self) -> Sums:
        """The same of the only sample."""
        scalars = self.values[0], self.slopes[0], self.sizes[0], self.mixes[0]
        return Sums(self.sums[0], self.norms[0], *scalars)

    def trace(self) -> Array:
        """The scalars in the order of `node_trace`, shape (4, C, m, T)."""
        return np.stack([self.values, self.slopes, self.sizes, self.mixes])


def stream(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    groups: Sequence[Group],
    chunks: Chunks,
    absorb: Callable[[int, slice, Sums], None],
) -> None:
    """Evaluate groups back to back and hand on their samples as soon as they are complete.

    The nodes of a sample may straddle chunks: only its running sums are carried over, never its
    gradients, so that memory is one chunk's whatever the number of nodes.

    Parameters
    ----------
    objective : Objective
        Explained scalars of S samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (S, *shape).
    groups : sequence of Group
        What to evaluate.
    chunks : Chunks
        Points a call.
    absorb : callable
        Gets the index of a group, which of its samples these are, and their sums, in order. It must
        not run out of memory: by then the chunk is taken for done.
    """
    work = _Stream(objective, x, baseline, groups, absorb)
    chunks.run(len(work.nodes), work.evaluate)


class _Stream:
    """The groups laid end to end, and what is carried from one chunk to the next."""

    def __init__(
        self,
        objective: Objective,
        x: Tensor,
        baseline: Tensor,
        groups: Sequence[Group],
        absorb: Callable[[int, slice, Sums], None],
    ) -> None:
        self.objective, self.x, self.baseline = objective, x, baseline
        self.groups, self.absorb = groups, absorb
        self.wide = widest(x.device)
        self.delta = x - baseline
        # The signs of a pseudo-random sequence, the same in every run.
        bits = torch.arange(self.delta[0].numel(), device=x.device) * 2654435761 >> 15
        self.signs = (1 - 2 * (bits & 1)).to(self.wide)
        # A member is a sample of a group.
        counts = [len(group.samples) for group in groups]
        self.begins = np.concatenate([[0], np.cumsum(counts)])
        self.group_of = np.repeat(np.arange(len(groups)), counts)
        self.nodes = np.concatenate([group.places() for group in groups])
        lengths = np.repeat([group.n_nodes for group in groups], counts)
        members = np.concatenate([np.asarray(group.samples) for group in groups])
        self.owner = np.repeat(np.arange(len(members)), lengths)
        self.samples = members[self.owner]
        self.edges = np.concatenate([[0], np.cumsum(lengths)])
        self.stored = [k for k, group in enumerate(groups) if group.store is not None]
        # Of a member that the last chunk left unfinished: its sums, and scalars of its nodes.
        self.carried: Tensor | None = None
        self.scalars: list[Array] = []

    def evaluate(self, part: slice) -> None:
        """Points `part` of all; nothing has changed when this raises."""
        first, last = int(self.owner[part.start]), int(self.owner[part.stop - 1])
        rows = torch.as_tensor(self.samples[part], device=self.x.device)
        # Nodes are rounded to the dtype of the model here and nowhere else.
        nodes = torch.as_tensor(self.nodes[part]).to(self.x)
        points = points_on_path(self.baseline, self.delta, rows, nodes)
        values, gradients = self.objective.value_and_gradient(points, rows)
        gradients = gradients.flatten(2).to(self.wide)
        scalars = self._scalars(values, gradients, rows)
        self._store(part, gradients)

        spans = [slice(*self.edges[i : i + 2]) for i in range(first, last + 1)]
        present = [self.groups[g] for g in self.group_of[first : last + 1]]
        counts = [len(group.weights) for group in present]
        ends = np.cumsum(counts)
        blocks = [slice(int(end) - count, int(end)) for end, count in zip(ends, counts, strict=True)]
        pieces = []
        for group, span in zip(present, spans, strict=True):
            begin, end = max(span.start, part.start), min(span.stop, part.stop)
            pieces.append(group.weights[:, begin - span.start : end - span.start])
        sums = _products(pieces, gradients.flatten(1))
        sums = sums.reshape(len(sums), *gradients.shape[1:])
        if self.carried is not None:
            sums[blocks[0]] += self.carried
        norms = self._norms(sums, present, self.samples[[span.start for span in spans]].tolist(), blocks)

        finished = len(spans) - (spans[-1].stop > part.stop)
        # Of the rest a copy, unless it is all there is: what is handed on is valid during the call only.
        rest = sums[blocks[-1]]
        carried = None if finished == len(spans) else rest.clone() if finished else rest

        # From here on nothing large is made, so that nothing fails half-way.
        self.scalars.append(scalars)
        table = np.concatenate(self.scalars)
        offset = part.stop - len(table)
        self.carried = carried
        self.scalars = [] if carried is None else [table[spans[-1].start - offset :]]
        k = 0
        while k < finished:
            g = int(self.group_of[first + k])
            begin, stop = int(self.begins[g]), min(finished, int(self.begins[g + 1]) - first)
            lines = slice(blocks[k].start, blocks[stop - 1].stop)
            own = table[spans[k].start - offset : spans[stop - 1].stop - offset]
            own = own.reshape(stop - k, -1, *own.shape[1:])
            n_rows = counts[k]
            result = Sums(
                sums[lines].reshape(stop - k, n_rows, *sums.shape[1:]),
                norms[lines].reshape(stop - k, n_rows, norms.shape[-1]),
                own[:, :, 0],
                own[:, :, 1],
                own[:, :, 2],
                own[:, :, 3],
            )
            self.absorb(g, slice(first + k - begin, first + stop - begin), result)
            k = stop

    def _scalars(self, values: Tensor, gradients: Tensor, rows: Tensor) -> Array:
        """F, slope, size and mix at the points, shape (P, 4, T); clears gradients that are not finite."""
        products = gradients * self.delta.flatten(1)[rows].to(self.wide).unsqueeze(1)
        slopes, mixes = products.sum(-1), products @ self.signs
        sizes = products.abs_().sum(-1)
        # δ may be zero where the gradient is not finite: 0 · inf is NaN, so products tell.
        bad = ~(sizes.isfinite() & values.isfinite())
        if bad.any():
            sizes[bad] = torch.nan
            # Zero times NaN is NaN: what is not finite must leave before sums are taken.
            gradients[bad.any(1)] = 0
        scalars: Array = torch.stack([values.to(self.wide), slopes, sizes, mixes], 1).double().cpu().numpy()
        return scalars

    def _store(self, part: slice, gradients: Tensor) -> None:
        """Put gradients where they are wanted; the same again where a chunk is repeated."""
        for g in self.stored:
            begin, end = (int(self.edges[member]) for member in self.begins[g : g + 2])
            first, last = max(begin, part.start), min(end, part.stop)
            store = self.groups[g].store
            if store is not None and first < last:
                store.view(-1, *gradients.shape[1:])[first - begin : last - begin] = gradients[
                    first - part.start : last - part.start
                ]

    def _norms(
        self, sums: Tensor, groups: Sequence[Group], samples: Sequence[int], blocks: list[slice]
    ) -> Array:
        norms = np.zeros(sums.shape[:2])
        pairs = [
            (sample, block)
            for group, sample, block in zip(groups, samples, blocks, strict=True)
            if group.measured
        ]
        if pairs:
            lines = np.concatenate([np.arange(block.start, block.stop) for _, block in pairs])
            owners = np.repeat([sample for sample, _ in pairs], [b.stop - b.start for _, b in pairs])
            delta = self.delta.flatten(1)[torch.as_tensor(owners, device=sums.device)]
            sizes = (sums[torch.as_tensor(lines, device=sums.device)] * delta.unsqueeze(1)).abs_().sum(-1)
            norms[lines] = sizes.double().cpu().numpy()
        return norms


def _products(pieces: Sequence[Array], gradients: Tensor) -> Tensor:
    """Each piece of weights, shape (R, m), times the next m rows of gradients, laid end to end.

    One matrix with all pieces on its diagonal would cost as many times more as there are pieces.
    """
    products, begin = [], 0
    for (n_rows, m), run in groupby(pieces, key=np.shape):
        weights = np.stack(list(run))
        end = begin + len(weights) * m
        block = gradients[begin:end].reshape(len(weights), m, -1)
        product = torch.as_tensor(weights).to(gradients) @ block
        products.append(product.reshape(len(weights) * n_rows, gradients.shape[1]))
        begin = end
    # A copy of one long series costs as much as its product.
    return products[0] if len(products) == 1 else torch.cat(products)
