"""What the house keeps out of its files: paths of machines, references of insiders, its own bad words.

    python .ci/house.py            looks at all files of the checkout
    python .ci/house.py FILE ...   looks at these

Prints a line for each find, and exits with 1 where there is one. Nothing but Python is needed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".cff", ".j2", ".rst", ".bib")
OUTSIDE = {
    ".git",
    ".venv",
    ".hypothesis",
    "build",
    "dist",
    "_build",
    "site",
    "shared",
    "node_modules",
    "vendored",
}
RULES = {
    r"(?<![\w.~/-])/(?:work|root|home|Users)/\w": "the path of a machine",
    r"\b[Ii]ssues? #?\d|\bGH-\d|(?<![\w&/#('\"])#\d{1,4}\b(?!\w)": "a number that only insiders can look up",
    r"\bleave (?:it|them|this|that) away\b": "'omit it' is meant",
    r"\bone an? (?:sample|channel|series|file|epoch|recording)\b": "'one per sample' is meant",
}


def finds(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, words and reason of each find in a text."""
    for rule, reason in RULES.items():
        for found in re.finditer(rule, text):
            yield text.count("\n", 0, found.start()) + 1, found[0], reason


def files() -> Iterator[Path]:
    """Text files of the checkout; not this one and its test, which name what they look for."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        if path.suffix in TEXT and not OUTSIDE & set(inside) and not any("_cache" in part for part in inside):
            yield path


def main(named: list[str]) -> int:
    """Print what is found in files, in all where none are named; 1 where there is something."""
    count = 0
    for path in map(Path, named) if named else files():
        if path.suffix not in TEXT or path.name in ("house.py", "test_house.py"):
            continue
        for line, words, reason in finds(path.read_text(encoding="utf-8")):
            print(f"{path}:{line}: {words.strip()!r}: {reason}")
            count += 1
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
