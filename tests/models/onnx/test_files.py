"""Hostile and broken ONNX files; every one is made here."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from freqig.models.onnx.read import read  # noqa: E402


def save(folder: Path, **stated: str | int) -> str:
    """Write y = x + w with w in an external file, as ``stated``."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    weight.data_location = TensorProto.EXTERNAL
    for key, value in stated.items():
        entry = weight.external_data.add()
        entry.key, entry.value = key, str(value)
    return _write(folder, weight)


def _write(folder: Path, weight: TensorProto, name: str = "x") -> str:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", weight.name], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, ["n", 4])],
        [value("y", TensorProto.FLOAT, ["n", 4])],
        [weight],
    )
    path = folder / "net.onnx"
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())
    return str(path)


def weights(path: Path) -> None:
    np.arange(4, dtype=np.float32).tofile(path)


def test_external_data_beside_the_file_is_read(tmp_path) -> None:
    weights(tmp_path / "w.bin")
    model = read(save(tmp_path, location="w.bin", offset=0, length=16))
    assert numpy_helper.to_array(model.graph.initializer[0]).tolist() == [0, 1, 2, 3]


def test_external_data_elsewhere_is_never_read(tmp_path) -> None:
    inner = tmp_path / "model"
    inner.mkdir()
    weights(tmp_path / "w.bin")
    (inner / "link.bin").symlink_to(tmp_path / "w.bin")
    for location in ("../w.bin", str(tmp_path / "w.bin"), "link.bin", "a/../../w.bin", ""):
        with pytest.raises(PermissionError, match="trust=True does not change"):
            read(save(inner, location=location, offset=0, length=16))


@pytest.mark.parametrize(
    "stated",
    [
        {"offset": 0, "length": 64},
        {"offset": 4, "length": 16},
        {"offset": -4, "length": 16},
        {"offset": 0, "length": 8},
        {"offset": "0x0", "length": 16},
    ],
)
def test_sizes_are_checked_before_reading(tmp_path, stated) -> None:
    weights(tmp_path / "w.bin")
    with pytest.raises(ValueError, match="weight 'w'"):
        read(save(tmp_path, location="w.bin", **stated))


def test_missing_and_special_files_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="no file"):
        read(save(tmp_path, location="w.bin", length=16))
    os.mkfifo(tmp_path / "w.bin")
    with pytest.raises(ValueError, match="no file"):
        read(save(tmp_path, location="w.bin", length=16))


def test_large_files_are_refused_by_their_size(tmp_path) -> None:
    weights(tmp_path / "w.bin")
    path = save(tmp_path, location="w.bin", length=16)
    with pytest.raises(ValueError, match=r"with its weights has .* bytes, more than"):
        read(path, max_bytes=Path(path).stat().st_size + 8)
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(ValueError, match=r"bytes, more than \d+; trust=True"):
        read(tmp_path / "huge.onnx")


def test_damaged_files_are_refused(tmp_path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"\x08\xffnot onnx")
    with pytest.raises(ValueError, match=r"not an? .*trust"):
        read(tmp_path / "net.onnx")
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"not a valid.*trust"):
        read(tmp_path / "empty.onnx")


def test_a_model_in_memory_has_no_folder(tmp_path) -> None:
    weights(tmp_path / "w.bin")
    path = save(tmp_path, location="w.bin", length=16)
    with pytest.raises(ValueError, match="folder"):
        read(onnx.load_model(path, load_external_data=False))


def test_tensors_in_subgraphs_are_found(tmp_path) -> None:
    model = onnx.load_model(save(tmp_path, location="../w.bin"), load_external_data=False)
    hidden = model.graph.initializer[0]
    branch = helper.make_graph([helper.make_node("Constant", [], ["c"], value=hidden)], "b", [], [])
    del model.graph.initializer[:]
    model.graph.node.append(helper.make_node("If", ["k"], ["z"], then_branch=branch, else_branch=branch))
    (tmp_path / "if.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(PermissionError):
        read(tmp_path / "if.onnx")


def test_names_in_a_file_do_not_become_code(tmp_path) -> None:
    pytest.importorskip("onnx2fx")
    from freqig.models.onnx.model import OnnxModel

    mark = tmp_path / "ran"
    name = f'w");open({str(mark)!r},"w");("'
    weight = numpy_helper.from_array(np.ones(4, np.float32), name)
    OnnxModel(_write(tmp_path, weight))
    assert not mark.exists()
