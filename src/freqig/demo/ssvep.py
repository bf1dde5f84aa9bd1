"""What a network that tells flickering lights apart looks for in EEG it has not seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..explain.explainer import Explainer
from . import flicker
from .recordings import CITATION, FLICKER_HZ, LICENCE, ORIGIN, Recording, split_recordings
from .scores import Measure, measures, score

N_STEPS = 20
"""Nodes on the path. The network is smooth along it: with 20 the gap is that of rounding."""


@dataclass(frozen=True)
class FlickerExplanation:
    """What the demo found.

    Parameters
    ----------
    result : xarray.Dataset
        Explanation of every window of the recordings held out, for the class that the network
        predicts. Coordinates along ``sample``: ``recording``, the name, and ``flicker``, the
        frequency of the light in Hz.
    scores : xarray.Dataset
        What is measured in each window, as `freqig.demo.scores.score` gives it.
    measures : tuple of Measure
        What is measured in all of them, beside what was to be reached.
    training_seconds, explanation_seconds : float
        Wall time in seconds.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.demo.ssvep import FlickerExplanation
    >>> FlickerExplanation(xr.Dataset(), xr.Dataset(), (), 7.0, 5.0).training_seconds
    7.0
    """

    result: xr.Dataset
    scores: xr.Dataset
    measures: tuple[Measure, ...]
    training_seconds: float
    explanation_seconds: float


def run(recordings: Sequence[Recording], seed: int = 0, n_steps: int = N_STEPS) -> FlickerExplanation:
    """Train on five recordings, explain the four that are held out, and measure.

    Parameters
    ----------
    recordings : sequence of Recording
        All nine, as `freqig.demo.recordings.read_recordings` returns them.
    seed : int, default 0
        Seed of the training, at least 0.
    n_steps : int, default 20
        Nodes on the path, as for `freqig.Explainer`.

    Returns
    -------
    FlickerExplanation
        The explanation, and how far it agrees with what is known.

    Raises
    ------
    TypeError, ValueError
        If there are not nine recordings, or `seed` or `n_steps` are no integers, or too small.

    Examples
    --------
    >>> from freqig.demo import ssvep
    >>> ssvep.run([])
    Traceback (most recent call last):
        ...
    ValueError: recordings must be the 9 for which it is fixed which are held out, got 0: ...
    """
    training, held_out = split_recordings(recordings)
    start = time.perf_counter()
    net = flicker.train(flicker.cut_windows(training), seed)
    trained = time.perf_counter()
    result = explain(net, held_out, n_steps)
    explained = time.perf_counter()
    scores = score(result)
    return FlickerExplanation(result, scores, measures(scores), trained - start, explained - trained)


def explain(net: flicker.FlickerNet, recordings: Sequence[Recording], n_steps: int = N_STEPS) -> xr.Dataset:
    """Explain every window of some recordings.

    The logit of the predicted class is explained, from a baseline of zero.

    Parameters
    ----------
    net : FlickerNet
        A trained network.
    recordings : sequence of Recording
        At least one, all with the same channels, those of the network, and sampling rate.
    n_steps : int, default 20
        Nodes on the path, as for `freqig.Explainer`.

    Returns
    -------
    xarray.Dataset
        As `freqig.Explainer` returns it. Coordinates along ``sample``: ``recording``, the name,
        and ``flicker``, the frequency of the light in Hz. The attributes name the origin of the
        signals.

    Raises
    ------
    TypeError, ValueError
        If there is no recording, or `n_steps` is no integer or less than 1.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from freqig.demo.flicker import FlickerNet
    >>> from freqig.demo.recordings import Recording
    >>> from freqig.demo.ssvep import explain
    >>> trials = np.random.default_rng(0).normal(size=(1, 2, 256))
    >>> with torch.random.fork_rng(devices=[]):  # in your case, a trained one
    ...     _ = torch.manual_seed(1)
    ...     net = FlickerNet(2)
    >>> result = explain(net, [Recording("a", trials, np.array([1]), 128.0, ("O1", "O2"))])
    >>> dict(result.rfft.sizes), result.flicker.values.tolist()
    ({'sample': 1, 'channel': 2, 'frequency': 129}, [17.0])
    """
    windows = flicker.cut_windows(recordings)
    signals = xr.DataArray(
        windows.signals,
        dims=("sample", "channel", "time"),
        coords={"channel": list(recordings[0].channels)},
    )
    result = Explainer(net, fs=recordings[0].fs, n_steps=n_steps)(signals)
    # Objects, as which netCDF gives strings back.
    names = np.array([recording.name for recording in recordings], dtype=object)
    result = result.assign_coords(
        recording=("sample", names[windows.recording]),
        flicker=("sample", np.array(FLICKER_HZ)[windows.labels], {"units": "Hz"}),
    )
    return result.assign_attrs(data_citation=CITATION, data_licence=LICENCE, data_origin=ORIGIN)
