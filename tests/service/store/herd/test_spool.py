"""Lines by row, in a file that has no name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from service.herd.deltas import DELETE, INSERT, UPDATE
from service.store.herd.lines import Line
from service.store.herd.spool import Spool


def line(position: int, table: str, key: bytes, kind: str = INSERT, life: int = 1) -> Line:
    """A line of the changelog."""
    return Line(position, table, key, kind, None, life, 1, 5, "w", position)


def ranks(tables: object) -> dict[str, int]:
    """Parents before children."""
    return {"parent": 0, "child": 1}


def unnamed_files() -> Iterator[str]:
    """What this process has open that lies in no folder any more."""
    for one in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(one)  # noqa: PTH115 - Path cannot tell what is deleted
        except FileNotFoundError:
            continue
        if target.startswith("/") and target.endswith("(deleted)"):
            yield target


def test_rows_come_in_the_order_in_which_they_travel() -> None:
    """By table and by their first line; the dead the other way round."""
    with closing(Spool()) as spool:
        spool.add([line(1, "child", b"a"), line(2, "parent", b"b"), line(3, "parent", b"a")])
        spool.add([line(4, "child", b"z", DELETE, 2), line(5, "parent", b"z", DELETE, 2)])
        spool.add([line(6, "parent", b"a", UPDATE)])
        spool.arrange(ranks)
        first = spool.live(None, 10)
        assert [(row.place, row.lines) for row in first] == [
            (("parent", b"b"), 1),
            (("parent", b"a"), 2),
        ]
        (second,) = spool.live(first[-1], 10)
        assert second.place == ("child", b"a")
        assert spool.live(second, 10) == []
        (child,) = spool.dead(None, 10)
        (parent,) = spool.dead(child, 10)
        assert (child.place, parent.place) == (("child", b"z"), ("parent", b"z"))
        assert [each.position for each in spool.lines(first[-1])] == [3, 6]
        assert [each.position for each in spool.lines(first[-1], after=3)] == [6]


def test_rows_that_are_dead_all_the_same_are_moved() -> None:
    """They come with the others that are."""
    with closing(Spool()) as spool:
        spool.add(line(number, "parent", b"%d" % number) for number in range(1, 5))
        assert spool.has(("parent", b"2"))
        assert not spool.has(("child", b"2"))
        spool.arrange(ranks)
        spool.dies(spool.live(None, 2))
        assert [row.first for row in spool.live(None, 10)] == [3, 4]
        assert [row.first for row in spool.dead(None, 10)] == [2, 1]


def test_what_is_much_is_in_a_file_that_goes_with_the_spool() -> None:
    """In no folder, so nothing is left of a process that is killed either."""
    before = len(list(unnamed_files()))
    spool = Spool()
    for start in range(0, 100_000, 10_000):
        spool.add(line(number, "parent", b"%d" % number) for number in range(start, start + 10_000))
    assert len(list(unnamed_files())) == before + 1
    spool.close()
    assert len(list(unnamed_files())) == before
