"""The site: what is public has a page and an example, and faults of a built site are found."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import freqig

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Modules of the site, which lie outside of the package."""

    def found(folder: str, name: str) -> ModuleType:
        monkeypatch.syspath_prepend(ROOT / folder)
        return importlib.import_module(name)

    return found


def test_everything_public_has_a_page(load, tmp_path: Path) -> None:
    pages = load("docs/_ext", "api_pages")

    class App:
        srcdir = tmp_path

    pages.write_pages(App(), None)
    index = (tmp_path / "api" / "index.rst").read_text(encoding="utf-8").split()
    assert set(freqig.__all__) - {"__version__"} <= set(index)
    for name in freqig.__all__:
        value = getattr(freqig, name)
        if inspect.ismodule(value):
            page = (tmp_path / "api" / f"{name}.rst").read_text(encoding="utf-8")
            assert pages.public(value)
            assert [one for one in pages.public(value) if one not in page] == []


def test_everything_public_has_an_example_which_doctest_runs(load) -> None:
    pages = load("docs/_ext", "api_pages")
    public = {name: getattr(freqig, name) for name in freqig.__all__ if name != "__version__"}
    spaces = {name: value for name, value in public.items() if inspect.ismodule(value)}
    for space, module in spaces.items():
        public |= {f"{space}.{name}": getattr(module, name) for name in pages.public(module)}
    silent = [
        name
        for name, value in public.items()
        if callable(value)
        and not (inspect.isclass(value) and issubclass(value, Exception))
        and ">>> " not in (inspect.getdoc(value) or "")
    ]
    assert silent == []


def test_docstrings_keep_stars_and_bars_and_tables(load) -> None:
    plain = load("docs/_ext", "plain_docstrings").plain
    assert plain(["Shape (*batch, n), ``*kept``, `a|b` and |x|, *meant*."]) == [
        r"Shape (\*batch, n), ``*kept``, `a|b` and \|x\|, *meant*."
    ]
    table = plain(["| a | b |", "|---|---|", "| `c(*d)` | e |"])
    assert [line.strip() for line in table if line.strip()] == [
        *(".. list-table::", ":header-rows: 1"),
        *("* - a", "- b", "* - `c(*d)`", "- e"),
    ]
    code = ["    >>> 2 * 3 | 4", "    ... * 5"]
    assert plain(code) == code


def test_a_site_with_faults_is_told(load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_site = load("docs", "check_site")
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#there">b</a><a href="https://else.where">c</a>'
        '<img src="p.png" alt="A">',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<p id="there"></p><a href="a.html#top">a</a>', encoding="utf-8")
    (tmp_path / "p.png").write_bytes(b"")
    assert check_site.main(tmp_path) == 0
    (tmp_path / "b.html").write_text(
        '<a href="c.html">c</a><a href="a.html#gone">a</a><img src="p.png">'
        "<p>.. option:: --fs</p><pre>.. note:: code</pre>",
        encoding="utf-8",
    )
    assert check_site.main(tmp_path) == 1
    said = capsys.readouterr().out
    for words in (
        "a.html: b.html#there leads to a page, and to no place on it",
        "b.html: c.html leads nowhere",
        "b.html: a.html#gone leads to a page, and to no place on it",
        "b.html: p.png has no alternative text",
        "b.html: the reader sees .. option::",
    ):
        assert words in said
    assert ".. note::" not in said


def test_every_tutorial_has_its_place(load) -> None:
    files = {path.stem for path in (ROOT / "examples" / "tutorials").glob("*.py")}
    assert files == set(load("docs/_ext", "tutorial_order").ORDER)


def test_pictures_are_light() -> None:
    pictures = [*ROOT.glob("docs/images/choose/*.png"), *ROOT.glob("docs/images/concepts/*.png")]
    assert len(pictures) >= 10
    assert [path.name for path in pictures if path.stat().st_size > 100_000] == []


def test_pictures_of_choices_are_drawn_and_say_what_the_page_says(load) -> None:
    drawn = load("examples", "draw_choices")
    assert {path.stem for path in ROOT.glob("docs/images/choose/*.png")} == set(drawn.PICTURES)
    x = (drawn.tone(8, 1.2) + drawn.tone(22))[None]
    strongest = {}
    for scale in ("logit", "margin"):
        result = freqig.Explainer(drawn.classifier, fs=drawn.FS, output=scale)(x, target=0)
        strongest[scale] = result.rfft.idxmax("frequency").item()
    assert strongest == {"logit": 22.0, "margin": 8.0}
    assert len(drawn.output().axes) == 2


def test_nodes_go_where_a_path_is_kinked(load) -> None:
    drawn = load("examples", "draw_concepts")
    assert {path.stem for path in ROOT.glob("docs/images/concepts/*.png")} == set(drawn.PICTURES)
    smooth, ended = drawn.watched(drawn.smooth)
    assert ended.startswith("converged")
    kinked, _ = drawn.watched(drawn.kinked)
    near = np.abs(kinked[:, None] - [0.3, 0.62]).min(1) < 0.05
    assert near.mean() > 0.5
    assert len(kinked) > len(smooth)
    assert drawn.watched(drawn.jumping)[1].startswith("jump")


def test_examples_of_commands_are_code_and_the_rest_is_text(load) -> None:
    readable = load("docs/_ext", "command_examples").readable
    lines = ["| Examples:", "|   freqig show a*.nc", "", "| Exit codes: 0 all done;", "| 1 nothing |done|"]
    assert readable(lines) == [
        *("Examples:", "", ".. code-block:: shell", "", "   freqig show a*.nc", "", ""),
        *("Exit codes: 0 all done;", r"1 nothing \|done\|"),
    ]


def test_names_of_other_sites_become_an_inventory_that_sphinx_reads(load) -> None:
    inventory = pytest.importorskip("sphinx.util.inventory").InventoryFile
    project = {"site": "https://a.b/", "classes": {"c/$.html": ["a.B"]}, "terms": {"g.html#term-$": ["d"]}}
    found = inventory.loads(load("docs/_ext", "named_elsewhere").inventory("a", project), uri="https://a.b")
    assert found.data["py:class"]["a.B"].uri == "https://a.b/c/a.B.html#a.B"
    assert found.data["std:term"]["d"].uri == "https://a.b/g.html#term-d"
