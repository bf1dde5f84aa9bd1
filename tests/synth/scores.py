"""How well scores rank the truth, and what a series is made of, written out for the tests of problems."""

from __future__ import annotations

import numpy as np


def rank_accuracy(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Share of the K true places among the K largest scores, one per sample that has a truth."""
    found = []
    for row, mask in zip(scores.reshape(len(scores), -1), truth.reshape(len(truth), -1), strict=True):
        if mask.any():
            largest = np.argsort(-np.clip(row, 0, None), kind="stable")[: mask.sum()]
            found.append(mask[largest].mean())
    return np.array(found)


def amplitudes(signal: np.ndarray) -> np.ndarray:
    """Amplitudes of the cosines of whole bins, by NumPy's FFT, 1 for a cosine of unit amplitude."""
    return 2 * np.abs(np.fft.rfft(signal.astype(float))) / signal.shape[-1]
