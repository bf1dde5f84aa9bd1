"""What explains signals of one input by a method of its own, and returns what an Explainer returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import torch
import xarray as xr

from .._check import check_flag
from .._keywords import signals_by_position
from .._tensor_check import check_dtype
from ..domains import Domain
from ..models import Model, as_model
from ..models.scoring import Scorer, as_scorer
from ..objective.classes import ClassReader
from ..objective.scales import OutputScale
from ..objective.targets import Target
from ..signals import is_pair_with_rate
from .any_kind import explain_any, quietly
from .batch import Asked
from .kept import Kept
from .many_files import explain_files
from .settings import Settings


class OneInput(ABC):
    """Explains signals by one method, and returns what `freqig.Explainer` returns.

    Attributes
    ----------
    gradients : bool
        Whether the method needs gradients; else outputs are enough, and whatever scores series is explained.
    home : str
        Module in which users find the class.
    """

    gradients: ClassVar[bool] = False
    home: ClassVar[str] = "freqig"

    model: Model
    settings: Settings

    def settle(
        self,
        model: Any,
        read: Callable[..., Settings],
        *,
        fs: float | None = None,
        baseline: Any = None,
        output: OutputScale = "logit",
        tol: float = 0.01,
        unit: str | None = None,
        classes: Sequence[str] | np.ndarray | None = None,
        output_key: int | str | np.integer[Any] | Sequence[Any] | None = None,
        class_axis: int | np.integer[Any] | None = None,
        probabilities: bool | np.bool_ | None = None,
        time_axis: int = -1,
        layout: str | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        trust: bool | np.bool_ = False,
        progress: bool | np.bool_ | None = None,
        batch_independent: bool | np.bool_ = True,
        memory: int | str | None = None,
    ) -> None:
        """Find an adapter, and check what was asked for, with the words of `freqig.Explainer`.

        Parameters
        ----------
        model : object
            What is explained.
        read : callable
            Makes settings of the words that follow.
        """
        trust = check_flag(trust, "trust")
        asked: dict[str, Any] = {"dtype": check_dtype(dtype), "device": device, "trust": trust}
        scorer = Scorer(as_model(model, **asked)) if self.gradients else as_scorer(model, **asked)
        known = scorer.probabilities if probabilities is None and not callable(output) else probabilities
        settings = read(
            fs=fs,
            unit=unit,
            classes=scorer.classes if classes is None else classes,
            output=output,
            output_key=output_key,
            class_axis=class_axis,
            probabilities=known,
            tol=tol,
            time_axis=time_axis,
            layout=layout,
            trust=trust,
            progress=progress,
            batch_independent=batch_independent,
            memory=memory,
        )
        self.settings = settings.of_model(scorer.model.hints)
        self.model = scorer.model.choosing(self.settings.output_key)
        self.baseline = baseline
        self._kept = Kept(ClassReader(self.settings.class_axis, self.settings.probabilities, output))

    @classmethod
    def taking(cls, model: Any, arguments: Mapping[str, Any]) -> Self:
        """One for a model, by those of many arguments that it has."""
        made: Callable[..., Self] = cls
        known = signature(cls).parameters
        return made(model, **{name: value for name, value in arguments.items() if name in known})

    @abstractmethod
    def finished(self, result: xr.Dataset) -> xr.Dataset:
        """The result with what its variables are."""

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Domains of the variables of a result."""
        return self.settings.domains

    @property
    def model_name(self) -> str:
        """Class of the model."""
        return str(self.model.description.get("class", type(self.model).__name__))

    @signals_by_position
    def __call__(
        self,
        x: Any,
        *,
        target: Target = None,
        baseline: Any = None,
        additional_forward_args: Any = None,
        window: float | None = None,
        step: float | None = None,
        channels: Sequence[str] | None = None,
        resample: float | None = None,
        annotations: Any = None,
        truth: Any = None,
        names: Any = None,
    ) -> xr.Dataset:
        """Explain signals.

        Parameters
        ----------
        x : array-like, DataArray, MNE Raw or Epochs, path of a file, loader, iterator, or list
            Signals of one input, batch first, shape (N, ..., n), as `freqig.Explainer` takes them.
        target : int, tuple, sequence, array, tensor, "all" or None
            As of `freqig.Explainer`: the predicted class by default.
        baseline : optional
            In place of that of the method.
        additional_forward_args, window, step, channels, resample, annotations, truth, names : optional
            As of `freqig.Explainer`.

        Returns
        -------
        xarray.Dataset
            As of `freqig.Explainer`, with what the class says of its own. Where attributions are not made to
            sum to F(x) - F(x'), their attribute `adds_up` is 0, and there is no completeness gap.

        Raises
        ------
        ValueError, TypeError
            If an argument has a wrong shape, type or value.
        """
        if isinstance(x, tuple) and not is_pair_with_rate(x):
            raise TypeError(
                f"x must be one input for {self.home}.{type(self).__name__}, got a tuple of {len(x)}: "
                "give the others as additional_forward_args"
            )
        asked = Asked(
            target=target,
            baseline=self.baseline if baseline is None else baseline,
            arguments=additional_forward_args,
            reading={
                "window": window,
                "step": step,
                "channels": channels,
                "resample": resample,
                "annotations": annotations,
            },
            truth=truth,
            names=names,
        )
        return self.finished(explain_any(self.model, self.settings, self._kept, x, asked))

    def explain_files(
        self,
        paths: Sequence[str | PathLike[str]],
        *,
        target: Target = None,
        baseline: Any = None,
        truth: Any = None,
        names: Any = None,
        failed: Callable[[str | PathLike[str], Exception], object] | None = None,
        **reading: Any,
    ) -> xr.Dataset:
        """Explain recordings, one after another, and go on where one of them fails.

        Parameters
        ----------
        paths : sequence of path
            At least one.
        target, baseline, truth, names, failed
            As of `freqig.Explainer.explain_files`.
        **reading
            `fs`, `unit`, `window`, `step`, `channels`, `resample` and `annotations`, as there.

        Raises
        ------
        ValueError
            If none of them can be explained.
        TypeError
            If there is no argument of such a name.
        """
        start = self.baseline if baseline is None else baseline
        asked = Asked(target, start, None, reading, truth, names, self.settings.domains)
        one_batch = quietly(self.model, self.settings, self._kept)
        found = explain_files(one_batch, paths, asked, self.settings.progress, failed)
        return self.finished(found)
