"""Panels of an overview: classes, their probabilities, power, and attributions of bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...plots._epochs import power_of, probabilities_of
from ...plots._stages import from_the_top
from ..content import Missing
from ..lines import stacked
from ..look import INK, MINUS, SOFT, Rich, distinct, plain, scale_of, shades, signed_area
from ..material import Material
from .columns import Columns

MOST = 12
"""Classes that one panel can tell apart."""
ROWS = 96
"""Frequencies of the spectrogram, at most."""


@dataclass(frozen=True)
class Panel:
    """One panel: traces over the shared axis, and its own vertical axis.

    Parameters
    ----------
    title : str
        What it shows.
    traces : sequence of mapping
        Of plotly, with `y`, without their axes.
    axis : mapping
        Layout of the vertical axis.
    height : int
        In pixels.
    columns : mapping of str to sequence
        What a file says of each sample, by head.
    note : str
        What has to be said of it.
    """

    title: str
    traces: Sequence[dict[str, Any]]
    axis: Mapping[str, Any]
    height: int
    columns: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def class_panel(material: Material, columns: Columns) -> Panel | Missing | None:
    """True and predicted classes, and where they differ: a hypnogram."""
    if material.predicted is None:
        return None
    order = [material.classes[place] for place in from_the_top(material.classes, None)]
    row = {label: place for place, label in enumerate(order)}
    traces, told = [], {}
    for name, labels, line in (
        ("true", material.truth, {"color": SOFT, "width": 5}),
        ("predicted", material.predicted, {"color": INK, "width": 1.5}),
    ):
        if labels is None:
            continue
        places = np.array([row.get(label, np.nan) for label in labels])
        steps = {**line, "shape": "hvh"}
        traces.append({**_line(name, columns.laid(places)), "line": steps})
        told[name] = labels
    if material.right is not None and (material.right == 0).any():
        # Above the axis, where no line is.
        wrong = np.where(material.right == 0, len(order) - 0.4, np.nan)
        marker = {"symbol": "x-thin-open", "size": 6, "color": MINUS}
        traces.append({**_line("wrong", columns.laid(wrong)), "mode": "markers", "marker": marker})
    axis = {"range": [len(order) - 0.1, -0.5], "zeroline": False}
    if len(order) <= MOST:
        axis |= {"tickvals": list(range(len(order))), "ticktext": distinct(order)}
    what = "true and predicted class" if material.truth is not None else "predicted class"
    return Panel(what, traces, axis, 150, told)


def density_panel(material: Material, columns: Columns) -> Panel | Missing | None:
    """Probabilities of all classes, stacked: a hypnodensity."""
    result = material.result
    if material.predicted is None:
        return None
    if "outputs" not in result or "class" not in result["outputs"].dims:
        text = "There are no outputs of all classes, and so no probabilities over time."
        return Missing(text, 'freqig.Explainer(model, classes=("A", "B"))')
    shares = probabilities_of(result)
    order = from_the_top(material.classes, None)
    common = sorted(np.argsort(-shares.mean(axis=0))[:MOST].tolist())
    shown = [place for place in order if place in common]
    traces = []
    # From the bottom, dark to light, so that neighbours differ in grey as well.
    for place, color in zip(reversed(shown), shades(len(shown)), strict=True):
        line = {"width": 0.3, "color": INK, "shape": "hvh"}
        one = _line(material.classes[place], columns.laid(shares[:, place]))
        traces.append({**one, "line": line, "stackgroup": "density", "fillcolor": color, "legend": "legend2"})
    told = {f"p({material.classes[place]})": shares[:, place].tolist() for place in shown}
    left = len(order) - len(shown)
    note = f"Probabilities are of the {MOST} likeliest classes; {left} others are left out." if left else ""
    return Panel("probability of each class", traces, {"range": [0, 1]}, 130, told, note)


def output_panel(material: Material, columns: Columns) -> Panel | Missing | None:
    """The output, where there are no classes."""
    if material.predicted is not None:
        return None
    output = material.result["output"].values.astype(np.float64)
    line = {**_line("output", columns.laid(output)), "line": {"color": INK, "width": 1.5, "shape": "hvh"}}
    return Panel("output of the model", [line], {}, 130, {"output": output.tolist()})


def power_panel(material: Material, columns: Columns) -> Panel | Missing | None:
    """Power of the signal, in dB: a spectrogram."""
    result = material.result
    if "signal" not in result or "time" not in result["signal"].dims:
        text = "There is no signal of one input in the result, and so no spectrogram."
        return Missing(text, "keep the variable 'signal' that freqig.Explainer returns")
    frequency, power = power_of(stacked(result["signal"], ("time",)), material.fs or 1.0)
    edges = [high for _, high in material.named_bands.values()]
    shown = (frequency > 0) & (frequency <= (max(edges) if edges else np.inf))
    if not shown.any():
        return None
    # Rows of one height are drawn as a picture, others cell by cell: what does not fill a row is left out.
    every = max(1, -(-int(shown.sum()) // ROWS))
    rows = np.flatnonzero(shown)[: int(shown.sum()) // every * every].reshape(-1, every)
    mean, middle = power[:, rows].mean(axis=2), frequency[rows].mean(axis=1)
    decibels = 10 * np.log10(np.maximum(mean, np.finfo(float).tiny))
    low, high = np.percentile(decibels, [5, 98])
    unit = "Hz" if material.fs else "cycles per sample"
    trace = {
        "type": "heatmap",
        "y0": float(middle[0]),
        "dy": float(middle[1] - middle[0]) if middle.size > 1 else 1.0,
        "z": columns.laid(decibels).T.astype(np.float32),
        "zmin": low,
        "zmax": max(high, low + 1),
        "colorscale": scale_of("magma"),
        "showscale": False,
        "hovertemplate": Rich(f"%{{y:.3g}} {unit}<br>%{{z:.1f}} dB<extra></extra>"),
    }
    told = {
        f"power at {at:.3g} {unit} (dB)": np.round(column, 1).tolist()
        for at, column in zip(middle, decibels.T, strict=True)
    }
    note = (
        f"Power is dark where it is low, up to {low:.0f} dB, and light where it is high, from {high:.0f} dB."
    )
    return Panel(f"power of the signal ({unit})", [trace], {}, 150, told, note)


def band_panel(material: Material, columns: Columns) -> Panel | Missing | None:
    """Attributions of bands, one lane each: up where they raised the output, down where they lowered it."""
    if material.banded is None:
        text = "There are no attributions by band over time."
        return Missing(text, "freqig.Explainer(model, fs=FS, domains=[freqig.RFFT()])")
    names, values = material.banded.names, material.banded.values.sum(axis=1)
    limit = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
    traces: list[dict[str, Any]] = []
    for lane, name in enumerate(names):
        heights = columns.laid(np.clip(values[:, lane] / limit, -1, 1))
        hover = columns.laid(values[:, lane])
        traces += signed_area(heights, len(names) - 1 - lane, name, hover)
    ticks = {"tickvals": list(range(len(names)))[::-1], "ticktext": distinct(names)}
    axis = {**ticks, "range": [-0.6, len(names) - 0.4], "zeroline": False, "showgrid": False}
    told = {f"attribution of {name}": values[:, lane].tolist() for lane, name in enumerate(names)}
    note = (
        "In each lane attribution goes up, red, where a band raised the output, and down, blue and hatched, "
        f"where it lowered it; lanes are cut at ±{limit:.3g}."
    )
    return Panel("attribution of each band", traces, axis, 36 * len(names) + 20, told, note)


def below_each_other(
    panels: Sequence[Panel], columns: Columns
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Traces, layout and height of all panels on one axis."""
    foot, line = 50, 20
    # Above a panel stands its title, and above that its key: on a narrow page they do not fit side by side.
    gaps = [34 + line * any(trace.get("showlegend") for trace in panel.traces) for panel in panels]
    total = sum(panel.height + gap for panel, gap in zip(panels, gaps, strict=True))
    traces: list[dict[str, Any]] = []
    names = [str(name) for panel in panels for name in panel.axis.get("ticktext", ())]
    layout: dict[str, Any] = {
        # Margins that fit themselves take a good part of the time until all is drawn.
        "margin": {"l": max(58, 16 + 7 * max(map(len, names), default=0)), "r": 12, "t": 4, "b": foot},
        "annotations": [],
        "hovermode": "x",
        "xaxis": {"title": {"text": columns.axis}, "range": columns.span, "automargin": False},
        "legend": _legend(),
        "legend2": _legend(),
    }
    top = 1.0
    for number, (panel, gap) in enumerate(zip(panels, gaps, strict=True), 1):
        key = "" if number == 1 else str(number)
        above = top - gap / total
        below = above - panel.height / total
        axis = {"fixedrange": True, "automargin": False, **panel.axis}
        layout[f"yaxis{key}"] = {**axis, "domain": [max(below, 0.0), above]}
        layout["annotations"].append(
            {
                "text": Rich(f"<b>{plain(panel.title)}</b>"),
                "x": 0,
                "y": above,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
        for trace in panel.traces:
            traces.append({**columns.grid, **trace, "xaxis": "x", "yaxis": f"y{key}"})
            if trace.get("showlegend"):
                layout[trace.get("legend", "legend")]["y"] = above + line / total
        top = below
    layout["xaxis"]["anchor"] = f"y{len(panels)}" if len(panels) > 1 else "y"
    return traces, layout, total + foot


def _legend() -> dict[str, Any]:
    where = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"}
    return {**where, "itemclick": False, "itemdoubleclick": False, "font": {"size": 11}}


def _line(name: str, values: np.ndarray) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "y": values, "showlegend": True}
