"""Means, spread and intervals of one group at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..quantiles import normal_quantile
from .cases import SUBJECT, Cases, check_finite, mean_of, rows_of, unit_means
from .intervals import FEWEST, bca_interval, spread_of


@dataclass(eq=False)
class Group:
    """What is known of one group: arrays of each variable, as mean, spread, low and high."""

    arrays: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]
    scalars: dict[str, np.ndarray]
    n_samples: int
    n_units: int
    reason: str

    @classmethod
    def of(
        cls,
        cases: Cases,
        variables: Mapping[str, xr.DataArray],
        beside: Mapping[str, xr.DataArray],
        rows: np.ndarray,
        units: np.ndarray | None,
        asked: tuple[float, int, int],
    ) -> Group:
        """Of the cases in some rows; `units` are their subjects, None for the cases themselves.

        `beside` are outputs and gaps, see `scalars_of`.
        """
        members = (
            [rows[own] for own in rows_of(units[rows].tolist()).values()]
            if units is not None
            else [rows[i : i + 1] for i in range(len(rows))]
        )
        reason = _reason(len(members), "sample" if units is None else SUBJECT)
        arrays = {}
        for name, variable in variables.items():
            values = unit_means(variable, members, cases.weights, name)
            mean, spread = np.asarray(values.mean(0, dtype=np.float64)), spread_of(values)
            low, high = (np.full_like(mean, np.nan),) * 2 if reason else bca_interval([values], *asked)
            arrays[name] = mean, spread, low, high
        scalars = {
            name: np.asarray(unit_means(own, members, cases.weights, name).mean(0, dtype=np.float64))
            for name, own in beside.items()
        }
        return cls(arrays, scalars, int(cases.weights[rows].sum()), len(members), reason)


def _reason(number: int, unit: str) -> str:
    if number == 1:
        return f"one {unit}"
    return f"{number} {unit}s, fewer than {FEWEST}" if number < FEWEST else ""


def groups_of_standard_errors(
    cases: Cases,
    variables: Mapping[str, xr.DataArray],
    beside: Mapping[str, xr.DataArray],
    numbers: np.ndarray,
    share: float,
) -> list[Group]:
    """Groups of means, as if their samples were known: their sum of squares is Σ (n - 1) s² + Σ n (m - M)².

    Raises
    ------
    ValueError
        If a standard error is missing, or a mean is not finite.
    """
    errors = {}
    for name in variables:
        key = f"{name}_standard_error"
        if key not in cases.data:
            raise ValueError(
                f"result must hold {key!r}, as Explainer.average returns it, for an interval of means"
            )
        errors[name] = cases.data[key].transpose("sample", ...).values
    found = []
    for g in range(int(numbers.max()) + 1):
        rows = np.flatnonzero(numbers == g)
        counts = cases.weights[rows]
        total = int(counts.sum())
        reason = _reason(total, "sample")
        arrays = {}
        for name, variable in variables.items():
            values, own = (one[rows].astype(np.float64) for one in (variable.values, errors[name]))
            check_finite(values, name)
            along = counts.reshape(-1, *[1] * (values.ndim - 1))
            mean = mean_of(variable.values, rows, cases.weights)
            # A group of one has no scatter of its own.
            inside = np.where(along > 1, (along - 1) * along * np.square(own), 0.0)
            squares = (inside + along * np.square(values - mean)).sum(0)
            spread = np.sqrt(squares / (total - 1)) if total > 1 else np.full_like(mean, np.nan)
            half = normal_quantile((1 + share) / 2) * spread / np.sqrt(total)
            half = np.full_like(mean, np.nan) if reason else half
            arrays[name] = mean, spread, mean - half, mean + half
        scalars = {name: mean_of(one.values, rows, cases.weights) for name, one in beside.items()}
        found.append(Group(arrays, scalars, total, total, reason))
    return found
