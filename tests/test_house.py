"""What the house keeps out of its files, and the files by which strangers join."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def script(root: Path) -> Path:
    return root / ".ci" / "house.py"


def test_nothing_in_the_checkout_is_kept_out(script: Path) -> None:
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "text",
    [
        "see /work/data/night.edf",
        "path = '/home/anna/net.pt'",
        "as in issue 12",
        "Issue #3 says so",
        "mended by GH-7",
        "the fault (was #41) is gone",
        "leave it away",
        "one a sample",
    ],
)
def test_what_is_kept_out_is_found(script: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"A first line.\n{text}\n")
    done = subprocess.run([sys.executable, script, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{path}:2: " in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/home/page",
        "sphinx/home/x",
        "a colour, #1a2b3c",
        "[link](#7-days)",
        "one per sample",
    ],
)
def test_what_only_looks_like_it_is_let_by(script: Path, text: str) -> None:
    assert list(runpy.run_path(str(script))["finds"](text)) == []


def test_the_workflow_calls_the_checks_of_the_script(root: Path) -> None:
    """Nothing but .ci/run knows what is checked, and the workflow asks for all of it."""
    text = (root / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")
    told = subprocess.run(
        ["bash", root / ".ci" / "run", "nothing"], capture_output=True, text=True, check=False
    ).stderr
    known = set(re.findall(r"tests|static|leaderboard|site|demo", told))
    asked = set(" ".join(re.findall(r"checks: \[(.*)\]", text)).replace(",", " ").split())
    assert known == asked == {"tests", "static", "leaderboard", "site", "demo"}
    assert not re.search(r"pytest|ruff|mypy|sphinx", text)
    # It tries whatever the package says that it runs on, and may try more.
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    claimed = set(re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"])))
    assert claimed <= set(re.findall(r'python: "(3\.\d+)"', text))


def test_what_the_sdist_names_is_there(root: Path) -> None:
    tool = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    named = tool["hatch"]["build"]["targets"]["sdist"]["include"]
    assert [one for one in named if not (root / one.lstrip("/")).exists()] == []
    assert {"/SECURITY.md", "/RELEASING.md", "/CODE_OF_CONDUCT.md", "/.github"} <= set(named)
