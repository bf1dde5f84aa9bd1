"""What coefficients that are taken away become: those of the baseline, a surrogate, noise, or other data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..baselines import noise, surrogate
from ..baselines.reading import draw_baselines
from ..domains import Domain, ready
from ..result.reading import rows_by_length
from ..resynthesis.source import Source
from ..resynthesis.synthesis import synthesized
from .ordering import places
from .scoring import Answers, Scorer

OPERATORS = ("baseline", "surrogate", "noise", "data")
AT_ONCE = 2**20
"""Values of signals and coefficients that are put together at once."""

Array = np.ndarray


@dataclass(frozen=True)
class Replacing:
    """Answers of a model where only some coefficients are those of the input.

    Parameters
    ----------
    source : Source
        Signals, and in place of the baseline what coefficients are replaced by.
    scorer : Scorer
        The model.
    """

    source: Source
    scorer: Scorer

    @property
    def coefficients(self) -> tuple[int, ...]:
        """Shape of the coefficients of a sample."""
        return tuple(self.source.attribution.shape[1:])

    @property
    def at_once(self) -> int:
        """How many points are put together at once."""
        return max(1, AT_ONCE // (self.source.x[0].numel() + math.prod(self.coefficients)))

    def answers(self, rows: Array, keep: Array) -> Answers:
        """What the model says of parts.

        Parameters
        ----------
        rows : numpy.ndarray
            Sample of each point, shape (P,).
        keep : numpy.ndarray
            Which coefficients stay, bool, shape (P, p).
        """
        points = synthesized(self.source, rows.tolist(), keep.reshape(len(keep), *self.coefficients))
        return self.scorer(points, rows)

    def prefixes(self, order: Array, counts: Array, removing: bool, field: str = "output") -> Array:
        """Answers as ever more of the first coefficients of an order are removed, or kept.

        Parameters
        ----------
        order : numpy.ndarray
            Shape (N, p).
        counts : numpy.ndarray
            How many of the first, shape (N, Q).
        removing : bool
            Whether these are removed; else they alone are kept.
        field : str, default "output"
            Which of the answers: "output", "own_or_output" or "vector".

        Returns
        -------
        numpy.ndarray
            float64, shape (N, Q), or (N, Q, K) of vectors.
        """
        n, steps = counts.shape
        place = places(order)
        # Shares of few coefficients, or of an energy that few hold, are often the same prefix.
        pairs = np.stack([np.repeat(np.arange(n), steps), counts.ravel()], axis=1)
        points, which = np.unique(pairs, axis=0, return_inverse=True)
        parts = []
        for begin in range(0, len(points), self.at_once):
            rows, many = points[begin : begin + self.at_once].T
            first = place[rows] < many[:, None]
            parts.append(getattr(self.answers(rows, ~first if removing else first), field))
        values = np.concatenate(parts)
        return values[which.ravel()].reshape(n, steps, *values.shape[1:])


def replaced(operator: str, source: Source, made: Domain, result: xr.Dataset, seed: int) -> Source:
    """What a result was made of, with something else in place of its baseline.

    Parameters
    ----------
    operator : {"baseline", "surrogate", "noise", "data"}
        By what: the baseline of the explanation; the same magnitudes with phases shuffled; 1/f noise of the
        same mean and variance; or the signal of another sample.
    source : Source
        What the result was made of.
    made : Domain
        Its domain, before it was made ready.
    result : xarray.Dataset
        The explanation.
    seed : int
        Of what is drawn.

    Raises
    ------
    ValueError
        If there is no other sample as long as one to take data of.
    """
    if operator == "baseline":
        return source
    fs = source.settings.get("fs")
    other = torch.zeros_like(source.x)
    for n, rows in rows_by_length(result):
        other[rows, ..., :n] = _drawn(operator, source.x[rows, ..., :n], rows, fs, seed)
    probe = made.bind(tuple(source.x.shape[1:]), fs)
    other = probe.admit(source.x, other)
    (domain,) = ready((made,), source.x, other, fs)
    return replace(source, baseline=other, domain=domain)


def _drawn(operator: str, x: Tensor, rows: list[int], fs: Any, seed: int) -> Tensor:
    if operator == "data":
        if len(x) < 2:
            raise ValueError(
                f"operator 'data' takes coefficients of other samples, of which sample {rows[0]} has none of "
                "its length: pass more samples, or another operator"
            )
        turn = int(np.random.default_rng(seed).integers(1, len(x)))
        return x.roll(turn, 0)
    rule = surrogate(seed) if operator == "surrogate" else noise(seed=seed)
    return draw_baselines(rule, x, -1, fs)[0].to(x)
