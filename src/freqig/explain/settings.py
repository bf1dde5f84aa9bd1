"""What an Explainer was asked for, checked once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Self, TypeVar

from torch import Tensor

from .._check import (
    check_choice,
    check_count,
    check_draws,
    check_flag,
    check_flag_or_none,
    check_fs,
    check_integer,
    check_positive,
    check_share,
)
from ..domains import RFFT, Domain, Time
from ..domains.reading import read_domains
from ..memory import read_memory
from ..models.axes import ModelAxes
from ..models.hints import LAST, Hints
from ..models.outputs import OutputKey, read_output_key
from ..objective.classes import ClassReader
from ..objective.scales import OutputScale, scale_of
from ..signals import Signal
from ..signals.units import read_unit
from .captum import DEFAULT_NODES, Captum
from .class_names import read_classes
from .methods import AdaptiveNodes, FixedNodes, Method

ENGINES = ("path", "captum")

OF_PATHS = ("max_evaluations", "n_initial", "n_steps")
"""Settings of adaptive and fixed nodes, of which methods without a path know nothing."""

T = TypeVar("T")


def read_tolerance(tol: Any) -> float:
    """A relative error: one of 100 % would say nothing.

    Examples
    --------
    >>> read_tolerance(5)
    Traceback (most recent call last):
    ValueError: tol must be above 0 and below 1, got 5.0: 5 % is 0.05
    """
    return check_share(check_positive(tol, "tol"), "tol")


@dataclass(frozen=True)
class Settings:
    """Settings of an `Explainer`, by the names and with the meaning of its parameters.

    They are checked where they are made; `time_axis` is that of the model, -1 where `layout` tells it.
    """

    fs: float | None
    unit: str | None
    classes: tuple[str, ...] | None
    domains: tuple[Domain, ...]
    output: OutputScale
    output_key: OutputKey
    class_axis: int | None
    probabilities: bool | None
    engine: str
    n_steps: int | None
    tol: float
    max_evaluations: int
    n_initial: int | None
    time_axis: int
    layout: str | None
    trust: bool
    progress: bool | None
    batch_independent: bool
    memory: int | None

    @classmethod
    def read(
        cls,
        *,
        fs: Any,
        unit: Any,
        classes: Any,
        domains: Any,
        output: Any,
        output_key: Any,
        class_axis: Any,
        probabilities: Any,
        engine: Any,
        n_steps: Any,
        tol: Any,
        max_evaluations: Any,
        n_initial: Any,
        time_axis: Any,
        layout: Any,
        trust: Any,
        progress: Any,
        batch_independent: Any,
        memory: Any,
    ) -> Settings:
        """Check what a caller asked for."""
        fs, domains = None if fs is None else check_fs(fs), read_domains(domains)
        if not callable(output):
            scale_of(output)
        reader = ClassReader.of(class_axis, probabilities, output)
        check_choice(engine, "engine", ENGINES)
        if engine == "captum" and not all(type(d) is RFFT and not d.resampled for d in domains):
            raise ValueError("engine='captum' explains in RFFT() only; use engine='path' for others")
        time_axis = check_integer(time_axis, "time_axis")
        if layout is not None and time_axis != LAST:
            raise ValueError(f"layout must be left out where time_axis={time_axis} is given: it says both")
        if n_steps is None and engine == "captum":
            n_steps = DEFAULT_NODES
        return cls(
            fs=fs,
            unit=None if unit is None else read_unit(unit),
            classes=read_classes(classes),
            domains=domains,
            output=output,
            output_key=read_output_key(output_key),
            class_axis=reader.class_axis,
            probabilities=reader.probabilities,
            engine=engine,
            n_steps=None if n_steps is None else check_draws(n_steps, "n_steps"),
            # With fixed nodes it says which gaps are warned of, and nothing depends on it.
            tol=read_tolerance(tol) if n_steps is None else check_positive(tol, "tol"),
            max_evaluations=check_count(max_evaluations, "max_evaluations"),
            n_initial=None if n_initial is None else check_count(n_initial, "n_initial"),
            time_axis=time_axis,
            layout=None if layout is None else str(ModelAxes.read(layout)),
            trust=check_flag(trust, "trust"),
            progress=check_flag_or_none(progress, "progress"),
            batch_independent=check_flag(batch_independent, "batch_independent"),
            memory=read_memory(memory),
        )

    @classmethod
    def without_paths(cls, asked: dict[str, Any], **own: Any) -> Self:
        """Settings of a method that has no path, so that those of paths mean nothing, and its own."""
        known = Settings.read(engine="path", n_steps=None, max_evaluations=2000, n_initial=None, **asked)
        return cls(**{one.name: getattr(known, one.name) for one in fields(Settings)}, **own)

    @property
    def of_ends(self) -> Settings:
        """The same, for the outputs at both ends of the paths and little else."""
        shared = {one.name: getattr(self, one.name) for one in fields(Settings)}
        ends = {"domains": (Time("part"),), "engine": "path", "n_steps": 1, "progress": False}
        return Settings(**{**shared, **ends})

    @property
    def method(self) -> Method:
        """How paths are integrated."""
        if self.n_steps is None:
            return AdaptiveNodes(self.tol, self.max_evaluations, self.n_initial)
        return (Captum if self.engine == "captum" else FixedNodes)(self.tol, self.n_steps)

    def of_model(self, hints: Hints) -> Self:
        """The same, with what the kind of the model says where the caller did not."""
        return self if self.layout is not None else replace(self, time_axis=hints.resolve(self.time_axis))

    @property
    def model_axes(self) -> ModelAxes | None:
        """The axes that the model takes, where `layout` tells them."""
        return None if self.layout is None else ModelAxes.read(self.layout)

    def layout_of(self, signal: Signal) -> ModelAxes | None:
        """In which layout signals of channels by time go to the model; None where axes have no names."""
        if self.layout is not None or signal.dims is None or signal.values.ndim != 3:
            return self.model_axes
        return ModelAxes(("C", "T") if self.time_axis in (LAST, 2) else ("T", "C"))

    def arranged(self, values: Tensor) -> Tensor:
        """Signals of shape (N, *axes, n) as the model takes them."""
        axes = self.model_axes
        return values.movedim(-1, self.time_axis) if axes is None else axes.arranged(values)

    def counted_time_axis(self, ndim: int) -> int:
        """The model's axis of time counted from the end, so that it holds for points as for signals."""
        axes = self.model_axes
        if axes is not None:
            return axes.time_axis
        return self.time_axis if self.time_axis < 0 else self.time_axis - ndim

    def described(self) -> dict[str, Any]:
        """Settings that make a difference to the result, as its attributes tell them."""
        scale = self.output
        return {
            "classes": self.classes,
            "batch_independent": self.batch_independent,
            "domains": [repr(domain) for domain in self.domains],
            "engine": self.engine,
            "fs": self.fs,
            "layout": self.layout,
            "max_evaluations": self.max_evaluations,
            "n_initial": self.n_initial,
            "n_steps": self.n_steps,
            "output": scale if isinstance(scale, str) else getattr(scale, "__qualname__", repr(scale)),
            "output_key": self.output_key,
            "time_axis": self.time_axis,
            "tol": self.tol,
            "unit": self.unit,
        }


class Setting(Generic[T]):
    """A setting that can be read from an Explainer, and not be changed."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, explainer: Any, owner: type) -> T:
        if explainer is None:
            raise AttributeError(f"{self.name} is a setting of an Explainer that was made, not of the class")
        value: T = getattr(explainer.settings, self.name)
        return value

    def __set__(self, explainer: Any, value: object) -> None:
        raise AttributeError(
            f"{self.name} is settled when an Explainer is made: make another one with {self.name}={value!r}"
        )
