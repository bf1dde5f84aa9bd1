"""What can be read in a figure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text


def assert_apart(figure: Figure, texts: Iterable[Text]) -> None:
    """No two of the texts overlap, and none leaves the figure, which is drawn already."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for (one, box), (other, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), f"{one!r} overlaps {other!r}"
    for one, box in boxes:
        assert box.x0 >= 0, one
        assert box.y0 >= 0, one
        assert box.x1 <= figure.bbox.x1, one
        assert box.y1 <= figure.bbox.y1, one
