"""Electrodes of MNE: kinds and positions of channels, by their names or by an Info."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import xarray as xr

MONTAGES = ("colin27_1005", "standard_1005")
"""The 10-05 system by its names in MNE, the new one first."""
WITH_SPECTRA = ("eeg", "mag", "grad", "seeg", "ecog", "dbs", "csd")
"""Kinds of channels that spectra of MNE may have."""


def find_mne(who: str) -> Any:
    """MNE, or what to install.

    Raises
    ------
    ImportError
        If MNE is not installed.
    """
    try:
        import mne
    except ImportError as error:
        raise ImportError(f"{who} needs MNE, which is not installed: pip install 'freqig[eeg]'") from error
    return mne


def names_of(values: xr.DataArray) -> tuple[list[str], bool]:
    """Names of the channels, by position where they have none, and whether they have.

    Examples
    --------
    >>> names_of(xr.DataArray([0.0, 1.0], dims="channel"))
    (['0', '1'], False)
    """
    named = "channel" in values.coords and values["channel"].dims == ("channel",)
    found = values["channel"].values if named else range(values.sizes["channel"])
    return [str(channel) for channel in found], named


def info_of(
    mne: Any, values: xr.DataArray, fs: float, info: Any = None, kind: str = "eeg", *, spectra: bool = False
) -> Any:
    """An Info for the channels of a variable.

    Parameters
    ----------
    mne : module
        MNE.
    values : xarray.DataArray
        With a dimension ``channel``.
    fs : float
        Sampling rate in Hz.
    info : mne.Info, optional
        Kinds and positions by the names of channels, or by their places where `values` has no names.
        Default: positions of the 10-05 system where it has every name, as files write them: "Fc5.",
        "EEG Cz-REF".
    kind : str, default "eeg"
        Kind of the channels where there is no Info.
    spectra : bool, default False
        Whether it is for spectra, which MNE has of few kinds: others become EEG.

    Raises
    ------
    TypeError, ValueError
        If it is no Info, or the Info has other channels.
    """
    names, named = names_of(values)
    if info is not None:
        if not isinstance(info, mne.Info):
            raise TypeError(f"info must be an Info of MNE, such as raw.info, got {type(info).__name__}")
        given = list(info["ch_names"])
        names = given if not named and len(given) == len(names) else names
        missing = [channel for channel in names if channel not in given]
        if missing:
            raise ValueError(
                f"info must have the channels of the result, which are {', '.join(names)}, got none called "
                f"{', '.join(missing)}"
            )
        chosen = mne.pick_info(info, [given.index(channel) for channel in names])
        kinds = [one if one in WITH_SPECTRA or not spectra else kind for one in chosen.get_channel_types()]
        made = mne.create_info(names, fs, kinds)
        made.set_montage(chosen.get_montage())
        return made
    made = mne.create_info(names, fs, kind)
    if kind == "eeg" and not without_place(mne, names):
        montage, known = _standard(mne)
        montage.rename_channels({known[bare_name(channel)]: channel for channel in names})
        made.set_montage(montage)
    return made


def without_place(mne: Any, names: Sequence[str]) -> list[str]:
    """Channels that the 10-05 system does not have, or that are one electrode of it with others."""
    known = _standard(mne)[1]
    bare = [bare_name(channel) for channel in names]
    return [name for name, own in zip(names, bare, strict=True) if own not in known or bare.count(own) > 1]


def _standard(mne: Any) -> tuple[Any, dict[str, str]]:
    """Positions of the 10-05 system, and its channels by their names in small letters."""
    found = next(name for name in MONTAGES if name in mne.channels.get_builtin_montages())
    montage = mne.channels.make_standard_montage(found)
    return montage, {channel.lower(): channel for channel in montage.ch_names}


def bare_name(channel: str) -> str:
    """The electrode of a channel as files call it, in small letters.

    A second electrode, as of a bipolar channel, stays: that has no one place.

    Examples
    --------
    >>> bare_name("Fc5."), bare_name("EEG Cz-REF"), bare_name("EEG Fpz-Cz")
    ('fc5', 'cz', 'fpz-cz')
    """
    return re.sub(r"^eeg[ _:]+|-(ref|le|avg)$|\.+$", "", channel.strip().lower())
