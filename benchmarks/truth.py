"""Which explanation is right: methods on problems whose truth is known, with networks that learnt them.

Run as `python benchmarks/truth.py --cache DIR [--jobs 2] [--seeds 0-9] [--case NAME …] [--method NAME …]`.
Networks are learnt first, which is timed apart. What was done is kept in DIR and not done again, so that a
run may be stopped at any time; nor is what `benchmarks/results/truth_cells.jsonl` has of runs on other
machines, but with `--fresh`. `--quick` is one seed of small networks and few series. `--page` writes tables,
figures and that file to `benchmarks/results/` from all that there is.

To add a method, see `benchmarks/leaderboard/methods/__init__.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import torch
from leaderboard import store, summary
from leaderboard.case import Case
from leaderboard.cases import CASES
from leaderboard.costs import costs
from leaderboard.coverage import coverage
from leaderboard.goals import SCALE, goals
from leaderboard.methods import Method, found
from leaderboard.page import as_json, page
from leaderboard.running import Job, Problem, each, learn, run
from leaderboard.training import untrained
from measure import machine

RESULTS = Path(__file__).parent / "results"
CELLS = RESULTS / "truth_cells.jsonl"
"""What counts of all runs before, on this machine or another."""
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
    cases, methods = [case for case in cases if not case.missing()], list(methods)
    for seed in order:
        for case in cases:
            # On the first seeds the package's setting is chosen; nobody else has one that is.
            able = [m for m in methods if not m.cannot(case) and (m.ours or seed not in CHOSEN)]
            yield case, seed, able


def work(options: argparse.Namespace, kept: Path) -> list[str]:
    """Do what is not done yet; returns what failed."""
    methods = found()
    planned = plan(options, methods, kept)
    needed = list(dict.fromkeys(job.problem for job in planned))
    begin, failed = time.perf_counter(), list[str]()
    # Before all else, so that their training can be told apart.
    for _ in each(learn, needed, options.jobs, options.threads):
        pass
    learnt = time.perf_counter()
    one = partial(run, methods=methods) if options.jobs == 1 else run
    for done in each(one, planned, options.jobs, options.threads):
        if done.result is None:
            failed.append(f"{done.job.place}: {done.failed}")
            print(failed[-1], flush=True)
        else:
            store.append(kept, done.result)
            print(f"{done.job.place}: {said(done.result)}", flush=True)
    spent = [one / 60 for one in (learnt - begin, time.perf_counter() - learnt)]
    print(f"networks were there after {spent[0]:.1f} min, {len(planned)} cells {spent[1]:.1f} min later")
    return failed


def said(result: store.Cell) -> str:
    """The score of a cell, and what it took."""
    score = result["mean"].get(CASES[result["case"]].headline, float("nan"))
    return f"{score:.3f}, {result['cell_seconds']:.1f} s, {result['cell_cpu_seconds']:.1f} s of the processor"


def plan(options: argparse.Namespace, every: Mapping[str, Method], kept: Path) -> list[Job]:
    """What is not done yet, all methods of a problem and a seed one after another."""
    committed = {} if options.quick or options.fresh else store.read(CELLS)
    done = {**committed, **store.read(kept)}
    # All methods see the first series of one draw, whichever of them are run.
    most = QUICK_SAMPLES if options.quick else max(method.samples for method in every.values())
    methods = chosen(options.method, every, "--method")
    cases = chosen(options.case, CASES, "--case")
    planned = []
    for case, seed, able in jobs(cases.values(), methods.values(), options.seeds):
        if options.quick:
            able = [replace(method, samples=QUICK_SAMPLES) for method in able]
        problem = Problem(case.name, seed, most, options.quick, options.cache / "networks")
        digest = untrained(problem.made, seed)[1]
        asked = {method.name: wanted(case, seed, method, digest) for method in able}
        todo = [method for method in able if store.key(asked[method.name]) not in done]
        if todo and (other := elsewhere(asked.values(), committed)):
            print(
                f"{case.name}, seed {seed}: {CELLS.name} has all of it, of network {other}, which here would "
                f"be {digest}; left as it is: if the problem has changed, remove its lines there",
                flush=True,
            )
        else:
            planned += [Job(problem, method.name, method.samples, asked[method.name]) for method in todo]
    return planned


def wanted(case: Case, seed: int, method: Method, digest: str) -> store.Cell:
    """What a result is known by; fewer series than a method asks for are a result too."""
    return {
        "case": case.name,
        "seed": seed,
        "method": method.name,
        "samples": method.samples,
        "network": digest,
    }


def elsewhere(asked: Iterable[store.Cell], committed: Mapping[str, store.Cell]) -> str:
    """The committed network of a seed of which all that is asked is known, or ""."""
    asked = list(asked)
    for network in dict.fromkeys(known["network"] for known in committed.values()):
        if all(store.key({**one, "network": network}) in committed for one in asked):
            return str(network)
    return ""


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
    parser.add_argument("--fresh", action="store_true", help=f"run what {CELLS.name} has, too")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time, each in a process of its own")
    parser.add_argument("--threads", type=int, default=1, help="of torch, in each process")
    options = parser.parse_args(given)
    if options.page and options.quick:
        parser.error(
            "--page writes what is committed, of which a quick run is no part: leave one of them out"
        )
    options.case = options.case or (list(QUICK_CASES) if options.quick else None)
    options.seeds = options.seeds or ([5] if options.quick else [*CHOSEN, *REPORTED])
    return options


def report(kept: Path, write: bool) -> None:
    """Print the goals; with `write`, tables and figures too."""
    methods = found()
    before = {} if kept.stem == "quick" else store.read(CELLS)
    every = [*before.values(), *store.read(kept).values()]
    cells = summary.counted(cell for cell in every if cell["method"] in methods)
    ours = [method.name for method in methods.values() if method.ours]
    rows, first_half = summary.rows(cells, REPORTED), summary.rows(cells, CHOSEN)
    ranked = summary.settings(first_half, ours)
    # A quick run has nothing to choose by: the setting of the README.
    chosen_setting = ranked[0][0] if ranked else SCALE
    checked = goals(rows, chosen_setting, ours)
    print(f"chosen on the first seeds: {chosen_setting}", *checked, *costs(cells), sep="\n")
    if write:
        about = (
            f"Written {datetime.now(UTC):%Y-%m-%d} on {machine()}. Results may be of several machines. "
            "Milliseconds are of a processor; of runs that did not record these, by the clock of machines "
            "that others used too."
        )
        RESULTS.mkdir(exist_ok=True)
        run = (
            coverage(rows, methods.values(), REPORTED),
            coverage(first_half, [methods[name] for name in ours], CHOSEN),
        )
        (RESULTS / "truth.md").write_text(page(rows, ranked, checked, methods, cells, run, about))
        store.write(CELLS, cells)
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
