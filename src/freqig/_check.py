"""Checks of arguments, once, at the edge."""

from __future__ import annotations

import json
import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from ._paths import from_home

SMALLEST, LARGEST = 1e-100, 1e100
"""Numbers between these, squared or inverted, neither overflow nor vanish."""
LARGEST_COUNT, MOST_DRAWS = 2**31 - 1, 100_000


def check_fs(fs: Any, name: str = "fs") -> float:
    """Sampling rate as a float; ValueError unless finite and positive."""
    rate = check_number(fs, name, "a number of Hz")
    if not SMALLEST <= rate <= LARGEST:
        raise ValueError(f"{name} must be finite and above 0 Hz{_beyond(rate)}, got {shown(fs)}")
    return rate


def brief(value: Any) -> str:
    """A value in an error: numbers and text as they are, of anything large its class and shape."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"a {type(value).__name__} of shape {tuple(shape)}"
    text = shown(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"


def check_number(value: Any, name: str, what: str = "a number") -> float:
    """Real number as a float; one too large for a float is infinite."""
    # NumPy counts complex scalars among its numbers, and durations among its integers.
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, (Real, np.integer, np.floating)):
        raise TypeError(f"{name} must be {what}, got {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        return float("-inf" if str(value).startswith("-") else "inf")


def check_positive(value: Any, name: str, *, zero_allowed: bool = False) -> float:
    """Finite number above zero as a float."""
    number = check_number(value, name)
    if number == 0 and zero_allowed:
        return 0.0
    if not SMALLEST <= number <= LARGEST:
        least = "at least" if zero_allowed else "above"
        raise ValueError(f"{name} must be finite and {least} 0{_beyond(number)}, got {shown(value)}")
    return number


def check_within(value: Any, name: str, low: float, high: float) -> float:
    """Number between two others, which are allowed as well."""
    number = check_number(value, name)
    if not low <= number <= high:
        raise ValueError(f"{name} must be in {low:g}..{high:g}, got {shown(value)}")
    return number


def check_share(value: Any, name: str) -> float:
    """Number between 0 and 1, neither of them."""
    number = check_number(value, name)
    if not 0 < number < 1:
        instead = f": {number:g} % is {exact(number / 100)}" if 1 <= number < 100 else ""
        raise ValueError(f"{name} must be above 0 and below 1, got {shown(value)}{instead}")
    return number


def _beyond(number: float) -> str:
    """What else is asked of a number that is finite and above zero."""
    return f", in {SMALLEST:g}..{LARGEST:g}" if 0 < number < float("inf") else ""


def check_integer(value: Any, name: str) -> int:
    """Integer of any kind but bool."""
    if isinstance(value, (bool, np.bool_, np.timedelta64)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {shown(value)}")
    return int(value)


def check_seed(value: Any, name: str) -> int:
    """Integer of any size from 0 on."""
    seed = check_integer(value, name)
    if seed < 0:
        raise ValueError(f"{name} must be at least 0, got {shown(value)}")
    return seed


def check_count(value: Any, name: str, minimum: int = 1, most: int = LARGEST_COUNT) -> int:
    """Integer of at least `minimum`, and at `most` what a 32-bit number holds."""
    count = check_integer(value, name)
    if count < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {shown(value)}")
    if count > most:
        raise ValueError(f"{name} must be at most {most}, got {shown(value)}")
    return count


def check_draws(value: Any, name: str, minimum: int = 1) -> int:
    """How often something is drawn, or done: what is held grows with it, and errors fall with the root."""
    return check_count(value, name, minimum, MOST_DRAWS)


def check_name(name: Any) -> str:
    """Name of a variable in the result, which files can hold too."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {shown(name)}")
    if not name.strip() or "/" in name or name.startswith("."):
        raise ValueError(f"name must not be empty, start with a dot or have a slash in it, got {shown(name)}")
    return name


def check_path(path: Any, name: str) -> Path:
    """Path of a file or folder, which need not be there; `~` is the home of the user."""
    given = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(given, str):
        raise TypeError(f"{name} must be a path, a string or a pathlib.Path, got {shown(path)}")
    if not given:
        raise ValueError(f"{name} must be a path, got an empty string")
    return from_home(given)


def check_text(value: Any, name: str) -> str:
    """Text, which may be empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {shown(value)}")
    return value


def check_names(names: Any, name: str) -> tuple[str, ...] | None:
    """Names of rows or parts as strings; a lone string is no sequence of names."""
    if names is None:
        return None
    if isinstance(names, (str, bytes)):
        raise TypeError(f"{name} must be a sequence of names, got {shown(names)} alone")
    try:
        read = tuple(names)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of names, got {shown(names)}") from None
    allowed, wrongly = (str, int, np.integer), (bool, np.timedelta64)
    wrong = [one for one in read if not isinstance(one, allowed) or isinstance(one, wrongly)]
    if wrong:
        raise TypeError(f"{name} must be names, strings or integers, got {shown(wrong[0])} among them")
    return tuple(map(str, read))


def check_entries(values: Any, name: str, what: str) -> list[Any]:
    """Entries of a sequence, or of an array of one axis: names, numbers, or None where one is missing."""
    try:
        read = list(values) if isinstance(values, (list, tuple)) else np.asarray(values).tolist()
    except Exception:  # noqa: BLE001 - whatever an object raises that is no array
        read = None
    if not isinstance(read, list):
        raise TypeError(f"{name} must be a sequence of {what}, got {shown(values)}")
    entries = [None if type(one).__name__ in ("NAType", "NaTType") else one for one in read]
    if wrong := [one for one in entries if one is not None and not np.isscalar(one)]:
        raise TypeError(f"{name} must be a sequence of {what}, got {brief(wrong[0])} among them")
    return entries


def check_unmasked(values: Any, name: str) -> None:
    """ValueError where an array, or a list of arrays, has masked values."""
    if is_masked(values):
        raise ValueError(f"{name} must have no masked values: fill or drop them before explaining")


def is_masked(values: Any) -> bool:
    """Whether an array, or an array in a list, has masked values."""
    if isinstance(values, (list, tuple)):
        return any(is_masked(part) for part in values if not isinstance(part, (int, float)))
    return bool(np.ma.is_masked(values))


def shown(value: Any) -> str:
    """What came, on one line and not long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - whatever a caller's own class does
        text = f"an object of class {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:150]} … ({type(value).__name__})"


def exact(number: float) -> str:
    """A number in few digits, and in all of them where few would make it another one."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def check_flag(value: Any, name: str) -> bool:
    """Truth value, Python's or NumPy's; 0, 1 and words are not taken for one."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def check_flag_or_none(value: Any, name: str) -> bool | None:
    """The same, or None."""
    if value is not None and not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be None, True or False, got {shown(value)}")
    return None if value is None else bool(value)


def check_choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {shown(value)}")
    return value


WHOLE = 1e-6
"""By how much of a sample, or of itself, a length may miss a whole number of them."""
ROUNDED = 1e-3
"""By how much of itself a rate may be off that was taken from rounded times."""


def check_whole(seconds: float, fs: float, name: str) -> int:
    """A length in s as a number of samples.

    Raises
    ------
    ValueError
        If it is no whole number of them, or less than one.

    Examples
    --------
    >>> check_whole(1.5, 100.0, "window")
    150
    >>> check_whole(1.0, 99.5, "window")
    Traceback (most recent call last):
    ValueError: window must be a whole number of samples, at least one, got 1 s, which is 99.5 samples ...
    """
    samples = seconds * fs
    whole = max(1, round(samples))
    if abs(samples - whole) > WHOLE * max(1.0, samples):
        rounded = abs(samples - whole) <= ROUNDED * whole
        exact = f"fs={whole / seconds:.9g}, if times were rounded before the rate was taken from them, or "
        raise ValueError(
            f"{name} must be a whole number of samples, at least one, got {seconds:g} s, which is "
            f"{samples:.9g} samples at {fs:.9g} Hz: pass {exact if rounded else ''}{name}={whole / fs:.9g}"
        )
    return whole


def object_in(text: Any) -> dict[str, Any]:
    """The object of JSON that a text, or the content of a file, is.

    Raises
    ------
    ValueError
        If it is something else: a list, half a file, or no text.

    Examples
    --------
    >>> object_in('{"state": "done"}')
    {'state': 'done'}
    >>> object_in(b"[1, 2]")
    Traceback (most recent call last):
    ValueError: text must be an object of JSON, got a list
    """
    try:
        held = json.loads(text)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"text must be an object of JSON, got {shown(text)}") from error
    if not isinstance(held, dict):
        kind = type(held).__name__
        raise ValueError(f"text must be an object of JSON, got a {kind}")  # noqa: TRY004 - a wrong text
    return held
