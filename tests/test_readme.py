"""The README and the docs keep their word: their snippets run, their commands are those of CI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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


PAGES_WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


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
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def test_first_snippet_is_short() -> None:
    _, first = blocks(ROOT / "README.md", "python")[0]
    assert len([line for line in first.splitlines() if line]) <= 10


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
