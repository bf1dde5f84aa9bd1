"""In which layout a model gets windows of channels by time: as the caller says, or its declared shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from ..errors import SignalWarning, warn
from ..models import Hints
from ..models.axes import ModelAxes, layouts_of
from ..models.hints import LAST, described
from ..signals import Signal
from .settings import Settings

RANKS = (2, 3, 1)
"""Numbers of axes behind the samples that models take; of the first with one that fits all are offered."""


def with_layout(settings: Settings, hints: Hints, signal: Signal) -> Settings:
    """Settings with the layout in which a model takes signals of shape (N, *axes, n).

    What the caller said counts. Else signals whose axes are known by name are arranged as the shape that
    the model declares has it, where they do not fit as they are and there is one way: that is said. Of
    signals with more channels than values in time nothing is concluded.

    Raises
    ------
    ValueError
        If the signals have not the axes of a given layout, or there are several ways.
    """
    x = signal.values
    if settings.layout is not None:
        _refuse_other_axes(x, settings.layout)
        return settings
    left_to_the_model = settings.time_axis in (LAST, hints.time_axis)
    if signal.dims is None or x.ndim != 3 or not left_to_the_model:
        return settings
    _, k, n = x.shape
    fits = not hints.misfit(tuple(settings.arranged(x).shape), settings.time_axis)
    if fits and not (k > n and hints.is_unclear(settings.time_axis)):
        return settings
    layouts = hints.layouts(k, n)
    if not layouts or hints.shape is None:
        return settings
    told = f"a model that takes {described(hints.shape)}"
    # More channels than values are most often a file whose axes are the other way round.
    if len(layouts) > 1 or k > n:
        raise ValueError(
            f"layout must be given for {told}: windows of {k} channel{'s' * (k > 1)} by {n} "
            f"value{'s' * (n > 1)} in time fit {_offered(layouts)}"
            + ", if the file has channels before time"
            * (k > n)
        )
    warn(f"signals go to {told} in the layout {layouts[0]}, the only one that fits", SignalWarning)
    return replace(settings, layout=str(layouts[0]), time_axis=LAST)


def _refuse_other_axes(x: Tensor, layout: str) -> None:
    if x.ndim != 3:
        raise ValueError(
            f"x must have the axes sample, channel and time where layout='{layout}' says how the model takes "
            f"them, got shape {tuple(x.shape)}: leave layout= out for arrays in the layout of the model"
            + ", or pass x[:, None] for series of one channel"
            * (x.ndim == 2)
        )
    if "C" not in ModelAxes.read(layout).names and x.shape[1] != 1:
        raise ValueError(
            f"x must have one channel where layout='{layout}' has no C, got {x.shape[1]}: pass channels= "
            "with the name of one, or a layout with C"
        )


def misfit(hints: Hints, settings: Settings, signal: Signal) -> str:
    """What speaks against signals where their model declares a shape; nothing where they fit."""
    x = signal.values
    found = hints.misfit(tuple(settings.arranged(x).shape), settings.counted_time_axis(x.ndim))
    if not found or settings.layout is not None or signal.dims is None or x.ndim != 3:
        return found
    count, k, n = x.shape
    if len(hints.shape or ()) == 2:
        return f"{described(hints.shape or ())}, of one channel, got {k}: pass channels= with the name of one"
    # Of a layout in which one size is off, that size is told, rather than the number of axes.
    for layout in layouts_of(len(hints.shape or ()) - 1, k, n):
        pairs = zip(layout.names, (hints.shape or ())[1:], layout.sizes(k, n), strict=True)
        off = [name for name, declared, own in pairs if declared not in (None, own)]
        if len(off) == 1 and off != ["1"]:
            return hints.misfit((count, *layout.sizes(k, n)), layout.time_axis)
    return found


def refuse_layout(
    name: str,
    x: Tensor,
    given: ModelAxes,
    takes: Callable[[Tensor], bool],
    hints: Hints,
    error: Exception | None,
) -> None:
    """Raise where a model takes signals, shape (N, k, n), in another layout than it was given.

    Parameters
    ----------
    name : str
        Name of the signals in errors.
    x : torch.Tensor
        The signals.
    given : ModelAxes
        The layout in which the model fails on them.
    takes : callable
        Whether the model takes what is arranged in a way.
    hints : Hints
        What the model declares: then other shapes are not tried, which Keras may take all the same.
    error : Exception or None
        That of the model, which becomes the cause.
    """
    _, k, n = x.shape
    known = hints.shape is not None
    for layouts in [hints.layouts(k, n)] if known else [layouts_of(rank, k, n) for rank in RANKS]:
        fitting = [one for one in layouts if takes(one.arranged(x))]
        if fitting:
            shapes = " or ".join(str((len(x), *one.sizes(k, n))) for one in fitting)
            which = ", whichever it was made for" if len(fitting) > 1 else ""
            raise ValueError(
                f"{name} must have the axes of the model, which fails on shape "
                f"{(len(x), *given.sizes(k, n))}, the layout {given}, but takes {shapes}: pass "
                f"{_offered(fitting)}{which}"
            ) from error


def _offered(layouts: list[ModelAxes]) -> str:
    return " or ".join(f"layout='{layout}'" for layout in layouts)
