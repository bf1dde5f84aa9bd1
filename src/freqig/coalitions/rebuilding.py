"""A `Shapley` and its players, made again from the settings of a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from ..domains.rebuilding import rebuilt_domain
from .players import CHANNELS, NAME, Players, read_players
from .shapley import Shapley


def is_of_players(settings: Mapping[str, Any]) -> bool:
    """Whether these are the settings of a `Shapley`."""
    return settings.get("engine") == "shapley"


def rebuilt_players(settings: Mapping[str, Any], name: str) -> Players:
    """The players that the variable of a name holds values of, by the settings of its result.

    Raises
    ------
    ValueError
        If bands or segments cannot be made again from what the settings hold.
    """
    return Players(_given(settings), name, NAME)


def called_as_in(players: Players, variable: xr.DataArray) -> Players:
    """Players whose channels have the names that they have in a variable."""
    names = variable["channel"].values if "channel" in variable.coords else None
    # Of channels without names the places are told, which they have by themselves.
    return players if names is None or names.dtype.kind in "iu" else players.called(tuple(map(str, names)))


def rebuilt(settings: Mapping[str, Any], model: Any, asked: Mapping[str, Any]) -> Shapley | None:
    """The `Shapley` that made a result, for a model; None where something else made it.

    Parameters
    ----------
    settings : mapping
        Of the result.
    model : object
        Whatever a `Shapley` takes.
    asked : mapping
        Arguments of an Explainer, of which those are taken that a `Shapley` has, too.

    Examples
    --------
    >>> told = {"engine": "shapley", "players": ["channels"], "budget": 100, "seed": 3, "max_order": 1}
    >>> rebuilt(told, lambda x: x.sum((1, 2)), {"fs": 4.0, "n_steps": 7}).settings.budget
    100
    """
    if not is_of_players(settings):
        return None
    told = {name: settings[name] for name in ("index", "max_order", "budget", "seed") if name in settings}
    players = asked["players"] if "players" in asked else _given(settings)
    return Shapley.taking(model, {**told, **asked, "players": players})


def _given(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    return read_players(tuple(one if one == CHANNELS else rebuilt_domain(one) for one in settings["players"]))
