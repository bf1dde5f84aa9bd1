"""The commands of `freqig`: examples of their help, what they write, and how they end."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import freqig
from freqig.cli import check, explain, listen, main, plot, show
from freqig.cli._pictures import kinds
from freqig.cli._running import in_options
from freqig.cli._tables import _gap

from .workshop import STAGES, WINDOWS, examples, furnish, split, write_night

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    # Networks that learned nothing often take silence for the class that is explained.
    pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning"),
]

for library in ("onnx", "edfio", "mne", "soundfile", "pandas"):
    pytest.importorskip(library)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, keras: Any) -> Iterator[Path]:
    """A folder with every file that the help speaks of; the current one."""
    import warnings

    import torch

    folder = tmp_path_factory.mktemp("workshop")

    def export(net: torch.nn.Module, x: torch.Tensor, name: str) -> str:
        axes = {"x": {0: "batch"}, "y": {0: "batch"}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                net.eval(),
                (x,),
                folder / name,
                dynamo=False,
                input_names=["x"],
                output_names=["y"],
                dynamic_axes=axes,
            )
        return name

    furnish(folder, export, keras)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="module")
def ran(workshop: Path) -> dict[str, Result]:
    """What came of every example, in an order in which results are there when they are asked for."""
    lines = [line for command in (explain, show, plot, listen, check) for line in examples(command)]
    return {line: call(*split(line)[1:]) for line in lines}


def test_examples_of_the_help_run(ran: dict[str, Result]) -> None:
    assert len(ran) >= 10
    assert all(line.startswith("freqig ") for line in ran)
    assert {line: done.output for line, done in ran.items() if done.exit_code != 0} == {}


def test_commands_of_the_readme_are_examples_of_the_help(ran: dict[str, Result], root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    block = text.partition("### From the command line")[2].split("```")[1].removeprefix("sh\n")
    assert len(block.splitlines()) > 3
    assert [line for line in block.splitlines() if line not in ran] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str, root: Path) -> None:
    assert f"_FREQIG_COMPLETE={shell}_source" in (root / "docs" / "command-line.md").read_text(
        encoding="utf-8"
    )
    asked = {"_FREQIG_COMPLETE": f"{shell}_complete", "COMP_WORDS": "freqig sh"}
    asked["COMP_CWORD"] = "sh" if shell == "fish" else "1"
    done = CliRunner(env=asked).invoke(main, prog_name="freqig")
    assert "show" in done.output


def of(ran: dict[str, Result], start: str) -> Result:
    return next(done for line, done in ran.items() if line.startswith(start))


def test_a_night_is_what_python_makes_of_it(workshop: Path, ran: dict[str, Result]) -> None:
    read = freqig.read("night.edf", window=30, annotations="stages.txt")
    explainer = freqig.Explainer(
        "model.onnx", unit="uV", classes=STAGES, domains=[freqig.RFFT(), freqig.STFT(2)]
    )
    expected = explainer(read)
    with xr.open_dataset("night.nc", engine="h5netcdf") as found:
        xr.testing.assert_allclose(found.drop_attrs(), expected.drop_attrs(), atol=1e-6)
        assert found.attrs["settings"] == expected.attrs["settings"]
        assert found.rfft.attrs == expected.rfft.attrs
        assert found.status.attrs["flag_meanings"] == expected.status.attrs["flag_meanings"]
        assert found.truth.values.tolist() == ["W", "N2", "N2", "R"]
        assert found.signal.attrs["units"] == "uV"
    figures = {path.name for path in Path("figures").iterdir()}
    assert {"spectrum.png", "spectrogram.png"} <= figures
    assert not any(name.startswith(".") for name in figures)
    assert "sigma" in of(ran, "freqig explain model.onnx").stdout


def test_show_tells_what_summary_returns(workshop: Path, ran: dict[str, Result]) -> None:
    told = json.loads(of(ran, "freqig show night.nc --json").stdout)
    with xr.open_dataset("night.nc", engine="h5netcdf") as found:
        summary = freqig.summary(found.load())
        banded = freqig.bands(found.load()[["rfft"]], "sleep")
    assert told == summary
    assert told["samples"] == WINDOWS
    assert told["files"] == ["night.edf"]
    shown = of(ran, "freqig show night.nc --bands").stdout
    name = summary["classes"][0]["class"]
    mean = banded.rfft[found.target.values == name].mean("sample").sum("channel").sel(band="sigma")
    assert f"{float(mean):.4g}" in shown
    assert f"converged:    {WINDOWS} of {WINDOWS}" in shown


def test_a_table_has_a_row_for_each_sample_and_the_sums_of_bands(
    workshop: Path, ran: dict[str, Result]
) -> None:
    with Path("bands.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    result = freqig.Explainer("model.keras", fs=100)("table.csv")
    assert row["file"] == "table.csv"
    assert float(row["output"]) == pytest.approx(float(result.output[0]), rel=1e-6)
    bands = ("delta", "theta", "alpha", "beta", "gamma", "rest")
    assert sum(float(row[band]) for band in bands) == pytest.approx(float(result.rfft.sum()), rel=1e-6)


def test_several_sounds_make_one_result_and_a_part_can_be_heard(
    workshop: Path, ran: dict[str, Result]
) -> None:
    with xr.open_dataset("digits.nc", engine="h5netcdf") as found:
        result = found.load()
    assert result.file.values.tolist() == ["3_theo_0.wav", "7_theo_0.wav", "7_theo_1.wav"]
    assert result.n_times.values.tolist() == [900, 1200, 1000]
    assert result.target.values.tolist() == ["three", "seven"]
    part = freqig.read("part.wav")
    expected = freqig.resynthesize(result.sel(target="seven"), 0.9, sample=1)
    assert part.attrs["fs"] == 8000
    assert part.shape == (1, 1, 1200)
    np.testing.assert_allclose(part.values, expected.values, atol=1 / 32768)
    # A night is heard a hundred times as fast.
    assert freqig.read("spindle.wav").attrs["fs"] == 10_000


def test_check_tells_of_all_from_three(workshop: Path, ran: dict[str, Result]) -> None:
    told = of(ran, "freqig check model.onnx").stdout
    assert "4 sample × 2 channel × 3000 time" in told
    assert "V, the model takes uV" in told
    assert "3 of 3" in told
    before = sorted(Path().iterdir())
    found = json.loads(call("check", "net.py:model", "digits/7_theo_0.wav", "--trust", "--json").stdout)
    assert found["shape"] == [1, 1, 1200]
    assert found["fs"] == 8000
    assert sorted(Path().iterdir()) == before


# --- how commands end ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        ("explain net.py:model digits/7_theo_0.wav", 1, "pass --trust for code that you trust"),
        ("explain absent.onnx night.edf", 1, "there is none at 'absent.onnx'"),
        ("explain model.onnx absent.edf", 1, "there is none at 'absent.edf'"),
        ("explain model.onnx stages.txt", 1, "INPUT must have"),
        (
            "explain model.onnx night.edf --window 20",
            1,
            "pass --window for a file or a Raw to cut 3000 values",
        ),
        ("explain model.onnx night.edf --window 30 --channels Cz", 1, "model declares, (batch, 2, 3000)"),
        ("explain model.onnx night.edf --window 30 --channels Fz,Cz", 1, "one of Cz, Oz in night.edf"),
        ("explain model.onnx night.edf --window 30 --classes W,N1", 1, "the model has 5, got 2"),
        ("explain model.onnx night.edf --window 30 --target N2", 1, "target"),
        ("explain model.onnx night.edf --window 30 --target 7", 1, "0..4"),
        ("explain model.onnx night.edf --window 30 --domains chirp", 1, "domains must be of"),
        ("explain model.onnx night.edf --window 30 --domains stft:two", 1, "got 'stft:two'"),
        (
            "explain model.onnx night.edf --window 30 --baseline silence",
            1,
            "one of band_removed, data, dc, flat_envelope, flat_log_spectrum, noise, surrogate, zero, with",
        ),
        ("explain model.onnx night.edf --window 30 --bands slow=a-b", 1, "slow=a-b"),
        ("explain model.onnx night.edf --window 30 --unit T", 1, "got --unit 'T'"),
        ("explain model.onnx night.edf --window 30 --labels net.py", 1, "one per window, so 4 of them"),
        ("explain model.onnx night.edf --window 30 --out night.txt", 1, "must end in .nc or .zarr"),
        ("explain net.py:other digits/7_theo_0.wav --trust", 1, "must have 'other', and has"),
        ("explain absent_module:model night.edf --trust", 1, "absent_module"),
        ("explain model.onnx", 2, "Missing argument 'INPUT...'"),
        ("explain model.onnx night.edf --window thirty", 2, "not a valid float"),
        ("show absent.nc", 1, "there is none at 'absent.nc'"),
        ("show table.csv", 1, "must be a result"),
        ("show night.nc --bands 3", 1, "bands must be"),
        ("plot night.nc spectrum", 2, "Missing option '--out'"),
        ("plot night.nc pie --out pie.png", 2, "'spectrum'"),
        ("plot night.nc wavelet --out w.png", 1, "explain with --domains wavelet"),
        ("plot night.nc spectrum --sample 4 --out s.png", 1, "sample must be in -4..3"),
        ("plot night.nc spectrum --channel Pz --out s.png", 1, "channel must be one of"),
        (
            "plot night.nc spectrum --option colour=red --out s.png",
            2,
            "takes no option 'colour'; it takes sample",
        ),
        ("plot night.nc spectrum --option colour --out s.png", 2, "NAME=VALUE"),
        (
            "plot night.nc spectrum --target N2 --out s.png",
            1,
            "omitted for a result of one target",
        ),
        ("plot digits.nc spectrum --target eight --out s.png", 1, "one of three, seven"),
        ("plot digits.nc spectrum --out s.png", 1, "target"),
        ("listen night.nc", 2, "Missing option '--out'"),
        ("listen night.nc --out part2.wav", 1, "--speed"),
        ("listen night.nc --sample 9 --speed 100 --out part2.wav", 1, "sample must be in -4..3"),
        ("listen night.nc --variable wavelet --speed 100 --out part2.wav", 1, "variable of attributions"),
        ("listen night.nc --keep 0 --speed 100 --out part2.wav", 1, "keep must be"),
        ("check model.onnx night.edf --window 20", 1, "pass --window"),
        ("check model.onnx absent.edf", 1, "there is none"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_no_file(
    workshop: Path, ran: dict[str, Result], line: str, code: int, word: str
) -> None:
    before = sorted(Path().rglob("*"))
    done = call(*split(line))
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("Error: ")
    assert sorted(Path().rglob("*")) == before


def test_debug_shows_where(workshop: Path) -> None:
    done = call("show", "absent.nc", "--debug")
    assert isinstance(done.exception, FileNotFoundError)
    assert done.exit_code == 1


@pytest.mark.parametrize("out", ["--out night.nc", "--table bands.csv", "--figures figures"])
def test_nothing_is_written_over_without_force(workshop: Path, ran: dict[str, Result], out: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    asked = f"explain model.onnx night.edf --window 30 --unit uV {out}"
    done = call(*asked.split())
    assert done.exit_code == 1
    assert "pass --force" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before
    for line in (
        "plot night.nc spectrum --out spectrum.png",
        "listen night.nc --speed 100 --out spindle.wav",
    ):
        assert "pass --force" in call(*line.split()).stderr
        assert call(*line.split(), "--force").exit_code == 0


def test_two_results_are_drawn_side_by_side(workshop: Path, ran: dict[str, Result]) -> None:
    done = call("plot", "night.nc", "compare", "--option", "other=night.nc", "--out", "pair.png")
    assert done.exit_code == 0, done.output
    assert Path("pair.png").stat().st_size > 1000
    done = call("plot", "night.nc", "compare", "--option", "other=absent.nc", "--out", "none.png")
    assert done.exit_code == 1
    assert "there is none at 'absent.nc'" in done.stderr


def test_some_do_not_converge(workshop: Path) -> None:
    """A step of the output has no gradient that could tell of it."""
    import soundfile

    soundfile.write("loud.wav", np.full(800, 0.5), 8000)
    done = call("explain", "net.py:step", "loud.wav", "--trust", "--out", "step.nc")
    assert done.exit_code == 3
    assert "converged:    0 of 1" in done.stdout
    assert "Warning: " in done.stderr
    assert Path("step.nc").is_file()
    assert call("check", "net.py:step", "loud.wav", "--trust").exit_code == 3


def test_some_inputs_fail(workshop: Path) -> None:
    Path("broken.wav").write_bytes(b"RIFF, and nothing more")
    inputs = ["digits/3_theo_0.wav", "broken.wav", "absent.wav", "digits/7_theo_0.wav"]
    done = call("explain", "net.py:model", *inputs, "--trust", "--out", "some.nc", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["files"] == ["3_theo_0.wav", "7_theo_0.wav"]
    failed = [line for line in done.stderr.splitlines() if line.startswith("Failed: ")]
    assert [line.split(": ")[1] for line in failed] == ["broken.wav", "absent.wav"]
    with xr.open_dataset("some.nc", engine="h5netcdf") as found:
        assert found.sizes["sample"] == 2
    none = call("explain", "net.py:model", "broken.wav", "absent.wav", "--trust", "--out", "none.nc")
    assert none.exit_code == 1
    assert none.stderr.count("Failed: ") == 2
    assert not Path("none.nc").exists()


def test_true_classes_from_a_table_of_files(workshop: Path) -> None:
    Path("truth.csv").write_text("file,label\n7_theo_0.wav,seven\n3_theo_0.wav,three\n")
    asked = ["--trust", "--classes", "three,seven", "--labels", "truth.csv", "--out", "truth.nc"]
    done = call("explain", "net.py:model", "digits/3_theo_0.wav", "digits/7_theo_0.wav", *asked)
    assert done.exit_code == 0, done.output
    with xr.open_dataset("truth.nc", engine="h5netcdf") as found:
        assert found.truth.values.tolist() == ["three", "seven"]
    assert "right" in done.stdout
    lacks = call("explain", "net.py:model", "digits/7_theo_1.wav", *asked[:-1], "lacks.nc")
    assert "must have a row for each input, and lacks digits/7_theo_1.wav" in lacks.stderr
    twice = call(
        "explain", "net.py:model", "digits/7_theo_1.wav", "--labels", "a", "--labels", "b", "--trust"
    )
    assert "once for each input, 1 times" in twice.stderr


def test_labels_of_one_input_out_of_a_folder(workshop: Path, tmp_path: Path) -> None:
    (tmp_path / "night.txt").write_text("0\n2\n2\n4\n")
    asked = ["model.onnx", "night.edf", "--window", 30, "--unit", "uV", "--classes", ",".join(STAGES)]
    out = tmp_path / "night.nc"
    done = call("explain", *asked, "--labels", tmp_path, "--out", out)
    assert done.exit_code in (0, 3), done.output
    with xr.open_dataset(out, engine="h5netcdf") as found:
        assert found.truth.values.tolist() == ["W", "N2", "N2", "R"]
    checked = json.loads(call("check", *asked, "--labels", tmp_path, "--json").stdout)
    assert sum(checked["labels"].values()) == 4


def test_a_crash_while_writing_leaves_what_was_there(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("kept.nc").write_bytes(b"before")

    def crash(result: xr.Dataset, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("freqig.cli._store.write_result", crash)
    done = call("explain", "net.py:model", "digits/3_theo_0.wav", "--trust", "--out", "kept.nc", "--force")
    assert done.exit_code == 1
    assert done.stderr.endswith("Error: disk full\n")
    assert Path("kept.nc").read_bytes() == b"before"
    assert not list(Path().glob(".freqig*"))


def test_interrupted(workshop: Path, tmp_path: Path) -> None:
    """By a signal, as Ctrl-C sends it, while the model runs."""
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\n"
        "def model(x):\n"
        "    pathlib.Path('running').touch()\n"
        "    time.sleep(60)\n"
        "    return x.mean((1, 2))\n"
    )
    asked = ["slow.py:model", str(workshop / "digits" / "3_theo_0.wav"), "--trust", "--out", "never.nc"]
    process = subprocess.Popen(
        [sys.executable, "-m", "freqig", "explain", *asked],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    while not (tmp_path / "running").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == [
        "running",
        "slow.py",
    ]


def test_every_public_figure_is_a_kind() -> None:
    assert kinds() == tuple(sorted(freqig.plots.__all__))


def test_two_results_side_by_side(workshop: Path, ran: dict[str, Result]) -> None:
    assert of(ran, "freqig plot night.nc compare --other").exit_code == 0
    assert Path("both.png").stat().st_size > 10_000
    alone = call("plot", "night.nc", "compare", "--out", "one.png")
    assert alone.exit_code == 2
    assert "compare needs --other" in alone.stderr


def test_progress_and_results_go_apart(workshop: Path) -> None:
    done = call("explain", "net.py:model", "digits/3_theo_0.wav", "--trust", "--json", "--progress")
    assert json.loads(done.stdout)["samples"] == 1
    assert "sample" in done.stderr


def test_microvolts_and_volts_give_equal_answers(workshop: Path, tmp_path: Path) -> None:
    """EDF comes in volts, arrays without a unit are what the model takes."""
    values = write_night(tmp_path / "again.edf")
    np.savez(tmp_path / "again.npz", data=values.clip(-500, 500), fs=100, channels=np.array(["Cz", "Oz"]))
    found = []
    for name in ("again.edf", "again.npz"):
        out = tmp_path / f"{name}.nc"
        done = call(
            "explain",
            "model.onnx",
            tmp_path / name,
            "--window",
            30,
            "--unit",
            "uV",
            "--target",
            1,
            "--out",
            out,
        )
        assert done.exit_code == 0, done.output
        with xr.open_dataset(out, engine="h5netcdf") as result:
            found.append(result.load())
    # EDF holds 16 bits.
    np.testing.assert_allclose(found[0].rfft, found[1].rfft, atol=3e-3 * float(abs(found[1].rfft).max()))
    assert found[0].onset.values.tolist() == [0, 30, 60, 90]


def test_a_mat_file_and_keras(workshop: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat("signal.mat", {"eeg": np.random.default_rng(3).normal(size=(2, 600)), "Fs": 100.0})
    done = call("explain", "model.keras", "signal.mat", "--window", 2, "--step", 1, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["samples"] == 5
    assert json.loads(done.stdout)["fs"] == 100


def test_zarr(workshop: Path) -> None:
    pytest.importorskip("zarr")
    done = call("explain", "net.py:model", "digits/3_theo_0.wav", "--trust", "--out", "result.zarr", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(call("show", "result.zarr", "--json").stdout) == json.loads(done.stdout)
    again = call(
        "explain", "net.py:model", "digits/7_theo_0.wav", "--trust", "--out", "result.zarr", "--force"
    )
    assert again.exit_code == 0
    assert json.loads(call("show", "result.zarr", "--json").stdout)["files"] == ["7_theo_0.wav"]


@pytest.mark.parametrize(
    ("python", "typed"),
    [
        ("pass unit='uV' to Explainer, which", "pass --unit 'uV', which"),
        ("pass fs= to Explainer", "pass --fs"),
        ("pass Explainer(model, fs=...)", "pass --fs..."),
        ("baseline=freqig.baselines.flat_envelope(2.0, 20.0)", "--baseline flat_envelope:2.0:20.0"),
        ("baseline=freqig.baselines.dc()", "--baseline dc"),
        ("baseline=freqig.baselines.data(...) with", "--baseline data:FILE with"),
        ("pass dtype=torch.float64 to Explainer", "pass --dtype float64"),
    ],
)
def test_remedies_are_told_as_they_are_typed(python: str, typed: str) -> None:
    assert in_options(python) == typed


def test_a_gap_that_is_not_finite_is_told() -> None:
    told = "1.38% of Σ|attribution| in the median, the largest is not finite"
    assert _gap({"median": 0.0138, "largest": None}) == told
    assert _gap({"median": None, "largest": None}) == "not finite in the median, the largest is not finite"
