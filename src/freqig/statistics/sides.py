"""The two sides of a comparison: places lined up, and one value per unit at each of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from .._check import shown
from ..groupings import class_names, in_order
from ..result.reading import one_target, same_unit
from .cases import SUBJECT, Cases, rows_of, unit_means
from .intervals import FEWEST
from .pairs import pairs_of


@dataclass(frozen=True, eq=False)
class Sides:
    """Values of units on both sides, shape (n, ...); in pairs, row by row, where `paired`.

    Parameters
    ----------
    first, second : numpy.ndarray
        Values of the units.
    place : xarray.DataArray
        The variable, of one case, whose dimensions and coordinates are those of the values.
    paired : bool
        Whether rows belong together.
    unit : str
        "subject" or "sample".
    eps : float
        Relative size of the rounding of the attributions.
    """

    first: np.ndarray
    second: np.ndarray
    place: xr.DataArray
    paired: bool
    unit: str
    eps: float

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of a place."""
        return tuple(map(str, self.place.dims))

    @property
    def samples(self) -> list[np.ndarray]:
        """What is tested: the differences of pairs, or both groups."""
        return [self.first - self.second] if self.paired else [self.first, self.second]


def split(result: Any, by: Any, between: Any) -> tuple[Cases, Cases, tuple[str, str]]:
    """Two groups of one result, and what they are called.

    Raises
    ------
    TypeError, ValueError
        If `by` is not one grouping, or `between` not two of its groups; if there are more and none are named.
    """
    whole = Cases.of(result, "a")
    labels, known = whole.labels(by, "a")
    if len(labels) != 1:
        raise ValueError(f"by must be one grouping where b is None, got {shown(by)}")
    ((name, own),) = labels.items()
    there = in_order(own[known].tolist(), class_names(whole.data))
    if between is None:
        if len(there) != 2:
            raise ValueError(
                f"between must name two of the groups by {name!r}, which are "
                f"{', '.join(map(repr, there)) or 'none'}"
            )
        between = tuple(there)
    if isinstance(between, str) or not isinstance(between, (tuple, list)) or len(between) != 2:
        raise TypeError(f"between must be two labels, such as ('N2', 'W'), got {shown(between)}")
    missing = [one for one in between if one not in there]
    if missing or between[0] == between[1]:
        raise ValueError(
            f"between must be two of the groups by {name!r}, which are {', '.join(map(repr, there))}, got "
            f"{shown(tuple(between))}"
        )
    sides = [whole.take(np.flatnonzero(known & (own == one))) for one in between]
    return sides[0], sides[1], (str(between[0]), str(between[1]))


def lined_up(first: Cases, second: Cases, name: str, *, paired: bool, one_result: bool) -> Sides:
    """Bring two sides together: axes, units, and pairs.

    Parameters
    ----------
    first, second : Cases
        The sides.
    name : str
        Variable that is compared.
    paired : bool
        Whether units are compared in pairs.
    one_result : bool
        Whether both are groups of one result, in which no sample is in both.

    Raises
    ------
    ValueError
        If axes or units of attributions differ, subjects are known on one side only, pairs are not the same
        on both, units are on both sides without pairs, there are fewer than six, or values are not finite.
    """
    one, other = (own.attributions(name, called)[name] for own, called in ((first, "a"), (second, "b")))
    for own in (one, other):
        one_target(own)
    other = same_axes(one, other)
    people = [own.subjects(called) for own, called in ((first, "a"), (second, "b"))]
    if (people[0] is None) != (people[1] is None):
        has, lacks = ("a", "b") if people[1] is None else ("b", "a")
        raise ValueError(
            f"a and b must both have the coordinate {SUBJECT!r} or neither, but only {has} has it: give it "
            f"to {lacks} too, or compare samples, {has}.drop_vars({SUBJECT!r})"
        )
    unit = "sample" if people[0] is None else SUBJECT
    if people[0] is not None and people[1] is not None:
        rows = _by_name(people[0]), _by_name(people[1])
        _check_people(*rows, paired)
        members = [list(own.values()) for own in rows]
    else:
        if first.of_means or second.of_means:
            raise ValueError(
                "means must be those of subjects to be compared, by={'subject': ..., ...} of "
                "Explainer.average, since what their samples differ by is not in them"
            )
        if paired and one_result:
            raise ValueError(
                "paired must be False for two groups of samples of one result, which are no pairs without a "
                f"coordinate {SUBJECT!r}: add it, result.assign_coords(subject=('sample', [...]))"
            )
        places = (np.arange(len(first)), np.arange(len(second)))
        if paired:
            places = pairs_of(first.data, second.data)
        members = [[side[i : i + 1] for i in range(len(side))] for side in places]
    for called, units in zip("ab", members, strict=True):
        if len(units) < FEWEST:
            raise ValueError(
                f"{called} must have at least {FEWEST} {unit}s, got {len(units)}: with fewer no permutation "
                "test can tell anything"
                + (f"; for the samples of one person, drop_vars({SUBJECT!r})" if unit == SUBJECT else "")
            )
    values = [
        unit_means(variable, own, cases.weights, name, called)
        for variable, own, cases, called in (
            (one, members[0], first, "a"),
            (other, members[1], second, "b"),
        )
    ]
    # Means are float64, whatever the model computes in.
    exact = one.dtype == other.dtype == np.float64 and not (first.of_means or second.of_means)
    eps = float(np.finfo(np.float64 if exact else np.float32).eps)
    return Sides(values[0], values[1], one.isel(sample=0, drop=True), paired, unit, eps)


def _by_name(subjects: np.ndarray) -> dict[Hashable, np.ndarray]:
    """Rows of each subject, in an order that does not depend on that of the samples."""
    rows = rows_of(subjects.tolist())
    return {name: rows[name] for name in sorted(rows, key=lambda own: (str(type(own)), own))}


def _check_people(first: dict[Hashable, Any], second: dict[Hashable, Any], paired: bool) -> None:
    common = [name for name in first if name in second]
    if not paired and common:
        raise ValueError(
            f"a and b must have no subject in common unless paired=True, but both have {_some(common)}: "
            "what one person has on both sides is not independent"
        )
    if paired and (len(common) < len(first) or len(common) < len(second)):
        lost = [name for name in first if name not in second], [name for name in second if name not in first]
        told = [f"only {side} has {_some(own)}" for side, own in zip("ab", lost, strict=True) if own]
        raise ValueError(
            f"a and b must have the same subjects where paired=True, but {' and '.join(told)}: compare "
            f"those that both have, such as a.sel(sample=a.subject.isin([...]))"
        )


def same_axes(one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """The second in the order of axes and channels of the first.

    Raises
    ------
    ValueError
        If they differ in more than order, or in their units.
    """
    if set(one.dims) != set(other.dims):
        raise ValueError(f"a and b must have the same axes, got {_named(one)} and {_named(other)}")
    other = other.transpose(*one.dims)
    for dim in one.dims[1:]:
        if one.sizes[dim] != other.sizes[dim] or (dim in one.coords) != (dim in other.coords):
            raise ValueError(
                f"a and b must have the same {dim}, got {one.sizes[dim]} and {other.sizes[dim]} of them"
                + (", and labels on one side only" if one.sizes[dim] == other.sizes[dim] else "")
            )
        if dim not in one.coords:
            continue
        mine, theirs = one[dim].values.tolist(), other[dim].values.tolist()
        if one[dim].dtype.kind == "f" and other[dim].dtype.kind == "f":
            same = bool(np.allclose(mine, theirs, rtol=1e-6, atol=1e-12))
        else:
            same = mine == theirs
            if not same and len(set(mine)) == len(mine) and set(mine) == set(theirs):
                other, same = other.isel({dim: [theirs.index(label) for label in mine]}), True
        if not same:
            at = next(i for i, (x, y) in enumerate(zip(mine, theirs, strict=True)) if x != y)
            raise ValueError(
                f"a and b must have the same {dim}, but at position {at} there is {mine[at]!s} in a and "
                f"{theirs[at]!s} in b: explain signals of one length, rate and set of channels"
            )
        if (units := [own[dim].attrs.get("units") for own in (one, other)])[0] != units[1]:
            raise ValueError(f"a and b must have the same {dim}, got it in {units[0]} and in {units[1]}")
    if not same_unit(one, other):
        raise ValueError(
            f"a and b must be in one unit, got {one.attrs.get('units')} and {other.attrs.get('units')}: "
            "explain both with the same output="
        )
    return other


def _named(variable: xr.DataArray) -> str:
    return ", ".join(str(dim) for dim in variable.dims if dim != "sample") or "none"


def _some(names: list[Any]) -> str:
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
