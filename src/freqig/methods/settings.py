"""What was asked of a method, checked once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from ..explain.methods import Method
from ..explain.settings import Settings
from .how import How

OF_PATHS = ("max_evaluations", "n_initial", "n_steps")
"""Settings of adaptive and fixed nodes, of which other methods know nothing."""


@dataclass(frozen=True)
class MethodSettings(Settings):
    """Settings of a method; those of paths in them mean nothing.

    Parameters
    ----------
    how : How
        How samples are explained.
    name : str
        Name of the class in `freqig.methods`.
    """

    how: How
    name: str

    @classmethod
    def of(cls, how: How, name: str, **asked: Any) -> MethodSettings:
        """Check what a caller asked for."""
        known = Settings.read(engine="path", n_steps=None, max_evaluations=2000, n_initial=7, **asked)
        how.allowed(known.domains)
        return cls(**{one.name: getattr(known, one.name) for one in fields(Settings)}, how=how, name=name)

    @property
    def method(self) -> Method:
        return replace(self.how, tol=self.tol)

    def described(self) -> dict[str, Any]:
        told = {name: value for name, value in super().described().items() if name not in OF_PATHS}
        own = self.how.described()
        return {
            **told,
            "engine": self.how.engine,
            "method": {"name": self.name, **own},
            "seed": own.get("seed"),
        }
