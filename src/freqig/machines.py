"""Frequencies at which parts of a machine show, and bands around them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ._check import check_count, check_number, check_positive, shown
from ._keywords import says_what_is_meant

MOST_HARMONICS = 1000


@says_what_is_meant
def bearing_frequencies(
    *,
    n_balls: int,
    ball_diameter: float,
    pitch_diameter: float,
    contact_angle: float = 0.0,
    shaft: float = 1.0,
) -> dict[str, float]:
    """Frequencies of the defects of a rolling element bearing, from its geometry.

    For an outer ring that stands still and rolling without slip; real bearings slip by 1 to 2 %
    (Randall and Antoni, Rolling element bearing diagnostics: a tutorial, 2011, eqs. 1 to 4).

    Parameters
    ----------
    n_balls : int
        Number of rolling elements.
    ball_diameter, pitch_diameter : float
        Diameter of an element, and of the circle of their centres, in the same unit.
    contact_angle : float, default 0.0
        Angle of the load from the radial plane, in degrees.
    shaft : float, default 1.0
        Speed of the shaft in Hz. The default gives orders, multiples of that speed.

    Returns
    -------
    dict of str to float
        In Hz, or in orders: "BPFO", at which elements pass a defect of the outer ring, "BPFI", of the
        inner ring, "BSF", at which an element spins, whose own defect strikes twice a turn, and "FTF",
        at which the cage turns.

    Raises
    ------
    TypeError, ValueError
        If a number is of another kind, elements are as large as the circle, or so many that they do not
        fit on it; if the angle is not in 0..90 degrees, 90 excluded.

    See Also
    --------
    bands_around : bands around these frequencies and their multiples, for `freqig.bands`.
    freqig.plots.spectrum : takes them as `markers`.

    Examples
    --------
    >>> found = bearing_frequencies(n_balls=9, ball_diameter=7.94, pitch_diameter=39.04)
    >>> {name: round(order, 3) for name, order in found.items()}
    {'BPFO': 3.585, 'BPFI': 5.415, 'BSF': 2.357, 'FTF': 0.398}
    """
    n = check_count(n_balls, "n_balls", minimum=2)
    ball, pitch = (
        check_positive(ball_diameter, "ball_diameter"),
        check_positive(pitch_diameter, "pitch_diameter"),
    )
    angle, speed = check_number(contact_angle, "contact_angle"), check_positive(shaft, "shaft")
    if not 0 <= angle < 90:
        raise ValueError(f"contact_angle must be in 0..90 degrees, 90 excluded, got {shown(contact_angle)}")
    if ball >= pitch:
        raise ValueError(
            f"ball_diameter must be below pitch_diameter, got {ball:g} and {pitch:g}: pass the diameter of "
            "the circle on which the centres of the elements lie"
        )
    # Neighbours touch where the chord between them is one diameter.
    if pitch * math.sin(math.pi / n) < ball * (1 - 1e-9):
        raise ValueError(
            f"n_balls must be so few that elements of {ball:g} fit on a circle of {pitch:g}, got {n}"
        )
    ratio = ball / pitch * math.cos(math.radians(angle))
    return {
        "BPFO": speed * n / 2 * (1 - ratio),
        "BPFI": speed * n / 2 * (1 + ratio),
        "BSF": speed * pitch / (2 * ball) * (1 - ratio**2),
        "FTF": speed / 2 * (1 - ratio),
    }


@says_what_is_meant
def bands_around(
    frequencies: Mapping[str, float], width: float, harmonics: int = 1
) -> dict[str, tuple[float, float]]:
    """Bands around frequencies and their multiples, as `freqig.bands` and `freqig.plots.spectrum` take them.

    Parameters
    ----------
    frequencies : mapping of str to float
        Frequencies by name, in the unit of the result, Hz or orders, as `bearing_frequencies` gives them.
    width : float
        Width of each band in the same unit, half of it to either side. What slips needs wide bands; no
        less than the step of the frequencies, so that each holds one.
    harmonics : int, default 1
        Up to which multiple, 1 for the frequencies alone. Multiples are called "2×BPFO" and so on.

    Returns
    -------
    dict of str to (float, float)
        Edges by name, multiples of one frequency next to each other.

    Raises
    ------
    TypeError, ValueError
        If `frequencies` is no mapping of names to numbers above 0, or is empty; if `width` is not above
        0, or so wide that a band reaches below 0 or two of them overlap.

    Examples
    --------
    >>> bands_around({"BPFO": 100.0}, width=4.0, harmonics=2)
    {'BPFO': (98.0, 102.0), '2×BPFO': (198.0, 202.0)}
    """
    wanted = "frequencies must be a mapping of names to frequencies, such as {'BPFO': 107}, got"
    if not isinstance(frequencies, Mapping):
        raise TypeError(f"{wanted} {shown(frequencies)}")
    if not frequencies:
        raise ValueError(f"{wanted} none")
    half, count = check_positive(width, "width") / 2, check_count(harmonics, "harmonics", 1, MOST_HARMONICS)
    centres: dict[str, float] = {}
    for name, value in frequencies.items():
        at = check_positive(value, f"frequencies[{name!r}]")
        centres.update({f"{k}×{name}" if k > 1 else str(name): k * at for k in range(1, count + 1)})
    ordered = sorted(centres.items(), key=lambda item: item[1])
    # The first lies above 0, as if 0 were one of them.
    for (name, at), (later, above) in zip([("0", -half), *ordered], ordered, strict=False):
        if above - at < 2 * half * (1 - 1e-9):
            raise ValueError(
                f"width must be so small that bands neither overlap nor reach below 0, got {2 * half:g} for "
                f"{name} ({max(at, 0.0):g}) and {later} ({above:g}): take a narrower one, or fewer harmonics"
            )
    return {name: (at - half, at + half) for name, at in centres.items()}
