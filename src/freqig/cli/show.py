"""`freqig show`: what is in a result."""

from __future__ import annotations

from pathlib import Path

import click

from ._files import FilePath
from ._running import EXIT_CODES, debug_option, reporting

EXAMPLES = """\b
Examples:
  freqig show night.nc --bands sleep
  freqig show night.nc --json

"""


@click.command(epilog=EXAMPLES + EXIT_CODES)
@click.argument("result", type=FilePath())
@click.option("--bands", metavar="BANDS", help="sleep, eeg, or edges in Hz, slow=0.5-4,fast=8-30.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@debug_option
@reporting
def show(result: Path, bands: str | None, as_json: bool) -> None:
    """Show what is in RESULT: classes and bands, completeness gap, convergence, evaluations."""
    from ._reading import read_bands
    from ._store import read_result
    from ._tables import told

    whole = read_result(result)
    from .. import summary

    click.echo(told(summary(whole, read_bands(bands)), as_json))
