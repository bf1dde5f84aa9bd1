"""Units with SI prefixes, and a word where a signal is in volts and the model hardly sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import SignalWarning, warn
from .signal import Signal

PREFIXES = {"G": 9, "M": 6, "k": 3, "": 0, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
BASES = ("V", "T", "T/m", "A", "Pa", "g", "m/s^2", "m/s", "m", "rad/s", "Hz", "S", "N", "W")
PREFIX_WORDS = {"nano": "n", "micro": "u", "milli": "m", "kilo": "k", "femto": "f", "pico": "p", "": ""}
BASE_WORDS = {"volt": "V", "tesla": "T", "pascal": "Pa", "ampere": "A", "gram": "g", "newton": "N"}
OF_NETWORKS = {"V": "uV", "T": "fT"}
"""Units that networks learn from, in place of those that recordings are kept in."""
UNKNOWN = "an unknown unit"
"""Of channels whose unit is not known, beside which no unit is that of the recording."""
IN_WORDS = {"uV": "microvolts", "fT": "femtotesla"}
HARDLY = 1e-3
"""Change of an output that decides nothing: logits move by 1 or 10, and a millionth of that in volts."""


def factor(given: str, wanted: str) -> float | None:
    """By what to multiply values in one unit to have them in another.

    Returns
    -------
    float or None
        None where one of them is unknown, or they measure different things.

    Examples
    --------
    >>> factor("µV", "V"), factor("mV", "uV"), factor("V", "T")
    (1e-06, 1000.0, None)
    """
    if given.strip() == wanted.strip():
        return 1.0
    first, second = _parsed(given), _parsed(wanted)
    if first is None or second is None or first[0] != second[0]:
        return None
    return float(f"1e{first[1] - second[1]}")


def is_unit(text: str) -> bool:
    """Whether this is a unit that is known.

    Examples
    --------
    >>> is_unit("µV"), is_unit("left")
    (True, False)
    """
    return _parsed(text) is not None


def unit_of_all(units: Iterable[str | None]) -> str | None:
    """The unit of channels that have these; None where none is known, and all of them where they differ.

    Examples
    --------
    >>> unit_of_all(["uV", "uV"]), unit_of_all(["V", None])
    ('uV', 'V and an unknown unit')
    """
    found = {part for unit in units for part in (unit or UNKNOWN).split(" and ")}
    return None if found == {UNKNOWN} else " and ".join(sorted(found))


def in_one_unit(values: np.ndarray, units: Sequence[str | None]) -> tuple[np.ndarray, str | None]:
    """Rows of channels in the unit of the first, where all measure the same.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (channel, time).
    units : sequence of str or None
        One per channel.

    Returns
    -------
    values : numpy.ndarray
        Rows in other units times a power of ten; as they are where one measures something else.
    unit : str or None
        See `unit_of_all`.

    Examples
    --------
    >>> in_one_unit(np.ones((2, 1)), ["uV", "mV"])
    (array([[   1.],
           [1000.]]), 'uV')
    """
    first = units[0]
    by = [None if first is None or unit is None else factor(unit, first) for unit in units]
    if None in by or set(by) == {1.0}:
        return values, unit_of_all(units)
    return values * np.array(by, dtype=np.float64)[:, None], first


def converted(values: Tensor, given: str | None, wanted: str | None, name: str) -> Tensor:
    """Values in the unit wanted, where both units are known.

    Raises
    ------
    ValueError
        If the one cannot be converted to the other.
    """
    if given is None or wanted is None:
        return values
    by = factor(given, wanted)
    if by is None:
        raise ValueError(f"{name} must be in the unit of x, {wanted!r}, got {given!r}: convert one of them")
    return values if by == 1 else values.to(torch.float64) * by


def read_unit(unit: Any) -> str:
    """A unit that is known, such as "uV".

    Raises
    ------
    TypeError, ValueError
        If it is no text, or not known.
    """
    if not isinstance(unit, str):
        raise TypeError(f"unit must be the name of a unit, such as 'uV', got {unit!r}")
    if _parsed(unit) is None:
        raise ValueError(f"unit must be one of {', '.join(BASES)}, with a prefix or without, got {unit!r}")
    return unit


def in_unit(signal: Signal, unit: str | None, name: str) -> Signal:
    """A signal in the unit that the model takes; one without a unit is taken to have it.

    Raises
    ------
    ValueError
        If its own measures something else.

    Examples
    --------
    >>> signal = in_unit(Signal(torch.tensor([[1e-6, 2e-6]]), unit="V"), "uV", "x")
    >>> signal.unit, signal.values.tolist()
    ('uV', [[1.0, 2.0]])
    """
    if unit is None:
        return signal
    if signal.unit is None:
        return replace(signal, unit=unit)
    by = factor(signal.unit, unit)
    if by is None:
        raise ValueError(
            f"unit must be one of what {name} measures, which is in {signal.unit}, got unit={unit!r}: pass "
            f"the unit that the model takes, or correct that of {name}"
            + (
                ", or pick channels of one kind, or scale them and pass an array"
                if " and " in signal.unit
                else ""
            )
        )
    values = signal.values if by == 1 else (signal.values.to(torch.float64) * by).to(_floating(signal.values))
    return replace(signal, values=values, unit=unit, given_unit=signal.unit)


def _floating(values: Tensor) -> torch.dtype:
    return values.dtype if values.dtype.is_floating_point else torch.float64


def hint_at_unit(
    signal: Signal, rise: Tensor, name: str = "x", rise_in: Callable[[str, float], Tensor] | None = None
) -> None:
    """Warn where a signal has the unit of a recording, and outputs hardly move from baseline to input.

    Most networks learned from microvolts, and in volts every signal is silence to them. Where the
    output does move, the model knows volts, and nothing is said.

    Parameters
    ----------
    signal : Signal
        What is explained.
    rise : torch.Tensor
        Differences of outputs that are explained.
    name : str
        Name of the signal in the warning.
    rise_in : callable, optional
        The same differences for signals in another unit, from its name and what to multiply with; where
        the model is explained by an `Explainer`, which takes a unit.
    """
    parsed = None if signal.unit is None else _parsed(signal.unit)
    if parsed is None or parsed[0] not in OF_NETWORKS or signal.values.numel() == 0 or rise.numel() == 0:
        return
    other = OF_NETWORKS[parsed[0]]
    by = factor(signal.unit or "", other) or 1.0
    typical = float((signal.values.amax(-1) - signal.values.amin(-1)).double().median())
    moved = float(rise.abs().max())
    if by < 1e3 or typical <= 0 or moved >= HARDLY:
        return
    shown, scale = other.replace("u", "µ"), f"1e{round(math.log10(by))}"
    told = (
        f"{name} is in {signal.unit}, peak-to-peak {typical:.2g} {signal.unit} ({typical * by:.3g} {shown})"
    )
    trained = (
        f"Most networks are trained on {IN_WORDS[other]}, to which such a signal is silence: if yours is"
    )
    if rise_in is None:
        text = (
            f"in the median; outputs differ from those at the baseline by {moved:.2g} at most. {trained}, "
            f"scale it, for example with epochs.copy().apply_function(lambda v: v * {scale})"
        )
    else:
        text = (
            f"in the median, and no unit was said: F(x) - F(x') is {moved:.2g} at most in {signal.unit}, and "
            f"would be {float(rise_in(other, by).abs().max()):.2g} in {shown}. {trained}, pass "
            f"unit={other!r} to Explainer, which multiplies by {scale}; else unit={signal.unit!r}"
        )
    warn(f"{told} {text}", SignalWarning)


def _parsed(unit: str) -> tuple[str, int] | None:
    """Base and power of ten."""
    text = unit.strip().replace("µ", "u").replace("μ", "u").replace("**", "^").replace("²", "^2")
    text = text.replace("/s2", "/s^2")
    for prefix, base in ((prefix, base) for prefix in PREFIX_WORDS for base in BASE_WORDS):
        if text.lower().removesuffix("s") == prefix + base:
            text = PREFIX_WORDS[prefix] + BASE_WORDS[base]
    for base in BASES:
        prefix = text.removesuffix(base)
        if prefix + base == text and prefix in PREFIXES:
            return base, PREFIXES[prefix]
    return None
