"""The journal, in its table: what lost a merge, and what was repaired."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from records.merging import Loss
from records.stamps import Version
from service.herd.journal import JournalEntry
from service.herd.shapes import Place
from service.herd.wire.columns import Column, pack_column, unpack_column
from service.store.herd import pieces
from service.store.herd.batches import batches
from service.store.herd.places import Tables, row_key_of
from service.store.herd.writers import UNKNOWN, Writers
from service.store.sql import marks
from service.store.transaction import Transaction

_Numbers: TypeAlias = tuple[int, ...]
_Names: TypeAlias = tuple[str | None, ...]
_Pairs: TypeAlias = tuple[tuple[str | None, str | None], ...]
_Row: TypeAlias = tuple[Any, ...]

_OTHER = 150
"""The bytes of an entry beside its key and content, about."""


class Content(msgspec.Struct, array_like=True, frozen=True):
    """The losses of one entry, in columns: what lost, and what stands in its place.

    Entries of releases before have no writers.
    """

    columns: tuple[str, ...]
    lost: Column
    lost_stamps: _Numbers
    lost_origins: _Numbers
    kept: Column
    kept_stamps: _Numbers
    kept_origins: _Numbers
    lost_writers: _Names = ()
    kept_writers: _Names = ()


class Noted(NamedTuple):
    """One entry of the journal as it stands in its table; moments in microseconds since 1970, UTC.

    `row_key` is the key as changelogs have it, `sender` the origin of the node whose delta brought
    it about, None where something was tried again here. For each loss `writers` are who wrote what
    lost, and who wrote what stands in its place; None where nothing told of it.
    """

    number: int
    noted_at: int
    rule: str
    table: str
    row_key: bytes
    life: int
    sender: int | None
    restored_at: int | None
    losses: tuple[Loss, ...]
    writers: _Pairs


_decoder = msgspec.msgpack.Decoder(Content)


def note(
    tx: Transaction,
    tables: Tables,
    entries: Iterable[JournalEntry],
    sender: int | None,
    now: int,
    writers: Writers = UNKNOWN,
) -> None:
    """Write what was put aside. `sender` is the origin of the node whose delta brought it about."""
    rows = [
        (
            now,
            entry.rule,
            entry.place[0],
            row_key_of(tables, entry.place),
            entry.life,
            sender,
            _content_of(entry.place, entry.losses, writers),
        )
        for entry in entries
    ]
    for part in batches(rows, lambda row: _OTHER + len(row[3]) + len(row[6]), room=tx.room):
        if len(part[0][6]) > tx.room:
            _note_in_pieces(tx, part[0])
        else:
            _insert(tx, part)


def _insert(tx: Transaction, part: Sequence[_Row]) -> None:
    tx.execute(
        "INSERT INTO `herdbook_journal` (`noted_at`, `rule`, `table_name`, `row_key`, `life`, "
        f"`sender`, `content`) VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?)'] * len(part))}",
        [value for row in part for value in row],
    )


def _note_in_pieces(tx: Transaction, row: _Row) -> None:
    """Write an entry that is longer than a statement may be; it is alone in its batch."""
    *head, content = row
    _insert(tx, [(*head, pieces.IN_PIECES)])
    ((number,),) = tx.rows("SELECT LAST_INSERT_ID()")
    pieces.JOURNAL.write(tx, pieces.name_of(number), content)


def numbered(tx: Transaction, numbers: Collection[int]) -> list[Noted]:
    """The entries of these numbers, the latest first."""
    if not numbers:
        return []
    rows = tx.rows(
        "SELECT `number`, `noted_at`, `rule`, `table_name`, `row_key`, `life`, `sender`, "
        "`restored_at`, `content` FROM `herdbook_journal` "
        f"WHERE `number` IN ({marks(len(numbers))}) ORDER BY `number` DESC",
        list(numbers),
    )
    contents = pieces.JOURNAL.whole(tx, {pieces.name_of(row[0]): row[-1] for row in rows})
    found = (_decoder.decode(contents[pieces.name_of(row[0])]) for row in rows)
    return [
        Noted._make((*row[:-1], _losses(content), _pairs_of_writers(content)))
        for row, content in zip(rows, found, strict=True)
    ]


def _content_of(place: Place, losses: Sequence[Loss], writers: Writers) -> bytes:
    """Losses in MessagePack, every value typed."""
    content = Content(
        tuple(loss.column for loss in losses),
        pack_column([loss.value for loss in losses], "the journal"),
        tuple(loss.version.stamp for loss in losses),
        tuple(loss.version.origin for loss in losses),
        pack_column([loss.kept for loss in losses], "the journal"),
        tuple(loss.kept_version.stamp for loss in losses),
        tuple(loss.kept_version.origin for loss in losses),
        tuple(writers.get((place, loss.version)) for loss in losses),
        tuple(writers.get((place, loss.kept_version)) for loss in losses),
    )
    return msgspec.msgpack.encode(content)


def losses_of(content: bytes) -> tuple[Loss, ...]:
    """The losses of some content."""
    return _losses(_decoder.decode(content))


def _losses(found: Content) -> tuple[Loss, ...]:
    return tuple(
        map(
            Loss,
            found.columns,
            unpack_column(found.lost, "the journal"),
            map(Version, found.lost_stamps, found.lost_origins),
            unpack_column(found.kept, "the journal"),
            map(Version, found.kept_stamps, found.kept_origins),
        )
    )


def _pairs_of_writers(found: Content) -> _Pairs:
    nobody = (None,) * len(found.columns)
    return tuple(zip(found.lost_writers or nobody, found.kept_writers or nobody, strict=True))
