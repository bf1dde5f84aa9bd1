"""ONNX models against the networks they were exported from."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from freqig.models import as_model

from ..networks import expected, gradient, group_norm, noise, outputs, recurrent

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx2fx")

from freqig.models.onnx import convert as onnx_convert  # noqa: E402
from freqig.models.onnx import model as onnx_model  # noqa: E402
from freqig.models.onnx.model import OnnxModel  # noqa: E402
from freqig.models.onnx.parity import ConversionError  # noqa: E402

NETS = {"GroupNorm": group_norm, "LSTM": recurrent, "BiLSTM": lambda: recurrent(both=True)}


@pytest.mark.parametrize("free", [True, False], ids=["free batch", "batch 4"])
@pytest.mark.parametrize("name", NETS)
def test_equals_the_original(name: str, free: bool, export: Any) -> None:
    net = NETS[name]()
    model = as_model(export(net, noise(4, 2, 40), free))
    for n in (1, 4, 9):
        x = noise(n, 2, 40, seed=n)
        y, slope = expected(net, x)
        torch.testing.assert_close(outputs(model, x), y, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(gradient(model, x), slope, rtol=1e-4, atol=1e-6)
    assert model.description.get("fixed_batch") == (None if free else 4)
    line = str(model.description["parity"])
    assert all(part in line for part in ("outputs within", "onnxruntime", "slopes within", "and yours"))


def test_a_fixed_batch_is_padded_and_never_stretched(export: Any) -> None:
    seen = []
    model = OnnxModel(export(group_norm(), noise(4, 2, 40), free=False))
    model.function.net.net.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    assert outputs(model, noise(9, 2, 40)).shape == (9, 3)
    assert seen == [4, 4, 4]


def test_takes_a_model_in_memory_and_leaves_it_alone(export: Any) -> None:
    net, x = group_norm(), noise(3, 2, 40)
    proto = onnx.load(export(net, noise(1, 2, 40)))
    before = proto.SerializeToString()
    model = as_model(proto)
    torch.testing.assert_close(outputs(model, x), net(x).detach())
    assert proto.SerializeToString() == before
    assert model.fingerprint() == as_model(proto).fingerprint()
    proto.graph.initializer[0].raw_data = bytes(len(proto.graph.initializer[0].raw_data))
    assert model.fingerprint() != as_model(proto).fingerprint()


def test_no_warnings_but_freqigs_own(export: Any) -> None:
    path = export(group_norm(), noise(1, 2, 40))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs(as_model(path), noise(2, 2, 40))


def test_gather_takes_negative_indices_and_the_hook_is_put_back(export: Any) -> None:
    from onnx2fx.op_registry import get_handler

    data, index = noise(2, 3, 5), torch.tensor([[-1, 0], [1, -2]])
    for axis in (0, 1, -1):
        wanted = torch.from_numpy(data.numpy().take(index.numpy(), axis))
        assert torch.equal(onnx_convert.gather(data, index, axis), wanted)
    before = get_handler("Gather")
    OnnxModel(export(recurrent(), noise(1, 2, 40)))
    assert get_handler("Gather") is before


def test_onnx2fx_alone_fails_on_the_last_step(export: Any) -> None:
    """Where this fails, a release of onnx2fx has mended its Gather."""
    import onnx2fx

    net = onnx2fx.convert(export(recurrent(), noise(1, 2, 40)))
    with pytest.raises((IndexError, RuntimeError)):
        net(noise(1, 2, 40))


def wrong(how: str) -> Callable[[], list[tuple[str, Any]]]:
    """A converter that makes a fault in the output, or in the gradient alone."""

    def convert(proto: object) -> nn.Module:
        import onnx2fx

        right = onnx2fx.convert(proto)

        class Wrong(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                if how == "outputs":
                    return right(x) + 0.1
                return right(x).detach() + 0 * x.flatten(1).sum(1, keepdim=True)

        return Wrong()

    return lambda: [("wrong 1.0", convert)]


@pytest.mark.parametrize("how", ["outputs", "gradients"])
def test_a_conversion_that_differs_is_refused(how: str, export: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export(group_norm(), noise(1, 2, 40))
    monkeypatch.setattr(onnx_model, "converters", wrong(how))
    with pytest.raises(ConversionError, match=f"{how} differ.*trust=True does not change this"):
        as_model(path)


def test_the_second_converter_is_tried_where_the_first_differs(
    export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = export(group_norm(), noise(1, 2, 40))
    first, second = wrong("outputs")(), onnx_convert.converters()[:1]
    monkeypatch.setattr(onnx_model, "converters", lambda: first + second)
    assert str(as_model(path).description["converter"]).startswith("onnx2fx")


def test_a_conversion_that_differs_on_the_users_data_alone_is_refused(
    export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnlySmall(nn.Module):
        def __init__(self, right: nn.Module) -> None:
            super().__init__()
            self.right = right

        def forward(self, x: Tensor) -> Tensor:
            return self.right(x.clamp(-20, 20))

    path = export(group_norm(), noise(1, 2, 40))
    ((name, convert),) = onnx_convert.converters()[:1]
    monkeypatch.setattr(onnx_model, "converters", lambda: [(name, lambda p: OnlySmall(convert(p)))])
    model = as_model(path)
    with pytest.raises(ConversionError, match="on the data given"):
        outputs(model, 1e3 * noise(2, 2, 40) ** 2)


def test_several_outputs_come_by_name(export: Any) -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x.mean(-1), x.argmax(-1)

    path = export(Two(), noise(2, 2, 8), free=False, output_names=["mean", "peak"])
    raw = outputs(as_model(path), noise(2, 2, 8))
    assert set(raw) == {"mean", "peak"}
    assert raw["peak"].dtype == torch.int64


def test_infinite_outputs_are_compared_like_others(export: Any) -> None:
    class LogPower(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.square().mean(-1).log()

    model = as_model(export(LogPower(), noise(2, 2, 8)))
    assert torch.isneginf(outputs(model, torch.zeros(2, 2, 8))).all()


def test_a_free_time_axis_is_checked_on_the_users_shape(export: Any) -> None:
    net = group_norm()
    axes = {"x": {0: "batch", 2: "time"}, "y": {0: "batch"}}
    model = as_model(export(net, noise(1, 2, 40), dynamic_axes=axes))
    assert "parity" not in model.description
    x = noise(2, 2, 55)
    torch.testing.assert_close(outputs(model, x), net(x).detach(), rtol=1e-4, atol=1e-6)
    assert "slopes within" in str(model.description["parity"])
    with pytest.raises(ValueError, match=r"takes \(batch, 2, any\), got \(2, 55\)"):
        outputs(model, noise(2, 55))


def test_float64_files_run_in_float64_and_no_other(export: Any) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(80, 3), nn.Tanh()).double()
    path = export(net, noise(1, 2, 40, dtype=torch.float64))
    model, x = as_model(path), noise(2, 2, 40, dtype=torch.float64)
    assert model.dtype == torch.float64
    torch.testing.assert_close(outputs(model, x), net(x).detach())
    with pytest.raises(ValueError, match=r"dtype must .* torch\.float64, got torch\.float32"):
        as_model(path, dtype=torch.float32)


def test_what_onnxruntime_cannot_run_is_refused(export: Any) -> None:
    path = export(group_norm().double(), noise(1, 2, 40, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"onnxruntime cannot run.*trust"):
        as_model(path)


def test_outputs_without_the_batch_first_are_refused(export: Any) -> None:
    class Steps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.transpose(1, 2).reshape(-1, 2)

    with pytest.raises(ValueError, match="batch first"):
        as_model(export(Steps(), noise(4, 2, 40), free=False))


def test_integer_inputs_are_refused(export: Any) -> None:
    class Tokens(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.one_hot(x, 4).float().mean(1)

    with pytest.raises(ValueError, match="must be floating"):
        as_model(export(Tokens(), torch.zeros(1, 5, dtype=torch.int64)))


def test_random_state_is_left_alone(export: Any) -> None:
    path = export(group_norm(), noise(1, 2, 40))
    before = torch.get_rng_state()
    outputs(as_model(path), noise(2, 2, 40))
    assert torch.equal(torch.get_rng_state(), before)
