"""Means of groups: gradients per sample, true and stated errors over many seeds, and time beside Captum.

Run as `python benchmarks/averages.py [--only NETWORK] [--trials N] [--folder DIR]`. A trial is another seed
of the random places on the same 256 series, tol 0.01. The truth is the mean of explanations by 1,024 fixed
nodes; how far that by 512 is from it bounds its error. Captum explains a few series one at a time, by 50
nodes behind an inverse FFT, and its time is scaled.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from contenders import AfterInverse
from measure import machine
from networks import Case, trained_cases

import freqig

N_SERIES, TARGET, TOL = 256, 1, 0.01
NODES = (512, 1024)
N_CAPTUM = 8
MOST = {"demo": 2, "sleep": 4, "lstm": 4, "transformer": 16}
"""Gradients per sample that are to be enough; none was asked of the LSTM."""

COVERED, KEPT = 0.90, 0.95
"""Share of trials in which the stated error is to cover the true one, and of those that are to keep tol."""

FASTER = 10.0
"""Times Captum's time, on the sleep CNN."""


def truth(case: Case, x: np.ndarray, nodes: int, path: Path) -> np.ndarray:
    """Mean of explanations by so many fixed nodes, kept in a file."""
    if not path.exists():
        explainer = freqig.Explainer(case.model, n_steps=nodes, progress=False)
        np.savetxt(path, explainer(x, target=TARGET).rfft.mean("sample").values)
    values: np.ndarray = np.loadtxt(path)
    return values


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Relative L1 distance."""
    return float(np.abs(one - other).sum() / np.abs(other).sum())


def captum_seconds(case: Case, x: np.ndarray) -> float:
    """Time of all series, from that of a few, one at a time."""
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(AfterInverse(case.model))
    begin = time.process_time()
    for series in x[:N_CAPTUM]:
        spectra = torch.view_as_real(torch.fft.rfft(torch.from_numpy(series[None])))
        method.attribute(spectra, target=TARGET, n_steps=50)
    return (time.process_time() - begin) * len(x) / N_CAPTUM


def row(key: str, case: Case, trials: int, folder: Path) -> str:
    """A row of the table."""
    x = case.signals(N_SERIES, seed=5).numpy()
    close, closer = (truth(case, x, nodes, folder / f"{key}-{nodes}.txt") for nodes in NODES)
    explainer = freqig.Explainer(case.model, progress=False, tol=TOL)
    errors, stated, gradients, seconds = (np.empty(trials) for _ in range(4))
    for seed in range(trials):
        begin = time.process_time()
        means = explainer.average(x, target=TARGET, seed=seed)
        seconds[seed] = time.process_time() - begin
        errors[seed] = distance(means.rfft.values, closer)
        stated[seed] = float(means.rfft_integration_error)
        gradients[seed] = float(means.n_evaluations)
    begin = time.process_time()
    single = explainer(x, target=TARGET)
    adaptive = time.process_time() - begin
    captum = captum_seconds(case, x)
    kept, covered = float((errors <= TOL).mean()), float((errors <= stated).mean())
    ratio = captum / float(np.median(seconds))
    missed = {
        "gradients": np.median(gradients) > MOST[key],
        "tol": kept < KEPT or errors.max() > 2 * TOL,
        "covered": covered < COVERED,
        "time": key == "sleep" and ratio < FASTER,
    }
    cells = [
        case.name,
        str(trials),
        f"{np.median(gradients):.0f} ({gradients.min():.0f}–{gradients.max():.0f}), target {MOST[key]}",
        f"{float(single.n_evaluations.mean()):.1f}",
        f"{100 * np.median(errors):.2f} % ({100 * errors.min():.2f}–{100 * errors.max():.2f})",
        f"{100 * kept:.0f} %",
        f"{100 * covered:.0f} %",
        f"{100 * distance(close, closer):.3f} %",
        f"{adaptive / np.median(seconds):.1f}",
        f"{ratio:.1f}",
        ", ".join(name for name, failed in missed.items() if failed) or "none",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Read options, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=MOST, action="append", help="run one network; repeatable")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "freqig-averages",
        help="where weights and truths are kept",
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    networks = trained_cases(options.folder)
    titles = [
        "network",
        "trials",
        "gradients per sample, median and range",
        "adaptive, a sample at a time",
        "true error of the mean, median and range",
        f"trials within {TOL:g}",
        "stated error covers the true one",
        f"{NODES[0]} nodes from {NODES[1]:,}",
        "CPU time of adaptive / of the mean",
        "CPU time of Captum / of the mean",
        "missed",
    ]
    print(machine() + "\n")
    print(f"Means of {N_SERIES} series, tol {TOL:g}.\n")
    print("| " + " | ".join(titles) + " |\n|" + "---|" * len(titles))
    for key in options.only or MOST:
        # Nothing is asked of single explanations here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            print(row(key, networks[key], options.trials, options.folder), flush=True)


if __name__ == "__main__":
    main()
