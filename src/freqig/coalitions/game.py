"""The game of one sample: what the model says of the signal in which some players are present."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..chunks import Chunks
from ..errors import add_context
from ..explain.projection import working_dtype
from ..objective.objective import Objective
from ..objective.paths import Paths
from .exact import all_coalitions
from .players import Players

AT_ONCE = 1 << 16
"""Coalitions whose numbers are held at once."""


class Game:
    """Explained scalars by coalition.

    Parameters
    ----------
    paths : Paths
        Of one sample: both ends, F(x) and F(x').
    players : Players
        Bound to the signal.
    axes : tuple of int
        Axes of a signal that appear in the result, without time.
    chunks : Chunks
        Points per call.
    evaluated : callable
        Told how many coalitions were evaluated.
    """

    def __init__(
        self,
        paths: Paths,
        players: Players,
        axes: tuple[int, ...],
        chunks: Chunks,
        evaluated: Callable[[int], None],
    ) -> None:
        self.objective: Objective = paths.objective
        self.players, self.chunks, self.evaluated = players, chunks, evaluated
        self.x, self.baseline = paths.x[0], paths.baseline[0]
        dtype = working_dtype(self.x.dtype)
        self._shape = tuple(self.x.shape)
        self._start = self.baseline.to(dtype)
        delta = (self.x.to(dtype) - self._start).reshape(*axes, self.x.shape[-1])
        self._prepared = players.prepared(delta)
        output, start = paths.output[0], paths.baseline_output
        self.n_targets = len(output)
        if start is None:
            raise ValueError("paths must know the outputs at their baselines, and do not")
        # Both ends are known: the input itself, and not what its parts add up to.
        self._known: dict[bytes, np.ndarray] = {}
        for present, values in ((True, output), (False, start[0])):
            self._known[_key(np.full((1, players.count), present))[0]] = values.cpu().numpy()
        self.largest: np.ndarray = np.abs(np.stack([*self._known.values()])).max(0)
        self.n_evaluations = 2

    def values(self, coalitions: np.ndarray) -> np.ndarray:
        """Explained scalars of coalitions, bool, shape (C, players), as float64, shape (C, T).

        Those seen before are not evaluated again.
        """
        coalitions = np.atleast_2d(np.asarray(coalitions, dtype=bool))
        keys = _key(coalitions)
        new = list({key: row for row, key in enumerate(keys) if key not in self._known}.values())
        if new:
            found = self._evaluate(coalitions[new])
            self._known.update(zip([keys[row] for row in new], found, strict=True))
        return np.stack([self._known[key] for key in keys])

    def all_values(self) -> np.ndarray:
        """Explained scalars of all coalitions by number, shape (2^players, T)."""
        n = self.players.count
        found = np.empty((2**n, self.n_targets))
        ends = np.zeros((1, n), dtype=bool)
        found[[0, -1]] = self.values(ends)[0], self.values(~ends)[0]
        for begin in range(1, 2**n - 1, AT_ONCE):
            end = min(begin + AT_ONCE, 2**n - 1)
            found[begin:end] = self._evaluate(all_coalitions(n, begin, end))
        return found

    def _evaluate(self, coalitions: np.ndarray) -> np.ndarray:
        found = np.empty((len(coalitions), self.n_targets))

        def call(part: slice) -> None:
            found[part] = self._called(coalitions[part])
            self.evaluated(part.stop - part.start)

        self.chunks.run(len(coalitions), call)
        self.largest = np.maximum(self.largest, np.abs(found).max(0, initial=0.0))
        self.n_evaluations += len(coalitions)
        return found

    def _called(self, coalitions: np.ndarray) -> np.ndarray:
        """One call of the model; its errors name the coalition that they belong to."""
        points = self._points(coalitions)
        try:
            values = self._scored(points)
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:
            add_context(error, self._where(self._culprit(points, coalitions)))
            raise
        spoilt = (~np.isfinite(values).all(1)).nonzero()[0]
        if len(spoilt):
            raise ValueError(
                f"the model's output must be finite for every set of players, got "
                f"{values[spoilt[0]].tolist()} {self._where(coalitions[spoilt[0]])}: take another baseline=, "
                "or another output="
            )
        return values

    def _points(self, coalitions: np.ndarray) -> Tensor:
        added = self.players.present_in(self._prepared, coalitions)
        points = self._start + added.reshape(len(coalitions), *self._shape)
        return points.to(self.x.dtype)

    def _scored(self, points: Tensor) -> np.ndarray:
        rows = torch.zeros(len(points), dtype=torch.int64, device=points.device)
        values: np.ndarray = self.objective.value(points, rows).cpu().numpy()
        return values

    def _culprit(self, points: Tensor, coalitions: np.ndarray) -> np.ndarray:
        """The coalition that the model fails for; the first where it fails for none by itself."""
        low, high = 0, len(points)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                self._scored(points[low:middle])
            except Exception:  # noqa: BLE001 - of the model, which raises what it likes
                high = middle
            else:
                low = middle
        culprit: np.ndarray = coalitions[low]
        return culprit

    def _where(self, coalition: np.ndarray) -> str:
        return f"for sample {self.objective.offset} with {self.players.told(coalition)}"


def _key(coalitions: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in np.packbits(coalitions, axis=1)]
