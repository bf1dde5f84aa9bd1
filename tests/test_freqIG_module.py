"""`import freqIG`, the name by which freqIG 0.1 was documented."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import freqIG
import freqig


def test_it_is_the_same_function() -> None:
    assert freqIG.attribute is freqig.attribute
    assert freqIG.__all__ == ["attribute"]


def test_both_names_coexist_where_case_does_not_count(root: Path) -> None:
    """On Windows and macOS two names that differ in case alone are one file."""
    names = Counter(path.name.lower() for path in (root / "src").iterdir())
    assert {"freqig", "freqig.py"} <= names.keys()
    assert max(names.values()) == 1


def test_it_only_passes_on(root: Path) -> None:
    """One import and __all__ beside the docstring: whatever else were here would need care twice."""
    tree = ast.parse((root / "src" / "freqIG.py").read_text(encoding="utf-8"))
    assert [type(statement).__name__ for statement in tree.body] == ["Expr", "ImportFrom", "Assign"]
