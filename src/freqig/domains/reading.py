"""What callers may give as domains, read once, at the edge."""

from __future__ import annotations

from typing import Any

from .base import Domain
from .rfft import RFFT

RESERVED = frozenset(
    (
        *("sample", "channel", "time", "frequency", "band", "signal", "output", "baseline_output"),
        *("output_axis", "target", "predicted", "completeness_gap", "correction", "converged"),
        *("estimated_error", "n_evaluations", "status", "jump_place", "jump_width", "jump_size"),
    )
)
"""Names of dimensions and variables that results have beside the domains."""


def read_domains(domains: Any) -> tuple[Domain, ...]:
    """Domains with different names; the RFFT where none are given.

    Parameters
    ----------
    domains : Domain or sequence of Domain or None
        As `Explainer` takes them.

    Returns
    -------
    tuple of Domain
        At least one.

    Raises
    ------
    TypeError
        If one is not a `Domain`, as a class without parentheses is not.
    ValueError
        If there is none, two have one name, or one has a name that the result uses otherwise.

    Examples
    --------
    >>> read_domains(None)
    (RFFT(name='rfft'),)
    """
    if domains is None:
        return (RFFT(),)
    chosen = (domains,) if isinstance(domains, Domain) else tuple(domains)
    for domain in chosen:
        if not isinstance(domain, Domain):
            hint = ", write it with parentheses" if isinstance(domain, type) else ""
            raise TypeError(f"domains must consist of freqig.Domain instances, got {domain!r}{hint}")
    taken = sorted({domain.name for domain in chosen} & RESERVED)
    if taken:
        raise ValueError(
            f"domains must not be called {', '.join(map(repr, taken))}, which the result uses for something "
            "else: pass another name="
        )
    names = [domain.name for domain in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not chosen:
        raise ValueError(
            f"domains must be at least one and have different names, got {names}: tell them apart with name="
        )
    return chosen
