"""The method that made a result, from the settings that the result holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import methods


def rebuilt(settings: Mapping[str, Any], model: Any, asked: Mapping[str, Any]) -> Any | None:
    """The method of a result for a model; None where `freqig.Explainer` made it.

    Parameters
    ----------
    settings : mapping
        Of the result.
    model : object
        Whatever the method takes.
    asked : mapping
        Arguments of an Explainer, of which those are taken that the method has, too.

    Examples
    --------
    >>> import torch
    >>> told = {"method": {"name": "FreqRISE", "n_masks": 10, "seed": 3}}
    >>> rebuilt(told, torch.nn.Linear(4, 2), {"fs": 4.0, "n_steps": 7}).settings.how.n_masks
    10
    """
    told = dict(settings.get("method", {}))
    if not told:
        return None
    kind = getattr(methods, told.pop("name"))
    return kind.taking(model, {**asked, **told})
