"""
EEG, from a file to a report
============================

Two recordings in EDF, a network that tells open from closed eyes, and one page in HTML with what drove its
decisions. The recordings are made here, with an alpha rhythm that grows over the occiput when the eyes
close.
"""

# %%
# Two files
# ---------
# Six channels at 100 Hz, in µV: noise that falls with frequency, and alpha over O1, Oz and O2.

import tempfile
from pathlib import Path

import edfio
import numpy as np
import torch
import xarray as xr
from torch import nn

import freqig

folder = Path(tempfile.mkdtemp())
FS, SECONDS, CHANNELS = 100, 60, ("Fz", "Cz", "Pz", "O1", "Oz", "O2")
ALPHA = {"open": (0.3, 0.3, 1, 2, 2, 2), "closed": (1, 1, 4, 12, 14, 12)}
rng = np.random.default_rng(0)
hertz = np.fft.rfftfreq(FS * SECONDS, 1 / FS)


def band_noise(weight):
    """Noise of unit variance with a spectrum of this shape."""
    noise = np.fft.irfft(weight * np.fft.rfft(rng.normal(size=FS * SECONDS)))
    return noise / noise.std()


for eyes, strengths in ALPHA.items():
    alpha = band_noise(np.exp(-0.5 * ((hertz - 10) / 0.7) ** 2))
    signals = [
        edfio.EdfSignal(
            strength * alpha + 8 * band_noise(1 / np.maximum(hertz, 1)),
            FS,
            label=name,
            physical_dimension="uV",
        )
        for name, strength in zip(CHANNELS, strengths, strict=True)
    ]
    edfio.Edf(signals).write(folder / f"{eyes}.edf")

# %%
# Reading
# -------
# `freqig.read` cuts them into windows of two seconds. ``onset`` and ``file`` say where each is from; names
# of channels, sampling rate and units come from the file, whose values are read in volts.

windows = xr.concat(
    [freqig.read(folder / f"{eyes}.edf", window=2) for eyes in ALPHA],
    "sample",
    combine_attrs="override",
)
eyes = np.repeat(list(ALPHA), SECONDS // 2)
print(windows.sizes, windows.channel.values)

# %%
# A network
# ---------
# The logarithm of the power behind learnt filters, in space and in time; trained on the first 40 s of each
# recording.


class BandPower(nn.Module):
    """Power behind spatial and temporal filters, of EEG in µV."""

    def __init__(self):
        super().__init__()
        self.space = nn.Conv1d(6, 4, 1, bias=False)
        self.time = nn.Conv1d(4, 4, 25, padding=12, groups=4, bias=False)
        self.classes = nn.Linear(4, 2)

    def forward(self, x):
        """Logits of open and closed eyes."""
        power = self.time(self.space(x / 10)).square().mean(-1)
        return self.classes(torch.log(power + 1e-2))


torch.manual_seed(0)
model = BandPower()
early = windows.onset.values < 40
x = torch.tensor(windows.values[early] * 1e6, dtype=torch.float32)
label = torch.tensor((eyes == "closed")[early].astype(int))
optimizer = torch.optim.AdamW(model.parameters(), 0.02, weight_decay=0.01)
for _ in range(100):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), label).backward()
    optimizer.step()

# %%
# Explaining
# ----------
# Against windows of open eyes: what sets an epoch apart from them. ``unit`` says what the network was
# trained on, and ``classes`` names its outputs.

explainer = freqig.Explainer(
    model, unit="uV", classes=("open", "closed"), output="margin"
)
rest = freqig.baselines.data(windows[early & (eyes == "open")][::4])
result = explainer(windows[~early], target="closed", baseline=rest, truth=eyes[~early])
print(f"right: {float((result.predicted == result.truth).mean()):.0%}")

closed = result.isel(sample=result.truth.values == "closed")
bands = freqig.bands(closed, "eeg").rfft.mean(("sample",)).sum("channel")
print(bands.to_series().round(2))

# %%
# Where on the head
# -----------------
# Positions of electrodes come from their names.

heads = freqig.plots.topomap(closed.mean("sample", keep_attrs=True), bands="eeg")

# %%
# The report
# ----------
# One file that opens offline in any browser: what decided, how sure that is, and each sample.

page = freqig.report(
    result, folder / "report.html", bands="eeg", title="Open or closed eyes"
)
print(page.name, f"{page.stat().st_size / 1e6:.1f} MB")

# %%
# And the paragraph for a paper, with its references.

print(freqig.methods_text(result))
