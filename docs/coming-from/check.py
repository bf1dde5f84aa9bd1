"""Runs the pages beside it: each in an environment of its own, with what it compares freqig with.

    python docs/coming-from/check.py FOLDER [PAGE ...]           makes environments below FOLDER
    python docs/coming-from/check.py FOLDER --here [PAGE ...]    runs them with this Python, which has all

The blocks of a page run one after the other, as for somebody who pastes them in turn, and compare numbers
themselves. It needs a package index. freqIG 0.1.8 has the name that freqig has, and would overwrite it: like
whatever asks for versions of its own, it is unpacked into a folder beside the environment.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Needs:
    """What a page runs with, beside freqig.

    Parameters
    ----------
    installed : tuple of str
        Requirements, with what they need themselves.
    beside : tuple of str
        Packages that are unpacked into a folder of their own, without what they need.
    """

    installed: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


PAGES = {
    "freqig-0.1": Needs(("onnx",), ("freqIG==0.1.8",)),
    "captum": Needs(),
    "shap": Needs(("shap==0.51.0",)),
    "cross-domain-saliency-maps": Needs((), ("cross-domain-saliency-maps==0.0.8",)),
    "braindecode": Needs(("braindecode==1.8.1",)),
}


def blocks(page: str) -> str:
    """The Python of a page as one program, whose lines have the numbers that they have in the page."""
    text = (HERE / f"{page}.md").read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    for found in re.finditer(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        first = text.count("\n", 0, found.start(1))
        source = found[1].splitlines()
        lines[first : first + len(source)] = source
    return "\n".join(lines)


def run(page: str, folder: Path, here: bool) -> bool:
    """Run a page; whether it held."""
    needs, place = PAGES[page], folder / page
    beside = place / "beside"
    beside.mkdir(parents=True, exist_ok=True)
    python, path = sys.executable, [str(beside), str(ROOT / "src")]
    if not here:
        venv.create(place / "venv", with_pip=True)
        python = str(place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
        pinned = ["-c", str(ROOT / "constraints.txt")]
        install(python, *pinned, str(ROOT))
        if needs.installed:
            install(python, *needs.installed)
        path = [str(beside)]
    if needs.beside:
        install(python, "--no-deps", "--upgrade", "--target", str(beside), *needs.beside)
    program = place / "page.py"  # not named like a package that it imports
    program.write_text(blocks(page), encoding="utf-8")
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "MPLBACKEND": "Agg"}
    return subprocess.run([python, program], env=surroundings, cwd=place, check=False).returncode == 0


def install(python: str, *arguments: str) -> None:
    """Install with pip."""
    subprocess.run([python, "-m", "pip", "install", "--quiet", *arguments], check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"of {', '.join(PAGES)}; all by default")
    parser.add_argument("--here", action="store_true")
    asked = parser.parse_intermixed_args()
    if unknown := set(asked.pages) - set(PAGES):
        parser.error(f"PAGE must be one of {', '.join(PAGES)}, got {', '.join(sorted(unknown))}")
    failed = [one for one in asked.pages or PAGES if not run(one, asked.folder.resolve(), asked.here)]
    print("failed: " + ", ".join(failed) if failed else "all pages hold")
    sys.exit(bool(failed))
