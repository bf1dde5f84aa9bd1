"""ONNX models: converted to PyTorch, and compared with onnxruntime before they are used."""

from __future__ import annotations

import hashlib
import os
from copy import copy
from os import PathLike
from typing import Any

import torch

from ...errors import add_context
from ..content import NOT_TRUST
from ..hints import Hints
from ..joined import BeginningOfInput, JoinedInputs
from ..outputs import OutputKey
from ..torch.model import TorchModel
from .batch import BatchError, check_rows, explain_failure
from .checked import OnnxNet
from .convert import converters
from .first_call import FirstCalls
from .limits import LimitError, Limits
from .net import Graph, Runtime
from .parity import TOLERANCE, ConversionError, Parity
from .read import MAX_BYTES, read
from .trial import try_out
from .values import DTYPES, Declared

HALF = 10
"""Number of float16 among the types of ONNX."""


class OnnxModel(TorchModel):
    """An ONNX model; every batch of which only outputs are asked is compared with onnxruntime.

    Parameters
    ----------
    source : path or onnx.ModelProto
        The model.
    dtype : torch.dtype, optional
        Must be that of the file.
    device : torch.device or str, optional
        Where the converted model runs; the CPU by default.
    max_bytes : int
        Largest size accepted, external data included.

    Raises
    ------
    ImportError
        When onnx, onnxruntime or every converter is missing.
    PermissionError
        For external data outside the model's folder.
    ValueError
        For a file that cannot be read, run or converted, or whose conversion does not do what
        onnxruntime does.
    """

    def __init__(
        self,
        source: Any,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        *,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        proto = read(source, max_bytes)
        _check_scalars(proto, _called(source))
        _check_rounding(proto, _called(source))
        limits, content = Limits(proto, _called(source)), proto.SerializeToString()
        if memory := limits.of_file():
            try_out(content, limits.name, memory)
        session = session_of(content, _called(source))
        inputs = tuple(map(Declared.of, session.get_inputs()))
        outputs = tuple(map(Declared.of, session.get_outputs()))
        own = _dtype(inputs[0])
        if dtype not in (None, own):
            raise ValueError(f"dtype must be left out, or be that of the ONNX model, {own}, got {dtype}")
        if not inputs[0].sizes:
            raise ValueError(
                f"input {inputs[0].name!r} of the ONNX model must have a batch axis, it is a scalar"
            )
        check = FirstCalls(limits, content, inputs)
        runtime = Graph(Runtime(session), inputs, outputs, check)
        reasons = []
        for name, convert in converters():
            about: dict[str, str | int | float] = {
                "framework": "onnx",
                "class": proto.graph.name,
                "converter": name,
            }
            if isinstance(runtime.batch, int):
                about["fixed_batch"] = runtime.batch
            try:
                converted = Graph(convert(proto).eval(), inputs, outputs, check)
                net = OnnxNet(converted, Parity(runtime, _coarsest(proto, own), about))
                net.called = _called(source)
                if device is not None:
                    net.to(device)
                super().__init__(net, own, device)
                _try_out(net, own, self.device)
            except LimitError:
                raise
            except BatchError as error:
                add_context(error, f"in {_called(source)}")
                raise
            except Exception as error:  # noqa: BLE001 - converters fail in every way there is
                line = (str(error).splitlines() or [""])[0].rstrip(".")
                reasons.append(f"{name}: {type(error).__name__}: {line}")
                continue
            self.description, self.hints = about, Hints(shape=inputs[0].shape)
            self._inputs, self._further = inputs, inputs[1:]
            self._digest = hashlib.sha256(proto.SerializeToString(deterministic=True)).hexdigest()
            return
        raise ConversionError(
            f"no converter makes a faithful PyTorch model of {_called(source)}: {'; '.join(reasons)}. "
            f"{NOT_TRUST}; pass the original model instead"
        )

    def of_inputs(self, inputs: JoinedInputs | BeginningOfInput) -> TorchModel:
        net, twin = copy(self.function), copy(self)
        net.n_signals = len(inputs.shapes)  # type: ignore[attr-defined]
        twin._further = self._inputs[len(inputs.shapes) :]
        return TorchModel.of_inputs(twin.calling(net), inputs)

    def sample_axis(self, i: int, shape: tuple[int, ...], n_samples: int) -> int | None:
        if i >= len(self._further):
            return super().sample_axis(i, shape, n_samples)
        axes = self._further[i].batch_axes(shape, n_samples, self._inputs[0].sizes[0])
        return axes[0] if axes else None

    def choosing(self, output_key: OutputKey) -> TorchModel:
        net: Any = copy(self.function)
        names = [declared.name for declared in net.net.outputs]
        if output_key is None:
            return self
        known = output_key in (names if isinstance(output_key, str) else range(len(names)))
        if len(names) == 1 or not known:
            raise ValueError(
                f"output_key must be one of {names} for this ONNX model"
                f"{', or be left out' if len(names) == 1 else ''}, got {output_key!r}"
            )
        net.output_key = output_key
        net.parity.judge(net.name)
        return self.calling(net)

    def fingerprint(self) -> dict[str, str]:
        return {"fingerprint": f"sha256:{self._digest}"}


def _check_rounding(proto: Any, called: str) -> None:
    """Refuse files that round what they compute: their outputs have no slope that says anything."""
    operators = {node.op_type for node in proto.graph.node}
    quantised = sorted(
        name
        for name in operators
        if "QuantizeLinear" in name.replace("DequantizeLinear", "")
        or name.startswith("QLinear")
        or name.endswith("Integer")
    )
    if quantised:
        raise ConversionError(
            f"{called} is quantised: {', '.join(quantised)} round what the network computes, so that its "
            "output moves in steps and has no gradient of its own. Pass the model from before quantisation, "
            "or explain without gradients: freqig.Shapley(function, fs=...), where function runs the file "
            "by onnxruntime"
        )


def adapt(model: Any, dtype: torch.dtype | None, device: torch.device | str | None) -> OnnxModel:
    """Make a model of an `onnx.ModelProto`."""
    return OnnxModel(model, dtype, device)


def load(
    path: str | PathLike[str],
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    trust: bool = False,  # noqa: ARG001 - one signature for all files
) -> OnnxModel:
    """Load an ONNX file; `trust` changes nothing, for nothing in the file is run as code."""
    return OnnxModel(path, dtype, device)


def session_of(content: bytes | str, called: str = "the ONNX model") -> Any:
    """Start onnxruntime with a model, serialized, or with the path of its file; errors call it as told.

    Raises
    ------
    ImportError
        Without onnxruntime.
    ValueError
        If it cannot run the model.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "an ONNX model needs onnxruntime, to check its conversion: pip install freqig[onnx]"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it says is raised as well
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ValueError(f"onnxruntime cannot run {called}: {error}; {NOT_TRUST}") from error


def _check_scalars(proto: Any, called: str) -> None:
    """Refuse a file all of whose outputs are declared as scalars."""
    kinds = [(value.name, value.type.tensor_type) for value in proto.graph.output]
    if all(kind.HasField("shape") and not kind.shape.dim for _, kind in kinds):
        try:
            check_rows(kinds[0][0], torch.zeros(()), 1)
        except BatchError as error:
            add_context(error, f"in {called}")
            raise


def _coarsest(proto: Any, own: torch.dtype) -> torch.dtype:
    """Dtype by whose rounding outputs may differ: half precision where a graph casts to it on its way."""
    nodes = [*proto.graph.node, *(node for function in proto.functions for node in function.node)]
    casts = (one.i for node in nodes if node.op_type == "Cast" for one in node.attribute if one.name == "to")
    return torch.float16 if HALF in casts else own


def _try_out(net: OnnxNet, dtype: torch.dtype, device: torch.device) -> None:
    """Compare with onnxruntime on random series, where the file says all of their sizes."""
    inputs, parity = net.net.inputs, net.parity
    sizes = inputs[0].shape[1:]
    if len(inputs) > 1 or None in sizes:
        return
    like = torch.zeros(tuple(size or 0 for size in sizes), dtype=dtype, device=device)
    try:
        outputs = parity.on_random_data(net.net, like)
    except Exception as error:  # noqa: BLE001 - what the graph's own operators raise
        explain_failure(parity.runtime, (torch.stack([like, like]),), error)
    if not any(output.shape[:1] == (2,) for output in outputs.values()):
        first = net.net.outputs[0].name
        check_rows(first, outputs.get(first), 2)
    parity.judge(net.name)


def _dtype(value: Declared) -> torch.dtype:
    found = DTYPES.get(value.type)
    if found not in TOLERANCE:
        raise ValueError(
            f"input {value.name!r} of the ONNX model must be floating to be explained, got {value.type}"
        )
    return found


def _called(source: Any) -> str:
    return os.fspath(source) if isinstance(source, (str, PathLike)) else "the ModelProto"
