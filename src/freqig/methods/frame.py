"""Masks over the coefficients of a domain: the signals that they leave, and the slope of F along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..domains import Domain
from ..domains.base import Coefficients
from ..explain.projection import working_dtype
from ..objective.paths import Paths
from ..signals.axes import Axes


@dataclass(frozen=True)
class Frame:
    """Coefficients c of x - x' of S samples, of which masks leave a part.

    The signal of a mask m is x - synthesize((1 - m) · c): m = 1 leaves x as it is, to the bit, and m = 0
    puts it to the baseline. Masks are flat, one number per coefficient, K of them: a complex
    coefficient has one, so that its phase stays.

    Parameters
    ----------
    domain : Domain
        A linear domain made ready.
    free, held : tuple of torch.Tensor
        Coefficients that masks are of, and those that the domain keeps, shape (S, ...).
    x : torch.Tensor
        Inputs, shape (S, *shape), in the dtype of the model.
    shape : tuple of int
        Axes of one signal that appear in the result, time last.
    together : bool
        Whether the domain takes its coefficients as a tuple.
    fs : float or None
        Sampling rate in Hz.
    """

    domain: Domain
    free: tuple[Tensor, ...]
    held: tuple[Tensor, ...]
    x: Tensor
    shape: tuple[int, ...]
    together: bool
    fs: float | None

    @classmethod
    def of(cls, paths: Paths, axes: Axes, domain: Domain) -> Frame:
        """Analyze the ends of paths."""
        shape, dtype = (*axes.sizes, axes.n), working_dtype(paths.x.dtype)
        ends = [end.to(dtype).reshape(len(paths), *shape) for end in (paths.x, paths.baseline)]
        c = domain.of_samples(torch.arange(len(paths)) + paths.objective.offset).analyze_pair(*ends)
        free, held = domain.free_and_held(c)
        return cls(domain, free, held, paths.x, shape, isinstance(c, tuple), axes.fs)

    @property
    def count(self) -> int:
        """K, the coefficients of one sample."""
        return sum(part[0].numel() for part in self.free)

    @cached_property
    def largest(self) -> tuple[Tensor, ...]:
        """The largest coefficient of each sample, by size, of each part and in its number of axes."""
        sizes = (part.abs().flatten(1).amax(1).reshape(-1, *(1,) * (part.ndim - 1)) for part in self.free)
        return tuple(sizes)

    @property
    def left(self) -> int:
        """Axes of coefficients that are those of the signal, such as channels."""
        return len(self.shape) - len(self.domain.consumes)

    def points(self, masks: Tensor, rows: Tensor) -> Tensor:
        """Signals that masks leave.

        Parameters
        ----------
        masks : torch.Tensor
            Real, shape (P, K).
        rows : torch.Tensor
            Samples that they are for, int64, shape (P,).

        Returns
        -------
        torch.Tensor
            In the dtype of the model, shape (P, *shape).
        """
        parts = zip(self.split(1 - masks), self.free, strict=True)
        return self.without(tuple(m * c[rows] for m, c in parts), rows)

    def without(self, gone: Sequence[Tensor], rows: Tensor) -> Tensor:
        """Signals of which coefficients were taken away, shape (P, *shape)."""
        given = self._with_held(gone, rows)
        lost = self.domain.synthesize(given, self.shape[-1]).reshape(len(rows), *self.x.shape[1:])
        return (self.x[rows].to(lost.dtype) - lost).to(self.x.dtype)

    def slopes(self, gradients: Tensor, rows: Tensor) -> Tensor:
        """∂F/∂m_k = Re(conj(c_k) · (S*∇F)_k) from gradients at points, shape (P, *shape) to (P, K)."""
        given = self._with_held([c[rows] for c in self.free], rows)
        return self.flat(self.domain.products(given, self._arranged(gradients)))

    def split(self, flat: Tensor) -> tuple[Tensor, ...]:
        """Numbers per coefficient, shape (P, K), by part of the coefficients, each of its shape."""
        sizes = [part[0].numel() for part in self.free]
        parts = torch.split(flat, sizes, -1)
        return tuple(
            one.reshape(*flat.shape[:-1], *part.shape[1:]) for one, part in zip(parts, self.free, strict=True)
        )

    def flat(self, parts: Sequence[Tensor]) -> Tensor:
        """Numbers per coefficient, one row per point, shape (P, K)."""
        return torch.cat([part.flatten(1) for part in parts], -1)

    def placed(self, values: Tensor) -> Tensor:
        """Numbers as they stand in the result, from shape (S, T, K) to (S, T, *axes, *coefficients)."""
        dtype = working_dtype(self.x.dtype)
        found = self.domain.assemble(self.split(values.flatten(0, 1).to(dtype)))
        return found.reshape(*values.shape[:2], *found.shape[1:])

    def _arranged(self, gradients: Tensor) -> Tensor:
        return gradients.reshape(len(gradients), *self.shape).to(working_dtype(self.x.dtype))

    def _with_held(self, free: Sequence[Tensor], rows: Tensor) -> Coefficients:
        parts = (*free, *(part[rows] for part in self.held))
        return parts if self.together else parts[0]
