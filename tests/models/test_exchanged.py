"""Attributes of libraries exchanged for a while: what was there comes back, whatever other threads do."""

from __future__ import annotations

import threading

import pytest

from freqig.models.exchanged import exchanged


class Base:
    def size(self) -> int:
        return 1


class Library(Base):
    pass


def test_two_threads_leave_nothing_behind() -> None:
    first_is_in, first_may_leave, second_is_in = (threading.Event() for _ in range(3))

    def first() -> None:
        with exchanged(Base, "size", lambda _: lambda self: 2):
            first_is_in.set()
            assert first_may_leave.wait(60)

    def second() -> None:
        assert first_is_in.wait(60)
        with exchanged(Base, "size", lambda _: lambda self: 3):
            second_is_in.set()

    threads = [threading.Thread(target=run) for run in (first, second)]
    for thread in threads:
        thread.start()
    # The second begins while the first is at it, and would end after it.
    assert first_is_in.wait(60)
    assert not second_is_in.wait(0.2)
    first_may_leave.set()
    for thread in threads:
        thread.join(60)
    assert second_is_in.is_set()
    assert Base().size() == 1


def test_what_was_inherited_is_again() -> None:
    def fails() -> None:
        with exchanged(Library, "size", lambda before: lambda self: before(self) + 1):
            raise KeyError(Library().size())

    with pytest.raises(KeyError, match="2"):
        fails()
    assert Library().size() == 1
    assert "size" not in vars(Library)
