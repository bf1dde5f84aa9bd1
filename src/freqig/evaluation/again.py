"""Signals explained once more: with noise on them, or by another model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..errors import FreqigWarning
from ..objective.arguments import Extra, per_sample, shared
from ..result.reading import rows_by_length, settings_of
from ..resynthesis.outcome import targets_of
from ..resynthesis.source import Source
from .rebuilding import remade

Array = np.ndarray


@dataclass(frozen=True)
class Again:
    """How some samples of a result are explained once more.

    Parameters
    ----------
    result : xarray.Dataset
        The explanation.
    settings : mapping
        Arguments of an Explainer.
    sources : mapping of str to Source
        What each variable is made of.
    extra : Extra
        Further arguments of the model.
    rows : numpy.ndarray
        Which samples: as long as the longest, M of them.
    """

    result: xr.Dataset
    settings: Mapping[str, Any]
    sources: Mapping[str, Source]
    extra: Extra
    rows: Array

    @classmethod
    def of_some(
        cls,
        result: xr.Dataset,
        settings: Mapping[str, Any],
        sources: Mapping[str, Source],
        extra: Extra,
        most: int,
    ) -> Again:
        """Of at most so many samples, evenly spread over those that are as long as the longest."""
        _, whole = rows_by_length(result)[-1]
        chosen = np.unique(np.linspace(0, len(whole) - 1, min(most, len(whole))).round().astype(int))
        return cls(result, settings, sources, extra, np.array(whole)[chosen])

    def explain(self, model: Any, x: Tensor, start: Tensor) -> tuple[dict[str, Array], Array]:
        """Explain signals in the places of the chosen samples, for their targets.

        Parameters
        ----------
        model : object
            Any that an Explainer takes.
        x, start : torch.Tensor
            Signals and baselines, float64, shape (M, *axes, n).

        Returns
        -------
        attributions : dict of str to numpy.ndarray
            By variable, shape (M, p).
        gap : numpy.ndarray
            F(x) - F(x'), shape (M,).
        """
        layout = next(iter(self.sources.values())).layout
        index = torch.from_numpy(self.rows)
        arguments = tuple(
            shared(value)
            if axis is None
            else per_sample(value.index_select(axis, index.to(value.device)), axis)
            for value, axis in zip(self.extra.values, self.extra.axes, strict=True)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FreqigWarning)
            # What made the result explains once more, and not what is at hand.
            found = remade(settings_of(self.result), model, self.settings)(
                layout.arranged(x),
                target=targets_of(self.result, self.rows.tolist()),
                baseline=layout.arranged(start),
                additional_forward_args=arguments or None,
            )
        values = {name: source.flat(found[name]) for name, source in self.sources.items()}
        return values, (found.output - found.baseline_output).values
