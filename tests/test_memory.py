"""The budget of memory, what is cut to keep it, and the progress of long runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from freqig import RFFT, Explainer, Time
from freqig.chunks import CPU_BYTES, Chunks
from freqig.errors import ConvergenceWarning
from freqig.memory import HOLES, LEAST_KEPT, MIB, Memory, described, least, read_memory
from freqig.models.torch.footprint import peak_bytes
from freqig.progress import PATIENCE, Progress

from .helpers import SmallCNN, close, noise, seeded

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (5_000_000, 5_000_000),
        ("500 MB", 500_000_000),
        ("1.5 GiB", 3 * 2**29),
        ("2g", 2_000_000_000),
        ("  64MiB ", 2**26),
        ("100", 100),
        ("100 b", 100),
    ],
)
def test_memory_is_read(given: Any, expected: int | None) -> None:
    assert read_memory(given) == expected
    assert Explainer(nn.Linear(4, 2), memory=given).memory == expected


@pytest.mark.parametrize("given", ["lots", "5 XB", "-3 MB", "0", 0, -1, "", "nan MB", "1e99 TB"])
def test_memory_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r"memory must be a number of bytes above 0, a string such as"):
        Explainer(nn.Linear(4, 2), memory=given)


@pytest.mark.parametrize("given", [True, 1.5, [1], np.float64(2.0)])
def test_memory_of_another_type_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="memory must be a number of bytes"):
        read_memory(given)


def test_less_than_one_pass_is_an_error_with_the_number() -> None:
    model, x = seeded(SmallCNN, 2, 3), noise(3, 2, 4000)
    with pytest.raises(
        ValueError, match=r"memory must be at least (\S+ MB) .*one pass.*got 0.1 MB"
    ) as caught:
        Explainer(model, memory="0.1 MB")(x)
    needed = str(caught.value).split("at least ")[1].split(" for series")[0]
    # With that it runs, and gives what it gives without a limit.
    tight = Explainer(model, memory=needed, tol=0.001)(x, target=0)
    close(tight.rfft, Explainer(model, tol=0.001)(x, target=0).rfft, 0.003)
    assert bool(tight.converged.all())


def test_the_shares_stay_below_the_whole() -> None:
    for free in (10**6, 10**8, 10**10):
        memory = Memory(free)
        for values in (100, 10_000, 10**6):
            points = 28 * values * memory.n_points(values)
            # While points are evaluated gradients are there once, while they are put in order twice.
            kept = 4 * values * memory.n_kept(4 * values)
            if memory.n_kept(4 * values) > LEAST_KEPT:
                assert max(points + kept, 2 * kept) + memory.block <= free


def test_a_call_has_two_points_where_one_costs_as_much() -> None:
    cpu = torch.device("cpu")
    assert Chunks.for_model(CPU_BYTES * 3.0, 4, cpu, fewest=2).size == 2
    assert Chunks.for_model(CPU_BYTES * 3.0, 4, cpu).size == 1
    one_pass = 2 * 1000.0
    chunks = Chunks.for_model(1000.0, 4, cpu, fewest=2, memory=10**6, n_features=10)
    assert chunks.memory.free == int(10**6 / HOLES - one_pass)
    assert chunks.size <= 10**6 / 1000
    with pytest.raises(ValueError, match="memory must be at least"):
        Chunks.for_model(1000.0, 4, cpu, fewest=2, memory=least(one_pass, 10) - 1, n_features=10)


@pytest.mark.parametrize("size", [1234, 56_789, 123_456, 10**6, 10**9 + 1, 987_654_321])
def test_a_number_in_words_is_enough(size: int) -> None:
    found = read_memory(described(size))
    assert found is not None
    assert size <= found <= 1.011 * size + 1


def test_a_part_of_the_chunks_shrinks_them() -> None:
    chunks = Chunks(64)
    part = chunks.at_most(16)

    def call(piece: slice) -> None:
        if piece.stop - piece.start > 4:
            raise torch.OutOfMemoryError

    part.run(20, call)
    assert (part.size, chunks.size) == (4, 4)
    assert chunks.at_most(100).size == 4


def test_paths_that_need_more_gradients_than_fit_say_so() -> None:
    """Steps along the path: with room for a dozen gradients the remedy is named, with more it runs."""

    def model(x: Tensor) -> Tensor:
        s = x.mean(-1)
        return torch.stack([torch.sigmoid(30 * (s - 0.3)) + 0.5 * torch.sigmoid(60 * (s - 0.7)), s], -1)

    n = 2000
    x = 1.0 + 0.1 * noise(2, n)
    how: dict[str, Any] = {"dtype": torch.float64, "domains": [RFFT(), Time()]}
    with pytest.warns(ConvergenceWarning, match=r"the \d+ gradients that there is memory for \(raise memory"):
        tight = Explainer(model, memory=1_400_000, **how)(x, target=0)
    assert not bool(tight.converged.any())
    result = Explainer(model, memory=9_000_000, **how)(x, target=0)
    assert bool(result.converged.all())
    difference = result.output - result.baseline_output
    # F depends on the mean only, so every sample gets a share in proportion to its value.
    expected = x / x.sum(-1, keepdims=True) * difference.values[:, None]
    close(result.waveform, expected, 0.01)


CHILD = """
import ctypes, json, sys
import numpy as np, torch
from torch import nn
import freqig
torch.set_num_threads(1)
torch.manual_seed(0)

class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(1, 8, 9, padding=4), nn.Conv1d(8, 16, 9, stride=4, padding=4)
        self.up, self.out = nn.ConvTranspose1d(16, 8, 4, stride=4), nn.Conv1d(16, 2, 1)
    def forward(self, x):
        a = self.a(x).relu()
        return self.out(torch.cat([self.up(self.b(a).relu()), a], 1)).mean(-1)

class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 2)
    def forward(self, x):
        return self.head(self.lstm(x.reshape(len(x), -1, 8))[0].mean(1))

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.head = nn.Conv1d(1, 16, 80, stride=80), nn.Linear(16, 2)
        self.layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0)
    def forward(self, x):
        return self.head(self.layer(self.patch(x).transpose(1, 2)).mean(1))

def conv():
    layers = nn.Conv1d(1, 16, 9, stride=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 32, 9), nn.Tanh()
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 2))

def peak():
    # Not by getrusage, which counts the parent at the moment of the fork.
    with open("/proc/self/status") as status:
        return 1024 * int(next(line for line in status if line.startswith("VmHWM")).split()[1])

net = {"conv": conv, "unet": UNet, "lstm": Recurrent, "attention": Attention}[sys.argv[1]]().eval()
x = np.random.default_rng(0).normal(size=(1, 1, 96_000)).astype("f4")
freqig.Explainer(net)(x[..., :8000], target=0)
def explain(memory):
    freqig.Explainer(net, memory=memory, tol=0.001, max_evaluations=8)(x, target=0)
try:
    explain("1 MB")
except ValueError as error:
    named = str(error).split("at least ")[1].split(" for series")[0]
# A peak of before would hide what is taken: the heap goes back to what is in use, and counts from there.
ctypes.CDLL("libc.so.6").malloc_trim(0)
with open("/proc/self/clear_refs", "w") as clear:
    clear.write("5")
before = peak()
explain(named)
print(json.dumps([float(named.removesuffix(" MB")) * 1e6, peak() - before]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux")
@pytest.mark.parametrize("kind", ["conv", "unet", "lstm", "attention"])
def test_one_long_series_keeps_to_the_budget(kind: str) -> None:
    """In a process of its own, the least that an error names is enough, and the process takes no more."""
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, kind], capture_output=True, text=True, check=True
    )
    named, taken = json.loads(child.stdout)
    assert 10e6 < taken <= named + 5e6  # and the result
    # Nor is it refused by far more than it takes.
    assert named < 4 * taken
    assert child.stderr == ""


def test_a_pass_is_measured_with_what_kernels_take_on_the_way_back() -> None:
    x = torch.randn(2, 1, 20_000, requires_grad=True)
    cpu = torch.device("cpu")

    def run() -> Tensor:
        # Both results are kept on the way there, and one gradient comes on the way back.
        return torch.autograd.grad(x.exp().exp().sum(), x)[0]

    assert 3 * x.nbytes <= (peak_bytes(run, cpu) or 0) <= 3.1 * x.nbytes
    assert peak_bytes(lambda: None, cpu) == 0


def test_whoever_profiles_goes_on_undisturbed() -> None:
    with torch.autograd.profiler.profile(use_kineto=False) as profile:
        assert peak_bytes(lambda: torch.ones(3), torch.device("cpu")) is None
        torch.ones(3).sum()
    assert "aten::sum" in {event.key for event in profile.key_averages()}


def test_a_failing_computation_leaves_no_profiler_behind() -> None:
    def fails() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        peak_bytes(fails, torch.device("cpu"))
    assert not torch.autograd._profiler_enabled()


# --- progress ------------------------------------------------------------------------------------


class Terminal:
    """What stderr is for somebody who waits."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    # Not sys.stderr itself, which pytest takes for itself between fixtures and test.
    monkeypatch.setattr("freqig.progress.sys", SimpleNamespace(stderr=terminal))
    return terminal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("freqig.progress.time.monotonic", lambda: now[0])
    return now


def test_a_short_run_shows_nothing(terminal: Terminal) -> None:
    Explainer(nn.Linear(8, 2))(noise(3, 8))
    assert terminal.text == ""


@pytest.mark.parametrize(("seconds", "shown"), [(0.5, False), (1.5, True), (0.9 * PATIENCE / 7, False)])
def test_a_bar_appears_where_a_run_will_be_long(
    terminal: Terminal, clock: list[float], seconds: float, shown: bool
) -> None:
    """One sample of 7 evaluations or more, `seconds` each: foretold after the first of them."""
    with Progress(None, n_samples=1, n_least=7, exact=False) as bar:
        clock[0] = seconds
        bar.evaluated(1)
        assert bool(terminal.text) == shown


def test_a_bar_appears_at_the_latest_after_ten_seconds(terminal: Terminal, clock: list[float]) -> None:
    with Progress(None, n_samples=1, n_least=7, exact=False) as bar:
        clock[0] = 2.0
        bar.evaluated(100)
        assert terminal.text == ""
        clock[0] = PATIENCE + 0.1
        bar.evaluated(100)
    assert "0/1 samples: 200 evaluation" in terminal.text


def test_no_terminal_no_bar(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with Progress(None, n_samples=1, n_least=7, exact=False) as bar:
        clock[0] = 100.0
        bar.evaluated(5)
    assert capsys.readouterr().err == ""


def test_false_is_silent(terminal: Terminal, clock: list[float]) -> None:
    with Progress(False, n_samples=1, n_least=7, exact=False) as bar:
        clock[0] = 100.0
        bar.evaluated(5)
        bar.done(1)
    assert terminal.text == ""


@pytest.mark.parametrize("engine", ["path", "captum"])
def test_few_samples_are_counted_by_evaluation(capfd: pytest.CaptureFixture[str], engine: str) -> None:
    Explainer(nn.Linear(8, 2), n_steps=12, engine=engine, progress=True)(noise(2, 8))
    err = capfd.readouterr().err
    assert "24/24" in err
    assert "2/2 samples" in err


def test_baselines_and_own_paths_count(capfd: pytest.CaptureFixture[str]) -> None:
    import freqig

    explainer = Explainer(nn.Linear(8, 2), n_steps=12, progress=True)
    explainer(noise(9, 8), baseline=freqig.baselines.data(noise(3, 8)))
    assert "27/27" in capfd.readouterr().err


LEAVES = """
import json, sys
import torch
from freqig.chunks import Chunks
from freqig.malloc import keep_freed_memory

def held():
    with open("/proc/self/status") as status:
        return 1024 * int(next(line for line in status if line.startswith("VmRSS")).split()[1])

keep_freed_memory()
chunks = Chunks(1, **json.loads(sys.argv[1]))
chunks.run(1, lambda part: None)
found = [held()]
blocks = [torch.ones(2**16) for _ in range(2 * 300 * 2**2)]
found.append(held())
# Every second block is in use still, so that those between them are holes.
del blocks[::2]
found.append(held())
chunks.run(1, lambda part: None)
print(json.dumps([*found, held()]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory in use is read from Linux")
@pytest.mark.parametrize("growth", [None, 2**40])
def test_freed_memory_goes_back_where_it_is_too_much(growth: int | None) -> None:
    """In a process of its own, holes of 300 MiB: more than malloc may keep by default."""
    how = json.dumps({} if growth is None else {"growth": growth})
    child = subprocess.run([sys.executable, "-c", LEAVES, how], capture_output=True, text=True, check=True)
    begun, full, freed, at_last = json.loads(child.stdout)
    assert full > begun + 590 * MIB
    # This is what makes it hard: malloc itself gives nothing back.
    assert freed > full - 10 * MIB
    assert at_last < begun + 330 * MIB if growth is None else at_last > freed - 10 * MIB
    assert child.stderr == ""


FAULTS = """
import resource
import torch
from freqig.malloc import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def used():
    before = faults()
    for _ in range(20):
        torch.ones(2**20)
    return faults() - before

first = used()
keep_freed_memory()
used()
print(first, used())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="pages of glibc's malloc on Linux")
def test_freed_memory_is_kept_where_the_environment_fixes_how_much() -> None:
    """Pages that a process of Dask would ask for anew with every block of 4 MiB: 1,024 each."""
    dask = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", FAULTS]
    child = subprocess.run(command, capture_output=True, text=True, check=True, env=dask)
    first, then = map(int, child.stdout.split())
    assert first > 20 * 1000
    assert then < 1000


RESULT = """
import json
import numpy as np, torch, freqig
from torch import nn

def held(name):
    with open("/proc/self/status") as status:
        return 1024 * int(next(line for line in status if line.startswith(name)).split()[1])

torch.set_num_threads(1)
net = nn.Sequential(nn.Flatten(), nn.Linear(6000, 1, bias=False))
explainer = freqig.Explainer(net, fs=100, n_steps=1, domains=freqig.FilterBank("sleep"))
x = np.random.default_rng(0).normal(size=(600, 2, 3000)).astype("f4")
explainer(x[:20])
before = held("VmRSS")
result = explainer(x)
print(json.dumps([result.nbytes, held("VmHWM") - before]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux")
def test_what_is_looked_up_in_a_large_result_is_no_copy_of_it() -> None:
    """Beside a result of 110 MB a process of its own takes little more than blocks of samples do."""
    child = subprocess.run([sys.executable, "-c", RESULT], capture_output=True, text=True, check=True)
    size, taken = json.loads(child.stdout)
    assert 100e6 < size <= taken <= size + 220e6
    assert child.stderr == ""
