"""Output scales: which scalar of the model's output is explained.

On a published benchmark with known spectral truth the same integrated gradients find 65 % of
the true frequencies for the logit and 99 % for the log-softmax, so the scale is a choice to
make, and it is recorded with every result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from .._check import shown
from .classes import Values

ScaleName = Literal["logit", "log_prob", "probability", "margin"]
OutputScale = ScaleName | Callable[..., Tensor]

SCALE_NAMES: tuple[str, ...] = get_args(ScaleName)


def scale_of(name: ScaleName, values: Values = "logits") -> Callable[[Tensor, Tensor], Tensor]:
    """Function that turns outputs and target classes into explained scalars.

    Parameters
    ----------
    name : {"logit", "log_prob", "probability", "margin"}
        `logit`: the raw output. `log_prob` and `probability`: its (log-)softmax over classes,
        with one class the (log-)sigmoid. `margin`: the logit minus the logsumexp of the other
        logits, that is the log-odds of the target; with one class the logit.
    values : {"logits", "softmax", "probabilities"}
        What the outputs are, see `freqig.objective.classes.Classes`. Of probabilities `logit` and
        `probability` are the outputs as they are, `log_prob` is their logarithm, and `margin` their
        log-odds log p - log(1 - p), with the others' sum for 1 - p where it is known to be that.

    Returns
    -------
    callable
        Takes outputs of shape (P, K) or (P, T, K) and classes of shape (P, T), int64, and
        returns scalars of shape (P, T).

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> logits = torch.tensor([[0.0, 0.0]])
    >>> scale_of("probability")(logits, torch.tensor([[1]]))
    tensor([[0.5000]])
    """
    try:
        of_logits, of_softmax, of_probabilities = _SCALES[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"output must be one of {', '.join(map(repr, SCALE_NAMES))}, or a callable, got {shown(name)}"
        ) from None
    return {"logits": of_logits, "softmax": of_softmax, "probabilities": of_probabilities}[values]


def _pick(scores: Tensor, classes: Tensor) -> Tensor:
    if scores.ndim == 3:
        return scores.gather(2, classes.unsqueeze(2)).squeeze(2)
    return scores.gather(1, classes)


def _log_prob(logits: Tensor, classes: Tensor) -> Tensor:
    one = logits.shape[-1] == 1
    return _pick(functional.logsigmoid(logits) if one else logits.log_softmax(-1), classes)


def _probability(logits: Tensor, classes: Tensor) -> Tensor:
    one = logits.shape[-1] == 1
    return _pick(logits.sigmoid() if one else logits.softmax(-1), classes)


def _margin(logits: Tensor, classes: Tensor) -> Tensor:
    if logits.shape[-1] == 1:
        return _pick(logits, classes)
    others = _but_targets(logits, classes, -torch.inf).logsumexp(-1)
    return _pick(logits, classes) - others


def _but_targets(scores: Tensor, classes: Tensor, value: float) -> Tensor:
    """Scores of all classes for each target, (P, T, K), with `value` in the target's own place."""
    per_target = scores if scores.ndim == 3 else scores.unsqueeze(1)
    return per_target.masked_fill(functional.one_hot(classes, scores.shape[-1]).bool(), value)


def _log(p: Tensor) -> Tensor:
    """Logarithm of probabilities; what a dtype cannot tell from zero is taken for its smallest number."""
    # In half precision 6e-5 would be the smallest.
    p = p if p.dtype in (torch.float32, torch.float64) else p.float()
    return p.clamp_min(torch.finfo(p.dtype).tiny).log()


def _log_of_probability(p: Tensor, classes: Tensor) -> Tensor:
    return _log(_pick(p, classes))


def _margin_of_softmax(p: Tensor, classes: Tensor) -> Tensor:
    # 1 - p of a p near one would be rounding; the sum of the others is what it stands for.
    return _log(_pick(p, classes)) - _log(_but_targets(p, classes, 0.0).sum(-1))


def _margin_of_probability(p: Tensor, classes: Tensor) -> Tensor:
    chosen = _pick(p, classes)
    return _log(chosen) - _log(1 - chosen)


_Scale = Callable[[Tensor, Tensor], Tensor]

_SCALES: dict[str, tuple[_Scale, _Scale, _Scale]] = {
    "logit": (_pick, _pick, _pick),
    "log_prob": (_log_prob, _log_of_probability, _log_of_probability),
    "probability": (_probability, _pick, _pick),
    "margin": (_margin, _margin_of_softmax, _margin_of_probability),
}
"""By name, of logits, of probabilities that sum to one, and of other probabilities."""
