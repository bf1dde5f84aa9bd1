"""Warnings that a caller may want to filter by class, and context for errors of the user's model."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

__all__ = [
    "CompletenessWarning",
    "ConvergenceWarning",
    "EmptyExplanationWarning",
    "FreqigWarning",
    "OutputScaleWarning",
    "ResolutionWarning",
    "SharedModelWarning",
    "SignalWarning",
]

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
WRAPPED = "Exception encountered when calling"
CALLED = "while freqig called the model with a batch of its own of"
"""How adapters begin what they add to an error of the model; the shape of the batch follows."""

PACKAGE = str(Path(__file__).parent) + os.sep
ABOUT = ContextVar("ABOUT", default="")
"""What warnings are of, where samples are counted within a part of what was passed."""


class FreqigWarning(UserWarning):
    """Base class of every warning that freqig issues.

    Examples
    --------
    >>> import warnings
    >>> from freqig.errors import FreqigWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", FreqigWarning)
    """


class CompletenessWarning(FreqigWarning):
    """The attributions do not add up to the difference of outputs that they explain.

    Examples
    --------
    >>> from freqig.errors import CompletenessWarning, FreqigWarning
    >>> issubclass(CompletenessWarning, FreqigWarning)
    True
    """


class ConvergenceWarning(FreqigWarning):
    """The attributions of some samples did not reach the tolerance; `status` says why.

    Examples
    --------
    >>> from freqig.errors import ConvergenceWarning, FreqigWarning
    >>> issubclass(ConvergenceWarning, FreqigWarning)
    True
    """


class OutputScaleWarning(FreqigWarning):
    """The model returns probabilities, or seems to, which output scales read otherwise than logits.

    Examples
    --------
    >>> from freqig.errors import FreqigWarning, OutputScaleWarning
    >>> issubclass(OutputScaleWarning, FreqigWarning)
    True
    """


class SignalWarning(FreqigWarning):
    """Something that a reader should know of the signals: channels left out, bad spans, their unit.

    Examples
    --------
    >>> from freqig.errors import FreqigWarning, SignalWarning
    >>> issubclass(SignalWarning, FreqigWarning)
    True
    """


class EmptyExplanationWarning(FreqigWarning):
    """Between baseline and input there is nothing, or hardly anything, to explain.

    The input is its own baseline, the output does not move, or the baseline is predicted as the
    class that is explained.

    Examples
    --------
    >>> from freqig.errors import EmptyExplanationWarning, FreqigWarning
    >>> issubclass(EmptyExplanationWarning, FreqigWarning)
    True
    """


class ResolutionWarning(FreqigWarning):
    """A domain cannot resolve what it is asked for in signals of this length.

    Examples
    --------
    >>> from freqig.errors import FreqigWarning, ResolutionWarning
    >>> issubclass(ResolutionWarning, FreqigWarning)
    True
    """


class SharedModelWarning(FreqigWarning):
    """A module that cannot be exchanged for a copy was trained by another thread while it was explained.

    Examples
    --------
    >>> from freqig.errors import FreqigWarning, SharedModelWarning
    >>> issubclass(SharedModelWarning, FreqigWarning)
    True
    """


Told = set[tuple[str, type[FreqigWarning]]]
_TOLD: ContextVar[Told | None] = ContextVar("told", default=None)


@contextmanager
def but_once(told: Told) -> Iterator[None]:
    """Warn of nothing that was told before, of which `told` keeps account.

    To catch warnings and issue some of them again would have Python forget what it has shown at which line.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     with but_once(set()):
    ...         for batch in range(3):
    ...             warn("the sum is off", CompletenessWarning)
    >>> len(caught)
    1
    """
    before = _TOLD.set(told)
    try:
        yield
    finally:
        _TOLD.reset(before)


def warn(message: str, category: type[FreqigWarning]) -> None:
    """Warn at the line of the caller's own code that called into freqig.

    Parameters
    ----------
    message : str
        What is the matter, where, and what to do.
    category : type
        Class of the warning.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("the sum is off", CompletenessWarning)
    >>> caught[0].category.__name__
    'CompletenessWarning'
    """
    if about := ABOUT.get():
        message = f"{message} [{about}]"
    told = _TOLD.get()
    if told is not None:
        if (message, category) in told:
            return
        told.add((message, category))
    # Level 2 is the function that called this one.
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def warnings_about(part: str) -> Iterator[None]:
    """Have warnings say of which part of the signals they are, by which they count samples.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught, warnings_about("of night.edf"):
    ...     warnings.simplefilter("always")
    ...     warn("sample 3 jumps", ConvergenceWarning)
    >>> str(caught[0].message)
    'sample 3 jumps [of night.edf]'
    """
    token = ABOUT.set(part)
    try:
        yield
    finally:
        ABOUT.reset(token)


def add_context(error: BaseException, context: str) -> None:
    """Append `context` to the message of an error that belongs to somebody else.

    The type of the error and its traceback stay what they were, so that callers who catch
    their own exceptions still do.

    Parameters
    ----------
    error : BaseException
        Error about to be raised again.
    context : str
        What freqig was doing, in words that help the reader of the traceback.

    Examples
    --------
    >>> error = ValueError("expected 8 channels")
    >>> add_context(error, "while freqig read shape (2, 7, 100)")
    >>> str(error)
    'expected 8 channels [while freqig read shape (2, 7, 100)]'
    """
    if len(error.args) == 1 and isinstance(error.args[0], str) and type(error) is not KeyError:
        if context not in error.args[0]:
            error.args = (f"{useful(error.args[0])} [{context}]",)
    else:
        error.add_note(context)


def reason_of(error: BaseException, hint: str = "") -> str:
    r"""What an error says, on one line; of a kind that was not foreseen with its name.

    Parameters
    ----------
    error : BaseException
        What was raised.
    hint : str, default ""
        What is said behind one that was not foreseen.

    Examples
    --------
    >>> reason_of(ValueError("fs must be above 0,\n got 0"))
    'fs must be above 0, got 0'
    >>> reason_of(ZeroDivisionError("division by zero"), "; see the log")
    'ZeroDivisionError: division by zero; see the log'
    >>> reason_of(KeyError("Cz"))
    "KeyError: there is no 'Cz'"
    """
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, KeyError):
        text = f"there is no {text}"
    own = type(error).__module__.startswith("freqig.")
    if own or isinstance(error, (ValueError, TypeError, OSError, ImportError)):
        return text
    return f"{type(error).__name__}: {text}{hint}"


def useful(text: str) -> str:
    r"""What a framework says in colours and over many lines, as its first line that tells something.

    Other messages stay as they are.

    Examples
    --------
    >>> useful("Exception encountered when calling Net.call().\n\n\x1b[1mRank must be 3.\x1b[0m\n\n- x")
    'Rank must be 3'
    """
    if "\x1b[" not in text and not text.startswith(WRAPPED):
        return text
    lines = [line.strip() for line in COLOURS.sub("", text).splitlines()]
    told = [line for line in lines if line and not line.startswith(WRAPPED)]
    return told[0].rstrip(".") if told else text
