"""FLEXtime's problem: which of four regions of the spectrum are occupied."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .._check import check_flag
from .problem import LINES, Truth, balanced, begin, draws, labelled, members, phases, read_noise, subsets

FS, N = 1000.0, 2000
REGIONS, SALIENT, DRAWN, SINES = 32, (6, 13, 20, 27), 10, 20
GAMMA, SIGMA, SCATTER = 1.5, 0.5, 1.0
WIDTH = FS / 2 / REGIONS


def flextime(n: int = 1000, noise: float = 0.1, *, always_ten: bool = True, seed: int = 0) -> xr.Dataset:
    """Which of four regions of the spectrum are occupied, among ten: the benchmark of FLEXtime.

    The axis from 0 to 500 Hz is divided into 32 regions of 15.625 Hz. The class is which of the regions 6,
    13, 20 and 27 (counted from 0) are occupied; of the others as many as make ten. An occupied region has 20
    sines from edge to edge, with one random phase, whose amplitudes are a Voigt profile (Lorentzian half
    width 1.5 Hz, Gaussian standard deviation 0.5 Hz) about a peak that scatters by 1 Hz around the middle and
    stays 3 Hz off the edges.

    Parameters
    ----------
    n : int, default 1000
        Number of series. The published code trains on 10,000 and tests on 1,000.
    noise : float, default 0.1
        Standard deviation of white noise.
    always_ten : bool, default True
        Whether as many of the other regions are drawn as make ten. False is what the published code
        does: a number of them that is uniform in 0..9 less the salient ones, so that how many there are
        tells something of the class.
    seed : int, default 0
        Train and test on different ones.

    Returns
    -------
    xarray.Dataset
        ``signal`` (sample, channel, time), float32, one channel of 2,000 samples at 1,000 Hz; ``label``
        (sample), the sum of 2^i over the salient regions i that are occupied, in 0..15, balanced;
        ``truth_rfft`` (sample, channel, frequency), true in the salient regions that are occupied;
        ``truth_region`` (sample, region), the same by region, and ``occupied`` (sample, region).

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, `n` below 1, or `noise` or `seed` below 0.

    Notes
    -----
    T. Brüsch, K. K. Wickstrøm, M. N. Schmidt, R. Jenssen, T. S. Alstrøm, FLEXtime: filterbank learning
    to explain time series, 2024; the repository theabrusch/FLEXtime, ``src/data/synthetic.py``, the
    data set with peaks and phases of their own for each series ("synth_voigt_noisy"). Where its scripts
    differ (half width 1 or 1.5 Hz, noise 0.1 or 0.2) the values of training are taken. Its time axis
    includes the end, which makes 1,999 steps of 2,000; here a step is 1 ms.

    Sines lie between bins, so some of their power leaks out of their region.

    Examples
    --------
    >>> problem = flextime(n=16, seed=0)
    >>> problem.occupied.sum("region").values.tolist() == [10] * 16
    True
    >>> problem.truth_region.sel(region=[6, 13, 20, 27])[problem.label.values == 5].values
    array([[ True, False,  True, False]])
    """
    n, seed, rng = begin(n, seed)
    noise = read_noise(noise)
    always_ten = check_flag(always_ten, "always_ten")
    label = balanced(rng, n, 2 ** len(SALIENT))
    present = members(label, len(SALIENT))
    most = DRAWN - present.sum(1)
    count = most if always_ten else (rng.random(n) * most).astype(np.int64)
    others = np.setdiff1d(np.arange(REGIONS), SALIENT)
    occupied = np.zeros((n, REGIONS), dtype=bool)
    occupied[:, list(SALIENT)] = present
    occupied[:, others] = draws(rng, n, others.size, count)
    signal = _series(rng, occupied) + noise * rng.standard_normal((n, N))
    salient = np.isin(np.arange(REGIONS), SALIENT) & occupied
    edges = np.arange(REGIONS + 1) * WIDTH
    # Half of the sampling rate belongs to the last region.
    region = np.minimum(np.searchsorted(edges, np.fft.rfftfreq(N, 1 / FS), side="right") - 1, REGIONS - 1)
    return labelled(
        signal[:, None],
        label,
        {
            "truth_rfft": Truth(LINES, salient[:, None, region], "bins of salient regions that are occupied"),
            "truth_region": Truth(("sample", "region"), salient, "salient regions that are occupied"),
            "occupied": Truth(("sample", "region"), occupied, "regions that are occupied"),
        },
        fs=FS,
        problem="flextime",
        source="Brüsch et al., FLEXtime: filterbank learning to explain time series, 2024, synthetic data",
        classes=subsets(SALIENT),
        seed=seed,
        parameters={
            "n": n,
            "noise": noise,
            "always_ten": always_ten,
            "salient": SALIENT,
            "edges": edges.tolist(),
            "gamma": GAMMA,
            "sigma": SIGMA,
        },
        coords={
            "region": ("region", np.arange(REGIONS)),
            "region_low": ("region", edges[:-1], {"units": "Hz"}),
            "region_high": ("region", edges[1:], {"units": "Hz"}),
        },
    )


def voigt(distance: np.ndarray, sigma: float, gamma: float) -> np.ndarray:
    """Voigt profile: a Lorentzian averaged over a Gaussian, by Gauss-Hermite quadrature.

    With 64 nodes it is exact to rounding as long as the Lorentzian is not much narrower than the Gaussian.
    """
    nodes, weights = np.polynomial.hermite.hermgauss(64)
    shifted = distance[..., None] - np.sqrt(2) * sigma * nodes
    profile: np.ndarray = (gamma / np.pi / (shifted**2 + gamma**2)) @ weights / np.sqrt(np.pi)
    return profile


def _series(rng: np.random.Generator, occupied: np.ndarray) -> np.ndarray:
    """Sums of the sines of occupied regions, shape (n, N)."""
    offset = rng.normal(0, SCATTER, occupied.shape)
    reach = WIDTH / 2 - 2 * GAMMA
    while (outside := np.abs(offset) > reach).any():
        offset[outside] = rng.normal(0, SCATTER, int(outside.sum()))
    phase = phases(rng, *occupied.shape)
    inside = np.linspace(0, WIDTH, SINES)
    amplitude = voigt(inside - WIDTH / 2 - offset[..., None], SIGMA, GAMMA)
    weights = (occupied * np.exp(1j * phase))[..., None] * amplitude
    frequency = (np.arange(REGIONS)[:, None] * WIDTH + inside).ravel()
    angle = 2 * np.pi * frequency[:, None] * np.arange(N) / FS
    # The imaginary part of Σ a exp(i(2π f t + φ)), as two products of real matrices.
    flat = weights.reshape(len(weights), -1)
    series: np.ndarray = flat.real @ np.sin(angle) + flat.imag @ np.cos(angle)
    return series
