"""NPY and NPZ: arrays without pickles, whose size is known before memory is taken."""

from __future__ import annotations

import tokenize
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SignalWarning, warn
from .formats import pick
from .limits import refuse_size
from .recording import Recording

RATES = ("fs", "sf", "sr", "sfreq", "srate", "sampling_rate", "sampling_frequency")
NAMES = ("channels", "channel_names", "ch_names", "chan", "labels")
"""What people call the rate and the channels, in lower case."""
MOST_MEMBERS = 4096


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The array of a file, of shape (time,), (channel, time) or (sample, channel, time).

    Raises
    ------
    ValueError
        If it is a pickle, damaged or truncated, or an archive of several signals.
    """
    try:
        if zipfile.is_zipfile(path):
            return of_variables(_archive(path), path, channels)
        # A map takes no memory, and fails where the file is shorter than its header says.
        values = np.load(path, mmap_mode="r", allow_pickle=False)  # noqa: TID251
        refuse_size(values.nbytes, path.name)
        return of_array(values, path, channels)
    except (ValueError, EOFError, OSError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} must hold an array of numbers: {error}") from None


def _archive(path: Path) -> dict[str, Any]:
    pickled = list[str]()
    with zipfile.ZipFile(path) as archive:
        if len(archive.infolist()) > MOST_MEMBERS:
            raise ValueError(f"it must hold at most {MOST_MEMBERS} variables, got {len(archive.infolist())}")
        # All of them are unpacked, and several may be unpacked from the same bytes.
        refuse_size(sum(one.file_size for one in archive.infolist()), path.name, path.stat().st_size)
        for one in archive.infolist():
            if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{one.filename} is compressed in a way that np.savez does not use")
            with archive.open(one) as member:
                # The header of an array may ask for more than there is of it.
                asked, is_pickled = _asked_for(member)
            pickled += [one.filename.removesuffix(".npy")] if is_pickled else []
            if asked > one.file_size and not is_pickled:
                raise ValueError(f"{one.filename} asks for {asked} bytes, and has {one.file_size}")
    with np.load(path, allow_pickle=False) as archive:  # noqa: TID251
        found = {name: archive[name] for name in archive.files if name not in pickled}
    if pickled and not found:
        raise ValueError(
            f"it holds pickled objects only, {', '.join(pickled[:5])}, and to read them runs code: save "
            "numbers, for example np.stack(...) of series of one length"
        )
    if pickled:
        warn(f"{path.name}: {', '.join(pickled[:5])} are pickled objects, and left out", SignalWarning)
    return found


def _asked_for(member: Any) -> tuple[int, bool]:
    """Bytes of the values that the header of an NPY file tells of, or 0; whether they are pickled."""
    try:
        version = np.lib.format.read_magic(member)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(version, np.lib.format.read_array_header_2_0)
        shape, _, dtype = read(member)
    except ValueError:
        return 0, False
    return int(np.prod(shape, dtype=object)) * dtype.itemsize, dtype.hasobject


def of_variables(content: Mapping[str, Any], path: Path, channels: tuple[str, ...] | None) -> Recording:
    """The largest of several variables, with what the others say of its rate and channels.

    Variables that are called as the channels asked for are taken in place of it: one, or several series that
    are as long.

    Raises
    ------
    ValueError
        If there is none of numbers, or two are as large.
    """
    arrays = {name: np.squeeze(value) for name, value in content.items() if _is_signal(value)}
    if channels and all(name in arrays for name in channels):
        rate = _rate_beside(content, channels)
        return _of_named([arrays[name] for name in channels], path, channels, rate)
    sizes = sorted((value.size, name) for name, value in arrays.items())
    if not sizes or (len(sizes) > 1 and sizes[-1][0] == sizes[-2][0]):
        raise ValueError(
            "it must have one largest variable of numbers, got "
            f"{', '.join(sorted(arrays)[:20]) or 'none'}"
            + (": pass channels= with the names of those that are signals" if arrays else "")
        )
    values, rate = arrays[sizes[-1][1]], _rate_beside(content, [sizes[-1][1]])
    count = values.shape[-2] if values.ndim > 1 else 1
    told = [value for one in NAMES for name, value in content.items() if _last(name) == one]
    names = next((read for value in told if len(read := _names(value)) == count), None)
    return of_array(values, path, channels, rate, names if values.ndim > 1 else None)


def _last(name: str) -> str:
    """What a variable, or a field of a struct, is called itself."""
    return name.rpartition(".")[2].lower()


def of_array(
    values: Any,
    path: Path,
    channels: tuple[str, ...] | None,
    fs: float | None = None,
    names: tuple[str, ...] | None = None,
) -> Recording:
    """An array as a recording; channels without names are called by their numbers."""
    values = np.asarray(values)
    if values.dtype.kind not in "iuf" or not 1 <= values.ndim <= 3 or 0 in values.shape:
        raise ValueError(
            "it must be real, of shape (time,), (channel, time) or (sample, channel, time), got "
            f"{values.dtype} of shape {values.shape}"
        )
    values = values[None] if values.ndim == 1 else values
    rows, columns = values.shape[-2:]
    if names is None and channels is None and rows > columns:
        warn(
            f"{path.name} holds {rows} channels of {columns} values in time: where its rows are points in "
            "time, save its transpose, or pass array.T[None] and fs=",
            SignalWarning,
        )
    places = pick(names, channels, values.shape[-2], path.name)
    chosen = channels if names is None else tuple(names[i] for i in places)
    return Recording(values[..., places, :], fs, chosen)


def _of_named(arrays: list[np.ndarray], path: Path, names: tuple[str, ...], fs: float | None) -> Recording:
    """Variables that were asked for by name: one of any shape, or series, each a channel."""
    if len(arrays) == 1 and arrays[0].ndim > 1:
        return of_array(arrays[0], path, None, fs)
    shapes = {value.shape for value in arrays}
    if len(shapes) > 1 or arrays[0].ndim > 1:
        told = ", ".join(f"{name} {value.shape}" for name, value in zip(names, arrays, strict=True))
        raise ValueError(f"channels must be series of one length, or one variable, got {told}")
    return of_array(np.stack(arrays), path, names, fs, names)


def _is_signal(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and value.size > 1


def _rate_beside(content: Mapping[str, Any], chosen: Sequence[str]) -> float | None:
    """Sampling rate of variables, said in the same struct, such as "bearing.sr", or anywhere."""
    parents = {name.rpartition(".")[0] for name in chosen}
    told = [
        (name, _rate(name, value))
        for known in RATES
        for name, value in content.items()
        if _last(name) == known and np.size(value) == 1
    ]
    told = [one for one in told if one[0].rpartition(".")[0] in parents] or told
    if len({rate for _, rate in told}) > 1:
        raise ValueError(
            f"it must say one sampling rate, got {', '.join(f'{name} {rate:g}' for name, rate in told[:5])}: "
            "pass channels= with names of variables that have one"
        )
    return told[0][1] if told else None


def _rate(name: str, value: Any) -> float:
    try:
        return float(np.squeeze(value))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a sampling rate in Hz: {error}") from None


def _names(value: Any) -> tuple[str, ...]:
    # In a cell of MATLAB each is an array of its own.
    return tuple(
        "".join(map(str, np.ravel(one))).strip() for one in np.ravel(np.asarray(value, dtype=object))
    )
