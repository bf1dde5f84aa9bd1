"""Shapley values and interactions of too many coalitions: approximators of shapiq, in replicates."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

REPLICATES = 4
"""Independent estimates, whose differences tell the error of their mean."""

LEAST = 8
"""Coalitions of one replicate, at least."""


@dataclass(frozen=True)
class Estimates:
    """Independent estimates of one target.

    Parameters
    ----------
    alone : numpy.ndarray
        Values of order 1, shape (replicates, players): Shapley values, or with pairs k-SII.
    pairs : numpy.ndarray or None
        Values of order 2, symmetric, shape (replicates, players, players).
    """

    alone: np.ndarray
    pairs: np.ndarray | None


def approximate(
    values: Callable[[np.ndarray], np.ndarray], n_players: int, order: int, budget: int, seed: int
) -> Estimates:
    """Estimate Shapley values, or k-SII of order 2, from a part of the coalitions.

    The regression of KernelSHAP (Lundberg and Lee 2017) and KernelSHAP-IQ (Fumagalli et al. 2024) where
    a replicate has twice as many coalitions as unknowns; else their unbiased estimators (Covert and Lee
    2021; Fumagalli et al. 2023). Coalitions are drawn in pairs with their complements.

    Parameters
    ----------
    values : callable
        Explained scalars of coalitions, bool, shape (C, players), shape (C,).
    n_players : int
        Players.
    order : int
        1 or 2.
    budget : int
        Coalitions of all replicates.
    seed : int
        Of the coalitions that are drawn.

    Raises
    ------
    ImportError
        If shapiq is missing.
    """
    shapiq = _shapiq()
    each = budget // REPLICATES
    unknowns = n_players + (n_players * (n_players - 1) // 2 if order == 2 else 0)
    enough = each >= 2 * unknowns
    alone, pairs = [], []
    for state in np.random.SeedSequence(seed).generate_state(REPLICATES).tolist():
        how: dict[str, Any] = {"pairing_trick": True, "random_state": state}
        if order == 2:
            kind = shapiq.KernelSHAPIQ if enough else shapiq.SHAPIQ
            approximator = kind(n_players, max_order=2, index="k-SII", **how)
        else:
            approximator = (shapiq.KernelSHAP if enough else shapiq.UnbiasedKernelSHAP)(n_players, **how)
        with warnings.catch_warnings():
            # Of how shapiq draws nothing needs to be said: replicates tell the error.
            warnings.simplefilter("ignore")
            found = approximator.approximate(budget=each, game=values)
        alone.append(found.get_n_order_values(1))
        if order == 2:
            square = found.get_n_order_values(2)
            # shapiq fills one triangle or both, as its version has it.
            upper, lower = np.triu(square, 1), np.tril(square, -1).T
            half = np.where(upper != 0, upper, lower)
            pairs.append(half + half.T)
    return Estimates(np.array(alone), np.array(pairs) if order == 2 else None)


def mean_and_error(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over replicates, and its standard error.

    Examples
    --------
    >>> mean_and_error(np.array([[1.0], [3.0], [1.0], [3.0]]))
    (array([2.]), array([0.57735027]))
    """
    count = len(replicates)
    return replicates.mean(0), replicates.std(0, ddof=1) / np.sqrt(count)


def _shapiq() -> Any:
    try:
        import shapiq
    except ImportError as error:
        raise ImportError(
            "more than 12 players, and more coalitions than the budget, need shapiq, which is not installed: "
            "pip install 'freqig[shapley]', take fewer players, or raise budget"
        ) from error
    return shapiq
