"""One call: every metric, of every variable of an explanation, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from .._check import check_count, check_draws, check_flag_or_none, check_seed, shown
from .._keywords import says_what_is_meant
from ..coalitions.players import Players
from ..progress import counting
from ..result.reading import attributions_of, names_of_attributions, one_target, settings_of
from ..resynthesis.source import Source, explainer_domain
from .again import Again
from .catalogue import FAMILIES
from .complexity import complexity
from .families import add_agreement, add_imputed, add_perturbed, add_truth, add_untrained
from .rebuilding import refuse_other_kinds, refuse_other_results, refuse_other_signals, remade, settings_for
from .replacing import OPERATORS, Replacing, replaced
from .sanity import MEASURES, check_train
from .scoring import scoring
from .stability import stability
from .table import Scores, labelled
from .truth import read_truth
from .verdict import verdict

Array = np.ndarray


@says_what_is_meant
def evaluate(
    result: xr.Dataset,
    model: Any,
    x: Any,
    *,
    truth: Any = None,
    name: str | None = None,
    families: str | Sequence[str] | None = None,
    operator: str | Sequence[str] = "baseline",
    others: Mapping[str, xr.Dataset] | None = None,
    train: Any = None,
    explainer: Any = None,
    baseline: Any = None,
    additional_forward_args: Any = None,
    steps: int = 20,
    random_orders: int = 5,
    draws: int = 3,
    most_explained: int = 16,
    seed: int = 0,
    progress: bool | np.bool_ | None = None,
) -> xr.Dataset:
    """Say how good an explanation is.

    What the model does without the coefficients that are named, and with them alone; how far they are the
    known truth; how few they are; how steady under noise; and what is left of them without the training.

    Parameters
    ----------
    result : xarray.Dataset
        An explanation, as `freqig.Explainer`, `freqig.Shapley` or a method of `freqig.methods` returns it, of
        one target per sample, N samples. Domains, baseline and output are made again from its attributes.
    model : torch.nn.Module, callable, or any other that an Explainer takes
        What was explained.
    x : array-like, xarray.DataArray, list of series, or recording
        The signals that were explained, as the `Explainer` was given them.
    truth : bands, array of bool, xarray.DataArray of bool, or mapping, optional
        Coefficients that are known to matter: bands such as ``{"cue": (9, 11)}``, as `freqig.bands` takes
        them; a mask of the shape of the variable, or of one of its samples, or over some of its dimensions;
        or, by the names of variables, one of these for each.
    name : str, optional
        Variable of attributions. Default all of them.
    families : str or sequence of str, optional
        Which metrics: "deletion", "erasure", "difference", "road", "truth", "complexity", "stability",
        "sanity", "agreement". Default all.
    operator : str or sequence of str, default "baseline"
        What replaces coefficients: "baseline", that of the explanation; "surrogate", the same magnitudes
        with phases shuffled; "noise", 1/f noise of the same mean and variance; "data", another sample. Of
        several, the metrics of all but the first end in the operator, ``deletion_by_count[noise]``.
    others : mapping of str to xarray.Dataset, optional
        Other explanations of the same signals by name: another method, output, baseline or model.
    train : callable, optional
        Trains the model anew on random labels: is given a function that shuffles labels, and returns the
        model, such as ``lambda shuffle: fit(x_train, shuffle(y_train))``.
    explainer : Explainer or Shapley, optional
        What made the result. Needed where domains or the output were functions, fitted or arrays.
    baseline : Baseline or array-like, optional
        Start of the paths, as the `Explainer` was given it. Needed where it was values.
    additional_forward_args : optional
        Further arguments of the model.
    steps : int, default 20
        Steps of the curves, from a share of 0 to 1.
    random_orders : int, default 5
        Random orders that are averaged over.
    draws : int, default 3
        How often noise is drawn.
    most_explained : int, default 16
        Samples, evenly spread, that are explained again with noise and by untrained networks. The others have
        NaN there.
    seed : int, default 0
        Of orders, noise, surrogates and weights.
    progress : bool, optional
        Whether to show a bar. Default: on a terminal, where it takes more than about 10 s.

    Returns
    -------
    xarray.Dataset
        ``score(variable, metric, sample)``; ``mean``, ``spread`` and ``count`` over variable, metric and
        ``group``, "all" and each explained class; ``reason(variable, metric)``, why there is no score;
        ``curve(variable, replacement, kind, by, order, share, sample)``, the explained output;
        ``randomised(variable, layer, measure, sample)`` and ``agreement(variable, other, likeness, sample)``,
        where measured. Along ``metric``: `family`, `operator`, `meaning`, `range`, `better`, `source` and
        `limits`, what it cannot say. ``attrs["verdict"]``: three sentences on each variable.

    Raises
    ------
    TypeError
        If an argument is of another type.
    ValueError
        If x is not the signal of the result, or the model or baseline another; if the result does not hold
        what a domain, the baseline or the output was made of: the error names `explainer` or `baseline`; if
        the result holds several targets, or a truth no coefficient.

    See Also
    --------
    freqig.plots.evaluation : the curves.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> x = np.random.default_rng(0).normal(size=(4, 100))
    >>> heard = torch.nn.Linear(100, 1).double()
    >>> heard.weight.data[0] = torch.from_numpy(np.sin(2 * np.pi * 20 * np.arange(100) / 100))
    >>> result = freqig.Explainer(heard, fs=100)(x, target=0)
    >>> table = freqig.evaluate(result, heard, x, truth={"heard": (19.5, 20.5)})
    >>> table["mean"].sel(variable="rfft", metric="average_precision", group="all").item()
    1.0
    """
    count = check_draws(steps, "steps", 2)
    random_orders, draws = check_draws(random_orders, "random_orders"), check_draws(draws, "draws")
    most, seed = check_count(most_explained, "most_explained"), check_seed(seed, "seed")
    check_train(train)
    chosen = _chosen(families, FAMILIES, "families")
    operators = _chosen(operator, OPERATORS, "operator")
    names = _names(result, name)
    refuse_other_kinds(result)
    result = result if "sample" in result.dims else result.expand_dims("sample")
    settings = settings_for(result, names, explainer)
    own = remade(settings_of(result), model, settings)
    sources = Source.of_each(result, names, baseline, own)
    first = sources[names[0]]
    if len(first.x) == 0:
        raise ValueError("result must hold at least one sample, got none")
    refuse_other_signals(own, result, first.layout, first.x, x)
    truths = {
        each: read_truth(truth, s.attribution, names, s.settings.get("fs")) for each, s in sources.items()
    }
    refuse_other_results(others, result, names)
    values = {each: s.flat(s.attribution) for each, s in sources.items()}
    shares = np.linspace(0, 1, count + 1)
    scores, found = Scores(names, len(first.x)), dict[tuple[str, str], Array]()
    randomised = None
    flag = check_flag_or_none(progress, "progress")
    total = len(first.x) * len(names) * (1 + len(operators))
    with scoring(own, result, first, additional_forward_args) as scorer, counting(flag, total) as bar:
        for each, source in sources.items():
            attribution = values[each]
            made = explainer_domain(own, each)
            for one in operators:
                replacing = Replacing(replaced(one, source, made, result, seed), scorer)
                add_perturbed(
                    scores, found, each, one, replacing, attribution, chosen, shares, random_orders, seed
                )
                bar(len(first.x))
            if "road" in chosen:
                add_imputed(scores, each, Replacing(source, scorer), attribution, seed)
            if "complexity" in chosen:
                scores.add(each, complexity(attribution))
            if "truth" in chosen:
                add_truth(scores, each, attribution, truths[each])
            bar(len(first.x))
        again = Again.of_some(result, settings, sources, scorer.lengths[0][1].extra, most)
        if "stability" in chosen:
            for each, known in stability(again, model, scorer, baseline, draws, seed).items():
                scores.add(each, known, rows=again.rows)
    if "sanity" in chosen:
        gap = (result.output - result.baseline_output).values
        randomised = add_untrained(scores, again, model, train, gap, seed)
    agreement = add_agreement(scores, sources, values, others or {}) if "agreement" in chosen else {}
    for each in names:
        scores.explain(each, nothing=not np.nan_to_num(values[each]).any())
    table = labelled(
        scores,
        result,
        curves=found,
        shares=shares,
        operators=operators,
        randomised=randomised,
        measures=MEASURES,
        agreement=agreement,
        settings={
            "families": chosen,
            "operator": operators,
            "steps": count,
            "random_orders": random_orders,
            "draws": draws,
            "most_explained": most,
            "seed": seed,
        },
    )
    told = "players" if isinstance(first.domain, Players) else "coefficients"
    table.attrs["verdict"] = "\n".join(verdict(table, each, told) for each in names)
    return table


def _chosen(given: Any, allowed: tuple[str, ...], name: str) -> list[str]:
    if given is None:
        return list(allowed)
    chosen = [given] if isinstance(given, str) else list(given) if isinstance(given, (list, tuple)) else None
    if not chosen or not all(isinstance(one, str) and one in allowed for one in chosen):
        raise ValueError(f"{name} must be one or several of {', '.join(allowed)}, got {shown(given)}")
    return list(dict.fromkeys(chosen))


def _names(result: Any, name: Any) -> list[str]:
    if name is None and isinstance(result, xr.Dataset):
        names = names_of_attributions(result)
    else:
        names = [name]
    for each in names or ["rfft"]:
        one_target(attributions_of(result, each))
    return names
