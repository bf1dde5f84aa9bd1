"""miniSEED and SAC, read by ObsPy."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .formats import pick
from .mseed import refuse_lying_records
from .recording import RatesError, Recording


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """A row per trace of one rate, in the order of the file; gaps end a stretch.

    Raises
    ------
    ValueError
        If the file is damaged, or traces have several rates, overlap, or do not begin and end together.
    """
    stream = _stream(path)
    names = tuple(dict.fromkeys(trace.id for trace in stream))
    places = pick(names, channels, len(names), path.name)
    chosen = [names[i] for i in places]
    traces = {name: [trace for trace in stream if trace.id == name] for name in chosen}
    rates = {name: float(parts[0].stats.sampling_rate) for name, parts in traces.items()}
    every = {float(trace.stats.sampling_rate) for parts in traces.values() for trace in parts}
    if len(every) > 1:
        raise RatesError(path.name, rates)
    fs = every.pop()
    layouts = {name: _layout(parts) for name, parts in traces.items()}
    if len(set(layouts.values())) > 1:
        told = "; ".join(
            f"{name} {parts[0].stats.starttime} to {parts[-1].stats.endtime} in {len(parts)} parts"
            for name, parts in traces.items()
        )
        raise ValueError(
            f"traces of {path.name} must begin and end together, got {told}: trim them, or pass channels="
        )
    starts, counts = zip(*layouts[chosen[0]], strict=True)
    # Seconds that nothing was recorded in, before every part but the first.
    lost = np.diff(starts) / 1e9 - np.array(counts[:-1]) / fs
    if (lost < 0).any():
        raise ValueError(
            f"traces of {path.name} must not overlap, got one that begins {-lost.min():g} s before the end "
            "of the one before: join them, for example by ObsPy's Stream.merge"
        )
    values = np.stack([np.concatenate([trace.data for trace in parts]) for parts in traces.values()])
    breaks = np.cumsum(counts)[:-1]
    return Recording(
        values, fs, tuple(chosen), None, (), tuple(breaks.tolist()), lost=tuple(map(float, lost.tolist()))
    )


def _stream(path: Path) -> Any:
    """The traces of a file, by time, those joined that follow one another."""
    with warnings.catch_warnings():
        # What it is built on is not about what is read here.
        warnings.simplefilter("ignore")
        import obspy

    # Said and not tried out: ObsPy reads pickles too, and these run code.
    kind = "SAC" if path.suffix.lower() == ".sac" else "MSEED"
    if kind == "MSEED":
        refuse_lying_records(path)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            # Opened here: of a name ObsPy makes patterns and addresses.
            with path.open("rb") as file:
                stream = obspy.read(file, format=kind)
        damage = [str(one.message) for one in said if "MSEED" in one.category.__name__]
    except Exception as error:  # noqa: BLE001 - ObsPy raises as the damage has it
        damage, stream = [" ".join(str(error).split())[:300]], None
    if damage or not stream:
        raise ValueError(
            f"{path.name} must be a whole file of {kind}, which ObsPy cannot read: "
            f"{damage[0] if damage else 'it holds no trace'}"
        )
    order = list(dict.fromkeys(trace.id for trace in stream))
    # Joins traces that follow one another, and of equal ones keeps one.
    stream.merge(-1)
    return sorted(stream, key=lambda trace: (order.index(trace.id), trace.stats.starttime.ns))


def _layout(parts: list[Any]) -> tuple[tuple[int, int], ...]:
    """When each part of a trace begins, in ns, and how many samples it has."""
    return tuple((int(trace.stats.starttime.ns), int(trace.stats.npts)) for trace in parts)
