"""Mean gradients as attributions in linear domains, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .._tensor_check import all_finite
from ..chunks import Chunks
from ..completeness import correctable_gap, gap_limit, is_complete
from ..domains import Domain
from ..domains.base import Coefficients, as_tuple
from ..objective.paths import Paths
from ..path.measuring import Projection
from ..path.path import Path
from ..result.attributions import Attributions
from ..signals.axes import Axes

BLOCK_BYTES = 16 * 2**20
"""Coefficients that are projected at once: many calls cost time, and large ones memory."""

CACHED_BYTES = 4 * 2**20
"""Those of which only norms are wanted: what is made of them stays in the caches of a processor."""


@dataclass(frozen=True)
class Analysis:
    """Coefficients of x - x' in linear domains: found once, for adaptive integration and projection.

    Parameters
    ----------
    domains : sequence of Domain
        Linear domains, made ready.
    coefficients : list of torch.Tensor or of tuples of torch.Tensor
        One per domain, of S samples.
    shape : tuple of int
        Axes of one signal that appear in the result, time last.
    dtype : torch.dtype
        Dtype of projections.
    """

    domains: Sequence[Domain]
    coefficients: list[Coefficients]
    shape: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, paths: Paths, axes: Axes, domains: Sequence[Domain]) -> Analysis:
        """Analyze the ends of paths."""
        shape, dtype = (*axes.sizes, axes.n), working_dtype(paths.x.dtype)
        ends = [end.to(dtype).reshape(len(paths), *shape) for end in (paths.x, paths.baseline)]
        rows = torch.arange(len(paths)) + paths.objective.offset
        coefficients = [domain.of_samples(rows).analyze_pair(*ends) for domain in domains]
        for domain, c in zip(domains, coefficients, strict=True):
            if not all(map(all_finite, as_tuple(c))):
                largest = max(float(end.abs().max()) for end in ends)
                raise ValueError(
                    f"signals must be so small that domain {domain.name!r} does not overflow "
                    f"{str(dtype).removeprefix('torch.')}, got values up to {largest:.3g}: rescale them, for "
                    "example by choosing another unit, or pass dtype=torch.float64 to Explainer"
                )
        return cls(domains, coefficients, shape, dtype)

    def projections(self) -> list[Projection]:
        """What adaptive integration watches.

        Returns
        -------
        list of callables
            From mean gradients of some samples, shape (S', T, *shape), and which samples they are,
            int64, to L1 norms of attributions, shape (S', T).
        """
        wholes = dict[str, list[int]]()
        for k, domain in enumerate(self.domains):
            wholes.setdefault(domain.whole or domain.name, []).append(k)
        return [partial(self._norm, places) for places in wholes.values()]

    def attributions(self, mean_gradient: Tensor) -> list[Tensor]:
        """Attributions of all samples, one per domain, for mean gradients of shape (S, T, *shape)."""
        found = []
        for domain, c in zip(self.domains, self.coefficients, strict=True):
            # Assembled block by block: nothing stands in memory twice but one block.
            values: Tensor | None = None
            for rows, parts in self._products(domain, c, mean_gradient, BLOCK_BYTES):
                block = domain.assemble(parts)
                if values is None:
                    n_rows = mean_gradient.shape[0] * mean_gradient.shape[1]
                    values = block if len(block) == n_rows else block.new_empty(n_rows, *block.shape[1:])
                if values is not block:
                    values[rows] = block
            if values is not None:
                found.append(values.reshape(*mean_gradient.shape[:2], *values.shape[1:]))
        return found

    def _norm(self, places: Sequence[int], mean_gradient: Tensor, samples: Tensor) -> Tensor:
        size = CACHED_BYTES if mean_gradient.device.type == "cpu" else BLOCK_BYTES
        norms = mean_gradient.new_zeros(mean_gradient.shape[:2], dtype=self.dtype)
        for k in places:
            for rows, parts in self._products(
                self.domains[k], self.coefficients[k], mean_gradient, size, samples
            ):
                for part in parts:
                    norms.view(-1)[rows] += part.abs().flatten(1).sum(1)
        return norms

    def _products(
        self, domain: Domain, c: Coefficients, mean_gradient: Tensor, size: int, samples: Tensor | None = None
    ) -> Iterator[tuple[slice, tuple[Tensor, ...]]]:
        """Attributions of so many bytes of coefficients at a time, samples in order and targets within.

        Mean gradients are those of all samples, or of some, (S',).
        """
        n_samples, n_targets = mean_gradient.shape[:2]
        gradients = mean_gradient.reshape(n_samples * n_targets, *self.shape)
        each = sum(part[:1].nbytes for part in as_tuple(c))
        for rows in Chunks(size // max(1, each)).split(len(gradients)):
            own = c
            if samples is not None or n_targets > 1 or rows.stop - rows.start < n_samples:
                # The coefficients of x - x' serve every target.
                chosen = torch.arange(rows.start, rows.stop, device=gradients.device) // n_targets
                chosen = chosen if samples is None else samples[chosen]
                parts = tuple(part.index_select(0, chosen) for part in as_tuple(c))
                own = parts if isinstance(c, tuple) else parts[0]
            yield rows, domain.products(own, gradients[rows].to(self.dtype))


def project(path: Path, paths: Paths, analysis: Analysis, tol: float) -> Attributions:
    """Project integrated paths onto linear domains.

    Parameters
    ----------
    path : Path
        Path-averaged gradients of S samples.
    paths : Paths
        What was integrated.
    analysis : Analysis
        Coefficients of the same samples.
    tol : float
        Tolerance of the completeness gap.

    Returns
    -------
    Attributions
        Those of the block.
    """
    products = paths.delta.to(path.mean_gradient.dtype).unsqueeze(1) * path.mean_gradient
    sums = Sums.of(products, path, paths.output, path.baseline_output, tol, paths.x.dtype)
    # A sample that is its own baseline is explained, whatever rounding leaves between both outputs.
    still = ~paths.delta.flatten(1).any(1, keepdim=True)
    return Attributions(
        analysis.domains,
        analysis.attributions(path.mean_gradient),
        path.output,
        path.baseline_output,
        sums.gap,
        path.correction,
        sums.limit,
        sums.converged | (still & sums.gap.isfinite()),
        torch.full_like(sums.gap, torch.nan) if path.error is None else path.error,
        path.n_evaluations,
        path.diagnoses,
    )


@dataclass(frozen=True)
class Sums:
    """Whether attributions add up to the difference of outputs; S samples, T targets.

    Parameters
    ----------
    gap : torch.Tensor
        Σ attribution - (F(x) - F(x')) before the correction of the path, float64, shape (S, T).
    limit : torch.Tensor
        Largest gap that counts as complete, float64, shape (S, T).
    converged : torch.Tensor
        Whether the gap is small enough and the integrator content, bool, shape (S, T).
    """

    gap: Tensor
    limit: Tensor
    converged: Tensor

    @classmethod
    def of(
        cls,
        products: Tensor,
        path: Path,
        output: Tensor,
        baseline_output: Tensor,
        tol: float,
        dtype: torch.dtype,
    ) -> Sums:
        """Of δ · ḡ, shape (S, T, *shape), for F at both ends, shape (S, T), of a model in `dtype`."""
        flat = products.flatten(2)
        gap = flat.sum(-1) - (output - baseline_output) - path.correction
        scale = flat.abs().sum(-1), output, baseline_output, tol, dtype
        limit = gap_limit(*scale)
        complete = is_complete(gap, path.correction, limit, correctable_gap(*scale))
        return cls(gap, limit, complete if path.converged is None else complete & path.converged)


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """Dtype of projections and results: the model's, but no less than float32.

    In half precision there are neither Fourier transforms nor angles.
    """
    return dtype if dtype in (torch.float32, torch.float64) else torch.float32
