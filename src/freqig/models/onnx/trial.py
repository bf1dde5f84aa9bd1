"""Tries an ONNX model in a process of its own, with bounds on time and memory, before it is run in this one.

Run as a program, it reads the model and its inputs from its standard input, then starts it, converts it and,
where inputs are given or their sizes are known, calls it once. What is wrong with the model beside this is
said elsewhere.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..content import NOT_TRUST
from .limits import LimitError
from .values import DTYPES, Declared

# Of a processor, once the libraries are there.
SECONDS = 8
# By the clock, libraries included: a process that waits for others, or whose time the system does not bound,
# ends as well. A busy machine gives it a quarter of a processor.
DEADLINE = 45
# Bytes for every byte of the model; and of the inputs, of which wide networks make more, up to a GiB.
PER_BYTE = 8
PER_INPUT, MOST_OF_INPUTS = 256, 1 << 30


def try_out(model: bytes, name: str, memory: int, inputs: Mapping[str, Any] | None = None) -> None:
    """Refuse a model that takes too long, or too much memory.

    Parameters
    ----------
    model : bytes
        An `onnx.ModelProto`, serialized.
    name : str
        What errors call it.
    memory : int
        Bytes that it may take beyond the libraries, and what is in proportion to the model and its inputs.
    inputs : dict of numpy.ndarray, optional
        What it is called with, by name; otherwise noise, where the file says all sizes of its one input.

    Raises
    ------
    LimitError
        If it does not come to an end within the bounds.
    """
    import onnx

    given = onnx.GraphProto()
    given.initializer.extend(onnx.numpy_helper.from_array(one, key) for key, one in (inputs or {}).items())
    message = len(model).to_bytes(8, "little") + model + given.SerializeToString()
    of_inputs = PER_INPUT * sum(one.nbytes for one in (inputs or {}).values())
    memory += PER_BYTE * len(message) + min(of_inputs, MOST_OF_INPUTS)
    command = [sys.executable, "-m", __name__, str(SECONDS), str(memory)]
    pipe, away = subprocess.PIPE, subprocess.DEVNULL
    # The command is this interpreter and this file; the model is data on its input.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=away) as child:  # noqa: S603
        try:
            said, _ = child.communicate(message, timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            said = b""
        finally:
            child.kill()
    if b"ended" not in said:
        raise LimitError(
            f"{name} did not start, convert and run within {SECONDS} s of a processor, {DEADLINE} s by the "
            f"clock and {memory >> 20} MiB, in a process of its own: it loops too long, or a value in it is "
            f"too large. {NOT_TRUST}; pass the original model instead"
        )


def main(seconds: int, memory: int) -> None:
    """Run the model that stands on the standard input within bounds."""
    import onnx
    import onnxruntime  # noqa: F401 - before memory is bounded

    from .convert import converters
    from .model import session_of
    from .net import Runtime

    torch.set_num_threads(1)  # for seconds of a processor are counted
    _bound(seconds, memory)
    message = sys.stdin.buffer.read()
    end = 8 + int.from_bytes(message[:8], "little")
    content, given = message[8:end], onnx.GraphProto.FromString(message[end:])
    proto = onnx.ModelProto.FromString(content)
    inputs = [torch.as_tensor(onnx.numpy_helper.to_array(one).copy()) for one in given.initializer]

    def start() -> None:
        session = session_of(content)
        inputs.extend([] if inputs else _noise(tuple(map(Declared.of, session.get_inputs()))))
        if inputs:
            Runtime(session)(*inputs)

    def convert() -> None:
        _, converted = converters()[0]
        net = converted(proto).eval()
        if inputs:
            with torch.no_grad():
                net(*inputs)

    if _ends(start) and _ends(convert):
        sys.stdout.write("ended")


def _ends(step: Callable[[], None]) -> bool:
    """Whether a step comes to an end within the bounds; in an error too, which is said elsewhere."""
    try:
        step()
    except (MemoryError, LimitError):
        return False
    except Exception as error:  # noqa: BLE001 - whatever a graph's operators raise
        return "alloc" not in str(error).lower()
    return True


def _noise(inputs: tuple[Declared, ...]) -> list[Tensor]:
    """Two series where a single input says all sizes beside their number; nothing otherwise."""
    sizes = inputs[0].shape
    if len(inputs) > 1 or None in sizes[1:] or inputs[0].type not in DTYPES:
        return []
    return [torch.randn([size or 2 for size in sizes]).to(DTYPES[inputs[0].type])]


def _bound(seconds: int, memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # there is no such thing on Windows
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + seconds, int(used) + seconds + 1))
        memory += _in_use()
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _in_use() -> int:
    """Bytes of data that this process has already, where the system says it."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))


if __name__ == "__main__":
    arguments: list[Any] = [int(argument) for argument in sys.argv[1:]]
    main(*arguments)
