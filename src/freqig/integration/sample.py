"""One sample between rounds: what is known of it, and what is to be done next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..completeness import ROUNDING
from .node_trace import TINY, NodeTrace
from .panels import End, Panel
from .path import Array, Diagnosis, Status
from .refinement import Refinement
from .whole_path import SAFETY, WholePath

NOISE = 16.0
"""Rounding of a mean gradient, in eps times the mean L1 norm of the gradients it averages."""


@dataclass(frozen=True)
class Settings:
    """What is asked of every sample.

    Parameters
    ----------
    tol : float
        Relative tolerance.
    max_evaluations : int
        The most evaluations of a sample.
    sizes : tuple of int
        Family of the nested rules of the first phase.
    first : int
        Size of the first.
    eps : float
        Rounding of the model's dtype.
    """

    tol: float
    max_evaluations: int
    sizes: tuple[int, ...]
    first: int
    eps: float

    @property
    def narrowest(self) -> float:
        """Below this width the nodes of a panel are the same numbers to the model."""
        return max(64 * self.eps, 1e-10)


class Sample:
    """State of one sample: scalars and places, no tensor.

    Parameters
    ----------
    index : int
        Which sample.
    baseline_output, output : numpy.ndarray
        F at both ends, shape (T,).
    settings : Settings
        What is asked.
    """

    def __init__(self, index: int, baseline_output: Array, output: Array, settings: Settings) -> None:
        self.index, self.settings = index, settings
        self.ends = Panel(End(0.0, baseline_output), End(1.0, output))
        self.rise = output - baseline_output
        self.rounding = ROUNDING * settings.eps * np.maximum(np.abs(output), np.abs(baseline_output))
        self.trace = NodeTrace(baseline_output, output)
        self.phase: WholePath | Refinement = WholePath(index, settings.sizes, settings.first)
        self.used = 0
        self.status: Status | None = None
        self.place: float | None = None
        self.allowed = self.allowed_gap = np.zeros_like(output)
        self.length = np.zeros_like(output)
        # Relative to what is allowed is the gap, relative to the norm of the attributions the error.
        self.error = np.full_like(output, np.inf)
        self.gap = np.full_like(output, np.inf)
        self.converged: NDArray[np.bool_] = np.zeros(len(output), dtype=bool)
        for end in (self.ends.left, self.ends.right):
            if end.value is not None and not np.isfinite(end.value).all():
                self.stop_at(end.place)

    def stop_at(self, place: float) -> None:
        """F or its gradient is not finite there."""
        if self.status is None:
            self.status, self.place = "nonfinite", place
            self.converged = np.zeros_like(self.converged)

    def judge(self, norms: Array, totals: Array, allowed_gap: Array, rows: Tensor) -> None:
        """Take in a new estimate and decide how to go on.

        Parameters
        ----------
        norms : numpy.ndarray
            L1 norms of the phase's combinations in every projection, shape (K, P, T).
        totals : numpy.ndarray
            Their sums over features, shape (K, T).
        allowed_gap : numpy.ndarray
            Largest completeness gap that counts as complete, shape (T,).
        rows : torch.Tensor
            Running sums, shape (R, T, D), which a new phase clears.
        """
        tol = self.settings.tol
        gap = totals[0] - self.rise
        self.allowed_gap, self.length = allowed_gap, norms[0, 0]
        self.gap = np.abs(gap) / (allowed_gap + TINY)
        if isinstance(self.phase, WholePath):
            error = self.phase.error(norms, totals, gap, self.trace)
        else:
            error = self.phase.error(norms, self.trace)
            # Around a step the attributions err as their sum does, in the same proportion: the gap
            # is an estimate of the error, and needs its margin.
            self.gap = SAFETY * self.gap
        # Rounding in each gradient is relative to its own size, not to that of the mean.
        # Nor can attributions be better than the rounding of F, to whose difference they add up.
        noise = NOISE * self.settings.eps * self.trace.mean_size() + self.rounding
        scale = norms[0] + noise / tol + TINY
        relative = error / scale
        self.error = relative.max(0)
        # Panels are judged by their norm in time. Where another domain's errors are relatively
        # larger they must do better; beyond four times that is chance.
        ratio = float(self.error.max() / (relative[0].max() + TINY)) if np.isfinite(relative).all() else 1.0
        self.allowed = (tol * norms[0, 0] + noise) / min(max(ratio, 1.0), 4.0)
        if isinstance(self.phase, WholePath):
            steps, cost = self.phase.completion(gap)
            stepped = ((error + cost) / scale).max(0)
            helps = (self.gap > 1) & (stepped <= tol)
            self.phase.steps = np.where(helps, steps, 0.0)
            self.error = np.where(helps, stepped, self.error)
            self.gap = np.where(helps, 0.0, self.gap)
        self.converged = (self.error <= tol) & (self.gap <= 1)
        if isinstance(self.phase, Refinement) and self.phase.hides():
            self.converged[:] = False
        if isinstance(self.phase, WholePath) and self.phase.diverges():
            self.status = "diverging"
            self.converged[:] = False
        elif self.converged.all():
            self.status = "converged"
        elif isinstance(self.phase, WholePath):
            self._refine_whole(self.phase, rows)
        else:
            self._refine_panels(self.phase, rows)

    def _refine_whole(self, phase: WholePath, rows: Tensor) -> None:
        worst = float(self.error.max()) / self.settings.tol
        # A gap that fails alone falls by no law: twice the nodes, whatever its size.
        excess = worst if worst > 1 else 2.0
        size = phase.next_size(excess, self.settings.max_evaluations - self.used)
        if phase.size >= 16 and (size is None or max(excess, self.gap.max()) > 2):
            cuts = self._concentrated(phase.size)
            if cuts:
                panels = self.ends.split(tuple(cuts))
                if self._affordable(panels):
                    self.phase = Refinement(self.index, panels, self.settings.narrowest)
                    rows.zero_()
                    return
        if size is None:
            self.status = "budget"
        else:
            phase.target = size

    def _concentrated(self, size: int) -> list[End]:
        """Cuts where the gaps of intervals are, if they are in few; none otherwise."""
        trace = self.trace
        gaps, reach = trace.gaps()
        relative = (np.abs(gaps) / (self.allowed_gap + TINY)).max(1)
        order = np.argsort(-relative)
        covered = np.cumsum(relative[order]) / (relative.sum() + TINY)
        few = int(np.searchsorted(covered, 0.9)) + 1
        if few > max(2, size // 8) or relative[order[0]] < 0.1:
            return []
        cuts: dict[float, End] = {}
        for j in order[:few]:
            kink = trace.crossing(int(j)) if (np.abs(gaps[j]) <= reach[j]).all() else None
            if kink is not None:
                cuts[kink] = End(kink)
                continue
            for k in (j, j + 1):
                slope = None if np.isnan(trace.slopes[k]).any() else trace.slopes[k]
                cuts[float(trace.nodes[k])] = End(float(trace.nodes[k]), trace.values[k], slope)
        return [cuts[place] for place in sorted(cuts) if 0.0 < place < 1.0]

    def _affordable(self, panels: list[Panel]) -> bool:
        """Whether the budget allows it; asked before any sum is cleared, so that an estimate remains."""
        unknown = {end.place for p in panels for end in (p.left, p.right) if end.value is None}
        nodes = sum(len(panel.rule()[0]) for panel in panels)
        return self.used + nodes + len(unknown) <= self.settings.max_evaluations

    def _refine_panels(self, phase: Refinement, rows: Tensor) -> None:
        if phase.jumps(self.allowed_gap):
            # What else is rough on this path does not matter any more.
            self.status = "jump"
            return
        if phase.stuck and not phase.rough:
            self.status = "diverging"
            return
        panels, anew = phase.refined()
        if self._affordable(panels):
            phase.open_next(panels, anew, rows)
        else:
            self.status = "budget"

    def diagnosis(self) -> Diagnosis:
        """The statement about this sample, once it has a status."""
        status = self.status or "budget"
        if status in ("converged", "nonfinite"):
            return Diagnosis(status, place=self.place)
        jumps = self.phase.jumps(self.allowed_gap) if isinstance(self.phase, Refinement) else ()
        if isinstance(self.phase, Refinement) and self.phase.grows_at_baseline(self.length):
            status = "diverging"
        elif jumps:
            status = "jump"
        blind = status == "diverging" and self.trace.blind_to_scale()
        return Diagnosis(status, jumps, blind_to_scale=blind)
