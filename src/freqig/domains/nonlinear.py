"""Domains whose synthesis is not linear, and which therefore need a path of their own."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from .base import Coefficients, Domain


class NonlinearDomain(Domain):
    """Coordinates c of a signal S(c), S not linear: Integrated Gradients of F ∘ S.

    The path is straight in the coordinates and curved in the signal, so the path-averaged
    gradient that linear domains share says nothing here. With ends c = A(x), c' = A(x') and
    ḡ_c = ∫₀¹ ∇(F ∘ S)(c' + α (c - c')) dα,

        attribution_k = (c_k - c'_k) · (ḡ_c)_k,

    eq. 1 of Sundararajan, Taly, Yan: Axiomatic Attribution for Deep Networks (2017). It adds up
    to F(S(c)) - F(S(c')).

    Subclasses state `analyze`, a differentiable `synthesize`, `coords`, and `coordinates` where
    the ends depend on one another. Coordinates are one real tensor of shape (..., *coordinates).

    Examples
    --------
    >>> class Logarithm(NonlinearDomain):
    ...     "Positive signals by their logarithms: which factors mattered."
    ...     shared = ("channel", "time")
    ...     def analyze(self, x):
    ...         return x.log()
    ...     def synthesize(self, c, n):
    ...         return c.exp()
    ...     def coords(self, n, fs):
    ...         return {"time": range(n)}
    >>> c1, c0 = Logarithm().coordinates(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    >>> c1 - c0
    tensor([0.0000, 0.6931])
    """

    linear = False

    @abstractmethod
    def analyze(self, x: Tensor) -> Tensor:
        """Coordinates of signals by themselves, shape (..., n) to (..., *coordinates), real."""

    @abstractmethod
    def synthesize(self, c: Any, n: int) -> Tensor:
        """Signals of n samples from coordinates, differentiable; inverts `analyze`."""

    def coordinates(self, x: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        """Ends of the path.

        Parameters
        ----------
        x, baseline : torch.Tensor
            Signals and baselines, shape (..., n), float32 or float64.

        Returns
        -------
        c1, c0 : torch.Tensor
            Coordinates of x and x', real, shape (..., *coordinates).
        """
        return self.analyze(x), self.analyze(baseline)

    def counts(self, c: Tensor) -> dict[str, Tensor]:
        """What the result counts in the coordinates of inputs, one number per sample; nothing by default.

        Parameters
        ----------
        c : torch.Tensor
            Coordinates, shape (S, *channels, *coordinates).

        Returns
        -------
        dict of str to torch.Tensor
            Int64, shape (S,), by a name that starts with ``"n_"``.
        """
        return {}

    def analyze_pair(self, x: Tensor, baseline: Tensor) -> Coefficients:
        """There is no linear part: raises TypeError, so that no straight path is projected here."""
        raise TypeError(
            f"domain {self.name!r} must be explained along a path of its own, got one of linear domains: "
            "its synthesis is not linear"
        )


def attribution_shape(domain: Domain, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the attributions of signals of a shape, for linear and other domains.

    Parameters
    ----------
    domain : Domain
        A bound domain.
    shape : tuple of int
        Shape of signals, (..., n).

    Returns
    -------
    tuple of int
        (..., *coefficients).

    Examples
    --------
    >>> from freqig.domains import RFFT
    >>> attribution_shape(RFFT(), (3, 2, 8))
    (3, 2, 5)
    """
    zeros = torch.zeros(shape)
    if isinstance(domain, NonlinearDomain):
        return tuple(domain.assemble((domain.analyze(zeros),)).shape)
    return tuple(domain.attribution(zeros, zeros).shape)
