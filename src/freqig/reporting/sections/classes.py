"""What decided for each class: mean spectra of attributions, right and wrong apart, and sums over bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ...groupings import in_order
from ...plots._style import label_with_units, units_of
from ...statistics import summarize
from ..content import Figure, Missing, Paragraph, Piece, Section, Table
from ..look import INK, MINUS, PLUS, Rich, plain, rgba
from ..material import Material
from ..words.decisions import of_one_output
from .interactions import interactions

ALL = "all samples"
"""What is called so, where there are no classes."""
MOST = 12
"""Classes with a panel of their own, those with the most samples."""
BINS = 512
"""Frequencies of a mean spectrum, at most; more are added up to neighbours."""
RESAMPLES = 1000
SHOWN = 0.995
"""Share of the magnitude of attributions up to which an axis of frequencies reaches at first."""
KINDS = (
    ("right", PLUS, "solid"),
    ("wrong", MINUS, "dash"),
    ("unknown", INK, "dot"),
    ("all", INK, "solid"),
)
HEADS = ("class", "decisions", "frequency", "mean attribution", "lower end", "upper end")


def section(material: Material) -> Section:
    """Mean attribution spectra with intervals, class × band, per frequency and in total, and pairs."""
    pieces: list[Piece] = [*_spectra(material), *_bands(material), *interactions(material)]
    return Section("classes", "Classes", pieces)


def _labels(material: Material) -> tuple[dict[str, np.ndarray], list[str]]:
    """Class and kind of decision of every sample, and the classes in the order of the page."""
    target = np.array([label or ALL for label in material.target], dtype=object).astype(str)
    kinds = np.full(len(material), "all")
    if material.right is not None and np.isfinite(material.right).any():
        # Where the truth of a sample is not known, it is neither right nor wrong.
        kinds = np.where(material.right == 1, "right", np.where(material.right == 0, "wrong", "unknown"))
    return {"class": target, "decisions": kinds}, in_order(target.tolist(), material.classes)


def _summary(material: Material, values: np.ndarray, by: dict[str, np.ndarray]) -> xr.Dataset:
    """Means of values over samples, shape (N, K), and intervals, over people where there are several."""
    held: dict[str, Any] = {"means": (("sample", "place"), values, {"kind": "attribution"})}
    coords = {"subject": material.result["subject"]} if "subject" in material.result.coords else {}
    return summarize(xr.Dataset(held, coords), by=by, n_resamples=RESAMPLES, seed=material.seed)


def _spectra(material: Material) -> list[Piece]:
    name = material.spectrum
    if name is None:
        text = "There is no attribution by frequency, and so no spectrum of a class."
        return [Missing(text, "freqig.Explainer(model, domains=[freqig.RFFT()])")]
    pieces: list[Piece] = []
    labels, order = _labels(material)
    if material.right is None and not of_one_output(material.result):
        text = "The true classes are not known, so right and wrong decisions are not told apart."
        pieces.append(Missing(text, "explainer(x, truth=LABELS)"))
    values, frequency, step = _thinned(material, name)
    means = _summary(material, values, labels)
    shown = [label or ALL for label in material.common(MOST)]
    traces, layout, rows = _drawn(means, shown, frequency)
    quantity = material.result[name][material.dim_of(name, "frequency")]
    what = label_with_units("rate of the envelope" if material.of_envelope else "frequency", quantity)
    layout["xaxis"]["title"] = {"text": what}
    layout["xaxis"]["range"] = [float(frequency[0]), _end(means, frequency)]
    heads = [what if head == "frequency" else head for head in HEADS]
    units = units_of(material.result[name])
    of = f" in the unit of the output that was explained, {units}" if units else ""
    notes = [f"Lines are means over samples, summed over channels{of}."]
    notes.append("Bands around them are 95 % intervals at each frequency" + _how(means) + ".")
    if step > 1:
        notes.append(f"{step} neighbouring frequencies each are added up.")
    if len(shown) < len(order):
        notes.append(f"Of {len(order)} classes the {MOST} with the most samples are shown.")
    alt = (
        f"Mean attribution over frequency, one panel for each of {len(shown)} classes; right decisions solid "
        "and red, wrong ones dashed and blue, with shaded intervals."
    )
    note = "Means in six significant digits; ends are those of 95 % intervals."
    table = Table("spectra", "Mean attribution by class and frequency", heads, rows, note)
    height = 60 + 150 * len(shown)
    figure = Figure("spectra", "Mean attribution spectrum of each class", alt, traces, layout, table, height)
    return [*pieces, Paragraph(" ".join(notes)), figure]


def _how(means: xr.Dataset) -> str:
    unit = means.attrs.get("unit", "sample")
    return f" by a bootstrap over {'people' if unit == 'subject' else 'samples'}; fewer than six have none"


def _thinned(material: Material, name: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Attributions over frequency, of all channels; sums of neighbours where there are many frequencies."""
    values = material.over(name, "frequency")
    frequency = material.result[name][material.dim_of(name, "frequency")].values.astype(np.float64)
    step = -(-frequency.size // BINS)
    starts = np.arange(0, frequency.size, step)
    counts = np.diff(np.append(starts, frequency.size))
    return np.add.reduceat(values, starts, axis=1), np.add.reduceat(frequency, starts) / counts, step


def _end(means: xr.Dataset, frequency: np.ndarray) -> float:
    """Up to which frequency nearly all attribution lies; two clicks show the rest."""
    size = np.nansum(np.abs(means["means"].transpose(..., "place").values), axis=(0, 1))
    last = int(np.searchsorted(np.cumsum(size), SHOWN * size.sum()))
    return float(frequency[min(max(int(1.05 * last) + 1, 4), frequency.size - 1)])


def _drawn(
    means: xr.Dataset, shown: list[str], frequency: np.ndarray
) -> tuple[list[dict[str, Any]], dict[str, Any], list[list[Any]]]:
    """Traces and layout of a panel for each class, and the rows of their table."""
    traces: list[dict[str, Any]] = []
    rows: list[list[Any]] = []
    known = {str(kind) for kind in means["decisions"].values}
    layout: dict[str, Any] = {
        "xaxis": {"anchor": f"y{len(shown)}" if len(shown) > 1 else "y"},
        "annotations": [],
        "margin": {"t": 34},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
    }
    said: set[str] = set()
    for number, label in enumerate(shown):
        axis = "y" if number == 0 else f"y{number + 1}"
        above = 1 - number / len(shown)
        below = 1 - (number + 1) / len(shown)
        layout[f"yaxis{axis[1:]}"] = {
            "domain": [below + 0.12 / len(shown), above - 0.1 / len(shown)],
            "nticks": 5,
        }
        heads = []
        for kind, color, dash in KINDS:
            if kind not in known or label not in means["class"].values:
                continue
            one = means.sel({"class": label, "decisions": kind})
            count = int(one["n_samples"])
            heads.append(f"{count} {kind}" if kind != "all" else f"{count} samples")
            if not count:
                continue
            mean, low, high = (one[key].values for key in ("means", "means_lower", "means_upper"))
            traces += _band(frequency, low, high, color, axis, kind)
            line = {"color": color, "width": 1.8, "dash": dash}
            first: dict[str, Any] = {"showlegend": kind not in said, "legendgroup": kind, "name": kind}
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": frequency,
                    "y": mean,
                    "line": line,
                    "yaxis": axis,
                    **first,
                }
            )
            said.add(kind)
            rows += [
                [label, kind, *row]
                for row in zip(*(a.tolist() for a in (frequency, mean, low, high)), strict=True)
            ]
        layout["annotations"].append(
            _head(Rich(f"<b>{plain(label)}</b> ({', '.join(heads)})"), above - 0.1 / len(shown))
        )
    return traces, layout, rows


def _band(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, color: str, axis: str, kind: str
) -> list[dict[str, Any]]:
    if not np.isfinite(low).any():
        return []
    common: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "yaxis": axis}
    common |= {"showlegend": False, "hoverinfo": "skip", "legendgroup": kind}
    fill: dict[str, Any] = {"fill": "tonexty", "fillcolor": rgba(color, 0.22)}
    if kind == "wrong":
        fill["fillpattern"] = {
            "shape": "/",
            "size": 6,
            "solidity": 0.2,
            "fgcolor": color,
            "bgcolor": rgba(color, 0.1),
        }
    return [{**common, "y": low}, {**common, "y": high, **fill}]


def _head(text: str, at: float) -> dict[str, Any]:
    where = {"x": 0, "y": at, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return {"text": text, "showarrow": False, **where}


def _bands(material: Material) -> list[Piece]:
    banded = material.banded
    if banded is None:
        text = "There are no attributions by band: frequencies are not in Hz, or there are none."
        return [Missing(text, "freqig.Explainer(model, fs=FS, domains=[freqig.RFFT()])")]
    labels, order = _labels(material)
    means = _summary(material, banded.values.sum(axis=1), {"class": labels["class"]})
    total, per_bin = [], []
    for label in order:
        one = means.sel({"class": label})
        mean, low, high = (one[key].values for key in ("means", "means_lower", "means_upper"))
        count = int(one["n_samples"])
        ends = np.stack([low, high], axis=1).ravel() if np.isfinite(low).any() else [None] * (2 * len(mean))
        total.append([label, count, *mean.tolist(), *list(ends)])
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(banded.counts > 0, mean / banded.counts, np.nan)
        per_bin.append([label, count, *[None if np.isnan(value) else value for value in each.tolist()]])
    heads = ["class", "samples", *banded.heads]
    ends_heads = [f"{name}, {end}" for name in banded.names for end in ("lower end", "upper end")]
    note = "Sums over channels, means over samples; ends are those of 95 % intervals."
    title = "Attribution of each band, in total"
    made: list[Piece] = [
        Table("band-totals", title, [*heads, *ends_heads], total, note, file_only=len(ends_heads))
    ]
    if np.isfinite(banded.counts).any():
        made.append(Table("band-means", "Attribution of each band, per frequency", heads, per_bin, note))
    return made
