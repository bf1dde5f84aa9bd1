"""`freqig cohort`: many recordings in, a store and a file for each of them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._files import FileName, FilePath, refuse_folder
from ._options import explaining_options, reading_options, said_of_model
from ._running import EXIT_CODES, INTERRUPTED, debug_option, reporting
from ._wording import in_options

if TYPE_CHECKING:
    from ..cohort import Report

STORE = "cohort.zarr"
EXAMPLES = """\b
Examples:
  freqig cohort model.onnx nights/*.edf --window 30 --unit uV --classes W,N1,N2,N3,R --labels stages \\
    --bands sleep --out derivatives/freqig --workers 2
  freqig cohort model.onnx nights/*.edf --window 30 --unit uV --keep bands --bands sleep --out bands \\
    --shard 1/8

"""


def _read_shard(context: click.Context, option: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """i/n, such as 3/8, as two numbers."""
    if text is None:
        return None
    place, slash, count = text.partition("/")
    if not (slash and place.isdecimal() and count.isdecimal() and 1 <= int(place) <= int(count)):
        raise click.BadParameter(
            f"must be i/n with i from 1 to n, such as 3/8, got {text!r}", context, option
        )
    return int(place), int(count)


@click.command(epilog=EXAMPLES + EXIT_CODES)
@click.argument("model", type=FileName())
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=FilePath())
@reading_options
@explaining_options
@click.option(
    "--out",
    required=True,
    type=FilePath(file_okay=False),
    help=f"Folder for the store, {STORE}, and a file for each recording.",
)
@click.option("--bands", metavar="BANDS", help="For tables: sleep, eeg, or slow=0.5-4,fast=8-30.")
@click.option(
    "--keep",
    type=click.Choice(["means", "bands", "spectra"]),
    default="spectra",
    show_default=True,
    help="Keep of a recording means by class, sums over bands, or the whole result.",
)
@click.option(
    "--subjects",
    metavar="PATTERN",
    help="Whose a recording is: a regular expression with a group. Default: sub-(NAME) in its name.",
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option(
    "--dask", "scheduler", metavar="ADDRESS", help="Of a scheduler of Dask, whose workers are used."
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=_read_shard,
    help="Only every n-th recording, from the i-th on: for job arrays.",
)
@click.option("--retry-failed", is_flag=True, help="Try again what failed before.")
@click.option("--model-id", metavar="NAME", help="What tells a model without weights from others.")
@click.option("--progress/--no-progress", default=None, help="A bar on stderr. Default: on a terminal.")
@debug_option
@reporting
def cohort(
    model: str,
    inputs: Sequence[Path],
    out: Path,
    bands: str | None,
    subjects: str | None,
    scheduler: str | None,
    labels: Sequence[str],
    **options: Any,
) -> int:
    """Explain many recordings, and go on where an earlier run ended.

    MODEL and INPUT are as for freqig explain; INPUT may be a folder of BIDS. Each recording becomes a group
    of a Zarr store, and a file of its own by the rules of BIDS for derivatives. The same command once more
    does what is left: after Ctrl-C, a full disk, a lost node. What fails is listed with its reason, and the
    rest goes on.
    """
    if out == Path():
        raise click.ClickException("--out must be a path, got an empty one")
    refuse_folder("--out", out)
    from .. import cohort as room
    from ..cohort.exporting import export
    from ..cohort.recordings import read_recordings
    from ..cohort.store import Store
    from ._reading import names, read_bands, read_baseline, read_domains, read_target
    from ._truth import labels_of, subjects_of

    recordings = read_recordings(inputs)
    known = labels_of(labels, [one.path for one in recordings])
    if isinstance(known.get("annotations"), str):
        known["annotations"] = [known["annotations"]]
    of_bands = read_bands(bands)
    keep = options["keep"]
    if keep == "bands" and bands is None:
        raise click.ClickException(
            "--keep bands needs --bands: a preset such as sleep, or slow=0.5-4,fast=8-30"
        )
    understood = said_of_model(options)
    asked = {
        **options,
        **understood,
        "classes": names(options["classes"]),
        "channels": names(options["channels"]),
        "domains": read_domains(options["domains"]),
        "target": read_target(options["target"], names(options["classes"])),
        "baseline": read_baseline(options["baseline"], options),
    }
    store = out / STORE
    try:
        with _executor(scheduler) as executor:
            found = room.run(
                recordings,
                _model(model, options["trust"]),
                store,
                executor,
                bands=of_bands if keep == "bands" else None,
                subjects=subjects_of(subjects, [one.path for one in recordings]),
                **known,
                **asked,
            )
            export(Store.at(store), found.recordings, out, of_bands, cohort=recordings)
    except KeyboardInterrupt:
        click.echo(f"Interrupted: what is done is in {store}; the same command goes on.", err=True)
        return INTERRUPTED
    _tell(found, out)
    return found.exit_code


def _model(text: str, trust: bool) -> Any:
    """A model that each worker loads: the path of its file, or by importing it."""
    from ..cohort import Loader
    from ._reading import read_model

    read = read_model(text, trust)
    if isinstance(read, str):
        return read
    where, _, name = text.rpartition(":")
    return Loader(read_model, f"{Path(where).resolve()}:{name}" if Path(where).is_file() else text, trust)


@contextmanager
def _executor(scheduler: str | None) -> Iterator[Executor | None]:
    if scheduler is None:
        yield None
        return
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ImportError("--dask needs the library distributed: pip install freqig[dask]") from error
    with Client(scheduler, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        yield client.get_executor()


def _tell(found: Report, out: Path) -> None:
    for name in found.taken_over:
        click.echo(f"Taken over: the lock of {name}, which is gone.", err=True)
    click.echo(f"explained:    {len(found.done)}")
    if found.skipped:
        click.echo(f"skipped:      {len(found.skipped)}, done before")
    if found.not_converged:
        where = ", ".join(f"{name} ({count})" for name, count in list(found.not_converged.items())[:4])
        more = ", …" if len(found.not_converged) > 4 else ""
        click.echo(f"unconverged:  {sum(found.not_converged.values())}, in {where}{more}")
    click.echo(f"store:        {out / STORE}")
    for name, reason in found.failed.items():
        click.echo(f"Failed: {name}: {in_options(reason)}", err=True)
