"""Decisions and their reasons over the time of a recording: what is on the shared axis."""

from __future__ import annotations

import numpy as np

from ..content import Figure, Missing, Paragraph, Piece, Section, Table
from ..material import Material
from ..words.counting import counted
from .columns import Columns
from .panels import Panel, band_panel, below_each_other, class_panel, density_panel, output_panel, power_panel
from .windows import of_windows

ALT = "Panels below each other over {axis}: {panels}."
CLICK = " A click on a place shows its sample in the section One sample; there the keys lead to others, too."


def section(material: Material) -> Section:
    """Decisions and their reasons over the time of a recording, on one axis."""
    windows = of_windows(material)
    if windows is not None:
        return Section("overview", "Overview over time", _looked_over(windows, "window", opens=False))
    if len(material) < 2:
        text = "There is one sample, and so nothing to look over: see One sample."
        return Section("overview", "Overview over time", [Paragraph(text)])
    return Section("overview", "Overview over time", _looked_over(material, "sample", opens=True))


def _looked_over(material: Material, what: str, *, opens: bool) -> list[Piece]:
    """Panels of samples, or of the windows of one, on one axis."""
    pieces: list[Piece] = []
    columns = Columns.of(material)
    panels: list[Panel] = []
    for make in (class_panel, density_panel, output_panel, power_panel, band_panel):
        made = make(material, columns)
        if isinstance(made, Missing):
            pieces.append(made)
        elif made is not None:
            panels.append(made)
    if columns.missing:
        pieces.insert(0, Missing(columns.missing, columns.call))
    names = ", ".join(panel.title for panel in panels)
    traces, layout, height = below_each_other(panels, columns)
    over = "one after another" if columns.missing else f"over {columns.axis}"
    figure = Figure(
        "night",
        f"{counted(len(material), what)} {over}",
        ALT.format(axis=columns.axis, panels=names) + (CLICK if opens else ""),
        traces,
        layout,
        _table(material, what, columns, panels),
        height,
        opens=columns.position if opens else (),
    )
    notes = " ".join(panel.note for panel in panels if panel.note)
    see = "Click on a place to see its sample below; drag" if opens else "Drag"
    return [Paragraph(f"{see} to look closer, and click twice to see all again. {notes}"), figure, *pieces]


def _table(material: Material, what: str, columns: Columns, panels: list[Panel]) -> Table:
    """A row for each sample or window, with what every panel shows of it."""
    heads, cells = [what, columns.axis], [np.arange(len(material)).tolist(), columns.begins.tolist()]
    for panel in panels:
        heads += list(panel.columns)
        cells += [list(column) for column in panel.columns.values()]
    rows = list(zip(*cells, strict=True))
    note = "Numbers have six significant digits, power is in dB and has four."
    return Table("night", "What was decided, and why, over time", heads, rows, note)
