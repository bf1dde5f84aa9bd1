"""Decisions by class: attributions of every sample, the class that they are for, and whether it is right."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..groupings import agreement, class_names, in_order
from ..result.reading import of_predicted
from ._select import check_variable, one_channel, over_bands

TRUTH = (
    "result must have the coordinate 'truth', the true class of each sample: pass truth= when you call the "
    "Explainer, or add it, result.assign_coords(truth=('sample', [...]))"
)


@dataclass(frozen=True)
class Decisions:
    """What a model decided, and why; N samples.

    Parameters
    ----------
    attribution : xarray.DataArray
        Of the explained class of each, first dimension ``sample``, channels summed or one of them.
    classes : tuple
        The explained class of each.
    right : numpy.ndarray or None
        Whether the prediction is the truth, 1 or 0, shape (N,), NaN where the truth of a sample is not known;
        None where none is.
    about : xarray.Dataset
        The attribution, and how complete all of them are, for titles and labels.
    names : sequence
        Classes of the model in its order, as far as the result knows their names.
    """

    attribution: xr.DataArray
    classes: tuple[Any, ...]
    right: np.ndarray | None
    about: xr.Dataset
    names: Sequence[Any]

    @classmethod
    def of(
        cls, result: Any, name: str, kinds: tuple[str, ...], domain: str, channel: Hashable | None = None
    ) -> tuple[Decisions, tuple[str, ...]]:
        """Decisions in a result, and the dimensions of the kinds asked for.

        Raises
        ------
        TypeError, ValueError
            If the result is of another type, or lacks the variable, samples or their classes.
        """
        dims = check_variable(result, name, kinds, domain)
        if "sample" not in result[name].dims:
            drawn = f"plots.spectrum(result.isel({result[name].dims[0]}=0), signal=False)"
            hint = f": means of groups are drawn one at a time, {drawn}" if "n_samples" in result else ""
            raise ValueError(
                f"result.{name} must be over samples, got {', '.join(map(repr, result[name].dims))}{hint}"
            )
        if not result.sizes["sample"]:
            raise ValueError("result must hold at least one sample, got none")
        result = of_predicted(result, name)
        target = result.coords.get("target")
        if target is None or target.dims != ("sample",):
            raise ValueError(
                "result must have the explained class of each sample as the coordinate 'target': explain one "
                "class of a classifier per sample, or target='all'"
            )
        chosen = result if channel is None else one_channel(result, channel)
        attribution = chosen[name].transpose("sample", ...)
        right = None
        if {"truth", "predicted"} <= {*result.coords}:
            right = agreement(result["truth"].values.tolist(), result["predicted"].values.tolist())
        about = xr.Dataset({name: attribution})
        if "completeness_gap" in result and result["completeness_gap"].size:
            about["largest_completeness_gap"] = float(np.abs(result["completeness_gap"]).max())
            about["converged"] = float(result["converged"].mean()) if "converged" in result else 1.0
        return cls(attribution, tuple(target.values.tolist()), right, about, class_names(result)), dims

    @classmethod
    def by_band(
        cls, result: Any, name: str, bands: Any, channel: Hashable | None = None
    ) -> tuple[Decisions, str]:
        """Decisions over bands, to which a variable over frequency is summed, and the dimension of these."""
        check_variable(result, name, (), "freqig.RFFT()")
        result = over_bands(result, name, bands)
        found, (dim,) = cls.of(result, name, ("band",), "freqig.RFFT()", channel)
        return found, dim

    @property
    def order(self) -> list[Any]:
        """Classes that were explained, in the order of the model's, else of their names or numbers."""
        return in_order(self.classes, self.names)

    def members(self, label: Any) -> np.ndarray:
        """Which samples were explained for a class, bool, shape (N,)."""
        return np.array([one == label for one in self.classes], dtype=bool)
