"""Numbers, shares and lists in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percent(share: float) -> str:
    """A share in percent; what is not none and not all is never rounded to it.

    Examples
    --------
    >>> percent(0.618), percent(0.004), percent(0.999), percent(1.0)
    ('62 %', '0.4 %', '99.9 %', '100 %')
    """
    value = 100 * float(share)
    # Sums that are all there is differ from it by rounding.
    if min(abs(value), abs(value - 100)) < 1e-4 or 1 <= value <= 99:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if 0.05 <= value < 99.95 else ("< 0.1 %" if value < 1 else "> 99.9 %")


def counted(number: int, what: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "sample"), counted(1200, "sample"), counted(2, "person")
    ('1 sample', '1,200 samples', '2 people')
    """
    return f"{number:,} {what if number == 1 else plural(what)}"


def plural(what: str) -> str:
    """Several of them.

    Examples
    --------
    >>> plural("person"), plural("sample")
    ('people', 'samples')
    """
    return {"person": "people"}.get(what, f"{what}s")


def listed(names: Sequence[object], most: int = 8) -> str:
    """Names in a sentence; of many the first.

    Examples
    --------
    >>> listed(["W", "N1", "N2"]), listed(range(10), most=2)
    ('W, N1 and N2', '0, 1 and 8 more')
    """
    told = [str(name) for name in names]
    if len(told) > most:
        told = [*told[:most], f"{len(told) - most} more"]
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]])) if told else "none"


def number(value: float) -> str:
    """Three digits.

    Examples
    --------
    >>> number(0.012345), number(1234567.0), number(float("nan"))
    ('0.0123', '1.23e+06', 'unknown')
    """
    return f"{value:.3g}" if np.isfinite(value) else "unknown"
