"""What freqig costs beyond the model: time beside bare passes, memory, and all classes at once.

Run as `python benchmarks/overhead.py [--only PART] [--threads N] [--cpu-time]`; prints ratios of
interleaved runs with their range.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from measure import Timing, in_fresh_process, interleaved, machine, peak_bytes
from networks import Case, cases
from torch import Tensor

import freqig
from freqig.domains import RFFT, STFT, Domain, FilterBank, Segments, Time
from freqig.models.torch.convolution import quick_convolutions

N_NODES = 50
FS = 100.0
MEMORY_SERIES = 16


def bare(case: Case, x: Tensor, size: int, quick: bool = False) -> Callable[[], None]:
    """Forward and backward to the input over all points, `size` at a time, and nothing else.

    With `quick`, convolutions are differentiated by the kernels that freqig has PyTorch use.
    """
    model = case.model
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    points = x.repeat_interleave(N_NODES, 0)
    kernels = quick_convolutions(model, [model]) if quick else nullcontext()

    def run() -> None:
        for part in points.split(size):
            leaf = part.detach().requires_grad_()
            with kernels:
                outputs = model(leaf)
            torch.autograd.grad(outputs[:, 1].sum(), leaf)

    return run


def passes(key: str, n_series: int, sizes: Sequence[int], target: float, options: argparse.Namespace) -> None:
    """Time at fixed nodes over that of the bare model at the best of these chunk sizes."""
    case = cases()[key]
    x = case.signals(n_series)
    explainer = freqig.Explainer(case.model, n_steps=N_NODES)
    runs: dict[str, Callable[[], object]] = {str(size): bare(case, x, size) for size in sizes}
    runs |= {f"quick {size}": bare(case, x, size, quick=True) for size in sizes}
    runs["freqig"] = lambda: explainer(x, target=1)
    timings = interleaved(runs, options.repetitions, clock=options.clock)
    best = min((timings[str(size)] for size in sizes), key=lambda timing: timing.median)
    quick = min((timings[f"quick {size}"] for size in sizes), key=lambda timing: timing.median)
    at = next(size for size in sizes if timings[str(size)] is best)
    each = {size: timings[str(size)].median / len(x) / N_NODES * 1e6 for size in sizes}
    print(
        f"{case.name}, {n_series} series, {N_NODES} nodes: freqig {_ms(timings['freqig'])}, bare model "
        f"{_ms(best)} at {at} points per call, ratio {timings['freqig'].ratio_to(best)} (target {target}); "
        f"bare model with the same kernels {_ms(quick)}, ratio {timings['freqig'].ratio_to(quick)}; "
        "µs per point of the bare model: " + ", ".join(f"{us:.0f} at {size}" for size, us in each.items())
    )


def classes(options: argparse.Namespace) -> None:
    """All five classes from shared forward passes beside as many runs."""
    case = cases()["sleep"]
    x = case.signals(4)
    explainer = freqig.Explainer(case.model, n_steps=20)
    timings = interleaved(
        {
            "all": lambda: explainer(x, target="all"),
            "each": lambda: [explainer(x, target=t) for t in range(5)],
        },
        options.repetitions,
        clock=options.clock,
    )
    print(
        f"five classes, {case.name}: all {_ms(timings['all'])}, one by one {_ms(timings['each'])}, ratio "
        f"{timings['all'].ratio_to(timings['each'])} (target 0.8)"
    )


def six() -> list[Domain]:
    """Domains of as many kinds, for series of 256 samples at 100 Hz."""
    return [
        RFFT(),
        Time(),
        STFT(window=0.16, name="short"),
        STFT(window=0.64, name="long"),
        Segments(0.5),
        FilterBank("sleep"),
    ]


def peak(n_steps: int, n_series: int, n_domains: int) -> None:
    """Child process: explain, and print the peak beyond input and results in bytes."""
    case = cases()["demo"]
    explainer = freqig.Explainer(case.model, fs=FS, n_steps=n_steps or None, domains=six()[:n_domains])
    # Libraries set things up in the first call.
    explainer(case.signals(2), target=1)
    x = case.signals(n_series)
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    result = explainer(x, target=1)
    beyond = peak_bytes() - before
    print(json.dumps({"beyond": beyond - result.nbytes, "peak": peak_bytes(), "results": result.nbytes}))


def memory(_: argparse.Namespace) -> None:
    """Peak memory beyond what was held before the call and the results, each in a fresh process."""
    for title, settings in (
        ("nodes 50, 200, 1,000", [(n, MEMORY_SERIES, 1) for n in (50, 200, 1000)]),
        ("samples 16, 64, 256, 1,024", [(10, n, 1) for n in (16, 64, 256, 1024)]),
        ("samples 16, 64, 256, 1,024, adaptive", [(0, n, 1) for n in (16, 64, 256, 1024)]),
        ("samples 4,096, 16,384, adaptive", [(0, n, 1) for n in (4096, 16384)]),
        ("domains 1, 6", [(50, MEMORY_SERIES, n) for n in (1, 6)]),
    ):
        found = [in_fresh_process(Path(__file__), "--peak", *map(str, setting)) for setting in settings]
        print(
            f"memory by {title}: beyond results "
            + ", ".join(f"{one['beyond'] / 2**20:.0f}" for one in found)
            + " MiB; whole process "
            + ", ".join(f"{one['peak'] / 2**20:.0f}" for one in found)
            + " MiB; results "
            + ", ".join(f"{one['results'] / 2**20:.1f}" for one in found)
            + " MiB"
        )


def _ms(timing: Timing) -> str:
    return f"{timing.median * 1e3:.0f} ms"


PARTS = {
    "sleep": functools.partial(passes, "sleep", 16, (8, 10, 16, 32, 64), 1.05),
    "few": functools.partial(passes, "sleep", 4, (8, 10, 16, 32, 64), 1.05),
    "demo": functools.partial(passes, "demo", 64, (50, 128, 256, 400, 640, 1024), 1.3),
    "classes": classes,
    "memory": memory,
}


def main() -> None:
    """Read options, and run the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="run one part; repeatable")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of PyTorch")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--cpu-time", action="store_true", help="count time of this process alone")
    parser.add_argument("--peak", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.clock = time.process_time if options.cpu_time else time.perf_counter
    if options.peak:
        peak(*options.peak)
        return
    torch.set_num_threads(options.threads)
    print(machine())
    for name in options.only or PARTS:
        PARTS[name](options)


if __name__ == "__main__":
    main()
