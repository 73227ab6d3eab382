"""Two databases with the same rows and the same versions: on two servers where there are two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from records.catalogue import Catalogue
from schema.capture.columns import CLOCK, DIED, META, SLOT_BYTES, VERSION_BYTES, WRITER
from schema.capture.triggers import QUIET
from service.herd.digests import Sums
from service.store import writer
from service.store.herd.described import HerdTable, describe
from service.store.herd.digests import sums_of
from service.store.sql import quoted
from service.store.transaction import Transaction
from tests.service.store.herd.verifying import CATALOGUE, PLAIN, SPECIMEN
from tests.service.store.sealing.tools import seal_all, sealing
from tests.service.store.specimens import extreme_rows
from tests.service.store.tools import ask, in_transaction, raw_connection, read

Row = tuple[Any, ...]


def catch_up(source: str, target: str) -> None:
    """One database gets all that another has, and knows it."""
    with sealing(source) as sealer:
        seal_all(sealer)
    copy_rows(source, target, CATALOGUE)
    ((origin, written),) = read(
        source, "SELECT n.origin, s.written FROM herdbook_node AS n, herdbook_sealer AS s"
    )
    write_unseen(target, f"INSERT INTO herdbook_vector VALUES ({origin}, {written})")


def copy_rows(source: str, target: str, catalogue: Catalogue) -> int:
    """Write all rows and dead rows of a database into another, as applying them would; how many.

    The slots of their clocks come in another order.
    """
    copied: list[tuple[str, list[str], list[Row]]] = []

    def take(tx: Transaction) -> None:
        for name, table in describe(tx).tables.items():
            for grave in (False, True):
                copied.append(_taken(tx, table, grave, name))

    def put(tx: Transaction) -> None:
        tx.execute(f"SET {QUIET} = 1, foreign_key_checks = 0")
        for name, columns, rows in copied:
            listed, places = ", ".join(columns), ", ".join("?" * len(columns))
            for row in rows:
                tx.execute(f"INSERT INTO {name} ({listed}) VALUES ({places})", row)

    in_transaction(source, catalogue, take)
    in_transaction(target, catalogue, put)
    return sum(len(rows) for _name, _columns, rows in copied)


def _taken(
    tx: Transaction, table: HerdTable, grave: bool, name: str
) -> tuple[str, list[str], list[Row]]:
    meta = [*META, *((DIED, WRITER) if grave else ())]
    place = quoted(f"herdbook_dead_{name}" if grave else name)
    values = [column.read_from("r") for column in table.columns]
    listed = ", ".join([*(f"r.{each}" for each in meta), *values])
    rows = tx.rows(f"SELECT {listed} FROM {place} AS r")
    at = meta.index(CLOCK)
    turned = [(*row[:at], _turned(row[at]), *row[at + 1 :]) for row in rows]
    return place, [*meta, *(quoted(column.name) for column in table.columns)], turned


def _turned(clock: bytes | None) -> bytes | None:
    """The same clock with its slots in reverse."""
    if clock is None:
        return None
    starts = range(VERSION_BYTES, len(clock), SLOT_BYTES)
    slots = [clock[start : start + SLOT_BYTES] for start in starts]
    return clock[:VERSION_BYTES] + b"".join(reversed(slots))


def sums(
    url: str,
    catalogue: Catalogue,
    table: str,
    digits: int = 0,
    phantoms: Sequence[int] = (),
    columns: Sequence[str] | None = None,
) -> Sums:
    """The sums of a table."""
    return in_transaction(
        url,
        catalogue,
        lambda tx: sums_of(tx, describe(tx).tables[table], digits, columns, phantoms),
    )


def fill(url: str) -> None:
    """Rows of every type with the values at their limits; families; changed and deleted rows."""
    rows = extreme_rows()
    plain = [{name: row[name] for name in PLAIN.fields} for row in rows]
    in_transaction(url, CATALOGUE, lambda tx: writer.insert(tx, SPECIMEN, rows))
    in_transaction(url, CATALOGUE, lambda tx: writer.insert(tx, PLAIN, plain))
    with raw_connection(url) as connection:
        for statement in _FAMILY:
            ask(connection, statement)


_FAMILY = (
    "INSERT INTO ranch (number, name, brand) VALUES (1, 'a', 'A'), (2, 'b', 'B'), (3, 'c', NULL)",
    "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 'south'), (2, 2, 'north')",
    "INSERT INTO horse (number, stable_number, owner_number, mother_number, chip, name) VALUES "
    "(1, 1, 2, NULL, 11, 'x'), (2, 1, 2, 1, 12, 'y'), (3, 2, NULL, NULL, 13, 'z')",
    "UPDATE horse SET name = 'changed', chip = chip + 100 WHERE number < 3",
    "UPDATE horse SET name = 'again' WHERE number = 1",
    "DELETE FROM horse WHERE number = 3",
    "DELETE FROM ranch WHERE number = 3",
    "INSERT INTO ticket (day, amount, code, moment, flags, token) VALUES "
    "('2024-02-29', 1.5, 'x€', '2024-02-29 12:00:00.5', b'101', REPEAT('t', 16))",
)


def write_unseen(url: str, *statements: str) -> None:
    """Change something past the triggers, and past the rules between rows."""
    with raw_connection(url) as connection:
        ask(connection, f"SET {QUIET} = 1, foreign_key_checks = 0, sql_mode = 'STRICT_ALL_TABLES'")
        for statement in statements:
            ask(connection, statement)


@contextmanager
def changed(url: str, table: str, *statements: str) -> Iterator[None]:
    """Within the block a table is changed past the triggers; then it is as it was.

    What was noted meanwhile is forgotten.
    """
    kept = {name: f"kept_{name}" for name in (table, f"herdbook_dead_{table}")}
    columns = {name: _columns(url, name) for name in kept}
    for name, copy in kept.items():
        if not read(url, f"SHOW TABLES LIKE '{copy}'"):
            read(url, f"CREATE TABLE `{copy}` LIKE `{name}`")
            write_unseen(url, _copied(name, copy, columns[name]))
    try:
        write_unseen(url, *statements)
        yield
    finally:
        for name, copy in kept.items():
            write_unseen(url, f"DELETE FROM `{name}`", _copied(copy, name, columns[name]))
        write_unseen(url, "DELETE FROM herdbook_inbox")


def _copied(source: str, target: str, columns: str) -> str:
    return f"INSERT INTO `{target}` ({columns}) SELECT {columns} FROM `{source}`"


def _columns(url: str, table: str) -> str:
    """All columns, the invisible ones as well."""
    found = read(
        url,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() "
        "AND table_name = %s ORDER BY ordinal_position",
        [table],
    )
    return ", ".join(f"`{name}`" for (name,) in found)
