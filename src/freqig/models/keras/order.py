"""Inputs that a Keras model knows by name, in the order of a tuple."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

Sizes = tuple[int | None, ...]


def check_order(
    declared: Sequence[tuple[str, Sizes]], points: Sequence[Any], written: Sequence[str] = ()
) -> None:
    """Refuse inputs in another order than that of the model, and an order that nothing tells.

    Keras says nothing where what it computes fits. A model that takes a dictionary has its inputs in the
    order of their names, whoever wrote it may have another one in mind, and equal shapes do not tell.

    Parameters
    ----------
    declared : sequence of (str, tuple)
        Names, and sizes behind the batch axis, in the order of the model.
    points : sequence of tensors
        As they came.
    written : sequence of str
        Names in the order of the dictionary that the model was built with; none for a list.

    Raises
    ------
    ValueError
        If sizes do not fit, or two inputs could be taken for each other.
    """
    sizes = [tuple(point.shape)[1:] for point in points]
    order = ", ".join(f"{name!r} {wanted}" for name, wanted in declared)
    for i, ((_, wanted), given) in enumerate(zip(declared, sizes, strict=True)):
        if not _fits(given, wanted):
            raise ValueError(
                f"x must be a tuple of the inputs in the order of the model, {order}, each behind the batch "
                f"axis, got {given} as number {i}"
            )
    for (first, one), (second, other) in combinations(zip(declared, sizes, strict=True), 2):
        swapped = bool(written) and written.index(first[0]) > written.index(second[0])
        if swapped and _fits(one, second[1]) and _fits(other, first[1]):
            inputs = ", ".join(f"keras.Input({given})" for given in sizes)
            named = ", ".join(f"{name!r}: x[{i}]" for i, name in enumerate(written))
            raise ValueError(
                f"x must tell which of its inputs is {first[0]!r} and which is {second[0]!r}, got shapes "
                f"{one} and {other} behind the batch axis, which fit both; the model was built with "
                f"{', '.join(map(repr, written))}, which is not the order of the names: explain a model that "
                f"takes a list, x = [{inputs}]; keras.Model(x, model({{{named}}}))"
            )


def _fits(given: Sizes, wanted: Sizes) -> bool:
    return len(given) == len(wanted) and all(a in (None, b) for a, b in zip(wanted, given, strict=True))
