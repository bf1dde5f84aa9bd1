"""Uses of the functions beside `Explainer` with a value that may be bad, as `bad_values.py` has them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import freqig
from bad_values import EXPLAINER, FS, MODEL, N, X
from freqig import cohort

FOLDER = Path(tempfile.mkdtemp())
RECORDING = FOLDER / "recording.npy"
LONG = np.random.default_rng(0).normal(size=(1, 4 * N))
np.save(RECORDING, LONG)
RESULT = EXPLAINER(X, target=0)
GROUPED = RESULT.isel(sample=[0, 1] * 4).assign_coords(group=("sample", list("ppppqqqq")))
WINDOWS = freqig.read(RECORDING, fs=FS, window=N / FS)
TEXT = {"text", "no text", "device"}
NUMBERS = {"fraction", "Fraction"}


def is_new(path: Any) -> bool:
    """Whether something would be made there, which is right."""
    return isinstance(path, str) and bool(path)


def slid(**change: Any) -> Any:
    return freqig.slide(**{"explainer": EXPLAINER, "signal": LONG, "window": N / FS, "target": 0, **change})


def kept(**change: Any) -> Any:
    asked = {"recordings": [RECORDING], "model": MODEL, "executor": ThreadPoolExecutor(1), "progress": False}
    store = Path(tempfile.mkdtemp(dir=FOLDER)) / "store.zarr"
    reading = {"fs": FS, "window": N / FS, "n_steps": 2, "tol": 100.0, "target": 0}
    return cohort.run(**{**asked, **reading, "store": store, **change})


def evaluated(**change: Any) -> Any:
    fast = {"steps": 2, "draws": 1, "random_orders": 1, "most_explained": 1, "families": "sanity"}
    return freqig.evaluate(RESULT, MODEL, X, **{**fast, **change})


def shapley(**change: Any) -> Any:
    players = freqig.FilterBank({"a": (1, 10), "b": (10, 40)})
    return freqig.Shapley(MODEL, **{"fs": FS, "players": players, **change})(X, target=0)


CALLS: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "explainer=slide": (lambda v: slid(explainer=v), set()),
    "window=slide": (lambda v: slid(window=v), set()),
    "hop=slide": (lambda v: slid(hop=v), {"None"}),
    "target=slide": (lambda v: slid(target=v), {"zero"}),
    "truth=slide": (lambda v: slid(truth=v), {"None"}),
    "names=slide": (lambda v: slid(names=v), {"None"}),
    "channels=slide": (lambda v: slid(channels=v), {"None"}),
    "explainer=check": (lambda v: freqig.check(v, WINDOWS), set()),
    "signal=check": (lambda v: freqig.check(EXPLAINER, v), set()),
    "result=summary": (freqig.summary, set()),
    "by": (lambda v: freqig.summarize(GROUPED, {"stage": v}, n_resamples=100), set()),
    "train": (lambda v: evaluated(train=v), {"None"}),
    "truth=evaluate": (lambda v: evaluated(truth=v), {"None"}),
    "seed=evaluate": (lambda v: evaluated(seed=v), {"zero", "huge", "10**30"}),
    "time_axis=shapley": (lambda v: shapley(time_axis=v), {"negative"}),
    "store": (lambda v: is_new(v) or kept(store=v), TEXT - {"no text"}),
    "path=report": (lambda v: is_new(v) or freqig.report(RESULT, v, force=True), TEXT - {"no text"}),
    "path=read": (lambda v: freqig.read(v, fs=FS), set()),
    "unit=read": (lambda v: freqig.read(RECORDING, fs=FS, unit=v), {"None", *TEXT}),
    "resample=read": (lambda v: freqig.read(RECORDING, fs=FS, resample=v), {"None", *NUMBERS}),
    "annotations=read": (
        lambda v: freqig.read(RECORDING, fs=FS, window=N / FS, annotations=v),
        {"None", "empty"},
    ),
    "store=open_cohort": (freqig.open_cohort, set()),
    "store=means": (cohort.means, set()),
    "path=Recording": (cohort.Recording, TEXT - {"no text"}),
    "name=Recording": (lambda v: cohort.Recording(RECORDING, name=v), TEXT),
    "subject=Recording": (
        lambda v: cohort.Recording(RECORDING, subject=v),
        {"negative", "zero", "huge", "-huge", "10**30", *TEXT},
    ),
    "folder=Recording": (lambda v: cohort.Recording(RECORDING, folder=v), TEXT),
    # None is processes of its own, which take seconds to start.
    "executor": (lambda v: v is None or kept(executor=v), {"None"}),
    "recordings": (lambda v: kept(recordings=v), set()),
    "subjects": (lambda v: kept(subjects=v), {"None"}),
    "title": (
        lambda v: v is None or isinstance(v, str) or freqig.report(RESULT, FOLDER / "page.html", title=v),
        {"None", *TEXT},
    ),
}
