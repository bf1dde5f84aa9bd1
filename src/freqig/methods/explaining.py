"""What the methods of others have in common: the words by which they are made, and what their numbers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from inspect import Parameter, signature
from typing import Any, ClassVar

import xarray as xr

from .._check import shown
from .._keywords import settings_by_name
from ..domains import Domain
from ..explain.one_input import OneInput
from .how import How
from .labels import finished
from .settings import MethodSettings


def words(init: Callable[..., None]) -> Callable[..., None]:
    """An `__init__` whose `shared` stands for the words that every method has."""
    own = [one for one in signature(init).parameters.values() if one.kind != Parameter.VAR_KEYWORD]
    # A tolerance is for sums: methods whose numbers add up have it among their own words.
    rate, *others = (
        one
        for one in signature(OneInput.settle).parameters.values()
        if one.kind == one.KEYWORD_ONLY and one.name != "tol"
    )
    domains = signature(Comparator.settled).parameters["domains"]

    @wraps(init)
    def made(self: Any, *positional: Any, **named: Any) -> None:
        init(self, *positional, **named)

    made.__signature__ = signature(init).replace(  # type: ignore[attr-defined]
        parameters=[*own, rate, domains, *others]
    )
    return settings_by_name(made)


class Comparator(OneInput):
    """Explains signals by the method of others, in linear domains."""

    gradients: ClassVar[bool] = True
    home: ClassVar[str] = "freqig.methods"

    settings: MethodSettings

    def settled(
        self, model: Any, how: How, *, domains: Domain | Sequence[Domain] | None = None, **shared: Any
    ) -> None:
        """Settle on how samples are explained, and in which domains."""
        self.settle(model, partial(MethodSettings.of, how, type(self).__name__, domains=domains), **shared)

    def finished(self, result: xr.Dataset) -> xr.Dataset:
        return finished(result, self.settings)

    def __repr__(self) -> str:
        asked = [f"{key}={shown(value)}" for key, value in self.settings.how.described().items()]
        return f"{type(self).__name__}({', '.join([self.model_name, *asked])})"
