"""Random numbers of a sample that do not depend on the batch it comes in, nor on its dtype."""

from __future__ import annotations

import hashlib

import numpy as np
from torch import Tensor


def generator(seed: int, sample: Tensor, *further: int) -> np.random.Generator:
    """A generator for one sample, which the seed and its contents decide.

    The place in a batch decides nothing, and neither does a clock or PyTorch's own generator; two
    samples with different contents have different numbers, so that their errors do not add up in a mean.

    Parameters
    ----------
    seed : int
        The caller's.
    sample : torch.Tensor
        One signal.
    *further : int
        What tells several generators of one sample apart.

    Examples
    --------
    >>> import torch
    >>> one = torch.tensor([1.0, -0.0])
    >>> bool(generator(0, one).integers(99) == generator(0, one.double().abs()).integers(99))
    True
    """
    # Zero has two signs in memory, and a float64 that came from float32 is the same signal.
    contents = sample.detach().cpu().float().numpy() + np.float32(0)
    words = np.frombuffer(hashlib.sha256(contents.tobytes()).digest(), dtype="<u4")
    return np.random.default_rng([seed, *further, *words.tolist()])
