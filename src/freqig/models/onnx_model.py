"""ONNX models: converted to PyTorch, and compared with onnxruntime before they are used."""

from __future__ import annotations

import hashlib
import os
from copy import copy
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from .fixed_batch import FixedBatch
from .hints import Hints, described
from .joined import JoinedInputs
from .onnx_convert import converters
from .onnx_parity import TOLERANCE, ConversionError, Parity
from .onnx_read import MAX_BYTES, NOT_TRUST, read
from .torch_model import TorchModel

Shape = tuple[int | None, ...]

# Random series on which a conversion is tried where the file fixes no batch size.
N_RANDOM = 8


class OnnxNet(nn.Module):
    """A converted graph, called with the batch sizes that its file allows.

    Every call without gradients is compared with onnxruntime.

    Parameters
    ----------
    net : torch.nn.Module
        Takes the file's inputs in order, returns its outputs.
    names : tuple of str
        Names of the outputs.
    shapes : tuple of tuple of int or None
        Declared shapes of the inputs.
    parity : Parity
        Holds onnxruntime's side.

    Attributes
    ----------
    n_signals : int
        How many of the inputs, the first ones, are explained.
    """

    n_signals = 1

    def __init__(
        self, net: nn.Module, names: tuple[str, ...], shapes: tuple[Shape, ...], parity: Parity
    ) -> None:
        super().__init__()
        batch = shapes[0][0]
        self.net = net if batch is None else FixedBatch(net, batch)
        self.names, self.shapes, self.parity = names, shapes, parity

    def forward(self, *inputs: Any) -> Any:
        """Return one tensor, or a dict of them by output name."""
        if len(inputs) != len(self.shapes):
            raise ValueError(
                f"the ONNX model takes {len(self.shapes)} inputs, got {len(inputs)}: pass x as a tuple, or "
                "what is not to be explained as additional_forward_args"
            )
        for one, shape in zip(inputs[: self.n_signals], self.shapes, strict=False):
            sizes = tuple(one.shape)
            if len(sizes) != len(shape) or any(
                declared not in (None, size) for declared, size in zip(shape[1:], sizes[1:], strict=True)
            ):
                raise ValueError(f"the ONNX model takes {described(shape)}, got {sizes}")
        outputs = self.run(*inputs)
        if not torch.is_grad_enabled():
            if self.parity.checked_inputs < self.n_signals:
                self.parity.on_random_data(self.run, inputs, self.n_signals)
            self.parity.on_data(outputs, inputs)
        return outputs

    def run(self, *inputs: Any) -> Any:
        """Call the graph without comparing anything."""
        n, found = len(inputs[0]), self.net(*inputs)
        outputs = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        for name, output in zip(self.names, outputs, strict=True):
            if not isinstance(output, Tensor) or output.shape[:1] != (n,):
                raise ValueError(
                    f"output {name!r} of the ONNX model must have the batch ({n}) first, got "
                    f"{getattr(output, 'shape', type(output))}"
                )
        return outputs[0] if len(outputs) == 1 else dict(zip(self.names, outputs, strict=True))


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
        runtime = _runtime(proto)
        first = runtime.get_inputs()[0]
        own = _dtype(first)
        if dtype not in (None, own):
            raise ValueError(f"dtype must be left out, or be that of the ONNX model, {own}, got {dtype}")
        shapes = tuple(_shape(value) for value in runtime.get_inputs())
        shape = shapes[0]
        if not shape:
            raise ValueError(f"input {first.name!r} of the ONNX model must have a batch axis, it is a scalar")
        names = tuple(output.name for output in runtime.get_outputs())
        sizes = [size for size in shape[1:] if size is not None]
        only = len(shapes) == 1 and len(sizes) == len(shape) - 1
        reasons = []
        for name, convert in converters():
            about: dict[str, str | int | float] = {
                "framework": "onnx",
                "class": proto.graph.name,
                "converter": name,
            }
            if shape[0] is not None:
                about["fixed_batch"] = shape[0]
            try:
                parity = Parity(runtime, own, shape[0], about)
                net = OnnxNet(convert(proto).eval(), names, shapes, parity)
                if device is not None:
                    net.to(device)
                super().__init__(net, own, device)
                if only:
                    probe = torch.zeros((shape[0] or N_RANDOM, *sizes), dtype=own, device=self.device)
                    parity.on_random_data(net.run, (probe,))
            except Exception as error:  # noqa: BLE001 - converters fail in every way there is
                line = (str(error).splitlines() or [""])[0].rstrip(".")
                reasons.append(f"{name}: {type(error).__name__}: {line}")
                continue
            self.description, self.hints = about, Hints(shape=shape)
            self._digest = hashlib.sha256(proto.SerializeToString(deterministic=True)).hexdigest()
            return
        raise ConversionError(
            f"no converter makes a faithful PyTorch model of {_called(source)}: {'; '.join(reasons)}. "
            f"{NOT_TRUST}; pass the original model instead"
        )

    def of_inputs(self, inputs: JoinedInputs) -> TorchModel:
        net: Any = copy(self.function)
        net.n_signals = len(inputs.shapes)
        return TorchModel.of_inputs(self.calling(net), inputs)

    def fingerprint(self) -> dict[str, str]:
        return {"fingerprint": f"sha256:{self._digest}"}


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


def _runtime(proto: Any) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "an ONNX model needs onnxruntime, to check its conversion: pip install freqig[onnx]"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ValueError(f"onnxruntime cannot run the ONNX model: {error}; {NOT_TRUST}") from error


def _shape(value: Any) -> Shape:
    return tuple(size if isinstance(size, int) and size > 0 else None for size in value.shape)


def _dtype(value: Any) -> torch.dtype:
    types = {"float16": torch.float16, "float": torch.float32, "double": torch.float64}
    found = types.get(value.type.removeprefix("tensor(").removesuffix(")"))
    if found not in TOLERANCE:
        raise ValueError(f"input {value.name!r} of the ONNX model must be floating, got {value.type}")
    return found


def _called(source: Any) -> str:
    return os.fspath(source) if isinstance(source, (str, PathLike)) else "the ModelProto"
