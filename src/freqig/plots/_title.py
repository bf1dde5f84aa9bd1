"""What the title of a figure says of the explanation in it."""

from __future__ import annotations

from collections.abc import Hashable

import xarray as xr


def title_of(one: xr.Dataset, name: str, sample: int | None = None, channel: Hashable | None = None) -> str:
    """Sample, channel and target in one line; output, baseline and completeness gap in the next.

    Parameters
    ----------
    one : xarray.Dataset
        One sample. Averages and other derived results lack some of these, and the title says what
        there is. The gap is that of the variable's own path, where it has one.
    name : str
        Variable that is drawn.
    sample : int, optional
        Position of the sample.
    channel : hashable, optional
        The one channel that is drawn.

    Returns
    -------
    str
        Empty where nothing is known.

    Examples
    --------
    >>> one = xr.Dataset({"rfft": ("frequency", [1.0]), "target": 2, "output": 1.5})
    >>> print(title_of(one, "rfft", sample=0))
    sample 0, target 2
    output 1.5
    """

    def value(key: str) -> str | None:
        # The target is a coordinate where one of several targets was selected.
        found = one.get(key)
        if found is None:
            return None
        entry = found.values.tolist()
        return f"{entry:.4g}" if isinstance(entry, float) else str(entry)

    what = [] if sample is None else [f"sample {sample}"]
    if channel is not None:
        what.append(f"channel {channel}")
    if (target := value("target")) is not None:
        what.append(f"target {target}")
    if (predicted := value("predicted")) is not None and predicted != target:
        what.append(f"predicted {predicted}")
    sums = []
    if (output := value("output")) is not None:
        units = one.output.attrs.get("units", one[name].attrs.get("units", "output"))
        sums.append(f"{units} {output}")
        if (baseline := value("baseline_output")) is not None:
            sums[-1] += f" (baseline {baseline})"
    own = f"{name}_" if f"{name}_completeness_gap" in one else ""
    if (gap := value(f"{own}completeness_gap")) is not None:
        converged = one.data_vars.get(f"{own}converged")
        late = converged is not None and not bool(converged)
        sums.append(f"completeness gap {gap}{', not converged' if late else ''}")
    return "\n".join(", ".join(line) for line in (what, sums) if line)


def position_of(result: xr.Dataset, sample: int) -> int | None:
    """Position of a sample counted from the first, None in a result of one sample without the dimension.

    Examples
    --------
    >>> position_of(xr.Dataset({"output": ("sample", [1.0, 2.0])}), -1)
    1
    """
    return sample % result.sizes["sample"] if "sample" in result.dims else None
