"""`freqig listen`: the part of a sound that drove a decision."""

from __future__ import annotations

from pathlib import Path

import click

from ._baseline import baseline_of, baseline_option
from ._files import FilePath, refuse_existing
from ._running import EXIT_CODES, debug_option, reporting

EXAMPLES = """\b
Examples:
  freqig listen digits.nc --sample 1 --target seven --keep 0.9 --out part.wav
  freqig listen night.nc --sample 2 --speed 100 --out spindle.wav

"""


@click.command(epilog=EXAMPLES + EXIT_CODES)
@click.argument("result", type=FilePath())
@click.option("--out", type=FilePath(dir_okay=False), required=True, help="WAV to write.")
@click.option("--sample", type=int, default=0, show_default=True, help="Position of the sample.")
@click.option("--target", help="Class, where the result holds several.")
@click.option("--keep", type=float, default=0.9, show_default=True, help="Share of the positive attribution.")
@click.option("--variable", help="Variable of attributions. Default: rfft.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="Play so many times as fast.")
@baseline_option
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@debug_option
@reporting
def listen(
    result: Path,
    out: Path,
    sample: int,
    target: str | None,
    keep: float,
    variable: str | None,
    speed: float,
    baseline: str | None,
    force: bool,
) -> None:
    """Write the part of a sample of RESULT that drove the decision as a WAV.

    It is made of the fewest frequencies whose attributions reach --keep of the positive sum; all others are
    as at the baseline.
    """
    from ._store import read_result

    refuse_existing({"--out": out}, force)
    if out.suffix.lower() != ".wav":
        raise click.ClickException(f"--out must end in .wav, got {str(out)!r}")
    whole = read_result(result, target)
    from .. import resynthesize, to_wav

    start = baseline_of(baseline, whole)
    part = resynthesize(whole, keep, name=variable, sample=sample, baseline=start)
    to_wav(part, out, speed=speed, overwrite=force)
    click.echo(
        f"{out}: {int(part.kept_count.item())} coefficients, attribution {part.kept_attribution.item():.4g}"
    )
