"""Models in other layouts than (sample, channel, time), from file to result.

The truth is the same network in the layout (sample, channel, time), which Python explains.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from click.testing import CliRunner, Result
from torch import Tensor, nn

import freqig
from freqig.cli import main

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    # Networks that learned nothing often take silence for the class that is explained.
    pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning"),
]

for library in ("onnx", "pandas"):
    pytest.importorskip(library)

FS, N, K, COUNT = 100.0, 200, 4, 5
HERTZ, CHANNEL = 12.0, 2
LOOKS = "channel", "frequency"

BACK: dict[str, Callable[[Tensor], Tensor]] = {
    "N,C,T": lambda x: x,
    "N,1,C,T": lambda x: x.squeeze(1),
    "N,C,T,1": lambda x: x.squeeze(3),
    "N,C,1,T": lambda x: x.squeeze(2),
    "N,T,C": lambda x: x.transpose(1, 2),
    "N,1,T,C": lambda x: x.squeeze(1).transpose(1, 2),
    "N,T,C,1": lambda x: x.squeeze(3).transpose(1, 2),
}
"""From a layout to (sample, channel, time), by the names of the axes, for networks of PyTorch."""


class Detector(nn.Module):
    """The power of one channel at one frequency, and that of another."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        self.back = BACK[layout]
        tone = 2 * np.pi * HERTZ * torch.arange(N) / FS
        waves = torch.stack([tone.sin(), tone.cos(), (2 * tone).sin(), (2 * tone).cos()])
        self.register_buffer("waves", waves.to(torch.float32) / N)

    def forward(self, x: Tensor) -> Tensor:
        x = self.back(x)
        power = (x[:, CHANNEL] @ self.waves.T).square()
        return torch.stack([power[:, :2].sum(1), power[:, 2:].sum(1) + x[:, 0].mean(-1)], 1)


def signals(count: int = COUNT, channels: int = K) -> np.ndarray:
    """Noise, and the tone in one channel."""
    x = np.random.default_rng(0).normal(size=(count, channels, N))
    x[:, CHANNEL % channels] += 3 * np.sin(2 * np.pi * HERTZ * np.arange(N) / FS)
    return x


def sizes(layout: str, count: int = 2) -> tuple[int, ...]:
    return tuple({"N": count, "1": 1, "C": K, "T": N}[axis] for axis in layout.split(","))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", signals())
    table = np.column_stack([np.arange(N) / FS, signals(1)[0].T])
    np.savetxt("table.csv", table, delimiter=",", header="time,Fz,Cz,Pz,Oz", comments="")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def explained(*arguments: object) -> xr.Dataset:
    done = call("explain", *arguments, "--out", "found.nc", "--force")
    assert done.exit_code == 0, done.output
    with xr.open_dataset("found.nc", engine="h5netcdf") as found:
        return found.load()


def truth(net: nn.Module | None = None, **settings: Any) -> xr.Dataset:
    settings = {"domains": [freqig.RFFT(), freqig.STFT(0.5)], "fs": FS} | settings
    return freqig.Explainer(net or Detector("N,C,T"), **settings)(signals(), target=0)


def assert_same(found: xr.Dataset, wanted: xr.Dataset) -> None:
    """Equal values, dimensions and coordinates, whatever the names of channels."""
    for name in ("rfft", "stft", "signal"):
        assert found[name].dims == wanted[name].dims
        scale = float(abs(wanted[name]).max())
        np.testing.assert_allclose(found[name].values, wanted[name].values, atol=1e-4 * scale)
    np.testing.assert_allclose(found.frequency.values, wanted.frequency.values)


ASKED = "x.npy", "--fs", FS, "--target", 0, "--domains", "rfft,stft:0.5"


@pytest.mark.parametrize("layout", BACK)
def test_a_file_that_declares_its_shape_is_explained_in_its_layout(layout: str, export: Any) -> None:
    path = export(Detector(layout), torch.zeros(sizes(layout)))
    done = call("explain", path, *ASKED, "--out", "own.nc")
    assert done.exit_code == 0, done.output
    with xr.open_dataset("own.nc", engine="h5netcdf") as found:
        assert_same(found.load(), truth())
        total = abs(found.rfft).sum("sample")
        assert {name: int(at) for name, at in total.argmax(LOOKS).items()} == {
            "channel": CHANNEL,
            "frequency": int(HERTZ * N / FS),
        }
        assert json.loads(found.attrs["settings"])["layout"] == (None if layout == "N,C,T" else layout)
    # It is said once, and nothing of a model that takes signals as they are.
    said = [line for line in done.stderr.splitlines() if "layout" in line]
    shape = str(sizes(layout)).replace("(2", "(batch")
    told = f"Warning: signals go to a model that takes {shape} in the layout {layout}, the only one that fits"
    assert said == ([] if layout == "N,C,T" else [told])


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("layout", BACK)
def test_a_program_without_declared_shape_is_told_its_layout(layout: str) -> None:
    torch.jit.trace(Detector(layout), torch.zeros(sizes(layout)), check_trace=False).save("net.pt")
    assert_same(explained("net.pt", *ASKED, "--trust", "--layout", layout.lower()), truth())


@pytest.mark.parametrize("layout", ["N,1,C,T", "N,C,T,1", "N,T,C"])
def test_where_two_ways_fit_the_option_is_named(layout: str, export: Any) -> None:
    free = {"x": dict(enumerate("abcd"[: len(sizes(layout))])), "y": {0: "a"}}
    path = export(Detector(layout), torch.zeros(sizes(layout)), dynamic_axes=free)
    done = call("explain", path, *ASKED)
    assert done.exit_code == 1
    assert done.stdout == ""
    error = done.stderr.splitlines()[-1]
    assert f"--layout '{layout}'" in error
    assert_same(explained(path, *ASKED, "--layout", layout), truth())


def test_as_many_channels_as_values_in_time_are_never_guessed(export: Any) -> None:
    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x[:, 0, 1].square().sum(-1), x.mean((1, 2, 3))], 1)

    path, x = export(Square(), torch.zeros(2, 1, 8, 8)), np.random.default_rng(0).normal(size=(3, 8, 8))
    np.save("square.npy", x)
    done = call("explain", path, "square.npy", "--fs", 8)
    assert done.exit_code == 1
    assert "fit --layout 'N,1,C,T' or --layout 'N,1,T,C'" in done.stderr
    # One looks at a channel, the other at a time.
    rows = {}
    for layout in ("N,1,C,T", "N,1,T,C"):
        asked = "square.npy", "--fs", 8, "--target", 0, "--domains", "time", "--layout", layout
        rows[layout] = explained(path, *asked).waveform.values
    np.testing.assert_allclose(rows["N,1,C,T"][:, 1], x[:, 1] ** 2, rtol=1e-4)
    np.testing.assert_allclose(rows["N,1,T,C"][:, :, 1], x[:, :, 1] ** 2, rtol=1e-4)
    assert not rows["N,1,C,T"][:, 0].any()


@pytest.mark.parametrize(("layout", "name"), [("N,T", "N,T"), ("N,T,1", "N,T,C"), ("N,1,T", None)])
def test_networks_of_one_channel(layout: str, name: str | None, export: Any) -> None:
    class Mono(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x.flatten(1).square().sum(1), x.flatten(1).mean(1)], 1)

    shape = tuple({"N": 2, "1": 1, "T": N}[axis] for axis in layout.split(","))
    path = export(Mono(), torch.zeros(shape))
    asked = "table.csv", "--channels", "Pz", "--target", 0, "--domains", "time"
    for more in ((), ("--layout", layout)):
        found = explained(path, *asked, *more)
        assert found.waveform.dims == ("sample", "channel", "time")
        assert found.channel.values.tolist() == ["Pz"]
        np.testing.assert_allclose(found.waveform[0, 0], signals(1)[0, 2] ** 2, rtol=1e-3, atol=1e-5)
        settings = json.loads(found.attrs["settings"])
        assert settings["layout"] == (layout if more else name)
    for more in ((), ("--layout", layout)):
        done = call("explain", path, "table.csv", *more)
        assert done.exit_code == 1
        assert "--channels" in done.stderr


def keras_detector(keras: Any, shape: tuple[int, ...], permute: tuple[int, ...] | None) -> Any:
    """A convolution over all channels, in a layout that a permutation takes to (channel, time, 1)."""
    keras.utils.set_random_seed(0)
    layers, inputs = keras.layers, keras.Input(shape)
    x = inputs if permute is None else layers.Permute(permute)(inputs)
    x = layers.Reshape((K, N, 1))(x)
    x = layers.Conv2D(6, (K, 25), activation="tanh")(x)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


@pytest.mark.parametrize(
    ("layout", "shape", "permute"),
    [
        ("N,C,T,1", (K, N, 1), None),
        ("N,1,C,T", (1, K, N), (2, 3, 1)),
        ("N,T,C,1", (N, K, 1), (2, 1, 3)),
        ("N,C,T", (K, N), None),
        (None, (N, K), (2, 1)),
    ],
    ids=str,
)
def test_networks_of_keras(
    layout: str | None, shape: tuple[int, ...], permute: tuple[int, ...] | None, keras: Any
) -> None:
    """The same weights in PyTorch, by their formula."""
    model = keras_detector(keras, shape, permute)
    model.save("net.keras")
    kernel, bias, dense, shift = (torch.tensor(np.array(w)) for w in model.get_weights())

    class Same(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            kernels = kernel.permute(3, 2, 0, 1)[:, 0]
            return nn.functional.conv1d(x, kernels, bias).tanh().mean(-1) @ dense + shift

    found = explained("net.keras", *ASKED)
    assert_same(found, truth(Same(), dtype=torch.float32))
    assert json.loads(found.attrs["settings"])["layout"] == layout


def test_a_wrong_layout_of_open_sizes_is_told_with_one_that_the_file_declares(keras: Any) -> None:
    """Keras takes arrays that lack the last axis, too, which the file does not."""
    inputs = keras.Input((None, None, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, (K, 25))(inputs))
    keras.Model(inputs, x).save("net.keras")
    done = call("explain", "net.keras", *ASKED, "--layout", "N,T,C,1")
    assert done.exit_code == 1
    assert "but takes (5, 4, 200, 1): pass --layout 'N,C,T,1'" in done.stderr
    assert call("check", "net.keras", *ASKED, "--layout", "N,C,T,1").exit_code == 0


def test_what_is_made_of_a_result_is_as_of_any_other(export: Any) -> None:
    """Parts, evaluation and sound are made again from the attributes."""
    path = export(Detector("N,1,C,T"), torch.zeros(sizes("N,1,C,T")))
    found, wanted = explained(path, *ASKED), truth()
    part, other = (freqig.resynthesize(one, keep=0.9, name="rfft") for one in (found, wanted))
    assert part.dims == other.dims == ("sample", "channel", "time")
    np.testing.assert_allclose(part.values, other.values, atol=1e-3)
    explainer = freqig.Explainer(path, fs=FS, domains=[freqig.RFFT(), freqig.STFT(0.5)])
    in_python = freqig.Explainer(Detector("N,C,T"), domains=freqig.RFFT())
    outputs = [
        freqig.resynthesize(one, keep=0.9, name="rfft", explainer=by).part_output.values
        for one, by in (
            (found, explainer),
            (wanted, in_python),
        )
    ]
    np.testing.assert_allclose(*outputs, rtol=1e-3)
    quick = {"families": "deletion", "steps": 3, "random_orders": 1}
    scores = [
        freqig.evaluate(one, net, freqig.read("x.npy", fs=FS), name="rfft", **quick)
        for one, net in ((found, path), (wanted, Detector("N,C,T")))
    ]
    xr.testing.assert_allclose(
        *(one.drop_attrs().drop_vars("file", errors="ignore") for one in scores), rtol=1e-2, atol=1e-3
    )
    assert call("show", "found.nc").exit_code == 0
    heard = call("listen", "found.nc", "--sample", 0, "--speed", 50, "--out", "part.wav")
    assert heard.exit_code == 0, heard.output


def test_recordings_of_unequal_length(export: Any) -> None:
    class Mean(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x[:, 0, 1].square().mean(-1), x.mean((1, 2, 3))], 1)

    free = {"x": {0: "batch", 3: "time"}, "y": {0: "batch"}}
    path = export(Mean(), torch.zeros(2, 1, K, N), dynamic_axes=free)
    for n in (150, 200):
        np.save(f"x{n}.npy", signals(1)[..., :n])
    found = explained(path, "x150.npy", "x200.npy", "--fs", FS, "--target", 0, "--domains", "time")
    assert found.n_times.values.tolist() == [150, 200]
    wanted = signals(1)[0, 1] ** 2
    np.testing.assert_allclose(found.waveform[0, 1, :150], wanted[:150] / 150, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.waveform[1, 1], wanted / 200, rtol=1e-3, atol=1e-6)


def test_check_and_cohort_share_the_option(export: Any) -> None:
    path = export(Detector("N,C,T,1"), torch.zeros(sizes("N,C,T,1")))
    found = json.loads(call("check", path, "x.npy", "--fs", FS, "--json").stdout)
    assert (found["layout"], found["model_layout"]) == (["sample", "channel", "time"], "N,C,T,1")
    assert "layout:     N,C,T,1 for the model" in call("check", path, "x.npy", "--fs", FS).stdout
    hashes = []
    for more in ((), ("--layout", "N,C,T,1")):
        out = Path(f"cohort{len(more)}")
        done = call("cohort", path, "x.npy", "--fs", FS, "--target", 0, "--out", out, *more)
        assert done.exit_code == 0, done.output
        with xr.open_datatree(out / "cohort.zarr", engine="zarr", consolidated=False) as tree:
            (group,) = tree.children.values()
            np.testing.assert_allclose(group["rfft"].values, truth().rfft.values, atol=1e-5)
            hashes.append(group.attrs["freqig"] if "freqig" in group.attrs else str(group.attrs))
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("method", ["shapley", "occlusion", "smoothgrad"])
def test_other_methods_share_the_option(method: str, export: Any) -> None:
    path = export(Detector("N,1,C,T"), torch.zeros(sizes("N,1,C,T")))
    more = ("--players", "channels") if method == "shapley" else ()
    asked = "x.npy", "--fs", FS, "--target", 0, "--method", method, *more
    without, told = explained(path, *asked), explained(path, *asked, "--layout", "N,1,C,T")
    name = "shapley" if method == "shapley" else "rfft"
    assert "channel" in " ".join(map(str, told[name].dims))
    np.testing.assert_allclose(told[name].values, without[name].values, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--layout", "N,2,C,T"), 1, "--layout must be N for samples"),
        (("--layout", "C,T"), 1, "--layout must be N for samples"),
        (
            ("--layout", "N,1,C,T", "--time-axis", 1),
            1,
            "left out where --time-axis 1 is given",
        ),
        (("--layout", "N,C,T"), 1, "but takes (5, 1, 4, 200): pass --layout 'N,1,C,T'"),
        (("--layout", "N,1,T,C"), 1, "but takes (5, 1, 4, 200): pass --layout 'N,1,C,T'"),
        (("--layout", "N,T"), 1, "one channel where --layout 'N,T' has no C, got 4: pass --channels"),
    ],
    ids=str,
)
def test_wrong_layouts_are_told(options: tuple[object, ...], code: int, says: str, export: Any) -> None:
    path = export(Detector("N,1,C,T"), torch.zeros(sizes("N,1,C,T")))
    done = call("explain", path, *ASKED, *options)
    assert (done.exit_code, done.stdout) == (code, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_size_is_told_in_the_layout_of_the_model(export: Any) -> None:
    path = export(Detector("N,1,C,T"), torch.zeros(sizes("N,1,C,T")))
    np.save("few.npy", signals()[:, :3])
    done = call("explain", path, "few.npy", "--fs", FS)
    assert done.exit_code == 1
    assert "(batch, 1, 4, 200), got shape (5, 1, 3, 200): pass --channels" in done.stderr
    np.save("short.npy", signals()[..., :150])
    done = call("explain", path, "short.npy", "--fs", FS)
    assert done.exit_code == 1
    assert "(batch, 1, 4, 200), got shape (5, 1, 4, 150): pass --window" in done.stderr
