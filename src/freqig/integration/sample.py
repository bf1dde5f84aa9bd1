"""One sample: what is known of it at the end, and its second phase, where its path is in panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..completeness import ROUNDING
from .measuring import Measured
from .node_trace import TINY, NodeTrace
from .panels import SAFETY, End, Panel
from .path import Array, Diagnosis, Status
from .refinement import Refinement, combinations

NOISE = 16.0
"""Rounding of a mean gradient, in eps times the mean L1 norm of the gradients it averages."""

LEAST_RATIO, MOST_RATIO = 0.5, 4.0
"""Between the relative error of what is watched and that of time: beyond these it is not believed."""


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
    dtype : callable
        The dtype whose rounding counts, as far as it is known: autocast inside the model shows only once
        a gradient has been taken.
    watched : slice
        Of the projections, of which time is the first: those that must keep `tol`.
    kept_nodes : int
        Number of nodes whose gradients may be kept, of all samples together.
    """

    tol: float
    max_evaluations: int
    sizes: tuple[int, ...]
    first: int
    dtype: Callable[[], torch.dtype]
    watched: slice
    kept_nodes: int

    @property
    def eps(self) -> float:
        """Rounding, relative to a number."""
        return float(torch.finfo(self.dtype()).eps)

    @property
    def least(self) -> float:
        """The smallest number that there is."""
        return float(torch.finfo(self.dtype()).smallest_normal * self.eps)

    @property
    def narrowest(self) -> float:
        """Below this width the nodes of a panel are the same numbers to the model."""
        return max(64 * self.eps, 1e-10)

    def noise(self, mean_size: Array, outputs: Array) -> Array:
        """L1 error by rounding, shape (..., T).

        Parameters
        ----------
        mean_size : numpy.ndarray
            Mean L1 norm of δ·g, shape (..., T).
        outputs : numpy.ndarray
            F at both ends, shape (2, ..., T).
        """
        rounding = self.rounding(outputs, 0)
        # Where neither gradient nor F says that anything moves, attributions of zero are exact.
        moves = (mean_size > 0) | (np.abs(outputs[0] - outputs[1]) > rounding)
        return np.where(moves, NOISE * self.eps * mean_size + rounding, 0.0)

    def rounding(self, values: Array, axis: int) -> Array:
        """What rounding may make of a difference of values of F along an axis."""
        rounding: Array = ROUNDING * (self.eps * np.abs(values).max(axis) + self.least)
        return rounding

    def told_of_rounding(self, error: Array, values: Array) -> str:
        """What rounding allows, as a sentence, for the target that it allows least.

        Parameters
        ----------
        error : numpy.ndarray
            Relative error, rounding included, shape (T,).
        values : numpy.ndarray
            F at the nodes and both ends of the path, shape (n, T).
        """
        t = int(error.argmax())
        moves, rounding = float(np.ptp(values[:, t])), float(self.rounding(values, 0)[t])
        if rounding < 0.1 * moves:
            return (
                f"rounding leaves a relative error of {error[t]:.2g}, more than tol={self.tol:g}, whatever "
                f"the number of nodes: numbers are rounded to {self.eps:.2g} of their size (raise tol, or "
                "compute in float64: dtype=torch.float64)"
            )
        return (
            f"the output changes by {moves:.3g} along the path, where rounding alone may change values of "
            f"its size, {float(np.abs(values[:, t]).max()):.3g}, by {rounding:.2g}: too little to explain to "
            f"tol={self.tol:g} (check the units of the signal, such as volts where the model expects "
            "microvolts, and the scale and offset of the output; or compute in float64: dtype=torch.float64)"
        )

    def allowed(self, norms: Array, noise: Array) -> Array:
        """L1 error beside rounding at which no more nodes are added, shape (..., P, T).

        What `tol` leaves beside rounding. Where that is less than rounding itself more nodes are of no
        use, and it is not `tol` that is reached.

        Parameters
        ----------
        norms : numpy.ndarray
            L1 norms of the attributions, shape (..., P, T).
        noise : numpy.ndarray
            L1 error by rounding, shape (..., T).
        """
        noise = noise[..., None, :]
        allowed: Array = np.maximum(self.tol * norms - noise, noise)
        return allowed

    def complete(self, gap: Array, allowed_gap: Array, norm: Array, noise: Array) -> NDArray[np.bool_]:
        """Whether more nodes would not close the gap further: it is small, or rounding, shape (..., T).

        Rounding counts where `tol` leaves no room beside it, and the sample is not converged then.
        """
        limited = noise >= self.tol * norm - noise
        complete: NDArray[np.bool_] = (gap <= allowed_gap) | (limited & (gap <= noise))
        return complete

    def relative(self, error: Array, norms: Array, noise: Array) -> Array:
        """Error and rounding of what is watched, relative to the attributions: the largest, (..., T)."""
        with np.errstate(over="ignore"):
            relative = (error + noise[..., None, :]) / (norms + TINY)
        worst: Array = relative[..., self.watched, :].max(-2)
        return worst


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
        self.baseline_output, self.output = baseline_output, output
        self.phase: Refinement | None = None
        self.trace: NodeTrace | None = None
        self.used = 0
        self.status: Status | None = None
        self.place: float | None = None
        self.detail = ""
        # Whether F was compared with its gradient from near by, and is not what that says.
        self.examined = self.misled = False
        self.allowed = self.allowed_gap = self.length = np.zeros_like(output)
        # Relative to what is allowed is the gap, relative to the norm of the attributions the error.
        self.error = np.full_like(output, np.inf)
        self.converged: NDArray[np.bool_] = np.zeros(len(output), dtype=bool)
        self.coefficients: Array | None = None
        # What closing the gap added to the sum of the attributions.
        self.correction = np.zeros_like(output)
        for place, value in ((0.0, baseline_output), (1.0, output)):
            if not np.isfinite(value).all():
                self.stop_at(place)

    def stop_at(self, place: float) -> None:
        """F or its gradient is not finite there."""
        if self.status is None:
            self.status, self.place = "nonfinite", place
            self.converged = np.zeros_like(self.converged)

    def end(self, status: Status, trace: NodeTrace | None = None) -> None:
        """Nothing more is done; `trace` tells why, where it does not converge."""
        self.status, self.trace = status, trace or self.trace
        if status == "diverging":
            self.converged = np.zeros_like(self.converged)

    def finish(self, done: NDArray[np.bool_], values: Array) -> None:
        """End as what has come of it.

        Parameters
        ----------
        done : numpy.ndarray
            Where more nodes would be of no use, shape (T,).
        values : numpy.ndarray
            F at the nodes and both ends of the path, shape (n, T).
        """
        if self.misled:
            self.converged, self.error = np.zeros_like(self.converged), np.full_like(self.error, np.inf)
            self.end("gradient")
            return
        if done.all() and not self.converged.all():
            self.detail = self.settings.told_of_rounding(self.error, values)
        self.end("converged" if self.converged.all() else "rounding" if done.all() else "budget")

    def watch(self, norms: Array, excess: Array, noise: Array, allowed_gap: Array) -> None:
        """Find what the panels of this sample are allowed.

        Parameters
        ----------
        norms : numpy.ndarray
            L1 norms of the attributions in every projection, shape (P, T).
        excess : numpy.ndarray
            Estimated errors, relative to what is allowed, shape (P, T).
        noise, allowed_gap : numpy.ndarray
            Rounding, and what the completeness gap may be, shape (T,).
        """
        # Panels are judged by their norm in time. Where the errors of what is watched are relatively
        # larger they must do better, where they are smaller less will do; beyond some that is chance.
        ratio = 1.0
        if np.isfinite(excess).all():
            ratio = float(excess[self.settings.watched].max() / (excess[0].max() + TINY))
        ratio = min(max(ratio, LEAST_RATIO), MOST_RATIO)
        self.allowed, self.allowed_gap = (self.settings.tol * norms[0] + noise) / ratio, allowed_gap
        self.length = norms[0]

    def cut(self, trace: NodeTrace, size: int) -> bool:
        """Go over to panels, if few intervals of the path make its gap and the budget allows it."""
        cuts = trace.cuts(self.allowed_gap, max(2, size // 8))
        if not cuts:
            return False
        whole = Panel(End(0.0, self.baseline_output), End(1.0, self.output))
        panels = whole.split(tuple(End(*cut) for cut in cuts))
        if not self._affordable(panels):
            return False
        self.trace, self.phase = trace, Refinement(self.index, panels, self.settings.narrowest)
        # Panels are judged as they are.
        self.correction = np.zeros_like(self.correction)
        return True

    def judge(self, measured: Measured, a: int, rows: Tensor) -> None:
        """Take in a new estimate of the panels and decide how to go on.

        Parameters
        ----------
        measured : Measured
            Of the combinations of this sample and others.
        a : int
            Which of them this one is.
        rows : torch.Tensor
            Running sums, shape (R, T, D).
        """
        phase, trace, settings = self.phase, self.trace, self.settings
        if phase is None or trace is None:
            raise RuntimeError("only samples in panels are judged one by one")
        norms, allowed_gap = measured.norms[a], measured.allowed_gap[a]
        error = phase.error(norms, trace)
        # Around a step the attributions err as their sum does, in the same proportion: the gap is an
        # estimate of the error, and needs its margin.
        gap = SAFETY * np.abs(measured.totals[a, 0] - (self.output - self.baseline_output))
        noise = settings.noise(trace.mean_size(), np.stack([self.baseline_output, self.output]))
        excess = error / (settings.allowed(norms[0], noise) + TINY)
        self.watch(norms[0], excess, noise, allowed_gap)
        self.error = settings.relative(error, norms[0], noise)
        done = excess[settings.watched].max(0) <= 1
        done &= settings.complete(gap, allowed_gap + TINY, norms[0, 0], noise)
        done &= not phase.hides()
        self.converged = done & (self.error <= settings.tol)
        if done.all():
            self.finish(done, trace.values)
        elif phase.jumps(self.allowed_gap):
            # What else is rough on this path does not matter any more.
            self.status = "jump"
        elif phase.stuck and not phase.rough:
            self.status = "diverging"
        else:
            panels, anew = phase.refined()
            if self._affordable(panels):
                phase.open_next(panels, anew, rows)
            else:
                self.status = "budget"

    def _affordable(self, panels: list[Panel]) -> bool:
        """Whether the budget allows it; asked before any sum is cleared, so that an estimate remains."""
        unknown = {end.place for p in panels for end in (p.left, p.right) if end.value is None}
        nodes = sum(len(panel.rule()[0]) for panel in panels)
        return self.used + nodes + len(unknown) <= self.settings.max_evaluations

    def estimate(self, n_rows: int) -> Array:
        """Coefficients of the running sums in the final estimate, shape (R, T)."""
        if self.phase is not None:
            return np.repeat(combinations(n_rows)[0, :, None], len(self.output), 1)
        return np.zeros((n_rows, len(self.output))) if self.coefficients is None else self.coefficients

    def diagnosis(self) -> Diagnosis:
        """The statement about this sample, once it has a status."""
        status = self.status or "budget"
        if status in ("converged", "nonfinite"):
            return Diagnosis(status, place=self.place)
        if self.detail:
            return Diagnosis(status, detail=self.detail)
        jumps = self.phase.jumps(self.allowed_gap) if self.phase else ()
        if self.phase and self.phase.grows_at_baseline(self.length):
            status = "diverging"
        elif jumps:
            status = "jump"
        blind = status == "diverging" and self.trace is not None and self.trace.blind_to_scale()
        return Diagnosis(status, jumps, blind_to_scale=blind)
