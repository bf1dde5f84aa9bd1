"""The Explainer: model, domains and path settings, called on signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from os import PathLike
from typing import Any

import numpy as np
import torch
import xarray as xr

from .._keywords import says_what_is_meant, settings_by_name, signals_by_position
from .._tensor_check import check_dtype
from ..domains import Domain
from ..models import as_model
from ..models.outputs import OutputKey
from ..objective.classes import ClassReader
from ..objective.scales import OutputScale
from ..objective.targets import Target
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .any_kind import explain_any, quietly
from .averages.asking import means_of
from .averages.batches import Batches
from .batch import Asked
from .call import Question, explain
from .kept import Kept
from .many_files import explain_files
from .settings import Setting, Settings


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
    unit : str, optional
        Unit that the model takes, such as "uV". Signals that say another are scaled to it.
    classes : sequence of str, optional
        Names of the classes, in the order of the outputs. Then targets may be named, and `target` and
        `predicted` hold names; `outputs`, over sample and class, are the raw outputs at the input. Default:
        the names in `event_id` of MNE's Epochs, in the order of their codes, if they are as many as outputs.
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
        ones, from the outermost inwards. An output that holds one tensor needs none.
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
        Tolerance, below 1: of the L1 error of the attributions in every domain, relative to their L1
        norm, and of the completeness gap. With fixed `n_steps` the gap alone is known, and any number
        above 0 says when to warn. Errors are often far smaller, the more so the more nodes a path begins
        with, see `n_initial`.
    max_evaluations : int, default 2000
        Most evaluations per sample, where integration is adaptive.
    n_initial : int, optional
        Nodes of the first rule, where integration is adaptive. A feature of the path that is
        narrower than their spacing, and changes F by nothing, is invisible to every rule. Default: 7;
        or 15 or 31, where a call has so few samples, and a model in PyTorch holds so little for a point,
        that these cost about what 7 do. Then a sample has other nodes alone than among many, and
        attributions within `tol` of the same truth; a number asks for the same nodes in both.
    time_axis : int, default -1
        Axis of time; -1 is the last, or that of the model's kind, 1 for Keras's (batch, time, channel).
    layout : str, optional
        Axes that the model takes of signals (sample, channel, time), such as "N,1,C,T" or "N,T". Default:
        `x` comes as the model takes it, and a recording, whose axes have names, goes to the model as the
        shape that this declares has it, where there is one way.
    dtype : torch.dtype, optional
        Dtype to run the model in. Default: that of its first floating parameter; for
        callables without one float32, or float64 where they refuse float32.
    device : torch.device or str, optional
        Where the model takes its inputs: the model itself is not moved. Default: the device of its first
        floating parameter, else the CPU. Models from files are loaded there.
    trust : bool, default False
        Whether model files that can run code when loaded may be loaded.
    progress : bool, optional
        Whether to show a progress bar, which counts samples, or evaluations where samples are few.
        Default: on a terminal, where a run takes more than about 10 s.
    batch_independent : bool, default True
        Whether the output for one series is independent of the others in its batch, which is
        checked. False runs one point per call.
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
    >>> model = torch.nn.Sequential(torch.nn.Linear(100, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
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
        unit: str | None = None,
        classes: Sequence[str] | np.ndarray | None = None,
        domains: Domain | Sequence[Domain] | None = None,
        output: OutputScale = "logit",
        output_key: int | str | np.integer[Any] | Sequence[Any] | None = None,
        class_axis: int | np.integer[Any] | None = None,
        probabilities: bool | np.bool_ | None = None,
        engine: str = "path",
        n_steps: int | None = None,
        tol: float = 0.01,
        max_evaluations: int = 2000,
        n_initial: int | None = None,
        time_axis: int = -1,
        layout: str | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        trust: bool | np.bool_ = False,
        progress: bool | np.bool_ | None = None,
        batch_independent: bool | np.bool_ = True,
        memory: int | str | None = None,
    ) -> None:
        settings = Settings.read(
            fs=fs,
            unit=unit,
            classes=classes,
            domains=domains,
            output=output,
            output_key=output_key,
            class_axis=class_axis,
            probabilities=probabilities,
            engine=engine,
            n_steps=n_steps,
            tol=tol,
            max_evaluations=max_evaluations,
            n_initial=n_initial,
            time_axis=time_axis,
            layout=layout,
            trust=trust,
            progress=progress,
            batch_independent=batch_independent,
            memory=memory,
        )
        adapter = as_model(model, dtype=check_dtype(dtype), device=device, trust=settings.trust)
        self.model = adapter.choosing(settings.output_key)
        self.settings = settings.of_model(self.model.hints)
        self._kept = Kept(ClassReader(settings.class_axis, settings.probabilities, output))

    fs = Setting[float | None]()
    unit = Setting[str | None]()
    classes = Setting[tuple[str, ...] | None]()
    domains = Setting[tuple[Domain, ...]]()
    output = Setting[OutputScale]()
    output_key = Setting[OutputKey]()
    class_axis = Setting[int | None]()
    probabilities = Setting[bool | None]()
    engine = Setting[str]()
    n_steps = Setting[int | None]()
    tol = Setting[float]()
    max_evaluations = Setting[int]()
    n_initial = Setting[int | None]()
    time_axis = Setting[int]()
    layout = Setting[str | None]()
    trust = Setting[bool]()
    progress = Setting[bool | None]()
    batch_independent = Setting[bool]()
    memory = Setting[int | None]()

    @property
    def dtype(self) -> torch.dtype:
        """Dtype that the model runs in."""
        return self.model.dtype

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self.model.device

    def __repr__(self) -> str:
        defaults = signature(Explainer).parameters
        asked = vars(self.settings).items()
        told = [f"{k}={v!r}" for k, v in asked if k == "domains" or v != defaults[k].default]
        model = self.model.description.get("class", type(self.model).__name__)
        return f"Explainer({', '.join([str(model), *told])})"

    @signals_by_position
    def __call__(
        self,
        x: Any,
        *,
        target: Target = None,
        baseline: Any = None,
        additional_forward_args: Any = None,
        window: float | None = None,
        step: float | None = None,
        channels: Sequence[str] | None = None,
        resample: float | None = None,
        annotations: Any = None,
        truth: Any = None,
        names: Any = None,
    ) -> xr.Dataset:
        """Explain a batch of signals.

        Parameters
        ----------
        x : array-like, torch.Tensor, xarray.DataArray, MNE Raw or Epochs, or path of a file
            Signals in the model's own layout, batch first, shape (N, ..., n); of a file the windows that
            `freqig.read` gives, (N, channel, n). A tuple of them for
            a model of several inputs, all on one path; then `baseline` is a tuple too,
            and names and dimensions end in the number of the input: `rfft_0`, `rfft_1`, ….
            In pieces: a DataLoader, a Dataset or an iterator of batches, which may be (signals, labels), of
            which one is held at a time; a list of paths; or a list of series without batch axis, of
            unequal length. The model takes each of these as it is, and all have the coordinates of
            the longest: domains look at series with zeros behind, which changes no sum, `signal` is NaN
            beyond their ends, and the coordinate `n_times` has their lengths.
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
            and what it does not tell apart is an error; all others are shared. In pieces, entries per sample
            are shared out over them, and of arrays it must be said.
        window, step : optional
            How a file is read, or a Raw of MNE cut into samples, see `freqig.read`.
        channels : sequence of str, optional
            Names of the channels to explain, in the order of the model, of files and of whatever else names
            its channels.
        resample, annotations : optional
            As `freqig.read` takes them.
        truth : sequence of int or str, optional
            True class of each sample, by number or name; empty where nobody knows. By default the labels of
            the recording, where all of them are classes.
        names : sequence of str, optional
            What each sample is called, such as the name of its file; the coordinate `file`.

        Returns
        -------
        xarray.Dataset
            A variable per domain, with `attrs["kind"] == "attribution"`, such as
            `rfft(sample, channel, frequency)`; `signal`; and by sample `output`,
            `baseline_output`, `completeness_gap`, `correction`, `converged`, `estimated_error`,
            `status` and `n_evaluations`, with Σ attribution = output - baseline_output +
            completeness_gap + correction; and `target` and `predicted` as coordinates, with `truth`,
            `file`, `onset` and `label` where they are known.

        Raises
        ------
        ValueError, TypeError
            If an argument has a wrong shape, type or value, or the model cannot be explained.
        """
        reading = {"window": window, "step": step, "channels": channels, "resample": resample}
        asked = Asked(
            target=target,
            baseline=baseline,
            arguments=additional_forward_args,
            reading={**reading, "annotations": annotations},
            truth=truth,
            names=names,
        )
        return explain_any(self.model, self.settings, self._kept, x, asked)

    @says_what_is_meant
    def explain_files(
        self,
        paths: Sequence[str | PathLike[str]],
        *,
        target: Target = None,
        baseline: Any = None,
        fs: float | None = None,
        unit: str | None = None,
        window: float | None = None,
        step: float | None = None,
        channels: Sequence[str] | None = None,
        resample: float | None = None,
        annotations: Any = None,
        truth: Any = None,
        names: Any = None,
        failed: Callable[[str | PathLike[str], Exception], object] | None = None,
    ) -> xr.Dataset:
        """Explain recordings, one after another, and go on where one of them fails.

        Without `window` each of them is one sample, and those of unequal length are explained on the
        coordinates of the longest. With it, one recording at a time is held.

        Parameters
        ----------
        paths : sequence of path
            At least one.
        target, baseline
            As for a call. A target is that of all.
        fs, unit : optional
            What files do not say of themselves, see `freqig.read`.
        window, step, channels, resample : optional
            How they are read, see `freqig.read`.
        annotations, truth, names : sequence, optional
            One entry per file, such as the path of its labels, or one true class for all of its windows.
        failed : callable, optional
            Called with path and error for each that cannot be read or explained; the others are explained
            all the same. Default: the error is raised.

        Returns
        -------
        xarray.Dataset
            The result of all of them, as of one call.

        Raises
        ------
        ValueError
            If none of them can be explained.
        """
        reading = {
            "fs": fs,
            "unit": unit,
            "window": window,
            "step": step,
            "channels": channels,
            "resample": resample,
            "annotations": annotations,
        }
        asked = Asked(target, baseline, None, reading, truth, names, self.settings.domains)
        one_batch = quietly(self.model, self.settings, self._kept)
        return explain_files(
            one_batch, paths, asked, self.progress, failed, in_one_unit=self.settings.unit is not None
        )

    @says_what_is_meant
    def average(
        self,
        x: Any,
        by: Any = None,
        *,
        target: Target = None,
        baseline: Any = None,
        additional_forward_args: Any = None,
        tol: float | str | None = None,
        seed: int = 0,
        window: float | None = None,
        step: float | None = None,
        channels: Sequence[str] | None = None,
        resample: float | None = None,
        annotations: Any = None,
    ) -> xr.Dataset:
        """Explain what groups of samples have in common: means over them, at a few gradients per sample.

        Every sample gets nodes at random places, spread evenly over its group, so that its own estimate is
        unbiased and the errors of many cancel: 1 node and 1 more, then 2, 4, …, until the means of all
        groups are known to `tol`. Samples of groups of fewer than 32 are integrated one by one, adaptively.

        Parameters
        ----------
        x : array-like, DataArray, MNE Raw or Epochs, path of a file, sequence of them, or batches
            Signals, as `__call__` takes them, of one input; or recordings or DataArrays in a list; or batches
            `(x, by)` as a sequence, a DataLoader, or a callable that gives an iterator of them anew every
            time. All but arrays are gone through several times, and must give the same in the same order.
            Memory is that of the groups and of one batch.
        by : mapping of str to array-like, str, sequence of str, or None
            Labels of the samples by the name of the grouping, as in ``{"stage": stages, "subject":
            subjects}``: text, numbers, truth values or dates; ``freqig.shared("s01")`` is one label for all
            samples. Or names of coordinates of `x` along its samples, in a mapping too. Of recordings in a
            list, labels are one per recording. None: one mean of all, or what the batches say.
        target : int, tuple, sequence, array, tensor, "all" or None
            As of `__call__`; for batches one target for all, "all", or None.
        baseline, additional_forward_args
            As of `__call__`; for batches without entries by sample.
        tol : float, "sampling" or None
            Relative L1 error of every mean in every domain; "sampling" is a quarter of the sampling error of
            the mean. Default: that of the Explainer.
        seed : int, default 0
            Of the random places.
        window, step, channels, resample, annotations : optional
            How a file is read, or a Raw of MNE cut into samples, see `freqig.read`; `annotations` of several
            recordings are one per recording.

        Returns
        -------
        xarray.Dataset
            A dimension per grouping. By group: a variable per domain, `NAME_standard_error` over samples
            (NaN for one sample), `NAME_integration_error`, relative to the L1 norm of the mean or, where
            attributions cancel (`cancels`), to a tenth of the mean norm; `output`, `baseline_output`,
            `completeness_gap` and `correction`, with Σ mean = output - baseline_output + completeness_gap
            + correction; `converged`, `n_samples`, `n_evaluations` per sample, and `one_by_one`. Groups
            without samples are NaN, with `n_samples` 0.

        Raises
        ------
        ValueError, TypeError
            If an argument has a wrong shape, type or value, a label is missing, a domain is not linear, or
            batches differ from one time to the next.

        Examples
        --------
        >>> import numpy as np, torch, freqig
        >>> model = torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        >>> x = np.random.default_rng(0).normal(size=(200, 64))
        >>> explainer = freqig.Explainer(model, fs=64)
        >>> means = explainer.average(x, {"stage": np.repeat(["W", "N2"], 100)}, target=0)
        >>> means.rfft.dims, means.stage.values.tolist(), means.n_samples.values.tolist()
        (('stage', 'frequency'), ['N2', 'W'], [100, 100])
        """
        reading = {"window": window, "step": step, "channels": channels, "resample": resample}
        asked = Asked(
            target=target,
            baseline=baseline,
            arguments=additional_forward_args,
            reading={**reading, "annotations": annotations},
        )
        batches = Batches.of(x, by, asked)
        return means_of(self.model, self.settings, self._kept, batches, asked, tol, seed)

    def attributions(self, question: Question, axes: Axes, kept: Kept) -> Attributions:
        """What `__call__` labels, of a question that needs no reading; `kept` is known of the model."""
        return explain(self.model, self.settings, kept, question, axes)
