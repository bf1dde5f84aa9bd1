"""Results of many seeds as one row for each problem and method, and which setting of the package is best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leaderboard.case import Case
from leaderboard.cases import CASES

Cell = Mapping[str, Any]
ROUNDING = 1e-3
"""Differences in average precision below this are none."""


@dataclass(frozen=True)
class Row:
    """A method on a problem.

    Parameters
    ----------
    case, method : str
        Which.
    seeds : tuple of int
        Seeds that were run.
    series : int
        Fewest series that were explained with a seed.
    mean, spread : mapping of str to float
        Mean over seeds of every metric, and standard deviation over seeds, NaN with a single one. Among them
        ``calls``, ``gradients`` and ``seconds`` per series, and ``cpu_seconds`` of runs that recorded them.
    """

    case: str
    method: str
    seeds: tuple[int, ...]
    series: int
    mean: Mapping[str, float]
    spread: Mapping[str, float]

    @property
    def headline(self) -> float:
        """Average precision, as the problem reads it."""
        return self.mean.get(CASES[self.case].headline, float("nan"))

    @property
    def headline_spread(self) -> float:
        """Its standard deviation over seeds."""
        return self.spread.get(CASES[self.case].headline, float("nan"))


def counted(cells: Iterable[Cell]) -> list[Cell]:
    """One result for each problem, seed and method, those of a seed all of one network.

    A network that was learnt anew, with another version of torch or from series that another processor rounds
    otherwise, is another one. Results of both are right, but methods are compared on the same. The network
    that most methods explained stands for the seed, and of those that tie the latest.

    Parameters
    ----------
    cells : iterable of mapping
        Results in the order in which they were found: a later one of the same network, seed and method stands
        for the earlier.
    """
    networks: dict[tuple[str, int], dict[str, dict[str, Cell]]] = {}
    for cell in cells:
        of = networks.setdefault((cell["case"], cell["seed"]), {})
        # Taken out and put back, so that the latest comes last.
        of[cell["network"]] = {**of.pop(cell["network"], {}), cell["method"]: cell}
    return [cell for of in networks.values() for cell in max(reversed(of.values()), key=len).values()]


def rows(cells: Iterable[Cell], seeds: Sequence[int]) -> list[Row]:
    """One row for each problem and method, of the results that count of those seeds that there are."""
    own = [cell for cell in counted(cells) if cell["seed"] in seeds]
    grouped: dict[tuple[str, str], list[Cell]] = {}
    for cell in sorted(own, key=lambda cell: cell["seed"]):
        grouped.setdefault((cell["case"], cell["method"]), []).append(cell)
    return [_row(case, method, group) for (case, method), group in grouped.items() if case in CASES]


def _row(case: str, method: str, cells: Sequence[Cell]) -> Row:
    beside = ("calls", "gradients", "seconds", "cpu_seconds")
    every = [{**cell["mean"], **{name: cell[name] for name in beside if name in cell}} for cell in cells]
    names = dict.fromkeys(name for one in every for name in one)
    values = {name: np.array([one[name] for one in every if name in one]) for name in names}
    return Row(
        case,
        method,
        tuple(cell["seed"] for cell in cells),
        min(cell["series"] for cell in cells),
        {name: float(v.mean()) for name, v in values.items()},
        {name: float(v.std(ddof=1)) if len(v) > 1 else float("nan") for name, v in values.items()},
    )


def settings(found: Iterable[Row], names: Iterable[str]) -> list[tuple[str, float, float, int]]:
    """Settings of the package from the best down: name, mean average precision, calls, and problems.

    The mean is over those problems that every setting has seen; one that has seen half as many as another,
    or fewer, is left out.
    """
    by_name: dict[str, dict[str, Row]] = {name: {} for name in names}
    for row in found:
        if row.method in by_name:
            by_name[row.method][row.case] = row
    most = max((len(of) for of in by_name.values()), default=0)
    known = {name: of for name, of in by_name.items() if 2 * len(of) > most}
    common = set.intersection(*(set(of) for of in known.values())) if known else set()
    ranked = [
        (
            name,
            float(np.mean([of[case].headline for case in common])),
            float(np.mean([of[case].mean["calls"] for case in common])),
            len(common),
        )
        for name, of in known.items()
        if common
    ]
    # Of those that tie, the one that asks least.
    return sorted(ranked, key=lambda one: (-round(one[1] / ROUNDING), one[2]))


def tolerance(row: Row) -> float:
    """The spread of a row, that of rounding at least; with a single seed there is no other."""
    return max(ROUNDING, row.headline_spread) if np.isfinite(row.headline_spread) else ROUNDING


def ranking(found: Iterable[Row], case: Case) -> list[Row]:
    """Rows of a problem, the best first."""
    own = [row for row in found if row.case == case.name and np.isfinite(row.headline)]
    return sorted(own, key=lambda row: -row.headline)


def leaders(ranked: Sequence[Row]) -> list[Row]:
    """The first, and all that are within its spread."""
    first = ranked[0]
    return [row for row in ranked if row.headline >= first.headline - tolerance(first)]
