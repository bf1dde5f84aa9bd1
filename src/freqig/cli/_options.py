"""Options that `explain` and `check` share: how inputs are read, and how they are explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ._files import FileName

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
    click.option("--window", type=float, metavar="S", help="Cut into windows of this many seconds."),
    click.option("--step", type=float, metavar="S", help="From one window to the next. Default: the window."),
    click.option("--channels", metavar="A,B", help="Channels to read, in the order of the model."),
    click.option("--resample", type=float, metavar="HZ", help="Bring signals to this sampling rate."),
    click.option(
        "--labels",
        type=FileName(),
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
        help="What is explained: predicted, all, or a class by name or number; for outputs with more axes a "
        "place in each, such as predicted,12.",
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
        help="Start of the path: zero (default), dc, surrogate, noise, band_removed:8:12, ..., or data:FILE, "
        "series that are read as INPUT is.",
    ),
    click.option("--tol", type=float, default=0.01, show_default=True, help="Tolerance of attributions."),
    click.option(
        "--max-evaluations",
        type=click.IntRange(1),
        metavar="N",
        help="Most evaluations per sample. Default: 2000.",
    ),
    click.option(
        "--output-key",
        metavar="KEY",
        help="Of several outputs that which is explained, by name or number, with colons into nested ones.",
    ),
    click.option(
        "--class-axis",
        type=int,
        metavar="N",
        help="Axis of the outputs that holds the classes; 0 is the batch. Default: the only other one.",
    ),
    click.option(
        "--probabilities/--no-probabilities",
        default=None,
        help="Whether outputs are probabilities, or logits. Default: told from their values.",
    ),
    click.option(
        "--time-axis",
        type=int,
        metavar="N",
        help="Axis of time in what the model takes; 0 is the batch. Default: the last, or that of its kind.",
    ),
    click.option(
        "--layout",
        metavar="AXES",
        help="Axes that the model takes, such as N,1,C,T: N samples, C channels, T time, 1 an axis of size "
        "one. Default: N,C,T, or as the shape that the model declares has it.",
    ),
    click.option(
        "--batch-independent/--no-batch-independent",
        default=None,
        help="Whether the model looks at each series by itself. Where not, one goes at a time.",
    ),
    click.option(
        "--dtype", type=click.Choice(["float32", "float64"]), help="Of the model. Default: as it is."
    ),
    click.option(
        "--device", metavar="DEVICE", help="Of the model, such as cuda. Default: where its weights are."
    ),
    click.option(
        "--memory", metavar="SIZE", help='What a run may take beside model and result, such as "500 MB".'
    ),
    click.option("--trust", is_flag=True, help="Run what is in MODEL: TorchScript, or an object of Python."),
)


OF_MODEL = (
    *("max_evaluations", "output_key", "class_axis", "probabilities", "time_axis", "batch_independent"),
    *("layout", "dtype", "device", "memory"),
)
"""Options of how a model is understood and run, without defaults of their own."""

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
    _refuse_given(options, ("max_evaluations",), "--method gradients: say --budget for shapley")
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
    _refuse_given(options, ("max_evaluations",), "--method gradients")
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
    model = read_model(model, shared["trust"])
    try:
        return kind(model, **shared, **own)
    except (TypeError, ValueError) as error:
        # Some are called like options, such as a step.
        about = next((one for one in own if str(error).startswith(f"{one} must")), None)
        raise error if about is None else type(error)(f"--set {error}") from error


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
    """Settings of all methods; removes their options."""
    from ._reading import names

    own = {name: options.pop(name) for name in ("unit", "output", "tol", "trust")}
    return {**own, "classes": names(options.pop("classes")), **said_of_model(options)}


def said_of_model(options: dict[str, Any]) -> dict[str, Any]:
    """Settings of how a model is understood and run, those that were given; removes their options."""
    from ._reading import read_dtype, read_output_key

    read = {"dtype": read_dtype, "output_key": read_output_key}
    given = {name: options.pop(name, None) for name in OF_MODEL}
    return {
        name: read[name](value) if name in read else value
        for name, value in given.items()
        if value is not None
    }
