"""
ECG: the heart or the mains?
============================

A network tells atrial fibrillation from sinus rhythm, and is right in almost nine of ten recordings. They
come from two rooms, though, and one of these hums. Which of the two did it learn?
"""

# %%
# Recordings from two rooms
# -------------------------
# In fibrillation beats are irregular and have no P wave. Nine of ten recordings of fibrillation were made
# in a room with mains hum at 50 Hz, and one of ten of sinus rhythm.

import numpy as np
import torch
from torch import nn

import freqig

FS, N = 250.0, 1000
time = np.arange(N) / FS
WAVES = {
    "P": (-0.16, 0.02, 0.15),
    "Q": (-0.03, 0.01, -0.1),
    "R": (0, 0.012, 1.0),
    "T": (0.25, 0.05, 0.3),
}
rng = np.random.default_rng(0)


def ecg(fibrillates, hums):
    """Four seconds of ECG in mV."""
    gaps = (
        rng.uniform(0.45, 1.1, 12)
        if fibrillates
        else rng.uniform(0.75, 0.95) + 0.02 * rng.normal(size=12)
    )
    signal = 0.03 * rng.normal(size=N) + 0.1 * np.sin(
        2 * np.pi * (0.3 * time + rng.uniform())
    )
    for beat in np.cumsum(gaps) - rng.uniform(0, 0.8):
        for name, (lag, width, height) in WAVES.items():
            if name != "P" or not fibrillates:
                signal += height * np.exp(-0.5 * ((time - beat - lag) / width) ** 2)
    return signal + hums * 0.1 * np.sin(2 * np.pi * (50 * time + rng.uniform()))


def recordings(size, agreement):
    """So many recordings, their classes, and which of them hum."""
    label = rng.integers(0, 2, size)
    hums = np.where(rng.uniform(size=size) < agreement, label, 1 - label)
    return (
        np.array(
            [ecg(*one) for one in zip(label, hums, strict=True)], dtype=np.float32
        ),
        label,
        hums,
    )


# %%
# A network that is right most of the time
# ----------------------------------------


class Energies(nn.Module):
    """Energies behind learnt filters, then classes."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Conv1d(1, 8, 25, bias=False)
        self.classes = nn.Linear(32, 2)

    def forward(self, x):
        """Logits of (batch, time)."""
        energy = nn.functional.adaptive_avg_pool1d(self.filters(x[:, None]).square(), 4)
        return self.classes(torch.log(energy + 1e-3).flatten(1))


torch.manual_seed(0)
model = Energies()
x, label, _ = recordings(240, agreement=0.9)
optimizer = torch.optim.Adam(model.parameters(), 0.02)
for _ in range(60):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(label)).backward()
    optimizer.step()


def accuracy(x, label):
    """Share of right answers."""
    with torch.no_grad():
        return float((model(torch.tensor(x)).argmax(1).numpy() == label).mean())


print(f"other recordings from these rooms: {accuracy(*recordings(200, 0.9)[:2]):.0%}")

# %%
# What it looks at
# ----------------

x, label, hums = recordings(40, agreement=0.9)
quiet = recordings(24, agreement=1.0)
sinus = freqig.baselines.data(quiet[0][quiet[1] == 0][:6])
explainer = freqig.Explainer(
    model, fs=FS, classes=("sinus", "fibrillation"), output="margin"
)
humming = explainer(
    x[(label == 1) & (hums == 1)], target="fibrillation", baseline=sinus
)
axes = freqig.plots.spectrum(
    humming.mean("sample", keep_attrs=True),
    signal=False,
    max_frequency=70,
    markers={"mains": 50},
    title="Mean of recordings of fibrillation that hum",
)

# %%
# The mains. What a recording's heart does, by its QRS complexes, is below 40 Hz.

shares = abs(freqig.bands(humming, {"heart": (0.5, 40), "mains": (49, 51)}).rfft).sum(
    "sample"
)
print((shares / shares.sum("band")).to_series().round(2))

# %%
# What would it say without?
# --------------------------
# A baseline asks a question of its own. `freqig.baselines.band_removed` leaves everything but one band as
# it is: how much of the decision is the hum?

without = explainer(
    x[(label == 1) & (hums == 1)],
    target="fibrillation",
    baseline=freqig.baselines.band_removed(48, 52),
)
print(
    f"margin for fibrillation: {float(without.output.mean()):.1f} with the hum, ",
    end="",
)
print(f"{float(without.baseline_output.mean()):.1f} without it")

# %%
# So it will be wrong in a third room, as recordings show in which the hum says nothing:

print(
    f"where hum and rhythm are independent: {accuracy(*recordings(200, 0.5)[:2]):.0%}"
)
