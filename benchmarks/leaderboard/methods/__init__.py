"""What a method is. Each file of this folder that holds a list `METHODS` takes part.

    from leaderboard.methods import Method

    def explain(task):
        return my_scores(task.model, task.x, task.target)  # (N, ...), the shape of task's truth

    METHODS = [Method("mine", explain, "what it does, in a line")]

`explain` returns an `xarray.Dataset` with the variable `task.case.variable`, or an array with the
coefficients of that domain, sample first.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Method:
    """A method with its setting.

    Parameters
    ----------
    name : str
        Key of its results; another setting is another name.
    explain : callable
        ``task -> xarray.Dataset or numpy.ndarray``.
    says : str
        What it does.
    cannot : callable, optional
        ``case -> reason`` why it says nothing of a problem, "" where it does.
    samples : int, default 100
        Series explained per problem and seed.
    ours : bool, default False
        Whether it is a setting of `freqig.Explainer`, of which one is chosen.
    """

    name: str
    explain: Callable[[Any], Any]
    says: str
    cannot: Callable[[Any], str] = lambda _: ""
    samples: int = 100
    ours: bool = False


def found() -> Mapping[str, Method]:
    """All methods of the files of this folder, by name."""
    methods: dict[str, Method] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        for method in importlib.import_module(f"{__name__}.{module.name}").METHODS:
            if method.name in methods:
                raise ValueError(f"two methods are called {method.name!r}: rename that of {module.name}")
            methods[method.name] = method
    return methods
