"""Each alert, of a result that has it and of one that has not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig.errors import FreqigWarning
from freqig.reporting.content import Alert
from freqig.reporting.words import alerts

from .results import told

CLASSES = ["N2", "W"] * 30
BANDS = {"N2": (11.0, 16.0), "W": (8.0, 11.0)}
SOUND = told(CLASSES, BANDS, truth=CLASSES)


def at_chance(result: xr.Dataset) -> None:
    # Half of each class is told to be the other.
    result["truth"] = "sample", ["N2", "N2", "W", "W"] * 15


def blind_to_scale(result: xr.Dataset) -> None:
    result["jump_place"][:30] = 1e-7
    result["jump_width"][:30] = 1e-6
    result["jump_size"][:30] = -4.0


def saturated(result: xr.Dataset) -> None:
    result["rfft"][:40] = 0
    result["output"][:40] = result["baseline_output"][:40] = 1.0


def saturated_with_empty_places(result: xr.Dataset) -> None:
    saturated(result)
    # Of a last segment that is shorter than the others.
    result["segments"] = ("sample", "place"), np.tile([0.0, np.nan], (60, 1)), {"kind": "attribution"}


def doubtful_unit(result: xr.Dataset) -> None:
    del result["signal"].attrs["units"]
    result["signal"] *= 1e-6
    result["output"][:] = result["baseline_output"] + 1e-5
    result.attrs["settings"] = result.attrs["settings"].replace('"unit": "uV"', '"unit": null')


def doubtful_volts(result: xr.Dataset) -> None:
    doubtful_unit(result)
    result["signal"].attrs["units"] = "V"


def softmax_inside(result: xr.Dataset) -> None:
    result.attrs["outputs"] = "a softmax over axis 1"


def baseline_of_the_class(result: xr.Dataset) -> None:
    result["baseline_output"][:] = 1e6


def unknown_baseline(result: xr.Dataset) -> None:
    result.attrs["settings"] = result.attrs["settings"].replace('"name": "data"', '"name": "zero"')


def not_converged(result: xr.Dataset) -> None:
    result["status"][:5] = 1
    result["status"][5:20] = 6


def undecided(result: xr.Dataset) -> None:
    result["outputs"][:] = 1e-3 * np.arange(2)


CASES: list[tuple[Callable[[xr.Dataset], None], str, str, tuple[str, ...]]] = [
    (at_chance, "at_chance", "serious", ("right in 50 %", "random would be in 50 %")),
    (blind_to_scale, "blind_to_scale", "warning", ("30 of 60 samples", "by 4 in the median")),
    (saturated, "saturated", "warning", ("40 of 60 samples", "F(x) = 1 and F(x') = 1")),
    (saturated_with_empty_places, "saturated", "warning", ("40 of 60 samples",)),
    (doubtful_unit, "doubtful_unit", "warning", ("not known", "1e-05 at most")),
    (doubtful_volts, "doubtful_unit", "warning", ("in V", "µV")),
    (softmax_inside, "softmax_inside", "warning", ("a softmax", "probability itself")),
    (baseline_of_the_class, "baseline_of_the_class", "warning", ("60 of 60 decisions", "N2 and W")),
    (unknown_baseline, "unknown_baseline", "note", ("none of 60 signals",)),
    (not_converged, "not_converged", "warning", ("20 of 60 samples", "33 %")),
    (undecided, "undecided", "warning", ("2 classes", "50 %")),
]


@pytest.mark.parametrize(
    ("spoil", "check", "level", "parts"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_an_alert_where_there_is_reason_and_only_there(
    spoil: Callable[[xr.Dataset], None], check: str, level: str, parts: tuple[str, ...]
) -> None:
    assert getattr(alerts, check)(SOUND) is None
    result = SOUND.copy(deep=True)
    spoil(result)
    alert = getattr(alerts, check)(result)
    assert isinstance(alert, Alert)
    assert alert.level == level
    assert all(part in alert.text for part in parts), alert.text
    assert len(alert.remedy) > 20
    assert alert in alerts.alerts_of(result)


@pytest.mark.parametrize(
    ("scale", "at_baseline"), [("log_prob", -0.5), ("probability", 0.6), ("margin", 0.5)]
)
def test_a_baseline_that_is_likelier_than_all_others_is_the_class(scale: str, at_baseline: float) -> None:
    result = SOUND.copy(deep=True)
    result["baseline_output"][:] = at_baseline
    result["output"][:] = at_baseline + 0.1
    result.attrs["settings"] = result.attrs["settings"].replace('"output": "logit"', f'"output": "{scale}"')
    assert alerts.baseline_of_the_class(result) is not None
    result["baseline_output"][:] = at_baseline - 2
    assert alerts.baseline_of_the_class(result) is None


def test_a_sound_result_has_no_alert() -> None:
    assert alerts.alerts_of(SOUND) == []


def test_the_most_serious_comes_first() -> None:
    result = SOUND.copy(deep=True)
    for spoil in (unknown_baseline, not_converged, at_chance):
        spoil(result)
    assert [one.level for one in alerts.alerts_of(result)] == ["serious", "warning", "note"]


def test_few_are_a_note() -> None:
    result = SOUND.copy(deep=True)
    result["status"][:2] = 2
    for what, value in (("place", 0.5), ("width", 1e-9), ("size", 3.0)):
        result[f"jump_{what}"][:2] = value
    (alert,) = alerts.alerts_of(result)
    assert alert.level == "note"
    assert "the output jumps by 3 within 1e-09 of the path at 0.5" in alert.remedy


@pytest.mark.parametrize("gone", sorted({*SOUND.data_vars, "truth", "predicted", "target"}))
def test_what_is_missing_raises_nothing(gone: str) -> None:
    assert isinstance(alerts.alerts_of(SOUND.drop_vars(gone)), list)


def test_every_status_has_a_remedy() -> None:
    result = SOUND.copy(deep=True)
    result["status"][:] = np.arange(60) % 8
    alert = alerts.not_converged(result)
    assert alert is not None
    assert alert.remedy.count("; ") >= 6
    assert "converged (" not in alert.remedy.replace("not converged", "")


def test_probabilities_that_are_not_known_are_no_doubt() -> None:
    result = told(["N2", "W"] * 12, BANDS)
    result["outputs"][:3, 0] = np.nan
    assert alerts.undecided(result) is None
    assert alerts.undecided(result.isel(sample=slice(3))) is None


class Normalised(torch.nn.Module):
    """Blind to the scale of its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x - x.mean(-1, keepdim=True)
        x = x / (x.norm(dim=-1, keepdim=True) + 1e-12)
        return torch.stack([x[..., 3], -x[..., 3]], -1) * 4


class Sure(torch.nn.Module):
    """Says 1.0 whatever it is given."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([60 + x.sum(-1), 0 * x.sum(-1)], -1).softmax(-1)


@pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")
def test_real_explanations_are_told_like_those_written_down() -> None:
    x = np.random.default_rng(0).normal(size=(6, 32))
    blind = freqig.Explainer(Normalised(), fs=32, unit="uV")(x, target=0)
    assert alerts.blind_to_scale(blind) is not None
    with pytest.warns(FreqigWarning):
        sure = freqig.Explainer(Sure(), fs=32, unit="uV")(x, target=0)
    kinds = [one.text for one in alerts.alerts_of(sure)]
    assert any("F(x) = 1 and F(x') = 1" in text for text in kinds)
    assert any("a softmax" in text for text in kinds)
