"""Shapley: any model that scores series, explained by which bands, channels and times are present."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import xarray as xr

from .._keywords import settings_by_name
from ..explain.one_input import OneInput
from ..objective.scales import OutputScale
from .labels import finished
from .settings import ShapleySettings


class Shapley(OneInput):
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
    unit, classes, output_key, class_axis, probabilities, time_axis, layout, dtype, device, trust, \
progress, batch_independent, memory : optional
        As of `freqig.Explainer`. Estimators say themselves what their classes are, and whether their
        outputs are probabilities. Arrays are float64 by default, or what the model takes.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not one of the allowed, or the model scores nothing; when called: if an output is
        not finite, of another shape, or depends on chance, or there are too many players. What fails midway
        names the players that were present.
    ImportError
        When called: if coalitions must be drawn, and shapiq is missing.

    Notes
    -----
    The result holds `shapley` of kind "attribution" over sample and the players, as `shapley_band`, `channel`
    and `shapley_segment` in the order given, with Σ = output - baseline_output + completeness_gap;
    `shapley_standard_error`, zero where exact; by sample `output`, `baseline_output`, `completeness_gap`,
    `converged`, `estimated_error` and `n_evaluations`, the coalitions that were evaluated; and `signal`. With
    pairs `shapley_alone`, and `shapley_interaction` over `shapley_player` and `shapley_other`, symmetric:
    Σ alone + Σ_{i<j} interaction is the same sum. Several targets share all evaluations.

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

    settings: ShapleySettings

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
        layout: str | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        trust: bool | np.bool_ = False,
        progress: bool | np.bool_ | None = None,
        batch_independent: bool | np.bool_ = True,
        memory: int | str | None = None,
    ) -> None:
        own = {"players": players, "index": index, "max_order": max_order, "budget": budget, "seed": seed}
        self.settle(
            model,
            partial(ShapleySettings.of, **own),
            fs=fs,
            baseline=baseline,
            output=output,
            tol=tol,
            unit=unit,
            classes=classes,
            output_key=output_key,
            class_axis=class_axis,
            probabilities=probabilities,
            time_axis=time_axis,
            layout=layout,
            dtype=dtype,
            device=device,
            trust=trust,
            progress=progress,
            batch_independent=batch_independent,
            memory=memory,
        )

    def finished(self, result: xr.Dataset) -> xr.Dataset:
        return finished(result, self.settings)

    def __repr__(self) -> str:
        s = self.settings
        players = ", ".join(map(repr, s.players))
        return f"Shapley({self.model_name}, players=({players}), index={s.index!r}, budget={s.budget})"
