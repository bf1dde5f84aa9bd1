"""freqig beside everything else that computes such attributions, in one process tree and one go.

Run as `python benchmarks/peers.py [--only PART] [--peers DIR] [--threads N] [--device cuda]`. Peers are
installed from the package registry into a folder of their own. Without `--only`, tables and figure are
written to `benchmarks/results/`, those of a GPU under names of their own. `--only figure` draws the figure
and writes the tables anew from the last numbers.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import reference as rules
import torch
from contenders import BATCHED, LABELS, load
from measure import Timing, machine
from networks import saturated_lstm, trained_cases

RESULTS = Path(__file__).parent / "results"
PINS = ("freqIG==0.1.8", "cross-domain-saliency-maps==0.0.8", "onnx", "protobuf", "ml_dtypes")
KEYS = ("demo", "sleep", "lstm", "transformer")
NAMES = tuple(LABELS)
DEFAULT_NODES, N_SERIES, TOLERANCE = 50, 64, 0.01
PANELS = {"demo": (16, 256), "sleep": (4, 128), "lstm": (8, 16), "transformer": (8, 128)}
"""Series and panels of four nodes for the reference."""

SIZES = [4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256]
RIGHT_SIZES = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
MEMORY_NODES, MEMORY_SERIES, MEMORY_LIMIT = (50, 200, 1000), 4, 6 * 1024
LENGTHS = (256, 2048, 16384)
BUDGET = 0.8
"""Seconds that one timed run should take about: fewer series are timed and the time is scaled."""


class Worker:
    """A contender in a process of its own, asked by lines of JSON.

    Parameters
    ----------
    options : argparse.Namespace
        Folder of the peers, threads, and device.
    name, key : str
        Contender and network.
    n_time : int
        Samples per series; 0 for the network's own.
    """

    def __init__(self, options: argparse.Namespace, name: str, key: str, n_time: int = 0) -> None:
        self.name = name
        # What it says goes to a file: a pipe that nobody reads would fill with progress bars.
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed when this is left)
        script = Path(__file__).with_name("contenders.py")
        arguments = [name, key, str(n_time), str(options.peers), str(options.threads), options.device]
        # freqIG 0.1.8 takes a GPU where it sees one.
        hidden = {"CUDA_VISIBLE_DEVICES": ""} if options.device == "cpu" else {}
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
            env={**os.environ, **hidden},
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.said.close()

    def reply(self) -> dict[str, Any]:
        """The next line that it writes."""
        line = self.process.stdout.readline()
        if not line:
            self.said.seek(0)
            raise RuntimeError(f"{self.name} failed:\n{self.said.read()[-3000:]}")
        return json.loads(line)

    def ask(self, do: str, rows: int = N_SERIES, n: int = DEFAULT_NODES, **more: Any) -> dict[str, Any]:
        """Send a command and wait for what comes of it."""
        self.process.stdin.write(json.dumps({"do": do, "rows": rows, "n": n, **more}) + "\n")
        self.process.stdin.flush()
        return self.reply()


def workers(
    stack: ExitStack, options: argparse.Namespace, names: Iterable[str], key: str, n_time: int = 0
) -> dict[str, Worker]:
    """One worker a contender, all of them ready."""
    started = {name: stack.enter_context(Worker(options, name, key, n_time)) for name in names}
    for worker in started.values():
        worker.reply()
    return started


def install(folder: Path) -> None:
    """Put the peers into `folder`/site without what they depend on: that is this environment's."""
    site = folder / "site"
    if (site / "scripts").exists() and (site / "cross_domain_saliency_maps").exists():
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), *PINS]
    subprocess.run(command, check=True)


def take_turns(runs: Mapping[str, tuple[Worker, int]], repetitions: int) -> dict[str, Timing]:
    """Seconds for 64 explanations, each contender timed in turn.

    Parameters
    ----------
    runs : mapping
        Worker and number of nodes.
    repetitions : int
        Rounds, after one to warm up that also says how many series can be timed.
    """
    rows = {}
    for label, (worker, n) in runs.items():
        few = 8 if worker.name in BATCHED else 1
        worker.ask("time", few, n)
        each = worker.ask("time", few, n)["seconds"] / few
        least = 16 if worker.name in BATCHED else 2
        rows[label] = min(N_SERIES, max(least, math.ceil(BUDGET / each)))
    seconds: dict[str, list[float]] = {label: [] for label in runs}
    for _ in range(repetitions):
        for label, (worker, n) in runs.items():
            took = worker.ask("time", rows[label], n)["seconds"]
            seconds[label].append(took * N_SERIES / rows[label])
    return {label: Timing(np.array(values)) for label, values in seconds.items()}


def ratio(timings: Mapping[str, Timing], slow: str, fast: str) -> list[float]:
    """Median, least and largest ratio of runs that stood beside one another."""
    ratios = timings[slow].seconds / timings[fast].seconds
    return [float(np.median(ratios)), float(ratios.min()), float(ratios.max())]


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Each network: agreement with the formula, errors, smallest sizes, and all times."""
    return {key: _speed(options, key) for key in KEYS}


def _speed(options: argparse.Namespace, key: str) -> dict[str, Any]:
    print(f"speed: {key}", file=sys.stderr)
    n_series, panels = PANELS[key]
    case, x = load(key, 0, options.peers / "weights")
    x = x[:n_series]
    reference, own_error = rules.reference(case.model, x, panels)

    def by(rule: Any) -> Any:
        return lambda n: rules.plain(case.model, x, *rule(n))

    needed = rules.smallest(SIZES, by(rules.legendre), reference, TOLERANCE)
    needed_right = rules.smallest(RIGHT_SIZES, by(rules.right_ends), reference, TOLERANCE)
    formula = {
        "legendre": rules.plain(case.model, x[:2], *rules.legendre(DEFAULT_NODES)),
        "right": rules.plain(case.model, x[:2], *rules.right_ends(DEFAULT_NODES)),
    }
    found: dict[str, Any] = {"name": case.name, "reference_error": own_error, "rows": {}}
    with ExitStack() as stack:
        at = workers(stack, options, NAMES, key)
        runs: dict[str, tuple[Worker, int]] = {}
        for name, worker in at.items():
            reply = worker.ask("scores", n_series)
            errors = rules.errors(np.array(reply["scores"]), reference)
            rule = "right" if name == "native" else "legendre"
            difference = None
            if name != "adaptive":
                difference = float(rules.errors(np.array(reply["scores"])[:2], formula[rule]).max())
                # The formula is on the CPU: on a card rectifiers and maxima fall the other way now and then.
                if difference > (1e-4 if options.device == "cpu" else 1e-3):
                    raise RuntimeError(f"{name} differs from the formula on {key} by {difference:.2g}")
            size = None if name == "adaptive" else needed_right if name == "native" else needed
            found["rows"][name] = {
                "error": [float(np.median(errors)), float(errors.max())],
                "difference": difference,
                "needed": size,
                "evaluations": float(np.mean(reply.get("evaluations", [DEFAULT_NODES]))),
                "converged": float(np.mean(reply.get("converged", [[True]]))),
                "warnings": len(reply["warnings"]),
            }
            runs[name] = worker, DEFAULT_NODES
            if size is not None:
                runs[f"{name} at least"] = worker, size
        timings = take_turns(runs, options.repetitions)
    for name, row in found["rows"].items():
        row["seconds"] = timings[name].median
        row["to_fixed"] = ratio(timings, name, "fixed")
        row["to_adaptive"] = ratio(timings, name, "adaptive")
        least = f"{name} at least"
        if least in timings:
            row["needed_seconds"] = timings[least].median
            row["needed_to_adaptive"] = ratio(timings, least, "adaptive")
    return found


def length(options: argparse.Namespace) -> dict[str, Any]:
    """The demo CNN on longer series, 50 nodes."""
    found = {}
    for n in LENGTHS:
        print(f"length: {n}", file=sys.stderr)
        with ExitStack() as stack:
            at = workers(stack, options, NAMES, "demo", n)
            timings = take_turns({k: (w, DEFAULT_NODES) for k, w in at.items()}, min(3, options.repetitions))
        found[str(n)] = {
            name: {"seconds": timing.median, "to_fixed": ratio(timings, name, "fixed")}
            for name, timing in timings.items()
        }
    return found


def memory(options: argparse.Namespace) -> dict[str, Any]:
    """Peak memory that an explanation takes beyond what the process held before it."""
    print("memory", file=sys.stderr)
    jobs = [
        (key, name, n)
        for key in KEYS
        for name in NAMES
        for n in ((DEFAULT_NODES,) if name == "adaptive" else MEMORY_NODES)
    ]

    def measure(job: tuple[str, str, int]) -> int | str:
        key, name, n = job
        with Worker(options, name, key) as worker:
            worker.reply()
            rows = MEMORY_SERIES if name in BATCHED else 1
            # A first small run: what libraries set up once is not what an explanation takes.
            worker.ask("time", 2 if name in BATCHED else 1, 2)
            worker.ask("confine", mebibytes=MEMORY_LIMIT)
            reply = worker.ask("memory", rows, n)
            return reply.get("error") or reply["bytes"]

    with ThreadPoolExecutor(2 if options.device == "cpu" else 8) as pool:
        peaks = list(pool.map(measure, jobs))
    found: dict[str, Any] = {key: {name: {} for name in NAMES} for key in KEYS}
    for (key, name, n), peak in zip(jobs, peaks, strict=True):
        found[key][name][str(n)] = peak
    return found


def unresolved(options: argparse.Namespace) -> dict[str, Any]:
    """An LSTM whose logit jumps on the path: what each contender says of it."""
    print("unresolved", file=sys.stderr)
    model, x = saturated_lstm(options.peers / "weights")
    n_series = 4
    with torch.no_grad():
        rise = (model(x[:n_series]) - model(torch.zeros_like(x[:n_series])))[:, 1].numpy()
    found = {}
    with ExitStack() as stack:
        for name, worker in workers(stack, options, NAMES, "saturated").items():
            replies = {n: worker.ask("scores", n_series, n) for n in (50, 51, 100)}
            at = {n: np.array(reply["scores"]) for n, reply in replies.items()}
            change = [float(np.median(rules.errors(at[n], at[50]))) for n in (51, 100)]
            missing = np.abs(at[50].sum(-1) - rise) / np.abs(rise)
            found[name] = {
                "change": change,
                "missing": float(np.median(missing)),
                "warnings": replies[50]["warnings"],
                "converged": replies[50].get("converged"),
            }
    return found


PARTS = {"speed": speed, "length": length, "unresolved": unresolved, "memory": memory}


def _spread(values: Sequence[float]) -> str:
    middle, low, high = values
    digits = 0 if middle >= 20 else 1 if middle >= 3 else 2
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def _speed_tables(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for table in found.values():
        rows = table["rows"]
        lines += [
            f"### {table['name']}",
            "",
            f"Reference in float64; its own error, from half the panels, is {table['reference_error']:.1e}.",
            "Errors are L1, relative, median and largest over series. All ratios are time over ours.",
            "",
        ]
        lines += _table(
            ["", "nodes", "64 explanations, s", "ratio to freqig at 50 nodes", "ratio to freqig, tol=0.01",
             "true error, median / largest", "differs from the formula by"],
            (
                [
                    LABELS[name],
                    f"{row['evaluations']:.0f}" + (" on average" if name == "adaptive" else ""),
                    _seconds(row["seconds"]),
                    _spread(row["to_fixed"]),
                    _spread(row["to_adaptive"]),
                    f"{row['error'][0]:.2%} / {row['error'][1]:.2%}"
                    + ("" if row["converged"] == 1 else f", {1 - row['converged']:.0%} marked not converged"),
                    "" if row["difference"] is None else f"{row['difference']:.0e}",
                ]
                for name, row in rows.items()
            ),
        )  # fmt: skip
        lines += ["At the smallest `n_steps` that, known afterwards, brings every series to 1 %:", ""]
        lines += _table(
            ["", "nodes", "64 explanations, s", "ratio to freqig, tol=0.01"],
            (
                [
                    LABELS[name],
                    str(row["needed"] or f"> {max(SIZES if name != 'native' else RIGHT_SIZES)}"),
                    _seconds(row["needed_seconds"]) if row["needed"] else "",
                    _spread(row["needed_to_adaptive"]) if row["needed"] else "",
                ]
                for name, row in rows.items()
                if name != "adaptive"
            ),
        )
    return lines


def _targets(found: Mapping[str, Any]) -> list[str]:
    def verdict(value: float, target: float) -> str:
        return "reached" if value >= target else "missed"

    lines = []
    for key, target in (("sleep", 2.5), ("demo", 8.0)):
        rows = found[key]["rows"]
        best = ours = None
        for way, column, error, converged in (
            ("tol=0.01", "to_adaptive", rows["adaptive"]["error"][1], rows["adaptive"]["converged"]),
            ("n_steps=50", "to_fixed", rows["fixed"]["error"][1], 1.0),
        ):
            if error <= TOLERANCE and converged == 1:
                value = rows["freqIG"][column]
                if best is None or value[0] > best[0]:
                    best, ours = value, way
        reached = "no way of ours had a true error ≤ 1 %" if best is None else f"{_spread(best)} with {ours}"
        lines.append(
            [
                f"freqIG 0.1.8 as it comes, {found[key]['name']}, true error ≤ 1 %",
                f"≥ {target:g} ×",
                reached,
                "missed" if best is None else verdict(best[0], target),
            ]
        )
    native = found["demo"]["rows"]["native"]["to_fixed"]
    lines.append(
        [
            "cross-domain-saliency-maps' native class at equal nodes, demo CNN",
            "≥ 20 ×",
            _spread(native),
            verdict(native[0], 20),
        ]
    )
    notes = [
        f"- {table['name']}: tol=0.01 took {table['rows']['adaptive']['evaluations']:.0f} evaluations per "
        f"series for a true error of {table['rows']['adaptive']['error'][1]:.2%} at most, where "
        f"{table['rows']['fixed']['needed'] or 'more than ' + str(max(SIZES))} Gauss-Legendre nodes, known "
        "afterwards, reach 1 %."
        for table in found.values()
    ]
    return [
        *_table(["against", "target", "reached", ""], lines),
        "Time per node is that of the network, ours less what another kernel of convolutions gains; beside",
        "it, what sets the ratio is how many nodes are spent and how well chunks fill:",
        "",
        *notes,
        "",
    ]


def _memory_tables(found: Mapping[str, Any]) -> list[str]:
    def cell(value: int | str | None) -> str:
        if isinstance(value, str):
            return f"> {MEMORY_LIMIT // 1024} GiB"
        return "" if value is None else f"{value / 2**20:.0f}"

    lines = []
    for key, rows in found.items():
        lines += _table(
            [f"{key}, MiB", *(f"{n} nodes" for n in MEMORY_NODES)],
            (
                [LABELS[name], *(cell(peaks.get(str(n))) for n in MEMORY_NODES)]
                for name, peaks in rows.items()
            ),
        )
    return lines


def _unresolved_table(found: Mapping[str, Any]) -> list[str]:
    def says(row: Mapping[str, Any]) -> str:
        # PyTorch's warnings name files of the machine that it was built on.
        said = [warning.split(" (Triggered")[0] for warning in row["warnings"]]
        if row["converged"] is None:
            return said[-1] if said else "nothing"
        marked = len(row["converged"]) - int(np.sum(row["converged"]))
        return said[-1].split("; sample")[0] if marked else "converged"

    return _table(
        [
            "",
            "attributions change by, 50 → 51 nodes",
            "50 → 100",
            "of F(x) − F(x') not in the sum",
            "it says",
        ],
        (
            [
                LABELS[name],
                *(["", ""] if name == "adaptive" else [f"{change:.0%}" for change in row["change"]]),
                f"{row['missing']:.0%}",
                says(row),
            ]
            for name, row in found.items()
        ),
    )


def render(data: Mapping[str, Any]) -> str:
    """The tables in Markdown, of the parts that there are."""
    lines = ["# freqig beside its peers", "", f"Taken on: {data['machine']}.", ""]
    lines += [
        f"One process a contender, runs interleaved, {data['repetitions']} repetitions after warm-up: ",
        "medians, and ratios of neighbouring runs with their range. Where 64 explanations take longer than",
        "a second, fewer were timed and the time was scaled. Contenders documented for one series are called",
        "a series at a time.",
        "",
    ]
    if "speed" in data:
        lines += ["## Targets", "", *_targets(data["speed"]), "## Time and true error", ""]
        lines += _speed_tables(data["speed"])
    if "memory" in data:
        lines += ["## Peak memory of one call beyond what the process held before it", ""]
        lines += [
            f"{MEMORY_SERIES} series where a batch is taken, else one; fresh processes. tol=0.01 chooses"
        ]
        lines += ["its own nodes: one number, in the first column.", ""]
        lines += _memory_tables(data["memory"])
    if "length" in data:
        lines += ["## Time against length, demo CNN at 50 nodes", ""]
        lines += _table(
            ["64 explanations, s (ratio to freqig)", *(f"{int(n):,} samples" for n in data["length"])],
            (
                [
                    LABELS[name],
                    *(
                        f"{_seconds(rows[name]['seconds'])}, {_spread(rows[name]['to_fixed'])}"
                        for rows in data["length"].values()
                    ),
                ]
                for name in NAMES
            ),
        )
    if "unresolved" in data:
        lines += ["## Paths that no rule resolves", ""]
        lines += ["An LSTM trained on the demo's series, whose logit jumps on the path.", ""]
        lines += _unresolved_table(data["unresolved"])
    return "\n".join(lines)


STYLES = {
    "fixed": ("#08306b", "o", "-"),
    "adaptive": ("#2171b5", "D", "-"),
    "freqIG": ("#d94801", "s", "--"),
    "native": ("#7f2704", "^", "--"),
    "cross-captum": ("#fdae6b", "v", "--"),
    "captum": ("#525252", "P", ":"),
    "captum-batch": ("#a6a6a6", "X", ":"),
}


def draw(data: Mapping[str, Any], path: Path) -> None:
    """The figure: time, time and error, memory, and time against length."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, axes = plt.subplots(2, 2, figsize=(11, 8.2), layout="constrained")
    bars, errors, peaks, lengths = axes.ravel()
    tables = data["speed"]
    for i, name in enumerate(NAMES):
        color, marker, line = STYLES[name]
        seconds = [table["rows"][name]["seconds"] for table in tables.values()]
        bars.bar(np.arange(len(tables)) + (i - 3) * 0.12, seconds, 0.11, color=color, label=LABELS[name])
        row = tables["demo"]["rows"][name]
        style = {"color": color, "marker": marker}
        errors.plot(row["seconds"], 100 * row["error"][1], ls="", ms=9, **style)
        sizes = {
            int(n): peak / 2**20
            for n, peak in data["memory"]["sleep"][name].items()
            if not isinstance(peak, str)
        }
        peaks.plot(list(sizes), list(sizes.values()), ls=line, **style)
        over = [rows[name]["seconds"] for rows in data["length"].values()]
        lengths.plot([int(n) for n in data["length"]], over, ls=line, **style)
    bars.set_xticks(range(len(tables)), [table["name"].replace(", ", "\n") for table in tables.values()])
    bars.set(yscale="log", ylabel="64 explanations (s)", title="Time: 50 nodes, and tol=0.01")
    errors.axhline(1, color="0.4", lw=0.8, ls="--")
    errors.set(xscale="log", yscale="log", xlabel="64 explanations (s)", ylabel="largest true error (%)")
    errors.set_title("Time and true error as they come, demo CNN")
    peaks.set(xscale="log", yscale="log", xlabel="nodes", ylabel="peak memory of a call (MiB)")
    peaks.set_xticks(MEMORY_NODES, [f"{n:,}" for n in MEMORY_NODES])
    peaks.minorticks_off()
    peaks.set_title("Memory, sleep CNN")
    lengths.set(xscale="log", yscale="log", xlabel="samples per series", ylabel="64 explanations (s)")
    lengths.set_xticks(LENGTHS, [f"{n:,}" for n in LENGTHS])
    lengths.minorticks_off()
    lengths.set_title("Time against length, demo CNN: 50 nodes, and tol=0.01")
    for axis in (bars.yaxis, errors.xaxis, errors.yaxis, peaks.yaxis, lengths.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    for ax in axes.ravel():
        ax.spines[["top", "right"]].set_visible(False)
    handles = [
        plt.Line2D([], [], color=STYLES[n][0], marker=STYLES[n][1], ls=STYLES[n][2], label=LABELS[n])
        for n in NAMES
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Read options, measure, print, and write results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", choices=[*PARTS, "figure"], action="append", help="run one part; repeatable"
    )
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "freqig-peers",
                        help="folder for the installed peers and trained weights")  # fmt: skip
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of PyTorch")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where tables and figure go")
    options = parser.parse_args()
    stem = "peers" if options.device == "cpu" else f"peers_{options.device}"
    raw = options.results / f"{stem}.json"
    if options.only == ["figure"]:
        data = json.loads(raw.read_text())
    else:
        torch.set_num_threads(options.threads)
        install(options.peers)
        trained_cases(options.peers / "weights")
        saturated_lstm(options.peers / "weights")
        chosen = [part for part in PARTS if not options.only or part in options.only]
        data = {"machine": machine(options.device), "repetitions": options.repetitions}
        options.results.mkdir(parents=True, exist_ok=True)
        for part in chosen:
            data[part] = PARTS[part](options)
            if not options.only:
                # What was measured before a stop is kept.
                raw.write_text(json.dumps(data, indent=1) + "\n")
    tables = render(data)
    print(tables)
    if set(PARTS) <= set(data):
        raw.write_text(json.dumps(data, indent=1) + "\n")
        (options.results / f"{stem}.md").write_text(tables)
        draw(data, options.results / f"{stem}.png")


if __name__ == "__main__":
    main()
