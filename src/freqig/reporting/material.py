"""What sections are made from: a result, what was asked for, and what several sections need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from ..band_edges import named_bands
from ..groupings import class_names, in_order
from ..result.reading import names_of_attributions, rate_of, settings_of
from .banded import Banded
from .encoding import Encoded
from .lines import ALONE, stacked
from .words.decisions import right
from .words.looking import CHOSEN, Look, worth_a_look

MEASURED = {"frequency", "quefrency", "order", "time", "segment", "position", "level", "band"}
"""Kinds of dimensions that have a place on an axis; along others, such as components and parts, are lines."""


@dataclass(frozen=True)
class Material:
    """One result, and all that its page is made from; N samples.

    Parameters
    ----------
    result : xarray.Dataset
        With a dimension ``sample`` of at least one, and one target per sample.
    bands : str or mapping, optional
        As `freqig.bands` takes them; None where frequencies are not in Hz.
    other : xarray.Dataset, optional
        A second result to compare with.
    names : tuple of str
        What the two results are called.
    samples : tuple of int
        Positions of samples that are shown in full, as asked for.
    info : mne.Info, optional
        Positions of electrodes.
    baseline : Baseline or array-like, optional
        Start of the paths, as `freqig.resynthesize` takes it.
    evaluation : xarray.Dataset or pandas.DataFrame, optional
        What `freqig.evaluate` said of the result.
    command : str
        What makes the page again.
    seed : int
        Of bootstraps.
    arrays : dict of str to Encoded
        Arrays that the page's script reads; sections add theirs.
    """

    result: xr.Dataset
    bands: str | Mapping[str, tuple[float, float]] | None = None
    other: xr.Dataset | None = None
    names: tuple[str, ...] = ("result", "other")
    samples: tuple[int, ...] = ()
    info: Any = None
    baseline: Any = None
    evaluation: Any = None
    command: str = ""
    seed: int = 0
    arrays: dict[str, Encoded] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.result.sizes["sample"])

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """What the Explainer was asked for; empty where the result does not say."""
        return settings_of(self.result) if "settings" in self.result.attrs else {}

    @cached_property
    def spectrum(self) -> str | None:
        """Name of the first attribution over frequency alone, channels and other lines aside."""
        return self._first(lambda kinds: kinds == {"frequency"})

    @property
    def of_envelope(self) -> bool:
        """Whether frequencies of the spectrum are rates of an envelope, and not those of the signal."""
        return (self.spectrum or "").endswith(ALONE)

    @cached_property
    def course(self) -> str | None:
        """Name of the first attribution over time alone, channels aside."""
        return self._first(lambda kinds: kinds == {"time"})

    @cached_property
    def map(self) -> str | None:
        """Name of the first attribution over time and frequency."""
        return self._first(lambda kinds: kinds == {"time", "frequency"})

    def _first(self, fits: Callable[[set[str]], bool]) -> str | None:
        for name in names_of_attributions(self.result):
            kinds = [str(dim).rpartition("_")[2] for dim in self.result[name].dims]
            if fits({kind for kind in kinds if kind in MEASURED}) and kinds.count("frequency") < 2:
                return name
        return None

    @cached_property
    def fs(self) -> float | None:
        """Sampling rate in Hz, where it is known."""
        told = self.settings.get("fs")
        return float(told) if told else rate_of(self.result)

    @cached_property
    def target(self) -> list[str]:
        """The class of each sample that was explained, as text; "" where there are none."""
        return self._text("target") or [""] * len(self)

    @cached_property
    def predicted(self) -> list[str] | None:
        """The predicted class of each sample, where it is known."""
        return self._text("predicted")

    @cached_property
    def truth(self) -> list[str] | None:
        """The true class of each sample, where it is known."""
        return self._text("truth")

    def _text(self, name: str) -> list[str] | None:
        known = self.result.coords.get(name)
        if known is not None and not known.dims:
            return [str(known.values.item())] * len(self)
        if known is None or known.dims != ("sample",):
            return None
        return [str(one) for one in known.values.tolist()]

    @cached_property
    def right(self) -> np.ndarray | None:
        """Whether each prediction is the truth, 1 or 0, NaN where one is not known; None where none is."""
        return right(self.result)

    @cached_property
    def chosen(self) -> tuple[int, ...]:
        """Positions of samples that are shown in full: those asked for, and worth a look, else the first."""
        found = tuple(dict.fromkeys([*self.samples, *self.look.samples]))
        return found or tuple(range(min(len(self), CHOSEN)))

    @cached_property
    def look(self) -> Look:
        """Samples that are worth a look."""
        return worth_a_look(self.result)

    @cached_property
    def classes(self) -> Sequence[str]:
        """Names of the classes, in the order of the outputs where these are there."""
        if "class" in self.result.coords:
            return [str(one) for one in self.result["class"].values.tolist()]
        seen = {*self.target, *(self.predicted or ()), *(self.truth or ())} - {""}
        return in_order(seen, class_names(self.result))

    def common(self, most: int) -> dict[str, np.ndarray]:
        """Classes that were explained, those with the most samples, each with its samples, bool, shape (N,).

        In the order of the classes, and "" where there are none.
        """
        every = in_order(self.target, self.classes)
        largest = sorted(every, key=lambda label: -self.target.count(label))[:most]
        return {label: np.array(self.target) == label for label in every if label in largest}

    @cached_property
    def named_bands(self) -> dict[str, tuple[float, float]]:
        """Edges of the bands by name, in the unit of the frequencies; empty where there are none."""
        if self.spectrum is None or self.bands is None:
            return {}
        frequency = self.result[self.spectrum][self.dim_of(self.spectrum, "frequency")]
        return named_bands(self.bands, self.fs / 2 if self.fs else float(frequency.max()))

    @cached_property
    def banded(self) -> Banded | None:
        """Attributions by band; None where there are none."""
        return Banded.of(self.result, self.spectrum, self.bands)

    def dim_of(self, name: str, kind: str) -> str:
        """The dimension of a variable of a kind, "frequency" or "time"."""
        return next(str(dim) for dim in self.result[name].dims if str(dim).rpartition("_")[2] == kind)

    def over(self, name: str, *kinds: str) -> np.ndarray:
        """Values of a variable over samples and dimensions of these kinds, summed over all others.

        Parameters
        ----------
        name : str
            A variable over samples.
        *kinds : str
            "frequency", "time", "band".

        Returns
        -------
        numpy.ndarray
            float64, shape (N, *kinds); what is not a number counts as 0.
        """
        return np.asarray(self.lines(name, *kinds).sum(axis=1))

    def lines(self, name: str, *kinds: str) -> np.ndarray:
        """As `over`, but of every channel by itself, shape (N, C, *kinds)."""
        return stacked(self.result[name], tuple(self.dim_of(name, kind) for kind in kinds))
