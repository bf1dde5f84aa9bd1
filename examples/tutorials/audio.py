"""
Audio, with sound
=================

A network waits for an "a" among louder vowels. In which bands and when did it hear one, and what does the
part that drove its decision sound like?
"""

# %%
# Syllables
# ---------
# A voice is a comb of harmonics under formants: 700 and 1,200 Hz for an "a", 300 and 1,900 Hz for an "i".
# Half of the recordings have an "a"; all have an "i" that may be louder.

import base64
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

import freqig

FS, N = 4000.0, 2000
time = np.arange(N) / FS
FORMANTS = {"a": (700, 1200), "i": (300, 1900)}
rng = np.random.default_rng(0)


def syllable(vowel, centre, pitch):
    """A vowel of 0.16 s."""
    harmonics = np.arange(pitch, FS / 2, pitch)
    gains = sum(
        1 / (1 + ((harmonics - formant) / 80) ** 2) for formant in FORMANTS[vowel]
    )
    swell = np.clip(1 - ((time - centre) / 0.08) ** 2, 0, None)
    return swell * (gains @ np.cos(2 * np.pi * harmonics[:, None] * (time - centre)))


def recordings(size):
    """So many recordings, and whether each has an "a"."""
    has = rng.integers(0, 2, size)
    first = rng.integers(0, 2, size)
    signals = [
        a * syllable("a", 0.13 + 0.24 * early, rng.uniform(90, 160))
        + rng.uniform(0.5, 2) * syllable("i", 0.37 - 0.24 * early, rng.uniform(90, 160))
        + 0.1 * rng.normal(size=N)
        for a, early in zip(has, first, strict=True)
    ]
    return np.array(signals, dtype=np.float32), has


# %%
# A network
# ---------


class Energies(nn.Module):
    """Energies behind learnt filters in eighths of the recording, then classes."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Conv1d(1, 8, 33, padding=16, bias=False)
        self.classes = nn.Linear(64, 2)

    def forward(self, x):
        """Logits of (batch, time)."""
        energy = nn.functional.adaptive_avg_pool1d(self.filters(x[:, None]).square(), 8)
        return self.classes(torch.log1p(energy).flatten(1))


torch.manual_seed(0)
model = Energies()
optimizer = torch.optim.Adam(model.parameters(), 0.01)
for _ in range(40):
    x, label = (torch.tensor(one) for one in recordings(32))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), label).backward()
    optimizer.step()

# %%
# When, and in which bands
# ------------------------
# An "a" at 0.13 s, and an "i" at 0.37 s that is louder. Bands as wide as ears have them are a domain, and
# the spectrum is another; both come from one path.

signal = (
    syllable("a", 0.13, 120) + 1.5 * syllable("i", 0.37, 110) + 0.1 * rng.normal(size=N)
)
explainer = freqig.Explainer(
    model,
    fs=FS,
    output="margin",
    domains=[freqig.FilterBank("mel", n=16), freqig.RFFT()],
)
result = explainer(signal[None].astype(np.float32), target=1)
axes = freqig.plots.components(result, name="filterbank")

# %%
# Hear it
# -------
# `freqig.resynthesize` keeps the coefficients with most of what raises the output, and goes back to a
# signal; `freqig.to_wav` writes sound.


class Sound:
    """A player for a page."""

    def __init__(self, signal, label):
        path = freqig.to_wav(signal, Path(tempfile.mkdtemp()) / "sound.wav")
        self.data, self.label = base64.b64encode(path.read_bytes()).decode(), label

    def _repr_html_(self):
        source = f"data:audio/wav;base64,{self.data}"
        return f'<p>{self.label}</p><audio controls aria-label="{self.label}" src="{source}"></audio>'


Sound(result.signal, "What the network heard: an a, and then a louder i")

# %%
# What speaks for the "a" keeps the first syllable, and little of the second.

part = freqig.resynthesize(result, keep=0.8, name="filterbank")
Sound(part, "What raised the output")

# %%
share = float(abs(part.sel(time=slice(0, 0.25))).sum() / abs(part).sum())
print(f"of the part that is kept, {share:.0%} is in the first 0.25 s")
