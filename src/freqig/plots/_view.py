"""What every figure of one explanation begins with: a sample, a channel, the frequencies in view."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from ._limits import up_to
from ._select import one_channel, one_variable
from ._title import draw_title


@dataclass(frozen=True)
class View:
    """One explanation, as a figure shows it.

    Parameters
    ----------
    one : xarray.Dataset
        One sample and what belongs to it, of one channel where one was asked for.
    name : str
        Variable that is drawn.
    dims : tuple of str
        Names of its dimensions, of the kinds that the figure needs.
    position : int or None
        Position of the sample.
    channel : hashable or None
        The one channel that is drawn.
    in_view : str
        What the label of the frequency axis says of frequencies that are left out.
    """

    one: xr.Dataset
    name: str
    dims: tuple[str, ...]
    position: int | None
    channel: Hashable | None
    in_view: str = ""

    @property
    def variable(self) -> xr.DataArray:
        """What is drawn."""
        return self.one[self.name]

    def up_to(
        self, dim: str, max_frequency: float | int | None, at_least: float = 0.0, **places: Any
    ) -> View:
        """The same, with the frequencies that are in view, see `freqig.plots._limits.up_to`."""
        one, note = up_to(self.one, self.name, dim, max_frequency, at_least, **places)
        return replace(self, one=one, in_view=note)

    def head(self, axes: Axes, title: str | None, **places: Any) -> None:
        """Write the title, see `freqig.plots._title.draw_title`."""
        draw_title(axes, self.one, self.name, self.position, self.channel, title=title, **places)


def look_at(
    result: xr.Dataset,
    sample: int,
    name: str,
    kinds: Sequence[str],
    domain: str,
    channel: Hashable | None = None,
) -> View:
    """Check a result that is to be drawn, and take what a figure shows of it.

    Parameters
    ----------
    result, sample, name, kinds, domain
        As `freqig.plots._select.one_variable` takes them.
    channel : hashable, optional
        Name of the one channel to draw, or its position.

    Raises
    ------
    TypeError, ValueError
        If the result is of another type, lacks the variable or its dimensions, or holds several
        explanations; if there is no such sample or channel.

    Examples
    --------
    >>> values = ("sample", "channel", "frequency"), [[[1.0], [2.0]]]
    >>> result = xr.Dataset({"rfft": values}, {"frequency": [0.0]})
    >>> view = look_at(result, 0, "rfft", ("frequency",), "freqig.RFFT()", channel=1)
    >>> view.dims, float(view.variable.sum())
    (('frequency',), 2.0)
    """
    one, dims, position = one_variable(result, sample, name, kinds, domain)
    if channel is not None:
        # A map over channels leaves none to choose from, whatever the signal has.
        one = one_channel(one if "channel" in one[name].dims else one[[name]], channel)
    return View(one, name, dims, position, channel)
