"""Builds the labelled means of groups: a Dataset with a dimension for each grouping."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..domains import Domain
from ..signals.axes import Axes
from .dataset import Variable, attribution_variable, told, versions


def label_means(
    domains: Sequence[Domain],
    axes: Axes,
    levels: Mapping[str, np.ndarray],
    cells: tuple[np.ndarray, ...],
    *,
    values: Sequence[Tensor],
    standard_errors: Sequence[Tensor],
    errors: Tensor,
    scalars: Mapping[str, Tensor],
    by_group: Mapping[str, np.ndarray],
    targets: Tensor | None,
    names: tuple[str, ...] | None,
    settings: Mapping[str, Any],
    description: Mapping[str, str | int | float],
    unit: str,
) -> xr.Dataset:
    """The result, G groups in cells of a table of their labels; cells without samples are NaN.

    Parameters
    ----------
    domains, axes
        Domains made ready, and axes of the signals.
    levels : mapping
        Labels of each grouping, in their order.
    cells : tuple of numpy.ndarray
        Where each group stands, an index per grouping, shape (G,).
    values, standard_errors : sequence of torch.Tensor
        By domain, shape (G, T, ...).
    errors : torch.Tensor
        By domain, shape (domains, G, T).
    scalars : mapping
        By group and target, shape (G, T).
    by_group : mapping
        By group, shape (G,).
    targets : torch.Tensor or None
        Classes where there are several targets, shape (T,).
    names : tuple of str or None
        Names of classes.
    settings, description, unit
        As of `label`.
    """
    every_class = targets is not None
    groupings = tuple(levels)
    sizes = tuple(len(labels) for labels in levels.values())
    leading = (*groupings, "target") if every_class else groupings
    count: Variable = (groupings, in_cells(by_group["n_samples"], cells, sizes, 0), {})
    variables: dict[str, Variable] = {}
    coords: dict[str, Any] = {name: (name, labels) for name, labels in levels.items()}

    def placed(tensor: Tensor, empty: Any = np.nan) -> np.ndarray:
        array = tensor.detach().cpu().numpy()
        return in_cells(array if every_class else array[:, 0], cells, sizes, empty)

    for k, domain in enumerate(domains):
        variable, own = attribution_variable(domain, axes, placed(values[k]), leading, unit)
        variables[domain.name] = variable
        coords.update(own)
        about = {
            "kind": "standard_error",
            "units": unit,
            "long_name": "standard error of the mean, over samples",
        }
        variables[f"{domain.name}_standard_error"] = variable[0], placed(standard_errors[k]), about
        about = {"long_name": "relative L1 error of the mean by integration"}
        variables[f"{domain.name}_integration_error"] = leading, placed(errors[k]), about
    for name, tensor in scalars.items():
        flag = tensor.dtype == torch.bool
        variables[name] = leading, placed(tensor, False if flag else np.nan), {} if flag else {"units": unit}
    variables["n_samples"] = count
    for name, array in by_group.items():
        if name != "n_samples":
            empty = False if array.dtype == bool else np.nan
            variables[name] = groupings, in_cells(array, cells, sizes, empty), {}
    if targets is not None:
        coords["target"] = ("target", told(targets.cpu().numpy(), names))
    along = axes.coords()
    coords.update({name: along[name] for name in ("channel",) if name in along})
    attrs = {
        "title": "Mean explanations of groups in the frequency domain",
        "method": "FLEX, averaged over groups: one random shift of the nodes per sample",
        "settings": json.dumps(settings, sort_keys=True),
        "versions": json.dumps(versions(), sort_keys=True),
    }
    described = {f"model_{key}": value for key, value in description.items()}
    return xr.Dataset(dict(variables), coords, {**attrs, **described})


def in_cells(
    values: np.ndarray, cells: tuple[np.ndarray, ...], sizes: tuple[int, ...], empty: Any
) -> np.ndarray:
    """Values of groups, shape (G, ...), in their cells of a table of labels, shape (*sizes, ...).

    Examples
    --------
    >>> in_cells(np.array([1.0, 2.0]), (np.array([0, 1]), np.array([1, 0])), (2, 2), np.nan)
    array([[nan,  1.],
           [ 2., nan]])
    """
    if not sizes:
        return np.asarray(values[0])
    table = np.full((*sizes, *values.shape[1:]), empty, dtype=values.dtype)
    table[cells] = values
    return table
