"""Sources of an independent component analysis, and what lies outside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import shown
from .._keywords import says_what_is_meant
from ..signals.axes import times
from .base import Coords, Domain
from .spatial import check_channels, read_matrix

RESIDUAL = "residual"


class ICA(Domain):
    """Independent components × time, with a residual that keeps what they leave out.

    With mixing M (channels × components) and unmixing U, the sources are s = U δ and the residual
    is r = δ - M s, so that δ = M s + r whatever the rank. Attributions are s_k · (Mᵀ ḡ)_k for a
    component and Σ_channel r · ḡ for the residual. Means that a fitted object removes are the
    same at the input and at the baseline, and play no part.

    Parameters
    ----------
    mixing : sklearn.decomposition.FastICA, mne.preprocessing.ICA or array-like
        A fitted object, or the mixing matrix of shape (channels, components), whose columns are
        the patterns of the components; its unmixing is the pseudo-inverse. Objects are read by
        their attributes. With MNE the scaling before the fit is part of both matrices, sources
        are those of `get_sources`, and components in `exclude` are explained as the others.
    name : str, optional
        Name of the variable in the result, "ica" by default.

    Raises
    ------
    TypeError
        If `mixing` is none of these.
    ValueError
        If it is not fitted, no finite matrix, or, when bound to a signal, made for another number
        of channels.

    Examples
    --------
    >>> ica = ICA([[1.0], [1.0]])
    >>> x = torch.tensor([[3.0, 4.0], [1.0, 4.0]])
    >>> ica.analyze(x)
    tensor([[ 2.,  4.],
            [ 1.,  0.],
            [-1.,  0.]])
    >>> ica.attribution(x, torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
    tensor([[2., 4.],
            [1., 0.]])
    >>> ica.coords(2, fs=None)["component"]
    ['ICA000', 'residual']
    """

    consumes = ("channel", "time")
    shared = ("time",)
    series = True
    affine = False

    @says_what_is_meant
    def __init__(self, mixing: Any, name: str | None = None) -> None:
        super().__init__(name)
        self.mixing, self.unmixing = _matrices(mixing)

    def __repr__(self) -> str:
        n_channels, n_components = self.mixing.shape
        return f"ICA({n_components} components of {n_channels} channels, name={self.name!r})"

    def bind(self, shape: tuple[int, ...], fs: float | None) -> ICA:
        check_channels(self, shape, len(self.mixing), "mixing")
        return self

    def analyze(self, x: Tensor) -> Tensor:
        """Sources, then the residual of every channel, shape (..., components + channels, n)."""
        sources = self.unmixing.to(x) @ x
        return torch.cat([sources, x - self.mixing.to(x) @ sources], -2)

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        n_components = self.mixing.shape[1]
        return self.mixing.to(c) @ c[..., :n_components, :] + c[..., n_components:, :]

    def assemble(self, parts: tuple[Tensor, ...]) -> Tensor:
        (values,) = parts
        sources, residual = values.tensor_split([self.mixing.shape[1]], -2)
        return torch.cat([sources, residual.sum(-2, keepdim=True)], -2)

    def coords(self, n: int, fs: float | None) -> Coords:
        names = [f"ICA{k:03d}" for k in range(self.mixing.shape[1])]
        return {"component": [*names, RESIDUAL], "time": times(n, fs)}


def _matrices(fitted: Any) -> tuple[Tensor, Tensor]:
    """Mixing (channels, components) and unmixing (components, channels), float64."""
    if hasattr(fitted, "get_sources") and hasattr(fitted, "n_components"):
        return _from_mne(fitted)
    if hasattr(fitted, "fit_transform"):
        return _from_sklearn(fitted)
    if isinstance(fitted, str) or not hasattr(fitted, "__len__"):
        raise TypeError(
            "mixing must be a fitted sklearn FastICA or mne.preprocessing.ICA, or a matrix of shape "
            f"(channels, components), got {shown(fitted)}"
        )
    mixing = read_matrix(fitted, "mixing", "(channels, components)")
    return mixing, torch.linalg.pinv(mixing)


def _from_sklearn(ica: Any) -> tuple[Tensor, Tensor]:
    # With whitening, components_ holds it already: transform is components_ (x - mean_).
    if not (hasattr(ica, "components_") and hasattr(ica, "mixing_")):
        raise ValueError(
            "mixing must be a fitted FastICA with attributes components_ and mixing_, got "
            f"{type(ica).__name__} without: call its fit first, or pass a matrix of shape "
            "(channels, components)"
        )
    return _pair(ica.mixing_, ica.components_)


def _from_mne(ica: Any) -> tuple[Tensor, Tensor]:
    """Matrices of mne.preprocessing.ICA, which scales, rotates by a PCA, and unmixes then."""
    if getattr(ica, "unmixing_matrix_", None) is None:
        raise ValueError("mixing must be a fitted mne.preprocessing.ICA, got one without a fit: call its fit")
    pca = np.asarray(ica.pca_components_, dtype=float)[: int(ica.n_components_)]
    whitener = np.asarray(ica.pre_whitener_, dtype=float)
    if ica.noise_cov is None:
        # One factor a channel, the same for all channels of a type.
        whiten, unwhiten = np.diag(1 / whitener[:, 0]), np.diag(whitener[:, 0])
    else:
        whiten, unwhiten = whitener, np.linalg.pinv(whitener, rcond=1e-14)
    projected = ica.info is not None and any(p["active"] for p in ica.info["projs"])
    unmixing = _responses(ica) if projected else ica.unmixing_matrix_ @ pca @ whiten
    return _pair(unwhiten @ pca.T @ ica.mixing_matrix_, unmixing)


def _responses(ica: Any) -> np.ndarray:
    """Sources of a unit impulse in each channel, after the projectors of the recording.

    No public function of MNE gives its projection matrix, but `get_sources` applies it.
    """
    # An object of MNE's is at hand, so MNE is.
    import mne

    n_channels = len(ica.ch_names)
    impulses = np.hstack([np.eye(n_channels), np.zeros((n_channels, 1))])
    raw = mne.io.RawArray(impulses, ica.info, verbose="error")
    sources = np.asarray(ica.get_sources(raw).get_data())
    # What it gives for silence is the mean that it subtracts.
    responses: np.ndarray = sources[:, :-1] - sources[:, -1:]
    return responses


def _pair(mixing: Any, unmixing: Any) -> tuple[Tensor, Tensor]:
    return (
        read_matrix(mixing, "mixing", "(channels, components)"),
        read_matrix(unmixing, "mixing", "(components, channels)"),
    )
