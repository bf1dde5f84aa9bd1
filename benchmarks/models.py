"""Which exported models freqig explains rightly: a table, family by source.

Every network is exported to ONNX with a fixed batch of 1, of 7 and a free one, loaded by freqig, and
run on 1 and on 7 signals. A cell states the largest error of outputs and of gradients against the
original network, or why the file was refused.

    python benchmarks/models.py [--only SOURCE] [--json FILE] [--table FILE]

Cells that are in the JSON file already are not made again.

Needs TensorFlow, Keras, tf2onnx, onnxscript and what `freqig[onnx]` installs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
import zoo
from torch import Tensor

ABOUT = """# Exported models

Written by `benchmarks/models.py`. Every network is exported to ONNX with its batch size fixed to 1, to 7, and
free, loaded by freqig with onnx2fx and freqig's own Gather, and run on 1 and on 7 signals. Numbers are the
largest error of outputs / of gradients against the original network in its own framework, relative to the
largest value; right means both within 1e-4. In brackets, why a file was refused or could not be exported."""
LIBRARIES = ("torch", "onnx", "onnxruntime", "onnx2fx", "onnxscript", "keras", "tensorflow-cpu", "tf2onnx")
SOURCES = ("torch legacy", "torch dynamo", "tf2onnx", "keras export")
BATCHES = (1, 7, None)
RIGHT = 1e-4


def export_torch(family: str, batch: int | None, path: str, dynamo: bool) -> Callable:
    """Export a torch network; return its (outputs, gradients of the outputs' sum of squares)."""
    net = zoo.torch_net(family)
    x = torch.randn(batch or 3, zoo.CHANNELS, zoo.SAMPLES)
    keywords: dict[str, Any] = {"input_names": ["x"], "output_names": ["y"], "dynamo": dynamo}
    if batch is None and dynamo:
        keywords["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
    elif batch is None:
        keywords["dynamic_axes"] = {"x": {0: "batch"}, "y": {0: "batch"}}
    if dynamo:
        keywords["external_data"] = False
    # The fused kernel of an encoder layer in eval mode has no ONNX counterpart.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(net, (x,), path, **keywords)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return _torch_reference(net)


def _torch_reference(net: Callable) -> Callable:
    def reference(x: Tensor) -> tuple[Tensor, Tensor]:
        leaf = x.clone().requires_grad_()
        y = net(leaf)
        return y.detach(), torch.autograd.grad(y.square().sum(), leaf)[0]

    return reference


def export_tf2onnx(family: str, batch: int | None, path: str) -> Callable:
    """Export a Keras network that runs on TensorFlow through tf2onnx."""
    import tensorflow as tf
    import tf2onnx

    net = zoo.keras_net(family)
    spec = [tf.TensorSpec((batch, zoo.SAMPLES, zoo.CHANNELS), tf.float32, name="x")]
    function = tf.function(lambda x: net(x, training=False), input_signature=spec, autograph=False)
    tf2onnx.convert.from_function(function, input_signature=spec, output_path=path, opset=17)

    def reference(x: Tensor) -> tuple[Tensor, Tensor]:
        t = tf.constant(x.numpy())
        with tf.GradientTape() as tape:
            tape.watch(t)
            y = net(t, training=False)
            total = tf.reduce_sum(y**2)
        return torch.tensor(y.numpy()), torch.tensor(tape.gradient(total, t).numpy())

    return reference


def export_keras(family: str, batch: int | None, path: str) -> Callable:
    """Export a Keras network that runs on torch by Keras's own export."""
    import keras

    net = zoo.keras_net(family)
    spec = [keras.InputSpec(shape=(batch, zoo.SAMPLES, zoo.CHANNELS), dtype="float32", name="x")]
    with contextlib.redirect_stdout(io.StringIO()):
        net.export(path, format="onnx", input_signature=spec, verbose=False)
    return _torch_reference(lambda x: net(x, training=False))


EXPORT = {
    "torch legacy": lambda *a: export_torch(*a, dynamo=False),
    "torch dynamo": lambda *a: export_torch(*a, dynamo=True),
    "tf2onnx": export_tf2onnx,
    "keras export": export_keras,
}


def cell(source: str, family: str, batch: int | None) -> dict[str, Any]:
    """Export, load and compare one network."""
    from freqig.models import as_model

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "net.onnx")
        try:
            reference = EXPORT[source](family, batch, path)
        except Exception as error:  # noqa: BLE001 - exporters fail in every way there is
            return {"status": "no export", "why": _short(error)}
        try:
            model = as_model(path)
            output_error = gradient_error = 0.0
            for n in (1, 7):
                x = torch.randn((n, *_shape(source)), generator=torch.Generator().manual_seed(n))
                with model.session():
                    y = model.outputs(x, ())
                    _, gradients = model.value_and_gradient(
                        x, (), lambda raw: raw.square().flatten(1).sum(1, keepdim=True)
                    )
                expected, slope = reference(x)
                output_error = max(output_error, _relative(y, expected))
                gradient_error = max(gradient_error, _relative(gradients[:, 0], slope))
        except (ValueError, ImportError) as error:
            return {"status": "refused", "why": _short(error).replace(f"{folder}/", "")}
    right = max(output_error, gradient_error) <= RIGHT
    return {
        "status": "right" if right else "WRONG",
        "output": output_error,
        "gradient": gradient_error,
        "converter": model.description["converter"],
        "parity": model.description["parity"],
    }


def _shape(source: str) -> tuple[int, int]:
    first = source.startswith("torch")
    return (zoo.CHANNELS, zoo.SAMPLES) if first else (zoo.SAMPLES, zoo.CHANNELS)


def _relative(ours: Tensor, theirs: Tensor) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-9))


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:300]


def run(source: str, path: Path) -> None:
    """Fill in the cells of one source, in this process: Keras has one backend per process."""
    found = read(path)
    for family in zoo.TORCH:
        for batch in BATCHES:
            name = f"{family}|{source}|{batch or 'free'}"
            if name in found:
                continue
            start = time.perf_counter()
            found[name] = cell(source, family, batch)
            path.write_text(json.dumps(found, indent=1))
            seconds = time.perf_counter() - start
            print(f"{name}: {found[name]['status']}, {seconds:.0f} s", file=sys.stderr, flush=True)


def read(path: Path) -> dict[str, Any]:
    """Cells that an earlier run has filled in."""
    return json.loads(path.read_text()) if path.exists() else {}


def versions() -> str:
    """The libraries that were used."""
    found = []
    for name in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def table(cells: dict[str, Any]) -> str:
    """Markdown: one row per family and source, one column per exported batch size."""
    rows = {}
    for key, result in cells.items():
        family, source, batch = key.split("|")
        text = result["status"]
        if "output" in result:
            text += f" {result['output']:.0e} / {result['gradient']:.0e}"
        else:
            text += f" ({result['why'][:90]})"
        rows.setdefault((family, source), {})[batch] = text
    lines = ["| family | source | batch 1 | batch 7 | free batch |", "|---|---|---|---|---|"]
    for (family, source), by_batch in rows.items():
        columns = " | ".join(by_batch.get(b, "") for b in ("1", "7", "free"))
        lines.append(f"| {family} | {source} | {columns} |")
    whole = sum(
        len(r) == len(BATCHES) and all(t.startswith("right") for t in r.values()) for r in rows.values()
    )
    right = sum(r["status"] == "right" for r in cells.values())
    wrong = sum(r["status"] == "WRONG" for r in cells.values())
    lines.append(
        f"\n{whole} of {len(rows)} families × sources right at every batch size; "
        f"{right} of {len(cells)} files right, {wrong} silently wrong."
    )
    return "\n".join(lines)


def main() -> None:
    """Run every source in a process of its own and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=SOURCES)
    parser.add_argument("--json", type=Path, default=Path("models.json"))
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    if options.only:
        run(options.only, options.json)
        return
    for source in SOURCES:
        backend = "tensorflow" if source == "tf2onnx" else "torch"
        command = [sys.executable, __file__, "--only", source, "--json", str(options.json)]
        environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    text = f"{ABOUT}\n\n{versions()}.\n\n{table(read(options.json))}\n"
    if options.table:
        options.table.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
