"""How much an explanation changes under noise that leaves the class as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..resynthesis.source import starts
from .again import Again
from .likeness import divided
from .scoring import Scorer

NOISE = 0.05
"""Standard deviation of the noise, as a share of that of each series."""
EPSILON = 1e-6
"""What stands for zero in a divisor, as in Agarwal et al."""

Array = np.ndarray


def stability(
    again: Again, model: Any, scorer: Scorer, baseline: Any, draws: int, seed: int
) -> dict[str, dict[str, Array]]:
    """Sensitivity and relative output stability.

    Parameters
    ----------
    again : Again
        How samples are explained once more, M of them.
    model : object
        The model.
    scorer : Scorer
        The same, for its outputs.
    baseline
        As the caller gave it.
    draws, seed : int
        How often noise is drawn.

    Returns
    -------
    dict of str to dict of str to numpy.ndarray
        By variable and metric, shape (M,); NaN where no draw leaves the class as it is.
    """
    rows = again.rows
    source = next(iter(again.sources.values()))
    before = scorer(source.x[rows], rows)
    raw = before.raw.reshape(len(rows), -1)
    worst = {name: np.full((2, len(rows)), np.nan) for name in again.sources}
    kept = np.zeros(len(rows))
    for draw in range(draws):
        noisy = _with_noise(source.x, seed, draw)
        after = scorer(noisy[rows], rows)
        same = np.ones(len(rows), dtype=bool)
        if before.predicted is not None and after.predicted is not None:
            same = before.predicted == after.predicted
        kept += same / draws
        start = starts(again.result, baseline, noisy)
        found, _ = again.explain(model, noisy[rows], start[rows])
        by = np.linalg.norm(after.raw.reshape(len(rows), -1) - raw, axis=1)
        for name, values in found.items():
            told = again.sources[name]
            own = np.nan_to_num(told.flat(told.attribution[rows]))
            change = np.nan_to_num(values) - own
            sensitivity = divided(np.linalg.norm(change, axis=1), np.linalg.norm(own, axis=1))
            relative = np.linalg.norm(change / np.where(own == 0, EPSILON, own), axis=1)
            here = np.stack([sensitivity, relative / np.where(by == 0, EPSILON, by)])
            worst[name] = np.fmax(worst[name], np.where(same, here, np.nan))
    known = kept if before.predicted is not None else np.full(len(rows), np.nan)
    return {
        name: {"sensitivity": pair[0], "relative_output_stability": pair[1], "class_kept": known}
        for name, pair in worst.items()
    }


def _with_noise(x: Tensor, seed: int, draw: int) -> Tensor:
    """The same noise for all samples, in proportion to each series."""
    noise = np.random.default_rng((seed, draw)).normal(size=tuple(x.shape[1:]))
    return x + NOISE * x.std(-1, keepdim=True, correction=0) * torch.from_numpy(noise)
