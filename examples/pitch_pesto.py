"""A pitch network that is blind to loudness (PESTO): what zero as a baseline cannot explain, and what can.

    pip install . omegaconf && pip install --no-deps pesto-pitch
    python examples/pitch_pesto.py

PESTO normalises its input, so that a path from zero, on which nothing but the loudness changes, explains
nothing. Two tones at once, of which now the one and now the other is louder, are a question that it can
answer: what made it change its mind?

It takes the logarithm of a spectrum, which has a cusp wherever a bin passes zero. A path between two sounds
meets hundreds, and so no number of nodes within reach makes the sum exact to a percent. The result says so,
and what is asserted here is what stands out from the gap that it states.

PESTO: A. Riou, S. Lattner, G. Hadjeres, G. Peeters, PESTO: pitch estimation with self-supervised
transposition-equivariant objective, 2023.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
import xarray as xr
from _tones import near_harmonics, tone, without_torchaudio
from torch import Tensor, nn

import freqig
from freqig.errors import ConvergenceWarning, FreqigWarning

FS, N = 16_000, 4_000
# Whole cycles in a quarter of a second, so that nothing leaks to other frequencies.
TONES = (220.0, 312.0)
# How loud the softer of two tones is, and the noise that every recording has.
SOFT, NOISE = 0.7, 0.1


class PitchLogits(nn.Module):
    """PESTO without its last softmax: the mean over time of 384 logits, three a semitone."""

    def __init__(self) -> None:
        super().__init__()
        without_torchaudio()
        import pesto

        self.pesto = pesto.load_model("mir-1k_g7", step_size=50.0, sampling_rate=FS).eval()
        # Its activations are 0 and 1 for tones as clear as these, without a slope.
        self.pesto.encoder.final_norm = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Take (batch, time) at 16 kHz."""
        return self.pesto(x)[-1].mean(1)


def explained(explainer: freqig.Explainer, x: np.ndarray, **start: Any) -> tuple[xr.Dataset, list[Any]]:
    """One explanation and the warnings that it came with."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = explainer(x, **start)
    return result, [one for one in caught if issubclass(one.category, FreqigWarning)]


def from_zero(explainer: freqig.Explainer, x: np.ndarray) -> None:
    """Explain from silence, which fails, and says so."""
    result, caught = explained(explainer, x)
    said = " / ".join(str(one.message) for one in caught)
    print(f"from zero: {said}")
    assert any(issubclass(one.category, ConvergenceWarning) for one in caught)
    assert "baseline" in said, "advice on the baseline"
    assert not bool(result.converged.all())


def from_the_mirror_image(explainer: freqig.Explainer, x: np.ndarray, mirrored: np.ndarray) -> None:
    """Explain from the same tones with the other one louder: each must speak for the first."""
    result, caught = explained(explainer, x, baseline=mirrored)
    for one in caught:
        print(one.message)
    scores = result.rfft[0]
    a, b = (float(scores.where(near_harmonics(result.frequency, f, 2)).sum()) for f in TONES)
    gap, total = float(result.completeness_gap[0]), float(result.output[0] - result.baseline_output[0])
    print(
        f"from the other tone louder: harmonics of {TONES[0]:g} Hz {a:+.0f}, of {TONES[1]:g} Hz {b:+.0f}, "
        f"F(x) - F(x') {total:+.0f}, gap {gap:+.1f} after {int(result.n_evaluations[0])} evaluations"
    )
    # More of the first tone and less of the second: both raise the first's logit over the second's.
    assert min(a, b) > 3 * abs(gap), (a, b, gap)
    assert abs(gap) < 0.1 * total, (gap, total)
    assert np.isclose(a + b, float(scores.sum()), rtol=1e-3), "nothing but the two tones changed"
    assert bool(result.converged[0]) or any(issubclass(one.category, ConvergenceWarning) for one in caught)


def main() -> None:
    """Explain two tones at once, from zero and from the same with the other one louder."""
    net = PitchLogits()
    first, second = (tone(f, FS, N)[None] for f in TONES)
    noise = NOISE * np.random.default_rng(0).normal(size=(1, N)).astype(np.float32)
    x, mirrored = first + SOFT * second + noise, SOFT * first + second + noise
    with torch.no_grad():
        bins = [int(net(torch.from_numpy(one)).argmax()) for one in (first, second)]
        heard = [int(net(torch.from_numpy(one)).argmax()) for one in (x, mirrored)]
        loud, soft = (net(torch.from_numpy(x * scale)) for scale in (1, 0.01))
    change = float((loud - soft).abs().max() / loud.abs().max())
    print(f"bins {bins}; a hundredth of the loudness changes the output by {change:.1g} of its size")
    # Three bins a semitone, and MIDI's count of semitones: 69 is A4, 440 Hz.
    pitches = [440 * 2 ** ((one / 3 - 69) / 12) for one in bins]
    assert np.allclose(pitches, TONES, rtol=0.01), pitches
    assert heard == bins, "the louder tone is the one that is heard"
    assert change < 1e-3

    def difference(logits: Tensor, _: Any) -> Tensor:
        return logits[:, bins[0]] - logits[:, bins[1]]

    explainer = freqig.Explainer(net, fs=FS, output=difference, max_evaluations=1000)
    from_zero(explainer, x)
    from_the_mirror_image(explainer, x, mirrored)


if __name__ == "__main__":
    main()
