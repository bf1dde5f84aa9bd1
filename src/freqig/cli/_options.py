"""Options that `explain` and `check` share: how inputs are read, and how they are explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., Any]


def with_options(*options: Command) -> Command:
    """A decorator that adds options, in this order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


reading_options = with_options(
    click.option("--fs", type=float, metavar="HZ", help="Sampling rate, where files do not say it."),
    click.option("--window", type=float, metavar="S", help="Cut into windows of so many seconds."),
    click.option("--step", type=float, metavar="S", help="From one window to the next. Default: the window."),
    click.option("--channels", metavar="A,B", help="Channels to read, in the order of the model."),
    click.option("--resample", type=float, metavar="HZ", help="Bring signals to this sampling rate."),
    click.option(
        "--labels",
        multiple=True,
        metavar="FILE",
        help="True labels: a text file with one per window, a table of onset, duration and label, or for "
        "many inputs a table of file and label, or a folder with a file for each. Once, or once for each.",
    ),
)

explaining_options = with_options(
    click.option("--unit", metavar="UNIT", help="Unit that the model takes, such as uV."),
    click.option("--classes", metavar="A,B", help="Names of the classes, in the order of the outputs."),
    click.option(
        "--target",
        default="predicted",
        show_default=True,
        metavar="CLASS",
        help="What is explained: predicted, all, or a class by name or number.",
    ),
    click.option(
        "--output",
        type=click.Choice(["logit", "log_prob", "probability", "margin"]),
        default="logit",
        show_default=True,
        help="Scale of the explained output.",
    ),
    click.option(
        "--domains",
        default="rfft",
        show_default=True,
        metavar="A,B",
        help="What to explain in, with numbers behind colons: rfft, time, stft:2, mel, sleep, ...",
    ),
    click.option(
        "--baseline",
        metavar="RULE",
        help="Start of the path: zero (default), dc, surrogate, noise, band_removed:8:12, ...",
    ),
    click.option("--tol", type=float, default=0.01, show_default=True, help="Tolerance of attributions."),
    click.option("--trust", is_flag=True, help="Run what is in MODEL: TorchScript, or an object of Python."),
)


GRADIENTS, SHAPLEY = "gradients", "shapley"
OTHERS = {
    "dft-lrp": "DFTLRP",
    "dynamask": "DynaMask",
    "expected-gradients": "ExpectedGradients",
    "extremal-mask": "ExtremalMask",
    "flextime": "FLEXtime",
    "freqrise": "FreqRISE",
    "gradient-times-input": "GradientTimesInput",
    "insertion-deletion": "InsertionDeletion",
    "learned-mask": "LearnedMask",
    "occlusion": "Occlusion",
    "smoothgrad": "SmoothGrad",
    "spectral-gradients": "SpectralGradients",
}
"""Classes of `freqig.methods` by what they are called here; written down, so that help starts at once."""

method_options = with_options(
    click.option(
        "--method",
        type=click.Choice([GRADIENTS, SHAPLEY, *OTHERS]),
        default=GRADIENTS,
        show_default=True,
        help="Gradients along a path; Shapley values, which need none: for estimators, trees, sessions; or a "
        "method of others, for comparison.",
    ),
    click.option(
        "--set",
        "asked",
        multiple=True,
        metavar="NAME=VALUE",
        help="For methods of others: a setting of the method, such as n_masks=500. As often as needed.",
    ),
    click.option(
        "--players",
        metavar="A,B",
        help="For shapley and occlusion: bands, channels and stretches of time, such as sleep, channels, "
        "segments:5, or their product, sleep,channels. Default for shapley: sleep.",
    ),
    click.option("--max-order", type=click.IntRange(1, 2), help="For shapley: 2 for pairs of players."),
    click.option(
        "--budget",
        type=click.IntRange(1),
        metavar="N",
        help="For shapley: evaluations per sample. Default: 2048.",
    ),
)


def made_shapley(model: str, options: dict[str, Any], progress: bool | None = None) -> Any:
    """The Shapley that options ask for; those that it takes are removed from `options`."""
    from .. import Shapley
    from ._reading import read_model, read_players

    if _said("domains"):
        raise click.UsageError("--domains is for --method gradients: say --players for shapley")
    if options.pop("asked"):
        raise click.UsageError("--set is for methods of others: say --max-order and --budget for shapley")
    del options["domains"]
    shared, players = _shared(options), options.pop("players")
    return Shapley(
        read_model(model, shared["trust"]),
        players=None if players is None else read_players(players),
        max_order=options.pop("max_order"),
        budget=options.pop("budget"),
        progress=progress,
        **shared,
    )


def made_other(name: str, model: str, options: dict[str, Any], progress: bool | None = None) -> Any:
    """The method of others that options ask for; those that it takes are removed from `options`."""
    from .. import methods
    from ._reading import read_domains, read_model, read_players, read_settings

    kind = getattr(methods, OTHERS[name])
    own, players = read_settings(options.pop("asked")), options.pop("players")
    shared = {**_shared(options), "progress": progress}
    if not _takes(kind, "tol"):
        if _said("tol"):
            raise click.UsageError(
                f"--tol is for methods whose numbers add up, which {name} does not promise"
            )
        del shared["tol"]
    domains = options.pop("domains")
    if _said("domains") or players is None:
        shared["domains"] = read_domains(domains)
    if players is not None:
        if not _takes(kind, "players"):
            raise click.UsageError("--players is for --method shapley or occlusion")
        shared["players"] = read_players(players)
    _refuse_given(options, ("max_order", "budget"), "--method shapley")
    if clash := sorted(set(own) & {*shared, "fs"}):
        raise click.UsageError(f"--set {clash[0]} is an option of its own: --{clash[0].replace('_', '-')}")
    return kind(read_model(model, shared["trust"]), **shared, **own)


def _takes(kind: Any, parameter: str) -> bool:
    from inspect import signature

    return parameter in signature(kind).parameters


def refuse_shapley_options(options: dict[str, Any]) -> None:
    """Usage error where options of Shapley values were given for gradients; removes them."""
    _refuse_given(options, ("players", "max_order", "budget"), "--method shapley")
    _refuse_given(options, ("asked",), "methods of others, such as --method freqrise")


def _refuse_given(options: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    """Usage error where one of these options was given; removes them."""
    for name in names:
        if options.pop(name) not in (None, ()):
            raise click.UsageError(f"--{'set' if name == 'asked' else name.replace('_', '-')} is for {where}")


def _said(name: str) -> bool:
    """Whether an option was given on the command line."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def made_explainer(model: str, options: dict[str, Any], progress: bool | None = None) -> Any:
    """The Explainer that options ask for; those that it takes are removed from `options`."""
    from .. import Explainer
    from ._reading import read_domains, read_model

    shared = _shared(options)
    return Explainer(
        read_model(model, shared["trust"]),
        domains=read_domains(options.pop("domains")),
        progress=progress,
        **shared,
    )


def _shared(options: dict[str, Any]) -> dict[str, Any]:
    """Settings of both methods; removes their options."""
    from ._reading import names

    own = {name: options.pop(name) for name in ("unit", "output", "tol", "trust")}
    return {**own, "classes": names(options.pop("classes"))}
