"""The command `freqig`."""

from __future__ import annotations

import click

from .._version import __version__
from ._running import EXIT_CODES, Typed
from .check import check
from .cohort import cohort
from .compare import compare
from .demo import demo
from .explain import explain
from .listen import listen
from .plot import plot
from .report import report
from .show import show
from .ssvep import ssvep

__all__ = ["main"]


@click.group(cls=Typed, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="freqig")
def main() -> None:
    """Find the frequencies that make a time-series model decide."""


for command in (explain, cohort, show, plot, report, compare, listen, check, demo):
    main.add_command(command)
demo.add_command(ssvep)
