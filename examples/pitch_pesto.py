"""A pitch network that is blind to loudness (PESTO): the baseline zero explains nothing.

Install: pip install --no-deps pesto-pitch; pip install omegaconf
"""

from __future__ import annotations

import sys
import types

import torch
from _ig import explain, on_harmonics, tone
from torch import Tensor, nn

FS, N = 16_000, 8_000
TONES = (220.0, 310.0)


class Activations(nn.Module):
    """Mean over time of PESTO's log activations, three a semitone."""

    def __init__(self) -> None:
        super().__init__()
        sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
        import pesto

        self.pesto = pesto.load_model("mir-1k_g7", step_size=20.0, sampling_rate=FS).eval()

    def forward(self, x: Tensor) -> Tensor:
        """Take (batch, time) at 16 kHz."""
        return self.pesto(x)[-1].clamp(min=1e-12).log().mean(1)


def main() -> None:
    """Explain from zero (fails loudly) and from the other tone (works)."""
    net = Activations()
    tones = [tone(f, FS, N) for f in TONES]
    with torch.no_grad():
        bins = [int(net(t[None]).argmax()) for t in tones]
        print(
            "bins",
            bins,
            "loud and soft equal:",
            net(tones[0][None]).sub(net(0.01 * tones[0][None])).abs().max(),
        )

    def difference(points: Tensor) -> Tensor:
        activations = net(points)
        return activations[:, bins[0]] - activations[:, bins[1]]

    x = tones[0]
    _, total, gap = explain(difference, x)
    print(f"from zero: sum {float(total):.2f}, F(x) - F(0) {float(gap):.2f}")
    from_zero = abs(float(total - gap)) / abs(float(gap))
    attribution, total, gap = explain(difference, x, tones[1], 512)
    a, b = (on_harmonics(attribution, FS, N, f, 10) for f in TONES)
    print(f"from the other tone: sum {float(total):.2f}, F(x) - F(x') {float(gap):.2f}")
    print(f"220 Hz: {a:+.2f}, 310 Hz: {b:+.2f}, gap from zero {from_zero:.0%}")
    assert from_zero > 0.5
    assert abs(float(total - gap)) < 0.05 * abs(float(gap))
    assert (a + b) > 0.8 * float(total)


if __name__ == "__main__":
    main()
