"""Deletion and insertion of an explanation beside random and amplitude order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from .._check import check_choice, shown
from ._axes import axes_for
from ._labels import fitted
from ._options import documented
from ._style import letters, root_of, units_of
from ._title import check_title

LINES: dict[str, dict[str, Any]] = {
    "attribution": {"color": "#b2182b", "linestyle": "-", "linewidth": 2.0},
    "random": {"color": "0.55", "linestyle": ":", "linewidth": 2.0},
    "amplitude": {"color": "#2166ac", "linestyle": "--", "linewidth": 1.5},
    "best": {"color": "0.1", "linestyle": "-.", "linewidth": 1.2},
}
"""How each order is drawn: told apart by dashes where there is no colour."""


@documented
def evaluation(
    result: xr.Dataset,
    *,
    variable: str | None = None,
    by: str = "count",
    replacement: str | None = None,
    title: str | None = None,
    axes: Any = None,
) -> Sequence[Axes]:
    """Draw what the model says as the top of the coefficients is replaced, and where it alone is kept.

    Means over the samples. Where an explanation names what the model uses, its curve falls sooner than the
    others on the left, and rises sooner on the right.

    Parameters
    ----------
    result : xarray.Dataset
        As `freqig.evaluate` makes it, deletion among its families.
    variable : str, optional
        Variable of attributions. Default the first.
    by : {"count", "energy"}, default "count"
        Whether the top is a share of the number of coefficients or of their energy.
    replacement : str, optional
        What coefficients are replaced by. Default the first.
    {title}
    axes : sequence of two matplotlib.axes.Axes, optional
        For deletion and insertion. Default those of a new pyplot figure.

    Returns
    -------
    list of matplotlib.axes.Axes
        The two axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `result` has no curves, or none of this variable or replacement.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> from matplotlib.figure import Figure
    >>> x = np.random.default_rng(0).normal(size=(4, 40))
    >>> model = torch.nn.Linear(40, 1).double()
    >>> result = freqig.Explainer(model, fs=40)(x, target=0)
    >>> table = freqig.evaluate(result, model, x, families="deletion")
    >>> pair = freqig.plots.evaluation(table, axes=Figure(layout="constrained").subplots(1, 2))
    >>> pair[0].get_title()
    'deletion'
    """
    check_title(title)
    curve = _chosen(result, variable, check_choice(by, "by", ("count", "energy")), replacement)
    pair = axes_for(axes, 2, "kind of curve", 3.4, columns=2)
    share = curve["share"].values
    of = "coefficients" if by == "count" else "their energy"
    for panel, kind in zip(pair, ("deletion", "insertion"), strict=True):
        for order, style in LINES.items():
            values = curve.sel(kind=kind, order=order).mean("sample", skipna=True).values
            if np.isfinite(values).any():
                label = str(curve.attrs["variable"]) if order == "attribution" else f"{order} order"
                panel.plot(share, values, label=label, **style)
        panel.set_title(kind, fontsize="small")
        panel.set_xlabel(f"share of {of}", fontsize="small")
        panel.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        panel.set_xlim(0, 1)
        panel.set_xticks([0, 0.5, 1])
        panel.tick_params(labelsize="small")
        panel.spines[["top", "right"]].set_visible(False)
    pair[0].set_ylabel(f"mean {units_of(curve, 'output')}", fontsize="small")
    count = curve.sizes["sample"]
    made = f"{curve.attrs['variable']}, {count} samples, replaced by {curve.attrs['replacement']}"
    _explain(pair, made if title is None else title)
    return pair


def _explain(pair: Sequence[Axes], title: str) -> None:
    """The legend and the title of both panels, where the figure has room for them."""
    figure = root_of(pair[0])
    handles, names = pair[0].get_legend_handles_labels()
    text = fitted(title.split(" "), 0.95 * 72 * float(figure.bbox.width) / figure.dpi, size="small")
    if figure.get_layout_engine() is None:
        # Nothing makes room outside of the axes.
        pair[1].legend(handles, names, loc="best", fontsize="small")
        pair[0].set_title(text, loc="left", fontsize="small", pad=6 + 1.3 * letters())
        return
    # Below both, so that no curve is covered where the figure is small.
    figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize="small", frameon=False)
    if text:
        figure.suptitle(text, fontsize="small")


def _chosen(result: Any, variable: Any, by: str, replacement: Any) -> xr.DataArray:
    if not isinstance(result, xr.Dataset):
        raise TypeError(f"result must be what freqig.evaluate returns, got {shown(result)}")
    if "curve" not in result:
        raise ValueError(
            "result must have the curves of freqig.evaluate, by variable and replacement, got none: omit "
            "families=, or name deletion"
        )
    place: dict[str, str] = {}
    for name, given in (("variable", variable), ("replacement", replacement)):
        known = list(map(str, result[name].values))
        if given is not None and not (isinstance(given, str) and given in known):
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {shown(given)}")
        place[name] = known[0] if given is None else given
    found = result["curve"].sel({"by": by, **place})
    return found.assign_attrs(place)
