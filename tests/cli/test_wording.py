"""What errors advise on the command line can be typed there."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from click.testing import CliRunner, Result

import freqig
from freqig.cli import main
from freqig.cli._reading import read_model
from freqig.cli._wording import in_options

ROOT = Path(freqig.__file__).parent
ROOMS = {
    *(
        "_check",
        "bands",
        "baselines",
        "carriers",
        "checking",
        "chunks",
        "coalitions",
        "cohort",
        "completeness",
    ),
    *("diagnosis", "domains", "errors", "explain", "files", "foreign", "log_spectra", "memory", "methods"),
    *("models", "objective", "path", "plugins", "result", "signals"),
}
"""Where what `freqig explain`, `check` and `cohort` say comes from."""

OF_PYTHON = {
    "_check.py": "calls with wrong arguments",
    "bands.py": "results of Python",
    "baselines/reading.py": "objects of Python as a baseline",
    "checking.py": "arguments of freqig.check",
    "coalitions/settings.py": "index, which the command line leaves as it is",
    "cohort/job.py": "models that cannot be pickled, which the command line has workers import",
    "cohort/opening.py": "stores that are opened",
    "coalitions/method.py": "domains beside players, which the command line refuses",
    "domains/base.py": "domains made of others",
    "domains/preparing.py": "domains with names of the caller's",
    "domains/composition.py": "domains made of others",
    "domains/ica.py": "objects of other libraries",
    "domains/reading.py": "objects of Python as domains",
    "domains/rebuilding.py": "results, made into signals again",
    "explain/averages": "Explainer.average",
    "explain/many_files.py": "values for each sample",
    "explain/pieces.py": "loaders",
    "explain/settings.py": "the engine, which the command line leaves as it is",
    "explain/shares.py": "further arguments",
    "explain/shortfalls.py": "fixed nodes, of which the command line has none",
    "models/added.py": "for authors of other packages",
    "models/onnx/checked.py": "further arguments",
    "objective/argument_axes.py": "further arguments",
    "objective/arguments.py": "further arguments",
    "plugins.py": "for authors of other packages",
    "files/formats.py": "for authors of other packages",
    "result/reading.py": "results that were changed",
    "result/samples.py": "results that were changed",
    "signals/reading.py": "several inputs",
    "signals/refused.py": "objects of Python as signals",
    "signals/tables.py": "objects of Python as signals",
    "cohort/recordings.py": "names, for which a file can be renamed as well",
}
"""Files whose advice, as far as it names parameters, is about what cannot come from the command line."""

OF_MODELS = ("sfreq", "n_chans", "n_times")
"""Names that models have for what they were built for."""


def messages() -> Iterator[tuple[str, str]]:
    """Every text in the package that may be part of a message, with its file; a 7 stands for what varies."""
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        if place.parts[0].removesuffix(".py") not in ROOMS:
            continue
        nodes = list(ast.walk(ast.parse(path.read_text())))
        beside = {node.value for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                beside |= {part for part in ast.walk(node) if part is not node}
        for node in nodes:
            if node in beside:
                continue
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield str(place), node.value
            elif isinstance(node, ast.JoinedStr):
                yield (
                    str(place),
                    "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values),
                )


def options() -> set[str]:
    """All options of all commands."""
    return {
        option
        for command in main.commands.values()
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }


def in_words(text: str) -> bool:
    """Whether a text is a message and no name, pattern or repr."""
    return len(text.split()) > 3 and not re.match(r"\w+=7,", text)


def test_no_message_names_what_cannot_be_typed() -> None:
    known, found = options(), []
    for place, text in messages():
        if not in_words(text) or place.startswith(tuple(OF_PYTHON)):
            continue
        told = in_options(text)
        wrong = [option for option in re.findall(r"(?<![-\w])--[a-z][-a-z]*", told) if option not in known]
        # Recipes in other libraries, which are for the file of the model, are calls.
        bare = re.sub(r"\b(?!freqig)[\w.]+\([^()]*(?:\([^()]*\))?[^()]*\)", "", told)
        wrong += [one for one in re.findall(r"\b([a-z_]\w*)=(?!=)", bare) if one not in OF_MODELS]
        wrong += re.findall(r"(?<!@)\bfreqig\.[a-zA-Z]\w*(?:\.\w+)*|\bExplainer\b", bare)
        found += [f"{place}: {told!r} has {wrong}"] if wrong else []
    assert not found, "\n".join(found)


NET = """
import torch

torch.manual_seed(0)
each = torch.nn.Conv1d(2, 3, 1)
dense = torch.nn.Linear(2 * 16, 3)
flat = lambda x: dense(x.flatten(1))
steps = lambda x: each(x)
last = lambda x: flat(x.transpose(1, 2))
several = lambda x: {"heads": {"stage": flat(x), "age": 2 * flat(x)}, "aux": x}
together = lambda x: flat(x - x.mean(0, keepdim=True))
soft = lambda x: flat(x).softmax(-1)
sure = lambda x: flat(x) + torch.tensor([50.0, 0, 0])
wide = lambda x: flat(x) + 1e6


class Last(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = torch.nn.Linear(2, 3)

    def forward(self, x):
        return self.dense(x).mean(1)


turned = Last()
"""


def series(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(4, 2, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wording")
    (path / "net.py").write_text(NET)
    for seed, name in enumerate(("x", "rest")):
        np.save(path / f"{name}.npy", series(seed))
    return path


def typed(folder: Path, model: str, *more: str) -> Result:
    out = folder / "out.nc"
    line = ["explain", f"{folder}/net.py:{model}", f"{folder}/x.npy", "--trust", "--fs", "100", "--force"]
    return CliRunner().invoke(main, [*line, "--out", str(out), *more])


@pytest.mark.parametrize(
    ("model", "option", "advice", "truth"),
    [
        ("steps", "--class-axis 1 --target predicted,7", "--class-axis 1", lambda y: y[:, :, 7].amax(1)),
        ("steps", "--target 2,7", "--target 0,0", lambda y: y[:, 2, 7]),
        (
            "several",
            "--output-key heads:age --target 1",
            "--output-key heads:stage",
            lambda y: y["heads"]["age"][:, 1],
        ),
        ("turned", "--layout N,T,C --target 1", "--layout 'N,T,C'", lambda y: y[:, 1]),
        (
            "soft",
            "--no-probabilities --target 1 --output log_prob",
            "--no-probabilities",
            lambda y: y.log_softmax(-1)[:, 1],
        ),
        ("soft", "--probabilities --target 1 --output log_prob", "--probabilities", lambda y: y[:, 1].log()),
        ("sure", "--baseline data:{folder}/rest.npy --target 0", "--baseline data:FILE", lambda y: y[:, 0]),
    ],
)
def test_what_is_advised_can_be_typed_and_is_right(
    folder: Path, model: str, option: str, advice: str, truth: Callable[[Any], torch.Tensor]
) -> None:
    scale = option.partition("--output ")[2] or "logit"
    assert advice in typed(folder, model, "--output", scale).stderr
    done = typed(folder, model, *option.format(folder=folder).split())
    assert done.exit_code == 0, done.stderr
    result = xr.load_dataset(folder / "out.nc")
    x = torch.from_numpy(series(0))
    net = read_model(f"{folder}/net.py:{model}", trust=True)
    with torch.no_grad():
        expected = truth(net(x.mT if model == "turned" else x))
    np.testing.assert_allclose(result.output, expected, rtol=1e-5, atol=1e-6)
    start = result.baseline_output.values
    if "data" in option:
        # Of a linear model the mean output is that of the mean baseline.
        rest = torch.from_numpy(series(1))
        np.testing.assert_allclose(start, net(rest)[:, 0].mean().item(), rtol=1e-5)
    total = result.rfft.sum([dim for dim in result.rfft.dims if dim != "sample"])
    np.testing.assert_allclose(total, result.output - start, rtol=2e-2, atol=1e-5)


def test_a_model_that_looks_at_its_batch(folder: Path) -> None:
    assert "pass --no-batch-independent, which" in typed(folder, "together").stderr
    assert typed(folder, "together", "--no-batch-independent").exit_code == 0


def test_more_evaluations_memory_and_dtype(folder: Path) -> None:
    assert "--dtype float64" in typed(folder, "wide", "--tol", "1e-9").stderr
    assert "--memory must be" in typed(folder, "flat", "--memory", "much").stderr
    assert typed(folder, "flat", "--memory", "1GB", "--max-evaluations", "50").exit_code == 0


def test_settings_of_a_method_are_told_from_options_of_the_same_name(folder: Path) -> None:
    told = typed(folder, "flat", "--method", "occlusion", "--set", "step=2").stderr
    assert "--set step must be omitted" in told


def test_one_domain_with_several_numbers(folder: Path) -> None:
    assert typed(folder, "flat", "--domains", "stft:0.04,stft:0.08").exit_code == 0
    result = xr.load_dataset(folder / "out.nc")
    assert {"stft_0_04", "stft_0_08"} <= set(result)


def test_figures_of_many_recordings_name_options_that_select_one(tmp_path: Path) -> None:
    """What `freqig plot` advises can be typed, and draws what a selection in Python does."""
    weights = torch.randn(3, 32, generator=torch.manual_seed(0))
    explainer = freqig.Explainer(lambda x: x.flatten(1) @ weights.T, fs=8.0, classes=("W", "N1", "N2"))
    names = ("sample", ["a.edf", "b.edf", "a.edf", "b.edf"])
    result = explainer(series(0).reshape(4, 1, 32), truth=["W"] * 4).assign_coords(file=names)
    every = explainer(series(0).reshape(4, 1, 32), target="all")
    bands = {"slow": (0, 2), "fast": (2, 4)}
    freqig.plots.night(result.isel(sample=[1, 3]), bands=bands)[0].figure.savefig(
        tmp_path / "python.png", dpi=200
    )
    for name, one in {"two": result, "every": every, "bare": result.drop_vars("truth")}.items():
        one.to_netcdf(tmp_path / f"{name}.nc", engine="h5netcdf")

    def plotted(name: str, kind: str, *more: str) -> Result:
        shared = ("--bands", "slow=0-2,fast=2-4", "--out", str(tmp_path / "typed.png"), "--force")
        line = ["plot", str(tmp_path / f"{name}.nc"), kind, *(shared if kind == "night" else shared[2:])]
        return CliRunner().invoke(main, [*line, *more])

    assert "select one, for example --file NAME" in plotted("two", "night").stderr
    assert plotted("two", "night", "--file", "b.edf").exit_code == 0
    assert (tmp_path / "typed.png").read_bytes() == (tmp_path / "python.png").read_bytes()
    assert (
        "--file must be one of a.edf, b.edf, got 'c.edf'" in plotted("two", "night", "--file", "c.edf").stderr
    )
    assert "--file must be omitted for a result" in plotted("every", "spectrum", "--file", "a.edf").stderr
    assert "select one, for example --target NAME" in plotted("every", "spectrum").stderr
    assert plotted("every", "spectrum", "--target", "N2").exit_code == 0
    assert "pass --labels to freqig explain" in plotted("bare", "night", "--file", "a.edf").stderr
    assert "as --option name=NAME" in plotted("two", "spectrogram").stderr
