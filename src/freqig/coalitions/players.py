"""Players: bands, channels and stretches of time, and the signal in which some of them are present."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import shown
from ..domains import Domain, FilterBank, Segments
from ..domains.base import Coords, values_and_unit
from ..signals.axes import Axes

MOST_PLAYERS = 4096
NAME = "shapley"
"""Name of the variable of attributions, with which its dimensions begin."""

CHANNELS = "channels"


def read_players(players: Any) -> tuple[FilterBank | Segments | str, ...]:
    """What divides signals into players, at least one thing, each of another kind.

    Raises
    ------
    TypeError, ValueError
        If there is something else among them, none, or two of a kind.

    Examples
    --------
    >>> read_players("channels"), read_players((FilterBank("sleep"), "channels"))[1]
    (('channels',), 'channels')
    """
    given = tuple(players) if isinstance(players, (tuple, list)) else (players,)
    for one in given:
        if isinstance(one, str) and one == CHANNELS:
            continue
        if not isinstance(one, (FilterBank, Segments)):
            raise TypeError(
                'players must be freqig.FilterBank(...), "channels", freqig.Segments(...), or a tuple of '
                f"them for their product, got {shown(one)}"
            )
    kinds = [_kind(one) for one in given]
    if not given or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"players must be one of each kind at most, and at least one, got {', '.join(kinds) or 'none'}"
        )
    return given


def _kind(one: FilterBank | Segments | str) -> str:
    return "channel" if isinstance(one, str) else "band" if isinstance(one, FilterBank) else "segment"


class Players(Domain):
    """Players as a partition of the coefficients of a tight frame.

    Bands divide the coefficients of a `FilterBank`, band × time; stretches of time divide these
    coefficients, or the series itself where there are no bands; channels divide either. With the
    coefficients c of δ = x - x', the signal in which the players S are present is
    x' + synthesize(1_S, c): that of all players is x, and that of none is x'. As a domain its coefficients
    are 1_S; c is held.

    Parameters
    ----------
    given : sequence of FilterBank, Segments or "channels"
        As `read_players` gives them.
    name : str, default "shapley"
        Name of the variable in the result; dimensions have the same names whatever it is.
    prefix : str, default "shapley"
        What the names of dimensions begin with.

    Examples
    --------
    >>> players = Players(read_players((FilterBank({"low": (0, 20)}), "channels"))).bind((2, 64), fs=64.0)
    >>> players.grid, players.labels()[:2]
    ((2, 2), ['low × channel 0', 'low × channel 1'])
    """

    inverts = "always"
    affine = False
    held = 1

    def __init__(
        self, given: Sequence[FilterBank | Segments | str], name: str = NAME, prefix: str = NAME
    ) -> None:
        super().__init__(name)
        self.prefix = prefix
        self.given = tuple(given)
        self.kinds = tuple(map(_kind, given))
        self.shape: tuple[int, ...] = ()
        self.fs: float | None = None
        self.bank: FilterBank | None = None
        self.length = 0
        self.channels: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"Players({', '.join(map(repr, self.given))}, name={self.name!r})"

    def named(self, name: str) -> Players:
        """The same players, as another variable of the result."""
        twin = copy.copy(self)
        twin.name = name
        return twin

    def called(self, channels: tuple[str, ...] | None) -> Players:
        """The same players, whose channels have names."""
        twin = copy.copy(self)
        twin.channels = channels
        return twin

    def bind(self, shape: tuple[int, ...], fs: float | None) -> Players:
        bound = copy.copy(self)
        bound.shape, bound.fs, bound.length = tuple(shape), fs, shape[-1]
        if "channel" in self.kinds and len(shape) < 2:
            raise ValueError(
                'players="channels" needs signals of shape (samples, channels, time), got signals without a '
                "channel axis: take bands or segments"
            )
        for one in self.given:
            if isinstance(one, FilterBank):
                bound.bank = one.bind(shape, fs)
            elif isinstance(one, Segments):
                bound.length = one.bind(shape, fs)._size
        # All axes of the signal are in the players, or are put to their baseline as one.
        bound.consumes = ("time", "channel", *(f"axis_{i + 1}" for i in range(len(shape) - 2)))
        if bound.count > MOST_PLAYERS:
            sizes = " × ".join(map(str, bound.grid))
            raise ValueError(
                f"players must be at most {MOST_PLAYERS}, got {bound.count} ({sizes}): take fewer bands, "
                "channels or longer segments"
            )
        return bound

    @property
    def grid(self) -> tuple[int, ...]:
        """How many there are of each kind, in the order given."""
        bands = 1 if self.bank is None else len(self.bank.bands) + 1
        channels = self.shape[-2] if len(self.shape) > 1 else 1
        sizes = {"band": bands, "channel": channels, "segment": -(-self.shape[-1] // self.length)}
        return tuple(sizes[kind] for kind in self.kinds)

    @property
    def count(self) -> int:
        """Number of players."""
        return int(np.prod(self.grid))

    def analyze(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """That each player is there, ones of shape (..., *grid), and the coefficients, which are held."""
        return x.new_ones(*x.shape[: x.ndim - len(self.shape)], *self.grid), self._coefficients(x)

    def synthesize(self, c: tuple[Tensor, Tensor], n: int) -> Tensor:
        present, coefficients = c
        return self._signal(self._spread(present) * coefficients)

    def prepared(self, delta: Tensor) -> Tensor:
        """What `present_in` needs of one δ, shape (*axes, n): what each band adds, or coefficients."""
        c = self._coefficients(delta)
        if self.bank is None or "segment" in self.kinds:
            return c
        # Where bands stand whole they need to be filtered once only: parts that are added up.
        each = torch.eye(c.shape[-2], dtype=c.dtype, device=c.device)
        return torch.stack([self.bank.synthesize(c * one[:, None], c.shape[-1]) for one in each], -2)

    def present_in(self, prepared: Tensor, coalitions: np.ndarray) -> Tensor:
        """What coalitions add to the baseline.

        Parameters
        ----------
        prepared : torch.Tensor
            Of one sample.
        coalitions : numpy.ndarray
            Who is present, bool, shape (P, players).

        Returns
        -------
        torch.Tensor
            Shape (P, *axes, n).
        """
        present = torch.as_tensor(coalitions, dtype=prepared.dtype, device=prepared.device)
        weights = self._spread(present.reshape(len(coalitions), *self.grid))
        if "segment" in self.kinds:
            return self._signal(weights * prepared)
        # Of every channel by itself: else coefficients of all of them would be copied, to be in order.
        weights = weights.squeeze(-1).expand(-1, *self.shape[:-1], -1)
        return torch.einsum("p...b,...bn->p...n", weights, prepared)

    def _coefficients(self, x: Tensor) -> Tensor:
        """What players share out, shape (..., n) to (..., band, n)."""
        return x.unsqueeze(-2) if self.bank is None else self.bank.analyze(x)

    def _signal(self, coefficients: Tensor) -> Tensor:
        if self.bank is None:
            return coefficients.squeeze(-2)
        return self.bank.synthesize(coefficients, self.shape[-1])

    def _spread(self, present: Tensor) -> Tensor:
        """A value per player as factors of coefficients, of size 1 along axes that no player divides."""
        lead = present.ndim - len(self.kinds)
        # The axes of signals and their coefficients: channels, where there are any, bands, then time.
        kinds = ("channel", "band", "segment") if len(self.shape) > 1 else ("band", "segment")
        there = [lead + self.kinds.index(kind) for kind in kinds if kind in self.kinds]
        present = present.permute(*range(lead), *there)
        if "segment" in self.kinds:
            present = present.repeat_interleave(self.length, -1)[..., : self.shape[-1]]
        sizes = iter(present.shape[lead:])
        each = [next(sizes) if kind in self.kinds else 1 for kind in kinds]
        return present.reshape(*present.shape[:lead], *(1,) * max(0, len(self.shape) - 2), *each)

    def coords(self, n: int, fs: float | None) -> Coords:
        found: dict[str, Any] = {}
        for kind, size in zip(self.kinds, self.grid, strict=True):
            if kind == "band" and self.bank is not None:
                found["band"] = self.bank.coords(n, fs)["band"]
            elif kind == "channel":
                found["channel"] = self.channels or np.arange(size)
            else:
                starts = np.arange(size) * self.length
                found["segment"] = (starts / fs, "s") if fs else (starts, "samples")
        return found

    def auxiliary(self, n: int, fs: float | None) -> Any:
        return {} if self.bank is None else self.bank.auxiliary(n, fs)

    def remark(self, n: int) -> str:
        # Once, whatever is told of the same players.
        return "" if self.bank is None or self.name != self.prefix else self.bank.remark(n)

    def dims(self, keys: Any) -> tuple[str, ...]:
        return tuple(key if key in self.shared else f"{self.prefix}_{key}" for key in keys)

    def labels(self) -> list[str]:
        """What each player is called, such as "alpha × Cz"."""
        parts = []
        for kind, content in self.coords(self.shape[-1], self.fs).items():
            values, unit = values_and_unit(content)
            parts.append([_label(kind, one, unit) for one in values.tolist()])
        return [" × ".join(one) for one in product(*parts)]

    def told(self, coalition: np.ndarray) -> str:
        """Who is present, in words."""
        labels = self.labels()
        inside, outside = (np.flatnonzero(of).tolist() for of in (coalition, ~coalition))
        if not inside or not outside:
            return "all players present" if inside else "no player present"
        some = [labels[i] for i in inside[:MOST_TOLD]]
        more = f" and {len(inside) - MOST_TOLD} more" if len(inside) > MOST_TOLD else ""
        if len(inside) > MOST_TOLD and len(outside) <= MOST_TOLD:
            return f"all players present but {', '.join(labels[i] for i in outside)}"
        return f"players {', '.join(some)}{more} present, all others at the baseline"


class Whole(Players):
    """One player, which is the whole signal: present and absent are the two ends of the paths."""

    def __init__(self) -> None:
        super().__init__(())
        # A stretch as long as the signal, as nothing divides it.
        self.kinds = ("segment",)


MOST_TOLD = 8
"""Players that an error names."""


def _label(kind: str, value: Any, unit: str) -> str:
    if kind == "segment":
        return f"{value:g} {unit}"
    return value if isinstance(value, str) else f"channel {value}"


def channel_names(axes: Axes) -> tuple[str, ...] | None:
    """Names of the channels of signals, where they have any."""
    names = axes.coords().get("channel")
    return None if names is None else tuple(names[1])
