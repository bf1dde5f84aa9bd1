"""The README and the docs keep their word: their snippets run, their commands are those of CI."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Fenced blocks of a language, with the line on which each begins."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)), match.group(1)) for match in found]


COMING_FROM = ROOT / "docs" / "coming-from"
ALONE = runpy.run_path(str(COMING_FROM / "check.py"))["PAGES"]
"""Pages that compare freqig with other packages, by what they need; that script runs them."""


def needs_others(page: Path) -> bool:
    """Whether a page needs what the tests do not install."""
    needs = ALONE.get(page.stem) if page.parent == COMING_FROM else None
    return needs is not None and bool(needs.installed or needs.beside)


PAGES_WITH_PYTHON = [page for page in PAGES if blocks(page, "python") and not needs_others(page)]


@pytest.mark.parametrize("page", PAGES_WITH_PYTHON, ids=lambda page: page.name)
def test_snippets_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The snippets of a page build on each other, as for somebody who pastes them in turn."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for line, source in blocks(page, "python"):
        # So many newlines that a traceback names the line of the page.
        exec(compile("\n" * line + source, page, "exec"), namespace)
        # Where a line that prints ends in a comment that begins like a list, that is what it prints.
        for promised in re.findall(r"^print\(.*  # (\[.*?\])", source, flags=re.MULTILINE):
            assert promised in capsys.readouterr().out


def test_every_comparison_is_run_by_its_script() -> None:
    assert {page.stem for page in COMING_FROM.glob("*.md")} == {*ALONE, "index"}
    assert COMING_FROM / "captum.md" in PAGES_WITH_PYTHON
    program = runpy.run_path(str(COMING_FROM / "check.py"))["blocks"]
    for page in COMING_FROM.glob("*.md"):
        lines = program(page.stem).splitlines()
        compile("\n".join(lines), page, "exec")
        for line, source in blocks(page, "python"):
            assert lines[line : line + source.count("\n")] == source.splitlines()


def test_first_snippet_is_short() -> None:
    _, first = blocks(ROOT / "README.md", "python")[0]
    assert len([line for line in first.splitlines() if line]) <= 10


PLACES_TO_INSTALL = [*PAGES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "examples").rglob("*.py"))]


def test_nothing_installs_the_old_version_of_the_package_index() -> None:
    """PyPI has 0.1.8; what is documented here comes from the checkout, with extras that exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = set(project["optional-dependencies"])
    found = []
    for page in PLACES_TO_INSTALL:
        for line in re.findall(r"pip install ([^`\n]*)", page.read_text(encoding="utf-8")):
            wanted = re.split(r"&&|;", line)[0].split()
            assert not [one for one in wanted if re.match(r"[\"']?freqig\b", one, re.IGNORECASE)], page.name
            found += [one.strip("\"'") for one in wanted if one.strip("\"'").startswith(".")]
    extras = {name for one in found for name in re.findall(r"[\w-]+", one)}
    assert {".", ".[test]", ".[eeg]"} <= set(found)
    assert extras <= known


def test_every_extra_for_users_is_in_the_table() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| extra | for |") :].split("\n\n")[0]
    named = set(re.findall(r"`([\w-]+)`", table))
    assert named == set(project["optional-dependencies"]) - {"test-models"}


def test_sections_stand_in_the_order_of_a_stranger() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    order = [
        "docs/images/demo.png",
        "freqig demo",
        "| extra | for |",
        "in ten lines",
        "savefig",
        "Recordings are welcome",
        'output="log_prob"',
        "to_dataframe",
        "## Beside other packages",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def commands() -> list[str]:
    return [source.strip() for _, source in blocks(ROOT / "README.md", "bash")]


def test_readme_has_two_commands_that_start_from_nothing() -> None:
    demo, test = commands()
    for command in (demo, test):
        assert command.startswith("python3.11 -m venv ")
        assert "-c constraints.txt" in command
    assert demo.endswith("freqig demo")
    assert test.endswith("-m pytest -n auto")


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    done = subprocess.run(["bash", script, "commands"], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line] == commands()
    # Nor does it hold a copy of its own, which could drift.
    assert not any(command in script.read_text(encoding="utf-8") for command in commands())


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name
)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing
