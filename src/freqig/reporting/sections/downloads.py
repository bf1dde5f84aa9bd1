"""Every figure and table of the page in one list, and what of their data is rounded."""

from __future__ import annotations

from collections.abc import Sequence

from ..content import Figure, Index, Listing, Live, Paragraph, Picture, Section, Table


def section(sections: Sequence[Section]) -> Section:
    """Every figure and table of the page in one list, and what of their data is rounded."""
    found = []
    for one in sections:
        entries: list[tuple[str, str, str]] = []
        for piece in one.pieces:
            if isinstance(piece, Live):
                entries += [(anchor, title, "PNG, SVG, TSV") for anchor, title, _ in piece.figures]
            elif isinstance(piece, Figure | Picture):
                entries.append((piece.anchor, piece.title, "PNG, SVG, TSV"))
            elif isinstance(piece, Table):
                entries.append((piece.anchor, piece.title, "TSV"))
            elif isinstance(piece, Listing):
                entries.append((piece.anchor, piece.title, "text"))
        if entries:
            found.append((one.title, entries))
    text = (
        "Every figure has its picture as PNG and SVG, and the data behind it as a table, whose first line "
        "says what is rounded. Files are made in the browser; nothing leaves this page."
    )
    return Section("downloads", "Figures and data", [Paragraph(text), Index(found)])
