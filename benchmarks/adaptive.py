"""The gate of adaptive integration: evaluations, true errors and diagnoses on paths whose truth is known.

Run as `python benchmarks/adaptive.py`; prints a report and writes it to `results/adaptive.md`. Seeds are
others than those of the tests and of `Margins`. Beside the code as it is stand the code of an earlier
commit, where git has it, run on the same paths in a process of its own, and `scipy.integrate.quad_vec`.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
EARLIER = "ce909d8"
BUDGET = 2000
TOLERANCES = (0.1, 0.01, 0.001)
WATCHED = [("frequency",), ("time", "frequency")]
CLOSED_SEED, NETWORK_SEED = 8306, 8407
N_CLOSED, N_NETWORK, N_RECURRENT, N_QUAD = 150, 20, 8, 2
RECURRENT = ("LSTM", "GRU")

ABOUT = """{closed} paths of each closed form (200 kinks: {steepest}) and {networks} of each network (LSTM and
GRU: {recurrent}), seeds {seeds}; at most {budget:,} evaluations per sample, `n_initial=7`, float64,
{processor}. Counts do not depend on the machine.

Errors are L1 errors relative to the L1 norm of the attributions, the largest of the domains asked for. A
miss is a sample that was called converged and whose true error exceeds `tol`; samples whose reference could
not be computed are not judged. "Earlier" is commit {commit}. Ratios are paired per sample, geometric means,
samples that did not converge counted at the budget; the one gradient at a place that no rule uses, which
came since, is granted to the earlier code. `quad_vec` (gk15, same relative tolerance, norm of squares): mean
of {quad} paths.

Published networks whose paths are hard (heart rate, sleep spindles) are not among these: no package has their
weights."""


def closed_forms(known: Any) -> dict[str, Callable[[], Any]]:
    """Builders of the paths with a closed form, from the module that holds them."""
    seed, n = CLOSED_SEED, N_CLOSED
    rows: dict[str, Callable[[], Any]] = {
        "polynomial of degree 2": lambda: known.polynomial(n, 2, seed),
        "polynomial of degree 8": lambda: known.polynomial(n, 8, seed),
        "20 kinks, clustered": lambda: known.kinks(n, 20, seed, clustered=True),
        "200 kinks": lambda: known.kinks(n // 3, 200, seed),
    }
    for count in (1, 3, 8, 20):
        rows[f"{count} kink{'s' * (count > 1)}"] = lambda count=count: known.kinks(n, count, seed)
    for steepness in (20.0, 300.0, 3000.0):
        rows[f"logistic step {steepness:g}"] = lambda s=steepness: known.logistic(n, s, seed)
    return rows


def networks(known: Any, nets: Any, folder: Path) -> dict[str, Callable[[], Any]]:
    """Builders of trained networks, whose weights and references are computed once and kept in a folder."""

    def build(kind: str, baseline: str) -> Any:
        path, hard = folder / f"{kind}-{baseline}.pt", kind in RECURRENT
        if not path.exists():
            # Longer training gives recurrent networks the jumps that no rule resolves.
            how = {"epochs": 150} if hard else {"panels": 2048}
            case = nets.network(kind, N_RECURRENT if hard else N_NETWORK, NETWORK_SEED, baseline, **how)
            kept = {"weights": case.objective.model.function.state_dict(), "targets": case.objective.targets}
            for name in ("x", "baseline", "mean_gradient", "trusted"):
                kept[name] = getattr(case, name)
            torch.save(kept, path)
        kept = torch.load(path, weights_only=True)
        model = nets.BUILD[kind]().double()
        model.load_state_dict(kept["weights"])
        objective = nets.Objective(nets.TorchModel(model.eval()), "logit", kept["targets"], nets.Extra())
        return known.Case(kind, objective, *(kept[n] for n in ("x", "baseline", "mean_gradient", "trusted")))

    return {
        f"{kind}, {baseline} baseline": lambda k=kind, b=baseline: build(k, b)
        for kind, baseline in product(nets.BUILD, ("zero", "noise"))
    }


def special() -> dict[str, Callable[[Any], Any]]:
    """Functions of a series whose paths no rule integrates, by what they are called."""
    x = 5 * torch.tensor(np.random.default_rng(11).normal(size=(1, 32)))
    w, u = torch.tensor(np.random.default_rng(12).normal(size=32)), x[0] / x[0].square().sum()

    def smooth(x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x @ w / 9)

    return {
        "a jump at 0.2357": lambda x: 2.0 * (x @ u > 0.2357) + smooth(x),
        "a jump at 0.99": lambda x: 2.0 * (x @ u > 0.99) + smooth(x),
        "a jump at the baseline": lambda x: (x @ u > 0).double() + smooth(x),
        "blind to scale": lambda x: (x / (x.norm(dim=1, keepdim=True) + 1e-30)) @ w,
        "a step of width 3e-5": lambda x: torch.sigmoid(3e4 * (x @ u - 0.3)) + smooth(x),
        "a step of width 1e-8": lambda x: torch.sigmoid(1e8 * (x @ u - 0.3)) + smooth(x),
        "a kink of a norm with a floor": lambda x: (x / (x.square().mean(1, keepdim=True) + 1e-5).sqrt()) @ w,
    }


def measure(root: Path, folder: Path) -> dict[str, Any]:
    """Solve every case with the package of this root: one entry per row, domains and tolerance."""
    sys.path[:0] = [str(root / "src"), str(root)]
    from tests.oracles import known_paths as known
    from tests.oracles import trained_nets as nets

    count = {"gradients": 0, "forward": 0}
    value, gradient = nets.Objective.value, nets.Objective.value_and_gradient

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(self: Any, points: Any, rows: Any) -> Any:
            count[name] += len(points)
            return call(self, points, rows)

        return run

    def solve(case: Any, tol: float, watched: tuple[str, ...]) -> dict[str, Any]:
        count.update(gradients=0, forward=0)
        path = case.solve(tol, watched, max_evaluations=BUDGET)
        return {
            "n": path.n_evaluations.tolist(),
            "converged": path.converged.all(1).tolist(),
            "status": [diagnosis.status for diagnosis in path.diagnoses],
            "blind": [diagnosis.blind_to_scale for diagnosis in path.diagnoses],
            "gradients": count["gradients"] / len(case.x),
            # Both ends of each path are known to everybody.
            "forward": count["forward"] / len(case.x) - 2,
            "errors": case.error(path, watched).tolist(),
            "trusted": case.trusted.tolist(),
        }

    found = {}
    for row, build in (closed_forms(known) | networks(known, nets, folder)).items():
        case = build()
        nets.Objective.value = counted("forward", value)
        nets.Objective.value_and_gradient = counted("gradients", gradient)
        for watched, tol in product(WATCHED, TOLERANCES):
            found[f"{row}|{' and '.join(watched)}|{tol:g}"] = solve(case, tol, watched)
        nets.Objective.value, nets.Objective.value_and_gradient = value, gradient
    x = 5 * torch.tensor(np.random.default_rng(11).normal(size=(1, 32)))
    nets.Objective.value = counted("forward", value)
    nets.Objective.value_and_gradient = counted("gradients", gradient)
    for row, function in special().items():
        model = nets.TorchModel(lambda x, f=function: f(x).unsqueeze(1), torch.float64)
        objective = nets.Objective(model, "logit", torch.zeros((1, 1, 1), dtype=torch.int64), nets.Extra())
        case = known.Case(row, objective, x, torch.zeros_like(x), x[:, None], torch.tensor([False]))
        found[f"special|{row}|0.01"] = solve(case, 0.01, ("time",))
    nets.Objective.value, nets.Objective.value_and_gradient = value, gradient
    return found


def earlier(folder: Path) -> dict[str, Any] | None:
    """What the code of the earlier commit makes of the same cases; None where git does not have it."""
    git = ["git", "-C", str(ROOT)]
    archive = subprocess.run([*git, "archive", EARLIER], capture_output=True, check=False)
    if archive.returncode:
        return None
    root, out = folder / "earlier", folder / "earlier.json"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(root, filter="data")
    command = [sys.executable, __file__, "--measure", str(root), "--folder", str(folder), "--out", str(out)]
    subprocess.run(command, check=True)
    return json.loads(out.read_text(encoding="utf-8"))


def quad_vec(folder: Path) -> dict[str, Any]:
    """Evaluations of `scipy.integrate.quad_vec` for the first paths of each row, in the norm of squares."""
    from scipy.integrate import quad_vec
    from tests.oracles import known_paths as known
    from tests.oracles import trained_nets as nets

    found = {}
    for row, build in (closed_forms(known) | networks(known, nets, folder)).items():
        case = build()
        for tol in TOLERANCES:
            counts = []
            for i in range(min(N_QUAD, len(case.x))):
                delta = case.x[i] - case.baseline[i]

                def attributed(place: float, case: Any = case, i: int = i, delta: Any = delta) -> Any:
                    point = case.baseline[i] + place * delta
                    both, rows = torch.stack([point, point]), torch.tensor([i, i])
                    gradient = case.objective.value_and_gradient(both, rows)[1][0]
                    return (gradient[0] * delta).flatten().numpy()

                how = {"epsabs": 0.0, "epsrel": tol, "quadrature": "gk15", "limit": BUDGET // 30}
                *_, info = quad_vec(attributed, 0.0, 1.0, full_output=True, **how)
                counts.append(min(info.neval, BUDGET) if info.success else BUDGET)
            found[f"{row}|{tol:g}"] = counts
    return found


def charged(result: dict[str, Any]) -> np.ndarray:
    """Evaluations of each sample, the whole budget where it did not converge."""
    return np.where(result["converged"], result["n"], BUDGET).astype(float)


def missed(result: dict[str, Any], tol: float) -> tuple[int, int]:
    """Silent misses, and how many samples could be judged."""
    judged = np.array(result["trusted"])
    wrong = judged & np.array(result["converged"]) & (np.array(result["errors"]) > tol)
    return int(wrong.sum()), int(judged.sum())


def table(new: dict[str, Any], old: dict[str, Any] | None, quad: dict[str, Any]) -> Iterator[str]:
    """A line for each row, domains and tolerance."""
    head = (
        "| path | domains | tol | samples | gradients, earlier | now | forward passes, earlier | now | ratio "
        "| quad_vec | converged %, earlier | now | misses, earlier | now | largest error / tol |"
    )
    yield from (head, "|" + "---|" * (head.count("|") - 1))
    for key, result in new.items():
        row, watched, tol = key.split("|")
        if row == "special":
            continue
        before = old[key] if old else None
        judged = np.array(result["trusted"]) & np.array(result["converged"])
        worst = max(np.array(result["errors"])[judged], default=np.nan) / float(tol)
        told = [
            f"{before['gradients']:.1f}" if before else "",
            f"{result['gradients']:.1f}",
            f"{before['forward']:.1f}" if before else "",
            f"{result['forward']:.1f}",
            f"{ratio(result, before):.2f}" if before else "",
            f"{np.mean(quad[f'{row}|{tol}']):.0f}",
            f"{100 * np.mean(before['converged']):.1f}" if before else "",
            f"{100 * np.mean(result['converged']):.1f}",
            str(missed(before, float(tol))[0]) if before else "",
            str(missed(result, float(tol))[0]),
            f"{worst:.2f}",
        ]
        yield f"| {row} | {watched} | {tol} | {len(result['n'])} | " + " | ".join(told) + " |"


def ratio(new: dict[str, Any], old: dict[str, Any], extra: int = 1) -> float:
    """Geometric mean over samples of evaluations now over those before and the one at an unused place."""
    return float(np.exp(np.mean(np.log(charged(new) / (charged(old) + extra * np.array(old["converged"]))))))


def targets(new: dict[str, Any], old: dict[str, Any] | None) -> Iterator[str]:
    """Each target beside what was reached."""
    from scipy.stats import fisher_exact

    def told(what: str, wanted: str, reached: str, good: bool) -> str:
        return f"| {what} | {wanted} | {reached} | {'reached' if good else 'missed'} |"

    yield from ("| | target | reached | |", "|---|---|---|---|")
    paths = {key: result for key, result in new.items() if not key.startswith("special")}
    closed = set(closed_forms(None))
    if old:
        for tol, kind in product((*TOLERANCES, None), ("closed-form", "network")):
            keys = [k for k in paths if (k.split("|")[0] in closed) == (kind == "closed-form")]
            keys = [k for k in keys if tol is None or k.endswith(f"|{tol:g}")]
            mean, raw = (
                np.exp(np.mean([np.log(ratio(paths[k], old[k], extra)) for k in keys])) for extra in (1, 0)
            )
            where = "all tolerances" if tol is None else f"tol {tol:g}"
            reached = f"{mean:.3f} ({raw:.3f} with the unused place counted)"
            yield told(f"evaluations, {kind} rows, {where}", "≤ 1.08", reached, bool(mean <= 1.08))
        fewer = [k for k in paths if np.mean(paths[k]["converged"]) < np.mean(old[k]["converged"])]
        yield told("rows that converge less often", "0", "; ".join(fewer) or "0", not fewer)
    counts = np.array([missed(result, float(key.split("|")[2])) for key, result in paths.items()])
    wrong, judged = counts.sum(0).tolist()
    share = f"{wrong} of {judged} ({100 * wrong / judged:.3f} %)"
    yield told("silent misses", "≤ 0.05 %", share, wrong <= 0.0005 * judged)
    if old:
        before = np.array([missed(old[key], float(key.split("|")[2])) for key in paths]).sum(0).tolist()
        both = [[wrong, judged - wrong], [before[0], before[1] - before[0]]]
        p = float(fisher_exact(both, alternative="greater").pvalue)
        reached = f"{before[0]} of {before[1]} before, p = {p:.2g} (Fisher, one-sided)"
        yield told("misses against before", "not significantly more", reached, p > 0.05)
    rows = [key.split("|")[0] for key in paths]
    worst = max(
        (100 * counts[[r == row for r in rows]].sum(0)[0] / counts[[r == row for r in rows]].sum(0)[1], row)
        for row in set(rows)
    )
    yield told(
        "misses in one row, all domains and tolerances",
        "≤ 1 %",
        f"{worst[0]:.2f} % ({worst[1]})",
        worst[0] <= 1,
    )
    jump = new["special|a jump at 0.2357|0.01"]
    reached = f"{jump['gradients']:.0f} and {jump['forward']:.0f}"
    good = jump["status"] == ["jump"] and max(jump["gradients"], jump["forward"]) <= 60
    yield told("a plain jump, gradients and forward passes", "≤ 60 and 60", reached, good)
    lines = sum(
        len(p.read_text(encoding="utf-8").splitlines()) for p in (ROOT / "src/freqig/path").glob("*.py")
    )
    yield told("lines of `path/`", "≤ 1,700", f"{lines:,}", lines <= 1700)


def diagnoses(new: dict[str, Any], old: dict[str, Any] | None) -> Iterator[str]:
    """What is said of paths that no rule integrates, and of those of networks that did not converge."""
    yield from (
        "| path | before | gradients | forward passes | now | gradients | forward passes |",
        "|" + "---|" * 7,
    )
    for key, result in new.items():
        if key.startswith("special"):
            cells = []
            for found in (old[key] if old else None, result):
                name = found["status"][0] + ", blind to scale" * found["blind"][0] if found else ""
                cells += (
                    [name, f"{found['gradients']:.0f}", f"{found['forward']:.0f}"] if found else ["", "", ""]
                )
            yield f"| {key.split('|')[1]} | " + " | ".join(cells) + " |"
    yield ""
    for name, results in (("before", old), ("now", new)):
        ends = Counter[str]()
        for key, result in (results or {}).items():
            ends.update(s for s in result["status"] if s != "converged" and not key.startswith("special"))
        said = ", ".join(f"{status} {count}" for status, count in sorted(ends.items())) or "none"
        yield f"Of the rows above, not converged {name}: {said}."


def processor() -> str:
    """What the machine calls it."""
    info = Path("/proc/cpuinfo")
    names = [l for l in info.read_text().splitlines() if l.startswith("model name")] if info.exists() else []
    return names[0].split(":")[1].strip() if names else platform.processor() or platform.machine()


def main() -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.measure:
        found = measure(arguments.measure, arguments.folder)
        arguments.out.write_text(json.dumps(found), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        new = measure(ROOT, folder)
        old, quad = earlier(folder), quad_vec(folder)
    quoted = {
        "closed": N_CLOSED,
        "steepest": N_CLOSED // 3,
        "seeds": f"{CLOSED_SEED} and {NETWORK_SEED}",
        "networks": N_NETWORK,
        "recurrent": N_RECURRENT,
        "budget": BUDGET,
        "quad": N_QUAD,
        "processor": processor(),
        "commit": EARLIER,
    }
    missing = (
        "" if old else f"\n\nThis copy of the repository has no commit {EARLIER}: its columns are left out."
    )
    lines = ["# Adaptive integration on paths whose truth is known", "", ABOUT.format(**quoted) + missing, ""]
    lines += [*targets(new, old), "", "## What no rule integrates", "", *diagnoses(new, old), ""]
    lines += ["## Every row", "", *table(new, old, quad)]
    print("\n".join(lines))
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "adaptive.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
