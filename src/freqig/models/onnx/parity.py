"""Compares a converted ONNX model with onnxruntime: its outputs, and how they change."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor

from .net import Graph
from .slopes import STEP, Line, disagreement, slopes
from .slopes import TOLERANCE as SLOPE_TOLERANCE

TOLERANCE = {torch.float16: 1e-2, torch.float32: 1e-4, torch.float64: 1e-6}
T = TypeVar("T")
Tensors = tuple[Tensor, ...]

# Both sides round; deep networks amplify that to some 20 eps of their outputs.
ROUNDING = 256
# The two series that are looked at take steps of their own, in units of `STEP`.
SCALES = (10.0, 1.0)
# Of what changes over a step, converted against onnxruntime's.
CHANGE_TOLERANCE = 0.25
# Calls that are remembered as compared.
MAX_SEEN = 10_000


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
    runtime : Graph
        The file, run by onnxruntime.
    dtype : torch.dtype
        Dtype of the file's first input, or the coarsest that it computes in.
    about : dict
        Gets the line `parity`.

    Attributes
    ----------
    faults : dict
        What is wrong with an output, by its name.
    """

    def __init__(self, runtime: Graph, dtype: torch.dtype, about: dict[str, Any]) -> None:
        self.runtime, self.dtype, self.about = runtime, dtype, about
        self.faults: dict[str, str] = {}
        self._n_signals = 0
        self._seen: set[bytes] = set()
        self._worst = 0.0
        self._slope: float | None = None
        self._names: dict[str, None] = {}
        self._data: dict[str, None] = {}

    def on_random_data(self, net: Graph, like: Tensor) -> dict[str, Tensor]:
        """Compare outputs and slopes on random series of the shape of one.

        Parameters
        ----------
        net : Graph
            The converted model, of one input.
        like : torch.Tensor
            One series, without a batch axis.

        Returns
        -------
        dict
            Outputs for two such series.
        """
        both = _noise(torch.Generator().manual_seed(0), (2, *like.shape))
        return self._along(net, (both.to(like),), (), "random data")

    def on_data(self, outputs: Mapping[str, Tensor], inputs: tuple[Tensor, ...], n: int) -> None:
        """Compare a call's outputs.

        Parameters
        ----------
        outputs : dict
            What the converted model gave.
        inputs : tuple of torch.Tensor
            What it was called with.
        n : int
            How many of the inputs, the first ones, are signals.
        """
        # A call whose series have all been compared, with whatever company, tells nothing new.
        rows = [b"".join(_bytes(one[i]) for one in inputs[:n]) for i in range(len(inputs[0]))]
        state = b"".join(map(_bytes, inputs[n:]))
        new = {row + state for row in rows} - self._seen
        if new:
            self._compare(outputs, self.runtime(*inputs), "the data given")
            self._seen = set(itertools.islice(self._seen, MAX_SEEN)) | new

    def on_slopes(self, net: Graph, inputs: tuple[Tensor, ...], n: int) -> None:
        """Compare slopes near the series of a call: of the first that asks for gradients, or of any before.

        Parameters
        ----------
        net : Graph
            The converted model.
        inputs : tuple of torch.Tensor
            What it is called with.
        n : int
            How many of the inputs, the first ones, are signals.
        """
        if self._slope is not None and (not torch.is_grad_enabled() or self._n_signals >= n):
            return
        self._n_signals = n
        # What is saved here is not what the caller may be measuring.
        with torch.autograd.graph.saved_tensors_hooks(lambda one: one, lambda one: one):
            self._near(net, tuple(one.detach() for one in inputs[:n]), inputs[n:])

    def _near(self, net: Graph, signals: tuple[Tensor, ...], extra: tuple[Tensor, ...]) -> None:
        """Compare near the first and the last series of a call."""
        generator = torch.Generator().manual_seed(1)
        n, few = len(signals[0]), torch.tensor([0, len(signals[0]) - 1])
        points = []
        for one in signals:
            ends = one[few.to(one.device)]
            # Not on the series itself, where silence or clipping may put a network on its kinks.
            points.append(ends + (1e-3 * _spread(ends) * _noise(generator, ends.shape).to(one)))
        choices: list[list[int | None]] = [
            [*declared.batch_axes(tuple(one.shape), n, net.batch)] or [None]
            for declared, one in zip(net.inputs[len(signals) :], extra, strict=True)
        ]
        for last, axes in _last(itertools.product(*choices)):
            followed = tuple(
                one if axis is None else one.index_select(axis, few.to(one.device))
                for one, axis in zip(extra, axes, strict=True)
            )
            try:
                self._along(net, tuple(points), followed, "the data given")
            except Exception:
                if last:
                    raise
            else:
                return

    def _along(self, net: Graph, points: Tensors, extra: Tensors, what: str) -> dict[str, Tensor]:
        """Compare outputs at two points and a step to both sides of each, what changes, and the slopes."""
        generator = torch.Generator().manual_seed(2)
        line = Line(
            points, tuple(_scaled(_noise(generator, p.shape).to(p) * _spread(p)) for p in points), extra
        )
        middle, found = slopes(net, line)
        with torch.no_grad():
            ahead, behind = net(*line.at(STEP)), net(*line.at(-STEP))
        ours = (middle, ahead, behind)
        theirs = tuple(self.runtime(*line.at(step)) for step in (0, STEP, -STEP))
        for one, other in zip(ours, theirs, strict=True):
            self._compare(one, other, what)
        if self.faults:
            self._look_for_chance(self.runtime(*line.at(0)), theirs[0])
        for name in self._floating(middle):
            if name in self.faults:
                continue
            error = _change([one[name].cpu() for one in ours], [one[name] for one in theirs], self.dtype)
            if error > CHANGE_TOLERANCE:
                self._fault(
                    name, f"outputs differ from onnxruntime's in what changes with the input, by {error:.0%}"
                )
        for name, error in disagreement(net, line, found, ahead, behind).items():
            if error <= SLOPE_TOLERANCE:
                self._slope = max(self._slope or 0.0, error)
            else:
                self._fault(name, f"gradients differ from finite differences of its outputs by {error:.0%}")
        for name in (name for name, slope in found.items() if slope is None):
            self._fault(name, "outputs do not depend differentiably on its first input")
        self._note(what)
        return middle

    def _compare(self, ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], what: str) -> None:
        for name in self._floating(ours):
            error = _distance(ours[name].detach().cpu(), theirs.get(name))
            if error <= TOLERANCE[self.dtype]:
                self._worst = max(self._worst, error)
            else:
                self._fault(
                    name,
                    f"outputs differ from onnxruntime's by {error:.2g} of their size on {what}, allowed is "
                    f"{TOLERANCE[self.dtype]:g}",
                )
        self._note(what)

    def _look_for_chance(self, once: Mapping[str, Tensor], twice: Mapping[str, Tensor]) -> None:
        """Tell files whose outputs change from run to run, which no conversion can be held against."""
        for name in [*self.faults]:
            error = _distance(once[name], twice[name])
            if error > TOLERANCE[self.dtype]:
                del self.faults[name]
                self._fault(
                    name,
                    f"outputs depend on chance, two runs of onnxruntime differ by {error:.2g} of their size: "
                    "export the model in eval mode, without dropout or noise",
                )

    def judge(self, name: str | None) -> None:
        """Refuse what was found to be wrong with one output, or with all of them.

        Raises
        ------
        ConversionError
            If the output with that name does not do what onnxruntime does; for None, if none does.
        """
        names = [name] if name is not None else list(self._names)
        if self.faults and all(one in self.faults for one in names):
            raise ConversionError(self.faults[names[0]])

    def _floating(self, outputs: Mapping[str, Tensor]) -> list[str]:
        names = [name for name, output in outputs.items() if output.is_floating_point()]
        self._names.update(dict.fromkeys(names))
        return names

    def _fault(self, name: str, what: str) -> None:
        self.faults.setdefault(name, what if len(self._names) == 1 else f"output {name!r}: {what}")

    def _note(self, what: str) -> None:
        from importlib.metadata import version

        known = "" if self._slope is None else f", slopes within {self._slope:.1e}"
        self._data.setdefault("random data" if what == "random data" else "yours")
        self.about["parity"] = (
            f"outputs within {self._worst:.1e} of onnxruntime {version('onnxruntime')}{known} "
            f"({' and '.join(self._data)})"
        )


def _distance(ours: Tensor, theirs: Tensor | None) -> float:
    """Largest difference relative to the largest finite output; infinite where one is not finite."""
    if theirs is None or ours.shape != theirs.shape:
        return float("inf")
    ours, theirs = ours.double(), theirs.double()
    finite = torch.isfinite(theirs)
    if not torch.equal(ours[~finite].nan_to_num(0.5), theirs[~finite].nan_to_num(0.5)):
        return float("inf")
    if not bool(finite.any()):
        return 0.0
    size = float(theirs[finite].abs().max()) + 1e-6
    return float((ours[finite] - theirs[finite]).abs().nan_to_num(torch.inf).max()) / size


def _change(ours: list[Tensor], theirs: list[Tensor], dtype: torch.dtype) -> float:
    """How far two sides differ in what changes to both sides of the middle; the best step counts."""
    if ours[0].shape != theirs[0].shape or ours[0].shape[:1] != (len(SCALES),):
        return 0.0
    mine, other = (torch.stack(side).double().flatten(2) for side in (ours, theirs))
    known = torch.isfinite(mine).all(0) & torch.isfinite(other).all(0)
    mine, other = (side.where(known, 0.0) for side in (mine, other))
    reference = other[1:] - other[:1]
    errors = (mine[1:] - mine[:1] - reference).square().sum((0, 2)).sqrt()
    noise = (
        ROUNDING
        * max(torch.finfo(one).eps for one in (dtype, ours[0].dtype))
        * other.square().sum((0, 2)).sqrt()
    )
    return float((errors / (reference.square().sum((0, 2)).sqrt() + noise + 1e-300)).min())


def _scaled(directions: Tensor) -> Tensor:
    scales = torch.tensor(SCALES, dtype=directions.dtype, device=directions.device)
    return scales.reshape(-1, *[1] * (directions.ndim - 1)) * directions


def _noise(generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(tuple(shape), generator=generator, dtype=torch.float64)


def _spread(signals: Tensor) -> Tensor:
    """Standard deviation of each row, 1 where it is constant; one number per row, to multiply it by."""
    flat = signals.flatten(1).double()
    spread = (flat - flat.mean(1, keepdim=True)).square().mean(1).sqrt()
    spread = spread.where(spread > 0, 1.0)
    return spread.reshape(-1, *[1] * (signals.ndim - 1)).to(signals)


def _bytes(values: Tensor) -> bytes:
    flat = values.detach().cpu().contiguous().reshape(-1)
    return hashlib.blake2b(flat.view(torch.uint8).numpy().data, digest_size=16).digest()


def _last(choices: Iterable[T]) -> Iterator[tuple[bool, T]]:
    """Each of some choices, and whether it is the last."""
    every = list(choices)
    yield from ((i == len(every) - 1, one) for i, one in enumerate(every))
