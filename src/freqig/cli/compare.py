"""`freqig compare`: whether two groups differ, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._files import FilePath, refuse_existing, replacing
from ._running import EXIT_CODES, debug_option, reporting

if TYPE_CHECKING:
    import xarray as xr

EXAMPLES = """\b
Examples:
  freqig compare people.nc --by stage --between N2,W --paired --out stages.nc --figure stages.png
  freqig compare people.nc --by correct --paired
  freqig compare one-model.nc other-model.nc --paired --json

"""


@click.command(epilog=EXAMPLES + EXIT_CODES)
@click.argument("result", type=FilePath())
@click.argument("other", type=FilePath(), required=False)
@click.option(
    "--paired/--unpaired",
    "paired",
    default=None,
    help="Whether each person, or else each sample, is on both sides. Must be said.",
)
@click.option("--by", metavar="NAME", help="Of one RESULT: what makes the groups: stage, correct, ...")
@click.option("--between", metavar="A,B", help="The two groups, where there are more.")
@click.option("--target", help="Class, where results hold several.")
@click.option("--variable", default="rfft", show_default=True, help="Variable of attributions.")
@click.option("--montage", metavar="NAME", help="Positions of channels, such as standard_1005.")
@click.option("--permutations", type=int, default=1000, show_default=True, help="Number of permutations.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of permutations and resamples.")
@click.option("--out", type=FilePath(), help="Comparison to write, .nc or .zarr.")
@click.option("--figure", type=FilePath(dir_okay=False), help="Figure to write.")
@click.option("--json", "as_json", is_flag=True, help="Print clusters as JSON.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@debug_option
@reporting
def compare(
    result: Path,
    other: Path | None,
    paired: bool | None,
    by: str | None,
    between: str | None,
    target: str | None,
    variable: str,
    montage: str | None,
    permutations: int,
    seed: int,
    out: Path | None,
    figure: Path | None,
    as_json: bool,
    force: bool,
) -> None:
    """Compare two groups of RESULT, or RESULT and OTHER, by a permutation test over clusters.

    The unit is the person where samples have a coordinate subject, else the sample.
    """
    from ._pictures import draw
    from ._reading import names
    from ._store import check_format, read_result, write_result

    if paired is None:
        raise click.UsageError("say --paired or --unpaired: whether each person or sample is on both sides")
    refuse_existing({"--out": out, "--figure": figure}, force)
    if out is not None:
        check_format(out)
    sides = [read_result(path, target) for path in (result, other) if path is not None]
    from .. import compare as compared

    called = None if other is None else (result.stem, other.stem)
    if called is not None and called[0] == called[1]:
        called = (str(result), str(other))
    found = compared(
        *sides,
        paired=paired,
        by=by,
        between=_labels(sides[0], by, names(between)),
        name=variable,
        names=called,
        montage=montage,
        n_permutations=permutations,
        seed=seed,
    )
    if out is not None:
        with replacing(out) as path:
            write_result(found, path)
    if figure is not None:
        with replacing(figure) as path:
            draw(found, "difference", path, {"name": variable}, None)
    click.echo(_told(found, as_json))


def _labels(result: xr.Dataset, by: str | None, between: tuple[str, ...] | None) -> Any:
    """What was typed, as the labels of a grouping have it: numbers where these are numbers."""
    if between is None or by is None or by not in result.coords or result[by].dtype.kind not in "iu":
        return between
    return tuple(int(one) if one.lstrip("-").isdecimal() else one for one in between)


def _told(found: xr.Dataset, as_json: bool) -> str:
    """Clusters for people, or as JSON."""
    along = [str(key) for key, own in found.data_vars.items() if own.dims == ("cluster",)]
    rows = (
        [{name: one[name].item() for name in along} for _, one in found.groupby("cluster", squeeze=False)]
        if (found.sizes["cluster"])
        else []
    )
    if as_json:
        about = {key: getattr(own, "item", lambda own=own: own)() for key, own in found.attrs.items()}
        return json.dumps({**about, "clusters": rows}, indent=2, ensure_ascii=False)
    attrs = found.attrs
    many = f"{attrs['n_first']} and {attrs['n_second']} {attrs['unit']}s"
    lines = [
        f"{attrs['first']} - {attrs['second']}: {many}, {'in pairs' if attrs['paired'] else 'not paired'}",
        f"{attrs['test']}; {attrs['neighbours']}",
    ]
    named = attrs["effect_size"]
    for row in rows:
        where = [
            f"{key.removeprefix('cluster_').removesuffix('_from')} {row[key]:g} to {row[key[:-4] + 'to']:g}"
            for key in along
            if key.endswith("_from")
        ]
        where += [str(row[key]) for key in along if isinstance(row[key], str)]
        lines.append(
            f"p = {row['cluster_p']:.3g}: {', '.join(where)}; {named} {row['cluster_effect_size']:.3g}"
        )
    return "\n".join([*lines, *([] if rows else ["no clusters"])])
