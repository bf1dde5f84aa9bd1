"""What callers may give as domains, read once, at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._check import shown
from ..band_scales import SCALES
from ..plugins import DOMAINS, Plugin, added, plugins
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
NAMES = (
    *("RFFT", "Time", "STFT", "Wavelet", "Segments", "FilterBank", "Envelope", "Polar", "Cepstrum"),
    *("ICA", "Spatial", "Components"),
)
"""Domains of the package, for those who name one instead of making it."""
ARGUMENTS = {"Envelope": "low, high"}
"""What a domain must be given, where its name does not say it."""


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
    chosen = _as_tuple(domains)
    for domain in chosen:
        if not isinstance(domain, Domain):
            raise TypeError(
                f"domains must consist of freqig.Domain instances, got {shown(domain)}{_instead(domain)}"
            )
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


def added_domain(name: str, *, own: bool = False) -> Plugin | None:
    """The domain of a name that another package adds; None where there is none.

    Parameters
    ----------
    name : str
        As on the command line, in any case.
    own : bool, default False
        Whether freqig has a domain of this name itself.

    Raises
    ------
    ValueError
        If it has, and a package too, or two packages have.
    """
    return added(DOMAINS, lambda one: one == name.lower(), own=own)


def made_by(plugin: Plugin, *given: Any, **named: Any) -> Domain:
    """A domain that another package adds, made of numbers and words.

    Raises
    ------
    ImportError
        If the package cannot be imported.
    TypeError
        If it makes something else.
    """
    domain = plugin.load()(*given, **named)
    if not isinstance(domain, Domain):
        raise TypeError(f"{plugin.entry.value} of {plugin.package} must make a Domain, got {shown(domain)}")
    return domain


def _as_tuple(domains: Any) -> tuple[Any, ...]:
    # Strings and classes of enumerations are iterable too.
    if isinstance(domains, (Domain, str, bytes, Mapping, type)):
        return (domains,)
    try:
        return tuple(domains)
    except TypeError:
        return (domains,)


def _instead(domain: Any) -> str:
    """How to make an instance of what was only named."""
    if isinstance(domain, type) and issubclass(domain, Domain):
        return f": write {domain.__name__}(), with parentheses"
    if isinstance(domain, str):
        wanted = domain.lower().replace("_", "")
        if domain in SCALES:
            return f": write freqig.FilterBank({domain!r})"
        for name in NAMES:
            if wanted == name.lower():
                return f": write freqig.{name}({ARGUMENTS.get(name, '')})"
        plugin = added_domain(domain)
        if plugin is not None:
            return f": write {plugin.made_by}(), of {plugin.package}"
        known = [f"freqig.{name}()" for name in NAMES] + [f"{one.made_by}()" for one in plugins(DOMAINS)]
        return f": they are made by {', '.join(known)}"
    return ""
