"""Two results side by side on one scale, and whether they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from ...groupings import class_names, in_order
from ...known_values import known
from ...result.reading import same_unit, with_one
from ...statistics import compare
from ...statistics.cases import SUBJECT
from ...statistics.pairs import pairs_of
from ...statistics.sides import same_axes
from ..content import Cell, Figure, Missing, Paragraph, Piece, Table
from .cells import Array, Axis
from .counting import counted, percent
from .decisions import along_samples, groups_of
from .judging import Verdict, evidence_of, judged

SHARE = "share of |attribution|"
EVERY = "all samples"


def compared(
    result: xr.Dataset,
    other: xr.Dataset,
    names: Sequence[str] = ("result", "other"),
    *,
    permutations: int = 1000,
    seed: int = 0,
) -> list[Piece]:
    """What two results have in common, and where they differ.

    Parameters
    ----------
    result, other : xarray.Dataset
        Explanations by frequency over the same frequencies and channels: of two models, baselines, or scales
        of the output.
    names : sequence of two str
        What they are called.
    permutations : int
        How many the test has.
    seed : int
        Of permutations and bootstraps.

    Returns
    -------
    list of Piece
        Mean spectra on one scale, bands of both, and the test of `freqig.compare`. Attributions in different
        units are compared as shares of the absolute attribution of each sample.

    Raises
    ------
    ValueError
        If the axes of the two differ: it names them.
    """
    axis = Axis.of(result)
    if axis is None or axis.name not in other or Axis.of(with_one(other, axis.name)) is None:
        return [
            Missing(
                "The two results have no attribution by frequency in common, so they are not compared.",
                "freqig.Explainer(model, domains=[freqig.RFFT()])",
            )
        ]
    mine, theirs = result[axis.name], other[axis.name]
    alike = same_unit(mine, theirs)
    units = {"units": mine.attrs.get("units", "")}
    theirs = same_axes(mine, theirs if alike else theirs.assign_attrs(units))
    scale = str(mine.attrs.get("units", "output")) if alike else SHARE
    cells = [_scaled(axis.sums(own), alike) for own in (mine, theirs)]
    told = (
        f"Attributions are in {scale} in both."
        if alike
        else f"Attributions are in {mine.attrs.get('units')} and in {other[axis.name].attrs.get('units')}, "
        "so they are laid side by side as shares of the absolute attribution of each sample."
    )
    pieces: list[Piece] = [Paragraph(told), _spectra(cells, axis, names, scale)]
    verdicts = [
        {one.evidence.label: one for one in (judged(own, axis, seed=seed) for own in evidence_of(each, axis))}
        for each in (result, other.assign({axis.name: theirs}))
    ]
    pieces.append(_bands(verdicts, names, class_names(result)))
    return [*pieces, *_tested(result, other, cells, axis, names, scale, permutations, seed)]


def _scaled(cells: Array, alike: bool) -> Array:
    if alike:
        return cells
    size = np.abs(cells).sum(axis=1, keepdims=True)
    return np.asarray(np.divide(cells, size, out=np.zeros_like(cells), where=size > 0))


def _spectra(cells: Sequence[Array], axis: Axis, names: Sequence[str], scale: str) -> Figure:
    means = [known(np.nanmean, own, 0) for own in cells]
    middle = (axis.low + axis.high) / 2
    places: list[str | float] = [*axis.names] or [float(f"{one:.6g}") for one in middle]
    traces = [
        {
            "type": "bar" if axis.names else "scatter",
            "name": name,
            "x": places,
            "y": mean.tolist(),
            **({} if axis.names else {"mode": "lines", "line": {"dash": dash}}),
        }
        for name, mean, dash in zip(names, means, ("solid", "dash"), strict=True)
    ]
    x = "band" if axis.names else f"frequency ({axis.unit})"
    layout = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": f"mean attribution ({scale})"}}}
    rows = [(place, *pair) for place, *pair in zip(places, *(mean.tolist() for mean in means), strict=True)]
    columns = (x, *(f"{name} ({scale})" for name in names))
    alt = f"Mean attribution by frequency of {names[0]}, solid, and {names[1]}, dashed, on one axis."
    note = "Sums over channels and over the frequencies of each cell, means over samples."
    table = Table("compared-spectra", "Mean attribution of both", columns, rows, note)
    return Figure("compared-spectra", "Mean attribution of both, on one scale", alt, traces, layout, table)


def _bands(verdicts: Sequence[dict[str, Verdict]], names: Sequence[str], classes: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for label in in_order([*verdicts[0], *verdicts[1]], classes):
        found = [own.get(label) for own in verdicts]
        rows.append((label, *(part for one in found for part in _told(one))))
    columns = ("class", *(f"{name}: {what}" for name in names for what in ("band", "share", "why none")))
    return Table("compared-bands", "The band that decided for each class", columns, rows)


def _told(verdict: Verdict | None) -> tuple[Cell, ...]:
    if verdict is None:
        return "none", None, "no such class"
    if not verdict.named:
        return "none", None, verdict.why_not
    return verdict.choice.band, round(verdict.choice.share, 4), ""


def _tested(
    result: xr.Dataset,
    other: xr.Dataset,
    cells: Sequence[Array],
    axis: Axis,
    names: Sequence[str],
    scale: str,
    permutations: int,
    seed: int,
) -> Iterator[Piece]:
    """The test, of all samples and of each class, or why there is none."""
    try:
        paired, rows = _lined_up(result, other)
    except ValueError as error:
        text = f"The two are not tested against each other: {error}."
        yield Missing(text, "freqig.compare(a, b, paired=...)")
        return
    sides = [
        _reduced(each, own, axis, scale).isel(sample=chosen)
        for each, own, chosen in zip((result, other), cells, rows, strict=True)
    ]
    if paired:
        yield from _alike(sides)
    found: list[tuple[Cell, ...]] = []
    about = ""
    for label, members in _members(sides, paired):
        try:
            test = compare(
                *(side.isel(sample=own) for side, own in zip(sides, members, strict=True)),
                paired=paired,
                name=axis.name,
                names=names,
                n_permutations=permutations,
                # Intervals of the difference are not shown.
                n_resamples=100,
                seed=seed,
            )
        except ImportError:
            yield Missing("The test needs MNE, which is not installed.", "pip install 'freqig[eeg]'")
            return
        except ValueError as error:
            found.append((label, None, None, None, None, str(error).partition(":")[0]))
            continue
        about = about or str(test.attrs["test"])
        found += _clusters(label, test, axis)
    columns = (
        *("class", "from", "to", "p"),
        f"difference, {names[0]} - {names[1]} (effect size)",
        "remark",
    )
    if about:
        how = "in pairs" if paired else "not in pairs"
        yield Paragraph(
            f"They are compared by a {about}, {how}, with the samples of both "
            f"({counted(len(rows[0]), 'sample')} and {counted(len(rows[1]), 'sample')}). A cluster says that "
            "there is a difference, and not that each of its frequencies has one."
        )
    yield Table("compared-clusters", "Where they differ: clusters of frequencies", columns, found)


def _clusters(label: str, test: xr.Dataset, axis: Axis) -> list[tuple[Cell, ...]]:
    if not test.sizes["cluster"]:
        return [(label, None, None, None, None, "no difference beyond the threshold anywhere")]
    rows: list[tuple[Cell, ...]] = []
    for _, one in test.groupby("cluster", squeeze=False):
        ends = [float(one[f"cluster_frequency_{end}"].item()) for end in ("from", "to")]
        p, size = float(one["cluster_p"].item()), float(one["cluster_effect_size"].item())
        remark = "" if p < test.attrs["alpha"] else "not significant"
        if axis.names:
            ends_told: tuple[Cell, ...] = tuple(axis.names[int(end)] for end in ends)
        else:
            last = int(np.flatnonzero(np.isclose(axis.low, ends[1]))[0])
            ends_told = (ends[0], float(axis.high[last]))
        rows.append((label, *ends_told, float(f"{p:.3g}"), float(f"{size:.3g}"), remark))
    return rows


def _lined_up(result: xr.Dataset, other: xr.Dataset) -> tuple[bool, tuple[np.ndarray, np.ndarray]]:
    """Whether samples, or people, are on both sides, and rows of both; in pairs of samples row by row.

    Raises
    ------
    ValueError
        If some are on both sides, and others are not.
    """
    every = tuple(np.arange(each.sizes["sample"]) for each in (result, other))
    people = [along_samples(each, SUBJECT) for each in (result, other)]
    try:
        first, second = pairs_of(result, other)
    except ValueError as error:
        if people[0] is not None and people[1] is not None:
            common = set(people[0].tolist()) & set(people[1].tolist())
            return bool(common), (every[0], every[1])
        files = [along_samples(each, "file") for each in (result, other)]
        if files[0] is not None and files[1] is not None and set(files[0]) & set(files[1]):
            raise ValueError(f"some recordings are in both, but {error}") from error
        return False, (every[0], every[1])
    return True, (first, second)


def _reduced(result: xr.Dataset, cells: Array, axis: Axis, scale: str) -> xr.Dataset:
    """Cells as a result, with what tells the samples apart."""
    kept = ("truth", "predicted", "target", SUBJECT)
    along = {name: told for name in kept if (told := along_samples(result, name)) is not None}
    if len({*along.get(SUBJECT, ())}) < 2:
        along.pop(SUBJECT, None)
    places = np.arange(float(len(axis))) if axis.names else axis.low
    # In their own precision, so that their rounding is known for what it is.
    own = cells.astype(result[axis.name].dtype)
    return xr.Dataset(
        {axis.name: (("sample", "frequency"), own, {"kind": "attribution", "units": scale})},
        {
            "frequency": ("frequency", places, {"units": axis.unit or "Hz"}),
            **{name: ("sample", own) for name, own in along.items()},
        },
    )


def _members(
    sides: Sequence[xr.Dataset], paired: bool
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """All samples, and those that both explained for one class."""
    finite = [np.isfinite(next(iter(side.data_vars.values())).values).all(axis=1) for side in sides]
    of_people = SUBJECT in sides[0].coords
    if paired and not of_people:
        finite = [finite[0] & finite[1]] * 2
    yield EVERY, (np.flatnonzero(finite[0]), np.flatnonzero(finite[1]))
    groups = [{one.label: one.rows for one in groups_of(side)} for side in sides]
    labels = [label for label in groups[0] if label in groups[1]]
    if len({*groups[0], *groups[1]}) < 2:
        return
    for label in labels:
        rows = [
            np.intersect1d(own[label], np.flatnonzero(there))
            for own, there in zip(groups, finite, strict=True)
        ]
        if paired and not of_people:
            rows = [np.intersect1d(rows[0], rows[1])] * 2
        yield label, (rows[0], rows[1])


def _alike(sides: Sequence[xr.Dataset]) -> Iterator[Paragraph]:
    predicted = [along_samples(side, "predicted") for side in sides]
    if predicted[0] is not None and predicted[1] is not None and len(predicted[0]) == len(predicted[1]):
        same = np.array([str(a) == str(b) for a, b in zip(*predicted, strict=True)])
        share, count = percent(float(same.mean())), counted(len(same), "sample")
        yield Paragraph(f"They decide alike in {share} of {count}.")
