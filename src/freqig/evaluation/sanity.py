"""What is left of an explanation where the model knows nothing: untrained, or trained on chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from .._check import shown
from ..errors import add_context
from .again import Again
from .likeness import divided, likeness
from .randomising import cascade

MEASURES = ("gap_ratio", "magnitude_ratio", "rank_correlation", "cosine")

Array = np.ndarray


def untrained(again: Again, model: Any, gap: Array, seed: int) -> tuple[list[str], dict[str, Array]]:
    """Explanations by the network as its layers lose their training one by one.

    Parameters
    ----------
    again : Again
        How samples are explained once more, M of them.
    model : torch.nn.Module or keras.Model
        The network.
    gap : numpy.ndarray
        F(x) - F(x') of all samples, shape (N,).
    seed : int
        Of the weights.

    Returns
    -------
    stages : list of str
        Lowest layer that was drawn anew, from the output down.
    found : dict of str to numpy.ndarray
        By variable, shape (stages, 4, M), in the order of `MEASURES`.
    """
    stages: list[str] = []
    found: dict[str, list[Array]] = {name: [] for name in again.sources}
    for stage, twin in cascade(model, seed):
        stages.append(stage)
        for name, values in compared(again, twin, gap).items():
            found[name].append(values)
    return stages, {name: np.stack(values) for name, values in found.items()}


def compared(again: Again, model: Any, gap: Array) -> dict[str, Array]:
    """Explanations by another model beside those of the result, by variable, shape (4, M)."""
    rows = again.rows
    source = next(iter(again.sources.values()))
    values, other_gap = again.explain(model, source.x[rows], source.baseline[rows])
    found = {}
    for name, attribution in values.items():
        own = again.sources[name]
        alike = likeness(own.flat(own.attribution[rows]), attribution)
        alike["gap_ratio"] = divided(np.abs(other_gap), np.abs(gap[rows]))
        found[name] = np.stack([alike[measure] for measure in MEASURES])
    return found


def check_train(train: Any) -> None:
    """TypeError for what is no function of `shuffle`, such as the model itself, before any work."""
    if train is not None and (not callable(train) or isinstance(train, (type, nn.Module))):
        raise TypeError(
            "train must be a function that trains a model, such as lambda shuffle: fit(x_train, "
            f"shuffle(y_train)), got {shown(train)}"
        )


def on_random_labels(train: Any, seed: int) -> Any:
    """The model that a caller trains on labels that are shuffled here.

    Raises
    ------
    ValueError
        If the caller's function does not ask for them.
    """
    generator, asked = np.random.default_rng(seed), []

    def shuffle(labels: Any) -> Array:
        values = np.asarray(labels)
        asked.append(len(values))
        return values[generator.permutation(len(values))]

    try:
        model = train(shuffle)
    except Exception as error:
        add_context(error, "raised by the function that was passed as train=")
        raise
    if not asked or model is None:
        what = "a model" if model is None else "shuffle, which gives the labels in another order"
        raise ValueError(
            f"train must call its argument on the labels and return the trained model, got no use of {what}: "
            "write train=lambda shuffle: fit(x_train, shuffle(y_train))"
        )
    return model
