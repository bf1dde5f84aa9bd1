"""The paragraph that a paper has on how its explanations were made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ..result.gaps import gap_shares
from ..result.reading import settings_of
from .averaged import are_means, over_whom, shifted_nodes
from .domains_told import of_domains, shortly
from .references import Cited
from .signals_told import many, of_signals

SCALES = {
    "logit": "the raw output",
    "log_prob": "the log probability",
    "probability": "the probability",
    "margin": "the margin, which is the logit less the log-sum-exp of the other logits,",
}
BASELINES = {
    "zero": "zero at every sample",
    "dc": "the mean of each series",
    "band_removed": "the signal without the band from {low:g} to {high:g} Hz",
    "surrogate": "{number} with the power spectrum of the signal and random phases (seed {seed}) [{cite}]",
    "noise": (
        "{number} of random noise with a power spectrum f^{power:g} and the variance of the signal (seed "
        "{seed}) [{cite}]"
    ),
    "flat_envelope": (
        "the signal with the envelope of its band from {low:g} to {high:g} Hz flat and its carrier held"
    ),
    "flat_log_spectrum": "the signal with a flat spectrum, at the mean log amplitude, and its own phases",
    "data": "each of {count} signals, over which attributions were averaged [{cite}]",
    "given": "given signals",
}


def methods_text(result: xr.Dataset) -> str:
    """The paragraph for a paper: settings, counts, convergence and citations.

    Everything in it is taken from the result; what it does not hold is left out.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer` returns it, or what `freqig.bands` makes of it.

    Returns
    -------
    str
        A paragraph, and the references that it cites, one per line.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset, or holds no settings.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Linear(128, 1)
    >>> result = freqig.Explainer(model, fs=64)(np.random.default_rng(0).normal(size=(3, 128)), target=0)
    >>> print(freqig.methods_text(result).split(". ")[1])
    In all, 3 signals of 2 s at 64 Hz were explained
    """
    text, cite = _written(result)
    return f"{text}\n\n{cite.listed()}\n"


def bibtex(result: xr.Dataset) -> str:
    """What `methods_text` cites, as BibTeX.

    Parameters
    ----------
    result : xarray.Dataset
        As of `methods_text`.

    Returns
    -------
    str
        Entries in the order in which they are cited.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset, or holds no settings.

    Examples
    --------
    >>> result = xr.Dataset(attrs={"settings": "{}"})
    >>> print(bibtex(result).splitlines()[0])
    @misc{grave2025,
    """
    _, cite = _written(result)
    return cite.bibtex()


def _written(result: xr.Dataset) -> tuple[str, Cited]:
    """The paragraph, and what it cites."""
    settings = settings_of(result)
    cite = Cited()
    sentences = [
        _method(result, settings, cite),
        of_signals(result, settings),
        _outputs(result, settings),
        _baseline(settings, cite),
        _computed(result, settings, cite),
        over_whom(result),
        _outcome(result, settings),
        of_domains(result, settings, cite),
    ]
    return " ".join(filter(None, sentences)), cite


def _is_shapley(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("engine") == "shapley")


def _method(result: xr.Dataset, settings: Mapping[str, Any], cite: Cited) -> str:
    versions = json.loads(result.attrs.get("versions", "{}"))
    name, kind = result.attrs.get("model_class", ""), result.attrs.get("model_framework", "")
    digits = str(result.attrs.get("model_fingerprint", ""))[:19]
    about = ", ".join(filter(None, [str(name), digits]))
    model = f"the model ({about})" if about else "the model"
    by = f"freqig {versions['freqig']}" if "freqig" in versions else "freqig"
    framework = f" and PyTorch {versions['torch']}" if kind == "torch" and "torch" in versions else ""
    if _is_shapley(settings):
        pairs = f" and interactions [{cite('interactions')}]" if settings.get("max_order") == 2 else ""
        return (
            f"Decisions of {model} were explained without gradients by Shapley values [{cite('Shapley')}]"
            f"{pairs} of parts of the signal, with {by}{framework}."
        )
    if "method" in settings:
        return f"Decisions of {model} were explained by {result.attrs.get('method')}, with {by}{framework}."
    return (
        f"Decisions of {model} were explained in the frequency domain by FLEX [{cite('FLEX')}], which is "
        f"Integrated Gradients [{cite('IG')}] of the model behind an inverse real Fourier transform, with "
        f"{by}{framework}."
    )


def _outputs(result: xr.Dataset, settings: Mapping[str, Any]) -> str:
    output, among = settings.get("output", ""), settings.get("classes")
    what = SCALES.get(output, f"the function {output!r} of the outputs")
    named = f" ({', '.join(among)})" if among else ""
    kind = "class" if among or output not in ("logit", "") else "target"
    of = {"all": f"every {kind}", "given": f"a given {kind}"}.get(str(settings.get("target")))
    if str(result.attrs.get("outputs", "")).endswith("one output"):
        of = "the model" if output == "logit" else "the one output of the model"
    elif of is None:
        of = "the model" if settings.get("class_axis") is None else "the predicted class"
    each = " of each window" if "slide" in settings else ""
    return f"The explained output{each} was {what} of {of}{named}."


def _baseline(settings: Mapping[str, Any], cite: Cited) -> str:
    told = settings.get("baseline", {})
    begin = "Absent players were set to" if _is_shapley(settings) else "Paths began at"
    if "method" in settings:
        begin = "The baseline was"
    if told.get("name") == "several":
        each = [f"{_start(own, cite)} for input {i}" for i, own in enumerate(told["inputs"])]
        return f"{begin} {' and '.join(each)}."
    return f"{begin} {_start(told, cite)}." if told else ""


def _start(described: Mapping[str, Any], cite: Cited) -> str:
    """A baseline in words."""
    told = dict(described)
    name = str(told.pop("name", ""))
    pattern = BASELINES.get(name)
    if pattern is None:
        return f"the baseline {name}({', '.join(f'{key}={value}' for key, value in told.items())})"
    cited = cite(name) if "{cite}" in pattern else 0
    draws = told.get("draws", 1)
    return pattern.format(
        cite=cited, number="one series" if draws == 1 else f"each of {draws} series", **told
    )


def _computed(result: xr.Dataset, settings: Mapping[str, Any], cite: Cited) -> str:
    if _is_shapley(settings):
        return _coalitions(result, settings, cite)
    if "method" not in settings:
        return shifted_nodes(result, settings) or _path(result, settings, cite)
    own = {key: value for key, value in settings["method"].items() if key != "name" and value is not None}
    asked = ", ".join(f"{key} = {value}" for key, value in own.items())
    counted = _spread(result, "n_evaluations", "a signal took {} evaluations of the model")
    told = "; ".join(filter(None, [asked and f"settings were {asked}", counted]))
    return f"{told[:1].upper()}{told[1:]}." if told else ""


def _coalitions(result: xr.Dataset, settings: Mapping[str, Any], cite: Cited) -> str:
    players = ", ".join(map(shortly, settings.get("players", ())))
    exact = "estimated_error" in result and not result["estimated_error"].values.any()
    how = (
        "exactly, from all coalitions"
        if exact
        else f"from coalitions drawn by shapiq [{cite('shapiq')}] in four replicates (seed "
        f"{settings.get('seed')})"
    )
    counted = _spread(result, "n_evaluations", "; a signal took {} evaluations of the model")
    return f"Players were those of {players}; values were computed {how}{counted}."


def _path(result: xr.Dataset, settings: Mapping[str, Any], cite: Cited) -> str:
    if settings.get("n_steps") is None:
        how = (
            "Integrals along the paths were computed by adaptive Bayesian quadrature with a Brownian bridge "
            f"[{cite('bridge')}, {cite('quadrature')}], to a tolerance of {settings.get('tol', 0):g} of "
            "the L1 norm of the attributions and of the completeness gap, with at most "
            f"{settings.get('max_evaluations')} evaluations"
        )
    else:
        engine = f" by Captum [{cite('Captum')}]" if settings.get("engine") == "captum" else ""
        how = f"Integrals along the paths were computed with {settings['n_steps']} fixed nodes{engine}"
    return f"{how}{_spread(result, 'n_evaluations', '; a signal took {} evaluations of the gradient')}."


def _outcome(result: xr.Dataset, settings: Mapping[str, Any]) -> str:
    parts = []
    if "converged" in result:
        adaptive = settings.get("n_steps") is None and "method" not in settings
        what = "Attributions converged" if adaptive else "The completeness gap was within tolerance"
        parts.append(f"{what} for {_how_many(result)}")
    of = " of the means" if are_means(result) else ""
    gap = _known(result.completeness_gap.values) if "completeness_gap" in result else np.empty(0)
    if gap.size:
        closed = "correction" in result and bool(result.correction.any())
        of += ", |Σ attribution - (F(x) - F(x'))|" + (" before it was closed" if closed else "")
        several = f"{np.median(gap):.2g} in the median and {gap.max():.2g} at most"
        parts.append(f"the completeness gap{of}, was {several if gap.size > 1 else f'{gap[0]:.2g}'}")
        if (shares := gap_shares(result)) is not None and np.isfinite(shares).all():
            parts[-1] += f", and never more than {shares.max():.2g} of the L1 norm of the attributions"
        if {"output", "baseline_output"} <= {*result.data_vars}:
            rise = _known((result.output.astype(np.float64) - result.baseline_output).values)
            if rise.size:
                middle = " median" * (gap.size > 1)
                parts[-1] += f", at a{middle} difference |F(x) - F(x')| of {np.median(rise):.2g}"
    told = "; ".join(parts)
    return f"{told[:1].upper()}{told[1:]}." if parts else ""


def _how_many(result: xr.Dataset) -> str:
    """For how many explanations something holds, of how many."""
    met = result["converged"]
    if met.dtype.kind == "f":
        # A mean, as xarray takes it over samples.
        return f"{100 * float(met.mean()):.3g} % of explanations"
    return f"{int(met.sum())} of {many(int(met.size), 'mean' if are_means(result) else 'explanation')}"


def _known(values: np.ndarray) -> np.ndarray:
    """Sizes of the values that are finite."""
    return np.asarray(np.abs(values[np.isfinite(values)].astype(np.float64)))


def _spread(result: xr.Dataset, name: str, text: str) -> str:
    if name not in result or not result[name].size:
        return ""
    values = result[name].values
    low, middle, high = int(values.min()), np.median(values), int(values.max())
    return text.format(f"{low}" if low == high else f"{middle:g} ({low} to {high})")
