"""How few coefficients an explanation is about."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def complexity(attribution: Array) -> dict[str, Array]:
    """Entropy and effective number of coefficients of explanations.

    Parameters
    ----------
    attribution : numpy.ndarray
        Shape (N, p); NaN where there is no coefficient.

    Returns
    -------
    dict of str to numpy.ndarray
        Shape (N,); NaN where all attributions are zero.

    Examples
    --------
    >>> complexity(np.array([[1.0, -1.0, 0.0, 0.0]]))["effective_number"]
    array([2.])
    """
    size = np.abs(np.nan_to_num(attribution))
    total = size.sum(1, keepdims=True)
    share = np.divide(size, total, out=np.full_like(size, np.nan), where=total > 0)
    terms = np.where(share > 0, -share * np.log(np.where(share > 0, share, 1)), 0 * share)
    entropy = terms.sum(1)
    return {"entropy": entropy, "effective_number": np.exp(entropy)}
