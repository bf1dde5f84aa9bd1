"""Hostile `.keras` files; every one is made here, and refused before anything is built of it."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from freqig.models import as_model

from ..networks import noise, outputs

# Of Keras, about NumPy's new rule for copies.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")


@pytest.fixture
def saved(keras: Any, tmp_path: Path) -> Path:
    path = tmp_path / "good.keras"
    keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]).save(path)
    return path


def rewritten(path: Path, **changed: Callable[[bytes], bytes]) -> Path:
    """The archive with some members changed, by the first part of their names."""
    bad = path.with_name("bad.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            change = changed.get(name.partition(".")[0], lambda content: content)
            new.writestr(name, change(old.read(name)))
    return bad


def refused(path: Path, says: str) -> None:
    with pytest.raises(ValueError, match=rf"{says}.*trust=True does not change this"):
        as_model(path)


def unallocated(_: bytes) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("layers/dense/vars/0", shape=(3 << 28,), dtype="f4")
    return buffer.getvalue()


def elsewhere(_: bytes) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers"] = h5py.ExternalLink("/etc/hostname", "/")
    return buffer.getvalue()


def test_weights_that_are_not_there_are_not_made(saved: Path) -> None:
    refused(rewritten(saved, model=unallocated), r"model\.weights\.h5.*claims 3221225472 bytes, of which 0")
    refused(rewritten(saved, model=elsewhere), r"model\.weights\.h5.*is a link")
    refused(rewritten(saved, model=lambda content: content[:100]), r"model\.weights\.h5 in .* is not taken")


@pytest.mark.parametrize("units", [3 * 10**8, 10**6, 10**30])
def test_a_configuration_that_declares_more_weights_than_there_are(
    units: int, saved: Path, monkeypatch: pytest.MonkeyPatch, keras: Any
) -> None:
    def change(content: bytes) -> bytes:
        config = json.loads(content)
        config["config"]["layers"][1]["config"]["units"] = units
        return json.dumps(config).encode()

    made: list[int] = []
    initialize = keras.initializers.GlorotUniform.__call__

    def counted(self: Any, shape: Any, **more: Any) -> Any:
        made.append(int(np.prod(shape, dtype=object)))
        return initialize(self, shape, **more)

    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", counted)
    init = keras.Variable.__init__
    refused(rewritten(saved, config=change), "declares more weights than the file holds")
    assert sum(made) < 10**6
    assert keras.Variable.__init__ is init


def test_configurations_are_bounded(saved: Path) -> None:
    refused(rewritten(saved, config=lambda content: content + b" " * (9 << 20)), r"config\.json .* 8388608")
    many = b'{"class_name": 1}, ' * 21_000
    refused(rewritten(saved, config=lambda content: content + many), "declares .* objects, more than 20000")
    numbers = b"1," * 500_000
    refused(
        rewritten(saved, config=lambda content: content + numbers), "declares .* entries, more than 400000"
    )


@pytest.mark.parametrize("first", ["input", "build"])
def test_a_sequential_of_many_layers_is_built_once(
    first: str, keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every layer anew, as Keras does it, these are 1,275 values, and 80,000 of 400 layers."""
    from freqig.models.keras import sizes

    monkeypatch.setattr(sizes, "MAX_VALUES", 300)
    inner = keras.Sequential([keras.layers.Dense(8, activation="tanh") for _ in range(10)])
    layers = [inner, *(keras.layers.Dense(8, activation="tanh") for _ in range(40))]
    net = keras.Sequential([keras.Input((8,)), *layers] if first == "input" else layers)
    net.build((None, 8))
    net.save(tmp_path / "long.keras")
    reading = keras.Sequential.__dict__["from_config"]
    x = noise(3, 8)
    found = outputs(as_model(tmp_path / "long.keras"), x).cpu()
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(net(x.numpy())), rtol=1e-4, atol=1e-6)
    assert keras.Sequential.__dict__["from_config"] is reading


def test_archives_that_lie_or_swell_are_refused(saved: Path) -> None:
    swollen = rewritten(saved, model=lambda content: content + bytes(100 << 20))
    refused(swollen, r"unpacks to .*, which no model does")
    lying = rewritten(saved, metadata=lambda content: content + b" " * 100_000)
    whole = bytearray(lying.read_bytes())
    entry = whole.index(b"metadata.json", whole.index(b"PK\x01\x02"))
    struct.pack_into("<I", whole, entry - 46 + 24, 64)  # its size in the directory
    lying.write_bytes(whole)
    refused(lying, r"metadata\.json .* not as long as the archive states")


def test_true_sizes_are_taken_in_half_precision_and_compressed(keras: Any, tmp_path: Path) -> None:
    path = tmp_path / "half.keras"
    layers = [
        keras.Input((8,)),
        keras.layers.Dense(700, dtype="float16"),
        keras.layers.Dense(700),
        keras.layers.GRU,
    ]
    net = keras.Sequential([*layers[:3], keras.layers.Dropout(0.5), keras.layers.Dense(2)])
    net.save(path)
    for file in (path, rewritten(path)):
        assert outputs(as_model(file), noise(3, 8)).shape == (3, 2)


def test_groups_that_hold_each_other_and_too_many(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from freqig.models.keras import archive

    def nested(_: bytes) -> bytes:
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            for i in range(1, 40):
                file[f"g{i}/a"] = file[f"g{i}/b"] = file[f"g{i - 1}"] if i > 1 else file.create_group("g0")
        return buffer.getvalue()

    refused(rewritten(saved, model=nested), "is what stands elsewhere too")
    monkeypatch.setattr(archive, "MAX_OBJECTS", 3)
    refused(rewritten(saved), "holds more than 3 arrays and groups")


def test_layers_that_make_too_large_values(keras: Any, tmp_path: Path) -> None:
    layers = keras.layers
    chain = [layers.UpSampling1D(2) for _ in range(30)]
    keras.Sequential([keras.Input((8, 2)), *chain]).save(tmp_path / "chain.keras")
    refused(tmp_path / "chain.keras", r"a value .* bytes for two series, more than 536870912")
    keras.Sequential([keras.Input((None, 2)), layers.ZeroPadding1D((0, 10**9))]).save(tmp_path / "free.keras")
    model = as_model(tmp_path / "free.keras")
    with pytest.raises(ValueError, match=r"a value \(2, 1000000008, 2\) has .*trust=True"):
        outputs(model, noise(3, 8, 2))


def test_models_that_use_each_other_over_and_over(keras: Any, tmp_path: Path) -> None:
    net = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8)])
    for _ in range(16):
        x = keras.Input((8,))
        net = keras.Model(x, net(net(x)))
    net.save(tmp_path / "deep.keras")
    refused(tmp_path / "deep.keras", "it makes more than 20000 values")


def test_layers_deeper_than_python_goes(saved: Path, keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deep is not missing: no module that registers something would help."""

    def load(*_: Any, **__: Any) -> Any:
        return load()

    monkeypatch.setattr(keras.saving, "load_model", load)
    with pytest.raises(ValueError, match=r"deeper than Keras can go.*sys\.setrecursionlimit") as told:
        as_model(saved)
    assert "custom layers" not in str(told.value)
