"""What every method has in common: how it is made, how signals may come, and the labelled result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, signature
from os import PathLike
from typing import Any, ClassVar

import numpy as np
import torch
import xarray as xr

from .._check import check_dtype, check_flag, settings_by_name, shown, signals_by_position
from ..domains import Domain
from ..explain.any_kind import explain_any, quietly
from ..explain.batch import Asked
from ..explain.kept import Kept
from ..explain.many_files import explain_files
from ..models import Model, as_model
from ..models.scoring import Scorer, as_scorer
from ..objective.classes import ClassReader
from ..objective.scales import OutputScale
from ..objective.targets import Target
from ..signals import is_pair_with_rate
from .how import How
from .labels import finished
from .settings import MethodSettings


def words(init: Callable[..., None]) -> Callable[..., None]:
    """An `__init__` whose `shared` stands for the words that every method has."""
    own = [one for one in signature(init).parameters.values() if one.kind != Parameter.VAR_KEYWORD]
    # A tolerance is for sums: methods whose numbers add up have it among their own words.
    shared = [
        one
        for one in signature(Comparator.settle).parameters.values()
        if one.kind == one.KEYWORD_ONLY and one.name != "tol"
    ]

    @wraps(init)
    def made(self: Any, *positional: Any, **named: Any) -> None:
        init(self, *positional, **named)

    made.__signature__ = signature(init).replace(  # type: ignore[attr-defined]
        parameters=[*own, *shared]
    )
    return settings_by_name(made)


class Comparator:
    """Explains signals by one method, and returns what `freqig.Explainer` returns.

    Attributes
    ----------
    gradients : bool
        Whether the method needs gradients; else outputs are enough, and whatever scores series is explained.
    """

    gradients: ClassVar[bool] = True

    model: Model
    settings: MethodSettings

    def settle(
        self,
        model: Any,
        how: How,
        *,
        fs: float | None = None,
        domains: Domain | Sequence[Domain] | None = None,
        baseline: Any = None,
        output: OutputScale = "logit",
        tol: float = 0.01,
        unit: str | None = None,
        classes: Sequence[str] | np.ndarray | None = None,
        output_key: int | str | np.integer[Any] | Sequence[Any] | None = None,
        class_axis: int | np.integer[Any] | None = None,
        probabilities: bool | np.bool_ | None = None,
        time_axis: int = -1,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        trust: bool | np.bool_ = False,
        progress: bool | np.bool_ | None = None,
        batch_independent: bool | np.bool_ = True,
        memory: int | str | None = None,
    ) -> None:
        """Check what was asked for, with the words of `freqig.Explainer`, and find an adapter."""
        trust = check_flag(trust, "trust")
        asked: dict[str, Any] = {"dtype": check_dtype(dtype), "device": device, "trust": trust}
        scorer = Scorer(as_model(model, **asked)) if self.gradients else as_scorer(model, **asked)
        known = scorer.probabilities if probabilities is None and not callable(output) else probabilities
        self.settings = MethodSettings.of(
            how,
            type(self).__name__,
            domains=domains,
            fs=fs,
            unit=unit,
            classes=scorer.classes if classes is None else classes,
            output=output,
            output_key=output_key,
            class_axis=class_axis,
            probabilities=known,
            tol=tol,
            time_axis=scorer.model.hints.resolve(time_axis),
            trust=trust,
            progress=progress,
            batch_independent=batch_independent,
            memory=memory,
        )
        self.model = scorer.model.choosing(self.settings.output_key)
        self.baseline = baseline
        self._kept = Kept(ClassReader(self.settings.class_axis, self.settings.probabilities, output))

    def __repr__(self) -> str:
        name = self.model.description.get("class", type(self.model).__name__)
        asked = [f"{key}={shown(value)}" for key, value in self.settings.how.described().items()]
        return f"{type(self).__name__}({', '.join([str(name), *asked])})"

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
            As of `freqig.Explainer`. Of variables of kind "attribution" the attribute `adds_up` says
            whether they sum to F(x) - F(x'); where they do not, there is no completeness gap.

        Raises
        ------
        ValueError, TypeError
            If an argument has a wrong shape, type or value.
        """
        if isinstance(x, tuple) and not is_pair_with_rate(x):
            raise TypeError(
                f"x must be one input for freqig.methods.{type(self).__name__}, got a tuple of {len(x)}: "
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
        return finished(explain_any(self.model, self.settings, self._kept, x, asked), self.settings)

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
        asked = Asked(target, start, reading=reading, truth=truth, names=names)
        one_batch = quietly(self.model, self.settings, self._kept)
        found = explain_files(one_batch, paths, asked, self.settings.progress, failed)
        return finished(found, self.settings)
