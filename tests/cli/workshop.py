"""Models and recordings for the command line, small ones of every kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..helpers import seeded

FS, SECONDS, WINDOWS = 100, 30, 4
STAGES = ("W", "N1", "N2", "N3", "R")
NET = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv1d(1, 8, 64, stride=8), nn.Tanh(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 2)
).eval()
# Silence is none of both.
model[4].bias.data = torch.tensor([0.3, -0.3])
step = lambda x: (x.mean((1, 2)) > 0.1).float() + 0 * x.sum((1, 2))
"""


STAGER = """
import numpy as np

def score(x):
    "Logarithms of the power in five bands, by NumPy alone."
    power = np.abs(np.fft.rfft(x.mean(1)))[:, :900] ** 2
    return np.log1p(power.reshape(len(x), 5, 180).mean(-1))
"""


def sleep_network() -> nn.Module:
    """Takes (batch, 2, 3000) in microvolts."""
    return seeded(
        lambda: nn.Sequential(
            nn.Conv1d(2, 4, 50, stride=25), nn.Tanh(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 5)
        )
    )


def write_night(path: Path) -> np.ndarray:
    """Two channels of noise in microvolts, as EDF; returned as (channel, time)."""
    import edfio

    values = np.random.default_rng(0).normal(size=(2, FS * SECONDS * WINDOWS)) * 30
    signals = [
        edfio.EdfSignal(row, FS, label=name, physical_dimension="uV", physical_range=(-500, 500))
        for name, row in zip(("Cz", "Oz"), values.clip(-500, 500), strict=True)
    ]
    edfio.Edf(signals).write(path)
    return values


def furnish(folder: Path, export: Callable[..., str], keras: Any) -> None:
    """Write every file that the help of a command speaks of."""
    import soundfile

    export(sleep_network(), torch.zeros(1, 2, FS * SECONDS), name="model.onnx")
    write_night(folder / "night.edf")
    (folder / "stages.txt").write_text("0\n2\n2\n4\n")
    (folder / "net.py").write_text(NET)
    (folder / "stager.py").write_text(STAGER)
    (folder / "digits").mkdir()
    noise = np.random.default_rng(1)
    for name, n in (("3_theo_0", 900), ("7_theo_0", 1200), ("7_theo_1", 1000)):
        soundfile.write(folder / "digits" / f"{name}.wav", 0.1 * noise.normal(size=n), 8000)
    layers = keras.layers
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((200, 2)), layers.Conv1D(4, 5, activation="tanh")])
    network.add(layers.GlobalAveragePooling1D())
    network.add(layers.Dense(2))
    network.save(folder / "model.keras")
    columns = np.column_stack([np.arange(200) / FS, noise.normal(size=(200, 2))])
    np.savetxt(folder / "table.csv", columns, delimiter=",", header="time,Cz,Oz", comments="")


def examples(command: Any) -> list[str]:
    """Lines of the examples in the help of a command."""
    text = command.epilog.partition("Examples:\n")[2].partition("\n\n")[0].replace("\\\n", " ")
    return [line.strip() for line in text.splitlines()]


def split(line: str) -> list[str]:
    """A line of a shell: words, with what matches of files for a pattern."""
    import shlex

    words: list[str] = []
    for word in shlex.split(line):
        words += sorted(map(os.fspath, Path().glob(word))) if "*" in word else [word]
    return words
