"""Makes domains ready for signals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from .base import Domain, values_and_unit
from .check import blocks, check_inversion


def ready(
    domains: Sequence[Domain], x: Tensor, baseline: Tensor, fs: float | None, count: int | None = None
) -> tuple[Domain, ...]:
    """Bind domains to signals, and check them, before the model runs.

    Parameters
    ----------
    domains : sequence of Domain
        Domains as the caller made them.
    x, baseline : torch.Tensor
        Signals and baselines, float32 or float64, shape (N, *channels, n), where *channels are
        the axes that appear in the result.
    fs : float or None
        Sampling rate in Hz.
    count : int, optional
        How many samples there are, where `x` has all of them again for every baseline. Default N.

    Returns
    -------
    tuple of Domain
        Domains that know lengths in samples and names of components, in the same order.

    Raises
    ------
    ValueError
        If a domain cannot represent such signals, is made for another number of samples, is not inverted by
        its `synthesize`, or shares the name of a dimension with one that means something else by it.

    Examples
    --------
    >>> import torch
    >>> from freqig.domains import RFFT, Time
    >>> x = torch.ones(3, 8)
    >>> ready([RFFT(), Time()], x, torch.zeros_like(x), fs=None)
    (RFFT(name='rfft'), Time(name='waveform'))
    """
    count = len(x) if count is None else count
    for domain in domains:
        refuse_count(domain, count)
    made = tuple(_ready(domain.bind(tuple(x.shape[1:]), fs), x, baseline) for domain in domains)
    check_dimensions(made, x.shape[-1], fs)
    return made


def refuse_count(domain: Domain, count: int, least: bool = False) -> None:
    """ValueError where a domain is made for another number of samples, or for fewer of them."""
    have = domain.n_samples
    if have is not None and (have < count if least else have != count):
        raise ValueError(
            f"domain {domain.name!r} must have a row per sample, so {'at least ' * least}{count}, got {have}"
        )


def _ready(domain: Domain, x: Tensor, baseline: Tensor) -> Domain:
    for part in blocks(x):
        domain = domain.prepare(x[part], baseline[part])
    check_inversion(domain, x, baseline)
    return domain


def check_dimensions(domains: Sequence[Domain], n: int, fs: float | None) -> None:
    """Check that dimensions of one name have the same coordinates in all domains.

    Parameters
    ----------
    domains : sequence of Domain
        Bound domains.
    n : int
        Number of time samples.
    fs : float or None
        Sampling rate in Hz.

    Raises
    ------
    ValueError
        If two domains mean something else by a dimension of one name.
    """
    known: dict[str, tuple[Domain, np.ndarray, str]] = {}
    for domain in domains:
        coords = domain.coords(n, fs)
        for dim, content in zip(domain.dims(coords), coords.values(), strict=True):
            values, unit = values_and_unit(content)
            other, theirs, their_unit = known.setdefault(dim, (domain, values, unit))
            if unit != their_unit or not np.array_equal(values, theirs):
                raise ValueError(
                    f"domains {other.name!r} and {domain.name!r} both have a dimension {dim!r}, with "
                    "different coordinates: give the domain that it is named after another name with name="
                )
