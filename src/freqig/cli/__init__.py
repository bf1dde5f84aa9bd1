"""The command `freqig`."""

from __future__ import annotations

import click

from .._version import __version__
from .demo import demo
from .ssvep import ssvep

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="freqig")
def main() -> None:
    """Find the frequencies that make a time-series model decide."""


main.add_command(demo)
demo.add_command(ssvep)
