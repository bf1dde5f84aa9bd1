"""Attributions of bands and channels as an Explanation of shap."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from .._keywords import says_what_is_meant
from ..band_scales import inside
from ..bands import bands as sum_over_bands
from ..result.reading import attributions_of, dim_of, rate_of, rows_by_length, with_one

REST = "rest"


@says_what_is_meant
def to_shap(result: xr.Dataset, bands: Any = "sleep", *, name: str = "rfft") -> Any:
    """Attributions of bands × channels as features, for the plots of shap.

    Base values are the outputs at the baseline, so that values add up to the output, up to the
    completeness gap; what lies outside all bands is the feature "rest". Data are the amplitudes of
    the signals in the bands, root mean squares, by which a beeswarm is coloured.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, or what `freqig.bands` makes of it.
    bands : str or mapping of str to (float, float), default "sleep"
        As `freqig.bands` takes them; not looked at where bands were summed before.
    name : str, default "rfft"
        Variable of attributions over frequency or band. What it is over besides, such as time, is
        summed.

    Returns
    -------
    shap.Explanation
        `values` of shape (sample, feature), or (sample, feature, target) of results with several
        targets; `feature_names` such as "Oz alpha".

    Raises
    ------
    ImportError
        If shap is not installed.
    TypeError, ValueError
        If `result` is no such result, or the bands are wrong.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Linear(128, 1)
    >>> result = freqig.Explainer(model, fs=64)(np.random.default_rng(0).normal(size=(3, 128)), target=0)
    >>> explanation = freqig.to_shap(result, "eeg")  # doctest: +SKIP
    >>> explanation.feature_names  # doctest: +SKIP
    ['delta', 'theta', 'alpha', 'beta', 'gamma', 'rest']
    """
    features = features_of(result, bands, name)
    try:
        import shap
    except ImportError as error:
        raise ImportError("to_shap needs shap, which is not installed: pip install 'freqig[shap]'") from error
    return shap.Explanation(**features)


def features_of(result: xr.Dataset, bands: Any = "sleep", name: str = "rfft") -> dict[str, Any]:
    """What `shap.Explanation` is made of: values, base_values, data, feature_names, output_names.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Linear(128, 1)
    >>> result = freqig.Explainer(model, fs=64)(np.random.default_rng(0).normal(size=(3, 128)), target=0)
    >>> features = features_of(result, "eeg")
    >>> features["values"].shape, features["feature_names"][2]
    ((3, 6), 'alpha')
    """
    variable = attributions_of(result, name)
    dim = dim_of(variable, "band")
    if dim is None:
        result = sum_over_bands(with_one(result, name), bands)
        dim = dim_of(result[name], "band")
    if dim is None:
        raise ValueError(f"result.{name} must be over frequency or band, got {result[name].dims}")
    result = result if "sample" in result.dims else result.expand_dims("sample")
    targets = ["target"] * ("target" in result[name].dims)
    channels = ["channel"] * ("channel" in result[name].dims)
    kept = ["sample", *channels, dim, *targets]
    values = result[name].sum([d for d in result[name].dims if d not in kept], skipna=False).transpose(*kept)
    names = [str(band) for band in values[dim].values]
    if channels:
        size = values.sizes["channel"]
        labels = values["channel"].values if "channel" in values.coords else range(size)
        names = [f"{channel} {band}" for channel in labels for band in names]
    count = values.sizes["sample"]
    shape = (count, len(names), *(values.sizes[d] for d in targets))
    found = {
        "values": values.values.reshape(shape),
        "base_values": result.baseline_output.transpose("sample", *targets).values.astype(np.float64),
        "data": _amplitudes(result, values, dim, bool(channels)),
        "feature_names": names,
    }
    if targets:
        found["output_names"] = [str(target) for target in result["target"].values]
    return found


def _amplitudes(result: xr.Dataset, values: xr.DataArray, dim: str, channels: bool) -> np.ndarray:
    """Root mean square of every signal in every band, shape (sample, feature); NaN where unknown."""
    low, high = (result.coords.get(f"{dim.removesuffix('band')}{end}") for end in ("low", "high"))
    if low is None:
        low, high = result.coords.get(f"{dim}_low"), result.coords.get(f"{dim}_high")
    count = values.sizes["sample"]
    n_features = values.sizes[dim] * (values.sizes["channel"] if channels else 1)
    fs = rate_of(result)
    if low is None or high is None or "signal" not in result or fs is None:
        return np.full((count, n_features), np.nan)
    signal = result["signal"].transpose("sample", ..., "time").values.astype(np.float64)
    rest = np.array([str(band) == REST for band in values[dim].values])
    found = np.empty((*signal.shape[:-1], rest.size))
    for n, rows in rows_by_length(result):
        found[rows] = _root_mean_squares(signal[rows, ..., :n], fs, low.values, high.values, rest)
    if not channels:
        # Bands of all channels together, where the attributions are.
        found = np.sqrt((found**2).reshape(count, -1, values.sizes[dim]).sum(axis=1))
    return np.asarray(found.reshape(count, n_features))


def _root_mean_squares(
    signal: np.ndarray, fs: float, low: np.ndarray, high: np.ndarray, rest: np.ndarray
) -> np.ndarray:
    """Of signals in bands, shape (..., n) to (..., band); `rest` says which band is what lies in no other."""
    n = signal.shape[-1]
    weights = np.full(n // 2 + 1, 2.0)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    # Mean squares by frequency, by Parseval's theorem.
    power = weights * np.abs(np.fft.rfft(signal)) ** 2 / n**2
    frequency = np.fft.rfftfreq(n, 1 / fs)
    held = np.array([inside(a, b, frequency) for a, b in zip(low, high, strict=True)])
    held[rest] = ~held[~rest].any(axis=0)
    return np.asarray(np.sqrt(power @ held.T.astype(np.float64)))
