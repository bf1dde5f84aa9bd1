"""Hashes of model and settings, by which a store is told from others, and settings in words."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from inspect import isroutine
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from .._check import shown
from .._paths import from_home
from .._version import __version__
from ..baselines.reading import describe_baseline
from ..domains import Domain
from ..explain.explainer import Explainer
from ..models.torch.structure import code_of, structure_of
from .job import Job

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def file_of(model: Any) -> Path | None:
    """The file that a model is given by, None where it is none."""
    path = from_home(os.fspath(model)) if isinstance(model, (str, os.PathLike)) else None
    return path if path is not None and path.is_file() else None


def model_hash(model: Any, explainer: Explainer, model_id: str | None) -> str:
    """A hash of what the model is.

    Parameters
    ----------
    model : object
        As the caller passed it.
    explainer : Explainer
        Made of it.
    model_id : str or None
        What the caller calls it.

    Raises
    ------
    ValueError
        If it has no weights that tell it from others, and no `model_id`.
    """
    adapter = explainer.model
    told: dict[str, Any] = {**adapter.description, **adapter.fingerprint()}
    if (file := file_of(model)) is not None:
        told["file"] = hashlib.sha256(file.read_bytes()).hexdigest()
    if "fingerprint" not in told and "file" not in told and model_id is None:
        raise ValueError(
            "model must have weights that tell it from others, got none: pass model_id=, a name that changes "
            "when the model does"
        )
    if model_id is not None:
        told["model_id"] = model_id
    # Frameworks of other versions run the same model.
    told.pop("framework", None)
    structure = structure_of(getattr(adapter, "function", None))
    return _hash({**told, "structure": [ADDRESS.sub("", text) for text in structure]})


def described(job: Job, explainer: Explainer) -> dict[str, Any]:
    """What was asked for, as JSON holds it: stores of other settings are told by it."""
    asked = dict(job.asked)
    own = {
        name: value
        for name, value in job.settings.items()
        if name not in ("device", "memory", "progress", "trust")
    }
    told = {
        **{name: _plain(value) for name, value in own.items()},
        **explainer.settings.described(),
        "baseline": _baseline(asked.pop("baseline", None)),
        **{name: _plain(value) for name, value in asked.items() if value is not None},
        "code_and_matrices": _hash(_made_of([*explainer.settings.domains, explainer.output]))[:19],
        "keep": job.keep,
        "bands": _plain(job.bands),
        "freqig": __version__,
    }
    return dict(json.loads(json.dumps(told, default=str, sort_keys=True)))


def settings_hash(told: Mapping[str, Any]) -> str:
    """A hash of what `described` tells."""
    return _hash(told)


def _baseline(baseline: Any) -> Any:
    told = describe_baseline(baseline)
    if told["name"] == "given":
        told["sha256"] = hashlib.sha256(np.ascontiguousarray(baseline).tobytes()).hexdigest()
    return _plain(told)


def _plain(value: Any) -> Any:
    """A value as JSON holds it, the same in every process."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    # Not the address that a repr may have.
    return getattr(value, "__qualname__", None) or ADDRESS.sub("", shown(value))


def _made_of(value: Any) -> Any:
    """What words about domains and outputs leave out: numbers in matrices, and code of functions."""
    if isinstance(value, (list, tuple)):
        return [_made_of(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _made_of(one) for key, one in value.items()}
    if isinstance(value, Domain):
        return [type(value).__qualname__, _made_of(vars(value))]
    if isinstance(value, (np.ndarray, Tensor)):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    if isroutine(value):
        return [value.__qualname__, code_of(value)]
    return ADDRESS.sub("", repr(value))


def _hash(told: Any) -> str:
    text = json.dumps(told, sort_keys=True, default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
