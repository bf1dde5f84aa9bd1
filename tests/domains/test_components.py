"""Decompositions by a function: pairs, missing and surplus parts, residuals, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from freqig.domains import Components, ready

from .every import tensor


def moving_average(series: np.ndarray, width: int = 9) -> np.ndarray:
    padded = np.pad(series, ((0, 0), (width // 2, width // 2)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, width, -1).mean(-1)


def trend_and_season(series: np.ndarray) -> dict[str, np.ndarray]:
    trend = moving_average(series)
    return {"trend": trend, "season": np.clip(series - trend, -0.5, 0.5)}


def made(domain: Components, x: torch.Tensor, baseline: torch.Tensor) -> Components:
    return ready([domain], x, baseline, None)[0]  # type: ignore[return-value]


def test_coefficients_are_the_difference_of_two_decompositions() -> None:
    """Not the decomposition of the difference, which a non-linear function would tell apart."""
    x, baseline, gradient = (tensor(3, 2, 40, seed=seed) for seed in range(3))
    domain = made(Components(trend_and_season), x, baseline)
    ours, theirs = (trend_and_season(end.reshape(-1, 40).numpy()) for end in (x, baseline))
    expected = [(ours[key] - theirs[key]).reshape(3, 2, 40) for key in ("trend", "season")]
    expected.append((x - baseline).numpy() - sum(expected))
    c = domain.analyze_pair(x, baseline)
    np.testing.assert_allclose(c.numpy(), np.stack(expected, -2), atol=1e-14)
    values = domain.assemble(domain.products(c, gradient))
    np.testing.assert_allclose(
        values.numpy(), np.stack(expected, -2) * gradient.numpy()[:, :, None], atol=1e-14
    )
    other = trend_and_season((x - baseline).reshape(-1, 40).numpy())["season"]
    assert np.abs(other - expected[1].reshape(-1, 40)).max() > 0.1
    assert domain.coords(40, None)["part"] == ["trend", "season", "residual"]


def test_a_part_that_one_end_lacks_is_zero_there() -> None:
    def decompose(series: np.ndarray) -> dict[str, np.ndarray]:
        parts = {"low": np.minimum(series, 1.0)}
        if (series > 1).any():
            parts["high"] = np.maximum(series - 1.0, 0.0)
        return parts

    x = torch.tensor([[0.5, 3.0]], dtype=torch.float64)
    for first, second, sign in ((x, torch.zeros_like(x), 1), (torch.zeros_like(x), x, -1)):
        domain = made(Components(decompose), first, second)
        assert domain.names == ("low", "high", "residual")
        c = domain.analyze_pair(first, second)[0]
        assert (sign * c).tolist() == [[0.5, 1.0], [0.0, 2.0], [0.0, 0.0]]


def test_names_come_from_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that only the last block has is there, and zero for the others."""
    monkeypatch.setattr("freqig.domains.check.BLOCK", 1)

    def decompose(series: np.ndarray) -> dict[str, np.ndarray]:
        return {"late" if series[0, 0] > 2 else "early": series}

    x = torch.arange(1.0, 5.0, dtype=torch.float64).reshape(4, 1)
    domain = made(Components(decompose, name="when"), x, torch.zeros_like(x))
    assert domain.names == ("early", "late", "residual")
    assert domain.analyze_pair(x[:1], torch.zeros(1, 1, dtype=torch.float64)).flatten().tolist() == [1, 0, 0]


def test_chosen_parts_stand_alone_and_others_join_the_residual() -> None:
    x = tensor(2, 30)
    calls = []

    def counted(series: np.ndarray) -> dict[str, np.ndarray]:
        calls.append(series.shape)
        return trend_and_season(series)

    domain = made(Components(counted, parts=["trend"]), x, torch.zeros_like(x))
    assert calls == []
    assert domain.names == ("trend", "residual")
    c = domain.analyze(x)
    torch.testing.assert_close(c.sum(-2), x)
    np.testing.assert_allclose(c[:, 0].numpy(), moving_average(x.numpy()))
    assert calls == [(2, 30)]


def test_a_residual_of_its_own_is_united_with_what_is_missing() -> None:
    def decompose(series: np.ndarray) -> dict[str, np.ndarray]:
        return {"half": series / 2, "residual": series / 4}

    x = tensor(1, 5)
    domain = made(Components(decompose), x, torch.zeros_like(x))
    assert domain.names == ("half", "residual")
    torch.testing.assert_close(domain.analyze(x)[0, 1], x[0] / 2)


def test_large_parts_that_cancel_keep_the_digits_of_the_signal() -> None:
    def decompose(series: np.ndarray) -> dict[str, np.ndarray]:
        return {"up": 1e6 + series, "down": np.full_like(series, -1e6)}

    x, baseline = tensor(4, 50, dtype=torch.float32), tensor(4, 50, seed=1, dtype=torch.float32)
    domain = made(Components(decompose), x, baseline)
    c = domain.analyze_pair(x, baseline)
    assert c.dtype == torch.float32
    torch.testing.assert_close(c.sum(-2), x - baseline, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(c[:, 0], x - baseline, rtol=1e-5, atol=1e-6)


def test_the_signal_is_not_changed_by_a_function_that_writes_into_its_argument() -> None:
    def decompose(series: np.ndarray) -> dict[str, np.ndarray]:
        series *= 0
        return {"nothing": series}

    x = tensor(1, 5)
    before = x.clone()
    Components(decompose, parts=["nothing"]).analyze(x)
    torch.testing.assert_close(x, before)


def test_tensors_are_taken_as_well() -> None:
    x = tensor(1, 5)
    c = Components(lambda series: {"all": torch.from_numpy(series)}, parts=["all"]).analyze(x)
    torch.testing.assert_close(c[:, 0], x)


@pytest.mark.parametrize(
    ("decompose", "error", "message"),
    [
        (lambda series: [series], TypeError, "must return a dict of named arrays, got list"),
        (lambda series: {0: series}, TypeError, "got dict with other keys"),
        (lambda series: {"a": series[0]}, ValueError, r"shape it was given, \(1, 5\), got \(5,\) for 'a'"),
        (lambda series: {"a": series * np.nan}, ValueError, "NaN or infinity for 'a'"),
    ],
)
def test_errors_of_the_function(decompose: Callable[..., Any], error: type[Exception], message: str) -> None:
    x = tensor(1, 5)
    with pytest.raises(error, match=message):
        made(Components(decompose), x, torch.zeros_like(x))


def test_a_function_is_wanted() -> None:
    with pytest.raises(TypeError):
        Components({"trend": 1})  # type: ignore[arg-type]
