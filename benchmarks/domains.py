"""What further domains cost: six for one, 960 segments for one, and results of millions of values.

Run as `python benchmarks/domains.py`, the last alone with the argument `sizes`; prints ratios of
interleaved runs with their range.
"""

from __future__ import annotations

import sys
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


def scaling(title: str, sizes: Sequence[tuple[Domain, int]]) -> None:
    """Time of checking and projecting, the model costing next to nothing, against the size of the result."""
    explainers = [
        (freqig.Explainer(lambda x: x.square().sum(-1), fs=FS, domains=domain, n_steps=2), torch.randn(1, n))
        for domain, n in sizes
    ]
    timings = interleaved(
        {str(i): lambda pair=pair: pair[0](pair[1]) for i, pair in enumerate(explainers)}, repetitions=3
    )
    values = [
        explain(x)[domain.name].size for (domain, _), (explain, x) in zip(sizes, explainers, strict=True)
    ]
    first = timings["0"].median / values[0]
    for i, ((_, n), size) in enumerate(zip(sizes, values, strict=True)):
        each = timings[str(i)].median / size
        print(
            f"{title}, {n:,} samples, {size:,} values: {timings[str(i)].median:.2f} s, "
            f"{each * 1e9:.0f} ns a value, {each / first:.2f} times the first"
        )


def bank(n_bands: int) -> FilterBank:
    """Narrow bands one beside the other."""
    edges = {f"band {k}": (0.2 * k, 0.2 * (k + 1)) for k in range(n_bands)}
    return FilterBank(edges, transition=0.05)


def results_of_all_sizes() -> None:
    """What is known to be slow: hops of one sample, short segments, many bands, prime lengths."""
    every = STFT(window=2.0, hop=1 / FS)
    scaling("spectrogram, hop 1", [(every, n) for n in (10_000, 20_000, 40_000)])
    scaling("segments of 10 samples", [(Segments(10 / FS), 10 * k) for k in (10_000, 100_000)])
    scaling("filter bank", [(bank(k), 300_000) for k in (50, 100, 200)])
    scaling("spectrum of prime length", [(RFFT(), n) for n in (499_979, 999_983, 1_999_993)])
    scaling("spectrum of round length", [(RFFT(), n) for n in (500_000, 1_000_000, 2_000_000)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(machine())
    if sys.argv[1:] == ["sizes"]:
        results_of_all_sizes()
        sys.exit()
    networks = cases()
    for key, n_series in (("demo", 64), ("demo", 256), ("sleep", 8), ("lstm", 16), ("transformer", 32)):
        case = networks[key]
        compare(f"six domains for one, {case.name}", case, n_series, [RFFT()], six(case))
    night(networks["demo"], n_segments=960, n_each=300)
    results_of_all_sizes()
