"""The spectrum of one stretch of a longer series."""

from __future__ import annotations

import torch
from torch import Tensor

from ..signals.axes import frequencies
from .base import Coefficients, Coords, Domain, as_tuple
from .rfft import adjoint_of_irfft


class Stretch(Domain):
    """RFFT of samples start..start + length, while the whole series follows the path.

    A projection, not an inversion: its attributions sum to the part of the difference of
    outputs that lies in this stretch, and those of a partition to all of it.

    Parameters
    ----------
    start, length : int
        First sample, and number of samples.
    name : str, optional
        Name of the variable in the result, "stretch" by default.

    Examples
    --------
    >>> Stretch(2, 4).analyze(torch.ones(8)).shape
    torch.Size([3])
    """

    inverts = "partly"
    affine = False

    def __init__(self, start: int, length: int, name: str | None = None) -> None:
        super().__init__(name)
        self.start, self.length = start, length

    def analyze(self, x: Tensor) -> Tensor:
        spectrum: Tensor = torch.fft.rfft(x[..., self.start : self.start + self.length])
        return spectrum

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        stretch = torch.fft.irfft(c, self.length)
        return torch.nn.functional.pad(stretch, (self.start, n - self.start - self.length))

    def adjoint(self, c: Coefficients, gradient: Tensor) -> tuple[Tensor, ...]:
        stretch = gradient[..., self.start : self.start + self.length]
        return (adjoint_of_irfft(stretch.to(as_tuple(c)[0].real)),)

    def coords(self, n: int, fs: float | None) -> Coords:
        return {"frequency": frequencies(self.length, fs)}
