"""Names of parameters: which come without one, and what was meant by one that there is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import numpy as np

from ._check import brief, shown

CALLED_OTHERWISE = {
    "additional_forward_args": "args forward_args model_args",
    "axes": "ax",
    "bands": "freq_bands frequency_bands",
    "baseline": "baselines background reference",
    "budget": "n_evals n_samples nsamples max_evals max_evaluations",
    "channels": "ch_names channel_names picks electrodes",
    "classes": "class_names label_names labels n_classes",
    "domains": "domain",
    "draws": "n_draws n_samples nt_samples",
    "fs": "sfreq sr srate sampling_rate sample_rate samplerate sampling_frequency sample_frequency rate",
    "high": "fmax h_freq high_freq highcut",
    "hop": "hop_length hop_size stride step",
    "length": "window duration window_size segment_length",
    "low": "fmin l_freq low_freq lowcut",
    "max_evaluations": "max_evals n_evals budget",
    "max_frequency": "fmax f_max max_freq xlim",
    "n_resamples": "n_permutations permutations n_bootstrap n_boot",
    "n_steps": "steps n_nodes num_steps m_steps",
    "progress": "verbose progress_bar show_progress",
    "sample": "index idx i",
    "seed": "random_state rng random_seed",
    "step": "stride hop hop_length",
    "target": "targets class_idx target_class label",
    "tol": "tolerance rtol",
    "truth": "labels y y_true",
    "unit": "units",
    "vmax": "vlim clim",
    "window": "window_size window_length win_length window_len nperseg n_fft nfft frame_length duration",
    "workers": "n_jobs num_workers n_workers",
}
"""What other packages call parameters of freqig."""
IN_SAMPLES = ("frame_length", "hop_length", "n_fft", "nfft", "nperseg", "win_length")
"""What they count in samples, and freqig in seconds."""

Call = TypeVar("Call", bound=Callable[..., Any])


def says_what_is_meant(call: Call) -> Call:
    """A function that says what may be meant by a name that it does not have for a parameter.

    Examples
    --------
    >>> @says_what_is_meant
    ... def read(path, *, fs=None, window=None): ...
    >>> read("night.edf", sfreq=100)
    Traceback (most recent call last):
    TypeError: there is no parameter sfreq: did you mean fs?
    """
    known = [name for name in signature(call).parameters if name != "self"]

    @wraps(call)
    def checked(*positional: Any, **named: Any) -> Any:
        no_others(named, known)
        return call(*positional, **named)

    return checked  # type: ignore[return-value]


def settings_by_name(init: Callable[..., None]) -> Callable[..., None]:
    """An `__init__` that takes the model alone by position, and says how to name what comes behind it."""
    known = list(signature(init).parameters)

    @wraps(init)
    def checked(self: Any, *positional: Any, **named: Any) -> None:
        if len(positional) > 1:
            kind, given = type(self).__name__, positional[1]
            if isinstance(given, (str, int, float, np.number)):
                remedy = f"name it, such as {kind}(model, fs={shown(given)})"
            elif callable(given):
                remedy = f"the model comes first, {kind}(model)"
            else:
                remedy = f"signals are given to what this makes, {kind}(model)(x)"
            raise TypeError(
                f"{kind} takes the model alone without a name, got {brief(given)} besides: {remedy}"
            )
        _refuse_unknown(
            known, named, type(self).__name__, "{0} is given with the signals, {1}(model)(x, {0}=...)"
        )
        init(self, *positional, **named)

    return checked


def signals_by_position(call: Call) -> Call:
    """A method that takes signals alone by position, and says what else comes by name."""
    known = list(signature(call).parameters)

    @wraps(call)
    def checked(self: Any, *positional: Any, **named: Any) -> Any:
        if len(positional) > 1:
            given = positional[1]
            is_array = getattr(given, "ndim", 0) > 1
            remedy = (
                "several inputs are one tuple, explainer((a, b)), and a baseline is explainer(x, baseline=b)"
                if is_array
                else f"name it, such as explainer(x, target={brief(given)})"
            )
            raise TypeError(f"x alone comes without a name, got {brief(given)} besides: {remedy}")
        if not positional and "x" not in named:
            raise TypeError("x must be given, the signals to explain: explainer(x)")
        remedy = "{0} is a setting, {1}(model, {0}=...)"
        _refuse_unknown(known, named, type(self).__name__, remedy, type(self).__init__)
        return call(self, *positional, **named)

    return checked  # type: ignore[return-value]


BESIDE_SIGNALS = (
    "target",
    "baseline",
    "additional_forward_args",
    "truth",
    "names",
    "window",
    "step",
    "channels",
)


def _refuse_unknown(
    known: Sequence[str],
    named: Any,
    kind: str,
    remedy: str,
    elsewhere: Callable[..., Any] | None = None,
) -> None:
    """TypeError for a name that a function does not have, with where it belongs or what may be meant."""
    for name in named:
        if name not in known:
            other = BESIDE_SIGNALS if elsewhere is None else list(signature(elsewhere).parameters)
            meant = [name] if name in other else _called_otherwise(name, other)
            if meant and not _called_otherwise(name, known):
                raise TypeError(f"there is no parameter {name}: {remedy.format(meant[0], kind)}")
            no_others([name], known[1:])


def no_others(named: Iterable[str], known: Sequence[str]) -> None:
    """TypeError for a name that is none of those that are known, with what may be meant.

    Examples
    --------
    >>> no_others(["windows"], ["window", "step"])
    Traceback (most recent call last):
    TypeError: there is no parameter windows: did you mean window?
    """
    for name in named:
        if name not in known:
            close = _called_otherwise(name, known) or get_close_matches(name, known, 1)
            unit = ", in seconds" if name in IN_SAMPLES else ""
            meant = f"did you mean {close[0]}{unit}?" if close else f"it takes {', '.join(known) or 'none'}"
            raise TypeError(f"there is no parameter {name}: {meant}")


def _called_otherwise(name: str, known: Sequence[str]) -> list[str]:
    """Those of the known names that others call so."""
    return [own for own in known if name in CALLED_OTHERWISE.get(own, "").split()]
