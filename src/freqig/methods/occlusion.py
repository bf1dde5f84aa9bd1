"""Occlusion: by how much the output falls as bins, bands or windows are put to the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._check import check_positive, shown
from .._tensor_check import widest
from ..chunks import Chunks
from ..coalitions.game import Game
from ..coalitions.players import Players, channel_names, read_players
from ..domains import Domain
from ..domains.base import values_and_unit
from ..explain.projection import working_dtype
from ..objective.paths import Paths
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .explaining import Comparator, words
from .frame import Frame
from .masked import Masked, Scores

NAME = "occlusion"
"""Name of the variable, and of its dimensions, where players are occluded."""

Width = float | Mapping[str, float] | None


@dataclass(frozen=True)
class Occluded(Masked):
    """Windows over coefficients, occluded one after another.

    Parameters
    ----------
    width, step : float, mapping or None
        Of windows, in units of the coordinates.
    """

    width: Width
    step: Width
    players: tuple[str, ...] | None = None

    engine = "occlusion"
    exact = False
    title = "occlusion (Zeiler and Fergus 2014)"
    meaning = "by how much the output falls without the coefficient, mean over the windows that hold it"

    @property
    def n_least(self) -> int:
        return 1

    def described(self) -> dict[str, Any]:
        told = super().described()
        del told["seed"]
        return told

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        (first, *_) = domains
        if not isinstance(first, Players):
            return super().explain(paths, axes, domains, chunks)
        players = first.called(channel_names(axes))
        game = Game(paths, players, axes.sizes, chunks, paths.objective.evaluated)
        without = torch.from_numpy(game.values(~np.eye(players.count, dtype=bool)))
        fall = paths.output.cpu() - without
        values = fall.T.reshape(1, -1, *players.grid).to(working_dtype(paths.x.dtype))
        return self.told(paths, [players], [values], torch.tensor([game.n_evaluations]))

    def importance(self, scores: Scores, rng: np.random.Generator) -> Tensor:
        frame = scores.frame
        windows = self._windows(frame)
        device = frame.x.device
        total = torch.zeros(scores.paths.n_targets, frame.count, dtype=widest(device), device=device)
        held = total.new_zeros(frame.count)
        output, _ = scores.ends

        def masks(part: slice) -> Tensor:
            made = torch.ones(
                part.stop - part.start, frame.count, dtype=frame.free[0].real.dtype, device=device
            )
            for row, window in zip(made, windows[part], strict=True):
                row[window] = 0
            return made

        def add(some: Tensor, values: Tensor) -> None:
            gone = (1 - some).to(total.dtype)
            total.addmm_((output - values).T, gone)
            held.add_(gone.sum(0))

        scores.of(len(windows), masks, add)
        scores.n_evaluations += 1
        return total / held

    def _windows(self, frame: Frame) -> list[Tensor]:
        """Places of the coefficients of each window, in the flat order of masks."""
        places = frame.split(torch.arange(frame.count, device=frame.x.device))
        if len(places) > 1 and self.width is not None:
            raise ValueError(
                f"width must be omitted for domain {frame.domain.name!r}, whose coefficients have no "
                f"common grid, got {shown(self.width)}"
            )
        found = []
        for part in places:
            sizes = part.shape[frame.left :]
            extents = [(1, 1)] * len(sizes) if self.width is None else self._extents(frame, sizes)
            starts = [
                range(0, max(1, size - width + step), step)
                for size, (width, step) in zip(sizes, extents, strict=True)
            ]
            for row in part.reshape(-1, *sizes):
                for corner in product(*starts):
                    inside = tuple(
                        slice(at, at + width) for at, (width, _) in zip(corner, extents, strict=True)
                    )
                    found.append(row[inside].flatten())
        return found

    def _extents(self, frame: Frame, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """Width and step of windows along each axis, in coefficients."""
        coordinates = frame.domain.coords(frame.shape[-1], frame.fs)
        widths = self._by_axis("width", self.width, list(coordinates))
        steps = self._by_axis("step", self.step, list(coordinates))
        extents = []
        for (key, content), size in zip(coordinates.items(), sizes, strict=True):
            width, step = widths.get(key), steps.get(key)
            if width is None:
                extents.append((1, 1))
                continue
            spacing = _spacing(content, key, frame.domain.name)
            n = min(size, max(1, round(width / spacing)))
            extents.append((n, min(n, max(1, n // 2 if step is None else round(step / spacing)))))
        return extents

    @staticmethod
    def _by_axis(name: str, given: Width, keys: Sequence[str]) -> Mapping[str, float]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            if len(keys) > 1:
                raise ValueError(
                    f"{name} must say which axis it is of, such as {name}={{{keys[0]!r}: 1.0}}, for a domain "
                    f"with {' and '.join(map(repr, keys))}, got {shown(given)}"
                )
            return {keys[0]: given}
        if unknown := [key for key in given if key not in keys]:
            raise ValueError(f"{name} must name axes among {', '.join(map(repr, keys))}, got {unknown[0]!r}")
        return given


def _spacing(content: Any, key: str, name: str) -> float:
    """Distance of neighbours of a coordinate."""
    values, _ = values_and_unit(content)
    if values.dtype.kind not in "fiu":
        raise ValueError(f"width must not be given along {key!r} of domain {name!r}, whose places have names")
    return float(np.median(np.diff(values))) if len(values) > 1 else 1.0


class Occlusion(Comparator):
    """Occlusion of bins, windows or bands: F(x) - F(x without them).

    Coefficients are put to the baseline, synthesis of all others gives the signal, and what the output
    falls by is the attribution. Each alone by default; in windows of a width, which overlap by half, a
    coefficient has the mean over those that hold it. Of `players` each band, channel or stretch of time is
    occluded as a whole; they are parts of a tight frame, so that all of them are the signal.

    What two coefficients do together is taken from both, and what each would do alone from none: such
    differences add up to F(x) - F(x') only for models that are linear in what is occluded.

    Parameters
    ----------
    model : object
        Whatever `freqig.Shapley` takes; no gradients are needed.
    width : float or mapping of str to float, optional
        Width of windows in the unit of the coordinate, such as Hz for `RFFT()` and s for `Time()`; by axis,
        such as ``{"frequency": 2.0, "time": 0.5}``, for domains with two. Default: one coefficient.
    step : float or mapping, optional
        From one window to the next, at most a width. Default: half a width.
    players : FilterBank, "channels", Segments or tuple of them, optional
        As of `freqig.Shapley`, in place of `domains`. The variable is then `occlusion`.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be linear, `RFFT()` by default.

    References
    ----------
    Zeiler, Fergus: Visualizing and understanding convolutional networks, ECCV 2014, section 4.2.

    Examples
    --------
    >>> import numpy as np, freqig
    >>> t = np.arange(64) / 64
    >>> x = np.sin(2 * np.pi * 5 * t) + np.sin(2 * np.pi * 20 * t)
    >>> power_at_5_hz = lambda x: np.abs(np.fft.rfft(x)[:, 5]) ** 2
    >>> result = freqig.methods.Occlusion(power_at_5_hz, fs=64)(x[None])
    >>> float(result.rfft.sel(frequency=5)[0].round()), float(abs(result.rfft).sel(frequency=20)[0].round())
    (1024.0, 0.0)
    >>> bands = freqig.FilterBank({"low": (0, 10), "high": (10, 32)})
    >>> result = freqig.methods.Occlusion(power_at_5_hz, fs=64, players=bands)(x[None])
    >>> result.occlusion.dims, result.occlusion_band.values.tolist()
    (('sample', 'occlusion_band'), ['low', 'high', 'rest'])
    """

    gradients = False

    @words
    def __init__(
        self, model: Any, *, width: Any = None, step: Any = None, players: Any = None, **shared: Any
    ) -> None:
        if step is not None and width is None:
            raise ValueError(f"step must be omitted where no width is given, got {shown(step)}")
        told = None
        if players is not None:
            taken = {"domains": shared.get("domains"), "width": width}
            if clash := [name for name, value in taken.items() if value is not None]:
                raise ValueError(f"{clash[0]} must be omitted where players= says what is occluded")
            given = read_players(players)
            told = tuple(one if isinstance(one, str) else repr(one) for one in given)
            shared["domains"] = Players(given, NAME, NAME)
        windows = _read(width, "width"), _read(step, "step")
        _refuse_gaps(*windows)
        self.settled(model, Occluded(*windows, told), **shared)


def _refuse_gaps(width: Width, step: Width) -> None:
    """ValueError where a step leaves coefficients between two windows out, or has no window."""
    if step is None:
        return
    if isinstance(width, Mapping) != isinstance(step, Mapping):
        raise ValueError(
            f"step must be a number or a mapping, as width is, got {shown(step)} and {shown(width)}"
        )
    widths, steps = (one if isinstance(one, Mapping) else {"": one} for one in (width, step))
    for key, part in steps.items():
        whole, axis = widths.get(key), f"[{key!r}]" if key else ""
        if whole is None or (part is not None and part > whole):
            raise ValueError(f"step{axis} must be at most width{axis}, got {shown(part)} and {shown(whole)}")


def _read(given: Any, name: str) -> Width:
    if given is None or not isinstance(given, Mapping):
        return None if given is None else check_positive(given, name)
    return {str(key): check_positive(value, f"{name}[{key!r}]") for key, value in given.items()}
