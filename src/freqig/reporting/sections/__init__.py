"""The sections of a page, in their order: each makes its pieces from the material."""

from __future__ import annotations

from collections.abc import Callable

from ..content import Section
from ..material import Material
from . import (
    channels,
    classes,
    comparison,
    downloads,
    methods,
    overview,
    sample,
    summary,
    trust,
    worth,
)

SECTIONS: tuple[Callable[[Material], Section], ...] = (
    summary.section,
    trust.section,
    overview.section,
    sample.section,
    classes.section,
    channels.section,
    worth.section,
    comparison.section,
    methods.section,
)
"""All but the last, which lists what the others hold."""

__all__ = ["SECTIONS", "downloads"]
