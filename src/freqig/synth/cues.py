"""Lines that decide, beside lines that do not: a cue nobody uses, a cue on one channel."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .._check import check_count, check_number, shown
from .problem import LINES, MOST_CHANNELS, Truth, balanced, begin, bins, labelled, phases, read_noise, sines

FS, N = 128.0, 256
USED, UNUSED = (10.0, 17.0), (31.0, 44.0)
LOUD = 2.0
OWN = (12.0, 20.0)
HERE = "made by construction, nowhere published"


def unused_cue(n: int = 1000, agreement: float = 0.9, noise: float = 0.3, seed: int = 0) -> xr.Dataset:
    """A cue that goes with the class and is louder than what the model uses, but is not used.

    The class has a line of unit amplitude at 10 or 17 Hz. A second line, twice as loud, is at 31 or 44 Hz:
    where it agrees with the class in a share of the series. The model of `freqig.synth.oracle` looks at
    the first alone. An explanation of that model that names the second line explains the data and not the
    model.

    Parameters
    ----------
    n : int, default 1000
        Number of series.
    agreement : float, default 0.9
        Probability that the louder line is that of the class, in 0..1. 0.5 says nothing of the class.
    noise : float, default 0.3
        Standard deviation of white noise.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, one channel of 256 samples at 128 Hz; ``label``
        (sample), balanced; ``truth_rfft`` (sample, channel, frequency), true at the line that is used;
        ``distractor_rfft`` likewise, at the other one; ``agrees`` (sample).

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of its range.

    Examples
    --------
    >>> problem = unused_cue(n=2, seed=0)
    >>> [problem.frequency[row[0]].item() for row in problem.truth_rfft]
    [10.0, 17.0]
    >>> [problem.frequency[row[0]].item() for row in problem.distractor_rfft]
    [31.0, 44.0]
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    share = check_number(agreement, "agreement")
    if not 0 <= share <= 1:
        raise ValueError(f"agreement must be in 0..1, got {shown(agreement)}")
    label = balanced(rng, n, 2)
    agrees = rng.random(n) < share
    other = np.where(agrees, label, 1 - label)
    turns = phases(rng, n, 2)
    used, unused = (np.stack([bins(f, N, FS) for f in lines]) for lines in (USED, UNUSED))
    signal = sines(np.array(USED)[label], turns[:, 0], N, FS)
    signal += LOUD * sines(np.array(UNUSED)[other], turns[:, 1], N, FS)
    signal += noise * rng.standard_normal((n, N))
    return labelled(
        signal[:, None],
        label,
        {
            "truth_rfft": Truth(LINES, used[label][:, None], "the line that is used"),
            "distractor_rfft": Truth(LINES, unused[other][:, None], "the louder line, which is not used"),
            "agrees": Truth(("sample",), agrees, "whether the louder line is that of the class"),
        },
        fs=FS,
        problem="unused_cue",
        source=HERE,
        classes=[f"{f:g} Hz" for f in USED],
        seed=seed,
        parameters={"n": n, "agreement": share, "noise": noise, "used": USED, "unused": UNUSED},
    )


def channel_cue(
    n: int = 1000, n_channels: int = 4, channel: int = 1, noise: float = 0.3, seed: int = 0
) -> xr.Dataset:
    """The line on one channel decides; the other channels have the same lines by chance.

    Each channel has a line of unit amplitude at 12 or 20 Hz. That of one channel is the class; those
    of the others are drawn, and twice as loud.

    Parameters
    ----------
    n : int, default 1000
        Number of series.
    n_channels : int, default 4
        Number of channels, at least 2.
    channel : int, default 1
        The one that decides, counted from 0.
    noise : float, default 0.3
        Standard deviation of white noise.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, 256 samples at 128 Hz; ``label`` (sample), balanced;
        ``truth_rfft`` (sample, channel, frequency), true at the line of the channel that decides;
        ``truth_channel`` (channel), true at that channel.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of its range.

    Examples
    --------
    >>> problem = channel_cue(n=1, seed=0)
    >>> problem.truth_rfft.any("frequency").values
    array([[False,  True, False, False]])
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    n_channels = check_count(n_channels, "n_channels", 2, MOST_CHANNELS)
    channel = check_count(channel, "channel", minimum=0)
    if channel >= n_channels:
        raise ValueError(f"channel must be in 0..{n_channels - 1}, as there are {n_channels}, got {channel}")
    label = balanced(rng, n, len(OWN))
    which = rng.integers(0, len(OWN), (n, n_channels), dtype=np.int64)
    which[:, channel] = label
    own = np.arange(n_channels) == channel
    signal = sines(np.array(OWN)[which], phases(rng, n, n_channels), N, FS)
    signal *= np.where(own, 1.0, LOUD)[:, None]
    signal += noise * rng.standard_normal(signal.shape)
    line = np.stack([bins(f, N, FS) for f in OWN])
    return labelled(
        signal,
        label,
        {
            "truth_rfft": Truth(LINES, line[label][:, None] & own[:, None], "the line that decides"),
            "truth_channel": Truth(("channel",), own, "the channel that decides"),
        },
        fs=FS,
        problem="channel_cue",
        source=HERE,
        classes=[f"{f:g} Hz on channel {channel}" for f in OWN],
        seed=seed,
        parameters={
            "n": n,
            "n_channels": n_channels,
            "channel": channel,
            "noise": noise,
            "lines": OWN,
        },
    )
