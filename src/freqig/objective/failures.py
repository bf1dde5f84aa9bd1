"""What the caller gave, told beside errors of the model, which know only what freqig called it with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from ..errors import CALLED, add_context


@contextmanager
def told_of(shapes: Sequence[torch.Size], name: str = "x") -> Iterator[list[str]]:
    """Add to errors that leave the model the shape of the input, and what else is noted meanwhile.

    Parameters
    ----------
    shapes : sequence of torch.Size
        Shape of every input in the model's own layout.
    name : str, default "x"
        What the caller knows it by.

    Yields
    ------
    list of str
        For what may explain a failure of the model.
    """
    hints: list[str] = []
    try:
        yield hints
    except Exception as error:
        if left_the_model(error):
            told = " and ".join(str(tuple(shape)) for shape in shapes)
            for context in (f"{name} has the shape{'s' if len(shapes) > 1 else ''} {told}", *hints):
                add_context(error, context)
        raise


@contextmanager
def at_the_baseline() -> Iterator[None]:
    """Say of errors that leave the model that it was called at the baseline."""
    try:
        yield
    except Exception as error:
        if left_the_model(error):
            add_context(error, "at the baseline, where the model must work as well: pass another baseline=")
        raise


def left_the_model(error: Exception) -> bool:
    """Whether an error is that of a model that freqig called."""
    return CALLED in "\n".join([*map(str, error.args), *getattr(error, "__notes__", ())])
