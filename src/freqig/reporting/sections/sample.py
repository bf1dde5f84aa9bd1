"""One decision: the signal and the part that drove it, spectrum, attributions, channels and outputs.

The page's script draws them, from arrays that are put together here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...exports.sound import LOWEST
from ...plots._style import units_of
from ..content import Live, Missing, Paragraph, Piece, Section
from ..material import Material
from ..words.decisions import of_one_output
from .part import Part, part_of
from .room import held_rows
from .waves import add_map, add_rows, add_signal, add_spectrum, course_edges

FIGURES = (
    ("waveform", "Signal and the part that drove the decision"),
    ("amplitudes", "Spectrum of the signal and of the part"),
    ("frequencies", "Attribution by frequency"),
    ("times", "Attribution by time"),
    ("map", "Attribution by time and frequency"),
    ("by-channel", "Attribution by channel and band"),
    ("outputs", "Outputs of all classes"),
)
"""Anchors and titles of the figures, in order; those stay away whose data the result has not."""

LONGEST = 2**19
"""Values of a signal whose spectrum a browser computes while its reader waits."""

CALLS = {
    "waveform": ("The signal", "keep the variable 'signal' that freqig.Explainer returns for one input"),
    "frequencies": ("Attribution by frequency", "freqig.Explainer(model, domains=[freqig.RFFT()])"),
    "times": ("Attribution by time", "freqig.Explainer(model, domains=[freqig.RFFT(), freqig.Time()])"),
    "map": (
        "Attribution by time and frequency",
        "freqig.Explainer(model, domains=[freqig.RFFT(), freqig.STFT()])",
    ),
    "by-channel": ("Attribution by band", "freqig.Explainer(model, fs=FS, domains=[freqig.RFFT()])"),
    "outputs": ("The outputs of all classes", 'freqig.Explainer(model, classes=("A", "B"))'),
}


def section(material: Material) -> Section:
    """One decision, which keys and clicks exchange for another."""
    about: dict[str, Any] = {
        "count": len(material),
        "target": material.target,
        "predicted": material.predicted,
        "truth": material.truth,
        "right": None if material.right is None else material.right.tolist(),
        "classes": list(material.classes),
        "called": _called(material),
        "output": material.result["output"].values.astype(float).tolist(),
        "baseline_output": material.result["baseline_output"].values.astype(float).tolist()
        if "baseline_output" in material.result
        else None,
        "units": units_of(material.result["output"]),
        "fs": material.fs,
        "audible": bool(material.fs and material.fs >= LOWEST),
        "bands": material.named_bands,
    }
    notes: list[str] = []
    there = _there(material)
    part = part_of(material) if "waveform" in there else Part()
    rows = held_rows(material, part)
    about["rows"] = rows.tolist() if len(rows) < len(material) else None
    if len(rows) < len(material):
        notes.append(
            f"Of {len(material)} samples {len(rows)} are held with signal and attributions, so that the file "
            "stays small: those worth a look first, others evenly spread. The rest have classes and outputs."
        )
    if "waveform" in there:
        notes.append(add_signal(material, rows, part, about))
    if "frequencies" in there:
        notes.append(add_spectrum(material, rows, about))
    if "times" in there and material.course is not None:
        edges = course_edges(material)
        about["course"] = {"edges": edges.tolist()}
        each = np.add.reduceat(material.over(material.course, "time")[rows], edges[:-1], axis=1)
        add_rows(material, "course", each)
        if len(edges) - 1 < material.result.sizes[material.dim_of(material.course, "time")]:
            notes.append(f"Attribution by time is added up to {len(edges) - 1} stretches.")
    if "map" in there:
        notes.append(add_map(material, about))
    if "by-channel" in there and material.banded is not None:
        about["channels"] = {"lines": list(material.banded.lines), "bands": list(material.banded.heads)}
        about["channels"]["names"] = list(material.banded.names)
        add_rows(material, "channels", material.banded.values[rows])
    if "outputs" in there:
        outputs = material.result["outputs"].transpose("sample", "class").values
        add_rows(material, "outputs", outputs, bits=0)
    figures = [(anchor, title, _alt(title)) for anchor, title in FIGURES if anchor in there]
    pieces: list[Piece] = [Live("sample", figures, about)]
    notes.append(
        "Attributions have 16 bits, so they are off by at most 1/65534 of the largest of their sample."
    )
    pieces.append(Paragraph(" ".join(filter(None, notes))))
    if {"waveform", "amplitudes"} & there == {"waveform"}:
        text = f"The spectrum of a signal of more than {LONGEST:,} values is not drawn."
        pieces.append(Missing(text, "freqig.plots.spectrum(result)"))
    pieces += [
        _missing(material, anchor) for anchor in CALLS if anchor not in there and _asked(material, anchor)
    ]
    if several := [str(name) for name in material.result.data_vars if str(name).startswith("signal_")]:
        text = f"The result is of several inputs ({', '.join(several)}), of which a page shows none."
        pieces.append(Missing(text, "explainer(x, additional_forward_args=OTHERS)"))
    if part.missing:
        pieces.append(Missing(part.missing, part.call))
    return Section("sample", "One sample", pieces)


def _asked(material: Material, anchor: str) -> bool:
    """Whether a figure is looked for: one output has no classes."""
    return anchor != "outputs" or not of_one_output(material.result)


def _missing(material: Material, anchor: str) -> Missing:
    """What is not in the result, with the call that supplies it, or where it is of the windows alone."""
    what, call = CALLS[anchor]
    verb = "are" if anchor == "outputs" else "is"
    of_windows = {"map": f"{material.map}_by_window", "outputs": "window_outputs"}.get(anchor, "")
    if of_windows in material.result:
        return Missing(f"{what} {verb} known of every window, and not of the whole.", f"result.{of_windows}")
    return Missing(f"{what} {verb} not in the result, and so not shown.", call)


def _there(material: Material) -> set[str]:
    """Figures whose data the result has."""
    result = material.result
    found = {
        "frequencies": material.spectrum is not None,
        "times": material.course is not None,
        # Of windows, times are those of each.
        "map": material.map is not None and "window" not in result.dims,
        "by-channel": material.banded is not None,
        "outputs": "outputs" in result and set(result["outputs"].dims) == {"sample", "class"},
    }
    there = {name for name, known in found.items() if known}
    if "signal" in result and {"sample", "time"} <= {*map(str, result["signal"].dims)}:
        there |= {"waveform", "amplitudes"} if result.sizes["time"] <= LONGEST else {"waveform"}
    return there


def _called(material: Material) -> list[str]:
    """What is known of where each sample is from: file, onset, subject."""
    coords = material.result.coords
    told: list[list[str]] = [[] for _ in range(len(material))]
    for name in ("subject", "file", "onset"):
        if name not in coords or coords[name].dims != ("sample",):
            continue
        for words, value in zip(told, coords[name].values.tolist(), strict=True):
            words.append(
                f"{value:g} s" if name == "onset" else str(value).replace("\\", "/").rpartition("/")[2]
            )
    return [", ".join(words) for words in told]


def _alt(title: str) -> str:
    return f"{title} of the sample that is chosen above; the file behind TSV has the numbers."
