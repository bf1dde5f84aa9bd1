"""Outputs that hold several: what selects one of them, and what is said where nothing does."""

from __future__ import annotations

import json
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig import Explainer
from freqig.models.outputs import read_output_key, tidy_outputs

from ..helpers import Smooth, close, noise

N = 12
Pair = namedtuple("Pair", ["scores", "features"])


@dataclass
class Record:
    scores: Tensor
    features: Any


class ModelOutput(OrderedDict):
    """As a well-known library returns them: an ordered dict whose keys are attributes, and places too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else tuple(self.values())[key]


SCORES, FEATURES = torch.ones(3, 2), torch.zeros(3, 5)

NESTED = {
    "dict of dicts": ({"heads": {"a": SCORES, "b": FEATURES}}, ("heads", "a")),
    "dict of tuples": ({"heads": (FEATURES, SCORES)}, ("heads", 1)),
    "tuple of dicts": ((FEATURES, {"a": SCORES}), (1, "a")),
    "dataclass of dicts": (Record(FEATURES, {"a": SCORES}), ("features", "a")),
    "dict of dataclasses": ({"out": Record(SCORES, FEATURES)}, ("out", "scores")),
    "named tuple of lists": (Pair([FEATURES, SCORES], 0), ("scores", -1)),
    "three deep": ([[[SCORES]]], (0, 0, 0)),
    "model output by name": (ModelOutput(logits=SCORES, states=FEATURES), "logits"),
    "model output by place": (ModelOutput(logits=SCORES, states=FEATURES), 0),
    "model output with states": (ModelOutput(loss=FEATURES, states=(SCORES,)), ("states", 0)),
}


@pytest.mark.parametrize(("outputs", "key"), NESTED.values(), ids=NESTED.keys())
def test_a_tuple_leads_inwards(outputs: Any, key: Any) -> None:
    assert tidy_outputs(outputs, key, 3) is SCORES


UNCHOSEN = {
    "dataclass": (Record(SCORES, FEATURES), None, "Record with fields 'scores', 'features'.*='scores'"),
    "named tuple": (Pair(SCORES, FEATURES), None, r"Pair of 2 \(output_key 0\.\.1, named scores, features\)"),
    "nested dict": (
        {"a": {"b": SCORES, "c": FEATURES}},
        "a",
        r"dict with keys 'b', 'c' at output_key='a'.*=\('a', 'b'\)",
    ),
    "nested further": (
        {"a": ({"c": SCORES, "d": FEATURES},)},
        ("a", 0),
        r"keys 'c', 'd' at output_key=\('a', 0\).*\('a', 0, 'c'\)",
    ),
    "model output": (
        ModelOutput(logits=SCORES, states=(FEATURES,)),
        None,
        "keys 'logits', 'states'.*='logits'",
    ),
    "dict with numbers": ({3: SCORES, 4: FEATURES}, None, "dict with keys 3, 4.*output_key=3"),
    "nothing": ((), None, "tuple of 0"),
}


@pytest.mark.parametrize(("outputs", "key", "message"), UNCHOSEN.values(), ids=UNCHOSEN.keys())
def test_outputs_that_hold_several_name_the_selector(outputs: Any, key: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"{message}"):
        tidy_outputs(outputs, key, 3)


ONE = {
    "model output": (ModelOutput(logits=SCORES), None),
    "tuple": ((SCORES,), None),
    "with nothing beside it": ((SCORES, None), None),
    "dict with numbers and text": ({"loss": 0.3, "scores": SCORES, "name": "net"}, None),
    "nested": ({"a": [{"b": SCORES}]}, None),
    "nested below a key": ({"a": [{"b": SCORES}], "c": FEATURES}, "a"),
}


@pytest.mark.parametrize(("outputs", "key"), ONE.values(), ids=ONE.keys())
def test_the_only_tensor_needs_no_selector(outputs: Any, key: Any) -> None:
    """As models of transformers return their logits."""
    assert tidy_outputs(outputs, key, 3) is SCORES


def test_the_only_tensor_is_told_where_it_does_not_serve() -> None:
    with pytest.raises(
        ValueError, match=r"for a batch of 2 it returned shape \(3, 2\) at output_key='logits'"
    ):
        tidy_outputs({"logits": SCORES}, None, 2)


@pytest.mark.parametrize(
    ("outputs", "key"),
    [
        ({"a": {"b": SCORES}}, ("a", "c")),
        ({"a": SCORES}, ("a", "b")),
        (Record(SCORES, FEATURES), "logits"),
        (Record(SCORES, FEATURES), 0),
        ((SCORES,), (0, "x")),
    ],
    ids=str,
)
def test_ways_that_lead_nowhere(outputs: Any, key: Any) -> None:
    with pytest.raises(ValueError, match="does not fit the model's output"):
        tidy_outputs(outputs, key, 3)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (np.int64(0), 0),
        (np.str_("a"), "a"),
        (("a", np.int8(1)), ("a", 1)),
        (["a", 0], ("a", 0)),
        (("a",), "a"),
        (None, None),
    ],
    ids=str,
)
def test_keys_are_plain(given: Any, read: Any) -> None:
    key = read_output_key(given)
    assert key == read
    json.dumps(key)
    assert type(key) is type(read)


@pytest.mark.parametrize("key", [0.0, True, np.True_, (), {"a": 0}, ("a", None), b"a"], ids=repr)
def test_keys_that_select_nothing(key: Any) -> None:
    with pytest.raises(TypeError, match="output_key must be an int or a str, or a tuple"):
        read_output_key(key)


def test_settings_hold_the_key() -> None:
    smooth, x = Smooth(N), noise(2, N)
    model = lambda v: {"heads": (v, smooth(v))}
    result = Explainer(model, output_key=("heads", np.int64(1)), n_steps=20)(x)
    close(result.rfft, Explainer(smooth, n_steps=20)(x).rfft, 1e-13)
    assert json.loads(result.attrs["settings"])["output_key"] == ["heads", 1]
    result = Explainer(lambda v: (smooth(v), v), output_key=np.int64(0), n_steps=20)(x)
    assert json.loads(result.attrs["settings"])["output_key"] == 0
