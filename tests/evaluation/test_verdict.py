"""What is said of an evaluation claims no more than its numbers, told from tables made by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

from freqig.evaluation.verdict import verdict


def table(**scores: list[float]) -> xr.Dataset:
    """Scores of one variable by metric, one per sample."""
    values = np.array(list(scores.values()), dtype=float)
    return xr.Dataset(
        {"score": (("variable", "metric", "sample"), values[None])},
        {"variable": ["rfft"], "metric": list(scores), "operator": ("metric", ["noise"] * len(scores))},
    )


def deletion(wins: int, ahead: int, count: int) -> str:
    """The verdict where the order beats chance in `wins` samples, and amplitudes in `ahead`."""
    return verdict(
        table(
            deletion_by_count=[0.0] * count,
            deletion_by_count_random=[1.0] * wins + [-1.0] * (count - wins),
            deletion_by_count_amplitude=[1.0] * ahead + [-1.0] * (count - ahead),
        ),
        "rfft",
    )


@pytest.mark.parametrize(
    ("wins", "ahead", "count", "said"),
    [
        (1, 1, 1, "100 % of the one sample.*too few samples"),
        (4, 4, 4, "too few samples to tell that from chance"),
        (5, 5, 5, "the model uses what is named"),
        # As a coin falls 16 times of 30.
        (30, 16, 30, "the order of the amplitudes does as well"),
        (30, 28, 30, "the model uses what is named"),
        (30, 2, 30, "the order of the amplitudes does better"),
        (24, 24, 30, "not so in every sample"),
        (18, 30, 30, "the order says little about this model"),
    ],
)
def test_samples_must_tell_an_order_from_chance(wins: int, ahead: int, count: int, said: str) -> None:
    text = deletion(wins, ahead, count)
    assert re.search(said, text)
    assert "coefficients by those of noise" in text


@pytest.mark.parametrize(
    ("precision", "chance", "said"),
    [
        (
            1.0,
            0.02,
            "it finds it: average precision 1.00 by magnitude in 2 samples, where chance reaches 0.02",
        ),
        (0.6, 0.02, "it finds most of it"),
        (0.4, 0.3, "it finds part of it"),
        (0.27, 0.25, "it hardly tells it from chance"),
        # Where nearly all is true, everybody is nearly right.
        (0.91, 0.9, "it finds part of it"),
        (0.905, 0.9, "it hardly tells it from chance"),
    ],
)
def test_a_truth_is_found_beyond_chance(precision: float, chance: float, said: str) -> None:
    assert said in verdict(table(average_precision=[precision] * 2, truth_share=[chance] * 2), "rfft")


def test_what_one_network_without_training_says() -> None:
    said = verdict(
        table(
            untrained_gap_ratio=[0.1, np.nan, 0.2],
            untrained_magnitude_ratio=[0.3, np.nan, 0.1],
            sensitivity=[0.1, np.nan, np.nan],
        ),
        "rfft",
    )
    assert "weights drawn anew, once, the explained gap is 15 % and the magnitude 20 %" in said
    assert "in the median of 2 samples, so its size depends on the training" in said
    assert "changes by 10 %, in the median of 1 sample (steady)" in said
