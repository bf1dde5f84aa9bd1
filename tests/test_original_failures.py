"""Everything that freqIG 0.1.8 was found to get wrong, one test each."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freqIG
from freqig import attribute

from .helpers import SmallCNN, Smooth, SmoothTruth, close, noise, scores_of, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 32


def difference(model: nn.Module, x: np.ndarray, baseline: np.ndarray, target: int) -> np.ndarray:
    """F(x) - F(x') of every series."""
    with torch.no_grad():
        after, before = (model.eval()(torch.tensor(values))[:, target] for values in (x, baseline))
    return (after - before).numpy()


def test_import_without_onnx() -> None:
    """0.1.8 imports onnx at the top, though onnx is an optional extra of it."""
    code = """
import sys
for name in ("onnx", "onnx2pytorch", "tf2onnx", "tensorflow"):
    sys.modules[name] = None  # makes every import of it fail
import freqig, torch
assert freqig.attribute([0.0, 1.0, 0.5], torch.nn.Linear(3, 2)).shape == (2,)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_documented_module_name() -> None:
    """0.1.8 documents `freqIG.attribute`, but installs no module of that name."""
    scores = freqIG.attribute(input=noise(N), model=Smooth(N), target=1, n_steps=50)
    np.testing.assert_array_equal(scores, attribute(noise(N), Smooth(N), 1))


def test_target_none() -> None:
    """0.1.8 documents None for the predicted class; Captum then refuses outputs with two classes."""
    model, x = seeded(SmallCNN).double(), noise(1, N)
    predicted = int(model(torch.tensor(x)[None]).argmax())
    close(attribute(x, model), attribute(x, model, target=predicted), 0)
    close(attribute(x, model, target=None), attribute(x, model, target=predicted), 0)


@pytest.mark.parametrize("shape", [(N,), (1, N), (3, N), (2, 3, N)], ids=str)
def test_baseline_of_the_shape_of_the_input(shape: tuple[int, ...]) -> None:
    """0.1.8 adds an axis to the input and not to the baseline, and then finds that they differ."""
    model = Smooth(N, shape[-2] if len(shape) > 1 else 1)
    scores = attribute(noise(*shape), model, 1, baseline=noise(*shape, seed=1))
    assert scores.shape[-1] == N // 2 + 1


def test_baseline_keeps_its_phase() -> None:
    """0.1.8 takes of a baseline the magnitudes, and puts them at the phases of the input.

    Its path so begins elsewhere, at iRFFT(|X'| exp(i arg X)), and its scores add up to the
    difference from there.
    """
    model, x, baseline = Smooth(N), noise(1, N), noise(1, N, seed=1)
    phases = np.angle(np.fft.rfft(x))
    elsewhere = np.fft.irfft(np.abs(np.fft.rfft(baseline)) * np.exp(1j * phases), N)
    wanted, other = difference(model, x, baseline, 1), difference(model, x, elsewhere, 1)
    assert abs(wanted - other) > 0.1 * abs(wanted), "the case does not tell the two apart"
    assert attribute(x, model, 1, baseline=baseline).sum() == pytest.approx(wanted.item(), rel=1e-9)
    # Who wants its path passes its start.
    assert attribute(x, model, 1, baseline=elsewhere).sum() == pytest.approx(other.item(), rel=1e-9)


@pytest.mark.parametrize("n", [1, 3, N - 1, N + 1])
def test_odd_lengths(n: int) -> None:
    """0.1.8 inverts to an even length: the model gets one sample less than the series has."""
    lengths = set()

    def model(x: Tensor) -> Tensor:
        lengths.add(x.shape[-1])
        return Smooth(n)(x)

    x = noise(1, n)
    total = attribute(x[0], model, 1).sum()
    assert lengths == {n}
    assert total == pytest.approx(difference(Smooth(n), x, np.zeros((1, n)), 1).item(), rel=1e-9)


def test_batches() -> None:
    """0.1.8 squeezes and repeats axes in ways that fit one series only."""
    model, x = seeded(SmallCNN).double(), noise(4, 1, N)
    scores = attribute(x, model, 1)
    assert scores.shape == (4, 1, N // 2 + 1)
    np.testing.assert_allclose(scores.sum((1, 2)), difference(model, x, 0 * x, 1), rtol=1e-6)
    for i in range(4):
        close(scores[i, 0], attribute(x[i, 0], model, 1), 1e-9)


def test_one_series_of_several_channels() -> None:
    """0.1.8 hands (1, C, n) over with an axis too many."""
    model, x = seeded(SmallCNN, 3).double(), noise(1, 3, N)
    scores = attribute(x, model, 1)
    assert scores.shape == (1, 3, N // 2 + 1)
    np.testing.assert_allclose(scores.sum(), difference(model, x, 0 * x, 1).item(), rtol=1e-6)
    close(attribute(x[0], model, 1), scores[0], 0)


def test_plain_callables() -> None:
    """0.1.8 documents "callable" and takes modules only."""
    x = np.cos(2 * np.pi * 3 * np.arange(N) / N)
    assert attribute(x, lambda x: x.square().mean(-1)).argmax() == 3


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor], ids=["list", "array", "tensor"])
def test_lists_with_segment(kind: Any) -> None:
    """0.1.8 documents lists, and with a segment asks the list for its shape."""
    x = noise(N)
    expected = attribute(x, Smooth(N), 1, segment=x[4:9], start_idx=4)
    close(
        attribute(kind(x.tolist()), Smooth(N), 1, segment=kind(x[4:9].tolist()), start_idx=4), expected, 1e-6
    )


def test_segments_add_up() -> None:
    """0.1.8 moves the context on evenly spaced points while the segment is on Gauss-Legendre nodes.

    So no point belongs to one path, and segments that cover the input miss F(x) - F(x').
    """
    model, x, baseline = Smooth(N), noise(1, N), np.zeros((1, N))
    gradient = SmoothTruth(N).mean_gradient(x, baseline, 1, 50)
    total = 0.0
    for begin, end in ((0, 7), (7, 20), (20, N)):
        scores = attribute(x, model, 1, segment=x[:, begin:end], start_idx=begin)
        close(scores, scores_of(x[0, begin:end], gradient[0, begin:end]), 1e-12)
        total += scores.sum()
    assert total == pytest.approx(difference(model, x, baseline, 1).item(), rel=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(value: float) -> None:
    """0.1.8 returns NaN for all frequencies where one sample of the input is NaN."""
    x = noise(N)
    x[5] = value
    with pytest.raises(ValueError, match=r"input must be finite.*time index 5"):
        attribute(x, Smooth(N), 1)
    with pytest.raises(ValueError, match=r"baseline must be finite.*time index 5"):
        attribute(noise(N), Smooth(N), 1, baseline=x)
    with pytest.raises(ValueError, match=r"segment must be finite.*time index 5"):
        attribute(noise(N), Smooth(N), 1, segment=x, start_idx=0)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """0.1.8 prints the target at every call."""
    attribute(noise(N), Smooth(N), target=1)
    attribute(noise(N), Smooth(N), target=1, segment=noise(4), start_idx=0)
    assert capfd.readouterr() == ("", "")


def test_raises_where_the_original_documents_it() -> None:
    """The two cases under "Raises" in the documentation of 0.1.8."""
    with pytest.raises(ValueError, match="start_idx"):
        attribute(noise(N), Smooth(N), 1, segment=noise(4))
    with pytest.raises(ValueError, match=r"0\.\.28"):
        attribute(noise(N), Smooth(N), 1, segment=noise(4), start_idx=N - 3)
    with pytest.raises(ValueError, match="baseline must have shape"):
        attribute(noise(N), Smooth(N), 1, baseline=noise(N + 1))


def test_parameters_are_those_of_the_original() -> None:
    """Names, order and defaults, so that code written after its documentation runs."""
    names = [
        "input",
        "model",
        "target",
        "baseline",
        "n_steps",
        "segment",
        "start_idx",
        "additional_forward_args",
    ]
    parameters = inspect.signature(freqIG.attribute).parameters
    assert list(parameters) == names
    assert [parameters[name].default for name in names[2:]] == [None, None, 50, None, None, None]
