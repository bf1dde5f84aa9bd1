"""`freqig report`: a page in HTML of a result, of two, or of a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ._baseline import baseline_of, baseline_option
from ._files import FilePath, refuse_existing, refuse_no_page
from ._running import EXIT_CODES, debug_option, reporting, typed

EXAMPLES = """\b
Examples:
  freqig report night.nc --out night.html
  freqig report one-model.nc other-model.nc --out models.html
  freqig report bands/cohort.zarr --out cohort.html

"""


@click.command(epilog=EXAMPLES + EXIT_CODES)
@click.argument("result", type=FilePath())
@click.argument("other", type=FilePath(), required=False)
@click.option(
    "--out",
    type=FilePath(dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="Page to write. Of a cohort, pages of recordings lie in a folder beside it.",
)
@click.option("--bands", metavar="BANDS", help="sleep, eeg, octave, or edges in Hz, slow=0.5-4,fast=8-30.")
@click.option("--samples", metavar="I,J", help="Positions of samples to show in time and frequency, too.")
@click.option("--evaluation", type=FilePath(), help="What freqig.evaluate returned of RESULT, .nc.")
@baseline_option
@click.option("--title", help="Of the page.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of bootstraps and permutations.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@debug_option
@reporting
def report(
    result: Path,
    other: Path | None,
    out: Path,
    bands: str | None,
    samples: str | None,
    evaluation: Path | None,
    baseline: str | None,
    title: str | None,
    seed: int,
    force: bool,
) -> None:
    """Write one page that says what decided, how sure that is, and shows each sample.

    RESULT is what freqig explain wrote, or the store of freqig cohort; OTHER is a second result that is laid
    beside the first. The page opens offline in any browser.
    """
    from ._reading import read_bands
    from ._store import is_cohort, read_evaluation, read_result

    refuse_existing({"--out": out}, force)
    if not is_cohort(result):
        refuse_no_page("--out", out)
    asked: dict[str, Any] = {
        "bands": read_bands(bands),
        "samples": () if samples is None else _positions(samples),
        "title": title,
        "seed": seed,
        "command": typed(),
        "force": force,
    }
    if is_cohort(result):
        if any(one is not None for one in (other, evaluation, samples, baseline)):
            raise click.UsageError(
                "a cohort is shown by itself: leave OTHER, --evaluation, --samples and --baseline out"
            )
        from ..reporting.cohorts import report_cohort

        asked.pop("samples")
        report_cohort(result, out, **asked)
    else:
        sides = [read_result(path) for path in (result, other) if path is not None]
        from .. import report as written

        called = ("result", "other") if other is None else _called(result, other)
        table = None if evaluation is None else read_evaluation(evaluation, "--evaluation")
        asked["baseline"] = baseline_of(baseline, sides[0])
        written(sides[0], out, other=sides[1] if other else None, names=called, evaluation=table, **asked)
    click.echo(f"page:         {out}")


def _called(result: Path, other: Path) -> tuple[str, str]:
    return (result.stem, other.stem) if result.stem != other.stem else (str(result), str(other))


def _positions(text: str) -> tuple[int, ...]:
    from ._reading import names

    told = names(text) or ()
    if not told or len(set(told)) < len(told) or not all(one.isdecimal() for one in told):
        raise click.BadParameter(
            f"must be positions of samples, such as 0,7, each once, got {text!r}", param_hint="--samples"
        )
    return tuple(map(int, told))
