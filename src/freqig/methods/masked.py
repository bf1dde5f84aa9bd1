"""Methods that ask the model for outputs of masked signals, one sample and one domain after another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from .._tensor_check import widest
from ..chunks import Chunks
from ..domains import Domain
from ..explain.blocks import BlockSize
from ..objective.paths import Paths
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .draws import generator
from .frame import Frame
from .gradients import refuse_not_finite
from .how import How, one_by_one

Seen = Callable[[Tensor, Tensor], None]


@dataclass
class Scores:
    """Explained scalars of one sample under masks, and how many were asked for.

    Parameters
    ----------
    paths : Paths
        Of one sample.
    frame : Frame
        Its coefficients.
    chunks : Chunks
        Points per call.
    """

    paths: Paths
    frame: Frame
    chunks: Chunks
    n_evaluations: int = field(default=0, init=False)

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """F(x) and F(x'), which are known, float64, shape (T,)."""
        start = self.paths.baseline_output
        if start is None:
            raise ValueError("paths must know the outputs at their baselines, and do not")
        return self.paths.output[0], start[0]

    def of(self, count: int, masks: Callable[[slice], Tensor], seen: Seen | None = None) -> Tensor:
        """Explained scalars under masks that are made a chunk at a time, float64, shape (count, T).

        Parameters
        ----------
        count : int
            How many there are.
        masks : callable
            From a slice of their numbers to masks, shape (P, K).
        seen : callable, optional
            Gets the masks of a chunk and their scalars, shape (P, T), so that nobody makes masks twice.
        """
        device = self.paths.x.device
        found = torch.empty((count, self.paths.n_targets), dtype=widest(device), device=device)

        def call(part: slice) -> None:
            rows = torch.zeros(part.stop - part.start, dtype=torch.int64, device=device)
            some = masks(part)
            values = self.paths.objective.value(self.frame.points(some, rows), rows)
            refuse_not_finite(values, rows, self.paths)
            found[part] = values
            if seen is not None:
                seen(some, values)
            self.paths.objective.evaluated(len(rows))

        # Masks and the signals that they leave lie beside the model.
        held = 4 * max(self.frame.count, self.paths.n_features)
        self.chunks.at_most(self.chunks.memory.n_points(held)).run(count, call)
        self.n_evaluations += count
        return found


@dataclass(frozen=True)
class Masked(How):
    """A score per coefficient from outputs under masks."""

    seed: int = field(default=0, kw_only=True)

    def block_size(self, chunks: Chunks, n_features: int, n_targets: int) -> BlockSize:
        return one_by_one(n_targets)

    @abstractmethod
    def importance(self, scores: Scores, rng: np.random.Generator) -> Tensor:
        """A score per target and coefficient, shape (T, K).

        Parameters
        ----------
        scores : Scores
            Asks the model.
        rng : numpy.random.Generator
            Of this sample, where there is something to draw.
        """

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        values, count = [], 0
        for domain in domains:
            frame = Frame.of(paths, axes, domain)
            scores = Scores(paths, frame, chunks)
            found = self.importance(scores, generator(self.seed, paths.x[0]))
            values.append(frame.placed(found[None]))
            count += scores.n_evaluations
        return self.told(paths, domains, values, torch.tensor([count]))
