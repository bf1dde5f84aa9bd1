"""What every worker is told once: the model, how it explains, and what is kept. One file, read by each."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..explain.explainer import Explainer
from ..whole_files import write_whole

KEEP = ("means", "bands", "spectra")
PORTABLE = (
    "pass the path of its file, define it in a module that workers can import, or pass "
    "freqig.cohort.Loader(function, ...), whose function makes it in every worker"
)


class JobError(RuntimeError):
    """What goes wrong with every recording, so that a run stops and lists none as failed."""


@dataclass(frozen=True, init=False)
class Loader:
    """A model that each worker makes for itself.

    Parameters
    ----------
    function : callable
        Returns the model. Workers import it, so it is defined in a module.
    *arguments : object
        What it is called with.

    Examples
    --------
    >>> import torch
    >>> Loader(torch.nn.Linear, 8, 2)().out_features
    2
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "arguments", arguments)

    def __call__(self) -> Any:
        return self.function(*self.arguments)


@dataclass(frozen=True)
class Job:
    """What is asked of every recording.

    Parameters
    ----------
    model : object
        A model, the path of its file, or a `Loader`.
    settings : dict
        Of the `Explainer`, by name.
    asked : dict
        Arguments of `Explainer.explain_files` that are the same for all.
    keep : {"means", "bands", "spectra"}
        What of a result is kept.
    bands : str, mapping or None
        As `freqig.bands` takes them.
    store : str
        Path of the Zarr store.
    """

    model: Any
    settings: dict[str, Any]
    asked: dict[str, Any]
    keep: str
    bands: Any
    store: str

    def explainer(self) -> Explainer:
        """The Explainer of a process."""
        model = self.model() if isinstance(self.model, Loader) else self.model
        return Explainer(model, progress=False, **self.settings)


@dataclass(frozen=True)
class Order:
    """What a worker gets with each recording: where the job lies, and what it must be.

    Parameters
    ----------
    path : str
        File with the pickled `Job`.
    digest : str
        SHA-256 of its content.
    marker : dict
        Hashes that go into the marker of every recording: `settings` and `model`.
    shard : str
        Part of the cohort that the run does.
    home : tuple
        Host and process of the run.
    """

    path: str
    digest: str
    marker: dict[str, str]
    shard: str
    home: tuple[str, int]

    @classmethod
    def of(cls, content: bytes, folder: Path, marker: dict[str, str], shard: str) -> Order:
        """Write a job, as `pickled` gives it, down for the workers."""
        digest = hashlib.sha256(content).hexdigest()
        path = folder / f"job-{digest[:16]}.pickle"
        write_whole(path, [content])
        return cls(str(path), digest, marker, shard, here())

    def opened(self) -> Job:
        """The job, in a worker.

        Raises
        ------
        JobError
            If it is not what was written, or needs what this process cannot import.
        """
        try:
            content = Path(self.path).read_bytes()
            if hashlib.sha256(content).hexdigest() != self.digest:
                raise JobError(f"{self.path} must hold what the run wrote, and has been changed")
            job: Job = pickle.loads(content)  # noqa: S301
        except (OSError, AttributeError, ImportError) as error:
            raise JobError(f"model must be there for every worker, but {error}: {PORTABLE}") from error
        return job


def here() -> tuple[str, int]:
    """Host and process."""
    return socket.gethostname(), os.getpid()


def pickled(job: Job) -> bytes:
    """A job as bytes; TypeError where something in it cannot be pickled."""
    try:
        return pickle.dumps(job)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise TypeError(
            f"model and settings must be picklable, for workers are other processes, but {error}: {PORTABLE}"
        ) from error
