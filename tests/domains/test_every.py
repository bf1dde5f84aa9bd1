"""Properties that every domain has: completeness, adjoint, labels, and agreement with Captum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from freqig import Explainer
from freqig.domains import Domain, NonlinearDomain
from freqig.domains.nonlinear import attribution_shape

from ..helpers import Smooth, SmoothTruth, close
from .every import CURVED, EVERY, LINEAR, admitted, inversion_residual, made, tensor
from .examples import FS, Example, examples

LENGTHS = (1, 2, 3, 7, 16, 33, 40)
linear_examples = st.sampled_from([e for e in examples() if e.make(2).linear])


@pytest.mark.parametrize("example", LINEAR)
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_attributions_are_complete(example: Example, n: int, channels: int, dtype: torch.dtype) -> None:
    """They add up to Σ δ·ḡ: to rounding, or to what the inversion of the domain leaves."""
    x, drawn, gradient = (tensor(4, channels, n, seed=seed, dtype=dtype) for seed in (1, 2, 3))
    baseline = admitted(example, x, drawn)
    domain = made(example, x, baseline)
    parts = domain.products(domain.analyze_pair(x, baseline), gradient)
    values = domain.assemble(parts)
    delta = (x - baseline).double()
    expected = (delta * gradient.double()).sum((1, 2))
    # Of the sum of magnitudes: the sums themselves may cancel.
    scale = (delta * gradient.double()).abs().sum((1, 2))
    residual = inversion_residual(domain, x.double(), baseline.double())
    rounding = 1e-12 if dtype == torch.float64 else 1e-6
    tolerance = rounding if residual <= 1e-13 else max(rounding, 10 * residual)
    for total in (
        sum(part.double().flatten(1).sum(1) for part in parts),
        values.double().flatten(1).nansum(1),
    ):
        assert bool(((total - expected).abs() <= tolerance * scale).all()), (total - expected, scale)
    assert values.dtype == dtype
    assert all(bool(part.isfinite().all()) for part in parts)


@pytest.mark.parametrize("example", EVERY)
@pytest.mark.parametrize("n", [1, 7, 33, 40])
def test_coordinates_fit_the_coefficients(example: Example, n: int) -> None:
    x = tensor(2, 3, n)
    baseline = admitted(example, x, tensor(2, 3, n, seed=1))
    domain = made(example, x, baseline)
    coords = domain.coords(n, FS)
    sizes = [np.asarray(v[0] if isinstance(v, tuple) else v).size for v in coords.values()]
    left = (2,) if "channel" in domain.consumes else (2, 3)
    assert attribution_shape(domain, tuple(x.shape)) == (*left, *sizes)
    for values in coords.values():
        if isinstance(values, tuple):
            assert values[1] in ("Hz", "s", "rad", "octaves", "orders", "turns"), values
    for along, values, _ in domain.auxiliary(n, FS).values():
        lengths = dict(zip(coords, sizes, strict=True))
        assert np.shape(values) == tuple(lengths[key] for key in along)
    names = domain.dims(coords)
    assert len(set(names)) == len(names)


@given(
    example=linear_examples,
    n=st.integers(1, 48),
    channels=st.integers(1, 3),
    batch=st.lists(st.integers(1, 3), max_size=2),
    seed=st.integers(0, 2**32 - 1),
)
def test_adjoint_identity(example: Example, n: int, channels: int, batch: list[int], seed: int) -> None:
    """⟨synthesize c, g⟩ = ⟨c, adjoint g⟩ for any coefficients, not those of a signal only."""
    shape = (*batch, channels, n)
    some = tensor(1, channels, n, seed=seed)
    domain = made(example, some, admitted(example, some, torch.zeros_like(some)))
    c, held = domain.free_and_held(domain.analyze(tensor(*shape, seed=seed)))
    rng = np.random.default_rng(seed)
    drawn = (*(random_like(part, rng) for part in c), *held)
    g = tensor(*shape, seed=seed % 1000 + 1)
    is_tuple = isinstance(domain.analyze(some[0]), tuple)
    signal = domain.synthesize(drawn if is_tuple else drawn[0], n)
    nothing = (*map(torch.zeros_like, c), *held)
    constant = domain.synthesize(nothing if is_tuple else nothing[0], n)
    adjoint = domain.adjoint(drawn if is_tuple else drawn[0], g)
    left = ((signal - constant) * g).sum()
    right = sum((a.conj() * b).real.sum() for a, b in zip(drawn[: len(c)], adjoint, strict=True))
    assert abs(left - right) <= 1e-11 * (signal.norm() * g.norm() + 1)


def random_like(part: Tensor, rng: np.random.Generator) -> Tensor:
    real = torch.from_numpy(rng.normal(size=tuple(part.shape)))
    if not part.is_complex():
        return real
    return torch.complex(real, torch.from_numpy(rng.normal(size=tuple(part.shape))))


@pytest.mark.parametrize("example", LINEAR)
@pytest.mark.parametrize("n", [7, 40])
def test_batches_do_not_mix(example: Example, n: int) -> None:
    x, drawn, gradient = (tensor(3, 2, n, seed=seed) for seed in range(3))
    baseline = admitted(example, x, drawn)
    domain = made(example, x, baseline)
    together = domain.assemble(domain.products(domain.analyze_pair(x, baseline), gradient))
    for i in range(3):
        part = slice(i, i + 1)
        alone = domain.assemble(domain.products(domain.analyze_pair(x[part], baseline[part]), gradient[part]))
        torch.testing.assert_close(together[part], alone, equal_nan=True, rtol=0, atol=1e-13)


@pytest.mark.parametrize("example", LINEAR)
@pytest.mark.parametrize("n", [7, 16, 33])
def test_equals_captum_behind_the_synthesis(example: Example, n: int) -> None:
    """Integrated Gradients of model ∘ synthesize, by somebody else's integrator."""
    channels, n_steps = 2, 20
    x = tensor(1, channels, n)
    baseline = admitted(example, x, tensor(1, channels, n, seed=1))
    domain = made(example, x, baseline)
    model, truth = Smooth(n, channels), SmoothTruth(n, channels)
    # What is held is that of x at both ends, and so is not analyzed anew in the baseline.
    end, held = domain.free_and_held(domain.analyze(x))
    difference, _ = domain.free_and_held(domain.analyze_pair(x, baseline))
    ends = [end, tuple(a - b for a, b in zip(end, difference, strict=True))]
    packed = isinstance(domain.analyze(x), tuple)
    shapes = [part.shape[1:] for part in ends[0]]
    is_complex = [part.is_complex() for part in ends[0]]

    # One sample axis in front, and real numbers throughout: what Captum can handle.
    def behind(*parts: Tensor) -> Tensor:
        c = tuple(
            torch.view_as_complex(part.contiguous()) if imaginary else part
            for part, imaginary in zip(parts, is_complex, strict=True)
        )
        given = (*c, *(part.expand(len(c[0]), *part.shape[1:]) for part in held))
        return model(domain.synthesize(given if packed else given[0], n))[:, 1]

    real = [tuple(torch.view_as_real(p) if p.is_complex() else p for p in end) for end in ends]
    scores = IntegratedGradients(behind).attribute(*real, n_steps=n_steps, method="gausslegendre")
    captum = tuple(
        score.sum(-1) if imaginary else score for score, imaginary in zip(scores, is_complex, strict=True)
    )
    assert [tuple(part.shape[1:]) for part in captum] == [tuple(shape) for shape in shapes]
    mean_gradient = truth.mean_gradient(x[0].numpy(), baseline[0].numpy(), 1, n_steps)
    c = domain.analyze_pair(x, baseline)
    ours = domain.products(c, torch.from_numpy(mean_gradient)[None])
    largest = max(float(part.abs().max()) for part in captum)
    for one, other in zip(ours, captum, strict=True):
        # Captum's nodes and weights are rounded to float32.
        assert float((one - other).abs().max()) <= 2e-6 * largest
    close(
        domain.assemble(ours).nan_to_num().numpy(),
        domain.assemble(captum).nan_to_num().numpy(),
        2e-6 * max(1.0, largest / max(1e-300, float(domain.assemble(captum).nan_to_num().abs().max()))),
    )


@pytest.mark.parametrize("example", CURVED)
@pytest.mark.parametrize("n", [3, 16, 33])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_paths_of_their_own_lead_from_the_baseline_to_the_input(
    example: Example, n: int, dtype: torch.dtype
) -> None:
    """S of the ends are the signals, so that attributions are complete, and samples do not mix."""
    x = tensor(3, 2, n, dtype=dtype)
    baseline = admitted(example, x, tensor(3, 2, n, seed=1, dtype=dtype))
    domain = made(example, x, baseline)
    assert isinstance(domain, NonlinearDomain)
    ends = domain.coordinates(x, baseline)
    tolerance = 1e-12 if dtype == torch.float64 else 2e-5
    for signal, c in zip((x, baseline), ends, strict=True):
        assert c.dtype == dtype
        torch.testing.assert_close(domain.synthesize(c, n), signal, rtol=0, atol=tolerance)
    for i in range(3):
        part = slice(i, i + 1)
        for one, other in zip(domain.coordinates(x[part], baseline[part]), ends, strict=True):
            torch.testing.assert_close(one, other[part], rtol=0, atol=tolerance)


@pytest.mark.parametrize("example", CURVED)
@pytest.mark.parametrize("n", [3, 16])
def test_paths_of_their_own_equal_captum_behind_the_synthesis(example: Example, n: int) -> None:
    x = tensor(2, 2, n)
    baseline = admitted(example, x, tensor(2, 2, n, seed=1))
    model, domain = Smooth(n, 2), made(example, x, baseline)
    c1, c0 = domain.coordinates(x, baseline)
    behind = IntegratedGradients(lambda c: model(domain.synthesize(c, n))[:, 1])
    captum = domain.assemble((behind.attribute(c1, c0, n_steps=40, method="gausslegendre"),))
    explainer = Explainer(model, fs=FS, domains=example.make(2), n_steps=40, tol=10)
    result = explainer(x, target=1, baseline=baseline)
    close(result[domain.name].values, captum.numpy(), 2e-6)
    total = result[domain.name].sum(result[domain.name].dims[1:])
    np.testing.assert_allclose(total, result.output - result.baseline_output, atol=1e-6)


@pytest.mark.parametrize("example", EVERY)
def test_a_domain_names_itself(example: Example) -> None:
    domain: Any = example.make(2)
    assert isinstance(domain, Domain)
    assert domain.name == domain.name.lower()
    assert domain.name in repr(domain)
