"""Speed beside Captum a series at a time, and memory against the number of nodes.

Run as `python benchmarks/core.py`; prints ratios of interleaved runs with their range.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from measure import in_fresh_process, interleaved, machine, peak_bytes
from networks import cases

N_SERIES, N_NODES = 64, 50


def speed() -> None:
    """64 series of 256 samples through the demo CNN at 50 nodes."""
    import numpy as np
    from captum.attr import IntegratedGradients

    import freqig

    case = cases()["demo"]
    x = case.signals(N_SERIES)
    model = freqig.FrequencyModel(case.model, case.n)
    spectra = model.inverse.spectrum(x)

    def captum() -> np.ndarray:
        method = IntegratedGradients(model)
        rows = [
            method.attribute(spectra[i : i + 1], target=1, n_steps=N_NODES, method="gausslegendre").detach()
            for i in range(N_SERIES)
        ]
        return torch.cat(rows).sum(-1).numpy()

    def ours() -> np.ndarray:
        return freqig.attribute(x.unsqueeze(1), case.model, target=1, n_steps=N_NODES)[:, 0]

    difference = abs(captum() - ours()).max() / abs(captum()).max()
    timings = interleaved({"freqig": ours, "captum": captum}, repetitions=9)
    print(
        f"{N_SERIES} series x {case.n} samples, {N_NODES} nodes, demo CNN: freqig "
        f"{timings['freqig'].median * 1e3:.0f} ms, Captum a series at a time "
        f"{timings['captum'].median * 1e3:.0f} ms, ratio "
        f"{timings['freqig'].ratio_to(timings['captum'])} (target 0.33), largest difference of "
        f"scores {difference:.1e}"
    )


def peak(n_steps: int) -> None:
    """Child process: explain 64 series and print peak memory."""
    import freqig

    case = cases()["demo"]
    freqig.Explainer(case.model, n_steps=n_steps)(case.signals(N_SERIES), target=1)
    print(json.dumps({"bytes": peak_bytes()}))


def memory() -> None:
    """Peak memory of whole processes at 50 and at 1,000 nodes."""
    peaks = {
        n: [in_fresh_process(Path(__file__), "peak", str(n))["bytes"] for _ in range(3)] for n in (50, 1000)
    }
    low, high = (sorted(peaks[n])[1] for n in (50, 1000))
    print(
        f"peak memory: {low / 2**20:.0f} MiB at 50 nodes, {high / 2**20:.0f} MiB at 1,000, ratio "
        f"{high / low:.3f} (target 1.10)"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        peak(int(sys.argv[2]))
    else:
        print(machine())
        speed()
        memory()
