"""Tries an ONNX model in a process of its own, with bounds on time and memory, before it is run in this one.

Run as a program, it reads the model from its standard input, then starts it, converts it and, where the
sizes of its input are known, calls it once. What is wrong with the model beside this is said elsewhere.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import Any

NOT_TRUST = "trust=True does not change this"
SECONDS = 20
# Of waiting, on a machine that is busy with other things.
PATIENCE = 8
MEMORY = 2 << 30
PER_BYTE = 8


def try_out(model: bytes, name: str) -> None:
    """Refuse a model that takes too long, or too much memory.

    Parameters
    ----------
    model : bytes
        An `onnx.ModelProto`, serialized.
    name : str
        What errors call it.

    Raises
    ------
    ValueError
        If it does not come to an end within the bounds.
    """
    memory = MEMORY + PER_BYTE * len(model)
    command = [sys.executable, "-m", __name__, str(SECONDS), str(memory)]
    pipe, away = subprocess.PIPE, subprocess.DEVNULL
    # The command is this interpreter and this file; the model is data on its input.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=away) as child:  # noqa: S603
        try:
            said, _ = child.communicate(model, timeout=PATIENCE * SECONDS)
        except subprocess.TimeoutExpired:
            said = b""
        finally:
            child.kill()
    if b"ended" not in said:
        raise ValueError(
            f"{name} did not start, convert and run within {SECONDS} s and {memory >> 20} MiB in a process "
            f"of its own: it loops too long, or a value in it is too large. {NOT_TRUST}"
        )


def main(seconds: int, memory: int) -> None:
    """Run the model that stands on the standard input within bounds."""
    import onnx
    import onnxruntime  # noqa: F401 - before memory is bounded
    import torch

    from .onnx_convert import converters
    from .onnx_model import session_of
    from .onnx_values import DTYPES, Declared

    _bound(seconds, memory)
    proto = onnx.ModelProto.FromString(sys.stdin.buffer.read())
    try:
        session = session_of(proto)
        inputs = tuple(map(Declared.of, session.get_inputs()))
        sizes = inputs[0].shape
        runs = len(inputs) == 1 and None not in sizes[1:]
        points = torch.randn([size or 2 for size in sizes]) if runs else torch.zeros(0)
        points = points.to(DTYPES[inputs[0].type])
        if runs:
            session.run(None, {inputs[0].name: points.numpy()})
        for _, convert in converters():
            net = convert(proto)
            if runs:
                net(points)
            break
    except MemoryError:
        return
    except Exception as error:  # noqa: BLE001 - said where the model is loaded, unless memory ran out
        if "alloc" in str(error).lower():
            return
    sys.stdout.write("ended")


def _bound(seconds: int, memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # there is no such thing on Windows
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + seconds, int(used) + seconds + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


if __name__ == "__main__":
    arguments: list[Any] = [int(argument) for argument in sys.argv[1:]]
    main(*arguments)
