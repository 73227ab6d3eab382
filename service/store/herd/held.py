"""What is held, in its table: rows and columns that cannot be written here yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from service.herd.held import BLOCKED, DROPPED, PARENT, REFUSED, SCHEMA, Held
from service.herd.shapes import Place
from service.herd.wire.single import row_bytes, row_of_bytes
from service.store.herd.batches import batches
from service.store.herd.places import Tables, digest, row_key_of
from service.store.sealing.entries import Place as Row
from service.store.sql import marks
from service.store.transaction import Transaction

LONGEST_TEXT = 2_000
_COLUMNS = "`place`, `table_name`, `reason`, `text`, `content`, `held_at`"

CODES = {
    PARENT: "parent",
    SCHEMA: "schema",
    REFUSED: "refused",
    BLOCKED: "blocked",
    DROPPED: "dropped",
}
"""How each reason stands in the table."""

_REASONS = {code: reason for reason, code in CODES.items()}


def held_of(tx: Transaction, tables: Tables, places: Collection[Place]) -> dict[Place, Held]:
    """What is held of these rows."""
    found: dict[Place, Held] = {}
    if not places or not tx.rows("SELECT 1 FROM `herdbook_held` LIMIT 1"):
        return found
    named = {_place(tables, place): place for place in places}
    for part in batches(named, len):
        rows = tx.rows(
            "SELECT `place`, `reason`, `text`, `content` FROM `herdbook_held` "
            f"WHERE `place` IN ({marks(len(part))}) FOR UPDATE",
            part,
        )
        found.update((named[place], held_from(*rest)) for place, *rest in rows)
    return found


def held_at(tx: Transaction, rows: Collection[Row]) -> dict[Row, Held]:
    """What is held of the rows that changelogs name so, without waiting for who changes it."""
    named = {digest(*row): row for row in rows}
    found: dict[Row, Held] = {}
    for part in batches(named, len):
        for place, *rest in tx.rows(
            "SELECT `place`, `reason`, `text`, `content` FROM `herdbook_held` "
            f"WHERE `place` IN ({marks(len(part))})",
            part,
        ):
            found[named[place]] = held_from(*rest)
    return found


def all_held(tx: Transaction, reasons: Collection[str] = ()) -> list[Held]:
    """All that is held, or what is for one of these reasons; the eldest first."""
    where = f" WHERE `reason` IN ({marks(len(reasons))})" if reasons else ""
    rows = tx.rows(
        f"SELECT `reason`, `text`, `content` FROM `herdbook_held`{where} "
        "ORDER BY `held_at`, `place`",
        sorted(CODES[reason] for reason in reasons),
    )
    return [held_from(*row) for row in rows]


def held_in(tx: Transaction, table: str) -> list[Held]:
    """All that is held of one table's rows."""
    rows = tx.rows(
        "SELECT `reason`, `text`, `content` FROM `herdbook_held` WHERE `table_name` = ?", (table,)
    )
    return [held_from(*row) for row in rows]


def hold(tx: Transaction, tables: Tables, helds: Iterable[Held], now: int) -> None:
    """Hold some rows; what was held of them before gives way. The moment is that of the first."""
    for part in batches(
        [_stored(tables, held, now) for held in helds], lambda row: len(row[4]) + LONGEST_TEXT
    ):
        tx.execute(
            f"INSERT INTO `herdbook_held` ({_COLUMNS}) VALUES "
            f"{', '.join(['(?, ?, ?, ?, ?, ?)'] * len(part))} ON DUPLICATE KEY UPDATE "
            "`reason` = VALUES(`reason`), `text` = VALUES(`text`), `content` = VALUES(`content`)",
            [value for row in part for value in row],
        )


def set_reason(tx: Transaction, places: Collection[bytes], reason: str) -> None:
    """Something else is the reason why these rows are held."""
    for part in batches(places, len):
        tx.execute(
            f"UPDATE `herdbook_held` SET `reason` = ? WHERE `place` IN ({marks(len(part))})",
            (CODES[reason], *part),
        )


def release(tx: Transaction, tables: Tables, places: Collection[Place]) -> None:
    """Of these rows nothing is held any more."""
    for part in batches([_place(tables, place) for place in places], len):
        tx.execute(f"DELETE FROM `herdbook_held` WHERE `place` IN ({marks(len(part))})", part)


def _place(tables: Tables, place: Place) -> bytes:
    return digest(place[0], row_key_of(tables, place))


def _stored(tables: Tables, held: Held, now: int) -> tuple[bytes, str, str, str, bytes, int]:
    return (
        _place(tables, held.row.place),
        held.row.table,
        CODES[held.reason],
        held.text[:LONGEST_TEXT],
        row_bytes(held.row),
        now,
    )


def held_from(reason: str, text: str, content: bytes) -> Held:
    """What is held, from a row of its table."""
    return Held(row_of_bytes(content), _REASONS[reason], text)
