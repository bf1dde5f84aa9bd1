"""Each family of metrics of one variable: its scores, or why it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..coalitions.players import Players
from ..resynthesis.source import Source
from .again import Again
from .curves import areas, curves
from .erasing import differences, erasures
from .imputing import road
from .likeness import likeness
from .ordering import MOST_EXHAUSTIVE, energies
from .replacing import Replacing
from .sanity import MEASURES, compared, on_random_labels, untrained
from .table import Scores, metrics_of
from .truth import truth_metrics

Array = np.ndarray


def add_perturbed(
    scores: Scores,
    found: dict[tuple[str, str], Array],
    name: str,
    operator: str,
    replacing: Replacing,
    attribution: Array,
    chosen: Sequence[str],
    shares: Array,
    random_orders: int,
    seed: int,
) -> None:
    """Metrics of what the model does where coefficients are replaced."""
    if "deletion" in chosen:
        source = replacing.source
        energy = np.where(
            np.isfinite(attribution), energies(source.domain, source.x, source.baseline), np.nan
        )
        found[name, operator] = curves(replacing, attribution, energy, shares, random_orders, seed)
        known = areas(found[name, operator], shares)
        scores.add(name, known, operator)
        best = [metric for metric in known if metric.endswith("_best")]
        far = [metric for metric in best if not np.isfinite(known[metric]).any() and "count" in metric]
        scores.lack(
            name, far, f"there are more than {MOST_EXHAUSTIVE} coefficients, too many orders", operator
        )
        energetic = [metric for metric in best if "energy" in metric]
        scores.lack(
            name, energetic, "the steps depend on the order, so that the best is not searched", operator
        )
    if "erasure" in chosen:
        known = erasures(replacing, attribution)
        scores.add(name, known, operator)
        if not np.isfinite(known["log_odds"]).any():
            scores.lack(name, ["log_odds"], "outputs are no probabilities of classes", operator)
    if "difference" in chosen:
        scores.add(name, differences(replacing, attribution), operator)


def add_imputed(scores: Scores, name: str, replacing: Replacing, attribution: Array, seed: int) -> None:
    """Metrics of what the model does where coefficients are imputed from their neighbours."""
    if isinstance(replacing.source.domain, Players):
        scores.lack(
            name, metrics_of("road"), "players are there or not, and have no neighbours to impute from"
        )
    else:
        scores.add(name, road(replacing, attribution, seed))


def add_truth(scores: Scores, name: str, attribution: Array, truth: Array | None) -> None:
    """How far the largest attributions are where the truth is."""
    if truth is None:
        scores.lack(name, metrics_of("truth"), "truth= was not given")
    else:
        scores.add(name, truth_metrics(attribution, truth))


def add_untrained(
    scores: Scores, again: Again, model: Any, train: Any, gap: Array, seed: int
) -> tuple[Sequence[str], Mapping[str, Array]] | None:
    """Metrics of models that know nothing; and the cascade of layers, where there is one."""
    cascade = None
    try:
        stages, by_layer = untrained(again, model, gap, seed)
    except TypeError as error:
        for name in again.sources:
            scores.lack(name, [f"untrained_{measure}" for measure in MEASURES], str(error))
    else:
        placed = {name: np.full((*v.shape[:2], scores.count), np.nan) for name, v in by_layer.items()}
        for name, values in by_layer.items():
            placed[name][:, :, again.rows] = values
            last = {f"untrained_{m}": one for m, one in zip(MEASURES, values[-1], strict=True)}
            scores.add(name, last, rows=again.rows)
        cascade = stages, placed
    metrics = [f"random_labels_{measure}" for measure in MEASURES]
    if train is None:
        for name in again.sources:
            scores.lack(name, metrics, "train= was not given")
    else:
        for name, values in compared(again, on_random_labels(train, seed), gap).items():
            scores.add(name, dict(zip(metrics, values, strict=True)), rows=again.rows)
    return cascade


def add_agreement(
    scores: Scores,
    sources: Mapping[str, Source],
    values: Mapping[str, Array],
    others: Mapping[str, xr.Dataset],
) -> dict[tuple[str, str], dict[str, Array]]:
    """Likeness to each other result, by variable and its name."""
    found: dict[tuple[str, str], dict[str, Array]] = {}
    for name, source in sources.items():
        alike = {
            key: likeness(values[name], source.flat(other[name]))
            for key, other in others.items()
            if name in other
        }
        found.update({(name, key): one for key, one in alike.items()})
        if alike:
            kinds = next(iter(alike.values()))
            scores.add(
                name, {f"agreement_{k}": np.mean([one[k] for one in alike.values()], axis=0) for k in kinds}
            )
        else:
            scores.lack(name, metrics_of("agreement"), "others= holds no other result of it")
    return found
