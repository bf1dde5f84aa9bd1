"""A converted ONNX graph as a module that checks its inputs, and compares its outputs with onnxruntime."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...errors import add_context
from ..content import NOT_TRUST
from ..hints import described
from ..joined import FURTHER
from .batch import BatchError, check_rows, explain_failure
from .limits import LimitError
from .net import Graph
from .parity import ConversionError, Parity
from .values import Declared, listed


class OnnxNet(nn.Module):
    """A converted graph; every call without gradients is compared with onnxruntime.

    Parameters
    ----------
    net : Graph
        The converted model.
    parity : Parity
        Holds onnxruntime's side.

    Attributes
    ----------
    called : str
        What errors call the file.
    n_signals : int
        How many of the inputs, the first ones, are explained.
    output_key : str or int or None
        Which output is explained, where that was said.
    """

    called = "the ONNX model"
    n_signals = 1
    output_key: str | int | None = None

    def __init__(self, net: Graph, parity: Parity) -> None:
        super().__init__()
        self.net, self.parity = net, parity

    @property
    def name(self) -> str | None:
        """Name of the output that is explained; None where that is still to be said."""
        outputs = self.net.outputs
        if self.output_key is None:
            return outputs[0].name if len(outputs) == 1 else None
        return outputs[self.output_key].name if isinstance(self.output_key, int) else self.output_key

    def forward(self, *inputs: Any) -> Any:
        """Return one tensor, or a dict of them by output name or by the key that was asked for."""
        given = self._read(inputs)
        try:
            outputs = self._compared(given)
            self.parity.judge(self.name)
            n, name = len(given[0]), self.name
            if name is None:
                return {key: one for key, one in outputs.items() if one.shape[:1] == (n,)}
            explained = check_rows(name, outputs.get(name), n)
        except ConversionError as error:
            add_context(
                error, f"{self.called} is not explained; {NOT_TRUST}; pass the original model instead"
            )
            raise
        except BatchError as error:
            add_context(error, f"in {self.called}")
            raise
        return explained if self.output_key is None else {self.output_key: explained}

    def _compared(self, given: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Outputs by name, compared with onnxruntime's."""
        try:
            outputs: dict[str, Tensor] = self.net(*given)
            if not torch.is_grad_enabled():
                self.parity.on_data(outputs, given, self.n_signals)
            self.parity.on_slopes(self.net, given, self.n_signals)
        except (ConversionError, LimitError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - what the graph's own operators raise
            explain_failure(self.parity.runtime, given, error)
        return outputs

    def _read(self, inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """The inputs as tensors, with their number and sizes checked."""
        declared = self.net.inputs
        if len(inputs) != len(declared):
            raise ValueError(
                f"the ONNX model takes {len(declared)} input{'s' if len(declared) > 1 else ''}, "
                f"{listed(declared)}, got {len(inputs)}: {FURTHER}"
            )
        for one, value in zip(declared[: self.n_signals], inputs, strict=False):
            if not one.fits(tuple(value.shape)):
                raise ValueError(f"the ONNX model takes {described(one.shape)}, got {tuple(value.shape)}")
        given = tuple(one.read(value, inputs[0].device) for one, value in zip(declared, inputs, strict=True))
        for one, value in list(zip(declared, given, strict=True))[self.n_signals :]:
            self._check_further(one, tuple(value.shape), len(inputs[0]))
        return given

    def _check_further(self, declared: Declared, sizes: tuple[int, ...], n: int) -> None:
        batch = self.net.batch
        for axis, (wanted, size) in enumerate(zip(declared.sizes, sizes, strict=True)):
            follows = batch is not None and wanted == batch
            if follows and size != n and size != batch:
                raise ValueError(
                    f"the ONNX model takes {declared}, got {sizes} with {n} series: axis {axis} counts the "
                    f"series, give it as freqig.per_sample({declared.name}, axis={axis})"
                )
            if not follows and isinstance(wanted, int) and wanted != size:
                raise ValueError(f"the ONNX model takes {declared}, got {sizes} for it")
