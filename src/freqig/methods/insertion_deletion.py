"""Insertion and deletion in rounds: which cells bring the output about, and which end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_choice, check_count, check_draws, check_seed, check_share
from ..chunks import Chunks
from ..explain.blocks import BlockSize
from .explaining import Comparator, words
from .frame import Frame
from .how import IMPORTANCE
from .masked import Masked, Scores

MODES = ("combined", "insertion", "deletion")


@dataclass(frozen=True)
class Rounds(Masked):
    """Rounds, in each of which one cell is chosen.

    Parameters
    ----------
    mode : {"combined", "insertion", "deletion"}
        By what a cell is chosen.
    rounds : int
        How many are chosen.
    draws : int
        Random sets of cells per round.
    cells : int
        Cells along each axis of coefficients.
    share : float
        Share of the cells that a set holds.
    """

    mode: str
    rounds: int
    draws: int
    cells: int
    share: float

    engine = "insertion_deletion"
    title = "insertion and deletion (after SpectralX, Chung et al. 2024)"
    units = IMPORTANCE
    meaning = "rank: 1 for the cell that was chosen first, towards 0 for the one that would be last"

    @property
    def n_least(self) -> int:
        return self.rounds * self.draws * (2 if self.mode == "combined" else 1)

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        # What was chosen for one target decides what is asked next.
        return BlockSize(1, 1)

    def importance(self, scores: Scores, rng: np.random.Generator) -> Tensor:
        cell = self._cells(scores.frame)
        count = int(cell.max()) + 1
        chosen: list[int] = []
        last = np.zeros(count)
        for _ in range(min(self.rounds, count)):
            left = np.setdiff1d(np.arange(count), chosen)
            sets = balanced(rng, left, self.draws, max(1, round(self.share * len(left))))
            member = np.zeros((len(sets), count), dtype=bool)
            np.put_along_axis(member, sets, True, axis=1)
            last = np.zeros(count)
            if self.mode != "deletion":
                last += self._means(scores, cell, member, chosen, inserted=True)
            if self.mode != "insertion":
                last -= self._means(scores, cell, member, chosen, inserted=False)
            # Of few sets some hold no cell of a kind, of which then nothing is known.
            last[~member.any(0)] = -np.inf
            chosen.append(int(left[last[left].argmax()]))
        # What was never chosen stands behind, as the last round had it.
        left = np.setdiff1d(np.arange(count), chosen)
        order = np.concatenate([chosen, left[np.argsort(-last[left], kind="stable")]]).astype(int)
        rank = np.empty(count)
        rank[order] = 1 - np.arange(count) / count
        return torch.from_numpy(rank)[cell.cpu()].to(scores.frame.x.device)[None]

    def _means(
        self, scores: Scores, cell: Tensor, member: np.ndarray, chosen: list[int], *, inserted: bool
    ) -> np.ndarray:
        """Mean output over the sets that hold a cell, shape (cells,); zero where none does."""
        with_chosen = member.copy()
        with_chosen[:, chosen] = True
        present = torch.from_numpy(with_chosen if inserted else ~with_chosen).to(cell.device)
        dtype = scores.frame.free[0].real.dtype
        values = scores.of(len(member), lambda part: present[part][:, cell].to(dtype))
        held = member.sum(0)
        found: np.ndarray = member.T @ values[:, 0].cpu().numpy() / np.maximum(held, 1)
        return found

    def _cells(self, frame: Frame) -> Tensor:
        """Number of the cell of each coefficient, int64, shape (K,)."""
        found, first = [], 0
        for part in frame.free:
            sizes = part.shape[1 + frame.left :]
            index = torch.zeros(part.shape[1:], dtype=torch.int64, device=part.device)
            for axis, size in enumerate(part.shape[1:]):
                cells = min(self.cells, size) if axis >= frame.left else size
                along = torch.arange(size, device=part.device) * cells // size
                shape = [1] * index.ndim
                shape[axis] = size
                index = index * cells + along.reshape(shape)
            found.append(index.flatten() + first)
            first += int(np.prod([min(self.cells, size) for size in sizes])) * int(
                np.prod(part.shape[1 : 1 + frame.left])
            )
        return torch.cat(found)


def balanced(rng: np.random.Generator, items: np.ndarray, draws: int, size: int) -> np.ndarray:
    """Random sets in which all items come up alike often, give or take one, shape (draws, size).

    Examples
    --------
    >>> sets = balanced(np.random.default_rng(0), np.arange(6), draws=4, size=3)
    >>> np.bincount(sets.ravel()).tolist()
    [2, 2, 2, 2, 2, 2]
    """
    times = -(-draws * size // len(items))
    return np.concatenate([rng.permutation(items) for _ in range(times)])[: draws * size].reshape(draws, size)


class InsertionDeletion(Comparator):
    """Insertion and deletion in rounds, over cells of the coefficients of any linear domain.

    In each round random sets of cells are put into the baseline together with those chosen so far, or taken
    from the signal with them. A cell has the mean output over the sets that hold it; the one with the
    highest is chosen for insertion, the one with the lowest for deletion, and for both together the one
    with the largest difference. Every cell comes up alike often, in every round anew, also once some are
    chosen; and each sample has its own explanation, not the mean one of its class. SpectralX does this over
    an STFT: ``domains=freqig.STFT(...)``.

    The numbers are ranks of cells, between 0 and 1, not effects: that a cell came first does not say by how
    much.

    Parameters
    ----------
    model : object
        Whatever `freqig.Shapley` takes; no gradients are needed.
    mode : {"combined", "insertion", "deletion"}, default "combined"
        By what a cell is chosen.
    rounds : int, default 10
        Cells that are chosen, at most as many as there are; all others rank as the last round has them.
    draws : int, default 100
        Random sets per round, one evaluation each, two for "combined".
    cells : int, default 64
        Cells along each axis of coefficients, at most as many as there are.
    share : float, default 0.1
        Share of the cells that a set holds, between 0 and 1.
    seed : int, default 0
        Of the sets.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default.

    References
    ----------
    Chung, Jo, Kwon, Choi: Time is not enough: time-frequency based explanation for time-series black-box
    models, CIKM 2024, arXiv:2408.03636, feature importance approximations.

    Examples
    --------
    >>> import numpy as np, freqig
    >>> t = np.arange(64) / 64
    >>> x = np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 20 * t)
    >>> power_at_5_hz = lambda x: np.abs(np.fft.rfft(x)[:, 5])
    >>> method = freqig.methods.InsertionDeletion(power_at_5_hz, fs=64, rounds=2)
    >>> float(method(x[None]).rfft.idxmax("frequency")[0])
    5.0
    """

    gradients = False

    @words
    def __init__(
        self,
        model: Any,
        *,
        mode: str = "combined",
        rounds: int = 10,
        draws: int = 100,
        cells: int = 64,
        share: float = 0.1,
        seed: int = 0,
        **shared: Any,
    ) -> None:
        how = Rounds(
            check_choice(mode, "mode", MODES),
            check_draws(rounds, "rounds"),
            check_draws(draws, "draws"),
            check_count(cells, "cells"),
            check_share(share, "share"),
            seed=check_seed(seed, "seed"),
        )
        self.settled(model, how, **shared)
