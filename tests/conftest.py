"""Set up before any test: checked annotations, reproducible examples, and the way to real signals."""

from __future__ import annotations

import gc
import importlib.util
import os
import pkgutil
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis
import jaxtyping
import pytest
import torch
from torch import Tensor, nn

# beartype checks one item of a list, chosen by chance. It gets a generator of its own, so that a test
# which finds the process's one disturbed can blame freqig.
with mock.patch.object(random, "getrandbits", random.Random(0).getrandbits):
    import beartype

    @beartype.beartype
    def _loads_what_beartype_imports_late(items: list[int]) -> None: ...


# Before anything imports freqig: every call in it is checked against its annotations from here on,
# by the rule of static type checkers that an int will do for a float. Not so in the rooms that calculate,
# where that takes a third of the time, and whose types mypy knows.
CALCULATING = {
    *("chunks", "coalitions", "domains", "evaluation", "explain", "methods", "models", "objective", "path"),
    *("progress", "result", "signals"),
}
_found = importlib.util.find_spec("freqig")
assert _found is not None
_rooms = {room.name for room in pkgutil.iter_modules(_found.submodule_search_locations)}
jaxtyping.install_import_hook(
    [f"freqig.{room}" for room in sorted(_rooms - CALCULATING)],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

# A program, which a test runs in a process of its own, and no module to look for examples in.
collect_ignore = ["bad_arguments.py", "bad_calls.py", "bad_methods.py"]

# Before anything imports matplotlib.
os.environ["MPLBACKEND"] = "Agg"

hypothesis.settings.register_profile("reproducible", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "reproducible"))

# Sums over threads round differently on machines with another number of cores.
torch.set_num_threads(1)
# On a GPU float32 is float32 in what tests compare, and not the ten bits of it that are the default there.
if torch.cuda.is_available():
    torch.backends.cudnn.allow_tf32 = False
os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "float32")


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Draws the same weights for networks that a module builds as it is imported, in every run."""
    torch.manual_seed(0)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spares what all tests import from being looked through for garbage, which it never is."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Draws the same weights for networks that a test builds, whichever tests ran before it."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_figures_are_left() -> Iterator[None]:
    """Closes figures of pyplot, which else add up over tests until matplotlib warns of them."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")


@pytest.fixture(autouse=True, scope="module")
def _no_threads_are_left() -> Iterator[None]:
    """Ends the threads that zarr reads with: beside them a session leaves NumPy's generator alone."""
    yield
    if "zarr" in sys.modules:
        from zarr.core.sync import cleanup_resources

        cleanup_resources()


ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data_path() -> Path:
    """Folder of real recordings, which are not part of the project."""
    path = Path(os.environ.get("FREQIG_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("no recordings: FREQIG_DATA names no folder, and there is none at ../shared/data")
    return path


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., str]:
    """Write a module as an ONNX file, with a free or a fixed batch."""

    def run(net: nn.Module, x: Tensor, free: bool = True, name: str = "net.onnx", **more: Any) -> str:
        pytest.importorskip("onnx")
        path = str(tmp_path / name)
        axes = {"x": {0: "batch"}, "y": {0: "batch"}} if free else None
        asked = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": axes} | more
        with warnings.catch_warnings():
            # This exporter is deprecated, but needs no further library, and its files are about.
            warnings.simplefilter("ignore")
            torch.onnx.export(net.eval(), (x,), path, dynamo=False, **asked)
        return path

    return run


@pytest.fixture(scope="session")
def keras() -> Any:
    """Keras on the torch backend, which it keeps for the rest of the process."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("KERAS_BACKEND", "torch")
        library = pytest.importorskip("keras")
    if library.backend.backend() != "torch":
        pytest.skip(f"Keras runs on {library.backend.backend()} in this process")
    return library
