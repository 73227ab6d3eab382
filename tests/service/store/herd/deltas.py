"""Deltas read for tests, and a node in memory that takes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.herd.deltas import Delta, DeltaRow
from service.herd.shapes import Place, Shapes
from service.herd.vectors import Vector
from service.store.herd.described import describe
from service.store.herd.reading import Bounds, DeltaReader, DeltaReading
from service.store.herd.snapshots import ReadingSession
from service.store.herd.states import HeldOf, nothing_held
from service.store.herd.unsealed import Patience
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.sealing.tools import seal_all, sealing
from tests.service.store.tools import database_at, in_transaction, read

HASTY = Bounds(patience=Patience(seal=0.2, drain=0.5))
"""For tests in which the sealer is waited for in vain."""


def reader_at(
    url: str,
    wake: Callable[[], None] = lambda: None,
    held_of: HeldOf = nothing_held,
    bounds: Bounds | None = None,
    session: ReadingSession | None = None,
) -> DeltaReader:
    """A reader on a database."""
    database = database_at(url, session or ReadingSession(connect_seconds=2, statement_seconds=20))
    return DeltaReader(database, CATALOGUE, wake, held_of, bounds)


def parts_of(reading: DeltaReading) -> Iterator[Delta]:
    """All parts of a reading."""
    while True:
        part = reading.next()
        yield part
        if part.last:
            return


def whole(reading: DeltaReading) -> Delta:
    """A delta in one piece, whatever it was cut into."""
    parts = list(parts_of(reading))
    assert len({(tuple(part.above.items()), tuple(part.covers.items())) for part in parts}) == 1
    return parts[-1]._replace(
        rows=tuple(row for part in parts for row in part.rows),
        entries=tuple(entry for part in parts for entry in part.entries),
    )


def delta_of(url: str, above: Vector | None = None, bounds: Bounds | None = None) -> Delta:
    """What a node at a vector lacks of the database, in one piece."""
    return whole(reader_at(url, bounds=bounds).read(above or {}))


def sealed(url: str) -> None:
    """Seal all that is there."""
    with sealing(url) as sealer:
        seal_all(sealer)


@contextmanager
def sealing_beside(url: str) -> Iterator[Callable[[], None]]:
    """A sealer in a thread; gives what wakes it. What it fails with fails the test."""
    bell, over = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def seal() -> None:
        try:
            with sealing(url) as sealer:
                while not over.is_set():
                    bell.wait(0.05)
                    bell.clear()
                    seal_all(sealer)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=seal)
    thread.start()
    try:
        yield bell.set
    finally:
        over.set()
        bell.set()
        thread.join()
    assert failed == []


def own(url: str) -> int:
    """The database's origin."""
    origin: int = read(url, "SELECT origin FROM herdbook_node")[0][0]
    return origin


def shapes_of(url: str) -> Shapes:
    """What merging knows of the database's tables."""
    seen: list[Shapes] = []
    in_transaction(url, CATALOGUE, lambda tx: seen.append(describe(tx).shapes))
    return seen[0]


def rows_of(delta: Delta) -> dict[Place, DeltaRow]:
    """The rows of a delta; none comes twice."""
    rows = {row.place: row for row in delta.rows}
    assert len(rows) == len(delta.rows)
    return rows
