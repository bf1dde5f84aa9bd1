"""ONNX models against the networks they were exported from."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx2fx")

from freqig.models import onnx_convert, onnx_model  # noqa: E402
from freqig.models.onnx_model import ConversionError, OnnxModel  # noqa: E402

from .networks import Recurrent, expected, gradient  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def conv() -> nn.Module:
    torch.manual_seed(0)
    body = [nn.Conv1d(2, 4, 5), nn.GroupNorm(2, 4), nn.ReLU(), nn.AdaptiveAvgPool1d(1)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(4, 3)).eval()


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("net", [conv(), Recurrent(), Recurrent(both=True)], ids=repr)
def test_equals_the_original(net: nn.Module, free: bool, export) -> None:
    path = export(net, torch.randn(4, 2, 40), free)
    for n in (1, 4, 9):
        model, x = OnnxModel(path), torch.randn(n, 2, 40)
        y, slope = expected(net, x)
        torch.testing.assert_close(model.outputs(x, ()), y, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(gradient(model, x), slope, rtol=1e-4, atol=1e-6)
    assert "onnxruntime" in str(model.description["parity"])
    assert "yours" in str(model.description["parity"])
    assert model.description.get("onnx_batch") == (None if free else 4)


def test_a_fixed_batch_is_padded_and_never_stretched(export) -> None:
    seen = []
    model = OnnxModel(export(conv(), torch.randn(4, 2, 40), free=False))
    model.model.net.net.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    assert model.outputs(torch.randn(9, 2, 40), ()).shape == (9, 3)
    assert seen == [4, 4, 4]


def test_takes_a_model_in_memory(export) -> None:
    net = conv()
    proto = onnx.load(export(net, torch.randn(1, 2, 40)))
    before = proto.SerializeToString()
    x = torch.randn(3, 2, 40)
    torch.testing.assert_close(OnnxModel(proto).outputs(x, ()), net(x).detach())
    assert proto.SerializeToString() == before


def test_gather_takes_negative_indices_and_the_hook_is_put_back(export) -> None:
    from onnx2fx.op_registry import get_handler

    data = torch.randn(2, 3, 5)
    for axis in (0, 1, -1):
        index = torch.tensor([[-1, 0], [1, -2]])
        wanted = torch.from_numpy(data.numpy().take(index.numpy(), axis))
        assert torch.equal(onnx_convert.gather(data, index, axis), wanted)
    before = get_handler("Gather")
    OnnxModel(export(Recurrent(), torch.randn(1, 2, 40)))
    assert get_handler("Gather") is before


def test_onnx2fx_alone_fails_on_the_last_step(export) -> None:
    import onnx2fx

    net = onnx2fx.convert(export(Recurrent(), torch.randn(1, 2, 40)))
    with pytest.raises((IndexError, RuntimeError)):
        net(torch.randn(1, 2, 40))


def _wrong(how: str):
    def convert(proto: object) -> nn.Module:
        import onnx2fx

        right = onnx2fx.convert(proto)

        class Wrong(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                if how == "output":
                    return right(x) + 0.1
                return right(x).detach() + 0 * x.flatten(1).sum(1, keepdim=True)

        return Wrong()

    return lambda: [("wrong 1.0", convert)]


@pytest.mark.parametrize("how", ["output", "gradient"])
def test_a_conversion_that_differs_is_refused(how: str, export, monkeypatch) -> None:
    path = export(conv(), torch.randn(1, 2, 40))
    monkeypatch.setattr(onnx_model, "converters", _wrong(how))
    with pytest.raises(ConversionError, match=f"{how}s? differ"):
        OnnxModel(path)


def test_a_conversion_that_differs_only_on_the_users_data_is_refused(export, monkeypatch) -> None:
    class OnlySmall(nn.Module):
        def __init__(self, right: nn.Module) -> None:
            super().__init__()
            self.right = right

        def forward(self, x: Tensor) -> Tensor:
            return self.right(x.clamp(-20, 20))

    path = export(conv(), torch.randn(1, 2, 40))
    ((name, convert),) = onnx_convert.converters()[:1]
    monkeypatch.setattr(onnx_model, "converters", lambda: [(name, lambda p: OnlySmall(convert(p)))])
    model = OnnxModel(path)
    with pytest.raises(ConversionError, match="on the data given"):
        model.outputs(1e3 * torch.randn(2, 2, 40) ** 2, ())


def test_several_outputs_come_by_name(tmp_path) -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x.mean(-1), x.argmax(-1)

    path = str(tmp_path / "two.onnx")
    names = {"input_names": ["x"], "output_names": ["mean", "peak"]}
    torch.onnx.export(Two(), (torch.randn(2, 2, 8),), path, dynamo=False, **names)
    raw = OnnxModel(path).outputs(torch.randn(2, 2, 8), ())
    assert set(raw) == {"mean", "peak"}
    assert raw["peak"].dtype == torch.int64


def test_a_free_time_axis_is_checked_on_the_users_shape(tmp_path) -> None:
    net, path = nn.Conv1d(2, 3, 5), str(tmp_path / "free.onnx")
    axes = {"x": {0: "batch", 2: "time"}, "y": {0: "batch", 2: "time"}}
    torch.onnx.export(
        net, (torch.randn(1, 2, 40),), path, dynamo=False, dynamic_axes=axes,
        input_names=["x"], output_names=["y"],
    )  # fmt: skip
    model, x = OnnxModel(path), torch.randn(2, 2, 55)
    torch.testing.assert_close(model.outputs(x, ()), net(x).detach())
    with pytest.raises(ValueError, match="takes"):
        model.outputs(torch.randn(2, 55), ())


def test_float64_files_run_in_float64(export) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(80, 3), nn.Tanh()).double()
    model = OnnxModel(export(net, torch.randn(1, 2, 40).double()))
    assert model.dtype == torch.float64
    x = torch.randn(2, 2, 40).double()
    torch.testing.assert_close(model.outputs(x, ()), net(x).detach())


def test_what_onnxruntime_cannot_run_is_refused(export) -> None:
    path = export(conv().double(), torch.randn(1, 2, 40).double())
    with pytest.raises(ValueError, match="onnxruntime cannot run"):
        OnnxModel(path)


def test_outputs_without_the_batch_first_are_refused(export) -> None:
    class Steps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.transpose(1, 2).reshape(-1, 2)

    with pytest.raises(ValueError, match="batch first"):
        OnnxModel(export(Steps(), torch.randn(4, 2, 40), free=False))
