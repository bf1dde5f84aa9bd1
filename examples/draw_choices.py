"""Draws what goes wrong when a choice does not fit the question, and what fits, for the page "Choose".

    python examples/draw_choices.py [FOLDER]

The folder is docs/images/choose unless another one is named.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

import freqig
from freqig import plots

FS, N = 64.0, 128
TIME = np.arange(N) / FS


def tone(hertz: float, strength: float = 1.0, phase: float = 0.3) -> np.ndarray:
    """Two seconds of a sine."""
    return strength * np.sin(2 * np.pi * hertz * TIME + phase)


def power(x: Tensor, *hertz: float) -> Tensor:
    """Power of lines in signals, shape (batch, line)."""
    angles = 2 * np.pi * np.outer(hertz, TIME)
    waves = torch.tensor(np.stack([np.cos(angles), np.sin(angles)], 1), dtype=x.dtype) / N
    return torch.einsum("bn,ckn->bck", x, waves).square().sum(-1) * 4


def panels(question: str) -> tuple[Figure, list[Axes]]:
    """Two panels below each other: what is misleading, and what answers."""
    figure = Figure(figsize=(6, 4.6), layout="constrained")
    figure.suptitle(question, x=0.01, ha="left", fontsize="medium", fontweight="bold")
    return figure, list(figure.subplots(2))


def spectrum(axes: Axes, result: xr.Dataset, title: str, last: float = 28, **options: object) -> None:
    """The attributions of one series."""
    plots.spectrum(result, axes=axes, title=title, max_frequency=last, **options)


def classifier(x: Tensor) -> Tensor:
    """Three classes by rhythms of 8, 12 and 16 Hz; all logits grow with the loudness at 22 Hz alike."""
    return 2 * power(x, 8, 12, 16) + 5 * power(x, 22)


def output() -> Figure:
    """The logit of a classifier holds what raises all classes."""
    x = (tone(8, 1.2) + tone(22))[None]
    figure, (above, below) = panels("Which rhythm made it class 0?")
    for axes, scale, says in (
        (above, "logit", "raises every class alike, and decides nothing"),
        (below, "margin", "what sets class 0 above the others"),
    ):
        result = freqig.Explainer(classifier, fs=FS, output=scale)(x, target=0)
        spectrum(axes, result, f'output="{scale}": {says}', signal=False)
    return figure


def baseline() -> Figure:
    """Silence may itself be taken for the class."""
    rng = np.random.default_rng(0)

    def quiet(x: Tensor) -> Tensor:
        """Logits of "with alpha" and "without"."""
        alpha = power(x, 10)
        return torch.cat([4 * alpha - 1, 1 - 4 * alpha], 1)

    x = (0.3 * rng.normal(size=N) + tone(5))[None]
    others = np.stack([tone(10, 1, phase) + tone(5) + 0.3 * rng.normal(size=N) for phase in range(6)])
    figure, (above, below) = panels('Why is it "without alpha"?')
    explainer = freqig.Explainer(quiet, fs=FS, output="margin")
    with warnings.catch_warnings():
        # That there is nothing to explain is what the picture shows.
        warnings.simplefilter("ignore", freqig.errors.EmptyExplanationWarning)
        silence = explainer(x, target=1)
    spectrum(above, silence, "baseline: silence, which is without alpha, too", signal=False, vmax=12)
    against = explainer(x, target=1, baseline=freqig.baselines.data(others))
    spectrum(
        below, against, "baseline: series with alpha. The lack of 10 Hz is the reason", signal=False, vmax=12
    )
    return figure


def domain() -> Figure:
    """A spectrum shows what rings, and not how often it is struck."""
    problem = freqig.synth.bearing(n=6, seed=0)
    problem = problem.isel(sample=problem.label.values == 1)
    model = freqig.synth.oracle(problem)
    x = problem.signal.values
    rates = freqig.bearing_frequencies(n_balls=8, ball_diameter=15, pitch_diameter=65, shaft=25)
    figure, (above, below) = panels("Which part of the bearing is damaged?")
    result = freqig.Explainer(model, fs=problem.fs, output="margin")(x, target=1)
    spectrum(above, result, "RFFT: the housing rings at 1,200 Hz, whatever strikes it", 2000, signal=False)
    envelope = freqig.Envelope(800, 1600) >> freqig.RFFT()
    result = freqig.Explainer(model, fs=problem.fs, output="margin", domains=envelope)(
        x, target=1, baseline=freqig.baselines.flat_envelope(800, 1600)
    )
    rows = result.envelope_rfft.sel(envelope_row="envelope").drop_vars("envelope_row")
    spectrum(
        below,
        result.assign(rfft=rows),
        "Envelope >> RFFT: struck at the rate of the outer ring",
        330,
        signal=False,
        markers={"outer ring": rates["BPFO"]},
    )
    return figure


def moment() -> Figure:
    """A spectrum of the whole does not say when."""
    problem = freqig.synth.chirp(n=8, seed=0)
    rising = problem.attrs["classes"].index("rising")
    problem = problem.isel(sample=problem.label.values == rising)
    result = freqig.Explainer(
        freqig.synth.oracle(problem),
        fs=problem.fs,
        output="margin",
        domains=[freqig.RFFT(), freqig.STFT(window=0.5)],
    )(problem.signal.values, target=rising)
    figure, (above, below) = panels("Does the tone rise or fall?")
    spectrum(above, result, "RFFT: the same either way", 64, signal=False)
    plots.spectrogram(result, axes=below, max_frequency=64, title="STFT: it rises")
    return figure


def gradient() -> Figure:
    """Where an output is saturated, its gradient says little of how it came there."""

    def saturated(x: Tensor) -> Tensor:
        """A score that is as good as certain from a third of the loudness on."""
        return torch.tanh(3 * power(x, 8)) + 0.05 * power(x, 20)

    x = (tone(8, 1.5) + tone(20))[None]
    figure, (above, below) = panels("Which rhythm made the score?")
    options = {"signal": False, "vmax": 1.1}
    explainer = freqig.methods.GradientTimesInput(saturated, fs=FS, domains=freqig.RFFT())
    spectrum(above, explainer(x, target=0), "gradient × input: 8 Hz no longer moves the score", **options)
    spectrum(
        below, freqig.Explainer(saturated, fs=FS)(x, target=0), "IG: 8 Hz made it, on the way up", **options
    )
    return figure


def occlusion() -> Figure:
    """Of two bands that are needed together, each takes all of the output with it."""
    x = (tone(10) + tone(20))[None]
    bands = freqig.FilterBank({"10 Hz": (8, 12), "20 Hz": (18, 22)})

    def both(x: Tensor) -> Tensor:
        """A score that takes two rhythms at once."""
        return power(x, 10) * power(x, 20)

    figure, (above, below) = panels("How much do two bands contribute that are needed together?")
    for axes, method, says in (
        (above, freqig.methods.Occlusion, "occlusion: each takes all with it, and the sum is too large"),
        (below, freqig.Shapley, "Shapley: they share what both did"),
    ):
        found = method(both, fs=FS, players=bands)(x, target=0)
        name = next(iter(found.filter_by_attrs(kind="attribution").data_vars), "shapley")
        values = found[name].isel(sample=0).squeeze()
        gain = float(found.output[0] - found.baseline_output[0])
        labels = [str(one) for one in values[values.dims[0]].values]
        axes.barh(labels, values.values, color="#b2182b")
        axes.axvline(gain, color="0.2", linestyle="--", linewidth=0.9)
        axes.set_title(says, loc="left", fontsize="medium")
        axes.set_xlabel("attribution; dashed: what the output gained in all")
        axes.set_xlim(0, 1.25 * gain)
    return figure


def masks() -> Figure:
    """Masks estimate; with few of them noise looks like an explanation."""
    x = (tone(8) + tone(20) + 0.3 * np.random.default_rng(1).normal(size=N))[None].astype(np.float32)

    def score(x: Tensor) -> Tensor:
        """A score that grows with a rhythm of 8 Hz alone."""
        return torch.tanh(2 * power(x, 8))

    figure, (above, below) = panels("Which rhythm made the score?")
    for axes, count, says in (
        (above, 50, "what is not used seems to matter more or less"),
        (below, 10000, "8 Hz stands out from a half"),
    ):
        explainer = freqig.methods.FreqRISE(score, n_masks=count, fs=FS, domains=freqig.RFFT())
        spectrum(axes, explainer(x, target=0), f"FreqRISE, {count:,} masks: {says}", signal=False)
    return figure


def same_class() -> Figure:
    """Baselines of the same class leave what individuals differ by."""
    rng = np.random.default_rng(0)

    def strong(x: Tensor) -> Tensor:
        """Logits of "no rhythm" and "rhythm" at 10 Hz; a little of 18 Hz goes in."""
        return torch.cat([torch.zeros_like(x[:, :1]), 4 * power(x, 10) + power(x, 18) - 1], 1)

    def people(rhythm: float, count: int) -> np.ndarray:
        """Series of people, whose 18 Hz differ."""
        return np.stack([tone(10, rhythm) + tone(18, rng.uniform(0, 0.8)) for _ in range(count)])

    explainer = freqig.Explainer(strong, fs=FS, output="margin")
    x = (tone(10) + tone(18, 1.2))[None]
    figure, (above, below) = panels('Why is it "rhythm"?')
    with warnings.catch_warnings():
        # That the baseline has the class, too, is what the picture shows.
        warnings.simplefilter("ignore", freqig.errors.EmptyExplanationWarning)
        alike = explainer(x, target=1, baseline=freqig.baselines.data(people(1, 6)))
    spectrum(
        above,
        alike,
        "baseline: others of the same class. What is special about this one",
        signal=False,
        vmax=4.5,
    )
    spectrum(
        below,
        explainer(x, target=1, baseline=freqig.baselines.data(people(0, 6))),
        "baseline: the other class. What sets the classes apart",
        signal=False,
        vmax=4.5,
    )
    return figure


def surrogate() -> Figure:
    """Who measures power answers a surrogate as the signal."""
    x = (tone(8) + tone(16, 0.7, 1.0) + 0.2 * np.random.default_rng(0).normal(size=N))[None]

    def loud(x: Tensor) -> Tensor:
        """The power at 8 Hz, whatever its phase."""
        return power(x, 8)

    figure, (above, below) = panels("A model that measures the power at 8 Hz")
    explainer = freqig.Explainer(loud, fs=FS)
    for axes, baseline, says in (
        (
            above,
            freqig.baselines.surrogate(0),
            "baseline: surrogate. Its power is the same, and nothing is left",
        ),
        (below, freqig.baselines.band_removed(6, 10), "baseline: without 6 to 10 Hz. What that band did"),
    ):
        with warnings.catch_warnings():
            # That there is nothing to explain is what the picture shows.
            warnings.simplefilter("ignore", freqig.errors.FreqigWarning)
            result = explainer(x, target=0, baseline=baseline)
        spectrum(axes, result, says, signal=False, vmax=1.1)
    return figure


def window() -> Figure:
    """A window of a quarter of a second cannot tell 10 from 14 Hz."""
    x = (np.exp(-(((TIME - 1) / 0.4) ** 2)) * (tone(10) + tone(14)))[None]

    def ten(x: Tensor) -> Tensor:
        """The power at 10 Hz alone."""
        return power(x, 10)

    figure, panel = panels("The model uses 10 Hz, and not 14 Hz")
    for axes, length in zip(panel, (0.25, 1.0), strict=True):
        result = freqig.Explainer(ten, fs=FS, domains=freqig.STFT(window=length))(x, target=0)
        plots.spectrogram(result, axes=axes, max_frequency=24, title=f"STFT(window={length:g})")
    return figure


def phases() -> Figure:
    """A spectrum does not say whether amplitude or phase decided."""
    problem = freqig.synth.phase_coded(n=24, seed=0)
    one, others = (problem.isel(sample=problem.label.values == label) for label in (1, 0))
    explainer = freqig.Explainer(
        freqig.synth.oracle(problem), fs=problem.fs, output="margin", domains=[freqig.RFFT(), freqig.Polar()]
    )
    baseline = freqig.baselines.data(others.signal.values[:6])
    result = explainer(one.signal.values[:1], target=1, baseline=baseline)
    figure = Figure(figsize=(6, 6.2), layout="constrained")
    figure.suptitle(
        "Two classes with the same amplitudes", x=0.01, ha="left", fontsize="medium", fontweight="bold"
    )
    above, middle, below = figure.subplots(3)
    spectrum(above, result, "RFFT: which frequencies, and not what of them", 40, signal=False)
    plots.polar(result, axes=(middle, below), max_frequency=40, title="Polar: amplitudes, and below phases")
    return figure


PICTURES = {
    "output": output,
    "baseline": baseline,
    "domain": domain,
    "moment": moment,
    "gradient": gradient,
    "occlusion": occlusion,
    "masks": masks,
    "same_class": same_class,
    "surrogate": surrogate,
    "window": window,
    "phases": phases,
}


def main(folder: Path) -> None:
    """All pictures."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        draw().savefig(folder / f"{name}.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images" / "choose")
