"""What callers may give as a baseline, read once, at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .._tensor_check import check_real
from ..signals import Signal, aligned, as_tensor, labelled
from .base import Baseline, digest

RULES = {
    "zero": "",
    "dc": "",
    "band_removed": "low, high",
    "flat_envelope": "low, high",
    "flat_log_spectrum": "",
    "surrogate": "",
    "noise": "",
    "data": "samples",
}
"""Names of the rules, and what they must be given."""


def draw_baselines(
    baseline: Any, x: Tensor, time_axis: int, fs: float | None, labels: Signal | None = None
) -> Tensor:
    """Baselines of every sample, whatever was given.

    Parameters
    ----------
    baseline : Baseline, array-like or None
        A rule of `freqig.baselines`, or values as `read_baseline` takes them.
    x : torch.Tensor
        Signals, shape (N, *axes, n), time last.
    time_axis : int
        Axis of time in the input's own layout.
    fs : float or None
        Sampling rate in Hz.
    labels : Signal, optional
        What `x` says of itself. Baselines with labels of their own are put in its order, rate and unit.

    Returns
    -------
    torch.Tensor
        Shape (B, N, *axes, n), floating; B is 1 unless attributions are averaged over several,
        and where there are no signals. Often an expanded view: do not write to it.

    Raises
    ------
    TypeError, ValueError
        If the baseline is of another kind or shape, or not finite.

    Examples
    --------
    >>> from freqig.baselines import dc
    >>> draw_baselines(dc(), torch.tensor([[1.0, 3.0]]), -1, fs=None).shape
    torch.Size([1, 1, 2])
    """
    known = Signal(x, fs) if labels is None else labels
    if not isinstance(baseline, Baseline):
        _refuse_names(baseline)
        return _read(baseline, known, time_axis)[None]
    if len(x) == 0:
        # Fourier transforms refuse empty batches.
        return torch.zeros((1, *x.shape), device=x.device)
    drawn: Any = baseline.beside(known, time_axis).draw(x, fs)
    if not isinstance(drawn, Tensor) or drawn.shape[1:] != x.shape or len(drawn) == 0:
        got = tuple(drawn.shape) if isinstance(drawn, Tensor) else type(drawn).__name__
        raise ValueError(
            f"draw of baseline {type(baseline).__name__} must return a tensor of shape "
            f"(baselines, {', '.join(map(str, x.shape))}), got {got}"
        )
    values = as_tensor(drawn, "baseline")
    for one in values:
        check_real(one, "baseline")
    return values if values.is_floating_point() else values.to(torch.float32)


def check_baseline(baseline: Any) -> None:
    """Refuse what is a baseline of no signals, before there are any.

    Parameters
    ----------
    baseline : Baseline, array-like or None
        As `draw_baselines` takes it.

    Raises
    ------
    TypeError, ValueError
        If it is of another kind, a single number, or not finite.

    Examples
    --------
    >>> check_baseline(None)
    >>> check_baseline(0)
    Traceback (most recent call last):
    ValueError: baseline must have the shape of the input or of one of its series, got a single number: ...
    """
    if baseline is None or isinstance(baseline, Baseline):
        return
    _refuse_names(baseline)
    values = labelled(baseline, "baseline").values
    if values.ndim == 0:
        raise ValueError(
            "baseline must have the shape of the input or of one of its series, got a single number: omit it "
            "for zero, or pass numpy.full(shape, number)"
        )
    check_real(values, "baseline")


def describe_baseline(baseline: Any, x: Tensor | None = None) -> dict[str, Any]:
    """What a baseline was, for the settings of a result, as JSON can hold it.

    Parameters
    ----------
    baseline : Baseline, array-like or None
        As `draw_baselines` takes it.
    x : torch.Tensor, optional
        The batch that it was drawn for. Random baselines depend on the place in it, so what tells
        this batch from others is noted with them.

    Examples
    --------
    >>> from freqig.baselines import band_removed
    >>> describe_baseline(None), describe_baseline([0.0]), describe_baseline(band_removed(8, 12))
    ({'name': 'zero'}, {'name': 'given'}, {'name': 'band_removed', 'low': 8.0, 'high': 12.0})
    """
    if isinstance(baseline, Baseline):
        told = baseline.describe()
        return {**told, "batch": digest(x)} if x is not None and "seed" in told else told
    return {"name": "zero" if baseline is None else "given"}


def rebuilt_baseline(description: Mapping[str, Any], x: Tensor) -> Baseline:
    """The baseline that settings of a result describe, see `describe_baseline`.

    Parameters
    ----------
    description : mapping
        Its entry in the settings.
    x : torch.Tensor
        Signals of the result.

    Raises
    ------
    ValueError
        If it was given as values, is a rule of the caller's own, or random and made for other signals.

    Examples
    --------
    >>> told = {"name": "band_removed", "low": 8.0, "high": 12.0}
    >>> rebuilt_baseline(told, torch.zeros(1, 4)).describe() == told
    True
    """
    from .. import baselines as rules

    told = {key: value for key, value in description.items() if key not in ("name", "batch")}
    name = str(description.get("name"))
    if name not in RULES or "sha256" in told:
        what = "values that were given" if name in ("given", "data") else f"the rule {name!r}"
        raise ValueError(f"baseline was {what}, which settings do not hold: pass baseline= as it was")
    if "seed" in told and description.get("batch") != digest(x):
        raise ValueError(
            f"baseline was {name}(...), which depends on the place of a sample in its batch, and the result "
            "no longer holds this batch: pass the result as it came, and choose with sample="
        )
    baseline: Baseline = getattr(rules, name)(**told)
    return baseline


def read_baseline(baseline: Any, x: Tensor, time_axis: int) -> Tensor:
    """Baseline of every sample, shape of `x`; zero where none is given.

    Parameters
    ----------
    baseline : array-like or None
        Of the shape of the input or of one of its series, in the input's own layout.
    x : torch.Tensor
        Signals, shape (N, *axes, n), time last.
    time_axis : int
        Axis of time in the input's own layout.

    Raises
    ------
    ValueError
        If the shape fits neither, or a value is not finite.
    """
    return _read(baseline, Signal(x), time_axis)


def _read(baseline: Any, known: Signal, time_axis: int) -> Tensor:
    x = known.values
    if baseline is None:
        return torch.zeros((), dtype=torch.float32).expand(x.shape)
    values = aligned(labelled(baseline, "baseline"), known, time_axis, "baseline")
    if tuple(values.shape) not in (tuple(x.shape), tuple(x.shape[1:])):
        own = list(x.shape)
        own.insert(time_axis % x.ndim, own.pop())
        raise ValueError(
            f"baseline must have the shape of the input, {tuple(own)}, or of one of its series, "
            f"{tuple(own[1:])}, got {tuple(values.shape)}"
        )
    check_real(values, "baseline")
    return values.expand(x.shape)


def _refuse_names(baseline: Any) -> None:
    """Rules of `freqig.baselines` that were named and not made."""
    if isinstance(baseline, str):
        known = baseline in RULES
        raise TypeError(
            f"baseline must be numeric or a rule of freqig.baselines, got the text {baseline!r}: "
            + (f"write freqig.baselines.{baseline}({RULES[baseline]})" if known else "the rules are ")
            + ("" if known else ", ".join(f"{rule}({arguments})" for rule, arguments in RULES.items()))
        )
    if callable(baseline) and not isinstance(baseline, Tensor):
        name = getattr(baseline, "__name__", repr(baseline))
        raise TypeError(f"baseline must be a baseline, not what makes one: write {name}(), with parentheses")
