"""Evaluations, convergence and true errors of adaptive integration on paths whose truth is known.

Run as `python benchmarks/adaptive.py`; prints a table and writes it to `results/adaptive.md`. Seeds
are others than those of the tests, and the constants of the integrator were not chosen on them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.oracles.known_paths import Case, kinks, logistic, polynomial  # noqa: E402
from tests.oracles.trained_nets import BUILD, network  # noqa: E402

TOLERANCES = (0.1, 0.01, 0.001)
WATCHED = [("frequency",), ("time", "frequency")]
SEEDS = (404, 505, 606)
RECURRENT = ("LSTM", "GRU")

CLOSED: list[Callable[[int], Case]] = [
    lambda seed: polynomial(200, 2, seed),
    lambda seed: polynomial(200, 8, seed),
    lambda seed: kinks(200, 1, seed),
    lambda seed: kinks(200, 3, seed),
    lambda seed: kinks(200, 8, seed),
    lambda seed: kinks(200, 20, seed),
    lambda seed: kinks(200, 20, seed, clustered=True),
    lambda seed: kinks(100, 200, seed),
    lambda seed: logistic(200, 20.0, seed),
    lambda seed: logistic(200, 300.0, seed),
    lambda seed: logistic(200, 3000.0, seed),
]

HEAD = (
    "| path | domains | tol | samples | evaluations, mean | median | converged, % | how the others ended "
    "| misses | largest error / tol |"
)


def cases() -> Iterator[Callable[[int], Case]]:
    """Builders by seed, one a row of the table."""
    yield from CLOSED
    for kind in BUILD:
        for baseline in ("zero", "noise"):
            if kind in RECURRENT:
                # Longer training gives them the jumps that no rule resolves.
                yield lambda seed, k=kind, b=baseline: network(k, 8, seed, b, epochs=150)
            else:
                yield lambda seed, k=kind, b=baseline: network(k, 50, seed, b)


def rows(build: Callable[[int], Case]) -> Iterator[str]:
    """Lines of the table for one kind of path, one a tolerance; a miss is silent: converged, and wrong."""
    built = [build(seed) for seed in SEEDS]
    for watched, tol in product(WATCHED, TOLERANCES):
        evaluations, converged, errors, ends = [], [], [], Counter[str]()
        for case in built:
            path = case.solve(tol, watched)
            assert path.converged is not None
            good = path.converged.all(1)
            evaluations += path.n_evaluations.tolist()
            converged += good.tolist()
            errors += case.error(path, watched)[good & case.trusted].tolist()
            ends.update(d.status for d in path.diagnoses if d.status != "converged")
        missed = sum(error > tol for error in errors)
        worst = max(errors, default=np.nan) / tol
        others = ", ".join(f"{status} {count}" for status, count in sorted(ends.items())) or "–"
        yield (
            f"| {built[0].name} | {' and '.join(watched)} | {tol:g} "
            f"| {len(converged)} | {np.mean(evaluations):.0f} "
            f"| {np.median(evaluations):.0f} | {100 * np.mean(converged):.1f} | {others} "
            f"| {missed} of {len(errors)} | {worst:.2f} |"
        )


def main() -> None:
    """Print the table as it grows, and write it."""
    torch.set_num_threads(1)
    about = (
        f"Seeds {', '.join(map(str, SEEDS))}; at most 2,000 evaluations a sample, `n_initial=7`, float64. "
        "Errors are L1 errors relative to the L1 norm of the attributions, the largest of the domains that "
        "were asked for. A miss is a sample that was called converged and whose true error exceeds `tol`; "
        "samples whose reference could not be computed are not judged. Counts do not depend on the machine."
    )
    lines = [
        "# Adaptive integration on paths whose truth is known",
        "",
        about,
        "",
        HEAD,
        "|" + "---|" * (HEAD.count("|") - 1),
    ]
    print("\n".join(lines), flush=True)
    for build in cases():
        for line in rows(build):
            print(line, flush=True)
            lines.append(line)
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "adaptive.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
