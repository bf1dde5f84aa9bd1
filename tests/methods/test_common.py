"""What holds for every method: labels, batches, seeds, zeros, dtypes, targets, the model, and errors."""

from __future__ import annotations

import copy
import inspect
import re
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import scores_of

import freqig
from freqig import methods

from .common import (
    BASELINES,
    BY_OUTPUTS,
    CONTRIBUTIONS,
    FS,
    NAMES,
    SEEDED,
    SUMS,
    N,
    attribution,
    default,
    explained,
    made,
    network,
    signals,
)

every = pytest.mark.parametrize("name", NAMES)


def test_the_table_holds_every_method() -> None:
    assert [*NAMES, "Shapley"] == sorted(methods.__all__, key=lambda name: (name == "Shapley", name))
    assert methods.Shapley is freqig.Shapley


@every
def test_documented_parameters_are_those_that_there_are(name: str) -> None:
    kind = getattr(methods, name)
    text = inspect.getdoc(kind) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)^(References|Raises)\n-", text, re.M | re.S)
    assert section is not None
    entries = re.findall(r"^(\S.*?) : ", section.group(1).replace("\\\n", ""), re.M)
    told = [part.strip() for entry in entries for part in entry.split(",")]
    assert sorted(told) == sorted(inspect.signature(kind).parameters)
    assert "\nReferences\n" in text


@every
def test_results_are_labelled_as_those_of_the_explainer(name: str) -> None:
    found, known = default(name), freqig.Explainer(network(), fs=FS)(signals())
    assert found.rfft.dims == known.rfft.dims
    assert found.rfft.attrs["kind"] == "attribution"
    assert np.isfinite(found.rfft).all()
    for coordinate in ("frequency", "target", "predicted"):
        np.testing.assert_array_equal(found[coordinate], known[coordinate])
    for scalar in ("output", "baseline_output", "signal"):
        np.testing.assert_allclose(found[scalar], known[scalar], atol=1e-12)
    assert (found.n_evaluations > 0).all()
    assert freqig.summary(found)["evaluations"]["sum"] == found.n_evaluations.sum()


@every
def test_only_sums_that_were_promised_are_judged(name: str) -> None:
    found = default(name)
    assert found.rfft.attrs["adds_up"] == int(name in SUMS)
    judged = {"completeness_gap", "correction", "converged"} & set(found)
    assert judged == ({"completeness_gap", "correction", "converged"} if name in SUMS else set())
    told = freqig.summary(found)
    assert ("gap" in told) == ("converged" in told) == (name in SUMS)
    if name in SUMS:
        rise = found.output - found.baseline_output + found.completeness_gap
        np.testing.assert_allclose(found.rfft.sum(("channel", "frequency")), rise, atol=1e-10)
    assert found.rfft.attrs["units"] in ("logit", "importance")
    assert name not in SUMS or found.rfft.attrs["units"] == "logit"


@every
def test_a_sample_is_explained_alike_in_any_batch(name: str) -> None:
    method = made(name, network())
    together, alone = attribution(default(name)), attribution(method(signals()[1:2]))
    np.testing.assert_allclose(together[1:2], alone, atol=1e-7)
    turned = attribution(method(signals()[::-1].copy()))
    np.testing.assert_allclose(turned[::-1], together, atol=1e-7)


@every
def test_the_seed_decides_and_nothing_else(name: str) -> None:
    first = default(name)
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    np.testing.assert_array_equal(attribution(explained(name)), attribution(first))
    assert torch.equal(torch.random.get_rng_state(), state)
    if name in SEEDED:
        assert not np.allclose(attribution(explained(name, seed=1)), attribution(first))
        assert '"seed": 0' in first.attrs["settings"]
    else:
        with pytest.raises(TypeError, match="no parameter seed"):
            explained(name, seed=1)


@every
@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_a_signal_of_zeros_has_no_frequency_that_matters_more(name: str) -> None:
    found = attribution(explained(name, x=np.zeros((2, 2, N)), target=0))
    if name == "InsertionDeletion":
        # Ranks are of something always; those of nothing are a permutation all the same.
        assert ((found > 0) & (found <= 1)).all()
    elif name == "FreqRISE":
        assert np.ptp(found) < 1e-12
    else:
        np.testing.assert_array_equal(found, 0)


@every
def test_half_the_precision_gives_the_same_within_it(name: str) -> None:
    x = signals().astype(np.float32)
    double, single = explained(name, x=x), explained(name, network(torch.float32), x)
    assert single.rfft.dtype == np.float32
    assert double.rfft.dtype == np.float64
    near = np.abs(attribution(single) - attribution(double)) < 2e-3 * np.abs(attribution(double)).max()
    # A rank may turn where two scores are within rounding, and what is ranked by it at every step.
    assert near.mean() > (0.8 if name == "DynaMask" else 0.95)


@every
def test_all_targets_at_once_are_each_by_itself(name: str) -> None:
    every_target = explained(name, target="all")
    assert every_target.rfft.dims == ("sample", "target", "channel", "frequency")
    np.testing.assert_allclose(every_target.rfft[:, 2], explained(name, target=2).rfft, atol=1e-7)


@every
def test_the_caller_s_model_comes_back_as_it_was(name: str) -> None:
    model = network().train()
    before = copy.deepcopy(model.state_dict())
    explained(name, model)
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in before.items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert all(module.training for module in model.modules())
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    assert not any(getattr(module, one) for module in model.modules() for one in hooks)
    assert not any(hasattr(module, "rule") for module in model.modules())


@every
def test_results_go_to_a_file_and_back(name: str, tmp_path: Any) -> None:
    found = default(name)
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "found.nc", engine="h5netcdf") as back:
        xr.testing.assert_identical(back.load(), found)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("FLEXtime", "SpectralGradients")])
def test_other_domains_have_variables_of_their_own(name: str) -> None:
    domains = (freqig.STFT(0.25), freqig.Segments(0.4))
    found = explained(name, x=signals(2), domains=domains)
    assert found.stft.dims == ("sample", "channel", "stft_frequency", "stft_time")
    assert found.segments.dims == ("sample", "channel", "segments_segment", "segments_frequency")
    assert found.stft.attrs["adds_up"] == found.segments.attrs["adds_up"] == int(name in SUMS)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "DFTLRP"])
def test_several_baselines_are_averaged(name: str) -> None:
    found = explained(name, x=signals(2), baseline=BASELINES, target=0)
    assert found.rfft_spread.attrs["units"] == found.rfft.attrs["units"]
    assert np.isfinite(found.rfft).all()
    assert (found.n_evaluations >= 3).all()


@settings(max_examples=8, deadline=None, derandomize=True)
@given(name=st.sampled_from(CONTRIBUTIONS), n=st.integers(2, 19), seed=st.integers(0, 99))
def test_linear_models_have_closed_forms_at_every_length(name: str, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = torch.nn.Linear(n, 1, bias=False).double()
    weights = model.weight.detach().numpy()[0]
    x = rng.normal(size=(2, n))
    found = attribution(explained(name, model, x, target=0))
    np.testing.assert_allclose(found, scores_of(x, np.broadcast_to(weights, x.shape)), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "DFTLRP"])
def test_each_finds_the_frequency_that_the_model_looks_at(name: str) -> None:
    t = np.arange(64) / 64
    x = np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 12 * t + 1) + np.sin(2 * np.pi * 20 * t + 2)
    budget = {
        **{one: {"steps": 40, "rate": 0.2} for one in ("ExtremalMask", "LearnedMask")},
        "DynaMask": {"steps": 40, "rate": 0.2, "area": 0.03},
        "FLEXtime": {"steps": 40, "filters": 32},
        "FreqRISE": {"n_masks": 300, "cells": 32},
        "InsertionDeletion": {"cells": 33, "draws": 60, "share": 0.2},
    }.get(name, {})
    found = explained(name, AmplitudeAt12(), x[None], fs=64, target=0, dtype=torch.float64, **budget)
    assert found.rfft.sel(frequency=12)[0] == found.rfft.max()
    assert found.rfft.sel(frequency=[5, 20]).max() < found.rfft.max()


class AmplitudeAt12(torch.nn.Module):
    """How strong 12 Hz is: no function of one value, and no linear one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wave = torch.exp(-2j * torch.pi * 12 * torch.arange(64, dtype=torch.float64) / 64)
        return (x.to(wave.dtype) @ wave).abs()[:, None] / 32


@pytest.mark.parametrize("name", BY_OUTPUTS)
def test_outputs_are_enough(name: str) -> None:
    weights = np.random.default_rng(0).normal(size=2 * N)

    def score(x: np.ndarray) -> np.ndarray:
        assert isinstance(x, np.ndarray)
        return np.round(x.reshape(len(x), -1) @ weights, 2)

    assert np.isfinite(explained(name, score, target=0).rfft).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_OUTPUTS])
def test_gradients_are_asked_for_where_they_are_needed(name: str) -> None:
    def score(x: torch.Tensor) -> torch.Tensor:
        return x.detach().flatten(1).sum(1)

    with pytest.raises((TypeError, ValueError), match=r"differentiably|must be a torch.nn.Module"):
        explained(name, score, target=0)


@every
def test_what_is_wrong_is_refused_by_name(name: str) -> None:
    polar = freqig.Polar()
    with pytest.raises(ValueError, match="domains must be"):
        made(name, network(), domains=polar)
    with pytest.raises(TypeError, match="takes the model alone without a name"):
        getattr(methods, name)(network(), 100)
    with pytest.raises(TypeError, match="no parameter nonsense"):
        made(name, network(), nonsense=1)
    with pytest.raises(TypeError, match="target is given with the signals"):
        made(name, network(), target=1)
    with pytest.raises(TypeError, match=rf"one input for freqig.methods.{name}"):
        made(name, network())((signals(), signals()))
    with pytest.raises(ValueError, match="finite"):
        made(name, network())(np.full((1, 2, N), np.nan))


WRONG = [
    ("DFTLRP", "epsilon", 0.0),
    ("DynaMask", "area", 1.0),
    ("DynaMask", "size", -1.0),
    ("DynaMask", "dilation", 0.0),
    ("DynaMask", "smoothness", -1.0),
    ("ExpectedGradients", "draws", 0),
    ("ExpectedGradients", "seed", -1),
    ("ExpectedGradients", "tol", 0.0),
    ("ExtremalMask", "size", -1.0),
    ("ExtremalMask", "fill", -0.5),
    ("FLEXtime", "filters", 0),
    ("FLEXtime", "smoothness", -1.0),
    ("FreqRISE", "n_masks", 0),
    ("FreqRISE", "cells", 0),
    ("FreqRISE", "keep", 1.0),
    ("FreqRISE", "interpolation", "cubic"),
    ("FreqRISE", "seed", -1),
    ("InsertionDeletion", "mode", "both"),
    ("InsertionDeletion", "rounds", 0),
    ("InsertionDeletion", "draws", 0),
    ("InsertionDeletion", "cells", 0),
    ("InsertionDeletion", "share", 0.0),
    ("LearnedMask", "steps", 0),
    ("LearnedMask", "rate", 0.0),
    ("LearnedMask", "keep", 0.0),
    ("LearnedMask", "sparsity", -1.0),
    ("Occlusion", "width", 0.0),
    ("Occlusion", "players", "bands"),
    ("DFTLRP", "epsilon", 1e-90),
    ("SmoothGrad", "draws", True),
    ("SmoothGrad", "noise", -0.1),
    ("SmoothGrad", "noise", 1e30),
    ("SpectralGradients", "bands", 0),
    ("SpectralGradients", "n_steps", 0),
    ("SpectralGradients", "order", "any"),
]


@pytest.mark.parametrize(("name", "parameter", "value"), WRONG)
def test_settings_are_checked_by_name(name: str, parameter: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{parameter} must"):
        made(name, network(), **{parameter: value})


@pytest.mark.parametrize(
    ("width", "step", "message"),
    [
        (2.0, 3.0, "step must be at most width, got 3.0 and 2.0"),
        ({"frequency": 2.0}, 1.0, "step must be a number or a mapping, as width is"),
        (
            {"frequency": 2.0},
            {"time": 1.0},
            r"step\['time'\] must be at most width\['time'\], got 1.0 and None",
        ),
    ],
)
def test_steps_of_occlusion_leave_nothing_out(width: Any, step: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made("Occlusion", network(), width=width, step=step)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("DFTLRP", "GradientTimesInput")])
def test_outputs_that_are_not_finite_name_the_sample(name: str) -> None:
    class Breaks(torch.nn.Module):
        """Finite at x and at zero, and nowhere between."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            total = x.flatten(1).sum(1, keepdim=True)
            ends = (x.flatten(1) == 0).all(1, keepdim=True) | (total > 2 * N - 0.1)
            return torch.where(ends, total, total / 0)

    with pytest.raises(ValueError, match="finite"):
        explained(name, Breaks(), np.ones((1, 2, N)), target=0)
