"""Bad values for every parameter of what explains, and how they must be met: by an error with its name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from matplotlib.figure import Figure
from torch import nn

from freqig import (
    ICA,
    RFFT,
    STFT,
    Components,
    Envelope,
    Explainer,
    FilterBank,
    FrequencyModel,
    InverseRFFT,
    Polar,
    Segments,
    Spatial,
    Time,
    Wavelet,
    attribute,
    bands,
    bands_around,
    baselines,
    bearing_frequencies,
    per_sample,
    plots,
    synth,
)
from freqig.errors import FreqigWarning

N, FS = 32, 100.0
X = np.random.default_rng(0).normal(size=(2, N))
TWO = np.random.default_rng(1).normal(size=(2, 2, N))
torch.manual_seed(0)
MODEL = nn.Linear(N, 3)
FLAT = nn.Sequential(nn.Flatten(), nn.Linear(2 * N, 3))
EXPLAINER = Explainer(MODEL, fs=FS, n_steps=2, tol=100.0)


class Unshowable:
    """Breaks whoever wants to print or read it."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError


BAD: dict[str, Any] = {
    "None": None,
    "text": "abc",
    "no text": "",
    "nan": float("nan"),
    "inf": -float("inf"),
    "negative": -1,
    "zero": 0,
    "huge": 10**400,
    "10**30": 10**30,
    "subnormal": 5e-324,
    "1e90": 1e90,
    "1e-90": 1e-90,
    "fraction": 1.5,
    "Fraction": Fraction(1, 3),
    "true": np.True_,
    "complex": np.complex64(1 + 1j),
    "list": [1, 2],
    "empty": [],
    "dict": {"a": 1},
    "class": RFFT,
    "instance": RFFT(),
    "function": abs,
    "unshowable": Unshowable(),
    "0-d": np.array(3.0),
    "matrix": np.ones((3, 3, 3, 3, 0)),
    "objects": np.array([1, None, "a"], dtype=object),
    "masked": np.ma.masked_array(np.ones((2, N)), mask=np.eye(2, N)),
    "list of masked": [np.ma.masked_array(np.ones(N), mask=np.arange(N) == 1)] * 2,
    "complex array": np.ones((2, N), dtype=complex),
    "nan array": np.full((2, N), np.nan),
    "huge array": np.full((2, N), 10**400, dtype=object),
    "tensor": torch.tensor(2.0),
    "sparse": torch.eye(3).to_sparse(),
    "meta": torch.ones(3, device="meta"),
    "texts": ["a", "b"],
    "Dataset": xr.Dataset({"a": 1}),
    "table": pd.DataFrame({"time": [1, 2], "a": [1, 2]}),
    "dtype": np.float32,
    "device": "cuda:7",
    "duration": np.timedelta64(1, "s"),
    "date": np.datetime64("2020-01-01"),
    "dates": np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]"),
    "nested": [[1, [2]], [3]],
    "masked scalar": np.ma.masked,
    "-huge": -(10**400),
    "bytes": b"abc",
}


def explainer(**kwargs: Any) -> Explainer:
    # A tolerance beyond 1 is one of fixed nodes alone.
    tol = 100.0 if kwargs.get("n_steps", 2) is not None else 0.5
    return Explainer(MODEL, **{"fs": FS, "n_steps": 2, "tol": tol, **kwargs})


def explained(domain: Any, baseline: Any = None) -> xr.Dataset:
    return Explainer(FLAT, fs=FS, n_steps=2, tol=100.0, domains=domain)(TWO, target=0, baseline=baseline)


def geometry(**change: Any) -> dict[str, float]:
    return bearing_frequencies(**{"n_balls": 9, "ball_diameter": 1, "pitch_diameter": 5, **change})


# By parameter: how it is used, and which of the values above are right for it.
USES: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "fs": (lambda v: explainer(fs=v)(X), {"None", "10**30", "fraction", "Fraction", "1e90", "1e-90"}),
    "domains": (lambda v: explainer(domains=v)(X), {"None", "instance"}),
    "output_key": (lambda v: explainer(output_key=v)(X), {"None"}),
    "engine": (lambda v: explainer(engine=v)(X), set()),
    "n_steps": (lambda v: explainer(n_steps=v)(X), {"None"}),
    "tol": (lambda v: explainer(tol=v)(X), {"10**30", "fraction", "Fraction", "1e90", "1e-90"}),
    "max_evaluations": (lambda v: explainer(max_evaluations=v)(X), set()),
    "n_initial": (lambda v: explainer(n_initial=v)(X), {"None"}),
    "time_axis": (lambda v: explainer(time_axis=v)(X), {"negative"}),
    "layout": (lambda v: explainer(layout=v), {"None"}),
    "dtype": (lambda v: explainer(dtype=v)(X), {"None"}),
    "device": (lambda v: explainer(device=v)(X), {"None"}),
    "trust": (lambda v: explainer(trust=v)(X), {"true"}),
    "batch_independent": (lambda v: explainer(batch_independent=v)(X), {"true"}),
    "x": (lambda v: EXPLAINER(v), set()),
    "baseline": (lambda v: EXPLAINER(X, baseline=v), {"None"}),
    "samples": (lambda v: EXPLAINER(X, target=0, baseline=baselines.data(v)), set()),
    "segment": (lambda v: attribute(X[0], MODEL, 0, n_steps=2, segment=v, start_idx=3), {"list"}),
    "memory": (lambda v: explainer(memory=v), {"None"}),
    "progress": (lambda v: explainer(progress=v), {"None", "true"}),
    "class_axis": (lambda v: explainer(class_axis=v)(X), {"None", "negative"}),
    "probabilities": (lambda v: explainer(probabilities=v), {"None", "true"}),
    "output": (lambda v: explainer(output=v), {"function", "class", "dtype"}),
    "target": (lambda v: EXPLAINER(X, target=v), {"None", "zero", "list"}),
    "target=attribute": (lambda v: attribute(X[0], MODEL, v, n_steps=2), {"None", "zero"}),
    "n_steps=attribute": (lambda v: attribute(X[0], MODEL, 0, n_steps=v), {"None"}),
    "values": (
        lambda v: per_sample(v),
        {"list", "empty", "matrix", "complex array", "nan array", "sparse", "meta", "table"},
    ),
    "axis": (lambda v: per_sample(np.ones((2, 2)), v), {"negative", "zero"}),
    "result": (lambda v: bands(v), set()),
    "start_idx": (
        lambda v: attribute(X[0], MODEL, 0, n_steps=2, segment=[1.0], start_idx=v),
        {"zero"},
    ),
    "window": (lambda v: explained(STFT(v)), {"fraction", "Fraction"}),
    "hop": (lambda v: explained(STFT(0.1, hop=v)), {"None"}),
    "taper": (lambda v: explained(STFT(0.1, taper=v)), set()),
    "transition": (
        lambda v: explained(FilterBank("eeg", v)),
        {"None", "zero", "fraction", "Fraction", "10**30", "1e90", "1e-90"},
    ),
    "bands": (lambda v: explained(FilterBank(v)), set()),
    "n=bands": (lambda v: bands(EXPLAINER(X, target=0), "mel", n=v), {"None"}),
    "n=filterbank": (lambda v: explained(FilterBank("octave", n=v)), {"None"}),
    "bands['a']": (
        lambda v: bands(EXPLAINER(X, target=0), {"a": (v, 20)}),
        {"zero", "subnormal", "fraction", "Fraction", "1e-90"},
    ),
    "length": (lambda v: explained(Segments(v)), {"fraction", "Fraction"}),
    "matrix": (lambda v: explained(Spatial(v)), set()),
    "rows": (lambda v: explained(Spatial(np.eye(2), rows=v)), {"None", "list", "texts", "table"}),
    "mixing": (lambda v: explained(ICA(v)), {"table"}),
    "decompose": (lambda v: explained(Components(v)), set()),
    "decompose of": (lambda v: explained(Components(lambda series: {"a": v})), set()),
    "parts": (
        lambda v: explained(Components(lambda series: {"a": series}, parts=v)),
        {"None", "list", "empty", "dict", "texts", "Dataset", "table"},
    ),
    "wavelet": (lambda v: explained(Wavelet(v)), set()),
    "level": (lambda v: explained(Wavelet("haar", level=v)), {"None"}),
    "mode": (lambda v: explained(Wavelet(mode=v)), set()),
    "packets": (lambda v: explained(Wavelet(packets=v)), {"true"}),
    "low": (
        lambda v: EXPLAINER(X, baseline=baselines.band_removed(v, 20)),
        {"zero", "fraction", "Fraction", "1e-90"},
    ),
    "high": (lambda v: EXPLAINER(X, baseline=baselines.band_removed(2, v)), {"10**30", "1e90"}),
    "orders": (
        lambda v: explained(RFFT(orders=v)),
        {"None", "fraction", "Fraction", "10**30", "1e90", "1e-90"},
    ),
    "n_balls": (lambda v: geometry(n_balls=v), set()),
    "ball_diameter": (lambda v: geometry(ball_diameter=v), {"fraction", "Fraction", "1e-90"}),
    "pitch_diameter": (lambda v: geometry(n_balls=2, pitch_diameter=v), {"10**30", "fraction", "1e90"}),
    "contact_angle": (
        lambda v: geometry(contact_angle=v),
        {"zero", "fraction", "Fraction", "subnormal", "1e-90"},
    ),
    "shaft": (lambda v: geometry(shaft=v), {"10**30", "fraction", "Fraction", "1e90", "1e-90"}),
    "frequencies": (lambda v: bands_around(v, 0.1), {"dict"}),
    "width": (lambda v: bands_around({"a": 10}, v), {"fraction", "Fraction", "1e-90"}),
    "harmonics=bands": (lambda v: bands_around({"a": 10}, 0.1, v), set()),
    "low=envelope": (
        lambda v: explained(Envelope(v, 20), baselines.flat_envelope(v, 20)),
        {"zero", "fraction", "Fraction", "1e-90"},
    ),
    "high=envelope": (lambda v: explained(Envelope(2, v), baselines.flat_envelope(2, v)), set()),
    "low=flat": (
        lambda v: EXPLAINER(X, target=0, baseline=baselines.flat_envelope(v, 20)),
        {"zero", "fraction", "Fraction", "1e-90"},
    ),
    "high=flat": (lambda v: EXPLAINER(X, target=0, baseline=baselines.flat_envelope(2, v)), set()),
    "seed": (lambda v: baselines.surrogate(v), {"zero", "huge", "10**30"}),
    "together": (lambda v: baselines.surrogate(together=v), {"true"}),
    "draws": (lambda v: baselines.noise(draws=v), set()),
    "power": (
        lambda v: baselines.noise(v),
        {"negative", "zero", "subnormal", "fraction", "Fraction", "1e-90"},
    ),
    "n": (lambda v: InverseRFFT(v), set()),
    "representation": (lambda v: InverseRFFT(8, v), set()),
    "spectrum": (lambda v: InverseRFFT(8)(v), set()),
    "model": (lambda v: FrequencyModel(v, 8), {"function"}),
    "problem": (lambda v: synth.oracle(v), set()),
    "n=problem": (lambda v: synth.product(n=v), set()),
    "seed=problem": (lambda v: synth.product(n=1, seed=v), {"zero", "huge", "10**30"}),
    "sigma": (lambda v: synth.freqrise(n=1, sigma=v), {"zero", "fraction", "Fraction", "10**30", "1e-90"}),
    "noise": (lambda v: synth.product(n=1, noise=v), {"zero", "fraction", "Fraction", "10**30", "1e-90"}),
    "always_ten": (lambda v: synth.flextime(n=1, always_ten=v), {"true"}),
    "n_time": (lambda v: synth.hmm(n=1, n_time=v), set()),
    "rare": (lambda v: synth.arma(n=1, rare=v), set()),
    "n_channels": (lambda v: synth.arma(n=1, n_channels=v), set()),
    "n_rare": (lambda v: synth.arma(n=1, n_rare=v), set()),
    "ar": (lambda v: synth.arma(n=1, ar=v), set()),
    "agreement": (lambda v: synth.unused_cue(n=1, agreement=v), {"zero", "subnormal", "Fraction", "1e-90"}),
    "channel=problem": (lambda v: synth.channel_cue(n=1, channel=v), {"zero"}),
    "window=problem": (lambda v: synth.chirp(n=1, window=v), {"fraction", "Fraction"}),
}
DRAWN = Explainer(FLAT, fs=FS, n_steps=2, tol=100.0, domains=(RFFT(), Time()))(TWO, target=0)


def drawn(draw: Callable[..., Any] = plots.spectrum, **kwargs: Any) -> Any:
    return draw(DRAWN, **{"signal": False, "axes": Figure().subplots(), **kwargs})


FIGURES: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "sample": (lambda v: drawn(sample=v), {"negative", "zero"}),
    "channel": (lambda v: drawn(channel=v), {"None", "zero"}),
    "name": (lambda v: drawn(plots.waveform, name=v), set()),
    "max_frequency": (
        lambda v: drawn(max_frequency=v),
        {"None", "zero", "huge", "10**30", "subnormal", "fraction", "Fraction", "1e90", "1e-90"},
    ),
    "markers": (lambda v: drawn(markers=v), {"None", "dict"}),
    "harmonics": (lambda v: drawn(harmonics=v, markers={"a": 10}), set()),
    "signal": (lambda v: drawn(signal=v, axes=Figure().subplots(2)), {"None", "true"}),
    "vmax": (lambda v: drawn(vmax=v), {"None", "10**30", "fraction", "Fraction", "1e90", "1e-90"}),
    "axes": (lambda v: drawn(axes=v), {"None"}),
    "axes=two": (lambda v: drawn(axes=v, signal=True), {"None"}),
}
USES |= {f"{name}=figure" if "=" not in name else name: use for name, use in FIGURES.items()}
for made in (RFFT, Time, Polar, Segments, STFT):
    USES[f"name={made.__name__}"] = (lambda v, made=made: explained(made(name=v)), {"None", "text", "device"})


def fault(use: Callable[[Any], Any], value: Any, name: str) -> str | None:
    """What is wrong with how a bad value is met; None where an error names the parameter."""
    try:
        made = use(value)
    except (TypeError, ValueError, FileNotFoundError) as error:
        # Text may be a path, where one is welcome.
        told = name in str(error) or (name == "x" and "path must be" in str(error))
        return None if told else f"is not named: {error!r}"
    except Exception as error:  # noqa: BLE001
        return f"ends in {error!r}"
    return "is taken" if _is_finite(made) else "gives what is not finite"


def _is_finite(made: Any) -> bool:
    """Whether attributions in a result are numbers."""
    found = made.data_vars.values() if isinstance(made, xr.Dataset) else ()
    return all(np.isfinite(one).all() for one in found if one.attrs.get("kind") == "attribution")


def report(uses: dict[str, tuple[Callable[[Any], Any], set[str]]], each: int = 1) -> None:
    """Print what is wrong, one line each.

    Of `each` values one is tried, another one for every parameter, so that all are tried somewhere.
    """
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", FreqigWarning)
    for place, (parameter, (use, right)) in enumerate(uses.items()):
        for label in list(BAD)[place % each :: each]:
            found = fault(use, BAD[label], parameter.partition("=")[0])
            if found != ("is taken" if label in right else None):
                print(f"{parameter}: {label} {found or 'is refused'}", flush=True)
