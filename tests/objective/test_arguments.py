"""Which further arguments follow the samples: said by the caller, else found out from the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from freqig import Explainer, attribute, per_sample, shared
from freqig._check import check_flag
from freqig.models import as_model
from freqig.models.fixed_batch import FixedBatch

from ..helpers import close, legendre, noise, scores_of, seeded

T, STEPS = 12, 3
fixed = partial(Explainer, n_steps=STEPS, tol=10.0, dtype=torch.float64)
EITHER = r"additional_forward_args.*could hold one entry per sample.*freqig\.per_sample.*freqig\.shared"


def tensor(*shape: int, seed: int = 7) -> Tensor:
    return torch.tensor(noise(*shape, seed=seed))


def mixed(x: Tensor, adjacency: Tensor) -> Tensor:
    """A graph layer that keeps its electrodes: a part of the adjacency has another shape."""
    return (adjacency @ x).tanh().flatten(1) @ tensor(4 * T, 2, seed=3)


def pooled(x: Tensor, adjacency: Tensor) -> Tensor:
    """One that averages over electrodes, to which any number of rows is welcome."""
    return (adjacency @ x).tanh().mean((1, 2))


def weighted(x: Tensor, weights: Tensor) -> Tensor:
    return (x * weights).square().sum(-1)


def projected(x: Tensor, matrix: Tensor) -> Tensor:
    return (x @ matrix.T).tanh()


def scaled(x: Tensor, gain: Tensor) -> Tensor:
    return x.square().mean(-1, keepdim=True) * gain


def chosen(x: Tensor, index: Tensor) -> Tensor:
    return x.square()[torch.arange(len(x)), index]


SHARED: dict[str, tuple[Callable[..., Tensor], tuple[int, ...], Tensor]] = {
    "adjacency of as many electrodes as samples": (mixed, (4, 4, T), tensor(4, 4)),
    "weights of as many points in time as samples": (weighted, (T, T), tensor(T)),
    **{f"three rows and {n} samples": (projected, (n, T), tensor(3, T)) for n in (1, 2, 3, 4)},
    "one row and one sample": (projected, (1, T), tensor(1, T)),
}
PER_SAMPLE: dict[str, tuple[Callable[..., Tensor], tuple[int, ...], Tensor]] = {
    **{f"gains of {n}": (scaled, (n, T), tensor(n, 1)) for n in (1, 3, T)},
    "index": (chosen, (4, T), torch.tensor([1, 3, 0, 2])),
    "masks": (weighted, (5, T), tensor(5, T) > 0),
}


def truth(model: Callable[..., Tensor], x: np.ndarray, argument: Callable[[int], Any]) -> np.ndarray:
    """Scores of target 0, the gradient of every sample alone by autograd, at the nodes of `fixed`."""
    means = np.zeros(x.shape)
    for i, node, weight in ((i, *pair) for i in range(len(x)) for pair in zip(*legendre(STEPS), strict=True)):
        point = torch.tensor(node * x[i : i + 1], requires_grad=True)
        (gradient,) = torch.autograd.grad(model(point, argument(i)).reshape(-1)[0], point)
        means[i] += weight * gradient[0].numpy()
    return scores_of(x, means)


@pytest.mark.parametrize(("engine", "batch_independent"), [("path", True), ("path", False), ("captum", True)])
@pytest.mark.parametrize(("model", "shape", "value"), SHARED.values(), ids=SHARED.keys())
def test_what_is_shared_stays_whole(
    model: Callable[..., Tensor], shape: tuple[int, ...], value: Tensor, batch_independent: bool, engine: str
) -> None:
    """Whatever its size, said or not, one point per call or many, it is the same explanation."""
    x = noise(*shape)
    explainer = fixed(model, batch_independent=batch_independent, engine=engine)
    expected = truth(model, x, lambda _: value)
    for given_ in (value, shared(value), (shared(value.numpy()),)):
        close(explainer(x, target=0, additional_forward_args=given_).rfft, expected, 1e-6)


@pytest.mark.parametrize(("engine", "batch_independent"), [("path", True), ("path", False), ("captum", True)])
@pytest.mark.parametrize(("model", "shape", "value"), PER_SAMPLE.values(), ids=PER_SAMPLE.keys())
def test_what_is_per_sample_follows_its_sample(
    model: Callable[..., Tensor], shape: tuple[int, ...], value: Tensor, batch_independent: bool, engine: str
) -> None:
    x = noise(*shape)
    explainer = fixed(model, batch_independent=batch_independent, engine=engine)
    expected = truth(model, x, lambda i: value[i : i + 1])
    for given_ in (
        value,
        per_sample(value),
        [per_sample(value.tolist())],
        per_sample(value.numpy(), -value.ndim),
    ):
        close(explainer(x, target=0, additional_forward_args=given_).rfft, expected, 1e-6)


@pytest.mark.parametrize("batch_independent", [True, False])
def test_what_the_model_does_not_tell_apart_must_be_said(batch_independent: bool) -> None:
    x, adjacency = noise(4, 4, T), tensor(4, 4)
    explainer = fixed(pooled, batch_independent=batch_independent)
    with pytest.raises(ValueError, match=EITHER) as caught:
        explainer(x, additional_forward_args=adjacency)
    assert "shape (4, 4)" in str(caught.value)
    whole = explainer(x, additional_forward_args=shared(adjacency)).rfft
    close(whole, truth(pooled, x, lambda _: adjacency), 1e-12)
    by_row = explainer(x, additional_forward_args=per_sample(adjacency[:, None]))
    np.testing.assert_allclose(
        by_row.output, torch.einsum("sc,sct->st", adjacency, torch.tensor(x)).tanh().mean(-1)
    )


def test_the_error_counts_arguments() -> None:
    x = noise(4, 4, T)

    def model(p: Tensor, gain: Tensor, note: str, adjacency: Tensor) -> Tensor:
        return pooled(p, adjacency) * gain

    with pytest.raises(ValueError, match=r"additional_forward_args\[2\], of shape \(4, 4\)"):
        fixed(model)(x, additional_forward_args=(tensor(4), "note", tensor(4, 4)))
    fixed(model)(x, additional_forward_args=(tensor(4), "note", shared(tensor(4, 4))))


def test_readings_that_differ_near_the_baseline_only() -> None:
    """At the input of every sample, and half-way, both readings give the same."""

    def model(p: Tensor, adjacency: Tensor) -> Tensor:
        loud = p.abs().amax((1, 2)) > 0.3
        return torch.where(loud, p.mean((1, 2)), pooled(p, adjacency))

    with pytest.raises(ValueError, match=EITHER):
        fixed(model)(noise(4, 4, T), additional_forward_args=tensor(4, 4))


@pytest.mark.parametrize("n_samples", [1, 4, 5, 30])
def test_an_argument_that_nothing_depends_on_needs_no_word(n_samples: int) -> None:
    x = noise(n_samples, T)
    result = fixed(lambda p, _: p.square().sum(-1))(x, additional_forward_args=tensor(n_samples, n_samples))
    np.testing.assert_allclose(result.output, np.square(x).sum(-1))


@pytest.mark.parametrize("batch_independent", [True, False])
@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_states_of_recurrent_layers(n_samples: int, batch_independent: bool) -> None:
    """(layers, N, units), also where there are as many layers as samples."""
    gru = seeded(nn.GRU, 1, 5, 2, batch_first=True).double()
    state, x = tensor(2, n_samples, 5), noise(n_samples, T)

    def model(p: Tensor, h: Tensor) -> Tensor:
        return gru(p.unsqueeze(-1), h.contiguous())[0][:, -1]

    explainer = fixed(model, batch_independent=batch_independent)
    found = explainer(x, target=0, additional_forward_args=per_sample(state, axis=1)).rfft
    close(found, truth(model, x, lambda i: state[:, i : i + 1]), 1e-12)
    if n_samples > 1:
        with pytest.raises(RuntimeError, match=r"Expected hidden size.*per_sample\(value, axis="):
            explainer(x, target=0, additional_forward_args=state)


def test_with_several_inputs_and_in_blocks() -> None:
    """Arguments keep to their samples in every block of a batch, on every axis."""
    x, z, gain, state = noise(3, T), noise(3, 5, seed=1), tensor(3), tensor(2, 3)

    def model(p: Tensor, q: Tensor, by_row: Tensor, by_column: Tensor, weights: Tensor) -> Tensor:
        return by_row * (p.square() * weights).sum(-1) + (by_column[0] - by_column[1]) * q.square().sum(-1)

    extra = (per_sample(gain), per_sample(state, axis=1), shared(tensor(T)))
    together = fixed(model)((x, z), additional_forward_args=extra)
    for i in range(3):
        part = (per_sample(gain[i : i + 1]), per_sample(state[:, i : i + 1], axis=1), tensor(T))
        alone = fixed(model)((x[i : i + 1], z[i : i + 1]), additional_forward_args=part)
        close(together.rfft_0[i], alone.rfft_0[0], 1e-12)
        close(together.rfft_1[i], alone.rfft_1[0], 1e-12)


def test_attribute_reads_arguments_alike() -> None:
    x, adjacency = noise(4, 4, T), tensor(4, 4)
    with pytest.raises(ValueError, match=EITHER):
        attribute(x, pooled, additional_forward_args=adjacency.float())
    close(
        attribute(x, mixed, target=1, additional_forward_args=adjacency),
        attribute(x, lambda p: mixed(p, adjacency), target=1),
        1e-6,
    )
    single = noise(T, 1, T)
    close(
        attribute(single, weighted, additional_forward_args=tensor(T)),
        attribute(single, lambda p: weighted(p, tensor(T))),
        1e-6,
    )


@pytest.mark.parametrize("batch", [1, 3, 4, T])
def test_models_of_a_fixed_batch(batch: int) -> None:
    """Filling a call up must not cut what is shared, and must follow any axis."""

    def net(p: Tensor, weights: Tensor, state: Tensor) -> Tensor:
        assert len(p) == batch
        assert weights.shape == (T,)
        assert state.shape == (2, batch)
        return (p * weights).square().sum(-1) * state.sum(0)

    model = as_model(FixedBatch(net, batch), dtype=torch.float64)
    model.description["fixed_batch"] = batch
    x, weights, state = noise(4, T), tensor(T), tensor(2, 4)
    found = Explainer(model, n_steps=STEPS)(
        x, target=0, additional_forward_args=(shared(weights), per_sample(state, axis=1))
    )
    close(
        found.rfft, truth(lambda p, gain: gain * weighted(p, weights), x, lambda i: state[:, i].sum()), 1e-12
    )


@settings(max_examples=20)
@given(n_samples=st.integers(1, 9), n=st.integers(2, 9))
def test_weights_and_gains_of_every_size(n_samples: int, n: int) -> None:
    """Also where samples are as many as points in time: each argument has one reading that works."""
    x, weights, gain = noise(n_samples, n), tensor(n), tensor(n_samples, 1)

    def model(p: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return (p * a).square() * b

    result = fixed(model, n_steps=STEPS)(x, target=0, additional_forward_args=(weights, gain))
    np.testing.assert_allclose(result.output, (x[:, 0] * weights[0].item()) ** 2 * gain[:, 0].numpy())


def test_wrong_arguments() -> None:
    explainer, x = fixed(scaled), noise(3, T)
    with pytest.raises(ValueError, match=r"one entry per sample on axis 1.*got shape \(3, 1\) for 3 samples"):
        explainer(x, additional_forward_args=per_sample(tensor(3, 1), axis=1))
    with pytest.raises(
        ValueError, match=r"axis must be an axis of the values, which have shape \(3, 1\), got 2"
    ):
        per_sample(tensor(3, 1), axis=2)
    with pytest.raises(ValueError, match=r"axis must be an axis of the values, which have shape \(\)"):
        per_sample(1.0)
    with pytest.raises(TypeError, match="values must be numbers"):
        per_sample(["a", "b", "c"])
    with pytest.raises(TypeError, match="said already"):
        shared(per_sample(tensor(3)))
    with pytest.raises(TypeError, match="said already"):
        per_sample(shared(tensor(3)))
    with pytest.raises(TypeError, match="make it an argument of its own"):
        explainer(x, additional_forward_args=({"gain": per_sample(tensor(3))},))
    with pytest.raises(ValueError, match="for 7 of them"):
        explainer(x, additional_forward_args=(tensor(3),) * 7)


def test_errors_of_the_model_say_how_arguments_were_read() -> None:
    """Both trials fail: the first error is raised, and says what the second was."""

    def model(p: Tensor, table: Tensor) -> Tensor:
        raise RuntimeError(f"no place for {len(table)} rows")

    with pytest.raises(RuntimeError, match=r"no place for 2 rows.*one entry per sample.*no place for 3 rows"):
        fixed(model)(noise(3, T), additional_forward_args=tensor(3, 5))


@pytest.mark.parametrize(
    "gains", [[1.0, 2.0, 3.0], {"gain": torch.ones(3)}, np.array([1, 2, 3], dtype=object), ((1.0, 2.0, 3.0),)]
)
def test_what_is_no_tensor_and_counts_the_samples_is_named(gains: Any) -> None:
    """Such a list broadcasts against one sample, so that the axes of x looked wrong."""

    def model(p: Tensor, gain: Any) -> Tensor:
        gain = gain["gain"] if isinstance(gain, dict) else gain
        return p.mean(-1) * torch.tensor(np.asarray(gain, float).ravel(), dtype=p.dtype)

    with pytest.raises((ValueError, RuntimeError), match=r"each of the 3 samples, pass .*freqig\.per_sample"):
        fixed(model)(noise(3, T), additional_forward_args=(gains,))


@pytest.mark.parametrize("name", ["batch_independent", "trust", "progress"])
def test_flags_are_true_or_false(name: str) -> None:
    """Those of NumPy are; what only counts as true is refused before any work."""
    flag = np.bool_(False)
    result = fixed(lambda p: p.square().sum(-1), **{name: flag})(noise(2, T))
    assert json.loads(result.attrs["settings"])["batch_independent"] is (name != "batch_independent")
    for wrong in (1, "yes", 0.0, np.array([True]), None):
        with pytest.raises(TypeError, match=f"{name} must be True or False"):
            check_flag(wrong, name)


def test_errors_of_the_model_tell_its_batch_from_the_input() -> None:
    """A lone series goes over twice, and several inputs as one: neither shape is the caller's."""
    with pytest.raises(
        RuntimeError, match=r"batch of its own of shape \(2, 3, 12\).*x has the shape \(1, 3, 12\)"
    ):
        fixed(nn.Linear(5, 2))(noise(1, 3, T))
    with pytest.raises(RuntimeError, match=r"of shape \(2, 17\).*x has the shapes \(1, 12\) and \(1, 5\)"):
        fixed(lambda p, q: p + q)((noise(1, T), noise(1, 5)))
