"""The Explainer: model, domains and path settings, called on signals."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from .._check import (
    check_choice,
    check_dtype,
    check_flag,
    check_fs,
    check_integer,
    in_dtype,
    settings_by_name,
)
from ..baselines import describe_baseline, draw_baselines
from ..chunks import Chunks
from ..domains import RFFT, Domain
from ..domains.check import ready
from ..domains.reading import read_domains
from ..errors import ResolutionWarning, warn
from ..memory import read_memory
from ..models import as_model
from ..models.joined import JoinedInputs
from ..models.outputs import ROWS, read_output_key
from ..objective.argument_axes import settle_readings
from ..objective.arguments import Extra
from ..objective.classes import Classes, ClassReader
from ..objective.failures import left_the_model, told_of
from ..objective.objective import Objective
from ..objective.scales import OutputScale, scale_of
from ..objective.targets import Target
from ..result.attributions import Run
from ..result.dataset import label
from ..signals import (
    Signal,
    aligned_rows,
    hint_at_volts,
    in_one_order,
    is_pair_with_rate,
    read_signal,
    settled,
)
from ..signals.axes import Axes
from .call import Problem
from .fitting import refuse_axes
from .methods import ENGINES, Method
from .projection import working_dtype
from .several_inputs import join

# Shapes of signals whose chunk size is remembered; more of them are measured anew.
MOST_SHAPES = 256


class Explainer:
    """Explains a model in the frequency domain, and in every other domain asked for.

    Parameters
    ----------
    model : torch.nn.Module, callable, model of Keras, TensorFlow, JAX or ONNX, or path of a file
        Maps a batch of signals to outputs, batch axis first. Modules, also those found inside
        a callable, run in eval and come back exactly as they were.
    fs : float, optional
        Sampling rate in Hz. Default: that of the input where it carries one, else of the model;
        else frequencies are in cycles per sample and the coordinate says so.
    domains : Domain or sequence of Domain, optional
        What to explain in; `RFFT()` by default. All share the same model evaluations.
    output : {"logit", "log_prob", "probability", "margin"} or callable, default "logit"
        What of the model's output is explained. `logit` is the raw output; `log_prob` and
        `probability` its (log-)softmax over the classes, with one output the (log-)sigmoid;
        `margin` the logit minus the logsumexp of the others, the log-odds of the target. A
        callable gets the raw outputs (P, ...) and the targets of the same series, and returns one
        scalar per series, shape (P,).
    output_key : int, str or tuple of them, optional
        Which part of a tuple, list, dict or object output is explained; a tuple leads into nested
        ones, from the outermost inwards.
    class_axis : int, optional
        Axis of the raw output that holds the classes, with the batch axis as 0: 1 for outputs
        (N, class, step), 2 or -1 for (N, step, class). Default: that of outputs with two axes; with
        more, the only axis over which outputs are found to be a softmax. Where neither says it,
        only `logit` with a tuple as target is explained, and `predicted` is left out.
    probabilities : bool, optional
        Whether the outputs are probabilities. Then `logit` and `probability` are the outputs as
        they are, `log_prob` is their logarithm and `margin` their log-odds, log p - log(1 - p), also
        of a single output. False takes them for logits. Default None: decided at the first call,
        with a warning, for two or more outputs that are non-negative and sum to 1 within 8 eps, at
        the input and on the path; a single output is never taken for a probability.
    engine : {"path", "captum"}, default "path"
        freqig's streaming path integrator, or Captum's IntegratedGradients over
        `FrequencyModel` as a reference (domain RFFT only).
    n_steps : int, optional
        That many Gauss-Legendre nodes on every path. Default None: adaptive, for each sample as
        few nodes as reach `tol`, and a statement where none do.
    tol : float, default 0.01
        Tolerance: of the L1 error of the attributions in every domain, relative to their L1 norm,
        and of the completeness gap. With fixed `n_steps` the gap alone is known.
    max_evaluations : int, default 2000
        Most evaluations a sample, where integration is adaptive.
    n_initial : int, default 7
        Nodes of the first rule, where integration is adaptive. A feature of the path that is
        narrower than their spacing, and changes F by nothing, is invisible to every rule.
    time_axis : int, default -1
        Axis of time; -1 is the last, or that of the model's kind, 1 for Keras's (batch, time, channel).
    dtype : torch.dtype, optional
        Dtype to run the model in. Default: that of its first floating parameter; for
        callables without one float32, or float64 where they refuse float32.
    device : torch.device or str, optional
        Device of the model. Default: that of its first floating parameter, else the CPU.
    trust : bool, default False
        Whether model files that can run code when loaded may be loaded.
    progress : bool, optional
        Whether to show a progress bar, which counts samples, or evaluations where samples are few.
        Default: on a terminal, where a run takes more than about 10 s.
    batch_independent : bool, default True
        Whether the output for one series is independent of the others in its batch, which is
        checked. False runs one point a call.
    memory : int or str, optional
        What a call may take beside the model, the input and the result, in bytes or as a string such
        as "500 MB": two points in the model, with gradients and workspace, as measured; running sums,
        kept gradients and projections; and what the system's allocator keeps of freed blocks. Less
        than the least there is, is an error with the number. Models outside PyTorch are not measured
        but guessed. Default: one pass of the model and about 400 MB more; for series of millions of
        values more than that, if they cannot do with less.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not one of the allowed.

    Examples
    --------
    >>> import numpy as np, torch, freqig
    >>> model = torch.nn.Sequential(torch.nn.Linear(100, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    >>> explainer = freqig.Explainer(model, fs=100)
    >>> x = np.random.default_rng(0).normal(size=(4, 100))
    >>> result = explainer(x)
    >>> result.rfft.dims, result.rfft.shape
    (('sample', 'frequency'), (4, 51))
    >>> difference = result.output - result.baseline_output
    >>> bool(np.allclose(result.rfft.sum("frequency"), difference, atol=1e-5))
    True
    """

    @settings_by_name
    def __init__(
        self,
        model: Any,
        *,
        fs: float | None = None,
        domains: Domain | Sequence[Domain] | None = None,
        output: OutputScale = "logit",
        output_key: int | str | np.integer[Any] | Sequence[Any] | None = None,
        class_axis: int | np.integer[Any] | None = None,
        probabilities: bool | np.bool_ | None = None,
        engine: str = "path",
        n_steps: int | None = None,
        tol: float = 0.01,
        max_evaluations: int = 2000,
        n_initial: int = 7,
        time_axis: int = -1,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        trust: bool | np.bool_ = False,
        progress: bool | np.bool_ | None = None,
        batch_independent: bool | np.bool_ = True,
        memory: int | str | None = None,
    ) -> None:
        trust = check_flag(trust, "trust")
        self.model = as_model(model, dtype=check_dtype(dtype), device=device, trust=trust)
        self.fs = None if fs is None else check_fs(fs)
        self.domains = read_domains(domains)
        if not callable(output):
            scale_of(output)
        self.output = output
        self.output_key = read_output_key(output_key)
        self.model = self.model.choosing(self.output_key)
        self._reader = ClassReader.of(class_axis, probabilities, output)
        check_choice(engine, "engine", ENGINES)
        if engine == "captum" and any(type(domain) is not RFFT for domain in self.domains):
            raise ValueError("engine='captum' explains in RFFT() only; use engine='path' for others")
        self.method = Method.read(engine, n_steps, tol, max_evaluations, n_initial)
        self.time_axis = self.model.hints.resolve(check_integer(time_axis, "time_axis"))
        self.trust = trust
        self.progress = None if progress is None else check_flag(progress, "progress")
        self.memory = read_memory(memory)
        self.batch_independent = check_flag(batch_independent, "batch_independent")
        self._chunks: dict[tuple[int, ...], Chunks] = {}
        self._given: list[torch.Size] = []

    def __call__(
        self,
        x: Any,
        *,
        target: Target = None,
        baseline: Any = None,
        additional_forward_args: Any = None,
    ) -> xr.Dataset:
        """Explain a batch of signals.

        Parameters
        ----------
        x : array-like, torch.Tensor, xarray.DataArray, or MNE Raw or Epochs
            Signals in the model's own layout, batch first, shape (N, ..., n). A tuple of them for
            a model of several inputs, all on one path; then `baseline` is a tuple too,
            and names and dimensions end in the number of the input: `rfft_0`, `rfft_1`, ….
        target : int, tuple, sequence, array, tensor, "all" or None
            Which output: one class for all samples, a tuple as one index for all, or a
            sequence with one per sample. None: each sample's predicted class. "all": every
            class, on a dimension `target`. The numbers of a tuple are in the order of the output
            axes, wherever the classes are: (class, step) for class_axis=1; in the place of the
            class it may hold None or "all". A callable `output` has targets of its own: a number
            or a tuple for all samples, or a list, array or tensor with one thing per sample,
            whose tensors follow the samples.
        baseline : Baseline or array-like, optional
            Start of the path: a rule of `freqig.baselines`, or values of the shape of `x` or of
            one of its series; zero by default. Over several baselines attributions are averaged,
            and their standard deviation is the variable NAME_spread.
        additional_forward_args : tensor, object, or tuple or list of them, optional
            Further arguments of the model. `freqig.per_sample(values, axis=0)` says that one holds an
            entry per sample, `freqig.shared(value)` that it is the same for all. Where nothing is
            said, tensors whose first axis is as long as the batch are tried both ways on the model,
            and what it does not tell apart is an error; all others are shared.

        Returns
        -------
        xarray.Dataset
            A variable a domain, with `attrs["kind"] == "attribution"`, such as
            `rfft(sample, channel, frequency)`; `signal`; and by sample `output`,
            `baseline_output`, `completeness_gap`, `correction`, `converged`, `estimated_error`,
            `status` and `n_evaluations`, with Σ attribution = output - baseline_output +
            completeness_gap + correction; and `target` and `predicted` as coordinates.

        Raises
        ------
        ValueError, TypeError
            If an argument has a wrong shape, type or value, or the model cannot be explained.
        """
        if isinstance(x, tuple) and not is_pair_with_rate(x):
            return self._explain_several(x, target, baseline, additional_forward_args)
        signal = self._read(x, "x")
        target = aligned_rows(target, signal, "target")
        axes = Axes.of(signal)
        try:
            run = self.run(signal, axes, target, baseline, additional_forward_args)
        except Exception as error:
            # Where a part of the outputs is asked for, it may be this part that does not fit.
            if left_the_model(error) or (str(error).startswith(ROWS) and self.output_key is None):
                self._refuse_axes(signal, additional_forward_args, error)
            raise
        hint_at_volts(signal, run.output - run.baseline_output)
        return label(
            run,
            axes,
            signal.values,
            settings=self._settings(signal.fs, target, baseline, run.classes),
            description={**self.model.description, **self.model.fingerprint()},
            unit=self.output if isinstance(self.output, str) else "output",
        )

    def _explain_several(
        self, x: tuple[Any, ...], target: Target, baseline: Any, arguments: Any
    ) -> xr.Dataset:
        """Explain a model of several inputs along one path for all of them."""
        signals = in_one_order([self._read(one, f"x[{i}]") for i, one in enumerate(x)], "x")
        target = aligned_rows(target, signals[0], "target")
        dtype = working_dtype(self.model.dtype)
        joined = join(signals, baseline, self.domains, self.time_axis, dtype)
        inputs = JoinedInputs(
            tuple(tuple(signal.values.shape[1:]) for signal in signals),
            tuple(self.counted_time_axis(signal.values.ndim) for signal in signals),
        )
        twin = copy(self)
        twin.model = self.model.of_inputs(inputs)
        twin.domains, twin.time_axis, twin.fs = joined.domains, -1, None
        twin._given = [signal.values.movedim(-1, self.time_axis).shape for signal in signals]
        return joined.relabel(
            twin(joined.values, target=target, baseline=joined.baseline, additional_forward_args=arguments)
        )

    def run(self, signal: Signal, axes: Axes, target: Target, baseline: Any, arguments: Any) -> Run:
        """Compute what `__call__` labels.

        Parameters
        ----------
        signal : Signal
            Signals with their axes placed, shape (N, *axes, n), and their labels.
        axes : Axes
            Axes of the signal that appear in the result.
        target, baseline, arguments
            As `__call__` takes them.

        Returns
        -------
        Run
            Attributions and diagnostics, without labels.
        """
        values = signal.values
        starts = draw_baselines(baseline, values, self.time_axis, axes.fs, signal)
        shape, dtype = (len(values), *axes.sizes, axes.n), working_dtype(self.model.dtype)
        # Domains learn from every baseline, since each has its own x - x'.
        x, start = in_dtype(values, dtype, "x"), in_dtype(starts, dtype, "baseline")
        ends = tuple(v.expand(starts.shape).reshape(-1, *shape[1:]) for v in (x, start))
        domains = ready(self.domains, ends[0], ends[1], axes.fs)
        del x, start, ends
        if remarks := [remark for domain in domains if (remark := domain.remark(axes.n))]:
            warn("; ".join(remarks), ResolutionWarning)
        if len(values) == 0:
            none = torch.zeros((0, 1), dtype=torch.int64)
            return replace(Run.empty(shape, 1, domains, dtype), targets=none, predicted=none[:, 0])
        with (
            self.model.session() as model,
            told_of(self._given or [values.movedim(-1, self.time_axis).shape]) as hints,
        ):
            objective = Objective(
                model,
                self.output,
                None,
                Extra.of(arguments, len(values), model.device, model.sample_axis),
                self.output_key,
                self.counted_time_axis(values.ndim),
                alone=not self.batch_independent,
            )
            hints += objective.extra.hints
            if objective.extra.values:
                hints.append(f"with {len(objective.extra.values)} further arguments, additional_forward_args")
            objective = settle_readings(objective, values, starts[0])
            few = torch.tensor([0, len(values) - 1])
            objective.settle_dtype(values[few], few.to(model.device))
            # Of a model in half precision, whose domains are in float32.
            x, starts = (
                in_dtype(v, model.dtype, name).to(model.device)
                for v, name in ((values, "x"), (starts, "baseline"))
            )
            chunks = self._chunks_for(objective, x)
            objective = replace(objective, model=objective.model.in_chunks(chunks))
            problem = Problem(objective, x, starts, axes, domains, target, self.output, self._reader)
            return problem.solve(self.method, chunks, self.progress)

    def _read(self, x: Any, name: str) -> Signal:
        signal = settled(read_signal(x, self.time_axis, name), self.fs, name)
        return self.model.hints.complete(signal, self.fs)

    def counted_time_axis(self, ndim: int) -> int:
        """Axis of time counted from the end, so that it holds for points as for signals."""
        return self.time_axis if self.time_axis < 0 else self.time_axis - ndim

    def _refuse_axes(self, signal: Signal, arguments: Any, error: Exception) -> None:
        """Raise for signals whose axes, arranged in another way, the model would take."""
        own = signal.values.movedim(-1, self.time_axis)
        with self.model.session() as model:
            extra = Extra.of(arguments, len(own), model.device, model.sample_axis)
            refuse_axes(Objective(model, "logit", None, extra, self.output_key), own, error)

    def _chunks_for(self, objective: Objective, x: Tensor) -> Chunks:
        alone = not self.batch_independent
        if alone and self.memory is None:
            return Chunks(1)
        shape = tuple(x.shape[1:])
        if shape not in self._chunks:
            if len(self._chunks) >= MOST_SHAPES:
                self._chunks.clear()
            rows = torch.tensor([0] if alone else [0, len(x) - 1], device=x.device)
            # A lone point goes over twice, so that two of them cost as much.
            fewest = self.model.fixed_batch or (1 if alone else 2)
            each = objective.bytes_per_point(x[rows], rows)
            if self.memory is not None:
                peak = objective.peak_bytes_per_point(x[rows], rows)
                # Gradients on the way back take as much again, where PyTorch does not tell.
                each = peak or (each and 2 * each)
            self._chunks[shape] = Chunks.for_model(
                each,
                x[0].nbytes,
                x.device,
                fewest=fewest,
                memory=self.memory,
                n_features=x[0].numel(),
            )
        return self._chunks[shape].at_most(1) if alone else self._chunks[shape]

    def _settings(self, fs: float | None, target: Target, baseline: Any, classes: Classes) -> dict[str, Any]:
        scale = self.output
        return {
            "baseline": describe_baseline(baseline),
            "class_axis": classes.axis,
            "probabilities": classes.values != "logits",
            "batch_independent": self.batch_independent,
            "domains": [repr(domain) for domain in self.domains],
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "fs": fs,
            **asdict(self.method),
            "output": scale if isinstance(scale, str) else getattr(scale, "__qualname__", repr(scale)),
            "output_key": self.output_key,
            "target": "predicted" if target is None else "all" if isinstance(target, str) else "given",
            "time_axis": self.time_axis,
        }
