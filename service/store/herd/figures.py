"""How a node stands, from its database: whom it has met, what they lack, and what is put aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias

from schema.capture.triggers import NOW
from service.herd.status import HerdState
from service.herd.vectors import Vector, joined, missing
from service.methods.herd_port import Aside, Entries, Known, KnownSibling
from service.store.feed.snapshots import in_snapshot
from service.store.herd import siblings
from service.store.herd.snapshots import moment_of
from service.store.threads import Lane
from service.store.transaction import Transaction

MOST_LOOKED = 200
"""Places in the changelog that are looked up for one status, each by an index; of siblings that
lack more, the age is that of what was looked up."""

MOST_COUNTED = 100_000
"""Entries of the journal that are counted for one status. A million take about three seconds."""

MOST_PASSED = 10_000
"""Entries of others that are passed over to find one that was written here."""

CLOCKS_DIFFER = 0.5
"""Seconds by which stamps may be ahead of this node's clock without being told of. Clocks that are
set by NTP differ by far less."""

_HOUR = 3_600_000_000
_MICROSECONDS = 1e6

_Gap: TypeAlias = tuple[int, int]
"""An origin, and the position above which its entries are lacking."""

# What was written here has no other position than its place. Behind MOST_PASSED entries of others
# one of theirs is taken for it, so that the age may come out too high there.
OWN = (
    "(SELECT {0:d}, {1:d}, `sealed_at` FROM `herdbook_changelog` FORCE INDEX (PRIMARY) "
    f"WHERE `position` > {{1:d}} AND (`at_origin` IS NULL OR `position` > {{1:d}} + {MOST_PASSED}) "
    "ORDER BY `position` LIMIT 1)"
)
OTHERS = (
    "(SELECT {0:d}, {1:d}, `sealed_at` FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) "
    "WHERE `origin` = {0:d} AND `at_origin` > {1:d} ORDER BY `at_origin` LIMIT 1)"
)
"""The SQL that finds the first entry of an origin above a position, with when it was sealed."""
_LATEST = (
    "(SELECT `origin`, CAST(`stamp` AS SIGNED) - CAST(`sealed_at` AS SIGNED) "
    "FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) "
    "WHERE `origin` = {0:d} AND `at_origin` > 0 ORDER BY `at_origin` DESC LIMIT 1)"
)
"""By how many microseconds the latest write of an origin that came was stamped after it did."""


class StoredHerdFigures:
    """Implements `service.methods.herd_port.Herd` on MySQL; `state` tells of the links."""

    def __init__(self, reading: Lane, state: Callable[[], HerdState]) -> None:
        self._reading = reading
        self._state = state

    def state(self) -> HerdState:
        """See the port."""
        return self._state()

    async def known(self, linked: Mapping[int, Vector]) -> Known:
        """See the port."""
        return await self._reading.run(in_snapshot(lambda tx: known(tx, linked)))

    async def aside(self) -> Aside:
        """See the port."""
        return await self._reading.run(in_snapshot(aside))


def known(tx: Transaction, linked: Mapping[int, Vector]) -> Known:
    """Who was met, and what each is known not to have."""
    moment = moment_of(tx)
    met = [one for one in siblings.known(tx) if one.sibling.origin != moment.origin]
    theirs = {
        one.sibling.origin: joined(one.sibling.vector, linked.get(one.sibling.origin, {}))
        for one in met
    }
    gaps = {origin: list(_gaps(moment.vector, vector)) for origin, vector in theirs.items()}
    ages = _ages(tx, moment.origin, (gap for of_one in gaps.values() for gap in of_one))
    ahead = _ahead(tx, [one.sibling.origin for one in met])
    told = []
    for (origin, name, _vector), state, met_at, seen_at in met:
        lacks = missing(theirs[origin], moment.vector)
        oldest = max((ages[gap] for gap in gaps[origin] if gap in ages), default=None)
        early = ahead.get(origin)
        told.append(KnownSibling(origin, name, state, met_at, seen_at, lacks, oldest, early))
    return Known(moment.origin, dict(moment.vector), tuple(told))


def aside(tx: Transaction) -> Aside:
    """How much is held, and how much the journal has."""
    held = tx.rows("SELECT `reason`, COUNT(*) FROM `herdbook_held` GROUP BY `reason`")
    ((newest,),) = tx.rows("SELECT COALESCE(MAX(`number`), 0) FROM `herdbook_journal`")
    above = max(0, int(newest) - MOST_COUNTED)
    noted = tx.rows(
        f"SELECT `rule`, COUNT(*), COALESCE(SUM(`noted_at` >= {NOW} - {_HOUR:d}), 0) "
        "FROM `herdbook_journal` WHERE `number` > ? GROUP BY `rule`",
        (above,),
    )
    journal = {rule: Entries(int(total), int(recent)) for rule, total, recent in noted}
    return Aside({reason: int(count) for reason, count in held}, journal, above)


def _gaps(ours: Vector, theirs: Vector) -> Iterator[_Gap]:
    return (
        (origin, theirs.get(origin, 0))
        for origin, position in sorted(ours.items())
        if position > theirs.get(origin, 0)
    )


def _ahead(tx: Transaction, origins: Iterable[int]) -> dict[int, float]:
    """For siblings whose latest writes were stamped in the future: by how many seconds."""
    wanted = list(islice(origins, MOST_LOOKED))
    if not wanted:
        return {}
    found = tx.rows(" UNION ALL ".join(map(_LATEST.format, wanted)))
    seconds = {int(origin): int(early) / _MICROSECONDS for origin, early in found}
    return {origin: early for origin, early in seconds.items() if early > CLOCKS_DIFFER}


def _ages(tx: Transaction, own: int, gaps: Iterable[_Gap]) -> dict[_Gap, float]:
    """How many seconds ago the first entry of each gap was sealed here."""
    wanted = list(islice(dict.fromkeys(gaps), MOST_LOOKED))
    if not wanted:
        return {}
    ((now,),) = tx.rows(f"SELECT {NOW}")
    lookups = [(OWN if gap[0] == own else OTHERS).format(*gap) for gap in wanted]
    found = tx.rows(" UNION ALL ".join(lookups))
    return {
        (int(origin), int(above)): max(0.0, (int(now) - int(sealed_at)) / _MICROSECONDS)
        for origin, above, sealed_at in found
    }
