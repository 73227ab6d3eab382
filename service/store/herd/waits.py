"""Which held rows wait for which others: an index, so that only what may be written is read again.

Both are named by the digests of their places. What it names may be held no more for that reason;
then trying it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from service.herd.held import PARENT, Held
from service.herd.planning.retrying import parents_of
from service.store.herd.batches import batches
from service.store.herd.places import Tables, digest, row_key_of
from service.store.sql import marks
from service.store.transaction import Transaction


def note(tx: Transaction, tables: Tables, helds: Iterable[Held]) -> None:
    """Note what held rows wait for that wait for their parents."""
    shapes = {name: table.shape for name, table in tables.items()}
    pairs = {
        (digest(parent[0], row_key_of(tables, parent)), digest(place[0], row_key_of(tables, place)))
        for held in helds
        if held.reason == PARENT
        for place in [held.row.place]
        for parent in parents_of(held, shapes)
    }
    for part in batches(sorted(pairs), lambda pair: len(pair[0] + pair[1]), room=tx.room):
        tx.execute(
            "INSERT IGNORE INTO `herdbook_wait` (`parent`, `place`) VALUES "
            f"{', '.join(['(?, ?)'] * len(part))}",
            [name for pair in part for name in pair],
        )


def remove(tx: Transaction, places: Collection[bytes]) -> None:
    """Held rows wait no more, or for something else."""
    for part in batches(places, len, room=tx.room):
        tx.execute(f"DELETE FROM `herdbook_wait` WHERE `place` IN ({marks(len(part))})", part)


def waiting_for(tx: Transaction, parents: Iterable[bytes], most: int) -> Iterator[list[bytes]]:
    """The rows that wait for some rows, `most` at a time, in the order of what they wait for.

    Each page is read where the one before ended, however many there are; what is removed meanwhile
    does not come.
    """
    left = sorted(set(parents))
    while left:
        among = f"`parent` IN ({marks(len(left))})"
        found = _page(tx, f"{among} ORDER BY `parent`, `place`", left, most)
        if not found:
            return
        parent = found[-1][0]
        while found:
            yield [place for _parent, place in found]
            # The one at which the page ended may have more; those after it come next.
            beyond = (parent, found[-1][1])
            found = _page(tx, "`parent` = ? AND `place` > ? ORDER BY `place`", beyond, most)
        left = [one for one in left if one > parent]


def _page(
    tx: Transaction, which: str, given: Sequence[bytes], most: int
) -> list[tuple[bytes, bytes]]:
    # Left to itself a server walks through all that waits, since that is in the order of places.
    return [
        (parent, place)
        for parent, place in tx.rows(
            "SELECT `parent`, `place` FROM `herdbook_wait` FORCE INDEX (PRIMARY) "
            f"WHERE {which} LIMIT {most:d}",
            given,
        )
    ]
