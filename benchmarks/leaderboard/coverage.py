"""Which cells of the leaderboard were run, and which were not: problems × methods × seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from leaderboard.cases import CASES
from leaderboard.methods import Method
from leaderboard.summary import Row


def coverage(found: Iterable[Row], methods: Iterable[Method], seeds: Sequence[int]) -> str:
    """What was run of all cells, in Markdown: the rule, and each exception.

    Parameters
    ----------
    found : iterable of Row
        Of these seeds.
    methods : iterable of Method
        Those that were to be run.
    seeds : sequence of int
        Those that were to be run.
    """
    have = {(row.method, row.case): row.seeds for row in found}
    every = list(methods)
    absent = {name: case.missing() for name, case in CASES.items() if case.missing()}
    gone = {name: why for name, why in absent.items() if all(case != name for _, case in have)}
    cases = {name: case for name, case in CASES.items() if name not in gone}
    cells = [(method.name, name) for method in every for name in cases]
    counts = Counter(have[cell] for cell in cells if cell in have)
    if not counts:
        return f"Nothing of seeds {_listed(seeds)} has been run."
    rule = counts.most_common(1)[0][0]
    lines = [f"- **{name}** is left out: {why}." for name, why in gone.items()]
    for method in every:
        groups: dict[str, list[str]] = {}
        for name, case in cases.items():
            own = have.get((method.name, name))
            if own == rule:
                continue
            told = f"seed {_listed(own)}" if own else method.cannot(case) or "not run"
            groups.setdefault(told, []).append(name)
        if groups:
            each = "; ".join(f"{', '.join(names)} ({told})" for told, names in groups.items())
            lines.append(f"- **{method.name}**: {each}.")
    first = f"Of seeds {_listed(seeds)}: {_listed(rule)} have been run, all problems by all methods"
    return "\n".join([f"{first}, but:", "", *lines] if lines else [f"{first}."])


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
