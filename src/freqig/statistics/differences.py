"""The mean difference of two sides at every place: t, effect size, and the labelled comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from .clusters import Cluster, is_ordered
from .intervals import spread_of
from .sides import Sides

PAIRED = "Cohen's d_z"
GROUPS = "Hedges' g"


@dataclass(frozen=True, eq=False)
class Difference:
    """Mean difference, and what it is measured by; arrays have the shape of a unit.

    Parameters
    ----------
    means : tuple of numpy.ndarray
        Of both sides.
    scale : numpy.ndarray
        Standard deviation: of the differences of pairs, or that of the groups, pooled.
    varies : numpy.ndarray
        Whether units differ at all, beyond rounding.
    t, effect : numpy.ndarray
        Student's t and the effect size; NaN where nothing varies.
    df : int
        Degrees of freedom.
    called : str
        Name of the effect size.
    """

    means: tuple[np.ndarray, np.ndarray]
    scale: np.ndarray
    varies: np.ndarray
    t: np.ndarray
    effect: np.ndarray
    df: int
    called: str

    @classmethod
    def of(cls, sides: Sides) -> Difference:
        """Of all places."""
        means = tuple(np.asarray(own.mean(0, dtype=np.float64)) for own in (sides.first, sides.second))
        difference = means[0] - means[1]
        m, n = len(sides.first), len(sides.second)
        if sides.paired:
            scale, df = spread_of(sides.first - sides.second), n - 1
            error, factor, called = 1 / np.sqrt(n), 1.0, PAIRED
        else:
            df = m + n - 2
            squares = (m - 1) * spread_of(sides.first) ** 2 + (n - 1) * spread_of(sides.second) ** 2
            scale, error = np.sqrt(squares / df), np.sqrt(1 / m + 1 / n)
            factor, called = 1 - 3 / (4 * df - 1), GROUPS
        # A transform rounds every place by as much as its largest needs, and always in the same way.
        largest = max(float(np.nanmax(np.abs(own))) for own in (sides.first, sides.second))
        varies = scale > 4 * sides.eps * largest
        size = np.divide(difference, scale, out=np.full(difference.shape, np.nan), where=varies)
        return cls((means[0], means[1]), scale, varies, size / error, factor * size, df, called)

    def labelled(
        self,
        sides: Sides,
        name: str,
        names: tuple[str, ...],
        clusters: list[Cluster],
        ends: tuple[np.ndarray, np.ndarray],
        made: Mapping[str, Any],
    ) -> xr.Dataset:
        """The comparison, see `freqig.compare`."""
        dims, about = sides.dims, sides.place.attrs
        units = {"units": about["units"]} if "units" in about else {}
        shape = self.t.shape
        number, p = np.zeros(self.t.size, dtype=np.int32), np.full(self.t.size, np.nan)
        for k, own in enumerate(clusters, start=1):
            number[own.places], p[own.places] = k, own.p
        said = f"{names[0]} - {names[1]}"
        data: dict[str, Any] = {
            name: (
                dims,
                self.means[0] - self.means[1],
                {**about, "long_name": f"mean difference, {said}"},
            ),
            f"{name}_lower": (dims, ends[0], {"kind": "interval", **units}),
            f"{name}_upper": (dims, ends[1], {"kind": "interval", **units}),
            f"{name}_mean": (("group", *dims), np.stack(self.means), {"kind": "mean", **units}),
            f"{name}_t": (dims, self.t, {"long_name": f"Student's t, {self.df} degrees of freedom"}),
            f"{name}_effect_size": (dims, self.effect, {"long_name": self.called}),
            f"{name}_cluster": (
                dims,
                number.reshape(shape),
                {"long_name": "number of the cluster, 0 for none"},
            ),
            f"{name}_p": (dims, p.reshape(shape), {"long_name": "p value of the cluster"}),
            f"{name}_significant": (dims, (p < made["alpha"]).reshape(shape)),
        }
        along = ("cluster",)
        data["cluster_p"] = along, np.array([own.p for own in clusters], dtype=np.float64)
        data["cluster_mass"] = along, np.array([own.mass for own in clusters], dtype=np.float64)
        data["cluster_size"] = along, np.array([len(own.places) for own in clusters], dtype=np.int64)
        effects = np.array([self._effect_in(sides, own) for own in clusters], dtype=np.float64)
        data["cluster_effect_size"] = (
            along,
            effects,
            {"long_name": f"{self.called} of the mean over the cluster"},
        )
        coords: dict[str, Any] = {
            str(key): own.variable for key, own in sides.place.coords.items() if own.dims
        }
        data |= _where(sides.place, clusters)
        coords |= {"group": list(names), "cluster": np.arange(1, len(clusters) + 1)}
        title = f"Comparison of explanations, {said}"
        return xr.Dataset(data, coords, {"title": title, "first": names[0], "second": names[1], **made})

    def _effect_in(self, sides: Sides, cluster: Cluster) -> float:
        """Effect size of the mean of each unit over the places of a cluster."""
        flat = (own.reshape(len(own), -1)[:, cluster.places] for own in (sides.first, sides.second))
        first, second = (own.mean(1, dtype=np.float64, keepdims=True) for own in flat)
        return float(Difference.of(replace(sides, first=first, second=second)).effect[0])


def _where(place: xr.DataArray, clusters: list[Cluster]) -> dict[str, Any]:
    """Where clusters lie along each dimension: from and to, or the labels that they touch."""
    found: dict[str, Any] = {}
    touched = [np.unravel_index(own.places, place.shape) for own in clusters]
    for axis, dim in enumerate(map(str, place.dims)):
        labels = place[dim].values if dim in place.coords else np.arange(place.sizes[dim])
        units = {"units": place[dim].attrs["units"]} if "units" in place[dim].attrs else {}
        if is_ordered(dim) and labels.dtype.kind in "iuf":
            for ending, pick in (("from", np.min), ("to", np.max)):
                ends = np.array([pick(labels[own[axis]]) for own in touched], dtype=np.float64)
                found[f"cluster_{dim}_{ending}"] = ("cluster",), ends, units
        else:
            told = [", ".join(map(str, labels[np.unique(own[axis])].tolist())) for own in touched]
            found[f"cluster_{dim}"] = ("cluster",), np.array(told, dtype=np.str_)
    return found
