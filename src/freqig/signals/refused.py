"""What people pass where signals are asked for, and what to pass instead."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from .._check import shown

NUMBERS = (np.ndarray, Tensor, int, float, complex, np.generic)


def refuse_what_is_no_array(x: Any, name: str) -> None:
    """Raise for objects that hold or make signals, but are none.

    Parameters
    ----------
    x : object
        Anything but a tensor.
    name : str
        Name of the parameter in errors.

    Raises
    ------
    TypeError
        For paths, dictionaries, data sets and loaders, models, functions, classes and the like. The
        message says what to pass instead.

    Examples
    --------
    >>> refuse_what_is_no_array({"eeg": [1.0]}, "x")
    Traceback (most recent call last):
    TypeError: x must be numeric, an array of signals, got a dict with the keys 'eeg': pass one entry, ...
    """
    remedy = _remedy(x, name)
    if remedy:
        got, what = remedy
        raise TypeError(f"{name} must be numeric, an array of signals, got {got}: {what}")
    if isinstance(x, (list, tuple)):
        _refuse_parts(x, name)


def is_pair_with_rate(x: Any) -> bool:
    """Whether this is a number beside an array, as readers of audio files return them.

    Examples
    --------
    >>> is_pair_with_rate((8000, np.zeros(100))), is_pair_with_rate((np.zeros(2), np.zeros(2)))
    (True, False)
    """
    if not isinstance(x, (list, tuple)) or len(x) != 2 or not all(isinstance(part, NUMBERS) for part in x):
        return False
    fewer, more = sorted(np.ndim(part) for part in x)
    return fewer == 0 < more


def _remedy(x: Any, name: str) -> tuple[str, str] | None:
    """What came, and what to do about it; None for what may be an array."""
    kind = type(x).__name__
    origins = {base.__module__ for base in type(x).__mro__}
    if x is None:
        return "None", "pass the signals to explain"
    if isinstance(x, (str, bytes, os.PathLike)):
        got = f"the text {shown(x)}" if isinstance(x, (str, bytes)) else f"the path {str(x)!r}"
        if _is_folder(x):
            return f"{got}, a folder", "read one of its files first, freqig.read(path)"
        return got, "read the file first, freqig.read(path)"
    if hasattr(x, "data_vars"):
        known = list(x.data_vars)
        told = ", ".join(map(repr, known)) or "none"
        first = "signal" if "signal" in known or not known else known[0]
        return f"an xarray {kind} with the variables {told}", f"pass one of them, such as {name}[{first!r}]"
    if isinstance(x, Mapping):
        return _of_mapping(x, name)
    if any(origin.startswith(("torch.utils.data.", "tensorflow.python.data.")) for origin in origins):
        return _of_dataset(x, name)
    if isinstance(x, nn.Module):
        return (
            f"the model {kind}",
            "signals come first in attribute(input, model)",
        )
    if isinstance(x, type):
        return f"the class {x.__name__}", "pass the signals themselves"
    if inspect.ismodule(x) or inspect.isroutine(x):
        return f"the {kind} {x.__name__!r}", "pass what it returns"
    if isinstance(x, (Iterator, Set)):
        return f"a {kind}", f"make an array of it first, {name}=np.stack(list(...))"
    if isinstance(x, slice):
        return "a slice", "pass the signals that it selects"
    return None


def _is_folder(path: Any) -> bool:
    try:
        return Path(os.fsdecode(path)).is_dir()
    except (ValueError, OSError):  # no text can be a path that is too long, or has a zero in it
        return False


def _of_mapping(x: Mapping[Any, Any], name: str) -> tuple[str, str]:
    keys = [key for key in x if not str(key).startswith("__")]
    arrays = [key for key in keys if isinstance(x[key], (np.ndarray, Tensor)) and x[key].ndim > 1]
    shown = ", ".join(map(repr, keys[:8])) + (", …" if len(keys) > 8 else "")
    remedy = (
        f"pass one entry, such as {name}[{(arrays or keys or ['data'])[0]!r}]; for a model of several inputs "
        "pass a tuple of its entries, in the order of its inputs; a module that takes a dictionary is "
        "explained as Explainer(lambda a, b: model({'a': a, 'b': b}))"
    )
    return f"a {type(x).__name__} with the keys {shown}", remedy


def _of_dataset(x: Any, name: str) -> tuple[str, str]:
    kind = type(x).__name__
    if type(x).__module__.startswith("tensorflow."):
        return (
            f"a {kind} of TensorFlow",
            f"pass one batch without labels, {name}=next(iter(dataset))[0].numpy()",
        )
    if "Loader" in kind:
        return f"a {kind}", f"pass one batch of signals without labels, {name}=next(iter(loader))[0]"
    remedy = f"pass a batch without labels, {name}=torch.stack([dataset[i][0] for i in range(8)])"
    return f"a {kind}", remedy


def _refuse_parts(x: list[Any] | tuple[Any, ...], name: str) -> None:
    if is_pair_with_rate(x):
        data = 1 - int(np.ndim(x[0]) > 0)
        raise TypeError(
            f"{name} must be signals alone, got a number and an array, as scipy.io.wavfile.read and "
            f"soundfile.read return them: pass the array, {name}=pair[{data}][None], and the rate, "
            f"Explainer(model, fs=pair[{1 - data}])"
        )
    for part in x:
        if isinstance(part, (list, tuple)):
            _refuse_parts(part, name)
        elif not isinstance(part, NUMBERS):
            remedy = _of_labelled(part, name) or _remedy(part, name)
            if remedy:
                raise TypeError(
                    f"{name} must be numeric, got a {type(x).__name__} with {remedy[0]} in it: {remedy[1]}"
                )


def _of_labelled(part: Any, name: str) -> tuple[str, str] | None:
    """Parts with labels, whose order may differ from one to the other."""
    kind = type(part).__name__
    if hasattr(part, "dims") and hasattr(part, "coords"):
        return f"a {kind}", f"join them by their labels, {name}=xarray.concat(arrays, 'sample')"
    if hasattr(part, "info") and hasattr(part, "ch_names"):
        return f"MNE's {kind}", f"join them by their labels, {name}=mne.concatenate_epochs(parts)"
    if hasattr(part, "columns") and hasattr(part, "iloc"):
        return f"a {kind}", f"stack them, {name}=np.stack([table.to_numpy().T for table in tables])"
    return None
