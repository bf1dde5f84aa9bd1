"""
When it does not converge
=========================

A warning says that some samples did not converge. This page shows the four reasons, how to tell them apart,
and what helps.
"""

# %%
# A path that is smooth
# ---------------------
# For comparison. A few evaluations are enough, and ``status`` says "converged".

import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch

import freqig

FS, N = 64.0, 128
time = np.arange(N) / FS
x = np.stack([np.sin(2 * np.pi * 8 * time), 0.4 * np.sin(2 * np.pi * 8 * time)]).astype(
    np.float32
)
wave = torch.tensor(np.sin(2 * np.pi * 8 * time), dtype=torch.float32) / N


def explain(model, **options):
    """A result, and the text of the warning where one came."""
    given = {name: options.pop(name) for name in ("baseline",) if name in options}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = freqig.Explainer(model, fs=FS, **options)(x, target=0, **given)
    for one in said:
        print(one.category.__name__ + ":", one.message)
    meanings = result.status.attrs["flag_meanings"].split()
    print(
        "status:",
        [meanings[one] for one in result.status.values],
        "evaluations:",
        result.n_evaluations.values,
    )
    return result


def smooth(x):
    """A number that grows smoothly with a rhythm of 8 Hz."""
    return torch.tanh(4 * (x @ wave))[:, None]


result = explain(smooth)

# %%
# A jump
# ------
# A threshold, a rounding, an argmax inside the model: its output jumps, and at a jump no gradient tells by
# how much. No number of nodes helps, and so the place of the jump is reported instead.


def jumping(x):
    """A number that grows, and jumps where the rhythm is stronger than a threshold."""
    strength = x @ wave
    return (torch.tanh(4 * strength) + (strength > 0.3).to(x.dtype))[:, None]


result = explain(jumping)
print(
    "it jumps at", result.jump_place.values, "of the path, by", result.jump_size.values
)

# %%
# The output along the path shows it.

figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
along = np.linspace(0, 1, 400)
for name, model, style in (("smooth", smooth, "-"), ("jumping", jumping, "--")):
    outputs = [
        float(model(torch.tensor(alpha * x[:1], dtype=torch.float32)).detach())
        for alpha in along
    ]
    axes.plot(along, outputs, style, color="0.2", label=name)
axes.set(
    xlabel="place on the path", ylabel="output", title="From the baseline to the signal"
)
axes.legend()

# %%
# **What helps**: a smooth score, such as the logit before the threshold; or a baseline on the same side of
# the jump.

result = explain(jumping, baseline=0.8 * x)

# %%
# Blind to scale
# --------------
# A model that divides by the size of its input answers the same for every loudness, so that a path from
# silence leaves all of the change in its first instant.


def normalising(x):
    """The share of a rhythm of 8 Hz, whatever the loudness."""
    x = x - x.mean(-1, keepdim=True)
    return (x / x.norm(dim=-1, keepdim=True).clamp_min(1e-12) @ wave)[:, None]


result = explain(normalising)

# %%
# **What helps**: a baseline that is not silence, such as other recordings. Neither end is special then.

others = np.random.default_rng(0).normal(size=(8, N)).astype(np.float32)
result = explain(normalising, baseline=freqig.baselines.data(others))

# %%
# A budget that is too small
# --------------------------
# A path with many kinks needs many nodes, and ``max_evaluations`` is the limit. Thirty are too few here.


def kinked(x):
    """A number with six kinks on the way to the first series, and two to the second."""
    return torch.relu(torch.sin(40 * (x @ wave)))[:, None]


result = explain(kinked, max_evaluations=30)

# %%
# **What helps**: a larger limit. The default is 2,000.

result = explain(kinked)

# %%
# Rounding
# --------
# In float32 an output of 1,000,000 is known to 0.06. Where it changes by less than a hundred times that,
# one per cent cannot be reached. **What helps**: ``dtype=torch.float64``, or other units.


def offset(x):
    """A small change on a large number."""
    return (1e6 + torch.tanh(4 * (x @ wave)))[:, None]


def offset_double(x):
    """The same, whose sum is made in the precision of its input."""
    return (1e6 + torch.tanh(4 * (x @ wave.to(x.dtype))))[:, None]


result = explain(offset)
result = explain(offset_double, dtype=torch.float64)

# %%
# Counting them
# -------------
# Of many samples, ``converged`` selects what can be used, and ``status`` says what to do about the rest.

result = explain(jumping)
print("usable:", int(result.converged.sum()), "of", result.sizes["sample"])
