"""ONNX models: converted to torch, and compared with onnxruntime before they are used."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .base import Raw
from .fixedbatch import FixedBatch
from .onnx_convert import converters
from .onnx_read import MAX_BYTES, read
from .torch_ import TorchModel

TOLERANCE = {torch.float16: 1e-2, torch.float32: 1e-4, torch.float64: 1e-6}
SLOPE_TOLERANCE = 0.25  # finite differences in float32 across the kinks of a network
_NOT_TRUST = "trust=True does not change this"


class ConversionError(ValueError):
    """A converted model does not do what onnxruntime does."""


class OnnxNet(nn.Module):
    """A converted graph, called with the batch sizes its file allows.

    Parameters
    ----------
    net : nn.Module
        Takes the file's inputs in order, returns its outputs.
    names : sequence of str
        Names of the outputs.
    batch : int or None
        The batch size the file fixes. P points then run in calls of that many, the
        last one filled up with copies of its last point, never in another size.
    """

    def __init__(self, net: nn.Module, names: tuple[str, ...], batch: int | None) -> None:
        super().__init__()
        self.net = net if batch is None else FixedBatch(net, batch)
        self.names = names

    def forward(self, *inputs: Tensor) -> Raw:
        """Return one tensor, or a dict of them by output name."""
        n, found = len(inputs[0]), self.net(*inputs)
        outputs = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        for name, output in zip(self.names, outputs, strict=True):
            if not isinstance(output, Tensor) or output.shape[:1] != (n,):
                raise ValueError(
                    f"output {name!r} of the ONNX model does not have the batch ({n}) first: "
                    f"{getattr(output, 'shape', type(output))}"
                )
        return outputs[0] if len(outputs) == 1 else dict(zip(self.names, outputs, strict=True))


class OnnxModel(TorchModel):
    """An ONNX model; every batch that `outputs` sees is compared with onnxruntime.

    Parameters
    ----------
    source : path or onnx.ModelProto
    max_bytes : int
        Largest size accepted, external data included.

    Raises
    ------
    ImportError
        When onnx, onnxruntime or every converter is missing.
    PermissionError
        For external data outside the model's folder.
    ValueError
        For a file that cannot be read, run or converted, or whose conversion does not
        do what onnxruntime does.
    """

    def __init__(self, source: Any, *, max_bytes: int = MAX_BYTES) -> None:
        proto = read(source, max_bytes)
        self._runtime = _session(proto)
        first = self._runtime.get_inputs()[0]
        self._shape = tuple(d if isinstance(d, int) and d > 0 else None for d in first.shape)
        dtype = _dtype(first)
        batch = self._shape[0] if self._shape else None
        names = tuple(o.name for o in self._runtime.get_outputs())
        reasons = []
        for name, convert in converters():
            try:
                net = OnnxNet(convert(proto).eval(), names, batch)
                super().__init__(net)
                self.dtype, self._checked, self._worst = dtype, False, 0.0
                self.description |= {
                    "framework": "onnx",
                    "class": proto.graph.name,
                    "converter": name,
                }
                if batch is not None:
                    self.description["onnx_batch"] = batch
                if None not in self._shape[1:] and len(self._runtime.get_inputs()) == 1:
                    self._check_random(self._shape[1:], ())
                return
            except Exception as error:  # converters fail in every way there is
                first_line = (str(error).splitlines() or [""])[0]
                reasons.append(f"{name}: {type(error).__name__}: {first_line}")
        raise ConversionError(
            f"no converter makes a faithful torch model of {_called(source)}: "
            f"{'; '.join(reasons)}. {_NOT_TRUST}; give the original model instead"
        )

    def outputs(self, points: Tensor, extra: tuple) -> Raw:
        """Return the raw outputs for P points, compared with onnxruntime's."""
        expected = tuple(points.shape[1:])
        fixed = self._shape[1:]
        if len(expected) != len(fixed) or any(
            f not in (None, e) for e, f in zip(expected, fixed, strict=False)
        ):
            wanted = tuple("any" if f is None else f for f in fixed)
            raise ValueError(f"the ONNX model takes (batch, *{wanted}), got {tuple(points.shape)}")
        if not self._checked:
            self._check_random(expected, extra)
        raw = super().outputs(points, extra)
        self._compare(raw, points, extra, "the data given")
        return raw

    def _check_random(self, shape: tuple[int | None, ...], extra: tuple) -> None:
        """Compare outputs and slopes on random data."""
        n = len(extra[0]) if extra else 8
        generator = torch.Generator().manual_seed(0)

        def random(size: tuple[int, ...]) -> Tensor:
            drawn = torch.randn(size, generator=generator, dtype=torch.float64)
            return drawn.to(self.device, self.dtype)

        points, direction, step = random((n, *shape)), random((n, *shape)), 1e-2
        with torch.no_grad():
            self._compare(self.model(points, *extra), points, extra, "random data")
        leaf = points.clone().requires_grad_()
        with torch.enable_grad():
            outputs = _floating(self.model(leaf, *extra))
            mixes = [random(tuple(o.shape)) for o in outputs]
            total = sum((m * o).sum() for m, o in zip(mixes, outputs, strict=True))
        (gradient,) = torch.autograd.grad(total, leaf)
        slopes = (gradient * direction).flatten(1).sum(1)
        ahead = self._run(points + step * direction, extra)
        behind = self._run(points - step * direction, extra)
        numeric, noise = torch.zeros_like(slopes), 0.0
        for mix, a, b in zip(mixes, ahead, behind, strict=True):
            difference = torch.from_numpy(a - b).to(mix) / (2 * step)
            numeric += (mix * difference).flatten(1).sum(1)
            noise += float(np.abs(a).max(initial=0)) * 1e-6 / step  # of rounding
        error, size = float((slopes - numeric).norm()), float(numeric.norm())
        self._slope = error / (size + noise) if error else 0.0
        if not self._slope <= SLOPE_TOLERANCE:
            raise ConversionError(
                f"gradients differ from onnxruntime's finite differences by {self._slope:.0%}"
            )
        self._checked = True

    def _compare(self, raw: Raw, points: Tensor, extra: tuple, what: str) -> None:
        worst = 0.0
        for ours, theirs in zip(_floating(raw), self._run(points, extra), strict=True):
            scale = float(np.abs(theirs).max(initial=0)) + 1e-6
            mine = ours.cpu().numpy()
            same = mine.shape == theirs.shape
            worst = max(
                worst, float(np.abs(mine - theirs).max(initial=0)) / scale if same else np.inf
            )
        if not worst <= TOLERANCE[self.dtype]:
            raise ConversionError(
                f"outputs differ from onnxruntime's by {worst:.2g} of their size on {what}, "
                f"allowed is {TOLERANCE[self.dtype]:g}"
            )
        self._worst = max(self._worst, worst)
        slope = getattr(self, "_slope", None)
        self.description["parity"] = (
            f"outputs within {self._worst:.1e} of onnxruntime {_version()}"
            + ("" if slope is None else f", slopes within {slope:.1e}")
            + f" (random data{'' if what == 'random data' else ' and yours'})"
        )

    def _run(self, points: Tensor, extra: tuple) -> list[np.ndarray]:
        """Floating outputs of onnxruntime, in the batch size of the file."""
        inputs = [np.asarray(i.detach().cpu()) for i in (points, *extra)]
        n, batch = len(points), self._shape[0] or len(points)
        parts = []
        for start in range(0, n, batch):
            rows = np.minimum(np.arange(start, start + batch), n - 1)
            feed = zip(self._runtime.get_inputs(), inputs, strict=True)
            parts.append(self._runtime.run(None, {i.name: a[rows] for i, a in feed}))
        whole = [np.concatenate(part)[:n] for part in zip(*parts, strict=True)]
        return [w for w in whole if np.issubdtype(w.dtype, np.floating)]


def load(source: str | PathLike[str] | Any, *, trust: bool = False) -> OnnxModel:
    """Load an ONNX file or ``ModelProto``; ``trust`` changes nothing, nothing is run."""
    return OnnxModel(source)


def _floating(raw: Raw) -> tuple[Tensor, ...]:
    outputs = raw.values() if isinstance(raw, Mapping) else [raw]
    return tuple(o for o in outputs if o.is_floating_point())


def _session(proto: Any) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "an ONNX model needs onnxruntime, to check its conversion: pip install freqig[onnx]"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ValueError(f"onnxruntime cannot run the ONNX model: {error}; {_NOT_TRUST}") from error


def _dtype(value: Any) -> torch.dtype:
    types = {"float16": torch.float16, "float": torch.float32, "double": torch.float64}
    found = types.get(value.type.removeprefix("tensor(").removesuffix(")"))
    if found is None:
        raise ValueError(f"input {value.name!r} of the ONNX model is {value.type}, not floating")
    return found


def _called(source: Any) -> str:
    return str(source) if isinstance(source, (str, PathLike)) else "the ModelProto"


def _version() -> str:
    from importlib.metadata import version

    return version("onnxruntime")
