"""Windows of EEG, and a small network that tells which flicker somebody looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .._check import check_count
from .._typing import Float, Int
from .recordings import FLICKER_HZ, Recording
from .threads import one_thread

# Windows of two seconds have bins of 0.5 Hz, one at each f and 2f.
WINDOW_SECONDS, STEP_SECONDS = 2.0, 0.5

# Chosen by leaving out one training recording at a time; those held out had no part in it.
N_FILTERS, KERNEL = 16, 96
EPOCHS, BATCH = 20, 64
LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 3e-3, 1e-2, 0.25


@dataclass(frozen=True)
class Windows:
    """Standardised windows, as the network takes them.

    Parameters
    ----------
    signals : numpy.ndarray
        Shape (sample, channel, time), float32: mean 0 and variance 1 in each window and channel.
    labels : numpy.ndarray
        Shape (sample,), int64: position of the flicker in `FLICKER_HZ`.
    recording : numpy.ndarray
        Shape (sample,), int64: position, among the recordings that were cut, of the window's own.

    Examples
    --------
    >>> import numpy as np
    >>> from freqig.demo.flicker import Windows
    >>> Windows(np.zeros((1, 2, 256), np.float32), np.array([0]), np.array([0])).signals.shape
    (1, 2, 256)
    """

    signals: Float[np.ndarray, "sample channel time"]
    labels: Int[np.ndarray, " sample"]
    recording: Int[np.ndarray, " sample"]


def cut_windows(recordings: Sequence[Recording]) -> Windows:
    """Cut trials into windows of 2 s that start every 0.5 s, and standardise each.

    Parameters
    ----------
    recordings : sequence of Recording
        At least one, all with the same channels and sampling rate, and trials of 2 s or more.

    Returns
    -------
    Windows
        In the order of recordings, trials and time. A channel that is constant over a window is
        zero in it.

    Raises
    ------
    ValueError
        If there is no recording, or trials are shorter than a window.

    Examples
    --------
    >>> import numpy as np
    >>> from freqig.demo.flicker import cut_windows
    >>> from freqig.demo.recordings import Recording
    >>> trials = np.random.default_rng(0).normal(size=(2, 8, 640))
    >>> cut_windows([Recording("a", trials, np.array([0, 2]), 128.0, ("Oz",) * 8)]).signals.shape
    (14, 8, 256)
    """
    if not recordings:
        raise ValueError("recordings must be at least one, got none")
    signals, labels, source = [], [], []
    for i, recording in enumerate(recordings):
        length, step = (round(seconds * recording.fs) for seconds in (WINDOW_SECONDS, STEP_SECONDS))
        if recording.trials.shape[-1] < length:
            raise ValueError(
                f"recordings must have trials of at least {length} samples ({WINDOW_SECONDS:g} s), got "
                f"{recording.trials.shape[-1]} in {recording.name!r}"
            )
        cut = np.lib.stride_tricks.sliding_window_view(recording.trials, length, axis=-1)
        cut = cut[:, :, ::step].swapaxes(1, 2)
        signals.append(cut.reshape(-1, *cut.shape[2:]))
        labels.append(np.repeat(recording.labels, cut.shape[1]))
        source.append(np.full(len(signals[-1]), i, dtype=np.int64))
    windows = np.concatenate(signals)
    windows -= windows.mean(axis=-1, keepdims=True)
    scale = windows.std(axis=-1, keepdims=True)
    windows /= np.where(scale > 0, scale, 1.0)
    return Windows(windows.astype(np.float32), np.concatenate(labels), np.concatenate(source))


class FlickerNet(nn.Module):
    """Filters over channels and time, the logarithm of their power, and a linear layer.

    The convolution has no padding, so that the borders of a window look like any other stretch of
    it, and no bias, so that silence has no power. The logarithm is log(1 + power): that of the
    power alone has no gradient at the zero baseline.

    Parameters
    ----------
    n_channels : int
        Number of channels, at least 1.

    Examples
    --------
    >>> import torch
    >>> from freqig.demo.flicker import FlickerNet
    >>> FlickerNet(8)(torch.zeros(2, 8, 256)).shape
    torch.Size([2, 3])
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.filters = nn.Conv1d(check_count(n_channels, "n_channels"), N_FILTERS, KERNEL, bias=False)
        self.dropout = nn.Dropout(DROPOUT)
        self.readout = nn.Linear(N_FILTERS, len(FLICKER_HZ))

    def forward(self, x: Float[Tensor, "sample channel time"]) -> Float[Tensor, "sample 3"]:
        """Logits of the flickers, shape (sample, 3), for windows of shape (sample, channel, time)."""
        power = self.filters(x).square().mean(dim=-1)
        logits: Tensor = self.readout(self.dropout(torch.log1p(power)))
        return logits


def train(windows: Windows, seed: int = 0) -> FlickerNet:
    """Train a network to tell flickers apart.

    Parameters
    ----------
    windows : Windows
        At least one. Batches of 64, 20 epochs of AdamW at a learning rate that rises to 0.003 and
        falls again, cross-entropy.
    seed : int, default 0
        Seed of first weights, batches and dropout, at least 0. The global random state is neither
        used nor changed.

    Returns
    -------
    FlickerNet
        In eval mode. The same for every number of cores: training takes one thread.

    Raises
    ------
    TypeError, ValueError
        If `seed` is no integer, or negative.

    Examples
    --------
    >>> import numpy as np
    >>> from freqig.demo.flicker import Windows, train
    >>> noise = np.random.default_rng(0).normal(size=(4, 2, 256)).astype(np.float32)
    >>> train(Windows(noise, np.array([0, 1, 2, 0]), np.zeros(4, dtype=np.int64))).training
    False
    """
    check_count(seed, "seed", minimum=0)
    x, labels = torch.as_tensor(windows.signals), torch.as_tensor(windows.labels)
    steps = EPOCHS * -(-len(x) // BATCH)
    loss_of = nn.CrossEntropyLoss()
    with one_thread(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        # Not torch.manual_seed, which would seed the random numbers of a GPU as well.
        torch.default_generator.manual_seed(seed)
        net = FlickerNet(x.shape[1])
        optimizer = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
        for _ in range(EPOCHS):
            for batch in torch.split(torch.randperm(len(x)), BATCH):
                optimizer.zero_grad()
                torch.autograd.backward(loss_of(net(x[batch]), labels[batch]))
                optimizer.step()
                schedule.step()
    return net.eval()
