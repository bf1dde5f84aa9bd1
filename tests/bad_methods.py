"""Uses of methods of others, groupings, cohorts and pages, as `bad_values.py` has them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import xarray as xr

import freqig
from bad_calls import FOLDER, RESULT, TEXT, kept
from bad_values import FS, MODEL, X
from freqig import groupings, methods
from freqig.explain.one_input import OneInput

FAST = {
    "DynaMask": {"steps": 2},
    "ExtremalMask": {"steps": 2},
    "FLEXtime": {"steps": 2},
    "FreqRISE": {"n_masks": 8},
    "InsertionDeletion": {"draws": 4, "rounds": 2},
    "LearnedMask": {"steps": 2},
    "SmoothGrad": {"draws": 2},
}
SHARED = {"model", "domains", *signature(OneInput.settle).parameters} - {"tol"}
FRACTIONS = {"fraction", "Fraction"}
LONG = {"10**30", "1e90"}
WEIGHTS = {"rate", "size", "dilation"}
FREE = {"smoothness", "sparsity", "fill", "size=ExtremalMask"}
"""Those that may be zero as well."""
SHARES = {"area", "keep", "share"}
OF_METHODS: dict[str, set[str]] = {
    **dict.fromkeys(WEIGHTS, FRACTIONS),
    **dict.fromkeys(FREE, FRACTIONS | {"zero"}),
    **{key: {"Fraction", "subnormal", "1e-90"} for key in SHARES},
    "noise": FRACTIONS | {"zero", "subnormal", "1e-90"},
    "seed": {"zero", "huge", "10**30"},
    "tol": {"Fraction", "1e-90"},
    "epsilon": FRACTIONS | {"10**30"},
    "width": FRACTIONS | {"None", "10**30", "1e90", "1e-90"},
    "step": FRACTIONS | {"None", "1e-90"},
    **{key: {"None"} for key in ("players", "index", "max_order", "budget")},
}
NIGHT = xr.Dataset(coords={"truth": ("sample", ["W", "N1"]), "predicted": ("sample", ["W", "W"])})


def explained(kind: str, **change: Any) -> Any:
    given = {"width": 2.0} if "step" in change else {}
    made = getattr(methods, kind)(MODEL, **{"fs": FS, **FAST.get(kind, {}), **given, **change})
    return made(X, target=0)


def page(**change: Any) -> Any:
    return freqig.report(RESULT, FOLDER / "page.html", force=True, **change)


METHODS: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    f"{name}={kind}": (
        lambda v, kind=kind, name=name: explained(kind, **{name: v}),
        OF_METHODS.get(f"{name}={kind}", OF_METHODS.get(name, set())),
    )
    for kind in methods.__all__
    for name in signature(getattr(methods, kind)).parameters
    if name not in SHARED
}
OTHERS: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "result=correct": (groupings.correct, set()),
    "result=transition": (groupings.transition, set()),
    "of=transition": (lambda v: groupings.transition(NIGHT, v), {"None"}),
    "target=run": (lambda v: kept(target=v), {"None", "zero"}),
    # What fits the series of a recording only its file tells, and the report of the run.
    "baseline=run": (lambda v: kept(baseline=v), {"None", "list"}),
    "keep=run": (lambda v: kept(keep=v), set()),
    "bands=run": (lambda v: kept(keep="bands", bands=v), set()),
    "workers=run": (lambda v: kept(workers=v), set()),
    "shard=run": (lambda v: kept(shard=v), {"None", "list"}),
    "retry_failed": (lambda v: kept(retry_failed=v), {"true"}),
    "model_id": (lambda v: kept(model_id=v), {"None", *TEXT}),
    "fs=run": (lambda v: kept(fs=v), {"None", *FRACTIONS, "10**30", "1e90", "1e-90"}),
    "window=run": (lambda v: kept(window=v), {"None", *FRACTIONS, *LONG, "1e-90"}),
    "step=run": (lambda v: kept(step=v), {"None", *FRACTIONS, *LONG, "1e-90"}),
    "resample=run": (lambda v: kept(resample=v), {"None", *FRACTIONS, "10**30", "1e90", "1e-90"}),
    "channels=run": (lambda v: kept(channels=v), {"None", "texts"}),
    "annotations=run": (lambda v: kept(annotations=v), {"None"}),
    "truth=run": (lambda v: kept(truth=v), {"None"}),
    # A page takes a second: what is right is tried elsewhere.
    "other": (lambda v: v is None or page(other=v), {"None"}),
    "names": (lambda v: (type(v) is list and v in ([1, 2], ["a", "b"])) or page(names=v), {"list", "texts"}),
    "bands=report": (lambda v: v is None or page(bands=v), {"None"}),
    "samples=report": (lambda v: (isinstance(v, list) and not v) or page(samples=v), {"empty"}),
    "info": (lambda v: v is None or page(info=v), {"None"}),
    "evaluation": (lambda v: v is None or page(evaluation=v), {"None"}),
    "baseline=report": (lambda v: v is None or page(baseline=v), {"None"}),
    "command": (lambda v: v is None or isinstance(v, str) or page(command=v), {"None", *TEXT}),
    "force": (
        lambda v: isinstance(v, np.bool_) or freqig.report(RESULT, FOLDER / "new.html", force=v),
        {"true"},
    ),
    "seed=report": (
        lambda v: (type(v) is int and v >= 0) or page(seed=v),
        {"zero", "huge", "10**30"},
    ),
}
