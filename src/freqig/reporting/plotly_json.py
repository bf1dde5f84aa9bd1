"""Traces and layouts as plotly reads them: arrays in letters, and text without markup."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from .look import Rich, plain

TYPES = {"float32": "f4", "float64": "f8", "int8": "i1", "uint8": "u1", "int16": "i2"}
"""Arrays that plotly reads from letters; those of other types become lists."""


def figure_json(content: Any) -> Any:
    """Traces or a layout, of mappings, sequences, arrays, numbers and text.

    Text loses its markup, which plotly would follow, unless it is `Rich`.

    Examples
    --------
    >>> figure_json({"name": "<b>", "y": np.zeros(2, dtype=np.float32)})
    {'name': '&lt;b&gt;', 'y': {'dtype': 'f4', 'bdata': 'AAAAAAAAAAA=', 'shape': '2'}}
    """
    if isinstance(content, Rich):
        return str(content)
    if isinstance(content, str):
        return plain(content)
    if isinstance(content, Mapping):
        return {key: figure_json(value) for key, value in content.items()}
    if isinstance(content, np.ndarray):
        return _array(content)
    if isinstance(content, list | tuple):
        return [figure_json(value) for value in content]
    return content


def _array(values: np.ndarray) -> Any:
    code = TYPES.get(values.dtype.name)
    if code is None:
        return [figure_json(value) for value in values.tolist()]
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    shape = ", ".join(map(str, values.shape))
    return {"dtype": code, "bdata": base64.b64encode(little.tobytes()).decode("ascii"), "shape": shape}
