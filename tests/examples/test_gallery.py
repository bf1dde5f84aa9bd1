"""The gallery: every example finds the truth that it was built on, and leaves a picture."""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path

import matplotlib.image
import pytest
import torch

EXTRAS = {"burst": "ptwt", "occiput": "mne", "people": "mne", "sources": "sklearn.decomposition"}
EXAMPLES = (
    *(
        "bearing",
        "burst",
        "chirp",
        "earthquake",
        "gear",
        "hypnogram",
        "modulated",
        "night",
        "occiput",
        "people",
        "phase",
        "pitch",
        "sources",
        "syllable",
    ),
)


@pytest.fixture
def gallery(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the examples, from which they can be imported as they import each other."""
    folder = root / "examples" / "gallery"
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "_shared", raising=False)
    for path in folder.glob("[a-z]*.py"):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    return folder


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_truth_is_found_and_drawn(
    gallery: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    with torch.random.fork_rng(devices=[]):
        importlib.import_module(name).main(tmp_path)
    # The assertions are in the example; here, that they were reached.
    assert capsys.readouterr().out.count("at least") >= 2
    picture = tmp_path / f"{name}.png"
    assert 10_000 < picture.stat().st_size < 200_000
    assert matplotlib.image.imread(picture).std() > 0.05


def test_every_example_is_in_the_gallery(gallery: Path, root: Path) -> None:
    files = {path.stem for path in gallery.glob("[a-z]*.py")}
    assert files == set(EXAMPLES) == set(runpy.run_path(str(gallery / "__main__.py"))["EXAMPLES"])
    page = (root / "docs" / "gallery.md").read_text(encoding="utf-8")
    for name in EXAMPLES:
        assert f"images/{name}.png" in page
        assert f"../examples/gallery/{name}.py" in page
        assert (root / "docs" / "images" / f"{name}.png").stat().st_size < 200_000


def test_an_example_that_misses_the_truth_stops(gallery: Path) -> None:
    shared = importlib.import_module("_shared")
    with pytest.raises(AssertionError, match=r"share: 0.400, must be at least 0.5"):
        shared.check("share", 0.4, 0.5)
    with pytest.raises(AssertionError, match=r"must be at most 0.3"):
        shared.check("share", 0.4, at_most=0.3)
