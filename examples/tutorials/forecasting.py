"""
Forecasting: a target for each horizon
======================================

A forecaster reads a week of hourly values and says the next day. Which periods is each of its 24 answers
made of?
"""

# %%
# Hourly values
# -------------
# A daily cycle, its half, a weekly cycle, and noise that lasts for some hours.

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import freqig

HISTORY, AHEAD = 168, 24
rng = np.random.default_rng(0)
hour = np.arange(5000)
noise = np.zeros(hour.size)
for step in range(1, hour.size):
    noise[step] = 0.9 * noise[step - 1] + 0.3 * rng.normal()
cycles = (
    np.sin(2 * np.pi * hour / 24)
    + 0.5 * np.sin(2 * np.pi * hour / 12 + 1)
    + 0.4 * np.sin(2 * np.pi * hour / 168)
)
values = (cycles + noise).astype(np.float32)
windows = np.lib.stride_tricks.sliding_window_view(values, HISTORY + AHEAD)
past, future = (
    torch.tensor(windows[:, :HISTORY].copy()),
    torch.tensor(windows[:, HISTORY:].copy()),
)

# %%
# A forecaster, with an output per horizon.

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(HISTORY, 48), nn.GELU(), nn.Linear(48, AHEAD))
optimizer = torch.optim.Adam(model.parameters(), 3e-3, weight_decay=1e-3)
for _ in range(300):
    batch = torch.as_tensor(rng.integers(0, 4000, 128))
    optimizer.zero_grad()
    (model(past[batch]) - future[batch]).square().mean().backward()
    optimizer.step()
with torch.no_grad():
    error = (model(past[4200:]) - future[4200:]).square().mean(0).sqrt()
print(f"error one hour ahead {error[0]:.2f}, a day ahead {error[-1]:.2f}")

# %%
# Every horizon at once
# ---------------------
# ``target="all"`` explains all outputs from shared forward passes, on a dimension ``target``. A value per
# hour makes a sampling rate of 1/3600 Hz. The raw output is right for a regression, and a mean over the
# past is the baseline: attributions say what made the forecast deviate from what it is for a flat week.

explainer = freqig.Explainer(model, fs=1 / 3600)
result = explainer(
    past[4200:4260:5].numpy(), target="all", baseline=freqig.baselines.dc()
)
print(result.rfft.dims, result.rfft.shape, result.frequency.attrs["units"])

# %%
# Periods by horizon: of the mean magnitude, how much comes from which cycle.


def hours(longest, shortest):
    """Periods between so many hours, as a band in Hz."""
    return 1 / (3600 * longest), 1 / (3600 * shortest)


periods = {
    "a week": hours(200, 100),
    "days": hours(100, 30),
    "a day": hours(30, 20),
    "half a day": hours(14, 10),
    "hours": hours(10, 1.9),
}
shares = abs(freqig.bands(result, periods).rfft).mean("sample")
shares = shares / shares.sum("band")
figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
for name, style in zip(periods, ("-", ":", "--", "-.", (0, (1, 3))), strict=True):
    axes.plot(
        np.arange(1, AHEAD + 1),
        shares.sel(band=name),
        linestyle=style,
        label=name,
        color="0.2",
    )
axes.set(
    xlabel="horizon (hours ahead)",
    ylabel="share of |attribution|",
    ylim=(0, None),
    title="Which periods each horizon is made of",
)
axes.legend(ncols=3, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.2))

# %%
# One horizon in full
# -------------------
# Selecting a target gives what a result of that target would be.

six = result.sel(target=5)
axes = freqig.plots.spectrum(
    six,
    sample=0,
    signal=False,
    max_frequency=4e-5,
    markers={"day": 1 / 86400, "half a day": 2 / 86400},
)
