"""How integration of samples ended, and what to do about it, from a result."""

from __future__ import annotations

from collections import Counter

import numpy as np
import xarray as xr

from ...diagnosis import Diagnosis, Jump


def statuses_of(result: xr.Dataset) -> dict[str, int]:
    """How often integration ended in each way, the most frequent first.

    Examples
    --------
    >>> flags = {"flag_meanings": "converged budget"}
    >>> statuses_of(xr.Dataset({"status": ("sample", [0, 1, 0], flags)}))
    {'converged': 2, 'budget': 1}
    """
    if "status" not in result:
        return {}
    told = _status_by_sample(result)
    return dict(Counter(told.tolist()).most_common())


def remedy_of(result: xr.Dataset, status: str) -> str:
    """What happened and what to do about it, in the words that warnings have."""
    own = {
        "nonfinite": "the model or its gradient is not finite on the path (try another baseline)",
        "rounding": "rounding errs by more than tol (check the units of the signal, raise tol, or compute in "
        "float64: dtype=torch.float64, --dtype float64)",
        "gradient": "the gradient of the model is not that of its output, as behind detach(), rounding or "
        "torch.no_grad() (remove them for the explanation)",
    }
    if status in own:
        return own[status]
    jumps: tuple[Jump, ...] = ()
    if status == "jump":
        row = int(np.flatnonzero(_status_by_sample(result) == status)[0])
        place, width, size = (
            float(result[f"jump_{what}"].values.ravel()[row]) for what in ("place", "width", "size")
        )
        if not np.isfinite([place, width, size]).all():
            return "the output jumps on the path (try another baseline)"
        jumps = (Jump(place, width, np.array([size])),)
    return Diagnosis(status, jumps).explain()  # type: ignore[arg-type]


def _status_by_sample(result: xr.Dataset) -> np.ndarray:
    """Names of statuses, the worst of several targets."""
    meanings = str(result["status"].attrs.get("flag_meanings", "")).split()
    codes = result["status"].values
    codes = codes.reshape(len(codes), -1).max(axis=1) if codes.ndim else codes[None]
    return np.array([meanings[code] if 0 <= code < len(meanings) else str(code) for code in codes.tolist()])
