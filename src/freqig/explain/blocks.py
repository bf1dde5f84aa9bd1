"""Walks through a batch block by block: integrate, project, keep the projections only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from ..integration.fixed import NonFiniteError
from ..integration.path import Diagnosis
from ..objective.objective import Objective
from ..result.attributions import Run

Engine = Callable[[Objective, Tensor, Tensor, Tensor], Run]
"""From objective, input, baseline and explained scalar at the input of a block to its results."""


@dataclass(frozen=True)
class BlockSize:
    """How much is integrated at once.

    Parameters
    ----------
    samples, targets : int
        Samples, and targets of each of them.
    """

    samples: int
    targets: int


def explain_blocks(
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    output: Tensor,
    engine: Engine,
    size: BlockSize,
    done: Callable[[int], None],
) -> Run:
    """Explain a batch block by block, so that memory beyond results does not grow with it.

    Parameters
    ----------
    objective : Objective
        Explained scalars of N samples.
    x, baseline : torch.Tensor
        Ends of the paths, shape (N, *shape), dtype and device of the model, N at least 1.
    output : torch.Tensor
        Explained scalars at the input, shape (N, T).
    engine : callable
        Explains a block.
    size : BlockSize
        Samples and targets of a block. Blocks of targets have nodes of their own.
    done : callable
        Told how many samples are done.

    Returns
    -------
    Run
        Results of all samples and targets.
    """
    n_samples, n_targets = output.shape
    space: Run | None = None
    diagnoses = list[Diagnosis]()
    for samples in _slices(n_samples, size.samples):
        ends, worst = (x[samples], baseline[samples]), tuple[Diagnosis, ...]()
        for targets in _slices(n_targets, size.targets):
            part = objective.block(samples.start, samples.stop, targets)
            try:
                block = engine(part, *ends, output[samples, targets])
            except NonFiniteError as error:
                # The integrator counts from the first sample of the block.
                raise NonFiniteError(error.sample, error.place, samples.start) from None
            # What the results of a domain look like shows when the first are there.
            space = space or block.room(n_samples, n_targets)
            space.store(samples, targets, block)
            worst = _worst(worst, block.diagnoses)
        diagnoses.extend(worst)
        done(samples.stop - samples.start)
    if space is None:
        raise ValueError("x must hold at least one sample, got none")
    return replace(space, diagnoses=tuple(diagnoses))


def _slices(total: int, each: int) -> list[slice]:
    return [slice(begin, min(begin + each, total)) for begin in range(0, total, each)]


def _worst(before: tuple[Diagnosis, ...], after: tuple[Diagnosis, ...]) -> tuple[Diagnosis, ...]:
    """Of two diagnoses of a sample the first that tells of a shortfall."""
    if not before:
        return after
    pairs = zip(before, after, strict=True)
    return tuple(new if old.status == "converged" else old for old, new in pairs)
