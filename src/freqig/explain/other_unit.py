"""How much outputs would move if the signals came in another unit."""

from __future__ import annotations

import warnings
from dataclasses import replace

from torch import Tensor

from ..baselines.drawn import Drawn
from ..baselines.reading import draw_baselines
from ..domains import RFFT
from ..models import Model
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .call import Question, explain
from .kept import Kept
from .methods import EndsOnly
from .settings import Settings


def rise_if_scaled(
    model: Model, settings: Settings, kept: Kept, question: Question, found: Attributions, by: float
) -> Tensor:
    """Explained differences F(x) - F(x') of the same outputs, with signal and baseline multiplied.

    Parameters
    ----------
    model, settings, kept, question
        As `explain` takes them.
    found : Attributions
        What was found for the signals as they are.
    by : float
        What to multiply with.

    Returns
    -------
    torch.Tensor
        Shape (N, T).
    """
    signal = question.signal
    starts = draw_baselines(question.baseline, signal.values, settings.time_axis, signal.fs, signal)
    scaled = replace(signal, values=signal.values.double() * by)
    target = question.target if found.predicted is None or question.target is not None else found.predicted
    asked = replace(
        question,
        signal=scaled,
        target=target,
        baseline=Drawn(starts.double() * by),
        inputs=[one.double() * by for one in question.inputs],
    )
    quick = replace(settings, domains=(RFFT(),), progress=False)
    with warnings.catch_warnings():
        # Of what is only tried nothing is said.
        warnings.simplefilter("ignore")
        moved = explain(model, quick, kept, asked, Axes.of(scaled), EndsOnly(settings.tol))
    return moved.output - moved.baseline_output
