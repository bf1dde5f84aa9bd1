"""The whole call: what is in the table, what is refused, and networks that know nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

import freqig

from ..helpers import Smooth, noise

N = 15
QUICK = {"steps": 2, "random_orders": 1, "draws": 1, "most_explained": 2}


def heard(n: int = 40) -> torch.nn.Linear:
    """A model that hears one frequency of n / 8 periods, and an output of its own."""
    model = torch.nn.Linear(n, 1, bias=False).double()
    model.weight.data[0] = torch.from_numpy(np.sin(2 * np.pi * np.arange(n) / 8))
    return model


def explained(x: np.ndarray | None = None) -> tuple[xr.Dataset, Smooth, np.ndarray]:
    x = noise(3, N) if x is None else x
    model = Smooth(N)
    return freqig.Explainer(model, fs=1.0, n_steps=8)(x, target=[i % 2 for i in range(len(x))]), model, x


def test_everything_is_found_and_what_is_not_has_a_reason() -> None:
    x, model = noise(3, 40), heard()
    result = freqig.Explainer(model, fs=40.0)(x, target=0)
    other = freqig.Explainer(model, fs=40.0)(x, target=0, baseline=freqig.baselines.dc())
    table = freqig.evaluate(result, model, x, truth={"heard": (4.5, 5.5)}, others={"dc": other}, **QUICK)
    missing = ~np.isfinite(table.score).all(("variable", "sample")) & ~table.family.isin(
        ["stability", "sanity"]
    )
    assert (table.reason.isel(variable=0)[missing.values] != "").all()
    mean = table["mean"].sel(variable="rfft", group="all")
    for metric in ("average_precision", "relevance_rank_accuracy", "relevance_mass_accuracy"):
        assert mean.sel(metric=metric) == pytest.approx(1)
    assert mean.sel(metric="truth_share") == pytest.approx(1 / 21)
    assert mean.sel(metric="effective_number") == pytest.approx(1, abs=1e-6)
    assert mean.sel(metric="agreement_cosine") == pytest.approx(1)
    assert table.group.values.tolist() == ["all", "0"]
    assert table.attrs["verdict"].count(". ") == 2
    assert "average precision 1.00" in table.attrs["verdict"]


def test_a_table_goes_through_a_file(tmp_path: object) -> None:
    result, model, x = explained()
    table = freqig.evaluate(result, model, x, families=("deletion", "truth"), **QUICK)
    table.to_netcdf(f"{tmp_path}/table.nc", engine="h5netcdf")
    with xr.open_dataset(f"{tmp_path}/table.nc", engine="h5netcdf") as read:
        xr.testing.assert_equal(read.load(), table)
    assert table.reason.sel(metric="aup", variable="rfft") == "truth= was not given"


def test_means_are_by_class() -> None:
    result, model, x = explained(noise(8, N))
    table = freqig.evaluate(result, model, x, families="complexity")
    own = table.score.sel(variable="rfft", metric="entropy")
    assert table.group.values.tolist() == ["all", "0", "1"]
    for label in (0, 1):
        group = table.sel(variable="rfft", metric="entropy", group=str(label))
        rows = result.target.values == label
        assert group["mean"] == pytest.approx(own.values[rows].mean())
        assert group["count"] == rows.sum()
    assert table["spread"].sel(group="all", variable="rfft", metric="entropy") == pytest.approx(
        own.std(ddof=1)
    )


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_classes_by_name_have_the_scores_of_their_numbers() -> None:
    """Targets are names in the result, and numbers to the model."""
    x, model, tables = noise(6, N), Smooth(N), {}
    for names in (None, ["up", "down", "still"]):
        result = freqig.Explainer(model, fs=float(N), classes=names)(x)
        tables[names is None] = freqig.evaluate(
            result, model, x, families=("deletion", "complexity"), **QUICK
        )
    np.testing.assert_array_equal(tables[True]["score"], tables[False]["score"])
    explained = [name for name in ("up", "down", "still") if name in result.target.values]
    assert tables[False].group.values.tolist() == ["all", *explained]


def test_an_untrained_network_has_another_gap_though_ranks_stay() -> None:
    x = noise(4, N)
    loud = torch.nn.Linear(N, 1, bias=False).double()
    loud.weight.data *= 250
    before = {key: value.clone() for key, value in loud.state_dict().items()}
    result = freqig.Explainer(loud, fs=1.0)(x, target=0)
    table = freqig.evaluate(result, loud, x, families="sanity", most_explained=4)
    ratio = table.score.sel(variable="rfft", metric="untrained_magnitude_ratio")
    assert (ratio < 0.05).all()
    assert table.randomised.dims == ("variable", "layer", "measure", "sample")
    assert table.reason.sel(variable="rfft", metric="random_labels_cosine") == "train= was not given"
    assert torch.equal(loud.weight, before["weight"])


def test_random_labels_are_shuffled_here() -> None:
    result, model, x = explained()
    seen = []

    def train(shuffle: object) -> torch.nn.Module:
        seen.append(shuffle(np.arange(9)))  # type: ignore[operator]
        return Smooth(N, seed=1)

    table = freqig.evaluate(result, model, x, families="sanity", train=train, **QUICK)
    assert sorted(seen[0]) == list(range(9))
    assert seen[0].tolist() != list(range(9))
    assert np.isfinite(table["mean"].sel(variable="rfft", metric="random_labels_cosine", group="all"))
    with pytest.raises(ValueError, match="train must call its argument"):
        freqig.evaluate(result, model, x, families="sanity", train=lambda _: model, **QUICK)


def test_a_function_has_no_weights_to_draw_anew() -> None:
    x, model = noise(2, N), lambda x: x.square().sum(-1)
    result = freqig.Explainer(model, fs=1.0)(x)
    table = freqig.evaluate(result, model, x, families="sanity", **QUICK)
    assert "torch.nn.Module or a Keras model" in table.reason.sel(metric="untrained_cosine").item()
    assert np.isnan(table.score).all()


def test_a_linear_model_changes_by_the_noise() -> None:
    x, model = noise(2, N), torch.nn.Linear(N, 1, bias=False).double()
    result = freqig.Explainer(model, fs=1.0)(x, target=0)
    table = freqig.evaluate(result, model, x, families="stability", draws=1, seed=4)
    added = 0.05 * x.std(-1, keepdims=True) * np.random.default_rng((4, 0)).normal(size=N)
    other = freqig.Explainer(model, fs=1.0)(x + added, target=0)
    change = other.rfft.values - result.rfft.values
    size = np.linalg.norm(result.rfft.values, axis=1)
    score = table.score.sel(variable="rfft")
    np.testing.assert_allclose(score.sel(metric="sensitivity"), np.linalg.norm(change, axis=1) / size)
    relative = np.linalg.norm(change / result.rfft.values, axis=1)
    by = np.abs(other.output - result.output)
    np.testing.assert_allclose(score.sel(metric="relative_output_stability"), relative / by)


def test_series_of_unequal_length() -> None:
    def model(x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x[:, :5].sum(-1, keepdim=True) + x.square().mean(-1, keepdim=True))

    x = [noise(n, seed=n) for n in (12, 9, 12)]
    result = freqig.Explainer(model, fs=1.0)(x, target=0)
    table = freqig.evaluate(result, model, x, families=("deletion", "erasure"), **QUICK)
    end = table.curve.sel(variable="rfft", kind="insertion", by="count", order="attribution").isel(share=-1)
    np.testing.assert_allclose(end.squeeze(), result.output, atol=1e-6)
    with pytest.raises(ValueError, match="x must be the signal"):
        freqig.evaluate(result, model, [x[0], x[1], x[2] + 1], families="deletion")


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"x": noise(3, N, seed=9)}, ValueError, "x must be the signal that was explained: sample 0"),
        ({"x": noise(2, N)}, ValueError, "x must be the signal that was explained, of shape"),
        ({"model": Smooth(N, seed=5)}, ValueError, "model and baseline must be those that made the result"),
        ({"families": "faith"}, ValueError, "families must be one or several of deletion"),
        ({"operator": "zeros"}, ValueError, "operator must be one or several of baseline, surrogate"),
        ({"name": "stft"}, ValueError, "name must be a variable of attributions"),
        ({"steps": 1}, ValueError, "steps must be at least 2"),
        ({"others": {"a": xr.Dataset()}}, ValueError, r"others\['a'\] must be a result with rfft"),
        ({"explainer": 3}, TypeError, "explainer must be the freqig.Explainer"),
    ],
)
def test_what_does_not_belong_together_is_an_error(
    change: dict[str, object], kind: type[Exception], message: str
) -> None:
    result, model, x = explained()
    asked = {"model": model, "x": x, "families": "complexity", **change}
    with pytest.raises(kind, match=message):
        freqig.evaluate(result, asked.pop("model"), asked.pop("x"), **asked)


def test_what_settings_do_not_hold_is_named() -> None:
    x, model = noise(2, N), Smooth(N)
    own = freqig.Explainer(model, fs=1.0, output=lambda raw, _: raw[:, 0] - raw[:, 1], n_steps=4)
    result = own(x, target=0)
    with pytest.raises(ValueError, match="explainer must be given, as the explained output was the callable"):
        freqig.evaluate(result, model, x)
    table = freqig.evaluate(result, model, x, explainer=own, families="erasure")
    assert table.reason.sel(metric="log_odds", variable="rfft") == "outputs are no probabilities of classes"
    given = freqig.Explainer(model, fs=1.0, n_steps=4)(x, target=0, baseline=np.ones(N))
    with pytest.raises(ValueError, match="pass baseline="):
        freqig.evaluate(given, model, x)
    assert freqig.evaluate(given, model, x, baseline=np.ones(N), families="complexity").sizes["sample"] == 2


def test_what_is_of_no_sample_has_a_reason() -> None:
    result, model, x = explained()
    result["rfft"] = xr.zeros_like(result.rfft)
    truth = np.arange(result.rfft[0].size) < 2
    table = freqig.evaluate(result, model, x, truth=truth.reshape(result.rfft.shape[1:]), **QUICK)
    nowhere = ~np.isfinite(table.score.isel(variable=0)).any("sample").values
    assert (table.reason.values[0, nowhere] != "").all()
    assert (table.reason.values[0, ~nowhere] == "").all()
    for metric in ("entropy", "sensitivity", "aup", "untrained_cosine"):
        assert table.reason.sel(variable="rfft", metric=metric) == "all attributions are zero"
    assert "depends on the training is unknown: all attributions are zero" in table.attrs["verdict"]


def test_several_inputs_have_no_coefficients_to_replace() -> None:
    x = noise(2, 40)
    model = heard()

    def both(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return model(one) * other.mean(-1, keepdim=True)

    two = freqig.Explainer(both, fs=40.0, progress=False)((x, x), target=0)
    with pytest.raises(ValueError, match=r"one input, got signal_0, signal_1: .* additional_forward_args="):
        freqig.evaluate(two, both, (x, x))
