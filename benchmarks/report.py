"""Size of the HTML report, and how fast a browser shows its overview.

    python benchmarks/report.py [--browser /usr/bin/chromium] [--folder FOLDER]

Two results are made of noise, which compresses worst: a night of 1,000 epochs of 30 s at 100 Hz in 2
channels, and 5,000 samples of 3,000 values. The night must stay under 15 MB and is to show its overview in
under 2 s, the median of five loads on two idle cores; the other must stay under 40 MB. Without the browser
only sizes are measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

import freqig

FS, N, CLASSES = 100.0, 3000, ("W", "N1", "N2", "N3", "R")
LOADS = 5
DRAWN = "document.documentElement.dataset.overview === 'drawn'"


def result_of(count: int, channels: int) -> xr.Dataset:
    """A result of noise, in frequency and time."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(count, channels, N)).astype(np.float32)
    frequency = np.fft.rfftfreq(N, 1 / FS)
    # As attributions are: a few large, most of them small.
    rfft = (rng.normal(size=(count, channels, frequency.size)) ** 3).astype(np.float32)
    stages = np.array(CLASSES)[np.repeat(rng.integers(0, 5, -(-count // 10)), 10)[:count]]
    outputs = 3 * (stages[:, None] == np.array(CLASSES)) + rng.normal(size=(count, 5))
    predicted = np.array(CLASSES)[outputs.argmax(axis=1)]
    kind = {"kind": "attribution", "units": "logit"}
    settings = {"fs": FS, "baseline": {"name": "zero"}, "output": "logit", "domains": ["RFFT(name='rfft')"]}
    return xr.Dataset(
        {
            "rfft": (("sample", "channel", "frequency"), rfft, kind),
            "waveform": (("sample", "channel", "time"), signal**3, kind),
            "signal": (("sample", "channel", "time"), signal, {"kind": "signal", "units": "uV"}),
            "outputs": (("sample", "class"), outputs),
            "output": ("sample", outputs.max(axis=1)),
            "baseline_output": ("sample", np.zeros(count)),
            "converged": ("sample", np.ones(count, dtype=bool)),
        },
        {
            "frequency": ("frequency", frequency, {"units": "Hz"}),
            "time": ("time", np.arange(N) / FS, {"units": "s"}),
            "channel": [f"channel {i}" for i in range(channels)],
            "class": list(CLASSES),
            "truth": ("sample", stages),
            "target": ("sample", predicted),
            "predicted": ("sample", predicted),
            "onset": ("sample", 30.0 * np.arange(count)),
        },
        {"settings": json.dumps(settings)},
    )


def seconds_to_overview(page: Path, browser: str) -> list[float]:
    """From the start of the navigation until the overview is drawn, of each load."""
    from playwright.sync_api import sync_playwright

    told = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for _ in range(LOADS):
            tab = chromium.new_page(viewport={"width": 1280, "height": 900})
            tab.goto(page.as_uri(), wait_until="commit")
            tab.wait_for_function(DRAWN, timeout=120_000)
            told.append(tab.evaluate("performance.getEntriesByName('overview')[0].startTime") / 1000)
            tab.close()
        chromium.close()
    return told


def main() -> None:
    """Print sizes and seconds beside what they may be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    parser.add_argument("--folder", type=Path, default=None, help="where the pages stay; default nowhere")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        for name, count, channels, most in (("night", 1000, 2, 15), ("many", 5000, 1, 40)):
            made = result_of(count, channels)
            start = time.perf_counter()
            page = freqig.report(made, folder / f"{name}.html", force=True)
            took = time.perf_counter() - start
            size = page.stat().st_size / 1e6
            print(f"{name}: {count} × {channels} × {N}, {size:.1f} MB of {most}, made in {took:.0f} s")
            assert size < most, f"{name} must stay under {most} MB, got {size:.1f}"
            if name == "night" and Path(options.browser).exists():
                loads = seconds_to_overview(page.resolve(), options.browser)
                shown = ", ".join(f"{load:.2f}" for load in loads)
                print(f"overview drawn after {statistics.median(loads):.2f} s in the median of {shown}")


if __name__ == "__main__":
    main()
