"""What explained values are called: only what is known to be a logit, or a probability, is called so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig import plots
from freqig.cli._tables import told
from freqig.reporting.words.naming import summarised

# Untrained networks take the baseline for one of the classes, whatever it is.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N, FS = 32, 32.0


def series() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(8, N)).astype(np.float32)


def network(outputs: int, *after: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(N, outputs), *after)


def last(raw: torch.Tensor, target: Any) -> torch.Tensor:
    return raw[:, -1]


FORECASTS = {
    "one horizon": (1, {}, 0),
    "one horizon, chosen by itself": (1, {}, None),
    "a horizon by its number": (4, {}, 2),
    "horizons of each": (4, {}, [0, 1, 2, 3] * 2),
    "every horizon": (4, {}, "all"),
    "steps of several series": (6, {}, (1, 2)),
    "a function": (4, {"output": last}, None),
}


def forecast(case: str) -> xr.Dataset:
    outputs, settings, target = FORECASTS[case]
    after = [torch.nn.Unflatten(1, (2, 3))] if isinstance(target, tuple) else []
    return freqig.Explainer(network(outputs, *after), fs=FS, **settings)(series(), target=target)


def figures(result: xr.Dataset) -> str:
    axes = plots.spectrum(result, 0)
    return " ".join(one for panel in axes for one in (panel.get_ylabel(), panel.get_title(loc="left")))


@pytest.mark.parametrize("case", FORECASTS)
def test_a_forecast_is_called_neither_logit_nor_class(case: str) -> None:
    result = forecast(case)
    one = result.isel(target=0) if "target" in result.dims else result
    texts = [
        figures(one),
        told(freqig.summary(result), as_json=False),
        freqig.methods_text(result),
        " ".join(piece.text for piece in summarised(one)[:3]),  # type: ignore[union-attr]
        result.attrs["outputs"],
        str([result[name].attrs for name in ("output", "rfft", "baseline_output")]),
    ]
    if FORECASTS[case][2] not in (None, "all"):
        assert "class" not in " ".join(texts[1:4]).replace("Classification", "")
    for text in texts:
        assert "logit" not in text.lower(), text
        assert "probability" not in text.lower(), text


def test_means_of_a_forecast() -> None:
    means = freqig.Explainer(network(4), fs=FS).average(series(), target=2)
    assert means.rfft.attrs["units"] == means.output.attrs["units"] == "output"


@pytest.mark.parametrize(
    ("settings", "target", "unit"),
    [
        ({}, None, "logit"),
        ({"classes": ("W", "N1", "N2")}, "N1", "logit"),
        ({"classes": ("W", "N1", "N2")}, 1, "logit"),
        ({"output": "margin"}, 1, "margin"),
        ({"output": "log_prob"}, 1, "log_prob"),
    ],
)
def test_classes_keep_their_names(settings: dict[str, Any], target: Any, unit: str) -> None:
    result = freqig.Explainer(network(3), fs=FS, **settings)(series(), target=target)
    assert result.output.attrs["units"] == unit
    assert result.attrs["outputs"] == "logits over axis 1"


@pytest.mark.filterwarnings("ignore::freqig.errors.OutputScaleWarning")
def test_a_softmax_is_no_logit() -> None:
    result = freqig.Explainer(network(3, torch.nn.Softmax(-1)), fs=FS)(series())
    assert result.output.attrs["units"] == "probability"
    assert "the probability of the class that it predicts" in summarised(result)[0].text  # type: ignore[union-attr]
    assert "logit" not in figures(result) + told(freqig.summary(result), as_json=False)


def test_a_class_by_its_number_is_compared_with_a_predicted_one() -> None:
    explainer = freqig.Explainer(network(3), fs=FS)
    by_number, predicted = explainer(series(), target=1), explainer(series())
    axes = plots.compare(by_number, predicted, names=("one", "two"))
    assert axes is not None
    logs = freqig.Explainer(network(3), fs=FS, output="log_prob")(series())
    with pytest.raises(ValueError, match="must be in one unit"):
        plots.compare(by_number, logs, names=("one", "two"))


def test_sums_over_windows_of_a_forecast() -> None:
    explainer = freqig.Explainer(network(4), fs=FS)
    result = freqig.slide(explainer, np.tile(series()[:1], 3), window=1.0, target=2)
    assert result.output.attrs["units"] == "weighted sum of outputs"
    assert "logit" not in summarised(result)[0].text  # type: ignore[union-attr]
