"""What other packages add: domains, models and readers, by the entry points that they declare.

A package is imported when what it adds is asked for, and not before: names of entry points say what they
are for, and these are read without importing anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

DOMAINS, MODELS, READERS = "freqig.domains", "freqig.models", "freqig.readers"
"""Groups of entry points."""

INSTEAD = {
    DOMAINS: "make the domain in Python and pass it, Explainer(model, domains=...)",
    MODELS: "make the freqig.models.Model in Python and pass it in place of the model",
    READERS: "read the file in Python and pass its values, with fs=",
}
"""What works without an entry point."""


@dataclass(frozen=True)
class Plugin:
    """One thing that a package adds.

    Parameters
    ----------
    group : str
        Of entry points.
    name : str
        What it is for: the name of a domain, the end of the names of files, or the beginning of the dotted
        names of classes.
    entry : importlib.metadata.EntryPoint
        Where it is; the library `importlib_metadata`, where it is imported, gives its own of that name.
    """

    group: str
    name: str
    entry: Any

    @property
    def package(self) -> str:
        """Name and version of the package."""
        dist = self.entry.dist
        return "a package without a name" if dist is None else f"{dist.name} {dist.version}"

    @property
    def made_by(self) -> str:
        """How it is written in Python, such as ``package.module.Class``."""
        return str(self.entry.value).partition("[")[0].strip().replace(":", ".")

    def load(self) -> Callable[..., Any]:
        """What the entry point leads to.

        Raises
        ------
        ImportError
            If it cannot be imported.
        TypeError
            If it cannot be called.
        """
        try:
            found = self.entry.load()
        except Exception as error:
            raise ImportError(
                f"{self.name!r} of {self.group} comes with {self.package}, but {self.entry.value} cannot be "
                f"imported ({type(error).__name__}: {error}): install what pip check says is missing, or "
                f"update or uninstall the package; or {INSTEAD[self.group]}",
                name=getattr(error, "name", None),
            ) from error
        if not callable(found):
            raise TypeError(f"{self.entry.value} of {self.package} must be callable, got {found!r}")
        return found  # type: ignore[no-any-return]


def added(group: str, fits: Callable[[str], bool], *, own: bool) -> Plugin | None:
    """What a package adds that fits, of several the one with the longest name; None where there is none.

    Parameters
    ----------
    group : str
        Of entry points.
    fits : callable
        From a name to whether it is meant. Names of domains and of endings are in lower case.
    own : bool
        Whether freqig has something itself that fits.

    Raises
    ------
    ValueError
        If it is not clear which one is meant: freqig has it itself, or two packages have the same name.

    Examples
    --------
    >>> added(DOMAINS, lambda name: name == "no such domain", own=False)
    """
    fitting = [one for one in plugins(group) if fits(one.name)]
    if not fitting:
        return None
    chosen = max(fitting, key=lambda one: len(one.name))
    meant = fitting if own else [one for one in fitting if one.name == chosen.name]
    packages = sorted({one.package for one in meant})
    if own or len(meant) > 1:
        have = " and ".join(["freqig itself", *packages] if own else packages)
        raise ValueError(
            f"{chosen.name!r} of {group} must be of one package, got it of {have}: uninstall "
            f"{' or '.join(packages)}, or ask its authors for another name; until then {INSTEAD[group]}"
        )
    return chosen


def plugins(group: str) -> tuple[Plugin, ...]:
    """All that packages add to a group."""
    return _plugins(group, tuple(sys.path))


# Asking every package takes some 30 ms; what is installed later is found where `sys.path` changes with it.
@lru_cache(maxsize=8)
def _plugins(group: str, path: tuple[str, ...]) -> tuple[Plugin, ...]:  # noqa: ARG001
    return tuple(Plugin(group, _as_named(group, entry.name), entry) for entry in entry_points(group=group))


def _as_named(group: str, name: str) -> str:
    """A name as it is compared: endings begin with a dot, and only names of classes tell case."""
    if group == READERS and not name.startswith("."):
        name = f".{name}"
    return name if group == MODELS and not name.startswith(".") else name.lower()
