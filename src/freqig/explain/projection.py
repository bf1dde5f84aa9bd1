"""Mean gradients as attributions in linear domains, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..chunks import Chunks
from ..domains import Domain
from ..domains.base import Coefficients, as_tuple
from ..signals.axes import Axes

BLOCK_BYTES = 16 * 2**20
"""Coefficients that are projected at once: many calls cost time, and large ones memory."""

Projection = Callable[[Tensor, Tensor], tuple[Tensor, ...]]


@dataclass(frozen=True)
class Analysis:
    """Coefficients of x - x' in linear domains: found once, for adaptive integration and projection.

    Parameters
    ----------
    domains : sequence of Domain
        Linear domains, made ready.
    coefficients : list of torch.Tensor or of tuples of torch.Tensor
        One a domain, of S samples.
    axes : tuple of int
        Axes of one signal that appear in the result, time last.
    dtype : torch.dtype
        Dtype of projections.
    """

    domains: Sequence[Domain]
    coefficients: list[Coefficients]
    axes: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, x: Tensor, baseline: Tensor, axes: Axes, domains: Sequence[Domain]) -> Analysis:
        """Analyze the ends of the paths of S samples, shape (S, *shape), dtype of the model."""
        axes, dtype = (*axes.sizes, axes.n), working_dtype(x.dtype)
        ends = [end.to(dtype).reshape(len(x), *axes) for end in (x, baseline)]
        coefficients = [domain.analyze_pair(*ends) for domain in domains]
        for domain, c in zip(domains, coefficients, strict=True):
            if not all(bool(part.isfinite().all()) for part in (c if isinstance(c, tuple) else (c,))):
                largest = max(float(end.abs().max()) for end in ends)
                raise ValueError(
                    f"signals must be so small that domain {domain.name!r} does not overflow "
                    f"{str(dtype).removeprefix('torch.')}, got values up to {largest:.3g}: rescale them, for "
                    "example by choosing another unit, or pass dtype=torch.float64 to Explainer"
                )
        return cls(domains, coefficients, axes, dtype)

    def projections(self) -> list[Projection]:
        """What adaptive integration watches.

        Returns
        -------
        list of callables
            From mean gradients of some samples, shape (S', T, *shape), and which samples they are,
            int64, to tensors of attributions, each of shape (S', T, ...).
        """
        return [partial(self._project, k) for k in range(len(self.domains))]

    def attributions(self, mean_gradient: Tensor) -> list[Tensor]:
        """Attributions of all samples, one a domain, for mean gradients of shape (S, T, *shape)."""
        found = []
        for domain, c in zip(self.domains, self.coefficients, strict=True):
            # Assembled block by block: nothing stands in memory twice but one block.
            values: Tensor | None = None
            for rows, parts in self._products(domain, c, mean_gradient):
                block = domain.assemble(parts)
                if values is None:
                    n_rows = mean_gradient.shape[0] * mean_gradient.shape[1]
                    values = block if len(block) == n_rows else block.new_empty(n_rows, *block.shape[1:])
                if values is not block:
                    values[rows] = block
            if values is not None:
                found.append(values.reshape(*mean_gradient.shape[:2], *values.shape[1:]))
        return found

    def _project(self, k: int, mean_gradient: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
        c = tuple(part.index_select(0, rows) for part in as_tuple(self.coefficients[k]))
        chosen = c if isinstance(self.coefficients[k], tuple) else c[0]
        blocks = [parts for _, parts in self._products(self.domains[k], chosen, mean_gradient)]
        wholes = blocks[0] if len(blocks) == 1 else tuple(map(torch.cat, zip(*blocks, strict=True)))
        return tuple(whole.reshape(*mean_gradient.shape[:2], *whole.shape[1:]) for whole in wholes)

    def _products(
        self, domain: Domain, c: Coefficients, mean_gradient: Tensor
    ) -> Iterator[tuple[slice, tuple[Tensor, ...]]]:
        """Attributions of some samples and targets at a time, samples in order and targets within."""
        n_samples, n_targets = mean_gradient.shape[:2]
        gradients = mean_gradient.reshape(n_samples * n_targets, *self.axes)
        size = sum(part[:1].nbytes for part in as_tuple(c))
        for rows in Chunks(BLOCK_BYTES // max(1, size)).split(len(gradients)):
            own = c
            if n_targets > 1 or rows.stop - rows.start < n_samples:
                # The coefficients of x - x' serve every target.
                samples = torch.arange(rows.start, rows.stop, device=gradients.device) // n_targets
                parts = tuple(part.index_select(0, samples) for part in as_tuple(c))
                own = parts if isinstance(c, tuple) else parts[0]
            yield rows, domain.products(own, gradients[rows].to(self.dtype))


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """Dtype of projections and results: the model's, but no less than float32."""
    return dtype if dtype in (torch.float32, torch.float64) else torch.float32
