"""Refuses domains that would lose a part of signals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ..errors import add_context
from .base import Coefficients, Domain

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
ROUNDING = 1e-3
"""What rounding in float32 may lose beyond that, a tenth of the default tolerance of attributions. Fourier
transforms of awkward lengths lose more than 1e-5 in the kernels of some processors."""
SEED = 20170304
BLOCK = 2**20
"""Values a block of signals has at most, so that memory does not grow with the batch. Coefficients, and what
they are made of, are several times as many."""


def of_rows(domain: Domain, rows: Tensor) -> Domain:
    """A domain for samples by their places, which begin anew for every baseline."""
    return domain if domain.n_samples is None else domain.of_samples(rows % domain.n_samples)


def check_inversion(domain: Domain, x: Tensor, baseline: Tensor) -> None:
    """Check synthesize(analyze(δ)) = δ on the data and on a random probe, and linearity.

    Parameters
    ----------
    domain : Domain
        A bound domain.
    x, baseline : torch.Tensor
        Signals and baselines, float32 or float64, shape (N, *channels, n).

    Notes
    -----
    In float32 a loss may be the domain's or that of rounding, which depends on lengths and processors.
    Rounding vanishes in float64, so what fails in float32 is checked again there, by the same tolerance.

    Raises
    ------
    ValueError
        If δ, or a probe with a fixed seed, comes back with a relative error above 1e-9 in float64
        or 1e-5 in float32, largest error to largest value, or 1e-3 where it is that of rounding; if
        values overflow; if `synthesize` is not linear; or if autograd cannot find its adjoint.

    Examples
    --------
    >>> from freqig.domains import RFFT
    >>> class Doubled(RFFT):
    ...     def synthesize(self, c, n):
    ...         return 2 * super().synthesize(c, n)
    >>> try:
    ...     check_inversion(Doubled(), torch.ones(1, 8), torch.zeros(1, 8))
    ... except ValueError as error:
    ...     print(error)
    domain 'doubled' must invert, ... got 1 for a random probe: ...
    """
    if domain.inverts != "checked":
        return
    try:
        _check(domain, x, baseline, x.dtype, TOLERANCE[x.dtype])
    except Exception as error:
        if isinstance(error, _LossError) and _is_rounding(domain, x, baseline):
            return
        add_context(error, f"domain {domain.name!r} on signals of shape {tuple(x.shape[1:])}")
        raise


class _LossError(ValueError):
    """Something came back otherwise than it went, which may be rounding."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.message = message


def _is_rounding(domain: Domain, x: Tensor, baseline: Tensor) -> bool:
    """Whether what fails in float32 holds in float64; ValueError where rounding is beyond bearing."""
    if x.dtype == torch.float64:
        return False
    try:
        _check(domain, x, baseline, torch.float64, TOLERANCE[torch.float32])
    except Exception:  # noqa: BLE001 - a domain may know one dtype only: the error at hand stands
        return False
    try:
        _check(domain, x, baseline, x.dtype, ROUNDING)
    except _LossError as error:
        raise ValueError(
            f"{error.message}: in float64 nothing is lost. Pass dtype=torch.float64 to Explainer, or rescale "
            "signals that overflow"
        ) from None
    return True


def _check(domain: Domain, x: Tensor, baseline: Tensor, dtype: torch.dtype, tolerance: float) -> None:
    """Check a probe and the data in a dtype, by a tolerance relative to the largest value."""
    probe = _noise((1, *x.shape[1:]), x).to(dtype)
    first = of_rows(domain, torch.zeros(1, dtype=torch.int64))
    constant = _check_probe(first, probe, tolerance) if domain.linear else None
    if constant is None:
        _check_return(domain, probe, probe, constant, tolerance, "a random probe")
    for part in blocks(x):
        where = f"samples {part.start} to {part.stop - 1}"
        ends = x[part].to(dtype), baseline[part].to(dtype)
        rows = torch.arange(part.start, part.stop)
        _check_return(of_rows(domain, rows), *ends, constant, tolerance, where)


def _check_return(
    domain: Domain, x: Tensor, baseline: Tensor, constant: Tensor | None, tolerance: float, where: str
) -> None:
    """Check that signals, or their differences where the domain is linear, come back."""
    if constant is None:
        wanted, found = x, domain.synthesize(domain.analyze(x), x.shape[-1])
    else:
        wanted = x - baseline
        found = domain.synthesize(domain.analyze_pair(x, baseline), x.shape[-1]) - constant
    # A difference is known no better than its ends, which may be all but equal.
    ends = torch.maximum(x.abs(), baseline.abs())
    _check_same(domain, found, wanted, tolerance, where, torch.finfo(x.dtype).eps * ends)


def _check_same(
    domain: Domain, found: Tensor, wanted: Tensor, tolerance: float, where: str, known: Tensor | None = None
) -> None:
    """Raise where signals differ by more than the tolerance, and than what is `known` of them, by value."""
    n, kind = wanted.shape[-1], torch.finfo(wanted.dtype)
    if found.shape != wanted.shape:
        raise ValueError(
            f"synthesize of domain {domain.name!r} must give back signals of shape {tuple(wanted.shape)}, "
            f"got {tuple(found.shape)}: cut them to n = {n} samples"
        )
    axes = tuple(range(-len(domain.consumes), 0))
    error, scale = (found - wanted).abs().amax(axes), wanted.abs().amax(axes)
    if not bool(error.isfinite().all()) and float(scale.amax()) > math.sqrt(kind.max):
        raise _LossError(
            f"signals must be so small that domain {domain.name!r} does not overflow {_name(wanted.dtype)}, "
            f"got a largest value of {float(scale.amax()):.3g} for {where}",
            "rescale them, for example by choosing another unit",
        )
    # Below the least normal number digits are lost, or everything where a device flushes them to zero.
    error = (error - n * kind.tiny - (0 if known is None else known.amax(axes))).clamp_min(0)
    relative = torch.where(error == 0, error, error / scale).amax()
    # Also false where it is NaN.
    if not bool(relative <= tolerance):
        raise _LossError(
            f"domain {domain.name!r} must invert, synthesize(analyze(x)) = x to {tolerance:g} of the "
            f"largest value in {_name(wanted.dtype)}, or attributions would not add up; got "
            f"{float(relative):.2g} for {where}",
            "use a transform with perfect reconstruction, or keep what it loses as a further coefficient",
        )


def _check_probe(domain: Domain, probe: Tensor, tolerance: float) -> Tensor:
    """Check inversion, linearity and adjoint on a probe; return what an affine synthesis adds."""
    n = probe.shape[-1]
    c = domain.analyze_pair(probe, torch.zeros_like(probe))
    parts, held = domain.free_and_held(c)
    # Not in the range of the analysis: an overcomplete domain may be asked for any coefficients.
    others = tuple(_noise(tuple(part.shape), part) for part in parts)
    # One call for four syntheses: of nothing, of the probe, of the others, and of their sum.
    four = (
        *(
            torch.cat([torch.zeros_like(part), part, other, part + other])
            for part, other in zip(parts, others, strict=True)
        ),
        *(torch.cat([part] * 4) for part in held),
    )
    signals = domain.synthesize(four if isinstance(c, tuple) else four[0], n)
    constant: Tensor = signals[:1]
    one, two, both = (signals[i : i + 1] - constant for i in (1, 2, 3))
    _check_same(domain, one, probe, tolerance, "a random probe")
    scale = float((one.abs() + two.abs()).max())
    error = float((both - one - two).abs().max())
    if not error <= tolerance * scale:
        raise _LossError(
            f"synthesize of domain {domain.name!r} must be linear up to a constant, got a deviation of "
            f"{error / scale:.2g} from synthesize(a) + synthesize(b)",
            "a non-linear domain needs a path of its own, as Polar has",
        )
    _check_adjoint(domain, parts, _adjoint(domain, c, probe), one, probe, tolerance)
    return constant


def _adjoint(domain: Domain, c: Coefficients, probe: Tensor) -> tuple[Tensor, ...]:
    try:
        return domain.adjoint(c, probe)
    except RuntimeError as error:
        raise ValueError(
            f"synthesize of domain {domain.name!r} must consist of PyTorch operations that autograd can "
            "differentiate, with neither NumPy nor detach in between"
        ) from error


def _check_adjoint(
    domain: Domain,
    c: Sequence[Tensor],
    adjoint: Sequence[Tensor],
    signal: Tensor,
    g: Tensor,
    tolerance: float,
) -> None:
    left = float((signal * g).sum())
    right = sum(float((a.conj() * b).real.sum()) for a, b in zip(c, adjoint, strict=True))
    if not abs(left - right) <= tolerance * float(signal.norm() * g.norm()):
        raise _LossError(
            f"synthesize of domain {domain.name!r} must be differentiated by autograd as it computes, got "
            f"⟨S c, g⟩ = {left:.6g} but ⟨c, S* g⟩ = {right:.6g}",
            "is a part of it detached, or a backward of its own scaled wrongly?",
        )


def _noise(shape: tuple[int, ...], like: Tensor) -> Tensor:
    # A generator of its own: the random state of the caller stays as it is.
    generator = torch.Generator().manual_seed(SEED)
    dtype = torch.complex128 if like.is_complex() else torch.float64
    return torch.randn(shape, generator=generator, dtype=dtype).to(like)


def blocks(x: Tensor) -> Iterator[slice]:
    """Slices of signals, each of so many that memory does not grow with the batch."""
    each = max(1, BLOCK // max(1, x[:1].numel()))
    return (slice(i, min(i + each, len(x))) for i in range(0, len(x), each))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
