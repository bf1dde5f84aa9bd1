"""The table of an evaluation: scores by variable, metric and sample, and their means by class."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from .._version import __version__
from ..groupings import class_names, in_order
from .catalogue import ABOUT
from .curves import BY, KINDS, ORDERS

PER_OPERATOR = ("deletion", "erasure", "difference")
"""Families whose metrics depend on what coefficients are replaced by."""

UNDEFINED = {
    "stability": "the model says no classes",
    "truth": "in every sample the attributions are equal, or none is positive",
    "sanity": "F(x) - F(x') or the attributions of one of both models are zero",
    "agreement": "the attributions of one of both are zero, or equal",
}
"""Why a metric of a family may be of no sample, where it was measured."""
Array = np.ndarray


@dataclass
class Scores:
    """Scores as they come, N samples.

    Parameters
    ----------
    names : sequence of str
        Variables that are evaluated.
    count : int
        N.
    values : dict of tuple to numpy.ndarray
        By variable, metric and operator, shape (N,).
    reasons : dict of tuple to str
        Why there is no score, by the same.
    """

    names: Sequence[str]
    count: int
    values: dict[tuple[str, str, str], Array] = field(default_factory=dict)
    reasons: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add(self, name: str, found: Mapping[str, Array], operator: str = "", rows: Any = slice(None)) -> None:
        """Scores of some samples, by metric."""
        for metric, scores in found.items():
            values = np.full(self.count, np.nan)
            values[rows] = scores
            self.values[name, metric, operator if ABOUT[metric].family in PER_OPERATOR else ""] = values

    def lack(self, name: str, metrics: Sequence[str], reason: str, operator: str = "") -> None:
        """Say why there are none."""
        for metric in metrics:
            key = name, metric, operator if ABOUT[metric].family in PER_OPERATOR else ""
            self.values.setdefault(key, np.full(self.count, np.nan))
            self.reasons[key] = reason

    def explain(self, name: str, nothing: bool) -> None:
        """Say why a metric that was asked for is of no sample.

        Parameters
        ----------
        name : str
            Variable.
        nothing : bool
            Whether all its attributions are zero.
        """
        unstable = not np.nan_to_num(self.values.get((name, "class_kept", ""), np.ones(1))).any()
        for key in self.values:
            if key[0] != name or key in self.reasons or np.isfinite(self.values[key]).any():
                continue
            family = ABOUT[key[1]].family
            self.reasons[key] = (
                "all attributions are zero"
                if nothing
                else "no draw of noise left the class as it is"
                if family == "stability" and unstable
                else UNDEFINED.get(family, "it is undefined for every sample")
            )

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Metrics and operators, in the order of the catalogue."""
        order = {metric: i for i, metric in enumerate(ABOUT)}
        operators = list(dict.fromkeys(operator for _, _, operator in self.values))
        found = {(metric, operator) for _, metric, operator in self.values}
        return sorted(found, key=lambda key: (operators.index(key[1]), order[key[0]]))


def metrics_of(family: str) -> list[str]:
    """Names of the metrics of a family.

    Examples
    --------
    >>> metrics_of("complexity")
    ['entropy', 'effective_number']
    """
    return [name for name, about in ABOUT.items() if about.family == family]


def labelled(
    scores: Scores,
    result: xr.Dataset,
    *,
    curves: Mapping[tuple[str, str], Array],
    shares: Array,
    operators: Sequence[str],
    randomised: tuple[Sequence[str], Mapping[str, Array]] | None,
    measures: Sequence[str],
    agreement: Mapping[tuple[str, str], Mapping[str, Array]],
    settings: Mapping[str, Any],
) -> xr.Dataset:
    """The table, without its verdict; see `freqig.evaluate` for what is in it."""
    keys, names, nothing = scores.keys, list(scores.names), np.full(scores.count, np.nan)
    values = np.array([[scores.values.get((name, *key), nothing) for key in keys] for name in names])
    groups, members = _groups(result)
    means, spreads, counts = (np.full((len(names), len(keys), len(groups)), np.nan) for _ in range(3))
    for g, rows in enumerate(members):
        own = values[:, :, rows]
        there = np.isfinite(own)
        count = counts[:, :, g] = there.sum(-1)
        mean = np.divide(np.where(there, own, 0).sum(-1), count, out=means[:, :, g], where=count > 0)
        square = np.where(there, (own - mean[:, :, None]) ** 2, 0).sum(-1)
        np.sqrt(np.divide(square, count - 1, out=spreads[:, :, g], where=count > 1), out=spreads[:, :, g])
    dims = ("variable", "metric", "group")
    reasons = [[scores.reasons.get((name, *key), "") for key in keys] for name in names]
    variables: dict[str, Any] = {
        "score": (("variable", "metric", "sample"), values),
        "mean": (dims, means, {"long_name": "mean over the samples that have the score"}),
        "spread": (dims, spreads, {"long_name": "standard deviation over these samples"}),
        "count": (dims, counts.astype(np.int64), {"long_name": "samples that have the score"}),
        "reason": (("variable", "metric"), np.array(reasons, dtype=np.str_)),
    }
    about = [ABOUT[metric] for metric, _ in keys]
    coords: dict[str, Any] = {
        "variable": names,
        "metric": [
            metric + (f"[{operator}]" if operator != "" and operator != operators[0] else "")
            for metric, operator in keys
        ],
        "operator": ("metric", [operator for _, operator in keys]),
        **{
            label: ("metric", [getattr(one, label) for one in about])
            for label in ("family", "meaning", "range", "better", "source", "limits")
        },
        "group": groups,
    }
    if curves:
        shape = next(iter(curves.values())).shape
        empty = np.full(shape, np.nan)
        stacked = np.array([[curves.get((n, o), empty) for o in operators] for n in names])
        along = ("variable", "replacement", "kind", "by", "order", "share", "sample")
        units = {"units": str(result.output.attrs.get("units", "output"))}
        variables["curve"] = along, stacked, {**units, "long_name": "explained output"}
        coords.update(replacement=list(operators), kind=list(KINDS), by=list(BY), order=list(ORDERS))
        coords["share"] = ("share", shares, {"long_name": "share of the coefficients"})
    if randomised is not None:
        stages, found = randomised
        stacked = np.stack([found[name] for name in names])
        variables["randomised"] = ("variable", "layer", "measure", "sample"), stacked
        coords.update(layer=list(stages), measure=list(measures))
    if agreement:
        others = list(dict.fromkeys(other for _, other in agreement))
        kinds = list(next(iter(agreement.values())))
        stacked = np.array(
            [[[agreement.get((n, o), {}).get(k, nothing) for k in kinds] for o in others] for n in names]
        )
        variables["agreement"] = ("variable", "other", "likeness", "sample"), stacked
        coords.update(other=others, likeness=kinds)
    coords.update(
        {
            str(key): coordinate.variable
            for key, coordinate in result.coords.items()
            if coordinate.dims == ("sample",) and str(key) not in coords
        }
    )
    attrs = {
        "title": "Evaluation of an explanation",
        "settings": json.dumps(dict(settings), sort_keys=True),
        "explanation": str(result.attrs.get("settings", "")),
        "versions": json.dumps({"freqig": __version__}),
    }
    return xr.Dataset(variables, coords, attrs)


def _groups(result: xr.Dataset) -> tuple[list[str], list[Array]]:
    """All samples, and those of each class."""
    count = result.sizes["sample"]
    groups, members = ["all"], [np.arange(count)]
    for key in ("target", "predicted"):
        if key in result.coords and result[key].dims == ("sample",):
            for label in in_order(result[key].values.tolist(), class_names(result)):
                groups.append(str(label))
                members.append(np.flatnonzero(result[key].values == label))
            break
        if key in result.coords and result[key].ndim == 0:
            groups.append(str(result[key].values))
            members.append(np.arange(count))
            break
    return groups, members
