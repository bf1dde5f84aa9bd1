"""How many points go to the model at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from .malloc import give_back, keep_freed_memory
from .memory import DEFAULT, HOLES, Memory, described, least

# What a chunk may hold between forward and backward pass. On a CPU larger chunks leave the cache (a batch
# of 800 sleep epochs was slower than 64 by a third), and smaller ones repeat what a call costs whatever it
# holds: a recurrent network of 256 steps took a quarter longer with 12 MiB. A GPU wants full kernels.
CPU_BYTES = 28 * 2**20
GPU_FRACTION = 0.25
GPU_BYTES = 2 * 2**30
MAX_POINTS = 1024

LIGHT = 8
"""A call that holds one part in so many of a chunk takes little more time than one with a few points."""


class Chunks:
    """Number of points per call, found from their memory and halved when it runs out.

    The size is a number derived from the model and not from a clock, so that a computation
    repeated is the same computation.

    Parameters
    ----------
    size : int
        Points per call to begin with.
    memory : Memory, optional
        What else there is room for.
    growth : float, default 256 MiB
        Bytes by which the process may grow before what malloc has kept goes back to the system, which costs
        time; 0 for before every call.

    Attributes
    ----------
    light : int
        Points that go to the model in one call for little more time than a few of them; 1 where nobody knows
        what a point costs.

    Examples
    --------
    >>> [(part.start, part.stop) for part in Chunks(4).split(10)]
    [(0, 4), (4, 8), (8, 10)]
    """

    def __init__(self, size: int, memory: Memory | None = None, growth: float = DEFAULT / HOLES) -> None:
        self.size = max(1, size)
        self.light = 1
        self.growth = growth
        self.memory = Memory() if memory is None else memory
        self._whole: Chunks | None = None

    @classmethod
    def for_model(
        cls,
        bytes_per_point: float | None,
        bytes_per_input: int,
        device: torch.device,
        *,
        fewest: int = 1,
        memory: int | None = None,
        n_features: int = 1,
        held: float | None = None,
    ) -> Chunks:
        """Chunk size for a model whose points hold so many bytes.

        Parameters
        ----------
        bytes_per_point : float or None
            Measured by `Model.bytes_per_point`, or `Model.peak_bytes` where memory is bounded; None where
            unknown.
        bytes_per_input : int
            Size of one point itself.
        device : torch.device
            Device of the model.
        fewest : int, default 1
            Points that a call has in any case.
        memory : int, optional
            Bytes in all, that of one call included.
        n_features : int, default 1
            Values of one point.
        held : float, optional
            What a point holds between forward and backward pass, as measured.

        Raises
        ------
        ValueError
            If one call alone takes more than `memory`.
        """
        if device.type == "cpu":
            keep_freed_memory()
        # A model that cannot be measured is taken for one of some fifty maps of its input.
        each = max(bytes_per_point or 50.0 * bytes_per_input, 1.0)
        most = _budget(device)
        light = most / LIGHT / max(held, 1.0) if held else 1.0
        if memory is None:
            size = min(max(fewest, most // each), MAX_POINTS)
            # Passes that are large by themselves would have it all given back every time.
            return cls(int(size), growth=max(DEFAULT / HOLES, 4 * size * each))._lit(light)
        needed, free = least(fewest * each, n_features), int(memory / HOLES - fewest * each)
        if memory < needed:
            # What is measured once more may differ a little.
            raise ValueError(
                f"memory must be at least {described(1.02 * needed)} for series of {n_features} values in "
                f"this model, which one pass and its sums take, got {described(memory)}: raise it, or "
                "explain shorter series"
            )
        size = max(fewest, min(most, fewest * each + free / 8) // each)
        # Of a large pass malloc keeps as much again.
        growth = 0.0 if size * each > CPU_BYTES else memory / HOLES
        return cls(int(min(size, MAX_POINTS)), Memory(free), growth)._lit(light)

    def _lit(self, light: float) -> Chunks:
        self.light = max(1, min(int(light), self.size))
        return self

    def at_most(self, size: int) -> Chunks:
        """Chunks that are no larger than that; where memory runs out, these shrink with them."""
        part = Chunks(min(self.size, max(1, size)), self.memory, self.growth)
        part._whole = self
        return part._lit(self.light)

    def split(self, total: int) -> Iterator[slice]:
        """Slices of at most `size` points that cover `total`."""
        start = 0
        while start < total:
            stop = min(start + self.size, total)
            yield slice(start, stop)
            start = stop

    def run(self, total: int, call: Callable[[slice], None], each: int = 1) -> None:
        """Call with slices that cover `total`, with smaller ones where memory runs out.

        Parameters
        ----------
        total : int
            Number of points.
        call : callable
            Gets a slice; must leave nothing behind when it raises out of memory.
        each : int, default 1
            Points that one of `total` stands for, where `call` itself keeps to `size` of them.

        Raises
        ------
        torch.OutOfMemoryError
            If one point alone does not fit.
        """
        start = 0
        while start < total:
            stop = min(start + self.size, total)
            give_back(self.growth)
            try:
                call(slice(start, stop))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.size == 1:
                    raise torch.OutOfMemoryError(
                        "one point of the path does not fit into memory, or not twice, as lone points "
                        "go to the model (batch_independent=False makes it once): explain a shorter "
                        "signal or a smaller model, or pass device= for another device"
                    ) from error
            else:
                start = stop
                continue
            # Not while the error is at hand, which holds the frames of the call and all tensors in them.
            self.size = max(1, min(self.size, each * (stop - start)) // 2)
            if self._whole is not None:
                self._whole.size = min(self._whole.size, self.size)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; that of a CPU PyTorch tells by the text of a RuntimeError alone.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes do not fit"))
    (True, False)
    """
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in str(error)


def _budget(device: torch.device) -> float:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return min(GPU_FRACTION * free, GPU_BYTES)
    return CPU_BYTES
