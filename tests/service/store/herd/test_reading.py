"""A reading gives back what it has, however it ends."""

from __future__ import annotations

import pytest

from service.errors import Busy, ServiceError, Unavailable
from service.store.herd.delta_parts import Sizes
from service.store.herd.reading import Bounds, DeltaReading
from service.store.herd.snapshots import ReadingSession
from tests.service.store.connections import kill_others, settled
from tests.service.store.herd.deltas import HASTY, parts_of, reader_at, sealed, whole
from tests.service.store.sealing.tools import open_transaction, run
from tests.service.store.tools import read

FEW = Bounds(sizes=Sizes(most_rows=2, most_bytes=1_000, most_lines=10))


@pytest.fixture
def rows(ranch: str) -> str:
    """The URL of a database with some rows of two tables, sealed; each is asked for its rows."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1), (2), (3), (4), (5), (6), (7)")
    run(ranch, "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 'x')")
    sealed(ranch)
    return ranch


def begun(url: str, session: ReadingSession | None = None) -> DeltaReading:
    """A reading of which one part was read."""
    reading = reader_at(url, bounds=FEW, session=session).read({})
    assert not reading.next().last
    return reading


def test_a_reading_that_is_read_to_its_end_is_closed(rows: str) -> None:
    """And gives no more."""
    assert settled(rows, 0)
    reading = reader_at(rows, bounds=FEW).read({})
    assert settled(rows, 1)
    list(parts_of(reading))
    assert reading.closed
    assert settled(rows, 0)
    with pytest.raises(Unavailable):
        reading.next()


def test_a_reading_that_is_closed_midway_frees_what_it_has(rows: str) -> None:
    """It may be closed twice, and before its first part."""
    assert settled(rows, 0)
    reading = begun(rows)
    reading.close()
    reading.close()
    reader_at(rows).read({}).close()
    assert settled(rows, 0)


def test_a_database_that_is_gone_midway_ends_the_reading(rows: str) -> None:
    """With an error of the service; the next reading is as good as the first."""
    assert settled(rows, 0)
    reading = begun(rows)
    kill_others(rows)
    with pytest.raises(Unavailable):
        list(parts_of(reading))
    assert reading.closed
    assert settled(rows, 0)
    assert len(whole(reader_at(rows).read({})).rows) == 8


def test_a_database_that_is_gone_while_the_sealer_is_waited_for_is_told(rows: str) -> None:
    """Neither of the two connections stays."""
    assert settled(rows, 0)
    run(rows, "INSERT INTO ranch (number) VALUES (9)")
    with pytest.raises(Unavailable):
        reader_at(rows, wake=lambda: kill_others(rows)).read({})
    assert settled(rows, 0)


def test_a_server_ends_a_reading_that_is_idle_for_too_long(rows: str) -> None:
    """Also where the process that reads stands still."""
    assert settled(rows, 0)
    session = ReadingSession(connect_seconds=2, statement_seconds=20, idle_seconds=1)
    reading = begun(rows, session)
    assert settled(rows, 0)
    with pytest.raises(Unavailable):
        list(parts_of(reading))


def test_a_database_that_cannot_be_reached_is_told(rows: str) -> None:
    """As an error of the service."""
    with pytest.raises(ServiceError):
        reader_at(rows.replace(".sock", ".none")).read({})


def test_a_table_that_was_changed_since_ends_the_reading(rows: str) -> None:
    """The snapshot cannot show it any more; the next one can."""
    reader = reader_at(rows)
    reading = reader.read({})
    run(rows, "ALTER TABLE ranch ADD COLUMN more INTEGER, ALGORITHM = COPY")
    with pytest.raises(Busy):
        reading.next()
    assert len(whole(reader.read({})).rows) == 8


def test_a_table_that_somebody_writes_to_is_read_without_waiting(rows: str) -> None:
    """Rows are read as the snapshot shows them, whoever holds them."""
    with open_transaction(rows, "UPDATE ranch SET name = 'x'"):
        delta = whole(reader_at(rows, bounds=HASTY).read({}))
    names = {row.state.values["2"] for row in delta.rows if row.table == "ranch"}
    assert names == {""}
    assert read(rows, "SELECT COUNT(*) FROM herdbook_inbox") == [(0,)]
