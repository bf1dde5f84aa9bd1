"""How much a file may ask for, before memory is taken for it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..memory import described

MOST_UNPACKED, MOST_DECODED = 50, 200
"""Times what is stored that values may take: of numbers, compressed to a tenth as a rule, and of sound."""
SMALL = 2**24
"""Bytes that are no danger, however little is stored of them."""
UNKNOWN = 2**36
MOST_OBJECTS, DEEPEST = 20_000, 64
"""Arrays and groups in a file of HDF5, each counted as often as it is met, and groups inside one another."""


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN


def refuse_size(needed: int, name: str, stored: int | None = None, most: int = MOST_UNPACKED) -> None:
    """ValueError where values take more than the machine has, or are hardly stored at all.

    Parameters
    ----------
    needed : int
        Bytes of the values.
    name : str
        Of the file, or of a part of it.
    stored : int, optional
        Bytes that the file has for them.
    most : int
        Times what is stored that they may take, once they are no longer small.

    Examples
    --------
    >>> refuse_size(8 * 2**32, "big.npz", 129)
    Traceback (most recent call last):
    ValueError: big.npz unpacks to 34400 MB, for which 129 bytes are stored: it is damaged, or ...
    """
    if stored is not None and needed > SMALL and needed > most * max(stored, 1):
        raise ValueError(
            f"{name} unpacks to {described(needed)}, for which {stored} bytes are stored: it is damaged, "
            "or no recording; one that hardly changes may be stored without compression"
        )
    if needed > machine_memory():
        raise ValueError(
            f"{name} takes {described(needed)} of memory, and this machine has "
            f"{described(machine_memory())}: cut it into several files"
        )


def refuse_hdf5(path: Path, most: int = MOST_OBJECTS) -> None:
    """ValueError where a file of HDF5 holds what is not in it, asks for too much, or leads in circles.

    External links, external storage and virtual datasets lead to other files; a dataset may be declared of
    any size without a value being stored; and a few groups that hold each other twice are a billion groups to
    a reader that follows all of them, of which there may be so many.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            _Followed(path.name, most, file.id).count(h5py.h5o.open(file.id, b"/"))
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path.name} must be a file of HDF5, and cannot be read: {error}") from None


class _Followed:
    """Counts what a reader meets in a file of HDF5 that follows all links and references.

    By identifiers of the library, for the objects that h5py makes of them take most of the time.
    """

    def __init__(self, name: str, most: int, file: Any) -> None:
        self.name, self.most, self.file, self._known = name, most, file, dict[int, int]()

    def count(self, item: Any, depth: int = 0) -> int:
        """Arrays and groups in one, with itself."""
        import h5py

        is_group = isinstance(item, h5py.h5g.GroupID)
        if is_group and item.get_num_objs() > self.most:
            self._refuse()
        place = h5py.h5o.get_info(item).addr
        if place not in self._known:
            self._known[place] = self.most + 1  # of what holds itself
            inside = self._in_group(item) if is_group else self._in_dataset(item)
            self._known[place] = 1 + sum(self.count(one, depth + 1) for one in inside)
        if max(self._known[place], len(self._known)) > self.most or depth > DEEPEST:
            self._refuse()
        return self._known[place]

    def _refuse(self) -> NoReturn:
        raise ValueError(
            f"{self.name} must hold at most {self.most} arrays and groups, {DEEPEST} deep, as often "
            "as each is linked to, and none that holds itself: it is damaged, or no recording"
        )

    def _in_group(self, group: Any) -> Iterator[Any]:
        import h5py

        links = dict[bytes, int]()
        group.links.iterate(lambda key, link: links.update({key: link.type}), info=True)
        for key, kind in links.items():
            if kind == h5py.h5l.TYPE_EXTERNAL:
                raise ValueError(
                    f"{self.name} must hold its own values, but {key.decode()!r} links to another file"
                )
            try:
                item = h5py.h5o.open(group, key)
            except KeyError:  # a link that leads nowhere
                continue
            if isinstance(item, (h5py.h5g.GroupID, h5py.h5d.DatasetID)):
                yield item

    def _in_dataset(self, dataset: Any) -> Iterator[Any]:
        import h5py

        how = dataset.get_create_plist()
        layout = how.get_layout()
        if layout == h5py.h5d.VIRTUAL or how.get_external_count():
            raise ValueError(
                f"{self.name} must hold its own values, but {_key(dataset)!r} is stored elsewhere"
            )
        stored, kind = int(dataset.get_storage_size()), dataset.get_type()
        # A chunk is unpacked as a whole, however little of it is wanted.
        for shape in (dataset.shape or (0,), how.get_chunk() if layout == h5py.h5d.CHUNKED else (0,)):
            if (needed := math.prod(shape) * kind.get_size()) > SMALL:
                refuse_size(needed, f"{_key(dataset)} in {self.name}", stored)
        if kind.get_class() == h5py.h5t.REFERENCE:
            told = [one for one in np.ravel(h5py.Dataset(dataset)[()]) if one]
            if len(told) > self.most:
                self._refuse()
            yield from (h5py.h5r.dereference(one, self.file) for one in told)


def _key(dataset: Any) -> str:
    import h5py

    return (h5py.h5i.get_name(dataset) or b"").decode().rpartition("/")[2]
