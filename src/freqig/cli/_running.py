"""How commands end: exit codes, errors on one line, warnings on stderr."""

from __future__ import annotations

import re
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click

from ._wording import in_options

NOT_CONVERGED, SOME_FAILED, INTERRUPTED = 3, 4, 130

EXIT_CODES = """\b
Exit codes: 0 all done; 1 nothing done; 2 wrong usage; 3 done, but some samples did not converge;
4 some inputs failed: they are listed, the others are written; 130 interrupted."""

NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?")
KIND = 60
"""Characters, numbers aside, by which a warning is of the same kind as another."""

TYPED = "freqig.typed"


class Typed(click.Group):
    """Commands that know what was typed, for what they write to say how to make it again."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **named: Any) -> click.Context:
        """The context of a command, which keeps its arguments."""
        told = list(args)
        context = super().make_context(info_name, args, *rest, **named)
        context.meta[TYPED] = told
        return context


def typed() -> str:
    """What was typed, as a line for a shell; empty where a command was called in another way."""
    context = click.get_current_context(silent=True)
    told = None if context is None else context.meta.get(TYPED)
    return "" if told is None else shlex.join(["freqig", *told])


def debug_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --debug."""
    return click.option("--debug", is_flag=True, help="Show where an error arose, and every warning.")(
        command
    )


def reporting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a command: its errors become one line and exit code 1, unless --debug is given.

    Parameters
    ----------
    command : callable
        Takes `debug` by name; what it returns is the exit code, None for 0.
    """

    @wraps(command)
    def run(*arguments: Any, debug: bool, **options: Any) -> None:
        try:
            with _told_warnings(debug):
                code = command(*arguments, **options)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted: nothing was written.", err=True)
            sys.exit(INTERRUPTED)
        except Exception as error:
            if debug:
                raise
            raise click.ClickException(one_line(error)) from error
        if code:
            sys.exit(code)

    return run


def one_line(error: BaseException) -> str:
    r"""What an error says, on one line, with options of the command line for parameters of Python.

    Examples
    --------
    >>> one_line(ValueError("pass window= or\n trust=True"))
    'pass --window or --trust'
    """
    from ..errors import reason_of

    return in_options(reason_of(error, "; --debug shows where"))


@contextmanager
def _told_warnings(debug: bool) -> Iterator[None]:
    """Warnings of freqig on stderr, on one line; those of others, and all of one kind, with --debug only.

    Many recordings have much the same to say: of those that differ in numbers alone the first is told, and
    how many there were.
    """
    from ..errors import FreqigWarning

    told: dict[str, int] = {}

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        text = " ".join(str(message).split())
        if not debug and not issubclass(category, FreqigWarning):
            return
        # What it is about stands at its beginning; what comes later are lists of samples.
        kind = text if debug else NUMBER.sub("#", text)[:KIND]
        told[kind] = told.get(kind, 0) + 1
        if told[kind] == 1:
            click.echo(f"Warning: {in_options(text)}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        try:
            yield
        finally:
            more = sum(told.values()) - len(told)
            if more and not debug:
                click.echo(f"Warning: {more} more like these, which --debug shows.", err=True)
