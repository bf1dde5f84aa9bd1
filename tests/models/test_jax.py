"""JAX models against JAX's own gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from freqig import Explainer, Time
from freqig.models import Model, as_model, jax_model

from .networks import gradient, noise

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

X = noise(3, 2, 16)


def check(model: Model, batched: Callable[..., Any]) -> None:
    """Outputs and gradients equal JAX's of the batched function."""
    x = jnp.asarray(X.numpy())
    y = np.asarray(batched(x))
    slope = np.asarray(jax.grad(lambda v: (batched(v) ** 2).sum())(x))
    np.testing.assert_allclose(model.outputs(X, ()).numpy(), y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient(model, X).numpy(), slope, rtol=1e-5, atol=1e-6)


def net(x: Any) -> Any:
    return jnp.tanh(x).mean(-1) @ jnp.arange(6.0).reshape(2, 3)


def test_functions_jitted_and_plain() -> None:
    for function in (net, jax.jit(net), partial(net), jax_model.JaxModel(net)):
        check(as_model(function), net)


def test_equinox_modules_take_one_example_and_run_in_inference() -> None:
    eqx = pytest.importorskip("equinox")
    key = jax.random.key(0)
    module = eqx.nn.Sequential(
        [eqx.nn.Conv1d(2, 3, 5, key=key), eqx.nn.Dropout(0.5), eqx.nn.Lambda(lambda h: h.mean(-1))]
    )
    check(as_model(module), jax.vmap(eqx.nn.inference_mode(module)))
    assert module.layers[1].inference is False


def test_equinox_modules_of_several_inputs() -> None:
    eqx = pytest.importorskip("equinox")
    first, second = (eqx.nn.Linear(n, 3, key=jax.random.key(n)) for n in (16, 5))

    class Two(eqx.Module):
        first: Any
        second: Any

        def __call__(self, x: Any, z: Any) -> Any:
            return jnp.tanh(self.first(x.mean(0))) * self.second(z)

    x, z = X.numpy(), noise(3, 5).numpy()
    result = Explainer(Two(first, second), domains=Time(), n_steps=20)((x, z), target=1)
    total = result.waveform_0.sum(("channel_0", "time_0")) + result.waveform_1.sum("time_1")
    np.testing.assert_allclose(total, result.output - result.baseline_output, atol=1e-5)
    left, right = (v @ np.asarray(one.weight).T + one.bias for v, one in ((x.mean(1), first), (z, second)))
    wanted = np.tanh(left) * right
    np.testing.assert_allclose(result.output, wanted[:, 1], rtol=1e-5, atol=1e-6)


def test_flax_linen_bound_or_applied() -> None:
    linen = pytest.importorskip("flax.linen")
    module = linen.Sequential([lambda x: x.mean(-1), linen.Dense(3), jnp.tanh])
    variables = module.init(jax.random.key(0), jnp.zeros((1, 2, 16)))
    applied = partial(module.apply, variables)
    check(as_model(applied), applied)
    check(as_model(module.bind(variables)), applied)
    with pytest.raises(ValueError, match=r"functools\.partial\(module\.apply, variables\)"):
        as_model(module)


def test_flax_nnx_runs_a_copy_in_inference() -> None:
    nnx = pytest.importorskip("flax.nnx")
    rngs = nnx.Rngs(0)
    module = nnx.Sequential(nnx.Linear(16, 3, rngs=rngs), nnx.Dropout(0.5, rngs=rngs))
    check(as_model(module), lambda x: module.layers[0](x))
    assert not module.layers[1].deterministic


def test_tuples_dicts_and_integers() -> None:
    def several(x: Any) -> Any:
        return {"b": x.sum(-1), "a": (x.mean(-1), x.argmax(-1))}

    model = jax_model.JaxModel(several)
    raw = model.outputs(X, ())
    assert raw["a"][1].dtype in (torch.int32, torch.int64)
    values, slopes = model.value_and_gradient(X, (), lambda r: r["a"][0])
    torch.testing.assert_close(values, X.mean(-1))
    assert slopes.shape == (3, 2, 2, 16)
    torch.testing.assert_close(slopes[:, 0, 0], torch.full((3, 16), 1 / 16))
    assert not slopes[:, 0, 1].any()


def test_extra_arguments_reach_the_function() -> None:
    model = jax_model.JaxModel(lambda x, scale: (x * scale[:, None, None]).sum(-1))
    scale = torch.tensor([1.0, 2.0, 3.0])
    _, slopes = model.value_and_gradient(X, (scale,), lambda r: r)
    assert slopes[2, 0, 0].unique().tolist() == [3.0]


def test_several_arrays_follow_one_path() -> None:
    def product(x: Any, z: Any, gain: Any) -> Any:
        return gain * jnp.tanh(x).mean(-1) * jnp.tanh(z @ jnp.arange(10.0).reshape(5, 2))

    x, z = X.numpy(), noise(3, 5, seed=1).numpy()
    start = noise(5, seed=2).numpy()
    explainer = Explainer(product, domains=Time(), n_steps=12)
    result = explainer((x, z), target=1, baseline=(None, start), additional_forward_args=2.0)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    slope = jax.grad(lambda *points: product(*points, 2.0)[:, 1].sum(), (0, 1))
    starts, means = (0 * x, start + 0 * z), [0.0, 0.0]
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        points = (begin + node * (end - begin) for begin, end in zip(starts, (x, z), strict=True))
        found = slope(*(point.astype(np.float32) for point in points))
        means = [mean + weight * gradient for mean, gradient in zip(means, found, strict=True)]
    for i, (begin, end) in enumerate(zip(starts, (x, z), strict=True)):
        np.testing.assert_allclose(result[f"waveform_{i}"], (end - begin) * means[i], rtol=1e-4, atol=1e-6)


def test_a_fixed_batch_is_filled_up() -> None:
    model = jax_model.JaxModel(lambda x, z: {"y": jnp.tanh(x.reshape(2, 2, 16)) * z[:, None, None]})
    model.fix_batch(2)
    assert model.description["fixed_batch"] == 2
    z = torch.tensor([1.0, 2.0, 3.0])
    values, slopes = model.value_and_gradient(X, (z,), lambda raw: raw["y"].sum(-1))
    torch.testing.assert_close(values, z[:, None] * X.tanh().sum(-1))
    for channel in (0, 1):
        torch.testing.assert_close(
            slopes[:, channel, channel], z[:, None] * (1 - X[:, channel].tanh().square())
        )
        assert not slopes[:, channel, 1 - channel].any()


def test_no_memory_is_shared_with_the_callers_points() -> None:
    model, points = jax_model.JaxModel(lambda x: x * 1), X.clone()
    out = model.outputs(points, ())
    before = out.clone()
    points.zero_()  # PyTorch may use its memory again at once
    assert torch.equal(out, before)


def test_float64_is_refused_while_jax_would_round_it() -> None:
    if jax.config.jax_enable_x64:
        pytest.skip("JAX keeps float64 here")
    with pytest.raises(ValueError, match="jax_enable_x64"):
        jax_model.JaxModel(net, dtype=torch.float64)


def test_devices_are_jaxs_own_business() -> None:
    with pytest.raises(ValueError, match="device must be left out"):
        as_model(net, device="cuda")


def test_fingerprints_tell_weights_apart() -> None:
    eqx = pytest.importorskip("equinox")
    first, again, other = (as_model(eqx.nn.Linear(4, 2, key=jax.random.key(i))) for i in (0, 0, 1))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert as_model(net).fingerprint() == {}


def test_what_does_not_depend_on_the_signal_is_refused() -> None:
    with pytest.raises(ValueError, match="differentiably"):
        jax_model.JaxModel(lambda x: x.argmax(-1)).value_and_gradient(X, (), lambda r: torch.ones(3, 1))


def test_errors_of_the_model_say_with_what_it_was_called() -> None:
    with pytest.raises(TypeError, match=r"shape \(3, 2, 16\)"):
        as_model(lambda x: jnp.dot(x, jnp.ones((3, 3)))).outputs(X, ())
