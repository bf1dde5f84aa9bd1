"""What is in a result, in numbers that fit on a page."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import xarray as xr

from .bands import bands as sum_over_bands
from .groupings import class_names, in_order
from .result.gaps import gap_shares
from .result.samples import of_samples

EXPLAINED = "attribution"


def summary(result: xr.Dataset, bands: Any = None) -> dict[str, Any]:
    """Sum up a result: samples, classes, bands, and how well it converged.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it.
    bands : str or mapping, optional
        Bands as `freqig.bands` takes them, for results with frequencies in Hz. Default: those in Hz that the
        result has already, else none.

    Returns
    -------
    dict
        Of text, numbers, lists and dicts, as JSON holds them:

        - ``samples``, ``files``, ``channels``, ``fs``, ``values`` (in time), ``unit``, ``model``, ``output``;
        - ``domains``: dimensions and sizes by name;
        - ``classes``: for each explained class ``class``, ``samples``, ``right`` (as many as were predicted
          to be their truth, where that is known), ``output`` and ``baseline_output`` (means), and ``bands``:
          the mean attribution of each, summed over channels;
        - ``gap``: median and largest completeness gap as a share of the L1 norm of the attributions, of which
          an explanation that converged misses `tol` at most; ``converged``: how many;
          ``status``: how often each; ``evaluations``: sum, median and largest.

    Raises
    ------
    TypeError, ValueError
        If `result` is no result, or `bands` are wrong.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Linear(8, 2)
    >>> model.bias.data = torch.tensor([5.0, 0.0])
    >>> explainer = freqig.Explainer(model, fs=8, classes=("rest", "task"))
    >>> result = explainer(np.random.default_rng(0).normal(size=(3, 8)), target="task")
    >>> found = freqig.summary(result, bands={"slow": (0, 2)})
    >>> found["samples"], found["converged"], [one["class"] for one in found["classes"]]
    (3, 3, ['task'])
    >>> list(found["classes"][0]["bands"])
    ['slow', 'rest']
    """
    if "output" not in getattr(result, "data_vars", ()):
        kind = type(result).__name__
        raise TypeError(f"result must be a Dataset as freqig.Explainer returns it, got {kind} without output")
    result = of_samples(result)
    settings = json.loads(result.attrs.get("settings", "{}"))
    explained = _explained(result)
    signal = next((one for one in result.data_vars.values() if one.attrs.get("kind") == "signal"), None)
    return {
        "samples": int(result.sizes.get("sample", 1)),
        "files": list(dict.fromkeys(map(str, result["file"].values))) if "file" in result.coords else [],
        "channels": list(map(str, result["channel"].values)) if "channel" in result.coords else [],
        "fs": settings.get("fs"),
        "values": None if signal is None else int(signal.sizes.get("time", signal.shape[-1])),
        "unit": None if signal is None else signal.attrs.get("units"),
        "model": str(result.attrs.get("model_class", "")),
        "output": _called(result, settings.get("output")),
        "domains": {
            name: {str(dim): int(size) for dim, size in variable.sizes.items()}
            for name, variable in explained.items()
        },
        "classes": _classes(result, banded_attributions(result, bands)),
        **_quality(result),
    }


def _called(result: xr.Dataset, scale: Any) -> Any:
    """What was explained: the raw output by its unit, since it need not be a logit."""
    return result["output"].attrs.get("units", scale) if scale == "logit" else scale


def _explained(result: xr.Dataset) -> dict[str, xr.DataArray]:
    return {
        str(name): variable
        for name, variable in result.data_vars.items()
        if variable.attrs.get("kind") == EXPLAINED
    }


def banded_attributions(result: xr.Dataset, bands: Any = None) -> xr.DataArray | None:
    """Attributions by band, of the first variable that has them, summed over all but samples and targets.

    Parameters
    ----------
    result : xarray.Dataset
        A result.
    bands : str, mapping or None
        As `freqig.bands` takes them; None for bands that the result has already.

    Returns
    -------
    xarray.DataArray or None
        Dimensions sample, target where there are several, and band; None where there are no bands.

    Raises
    ------
    ValueError
        If bands are asked for, and nothing was explained by frequency.
    """
    explained = _explained(result)
    if bands is not None:
        over = [
            name
            for name, variable in explained.items()
            if any(str(dim) == "frequency" or str(dim).endswith("_frequency") for dim in variable.dims)
        ]
        if not over:
            raise ValueError(
                f"bands must be None for a result without frequencies, got {', '.join(explained) or 'none'}"
            )
        summed = sum_over_bands(result[over[:1]], bands)
        explained = {over[0]: summed[over[0]]}
    for variable in explained.values():
        (band, *_) = [dim for dim in variable.dims if str(dim) == "band" or str(dim).endswith("_band")] or [
            None
        ]
        if band is not None and band in variable.coords:
            others = [dim for dim in variable.dims if dim not in ("sample", "target", band)]
            # What is not known of a sample has no sum.
            return variable.sum(others, skipna=False).rename({band: "band"})
    return None


def _classes(result: xr.Dataset, banded: xr.DataArray | None) -> list[dict[str, Any]]:
    if "target" in result.dims:
        names, rows = result["target"].values.tolist(), None
    elif "target" in result.coords and result["target"].dims == ("sample",):
        rows = result["target"].values
        names = in_order(rows.tolist(), class_names(result))
    else:
        names, rows = [None], None
    known = None
    if {"truth", "predicted"} <= set(result.coords):
        known = result["truth"].values == result["predicted"].values
    found = []
    for place, name in enumerate(names):
        of_class = {"sample": rows == name} if rows is not None else {}
        chosen = {"target": place} if "target" in result.dims else {}
        members = of_class.get("sample", slice(None))
        one: dict[str, Any] = {
            "class": name,
            "samples": int(np.count_nonzero(members))
            if rows is not None
            else int(result.sizes.get("sample", 1)),
        }
        if known is not None:
            one["right"] = int(known[members].sum())
        for key in ("output", "baseline_output"):
            one[key] = _number(result[key].isel(chosen).values[members].mean())
        if banded is not None:
            mine = banded.isel({**chosen, **of_class} if "sample" in banded.dims else chosen)
            mean = mine.mean("sample") if "sample" in mine.dims else mine
            one["bands"] = {str(band): _number(mean.sel(band=band)) for band in mean["band"].values}
        found.append(one)
    return found


def _quality(result: xr.Dataset) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if (share := gap_shares(result)) is not None:
        told["gap"] = {"median": _number(np.median(share)), "largest": _number(share.max(initial=0))}
    if "converged" in result:
        converged = result["converged"].values.astype(bool)
        told["converged"] = int(converged.reshape(len(np.atleast_1d(converged)), -1).all(axis=1).sum())
    if "status" in result:
        meanings = str(result["status"].attrs.get("flag_meanings", "")).split()
        counts = Counter(int(one) for one in result["status"].values.ravel())
        told["status"] = {
            meanings[code] if code < len(meanings) else str(code): count
            for code, count in sorted(counts.items())
        }
    if "n_evaluations" in result:
        counted = result["n_evaluations"].values.ravel()
        told["evaluations"] = {
            "sum": int(counted.sum()),
            "median": _number(np.median(counted)),
            "largest": int(counted.max(initial=0)),
        }
    return told


def _number(value: Any) -> float | None:
    """A number as JSON has it, which knows no NaN and no infinity."""
    number = float(value)
    return number if np.isfinite(number) else None
