"""How errors and gaps are spread over the samples: histograms over powers of ten."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ..content import Cell, Figure, Table
from ..look import GREY, HATCH, INK, MINUS, Rich
from .cells import Array
from .counting import counted

PARTS = (4, 8, 16, 32, 64)
"""Bars per power of ten: as few as make `BARS`."""
BARS = 12
DECADES = 16
"""Powers of ten that are shown, at most, from the largest down: below them is rounding."""
FEWEST = 3
"""Of fewer values the table of quantiles says all."""


def spread_figure(
    anchor: str,
    what: str,
    values: Array,
    converged: np.ndarray | None = None,
    *,
    allowed: float | None = None,
) -> Figure | None:
    """A histogram of shares, in percent; None where there are too few.

    Parameters
    ----------
    anchor, what : str
        Unique on the page, and what the shares are of.
    values : numpy.ndarray
        Of any shape; what is not finite is counted apart.
    converged : numpy.ndarray, optional
        Which explanations did, bool, the shape of `values`. Those that did not stand on top, hatched.
    allowed : float, optional
        Where a line shows up to which share is good enough.

    Examples
    --------
    >>> made = spread_figure("errors", "estimated error", np.array([0.0, 0.001, 0.02, np.nan]))
    >>> [(row[0], row[1], row[2]) for row in made.table.rows if row[2]]
    [(0.0, 0, 1), (0.001, 0.00115478, 1), (0.0177828, 0.0205353, 1)]
    """
    known = np.isfinite(values)
    size = np.abs(np.asarray(values, dtype=np.float64)[known])
    if size.size < FEWEST:
        return None
    good = np.ones(size.shape, dtype=bool) if converged is None else converged[known].astype(bool)
    bars, parts = _bars(size)
    # Below the first edge is what is nothing, or rounding.
    place = np.searchsorted(10.0 ** (bars / parts) * (1 - 1e-9), size, side="right") - 1
    counts = [np.bincount(place[own] + 1, minlength=len(bars)) for own in (good, ~good)]
    middles = np.concatenate([[bars[0] - 1.5], bars[:-1] + 0.5]) / parts
    edges = [0.0, *(float(f"{one:.6g}") for one in 10.0 ** (bars / parts))]
    told = [_told(low, high) for low, high in pairwise(edges)]
    none = bool((place < 0).any())
    first = 0 if none else 1
    told[0] = "0" if not (size[place < 0] > 0).any() else f"below {_number(edges[1])}"
    traces = [
        _bar(name, middles[first:], own[first:], told[first:], color, hatched, 1 / parts)
        for name, own, color, hatched in (
            ("converged" if (~good).any() else "samples", counts[0], GREY, False),
            ("not converged", counts[1], MINUS, True),
        )
        if own.any()
    ]
    columns = ("from", "below", "samples", "of them not converged")
    rows: list[tuple[Cell, ...]] = [
        (low, high if i or told[0] != "0" else 0, int(a + b), int(b))
        for i, (low, high, a, b) in enumerate(zip(edges, edges[1:], *counts, strict=False))
        if i >= first
    ]
    unknown = int((~known).sum())
    note = "Edges have six digits." + (f" Of {counted(unknown, 'value')} it is not known." if unknown else "")
    alt = (
        f"Bars: how many samples have which {what}, over a logarithmic axis"
        f"{'; those that did not converge stand on top, hatched' if (~good).any() else ''}"
        f"{', with a line at the tolerance' if allowed else ''}."
    )
    layout = _layout(what, middles[first:], bars / parts, none, told[0], allowed)
    # A key is needed where there is more than one kind of bar.
    layout["showlegend"] = len(traces) > 1
    title = f"How the {what} is spread"
    return Figure(anchor, title, alt, traces, layout, Table(anchor, title, columns, rows, note), 220)


def _bars(size: Array) -> tuple[np.ndarray, int]:
    """Edges of the bars, as powers of ten times so many parts of whole numbers, and how many parts."""
    there = size[size > 0]
    if not there.size:
        return np.arange(-3 * PARTS[0], -3 * PARTS[0] + 2), PARTS[0]
    ends = np.log10([float(there.min()), float(there.max())])
    parts = next((own for own in PARTS if own * (ends[1] - ends[0]) >= BARS), PARTS[-1])
    low, top = (math.floor(parts * end + 1e-9) for end in ends.tolist())
    return np.arange(max(low, top + 1 - DECADES * parts), top + 2), parts


def _bar(
    name: str, x: Array, y: np.ndarray, told: list[str], color: str, hatched: bool, width: float
) -> dict[str, Any]:
    marker: dict[str, Any] = {"color": color, "line": {"width": 0.5, "color": "#ffffff"}}
    if hatched:
        marker["pattern"] = {key: HATCH[key] for key in ("shape", "size", "solidity", "fgcolor")}
    return {
        "type": "bar",
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "width": width,
        "text": told,
        "textposition": "none",
        "marker": marker,
        "hovertemplate": Rich("%{text}: %{y}<extra>%{fullData.name}</extra>"),
    }


def _layout(
    what: str,
    middles: Array,
    edges: np.ndarray,
    none: bool,
    lowest: str,
    allowed: float | None,
) -> dict[str, Any]:
    low, high, width = float(edges[0]), float(edges[-1]), float(edges[1] - edges[0])
    every = max(1, math.ceil((high - low) / 6))
    ticks: list[float] = list(range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1, every))
    texts = [_number(10.0**tick) for tick in ticks]
    if len(ticks) < 2:
        # Within one power of ten are no others.
        ticks = np.linspace(low, high, 4).tolist()
        texts = [_number(10.0**tick) for tick in ticks]
    if none:
        ticks, texts = [float(middles[0]), *ticks], [lowest, *texts]
    layout: dict[str, Any] = {
        "barmode": "stack",
        "bargap": 0,
        "margin": {"t": 26},
        "xaxis": {"title": {"text": what}, "tickvals": ticks, "ticktext": texts},
        "yaxis": {"title": {"text": "samples"}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    }
    if allowed:
        at = math.log10(allowed)
        ends = [float(middles[0]) - width, max(high, at) + width]
        layout["xaxis"]["range"] = [min(ends[0], at - width), ends[1]]
        line = {"color": INK, "width": 1.5, "dash": "dash"}
        layout["shapes"] = [
            {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line}
        ]
        where = {"x": at, "y": 1, "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
        layout["annotations"] = [{"text": f"tolerance {_number(allowed)}", "showarrow": False, **where}]
    return layout


def _told(low: float, high: float) -> str:
    return f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{100 * value:.3g} %"
