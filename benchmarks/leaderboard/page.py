"""The tables of the leaderboard in Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from leaderboard.cases import CASES
from leaderboard.goals import Goal
from leaderboard.methods import Method
from leaderboard.summary import Row, leaders, ranking

HEAD = """Measured by `python benchmarks/truth.py`, written by its `--page`; what it means says
`docs/leaderboard.md`."""
LEGEND = """Mean over seeds ± standard deviation over seeds, then seeds × series. Bold: first, or
within the spread of first. By sign where the truth is what speaks for the class, by magnitude where it is
what the model sees. Where there are no classes, on hmm and arma, every scale of the output is the output
itself; on bearing every path begins at a flat envelope, whatever baseline a setting names."""
DETAILS = {
    "average_precision": "AP",
    "average_precision_by_sign": "AP by sign",
    "relevance_rank_accuracy_by_sign": "RRA by sign",
    "relevance_mass_accuracy": "RMA",
    "aup": "AUP",
    "aur": "AUR",
    "comprehensiveness": "compr.",
    "faithfulness@0.1": "faith. @0.1",
    "effective_number": "eff. number",
}
"""Metrics of the tables by problem."""


def page(
    found: Sequence[Row],
    first_half: Sequence[tuple[str, float, float, int]],
    checked: Sequence[Goal],
    methods: Mapping[str, Method],
    networks: Iterable[Mapping[str, Any]],
    run: Sequence[str],
    about: str,
) -> str:
    """Everything, as one page of Markdown.

    Parameters
    ----------
    found : sequence of Row
        Of the seeds that are reported.
    first_half : sequence of tuple
        Settings of the package, as `settings` ranks them on the seeds that are for choosing.
    checked : sequence of Goal
        What was to be shown.
    methods : mapping of str to Method
        All that there are.
    networks : iterable of mapping
        Results, each of which says how well its network does and how long its training took.
    run : sequence of str
        Which cells were run, on the seeds that are reported and on those for choosing.
    about : str
        Machine and date.
    """
    parts = [
        "# Which explanation is right",
        HEAD,
        about,
        "## What was run",
        run[0],
        "To choose a setting of the package:",
        run[1],
        "## Goals",
        "\n".join(f"- {goal}" for goal in checked),
        "## The package's setting",
        "Mean average precision over problems on the seeds that are for choosing, and calls per series.",
        _table(
            ("setting", "average precision", "calls", "problems"),
            [(name, f"{value:.4f}", f"{calls:.1f}", str(count)) for name, value, calls, count in first_half],
        ),
        "## Average precision",
        LEGEND,
        _overview(found),
        "## Printed in papers",
        "Ours stand beside them; problem and network were made anew, and are smaller.",
        _printed(found),
        "## Every problem",
        *(part for case in CASES for part in _details(found, case)),
        "## Networks",
        "Share of fresh labels that they find, and seconds of training, which are in no other number.",
        _networks(networks),
        "## Methods",
        "\n".join(f"- **{method.name}**: {method.says}." for method in methods.values()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(found: Sequence[Row], first_half: Sequence[tuple[str, float, float, int]], about: str) -> str:
    """All rows with all metrics, to four digits, one line each."""
    rows = [
        json.dumps(
            {
                "case": row.case,
                "method": row.method,
                "seeds": row.seeds,
                "series": row.series,
                "mean": _short(row.mean),
                "spread": _short(row.spread),
            },
            ensure_ascii=False,
        )
        for row in found
    ]
    chosen = json.dumps(
        [
            dict(zip(("setting", "average_precision", "calls", "problems"), one, strict=True))
            for one in first_half
        ]
    )
    return (
        f'{{"about": {json.dumps(about)},\n"settings": {chosen},\n"rows": [\n' + ",\n".join(rows) + "\n]}\n"
    )


def _short(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in values.items() if np.isfinite(value)}


def _overview(found: Sequence[Row]) -> str:
    by = {(row.method, row.case): row for row in found}
    cases = [case for case in CASES if any(row.case == case for row in found)]
    bold = {id(row) for case in CASES.values() if (ranked := ranking(found, case)) for row in leaders(ranked)}
    lines = []
    for method in dict.fromkeys(row.method for row in found):
        cells = [method]
        for case in cases:
            row = by.get((method, case))
            if row is None:
                cells.append("")
                continue
            value = _with_spread(row.headline, row.headline_spread)
            shown = f"**{value}**" if id(row) in bold else value
            cells.append(f"{shown} ({len(row.seeds)} × {row.series})")
        lines.append(tuple(cells))
    return _table(("method", *cases), lines)


def _details(found: Sequence[Row], name: str) -> list[str]:
    ranked = ranking(found, CASES[name])
    if not ranked:
        return []
    lines = [
        (
            row.method,
            *(_with_spread(row.mean.get(m, np.nan), row.spread.get(m, np.nan)) for m in DETAILS),
            f"{row.mean['gradients']:.1f}",
            f"{row.mean['calls']:.1f}",
            f"{1e3 * row.mean.get('cpu_seconds', row.mean['seconds']):.1f}",
            f"{len(row.seeds)} × {row.series}",
        )
        for row in ranked
    ]
    heads = ("method", *DETAILS.values(), "gradients", "calls", "ms", "seeds × series")
    chance = ranked[0].mean["truth_share"]
    return [f"### {name}", f"{chance:.1%} of the coefficients are true.", _table(heads, lines)]


def _printed(found: Sequence[Row]) -> str:
    by = {(row.method, row.case): row for row in found}
    lines = []
    for case in CASES.values():
        for one in case.printed:
            row = by.get((one.ours, case.name))
            ours = _with_spread(row.mean[one.metric], row.spread[one.metric]) if row else "–"
            metric = one.metric.replace("_", " ")
            lines.append((case.name, one.method, metric, f"{one.value:g}", one.ours or "–", ours, one.source))
    return _table(
        ("problem", "paper's method", "metric", "printed", "ours next to it", "ours", "source"), lines
    )


def _networks(cells: Iterable[Mapping[str, Any]]) -> str:
    known: dict[str, dict[int, tuple[float, float]]] = {}
    for cell in cells:
        known.setdefault(cell["case"], {})[cell["seed"]] = cell["accuracy"], cell["training_seconds"]
    lines = []
    for case in CASES:
        values = (
            np.array([known[case][seed] for seed in sorted(known[case])])
            if case in known
            else np.empty((0, 2))
        )
        if not len(values) or not np.isfinite(values[:, 0]).all():
            lines.append((case, "written down, not trained" if len(values) else "–", "", ""))
            continue
        low, high = values[:, 0].min(), values[:, 0].max()
        lines.append((case, f"{low:.3f}–{high:.3f}", f"{values[:, 1].mean():.0f}", str(len(values))))
    return _table(("problem", "accuracy", "seconds", "seeds"), lines)


def _with_spread(value: float, spread: float) -> str:
    if not np.isfinite(value):
        return "–"
    form = "{:.1f}" if abs(value) >= 100 else "{:.3f}"
    return form.format(value) + (f" ± {form.format(spread)}" if np.isfinite(spread) else "")


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
