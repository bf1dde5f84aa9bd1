"""Passes bad options to every figure, and prints those that no error with their name refuses.

Run on its own, without the checks of annotations that the tests have: `python tests/plots/bad_options.py`.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import nn

from freqig import RFFT, STFT, Explainer, FilterBank, Polar, Segments, Shapley, Time, Wavelet, evaluate, plots
from freqig.errors import FreqigWarning

# Run on its own, this is no part of a package.
sys.path.insert(0, str(Path(__file__).parent))
from comparisons import comparison

N, FS = 64, 100.0
BANDS = {"slow": (0, 10), "fast": (10, 30)}
NAN = float("nan")

BAD: dict[str, list[Any]] = {
    "variable": [3, "nothing", np.ones(2)],
    "by": [3, "nothing"],
    "replacement": [3, "nothing", np.ones(2)],
    "result": [3, xr.Dataset()],
    "other": [3, xr.Dataset()],
    "title": [3],
    "vmax": [0, "1"],
    "xscale": ["Log", 3],
    "yscale": ["Log", None],
    "scale": ["Log"],
    "markers": [3, {"a": "x"}, {"a": 1e9}],
    "harmonics": [0, "a"],
    "max_frequency": ["a", -1, NAN],
    "sample": [99, "a", [0]],
    "channel": [99, "nope", ["Fz"]],
    "robust": ["yes"],
    "bands": ["abc", 3, {"a": 1}],
    "axes": ["abc", Figure(), Figure().add_subplot(projection="polar")],
    "name": ["nope", 3, "signal"],
    "signal": ["yes", 1],
    "names": ["a", ("a",), 3],
    "order": [3, "abc", ["x"], [["A"]], torch.ones(2)],
    "classes": [3, ["x"], "nope", torch.eye(3).to_sparse(), [["A"]] * 4],
    "confidence": [0, 1, NAN, "a", None],
    "keep": [0, "a", {"a": 1}],
    "explainer": [3, "abc"],
    "baseline": ["dc", RFFT()],
    "hypnogram": [3, "abc", [1, 2], np.ones((2, 2)), ["x", "y", "z"], [True, False, True]],
    "info": [3, {"a": 1}],
}
NEEDED: dict[str, dict[str, Any]] = {"components": {"name": "filterbank"}, "compare": {}}


def explained() -> tuple[Explainer, xr.Dataset]:
    """Three samples of two channels in every domain that has a figure."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(2 * N, 3))
    domains = [RFFT(), STFT(0.2), Polar(), Segments(0.2), FilterBank(BANDS), Wavelet("haar"), Time()]
    explainer = Explainer(net, fs=FS, n_steps=2, tol=100.0, domains=domains, classes=["A", "B", "C"])
    x = np.random.default_rng(0).normal(size=(3, 2, N))
    return explainer, explainer(x, truth=[0, 1, 2]).assign_coords(channel=["Fz", "Cz"])


def fault(draw: Any, option: str, given: dict[str, Any]) -> str | None:
    """What is wrong with how a bad option is met; None where an error names it."""
    try:
        draw(**given)
    except (TypeError, ValueError) as error:
        named = option in str(error).partition(", got")[0] or f"{option}=" in str(error)
        return None if named else f"is not named: {error!r}"
    except Exception as error:  # noqa: BLE001
        return f"ends in {error!r}"
    finally:
        plt.close("all")
    return "is taken"


if __name__ == "__main__":
    plt.switch_backend("agg")
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", FreqigWarning)
    explainer, result = explained()
    NEEDED["compare"]["other"] = result
    shapley = Shapley(lambda x: x.max((1, 2)), fs=FS, players=FilterBank(BANDS), max_order=2)
    NEEDED["interactions"] = {"result": shapley(np.ones((1, 2, N)), target=0)}
    model = torch.nn.Linear(12, 1)
    series = np.eye(3, 12, dtype=np.float32)
    table = evaluate(Explainer(model)(series, target=0), model, series, families="deletion", steps=2)
    NEEDED["evaluation"] = {"result": table}
    NEEDED["difference"] = {"result": comparison(2)}
    for kind in plots.__all__:
        draw = getattr(plots, kind)
        for option in inspect.signature(draw).parameters:
            for value in BAD[option]:
                given = {"result": result, **NEEDED.get(kind, {}), option: value}
                if option == "order" and kind == "segments":
                    given["classes"] = ["A", "B"] * (result.sizes["segments_segment"] // 2)
                if option == "harmonics":
                    given["markers"] = {"a": 10}
                if option == "keep":
                    given["explainer"] = explainer
                if found := fault(draw, option, given):
                    print(f"{kind}: {option}={value!r} {found}")
