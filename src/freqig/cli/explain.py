"""`freqig explain`: recordings in, explanation out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._files import (
    FileName,
    FilePath,
    all_or_none,
    refuse_existing,
    refuse_folder,
    refuse_missing,
    refuse_no_page,
    replacing,
)
from ._options import (
    OTHERS,
    SHAPLEY,
    explaining_options,
    made_explainer,
    made_other,
    made_shapley,
    method_options,
    reading_options,
    refuse_shapley_options,
)
from ._running import EXIT_CODES, NOT_CONVERGED, SOME_FAILED, debug_option, one_line, reporting, typed

if TYPE_CHECKING:
    import xarray as xr


EXAMPLES = """\b
Examples:
  freqig explain model.onnx night.edf --window 30 --unit uV --classes W,N1,N2,N3,R --labels stages.txt \
    --domains rfft,stft:2 --bands sleep --out night.nc --figures figures
  freqig explain net.py:model digits/*.wav --trust --classes three,seven --target all --out digits.nc
  freqig explain model.keras table.csv --fs 100 --bands eeg --table bands.csv
  freqig explain stager.py:score night.edf --window 30 --unit uV --trust --method shapley --players sleep \
    --max-order 2
  freqig explain net.py:model digits/*.wav --trust --method freqrise --set n_masks=1000 --output probability

"""


@click.command(epilog=EXAMPLES + EXIT_CODES)
@click.argument("model", type=FileName())
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=FilePath())
@reading_options
@explaining_options
@method_options
@click.option("--bands", metavar="BANDS", help="For table and summary: sleep, eeg, or slow=0.5-4,fast=8-30.")
@click.option("--out", type=FilePath(), help="Result to write, .nc or .zarr.")
@click.option("--figures", type=FilePath(file_okay=False), help="Folder for every figure that fits.")
@click.option("--table", type=FilePath(dir_okay=False), help="CSV to write, a row for each sample.")
@click.option("--report", "page", type=FilePath(dir_okay=False), help="Page in HTML to write.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--progress/--no-progress", default=None, help="A bar on stderr. Default: on a terminal.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@debug_option
@reporting
def explain(
    model: str,
    inputs: Sequence[Path],
    out: Path | None,
    figures: Path | None,
    table: Path | None,
    page: Path | None,
    as_json: bool,
    progress: bool | None,
    force: bool,
    **options: Any,
) -> int:
    """Explain what MODEL saw in recordings.

    MODEL is a file of ONNX, Keras, TorchScript or torch.export, or with --trust an object of Python,
    module:name or file.py:name. INPUT are recordings: EDF, BDF, FIF, WAV, CSV, NPY, MAT, netCDF and others.
    All of them make one result; where they differ in length, each is explained as it is, on the
    coordinates of the longest.
    """
    from ._pictures import draw_all
    from ._reading import names, read_bands, read_baseline, read_target
    from ._store import check_format, write_result
    from ._tables import told

    # What needs no library is found out before they are imported, which takes seconds.
    refuse_missing(model, inputs)
    refuse_existing({"--out": out, "--table": table, "--report": page}, force)
    refuse_no_page("--report", page)
    refuse_folder("--figures", figures)
    if figures is not None and figures.is_dir() and any(figures.iterdir()) and not force:
        raise click.ClickException(
            f"--figures {figures} must be empty: pass --force to write over what is there"
        )
    if out is not None:
        check_format(out)
    from .. import summary
    from ..exports.rows import write_table
    from ._truth import labels_of

    bands = read_bands(options.pop("bands"))
    target = read_target(options.pop("target"), names(options["classes"]))
    baseline = read_baseline(options.pop("baseline"), options)
    method = options.pop("method")
    if method == SHAPLEY:
        explainer = made_shapley(model, options, progress)
    elif method in OTHERS:
        explainer = made_other(method, model, options, progress)
    else:
        refuse_shapley_options(options)
        explainer = made_explainer(model, options, progress)
    known = labels_of(options.pop("labels"), inputs)
    channels = names(options.pop("channels"))
    failed: dict[Path, Exception] = {}
    result = _explained(
        explainer, inputs, failed, target=target, baseline=baseline, channels=channels, **known, **options
    )
    found = summary(result, bands)
    # Everything is made before anything takes its place.
    with ExitStack() as stack:
        if out is not None:
            write_result(result, stack.enter_context(replacing(out)))
        if table is not None:
            write_table(result, bands, stack.enter_context(replacing(table)))
        if page is not None:
            from .. import report

            report(result, stack.enter_context(replacing(page)), bands=bands, command=typed())
        if figures is not None:
            draw_all(result, stack.enter_context(all_or_none(figures)), bands)
    click.echo(told(found, as_json))
    for path, error in failed.items():
        click.echo(f"Failed: {path}: {one_line(error)}", err=True)
    if failed:
        return SOME_FAILED
    return NOT_CONVERGED if found.get("converged", found["samples"]) < found["samples"] else 0


def _explained(
    explainer: Any, inputs: Sequence[Path], failed: dict[Path, Exception], **asked: Any
) -> xr.Dataset:
    # One input has nothing to go on with: its error is that of the command.
    keep_going = failed.__setitem__ if len(inputs) > 1 else None
    try:
        found: xr.Dataset = explainer.explain_files(inputs, failed=keep_going, **asked)
    except ValueError:
        for path, error in failed.items():
            click.echo(f"Failed: {path}: {one_line(error)}", err=True)
        raise
    return found
