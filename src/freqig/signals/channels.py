"""Channels by their names: those that a model takes, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..errors import SignalWarning, warn
from .alignment import listed
from .dataarrays import CHANNEL
from .signal import Signal


def in_channel_order(signal: Signal, wanted: tuple[str, ...], name: str, reorder: bool = True) -> Signal:
    """A signal whose channels come in the order of the model, by their names; a change is said.

    Parameters
    ----------
    signal : Signal
        With names of channels.
    wanted : tuple of str
        Names of the channels that the model takes. Case, and dots and blanks at the ends, do not count.
    name : str
        Name of the signal in errors.
    reorder : bool, default True
        Whether another order may be changed; else it is an error.

    Raises
    ------
    ValueError
        If the channels are not those of the model.
    """
    own = signal.channels or ()
    ours, theirs = list(map(_plain, own)), list(map(_plain, wanted))
    if len(set(ours)) < len(ours) or len(set(theirs)) < len(theirs):
        ours, theirs = list(own), list(wanted)
    if ours == theirs:
        return signal
    lacks = [wanted[i] for i, one in enumerate(theirs) if one not in ours]
    besides = [own[i] for i, one in enumerate(ours) if one not in theirs]
    if lacks or besides or len(ours) != len(theirs):
        words = [f"lacks {listed([*lacks])}"] * bool(lacks) + [f"has {listed([*besides])} besides"] * bool(
            besides
        )
        known = [own[ours.index(one)] for one in theirs if one in ours]
        remedy = _renamed(besides, lacks) if lacks else f"pass channels={known}"
        raise ValueError(
            f"{name} must have the channels of the model, {listed([*wanted])}, but it "
            f"{' and '.join(words) or 'has some twice'}: {remedy}"
        )
    if not reorder:
        raise ValueError(
            f"{name} must have its channels in the order of the model, {listed([*wanted])}, got "
            f"{listed([*own])}: reorder them"
        )
    warn(
        f"{name}: channels are put in the order of the model, {listed([*wanted])}, by their names",
        SignalWarning,
    )
    return of_channels(signal, [own[ours.index(one)] for one in theirs], name)


def of_channels(signal: Signal, channels: Sequence[str], name: str) -> Signal:
    """A signal with these of its channels, in this order.

    Raises
    ------
    ValueError
        If it has no names of channels, or not these.

    Examples
    --------
    >>> signal = Signal(torch.eye(2)[None], channels=("Cz", "Oz"), dims=("sample", "channel", "time"))
    >>> of_channels(signal, ["Oz"], "x").values
    tensor([[[0., 1.]]])
    """
    if signal.channels is None or signal.dims is None:
        raise ValueError(
            f"channels must be None for {name}, whose channels have no names: pass those that count"
        )
    own = list(signal.channels)
    wrong = [one for one in channels if own.count(one) != 1]
    if wrong or not channels:
        besides = [one for one in own if one not in channels]
        raise ValueError(
            f"channels must each be one of {listed([*own])}, got {listed([*(wrong or channels)])}: "
            f"{_renamed(besides, wrong)}"
        )
    order = torch.tensor([own.index(one) for one in channels], device=signal.values.device)
    values = signal.values.index_select(signal.dims.index(CHANNEL), order)
    return replace(signal, values=values, channels=tuple(channels))


def _renamed(own: Sequence[str], wanted: Sequence[str]) -> str:
    """With which call channels get other names, for errors; `wanted` are those that are not there."""
    if not own or not wanted:
        return "write each as the signal does, once"
    return (
        "pass a signal that has them; where names alone differ, rename them, by "
        f"rename_channels({{{own[0]!r}: {wanted[0]!r}}}) of MNE or assign_coords(channel=names) of xarray"
    )


def _plain(channel: str) -> str:
    return channel.strip(". ").casefold()
