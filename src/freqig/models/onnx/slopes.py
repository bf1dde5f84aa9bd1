"""Whether the gradient of a graph is that of its outputs: against differences of the same graph.

Differences in single precision show most networks right. Where they do not, the step may be too coarse: a
network that listens to high frequencies turns around within it, and over a smaller one rounding takes the
place of the difference. In double precision a millionth of the signal's spread will do, in which hardly any
network bends; so that decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .net import Graph

STEP = 1e-4
# In float64. The second is tried where the first disagrees, since that may have crossed a jump.
FINE_STEPS = (1e-6, 1e-8)
TOLERANCE = 2e-2
# Where a graph cannot run in float64.
COARSE_TOLERANCE = 0.25
ROUNDING = 256
SHORT = (torch.float32, torch.float16)

Tensors = tuple[Tensor, ...]
Named = dict[str, Tensor]


class InDouble(TorchFunctionMode):
    """Runs what was written for float32 or float16 in float64: tensors, and the dtypes that calls ask for.

    Examples
    --------
    >>> with InDouble():
    ...     torch.ones(2).float().dtype
    torch.float64
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (Tensor.float, Tensor.half):
            func = Tensor.double
        found = func(*_doubled(args), **_doubled(kwargs or {}))
        return _doubled(found) if isinstance(found, (Tensor, tuple, list)) else found


def _doubled(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.double() if value.dtype in SHORT else value
    if isinstance(value, torch.dtype) and value in SHORT:
        return torch.float64
    if type(value) in (tuple, list):
        return type(value)(_doubled(one) for one in value)
    return {key: _doubled(one) for key, one in value.items()} if type(value) is dict else value


@dataclass(frozen=True)
class Line:
    """A way through the inputs of a graph: a few series at once, and where each of them goes.

    Parameters
    ----------
    points, directions : tuple of torch.Tensor
        One of each for every signal, rows first.
    extra : tuple of torch.Tensor
        Further arguments of the graph for these rows.
    """

    points: Tensors
    directions: Tensors
    extra: Tensors

    def at(self, step: float) -> Tensors:
        """Inputs of the graph that many steps along."""
        moved = (p + step * d for p, d in zip(self.points, self.directions, strict=True))
        return (*moved, *self.extra)


@dataclass(frozen=True)
class Slope:
    """Derivative of a mix of an output's entries along a line, by autograd.

    Parameters
    ----------
    mix : torch.Tensor
        Weights of the entries.
    value : float
        The derivative.
    size : float
        What it would be along a random direction, which tells a small one from a chance.
    """

    mix: Tensor
    value: float
    size: float

    def error(self, ahead: Tensor, behind: Tensor, step: float, rounding: float) -> float:
        """Difference from the slope between two outputs, in parts of it."""
        mix = self.mix.to(ahead.dtype)
        high, low = mix * _finite(ahead), mix * _finite(behind)
        numeric = float((high - low).sum()) / (2 * step)
        noise = rounding * torch.finfo(high.dtype).eps * float(high.abs().sum()) / step
        return abs(self.value - numeric) / max(self.size + abs(numeric) + noise, 1e-300)


def slopes(graph: Graph, line: Line) -> tuple[Named, dict[str, Slope | None]]:
    """Outputs at the start of a line and their slopes along it; None where an output has none.

    Parameters
    ----------
    graph : Graph
        The converted model.
    line : Line
        Where to look.
    """
    with torch.inference_mode(False), torch.enable_grad():
        leaves = [p.detach().clone().requires_grad_() for p in line.points]
        outputs = graph(*(leaf.clone() for leaf in leaves), *line.extra)
        found = {
            name: _slope(output, leaves, line.directions)
            for name, output in outputs.items()
            if output.is_floating_point()
        }
    return {name: output.detach() for name, output in outputs.items()}, found


def disagreement(
    graph: Graph, line: Line, found: dict[str, Slope | None], ahead: Named, behind: Named
) -> dict[str, float]:
    """How far slopes are from differences, in parts of them; above `TOLERANCE` they are another function's.

    Parameters
    ----------
    graph : Graph
        The converted model.
    line : Line
        Where to look.
    found : dict
        Slopes by autograd, by name of the output.
    ahead, behind : dict
        Outputs a `STEP` ahead and behind.
    """
    known = {name: slope for name, slope in found.items() if slope is not None}
    errors = {name: slope.error(ahead[name], behind[name], STEP, 0) for name, slope in known.items()}
    for step in FINE_STEPS:
        doubtful = [name for name, error in errors.items() if not error <= TOLERANCE]
        if not doubtful:
            break
        try:
            with torch.no_grad(), InDouble():
                fine = Line(_doubled(line.points), _doubled(line.directions), line.extra)
                high, low = graph(*fine.at(step)), graph(*fine.at(-step))
            errors |= {name: known[name].error(high[name], low[name], step, ROUNDING) for name in doubtful}
        except Exception:  # noqa: BLE001 - some operators have no float64: the rest must do, on their scale
            share = TOLERANCE / COARSE_TOLERANCE
            coarse = {name: known[name].error(ahead[name], behind[name], STEP, ROUNDING) for name in doubtful}
            return errors | {name: error * share for name, error in coarse.items()}
    return errors


def _slope(output: Tensor, leaves: list[Tensor], directions: Tensors) -> Slope | None:
    generator = torch.Generator().manual_seed(3)
    drawn = torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output)
    mix = drawn.where(torch.isfinite(output.detach()), 0.0)
    total = (mix * _finite(output)).sum()
    if not total.requires_grad:
        return None
    gradients = torch.autograd.grad(total, leaves, retain_graph=True, materialize_grads=True)
    shares = [(g * d).detach().double() for g, d in zip(gradients, directions, strict=True)]
    size = sum(float(share.square().sum()) for share in shares) ** 0.5
    return Slope(mix, sum(float(share.sum()) for share in shares), size)


def _finite(output: Tensor) -> Tensor:
    return output.nan_to_num(0.0, 0.0, 0.0)
