"""
First explanation
=================

Train a small network on series of which we know what decides, explain one of its decisions, and look
whether the explanation names what the network was trained to see.
"""

# %%
# Data whose truth is known
# -------------------------
# `freqig.synth.unused_cue` makes series with two lines each. The weaker one, at 10 or 17 Hz, is the class.
# The louder one, at 31 or 44 Hz, has nothing to do with it here, for it agrees with the class in half of
# the series.

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import freqig

problem = freqig.synth.unused_cue(n=400, agreement=0.5, seed=0)
print(dict(problem.sizes), problem.fs, "Hz")

# %%
# A network
# ---------
# Any `torch.nn.Module` will do, and so will models of Keras, JAX and ONNX. This one takes ``(batch,
# channel, time)``.


class Energies(nn.Module):
    """Energies behind learnt filters, then classes."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Conv1d(1, 8, 33, padding=16, bias=False)
        self.classes = nn.Linear(8, 2)

    def forward(self, x):
        """Logits of (batch, channel, time)."""
        return self.classes(torch.log1p(self.filters(x).square().mean(-1)))


torch.manual_seed(0)
model = Energies()
x, label = torch.tensor(problem.signal.values), torch.tensor(problem.label.values)
optimizer = torch.optim.Adam(model.parameters(), 0.02)
for _ in range(60):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), label).backward()
    optimizer.step()

test = freqig.synth.unused_cue(n=64, agreement=0.5, seed=1)
with torch.no_grad():
    found = model(torch.tensor(test.signal.values)).argmax(1).numpy()
print(
    f"right on series that it has not seen: {(found == test.label.values).mean():.0%}"
)

# %%
# The explanation
# ---------------
# ``output="margin"`` explains by how much the model prefers the target to the other classes, which is what
# one wants to know of a classifier. An explanation says what sets a signal apart from a baseline, here
# silence. The network takes silence for one of the two classes, so series of the other one are explained. The
# result is an `xarray.Dataset`.

silent = int(model(torch.zeros(1, 1, 256)).argmax())
target = 1 - silent
line = {0: 10, 1: 17}[target]
test = test.isel(sample=test.label.values == target)
explainer = freqig.Explainer(model, fs=problem.fs, output="margin")
result = explainer(test.signal.values, target=target)
print(result.rfft.dims, "converged:", bool(result.converged.all()))

# %%
# One decision. The louder line is in the signal and not in the explanation: the network learnt to ignore
# it.

louder = float(test.frequency[test.distractor_rfft.values[0, 0]][0])
above, below = freqig.plots.spectrum(
    result, sample=0, markers={"class": line, "louder, unused": louder}
)

# %%
# Is it right?
# ------------
# The problem says which bins decide. Their share of all attributions tells how much of the explanation is
# there.

share = abs(result.rfft).where(test.truth_rfft).sum() / abs(result.rfft).sum()
power = abs(np.fft.rfft(test.signal.values)) ** 2
there = power[test.truth_rfft.values].sum() / power[..., 1:].sum()
print(
    f"on the line that decides: {float(share):.0%} of all attributions,",
    f"and {there:.0%} of the power",
)

# %%
# What is in the result
# ---------------------
# Attributions of a sample add up to what its output gained over the baseline, here silence.

sums = result.rfft.sum(("channel", "frequency"))
gained = result.output - result.baseline_output
print(
    f"they differ by {float(abs(sums - gained).max()):.0e} at most,",
    f"of gains up to {float(gained.max()):.1f}",
)
by_band = freqig.bands(result, {"8 to 20 Hz": (8, 20), "25 to 50 Hz": (25, 50)})
print(by_band.rfft.isel(sample=0, channel=0).to_series().round(2))

# %%
# Selecting, averaging and saving are xarray's, and a figure is one of matplotlib's:
# ``result.to_netcdf("explained.nc", engine="h5netcdf")``. The mean over samples is drawn as one sample is.

figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
mean = result.mean("sample", keep_attrs=True)
freqig.plots.spectrum(
    mean,
    axes=axes,
    title=f"Mean of {len(test.sample)} series, whose class is a line at {line} Hz",
)
