"""`freqig.Shapley` on models whose explanations are known, of every kind, and on those that misbehave."""

import re

import numpy as np
import pytest
import torch

import freqig

FS, N = 64.0, 64
T = np.arange(N) / FS
BANDS = freqig.FilterBank({"low": (2, 8), "mid": (8, 16), "high": (16, 28)})
SINES = {f: np.sin(2 * np.pi * f * T) for f in (5, 12, 20)}
X = np.stack([sum(SINES.values()), SINES[5] - 2 * SINES[12]])


def amplitude(x, f):
    return np.abs(x @ np.exp(-2j * np.pi * f * T)) * 2 / N


def explained(model, x=X, **asked):
    target = asked.pop("target", 0)
    return freqig.Shapley(model, fs=FS, players=asked.pop("players", BANDS), **asked)(x, target=target)


def test_a_linear_model_gives_each_player_its_contribution():
    w = np.random.default_rng(0).normal(size=N)
    found = explained(lambda x: x @ w + 3)
    gains = BANDS.bind((N,), FS).weights(np.fft.rfftfreq(N, 1 / FS))
    parts = np.fft.irfft(gains * np.fft.rfft(X)[:, None], N)
    np.testing.assert_allclose(found.shapley, parts @ w, atol=1e-12)
    assert found.shapley.dims == ("sample", "shapley_band")
    assert found.shapley_band.values.tolist() == ["low", "mid", "high", "rest"]
    assert found.shapley.attrs["kind"] == "attribution"
    assert found.converged.all()
    assert (found.estimated_error == 0).all()
    assert (found.n_evaluations == 16).all()


def test_it_agrees_with_attributions_of_bands_for_a_linear_network():
    net = torch.nn.Linear(N, 2, dtype=torch.float64)
    by_gradients = freqig.Explainer(net, fs=FS, domains=BANDS)(X, target=1).filterbank.sum("time")
    np.testing.assert_allclose(explained(net, target=1).shapley, by_gradients, atol=1e-10)


def test_two_bands_that_are_multiplied_come_out_as_a_pair_and_neither_alone():
    found = explained(lambda x: amplitude(x, 5) * amplitude(x, 12), max_order=2)
    pairs = found.shapley_interaction
    np.testing.assert_allclose(pairs.sel(shapley_player="low", shapley_other="mid"), [1, 2], atol=1e-12)
    np.testing.assert_allclose(found.shapley_alone, 0, atol=1e-12)
    np.testing.assert_allclose(np.triu(pairs).sum((1, 2)), [1, 2], atol=1e-12)
    np.testing.assert_allclose(
        found.shapley.sel(shapley_band=["low", "mid"]), [[0.5, 0.5], [1, 1]], atol=1e-12
    )


def test_a_network_that_multiplies_two_bands_gives_the_same_as_the_function():
    class Product(torch.nn.Module):
        def forward(self, x):
            waves = [torch.from_numpy(np.exp(-2j * np.pi * f * T)) for f in (5, 12)]
            a, b = ((x.to(waves[0].dtype) @ wave).abs() * 2 / N for wave in waves)
            return a * b

    found = explained(Product(), index="k-SII", dtype=torch.float64)
    np.testing.assert_allclose(found.shapley_interaction[:, 0, 1], [1, 2], atol=1e-12)
    np.testing.assert_allclose(found.shapley_alone, 0, atol=1e-12)


def test_an_additive_model_has_no_interactions():
    found = explained(lambda x: amplitude(x, 5) ** 2 + np.tanh(amplitude(x, 20)), max_order=2)
    np.testing.assert_allclose(found.shapley_interaction, 0, atol=1e-12)
    np.testing.assert_allclose(found.shapley_alone, found.shapley, atol=1e-12)


@pytest.mark.parametrize("scale", ["logit", "log_prob", "probability", "margin"])
def test_values_add_up_on_every_scale_for_all_targets_at_once(scale):
    w = np.random.default_rng(1).normal(size=(N, 3))
    asked = {"output": scale, "players": (BANDS, freqig.Segments(0.5))}
    found = explained(lambda x: np.tanh(x @ w), target="all", **asked)
    assert found.shapley.dims == ("sample", "target", "shapley_band", "shapley_segment")
    total = found.shapley.sum(("shapley_band", "shapley_segment"))
    np.testing.assert_allclose(total, found.output - found.baseline_output, atol=1e-10)
    assert (found.n_evaluations == 2**8).all()
    one = explained(lambda x: np.tanh(x @ w), target=2, **asked)
    np.testing.assert_allclose(found.shapley[:, 2], one.shapley, atol=1e-12)


def test_channels_keep_their_names():
    import xarray as xr

    x = xr.DataArray(
        np.stack([X, 2 * X], 1), dims=("sample", "channel", "time"), coords={"channel": ["Fz", "Cz"]}
    )
    found = explained(lambda x: x[:, 1] @ SINES[5], x, players=("channels", BANDS), max_order=2)
    assert found.shapley.dims == ("sample", "channel", "shapley_band")
    assert found.channel.values.tolist() == ["Fz", "Cz"]
    assert found.shapley_player.values[:2].tolist() == ["Fz × low", "Fz × mid"]
    np.testing.assert_allclose(found.shapley.sel(channel="Fz"), 0, atol=1e-12)
    np.testing.assert_allclose(found.shapley.sel(channel="Cz", shapley_band="low"), [N, N], atol=1e-10)


def test_several_baselines_are_averaged():
    others = np.random.default_rng(2).normal(size=(3, N))
    found = explained(lambda x: amplitude(x, 5), baseline=freqig.baselines.data(others))
    each = [explained(lambda x: amplitude(x, 5), baseline=one).shapley for one in others]
    np.testing.assert_allclose(found.shapley, np.mean(each, 0), atol=1e-12)
    np.testing.assert_allclose(found.shapley_spread, np.std(each, 0, ddof=1), atol=1e-12)
    assert "shapley_standard_error_spread" not in found


def test_a_call_may_say_another_baseline():
    shapley = freqig.Shapley(lambda x: x.sum(-1), fs=FS, players=BANDS, baseline=np.full(N, 0.5))
    assert float(shapley(X[:1] + 1, target=0).shapley.sum()) == pytest.approx(N / 2)
    assert float(shapley(X[:1] + 1, target=0, baseline=np.zeros(N)).shapley.sum()) == pytest.approx(N)


def test_results_go_to_a_file_and_back(tmp_path):
    import xarray as xr

    found = explained(lambda x: amplitude(x, 5), max_order=2)
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "found.nc", engine="h5netcdf") as back:
        xr.testing.assert_identical(back.load(), found)


def test_series_of_unequal_length_have_the_players_of_the_longest():
    series = [X[0], X[0, :40]]
    found = explained(lambda x: (x**2).mean(-1), series, players=freqig.Segments(0.25))
    assert found.n_times.values.tolist() == [64, 40]
    np.testing.assert_allclose(found.shapley[1, 3:], 0, atol=1e-12)
    np.testing.assert_allclose(found.shapley.sum("shapley_segment"), found.output, atol=1e-12)


# Models of all kinds.


def test_a_pipeline_of_trees_is_explained_by_the_band_it_was_trained_on():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    rng = np.random.default_rng(0)
    names = rng.choice(["still", "beating"], size=80)
    x = 0.3 * rng.normal(size=(80, N)) + np.where(names == "beating", 1, 0)[:, None] * SINES[12]
    forest = make_pipeline(
        FunctionTransformer(lambda x: np.abs(np.fft.rfft(x))), RandomForestClassifier(10, random_state=0)
    ).fit(x, names)
    beating = x[names == "beating"][:2]
    found = explained(forest, beating, target="beating", output="probability")
    assert found.predicted.values.tolist() == ["beating", "beating"]
    np.testing.assert_allclose(found.output, forest.predict_proba(beating)[:, 0])
    assert (found.shapley.argmax("shapley_band") == 1).all()
    with pytest.raises(TypeError, match=r"sklearn.Pipeline.*freqig\.Shapley\(model\)"):
        freqig.Explainer(forest, fs=FS)


@pytest.mark.parametrize(
    "score",
    [
        lambda x: np.asarray(x).sum(-1),
        lambda x: x.sum(-1, keepdims=True),
        lambda x: torch.from_numpy(x).sum(-1).numpy(),
        lambda x: torch.as_tensor(x).sum(-1),
        lambda x: [float(one.sum()) for one in x],
    ],
)
def test_functions_get_arrays_or_tensors_whichever_they_take(score):
    np.testing.assert_allclose(explained(score).shapley.sum("shapley_band"), X.sum(-1), atol=1e-5)


def test_functions_that_cannot_be_differentiated_are_explained():
    def threshold(x):
        return (x.detach().abs().amax(-1) > 1.5).float() if isinstance(x, torch.Tensor) else 1 / 0

    found = explained(threshold)
    np.testing.assert_allclose(found.shapley.sum("shapley_band"), found.output - found.baseline_output)


def test_an_onnxruntime_session_is_explained():
    ort = pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    w = np.random.default_rng(3).normal(size=(N, 2)).astype(np.float32)
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, N])]
    out = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 2])]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", given, out, [numpy_helper.from_array(w, "w")]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = ort.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    found = explained(session, target=1)
    np.testing.assert_allclose(found.shapley.sum("shapley_band"), X @ w[:, 1], atol=1e-4)
    with pytest.raises(TypeError, match=r"onnxruntime.*freqig\.Shapley\(model\)"):
        freqig.Explainer(session)


def saved(path, nodes, outputs, weights=()):
    from onnx import helper, save

    given = [helper.make_tensor_value_info("x", 1, [None, N])]
    graph = helper.make_graph(nodes, "g", given, outputs, list(weights))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_a_file_that_cannot_be_converted_is_run_as_it_is(tmp_path):
    pytest.importorskip("onnxruntime")
    from onnx import helper

    tree = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[3, 0, 0],
        nodes_values=[0.1, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[1.0, 3.0],
    )
    path = saved(tmp_path / "tree.onnx", [tree], [helper.make_tensor_value_info("y", 1, [None, 1])])
    found = explained(path)
    np.testing.assert_allclose(found.output.values.ravel(), np.where(X[:, 3] > 0.1, 3.0, 1.0))
    np.testing.assert_allclose(found.shapley.sum("shapley_band"), found.output - found.baseline_output)


def test_a_file_that_asks_for_too_much_is_not_run_without_gradients_either(tmp_path):
    pytest.importorskip("onnxruntime")
    from onnx import helper, numpy_helper

    nodes = [
        helper.make_node("Tile", ["a", "s"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["one"], keepdims=0),
        helper.make_node("Add", ["x", "one"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(np.ones(1, np.float32), "a"),
        numpy_helper.from_array(np.array([1 << 30]), "s"),
    ]
    outputs = [helper.make_tensor_value_info("y", 1, [None, N])]
    path = saved(tmp_path / "large.onnx", nodes, outputs, weights)
    with pytest.raises(ValueError, match="trust=True does not change this"):
        freqig.Shapley(path, fs=FS)


def test_labels_alone_are_refused():
    class Labels:
        classes_ = ("a", "b")

        def predict(self, x):
            return ["a"] * len(x)

    with pytest.raises(TypeError, match="predict gives labels only"):
        freqig.Shapley(Labels(), fs=FS)
    with pytest.raises(TypeError, match=r"must return floating scores.*labels of classes"):
        explained(lambda x: np.array(["a"] * len(x)))
    with pytest.raises(TypeError, match="must return floating scores"):
        explained(lambda x: x.argmax(-1))


# Models that misbehave.


def lacks(x, f):
    """Whether series lack a frequency and have another; never on the line from zeros to `X[0]`."""
    return (amplitude(x, f) < 1e-6) & (amplitude(x, 5) > 0.9)


def test_nan_is_told_with_the_players_that_were_present():
    with pytest.raises(ValueError, match=r"finite.*got \[nan\] for sample 0 with players low present"):
        explained(lambda x: np.where(lacks(x, 12), np.nan, 1.0), X[:1])


def test_a_failure_midway_is_told_with_the_players_that_were_present():
    def service(x):
        if (lacks(x, 12) & ~lacks(x, 20)).any():
            raise ConnectionError("no answer")
        return x.sum(-1)

    with pytest.raises(ConnectionError, match=r"no answer.*for sample 0 with players low, high present"):
        explained(service, X[:1])


def test_another_shape_midway_is_told_with_the_players_that_were_present():
    def shrinking(x):
        return np.ones((len(x), 1 if lacks(x, 12).any() else 3))

    with pytest.raises(Exception, match="players low present"):
        explained(shrinking, X[:1], target=2)


def test_outputs_of_another_shape_and_chance_are_refused():
    with pytest.raises(ValueError, match="one row per series"):
        explained(lambda x: np.ones((len(x) + 1, 2)))
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"same output for the same input.*chance"):
        explained(lambda x: x.sum(-1) + rng.normal(size=len(x)))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"index": "SV", "max_order": 2}, "max_order must be 1 for index='SV'"),
        ({"index": "BV"}, "index must be one of 'SV', 'k-SII'"),
        ({"max_order": 3}, "max_order must be 1 or 2"),
        ({"budget": 0}, "budget must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"players": "bands"}, "players must be"),
    ],
)
def test_parameters_are_checked_when_it_is_made(asked, message):
    with pytest.raises((TypeError, ValueError), match=message):
        freqig.Shapley(lambda x: x.sum(-1), fs=FS, **asked)


def test_several_inputs_are_refused():
    with pytest.raises(TypeError, match="x must be one input"):
        freqig.Shapley(lambda x, y: x.sum(-1), fs=FS)((X, X))


def test_twelve_players_are_exact_whatever_the_budget():
    found = explained(lambda x: np.tanh(x).sum(-1), X[:1, :60], players=freqig.Segments(5 / FS), budget=100)
    assert found.sizes["shapley_segment"] == 12
    assert found.n_evaluations.item() == 4096
    expected = np.tanh(X[:1, :60]).reshape(1, 12, 5).sum(-1)
    np.testing.assert_allclose(found.shapley, expected, atol=1e-12)


def test_more_are_exact_where_the_budget_holds_all_coalitions():
    found = explained(lambda x: np.tanh(x).sum(-1), X[:1, :52], players=freqig.Segments(4 / FS), budget=2**13)
    assert found.estimated_error.item() == 0
    expected = np.tanh(X[:1, :52]).reshape(1, 13, 4).sum(-1)
    np.testing.assert_allclose(found.shapley, expected, atol=1e-12)


def test_the_paragraph_for_a_paper_speaks_of_players_and_not_of_paths():
    text = freqig.methods_text(explained(lambda x: amplitude(x, 5), max_order=2))
    assert re.search(r"without gradients by Shapley values \[\d\] and interactions \[\d\]", text)
    assert "Absent players were set to zero" in text
    assert "exactly, from all coalitions; a signal took 16 evaluations" in text
    for word in ("FLEX", "Paths", "along the", "Integrated"):
        assert word not in text


def test_what_is_called_wrongly_is_named(tmp_path):
    np.save(tmp_path / "x.npy", X[:, None])
    explainer = freqig.Shapley(lambda x: x.mean((1, 2)), fs=FS, players=BANDS)
    with pytest.raises(TypeError, match="there is no parameter windows: did you mean window"):
        explainer.explain_files([tmp_path / "x.npy"], windows=3)
    with pytest.raises(TypeError, match="there is no parameter budget: budget is a setting, Shapley"):
        explainer(X[:, None], budget=3)
    with pytest.raises(TypeError, match="x alone comes without a name, got 1 besides: name it"):
        explainer(X[:, None], 1)
    with pytest.raises(TypeError, match="there is no parameter smooth: it takes fs, unit, window"):
        freqig.methods.SmoothGrad(torch.nn.Linear(N, 2), fs=FS).explain_files([tmp_path / "x.npy"], smooth=3)


def test_what_rounding_leaves_of_equal_ends_has_converged():
    """Where F(x) = F(x'), and coalitions say otherwise, rounding of their sum is no gap."""

    def score(x):
        loud = [amplitude(x, f) > 0.3 for f in SINES]
        return np.where(np.all(loud, 0), 0, 0.1 * loud[0] + 0.3 * loud[1] + 0.7 * loud[2])

    others = freqig.baselines.data(np.stack([0.01 * SINES[5], np.zeros(N)]))
    for start in (None, others):
        found = freqig.Shapley(score, fs=FS, players=BANDS, baseline=start)(X[:1])
        assert found.output == found.baseline_output == 0
        assert found.converged.all()
        assert found.completeness_gap == 0
