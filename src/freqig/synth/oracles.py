"""Models that decide by the truth alone, so that an explanation can be tested without training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from torch import nn

from .._check import shown
from .knocking import Knocks
from .moving import angles
from .physical import HARMONICS
from .problem import members, parameters_of
from .spikes import CLASSES, comb
from .white_boxes import Bispectrum, Powers, Product, Rare, Switched, Templates, Waves


def oracle(problem: xr.Dataset) -> nn.Module:
    """The model that decides a problem by its truth alone.

    It is written down and not trained, differentiable, and takes ``problem.signal``, so that what a method
    finds beyond the truth is the method's.

    Parameters
    ----------
    problem : xarray.Dataset
        As a function of `freqig.synth` returns it.

    Returns
    -------
    torch.nn.Module
        In eval mode, float32; ``(batch, channel, time) -> (batch, class)`` logits of ``problem.classes``:

        - ``freqrise``, ``flextime``: for each key bin or region, log(1 + its power) less a threshold, added
          for the classes that have it and taken from those that have not.
        - ``unused_cue``, ``channel_cue``, ``amplitude_modulation``, ``pitch``: log(1 + power) of the lines of
          each class, summed.
        - ``phase_coded``: plus or minus the real part of X(f)² conj(X(2f)).
        - ``product``: a constant, and the product of the powers of both bands.
        - ``chirp``: log(1 + power) along the chirp of each class.
        - ``freqshapes``: the logarithm of the likelihood of each class, for noise of 0.25: no model does
          better.
        - ``bearing``: log(loudness at the rate of each defect) of the amplitude of the band, and a constant.
        - ``arma``, ``hmm``: ``(batch, channel, time), (batch, channel, time) -> (batch, time)``. The second
          argument is the truth: ``freqig.per_sample(problem.truth_waveform.values)`` as the
          ``additional_forward_args`` of an explainer. The answer is, at each step, the sum of the squares
          of what is true, or the logit.

    Raises
    ------
    TypeError, ValueError
        If `problem` is no such dataset.

    Examples
    --------
    >>> import freqig
    >>> problem = freqig.synth.freqrise(n=8, seed=0)
    >>> problem = problem.isel(sample=problem.label.values > 0)
    >>> model = freqig.synth.oracle(problem)
    >>> result = freqig.Explainer(model, fs=problem.fs)(problem.signal.values, target=problem.label.values)
    >>> seen = np.abs(result.rfft) > 0.01
    >>> bool((seen == problem.truth_rfft).all())
    True
    """
    if not isinstance(problem, xr.Dataset):
        raise TypeError(f"problem must be a Dataset that freqig.synth made, got {shown(problem)}")
    made = problem.attrs.get("problem")
    if made not in ORACLES or "parameters" not in problem.attrs or "signal" not in problem:
        raise ValueError(
            f"problem must be a Dataset that freqig.synth made, with its attributes, got problem={made!r}: "
            f"known are {', '.join(ORACLES)}"
        )
    return ORACLES[made](problem, parameters_of(problem)).eval()


def _lines(problem: xr.Dataset, frequencies: Any) -> np.ndarray:
    """One mask per frequency, shape (line, 1, frequency)."""
    hertz = problem.frequency.values
    masks = np.zeros((len(frequencies), 1, hertz.size), dtype=bool)
    for mask, frequency in zip(masks, frequencies, strict=True):
        mask[0, np.abs(hertz - frequency).argmin()] = True
    return masks


def _subsets(masks: np.ndarray, gain: float, threshold: float) -> Powers:
    """Which of the groups are there, for classes numbered in binary."""
    held = members(np.arange(2 ** len(masks)), len(masks))
    return Powers(masks, 2.0 * held - 1, gain, threshold)


def _freqrise(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    return _subsets(_lines(problem, parameters["keys"]), 10.0, 0.25)


def _flextime(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    edges, hertz = np.array(parameters["edges"]), problem.frequency.values
    masks = [(hertz >= edges[r]) & (hertz < edges[r + 1]) for r in parameters["salient"]]
    return _subsets(np.stack(masks)[:, None], 50.0, 0.04)


def _pairs(lines: str) -> Callable[[xr.Dataset, dict[str, Any]], nn.Module]:
    """A line for each class."""

    def build(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
        return Powers(_lines(problem, parameters[lines]), np.eye(2), 10.0)

    return build


def _channel_cue(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    own = np.arange(parameters["n_channels"]) == parameters["channel"]
    return Powers(_lines(problem, parameters["lines"]) & own[:, None], np.eye(2), 10.0)


def _amplitude_modulation(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    carrier, rates = parameters["carrier"], np.array(parameters["rates"])
    sides = _lines(problem, carrier - rates) | _lines(problem, carrier + rates)
    return Powers(sides, np.eye(2), 10.0)


def _pitch(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    # The logarithm of each harmonic by itself, so that a loud one of another voice counts once.
    own = [np.arange(p, problem.fs / 2, p) for p in parameters["pitches"]]
    weights = np.repeat(np.eye(2), [len(f) for f in own], axis=1)
    return Powers(_lines(problem, np.concatenate(own)), weights / weights.sum(1, keepdims=True), 100.0)


def _phase_coded(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    first, second = (int(mask.argmax()) for mask in _lines(problem, parameters["pair"]))
    return Bispectrum(first, second, problem.sizes["time"])


def _product(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    hertz = problem.frequency.values
    bands = [(hertz >= low) & (hertz < high) for low, high in parameters["bands"].values()]
    # In the order low, high, whatever the order of names is.
    return Product(np.stack(sorted(bands, key=lambda band: int(np.argmax(band))))[:, None], threshold=0.25)


def _chirp(_: xr.Dataset, __: dict[str, Any]) -> nn.Module:
    return Waves(angles(), 10.0)


def _freqshapes(_: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    n = parameters["n_time"]
    shapes = [np.stack([sign * comb(n, start, p) for start in range(n - p)]) for sign, p in CLASSES]
    return Templates(shapes, 0.25)


def _rare(_: xr.Dataset, __: dict[str, Any]) -> nn.Module:
    return Rare()


def _switched(_: xr.Dataset, __: dict[str, Any]) -> nn.Module:
    return Switched()


def _bearing(problem: xr.Dataset, parameters: dict[str, Any]) -> nn.Module:
    return Knocks(
        parameters["rates"], tuple(parameters["band"]), HARMONICS, problem.fs, problem.sizes["time"]
    )


ORACLES: dict[str, Callable[[xr.Dataset, dict[str, Any]], nn.Module]] = {
    "freqrise": _freqrise,
    "flextime": _flextime,
    "freqshapes": _freqshapes,
    "hmm": _switched,
    "arma": _rare,
    "phase_coded": _phase_coded,
    "unused_cue": _pairs("used"),
    "amplitude_modulation": _amplitude_modulation,
    "chirp": _chirp,
    "channel_cue": _channel_cue,
    "product": _product,
    "pitch": _pitch,
    "bearing": _bearing,
}
