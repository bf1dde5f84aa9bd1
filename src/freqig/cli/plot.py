"""`freqig plot`: a figure of a result, in a file."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ._baseline import baseline_of, baseline_option
from ._files import FilePath, refuse_existing, replacing
from ._pictures import draw, kinds
from ._running import EXIT_CODES, debug_option, reporting

PICTURES = (".png", ".pdf", ".svg", ".jpg", ".tif", ".webp", ".eps")
SMALLEST, LARGEST = 0.5, 100
"""Inches; what is larger takes gigabytes."""

EXAMPLES = """\b
Examples:
  freqig plot night.nc spectrum --sample 3 --max-frequency 30 --out spectrum.png
  freqig plot night.nc band_table --bands sleep --out table.png
  freqig plot night.nc spectrogram --channel Cz --option robust=True --out map.pdf
  freqig plot night.nc compare --other night.nc --sample 1 --out both.png

"""


@click.command(epilog=f"KIND is one of {', '.join(kinds())}.\n\n{EXAMPLES}{EXIT_CODES}")
@click.argument("result", type=FilePath())
@click.argument("kind", type=click.Choice(kinds()), metavar="KIND")
@click.option("--out", type=FilePath(dir_okay=False), required=True, help="PNG, PDF or SVG.")
@click.option("--sample", type=int, help="Position of the sample, from the end where negative.")
@click.option("--file", metavar="NAME", help="Only samples of one recording; --sample counts these.")
@click.option("--target", help="Class, where the result holds several.")
@click.option("--channel", help="Channel by name, or by number from 0.")
@click.option("--bands", metavar="BANDS", help="sleep, eeg, or edges in Hz, slow=0.5-4,fast=8-30.")
@click.option("--max-frequency", type=float, metavar="HZ", help="Highest frequency to draw.")
@click.option("--markers", metavar="A=HZ,B=HZ", help="Frequencies to mark by name.")
@click.option("--other", type=FilePath(), help="Another result, for compare.")
@baseline_option
@click.option("--title", help="In place of the one that is made.")
@click.option("--vmax", type=float, help="Largest attribution of the scale.")
@click.option(
    "--option", "further", multiple=True, metavar="NAME=VALUE", help="Any other option of the figure."
)
@click.option("--size", type=(float, float), metavar="W H", help="Width and height in inches.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@debug_option
@reporting
def plot(
    result: Path,
    kind: str,
    out: Path,
    file: str | None,
    target: str | None,
    bands: str | None,
    channel: str | None,
    markers: str | None,
    baseline: str | None,
    further: Sequence[str],
    size: tuple[float, float] | None,
    other: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Draw a figure of RESULT.

    KIND is the name of a function of freqig.plots, which says what it takes. For evaluation, RESULT is what
    freqig.evaluate returned.
    """
    from ._reading import by_name_or_number, read_bands, read_markers
    from ._store import of_file, read_evaluation, read_result

    refuse_existing({"--out": out}, force)
    if out.suffix.lower() not in PICTURES:
        raise click.ClickException(f"--out must end in {', '.join(PICTURES)}, got {str(out)!r}")
    if size is not None and not all(SMALLEST <= inches <= LARGEST for inches in size):
        told = " ".join(f"{inches:g}" for inches in size)
        raise click.ClickException(f"--size must be in {SMALLEST}..{LARGEST} inches, got {told}")
    if kind == "evaluation":
        for option, value in (("--target", target), ("--file", file)):
            if value is not None:
                raise click.UsageError(f"{option} must be omitted for evaluation, which is of all samples")
        whole = read_evaluation(result, "RESULT")
    else:
        whole = of_file(read_result(result, target), file)
    given = {name: value for name, value in options.items() if value is not None}
    if bands is not None:
        given["bands"] = read_bands(bands)
    if channel is not None:
        given["channel"] = by_name_or_number(channel, list(map(str, whole.get("channel", ()))))
    if markers is not None:
        given["markers"] = read_markers(markers)
    if baseline is not None:
        given["baseline"] = baseline_of(baseline, whole)
    for name, value in map(_read_option, further):
        if name in given or (name == "other" and other is not None):
            raise click.UsageError(f"--option {name}= must be omitted where --{name} or another gives it")
        given[name] = value
    if other is None and isinstance(given.get("other"), str):
        other = Path(given["other"])
    if other is not None:
        given["other"] = of_file(read_result(other, target, "--other"), file)
        given.setdefault("names", (result.stem, other.stem))
    with replacing(out) as path:
        draw(whole, kind, path, given, size)


def _read_option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--option must be NAME=VALUE, such as robust=True, got {text!r}")
    try:
        return name.replace("-", "_"), ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name.replace("-", "_"), value
