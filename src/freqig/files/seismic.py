"""miniSEED and SAC, read by ObsPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .formats import pick
from .recording import Recording


def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
    """A row per trace of one rate, over the time that all of them have; gaps end a stretch.

    Raises
    ------
    ValueError
        If the file is damaged, or traces have several rates.
    """
    import obspy

    try:
        stream = obspy.read(str(path))
    except Exception as error:  # noqa: BLE001 - ObsPy raises as the damage has it
        raise ValueError(f"{path.name} must be miniSEED or SAC, which ObsPy cannot read: {error}") from None
    names = tuple(sorted({trace.id for trace in stream}))
    places = pick(names, channels, len(names), path.name)
    chosen = [names[i] for i in places]
    traces = {name: [trace for trace in stream if trace.id == name] for name in chosen}
    rates = {float(trace.stats.sampling_rate) for parts in traces.values() for trace in parts}
    if len(rates) != 1:
        raise ValueError(
            f"traces of {path.name} must have one sampling rate, got {sorted(rates)}: pass channels="
        )
    layouts = {tuple((t.stats.starttime.ns, t.stats.npts) for t in parts) for parts in traces.values()}
    if len(layouts) != 1:
        raise ValueError(f"traces of {path.name} must begin and end together: trim them, or pass channels=")
    values = np.stack([np.concatenate([trace.data for trace in parts]) for parts in traces.values()])
    breaks = np.cumsum([npts for _, npts in layouts.pop()])[:-1]
    return Recording(values, rates.pop(), tuple(chosen), None, (), tuple(breaks.tolist()))
