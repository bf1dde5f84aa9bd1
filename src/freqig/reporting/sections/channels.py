"""Where on the head, or in which channel, the reasons lie: mean attributions of channels and bands."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from ...plots import topomap
from ..content import Figure, Missing, Paragraph, Picture, Piece, Section, Table
from ..look import Rich, distinct
from ..material import Material

MOST = 6
"""Classes with heads of their own, those with the most samples."""
ROOMY = 30
"""Channels up to which rows are as high as text likes."""
TOLD = 400
"""Cells up to which numbers stand in them."""


def section(material: Material) -> Section:
    """Topographic maps where electrodes are known, and channels × bands."""
    banded = material.banded
    title = "Channels"
    if banded is None:
        text = "There are no attributions by channel and band."
        call = "freqig.Explainer(model, fs=FS, domains=[freqig.RFFT()])"
        return Section("channels", title, [Missing(text, call)])
    if len(banded.lines) < 2:
        text = "There is one channel, which holds all attributions; see Classes for its bands."
        return Section("channels", title, [Paragraph(text)])
    groups, count = material.common(MOST), len(set(material.target))
    heads: list[Piece] = []
    for place, (label, members) in enumerate(groups.items()):
        made = _heads(material, label, members, place)
        if isinstance(made, Missing):
            heads = [made]
            break
        heads.append(made)
    pieces: list[Piece] = [_cells(material, place, *group) for place, group in enumerate(groups.items())]
    if count > len(groups):
        text = f"Of {count} classes the {MOST} with the most samples are shown."
        pieces.append(Paragraph(text))
    return Section("channels", title, [*heads, *pieces])


def _named(label: str, members: np.ndarray) -> str:
    return f"{label or 'all'} ({int(members.sum())} samples)"


def _table(material: Material, anchor: str, label: str, mean: np.ndarray) -> Table:
    banded = material.banded
    assert banded is not None  # noqa: S101 - only asked for where there is one
    rows = [[label, line, *row] for line, row in zip(banded.lines, mean.tolist(), strict=True)]
    heads = ["class", "channel", *banded.heads]
    return Table(
        anchor, f"Mean attribution, {label}", heads, rows, "Means over samples, six significant digits."
    )


def _cells(material: Material, place: int, label: str, members: np.ndarray) -> Figure:
    """Channels × bands of one class, with numbers, whose sign is written."""
    banded = material.banded
    assert banded is not None  # noqa: S101 - only asked for where there is one
    mean = banded.values[members].mean(axis=0)
    limit = float(np.abs(mean).max()) or 1.0
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": distinct(banded.names),
        "y": distinct(banded.lines),
        "z": mean.astype(np.float32),
        "zmin": -limit,
        "zmax": limit,
        "colorscale": "page-signed",
        "colorbar": {"thickness": 10, "tickformat": "+.2~g"},
        "hovertemplate": Rich("%{y}, %{x}: %{z:+.3g}<extra></extra>"),
    }
    if mean.size <= TOLD:
        # In narrow cells there is room for signs only.
        signs = [["+" if one > 0 else "−" if one < 0 else "" for one in row] for row in mean.tolist()]
        trace |= {"texttemplate": "%{z:+.2~g}", "text": signs}
    anchor = f"channel-bands-{place}"
    of = label or "all samples"
    alt = f"Mean attribution of each channel and band for {of}; signs are written in the cells."
    many = len(banded.lines) > ROOMY
    height = min(2000, 90 + (16 if many else 26) * len(banded.lines))
    rows: dict[str, Any] = {"autorange": "reversed", "type": "category"}
    if many and height < 2000:
        # A name beside every row.
        rows |= {"dtick": 1, "tickfont": {"size": 10}}
    layout = {"yaxis": rows, "xaxis": {"type": "category"}}
    title = f"Channels and bands: {_named(label, members)}"
    return Figure(anchor, title, alt, [trace], layout, _table(material, anchor, label, mean), height)


def _heads(material: Material, label: str, members: np.ndarray, place: int) -> Picture | Missing:
    """Topographic maps of one class, by MNE."""
    banded = material.banded
    assert banded is not None  # noqa: S101 - only asked for where there is one
    if len(banded.lines) != material.result.sizes.get("channel", 0):
        text = "There are no maps of the head: attributions are not over channels alone."
        return Missing(text, "result.sel(AXIS=...)")
    whole = (
        material.result[[banded.name]].isel(sample=np.flatnonzero(members)).mean("sample", keep_attrs=True)
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            png, svg = _drawn(whole, material, banded.name, _named(label, members))
    except (ImportError, ValueError, TypeError) as error:
        text = f"There are no maps of the head, since places of the channels are not known: {_short(error)}."
        return Missing(text, "freqig.report(result, info=raw.info)")
    anchor = f"heads-{place}"
    mean = banded.values[members].mean(axis=0)
    alt = (
        f"Heads with the mean attribution of each band for {label}; contours are dashed where it is negative."
    )
    title = f"Attribution over the head: {_named(label, members)}"
    return Picture(anchor, title, alt, png, svg, _table(material, anchor, label, mean))


def _short(error: Exception) -> str:
    return str(error).partition(": pass info=")[0].rstrip(".")


def _drawn(whole: Any, material: Material, name: str, title: str) -> tuple[bytes, bytes]:
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Drawing

    count = len([one for one in material.banded.names if one != "rest"]) if material.banded else 1
    drawing = Drawing(figsize=(9, 2.6 * -(-count // 5)), layout="constrained")
    axes = drawing.subplots(-(-count // 5), min(count, 5), squeeze=False).ravel()
    topomap(whole, bands=material.bands, name=name, info=material.info, title=title, axes=list(axes[:count]))
    for spare in axes[count:]:
        spare.set_axis_off()
    made = []
    # Names inside an SVG come from its salt, and not from chance: the same result makes the same page.
    with rc_context({"svg.hashsalt": "freqig"}):
        for kind in ("png", "svg"):
            file = io.BytesIO()
            metadata = {"Date": None} if kind == "svg" else {}
            drawing.savefig(file, format=kind, dpi=110, metadata=metadata)
            made.append(file.getvalue())
    return made[0], made[1]
