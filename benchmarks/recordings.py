"""A night from EDF to netCDF: what freqig takes in time beside the model, and in memory.

Run as `python benchmarks/recordings.py HYPNOGRAM [--threads N] [--epochs N]`. HYPNOGRAM is a text file with
one stage per line (0 wake, 1 N1, 2 N2, 3 N3, 4 REM), such as that of the samples of YASA, whose night is
repeated until it is long enough. The signal is simulated by stage, two channels at 100 Hz in µV, and
written as EDF by edfio. Then one process reads it in windows of 30 s, explains a sleep CNN of two channels,
trained on other such epochs, adaptively, in bands and in a spectrogram, and writes the result to a file.

Time outside is wall time, from reading to writing, less forward and backward passes of the network, by any
kernel: freqig takes another for the way back through first layers of few channels. Memory is the most that
the process has held beyond what it held after imports and building the network. Libraries that are imported
by and by are imported before.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from measure import in_fresh_process, machine, peak_bytes
from networks import SleepCNN, fit
from torch import Tensor, nn

import freqig
from freqig.models.torch.model import TorchModel

FS, SECONDS = 100.0, 30.0
STAGES = ("W", "N1", "N2", "N3", "R")
CHANNELS = ("EEG Fpz-Cz", "EEG Pz-Oz")
RHYTHMS = {0: (8, 12, 25.0), 1: (4, 8, 20.0), 2: (11, 16, 25.0), 3: (0.5, 4, 60.0), 4: (3, 7, 15.0)}
"""By stage: the band of its rhythm in Hz, and how strong it is in µV."""

N_TRAINING, BATCHES, BATCH = 400, 120, 20
TOL = 0.01
SHARE, MEMORY = 0.10, 600
"""Targets: largest share of the time outside the network, and MiB."""


def simulated(stages: np.ndarray, seed: int = 0) -> np.ndarray:
    """Noise that falls with frequency and the rhythm of each stage, in µV, shape (channel, time)."""
    generator = np.random.default_rng(seed)
    n = round(FS * SECONDS)
    frequency = np.fft.rfftfreq(n, 1 / FS)
    falling = 1 / np.sqrt(np.maximum(frequency, 0.5))
    parts = []
    for stage in stages:
        low, high, size = RHYTHMS[int(stage)]
        phases = np.exp(2j * np.pi * generator.random((2, len(CHANNELS), len(frequency))))
        noise = np.fft.irfft(phases[0] * falling, n)
        rhythm = np.fft.irfft(phases[1] * ((frequency >= low) & (frequency < high)), n)
        parts.append(15 * noise / noise.std() + size * rhythm / rhythm.std())
    return np.concatenate(parts, axis=1)


def write_night(path: Path, stages: np.ndarray) -> None:
    """Write a simulated night as EDF."""
    import edfio

    signals = [
        edfio.EdfSignal(values, FS, label=name, physical_dimension="uV", physical_range=(-500, 500))
        for name, values in zip(CHANNELS, np.clip(simulated(stages), -499, 499), strict=True)
    ]
    edfio.Edf(signals).write(path)


class TwoChannels(nn.Module):
    """The sleep CNN of the other benchmarks behind a layer that takes two channels."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Conv1d(len(CHANNELS), 1, 1)
        self.net = SleepCNN()

    def forward(self, x: Tensor) -> Tensor:
        # In units of some 30 µV, which is what such networks are given.
        return self.net(self.spatial(x / 30))


def train(path: Path) -> None:
    """Train it to tell stages apart, on epochs of another seed, and keep its weights."""
    model = TwoChannels()
    stages = np.arange(N_TRAINING) % len(STAGES)
    epochs = simulated(stages, seed=1).reshape(len(CHANNELS), N_TRAINING, -1).swapaxes(0, 1)
    x, labels = torch.tensor(epochs, dtype=torch.float32), torch.tensor(stages)

    def draw(step: int) -> tuple[Tensor, Tensor]:
        # A stride without a common factor: batches hold other epochs in every round.
        rows = 7 * torch.arange(BATCH * step, BATCH * (step + 1)) % N_TRAINING
        return x[rows], labels[rows]

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model(x[:2])
        fit(model, BATCHES, 0.001, draw)
    torch.save(model.state_dict(), path)


class Clock:
    """Counts the seconds that are spent within functions, of those that call each other the outermost."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def within(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, counted."""

        def counted(*arguments: Any, **keywords: Any) -> Any:
            begin, self._depth = time.perf_counter(), self._depth + 1
            try:
                return function(*arguments, **keywords)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds += time.perf_counter() - begin

        return counted


def imports() -> None:
    """Import what reading, explaining and writing import by and by: it is no part of what they take."""
    for name in ("mne.io", "h5netcdf", "scipy.signal", "freqig.files", "freqig.explain.explainer"):
        importlib.import_module(name)
    # xarray looks for every library of arrays as it makes its first array of objects.
    xr.DataArray(np.array(["a"], dtype=object)).to_netcdf(engine="h5netcdf")


def explain(night: Path, hypnogram: Path, weights: Path, threads: int) -> dict[str, float]:
    """Read, explain and write, in this process."""
    torch.set_num_threads(threads)
    imports()
    model = TwoChannels()
    model(torch.zeros(2, len(CHANNELS), round(FS * SECONDS)))
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    clock = Clock()
    TwoChannels.forward = clock.within(TwoChannels.forward)  # type: ignore[method-assign]
    # Of all gradients those that are taken through the network: domains have some of their own.
    TorchModel._backward = staticmethod(clock.within(TorchModel._backward))  # type: ignore[assignment]
    domains = [freqig.FilterBank("sleep"), freqig.STFT(window=2.0)]
    out = night.with_suffix(".nc")
    before, begin = peak_bytes(), time.perf_counter()
    with warnings.catch_warnings():
        # That of silence, which the network takes for a stage too: nothing is asked of the answers here.
        warnings.simplefilter("ignore")
        explainer = freqig.Explainer(
            model, unit="uV", classes=STAGES, domains=domains, tol=TOL, progress=False
        )
        result = explainer(night, window=SECONDS, annotations=hypnogram)
        result.to_netcdf(out, engine="h5netcdf")
    right = result.predicted.values == result.label.values
    whole = time.perf_counter() - begin
    return {
        "seconds": whole,
        "outside": 1 - clock.seconds / whole,
        "memory": (peak_bytes() - before) / 2**20,
        "file": out.stat().st_size / 2**20,
        "epochs": float(result.sizes["sample"]),
        "evaluations": float(result.n_evaluations.mean()),
        "right": float(right.mean()),
        "converged": float(result.converged.mean()),
    }


def main() -> None:
    """Write a night, explain it in a process of its own, and print what that took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("hypnogram", type=Path, help="text file, one stage per line")
    parser.add_argument("--epochs", type=int, default=960)
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    parser.add_argument("--night", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.night is not None:
        weights = options.night.with_suffix(".pt")
        print(json.dumps(explain(options.night, options.hypnogram, weights, options.threads)))
        return
    with tempfile.TemporaryDirectory() as folder:
        stages = np.resize(np.loadtxt(options.hypnogram, dtype=int), options.epochs)
        night, labels = Path(folder) / "night.edf", Path(folder) / "hypnogram.txt"
        write_night(night, stages)
        train(night.with_suffix(".pt"))
        labels.write_text("".join(f"{STAGES[stage]}\n" for stage in stages))
        arguments = (str(labels), "--night", str(night), "--threads", str(options.threads))
        found = in_fresh_process(Path(__file__), *arguments, python=sys.executable)
    torch.set_num_threads(options.threads)
    print(machine())
    print(
        f"a night of {found['epochs']:.0f} epochs, {len(CHANNELS)} channels, {FS * SECONDS:,.0f} samples, "
        f"from EDF to netCDF with bands and a spectrogram, tol {TOL:g}: {found['seconds']:.0f} s, "
        f"{100 * found['outside']:.1f} % of it outside the network (target {100 * SHARE:.0f} %), "
        f"{found['memory']:.0f} MiB (target {MEMORY}), file {found['file']:.0f} MiB; "
        f"{found['evaluations']:.1f} evaluations per epoch, {100 * found['converged']:.1f} % converged; "
        f"{100 * found['right']:.0f} % of the stages right"
    )


if __name__ == "__main__":
    main()
