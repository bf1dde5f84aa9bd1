"""What a check says of a recording from three of its samples, with what is asked of each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import freqig

# Untrained networks take the baseline for one of the classes, whatever it is.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N, COUNT = 16, 9
TRIED = [0, 4, 8]
NAMES = [f"epoch {i}" for i in range(COUNT)]
TARGET = np.array([2, 0, 1, 0, 1, 2, 0, 0, 2])


def signals(named: bool = True) -> xr.DataArray:
    values = np.random.default_rng(0).normal(size=(COUNT, N)).astype(np.float32)
    return xr.DataArray(values, {"sample": NAMES} if named else {}, ("sample", "time"))


class Seen(freqig.Explainer):
    """Keeps what it was asked."""

    asked: dict[str, Any]

    def __call__(self, x: Any, **asked: Any) -> xr.Dataset:
        self.asked = asked
        found: xr.Dataset = super().__call__(x, **asked)
        self.found = found
        return found


def explainer() -> Seen:
    torch.manual_seed(0)
    return Seen(torch.nn.Linear(N, 3), n_steps=4)


SHUFFLED = np.random.default_rng(1).permutation(COUNT)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (TARGET, True),
        (TARGET.tolist(), False),
        (pd.Series(TARGET), True),
        (pd.Series(TARGET), False),
        (pd.Series(TARGET[SHUFFLED], [NAMES[i] for i in SHUFFLED]), True),
        (xr.DataArray(TARGET[SHUFFLED], {"sample": [NAMES[i] for i in SHUFFLED]}, "sample"), True),
        (xr.DataArray(TARGET, dims="epoch"), False),
        (torch.from_numpy(TARGET), True),
    ],
)
def test_a_target_per_sample_goes_to_its_sample(target: Any, named: bool) -> None:
    one = explainer()
    assert freqig.check(one, signals(named), target=target)["tried"] == 3
    assert one.found.target.values.tolist() == TARGET[TRIED].tolist()


@pytest.mark.parametrize("named", [True, False])
def test_a_baseline_per_sample_goes_to_its_sample(named: bool) -> None:
    one, starts = explainer(), signals(named)[SHUFFLED] if named else signals(named)
    freqig.check(one, signals(named), target=0, baseline=0.5 * starts)
    rise = (one.found.output - one.found.baseline_output).values
    # A linear model: δ is half of the signal, and so is the change of the output.
    whole = freqig.Explainer(explainer().model, n_steps=4)(signals(), target=0)
    np.testing.assert_allclose(rise, 0.5 * (whole.output - whole.baseline_output).values[TRIED], rtol=1e-4)


@pytest.mark.parametrize("target", [TARGET[:8], pd.Series(TARGET[:8]), [0, 1, 2]])
def test_what_is_not_one_per_sample_is_told(target: Any) -> None:
    with pytest.raises(ValueError, match=rf"target must be one per sample, so 9 of them, got {len(target)}"):
        freqig.check(explainer(), signals(), target=target)


def test_other_labels_are_told() -> None:
    with pytest.raises(ValueError, match="target must have the labels of x along 'sample'"):
        freqig.check(explainer(), signals(), target=pd.Series(TARGET, list("abcdefghi")))


def test_batches_share_out_a_series_by_place_whatever_its_index() -> None:
    """As of a table of which rows were left out."""
    batches = list(signals(named=False).values.reshape(3, 3, N))
    target = pd.Series(TARGET, index=np.arange(COUNT) + 100)
    found = freqig.Explainer(torch.nn.Linear(N, 3), n_steps=4)(iter(batches), target=target)
    assert found.target.values.tolist() == TARGET.tolist()
