"""What decided for each class: mean spectra of attributions, and sums over bands."""

from __future__ import annotations

import numpy as np

from ..content import Figure, Missing, Section, Table
from ..material import Material


def section(material: Material) -> Section:
    """What decided for each class: mean spectra of attributions, and sums over bands."""
    name = material.spectrum
    if name is None:
        call = "freqig.Explainer(model, domains=[freqig.RFFT()])"
        return Section("classes", "Classes", [Missing("There is no attribution by frequency.", call)])
    variable = material.result[name]
    dim = next(str(d) for d in variable.dims if str(d).rpartition("_")[2] == "frequency")
    summed = variable.sum([d for d in variable.dims if d not in ("sample", dim)])
    values, frequency = summed.transpose("sample", dim).values, variable[dim].values
    traces, rows = [], []
    for label in sorted(set(material.target)):
        mean = values[np.array(material.target) == label].mean(axis=0)
        traces.append({"type": "scatter", "name": label or "all", "x": frequency, "y": mean})
        rows += [[label, *pair] for pair in zip(frequency.tolist(), mean.tolist(), strict=True)]
    heads = ["class", "frequency (Hz)", "mean attribution"]
    table = Table("spectra", "Mean attribution by frequency", heads, rows)
    alt = "Lines over frequency, one per class."
    return Section(
        "classes", "Classes", [Figure("spectra", "Mean attribution by class", alt, traces, {}, table)]
    )
