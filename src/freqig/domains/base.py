"""A domain: a linear way of writing a signal as coefficients, and what follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from .._check import check_name, shown
from .._keywords import says_what_is_meant

Coefficients = Tensor | tuple[Tensor, ...]
Coordinate = Sequence[float] | Sequence[str] | np.ndarray
Coords = Mapping[str, Coordinate | tuple[Coordinate, str]]


class Domain(ABC):
    """Coefficients in which a signal is explained.

    A subclass states `analyze`, `synthesize` with synthesize(analyze(x)) = x, and `coords`.
    Attributions follow from the path-averaged gradient ḡ and δ = x - x' as

        attribution_k = Re(conj(c_k) · (S* ḡ)_k),   c = analyze(δ),   S* adjoint of synthesize,

    and sum to Σ δ·ḡ in every domain. The adjoint comes from autograd, so `synthesize` consists
    of PyTorch operations. Where analysis or synthesis adds a constant, as a mean that was
    removed, only the linear part counts: constants are the same at x and x'.

    Parameters
    ----------
    name : str, optional
        Name of the variable in the result; the class name in lower case by default.

    Attributes
    ----------
    whole : str, optional
        Name of what it is a part of: parts with one such name are known as well as their sum is.
    consumes : tuple of str
        Dimensions of the signal that the coefficients replace, `("time",)` by default;
        `("channel", "time")` for maps over channels.
    shared : tuple of str
        Dimensions that keep their name in the result; others are prefixed with the domain's.
    series : bool
        Whether the coefficients are series again, shape (..., row, n), so that another domain
        may follow with `>>`.
    linear : bool
        Whether `synthesize` is linear, up to a constant, so that the path of all domains serves it too.
    inverts : {"checked", "always", "partly"}
        Whether synthesize(analyze(x)) = x: to be checked before the model runs, true by
        construction, or true of a part of the signal only, whose share the attributions sum to.
        A subclass of a domain that always inverts is checked, unless it says that it does too.
    affine : bool
        Whether `analyze` may add a constant, as a mean that was removed. Then zeros are analyzed
        too, to take it out. A subclass with an `analyze` of its own may, unless it says not.
    held : int
        How many of the last tensors of coefficients are the same at x and x', as the carrier of an envelope:
        `synthesize`, which is linear in all others, needs them. They get no attributions. 0 by default.

    Examples
    --------
    >>> class Halves(Domain):
    ...     "Even and odd part of a series about its middle."
    ...     def analyze(self, x):
    ...         return torch.stack([x + x.flip(-1), x - x.flip(-1)], -2) / 2
    ...     def synthesize(self, c, n):
    ...         return c.sum(-2)
    ...     def coords(self, n, fs):
    ...         return {"part": ["even", "odd"], "time": np.arange(n) / (fs or 1)}
    >>> Halves().attribution(torch.tensor([1.0, 3.0]), torch.ones(2)).sum(-1)
    tensor([4., 0.])
    """

    name: str
    whole: str | None = None
    consumes: tuple[str, ...] = ("time",)
    shared: tuple[str, ...] = ("channel",)
    series: bool = False
    linear: bool = True
    inverts: Literal["checked", "always", "partly"] = "checked"
    affine: bool = True
    held: int = 0

    @says_what_is_meant
    def __init__(self, name: str | None = None) -> None:
        if name is not None:
            self.name = check_name(name)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A subclass with an __init__ of its own need not call ours to have a name.
        own = cls.__dict__
        if "name" not in own:
            cls.name = cls.__name__.lower()
        # What a class says of its own methods need not be true of those of a subclass.
        if "inverts" not in own and cls.inverts == "always":
            cls.inverts = "checked"
        if "synthesize" in own and "adjoint" not in own:
            cls.adjoint = Domain.adjoint  # type: ignore[method-assign]
        if "affine" not in own and "analyze" in own:
            cls.affine = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    def __rshift__(self, other: Any) -> Domain:
        """Another domain applied to the series that this one gives: `ICA(fitted) >> RFFT()`."""
        # It is a domain itself, and imports this module.
        from .composition import Composition

        if not isinstance(other, Domain):
            named = isinstance(other, type) and issubclass(other, Domain)
            hint = ", write it with parentheses" if named else ""
            raise TypeError(f"both sides of >> must be freqig.Domain instances, got {shown(other)}{hint}")
        return Composition(self, other)

    @abstractmethod
    def analyze(self, x: Tensor) -> Coefficients:
        """Coefficients of signals, shape (..., n) to (..., *coefficients), real or complex.

        Coefficients of several lengths are a tuple of tensors; then `assemble` says how they
        stand together in the result.
        """

    @abstractmethod
    def synthesize(self, c: Any, n: int) -> Tensor:
        """Signals of n samples from coefficients: inverts `analyze`, and is linear."""

    @abstractmethod
    def coords(self, n: int, fs: float | None) -> Coords:
        """Dimensions of the coefficients, in order, with their coordinates.

        Parameters
        ----------
        n : int
            Number of time samples.
        fs : float or None
            Sampling rate in Hz; None where unknown.

        Returns
        -------
        mapping
            From a dimension to its values, or to a pair of values and unit.
        """

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Domain:
        """The domain made ready for signals of a shape (*channels, n) and sampling rate.

        Parameters
        ----------
        shape : tuple of int
            Axes of one signal, time last.
        fs : float or None
            Sampling rate in Hz; None where unknown.

        Returns
        -------
        Domain
            Itself, or a copy that knows windows in samples and the like.

        Raises
        ------
        ValueError
            If the domain cannot represent such signals.
        """
        return self

    @property
    def n_samples(self) -> int | None:
        """How many samples it is made for, where it knows something of each; None where it serves any."""
        return None

    def of_samples(self, rows: Tensor) -> Domain:
        """The domain for some of its samples, bound or not; itself where it serves any.

        Parameters
        ----------
        rows : torch.Tensor
            Which of `n_samples` samples, int64, in the order of the signals that `analyze` is given.

        Returns
        -------
        Domain
            With the coordinates that it has for all of them.
        """
        return self

    def prepare(self, x: Tensor, baseline: Tensor) -> Domain:
        """The bound domain made ready for the data, where its coefficients depend on them.

        Parameters
        ----------
        x, baseline : torch.Tensor
            Some of the signals and their baselines, shape (S, *channels, n). Called block after
            block, each time on the domain that the block before left.

        Returns
        -------
        Domain
            Itself, or a copy that knows more.

        Raises
        ------
        ValueError
            If the domain does not hold for x - x'.
        """
        return self

    def admit(self, x: Tensor, baseline: Tensor) -> Tensor:
        """The baseline next to a given one whose x - x' this bound domain holds for; any by default.

        Parameters
        ----------
        x, baseline : torch.Tensor
            Signals and baselines, shape (..., n).

        Returns
        -------
        torch.Tensor
            Baselines that `prepare` accepts, the shape of `x`.
        """
        return baseline

    def analyze_pair(self, x: Tensor, baseline: Tensor) -> Coefficients:
        """Coefficients of x - x': the linear part of `analyze`, applied to the difference.

        Override it where the analysis is not linear but the synthesis is; then
        synthesize(analyze(x) - analyze(x')) = x - x' still holds.

        Parameters
        ----------
        x, baseline : torch.Tensor
            Signals and baselines, shape (..., n).

        Returns
        -------
        torch.Tensor or tuple of torch.Tensor
            c, as `analyze` returns it.
        """
        delta = x - baseline
        if not self.affine:
            return self.analyze(delta)
        origin = self.analyze(delta.new_zeros(delta.shape[-len(self.consumes) :]))
        differences = tuple(
            part - constant if bool(constant.any()) else part
            for part, constant in zip(as_tuple(self.analyze(delta)), as_tuple(origin), strict=True)
        )
        return differences if isinstance(origin, tuple) else differences[0]

    def auxiliary(self, n: int, fs: float | None) -> Mapping[str, tuple[tuple[str, ...], Coordinate, str]]:
        """Further coordinates along the dimensions, such as the edges of bands; none by default.

        Returns
        -------
        mapping
            From a name, which is prefixed with the domain's in the result, to keys of `coords`,
            values of the shape of these dimensions, and unit.
        """
        return {}

    def remark(self, n: int) -> str:
        """What a reader must know of this bound domain for signals of n samples; nothing by default."""
        return ""

    def dims(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Names that dimensions of `coords` have in the result."""
        return tuple(key if key in self.shared else f"{self.name}_{key}" for key in keys)

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        """Attributions of several tensors of coefficients as one array, NaN where there is none."""
        if len(parts) != 1:
            raise TypeError(
                f"domain {self.name!r} has {len(parts)} tensors of coefficients: it must define "
                "assemble(parts), which puts their attributions into one tensor"
            )
        return parts[0]

    def free_and_held(self, c: Coefficients) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Tensors of coefficients that have attributions, and those that are held."""
        parts = as_tuple(c)
        count = len(parts) - self.held
        return parts[:count], parts[count:]

    def adjoint(self, c: Coefficients, gradient: Tensor) -> tuple[Tensor, ...]:
        """Apply the adjoint of `synthesize` to a gradient, by autograd.

        Where a closed form takes half of the time, as for adaptive paths, which are looked at in every
        domain again and again, a domain may override it. It then holds for this `synthesize` only: a
        subclass with another one has that of autograd again.

        Parameters
        ----------
        c : torch.Tensor or tuple of torch.Tensor
            Coefficients whose shapes and dtypes the result has; their values do not matter,
            `synthesize` being linear; those of coefficients that are held do.
        gradient : torch.Tensor
            Gradient with respect to the signal, shape (..., n).

        Returns
        -------
        tuple of torch.Tensor
            S* gradient, with PyTorch's convention for complex numbers, for all but what is held.
        """
        with torch.inference_mode(False), torch.enable_grad():
            free, held = self.free_and_held(c)
            leaves = tuple(part.detach().clone().requires_grad_() for part in free)
            given = (*leaves, *held) if isinstance(c, tuple) else leaves[0]
            signal = self.synthesize(given, gradient.shape[-1])
            return torch.autograd.grad(signal, leaves, gradient.to(signal.dtype), materialize_grads=True)

    def products(self, c: Coefficients, mean_gradient: Tensor) -> tuple[Tensor, ...]:
        """Attributions of every coefficient; their sums add up to Σ synthesize(c)·ḡ.

        Parameters
        ----------
        c : torch.Tensor or tuple of torch.Tensor
            Coefficients of x - x', from `analyze_pair`. They serve every gradient.
        mean_gradient : torch.Tensor
            Path-averaged gradient, shape (..., n).

        Returns
        -------
        tuple of torch.Tensor
            Real attributions, shapes of the coefficients that are not held.
        """
        pairs = zip(self.free_and_held(c)[0], self.adjoint(c, mean_gradient), strict=True)
        return tuple(_real_product(part, adjoint) for part, adjoint in pairs)

    def parts(self, delta: Tensor, mean_gradient: Tensor) -> tuple[Tensor, ...]:
        """Attributions of every tensor of coefficients; their sums add up to Σ δ·ḡ.

        Parameters
        ----------
        delta : torch.Tensor
            x - x', shape (..., n).
        mean_gradient : torch.Tensor
            Path-averaged gradient, the shape of `delta`.

        Returns
        -------
        tuple of torch.Tensor
            Real attributions, shapes of the coefficients.
        """
        return self.products(self.analyze_pair(delta, torch.zeros_like(delta)), mean_gradient)

    def attribution(self, delta: Tensor, mean_gradient: Tensor) -> Tensor:
        """Attributions as they stand in the result, shape (..., *coefficients)."""
        return self.assemble(self.parts(delta, mean_gradient))


def values_and_unit(content: Coordinate | tuple[Coordinate, str]) -> tuple[np.ndarray, str]:
    """A coordinate, as `coords` gives it, as its values and their unit, which is empty where it has none.

    Examples
    --------
    >>> values_and_unit(([0.0, 0.5], "s")), values_and_unit(("Fz", "Cz"))
    ((array([0. , 0.5]), 's'), (array(['Fz', 'Cz'], dtype='<U2'), ''))
    """
    # Two names are a tuple as well, though none of values and unit.
    if isinstance(content, tuple) and len(content) == 2 and not isinstance(content[0], str):
        values, unit = content
        return np.asarray(values), str(unit)
    return np.asarray(content), ""


def as_tuple(c: Coefficients) -> tuple[Tensor, ...]:
    """Coefficients as a tuple of tensors, of which most domains have one."""
    return c if isinstance(c, tuple) else (c,)


def _real_product(c: Tensor, adjoint: Tensor) -> Tensor:
    if c.is_complex():
        return c.real * adjoint.real + c.imag * adjoint.imag
    return c * adjoint
