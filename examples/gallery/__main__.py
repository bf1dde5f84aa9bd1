"""All examples of the gallery: `python examples/gallery FOLDER`."""

from __future__ import annotations

import importlib
from pathlib import Path

from _shared import run

EXAMPLES = (
    "chirp",
    "burst",
    "modulated",
    "phase",
    "sources",
    "night",
    "hypnogram",
    "occiput",
    "people",
    "bearing",
    "gear",
    "pitch",
    "syllable",
    "earthquake",
)


def main(folder: Path) -> None:
    """Run one after another."""
    for name in EXAMPLES:
        print(f"-- {name}")
        importlib.import_module(name).main(folder)


if __name__ == "__main__":
    run(main, __doc__)
