"""Decisions and their reasons over the time of a recording: what is on the shared axis."""

from __future__ import annotations

import numpy as np

from ..content import Figure, Missing, Paragraph, Piece, Section, Table
from ..material import Material
from .columns import Columns
from .panels import Panel, band_panel, below_each_other, class_panel, density_panel, output_panel, power_panel

ALT = (
    "Panels below each other over {axis}: {panels}. A click on a place shows its sample in the section One "
    "sample; there the keys lead to others, too."
)


def section(material: Material) -> Section:
    """Decisions and their reasons over the time of a recording, on one axis."""
    pieces: list[Piece] = []
    if len(material) < 2:
        text = "There is one sample, and so nothing to look over: see One sample."
        return Section("overview", "Overview over time", [Paragraph(text)])
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
    figure = Figure(
        "night",
        f"{len(material)} samples {'one after another' if columns.missing else f'over {columns.axis}'}",
        ALT.format(axis=columns.axis, panels=names),
        traces,
        layout,
        _table(material, columns, panels),
        height,
        opens=columns.position,
    )
    notes = " ".join(panel.note for panel in panels if panel.note)
    how = "Click on a place to see its sample below; drag to look closer, and click twice to see all again."
    return Section("overview", "Overview over time", [Paragraph(f"{how} {notes}"), figure, *pieces])


def _table(material: Material, columns: Columns, panels: list[Panel]) -> Table:
    """A row for each sample, with what every panel shows of it."""
    heads, cells = ["sample", columns.axis], [np.arange(len(material)).tolist(), columns.begins.tolist()]
    for panel in panels:
        heads += list(panel.columns)
        cells += [list(column) for column in panel.columns.values()]
    rows = list(zip(*cells, strict=True))
    note = "Numbers have six significant digits, power is in dB and has four."
    return Table("night", "What was decided, and why, over time", heads, rows, note)
