"""Where the paths of a result began, for what is made of it again: a rule, or the series themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import xarray as xr

baseline_option = click.option(
    "--baseline",
    metavar="RULE",
    help="Start of the paths, where RESULT does not hold it: data:FILE, one series, or one per sample.",
)


def baseline_of(text: str | None, result: xr.Dataset) -> Any:
    """The baseline of a result as the caller typed it; None where the result is to tell it.

    Parameters
    ----------
    text : str or None
        As `freqig explain --baseline` takes it; behind `data:` is a file with the series themselves.
    result : xarray.Dataset
        That of `freqig explain`; rate, length and channels of the file are to be its own.

    Raises
    ------
    ValueError
        If there is no such rule, or the file cannot be read so.
    """
    from ._reading import read_baseline

    if text is None or not text.startswith("data:"):
        return read_baseline(text)
    if "signal" not in result:
        # Of several inputs nothing is made again, which is told where it would be.
        return None
    from .. import read
    from ..result.reading import settings_of

    path, fs, signal = text.removeprefix("data:"), settings_of(result).get("fs"), result["signal"]
    asked: dict[str, Any] = {} if fs is None else {"fs": fs}
    if "channel" in result.coords and result["channel"].dtype.kind in "UO":
        asked["channels"] = list(map(str, result["channel"].values))
    try:
        found = read(path, **asked)
        if fs is not None and found.sizes["sample"] == 1 and found.sizes["time"] > signal.sizes["time"]:
            found = read(path, window=signal.sizes["time"] / fs, **asked)
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"baseline must be data:FILE with the series that paths began at, got {path!r}: {error}"
        ) from error
    if "channel" not in signal.dims:
        # Rows of a file are channels, and signals without channels are one series each.
        found = found.drop_vars("sample", errors="ignore").stack(
            row=("sample", "channel"), create_index=False
        )
        found = found.drop_vars(("sample", "channel"), errors="ignore").rename(row="sample")
        found = found.transpose("sample", "time")
    return found.isel(sample=0, drop=True) if found.sizes["sample"] == 1 else found
