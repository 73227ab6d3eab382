"""What is held, in its table: rows and columns that cannot be written here yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from service.herd.held import BLOCKED, DROPPED, PARENT, REFUSED, SCHEMA, Held
from service.herd.shapes import Place
from service.herd.wire.single import row_bytes, row_of_bytes
from service.store.herd import pieces, waits
from service.store.herd.batches import MOST_ROWS, batches
from service.store.herd.pages import fitting
from service.store.herd.places import Tables, digest, row_key_of
from service.store.sealing.entries import Place as Row
from service.store.sql import marks
from service.store.transaction import Transaction

LONGEST_TEXT = 2_000
_COLUMNS = "`place`, `table_name`, `reason`, `text`, `content`, `held_at`"
_HELD = "`place`, `reason`, `text`, `content`"

_Stored: TypeAlias = tuple[bytes, str, str, str, bytes, int]

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
    if not places or not tx.rows("SELECT 1 FROM `herdbook_held` LIMIT 1"):
        return {}
    named = {_place(tables, place): place for place in places}
    return {named[at]: held for at, held in held_under(tx, named, " FOR UPDATE")}


def held_at(tx: Transaction, rows: Collection[Row]) -> dict[Row, Held]:
    """What is held of the rows that changelogs name so, without waiting for who changes it."""
    named = {digest(*row): row for row in rows}
    return {named[at]: held for at, held in held_under(tx, named)}


def every_held(tx: Transaction, table: str | None = None) -> Iterator[list[Held]]:
    """All that is held, of one table or of all, in the order of places.

    As much comes at a time as may be in memory.
    """
    after = b""
    which, named = ("", []) if table is None else (" AND `table_name` = ?", [table])
    while found := tx.rows(
        f"SELECT `place`, {pieces.HELD.size} FROM `herdbook_held` WHERE `place` > ?{which} "
        f"ORDER BY `place` LIMIT {MOST_ROWS:d}",
        [after, *named],
    ):
        count = fitting([int(size) for _place, size in found], MOST_ROWS)
        places = [place for place, _size in found[:count]]
        after = places[-1]
        yield [held for _place, held in held_under(tx, places)]


def hold(tx: Transaction, tables: Tables, helds: Iterable[Held], now: int) -> None:
    """Hold some rows; what was held of them before gives way. The moment is that of the first."""
    every = list(helds)
    waits.remove(tx, [_place(tables, held.row.place) for held in every])
    waits.note(tx, tables, every)
    for part in batches(
        (_stored(tables, held, now) for held in every),
        lambda row: len(row[4]) + LONGEST_TEXT,
        room=tx.room,
    ):
        pieces.HELD.remove(tx, [row[0] for row in part])
        place, *_others, content, _now = part[0]
        # What does not fit into a statement is alone.
        whole = len(content) <= tx.room
        _insert(tx, part if whole else [(*part[0][:4], pieces.IN_PIECES, now)])
        if not whole:
            pieces.HELD.write(tx, place, content)


def set_reason(tx: Transaction, places: Collection[bytes], reason: str) -> None:
    """Something else is the reason why these rows are held."""
    for part in batches(places, len):
        tx.execute(
            f"UPDATE `herdbook_held` SET `reason` = ? WHERE `place` IN ({marks(len(part))})",
            (CODES[reason], *part),
        )


def release(tx: Transaction, tables: Tables, places: Collection[Place]) -> None:
    """Of these rows nothing is held any more."""
    remove(tx, [_place(tables, place) for place in places])


def remove(tx: Transaction, places: Collection[bytes]) -> None:
    """Remove what is held at these places."""
    for part in batches(places, len, room=tx.room):
        tx.execute(f"DELETE FROM `herdbook_held` WHERE `place` IN ({marks(len(part))})", part)
    pieces.HELD.remove(tx, places)
    waits.remove(tx, places)


def _insert(tx: Transaction, part: Sequence[_Stored]) -> None:
    tx.execute(
        f"INSERT INTO `herdbook_held` ({_COLUMNS}) VALUES "
        f"{', '.join(['(?, ?, ?, ?, ?, ?)'] * len(part))} ON DUPLICATE KEY UPDATE "
        "`reason` = VALUES(`reason`), `text` = VALUES(`text`), `content` = VALUES(`content`)",
        [value for row in part for value in row],
    )


def held_under(
    tx: Transaction, places: Iterable[bytes], lock: str = ""
) -> Iterator[tuple[bytes, Held]]:
    """What is held under some digests of places, each with its own."""
    for part in batches(places, len, room=tx.room):
        rows = tx.rows(
            f"SELECT {_HELD} FROM `herdbook_held` WHERE `place` IN ({marks(len(part))}){lock}", part
        )
        yield from _read(tx, rows)


def _read(tx: Transaction, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[bytes, Held]]:
    contents = pieces.HELD.whole(tx, {row[0]: row[-1] for row in rows})
    for place, reason, text, _content in rows:
        yield place, held_from(reason, text, contents[place])


def _place(tables: Tables, place: Place) -> bytes:
    return digest(place[0], row_key_of(tables, place))


def _stored(tables: Tables, held: Held, now: int) -> _Stored:
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
