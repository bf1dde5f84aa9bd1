"""Messages for users of Python in the words of the command line."""

from __future__ import annotations

import re

from ._options import OTHERS

METHODS = {kind: f"--method {name}" for name, kind in OTHERS.items()}
OPTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in (
        *("fs", "unit", "window", "step", "channels", "resample"),
        *("classes", "target", "output", "output_key", "class_axis", "probabilities", "time_axis", "layout"),
        *("domains", "bands", "baseline", "tol", "max_evaluations", "batch_independent", "trust"),
        *("dtype", "device", "memory"),
        *("players", "budget", "max_order"),
        *("sample", "keep", "speed", "channel", "markers", "title", "max_frequency"),
        *("paired", "by", "between", "montage"),
        *("shard", "subjects", "workers", "model_id", "retry_failed", "force"),
    )
} | {"annotations": "--labels"}
"""Options by the names that parameters have in Python."""

ARGUMENTS = {"model": "MODEL", "path": "INPUT", "x": "INPUT", "result": "RESULT"}
"""What is typed without an option, by the names that it has in Python."""

NAME = "|".join(OPTIONS)
NAMED = re.compile(rf"\b(?<!\.)(?<!sel\()(?<!coords\()({NAME})=(?!freqig\.)(True\b|False\b)?")
"""Parameters whose values can be typed: what is made or selected by a function of Python keeps its words."""
BARE = re.compile(rf"(?<![-\w.'\"])({'|'.join(name for name in OPTIONS if '_' in name)})\b(?![('\"])")
"""Parameters by name alone, which are no words of English."""
FLAGS = ("probabilities", "batch_independent")
"""Those whose option has a counterpart that begins with --no."""


SELECTED = {
    "pass x as a tuple, or what is not to be explained, in this order, as additional_forward_args": (
        "a command gives it one. Explain it in Python, where a call takes the others, or by file.py:name "
        "and --trust a function of one input that has them"
    ),
    "result.isel(target=0)": "--target NAME",
    "result.isel(sample=result.file.values == result.file.values[0])": "--file NAME",
    "hypnogram=, or truth=": "truth=",
    "truth= when you call the Explainer": "--labels to freqig explain",
    "the name of its variable as name=": "the name of its variable as --option name=NAME",
}
"""What messages of figures select and add by calls of Python, and options that do so."""


def in_options(text: str) -> str:
    """A message for users of Python in the words of the command line.

    Examples
    --------
    >>> in_options("annotations must hold at least one label")
    '--labels must hold at least one label'
    >>> in_options("path must be that of a file, got a folder")
    'INPUT must be that of a file, got a folder'
    >>> in_options("select one, result.isel(sample=0)"), in_options("name must be a variable of attributions")
    ('select one, result.isel(sample=0)', '--variable must be a variable of attributions')
    >>> in_options("select one, for example result.isel(target=0)")
    'select one, for example --target NAME'
    >>> in_options("pass resample=100 for a file, or unit='uV'")
    "pass --resample 100 for a file, or --unit 'uV'"
    >>> in_options("pass unit='uV' to Explainer, or baseline=freqig.baselines.band_removed(8, 12)")
    "pass --unit 'uV', or --baseline band_removed:8:12"
    >>> in_options("pass class_axis=1 to Explainer, such as target=(None, 7), or probabilities=False")
    'pass --class-axis 1, such as --target predicted,7, or --no-probabilities'
    """
    # What a message is about stands at its beginning.
    text = re.sub(rf"^({NAME})(?= must\b)", lambda found: OPTIONS[found[1]], text)
    text = re.sub(rf"^({'|'.join(ARGUMENTS)})(?= must\b)", lambda found: ARGUMENTS[found[1]], text)
    text = re.sub(r"sorted\(pathlib\.Path\(folder\)\.glob\('([^']*)'\)\)", r"folder/\1", text)
    text = re.sub(r"^name(?= must be a variable\b)", "--variable", text)
    text = re.sub(r"(?:freqig\.)?Explainer\(model, (\w+=[^()]*)\)", r"\1", text)
    text = re.sub(r" (?:to|of) (?:an? |a new |the call of an )?Explainer\b", "", text)
    text = re.sub(r"\bfreqig\.methods\.(\w+)\b", lambda found: METHODS.get(found[1], found[0]), text)
    text = text.replace("such as freqig.Explainer", "such as --method gradients")
    text = re.sub(
        r"freqig\.Shapley\((?:model|function)\b[^()]*\)", "--method shapley of freqig explain", text
    )
    text = re.sub(r"baseline=freqig\.baselines\.data\([^()]*\)", "--baseline data:FILE", text)
    text = re.sub(r"baseline=freqig\.baselines\.(\w+)\(([\d.e, -]*)(?<!\.\.\.)\)", _rule, text)
    text = re.sub(r"domains=\[freqig\.(\w+)\([^)]*\)\]", lambda found: f"--domains {found[1].lower()}", text)
    text = re.sub(r"\btarget=\(([^()]*)\)", lambda found: f"--target {_joined(found[1], ',')}", text)
    text = re.sub(r"\boutput_key=\(([^()]*)\)", lambda found: f"--output-key {_joined(found[1], ':')}", text)
    for call, option in SELECTED.items():
        text = text.replace(call, option)
    text = text.replace("target=None", "--target predicted").replace("dtype=torch.", "--dtype ")
    return re.sub(r"  +", " ", BARE.sub(lambda found: OPTIONS[found[1]], NAMED.sub(_option, text)))


def _option(found: re.Match[str]) -> str:
    """An option in place of a parameter and its value, if that is a truth value."""
    option = OPTIONS[found[1]]
    if found[2] == "False" and found[1] in FLAGS:
        return option.replace("--", "--no-", 1)
    value_follows = re.match(r" *[^ ,;.)]", found.string[found.end() :])
    return f"{option} " if value_follows and not found[2] else option


def _rule(found: re.Match[str]) -> str:
    """A rule for baselines, with its numbers."""
    return "--baseline " + ":".join([found[1], *filter(None, re.split(r"[, ]+", found[2]))])


def _joined(values: str, by: str) -> str:
    """The values of a tuple, as they are typed."""
    parts = (one.strip().strip("'\"") for one in values.split(",") if one.strip())
    return by.join("predicted" if one == "None" else one for one in parts)
