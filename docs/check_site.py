"""Checks a built site without a network: links in it, pictures without words, markup that readers would see.

python docs/check_site.py FOLDER
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

GENERATED = ("_static", "_sources", "_downloads")
CODE = ("pre", "code", "script", "style")
MARKUP = re.compile(r"\.\. [\w-]+::|:[\w:-]+:`|\{[\w:-]+\}`|^\s*:::")
"""Directives and roles of reStructuredText and MyST, which readers see where a page is of the other kind."""


class Page(HTMLParser):
    """What a page links to, what in it can be linked to, pictures without words, and markup in its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.silent: list[str] = []
        self.markup: list[str] = []
        self.code = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one tag."""
        found = dict(attrs)
        self.code += tag in CODE
        self.anchors |= {value for name in ("id", "name") if (value := found.get(name))}
        if tag == "a" and (link := found.get("href")):
            self.links.append(link)
        if tag == "img":
            self.links.append(found.get("src") or "")
            # A thumbnail of a tutorial stands beside its title, and would say it twice.
            if not (found.get("alt") or "").strip() and not (found.get("src") or "").endswith("_thumb.png"):
                self.silent.append(found.get("src") or "")

    def handle_endtag(self, tag: str) -> None:
        """Leave code."""
        self.code -= tag in CODE

    def handle_data(self, data: str) -> None:
        """Look at text that is no code."""
        if not self.code and (left := MARKUP.search(data)):
            self.markup.append(left[0].strip())


def faults(root: Path) -> list[str]:
    """What is wrong with a site, a line each."""
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in sorted(root.rglob("*.html"))
        if path.relative_to(root).parts[0] not in GENERATED
    }
    found = []
    for path, page in pages.items():
        name = path.relative_to(root)
        found += [f"{name}: {source} has no alternative text" for source in page.silent]
        found += [f"{name}: the reader sees {left}" for left in dict.fromkeys(page.markup)]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{name}: {link} leads nowhere")
            elif parts.fragment and target.suffix == ".html":
                other = pages.get(root.resolve() / target.relative_to(root.resolve()))
                if other and unquote(parts.fragment) not in other.anchors:
                    found.append(f"{name}: {link} leads to a page, and to no place on it")
    return found


def main(root: Path) -> int:
    """Print what is wrong; the exit status."""
    found = faults(root.resolve())
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(list(root.rglob('*.html')))} pages, {len(found)} faults")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
