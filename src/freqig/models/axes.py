"""Which axes a model takes, and in which order: samples, channels, time, and axes of size one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from torch import Tensor

from .._check import shown


@dataclass(frozen=True)
class ModelAxes:
    """The axes behind the samples, "C" for channels, "T" for time and "1" for one of size one.

    Parameters
    ----------
    names : tuple of str
        In the order of the model. Without "C", series have one channel.

    Examples
    --------
    >>> import torch
    >>> eegnet = ModelAxes.read("N,1,C,T")
    >>> eegnet.arranged(torch.zeros(5, 2, 30)).shape, eegnet.time_axis
    (torch.Size([5, 1, 2, 30]), -1)
    """

    names: tuple[str, ...]

    @classmethod
    def read(cls, layout: Any) -> ModelAxes:
        """What a caller writes.

        Parameters
        ----------
        layout : str
            Letters with or without commas between them, large or small.

        Raises
        ------
        TypeError, ValueError
            If it is no layout.

        Examples
        --------
        >>> str(ModelAxes.read("n1ct"))
        'N,1,C,T'
        """
        if not isinstance(layout, str):
            raise TypeError(f"layout must be a string such as 'N,1,C,T', got {shown(layout)}")
        letters = layout.upper().replace(" ", "")
        names = tuple(letters.split(",") if "," in letters else letters)
        once = names.count("T") == 1 and all(names.count(one) < 2 for one in "NC")
        if names[:1] != ("N",) or not once or not set(names) <= {*"NCT1"}:
            raise ValueError(
                "layout must be N for samples, then in the order of the model C for channels and T for time, "
                f"each once, and 1 for axes of size one, such as 'N,1,C,T', got {layout!r}"
            )
        return cls(names[1:])

    def __str__(self) -> str:
        return ",".join(("N", *self.names))

    @property
    def time_axis(self) -> int:
        """Axis of time, counted from the end."""
        return self.names.index("T") - len(self.names)

    @property
    def channel_axis(self) -> int | None:
        """Axis of channels, the samples counted as 0."""
        return self.names.index("C") + 1 if "C" in self.names else None

    def sizes(self, k: int, n: int) -> tuple[int, ...]:
        """Sizes of the axes, of k channels by n values in time."""
        return tuple({"C": k, "T": n, "1": 1}[name] for name in self.names)

    def arranged(self, signals: Tensor) -> Tensor:
        """Signals of shape (..., k, n) as the model takes them."""
        sizes = self.sizes(*signals.shape[-2:])
        turned = signals.mT if self._time_first else signals
        return turned.reshape(*signals.shape[:-2], *sizes).contiguous()

    def back(self, arranged: Tensor) -> Tensor:
        """What `arranged` made, or gradients of it, in the shape (..., k, n)."""
        rank = len(self.names)
        sizes = dict(zip(self.names, arranged.shape[-rank:], strict=True))
        n, k = sizes["T"], sizes.get("C", 1)
        leading = arranged.shape[:-rank]
        return arranged.reshape(*leading, n, k).mT if self._time_first else arranged.reshape(*leading, k, n)

    @property
    def _time_first(self) -> bool:
        return "C" in self.names and self.names.index("T") < self.names.index("C")


def layouts_of(rank: int, k: int, n: int) -> Iterator[ModelAxes]:
    """Every way to arrange k channels by n values in time in so many axes behind the samples.

    Of those that are the same for these sizes, as wherever an axis of one channel stands, the first.

    Examples
    --------
    >>> list(map(str, layouts_of(3, 2, 30)))
    ['N,1,C,T', 'N,C,1,T', 'N,C,T,1', 'N,1,T,C', 'N,T,1,C', 'N,T,C,1']
    >>> list(map(str, layouts_of(2, 1, 30))), list(map(str, layouts_of(1, 1, 30)))
    (['N,C,T', 'N,T,C'], ['N,T'])
    """
    if rank == 1 and k == 1:
        yield ModelAxes(("T",))
    seen = set()
    # Channels before time first, and the last axes first.
    for c, t in sorted(permutations(range(rank), 2), key=lambda at: (at[0] > at[1], -max(at), -min(at))):
        names = ["1"] * rank
        names[c], names[t] = "C", "T"
        filled = (c if k > 1 else None, t if n > 1 else None)
        if filled not in seen:
            seen.add(filled)
            yield ModelAxes(tuple(names))


def layouts_that_fit(declared: Sequence[int | None], k: int, n: int) -> list[ModelAxes]:
    """Those of them that fit a declared shape, given without its batch axis; None is any size.

    Examples
    --------
    >>> list(map(str, layouts_that_fit((1, 2, None), 2, 30)))
    ['N,1,C,T']
    """
    return [
        layout
        for layout in layouts_of(len(declared), k, n)
        if all(size in (None, own) for size, own in zip(declared, layout.sizes(k, n), strict=True))
    ]
