"""Sums of attributions over named frequency bands."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from ._keywords import says_what_is_meant
from .band_edges import REST, check_bands, named_bands, presets
from .band_scales import inside

__all__ = ["bands", "check_bands", "highest_of", "named_bands", "presets"]

_FREQUENCY = "frequency"


@says_what_is_meant
def bands(
    result: xr.Dataset,
    bands: Any = "sleep",
    *,
    n: int | None = None,
) -> xr.Dataset:
    """Sum attributions over named frequency bands.

    Every variable with ``attrs["kind"] == "attribution"`` and a dimension ``frequency`` (or
    ``<name>_frequency``) gets a dimension ``band`` (or ``<name>_band``) in its place. Its last
    entry, ``rest``, holds all frequencies outside the bands, 0 Hz included where no band starts
    there, so that the sum over bands is the sum over frequencies and completeness survives.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it. Its frequency coordinates must be in Hz,
        which they are when the explainer knew the sampling rate.
    bands : str or mapping of str to (float, float), default "sleep"
        A preset, "sleep" or "eeg", or a scale, "mel", "third-octave" or "octave" (see Notes), or
        edges ``(low, high)`` by name, in Hz, or in orders where the coordinates are.
        Bands are half-open, ``[low, high)``: a frequency on an edge belongs to the band that
        starts there. They may leave gaps and reach beyond the Nyquist frequency, but not overlap.
    n : int, optional
        Number of bands of a scale, counted from the highest: 40 mel bands, 30 third-octaves and
        10 octaves by default. Presets and edges have a number of their own.

    Returns
    -------
    xarray.Dataset
        The band sums in float64, whatever the dtype of the attributions, in the order of `bands`;
        other variables and all attributes unchanged. Coordinates along ``band``: ``band_low`` and
        ``band_high`` in Hz (NaN for ``rest``) and ``band_n_frequencies``, the number of frequencies
        summed. A band that holds none has the sum 0, which says nothing about the model; this
        count tells it from a band that does not matter. Places without a coefficient, NaN in every sample,
        add nothing; what is NaN in some of them makes the sums of its bands NaN.

    Raises
    ------
    TypeError
        If `result` is no Dataset, or `bands` neither a preset nor a mapping of names to pairs of
        numbers.
    ValueError
        If the preset is unknown; if bands are none, empty, reversed, negative, not finite or
        overlapping, or one is called ``rest``; if a frequency coordinate is missing or not in Hz;
        if `result` holds no attribution over frequency.

    See Also
    --------
    freqig.bands_around : bands around the frequencies of a bearing and their multiples.
    freqig.plots.spectrum : draws the spectrum with bands shaded.

    Notes
    -----
    The presets, as ``from freqig.bands import presets`` has them, in Hz:

    - ``"sleep"``: delta 0.5-4, theta 4-8, alpha 8-12, sigma 12-16, beta 16-30, gamma 30-40, the
      defaults of ``yasa.bandpower`` (Vallat and Walker, eLife 10:e70092, 2021).
    - ``"eeg"``: delta 0-4, theta 4-8, alpha 8-12, beta 12-30, gamma 30-45, the defaults of
      ``mne.time_frequency.Spectrum.plot_topomap`` (Gramfort et al., Front. Neurosci. 7:267, 2013).

    Scales reach up to half of the sampling rate:

    - ``"mel"``: all as wide in mel, from 0 Hz on, by the formula of HTK, 2595 log10(1 + f / 700 Hz)
      (O'Shaughnessy, Speech Communication, 1987). Named by their middle.
    - ``"third-octave"``, ``"octave"``: edges and nominal mid-band frequencies of IEC 61260-1:2014,
      base ten. The highest is that whose middle lies below half of the sampling rate; with 48 kHz
      these are the bands from 25 Hz to 20 kHz, and from 31.5 Hz to 16 kHz.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from freqig.bands import bands
    >>> frequency = xr.Variable("frequency", np.arange(0.0, 33.0), {"units": "Hz"})
    >>> rfft = xr.Variable(("sample", "frequency"), np.ones((1, 33)), {"kind": "attribution"})
    >>> result = xr.Dataset({"rfft": rfft}, coords={"frequency": frequency})
    >>> summed = bands(result, {"slow": (0.5, 4), "alpha": (8, 12)})
    >>> summed.rfft.sel(sample=0).to_series().to_dict()
    {'slow': 3.0, 'alpha': 4.0, 'rest': 26.0}
    >>> float(summed.rfft.sum()) == float(result.rfft.sum())
    True
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"result must be an xarray.Dataset as freqig.Explainer returns it, got {type(result).__name__}"
        )
    attributions = {
        name: _frequency_dims(variable)
        for name, variable in result.data_vars.items()
        if variable.attrs.get("kind") == "attribution" and _frequency_dims(variable)
    }
    if not attributions:
        raise ValueError(
            "result must hold an attribution over frequency (attrs['kind'] == 'attribution' and a "
            "dimension 'frequency' or '<name>_frequency'), got the variables "
            f"{', '.join(map(repr, result.data_vars))}; explain with a frequency domain such as "
            "freqig.RFFT(), and sum over bands only once"
        )

    summed = {}
    for name, dims in attributions.items():
        variable = result[name]
        for dim in dims:
            frequency, units = _measured(variable, dim)
            edges = named_bands(bands, highest_of(result, frequency), n)
            if isinstance(bands, str) and units != "Hz":
                raise ValueError(
                    f"bands {bands!r} are in Hz, got result.{dim} in {units}: pass edges in {units} by name"
                )
            variable = _sum_over_bands(variable, dim, frequency, units, edges)
        summed[name] = variable
    return _replace(result, summed, {dim for dims in attributions.values() for dim in dims})


def _frequency_dims(variable: xr.DataArray) -> list[str]:
    return [dim for dim in map(str, variable.dims) if dim == _FREQUENCY or dim.endswith(f"_{_FREQUENCY}")]


def highest_of(result: xr.Dataset, frequency: np.ndarray) -> float:
    """Half of the sampling rate of a result, or else its highest frequency, in Hz.

    Examples
    --------
    >>> time = xr.Variable("time", np.arange(5) / 10, {"units": "s"})
    >>> highest_of(xr.Dataset(coords={"time": time}), np.array([0.0, 2.0, 4.0]))
    5.0
    """
    time = result.coords.get("time")
    if time is not None and time.size > 1 and time.attrs.get("units") == "s":
        # From first to last: one step of a long time axis has lost digits.
        span = float(time[-1] - time[0])
        if span > 0:
            return float(0.5 * (time.size - 1) / span)
    return float(frequency.max(initial=0.0))


def _sum_over_bands(
    variable: xr.DataArray,
    dim: str,
    frequency: np.ndarray,
    units: str,
    edges: Mapping[str, tuple[float, float]],
) -> xr.DataArray:
    """Replace the dimension `dim` by the sums over bands and their rest, in float64."""
    variable = _filled(variable, dim)
    held = [inside(low, high, frequency) for low, high in edges.values()]
    held.append(~np.logical_or.reduce(held))
    band = dim.removesuffix(_FREQUENCY) + "band"
    # A product with a 0/1 matrix would be shorter, but spreads one NaN over all bands.
    sums = [
        variable.isel({dim: members}).sum(dim, skipna=False, dtype=np.float64, keep_attrs=True)
        for members in held
    ]
    # "minimal" keeps coordinates that the sums share as they are instead of stacking them.
    total = xr.concat(sums, dim=band, coords="minimal", compat="override")
    total = total.transpose(*(band if d == dim else d for d in variable.dims))
    lows, highs = zip(*edges.values(), (np.nan, np.nan), strict=True)
    hertz = {"units": units}
    counts = np.array([members.sum() for members in held], dtype=np.int64)
    labelled = total.assign_coords(
        {
            band: (band, [*edges, REST], {"long_name": "frequency band"}),
            f"{band}_low": (band, np.array(lows), {"long_name": "lower edge, inside", **hertz}),
            f"{band}_high": (band, np.array(highs), {"long_name": "upper edge, outside", **hertz}),
            f"{band}_n_frequencies": (band, counts, {"long_name": "number of frequencies summed"}),
        }
    )
    labelled.attrs = dict(variable.attrs)
    return labelled


def _filled(variable: xr.DataArray, dim: str) -> xr.DataArray:
    """Attributions with 0 where there is no coefficient, as in a last segment that is shorter than others.

    Such places are NaN in every sample, though not all along `dim`. All else that is NaN stays so: what is
    not known has no sum.
    """
    missing = variable.isnull()
    empty = missing.all([one for one in variable.dims if one in ("sample", "target", "channel")])
    return variable.where(~empty | empty.all(dim), 0.0)


def _measured(variable: xr.DataArray, dim: str) -> tuple[np.ndarray, str]:
    """Frequencies along `dim`, and their unit, Hz or orders."""
    if dim not in variable.coords:
        raise ValueError(
            f"result.{variable.name} must have a coordinate {dim!r} in Hz, got none; keep the "
            "coordinates that freqig.Explainer gave it"
        )
    coordinate = variable.coords[dim]
    units = coordinate.attrs.get("units")
    if units not in ("Hz", "orders"):
        raise ValueError(
            f"bands are in Hz, so result.{dim} must have attrs['units'] 'Hz', got {units!r}; pass "
            "the sampling rate, freqig.Explainer(model, fs=...)"
        )
    return np.asarray(coordinate.values), str(units)


def _replace(result: xr.Dataset, summed: Mapping[Hashable, xr.DataArray], dims: set[str]) -> xr.Dataset:
    """Put the sums in the places of their variables and drop frequency coordinates left unused."""
    kept = result.drop_vars(list(summed))
    used = {dim for variable in kept.data_vars.values() for dim in variable.dims}
    kept = kept.drop_dims([dim for dim in dims - used if dim in kept.dims])
    return kept.assign(summed)
