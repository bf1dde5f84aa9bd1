"""Builds the labelled result: an xarray.Dataset with dimensions, coordinates and provenance."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from .._version import __version__
from ..diagnosis import Status
from ..domains import Domain
from ..domains.base import values_and_unit
from ..domains.reading import RESERVED
from ..errors import SignalWarning, warn
from ..signals.axes import Axes, since
from .attributions import Attributions

ABOUT = {
    "completeness_gap": {"long_name": "sum of attributions before correction, minus change of the output"},
    "correction": {"long_name": "what closing the completeness gap added to the sum of attributions"},
}
COUNTED = {"n_held": {"long_name": "bins of the spectrum that are rounding and were held, over channels"}}

Variable = tuple[tuple[str, ...], np.ndarray, dict[str, Any]]


def attribution_variable(
    domain: Domain, axes: Axes, values: np.ndarray, leading: tuple[str, ...], unit: str
) -> tuple[Variable, dict[str, Any]]:
    """Variable and coordinates of one domain.

    Parameters
    ----------
    domain : Domain
        The domain, bound to the signal.
    axes : Axes
        Axes of the signal.
    values : numpy.ndarray
        Attributions, shape (*leading, *axes left, *coefficients).
    leading : tuple of str
        First dimensions: sample, and target where there are several.
    unit : str
        Unit of the attributions, that of the explained output.
    """
    coordinates = domain.coords(axes.n, axes.fs)
    names = dict(zip(coordinates, domain.dims(coordinates), strict=True))
    left = tuple(dim for dim in axes.dims if dim not in domain.consumes)
    dims = (*leading, *left, *names.values())
    if values.ndim != len(dims):
        raise ValueError(
            f"domain {domain.name!r}: coords name {len(names)} dimensions {tuple(coordinates)}, but "
            f"its coefficients have {values.ndim - len(leading) - len(left)} axes"
        )
    coords: dict[str, Any] = {}
    for (key, name), size in zip(names.items(), values.shape[-len(names) :], strict=True):
        array, unit_of_axis = values_and_unit(coordinates[key])
        array = since(axes.start, key, array, unit_of_axis)
        if array.shape != (size,):
            raise ValueError(
                f"domain {domain.name!r}: coords has {array.size} values for dimension {key!r}, but "
                f"its coefficients have {size}"
            )
        coords[name] = (name, array, {"units": unit_of_axis} if unit_of_axis else {})
    for key, (along, content, unit_of_values) in domain.auxiliary(axes.n, axes.fs).items():
        own = {"units": unit_of_values} if unit_of_values else {}
        array = since(axes.start, key, np.asarray(content), unit_of_values)
        coords[domain.dims((key,))[0]] = (domain.dims(along), array, own)
    return (dims, values, {"kind": "attribution", "units": unit}), coords


def label(
    run: Attributions,
    axes: Axes,
    signal: Tensor,
    *,
    settings: Mapping[str, Any],
    description: Mapping[str, str | int | float],
    unit: str,
) -> xr.Dataset:
    """The result, with attributes that netCDF can hold: strings, numbers, arrays.

    Parameters
    ----------
    run : Attributions
        What was computed.
    axes : Axes
        Axes of the signal that appear in the result.
    signal : torch.Tensor
        Signals that were explained, shape (N, *axes, n).
    settings : mapping
        Everything that was asked for; stored as one JSON string.
    description : mapping
        What is known of the model; keys become `model_*`.
    unit : str
        Unit of output and attributions.
    """
    names = run.names
    every_class = run.targets is not None and run.targets.shape[1] > 1
    leading = ("sample", "target") if every_class else ("sample",)
    coords: dict[str, Any] = {}
    variables: dict[str, Variable] = {}
    for domain, attributions in zip(run.domains, run.values, strict=True):
        values = _numpy(attributions)
        values = values if every_class else values[:, 0]
        variables[domain.name], own = attribution_variable(domain, axes, values, leading, unit)
        coords.update(own)
    for domain, spread in zip(run.domains, run.spreads, strict=bool(run.spreads)):
        values = _numpy(spread)
        dims = variables[domain.name][0]
        about = {"kind": "spread", "units": unit, "long_name": "standard deviation over baselines"}
        variables[f"{domain.name}_spread"] = dims, values if every_class else values[:, 0], about
    for name, scalars in run.own.items():
        for key, tensor in scalars.items():
            values = _numpy(tensor)
            if values.ndim > 1 and not every_class:
                values = values[:, 0]
            about = COUNTED.get(key, {"units": unit, **ABOUT[key]} if key in ABOUT else {})
            variables[f"{name}_{key}"] = leading[: values.ndim], values, about
    # NumPy has no bfloat16.
    signal = signal.float() if signal.dtype == torch.bfloat16 else signal
    # A copy: what the caller does to the input later must not change the result.
    squeezed = _numpy(signal.reshape(len(signal), *axes.sizes, axes.n)).copy()
    variables["signal"] = (("sample", *axes.dims, "time"), squeezed, axes.about_signal())
    for name, tensor, attrs in (
        ("output", run.output, {"units": unit}),
        ("baseline_output", run.baseline_output, {"units": unit}),
        ("completeness_gap", run.gap, {"units": unit, **ABOUT["completeness_gap"]}),
        ("correction", run.correction, {"units": unit, **ABOUT["correction"]}),
        ("converged", run.converged, {}),
        ("estimated_error", run.error, {"long_name": "relative L1 error of attributions"}),
    ):
        values = _numpy(tensor)
        variables[name] = (leading, values if every_class else values[:, 0], attrs)
    variables["n_evaluations"] = (("sample",), _numpy(run.n_evaluations), {})
    variables.update(_integration(run))
    if run.targets is not None:
        # Whole indices of outputs, and targets of a callable scale, are no numbers of classes.
        known = names if run.targets.ndim == 2 and run.predicted is not None else None
        coords["target"] = _target_coordinate(told(_numpy(run.targets), known), every_class)
    if run.predicted is not None:
        coords["predicted"] = ("sample", told(_numpy(run.predicted), names))
    if names is not None and run.raw is not None and run.raw.ndim == 2:
        variables["outputs"] = ("sample", "class"), _numpy(run.raw), {"long_name": "raw outputs at the input"}
        coords["class"] = ("class", list(names))
    coords = {**_free(axes.coords(), {*variables, *coords}), **coords}
    attrs = {
        "title": "Explanation of a time-series model in the frequency domain",
        "method": "FLEX: Integrated Gradients of the model behind an inverse real FFT",
        "outputs": run.classes.describe(unit),
        "settings": json.dumps(settings, sort_keys=True),
        "versions": json.dumps(versions(), sort_keys=True),
    }
    described = {f"model_{key}": value for key, value in description.items()}
    return xr.Dataset(dict(variables), dict(coords), {**attrs, **described})


def _free(coords: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    """Coordinates without those along samples whose names the result uses for something else."""
    own = [name for name, (dim, *_) in coords.items() if dim == "sample" and name in taken | RESERVED - {dim}]
    # What a signal out of a result brings along is told anew.
    if foreign := [name for name in own if name not in ("target", "predicted")]:
        warn(
            f"x has coordinates {', '.join(map(repr, foreign))} along its samples, names that the result "
            "uses for something else: they are left out, rename them to have them there",
            SignalWarning,
        )
    return {name: content for name, content in coords.items() if name not in own}


def _target_coordinate(targets: np.ndarray, every_class: bool) -> tuple[tuple[str, ...], np.ndarray]:
    """Dimensions and values of the coordinate `target`, from an array of shape (N, T, ...)."""
    if every_class:
        return ("target",), targets[0]
    values = targets[:, 0]
    further = ["output_axis"] if values.ndim == 2 else [f"target_axis_{a}" for a in range(1, values.ndim)]
    return ("sample", *further), values


def _integration(run: Attributions) -> dict[str, Variable]:
    """How adaptive integration ended, by sample: a flag, and where the path jumps most."""
    if not run.diagnoses:
        return {}
    statuses = get_args(Status)
    # Flags as the CF conventions write them, for netCDF readers that know nothing of freqig.
    flags = {"flag_values": np.arange(len(statuses), dtype=np.int8), "flag_meanings": " ".join(statuses)}
    status = np.array([statuses.index(d.status) for d in run.diagnoses], dtype=np.int8)
    jumps = [d.jumps[0] if d.jumps else None for d in run.diagnoses]
    place = np.array([np.nan if jump is None else jump.place for jump in jumps])
    width = np.array([np.nan if jump is None else jump.width for jump in jumps])
    size = np.array([np.nan if j is None else j.size[np.abs(j.size).argmax()] for j in jumps])
    return {
        "status": (("sample",), status, flags),
        "jump_place": (("sample",), place, {"long_name": "place on the path, 0 at the baseline"}),
        "jump_width": (("sample",), width, {"long_name": "stretch of the path with the jump"}),
        "jump_size": (("sample",), size, {"long_name": "rise of the output in the jump"}),
    }


def told(numbers: np.ndarray, names: tuple[str, ...] | None) -> np.ndarray:
    """Names in place of numbers of classes, where there are any."""
    return numbers if names is None else np.array(names)[numbers]


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def versions() -> dict[str, str]:
    """Versions of what computed a result."""
    return {
        "freqig": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "xarray": xr.__version__,
    }
