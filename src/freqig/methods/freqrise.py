"""FreqRISE: the mean output under random masks that keep a coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .._check import check_choice, check_count, check_draws, check_seed, check_share
from .._tensor_check import widest
from .explaining import Comparator, words
from .how import IMPORTANCE
from .masked import Masked, Scores

INTERPOLATIONS = ("linear", "nearest")


@dataclass(frozen=True)
class RandomMasks(Masked):
    """Random masks, and what the model makes of what they leave.

    Parameters
    ----------
    n_masks : int
        How many.
    cells : int
        Cells of the coarse grid along each axis of coefficients.
    keep : float
        Probability that a node of the grid is kept.
    interpolation : {"linear", "nearest"}
        Between nodes.
    """

    n_masks: int
    cells: int
    keep: float
    interpolation: str

    engine = "freqrise"
    title = "FreqRISE (Brüsch et al. 2024)"
    units = IMPORTANCE
    meaning: ClassVar[str] = "mean output under random masks, weighted by how much they keep of a coefficient"

    @property
    def n_least(self) -> int:
        return self.n_masks

    def importance(self, scores: Scores, rng: np.random.Generator) -> Tensor:
        frame = scores.frame
        grids = [self._grids(rng, tuple(part.shape[1:]), frame.left) for part in frame.free]
        dtype, device = frame.free[0].real.dtype, frame.x.device

        def masks(part: slice) -> Tensor:
            made = [torch.from_numpy(grid.masks(part)).to(device, dtype) for grid in grids]
            return frame.flat(made)

        weighted = torch.zeros(scores.paths.n_targets, frame.count, dtype=widest(device), device=device)
        kept = weighted.new_zeros(frame.count)

        def add(some: Tensor, values: Tensor) -> None:
            wide = some.to(weighted.dtype)
            weighted.addmm_(values.T, wide)
            kept.add_(wide.sum(0))

        outputs = scores.of(self.n_masks, masks, add)
        # Over the masks that were drawn, and no number that their mean should have. What none of them kept
        # is not known to matter.
        mean = outputs.mean(0)[:, None]
        return torch.where(kept > 0, weighted / kept.clamp_min(torch.finfo(kept.dtype).tiny), mean)

    def _grids(self, rng: np.random.Generator, shape: tuple[int, ...], left: int) -> Grids:
        cells = [min(self.cells, size) for size in shape[left:]]
        nodes = (self.n_masks, *shape[:left], *(count + 2 for count in cells))
        shifts = rng.random((self.n_masks, len(cells)))
        return Grids(rng.random(nodes) < self.keep, shifts, shape[left:], self.interpolation == "linear")


@dataclass(frozen=True)
class Grids:
    """Coarse random grids, and the masks between their nodes.

    Every coefficient lies at a random place of a cell, the same for all of one mask, between nodes that are
    drawn alike: so the expected mask is `keep` at every coefficient, the first and the last included.

    Parameters
    ----------
    nodes : numpy.ndarray
        Whether nodes are kept, bool, shape (masks, *left, *nodes).
    shifts : numpy.ndarray
        Of each mask along each axis, in cells, from 0 to 1, shape (masks, axes).
    sizes : tuple of int
        Coefficients along each axis.
    linear : bool
        Whether masks are interpolated linearly; else each takes the value of its cell.
    """

    nodes: np.ndarray
    shifts: np.ndarray
    sizes: tuple[int, ...]
    linear: bool

    def masks(self, part: slice) -> np.ndarray:
        """Masks of some numbers, shape (P, *left, *sizes)."""
        found = self.nodes[part].astype(np.float32)
        first = found.ndim - len(self.sizes)
        for axis, size in enumerate(self.sizes):
            cells = found.shape[first + axis] - 2
            place = np.arange(size) * cells / size + self.shifts[part, axis, None]
            below = place.astype(int)
            shape = [len(found), *(1,) * (found.ndim - 1)]
            shape[first + axis] = size

            def at(
                index: np.ndarray, values: np.ndarray = found, shape: list[int] = shape, axis: int = axis
            ) -> np.ndarray:
                return np.take_along_axis(values, index.reshape(shape), first + axis)

            if self.linear:
                share = (place - below).reshape(shape).astype(np.float32)
                found = (1 - share) * at(below) + share * at(below + 1)
            else:
                found = at(below)
        return found


class FreqRISE(Comparator):
    """Random masks over coefficients: what the model says where a coefficient is kept.

    S_k = Σ F(x' + synthesize(c · M)) M_k / Σ M_k over N masks M, in the spectrum of the whole series by
    default. Masks are drawn on a grid of cells, each kept with a probability, shifted by a random part
    of a cell and interpolated. The mean mask is that of the masks drawn, so that a model whose output does
    not depend on its input finds all coefficients alike. Masks see the series in its own length, odd or
    even, every channel has masks of its own, and they depend on the seed and the sample alone.

    The scores are means of outputs, not contributions: of a coefficient that does not matter the score is the
    mean output under all masks, and not zero. Errors fall with the square root of `n_masks`.

    Parameters
    ----------
    model : object
        Whatever `freqig.Shapley` takes; no gradients are needed.
    n_masks : int, default 3000
        Masks, one evaluation each.
    cells : int, default 50
        Cells along each axis of coefficients, at most as many as there are.
    keep : float, default 0.5
        Probability that a node between cells is kept, between 0 and 1.
    interpolation : {"linear", "nearest"}, default "linear"
        How masks pass from node to node.
    seed : int, default 0
        Of the masks.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default. Each has masks of its own.
        The paper explains `output="probability"`.

    References
    ----------
    Brüsch, Wickstrøm, Schmidt, Alstrøm, Jenssen: FreqRISE: Explaining time series using frequency masking,
    NLDL 2025, arXiv:2406.13584, eq. 3, after Petsiuk, Das, Saenko: RISE, BMVC 2018, eq. 6, where the sum
    is divided by the mean mask.

    Examples
    --------
    >>> import numpy as np, freqig
    >>> t = np.arange(64) / 64
    >>> x = np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 20 * t)
    >>> power_at_5_hz = lambda x: np.abs(np.fft.rfft(x)[:, 5])
    >>> rise = freqig.methods.FreqRISE(power_at_5_hz, fs=64, n_masks=500)
    >>> float(rise(x[None]).rfft.idxmax("frequency")[0])
    5.0
    """

    gradients = False

    @words
    def __init__(
        self,
        model: Any,
        *,
        n_masks: int = 3000,
        cells: int = 50,
        keep: float = 0.5,
        interpolation: str = "linear",
        seed: int = 0,
        **shared: Any,
    ) -> None:
        how = RandomMasks(
            check_draws(n_masks, "n_masks"),
            check_count(cells, "cells"),
            check_share(keep, "keep"),
            check_choice(interpolation, "interpolation", INTERPOLATIONS),
            seed=check_seed(seed, "seed"),
        )
        self.settled(model, how, **shared)
