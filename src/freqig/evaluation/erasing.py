"""What becomes of the explained class without the top of the coefficients, and with the top alone."""

from __future__ import annotations

import numpy as np

from .catalogue import KEPT
from .ordering import ranked, top
from .replacing import Replacing

SHARE = 0.1
"""Share of the coefficients that comprehensiveness, sufficiency and log-odds remove or keep."""
LEAST = 1e-12
"""Probability below which it is taken for this, so that its logarithm is finite."""
MOST_STEPS = 50
"""Steps of cumulative differences; where the top has more coefficients, several are replaced at once."""

Array = np.ndarray


def erasures(replacing: Replacing, attribution: Array) -> dict[str, Array]:
    """Comprehensiveness, sufficiency, log-odds and faithfulness, by name, shape (N,) each."""
    count, order = np.isfinite(attribution).sum(1), ranked(attribution)
    everyone = np.arange(len(attribution))
    whole = replacing.scorer(replacing.source.x, everyone)
    before, field = whole.own_or_output, "own_or_output"
    first = top(count, SHARE)[:, None]
    without = replacing.prefixes(order, first, True, field)[:, 0]
    alone = {
        name: replacing.prefixes(order, top(count, share)[:, None], False, field)[:, 0]
        for name, share in KEPT.items()
    }
    odds = np.full(len(attribution), np.nan)
    if whole.own is not None:
        odds = np.log(np.maximum(without, LEAST)) - np.log(np.maximum(before, LEAST))
    return {
        "comprehensiveness": before - without,
        "sufficiency": before - alone[f"faithfulness@{SHARE:g}"],
        "log_odds": odds,
        **alone,
    }


def differences(replacing: Replacing, attribution: Array) -> dict[str, Array]:
    """Cumulative prediction difference and preservation, by name, shape (N,) each.

    With x_k the signal after k coefficients of an order were replaced, both are Σ ‖F(x_k) - F(x_k+1)‖₁ over
    the first 10 %. Changes of opposite sign add and do not cancel, as those of single coefficients do in the
    explained output.
    """
    count = np.isfinite(attribution).sum(1)
    found = {}
    for ending, scores in (("_by_magnitude", np.abs(attribution)), ("_by_sign", attribution)):
        for name, order in (("cpd", ranked(scores)), ("cpp", ranked(-scores))):
            last = top(count, SHARE)
            steps = min(MOST_STEPS, int(last.max()))
            counts = np.rint(last[:, None] * np.linspace(0, 1, steps + 1)).astype(np.int64)
            answers = replacing.prefixes(order, counts, True, "vector")
            found[name + ending] = np.abs(np.diff(answers, axis=1)).sum((1, 2))
    return found
