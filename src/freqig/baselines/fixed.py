"""Baselines without chance: zeros, the mean, the signal without a band, other signals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .._keywords import says_what_is_meant
from .._tensor_check import check_real
from ..carriers import CarrierBand
from ..signals import Signal, aligned, batch_of, labelled, placed
from ..signals.reading import check_shape
from .base import Baseline, digest, wide


def zero() -> Baseline:
    """Zeros: what did the signal as a whole do, against silence.

    All of the signal is explained, its mean included, which stands at 0 Hz. Where signals are
    not recorded around zero, or the model never saw silence, this baseline is far from all data.

    Returns
    -------
    Baseline
        The default of `freqig.Explainer`.

    Examples
    --------
    >>> zero().draw(torch.tensor([[1.0, 3.0]]), fs=None)
    tensor([[[0., 0.]]])
    """
    return _Zero()


def dc() -> Baseline:
    """The mean of every series: what did its variation do, against its own mean.

    Nothing is attributed to 0 Hz. For signals with an offset that carries no meaning, as that of
    an amplifier.

    Returns
    -------
    Baseline
        One per series: every channel keeps its own mean.

    Examples
    --------
    >>> dc().draw(torch.tensor([[1.0, 3.0]]), fs=None)
    tensor([[[2., 2.]]], dtype=torch.float64)
    """
    return _DC()


@says_what_is_meant
def band_removed(low: float, high: float) -> Baseline:
    """The signal without a band: what did the band do, everything else as it is.

    Attributions in frequency live inside the band, and sum to what the model's output loses with
    it. The band is cut from the real Fourier transform of the whole series.

    Parameters
    ----------
    low, high : float
        Edges of the band in Hz, half-open as in `freqig.bands`: low ≤ f < high.

    Returns
    -------
    Baseline
        Needs the sampling rate; signals too short for a frequency inside the band are refused.

    Raises
    ------
    TypeError, ValueError
        If the edges are not finite numbers with 0 ≤ low < high.

    Examples
    --------
    >>> t = torch.arange(100, dtype=torch.float64) / 100
    >>> alpha, beta = torch.sin(2 * torch.pi * 10 * t), torch.sin(2 * torch.pi * 20 * t)
    >>> left = band_removed(8, 12).draw((alpha + beta)[None], fs=100.0)
    >>> torch.allclose(left[0, 0], beta)
    True
    """
    return _BandRemoved(CarrierBand.read(low, high, "band_removed"))


@says_what_is_meant
def data(samples: Any) -> Baseline:
    """Signals of your own: what sets a signal apart from them, on average.

    Every one of the samples is a baseline, with a path and attributions of its own, which are
    averaged then: expected gradients (Erion et al., Improving performance of deep learning models
    with axiomatic attribution priors and expected gradients, 2021). They sum to F(x) minus the
    mean output for the samples. How far the attributions spread from baseline to baseline is in
    the result too. The cost is that of one explanation per baseline.

    Parameters
    ----------
    samples : array-like, torch.Tensor, pandas.DataFrame, xarray.DataArray, or MNE Raw, Epochs or Evoked
        Batch first, in the layout of the signals to be explained, shape (B, ..., n): a few dozen
        from the training data, or from the class to compare with.

    Returns
    -------
    Baseline
        B baselines, the same for every signal.

    Raises
    ------
    TypeError, ValueError
        If the samples are not finite real signals; when drawn: if their shape is not that of the
        signals.

    Examples
    --------
    >>> data([[0.0, 0.0], [1.0, 2.0]]).draw(torch.ones(3, 2), fs=None).shape
    torch.Size([2, 3, 2])
    """
    given = labelled(samples, "samples")
    if given.dims is not None and batch_of(given.dims) == "channel":
        # Only signals whose dimensions are named alike will tell which axis is which.
        values = given.values
    else:
        values = placed(given, -1, "samples").values
    check_shape(values, "samples")
    check_real(values, "samples")
    return _Data(given, values)


@dataclass(frozen=True)
class _Zero(Baseline):
    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        dtype = x.dtype if x.is_floating_point() else torch.float32
        return torch.zeros((), dtype=dtype, device=x.device).expand(1, *x.shape)

    def describe(self) -> dict[str, Any]:
        return {"name": "zero"}


@dataclass(frozen=True)
class _DC(Baseline):
    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        return wide(x).mean(-1, keepdim=True).expand(1, *x.shape)

    def describe(self) -> dict[str, Any]:
        return {"name": "dc"}


@dataclass(frozen=True)
class _BandRemoved(Baseline):
    band: CarrierBand

    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        n, series = x.shape[-1], wide(x)
        members = torch.from_numpy(self.band.members(n, self.band.rate(fs))).to(x.device)
        spectrum = torch.fft.rfft(series) * members
        # The band taken from the signal: everything else stays as it was to the last digit.
        band: Tensor = torch.fft.irfft(spectrum, n)
        return (series - band)[None]

    def describe(self) -> dict[str, Any]:
        return {"name": "band_removed", "low": self.band.low, "high": self.band.high}


@dataclass(frozen=True, eq=False)
class _Data(Baseline):
    given: Signal = field(repr=False)
    samples: Tensor = field(repr=False)

    def arranged(self, time_axis: int) -> Baseline:
        return _Data(self.given, placed(self.given, time_axis, "samples").values)

    def beside(self, x: Signal, time_axis: int) -> Baseline:
        values = aligned(self.given, x, time_axis, "samples", own_rows=True)
        # What has no dimension of samples is one.
        return _Data(self.given, values if values.ndim == x.values.ndim else values.unsqueeze(0))

    def draw(self, x: Tensor, fs: float | None) -> Tensor:
        if self.samples.shape[1:] != x.shape[1:]:
            raise ValueError(
                f"samples of baselines.data must have the shape of the signals, with time last "
                f"(samples, {', '.join(map(str, x.shape[1:]))}), got {tuple(self.samples.shape)}"
            )
        if len(self.samples) == 0:
            raise ValueError("samples of baselines.data must be at least one, got none")
        return self.samples.to(x.device).unsqueeze(1).expand(-1, *x.shape)

    def describe(self) -> dict[str, Any]:
        return {"name": "data", "count": len(self.samples), "sha256": digest(self.samples)}
