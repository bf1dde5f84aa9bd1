"""Shapley: any model that scores series, explained by which bands, channels and times are present."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
import xarray as xr

from .._check import check_dtype, check_flag, settings_by_name, signals_by_position
from ..explain.any_kind import explain_any, quietly
from ..explain.batch import Asked
from ..explain.kept import Kept
from ..explain.many_files import explain_files
from ..models.scoring import as_scorer
from ..objective.classes import ClassReader
from ..objective.scales import OutputScale
from ..objective.targets import Target
from ..signals import is_pair_with_rate
from .labels import finished
from .settings import ShapleySettings


class Shapley:
    """Explains a model by its outputs alone: Shapley values of bands, channels and stretches of time.

    Players are put to the baseline, or left as they are, in every combination that counts, and the
    model says what it makes of each. Nothing is differentiated, so anything that scores series is
    explained: estimators, trees, a session of onnxruntime, a service elsewhere, and all models that
    `freqig.Explainer` takes. Players divide a tight frame, so that together they are the signal.

    Up to 12 players, and as long as all coalitions are within the budget, values are exact. Of more,
    approximators of shapiq (the extra ``shapley``) estimate them in four replicates, whose scatter is the
    error.

    Parameters
    ----------
    model : object
        A callable from an array of series, shape (N, ..., n), to scores, one row per series; an estimator
        with `predict_proba`, `decision_function` or `predict`; an `onnxruntime.InferenceSession`; or
        whatever `freqig.Explainer` takes. Callables get arrays of NumPy, or tensors where they take
        nothing else.
    fs : float, optional
        Sampling rate in Hz, as of `freqig.Explainer`. Bands and segments need it.
    players : FilterBank, "channels", Segments or tuple of them, optional
        What divides signals: the bands of a `freqig.FilterBank`, over all channels; channels; stretches
        of a `freqig.Segments`; or the product of what stands in a tuple, such as
        ``(FilterBank("sleep"), "channels")``, each band of each channel. At most 4,096 players, 256 for
        pairs. Default: ``FilterBank("sleep")``.
    baseline : Baseline or array-like, optional
        What an absent player is put to; zero by default. A call may say another.
    output : {"logit", "log_prob", "probability", "margin"} or callable, default "logit"
        What of the outputs is explained, as of `freqig.Explainer`: "logit" is the raw output.
    index : {"SV", "k-SII"}, optional
        Shapley values, or k-Shapley interactions, which part them into what players do alone and in
        pairs. Default: as `max_order` says, "SV" for 1.
    max_order : {1, 2}, optional
        2 for pairs. Default: 2 for "k-SII", else 1.
    budget : int, optional
        Coalitions evaluated per sample, where there are more than 12 players, and more coalitions than
        that. Default 2,048. Every baseline has its own.
    seed : int, default 0
        Of the coalitions that are drawn.
    tol : float, default 0.01
        Estimated error, relative to the L1 norm, up to which a sample is `converged`.
    unit, classes, output_key, class_axis, probabilities, time_axis, dtype, device, trust, progress, \
batch_independent, memory : optional
        As of `freqig.Explainer`. Estimators say themselves what their classes are, and whether their
        outputs are probabilities. Arrays are float64 by default, or what the model takes.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not one of the allowed, or the model scores nothing.

    Examples
    --------
    >>> import numpy as np, freqig
    >>> t = np.arange(200) / 100
    >>> def power_at_10_hz(x):
    ...     return np.abs(x @ np.exp(-2j * np.pi * 10 * t)) ** 2
    >>> bands = freqig.FilterBank({"theta": (4, 8), "alpha": (8, 12)})
    >>> shapley = freqig.Shapley(power_at_10_hz, fs=100, players=bands)
    >>> result = shapley(np.sin(2 * np.pi * 10 * t)[None])
    >>> result.shapley_band.values.tolist(), abs(result.shapley).round().values.tolist()
    (['theta', 'alpha', 'rest'], [[0.0, 10000.0, 0.0]])
    """

    @settings_by_name
    def __init__(
        self,
        model: Any,
        *,
        fs: float | None = None,
        players: Any = None,
        baseline: Any = None,
        output: OutputScale = "logit",
        index: str | None = None,
        max_order: int | None = None,
        budget: int | None = None,
        seed: int = 0,
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
        trust = check_flag(trust, "trust")
        scorer = as_scorer(model, dtype=check_dtype(dtype), device=device, trust=trust)
        known = scorer.probabilities if probabilities is None and not callable(output) else probabilities
        self.settings = ShapleySettings.of(
            players=players,
            index=index,
            max_order=max_order,
            budget=budget,
            seed=seed,
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
        s, name = self.settings, self.model.description.get("class", type(self.model).__name__)
        players = ", ".join(map(repr, s.players))
        return f"Shapley({name}, players=({players}), index={s.index!r}, budget={s.budget})"

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
            As of `freqig.Explainer`: the predicted class by default. Several share all evaluations.
        baseline : optional
            In place of that of the `Shapley`.
        additional_forward_args, window, step, channels, resample, annotations, truth, names : optional
            As of `freqig.Explainer`.

        Returns
        -------
        xarray.Dataset
            `shapley` of kind "attribution" over sample and the players, as `shapley_band`, `channel` and
            `shapley_segment` in the order given, with Σ = output - baseline_output + completeness_gap;
            `shapley_standard_error`, zero where exact; by sample `output`, `baseline_output`,
            `completeness_gap`, `converged`, `estimated_error` and `n_evaluations`, the coalitions that
            were evaluated; and `signal`. With pairs `shapley_alone`, and `shapley_interaction` over
            `shapley_player` and `shapley_other`, symmetric: Σ alone + Σ_{i<j} interaction is the same sum.

        Raises
        ------
        ValueError, TypeError
            If an argument has a wrong shape, type or value, an output is not finite, of another shape, or
            depends on chance, or there are too many players. What fails midway names the players
            that were present.
        ImportError
            If coalitions must be drawn, and shapiq is missing.
        """
        if isinstance(x, tuple) and not is_pair_with_rate(x):
            raise TypeError(
                f"x must be one input for freqig.Shapley, got a tuple of {len(x)}: give the others as "
                "additional_forward_args"
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
