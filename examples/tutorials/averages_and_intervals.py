"""
Averages and intervals for a paper
==================================

Twelve people in two stages of sleep. What do the stages have in common across people, how sure is that, and
do they differ?
"""

# %%
# Twelve people
# -------------
# Sixteen epochs each. Stage N2 has a rhythm at 13 Hz, wakefulness at 10 Hz, as strong as they are in that
# person.

import numpy as np
import torch

import freqig

fs, n = 64.0, 128
rng = np.random.default_rng(0)
time = np.arange(n) / fs
rhythm = {"N2": 13.0, "W": 10.0}
subject = np.repeat([f"sub-{i:02}" for i in range(1, 13)], 16)
stage = np.tile(["N2", "W"], 96)
strength = dict(zip(np.unique(subject), rng.gamma(8, 1 / 8, size=12), strict=True))
x = rng.normal(size=(192, n)) + np.array(
    [
        strength[person] * np.sin(2 * np.pi * (rhythm[one] * time + rng.random()))
        for person, one in zip(subject, stage, strict=True)
    ]
)

# %%
# The model is written down: it measures the power at the two rhythms.

angles = 2 * np.pi * np.outer([13.0, 10.0], time)
waves = torch.tensor(
    np.stack([np.cos(angles), np.sin(angles)], 1) / n, dtype=torch.float32
)


def model(x):
    """Logits of N2 and W."""
    return torch.einsum("bn,ckn->bck", x, waves).square().sum(-1) * 20 - 2


explainer = freqig.Explainer(model, fs=fs, classes=("N2", "W"), output="margin")

# %%
# Means that cost little
# ----------------------
# `Explainer.average` makes means of groups with a few gradients per sample, until the mean of each group is
# known to ``tol``.

means = explainer.average(x, {"stage": stage}, target=stage)
print(means.rfft.dims, "gradients per sample:", float(means.n_evaluations.mean()))

# %%
# Intervals over people
# ---------------------
# For statements about people, people are counted and not epochs: a coordinate ``subject`` says whose each
# sample is. `freqig.summarize` resamples people :cite:p:`efron1987,hesterberg2015`.

result = explainer(x, target=stage, truth=stage).assign_coords(
    subject=("sample", subject), stage=("sample", stage)
)
summary = freqig.summarize(result, by="stage")
print(summary.attrs["unit"], summary.n_units.values)
axes = freqig.plots.class_spectrum(result, max_frequency=25)

# %%
# Do the stages differ?
# ---------------------
# `freqig.compare` flips signs of people's differences and asks whether clusters of frequencies are larger
# than chance makes them :cite:p:`maris2007`.

found = freqig.compare(result, by="stage", between=("W", "N2"), paired=True)
axes = freqig.plots.difference(found, max_frequency=25)

# %%
print("significant at", found.frequency.values[found.rfft_significant.values], "Hz")
print(found.attrs["test"])

# %%
# A significant cluster says that the stages differ, and not where exactly the difference begins and ends
# :cite:p:`sassenhagen2019`.
#
# For the methods section
# -----------------------

print(freqig.methods_text(result))
