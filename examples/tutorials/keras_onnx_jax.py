"""
Keras, ONNX and JAX
===================

The same network written three times. Its explanations are the same, and so is the call.
"""

# %%
# One set of weights
# ------------------
# Energies behind four filters, then a number. Keras has its time axis before channels, as Keras models do.

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import tempfile
from pathlib import Path

import jax
import keras
import matplotlib.pyplot as plt
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

import freqig

FS, N, TAPS = 128.0, 256, 33
rng = np.random.default_rng(0)
taps = np.arange(TAPS) - TAPS // 2
filters = np.stack(
    [
        np.hanning(TAPS) * np.cos(2 * np.pi * hertz * taps / FS)
        for hertz in (6, 10, 16, 26)
    ]
)
filters = (filters / 10).astype(np.float32)
weights = np.array([[0.2], [3.0], [0.2], [-1.0]], dtype=np.float32)
time = np.arange(N) / FS
x = sum(
    np.sin(2 * np.pi * (hertz * time + rng.uniform(size=(4, 1))))
    for hertz in (6, 10, 26)
)
x = x.astype(np.float32)

# %%
# JAX
# ---
# A function of arrays, (batch, time) here, compiled or not.


@jax.jit
def in_jax(x):
    """Energies behind the filters, weighed."""
    rows = jax.lax.conv(x[:, None], filters[:, None], (1,), "SAME")
    return (rows**2).mean(-1) @ weights


results = {"JAX": freqig.Explainer(in_jax, fs=FS)(x, target=0)}

# %%
# Keras
# -----
# A model is explained with the backend that it runs on. A file of Keras is loaded by its path, in safe
# mode.

given = keras.Input((N, 1))
row = keras.layers.Conv1D(4, TAPS, padding="same", use_bias=False)(given)
row = keras.layers.GlobalAveragePooling1D()(keras.ops.square(row))
in_keras = keras.Model(given, keras.layers.Dense(1, use_bias=False)(row))
in_keras.set_weights([filters.T[:, None], weights])
results["Keras"] = freqig.Explainer(in_keras, fs=FS, time_axis=1)(
    x[..., None], target=0
)

# %%
# ONNX
# ----
# A file of ONNX is converted to PyTorch, and refused unless both give the same outputs and changes of
# outputs.

path = Path(tempfile.mkdtemp()) / "model.onnx"
nodes = [
    helper.make_node("Conv", ["x", "filters"], ["rows"], pads=[TAPS // 2, TAPS // 2]),
    helper.make_node("Mul", ["rows", "rows"], ["energy"]),
    helper.make_node("GlobalAveragePool", ["energy"], ["mean"]),
    helper.make_node("Flatten", ["mean"], ["flat"]),
    helper.make_node("MatMul", ["flat", "weights"], ["y"]),
]
graph = helper.make_graph(
    nodes,
    "energies",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, N])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1])],
    [
        numpy_helper.from_array(filters[:, None], "filters"),
        numpy_helper.from_array(weights, "weights"),
    ],
)
onnx.save(
    helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9),
    path,
)
results["ONNX"] = freqig.Explainer(path, fs=FS)(x[:, None], target=0)

# %%
# PyTorch, and all of them beside each other
# ------------------------------------------


def in_torch(x):
    """The same of tensors."""
    rows = torch.nn.functional.conv1d(
        x[:, None], torch.tensor(filters[:, None]), padding=TAPS // 2
    )
    return rows.square().mean(-1) @ torch.tensor(weights)


results["PyTorch"] = freqig.Explainer(in_torch, fs=FS)(x, target=0)
reference = results["PyTorch"].rfft.values.reshape(4, -1)
figure, axes = plt.subplots(
    4, sharex=True, sharey=True, figsize=(8, 5), layout="constrained"
)
for one, (name, result) in zip(axes, results.items(), strict=True):
    rfft = result.rfft.values.reshape(4, -1)
    one.bar(
        result.frequency,
        rfft[0],
        width=0.5,
        color=np.where(rfft[0] >= 0, "#b2182b", "#92c5de"),
    )
    off = abs(rfft - reference).max() / abs(reference).max()
    apart = f"within {off:.0e} of the largest" if off else "the same numbers"
    one.set_title(f"{name}: {apart}", loc="left", fontsize="medium")
axes[-1].set(xlim=(0, 32), xlabel="frequency (Hz)")
figure.supylabel("attribution")
