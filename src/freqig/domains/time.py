"""The series itself: ordinary Integrated Gradients."""

from __future__ import annotations

from torch import Tensor

from .._keywords import says_what_is_meant
from ..signals.axes import times
from .base import Coords, Domain


class Time(Domain):
    """Samples of the series, δ · ḡ: Integrated Gradients as usually meant.

    Parameters
    ----------
    name : str, optional
        Name of the variable in the result, "waveform" by default, since xarray keeps "time"
        for the dimension.

    Examples
    --------
    >>> Time().name
    'waveform'
    """

    shared = ("channel", "time")
    inverts = "always"
    affine = False

    @says_what_is_meant
    def __init__(self, name: str | None = None) -> None:
        super().__init__("waveform" if name is None else name)

    def analyze(self, x: Tensor) -> Tensor:
        return x

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return c.clone()

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"time": times(n, fs)}
