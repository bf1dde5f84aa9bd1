"""How far attributions agree with the flicker that people looked at, and the table of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from .._typing import Bool, Float
from .recordings import CITATION, FLICKER_HZ, LICENCE, ORIGIN

NEAR_HZ = 1.0

# Frequencies are multiples of fs / n, and differences between them are rounded.
_SLACK = 1e-6


@dataclass(frozen=True)
class Measure:
    """One number that was to reach a target, and whether it does.

    Parameters
    ----------
    name : str
        What is measured.
    value : float
        What was found, as a fraction. NaN where there was nothing to measure.
    target : float
        What was to be reached.
    at_most : bool, default False
        Whether the target is an upper bound.

    Examples
    --------
    >>> from freqig.demo.scores import Measure
    >>> accuracy = Measure("accuracy", 0.84, 0.85)
    >>> accuracy.bound, accuracy.met
    ('at least 85 %', False)
    """

    name: str
    value: float
    target: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is reached; NaN reaches none."""
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def bound(self) -> str:
        """The target in words."""
        return f"at {'most' if self.at_most else 'least'} {100 * self.target:g} %"


def score(result: xr.Dataset) -> xr.Dataset:
    """Compare the explanation of each window with the light in front of the person.

    Parameters
    ----------
    result : xarray.Dataset
        As `freqig.demo.ssvep.explain` returns it.

    Returns
    -------
    xarray.Dataset
        Along ``sample``, with f the frequency of the light: ``correct``, whether the network
        predicts f; ``share``, the part of the positive attribution that lies within 1 Hz of f or
        2f, channels added up first; ``share_by_channel``, the same with the positive parts taken
        in each channel before they are added up; ``strongest``, the frequency with the largest
        attribution in Hz, channels added up; ``distance``, how far that is from f or 2f, the nearer
        one, in Hz; ``gap``, the magnitude of the completeness gap as a fraction of the explained
        difference. And ``recording``.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from freqig.demo.scores import score
    >>> result = xr.Dataset(
    ...     {
    ...         "rfft": (("sample", "channel", "frequency"), [[[0.0, 3.0, -1.0, 1.0]]]),
    ...         "predicted": ("sample", [0]),
    ...         "output": ("sample", [2.0]),
    ...         "baseline_output": ("sample", [-1.0]),
    ...         "completeness_gap": ("sample", [0.003]),
    ...     },
    ...     coords={
    ...         "frequency": [11.5, 13.5, 26.0, 30.0],
    ...         "recording": ("sample", ["a"]),
    ...         "flicker": ("sample", [13.0]),
    ...     },
    ... )
    >>> one = score(result).isel(sample=0)
    >>> bool(one.correct), float(one.share), float(one.strongest), float(one.distance)
    (True, 0.75, 13.5, 0.5)
    """
    frequency = result.frequency.values
    light = result.flicker.values[:, None]
    attribution = result.rfft.transpose("sample", "channel", "frequency").values.astype(np.float64)
    distance = np.minimum(abs(frequency - light), abs(frequency - 2 * light))
    near = distance <= NEAR_HZ + _SLACK
    spectrum = attribution.sum(axis=1)
    strongest = spectrum.argmax(axis=1)
    explained = (result.output - result.baseline_output).values
    gap = abs(result.completeness_gap.values)
    columns = {
        "correct": np.array(FLICKER_HZ)[result.predicted.values] == result.flicker.values,
        "share": _share(np.maximum(spectrum, 0), near),
        "share_by_channel": _share(np.maximum(attribution, 0).sum(axis=1), near),
        "strongest": frequency[strongest],
        "distance": distance[np.arange(len(strongest)), strongest],
        # x and x' alike leave nothing to explain, and no gap.
        "gap": np.divide(gap, abs(explained), out=np.where(gap > 0, np.inf, 0.0), where=explained != 0),
    }
    return xr.Dataset(
        {name: ("sample", values) for name, values in columns.items()},
        coords={"recording": ("sample", result.recording.values)},
        attrs={"bin_width": float(np.diff(frequency).min())},
    )


def measures(scores: xr.Dataset) -> tuple[Measure, ...]:
    """Measure what was to be reached, in each way that its words can be read.

    Parameters
    ----------
    scores : xarray.Dataset
        As `score` returns it.

    Returns
    -------
    tuple of Measure
        Accuracy; three readings of the share of the attribution near f or 2f; two readings of the
        strongest frequency being f or 2f; the largest completeness gap.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.demo.scores import measures
    >>> names = ("share", "share_by_channel", "distance", "gap")
    >>> scores = xr.Dataset({name: ("sample", [0.0, 0.5]) for name in names}, attrs={"bin_width": 0.5})
    >>> found = measures(scores.assign(correct=("sample", [True, False])))
    >>> [one.value for one in found]
    [0.5, 0.0, 0.25, 0.0, 1.0, 1.0, 0.5]
    """
    correct = scores.correct.values
    by_window = scores.share.values
    exact, neighbour = (_is_within(scores, bins)[correct] for bins in (0, 1))
    near = f"positive attribution within {NEAR_HZ:g} Hz of f or 2f"
    return (
        Measure("windows classified correctly", _mean(correct), 0.85),
        Measure(f"{near}, correct windows", _mean(by_window[correct]), 0.75),
        Measure(f"{near}, all windows", _mean(by_window), 0.75),
        Measure(f"{near}, by channel", _mean(scores.share_by_channel.values[correct]), 0.75),
        Measure("strongest bin is that of f or 2f", _mean(exact), 0.95),
        Measure("strongest bin is that of f or 2f, or next to it", _mean(neighbour), 0.95),
        Measure("largest completeness gap", float(scores.gap.max()), 0.01, at_most=True),
    )


def table(scores: xr.Dataset) -> str:
    """Write the measures, what they mean, and the parts of each recording, as Markdown.

    Parameters
    ----------
    scores : xarray.Dataset
        As `score` returns it, with at least one window.

    Returns
    -------
    str
        Lines that can be read as they are.

    Examples
    --------
    >>> import xarray as xr
    >>> from freqig.demo.scores import table
    >>> names = ("share", "share_by_channel", "distance", "gap")
    >>> scores = xr.Dataset({name: ("sample", [0.0, 0.5]) for name in names}, attrs={"bin_width": 0.5})
    >>> scores = scores.assign(correct=("sample", [True, False]))
    >>> print(table(scores.assign_coords(recording=("sample", ["a", "b"]))).splitlines()[0])
    | held-out recordings                                                ...
    """
    found = [
        (one.name, _percent(one.value), one.bound, "met" if one.met else "MISSED") for one in measures(scores)
    ]
    rows = []
    for name in dict.fromkeys(scores.recording.values.tolist()):
        part = scores.isel(sample=np.flatnonzero(scores.recording.values == name))
        accuracy, near, _, _, exact, neighbour, gap = (_percent(one.value) for one in measures(part))
        rows.append((str(name), str(part.sizes["sample"]), accuracy, near, exact, neighbour, gap))
    width = f"{scores.attrs['bin_width']:g} Hz"
    head = ("held-out recording", "windows", "correct", "near f, 2f", "strongest", "or next to it", "gap")
    return "\n".join(
        (
            *_aligned(("held-out recordings", "found", "target", ""), found),
            "",
            "f is the frequency of the light that the person looked at. The logit of the predicted class",
            "is explained. Shares are means over windows, of the spectrum summed over channels; by channel",
            "means that positive parts are taken in each channel before they are summed, in correct windows.",
            "The strongest bin has the largest attribution, summed over channels, in correct windows. Bins",
            f"are {width} wide: the first reading allows only the bin of f or 2f itself, the second also",
            f"those {width} beside it. The gap is relative to the explained difference, the largest of all",
            "windows.",
            "",
            *_aligned(head, rows),
            "",
            f"Recordings: {ORIGIN} ({LICENCE}).",
            f"{CITATION}.",
        )
    )


def _share(
    positive: Float[np.ndarray, "sample frequency"], near: Bool[np.ndarray, "sample frequency"]
) -> Float[np.ndarray, " sample"]:
    """Part of each row that is near; zero for a row that has nothing."""
    total = positive.sum(axis=1)
    share: np.ndarray = np.zeros_like(total)
    np.divide((positive * near).sum(axis=1), total, out=share, where=total > 0)
    return share


def _is_within(scores: xr.Dataset, bins: int) -> Bool[np.ndarray, " sample"]:
    """Whether the strongest frequency is at most so many bins from f or 2f."""
    return np.asarray(scores.distance.values) <= bins * float(scores.attrs["bin_width"]) + _SLACK


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _percent(value: float) -> str:
    # What is not quite nothing does not read as nothing.
    return "< 0.01 %" if 0 < value < 1e-4 else f"{100 * value:.2f} %"


def _aligned(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of a Markdown table whose columns are aligned, numbers to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    numeric = [
        i > 0 and any(row[i].removesuffix(" %")[-1:].isdigit() for row in rows) for i in range(len(head))
    ]

    def line(row: tuple[str, ...]) -> str:
        cells = (
            f"{cell:>{w}}" if right else f"{cell:<{w}}"
            for cell, w, right in zip(row, widths, numeric, strict=True)
        )
        return f"| {' | '.join(cells)} |"

    rule = "|".join(
        f"{'-' * (w + 1)}{':' if right else '-'}" for w, right in zip(widths, numeric, strict=True)
    )
    return [line(head), f"|{rule}|", *map(line, rows)]
