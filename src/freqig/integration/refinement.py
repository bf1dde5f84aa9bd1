"""Second phase: the path in panels, breadth first, those split that are not accurate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .node_trace import TINY, NodeTrace, effective_number
from .panels import LAST, LEFT, RIGHT, RULE, End, Finding, Panel, examine, share
from .path import Array, Jump
from .streaming import Group, Sums

# Rows of the running sums: estimate and error of panels that are done, and of those to be split.
DONE, DONE_ERROR, ROUGH, ROUGH_ERROR = range(4)
N_ROWS = 4

CAUTION = 4.0
"""Divides every panel's share of the tolerance when each kept its share and the whole did not."""

Found = tuple[Panel, Finding]


def combinations(n_rows: int) -> Array:
    """Estimate and its error, as coefficients of the running sums, shape (2, R)."""
    combined = np.zeros((2, n_rows))
    combined[0, [DONE, ROUGH]] = 1
    combined[1, [DONE_ERROR, ROUGH_ERROR]] = 1
    return combined


class Refinement:
    """A sample in its second phase.

    Parameters
    ----------
    sample : int
        Which sample.
    panels : sequence of Panel
        Panels that cover the path.
    narrowest : float
        Width below which no panel is split.
    """

    def __init__(self, sample: int, panels: Sequence[Panel], narrowest: float) -> None:
        self.sample, self.narrowest = sample, narrowest
        self.open = list(panels)
        self.done: list[Found] = []
        self.rough: list[Found] = []
        self.stuck: list[Found] = []
        self.strictness = 1.0

    def unknown_ends(self) -> list[float]:
        """Places of cuts at which F is not known, sorted."""
        ends = [end for panel in self.open for end in (panel.left, panel.right)]
        return sorted({end.place for end in ends if end.value is None})

    def know(self, values: dict[float, Array]) -> None:
        """Fill in F at cuts, so that the gap of every panel is a fact."""

        def known(end: End) -> End:
            return end if end.value is not None else End(end.place, values[end.place])

        self.open = [Panel(known(panel.left), known(panel.right)) for panel in self.open]

    def propose(self) -> list[Group]:
        """The nodes of all open panels, left to right."""
        return [Group([self.sample], *panel.rule(), measured=True) for panel in self.open]

    def absorb(self, panel: Panel, sums: Sums, rows: Tensor, allowed: Array, allowed_gap: Array) -> None:
        """Judge one open panel and add it to the running sums, shape (R, T, D).

        Parameters
        ----------
        panel : Panel
            Which one.
        sums : Sums
            What came of it.
        rows : torch.Tensor
            Running sums of the sample.
        allowed, allowed_gap : numpy.ndarray
            L1 error and completeness gap that the whole path may have, shape (T,).
        """
        finding = examine(panel, sums, allowed * self.strictness, allowed_gap * self.strictness)
        factor = torch.as_tensor(finding.factor, dtype=rows.dtype, device=rows.device).unsqueeze(1)
        split = finding.excess > 1 and panel.width >= 8 * self.narrowest
        rows[ROUGH if split else DONE] += sums.sums[RULE]
        error = rows[ROUGH_ERROR if split else DONE_ERROR]
        error.addcmul_(sums.sums[LAST], factor).add_(sums.sums[LEFT]).add_(sums.sums[RIGHT])
        if split:
            self.rough.append((panel, finding))
            return
        self.done.append((panel, finding))
        if finding.excess > 1:
            self.stuck.append((panel, finding))

    def error(self, norms: Array, trace: NodeTrace) -> Array:
        """Estimated L1 error of the estimate, shape (P, T).

        Errors of panels add as vectors; added as norms they would be overestimated by a factor
        that grows with their number.

        Parameters
        ----------
        norms : numpy.ndarray
            L1 norms of the combinations in every projection, shape (2, P, T).
        trace : NodeTrace
            What the nodes of the first phase saw.
        """
        found = [*self.done, *self.rough]
        few = effective_number(np.array([finding.error * share(panel.width) for panel, finding in found]))
        # Gaps that hide in two panels may cancel in the sum while what hides in them does not.
        hidden = np.sqrt(sum(np.square(finding.hidden) for _, finding in found)) * trace.amplification()
        error: Array = norms[1] * (1 + 1 / few) + hidden * norms[0] / (norms[0, 0] + TINY)
        return error

    def hides(self) -> bool:
        """Whether a panel that would be split has a gap that its estimated error does not explain."""
        return any(finding.gap > 1 and (finding.hidden > 0).any() for _, finding in self.rough)

    def refined(self) -> tuple[list[Panel], bool]:
        """Panels to evaluate next, and whether all others are evaluated anew with them."""
        if self.rough:
            return [child for panel, finding in self.rough for child in panel.split(finding.cuts)], False
        finer = [
            child
            for panel, finding in self.done
            for child in (panel.split(finding.cuts) if CAUTION * finding.excess > 1 else [panel])
        ]
        return finer, True

    def open_next(self, panels: list[Panel], anew: bool, rows: Tensor) -> None:
        """Go on with what `refined` returned, and clear the running sums that it replaces."""
        self.open, self.rough = panels, []
        rows[ROUGH:N_ROWS].zero_()
        if anew:
            # Every panel kept its share and the whole did not: the shares were too large.
            self.strictness /= CAUTION
            self.done = []
            rows.zero_()

    def jumps(self, allowed_gap: Array) -> tuple[Jump, ...]:
        """Rises of F inside panels that are too narrow to be split, the largest first."""
        found = []
        for _, finding in self.stuck:
            if (np.abs(finding.jump) > allowed_gap).any():
                left, right = (end.place for end in finding.roughest)
                found.append(Jump((left + right) / 2, right - left, finding.jump))
        return tuple(sorted(found, key=lambda jump: -float(np.abs(jump.size).max())))

    def grows_at_baseline(self, length: Array) -> bool:
        """Whether attributions pile up where the path leaves the baseline, like those of gradients 1/α.

        Parameters
        ----------
        length : numpy.ndarray
            L1 norm of the estimate, shape (T,).
        """
        if not any(panel.left.place == 0 for panel, _ in self.stuck):
            return False
        stretch = 1e3 * 8 * self.narrowest
        near = sum(
            finding.norm
            for panel, finding in (*self.done, *self.rough)
            if panel.left.place > 0 and panel.right.place <= stretch
        )
        return bool((near > 10 * stretch * length).any())
