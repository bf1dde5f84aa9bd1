"""Inventories of other sites, of the names that this one links to, where no package has one."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROLES = {"classes": "py:class", "functions": "py:function", "terms": "std:term"}


def lines(project: dict[str, Any]) -> Iterator[str]:
    """Entries of an inventory: name, role, priority, place, and the name once more."""
    for kind, role in ROLES.items():
        for page, names in project.get(kind, {}).items():
            for name in names:
                place = page.replace("$", name)
                yield f"{name} {role} 1 {place if '#' in place else place + '#$'} -\n"


def classes(path: Path) -> list[str]:
    """Names of all classes in a table."""
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    return [name for one in known.values() for names in one.get("classes", {}).values() for name in names]


def inventory(name: str, project: dict[str, Any]) -> bytes:
    """A file that Sphinx reads, version 2."""
    head = (
        f"# Sphinx inventory version 2\n# Project: {name}\n# Version: \n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    return head.encode() + zlib.compress("".join(lines(project)).encode())


def add(app: Any, config: Any) -> None:
    """Write them below the generated pages, and tell intersphinx of them."""
    known = tomllib.loads((Path(app.srcdir) / "inventories" / "names.toml").read_text(encoding="utf-8"))
    folder = Path(app.srcdir) / "api" / "inventories"
    folder.mkdir(parents=True, exist_ok=True)
    for name, project in known.items():
        (folder / f"{name}.inv").write_bytes(inventory(name, project))
        config.intersphinx_mapping[name] = (project["site"], f"api/inventories/{name}.inv")


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx, in front of intersphinx."""
    app.connect("config-inited", add, priority=100)
    return {"parallel_read_safe": True}
