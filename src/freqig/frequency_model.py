"""The inverse real FFT as a layer, so that any attribution method can work on a spectrum.

Captum 0.9 returns complex attributions and a wrong delta for complex inputs without a word,
so the spectrum is real-valued here: real and imaginary parts on a last axis of two, or
magnitudes with the phase given as a further argument.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from ._check import check_choice, check_count, shown

Representation = Literal["complex", "magnitude"]


class InverseRFFT(nn.Module):
    """Inverse real FFT with real-valued inputs.

    Parameters
    ----------
    n : int
        Number of time samples; a spectrum has n // 2 + 1 frequencies for even and odd n.
    representation : {"complex", "magnitude"}
        `complex`: input of shape (..., n_freq, 2), real and imaginary part. `magnitude`:
        magnitudes of shape (..., n_freq), and phases in radians as the second argument.

    Raises
    ------
    ValueError
        If `n` is below 1, the representation is unknown, or an input does not fit `n`.

    Examples
    --------
    >>> layer = InverseRFFT(5)
    >>> x = torch.tensor([[1.0, 2.0, 0.0, -1.0, 3.0]])
    >>> torch.allclose(layer(layer.spectrum(x)), x, atol=1e-6)
    True
    """

    def __init__(self, n: int, representation: Representation = "complex") -> None:
        super().__init__()
        n = check_count(n, "n")
        self.n = n
        self.representation = check_choice(representation, "representation", get_args(Representation))

    def forward(self, spectrum: Tensor, phase: Tensor | None = None) -> Tensor:
        """Series of shape (..., n) from a spectrum."""
        _check_tensor(spectrum, "spectrum")
        n_freq = self.n // 2 + 1
        expected = (n_freq, 2) if self.representation == "complex" else (n_freq,)
        if spectrum.shape[-len(expected) :] != expected:
            raise ValueError(
                f"spectrum must end in axes {expected} for n={self.n}, got shape {tuple(spectrum.shape)}"
            )
        if self.representation == "complex":
            coefficients = torch.view_as_complex(spectrum.contiguous())
        elif phase is None:
            raise ValueError("phase must be given as the second argument, in radians, got None")
        else:
            coefficients = torch.polar(spectrum, phase)
        series: Tensor = torch.fft.irfft(coefficients, self.n)
        return series

    def spectrum(self, x: Tensor) -> Tensor:
        """Spectrum of a series (..., n): (..., n_freq, 2), or magnitudes (..., n_freq)."""
        coefficients = self._analyze(x)
        if self.representation == "complex":
            return torch.view_as_real(coefficients)
        return coefficients.abs()

    def phase(self, x: Tensor) -> Tensor:
        """Phases of a series (..., n) in radians, shape (..., n_freq)."""
        return self._analyze(x).angle()

    def _analyze(self, x: Tensor) -> Tensor:
        _check_tensor(x, "x")
        if x.shape[-1:] != (self.n,):
            raise ValueError(
                f"x must have {self.n} time samples on its last axis, got shape {tuple(x.shape)}"
            )
        coefficients: Tensor = torch.fft.rfft(x)
        return coefficients


def _check_tensor(values: Any, name: str) -> None:
    if not isinstance(values, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {shown(values)}")


class FrequencyModel(nn.Module):
    """A model with the inverse real FFT as its first layer, F̄ = F ∘ iRFFT.

    Parameters
    ----------
    model : torch.nn.Module or callable
        Model of series of n samples, called as `model(x, *args)`.
    n : int
        Number of time samples.
    representation : {"complex", "magnitude"}
        See `InverseRFFT`. With "magnitude" call it as `frequency_model(magnitude, phase, *args)`
        and hand the phase to Captum as the first of `additional_forward_args`.

    Examples
    --------
    Every Captum method works on the spectrum:

    >>> from captum.attr import Saliency
    >>> model = FrequencyModel(nn.Linear(8, 2), n=8)
    >>> spectrum = model.inverse.spectrum(torch.ones(1, 8))
    >>> Saliency(model).attribute(spectrum.requires_grad_(), target=0).shape
    torch.Size([1, 5, 2])
    """

    def __init__(self, model: Any, n: int, representation: Representation = "complex") -> None:
        super().__init__()
        if not callable(model) or isinstance(model, type):
            raise TypeError(f"model must be a torch.nn.Module or a callable, got {shown(model)}")
        self.inverse = InverseRFFT(n, representation)
        self.model = model

    def forward(self, spectrum: Tensor, *args: Any) -> Any:
        """Outputs of the model for the series with this spectrum."""
        if self.inverse.representation == "complex":
            return self.model(self.inverse(spectrum), *args)
        phase, *rest = args or (None,)
        return self.model(self.inverse(spectrum, phase), *rest)
