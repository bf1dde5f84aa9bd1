"""Compares a converted ONNX model with onnxruntime: outputs, and slopes along random directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

TOLERANCE = {torch.float16: 1e-2, torch.float32: 1e-4, torch.float64: 1e-6}
# Finite differences in single precision across the kinks of a network.
SLOPE_TOLERANCE = 0.25
STEP = 1e-2


class ConversionError(ValueError):
    """A converted model does not do what onnxruntime does.

    Examples
    --------
    >>> issubclass(ConversionError, ValueError)
    True
    """


class Parity:
    """What was compared with onnxruntime so far, and how well it agreed.

    Parameters
    ----------
    runtime : onnxruntime.InferenceSession
        Runs the file.
    dtype : torch.dtype
        Dtype of the file's first input.
    batch : int or None
        Batch size that the file fixes.
    about : dict
        Gets the line `parity`.
    """

    def __init__(self, runtime: Any, dtype: torch.dtype, batch: int | None, about: dict[str, Any]) -> None:
        self.dtype, self.about = dtype, about
        self.checked_inputs = 0
        self._runtime, self._batch = runtime, batch
        self._worst = 0.0
        self._slope = 0.0

    def on_random_data(self, net: Callable[..., Any], inputs: tuple[Any, ...], n_signals: int = 1) -> None:
        """Compare outputs and slopes on random data of the shapes of `inputs`.

        Parameters
        ----------
        net : callable
            The converted model.
        inputs : tuple
            The signals, which are replaced by noise; the others are used as they are.
        n_signals : int
            How many of them, the first ones, are signals.

        Raises
        ------
        ConversionError
            If they differ.
        """
        signals, extra = inputs[:n_signals], inputs[n_signals:]
        generator = torch.Generator().manual_seed(0)

        def random(shape: torch.Size) -> Tensor:
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            return drawn.to(signals[0].device, self.dtype)

        points = [random(one.shape) for one in signals]
        directions = [random(one.shape) for one in signals]
        with torch.inference_mode(False), torch.enable_grad():
            leaves = [one.clone().requires_grad_() for one in points]
            raw = net(*(leaf.clone() for leaf in leaves), *extra)
            self.on_data(raw, (*points, *extra), "random data")
            outputs = floating(raw)
            mixes = [random(output.shape) for output in outputs]
            total = sum((mix * output).sum() for mix, output in zip(mixes, outputs, strict=True))
            if not isinstance(total, Tensor) or not total.requires_grad:
                raise ConversionError("its outputs do not depend differentiably on its first input")
            gradients = torch.autograd.grad(total, leaves, materialize_grads=True)
        pairs = list(zip(gradients, directions, strict=True))
        slopes = torch.stack([(g * d).flatten(1).sum(1).double() for g, d in pairs]).sum(0)
        ends = list(zip(points, directions, strict=True))
        ahead = self._run((*(point + STEP * direction for point, direction in ends), *extra))
        behind = self._run((*(point - STEP * direction for point, direction in ends), *extra))
        numeric, noise = torch.zeros_like(slopes), 0.0
        rounding = 8 * torch.finfo(self.dtype).eps
        for mix, after, before in zip(mixes, ahead, behind, strict=True):
            difference = torch.from_numpy((after - before).astype(np.float64)).to(mix.device) / (2 * STEP)
            numeric += (mix * difference).flatten(1).sum(1)
            noise += float(np.abs(after).max(initial=0)) * rounding / STEP
        error, size = float((slopes - numeric).norm()), float(numeric.norm())
        self._slope = error / (size + noise) if error else 0.0
        if not self._slope <= SLOPE_TOLERANCE:
            raise ConversionError(
                f"gradients differ from onnxruntime's finite differences by {self._slope:.0%}"
            )
        self.checked_inputs = n_signals
        self._note("random data")

    def on_data(self, raw: Any, inputs: tuple[Any, ...], what: str = "the data given") -> None:
        """Compare outputs with those of onnxruntime for the same inputs.

        Parameters
        ----------
        raw : torch.Tensor or dict
            Outputs of the converted model.
        inputs : tuple
            What it was called with.
        what : str
            Names the data.

        Raises
        ------
        ConversionError
            If they differ.
        """
        worst = 0.0
        for ours, theirs in zip(floating(raw), self._run(inputs), strict=True):
            worst = max(worst, _distance(ours.detach().cpu().numpy(), theirs))
        if not worst <= TOLERANCE[self.dtype]:
            raise ConversionError(
                f"outputs differ from onnxruntime's by {worst:.2g} of their size on {what}, allowed is "
                f"{TOLERANCE[self.dtype]:g}"
            )
        self._worst = max(self._worst, worst)
        self._note(what)

    def _note(self, what: str) -> None:
        from importlib.metadata import version

        known = f", slopes within {self._slope:.1e}" if self.checked_inputs else ""
        self.about["parity"] = (
            f"outputs within {self._worst:.1e} of onnxruntime {version('onnxruntime')}{known} "
            f"(random data{'' if what == 'random data' else ' and yours'})"
        )

    def _run(self, inputs: tuple[Any, ...]) -> list[np.ndarray]:
        """Floating outputs of onnxruntime, in the batch size of the file."""
        arrays = [np.asarray(one.detach().cpu() if isinstance(one, Tensor) else one) for one in inputs]
        n = len(arrays[0])
        batch = self._batch or n
        parts = []
        for start in range(0, n, batch):
            rows = np.minimum(np.arange(start, start + batch), n - 1)
            feed = zip(self._runtime.get_inputs(), arrays, strict=True)
            parts.append(self._runtime.run(None, {named.name: a[rows] if a.ndim else a for named, a in feed}))
        whole = [np.concatenate(part)[:n] for part in zip(*parts, strict=True)]
        return [array for array in whole if np.issubdtype(array.dtype, np.floating)]


def floating(raw: Any) -> tuple[Tensor, ...]:
    """Floating outputs, in their order."""
    outputs = raw.values() if isinstance(raw, Mapping) else [raw]
    return tuple(output for output in outputs if output.is_floating_point())


def _distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference relative to the largest finite output; infinite where one is not finite."""
    if ours.shape != theirs.shape:
        return float("inf")
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return float("inf")
    size = float(np.abs(theirs[finite]).max(initial=0)) + 1e-6
    with np.errstate(invalid="ignore"):
        return float(np.abs(ours[finite].astype(np.float64) - theirs[finite]).max(initial=0)) / size
