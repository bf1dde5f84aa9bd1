"""What is replaced is there until the new one is: whichever move fails."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from freqig.whole_files import all_or_none, replacing


def fill(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in ("a", "b"):
        (folder / name).write_text(text)


def held(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def failing(monkeypatch: pytest.MonkeyPatch, *numbers: int) -> None:
    """Let these of the moves fail, counted from 0."""
    done, move = [0], Path.replace

    def replace(self: Path, target: Path) -> Path:
        done[0] += 1
        if done[0] - 1 in numbers:
            raise OSError(errno.EIO, "Input/output error", str(target))
        return move(self, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("number", [0, 1])
def test_a_folder_stays_where_the_new_one_cannot_be_moved(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "store.zarr", "old")
    failing(monkeypatch, number)
    with pytest.raises(OSError, match="Input/output error"), replacing(tmp_path / "store.zarr") as made:
        fill(made, "new")
    assert held(tmp_path) == {"store.zarr/a": "old", "store.zarr/b": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["store.zarr"]


def test_a_folder_is_replaced_and_leaves_nothing_behind(tmp_path: Path) -> None:
    fill(tmp_path / "store.zarr", "old")
    (tmp_path / "store.zarr" / "c").write_text("old")
    for text in ("new", "newer"):
        with replacing(tmp_path / "store.zarr") as made:
            fill(made, text)
        assert held(tmp_path) == {"store.zarr/a": text, "store.zarr/b": text}
    assert [path.name for path in tmp_path.iterdir()] == ["store.zarr"]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_of_several_files_all_are_replaced_or_none(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "figures", "old")
    (tmp_path / "figures" / "other").write_text("mine")
    before = held(tmp_path)
    failing(monkeypatch, number)
    with pytest.raises(OSError, match="Input/output error"), all_or_none(tmp_path / "figures") as scratch:
        fill(scratch, "new")
    assert held(tmp_path) == before
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["a", "b", "other"]


def test_new_files_are_taken_away_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 1)
    with pytest.raises(OSError, match="Input/output error"), all_or_none(tmp_path / "figures") as scratch:
        fill(scratch, "new")
    assert held(tmp_path) == {}


def test_what_cannot_come_back_is_kept_and_the_error_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "store.zarr", "old")
    failing(monkeypatch, 1, 2)
    with (
        pytest.raises(OSError, match="what was there lies in") as caught,
        replacing(tmp_path / "store.zarr") as made,
    ):
        fill(made, "new")
    (aside,) = tmp_path.iterdir()
    assert str(aside) in str(caught.value)
    assert held(aside) == {"store.zarr/a": "old", "store.zarr/b": "old"}
