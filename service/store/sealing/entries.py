"""The entries: read from the inbox, written into the changelog, taken out of the inbox.

Nothing here ever waits for a transaction that has written to the inbox: reading sees a snapshot,
and only entries that the snapshot showed are touched, each by its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from service.store.transaction import Transaction

Place: TypeAlias = tuple[str, bytes]
"""A table and the key of a row in it."""

DELETE = "delete"

# Keys of 3,200 bytes, escaped, stay below MariaDB's max_allowed_packet of 16 MiB.
ROWS_A_STATEMENT = 500

_COLUMNS = "`entry`, `table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as a trigger wrote it."""

    entry: int
    table: str
    key: bytes
    kind: str
    fields: bytes | None
    life: int
    origin: int
    stamp: int
    writer: str

    @property
    def place(self) -> Place:
        """Which row it speaks of."""
        return self.table, self.key


Sealed: TypeAlias = tuple[Entry, int]
"""An entry, and the life of the row that it belongs to."""


class EntriesGone(Exception):
    """Entries left the inbox otherwise than by sealing."""


def visible(tx: Transaction, limit: int, above: int = 0) -> list[Entry]:
    """The lowest entries above one that the transaction's snapshot shows."""
    found = tx.rows(
        f"SELECT {_COLUMNS} FROM `herdbook_inbox` WHERE `entry` > ? ORDER BY `entry` "
        f"LIMIT {limit:d}",
        (above,),
    )
    return [Entry(*row) for row in found]


def waiting_above(tx: Transaction, floor: int, most: int) -> list[int]:
    """The numbers of the visible entries above one, up to `most` of them."""
    found = tx.rows(
        f"SELECT `entry` FROM `herdbook_inbox` WHERE `entry` > ? ORDER BY `entry` LIMIT {most:d}",
        (floor,),
    )
    return [number for (number,) in found]


def seal(tx: Transaction, before: int, sealed: Sequence[Sealed], moment: int) -> None:
    """Move entries into the changelog, at the positions after `before`, in the order given.

    `moment` is noted as the time of sealing. Raises EntriesGone.
    """
    for start in range(0, len(sealed), ROWS_A_STATEMENT):
        part = sealed[start : start + ROWS_A_STATEMENT]
        mark = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        parameters: list[object] = []
        for position, (entry, life) in enumerate(part, start=before + start + 1):
            parameters += (
                position,
                entry.entry,
                entry.table,
                entry.key,
                entry.kind,
                entry.fields,
                life,
                entry.origin,
                entry.stamp,
                entry.writer,
                moment,
            )
        tx.execute(
            f"INSERT INTO `herdbook_changelog` (`position`, {_COLUMNS}, `sealed_at`) "
            f"VALUES {', '.join([mark] * len(part))}",
            parameters,
        )
    # Led by the changelog: a range of the inbox would also wait for entries not committed yet.
    taken = tx.execute(
        "DELETE waiting FROM `herdbook_changelog` AS sealed STRAIGHT_JOIN `herdbook_inbox` "
        "AS waiting ON waiting.`entry` = sealed.`entry` WHERE sealed.`position` > ?",
        (before,),
    )
    if taken != len(sealed):
        raise EntriesGone(
            f"of {len(sealed)} entries that were sealed {len(sealed) - taken} were no longer in "
            "herdbook_inbox; somebody else deletes there"
        )


def deaths_after(tx: Transaction, last: int, table: str, keys: Sequence[bytes]) -> dict[bytes, int]:
    """The life that each of these rows ends with next, if it does in the entries after `last`."""
    ends: dict[bytes, int] = {}
    for start in range(0, len(keys), ROWS_A_STATEMENT):
        part = keys[start : start + ROWS_A_STATEMENT]
        found = tx.rows(
            "SELECT `row_key`, MIN(`life`) FROM `herdbook_inbox` WHERE `entry` > ? "
            f"AND `kind` = 'delete' AND `table_name` = ? AND `row_key` IN "
            f"({', '.join(['?'] * len(part))}) GROUP BY `row_key`",
            (last, table, *part),
        )
        ends.update(found)
    return ends
