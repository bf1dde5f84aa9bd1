"""Shapley values of bands and of stretches of time, each parted among its coefficients."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

import freqig
from leaderboard.methods import Method
from leaderboard.task import Task

Array = np.ndarray
STRETCHES = 50
"""At most so many stretches of time."""


def cannot(case: Any) -> str:
    """Players are bands or stretches of time of a model that takes nothing but series."""
    if case.variable not in ("rfft", "waveform"):
        return "players are bands or stretches of time"
    if find_spec("shapiq") is None:
        return "needs shapiq"
    if case.stepwise and case.network is None:
        return "2,500 players are too many for the budget"
    return ""


def explain(task: Task) -> Array:
    """Values of players, and of each coefficient its share of the energy of its player."""
    channels = task.x.shape[1]
    if task.case.variable == "rfft":
        divided, player = _bands(task)
        size = np.abs(np.fft.rfft(task.x.astype(float))) ** 2
    else:
        each = -(-task.x.shape[-1] // STRETCHES)
        divided, player = freqig.Segments(each / task.fs), np.arange(task.x.shape[-1]) // each
        size = task.x.astype(float) ** 2
    players = (divided, "channels") if channels > 1 else divided
    shapley = freqig.Shapley(
        task.model,
        fs=task.fs,
        players=players,
        output=task.output("log_prob"),
        seed=task.seed,
        progress=False,
    )
    values = shapley(task.x, target=task.target).shapley.values
    # Players first, channels behind: (N, player, channel).
    values = values.reshape(len(values), -1, channels).swapaxes(1, 2)
    of_player = np.stack([size[..., player == p].sum(-1) for p in range(values.shape[-1])], -1)
    share = size / np.maximum(of_player, np.finfo(float).tiny)[..., player]
    return values[..., player] * share


def _bands(task: Task) -> tuple[freqig.FilterBank, Array]:
    """Bands of equal width about multiples of it, or the regions of the problem, and that of each bin."""
    hertz = task.problem.frequency.values
    if "region" in task.problem.dims:
        edges = np.append(task.problem.region_low.values, hertz[-1])
    else:
        low, high, width = task.case.bands
        edges = np.arange(low - width / 2, high + width, width)
    names = {str(i): (float(a), float(b)) for i, (a, b) in enumerate(pairwise(edges))}
    player = np.searchsorted(edges, hertz, side="right") - 1
    # What is outside belongs to the rest, which comes last.
    outside = (player < 0) | (player >= len(names))
    return freqig.FilterBank(names), np.where(outside, len(names), player)


METHODS = [
    Method(
        "shapley log_prob zero",
        explain,
        "freqig.Shapley, output='log_prob', baseline zero, 2,048 coalitions; values of bands or of stretches "
        "of time parted among their coefficients by energy",
        cannot,
        samples=32,
    )
]
