"""What a pickle holds, read as a list of instructions that are never carried out."""

from __future__ import annotations

import os
import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 1 << 20
MAGIC = b"l\xfc\x9cF\xf9 j\xa8P\x19"
# Pickles that one file of the old format holds before the one that matters, and that one.
N_PICKLES = 5
# Modules whose names stand in files of mere weights.
OF_WEIGHTS = {"collections", "torch", "torch._utils", "torch.storage", "torch.serialization", "torch._tensor"}
# Names under which a checkpoint keeps the weights beside other things.
OF_CHECKPOINTS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")


def advice(path: str | os.PathLike[str]) -> str:
    """What to do with a file of weights or of a pickled module; a line that works as it stands.

    Parameters
    ----------
    path : path
        The file: of `torch.save` or of `pickle`.
    """
    classes, keys = _names(path)
    load = "net.load_state_dict(torch.load(path, weights_only=True)"
    if not classes:
        inner = next((f"[{key!r}]" for key in OF_CHECKPOINTS if key in keys), "")
        return f"build its class and load the weights, {load}{inner}), then pass net"
    how = "torch.load(path, weights_only=False)"
    if not zipfile.is_zipfile(path) and not _is_torchs(path):
        how = "pickle.loads(pathlib.Path(path).read_bytes())"
    return (
        f"it is a pickle that builds {', '.join(sorted(classes)[:3])}, and loading it runs code that is in "
        f"the file. Where you trust its origin and can import these, net = {how} and pass net; or save its "
        "weights alone there, torch.save(net.state_dict(), path), build its class and load them, "
        f"{load}), then pass net"
    )


def _names(path: str | os.PathLike[str]) -> tuple[set[str], set[str]]:
    """Dotted names of what a pickle builds beside weights, and the short strings in it."""
    classes: set[str] = set()
    strings: list[str] = []
    for name, argument in _instructions(path):
        if name == "GLOBAL":
            classes.add(str(argument).replace(" ", "."))
        elif name == "STACK_GLOBAL" and len(strings) > 1:
            classes.add(".".join(strings[-2:]))
        elif isinstance(argument, str):
            strings.append(argument)
    return {name for name in classes if name.rpartition(".")[0] not in OF_WEIGHTS}, set(strings)


def _instructions(path: str | os.PathLike[str]) -> Iterator[tuple[str, object]]:
    data = _data(path)
    for _ in range(N_PICKLES):
        end = 0
        try:
            for operation, argument, position in pickletools.genops(data):
                end = (position or 0) + 1
                yield operation.name, argument
        except (ValueError, UnicodeDecodeError, IndexError, OverflowError):
            return  # cut off, or no pickle any more: what was read tells enough
        data = data[end:]


def _data(path: str | os.PathLike[str]) -> bytes:
    if not zipfile.is_zipfile(path):
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES)
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.split("/", 1)[-1] == "data.pkl")
        with archive.open(name) as member:
            return member.read(MAX_BYTES)


def _is_torchs(path: str | os.PathLike[str]) -> bool:
    """Whether a pickle is of PyTorch's old format, which starts with a number of its own."""
    return MAGIC in _data(path)[:32]
