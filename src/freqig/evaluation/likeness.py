"""How alike two explanations are, in ranks, direction, top and size."""

from __future__ import annotations

import numpy as np

from .ordering import places, ranked, top

Array = np.ndarray


def likeness(one: Array, other: Array) -> dict[str, Array]:
    """Compare explanations of the same samples.

    Parameters
    ----------
    one, other : numpy.ndarray
        Attributions, shape (N, p), NaN where there is no coefficient.

    Returns
    -------
    dict of str to numpy.ndarray
        `rank_correlation`, Spearman's of magnitudes; `cosine`, signed; `top`, the share of the top 10 % by
        magnitude that both have; `magnitude_ratio`, Σ |other| / Σ |one|; shape (N,), NaN where undefined.

    Examples
    --------
    >>> found = likeness(np.array([[1.0, 2.0, 3.0]]), np.array([[2.0, 4.0, 6.0]]))
    >>> {name: round(float(values[0]), 9) for name, values in found.items()}
    {'rank_correlation': 1.0, 'cosine': 1.0, 'top': 1.0, 'magnitude_ratio': 2.0}
    """
    valid = np.isfinite(one) & np.isfinite(other)
    a, b = (np.where(valid, values, 0.0) for values in (one, other))
    size_a, size_b = np.abs(a).sum(1), np.abs(b).sum(1)
    many = top(valid.sum(1), 0.1)
    first = [places(ranked(np.where(valid, np.abs(values), np.nan))) < many[:, None] for values in (a, b)]
    return {
        "rank_correlation": np.array(
            [correlation(ranks(np.abs(a[i, v])), ranks(np.abs(b[i, v]))) for i, v in enumerate(valid)]
        ),
        "cosine": divided((a * b).sum(1), np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)),
        "top": (first[0] & first[1]).sum(1) / many,
        "magnitude_ratio": divided(size_b, size_a),
    }


def ranks(values: Array) -> Array:
    """Ranks from 0, those that tie sharing the mean of theirs.

    Examples
    --------
    >>> ranks(np.array([5.0, 1.0, 5.0]))
    array([1.5, 0. , 1.5])
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[inverse])


def correlation(a: Array, b: Array) -> float:
    """Pearson's correlation; NaN where one of both is constant."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 0 else np.nan


def divided(above: Array, below: Array) -> Array:
    """A quotient that is NaN where the divisor is zero."""
    found: Array = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below != 0)
    return found
