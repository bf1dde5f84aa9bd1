"""What further domains cost: six for one, and 960 segments for one.

Run as `python benchmarks/domains.py`; prints ratios of interleaved runs with their range.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from measure import interleaved, machine
from networks import Case, cases

import freqig
from freqig.domains import RFFT, STFT, Domain, FilterBank, Segments, Time

REPETITIONS = 7
N_NODES = 50
FS = 100.0
TARGET = 1.10


def six(case: Case) -> list[Domain]:
    """Domains of as many kinds for one network, windows as long as suits its series."""
    seconds = case.n / FS
    return [
        RFFT(),
        Time(),
        STFT(window=seconds / 16, name="stft_short"),
        STFT(window=seconds / 4, name="stft_long"),
        Segments(seconds / 6),
        FilterBank("sleep"),
    ]


def compare(title: str, case: Case, n_series: int, first: Sequence[Domain], second: Sequence[Domain]) -> None:
    """Time explanations in two sets of domains by the same model, with 50 nodes each."""
    x = case.signals(n_series)
    explainers = {
        name: freqig.Explainer(case.model, fs=FS, domains=domains, n_steps=N_NODES)
        for name, domains in (("first", first), ("second", second))
    }
    timings = interleaved(
        {name: lambda explain=explain: explain(x, target=1) for name, explain in explainers.items()},
        repetitions=REPETITIONS,
    )
    one, more = timings["first"], timings["second"]
    print(
        f"{title}, {n_series} series: {more.median * 1e3:.0f} ms for {one.median * 1e3:.0f} ms, "
        f"ratio {more.ratio_to(one)} (target {TARGET:.2f})"
    )


def night(network: Case, n_segments: int, n_each: int) -> None:
    """One long series in many segments, beside the same series in one."""
    long = Case("night", n_segments * n_each, network.model)
    whole, each = (Segments(n / FS) for n in (long.n, n_each))
    compare(f"{n_segments} segments of {n_each} samples for one", long, 1, [whole], [each])


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(machine())
    networks = cases()
    for key, n_series in (("demo", 64), ("demo", 256), ("sleep", 8), ("lstm", 16), ("transformer", 32)):
        case = networks[key]
        compare(f"six domains for one, {case.name}", case, n_series, [RFFT()], six(case))
    night(networks["demo"], n_segments=960, n_each=300)
