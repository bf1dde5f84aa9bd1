"""`freqig demo ssvep`: EEG of people who look at flickering lights, from files to figure."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._files import FilePath, all_or_none, refuse_folder

if TYPE_CHECKING:
    import xarray as xr

FIGURE = "freqig_ssvep.png"
TABLE = "freqig_ssvep.md"
RESULT = "freqig_ssvep.nc"

_SHOWN_HZ = 50.0


@click.command()
@click.option(
    "--path",
    type=FilePath(),
    required=True,
    envvar="FREQIG_DATA",
    show_envvar=True,
    help="Folder of the recordings, or one that has them in ssvep_exo.",
)
@click.option(
    "--output",
    type=FilePath(file_okay=False),
    help="Folder to write to, created if missing. Default: the current one.",
)
@click.pass_context
def ssvep(context: click.Context, path: Path, output: Path | None) -> None:
    """Train a small network to find flicker in EEG, and explain what it looks for.

    Four people look at lights that flicker at 13, 17 or 21 Hz. The network learns from five
    recordings; four others, one per person, are explained, and what is attributed to each frequency
    is compared with the frequency of the light and its double.

    Writes freqig_ssvep.png (mean attributions by class and channel), freqig_ssvep.md (the table
    that is printed) and freqig_ssvep.nc (the explanation, to be read with xarray). A target that
    is missed is reported as missed, and is no error.

    The recordings (CC0) are at https://github.com/sylvchev/dataset-ssvep-exoskeleton; cite Kalunga,
    Chevallier and Barthélemy, Neurocomputing 2016. Reading them needs the extra eeg.
    """
    # `freqig demo --output DIR ssvep` says the same as `freqig demo ssvep --output DIR`.
    outer = context.parent.params.get("output") if context.parent else None
    folder = output or outer or Path()
    refuse_folder("--output", folder)
    from ..demo import recordings, scores
    from ..demo import ssvep as example

    start = time.perf_counter()
    try:
        read = recordings.read_recordings(path)
        recordings.split_recordings(read)
    except (ImportError, OSError, ValueError) as error:
        raise click.ClickException(f"--path: {error}") from error
    reading = time.perf_counter() - start
    found = example.run(read)
    text = scores.table(found.scores)
    try:
        with all_or_none(folder) as scratch:
            found.result.to_netcdf(scratch / RESULT, engine="h5netcdf")
            (scratch / TABLE).write_text(f"{text}\n", encoding="utf-8")
            _draw(found.result, scratch / FIGURE)
    except OSError as error:
        raise click.ClickException(f"--output {folder}: {error}") from error
    seconds = time.perf_counter() - start

    click.echo(f"{text}\n")
    for name, value in {
        "time": f"{seconds:.1f} s (reading {reading:.1f} s, training {found.training_seconds:.1f} s, "
        f"explanation {found.explanation_seconds:.1f} s)",
        "figure": str(folder / FIGURE),
        "table": str(folder / TABLE),
        "explanation": str(folder / RESULT),
    }.items():
        click.echo(f"{name + ':':<13}{value}")


def _draw(result: xr.Dataset, path: Path) -> None:
    # matplotlib is imported where a figure is drawn, and pyplot, which looks for a display, is not.
    from matplotlib.figure import Figure

    from ..demo.flicker_figure import flicker
    from ..demo.recordings import FLICKER_HZ

    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(len(FLICKER_HZ), 2, width_ratios=(2.4, 1))
    flicker(result, FLICKER_HZ, max_frequency=_SHOWN_HZ, axes=axes)
    figure.savefig(path, dpi=150)
