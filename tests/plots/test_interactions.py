"""`plots.interactions`: the pair that matters, and what is said where there are none."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from freqig import plots


def table(pairs: np.ndarray, alone: np.ndarray) -> xr.Dataset:
    names = [f"band {i}" for i in range(len(alone))]
    return xr.Dataset(
        {
            "shapley_interaction": (
                ("sample", "shapley_player", "shapley_other"),
                (pairs + pairs.T)[None],
                {"kind": "interaction", "units": "logit"},
            ),
            "shapley_alone": (("sample", "shapley_band"), alone[None]),
        },
        {"shapley_player": names, "shapley_other": names},
    )


def drawn(result: xr.Dataset, **options: object) -> tuple[object, np.ndarray]:
    axes = plots.interactions(result, axes=Figure(figsize=(6, 5), layout="constrained").subplots(), **options)
    cells = np.ma.filled(axes.collections[0].get_array(), np.nan)
    return axes, cells.reshape(round(cells.size**0.5), -1)


def test_pairs_stand_below_the_diagonal_and_players_alone_on_it() -> None:
    pairs, alone = np.triu(np.arange(9.0).reshape(3, 3), 1), np.array([-1.0, 0.0, 2.0])
    axes, cells = drawn(table(pairs, alone))
    np.testing.assert_array_equal(np.diag(cells), alone)
    np.testing.assert_array_equal(cells[np.tril_indices(3, -1)], [1, 2, 5])
    assert np.isnan(cells[np.triu_indices(3, 1)]).all()
    assert np.nansum(cells) == pairs.sum() + alone.sum()
    numbers = [text.get_text() for text in axes.texts if text.get_text()[:1] in "+\N{MINUS SIGN}"]
    assert [number for number in numbers if number] == ["\N{MINUS SIGN}1", "+1", "+2", "+5", "+2"]


def test_what_is_rounding_has_no_number() -> None:
    axes, _ = drawn(table(np.zeros((3, 3)), np.array([1.0, 1e-16, 0.0])))
    assert [t.get_text() for t in axes.texts if t.get_text().startswith("+")] == ["+1"]


def test_of_many_players_those_that_do_most_are_drawn() -> None:
    alone = np.arange(50.0)
    axes, cells = drawn(table(np.zeros((50, 50)), alone))
    np.testing.assert_array_equal(np.diag(cells), alone[10:])
    assert any("10 players left out" in one.get_ylabel() for one in axes.figure.axes)


def test_a_result_without_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must have a variable 'shapley_interaction'.*max_order=2"):
        plots.interactions(xr.Dataset({"shapley": ("sample", [1.0])}))
