"""Results whose attributions are known, because they were written down and not computed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

FS, N = 100.0, 200
hertz = np.fft.rfftfreq(N, 1 / FS)
MEANINGS = "converged budget jump diverging nonfinite cancelling rounding gradient"


def told(
    labels: list[str] | None,
    bands: dict[str, tuple[float, float]],
    *,
    count: int = 24,
    noise: float = 0.0,
    seed: int = 0,
    settings: dict[str, Any] | None = None,
    outputs: str = "logits over axis 1",
    **coords: Any,
) -> xr.Dataset:
    """A result in which each class is decided by one band, all of it positive, with noise on top.

    Parameters
    ----------
    labels : list of str or None
        The class of each sample; None for `count` samples of a model with one output.
    bands : dict
        Edges of the band of each class, in Hz; of None under "".
    """
    rng = np.random.default_rng(seed)
    labels_or_none = labels or [""] * count
    count = len(labels_or_none)
    values = noise * rng.normal(size=(count, 1, len(hertz)))
    for row, label in enumerate(labels_or_none):
        low, high = bands[label]
        values[row, 0, (hertz >= low) & (hertz < high)] += 1
    rise = values.sum((1, 2))
    along = {key: ("sample", list(own)) for key, own in coords.items()}
    if labels is not None:
        along = {"target": ("sample", labels), "predicted": ("sample", labels), **along}
    asked = {
        "fs": FS,
        "output": "logit",
        "unit": "uV",
        "target": "predicted" if labels else None,
        "baseline": {"name": "data", "count": 8},
        "n_steps": None,
        "tol": 0.01,
        "max_evaluations": 2000,
        "domains": ["RFFT(name='rfft')"],
        "engine": "path",
        **(settings or {}),
    }
    time = np.arange(N) / FS
    signal = 20 * np.sin(2 * np.pi * 12 * time) + rng.normal(size=(count, 1, N))
    result = xr.Dataset(
        {
            "rfft": (
                ("sample", "channel", "frequency"),
                values.astype(np.float32),
                {"kind": "attribution", "units": "logit"},
            ),
            "signal": (("sample", "channel", "time"), signal, {"kind": "signal", "units": "uV"}),
            "output": ("sample", rise + 1, {"units": "logit"}),
            "baseline_output": ("sample", np.ones(count), {"units": "logit"}),
            "completeness_gap": ("sample", 1e-3 * rise, {"units": "logit"}),
            "converged": ("sample", np.ones(count, dtype=bool)),
            "estimated_error": ("sample", np.full(count, 2e-3)),
            "n_evaluations": ("sample", np.full(count, 8)),
            "status": ("sample", np.zeros(count, dtype=np.int8), {"flag_meanings": MEANINGS}),
            **{f"jump_{what}": ("sample", np.full(count, np.nan)) for what in ("place", "width", "size")},
        },
        {
            "frequency": ("frequency", hertz, {"units": "Hz"}),
            "time": ("time", time, {"units": "s"}),
            "channel": ["Cz"],
            **along,
        },
        {
            "title": "Explanation",
            "outputs": outputs,
            "settings": json.dumps(asked),
            "versions": json.dumps({"freqig": "1.0", "torch": "2.13"}),
            "model_class": "nets.Stager",
            "model_framework": "torch",
            "model_fingerprint": "sha256:0123456789abcdef0123456789abcdef",
        },
    )
    if labels is not None:
        names = sorted(set(labels))
        raw = np.array([[4.0 if own == name else 0.0 for name in names] for own in labels])
        result["outputs"] = ("sample", "class"), raw, {"long_name": "raw outputs at the input"}
        result = result.assign_coords({"class": names})
    return result
