"""The problems of the leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr
from torch import nn

import freqig
from freqig.demo.flicker import FlickerNet
from leaderboard import flicker, networks
from leaderboard.case import Case, Printed


def _convolutional(*first: int, **more: Any) -> Callable[[xr.Dataset], nn.Module]:
    def build(problem: xr.Dataset) -> nn.Module:
        count = len(problem.attrs["classes"])
        return networks.Convolutional(problem.sizes["channel"], count, first, **more)

    return build


def _lines(name: str, network: Any, **settings: Any) -> Case:
    """A problem whose truth lies in the spectrum."""
    make = getattr(freqig.synth, name)
    return Case(
        name,
        lambda n, seed: make(n, seed=seed),
        variable="rfft",
        truth="truth_rfft",
        domain=freqig.RFFT,
        network=network,
        **settings,
    )


def _freqrise(sigma: float, printed: tuple[Printed, ...]) -> Case:
    return Case(
        f"freqrise σ={sigma:g}",
        # As in the paper: noise in training, none in the test.
        lambda n, seed: freqig.synth.freqrise(n, 0.0, seed),
        make_training=lambda n, seed: freqig.synth.freqrise(n, sigma, seed),
        variable="rfft",
        truth="truth_rfft",
        domain=freqig.RFFT,
        network=lambda problem: networks.perceptron(problem.sizes["time"], 16),
        bands=(1.0, 60.0, 1.0),
        # The paper has 100,000 series; epochs, batches and the rate, which stays, are its own.
        n_train=20_000,
        epochs=20,
        batch=256,
        rate=1e-3,
        decays=False,
        printed=printed,
    )


def _white_box(rare: str, printed: tuple[Printed, ...]) -> Case:
    return Case(
        f"arma rare {rare}",
        lambda n, seed: freqig.synth.arma(n, rare, seed=seed),
        variable="waveform",
        truth="truth_waveform",
        domain=freqig.Time,
        reading="magnitude",
        stepwise=True,
        printed=printed,
    )


DYNAMASK = "Enguehard, Learning perturbations to explain time series predictions, 2023"
AUTHORS = "measured on the authors' networks"
RISE, EXTREMAL = "FreqRISE, 3,000 masks", "ExtremalMask"
IG, TEMPORAL = "ig logit zero", "Temporal Integrated Gradients"
RRA = "relevance_rank_accuracy_by_sign"

CASES: Mapping[str, Case] = {
    case.name: case
    for case in (
        _freqrise(
            0.01,
            (
                Printed("IG of the logit", IG, RRA, 0.994, AUTHORS),
                Printed("IG of the log-softmax", "ig log_prob zero", RRA, 1.0, AUTHORS),
                Printed("FreqRISE, softmax", RISE, RRA, 1.0, AUTHORS),
            ),
        ),
        _freqrise(
            0.8,
            (
                Printed("IG of the logit", IG, RRA, 0.66, AUTHORS),
                Printed("IG of the log-softmax", "ig log_prob zero", RRA, 0.99, AUTHORS),
                Printed("FreqRISE, softmax", RISE, RRA, 1.0, AUTHORS),
            ),
        ),
        Case(
            "flextime",
            lambda n, seed: freqig.synth.flextime(n, seed=seed),
            variable="rfft",
            truth="truth_region",
            domain=freqig.RFFT,
            network=_convolutional(32, 65, 8, second=(32, 1, 1)),
            epochs=12,
            rate=4e-3,
        ),
        Case(
            "freqshapes",
            lambda n, seed: freqig.synth.freqshapes(n, seed=seed),
            variable="waveform",
            truth="truth_waveform",
            domain=freqig.Time,
            network=lambda problem: networks.Attention(problem.sizes["time"], 4),
            n_train=5000,
            epochs=6,
            printed=(
                Printed("IG", IG, "average_precision_by_sign", 0.752, "Queen et al. 2023, TimeX, table 1"),
                Printed("TimeX", "", "average_precision_by_sign", 0.832, "Queen et al. 2023, TimeX, table 1"),
            ),
        ),
        Case(
            "hmm",
            lambda n, seed: freqig.synth.hmm(n, seed=seed),
            variable="waveform",
            truth="truth_waveform",
            domain=freqig.Time,
            network=lambda problem: networks.Recurrent(problem.sizes["channel"]),
            reading="magnitude",
            n_train=800,
            epochs=10,
            batch=200,
            rate=1e-2,
            stepwise=True,
            printed=(
                Printed(TEMPORAL, IG, "aup", 0.918, DYNAMASK),
                Printed(TEMPORAL, IG, "aur", 0.454, DYNAMASK),
                Printed(TEMPORAL, IG, "average_precision", 0.909, DYNAMASK),
                Printed(EXTREMAL, EXTREMAL, "aup", 0.885, DYNAMASK),
                Printed(EXTREMAL, EXTREMAL, "aur", 0.781, DYNAMASK),
                Printed(EXTREMAL, EXTREMAL, "average_precision", 0.883, DYNAMASK),
            ),
        ),
        _white_box(
            "feature",
            (
                Printed("IG", IG, "aup", 1.0, DYNAMASK),
                Printed("IG", IG, "aur", 0.135, DYNAMASK),
                Printed(EXTREMAL, EXTREMAL, "aup", 0.992, DYNAMASK),
                Printed(EXTREMAL, EXTREMAL, "aur", 0.756, DYNAMASK),
            ),
        ),
        _white_box("time", ()),
        _lines("phase_coded", _convolutional(16, 25, 2), reading="magnitude"),
        # Trained where the louder line says nothing, so that it is not used.
        _lines(
            "unused_cue",
            _convolutional(16, 33, 4),
            make_training=lambda n, seed: freqig.synth.unused_cue(n, 0.5, seed=seed),
        ),
        _lines(
            "amplitude_modulation", _convolutional(16, 17, 2, second=(24, 65, 8)), bands=(2.0, 124.0, 2.0)
        ),
        Case(
            "chirp",
            lambda n, seed: freqig.synth.chirp(n, seed=seed),
            variable="stft",
            truth="truth_stft",
            domain=lambda: freqig.STFT(0.5),
            network=_convolutional(32, 65, 4),
        ),
        _lines("channel_cue", _convolutional(16, 33, 4), bands=(4.0, 60.0, 4.0)),
        _lines("product", _convolutional(24, 33, 4)),
        _lines("pitch", _convolutional(32, 129, 8, second=(24, 1, 1)), bands=(20.0, 1960.0, 20.0)),
        Case(
            "bearing",
            lambda n, seed: freqig.synth.bearing(n, seed=seed),
            variable="envelope_rfft",
            truth="truth_envelope_rfft",
            domain=lambda: freqig.Envelope(800, 1600) >> freqig.RFFT(),
            start=lambda: freqig.baselines.flat_envelope(800, 1600),
        ),
        Case(
            "flicker",
            flicker.held_out,
            make_training=flicker.to_learn_from,
            variable="rfft",
            truth="truth_line",
            domain=freqig.RFFT,
            network=lambda problem: FlickerNet(problem.sizes["channel"]),
            epochs=20,
            rate=3e-3,
            missing=flicker.missing,
        ),
    )
}
