"""Means of groups: gradients per sample, true and stated errors over many seeds, and time beside Captum.

Run as `python benchmarks/averages.py [--only NETWORK] [--trials N] [--folder DIR] [--data DIR]`. A trial is
another seed of the random places on the same 256 samples, tol 0.01. The truth is the mean of explanations by
512 fixed nodes; how far that by fewer is from it bounds its error. Captum explains a few samples, one at a
time, by 50 nodes behind an inverse FFT, and its time is scaled. What is found is kept in the folder trial by
trial: a run that was stopped goes on where it was, `--trials 1` takes what is there, `--trials 0` prints it.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from contenders import AfterInverse
from measure import machine, spread
from networks import trained_cases
from torch import Tensor, nn

import freqig

N_SAMPLES, TOL = 256, 0.01
NODES, FEWER = 512, {"sleep": 64, "lstm": 64, "transformer": 128}
"""Of the truth, and where these take long, those that it is held against in place of half as many."""

N_CAPTUM, N_STEPS, N_TIMED = 8, 50, 10
"""Samples that Captum explains, its nodes, and trials beside which its time is taken."""

MOST = {"demo": 2, "sleep": 4, "transformer": 16}
"""Gradients per sample that are to be enough; none was set for the others."""

COVERED, KEPT = 0.90, 0.95
"""Share of trials in which the stated error is to cover the true one, and of those that are to keep tol."""

FASTER = 10.0
"""Times Captum's time, on the sleep CNN."""

Array = np.ndarray


class Counted(nn.Module):
    """A network, and how many samples have run through it."""

    def __init__(self, inner: nn.Module, count: list[int]) -> None:
        super().__init__()
        self.inner = inner
        # Whoever copies the module or puts its attributes back counts on in the same list.
        self.counted = lambda n: count.__setitem__(0, count[0] + n)

    def forward(self, x: Tensor) -> Tensor:
        self.counted(len(x))
        return self.inner(x)


@dataclass(frozen=True, eq=False)
class Group:
    """Samples of one group, shape (256, ..., n), the network, and the target that is explained."""

    name: str
    model: nn.Module
    x: Array
    target: int | None


def synthetic(key: str, folder: Path) -> Group:
    """One of the four networks that tell sines in noise apart, of which class 1 is explained."""
    case = trained_cases(folder)[key]
    return Group(case.name, case.model, case.signals(N_SAMPLES, seed=5).numpy(), 1)


def flicker(data: Path) -> Group | None:
    """The network of `freqig demo ssvep`, and windows that it has not seen, of their predicted class."""
    from freqig.demo import flicker as network
    from freqig.demo.recordings import read_recordings, split_recordings

    if not data.exists():
        return None
    training, held_out = split_recordings(read_recordings(data))
    model = network.train(network.cut_windows(training), 0)
    windows = network.cut_windows(held_out).signals
    chosen = np.linspace(0, len(windows) - 1, N_SAMPLES).astype(int)
    return Group("flicker CNN, 8 × 512", model.eval(), windows[chosen], None)


def truth(key: str, group: Group, nodes: int, folder: Path) -> Array:
    """Mean of explanations by so many fixed nodes, kept in a file."""
    path = folder / f"{key}-{nodes}.txt"
    if not path.exists():
        explainer = freqig.Explainer(group.model, n_steps=nodes, progress=False)
        np.savetxt(path, explainer(group.x, target=group.target).rfft.mean("sample").values)
    values: Array = np.loadtxt(path)
    return values


def distance(one: Array, other: Array) -> float:
    """Relative L1 distance."""
    return float(np.abs(one - other).sum() / np.abs(other).sum())


def seconds(run: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and the time of this process that it takes."""
    begin = time.process_time()
    return run(), time.process_time() - begin


def captum_seconds(group: Group) -> float:
    """Time of all samples, from that of a few, one at a time."""
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(AfterInverse(group.model))

    def explain() -> None:
        for sample in group.x[:N_CAPTUM]:
            x = torch.from_numpy(sample[None])
            target = int(group.model(x).argmax()) if group.target is None else group.target
            method.attribute(torch.view_as_real(torch.fft.rfft(x)), target=target, n_steps=N_STEPS)

    return seconds(explain)[1] * len(group.x) / N_CAPTUM


def trial(seed: int, key: str, group: Group, folder: Path) -> dict[str, float]:
    """One seed of the places; Captum beside some, so that a slow moment of the machine meets both."""
    count = [0]
    explainer = freqig.Explainer(Counted(group.model, count), progress=False, tol=TOL)
    means, own = seconds(lambda: explainer.average(group.x, target=group.target, seed=seed))
    np.savetxt(folder / f"{key}-mean-{seed}.txt", means.rfft.values)
    gradients = float(means.n_evaluations)
    return {
        "stated": float(means.rfft_integration_error),
        "converged": float(means.converged),
        "gradients": gradients,
        "forwards": count[0] / len(group.x) - gradients,
        "seconds": own,
        **({"captum": captum_seconds(group)} if seed < N_TIMED else {}),
    }


def adaptive(group: Group) -> dict[str, float]:
    """Every sample by itself."""
    explainer = freqig.Explainer(group.model, progress=False, tol=TOL)
    found, own = seconds(lambda: explainer(group.x, target=group.target))
    return {"gradients": float(found.n_evaluations.mean()), "seconds": own}


def measured(key: str, group: Group, trials: int, folder: Path) -> dict[str, Any]:
    """What is known of a network, after as many trials as are missing; written down after each."""
    path = folder / f"{key}-trials.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"trials": []}
    known |= {"name": group.name, "machine": machine()}
    if len(known["trials"]) < trials:
        # The first calls of a process load what all others find there.
        freqig.Explainer(group.model, progress=False)(group.x[:2], target=group.target)
        captum_seconds(replace(group, x=group.x[:1]))
    while len(known["trials"]) < trials:
        known["trials"].append(trial(len(known["trials"]), key, group, folder))
        path.write_text(json.dumps(known, indent=1))
    if "adaptive" not in known:
        known["adaptive"] = adaptive(group)
    fewer = FEWER.get(key, NODES // 2)
    close, closer = (truth(key, group, nodes, folder) for nodes in (fewer, NODES))
    found = (np.loadtxt(folder / f"{key}-mean-{seed}.txt") for seed in range(len(known["trials"])))
    known |= {
        "truth": distance(close, closer),
        "fewer": fewer,
        "errors": [distance(one, closer) for one in found],
    }
    path.write_text(json.dumps(known, indent=1))
    return known


TITLES = (
    *("network", "trials", "gradients per sample", "forward passes per sample", "adaptive: gradients"),
    *("true error of the mean, %", f"trials within {TOL:g}", "stated error, %", "stated covers true"),
    *(f"fewer nodes from {NODES}, %", "CPU time of adaptive / of the mean"),
    *("CPU time of Captum / of the mean", "missed"),
)


def row(key: str, known: dict[str, Any]) -> str:
    """A row of the table."""
    # Another process may be at more of them.
    trials = known["trials"][: len(known["errors"])]
    found = {name: np.array([one[name] for one in trials if name in one]) for name in trials[0]}
    errors, gradients = np.array(known["errors"]), found["gradients"]
    kept, covered = float((errors <= TOL).mean()), float((errors <= found["stated"]).mean())
    ratio = found["captum"] / found["seconds"][:N_TIMED]
    missed = {
        "gradients": np.median(gradients) > MOST.get(key, np.inf),
        "tol": kept < KEPT or errors.max() > 2 * TOL,
        "covered": covered < COVERED,
        "truth": known["truth"] > TOL / 20,
        "time": key == "sleep" and np.median(ratio) < FASTER,
    }
    cells = [
        known["name"],
        str(len(errors)),
        spread(gradients, "{:.0f}") + (f", target {MOST[key]}" if key in MOST else ""),
        spread(found["forwards"], "{:.1f}"),
        f"{known['adaptive']['gradients']:.1f}",
        spread(errors, "{:.2f}", 100),
        f"{100 * kept:.0f} %",
        spread(found["stated"], "{:.2f}", 100),
        f"{100 * covered:.0f} %",
        f"{100 * known['truth']:.4f} ({known['fewer']})",
        spread(known["adaptive"]["seconds"] / found["seconds"], "{:.1f}"),
        spread(ratio, "{:.1f}"),
        ", ".join(name for name, failed in missed.items() if failed) or "none",
    ]
    return "| " + " | ".join(cells) + " |"


def table(folder: Path) -> str:
    """What is known of all networks."""
    lines = []
    for key in ("demo", "sleep", "lstm", "transformer", "flicker"):
        path = folder / f"{key}-trials.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        if known.get("errors"):
            lines.append((known["machine"], row(key, known)))
    head = [
        "# Means of groups",
        "",
        f"{N_SAMPLES} samples, tol {TOL:g}; median and range over trials, each with its own seed of the",
        f"places. Captum: {N_STEPS} nodes, a sample at a time. Times are those of the process, on a machine",
        "that others used too. " + "; ".join(dict.fromkeys(where for where, _ in lines)) + ".",
        "",
        "| " + " | ".join(TITLES) + " |\n|" + "---|" * len(TITLES),
    ]
    return "\n".join([*head, *(line for _, line in lines)])


def main() -> None:
    """Read options, measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    keys = ["demo", "sleep", "lstm", "transformer", "flicker"]
    parser.add_argument("--only", choices=keys, action="append", help="run one network; repeatable")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "freqig-averages",
        help="where weights, truths and trials are kept",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("FREQIG_DATA"),
        help="folder with ssvep_exo, see freqig demo",
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    for key in (options.only or keys) if options.trials else ():
        # Nothing is asked of single explanations here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            group = (
                synthetic(key, options.folder) if key != "flicker" else options.data and flicker(options.data)
            )
            if not group:
                print(f"flicker: left out, for --data names no folder that is there, got {options.data}")
                continue
            measured(key, group, options.trials, options.folder)
    print(table(options.folder))


if __name__ == "__main__":
    main()
