"""What pairs of players do together, where Shapley interactions were explained."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...coalitions.method import ALONE, INTERACTION
from ...known_values import known, largest
from ..content import Figure, Missing, Paragraph, Piece, Table
from ..look import Rich, distinct
from ..material import Material

MOST = 6
"""Classes with a table of pairs of their own, those with the most samples."""
PLAYERS = 24
"""Players that a figure has room for; of more, those that do most. The file has all."""
NOTHING = 1e-3
"""Share of the largest cell below which a cell stays empty: rounding has as many digits as anything."""
TOLD = 12
"""Players up to which numbers stand in the cells."""


def interactions(material: Material) -> list[Piece]:
    """A map of the pairs of each class; nothing where pairs were not explained."""
    result = material.result
    if not {INTERACTION, ALONE} <= set(result):
        return []
    if "target" in result[INTERACTION].dims:
        text = "Interactions are of several targets, of which the page shows none."
        return [Missing(text, "freqig.report(result.isel(target=0))")]
    pairs = result[INTERACTION].transpose("sample", ...).values.astype(np.float64)
    alone = result[ALONE].transpose("sample", ...).values.astype(np.float64).reshape(len(pairs), -1)
    names = [str(name) for name in result[result[INTERACTION].dims[-1]].values.tolist()]
    groups, count = material.common(MOST), len(set(material.target))
    pieces: list[Piece] = [
        Paragraph(
            "A cell below the diagonal is what two players do together, beyond what each does: by how much "
            "the output rises where both are there, in the mean over samples. On the diagonal is what each "
            "does alone. All add up to the mean of F(x) - F(x'); less than a thousandth of the largest stays "
            "empty. Those of one sample are drawn by freqig.plots.interactions(result, sample=...)."
        )
    ]
    for place, (label, members) in enumerate(groups.items()):
        pieces.append(_figure(place, label, int(members.sum()), pairs[members], alone[members], names))
    if count > len(groups):
        pieces.append(Paragraph(f"Of {count} classes the {MOST} with the most samples are shown."))
    return pieces


def _figure(
    place: int, label: str, count: int, pairs: np.ndarray, alone: np.ndarray, names: list[str]
) -> Figure:
    """Players × players of one class; values of shape (N, P, P) and (N, P)."""
    mean, single = known(np.nanmean, pairs, 0), known(np.nanmean, alone, 0)
    shown = _most(mean, single)
    cells = np.where(np.tri(len(shown), k=-1) > 0, mean[np.ix_(shown, shown)], np.nan)
    np.fill_diagonal(cells, single[shown])
    own = distinct([names[i] for i in shown])
    limit = largest(cells) or 1.0
    cells[np.abs(cells) < NOTHING * limit] = np.nan
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": own,
        "y": own,
        "z": cells.astype(np.float32),
        "zmin": -limit,
        "zmax": limit,
        "colorscale": "page-signed",
        "colorbar": {"thickness": 10, "tickformat": "+.2~g"},
        "hoverongaps": False,
        "hovertemplate": Rich("%{y}, %{x}: %{z:+.3g}<extra></extra>"),
    }
    if len(shown) <= TOLD:
        signs = [["+" if one > 0 else "−" if one < 0 else "" for one in row] for row in cells.tolist()]
        trace |= {"texttemplate": "%{z:+.2~g}", "text": signs}
    of = f"{label or 'all'} ({count} samples)"
    left = f"; of {len(names)} players the {len(shown)} that do most" if len(shown) < len(names) else ""
    axis = {"type": "category", "showgrid": False}
    layout = {"xaxis": axis, "yaxis": {**axis, "autorange": "reversed"}}
    alt = (
        f"Map of the players of {label or 'all samples'}: what each does alone on the diagonal, and below it "
        "what two do together; the file behind TSV has the numbers."
    )
    anchor, title = f"interactions-{place}", f"What players do together: {of}{left}"
    table = _table(anchor, label, mean, single, pairs, names)
    return Figure(anchor, title, alt, [trace], layout, table, 120 + 28 * len(shown))


def _table(
    anchor: str, label: str, mean: np.ndarray, single: np.ndarray, pairs: np.ndarray, names: list[str]
) -> Table:
    """A row for each player and each pair, the largest first."""
    rows: list[tuple[Any, ...]] = [
        (label, name, "", float(value), None) for name, value in zip(names, single.tolist(), strict=True)
    ]
    for i, j in zip(*np.tril_indices(len(names), k=-1), strict=True):
        known = pairs[:, i, j][np.isfinite(pairs[:, i, j])]
        same = float((np.sign(known) == np.sign(mean[i, j])).mean()) if known.size else None
        rows.append((label, names[j], names[i], float(mean[i, j]), same))
    rows.sort(key=lambda row: -abs(row[3]))
    columns = ("class", "player", "with", "mean", "samples with this sign (share)")
    title = f"What players do together, {label or 'all samples'}"
    return Table(anchor, title, columns, rows, "Means over samples, six significant digits.")


def _most(mean: np.ndarray, single: np.ndarray) -> list[int]:
    """Players that are drawn, in their own order."""
    weight = np.abs(mean).sum(axis=1) + np.abs(single)
    return sorted(np.argsort(-weight, kind="stable")[:PLAYERS].tolist())
