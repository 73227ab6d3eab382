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

WRITTEN, APPLIED, DEATH_APPLIED = 0, 1, 2
"""Who put an entry into the inbox: a trigger; the herd's applier; the applier, of a death through
which the row here went. What the applier notes has its life already."""

# Keys of 3,200 bytes, escaped, stay below MariaDB's max_allowed_packet of 16 MiB.
ROWS_A_STATEMENT = 500

_COLUMNS = (
    "`entry`, `table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`, "
    "`at_origin`"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as a trigger wrote it, or the applier; `at_origin` is None of what is ours."""

    entry: int
    table: str
    key: bytes
    kind: str
    fields: bytes | None
    life: int
    origin: int
    stamp: int
    writer: str
    at_origin: int | None = None
    applied: int = WRITTEN

    @property
    def dies(self) -> bool:
        """Whether the row here died by this."""
        return self.kind == DELETE and self.applied != APPLIED

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
        f"SELECT {_COLUMNS}, `applied` FROM `herdbook_inbox` WHERE `entry` > ? ORDER BY `entry` "
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
        mark = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
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
                entry.at_origin,
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


def without_repeated(tx: Transaction, sealed: Sequence[Sealed]) -> list[Sealed]:
    """Those that are not in the changelog already; the others leave the inbox.

    A sibling's entry comes again where a delta broke off, and its parts are sent anew.
    """
    came = [(entry.origin, entry.at_origin) for entry, _life in sealed if entry.at_origin]
    if not came:
        return list(sealed)
    known = _known(tx, came)
    fresh: list[Sealed] = []
    for one in sealed:
        entry = one[0]
        place = (entry.origin, entry.at_origin)
        if entry.at_origin is not None and place in known:
            tx.execute("DELETE FROM `herdbook_inbox` WHERE `entry` = ?", (entry.entry,))
            continue
        known.add(place)
        fresh.append(one)
    return fresh


def _known(tx: Transaction, came: Sequence[tuple[int, int | None]]) -> set[tuple[int, int | None]]:
    """Which of these entries of other origins are in the changelog."""
    known: set[tuple[int, int | None]] = set()
    for start in range(0, len(came), ROWS_A_STATEMENT):
        part = came[start : start + ROWS_A_STATEMENT]
        known.update(
            tx.rows(
                "SELECT `origin`, `at_origin` FROM `herdbook_changelog` FORCE INDEX "
                f"(`herdbook_came`) WHERE (`origin`, `at_origin`) IN "
                f"({', '.join(['(?, ?)'] * len(part))})",
                [value for place in part for value in place],
            )
        )
    return known


def deaths_after(tx: Transaction, last: int, table: str, keys: Sequence[bytes]) -> dict[bytes, int]:
    """The life that each of these rows ends with next, if it does in the entries after `last`."""
    ends: dict[bytes, int] = {}
    for start in range(0, len(keys), ROWS_A_STATEMENT):
        part = keys[start : start + ROWS_A_STATEMENT]
        found = tx.rows(
            "SELECT `row_key`, MIN(`life`) FROM `herdbook_inbox` WHERE `entry` > ? "
            f"AND `kind` = 'delete' AND `applied` <> {APPLIED:d} AND `table_name` = ? "
            f"AND `row_key` IN ({', '.join(['?'] * len(part))}) GROUP BY `row_key`",
            (last, table, *part),
        )
        ends.update(found)
    return ends
