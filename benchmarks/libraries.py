"""Models of braindecode and transformers, as these libraries make them: which are explained, and how well.

    python benchmarks/libraries.py [--only NAME] [--table FILE]

Weights are random, as they come. One series of noise is explained with tol=0.01, and its attributions in time
are held against Gauss-Legendre quadrature with autograd alone, 16 nodes in each of 16 intervals that become
narrower towards the baseline. Where torchaudio does not import, as beside a build of PyTorch for CPUs, a
stand-in takes its place, and models that use it are not tried.

Needs braindecode and transformers.
"""

from __future__ import annotations

import argparse
import inspect
import itertools
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import machine
from torch import Tensor, nn

import freqig

FS, TOL, NODES, INTERVALS, MOST = 250.0, 0.01, 16, 16, 100
NAMES = (
    *("Fz", "FC3", "FC1", "FCz", "FC2", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6"),
    *("CP3", "CP1", "CPz", "CP2", "CP4", "P1", "Pz", "P2", "POz"),
)
"""Channels of the motor imagery data that these networks are mostly used with."""
EEG = {"n_outputs": 4, "n_times": 1000, "sfreq": FS}

Case = tuple[nn.Module, np.ndarray, dict[str, Any]]
"""A network, a batch of one series, and settings of its Explainer."""


def _stand_in(name: str) -> types.ModuleType:
    """A module in which every class is an empty network, and every function an error."""

    def lookup(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if attribute[0].isupper():
            return type(attribute, (nn.Module,), {})
        return sys.modules.get(f"{name}.{attribute}", refuse)

    def refuse(*_: Any, **__: Any) -> None:
        raise ImportError("it uses torchaudio, which does not import here")

    module = types.ModuleType(name)
    module.__dict__.update(__getattr__=lookup, __path__=[], __spec__=ModuleSpec(name, None))
    return module


def braindecode() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Networks for four classes of EEG, and for five stages of sleep where they take nothing else."""
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError):
        for name in ("torchaudio", "torchaudio.functional", "torchaudio.transforms", "torchaudio.models"):
            sys.modules[name] = _stand_in(name)
    import mne
    from braindecode.models import util

    util._init_models_dict()
    info = mne.create_info(list(NAMES), FS, "eeg")
    info.set_montage(mne.channels.make_standard_montage("standard_1020"))
    sleep = {"n_chans": 2, "n_outputs": 5, "n_times": 3000, "sfreq": 100.0}
    ways = ({"n_chans": len(NAMES), "chs_info": info["chs"], **EEG}, sleep, {**sleep, "n_chans": 1})

    def make(network: type[nn.Module]) -> Case:
        failed: Exception | None = None
        for way in ways:
            try:
                net = network(**way).eval()
                x = noise(way["n_chans"], way["n_times"])
                with torch.no_grad():
                    net(torch.from_numpy(x))
            except Exception as error:  # noqa: BLE001 - whatever a network says of these signals
                failed = failed or error
                continue
            return net, x, {}
        raise failed or RuntimeError

    for name, network in sorted(util.models_dict.items()):
        yield name, lambda network=network: make(network)


def transformers() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Small networks for waveforms, (N, time), and for series of two channels, (N, time, channel)."""
    import transformers as library

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    layers = {"conv_dim": (16,) * 3, "conv_stride": (5, 4, 4), "conv_kernel": (10, 8, 4), "num_labels": 3}
    about = {"num_feat_extract_layers": 3, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    for name in ("Data2VecAudio", "Hubert", "SEW", "UniSpeech", "Wav2Vec2", "WavLM"):
        config, network = (getattr(library, name + end) for end in ("Config", "ForSequenceClassification"))

        def of_sound(config: Any = config, network: Any = network) -> Case:
            return network(config(**small, **layers, **about)).eval(), noise(4000)[:, 0], {"fs": 16_000}

        yield f"{name}ForSequenceClassification", of_sound
    patches = {"num_input_channels": 2, "context_length": 128, "patch_length": 16, "patch_stride": 8}
    for name, key in (
        ("PatchTSTForClassification", None),
        ("PatchTSTForRegression", None),
        ("PatchTSTForPrediction", "prediction_outputs"),
        ("PatchTSMixerForTimeSeriesClassification", "prediction_outputs"),
        ("PatchTSMixerForPrediction", "prediction_outputs"),
    ):

        def of_series(name: str = name, key: str | None = key) -> Case:
            config = getattr(library, name.partition("For")[0] + "Config")(
                **patches, num_targets=3, prediction_length=8, d_model=32
            )
            how = {"fs": FS, "time_axis": 1, "output_key": key}
            return getattr(library, name)(config).eval(), noise(2, 128).swapaxes(1, 2), how

        yield name, of_series


def noise(*shape: int) -> np.ndarray:
    """One series; one channel where none is given."""
    shape = shape if len(shape) > 1 else (1, *shape)
    return np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)


def by_quadrature(net: nn.Module, x: Tensor, place: tuple[int, ...], key: str | None) -> Tensor:
    """What is x times the mean gradient of one output from 0 to x."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    edges = np.concatenate([[0.0], 2.0 ** np.arange(1 - INTERVALS, 1)])
    total = torch.zeros(x.shape, dtype=torch.float64)
    for low, high in itertools.pairwise(edges):
        for node, weight in zip(
            (low + high + (high - low) * nodes) / 2, (high - low) * weights / 2, strict=True
        ):
            point = (node * x).requires_grad_()
            scores = _scores(net(point), key)
            total += weight * torch.autograd.grad(scores[(0, *place)], point)[0].double()
    return x.double() * total


def _scores(outputs: Any, key: str | None) -> Tensor:
    """One tensor of outputs, as `output_key` chooses it."""
    if isinstance(outputs, Tensor):
        return outputs
    return outputs[key] if key else next(one for one in outputs.values() if isinstance(one, Tensor))


def row(name: str, make: Callable[[], Case]) -> str:
    """A row of the table."""
    torch.manual_seed(0)
    try:
        net, x, how = make()
        key = how.get("output_key")
        with torch.no_grad():
            shape = tuple(_scores(net(torch.from_numpy(x)), key).shape)
    except Exception as error:  # noqa: BLE001 - told in the table
        return f"| {name} | | not tried: {_short(error)} | | |"
    # Of more than classes the first output is explained.
    first = (0,) * (len(shape) - 1)
    try:
        explainer = freqig.Explainer(net, domains=freqig.Time("in_time"), tol=TOL, progress=False, **how)
        result = explainer(x, target=None if len(shape) == 2 else first)
    except Exception as error:  # noqa: BLE001 - told in the table
        return f"| {name} | {shape} | refused: {_short(error)} | | |"
    place = (int(result.target.values.ravel()[0]),) if len(shape) == 2 else first
    truth = by_quadrature(net, torch.from_numpy(x), place, key).numpy()
    found = result.in_time.values.swapaxes(1, -1) if "time_axis" in how else result.in_time.values
    error = 100 * np.abs(found - truth).sum() / np.abs(truth).sum()
    status = result.status.attrs["flag_meanings"].split()[int(result.status.values[0])]
    return f"| {name} | {shape} | {status} | {int(result.n_evaluations.values[0])} | {error:.2g} |"


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) < MOST else text[:MOST] + " …"


def main() -> None:
    """Read options, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", help="explain one model; repeatable")
    parser.add_argument("--table", type=Path, help="where the table is written")
    options = parser.parse_args()
    torch.set_num_threads(1)
    about = inspect.cleandoc(__doc__ or "").split("\n\n")[2]
    lines = ["# Models of other libraries", "", about, "", machine() + ".", ""]
    for library in (braindecode, transformers):
        lines += [f"## {library.__name__} {version(library.__name__)}", ""]
        lines += ["| model | outputs | status | evaluations | off by, % |", "|---|---|---|---|---|"]
        for name, make in library():
            if options.only is None or name in options.only:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    lines.append(row(name, make))
                print(lines[-1], flush=True)
        lines.append("")
    if options.table:
        options.table.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
