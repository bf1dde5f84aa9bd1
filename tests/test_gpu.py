"""On a GPU: the same answers as on the CPU, nothing taken from the caller, memory within what was allowed.

`FREQIG_TEST_DEVICE=cpu` runs them where there is no GPU, which tries the tests but not the card.
"""

from __future__ import annotations

import copy
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from torch import Tensor, nn

import freqig
from freqig import Explainer, attribute
from freqig.errors import FreqigWarning

from .domains.every import EVERY, admitted
from .domains.examples import FS, Example
from .helpers import Smooth, noise, seeded
from .methods import common

DEVICE = os.environ.get("FREQIG_TEST_DEVICE", "cuda")
pytestmark = [
    pytest.mark.skipif(DEVICE.startswith("cuda") and not torch.cuda.is_available(), reason="there is no GPU"),
    # Networks with random weights often take the baseline for the class that is explained.
    pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning"),
]
N = 128


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions in float32, not with the ten bits that cuDNN takes by default, unless a test says so."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


class Convolutions(nn.Module):
    def __init__(self, activation: type[nn.Module] = nn.GELU) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(2, 6, 7, padding=3), nn.BatchNorm1d(6), activation(), nn.MaxPool1d(2),
            nn.Conv1d(6, 8, 5, stride=2), activation(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
            nn.Dropout(0.5), nn.Linear(8, 3),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.rnn = kind(2, 8, num_layers=2, batch_first=True, bidirectional=True, dropout=0.2)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x.transpose(1, 2))[0].mean(1))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv1d(2, 16, 8, 8)
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.patches(x).transpose(1, 2)).mean(1))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "convolutions": Convolutions,
    "kinks": lambda: Convolutions(nn.ReLU),
    "LSTM": lambda: Recurrent(nn.LSTM),
    "GRU": lambda: Recurrent(nn.GRU),
    "attention": Attention,
}


def network(name: str, training: bool = False) -> nn.Module:
    """A network in float32 on the CPU, with statistics of BatchNorm that are not those it began with."""
    net = seeded(NETWORKS[name])
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
    return net.train(training)


def signals(count: int = 4) -> np.ndarray:
    return noise(count, 2, N).astype(np.float32)


def truth(net: nn.Module, x: np.ndarray, **settings: Any) -> np.ndarray:
    """Attributions of frequencies in float64 on the CPU, by many nodes."""
    wide = copy.deepcopy(net).cpu().double().eval()
    return Explainer(wide, n_steps=512, device="cpu")(x.astype(np.float64), **settings).rfft.values


def apart(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest relative L1 distance of a sample."""
    axes = tuple(range(1, wanted.ndim))
    return float((np.abs(found - wanted).sum(axes) / np.abs(wanted).sum(axes)).max())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [False, True])
def test_answers_are_those_of_the_cpu_in_float64(name: str, training: bool) -> None:
    net, x = network(name, training).to(DEVICE), signals()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    given = [p.requires_grad for p in net.parameters()]
    result = Explainer(net, tol=1e-3)(x, target=1)
    assert result.converged.all()
    # At kinks the truth by fixed nodes has an error of its own.
    assert apart(result.rfft.values, truth(net, x, target=1)) < 2e-3
    assert all(module.training == training for module in net.modules())
    assert given == [p.requires_grad for p in net.parameters()]
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.skipif(DEVICE == "cpu", reason="takes two devices")
@pytest.mark.parametrize("name", ["convolutions", "LSTM", "attention"])
def test_a_device_where_the_weights_are_not_is_refused_by_name(name: str) -> None:
    for there, asked in (("cpu", DEVICE), (DEVICE, "cpu")):
        net = network(name).to(there)
        with pytest.raises(ValueError, match=rf"device must be .*{there}.*, got '{asked}.*model\.to"):
            Explainer(net, device=asked)(signals(), target=1)
        assert {p.device.type for p in net.parameters()} == {torch.device(there).type}


# PyTorch says so of a thread of its own.
@pytest.mark.filterwarnings("ignore:Attempting to run cuBLAS:UserWarning")
def test_a_model_that_moves_its_inputs_takes_them_from_anywhere() -> None:
    class Moving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = Convolutions()

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x.to(self.net.layers[0].weight.device))

    net, x = seeded(Moving).eval().to(DEVICE), signals()
    result = Explainer(net, device="cpu", tol=1e-3)(x, target=1)
    assert apart(result.rfft.values, truth(net.net, x, target=1)) < 1e-3


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", ["script", "export"])
def test_models_of_files_are_loaded_where_they_are_asked_for(kind: str, tmp_path: Path) -> None:
    net, x = network("convolutions"), signals()
    example = torch.from_numpy(x)
    if kind == "script":
        path = tmp_path / "net.pt"
        torch.jit.trace(net, example).save(path)
    else:
        path = tmp_path / "net.pt2"
        batch = {0: torch.export.Dim("batch", min=1, max=4096)}
        torch.export.save(torch.export.export(net, (example,), dynamic_shapes=(batch,)), path)
    result = Explainer(path, device=DEVICE, trust=True, tol=1e-3)(x, target=1)
    assert apart(result.rfft.values, truth(net, x, target=1)) < 1e-3


def test_tensors_of_either_device_are_taken_and_arrays_come_back() -> None:
    net, x = network("convolutions").to(DEVICE), signals()
    explainer, baseline = Explainer(net, tol=1e-3), 0.1 * signals()[::-1].copy()
    wanted = explainer(x, target=[0, 1, 2, 0], baseline=baseline)
    for there in ("cpu", DEVICE):
        tensors = [torch.from_numpy(v).to(there) for v in (x, baseline)]
        target = torch.tensor([0, 1, 2, 0], device=there)
        found = explainer(tensors[0], target=target, baseline=tensors[1])
        np.testing.assert_allclose(found.rfft.values, wanted.rfft.values, rtol=1e-4, atol=1e-6)
        assert isinstance(found.rfft.values, np.ndarray)


def test_the_documented_function_takes_a_model_on_the_card() -> None:
    net = seeded(nn.Sequential, nn.Linear(N, 8), nn.Tanh(), nn.Linear(8, 3)).eval()
    x = noise(N).astype(np.float32)
    wanted = attribute(x, net, target=1)
    found = attribute(x, copy.deepcopy(net).to(DEVICE), target=1)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_further_arguments_follow_the_model() -> None:
    class Weighted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = Convolutions()

        def forward(self, x: Tensor, gain: Tensor) -> Tensor:
            assert gain.device == x.device
            return self.net(x * gain[:, None, None])

    net, x = seeded(Weighted).eval().to(DEVICE), signals()
    gain = np.array([0.5, 1, 1.5, 2], dtype=np.float32)
    alone = Explainer(net.net, tol=1e-3)(x * gain[:, None, None], target=1)
    for value in (gain, torch.from_numpy(gain), torch.from_numpy(gain).to(DEVICE)):
        arguments = (freqig.per_sample(value),)
        found = Explainer(net, tol=1e-3)(x, target=1, additional_forward_args=arguments)
        np.testing.assert_allclose(found.rfft.values, alone.rfft.values, rtol=1e-3, atol=1e-5)


@pytest.mark.filterwarnings("ignore::freqig.errors.ResolutionWarning")
@pytest.mark.parametrize("example", EVERY)
def test_every_domain_projects_on_the_card_as_on_the_cpu(example: Example) -> None:
    net, x = seeded(Smooth, N, 2, dtype=torch.float64), noise(2, 2, N)
    settings: dict[str, Any] = {"fs": FS, "domains": example.make(2), "n_steps": 16}
    baseline = admitted(example, torch.from_numpy(x), 0.5 * torch.from_numpy(noise(2, 2, N, seed=1))).numpy()
    here, there = (
        Explainer(copy.deepcopy(net).to(device), **settings)(x, target=0, baseline=baseline)
        for device in ("cpu", DEVICE)
    )
    compared = [name for name in here.data_vars if here[name].attrs.get("kind") == "attribution"]
    assert compared
    for name in compared:
        largest = float(np.abs(here[name]).max())
        np.testing.assert_allclose(there[name], here[name], rtol=1e-6, atol=1e-9 * largest)


@pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["convolutions", "LSTM", "attention"])
def test_under_autocast_the_stated_error_covers_the_true_one(name: str, dtype: torch.dtype) -> None:
    if name == "LSTM" and DEVICE == "cpu":
        pytest.skip("recurrent layers of the CPU know no half precision")

    class Autocast(nn.Module):
        def __init__(self, net: nn.Module) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            with torch.autocast(x.device.type, dtype):
                return self.net(x)

    net, x = network(name).to(DEVICE), signals()
    result = Explainer(Autocast(net), tol=0.01)(x, target=1)
    wanted = truth(net, x, target=1)
    error = np.abs(result.rfft.values - wanted).sum((1, 2)) / np.abs(wanted).sum((1, 2))
    stated = result.estimated_error.values
    assert np.isfinite(result.rfft.values).all()
    # Rounding makes another function of F: what is stated is the error of that function's path.
    assert (error <= np.maximum(stated, 0.01) + 16 * torch.finfo(dtype).eps).all()


def test_products_are_not_those_of_ten_bits_that_a_caller_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    if DEVICE.startswith("cuda"):
        monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", True)
    for name in ("convolutions", "attention"):
        net, x = network(name).to(DEVICE), signals(40)
        found = Explainer(net, tol=0.01)(x, target=1)
        assert found.converged.all()
        assert apart(found.rfft.values, truth(net, x, target=1)) < 0.01
        assert torch.backends.cudnn.allow_tf32


def test_random_numbers_of_the_card_are_not_drawn() -> None:
    net, x = network("LSTM", training=True).to(DEVICE), signals()
    torch.manual_seed(5)
    wanted = torch.rand(3, device=DEVICE)
    torch.manual_seed(5)
    Explainer(net, n_steps=8)(x, target=0)
    assert torch.equal(torch.rand(3, device=DEVICE), wanted)


@pytest.mark.filterwarnings("ignore::freqig.errors.CompletenessWarning")
def test_threads_share_a_model_in_train_mode() -> None:
    net, x = network("convolutions", training=True).to(DEVICE), signals()
    explainer = Explainer(net, n_steps=32)
    wanted = explainer(x, target=0).rfft.values
    wrong: list[float] = []

    def explain() -> None:
        for _ in range(10):
            distance = apart(explainer(x, target=0).rfft.values, wanted)
            if distance > 1e-5:
                wrong.append(distance)

    threads = [threading.Thread(target=explain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(module.training for module in net.modules())


@pytest.mark.skipif(not DEVICE.startswith("cuda"), reason="the card counts its memory, the CPU does not")
def test_memory_of_one_long_series_stays_within_what_is_allowed() -> None:
    wide = [nn.Conv1d(1, 32, 33, padding=16), nn.ReLU(), nn.Conv1d(32, 32, 33, padding=16), nn.ReLU()]
    head = [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 2)]
    net = seeded(nn.Sequential, *wide, *head).eval().to(DEVICE)
    x = noise(1, 1, 400_000).astype(np.float32)
    allowed = 2**30
    explainer = Explainer(net, n_steps=64, memory=allowed)
    explainer(x[..., :1000], target=0)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    explainer(x, target=0)
    assert torch.cuda.max_memory_allocated() - before <= allowed
    assert torch.cuda.memory_allocated() - before < 2**20


@pytest.mark.skipif(not DEVICE.startswith("cuda"), reason="the card counts its memory, the CPU does not")
def test_nothing_stays_on_the_card_after_many_calls() -> None:
    net = network("convolutions").to(DEVICE)
    explainer = Explainer(net, n_steps=8)
    explainer(signals(), target=0)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    for count in range(1, 30):
        explainer(signals(count), target=0)
    assert torch.cuda.memory_allocated() - before < 2**20


@pytest.mark.filterwarnings("ignore::freqig.errors.FreqigWarning")
@pytest.mark.parametrize("name", common.NAMES)
def test_methods_of_others_run_on_the_card_as_on_the_cpu(name: str) -> None:
    here, there = (common.explained(name, common.network().to(d), target=1) for d in ("cpu", DEVICE))
    wanted = common.attribution(here)
    atol = 1e-4 * float(np.abs(wanted).max())
    np.testing.assert_allclose(common.attribution(there), wanted, rtol=1e-4, atol=atol)


def test_means_of_classes_and_evaluations_run_on_the_card(tmp_path: Path) -> None:
    net, x = network("convolutions"), signals(24)
    here, there = (Explainer(copy.deepcopy(net).to(d), fs=FS, tol=0.01) for d in ("cpu", DEVICE))
    wanted, found = (e.average(x, target=1, seed=0).rfft.values for e in (here, there))
    assert np.abs(found - wanted).sum() < 0.02 * np.abs(wanted).sum()
    result = there(x, target=1)
    table = freqig.evaluate(result, there.model, x)
    assert np.isfinite(table["score"]).any()
    result.to_netcdf(tmp_path / "result.nc")
    np.testing.assert_array_equal(xr.load_dataset(tmp_path / "result.nc").rfft.values, result.rfft.values)


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize("way", ["compiled", "scripted", "parallel", "half"])
def test_modules_of_other_kinds(way: str) -> None:
    net, x = network("convolutions").to(DEVICE), signals()
    wanted = truth(net, x, target=1)
    model: Any = {
        "compiled": lambda: torch.compile(net, backend="eager"),
        "scripted": lambda: torch.jit.trace(net, torch.from_numpy(x).to(DEVICE)),
        "parallel": lambda: nn.DataParallel(net),
        "half": lambda: copy.deepcopy(net).to(torch.bfloat16),
    }[way]()
    if way == "half":
        with warnings.catch_warnings():
            # What is left of three digits is said where it is too little.
            warnings.simplefilter("ignore", FreqigWarning)
            result = Explainer(model, tol=0.01)(x, target=1)
        found = result.rfft.values.astype(np.float64)
        error = np.abs(found - wanted).sum((1, 2)) / np.abs(wanted).sum((1, 2))
        assert ((error < 0.05) | ~result.converged.values).all()
        return
    assert apart(Explainer(model, tol=0.01)(x, target=1).rfft.values, wanted) < 0.01
