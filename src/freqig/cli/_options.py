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


def made_explainer(model: str, options: dict[str, Any], progress: bool | None = None) -> Any:
    """The Explainer that options ask for; those that it takes are removed from `options`."""
    from .. import Explainer
    from ._reading import names, read_domains, read_model

    trust = options.pop("trust")
    return Explainer(
        read_model(model, trust),
        unit=options.pop("unit"),
        classes=names(options.pop("classes")),
        domains=read_domains(options.pop("domains")),
        output=options.pop("output"),
        tol=options.pop("tol"),
        trust=trust,
        progress=progress,
    )
