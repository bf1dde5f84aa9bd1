"""Players of a `Shapley`, evaluated and resynthesized: against parts that are put together here."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import freqig

from ..helpers import noise

# Of models that nobody trained, whose baselines may be any class.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

FS, N = 40.0, 80
BANDS = freqig.FilterBank({"low": (1, 8), "high": (8, 16)})
QUICK = {"steps": 3, "random_orders": 1, "draws": 1, "most_explained": 2}
PLAYERS: list[Any] = [BANDS, "channels", freqig.Segments(0.5), (BANDS, "channels"), ("channels", BANDS)]


def squares(x: np.ndarray) -> np.ndarray:
    """Scores of NumPy, in which parts do not add up: energies, and a product of the channels."""
    return np.stack([(x**2).mean((1, 2)), (x[:, 0] * x[:, 1]).sum(-1) ** 2], -1)


def parts_of(delta: np.ndarray, players: Any) -> np.ndarray:
    """What each player adds to a signal (channel, time), by cutting, shape (*players, channel, time)."""
    if isinstance(players, tuple):
        outer, inner = players
        return np.stack([parts_of(one, inner) for one in parts_of(delta, outer)])
    if players == "channels":
        return np.stack([delta * (np.arange(len(delta)) == i)[:, None] for i in range(len(delta))])
    if isinstance(players, freqig.Segments):
        places = np.arange(N) // int(players.length * FS)
        return np.stack([delta * (places == i) for i in range(places[-1] + 1)])
    bank = players.bind((N,), FS)
    c = bank.analyze(torch.from_numpy(delta))
    each = torch.eye(c.shape[-2], dtype=c.dtype)
    return np.stack([bank.synthesize(c * one[:, None], N).numpy() for one in each])


@pytest.mark.parametrize("players", PLAYERS, ids=str)
def test_curves_are_those_of_parts_that_are_put_together(players: Any) -> None:
    x, start = noise(3, 2, N), noise(3, 2, N, seed=1)
    result = freqig.Shapley(squares, fs=FS, players=players, baseline=start, progress=False)(x, target=1)
    table = freqig.evaluate(result, squares, x, baseline=start, families="deletion", steps=3, random_orders=1)
    values = result.shapley.values.reshape(3, -1)
    shares = np.rint(values.shape[1] * np.linspace(0, 1, 4)).astype(int)
    curve = table.curve.sel(variable="shapley", replacement="baseline", by="count", order="attribution")
    for i in range(3):
        parts = parts_of(x[i] - start[i], players).reshape(-1, 2, N)
        np.testing.assert_allclose(start[i] + parts.sum(0), x[i], atol=1e-12)
        order = np.argsort(-values[i], kind="stable")
        for kind in ("deletion", "insertion"):
            kept = [order[many:] if kind == "deletion" else order[:many] for many in shares]
            points = np.stack([start[i] + parts[own].sum(0) for own in kept])
            np.testing.assert_allclose(curve.sel(kind=kind).values[:, i], squares(points)[:, 1], rtol=1e-9)


def test_the_best_order_of_players_is_that_of_all_orders() -> None:
    x = noise(1, 2, N)
    result = freqig.Shapley(squares, fs=FS, players=BANDS, progress=False)(x, target=1)
    table = freqig.evaluate(result, squares, x, families="deletion", steps=3)
    parts = parts_of(x[0], BANDS)
    areas = []
    for order in itertools.permutations(range(3)):
        values = squares(np.stack([parts[list(order[i:])].sum(0) for i in range(4)]))[:, 1]
        areas.append((values[1:] + values[:-1]).sum() / 6)
    best = table.score.sel(variable="shapley", metric="deletion_by_count_best").item()
    assert best == pytest.approx(min(areas))


def test_every_family_is_scored_or_has_its_reason() -> None:
    x = noise(4, 2, N)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * N, 3).double(), torch.nn.Tanh())
    shapley = freqig.Shapley(model, fs=FS, players=(BANDS, "channels"), progress=False)
    result = shapley(x, target=[0, 1, 2, 0])
    truth = np.zeros((3, 2), dtype=bool)
    truth[0, 1] = True
    names = ["baseline", "surrogate", "noise", "data"]
    table = freqig.evaluate(result, model, x, truth=truth, operator=names, others={"same": result}, **QUICK)
    scored = np.isfinite(table.score.sel(variable="shapley")).any("sample").values
    assert set(table.family.values[~scored]) == {"road", "sanity", "deletion"}
    assert (table.reason.sel(variable="shapley").values[~scored] != "").all()
    assert table.reason.sel(metric="road", variable="shapley") == (
        "players are there or not, and have no neighbours to impute from"
    )
    assert table["mean"].sel(metric="agreement_cosine", group="all").item() == pytest.approx(1)
    # It was explained again by coalitions: by untrained networks, and with noise.
    assert np.isfinite(table.score.sel(metric=["untrained_cosine", "sensitivity"])).sum() == 4
    assert table.attrs["verdict"].startswith("Replacing players by those of the baseline")
    with pytest.raises(ValueError, match="model and baseline must be those that made the result"):
        freqig.evaluate(result, lambda a: 2 * model(a), x, **QUICK)


def test_what_made_the_players_serves_where_settings_do_not_hold_it() -> None:
    x = noise(2, 2, N)

    def loudest(outputs: torch.Tensor, targets: object) -> torch.Tensor:
        return outputs.amax(-1)

    shapley = freqig.Shapley(squares, fs=FS, players=BANDS, output=loudest, progress=False)
    result = shapley(x)
    with pytest.raises(
        ValueError, match=r"explainer must be given, as the explained output was the callable"
    ):
        freqig.evaluate(result, squares, x)
    with pytest.raises(ValueError, match="explainer must be the one that made shapley, got one with"):
        freqig.evaluate(result, squares, x, explainer=freqig.Explainer(torch.nn.Linear(N, 1)))
    table = freqig.evaluate(result, squares, x, explainer=shapley, **QUICK)
    assert np.isfinite(table.score.sel(metric=["deletion_by_count", "sensitivity"])).all()


@pytest.mark.parametrize("players", PLAYERS, ids=str)
def test_the_part_of_players_is_a_signal(players: Any) -> None:
    x = xr.DataArray(
        noise(2, 2, N),
        dims=("sample", "channel", "time"),
        coords={"channel": ["Fz", "Cz"], "time": np.arange(N) / FS},
    )
    shapley = freqig.Shapley(squares, players=players, progress=False)
    result = shapley(x, target=0)
    part = freqig.resynthesize(result, 0.7, name="shapley", explainer=shapley)
    assert part.channel.values.tolist() == ["Fz", "Cz"]
    for i in range(2):
        values = result.shapley.values[i].ravel()
        order = np.argsort(-values, kind="stable")
        sums = np.cumsum(values[order].clip(0))
        kept = order[: np.searchsorted(sums, 0.7 * sums[-1]) + 1]
        expected = parts_of(x.values[i], players).reshape(-1, 2, N)[kept].sum(0)
        np.testing.assert_allclose(part.values[i], expected, atol=1e-12)
        assert part.kept_count[i] == len(kept)
    np.testing.assert_allclose(part.part_output, squares(part.values)[:, 0])
    np.testing.assert_allclose(part.whole_output, squares(x.values)[:, 0])
    # Without the Shapley, from what the result says of itself.
    xr.testing.assert_allclose(
        freqig.resynthesize(result, 0.7, name="shapley"), part.drop_vars(["part_output", "whole_output"])
    )
