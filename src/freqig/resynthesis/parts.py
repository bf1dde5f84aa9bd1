"""Resynthesis: kept coefficients at the input, all others at the baseline, as a signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from .._check import check_integer
from .._keywords import says_what_is_meant
from ..result.reading import attributions_of, one_target, rows_by_length
from ..result.samples import of_samples
from ..signals.units import factor
from .keeping import kept_coefficients
from .outcome import output_of
from .source import Source
from .synthesis import synthesized

BLOCK = 2**21
"""Values of signals that are put together at once, so that memory does not grow with the samples."""


@says_what_is_meant
def resynthesize(
    result: xr.Dataset,
    keep: Any = 0.9,
    *,
    name: str | None = None,
    sample: int | None = None,
    explainer: Any = None,
    baseline: Any = None,
    additional_forward_args: Any = None,
) -> xr.DataArray:
    """The part of each signal that made up a given share of its attribution.

    Coefficients that are kept stay what they are at the input; all others become those of the
    baseline. Where the explanation is right, the model answers the part much as it answers the
    whole; `explainer` tells how much.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` or `freqig.Shapley` returns it, of one target. Domain and
        baseline are made again from its attributes.
    keep : float, bands or xarray.DataArray of bool, default 0.9
        A number q in (0, 1]: the fewest coefficients of each sample, by descending attribution, whose
        sum reaches q of the positive sum, over all channels. Bands as `freqig.bands` takes them: what
        lies in one of them. A mask such as ``result.stft > 0.1``, or over some of its dimensions.
    name : str, optional
        Variable of attributions. Default that of the mask, or "rfft".
    sample : int, optional
        Position of the one sample, from the end where negative. Default all.
    explainer : Explainer or Shapley, optional
        What made the result: its domains are taken as they are, and the output for the part is
        computed. Needed for domains that were fitted, or made of functions or arrays.
    baseline : Baseline or array-like, optional
        Start of the paths, as the `Explainer` was given it. Needed where it was values.
    additional_forward_args : optional
        Further arguments of the model, for the samples that are chosen.

    Returns
    -------
    xarray.DataArray
        Named "part", in unit and layout of the input: dimensions ``sample``, ``time`` and those between
        them, in the order of the model's input. Coordinates along ``sample``: those of the result,
        `kept_count`, the number of coefficients that were kept, `kept_attribution`, their sum; with
        `explainer` also `part_output`, the explained output at the part, beside `whole_output`.

    Raises
    ------
    TypeError
        If an argument is of another type.
    ValueError
        If `keep` is none of these, or there is no positive attribution to keep a share of; if the
        domain or the baseline cannot be made again: pass `explainer` or `baseline`; if the result no
        longer holds all coefficients, or holds several targets; if its baselines are several.

    See Also
    --------
    freqig.to_mne, freqig.to_wav : what to do with the part.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> t = np.arange(100) / 100
    >>> x = (np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 20 * t))[None]
    >>> heard = torch.nn.Linear(100, 1).double()
    >>> heard.weight.data[0] = torch.from_numpy(np.sin(2 * np.pi * 20 * t))
    >>> result = freqig.Explainer(heard, fs=100)(x, target=0)
    >>> part = freqig.resynthesize(result, keep=0.9)
    >>> bool(np.allclose(part, np.sin(2 * np.pi * 20 * t), atol=1e-6)), part.kept_count.item()
    (True, 1)
    """
    chosen = name if name is not None else _own_name(keep)
    whole = _of_samples(result, chosen)
    source = Source.of(whole, chosen, baseline, explainer)
    rows = _rows(sample, len(source.x))
    mask = kept_coefficients(source.attribution, keep, rows, source.settings.get("fs"))
    parts = [
        synthesized(source, rows[block], mask[block]) for block in _blocks(len(rows), source.x[0].numel())
    ]
    values = torch.cat(parts) if parts else source.x[:0]
    attributions = np.where(mask, source.attribution.values[rows], 0.0).reshape(len(rows), -1)
    about = {
        "kept_count": mask.reshape(len(rows), -1).sum(axis=1),
        "kept_attribution": attributions.sum(axis=1, dtype=np.float64),
    }
    if explainer is not None and len(rows):
        about["part_output"] = output_of(explainer, whole, source, rows, values, additional_forward_args)
        about["whole_output"] = whole.output.values[rows]
    return _labelled(whole.isel(sample=rows), source, values, about)


def _own_name(keep: Any) -> str:
    return str(keep.name) if isinstance(keep, xr.DataArray) and keep.name is not None else "rfft"


def _of_samples(result: xr.Dataset, name: Any) -> xr.Dataset:
    """A result with a dimension of samples, and a variable of attributions in it."""
    variable = attributions_of(result, name)
    one_target(variable)
    return of_samples(result)


def _rows(sample: Any, count: int) -> list[int]:
    if sample is None:
        return list(range(count))
    position = check_integer(sample, "sample")
    if not -count <= position < count:
        raise ValueError(f"sample must be in {-count}..{count - 1} (the result has {count}), got {position}")
    return [position % count]


def _blocks(count: int, size: int) -> list[slice]:
    each = max(1, BLOCK // max(1, size))
    return [slice(i, i + each) for i in range(0, count, each)]


def _labelled(
    chosen: xr.Dataset, source: Source, values: Tensor, about: dict[str, np.ndarray]
) -> xr.DataArray:
    """Parts in unit and layout of the input, with what is known of the samples."""
    signal = chosen.signal
    unit, given = signal.attrs.get("units"), signal.attrs.get("input_units")
    back = factor(unit, given) if unit is not None and given is not None else None
    scaled = values if back is None else values * back
    dtype = signal.dtype if signal.dtype.kind == "f" else np.dtype(np.float64)
    coords: dict[str, Any] = {
        str(key): coordinate.variable
        for key, coordinate in chosen.coords.items()
        if set(coordinate.dims) <= {*source.layout.dims} and "target_axis" not in str(key)
    }
    coords.update({key: ("sample", array) for key, array in about.items()})
    units = unit if back is None else given
    fs = source.settings.get("fs")
    attrs = {"units": units, "fs": fs, "long_name": "part of the signal that was kept"}
    part = xr.DataArray(
        source.layout.arranged(scaled).numpy().astype(dtype),
        dims=source.layout.dims,
        coords=coords,
        name="part",
        attrs={key: value for key, value in attrs.items() if value is not None},
    )
    # Beyond its end a series has no values.
    for n, rows in rows_by_length(chosen):
        part[{"sample": rows, "time": slice(n, None)}] = np.nan
    return part
