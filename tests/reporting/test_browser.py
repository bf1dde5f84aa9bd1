"""A page as its readers have it: in a browser, by click and by key, on paper, on a telephone, by ear."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import freqig
from freqig.errors import FreqigWarning
from freqig.reporting.sections import comparison

from .results import told

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")

EVIL = "<img src=x onerror='window.hacked=1'>"
SCRIPT = "</script><script>window.hacked=1</script>"
SECTIONS = (
    *("summary", "trust", "overview", "sample", "classes", "channels", "worth"),
    *("comparison", "methods", "downloads"),
)


def night() -> xr.Dataset:
    """Thirty epochs of two channels, some wrong, whose every name is markup or a script."""
    first, second = f"N2{EVIL}", f"W{SCRIPT}"
    labels = [first, second] * 15
    truth = [*labels[:28], first, first]
    result = told(
        labels,
        {first: (11.0, 16.0), second: (8.0, 11.0)},
        noise=0.2,
        truth=truth,
        onset=np.arange(30.0) * 2,
        file=[f"{EVIL}{SCRIPT}.edf"] * 30,
    )
    both = xr.concat([result, result], "channel", data_vars="minimal").assign_coords(channel=[EVIL, SCRIPT])
    both.attrs = {**result.attrs, "model_class": f"nets.{EVIL}", "method": SCRIPT, "title": SCRIPT}
    return both


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    result = night()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "compared", partial(comparison.compared, permutations=20))
        with pytest.warns(FreqigWarning, match="differ by the same"):
            path = freqig.report(
                result,
                folder / "report.html",
                other=result.copy(deep=True),
                names=(EVIL, SCRIPT),
                bands={"alpha": (8, 11), "spindle": (11, 16)},
                title=f"Night {EVIL}{SCRIPT}",
                command=f"freqig report {EVIL}{SCRIPT}",
            )
    return path


@pytest.fixture(scope="module")
def opened(browser: Any, written: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page, and what it said on the console or asked of a network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, said = context.new_page(), []
    page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda asked: said.append(asked.url) if not local(asked.url, written) else None)
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto(written.as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    yield page, said
    context.close()


def local(url: str, written: Path) -> bool:
    return url.partition("#")[0] == written.as_uri() or url.startswith(("data:", "blob:"))


def position(page: Any) -> int:
    return int(page.locator("#sample").get_attribute("data-position"))


def test_nothing_is_wrong_and_nothing_is_asked_of_a_network(opened: tuple[Any, list[str]]) -> None:
    page, said = opened
    assert said == []
    assert page.locator("main > section").evaluate_all("all => all.map((one) => one.id)") == list(SECTIONS)
    assert page.locator(".plot .main-svg").count() > 5


def test_markup_and_scripts_in_names_stay_text(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    text = page.locator("body").inner_text()
    for name in (f"Night {EVIL}{SCRIPT}", f"N2{EVIL}", f"W{SCRIPT}", f"freqig report {EVIL}{SCRIPT}"):
        assert name in text
    # Figures too, whose library would read markup.
    drawn = page.locator(".plot").evaluate_all("all => all.map((one) => one.textContent).join(' ')")
    assert EVIL in drawn
    assert page.locator(".plot a, .plot img").count() == 0


def test_a_click_on_the_overview_opens_the_sample(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.evaluate("page.show(0)")
    surface = page.locator("#overview .plot .nsewdrag").first
    size = surface.bounding_box()
    surface.click(position={"x": 0.75 * size["width"], "y": size["height"] / 2})
    page.wait_for_function("Number(document.getElementById('sample').dataset.position) > 0")
    assert 20 <= position(page) <= 24
    assert f"Sample {position(page)} of" in page.locator("#sample-shown").inner_text()


def test_keys_go_to_the_next_the_one_before_and_the_next_wrong(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.evaluate("page.show(4)")
    page.locator("h1").click()
    for key, there in (("ArrowRight", 5), ("ArrowRight", 6), ("ArrowLeft", 5), ("w", 29), ("w", 29)):
        page.keyboard.press(key)
        assert position(page) == there, key
    # A number that is typed is no command.
    page.locator("#sample-number").fill("7")
    page.keyboard.press("Enter")
    assert position(page) == 7
    page.locator("#sample-number").press("w")
    assert position(page) == 7


def test_every_control_can_be_reached_by_the_keyboard(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
    reached = set()
    page.locator("[data-go=previous]").focus()
    for _ in range(4):
        reached.add(page.evaluate("document.activeElement.dataset.go || document.activeElement.id"))
        page.keyboard.press("Tab")
    assert {"previous", "next", "wrong", "sample-number"} <= reached


def test_links_of_decisions_open_samples(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.evaluate("page.show(0)")
    link = page.locator("#worth a[href='#sample-29']").first
    link.click()
    page.wait_for_function("document.getElementById('sample').dataset.position === '29'")


def test_files_hold_the_data(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    with page.expect_download() as told_of:
        page.locator("#bands-named [data-tsv]").click()
    assert told_of.value.suggested_filename == "bands-named.tsv"
    text = Path(told_of.value.path()).read_text(encoding="utf-8")
    assert f"N2{EVIL}" in text
    assert "11–16 Hz" in text


def test_printing_gives_all_sections(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    titles = page.locator("main > section > h2").all_inner_texts()
    printed = page.pdf(format="A4", outline=True, tagged=True)
    assert printed.startswith(b"%PDF")
    outline = re.findall(rb"/Title\s*(\((?:\\.|[^)\\])*\)|<[0-9A-Fa-f]+>)", printed)
    headings = [_text(one) for one in outline]
    assert [title for title in titles if title not in headings] == []
    page.emulate_media(media="print")
    heights = page.locator("main > section").evaluate_all("all => all.map((one) => one.offsetHeight)")
    page.emulate_media(media="screen")
    assert min(heights) > 30


def _text(literal: bytes) -> str:
    if literal.startswith(b"<"):
        raw = bytes.fromhex(literal[1:-1].decode("ascii"))
        return raw.removeprefix(b"\xfe\xff").decode("utf-16-be" if raw.startswith(b"\xfe\xff") else "latin-1")
    return re.sub(rb"\\(.)", rb"\1", literal[1:-1]).decode("latin-1")


def test_no_serious_fault_for_those_who_read_otherwise(opened: tuple[Any, list[str]]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page, _ = opened
    found = axe.Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in serious] == []


def test_a_sign_is_told_by_more_than_colour(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    assert page.locator("#overview .plot pattern").count() > 0


def test_long_lines_keep_what_stands_out(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    kept = page.evaluate(
        """() => {
          const y = Float64Array.from({ length: 1e6 }, (_, i) => Math.sin(i));
          [y[123456], y[654321]] = [7, -9];
          const found = thinned(y.map((_, i) => i), y);
          const at = (x) => found.y[found.x.indexOf(x)];
          return { ends: endsOf(y), count: found.x.length, high: at(123456), low: at(654321) };
        }"""
    )
    assert kept.pop("count") <= 20_002
    assert kept == {"ends": [-9, 7], "high": 7, "low": -9}


def test_a_telephone_needs_no_sideways_scroll(browser: Any, written: Path) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(written.as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    wide = page.evaluate(
        """() => [...document.querySelectorAll("main *")]
             .filter((one) => !one.closest(".scroll, pre, svg") && one.getBoundingClientRect().right > 401)
             .map((one) => one.tagName + "." + one.className)"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()
