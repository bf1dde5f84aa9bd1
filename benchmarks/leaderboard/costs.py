"""What a run took: minutes by the clock and of processors, in all, by method and by problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

MINUTE = 60


def costs(cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """Sums over cells that were timed as a whole, of explaining and scoring, and apart from them of training.

    Parameters
    ----------
    cells : iterable of mapping
        Results. Those of runs that did not time the whole of a cell are left out.
    """
    timed = [cell for cell in cells if "cell_cpu_seconds" in cell]
    if not timed:
        return []
    clock, processor = (sum(cell[of] for cell in timed) for of in ("cell_seconds", "cell_cpu_seconds"))
    explaining = sum(cell["cpu_seconds"] * cell["series"] for cell in timed)
    networks = {(cell["case"], cell["seed"], cell["network"]): cell["training_seconds"] for cell in timed}
    learnt = sum(map(bool, networks.values()))
    lines = [
        f"{len(timed)} cells: {_minutes(processor)} of a processor, {_minutes(clock)} one after another",
        f"of these to explain, and not to score: {_minutes(explaining)} of a processor",
        f"apart, training of {learnt} networks: {_minutes(sum(networks.values()))} by the clock",
    ]
    for kind in ("method", "case"):
        by = Counter[str]()
        for cell in timed:
            by[cell[kind]] += cell["cell_cpu_seconds"]
        told = ", ".join(f"{name} {_minutes(spent)}" for name, spent in by.most_common())
        lines.append(f"of the processor by {kind}: {told}")
    return lines


def _minutes(seconds: float) -> str:
    return f"{seconds / MINUTE:.1f} min"
