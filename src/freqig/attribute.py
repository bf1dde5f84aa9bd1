"""`attribute`: NumPy in, NumPy out, as the original package documents it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._check import check_integer, shown
from ._keywords import says_what_is_meant
from ._tensor_check import check_real
from .batch_axes import choose_layout
from .domains.stretch import Stretch
from .errors import add_context
from .explain.call import Question
from .explain.explainer import Explainer
from .explain.fitting import refuse_input
from .explain.kept import Kept, OfModels, remember
from .models import as_model
from .models.outputs import ROWS
from .objective.classes import ClassReader
from .objective.failures import left_the_model
from .objective.targets import Target
from .result.attributions import Attributions
from .signals import Signal, aligned, aligned_rows, batch_of, hint_at_unit, labelled, placed
from .signals.axes import Axes

KNOWN = OfModels()
"""What is known of the modules that were explained."""


@says_what_is_meant
def attribute(
    input: Any,
    model: Any,
    target: Target = None,
    baseline: Any = None,
    n_steps: int | None = 50,
    segment: Any = None,
    start_idx: int | np.integer[Any] | None = None,
    additional_forward_args: Any = None,
) -> np.ndarray:
    """Attribute a model's decision to the frequencies of its input.

    Integrated Gradients of the model behind an inverse real FFT: FLEX_i(F, x) = IG_i(F ∘ iRFFT,
    RFFT(x)), Gräve et al. 2025. Scores sum to F(x) - F(x'), x' the baseline.

    Parameters
    ----------
    input : array-like, torch.Tensor, xarray.DataArray, or MNE Raw, Epochs or Evoked
        Real signals. (n,) and (1, n) are one series, handed to the model as (batch, n), or as
        (batch, 1, n) where it takes only that. (k, n), k > 1, is one series of k channels,
        handed over as (batch, k, n). (N, k, n) is a batch; (N, 1, n) goes over as (N, n) or
        (N, 1, n) by the rule for one series: two and three distinct points are tried as
        (batch, n) first, and the first layout that returns one row per point, independent of the
        other points, is taken. Dimensions called sample, channel and time are read by these names,
        and so are those of baseline and segment, whose channels go by name too.
    model : torch.nn.Module, callable, model of Keras, TensorFlow, JAX or ONNX, or path of a file
        Maps a batch of series to outputs. One that says that it takes (batch, n, k), as Keras models
        do, gets that in place of (batch, k, n). Files that can run code when loaded need
        `Explainer(model, trust=True)`.
    target : int, tuple, sequence, array, tensor or None
        Output to explain: an int for all samples; a list, array or tensor with one per sample;
        a tuple as one index for all samples, for outputs with more axes. None: the predicted
        class of each sample.
    baseline : array-like, optional
        Start of the path, zero by default. Of the shape of the input; or of the segment, with
        zero for the rest. For a batch one series (k, n) serves all.
    n_steps : int or None, default 50
        Gauss-Legendre nodes on the path; None takes as many as each sample needs for an error of
        1 %, and warns where that is not reached.
    segment : array-like, optional
        Replaces `input[..., start_idx : start_idx + len]`, and asks for the spectrum of that
        stretch, while the whole input follows the path from its baseline.
    start_idx : int, optional
        Where the segment starts, in samples.
    additional_forward_args : tensor, object, or tuple or list of them, optional
        Further arguments of the model. `freqig.per_sample(values, axis=0)` says that one holds an entry
        per sample, `freqig.shared(value)` that it is the same for all. Where nothing is said, tensors
        whose first axis is as long as the batch are tried both ways on the model, and what it does
        not tell apart is an error; all others are shared.

    Returns
    -------
    numpy.ndarray
        One-sided scores, in units of the output, over n // 2 + 1 frequencies (n the length of
        the segment where one is given): shape (n_freq,) for (n,) and (1, n), (k, n_freq) for
        (k, n), (N, k, n_freq) for (N, k, n); float64 for float64 models, else float32.

    Raises
    ------
    ValueError
        If `start_idx` is missing or negative, the segment leaves the input, a shape does not
        fit, a value is not finite, or the model cannot be explained.
    TypeError
        If an argument has a wrong type.

    References
    ----------
    P. Gräve, T. Steinbrinker, F. Ehrlich, P. Hempel, P. Zaschke, D. Krefting, N. Spicher: Using
    EEG Frequency Attributions to Explain the Classifications of a Deep Neural Network for Sleep
    Staging, 2025.

    Examples
    --------
    >>> import freqig, numpy as np, torch
    >>> x = np.sin(2 * np.pi * 10 * np.arange(100) / 100)
    >>> scores = freqig.attribute(x, lambda x: x.square().sum(-1))
    >>> scores.shape, int(scores.argmax())
    ((51,), 10)
    """
    if isinstance(target, str):
        raise TypeError(
            f"target must be an index, one per sample, or None for the predicted class, got {target!r}: "
            "an Explainer explains all classes"
        )
    known, given = _read_input(input)
    x, leading = _as_batch(given), _result_axes(given)
    begin, length = 0, x.shape[-1]
    if segment is not None:
        piece = _read_beside(segment, known, "segment")
        length = piece.shape[-1] if piece.ndim else 0
        begin = _check_start(start_idx, length, x.shape[-1])
        # A copy, for the caller's own array is what x may be.
        x = x.to(torch.float64, copy=True)
        x[..., begin : begin + length] = _fitted(piece, given, (length,), "segment")
    elif start_idx is not None:
        raise ValueError(f"segment must be given with start_idx, got start_idx={shown(start_idx)} alone")
    check_real(x, "input")
    start = _read_baseline(baseline, known, given, x, begin, length)
    target = aligned_rows(target, known, "target")
    adapter = as_model(model)
    adapter.hints.fit(known, None, "input", reorder=False)
    adapter = adapter.with_time_axis(adapter.hints.axis_for(*x.shape[1:]))
    # What is explained is documented, the raw output, so there is nothing to find out about its scale.
    explainer = Explainer(
        adapter, domains=Stretch(begin, length, "rfft"), n_steps=n_steps, probabilities=False
    )
    # What a callable refers to may change unseen, and what a model takes may depend on its arguments.
    keeps = isinstance(model, torch.nn.Module) and additional_forward_args is None and len(x) > 0
    reader = ClassReader(None, False, "logit")
    kept = KNOWN.of(model, adapter.signature(), reader) if keeps else Kept(reader)
    key = (tuple(x.shape[1:]), explainer.time_axis)
    layout = kept.layouts.get(key)
    try:
        found = None
        if layout is not None:
            # Where it fails, all is found out anew, and told as in a first call.
            with suppress(Exception):
                found = _explained(explainer, x, start, target, None, layout, kept)
        if found is None:
            begins = torch.zeros_like(x) if start is None else start
            axes = choose_layout(explainer, x, begins, additional_forward_args) if len(x) else x.shape[1:-1]
            found = _explained(explainer, x, start, target, additional_forward_args, axes, kept)
            remember(kept.layouts, key, axes)
    except Exception as error:
        if left_the_model(error) or str(error).startswith(ROWS):
            refuse_input(explainer.model, explainer.time_axis, given, x, additional_forward_args, error)
        # A warning that the caller turned into an error is not about shapes.
        if given.ndim == 2 and len(given) > 1 and not isinstance(error, Warning):
            add_context(
                error,
                f"an input of shape {tuple(given.shape)} is one series of {len(given)} channels; "
                "for as many series of one channel pass input[:, None, :]",
            )
        raise
    hint_at_unit(known, found.output - found.baseline_output, "input")
    return found.values[0].reshape(*leading, length // 2 + 1).numpy()


def _explained(
    explainer: Explainer,
    x: Tensor,
    start: Tensor | None,
    target: Target,
    arguments: Any,
    axes: tuple[int, ...],
    kept: Kept,
) -> Attributions:
    """Attributions of signals of shape (N, k, n), which go over with these axes between batch and time."""
    shape = (len(x), *axes, x.shape[-1])
    # Like every argument but the series, baselines are in the model's own layout.
    values = x.reshape(shape)
    baseline = None if start is None else start.reshape(shape).movedim(-1, explainer.time_axis)
    inputs = [values.movedim(-1, explainer.time_axis)]
    question = Question(Signal(values), target, baseline, arguments, inputs, name="input")
    return explainer.attributions(question, Axes(shape, None), kept)


def _read_input(input: Any) -> tuple[Signal, Tensor]:
    """Input with its labels, and values of a shape that `attribute` documents.

    Where axes have names, the labels are those of shape (N, k, n).
    """
    signal = labelled(input, "input")
    if signal.dims is None:
        return signal, signal.values
    known = placed(signal, -1, "input")
    if known.values.ndim == 2:
        known = _with_channel(known, 1)
    return known, known.values[0] if batch_of(signal.dims) is None else known.values


def _read_beside(other: Any, known: Signal, name: str) -> Tensor:
    """Segment or baseline, in the order, rate and unit of the input."""
    read = labelled(other, name)
    if read.dims is not None and "channel" in (known.dims or ()) and "channel" not in read.dims:
        read = _with_channel(read, len(read.dims) - 1)
    return aligned(read, known, -1, name)


def _with_channel(signal: Signal, axis: int) -> Signal:
    """The signal with an axis for the one channel that its names leave out."""
    dims = signal.dims or ()
    return replace(signal, values=signal.values.unsqueeze(axis), dims=(*dims[:axis], "channel", *dims[axis:]))


def _as_batch(given: Tensor) -> Tensor:
    """Input as (N, k, n)."""
    if given.ndim not in (1, 2, 3) or 0 in given.shape[-2:]:
        raise ValueError(
            "input must have shape (n,), (1, n), (k, n) or (N, k, n) with at least one channel and "
            f"one time sample, got {tuple(given.shape)}"
        )
    return given if given.ndim == 3 else given.reshape(1, -1, given.shape[-1])


def _result_axes(given: Tensor) -> tuple[int, ...]:
    """Axes of the result before frequency."""
    return () if given.ndim == 1 or (given.ndim == 2 and len(given) == 1) else tuple(given.shape[:-1])


def _check_start(start_idx: Any, length: int, n: int) -> int:
    if start_idx is None:
        raise ValueError("start_idx must be given with segment: the index of its first sample")
    start = check_integer(start_idx, "start_idx")
    if not 1 <= length <= n:
        raise ValueError(f"segment must have 1 to {n} samples in time, like the input, got {length}")
    if start < 0 or start + length > n:
        raise ValueError(
            f"start_idx must be in 0..{n - length} for a segment of {length} samples in an input of "
            f"{n}, got {shown(start_idx)}"
        )
    return start


def _fitting_shapes(given: Tensor, length: int) -> list[tuple[int, ...]]:
    """Shapes that something as long as the input, or its segment, may have."""
    if given.ndim == 3:
        n_samples, k, _ = given.shape
        return [(n_samples, k, length), (k, length), *([(length,)] if k == 1 else [])]
    if given.ndim == 2 and len(given) > 1:
        return [(len(given), length)]
    return [(length,), (1, length)]


def _fitted(values: Tensor, given: Tensor, lengths: tuple[int, ...], name: str) -> Tensor:
    """Values, of one of these lengths, as (N or 1, k, length)."""
    shapes = [shape for length in lengths for shape in _fitting_shapes(given, length)]
    if tuple(values.shape) not in shapes:
        raise ValueError(
            f"{name} must have shape {' or '.join(map(str, dict.fromkeys(shapes)))} for an input of "
            f"shape {tuple(given.shape)}, got {tuple(values.shape)}"
        )
    k = given.shape[-2] if given.ndim > 1 else 1
    values = values.to(given.device).reshape(-1, k, values.shape[-1])
    check_real(values, name)
    return values


def _read_baseline(
    baseline: Any, known: Signal, given: Tensor, x: Tensor, begin: int, length: int
) -> Tensor | None:
    """Baseline of the whole input, shape (N, k, n); None where none was given, which is zero."""
    if baseline is None:
        return None
    start = x.new_zeros(x.shape).double()
    n = x.shape[-1]
    values = _fitted(_read_beside(baseline, known, "baseline"), given, (n, length), "baseline")
    if values.shape[-1] == n:
        return start + values
    start[..., begin : begin + length] = values
    return start
