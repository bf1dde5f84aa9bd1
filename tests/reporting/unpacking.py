"""What a page holds, read back as its script reads it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import numpy as np


def text_of(page: str, element: str) -> str:
    """The text that an element of a page holds compressed."""
    found = re.search(
        rf'<script type="text/plain" id="{re.escape(element)}">([A-Za-z0-9+/=]*)</script>', page
    )
    assert found is not None, element
    return gzip.decompress(base64.b64decode(found[1])).decode()


def data_of(page: str) -> dict[str, Any]:
    """What the script is told."""
    return json.loads(text_of(page, "page-data"))


def array_of(page: str, name: str) -> np.ndarray:
    """An array of a page."""
    about = data_of(page)["arrays"][name]
    found = re.search(rf'id="array-{re.escape(name)}">([A-Za-z0-9+/=]*)</script>', page)
    assert found is not None, name
    return unpacked(found[1], about)


def unpacked(text: str, about: dict[str, Any]) -> np.ndarray:
    """An array out of letters, as `data.js` does it."""
    dtype = np.dtype(about["dtype"]).newbyteorder("<")
    raw = np.frombuffer(gzip.decompress(base64.b64decode(text)), dtype=np.uint8)
    if about["planes"]:
        raw = raw.reshape(dtype.itemsize, -1).T
    values = np.ascontiguousarray(raw).reshape(-1).view(dtype).reshape(about["shape"])
    return np.cumsum(values, axis=-1, dtype=values.dtype) if about["steps"] else values
