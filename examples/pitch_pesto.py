"""A pitch network that is blind to loudness (PESTO): the baseline zero explains nothing.

    pip install freqig omegaconf && pip install --no-deps pesto-pitch
    python examples/pitch_pesto.py

PESTO: A. Riou, S. Lattner, G. Hadjeres, G. Peeters, PESTO: pitch estimation with self-supervised
transposition-equivariant objective, 2023.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from _tones import near_harmonics, tone, without_torchaudio
from torch import Tensor, nn

import freqig
from freqig.errors import ConvergenceWarning, FreqigWarning

FS, N = 16_000, 8_000
TONES = (220.0, 310.0)


class Activations(nn.Module):
    """Mean over time of PESTO's log activations, three a semitone."""

    def __init__(self) -> None:
        super().__init__()
        without_torchaudio()
        import pesto

        self.pesto = pesto.load_model("mir-1k_g7", step_size=20.0, sampling_rate=FS).eval()

    def forward(self, x: Tensor) -> Tensor:
        """Take (batch, time) at 16 kHz."""
        return self.pesto(x)[-1].clamp(min=1e-12).log().mean(1)


def main() -> None:
    """Explain from zero, which fails and says so, and from the other tone, which works."""
    net = Activations()
    first, second = (tone(f, FS, N)[None] for f in TONES)
    with torch.no_grad():
        bins = [int(net(torch.from_numpy(x)).argmax()) for x in (first, second)]
        loud, soft = (net(torch.from_numpy(first * scale)) for scale in (1, 0.01))
    change = float((loud - soft).abs().max())
    print(f"bins {bins}; a hundredth of the loudness changes the output by {change:.1g}")

    def difference(activations: Tensor, _: Any) -> Tensor:
        return activations[:, bins[0]] - activations[:, bins[1]]

    explainer = freqig.Explainer(net, fs=FS, output=difference, max_evaluations=500)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = explainer(first)
    said = [str(one.message) for one in caught if issubclass(one.category, FreqigWarning)]
    print(f"from zero: {' / '.join(said)}")
    assert any(issubclass(one.category, ConvergenceWarning) for one in caught)
    assert any("baseline" in text for text in said), "advice on the baseline"
    assert not bool(result.converged.all())

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = explainer(first, baseline=second)
    for one in caught:
        print(one.message)
    scores = result.rfft[0]
    near = [near_harmonics(result.frequency, f, 10) for f in TONES]
    a, b = (float(scores.where(one).sum()) for one in near)
    total = float(result.output[0] - result.baseline_output[0])
    print(
        f"from the other tone: on harmonics of 220 Hz {a:+.2f}, of 310 Hz {b:+.2f}, F(x) - F(x') {total:.2f}"
    )
    print(f"gap {float(result.completeness_gap[0]):.3f}, {int(result.n_evaluations[0])} evaluations")
    assert abs(float(result.completeness_gap[0])) < 0.05 * abs(total)
    assert a + b > 0.8 * total
    assert np.isfinite(scores).all()


if __name__ == "__main__":
    main()
