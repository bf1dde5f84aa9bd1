"""How results of `peers.py` changed from commit to commit: one line per commit, and a figure.

    python benchmarks/trend.py add [COMMIT ...]    reads results/peers.json of commits, HEAD by default
    python benchmarks/trend.py draw                draws results/trend.png of results/trend.jsonl

A commit that changed no result adds no line; one that is there already is replaced. Times are ratios to
Captum on the same machine in the same run, so that machines need not be the same; evaluations and errors
depend on none.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LINES, FIGURE = HERE / "results" / "trend.jsonl", HERE / "results" / "trend.png"
SOURCE = "benchmarks/results/peers.json"
PANELS = {
    "evaluations": "gradients per sample, adaptive",
    "error": "error of attributions, adaptive",
    "ratio": "time, ratio to Captum in one batch",
}


def git(*arguments: str) -> str:
    """What git says."""
    return subprocess.run(
        ["git", *arguments], cwd=HERE.parent, check=True, capture_output=True, text=True
    ).stdout.strip()


def values_of(peers: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The numbers that are followed, by panel and network."""
    found: dict[str, dict[str, float]] = {panel: {} for panel in PANELS}
    for case in peers["speed"].values():
        own, captum = case["rows"]["adaptive"], case["rows"]["captum-batch"]
        found["evaluations"][case["name"]] = own["evaluations"]
        found["error"][case["name"]] = own["error"][0]
        # Of Captum's time to ours, the median.
        found["ratio"][case["name"]] = 1 / captum["to_adaptive"][0]
    return found


def line_of(commit: str) -> dict[str, Any] | None:
    """What is kept of a commit; None where its results are not of a form that is read."""
    try:
        peers = json.loads(git("show", f"{commit}:{SOURCE}"))
        values = values_of(peers)
    except (subprocess.CalledProcessError, KeyError):
        return None
    # That which changed the results last, at that time.
    digest, date = git("log", "-1", "--format=%h %cI", commit, "--", SOURCE).split()
    return {"commit": digest, "date": date, "machine": peers["machine"], **values}


def add(commits: list[str]) -> None:
    """Write a line for each commit, in the order of their dates."""
    kept = read()
    for commit in commits:
        line = line_of(commit)
        if line is None:
            print(f"{commit}: {SOURCE} is not there, or has other fields")
        else:
            kept[line["commit"]] = line
    rows = sorted(kept.values(), key=lambda line: str(line["date"]))
    LINES.write_text("".join(f"{json.dumps(line)}\n" for line in rows), encoding="utf-8")


def read() -> dict[str, dict[str, Any]]:
    """Lines that are there, by commit."""
    text = LINES.read_text(encoding="utf-8") if LINES.exists() else ""
    return {line["commit"]: line for line in map(json.loads, text.splitlines())}


def draw() -> None:
    """A panel per number, a line per network, commits in the order of their dates."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = list(read().values())
    figure, axes = plt.subplots(len(PANELS), 1, figsize=(7, 7), sharex=True, layout="constrained")
    networks = dict.fromkeys(name for line in lines for name in line["evaluations"])
    for axis, (panel, title) in zip(axes, PANELS.items(), strict=True):
        for name, marker in zip(networks, "osD^vP*", strict=False):
            there = [(k, line[panel][name]) for k, line in enumerate(lines) if name in line[panel]]
            axis.plot(*zip(*there, strict=True), marker=marker, markersize=4, linewidth=1, label=name)
        axis.set(yscale="log", title=title)
        axis.grid(alpha=0.3)
    axes[-1].axhline(1, color="black", linewidth=0.8)
    ticks = [f"{line['commit']}\n{line['date'][:10]}" for line in lines]
    every = max(1, len(ticks) // 8)
    axes[-1].set_xticks(range(0, len(ticks), every), ticks[::every], fontsize=7)
    axes[-1].set_xlabel("commit")
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=2, loc="outside lower center", fontsize=8)
    figure.savefig(FIGURE, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["add", "draw"])
    parser.add_argument("commits", nargs="*", default=["HEAD"])
    asked = parser.parse_args()
    if asked.what == "add":
        add(asked.commits)
    draw()
