"""Walks through a batch block by block: integrate, project, keep the projections only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..diagnosis import Diagnosis, first_shortfalls
from ..objective.ends import NonFiniteError
from ..objective.paths import Paths
from ..result.attributions import Attributions


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
    paths: Paths,
    explain: Callable[[Paths], Attributions],
    size: BlockSize,
    done: Callable[[int], None],
) -> Attributions:
    """Explain a batch block by block, so that memory beyond results does not grow with it.

    Parameters
    ----------
    paths : Paths
        N of them, at least one.
    explain : callable
        Explains a block.
    size : BlockSize
        Samples and targets of a block. Blocks of targets have nodes of their own.
    done : callable
        Told how many samples are done.

    Returns
    -------
    Attributions
        Those of all samples and targets.
    """
    n_samples, n_targets = paths.output.shape
    if 0 < n_samples <= size.samples and n_targets <= size.targets:
        whole = explain(paths).on_cpu()
        done(n_samples)
        return whole
    space: Attributions | None = None
    diagnoses = list[Diagnosis]()
    for samples in _slices(n_samples, size.samples):
        worst = tuple[Diagnosis, ...]()
        for targets in _slices(n_targets, size.targets):
            try:
                block = explain(paths.block(samples, targets))
            except NonFiniteError as error:
                # The integrator counts from the first sample of the block.
                raise NonFiniteError(error.sample, error.place, samples.start) from None
            # What the results of a domain look like shows when the first are there.
            space = space or block.room(n_samples, n_targets)
            space.store(samples, targets, block)
            worst = first_shortfalls(worst, block.diagnoses) if worst else block.diagnoses
            # Not to be held while the next one is made.
            del block
        diagnoses.extend(worst)
        done(samples.stop - samples.start)
    if space is None:
        raise ValueError("x must hold at least one sample, got none")
    return replace(space, diagnoses=tuple(diagnoses))


def _slices(total: int, each: int) -> list[slice]:
    return [slice(begin, min(begin + each, total)) for begin in range(0, total, each)]
