"""Figures in files: which there are, and which options they take."""

from __future__ import annotations

import ast
import inspect
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import xarray as xr

DPI = 200


def kinds() -> tuple[str, ...]:
    """Names of all figures, read from the source of `freqig.plots`: matplotlib takes long to import."""
    spec = find_spec("freqig.plots")
    tree = (
        ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        if spec and spec.origin
        else ast.Module([], [])
    )
    for line in tree.body:
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "__all__":
            return tuple(sorted(ast.literal_eval(line.value)))
    return ()


def draw(
    result: xr.Dataset, kind: str, path: Path, options: dict[str, Any], size: tuple[float, float] | None
) -> None:
    """Draw one figure into a file.

    Parameters
    ----------
    result : xarray.Dataset
        A result.
    kind : str
        Name of a function of `freqig.plots`.
    path : pathlib.Path
        File to write; its ending says the format.
    options : dict
        Arguments of that function.
    size : tuple of float, optional
        Width and height in inches.

    Raises
    ------
    click.UsageError
        If the figure takes no such option.
    """
    import matplotlib as mpl

    # A window is for nobody, and a machine without a screen has none.
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from .. import plots
    from ..plots._axes import SIZE

    function = getattr(plots, kind)
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in ("result", "axes")
    }
    takes = list(parameters)
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in options:
            raise click.UsageError(f"{kind} needs --{name}")
    for name in options:
        if name not in takes:
            raise click.UsageError(f"{kind} takes no option {name!r}; it takes {', '.join(takes)}")
    before = SIZE.set(size)
    try:
        drawn = function(result, **options)
        axes = drawn[0] if isinstance(drawn, (tuple, list)) else drawn
        axes = axes.flat[0] if hasattr(axes, "flat") else axes
        axes.get_figure().savefig(path, dpi=DPI)
    finally:
        SIZE.reset(before)
        plt.close("all")


def draw_all(result: xr.Dataset, folder: Path, bands: Any) -> None:
    """Draw every figure that fits a result into a folder, and tell of those that do not.

    Parameters
    ----------
    result : xarray.Dataset
        A result.
    folder : pathlib.Path
        A folder that is there.
    bands : str, mapping or None
        For those that take bands.
    """
    from .. import plots

    left = []
    several = "target" in result.dims
    for kind in kinds():
        takes = inspect.signature(getattr(plots, kind)).parameters
        options = {"bands": bands} if bands is not None and "bands" in takes else {}
        for place in range(result.sizes["target"]) if several else [None]:
            one = result if place is None else result.isel(target=place)
            name = kind if place is None else f"{kind}_{_plain(one['target'].item())}"
            try:
                draw(one, kind, folder / f"{name}.png", options, None)
            except (ValueError, TypeError, KeyError, ImportError, click.UsageError):
                left.append(kind)
                break
    if left:
        click.echo(f"Figures for which this result has nothing: {', '.join(left)}", err=True)


def _plain(name: Any) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in str(name))
