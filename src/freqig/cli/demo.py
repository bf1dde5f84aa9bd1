"""`freqig demo`: a worked example, from training to figure."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._files import FilePath, all_or_none, refuse_folder

if TYPE_CHECKING:
    import xarray as xr

FIGURE = "freqig_attributions.png"
RESULT = "freqig_attributions.nc"


@click.group(invoke_without_command=True)
@click.option(
    "--output",
    type=FilePath(file_okay=False),
    default=Path(),
    help="Folder to write to, created if missing. Default: the current one.",
)
@click.pass_context
def demo(context: click.Context, output: Path) -> None:
    """Train a small network to find a sine in noise, and explain what it looks for.

    Writes freqig_attributions.png (a series and the attributions of its frequencies) and
    freqig_attributions.nc (the explanation, to be read with xarray). Fails if the strongest
    frequency is not that of the sine.
    """
    if context.invoked_subcommand is None:
        _sine(output)


def _sine(output: Path) -> None:
    refuse_folder("--output", output)
    from ..demo import sine

    start = time.perf_counter()
    found = sine.run()
    try:
        with all_or_none(output) as folder:
            found.result.to_netcdf(folder / RESULT, engine="h5netcdf")
            _draw(found.result, found.target_frequency, folder / FIGURE)
    except OSError as error:
        raise click.ClickException(f"--output {output}: {error}") from error
    seconds = time.perf_counter() - start

    one = found.result.isel(sample=0)
    gap = float(one.completeness_gap)
    difference = float(one.output - one.baseline_output)
    for name, value in {
        "target frequency": f"{found.target_frequency:g} Hz",
        "strongest attributed frequency": f"{found.strongest_frequency:g} Hz",
        "completeness gap": f"{gap:.2g} ({abs(gap / difference):.2%} of the explained difference)",
        "evaluations": f"{int(one.n_evaluations)}",
        "time": f"{seconds:.1f} s (training {found.training_seconds:.1f} s, "
        f"explanation {found.explanation_seconds:.2f} s)",
        "figure": str(output / FIGURE),
        "explanation": str(output / RESULT),
    }.items():
        click.echo(f"{name + ':':<32}{value}")
    if not found.agrees:
        raise click.ClickException(
            "the strongest frequency must be that of the sine, "
            f"{found.target_frequency:g} Hz, got {found.strongest_frequency:g} Hz"
        )


def _draw(result: xr.Dataset, sine: float, path: Path) -> None:
    # matplotlib is imported where a figure is drawn, and pyplot, which looks for a display, is not.
    from matplotlib.figure import Figure

    from .. import plots

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots(2, height_ratios=(1, 1.8))
    _, below = plots.spectrum(result, axes=axes)
    height = float(result.rfft.isel(sample=0).sel(frequency=sine))
    below.annotate(
        f"the sine, {sine:g} Hz",
        (sine, height),
        xytext=(8, 0),
        textcoords="offset points",
        va="top" if height > 0 else "bottom",
    )
    figure.savefig(path, dpi=150)
