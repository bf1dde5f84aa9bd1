"""How far the numbers can be trusted: alerts, convergence, errors, jumps, and sanity checks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from ...evaluation.catalogue import FAMILIES
from ...result.gaps import gap_shares
from ...result.reading import names_of_attributions, settings_of
from ..content import Alert, Cell, Figure, Heading, Listing, Missing, Paragraph, Piece, Table
from ..look import GREY
from .alerts import alerts_of
from .cells import Array
from .counting import counted, listed, number, percent
from .naming import adds_up, method_of
from .spreads import spread_figure
from .statuses import statuses_of

LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
HOW_TO_EVALUATE = """\
table = freqig.evaluate(result, model, x, explainer=explainer)
freqig.report(result, "report.html", evaluation=table)
"""


def trusted(result: xr.Dataset, evaluation: xr.Dataset | None = None) -> list[Piece]:
    """What speaks for and against a result.

    Parameters
    ----------
    result : xarray.Dataset
        At least one sample.
    evaluation : xarray.Dataset, optional
        Sanity checks of it, as `freqig.evaluate` returns them.

    Returns
    -------
    list of Piece
        Alerts; convergence, errors and evaluations; jumps; sanity checks.

    Raises
    ------
    TypeError, ValueError
        If `evaluation` is no such table, or is of other samples or variables.
    """
    return [
        *(alerts_of(result) or [NOTHING]),
        Heading("Convergence"),
        *_converged(result),
        Heading("Jumps"),
        *_jumps(result),
        Heading("Sanity checks"),
        *checked(result, evaluation),
    ]


NOTHING = Alert(
    "good",
    "Nothing stands out: no blindness to scale, no saturated outputs, no doubtful units, no softmax in the "
    "model, no baseline that is taken for the class itself, and no model at chance, as far as the result "
    "tells.",
)


def _converged(result: xr.Dataset) -> list[Piece]:
    pieces: list[Piece] = []
    if "converged" in result:
        converged = result["converged"].values.astype(bool)
        text = (
            f"{int(converged.sum()):,} of {counted(converged.size, 'explanation')} converged "
            f"({percent(float(converged.mean()))})."
        )
        pieces.append(Paragraph(text))
    else:
        pieces.append(_missing(result, "converged", "how many explanations converged"))
    statuses = statuses_of(result)
    if statuses and set(statuses) != {"converged"}:
        told = ", ".join(f"{name} {count:,}" for name, count in statuses.items())
        pieces.append(Paragraph(f"How integration ended: {told}."))
    if "n_evaluations" in result:
        evaluations = int(result["n_evaluations"].values.sum())
        pieces.append(Paragraph(f"They took {evaluations:,} evaluations of the gradient."))
    for name, what in (("estimated_error", "estimated error"), ("completeness_gap", "completeness gap")):
        if name not in result:
            pieces.append(_missing(result, name, f"the {what}"))
        elif not np.isfinite(result[name].values).any():
            text = f"The {what} is not known, which adaptive nodes tell."
            pieces.append(Missing(text, "freqig.Explainer(model, n_steps=None)"))
    if apart := [name for name in names_of_attributions(result) if not adds_up(result[name])]:
        text = (
            f"Attributions ({listed(apart)}) do not add up to F(x) - F(x'): they rank, and their sums over "
            "bands or channels are no shares of the output."
        )
        pieces.append(Paragraph(text))
    if rows := _quantiles(result):
        columns = ("of", *("lowest", "5 %", "25 %", "median", "75 %", "95 %", "highest"))
        note = (
            "Estimated error and completeness gap: as shares of the L1 norm of the attributions. "
            "Evaluations: of the gradient, for each sample. All have three digits."
        )
        pieces.append(Table("trust-numbers", "Errors, gaps and evaluations", columns, rows, note))
    return [*pieces, *_spreads(result)]


def _spreads(result: xr.Dataset) -> list[Figure]:
    """Histograms of errors and gaps."""
    tol = settings_of(result).get("tol") if "settings" in result.attrs else None
    found = []
    for anchor, what, values in _numbers(result):
        if values is None or anchor == "evaluations":
            continue
        converged = result["converged"].values if "converged" in result else None
        if converged is not None and converged.shape != np.shape(values):
            converged = None
        allowed = float(tol) if tol and anchor == "errors" else None
        found.append(spread_figure(anchor, what, values, converged, allowed=allowed))
    return [one for one in found if one is not None]


def _numbers(result: xr.Dataset) -> Iterator[tuple[str, str, Array | None]]:
    """Anchors, names and values of what is spread; None where it is not in the result."""
    for anchor, what, name in (
        ("errors", "estimated error", "estimated_error"),
        ("gaps", "completeness gap", ""),
        ("evaluations", "evaluations", "n_evaluations"),
    ):
        values = gap_shares(result) if not name else result[name].values if name in result else None
        yield anchor, what, None if values is None else np.asarray(values, dtype=np.float64)


def _quantiles(result: xr.Dataset) -> list[tuple[Cell, ...]]:
    return [
        (what, *_levels(values))
        for _, what, values in _numbers(result)
        if values is not None and np.isfinite(values).any()
    ]


def _levels(values: Array) -> list[float]:
    found = np.quantile(values[np.isfinite(values)], LEVELS)
    return [float(f"{one:.3g}") for one in found]


def _jumps(result: xr.Dataset) -> list[Piece]:
    if not {"jump_place", "jump_width", "jump_size"} <= set(result):
        if method_of(result):
            return [_missing(result, "", "where outputs jump")]
        if "window" in result.dims:
            return [Paragraph("Where the output of a window jumps is not kept.")]
        text = "Where outputs jump is not known, which adaptive nodes find."
        return [Missing(text, "freqig.Explainer(model, n_steps=None)")]
    places, widths, sizes = (
        np.asarray(result[f"jump_{what}"].values, dtype=np.float64).ravel()
        for what in ("place", "width", "size")
    )
    there = np.isfinite(places)
    if not there.any():
        return [Paragraph("No output jumps on its path, as far as integration saw.")]
    count, height = counted(int(there.sum()), "sample"), np.abs(sizes[there])
    text = (
        f"The output jumps on the path of {count} ({percent(float(there.mean()))}), by "
        f"{number(float(np.median(height)))} in the median and {number(float(height.max()))} at most, within "
        f"{number(float(widths[there].max()))} of the path or less. No number of nodes resolves a jump: what "
        "lies on its two sides is explained, and the jump itself is in the completeness gap."
    )
    counts, edges = np.histogram(places[there], bins=10, range=(0, 1))
    rows = [
        (f"{low:.1f}–{high:.1f}", int(many))
        for low, high, many in zip(edges, edges[1:], counts, strict=False)
        if many
    ]
    title = "Where outputs jump: 0 is the baseline, 1 the signal"
    table = Table("jumps", title, ("place on the path", "samples"), rows)
    bars = {"type": "bar", "x": ((edges[:-1] + edges[1:]) / 2).tolist(), "y": counts.tolist(), "width": 0.1}
    layout = {
        "xaxis": {"title": {"text": "place on the path"}, "range": [0, 1]},
        "yaxis": {"title": {"text": "samples"}, "rangemode": "tozero"},
        "showlegend": False,
    }
    look = {"marker": {"color": GREY, "line": {"width": 0.5, "color": "#ffffff"}}}
    alt = "Bars: how many outputs jump in each tenth of the path."
    return [Paragraph(text), Figure("jumps", title, alt, [{**bars, **look}], layout, table, 220)]


def checked(result: xr.Dataset, evaluation: xr.Dataset | None) -> list[Piece]:
    """Sanity checks, or how to run them.

    Raises
    ------
    TypeError, ValueError
        If `evaluation` is no table of `freqig.evaluate`, or is of other samples or variables.
    """
    if evaluation is None:
        text = (
            "None were handed in. Whether the model follows what is named, whether the explanation depends "
            "on its training, and whether it is steady under noise is measured by freqig.evaluate."
        )
        return [Paragraph(text), Listing("how-to-evaluate", "How to run them", HOW_TO_EVALUATE)]
    _refuse_other(result, evaluation)
    pieces: list[Piece] = [Paragraph(line) for line in str(evaluation.attrs["verdict"]).splitlines()]
    missing = [name for name in FAMILIES if name not in evaluation["family"].values]
    if missing:
        pieces.append(Paragraph(f"Not measured: {', '.join(missing)}."))
    return [*pieces, _scores(evaluation)]


def _refuse_other(result: xr.Dataset, evaluation: xr.Dataset) -> None:
    if not isinstance(evaluation, xr.Dataset):
        raise TypeError(
            "evaluation must be an xarray.Dataset as freqig.evaluate returns it, got "
            f"{type(evaluation).__name__}"
        )
    if not {"score", "mean", "count"} <= set(evaluation) or "verdict" not in evaluation.attrs:
        held = ", ".join(map(str, evaluation.data_vars)) or "nothing"
        raise ValueError(f"evaluation must be a table as freqig.evaluate returns it, got one with {held}")
    if evaluation.sizes["sample"] != result.sizes["sample"]:
        raise ValueError(
            f"evaluation must be of the samples of result, {result.sizes['sample']}, got "
            f"{evaluation.sizes['sample']}"
        )
    own = names_of_attributions(result)
    if foreign := [name for name in map(str, evaluation["variable"].values) if name not in own]:
        raise ValueError(
            f"evaluation must be of variables of result ({', '.join(own)}), got {', '.join(foreign)}"
        )


def _scores(evaluation: xr.Dataset) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in evaluation["variable"].values:
        for metric in evaluation["metric"].values:
            one = evaluation.sel(variable=name, metric=metric, group="all")
            count, reason = int(one["count"]), str(one["reason"].values) if "reason" in one else ""
            if not count and not reason:
                continue
            mean = float(f"{float(one['mean']):.3g}") if count else None
            about = (str(one[key].values) for key in ("better", "meaning"))
            rows.append((str(name), str(metric), mean, count, *about, reason))
    columns = ("variable", "metric", "mean", "samples", "better is", "meaning", "why there is none")
    note = "Means over the samples that have the score, with three digits."
    return Table("sanity-checks", "Scores, as freqig.evaluate measured them", columns, rows, note)


def _missing(result: xr.Dataset, name: str, what: str) -> Missing:
    if method := method_of(result):
        return Missing(f"The method, {method}, does not tell {what}.", "freqig.Explainer(model, fs=FS)(x)")
    text = f"The result does not hold {name}, so {what} is unknown: keep the variables that it came with."
    return Missing(text, "freqig.Explainer(model)(x)")
