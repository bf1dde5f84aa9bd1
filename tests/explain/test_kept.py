"""What is found out of a model once is kept as long as the model looks the same, and no longer."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import freqig
from freqig.attribute import KNOWN
from freqig.explain.kept import Kept, OfModels
from freqig.models.torch.signature import signature
from freqig.objective.classes import ClassReader

# Networks with random weights often take the baseline for the class that is explained.
pytestmark = pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")

N = 24


SHAPES: list[tuple[int, ...]] = []
"""Of what `Channels` were called with."""


class Channels(nn.Module):
    """Takes (batch, 1, n) or (batch, n), as `flat` or what is hidden in `settings` says."""

    def __init__(self, flat: bool = False) -> None:
        super().__init__()
        self.flat = flat
        self.settings = {"flat": False}
        self.head = nn.Linear(N, 2)

    def forward(self, x: Tensor) -> Tensor:
        SHAPES.append(tuple(x.shape))
        if x.ndim != (2 if self.flat or self.settings["flat"] else 3):
            raise ValueError("another number of axes")
        return self.head(x.tanh()).reshape(len(x), -1)[:, :2]


def series(seed: int = 0, n: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 1, N)).astype(np.float32)


def reader() -> ClassReader:
    return ClassReader(None, False, "logit")


def test_a_layout_is_looked_for_once_per_shape() -> None:
    model = Channels()
    SHAPES.clear()
    first = freqig.attribute(series(), model, target=1)
    asked = len(SHAPES)
    again = freqig.attribute(series(), model, target=1)
    assert {len(shape) for shape in SHAPES[:asked]} == {2, 3}
    assert {len(shape) for shape in SHAPES[asked:]} == {3}
    assert len(SHAPES) - asked < asked
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("announced", [True, False])
def test_a_model_that_changes_its_layout_is_asked_again(announced: bool) -> None:
    model = Channels()
    freqig.attribute(series(), model, target=1)
    if announced:
        model.flat = True
    else:
        # No signature sees it: the call fails, and all is found out anew.
        model.settings["flat"] = True
    scores = freqig.attribute(series(), model, target=1)
    fresh = Channels(flat=True)
    fresh.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(scores, freqig.attribute(series(), fresh, target=1))


def test_errors_are_those_of_a_first_call() -> None:
    model = Channels()
    freqig.attribute(series(), model, target=1)
    with pytest.raises(ValueError, match="target"):
        freqig.attribute(series(), model, target=7)
    assert np.isfinite(freqig.attribute(series(), model, target=0)).all()


CHANGES: dict[str, Callable[[nn.Sequential], object]] = {
    "mode": lambda net: net[1].train(not net[1].training),
    "dtype": lambda net: net.double(),
    "device": lambda net: net.to("meta"),
    "structure": lambda net: net.append(nn.Tanh()),
    "another layer": lambda net: net.__setitem__(1, nn.Dropout(0.25)),
    "shape": lambda net: setattr(net[0], "weight", nn.Parameter(torch.zeros(5, N))),
    "hook": lambda net: net[0].register_forward_hook(lambda *_: None),
    "hook before": lambda net: net[0].register_forward_pre_hook(lambda *_: None),
    "attribute": lambda net: setattr(net[1], "p", 0.25),
    "attribute of another type": lambda net: setattr(net[1], "inplace", 0),
    "forward": lambda net: setattr(net[1], "forward", torch.tanh),
    "buffer": lambda net: net.register_buffer("seen", torch.zeros(1)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_kept_is_dropped_with(name: str) -> None:
    net = nn.Sequential(nn.Linear(N, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    known, kept = OfModels(), Kept(reader())
    found = known.of(net, signature([net]), reader())
    found.layouts["shape"] = (1,)
    kept.settle(signature([net]))
    kept.layouts["shape"] = (1,)
    assert known.of(net, signature([net]), reader()).layouts == {"shape": (1,)}
    CHANGES[name](net)
    kept.settle(signature([net]))
    assert known.of(net, signature([net]), reader()).layouts == {}
    assert kept.layouts == {}


def test_weights_may_change_without_a_new_search() -> None:
    net = nn.Linear(N, 2)
    before = signature([net])
    with torch.no_grad():
        net.weight.mul_(2)
    net.load_state_dict(nn.Linear(N, 2).state_dict())
    assert signature([net]) == before


def test_points_per_call_are_measured_anew_in_another_dtype() -> None:
    net = nn.Sequential(nn.Linear(N, 8), nn.Tanh(), nn.Linear(8, 2))
    explainer = freqig.Explainer(net, n_steps=4)
    explainer(series()[:, 0], target=1)
    (before,) = explainer._kept.chunks.values()
    explainer(series()[:, 0], target=1)
    assert next(iter(explainer._kept.chunks.values())) is before
    net.append(nn.Tanh())
    explainer(series()[:, 0], target=1)
    assert next(iter(explainer._kept.chunks.values())) is not before


def test_models_are_not_kept_alive() -> None:
    gc.collect()
    before = len(KNOWN)
    model = Channels()
    freqig.attribute(series(), model, target=1)
    assert len(KNOWN) == before + 1
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert len(KNOWN) == before


def test_models_are_told_apart_by_identity() -> None:
    class Equal(Channels):
        def __hash__(self) -> int:
            return 0

        def __eq__(self, other: object) -> bool:
            return True

    one, other = Equal(), Equal(flat=True)
    for model in (one, other, one):
        assert freqig.attribute(series(), model, target=1).shape == (3, 1, N // 2 + 1)


def test_nothing_is_kept_of_callables() -> None:
    """A closure may exchange what it calls for something else, and nothing tells."""
    gc.collect()
    nets = {"used": Channels()}
    before = len(KNOWN)
    first = freqig.attribute(series(), lambda x: nets["used"](x), target=1)
    nets["used"] = Channels(flat=True)
    second = freqig.attribute(series(), lambda x: nets["used"](x), target=1)
    assert first.shape == second.shape
    assert len(KNOWN) == before


def test_threads_share_what_is_known() -> None:
    model = Channels()
    wanted = [freqig.attribute(series(seed), model, target=1) for seed in range(4)]
    del KNOWN._known[id(model)]
    found: dict[int, np.ndarray] = {}

    def explain(seed: int) -> None:
        for _ in range(3):
            found[seed] = freqig.attribute(series(seed), model, target=1)

    threads = [threading.Thread(target=explain, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        np.testing.assert_array_equal(found[seed], wanted[seed])


@pytest.mark.parametrize("edit", ["data", "view", "in place"])
def test_the_fingerprint_and_the_scores_follow_every_edit_of_weights(edit: str) -> None:
    net = nn.Linear(N, 2)
    explainer = freqig.Explainer(net, n_steps=2)
    x = series()[:, 0]
    before = explainer(x, target=1), freqig.attribute(series(), net, target=1)
    if edit == "data":
        net.weight.data[1] *= 2
    elif edit == "view":
        net.weight.detach().numpy()[1] *= 2
    else:
        with torch.no_grad():
            net.weight[1] *= 2
    after = explainer(x, target=1), freqig.attribute(series(), net, target=1)
    assert after[0].attrs["model_fingerprint"] != before[0].attrs["model_fingerprint"]
    np.testing.assert_allclose(after[0].rfft, 2 * before[0].rfft, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(after[1], 2 * before[1], rtol=1e-4, atol=1e-6)
