"""Figures of the leaderboard: who finds the truth where, and what it costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from leaderboard.cases import CASES
from leaderboard.summary import Row, leaders, ranking


def draw(found: Sequence[Row], ours: Collection[str], folder: Path) -> list[Path]:
    """Draw both figures, as PNG."""
    if not found:
        return []
    # Wide figures are shown at some two thirds of their size.
    with mpl.rc_context({"font.size": 11}):
        return [
            _matrix(found, ours, folder / "truth_precision.png"),
            _cost(found, ours, folder / "truth_calls.png"),
        ]


def _order(found: Sequence[Row]) -> list[str]:
    """Methods by their mean rank over the problems that they have, the best first."""
    places: dict[str, list[float]] = {}
    for case in CASES.values():
        ranked = ranking(found, case)
        for place, row in enumerate(ranked):
            places.setdefault(row.method, []).append(place / max(1, len(ranked) - 1))
    return sorted(places, key=lambda method: float(np.mean(places[method])))


def _matrix(found: Sequence[Row], ours: Collection[str], path: Path) -> Path:
    """Average precision of every method on every problem, in numbers and shades."""
    methods = _order(found)
    cases = [case for case in CASES if ranking(found, CASES[case])]
    values = np.full((len(methods), len(cases)), np.nan)
    for row in found:
        if row.method in methods and row.case in cases:
            values[methods.index(row.method), cases.index(row.case)] = row.headline
    bold = {(r.method, r.case) for case in cases for r in leaders(ranking(found, CASES[case]))}
    figure, axes = plt.subplots(figsize=(9.2, 2.4 + 0.3 * len(methods)), layout="constrained")
    # Light enough for black figures throughout.
    shades = mpl.colors.LinearSegmentedColormap.from_list("shades", ["#ffffff", "#7fa9d0"])
    axes.imshow(values, cmap=shades, vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            weight = "bold" if (methods[i], cases[j]) in bold else "normal"
            axes.text(j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=12, weight=weight)
    axes.set_xticks(range(len(cases)), cases, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(methods)), methods)
    for label in axes.get_yticklabels():
        label.set_weight("bold" if label.get_text() in ours else "normal")
    axes.tick_params(length=0)
    figure.suptitle(
        "Average precision in per cent, mean over seeds.\n"
        "Bold: settings of the package; numbers that are first, or within the spread of first"
    )
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path


def _cost(found: Sequence[Row], ours: Collection[str], path: Path) -> Path:
    """Average precision against calls, on each problem."""
    cases = [case for case in CASES if ranking(found, CASES[case])]
    columns = 4
    lines = -(-len(cases) // columns)
    figure, grid = plt.subplots(
        lines,
        columns,
        figsize=(9.2, 2.3 * lines + 0.4),
        sharex=True,
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for axes, case in zip(grid.flat, cases, strict=False):
        for row in ranking(found, CASES[case]):
            own = row.method in ours
            spread = row.headline_spread if np.isfinite(row.headline_spread) else 0.0
            axes.errorbar(
                max(1.0, row.mean["calls"]),
                row.headline,
                spread,
                fmt="o" if own else "x",
                color="black" if own else "#8a5a00",
                markersize=6,
                linewidth=0.8,
            )
        axes.set_title(case, fontsize=11)
        axes.set_xscale("log")
        axes.set_ylim(0, 1.05)
        axes.grid(alpha=0.3)
    for axes in grid.flat[len(cases) :]:
        axes.set_visible(False)
    figure.supxlabel("calls of the model per series (dots: freqig.Explainer; crosses: others)", fontsize=12)
    figure.supylabel("average precision", fontsize=12)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path
