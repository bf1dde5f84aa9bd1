"""How long one call takes, with few series: freqig beside Captum over an inverse FFT.

Run as `python benchmarks/latency.py [--only NETWORK] [--series N] [--threads N] [--repetitions N]
[--cpu-time] [--folder DIR]`; prints a table of ratios of interleaved runs. The networks are trained, as
those that people explain. Every contender gets NumPy arrays and returns scores of all frequencies, and every
check that freqig makes of a call counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from contenders import AfterInverse
from measure import Timing, interleaved, machine
from networks import Case, cases, trained_cases

import freqig

N_NODES = 50
TARGET = 1
SERIES = (1, 4, 64)
REFERENCE = "Captum over iRFFT, 50 nodes"
TARGETS = {"attribute, 50 nodes": 1.0, "Explainer, adaptive": 1.0}
"""Largest ratio to Captum's time, with one series and with four."""


def captum(case: Case, x: np.ndarray) -> Callable[[], np.ndarray]:
    """Captum's Integrated Gradients behind an inverse real FFT, all series in one batch."""
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(AfterInverse(case.model))

    def explain() -> np.ndarray:
        spectra = torch.view_as_real(torch.fft.rfft(torch.from_numpy(x)))
        scores: np.ndarray = (
            method.attribute(spectra, target=TARGET, n_steps=N_NODES).detach().sum(-1).numpy()
        )
        return scores

    return explain


def contenders(case: Case, x: np.ndarray) -> dict[str, Callable[[], object]]:
    """What is timed, by the name that the table gives it."""
    # One channel: (N, n) would be one series of N channels for `attribute`.
    series = x[:, None, :]
    fixed = freqig.Explainer(case.model, n_steps=N_NODES)
    adaptive = freqig.Explainer(case.model)
    reference = freqig.Explainer(case.model, engine="captum", n_steps=N_NODES)
    return {
        REFERENCE: captum(case, x),
        "attribute, 50 nodes": lambda: freqig.attribute(series, case.model, target=TARGET),
        "Explainer, 50 nodes": lambda: fixed(x, target=TARGET),
        "Explainer, adaptive": lambda: adaptive(x, target=TARGET),
        'Explainer, engine="captum"': lambda: reference(x, target=TARGET),
    }


def row(case: Case, n_series: int, timings: dict[str, Timing]) -> str:
    """A row of the table: milliseconds of Captum, and ratios to it."""
    reference = timings[REFERENCE]
    cells = [case.name, str(n_series), f"{reference.median * 1e3:.1f}"]
    for name, timing in timings.items():
        if name == REFERENCE:
            continue
        ratio = np.median(timing.seconds / reference.seconds)
        missed = name in TARGETS and n_series <= 4 and ratio > TARGETS[name]
        cells.append(timing.ratio_to(reference) + (" missed" if missed else ""))
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Read options, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=cases(), action="append", help="run one network; repeatable")
    parser.add_argument("--series", type=int, action="append", help="how many series; repeatable")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--cpu-time", action="store_true", help="count time of this process alone")
    parser.add_argument("--folder", type=Path, help="where trained networks are kept")
    options = parser.parse_args()
    clock = time.process_time if options.cpu_time else time.perf_counter
    torch.set_num_threads(options.threads)
    print(machine() + "\n")
    print(
        f"One call, ratio of its {'CPU ' * options.cpu_time}time to that of {REFERENCE}, median and range of "
        "interleaved runs. Target: "
        + " and ".join(f"{name} at most {most:g}" for name, most in TARGETS.items())
        + ", with one series and with four.\n"
    )
    titles = ["network", "series", f"{REFERENCE}, ms"]
    titles += [
        name for name in contenders(cases()["demo"], np.zeros((1, 256), np.float32)) if name != REFERENCE
    ]
    print("| " + " | ".join(titles) + " |\n|" + "---|" * len(titles))
    with tempfile.TemporaryDirectory() as scratch:
        networks = trained_cases(options.folder or Path(scratch))
    for key in options.only or networks:
        case = networks[key]
        for n_series in options.series or SERIES:
            x = case.signals(n_series).numpy()
            # What freqig says of these explanations is not asked here.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                repetitions = options.repetitions if n_series < 64 else 3
                timings = interleaved(contenders(case, x), repetitions, clock=clock)
            print(row(case, n_series, timings), flush=True)


if __name__ == "__main__":
    main()
