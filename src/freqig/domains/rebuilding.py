"""Domains made again from what the settings of a result say of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..plugins import DOMAINS, plugins
from .base import Domain
from .reading import made_by


def rebuilt_domain(described: str) -> Domain:
    """The domain that a result was explained in, from its `repr`.

    Nothing is executed: the text is read as the name of a domain, of this package or one that adds it by an
    entry point, and plain values.

    Parameters
    ----------
    described : str
        Such as ``"STFT(window=2, hop=None, taper='hann', name='stft')"``.

    Raises
    ------
    ValueError
        If the text does not hold all that the domain is made of: one fitted to data, one made of a
        function or of arrays, or one of the caller's own.

    Examples
    --------
    >>> rebuilt_domain("STFT(window=0.5, hop=None, taper='hann', name='stft')").window
    0.5
    """
    try:
        return _made(ast.parse(described, mode="eval").body)
    except (SyntaxError, ValueError, TypeError) as error:
        raise ValueError(
            f"domain {described} cannot be made again from the settings of the result, which hold its name "
            "and plain numbers only: pass the explainer= that it belongs to"
        ) from error


def rebuilt_by_name(described: Sequence[str], name: str) -> Domain:
    """The domain of a name among those that a result was explained in.

    Raises
    ------
    ValueError
        If there is none of that name, or it cannot be made again from its `repr`.

    Examples
    --------
    >>> rebuilt_by_name(["RFFT(name='rfft')", "Time(name='waveform')"], "rfft")
    RFFT(name='rfft')
    """
    reason = ValueError(
        f"result.{name} must be of a domain that the settings of the result name, got "
        f"{', '.join(described) or 'none'}: pass the explainer= that made it"
    )
    for text in (text for text in described if f"name={name!r}" in text):
        # It may be the name of a part of a composition.
        try:
            domain = rebuilt_domain(text)
        except ValueError as error:
            reason = error
        else:
            if domain.name == name:
                return domain
    raise reason


def _made(node: ast.expr) -> Domain:
    from .. import domains as known

    kinds: dict[str, Callable[..., Any]] = {
        plugin.made_by.rpartition(".")[2]: partial(made_by, plugin) for plugin in plugins(DOMAINS)
    }
    kinds |= {name: kind for name, kind in vars(known).items() if isinstance(kind, type)}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in kinds:
        raise ValueError("no domain of the package")
    kind = kinds[node.func.id]
    positional = [_value(argument) for argument in node.args]
    made: Domain = kind(*positional, **{str(keyword.arg): _value(keyword.value) for keyword in node.keywords})
    return made


def _value(node: ast.expr) -> Any:
    # A composition holds two domains.
    return _made(node) if isinstance(node, ast.Call) else ast.literal_eval(node)
