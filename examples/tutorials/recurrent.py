"""
A recurrent network
===================

A GRU reads a series step by step. Which steps and which frequencies does its answer rest on? Recurrent
networks take time before channels, and can make paths that are hard to integrate; both are looked at here.
"""

# %%
# Two tones, one after the other
# ------------------------------
# A tone of 4 or 9 Hz in the first half, another in the second; the class is the second one. Arrays are
# (batch, time, channel).

import numpy as np
import torch
from torch import nn

import freqig

FS, N = 50.0, 100
time = np.arange(N) / FS
rng = np.random.default_rng(0)


def series(size):
    """Series of shape (size, time, 1), and which tone comes second."""
    first, second = rng.integers(0, 2, (2, size))
    hertz = np.where(
        time[None] < 1,
        np.array([4, 9])[first][:, None],
        np.array([4, 9])[second][:, None],
    )
    x = np.sin(
        2 * np.pi * (hertz * time + rng.uniform(size=(size, 1)))
    ) + 0.3 * rng.normal(size=(size, N))
    return x[..., None].astype(np.float32), second


class Reader(nn.Module):
    """A GRU, and classes from its last state."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 16, batch_first=True)
        self.classes = nn.Linear(16, 2)

    def forward(self, x):
        """Logits of (batch, time, channel)."""
        return self.classes(self.gru(x)[0][:, -1])


torch.manual_seed(0)
model = Reader()
optimizer = torch.optim.Adam(model.parameters(), 0.02)
for _ in range(80):
    x, label = (torch.tensor(one) for one in series(64))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), label).backward()
    optimizer.step()
x, label = series(32)
with torch.no_grad():
    print(
        f"right: {float((model(torch.tensor(x)).argmax(1).numpy() == label).mean()):.0%}"
    )

# %%
# Explaining
# ----------
# ``time_axis=1`` says where time is; the result has (sample, channel, time) all the same. Series of the
# class that the network does not see in silence, the baseline, are explained.

explainer = freqig.Explainer(
    model,
    fs=FS,
    time_axis=1,
    output="margin",
    domains=[freqig.Time(), freqig.RFFT(), freqig.Segments(1.0)],
)
silent = int(model(torch.zeros(1, N, 1)).argmax())
x = x[label != silent]
result = explainer(x, target=1 - silent)
print(
    result.waveform.dims,
    "evaluations per series:",
    np.unique(result.n_evaluations.values),
)

# %%
# One series: the network has forgotten the first second, as it should.

above, below = freqig.plots.waveform(result, sample=0)

# %%
# Frequencies of each half
# ------------------------
# `freqig.Segments` has a spectrum for each second, from the same path. The spectrum of the whole series
# could not tell which of two tones counted, where both have the same frequency.

halves = abs(result.segments).mean(("sample", "channel"))
share = halves.sum("segments_frequency") / halves.sum()
print(f"first second {float(share[0]):.0%}, second {float(share[1]):.0%}")
axes = freqig.plots.segments(result, sample=0, max_frequency=20)

# %%
# Did the path converge?
# ----------------------
# Gates saturate, and a saturated network is flat over most of the path and steep over the rest. Adaptive
# integration puts its nodes where it is steep; what did not converge would be named. :doc:`not_converging`
# says what to do then.

print(
    f"converged: {float(result.converged.mean()):.0%}, error {float(result.estimated_error.max()):.3f}"
)
