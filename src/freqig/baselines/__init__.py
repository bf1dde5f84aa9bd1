"""Baselines: where the path starts, and so which question an attribution answers.

| baseline | question |
|---|---|
| `zero()` | what did the signal as a whole do, against silence |
| `dc()` | what did its variation do, against its own mean |
| `band_removed(low, high)` | what did one band do, everything else as it is |
| `flat_envelope(low, high)` | what did the envelope of one band do, its carrier as it is |
| `flat_log_spectrum()` | what did the shape of the spectrum do, its phases as they are |
| `surrogate(seed)` | what did the phases do, the power spectrum as it is |
| `noise(power, seed)` | what sets the signal apart from structureless noise of the same variance |
| `data(samples)` | what sets it apart from other signals, on average over them |

Attributions sum to F(x) - F(x'), so they explain what changed between baseline and input and
nothing else.
"""

from .base import Baseline
from .fixed import band_removed, data, dc, zero
from .parts import flat_envelope, flat_log_spectrum
from .randomized import noise, surrogate

__all__ = [
    "Baseline",
    "band_removed",
    "data",
    "dc",
    "flat_envelope",
    "flat_log_spectrum",
    "noise",
    "surrogate",
    "zero",
]
