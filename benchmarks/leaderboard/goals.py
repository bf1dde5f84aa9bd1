"""What the leaderboard was to show, and whether it does."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from leaderboard.cases import CASES, RISE, RRA
from leaderboard.summary import Row, leaders, ranking

NOISY, SCALE = "freqrise σ=0.8", "ig log_prob zero"
ACCURACY, SHARE = 0.99, 0.01


@dataclass(frozen=True)
class Goal:
    """One goal.

    Parameters
    ----------
    says : str
        What was to be shown.
    met : bool or None
        Whether it is; None where it was not run.
    found : str
        The numbers, and which setting would have met it.
    """

    says: str
    met: bool | None
    found: str

    def __str__(self) -> str:
        word = {True: "met", False: "missed", None: "not run"}[self.met]
        return f"{word}: {self.says}: {self.found}"


def goals(found: Sequence[Row], chosen: str, ours: Collection[str]) -> list[Goal]:
    """All goals.

    Parameters
    ----------
    found : sequence of Row
        Of the seeds that are reported.
    chosen : str
        The setting of the package that was chosen on the others.
    ours : collection of str
        All settings of the package.
    """
    return [_published(found), *(_first(found, case, chosen, ours) for case in CASES)]


def _of(found: Iterable[Row], case: str, method: str) -> Row | None:
    return next((row for row in found if (row.case, row.method) == (case, method)), None)


def _published(found: Sequence[Row]) -> Goal:
    says = (
        f"{NOISY}: integrated gradients of log_prob have a relevance rank accuracy of at least "
        f"{ACCURACY} with at most {SHARE:.0%} of FreqRISE's evaluations"
    )
    rise = _of(found, NOISY, RISE)
    rows = [row for row in found if row.case == NOISY and row.method.startswith(SCALE)]
    if rise is None or not rows:
        return Goal(says, None, "no result")
    shares = [row.mean["calls"] / rise.mean["calls"] for row in rows]
    met = any(row.mean[RRA] >= ACCURACY and share <= SHARE for row, share in zip(rows, shares, strict=True))
    said = [
        f"{row.method} has {_number(row.mean[RRA], row.spread[RRA])} with {share:.2%}, "
        f"seeds {_listed(row.seeds)}"
        for row, share in zip(rows, shares, strict=True)
    ]
    return Goal(says, met, "; ".join([*said, f"FreqRISE has {rise.mean[RRA]:.4f}"]))


def _first(found: Sequence[Row], name: str, chosen: str, ours: Collection[str]) -> Goal:
    says = f"{name}: {chosen} is first, or within the spread of first, with the fewest calls among those"
    ranked, row = ranking(found, CASES[name]), _of(found, name, chosen)
    if not ranked or row is None:
        return Goal(says, None, "no result")
    top = leaders(ranked)
    cheapest = min(top, key=lambda one: one.mean["calls"])
    text = f"{_value(row)}; first is {ranked[0].method} with {_value(ranked[0])}"
    if row in top and row is cheapest:
        return Goal(says, True, text)
    if row in top:
        return Goal(says, False, f"{text}; among those, {cheapest.method} has the fewest calls")
    would = [one for one in top if one.method in ours]
    best = f"{would[0].method} would be, with {_value(would[0])}" if would else "no setting of it would be"
    return Goal(says, False, f"{text}; {best}")


def _value(row: Row) -> str:
    return f"{_number(row.headline, row.headline_spread)} by {row.mean['calls']:.0f} calls"


def _number(value: float, spread: float) -> str:
    return f"{value:.4f}" + (f" ± {spread:.4f}" if math.isfinite(spread) else "")


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
