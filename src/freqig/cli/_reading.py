"""What is written on the command line, as what Python takes: domains, baselines, bands, models."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

PRESETS = ("sleep", "eeg", "mel", "octave", "third-octave")
"""Names of bands that stand for a filter bank of them."""


def names(text: str | None) -> tuple[str, ...] | None:
    """Names that are separated by commas; None where nothing was said.

    Examples
    --------
    >>> names("W, N1"), names(None)
    (('W', 'N1'), None)
    """
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def read_target(text: str, classes: Sequence[str] | None = None) -> Any:
    """A target: "all", None for the predicted class, or a class by name, else by its number from 0.

    Of outputs with more axes it is the place in each, separated by commas.

    Examples
    --------
    >>> read_target("predicted"), read_target("2"), read_target("N2"), read_target("7", ["3", "7"])
    (None, 2, 'N2', '7')
    >>> read_target("predicted,12")
    (None, 12)
    """
    if "," in text:
        return tuple(read_target(one.strip(), classes) for one in text.split(","))
    if text == "predicted":
        return None
    return by_name_or_number(text, classes or ())


def by_name_or_number(text: str, names: Sequence[str]) -> str | int:
    """What is a name as it is, else a number where it is one.

    Examples
    --------
    >>> by_name_or_number("Cz", ["Cz", "7"]), by_name_or_number("7", ["Cz", "7"])
    ('Cz', '7')
    >>> by_name_or_number("1", ["Cz", "7"]), by_name_or_number("Oz", ["Cz", "7"])
    (1, 'Oz')
    """
    return int(text) if text not in names and text.lstrip("-").isdecimal() else text


def read_markers(text: str) -> dict[str, float]:
    """Frequencies in Hz by name.

    Raises
    ------
    ValueError
        If one has no name or no number, or two have one name.

    Examples
    --------
    >>> read_markers("BPFO=107, mains=50")
    {'BPFO': 107.0, 'mains': 50.0}
    """
    found: dict[str, float] = {}
    for one in text.split(","):
        name, _, at = (part.strip() for part in one.partition("="))
        number = _word_or_number(at)
        if not name or name in found or isinstance(number, str):
            raise ValueError(
                "markers must be frequencies in Hz, each by a name of its own, such as BPFO=107,mains=50, "
                f"got {text!r}"
            )
        found[name] = number
    return found


def read_domains(text: str, option: str = "domains") -> list[Any]:
    """Domains by name, separated by commas, each with the numbers that it takes behind colons.

    Parameters
    ----------
    text : str
        What was typed.
    option : str, default "domains"
        Where it was typed, for errors.

    Raises
    ------
    ValueError
        If there is no such domain, or it takes other numbers.

    Examples
    --------
    >>> read_domains("rfft,stft:2:0.5")
    [RFFT(name='rfft'), STFT(window=2, hop=0.5, taper='hann', name='stft')]
    >>> [one.name for one in read_domains("stft:2,stft:0.5")]
    ['stft_2', 'stft_0_5']
    """
    from .. import domains
    from ..domains.reading import added_domain, made_by
    from ..plugins import DOMAINS, plugins

    known = {
        name.lower(): value
        for name, value in vars(domains).items()
        if isinstance(value, type) and issubclass(value, domains.Domain) and not inspect.isabstract(value)
    }
    made, typed = [], names(text) or ()
    twice = next((one for one in typed if typed.count(one) > 1), None)
    if twice is not None:
        raise ValueError(f"{option} must each be named once, got {twice!r} {typed.count(twice)} times")
    for one in typed:
        name, *numbers = one.split(":")
        name = name.lower()
        kind: Any = known.get("time" if name == "waveform" else name)
        if name in PRESETS:
            kind = partial(_bank, domains.FilterBank, name)
        plugin = added_domain(name, own=kind is not None)
        if plugin is not None:
            kind = partial(made_by, plugin)
        if kind is None:
            listed = sorted({*known, *PRESETS, *(plugin.name for plugin in plugins(DOMAINS))})
            raise ValueError(
                f"{option} must be of {', '.join(listed)}, with numbers behind colons, such as stft:2, got "
                f"{one!r}"
            )
        if isinstance(kind, type) and sum(other.split(":")[0] == one.split(":")[0] for other in typed) > 1:
            kind = partial(kind, name=re.sub(r"\W", "_", one))
        made.append(_made(kind, numbers, one, option))
    return made


def read_settings(given: tuple[str, ...]) -> dict[str, Any]:
    """Settings of a method, each as NAME=VALUE, where values that are numbers count as such.

    Raises
    ------
    ValueError
        If one has no name or no value, or comes twice.

    Examples
    --------
    >>> read_settings(("n_masks=500", "keep=0.3", "mode=insertion"))
    {'n_masks': 500, 'keep': 0.3, 'mode': 'insertion'}
    """
    found: dict[str, Any] = {}
    for one in given:
        name, equals, text = (part.strip() for part in one.partition("="))
        if not (name and equals and text) or name in found:
            raise ValueError(f"set must be NAME=VALUE, each name once, such as n_masks=500, got {one!r}")
        try:
            found[name] = int(text) if text.lstrip("-").isdecimal() else float(text)
        except ValueError:
            found[name] = text
    return found


def read_players(text: str) -> Any:
    """Players of `freqig.Shapley`, separated by commas for their product.

    Parameters
    ----------
    text : str
        ``channels``, a filter bank as `read_domains` names it, its bands as ``slow=0.5-4``, or
        ``segments:30``.

    Examples
    --------
    >>> read_players("sleep,channels")[1], read_players("segments:30")
    ('channels', (Segments(length=30, name='segments'),))
    >>> list(read_players("slow=0.5-4,fast=8-30,channels")[0].bands)
    ['slow', 'fast']
    """
    parts = names(text) or ()
    edges = ",".join(one for one in parts if "=" in one)
    made: list[Any] = []
    if edges:
        from ..domains import FilterBank

        try:
            made.append(FilterBank(read_bands(edges)))
        except ValueError as error:
            raise ValueError(f"players must be given bands by their edges, got {edges!r}: {error}") from None
    for one in parts:
        if "=" not in one:
            made.extend([one] if one == "channels" else read_domains(one, "players"))
    return tuple(made)


def read_output_key(text: str) -> Any:
    """A name or number, or several from the outermost inwards, with colons between them.

    Examples
    --------
    >>> read_output_key("stage"), read_output_key("heads:1")
    ('stage', ('heads', 1))
    """
    parts = tuple(by_name_or_number(one, ()) for one in text.split(":"))
    return parts if len(parts) > 1 else parts[0]


def read_dtype(text: str) -> Any:
    """A dtype of PyTorch by name."""
    import torch

    return getattr(torch, text)


def read_baseline(text: str | None, reading: Mapping[str, Any] | None = None) -> Any:
    """A rule of `freqig.baselines` by name, with the numbers that it takes behind colons.

    Parameters
    ----------
    text : str or None
        What was typed; behind `data:` is the path of a recording, whose samples are the baselines.
    reading : mapping, optional
        Options by which recordings are read, among others.

    Raises
    ------
    ValueError
        If there is no such rule, or it takes other numbers.

    Examples
    --------
    >>> read_baseline("band_removed:8:12").describe()["low"]
    8.0
    """
    from .. import baselines

    if text is None:
        return None
    name, *numbers = text.split(":")
    if name == "data":
        return _baselines_in(text.partition(":")[2], reading or {})
    rules = [
        key
        for key, rule in vars(baselines).items()
        if inspect.isfunction(rule) and inspect.signature(rule).return_annotation == "Baseline"
    ]
    name = name.replace("-", "_")
    if name not in rules:
        raise ValueError(
            f"baseline must be one of {', '.join(sorted(rules))}, with numbers or a file behind colons, such "
            f"as band_removed:8:12 or data:rest.edf, got {text!r}"
        )
    return _made(getattr(baselines, name), numbers, text, "baseline")


def _baselines_in(path: str, reading: Mapping[str, Any]) -> Any:
    """The samples of a recording as baselines."""
    from .. import baselines, read

    try:
        asked = {name: reading.get(name) for name in ("fs", "window", "step", "resample")}
        return baselines.data(read(path, channels=names(reading.get("channels")), **asked))
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"baseline must be data:FILE with a recording that is read as INPUT is, got {path!r}: {error}"
        ) from error


def read_bands(text: str | None) -> Any:
    """A preset of `freqig.bands`, or edges in Hz by name.

    Raises
    ------
    ValueError
        If edges are no numbers, or no result can have these bands.

    Examples
    --------
    >>> read_bands("sleep"), read_bands("slow=0.5-4,spindle=11-16")
    ('sleep', {'slow': (0.5, 4.0), 'spindle': (11.0, 16.0)})
    """
    if text is None:
        return None
    from ..bands import check_bands

    if "=" not in text:
        check_bands(text)
        return text
    found = {}
    for one in names(text) or ():
        name, _, edges = one.partition("=")
        low, _, high = edges.partition("-")
        if name.strip() in found:
            raise ValueError(f"bands must each have a name of their own, got {name.strip()!r} twice")
        try:
            found[name.strip()] = float(low), float(high)
        except ValueError:
            raise ValueError(
                f"bands must be the name of a preset, or edges in Hz such as slow=0.5-4, got {one!r}"
            ) from None
    check_bands(found)
    return found


def read_model(text: str, trust: bool) -> Any:
    """A model: the path of its file, or with `trust` an object of Python.

    Parameters
    ----------
    text : str
        A path, `module:name` or `file.py:name`.
    trust : bool
        Whether code may run, which an import does.

    Raises
    ------
    click.ClickException
        If code would run that was not said to be trusted, or there is no such object.
    """
    where, _, name = text.rpartition(":")
    if not where or Path(text).exists():
        return text
    if not trust:
        raise click.ClickException(
            f"MODEL {text!r} is an object of Python, and importing it runs its code: pass --trust for code "
            "that you trust"
        )
    found: Any = _module(where)
    for part in name.split("."):
        if not hasattr(found, part):
            listed = (
                ", ".join(key for key in vars(found) if not key.startswith("_"))
                if inspect.ismodule(found)
                else ""
            )
            raise click.ClickException(
                f"MODEL {where!r} must have {name!r}, and has {listed or 'no such name'}"
            )
        found = getattr(found, part)
    return found


def _module(where: str) -> Any:
    path = Path(where)
    if path.suffix != ".py":
        sys.path.insert(0, str(Path.cwd()))
        try:
            return importlib.import_module(where)
        finally:
            sys.path.pop(0)
    if not path.is_file():
        raise click.ClickException(f"MODEL must be the path of a file, but there is none at {where!r}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise click.ClickException(f"MODEL {where!r} must be a file of Python")
    module = importlib.util.module_from_spec(spec)
    # What it imports from its own folder, and pickles of its classes, are found under this name.
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def _made(kind: Any, numbers: list[str], text: str, name: str) -> Any:
    try:
        return kind(*(int(one) if one.lstrip("-").isdecimal() else _word_or_number(one) for one in numbers))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be given what they take, got {text!r}: {error}") from None


def _bank(kind: Any, preset: str, *n: Any) -> Any:
    """A filter bank of a preset, of so many bands where that is said."""
    if len(n) > 1:
        raise TypeError(f"{preset} takes one number, how many bands, got {len(n)}")
    return kind(preset, name=preset.replace("-", "_"), **({"n": n[0]} if n else {}))


def _word_or_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
