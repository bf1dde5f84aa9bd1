"""Which explanation is right: methods on problems whose truth is known, with networks that learnt them.

Run as `python benchmarks/truth.py --cache DIR [--seeds 0-9] [--case NAME …] [--method NAME …]`. What was
done is kept in DIR and not done again, so that a run may be stopped at any time. `--quick` is one seed of
small networks and few series. `--page` writes tables and figures to `benchmarks/results/` from what there
is.

To add a method, see `benchmarks/leaderboard/methods/__init__.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from leaderboard import cell, store, summary
from leaderboard.cases import CASES, Case
from leaderboard.coverage import coverage
from leaderboard.goals import SCALE, goals
from leaderboard.methods import Method, found
from leaderboard.page import as_json, page
from leaderboard.task import task_of
from leaderboard.training import trained
from measure import machine

RESULTS = Path(__file__).parent / "results"
CHOSEN, REPORTED = range(5), range(5, 10)
"""Seeds on which a setting of the package is chosen, and those that are reported."""
QUICK_SAMPLES = 4
QUICK_CASES = ("freqrise σ=0.8", "arma rare time", "unused_cue")
"""A perceptron, a white box, and convolutions."""


def jobs(
    cases: Iterable[Case], methods: Iterable[Method], seeds: Sequence[int]
) -> Iterator[tuple[Case, int, list[Method]]]:
    """What is to be done, the seeds of both halves in turn, so that a part of it is a smaller whole."""
    order = sorted(seeds, key=lambda seed: (seed % len(CHOSEN), seed < len(CHOSEN)))
    cases, methods = list(cases), list(methods)
    for seed in order:
        for case in cases:
            # On the first seeds the package's setting is chosen; nobody else has one that is.
            able = [m for m in methods if not m.cannot(case) and (m.ours or seed not in CHOSEN)]
            yield case, seed, able


def work(options: argparse.Namespace, kept: Path) -> list[str]:
    """Do what is not done yet; returns what failed."""
    done, failed = store.read(kept), []
    methods = chosen(options.method, found(), "--method")
    for case, seed, able in jobs(
        chosen(options.case, CASES, "--case").values(), methods.values(), options.seeds
    ):
        if options.quick:
            able = [replace(method, samples=QUICK_SAMPLES) for method in able]
        network = trained(case, seed, options.cache / "networks", options.quick)
        most = max((method.samples for method in able), default=0)
        task = None
        for method in able:
            begin = time.perf_counter()
            # Fewer series than a method asks for are a result too, and known by the number asked for.
            wanted = {
                "case": case.name,
                "seed": seed,
                "method": method.name,
                "samples": method.samples,
                "network": network.digest,
            }
            if store.key(wanted) in done:
                continue
            task = task or task_of(case, network, seed, most)
            try:
                result = cell.run(method, task, network)
            except Exception as error:  # noqa: BLE001 - one method's fault is not the end of the others
                failed.append(f"{case.name}, seed {seed}, {method.name}: {type(error).__name__}: {error}")
                print(failed[-1], flush=True)
                continue
            result = {**result, "series": result["samples"], **wanted}
            store.append(kept, result)
            done[store.key(result)] = result
            print(
                f"{case.name}, seed {seed}, {method.name}: "
                f"{result['mean'].get(case.headline, float('nan')):.3f}, {time.perf_counter() - begin:.1f} s",
                flush=True,
            )
    return failed


def chosen(names: Sequence[str] | None, known: Mapping[str, object], option: str) -> Mapping[str, object]:
    """Those of a table that are named, all of them by default.

    Raises
    ------
    ValueError
        If one is not in the table: the error says what is.
    """
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ValueError(f"{option} must be one of {', '.join(known)}, got {unknown[0]!r}")
    return {name: known[name] for name in names or known}


def seeds(text: str) -> list[int]:
    """Seeds such as ``5``, ``0-9`` or ``5-9,0``."""
    ranges = [part.partition("-") for part in text.split(",")]
    return [seed for first, _, last in ranges for seed in range(int(first), int(last or first) + 1)]


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path(".cache/truth"), help="networks and results")
    parser.add_argument("--seeds", type=seeds, default=None, help="such as 5 or 0-4,7, by default 0-9")
    parser.add_argument("--case", action="append", help="a problem, all by default")
    parser.add_argument("--method", action="append", help="a method with its setting, all by default")
    parser.add_argument("--quick", action="store_true", help="one seed, small networks, few series")
    parser.add_argument("--page", action="store_true", help="write tables and figures, and run nothing")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(given)
    options.case = options.case or (list(QUICK_CASES) if options.quick else None)
    options.seeds = options.seeds or ([5] if options.quick else [*CHOSEN, *REPORTED])
    return options


def report(kept: Path, write: bool) -> None:
    """Print the goals; with `write`, tables and figures too."""
    cells, methods = list(store.read(kept).values()), found()
    ours = [method.name for method in methods.values() if method.ours]
    rows, first_half = summary.rows(cells, REPORTED), summary.rows(cells, CHOSEN)
    ranked = summary.settings(first_half, ours)
    # A quick run has nothing to choose by: the setting of the README.
    chosen_setting = ranked[0][0] if ranked else SCALE
    checked = goals(rows, chosen_setting, ours)
    print(f"chosen on the first seeds: {chosen_setting}", *checked, sep="\n")
    if write:
        about = f"{datetime.now(UTC):%Y-%m-%d}; {machine()}. Seconds are of a machine that others used too."
        RESULTS.mkdir(exist_ok=True)
        run = (
            coverage(rows, methods.values(), REPORTED),
            coverage(first_half, [methods[name] for name in ours], CHOSEN),
        )
        (RESULTS / "truth.md").write_text(page(rows, ranked, checked, methods, cells, run, about))
        (RESULTS / "truth.json").write_text(as_json(rows, ranked, about))
        from leaderboard.drawing import draw

        draw(rows, ours, RESULTS)


def main(given: Sequence[str] | None = None) -> int:
    """Run what is missing, or write what there is."""
    options = arguments(given)
    torch.set_num_threads(options.threads)
    kept = options.cache / ("quick.jsonl" if options.quick else "results.jsonl")
    failed = [] if options.page else work(options, kept)
    report(kept, write=options.page)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
