"""One domain after another: names, dimensions, chains, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from freqig.domains import ICA, RFFT, STFT, Components, FilterBank, Segments, Spatial, Time, ready
from freqig.domains.stretch import Stretch

from .every import tensor

FS = 16.0
M = np.random.default_rng(0).normal(size=(3, 2))


def halves(series: np.ndarray) -> dict[str, np.ndarray]:
    return {"positive": np.maximum(series, 0), "negative": np.minimum(series, 0)}


def made(domain: Any, x: torch.Tensor, baseline: torch.Tensor | None = None) -> Any:
    return ready([domain], x, torch.zeros_like(x) if baseline is None else baseline, FS)[0]


@pytest.mark.parametrize(
    ("domain", "name", "dims"),
    [
        (ICA(M) >> RFFT(), "ica_rfft", ("ica_component", "frequency")),
        (ICA(M) >> Time(), "ica_waveform", ("ica_component", "time")),
        (ICA(M) >> STFT(0.5), "ica_stft", ("ica_component", "stft_frequency", "stft_time")),
        (ICA(M, name="eye") >> RFFT(), "eye_rfft", ("eye_component", "frequency")),
        (ICA(M) >> FilterBank("eeg"), "ica_filterbank", ("ica_component", "filterbank_band", "time")),
        (Spatial(np.eye(3)) >> ICA(M), "spatial_ica", ("ica_component", "time")),
        (Spatial(np.eye(3)) >> ICA(M) >> RFFT(), "spatial_ica_rfft", ("ica_component", "frequency")),
        (Spatial(np.eye(3)) >> (ICA(M) >> RFFT()), "spatial_ica_rfft", ("ica_component", "frequency")),
        (
            ICA(M) >> Components(halves) >> RFFT(),
            "ica_components_rfft",
            ("ica_component", "components_part", "frequency"),
        ),
        (Components(halves) >> RFFT(), "components_rfft", ("components_part", "frequency")),
    ],
)
def test_names_and_dimensions(domain: Any, name: str, dims: tuple[str, ...]) -> None:
    x, baseline, gradient = (tensor(2, 3, 21, seed=seed) for seed in range(3))
    bound = made(domain, x, baseline)
    coords = bound.coords(21, FS)
    assert bound.name == name
    assert bound.dims(coords) == dims
    values = bound.assemble(bound.products(bound.analyze_pair(x, baseline), gradient))
    left = 1 if "channel" in bound.consumes else 2
    assert values.shape[left:] == tuple(len(v[0] if isinstance(v, tuple) else v) for v in coords.values())
    torch.testing.assert_close(
        values.flatten(1).nansum(1), ((x - baseline) * gradient).sum((1, 2)), rtol=0, atol=1e-12
    )


def test_it_is_the_transform_of_each_component() -> None:
    """Sums over frequencies are the sums over time of the components, and the reverse holds too."""
    x, gradient = tensor(2, 3, 24), tensor(2, 3, 24, seed=1)
    ica = ICA(M)
    in_time = ica.attribution(x, gradient)
    in_frequency = made(ica >> RFFT(), x).attribution(x, gradient)
    torch.testing.assert_close(in_frequency.sum(-1), in_time.sum(-1))
    sources = ica.unmixing @ x
    adjoint = ica.mixing.T @ gradient
    torch.testing.assert_close(in_frequency[:, :2], RFFT().attribution(sources, adjoint))
    bank = FilterBank({"low": (0, 3)})
    by_band = made(ica >> bank, x).attribution(x, gradient)
    torch.testing.assert_close(by_band[:, :2], bank.bind((24,), FS).attribution(sources, adjoint))


def test_bands_of_components_have_edges_in_hertz() -> None:
    bound = made(ICA(M) >> FilterBank({"low": (0, 3)}), tensor(1, 3, 24))
    along, low, unit = bound.auxiliary(24, FS)["filterbank_low"]
    assert (along, unit) == (("filterbank_band",), "Hz")
    np.testing.assert_array_equal(low, [0, np.nan])


def test_a_decomposition_of_components_uses_both_ends() -> None:
    """A non-linear second stage sees the components of x and of x', not of their difference."""
    x, baseline = tensor(1, 3, 10), tensor(1, 3, 10, seed=1)
    ica = ICA(M)
    bound = made(ica >> Components(halves), x, baseline)
    ends = [ica.unmixing @ end for end in (x, baseline)]
    positive = ends[0].clamp(min=0) - ends[1].clamp(min=0)
    torch.testing.assert_close(bound.analyze_pair(x, baseline)[:, :2, 0], positive)


def test_a_stretch_of_components_is_a_part_and_not_refused() -> None:
    x = tensor(1, 3, 20)
    bound = made(ICA(M) >> Stretch(5, 10), x)
    assert bound.inverts == "partly"
    part = slice(5, 15)
    assert float(bound.attribution(x, x).sum()) == pytest.approx(float(x[..., part].square().sum()))


def test_names_can_be_given() -> None:
    from freqig.domains import Composition

    assert Composition(ICA(M), RFFT(), name="sources").name == "sources"
    assert "ICA" in repr(ICA(M) >> RFFT())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RFFT() >> ICA(M), ValueError, "left of >> must give series"),
        (lambda: Segments(1.0) >> RFFT(), ValueError, "left of >> must give series"),
        (lambda: ICA(M) >> RFFT, TypeError, "write it with parentheses"),
        (lambda: ICA(M) >> 3, TypeError, "both sides of >> must be freqig.Domain instances, got 3"),
        (lambda: Components(halves) >> ICA(M), ValueError, "which maps channels: put it on the left"),
    ],
)
def test_what_does_not_fit(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_dimensions_of_one_name_must_mean_the_same() -> None:
    x = tensor(1, 3, 32)
    zero = torch.zeros_like(x)
    pair = [STFT(0.5), ICA(M) >> STFT(1.0)]
    with pytest.raises(ValueError, match=r"'stft' and 'ica_stft' both have a dimension 'stft_frequency'"):
        ready(pair, x, zero, FS)
    assert len(ready([STFT(0.5), ICA(M) >> STFT(1.0, name="long")], x, zero, FS)) == 2
    assert len(ready([ICA(M), ICA(M) >> RFFT(), RFFT()], x, zero, FS)) == 3
    with pytest.raises(ValueError, match="a dimension 'components_part'"):
        made(Components(halves) >> Components(halves), x)
