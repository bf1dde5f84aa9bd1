"""What was asked of a method, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..explain.methods import Method
from ..explain.settings import OF_PATHS, Settings
from .how import How


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
        found = cls.without_paths(asked, how=how, name=name)
        how.allowed(found.domains)
        return found

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
