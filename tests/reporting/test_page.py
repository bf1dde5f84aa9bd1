"""A page is one file, whole or not at all, that holds what the result holds and names what it does not."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig.reporting.asked import material_of
from freqig.reporting.sections import room

from .unpacking import array_of, data_of

ORDER = [
    "summary",
    "trust",
    "overview",
    "sample",
    "classes",
    "channels",
    "worth",
    "comparison",
    "methods",
    "downloads",
]
N, FS = 64, 64.0


def explained(call: dict[str, Any] | None = None, **settings: Any) -> xr.Dataset:
    """Three waves in two channels, told apart by three frequencies; one of them has a wrong label."""
    rng, t = np.random.default_rng(0), np.arange(N) / FS
    waves = torch.from_numpy(np.sin(2 * np.pi * np.array([4.0, 9.0, 20.0])[:, None] * t))
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * N, 3, bias=False).double())
    model[1].weight.data = torch.cat([waves, waves], 1)
    truth = np.arange(9) % 3
    x = waves.numpy()[truth][:, None] + 0.1 * rng.normal(size=(9, 2, N)) + 0.5
    truth[4] = 0
    options = {"fs": FS, "classes": ("W", "N1", "N2"), **settings}
    return freqig.Explainer(model, **options)(x, truth=truth, **(call or {}))


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    domains = [freqig.RFFT(), freqig.Time(), freqig.STFT(0.5)]
    made = explained({"baseline": freqig.baselines.dc()}, domains=domains)
    return made.assign_coords(channel=["front", "back"], onset=("sample", np.arange(9.0)))


@pytest.fixture(scope="module")
def page(result: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = freqig.report(result, tmp_path_factory.mktemp("pages") / "page.html", samples=(2, -1))
    return path.read_text(encoding="utf-8")


def written(result: xr.Dataset, folder: Path, **options: Any) -> str:
    return freqig.report(result, folder / "page.html", **options).read_text(encoding="utf-8")


def test_all_sections_in_their_order(page: str) -> None:
    places = [page.index(f'<section id="{name}"') for name in ORDER]
    assert places == sorted(places)
    assert all(f'href="#{name}"' in page for name in ORDER)


class Elements(HTMLParser):
    """Ids and links of a page, and addresses that a browser would ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.asked: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and (value or "").startswith("#"):
                self.links.append((value or "")[1:])
            elif name in ("src", "href", "data", "srcset", "action"):
                self.asked.append(value or "")


def test_every_anchor_is_there_once_and_nothing_is_asked_for(page: str) -> None:
    found = Elements(page)
    assert len(found.ids) == len(set(found.ids))
    samples = {f"sample-{i}" for i in range(9)}
    assert set(found.links) <= {*found.ids, *samples}
    assert all(address.startswith("data:") for address in found.asked)
    # One for every figure and table.
    data = data_of(page)
    assert {*data["figures"], *data["tables"]} <= set(found.ids)


def test_the_same_result_makes_the_same_page(result: xr.Dataset, page: str, tmp_path: Path) -> None:
    assert written(result, tmp_path, samples=(2, -1)) == page


def test_a_file_that_is_there_stays_unless_forced(result: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="force=True"):
        freqig.report(result, path)
    with pytest.raises(ValueError, match="samples must be in"):
        freqig.report(result, path, samples=(9,), force=True)
    assert path.read_text() == "mine"
    freqig.report(result, path, force=True)
    assert path.read_text(encoding="utf-8") != "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
    # A file is no folder, whatever is forced; what was asked for is named.
    with pytest.raises(NotADirectoryError, match=r"page\.html/inside\.html"):
        freqig.report(result, path / "inside.html", force=True)
    with pytest.raises(ValueError, match="is a folder"):
        freqig.report(result, f"{tmp_path}/new/")
    assert freqig.report(result, tmp_path / "new" / "deep" / "page.html").exists()


@pytest.mark.parametrize("name", ["page.pdf", "page.html.gz", "page.nc"])
def test_what_is_no_page_is_not_written(name: str, tmp_path: Path, result: xr.Dataset) -> None:
    with pytest.raises(ValueError, match=r"path must end in \.html, got .*which a browser prints to PDF"):
        freqig.report(result, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_waves_are_those_of_the_result(result: xr.Dataset, page: str) -> None:
    levels, middle, step = (array_of(page, f"signal{end}") for end in ("", "-middle", "-step"))
    found = levels * step[..., None] + middle[..., None]
    true = result.signal.values
    off = np.abs(found - true).max(axis=-1) / np.ptp(true, axis=-1)
    told = re.search(r"off by at most ([0-9.]+) % of the range", page)
    assert told is not None
    assert off.max() <= 1.01 * float(told[1]) / 100 < 0.003


def test_the_part_is_that_of_resynthesize(result: xr.Dataset, page: str) -> None:
    """The script puts kept bins of the signal upon the start of the path; here NumPy does."""
    levels, middle, step = (array_of(page, f"signal{end}") for end in ("", "-middle", "-step"))
    whole = levels * step[..., None].astype(np.float64) + middle[..., None]
    start = data_of(page)["live"]["sample"]["signal"]["start"]
    assert start == {"flat": True, "shared": False}
    begin = array_of(page, "start")[..., None]
    kept = np.unpackbits(array_of(page, "kept"), axis=-1, count=N // 2 + 1).astype(bool)
    part = np.fft.irfft(np.where(kept, np.fft.rfft(whole - begin), 0), N) + begin
    true = freqig.resynthesize(result, 0.9)
    np.testing.assert_allclose(part, true.transpose("sample", "channel", "time"), atol=0.02)


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        (freqig.STFT(0.5), "stft"),
        (freqig.Time(), "waveform"),
        (freqig.Polar(), "polar"),
        (freqig.FilterBank("sleep"), "filterbank"),
    ],
)
def test_the_part_is_that_of_resynthesize_in_any_domain(
    domain: freqig.Domain, name: str, tmp_path: Path
) -> None:
    own = explained({"baseline": freqig.baselines.dc()}, domains=[domain])
    page = written(own, tmp_path)
    assert data_of(page)["live"]["sample"]["signal"]["part"] is True
    assert f"The part is that of the largest values of &#39;{name}&#39;." in page
    levels, middle, step = (array_of(page, f"part{end}") for end in ("", "-middle", "-step"))
    found = levels * step[..., None].astype(np.float64) + middle[..., None]
    true = freqig.resynthesize(own, 0.9, name=name)
    np.testing.assert_allclose(found, true, atol=0.02)


@pytest.mark.parametrize(
    ("asked", "kind", "message"),
    [
        ({"baseline": "dc"}, TypeError, r"baseline must be .*write freqig\.baselines\.dc\(\)"),
        ({"baseline": np.ones(3)}, ValueError, r"baseline must have the shape of the input.* got \(3,\)"),
        (
            {"info": {"ch_names": ["Cz"]}},
            TypeError,
            "info must be an Info of MNE, such as raw.info, got dict",
        ),
    ],
)
def test_what_is_wrong_is_an_error_and_no_page(
    asked: dict[str, Any], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=message):
        freqig.report(explained(), tmp_path / "page.html", **asked)
    assert not list(tmp_path.iterdir())


def test_why_there_is_no_part_is_told(tmp_path: Path) -> None:
    values = np.ones((2, N))
    unknown = written(explained({"baseline": values}), tmp_path)
    told = [one for one in re.findall(r'<div class="missing">(.*?)</div>', unknown, re.S) if "part" in one]
    assert len(told) == 1
    assert "needs the start of the paths" in told[0]
    assert "freqig.report(result, baseline=BASELINE)" in told[0]
    given = written(explained({"baseline": values}), tmp_path, baseline=values, force=True)
    assert data_of(given)["live"]["sample"]["signal"]["part"] is True
    summed = freqig.bands(explained(), "sleep")
    (told,) = [
        re.findall(r'<div class="missing">(.*?)</div>', page, re.S)
        for page in [written(summed, tmp_path, force=True)]
    ]
    (why,) = (one for one in told if "cannot be put together" in one)
    assert "freqig.Explainer(model, domains=[freqig.RFFT(), ...])" in why


def test_attributions_are_those_of_the_result(result: xr.Dataset, page: str) -> None:
    for name, true in (
        ("spectrum", result.rfft.sum("channel").values),
        ("course", result.waveform.sum("channel").values),
        ("channels", freqig.bands(result, "sleep").rfft.transpose("sample", "channel", "band").values),
    ):
        levels, step = array_of(page, name), array_of(page, f"{name}-step")
        found = levels * step.reshape(-1, *[1] * (levels.ndim - 1)).astype(np.float64)
        largest = np.abs(true).reshape(len(true), -1).max(axis=1)
        assert levels.dtype == np.int16
        assert np.all(
            np.abs(found - true).reshape(len(true), -1).max(axis=1) <= 1.01 * largest / 65534 + 1e-9
        )


def test_maps_are_of_the_samples_asked_for_and_those_worth_a_look(result: xr.Dataset, page: str) -> None:
    rows = data_of(page)["live"]["sample"]["map"]["rows"]
    assert rows[:2] == [2, 8]
    assert 4 in rows
    levels, step = array_of(page, "map"), array_of(page, "map-step")
    true = result.stft.sum("channel").isel(sample=rows).transpose("sample", "stft_frequency", "stft_time")
    np.testing.assert_allclose(levels * step[:, None, None], true, atol=float(np.abs(true).max()) / 60000)


def test_tables_have_the_sums_of_bands(result: xr.Dataset, page: str) -> None:
    table = data_of(page)["tables"]["band-totals"]
    bands = freqig.bands(result, "sleep").rfft.sum("channel")
    for label, count, *values in table["rows"]:
        members = result.target.values == label
        assert count == members.sum()
        np.testing.assert_allclose(values[:7], bands[members].mean("sample"), rtol=1e-5)
    per = data_of(page)["tables"]["band-means"]["rows"][0][2:]
    counts = freqig.bands(result, "sleep").band_n_frequencies.values
    np.testing.assert_allclose(per, table["rows"][0][2:9] / counts, rtol=1e-5)


def test_an_overview_opens_the_sample_of_each_column(result: xr.Dataset, tmp_path: Path) -> None:
    gappy = result.assign_coords(onset=("sample", [0.0, 1, 2, 3, 7, 8, 9, 10, 11]))
    figure = data_of(written(gappy, tmp_path))["figures"]["night"]
    assert figure["opens"] == [0, 1, 2, 3, None, None, None, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("change", "sentence", "call"),
    [
        (lambda r: r.drop_vars("outputs"), "outputs of all classes are not in the result", "classes="),
        (lambda r: r.drop_vars("truth"), "true classes are not known", "truth=LABELS"),
        (lambda r: r.drop_vars("signal"), "no signal of one input", "keep the variable"),
        (lambda r: r.drop_vars("waveform"), "Attribution by time is not in the result", "freqig.Time()"),
        (lambda r: r.drop_vars("stft"), "Attribution by time and frequency is not", "freqig.STFT()"),
        (lambda r: r.drop_vars("rfft"), "Attribution by frequency is not", "freqig.RFFT()"),
        (lambda r: r.drop_vars("onset"), "do not say when they begin", "onset="),
        (
            lambda r: r.assign_coords(channel=["a", "b"]),
            "places of the channels are not known",
            "info=raw.info",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_call_that_supplies_it(
    result: xr.Dataset, tmp_path: Path, change: Any, sentence: str, call: str
) -> None:
    page = written(change(result), tmp_path)
    told = [one for one in re.findall(r'<div class="missing">(.*?)</div>', page, re.S) if sentence in one]
    assert told
    assert any(call in one for one in told)


def test_markup_in_names_stays_text(result: xr.Dataset, tmp_path: Path) -> None:
    bad = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
    names = {"W": f"W{bad}", "N1": "N1", "N2": "N2"}
    renamed = {
        name: (result[name].dims, [names[one] for one in result[name].values])
        for name in ("class", "target", "predicted", "truth")
    }
    hostile = result.assign_coords(
        **renamed, channel=[f"Cz{bad}", "back"], file=("sample", [f"night{bad}.edf"] * 9)
    )
    page = written(
        hostile, tmp_path, title=f"A page{bad}", command=f"freqig {bad}", bands={f"b{bad}": (2, 6)}
    )
    assert "alert(" in page
    assert '<script>alert("x")' not in page
    assert "<img src=x" not in page
    figures = str(data_of(page)["figures"])
    assert "<img" not in figures
    assert "&lt;img" in figures


def test_a_page_without_room_says_how_many_samples_it_holds(
    result: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = room.room_for(9)
    monkeypatch.setattr(room, "room_for", lambda count: 3000.0)
    assert whole > 3000
    page = written(result, tmp_path, samples=(7,))
    rows = data_of(page)["live"]["sample"]["rows"]
    assert 7 in rows
    assert 1 < len(rows) < 9
    assert array_of(page, "signal").shape[0] == len(rows)
    assert f"Of 9 samples {len(rows)} are held" in page


def test_every_class_is_shown_by_that_of_the_predicted(tmp_path: Path) -> None:
    every = explained({"target": "all"})
    own = xr.concat(
        [
            every.rfft.isel(sample=[i]).sel(target=label, drop=True)
            for i, label in enumerate(every.predicted.values)
        ],
        "sample",
    )
    page = written(every, tmp_path)
    levels, step = array_of(page, "spectrum"), array_of(page, "spectrum-step")
    np.testing.assert_allclose(
        levels * step[:, None], own.sum("channel"), atol=float(np.abs(own).max()) / 30000
    )


@pytest.mark.parametrize("shape", [(5, 32), (1, 32), (3, 2, 32)])
def test_models_without_classes_have_a_page(shape: tuple[int, ...], tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(shape[1:])), 1))
    result = freqig.Explainer(model)(np.random.default_rng(0).normal(size=shape), target=0)
    assert 'id="overview"' in written(result, tmp_path)
    one = freqig.report(result.isel(sample=0), tmp_path / "one.html")
    assert "There is one sample" in one.read_text(encoding="utf-8")


def test_series_that_end_earlier_are_told(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool1d(4), torch.nn.Flatten(), torch.nn.Linear(4, 1))
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(1, n)) for n in (40, 64, 52)]
    page = written(freqig.Explainer(model, fs=64)(series, target=0), tmp_path)
    assert data_of(page)["live"]["sample"]["signal"]["lengths"] == [40, 64, 52]


def test_heads_are_drawn_where_electrodes_are_known(result: xr.Dataset, tmp_path: Path) -> None:
    pytest.importorskip("mne")
    named = result.assign_coords(channel=["Cz", "Oz"]).isel(sample=[0, 3])
    page = written(named, tmp_path)
    assert page.count('src="data:image/png;base64,') == 1
    assert page == written(named, tmp_path, force=True)


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        (lambda r: r.isel(sample=[]), {}, "at least one sample"),
        (lambda r: r.drop_vars(["rfft", "waveform", "stft"]), {}, "attributions"),
        (lambda r: r.drop_vars("output"), {}, "output"),
        (lambda r: r, {"bands": "slep"}, "bands"),
        (lambda r: r, {"seed": -1}, "seed"),
    ],
)
def test_what_is_no_result_is_refused_before_anything_is_written(
    result: xr.Dataset, tmp_path: Path, change: Any, options: Any, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        freqig.report(change(result), tmp_path / "page.html", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"result": 3}, "result must be an xarray.Dataset"),
        ({"other": 3}, "other must be an xarray.Dataset"),
        ({"samples": 3}, "samples must be a sequence"),
        ({"names": "ab"}, "names must be a sequence of names"),
        ({"command": 3}, "command must be a str"),
    ],
)
def test_arguments_of_another_type_are_told(result: xr.Dataset, options: Any, match: str) -> None:
    usual = {"other": None, "names": ("a", "b"), "bands": None, "samples": (), "info": None}
    usual |= {"result": result, "evaluation": None, "baseline": None, "command": None, "seed": 0}
    with pytest.raises(TypeError, match=match):
        material_of(**(usual | options))


def test_samples_whose_truth_nobody_knows_stand_apart(result: xr.Dataset, tmp_path: Path) -> None:
    truth = result.truth.values.astype(object)
    truth[[0, 3]] = ""
    page = written(result.assign_coords(truth=("sample", truth.astype(str))), tmp_path)
    rows = data_of(page)["tables"]["spectra"]["rows"]
    assert {row[1] for row in rows} == {"right", "wrong", "unknown"}


@pytest.mark.filterwarnings("ignore::freqig.errors.EmptyExplanationWarning")
def test_rates_of_an_envelope_are_no_frequencies_of_the_signal(tmp_path: Path) -> None:
    problem = freqig.synth.bearing(n=9, seed=0)
    problem = problem.isel(sample=problem.label.values == 1)
    band = 800, 1600
    domain = freqig.Envelope(*band) >> freqig.RFFT()
    explainer = freqig.Explainer(freqig.synth.oracle(problem), fs=problem.fs, domains=domain)
    own = explainer(problem.signal.values, baseline=freqig.baselines.flat_envelope(*band))
    page = written(own, tmp_path)
    levels, step = array_of(page, "spectrum"), array_of(page, "spectrum-step")
    rates = own.envelope_rfft.sel(envelope_row="envelope").sum("channel")
    np.testing.assert_allclose(levels * step[:, None], rates, atol=float(np.abs(rates).max()) / 30000)
    about = data_of(page)["live"]["sample"]
    assert about["spectrum"]["label"] == "rate of the envelope (Hz)"
    assert about["spectrum"]["shared"] is False
    # The part is made of what the domain says, and not of bins of the signal.
    middle, step = array_of(page, "part-middle"), array_of(page, "part-step")
    part = array_of(page, "part") * step[..., None].astype(np.float64) + middle[..., None]
    true = freqig.resynthesize(own, 0.9, name="envelope_rfft")
    np.testing.assert_allclose(part, true.values.reshape(part.shape), atol=0.02)


def test_methods_of_others_say_what_they_do_not_tell(tmp_path: Path) -> None:
    heard = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2 * N, 3))
    x = np.random.default_rng(0).normal(size=(7, 2, N)).astype(np.float32)
    page = written(freqig.methods.GradientTimesInput(heard, fs=FS)(x), tmp_path)
    assert "does not tell how many explanations converged" in page
    assert "Attributions (rfft) do not add up to F(x) - F(x&#39;)" in page
    assert "keep the variables" not in page


def test_a_channel_by_itself_has_no_part_and_says_why(result: xr.Dataset, tmp_path: Path) -> None:
    page = written(result.isel(channel=0), tmp_path)
    assert "must hold all channels of the input, 2 series per sample, got 1" in page


def test_characters_that_nobody_sees_are_shown(result: xr.Dataset, tmp_path: Path) -> None:
    turned = "N2\u202egnp.exe\u0000\u2066" + "x" * 500
    page = written(
        result.assign_coords(channel=[turned, "back"], file=("sample", [turned] * 9)),
        tmp_path,
        title=turned,
        command=turned,
    )
    data = data_of(page)
    for text in (page, str(data)):
        assert not set("\u202e\u0000\u2066") & set(text)
        assert "N2\ufffdgnp.exe" in text
    names = [
        name
        for figure in data["figures"].values()
        for trace in figure["traces"]
        for name in trace.get("y", [])
        if isinstance(name, str)
    ]
    assert max(map(len, names)) <= 80


def test_settings_that_are_no_json_are_told_of(result: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which is JSON, got"):
        freqig.report(result.assign_attrs(settings="{nope"), tmp_path / "page.html")


def test_numbers_that_are_none_are_not_written(result: xr.Dataset, tmp_path: Path) -> None:
    lost = result.copy(deep=True)
    for name in ("rfft", "completeness_gap", "estimated_error", "output"):
        lost[name][:3] = np.nan
    page = written(lost, tmp_path)
    assert not re.search(r"(?<![a-z])nan(?![a-z])", re.sub(r"<script.*?</script>", "", page, flags=re.S))
