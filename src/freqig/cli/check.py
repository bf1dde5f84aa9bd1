"""`freqig check`: what would happen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ._files import FileName, FilePath, refuse_missing
from ._options import explaining_options, made_explainer, reading_options
from ._running import EXIT_CODES, NOT_CONVERGED, debug_option, reporting

EXAMPLES = """\b
Examples:
  freqig check model.onnx night.edf --window 30 --unit uV
  freqig check net.py:model table.csv --trust --channels Cz

"""


@click.command(epilog=EXAMPLES + EXIT_CODES)
@click.argument("model", type=FileName())
@click.argument("path", metavar="INPUT", type=FilePath())
@reading_options
@explaining_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@debug_option
@reporting
def check(model: str, path: Path, as_json: bool, **options: Any) -> int:
    """Say what explaining INPUT by MODEL would be like, from three samples. Nothing is written.

    Layout, sampling rate, unit and classes as they are understood, whether three samples converge, and about
    how much time and memory all of them take. Fails where `freqig explain` would.
    """
    refuse_missing(model, [path])
    from .. import check as check_on_few
    from .. import read
    from ._reading import names, read_baseline, read_target
    from ._truth import labels_of

    target = read_target(options.pop("target"), names(options["classes"]))
    baseline = read_baseline(options.pop("baseline"), options)
    explainer = made_explainer(model, options, progress=False)
    known = labels_of(options.pop("labels"), [path])
    channels = names(options.pop("channels"))
    signal = read(path, channels=channels, annotations=known.get("annotations"), **options)
    found = check_on_few(explainer, signal, target=target, baseline=baseline)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else _told(found))
    return NOT_CONVERGED if found["converged"] < found["tried"] else 0


def _channels(names: list[str]) -> str:
    """Names of channels, or how many there are where readers have numbered them."""
    unnamed = names == [str(i) for i in range(len(names))]
    return f"{len(names)}, unnamed" if names and unnamed else ", ".join(names)


def _told(found: dict[str, Any]) -> str:
    unit, model_unit = found["unit"], found["model_unit"]
    labels = ", ".join(f"{count} × {label or 'none'}" for label, count in found["labels"].items())
    evaluations, gap = found["evaluations"], found["gap"]
    lines = {
        "signals": " × ".join(f"{n} {dim}" for n, dim in zip(found["shape"], found["layout"], strict=True)),
        "layout": found["model_layout"] and f"{found['model_layout']} for the model",
        "left out": f"{found['n_bad']} windows marked bad, {found['n_rest']} values at the ends",
        "rate": "not known, so frequencies are in cycles per sample: pass --fs"
        if found["fs"] is None
        else f"{found['fs']:g} Hz",
        "unit": f"{unit or 'not known'}, the model takes {model_unit or 'what comes'}",
        "channels": _channels(found["channels"]) or "without names",
        "classes": ", ".join(found["classes"]) or "without names",
        "labels": labels,
        "domains": "; ".join(
            f"{name} ({', '.join(f'{n} {dim}' for dim, n in sizes.items() if dim != 'sample')})"
            for name, sizes in found["domains"].items()
        ),
        "tried": f"{found['tried']} samples, predicted " + ", ".join(map(str, found["predicted"])),
        "converged": f"{found['converged']} of {found['tried']}, largest gap "
        + ("not finite" if gap["largest"] is None else f"{gap['largest']:.2%} of Σ|attribution|")
        + f", {evaluations['largest']} evaluations at most",
        "all of it": f"about {found['seconds']:.3g} s, {found['bytes'] / 1e6:.3g} MB of signals and result",
    }
    return "\n".join(f"{name + ':':<12}{text}" for name, text in lines.items() if text)
