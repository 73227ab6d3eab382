"""How far the changelog is pruned, by origin, and what of it siblings still need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from service.herd.vectors import Vector
from service.store.herd.siblings import ACTIVE, known
from service.store.transaction import Transaction


class Need(NamedTuple):
    """Whose acknowledgement an entry waits for before it may go.

    `vector` is what the node `ours` has of other origins. What stands above it stays: it came in
    parts of a delta that broke off, or was written here under a former origin and is not told yet.

    Nothing goes while a sibling is known to have what the node has not: it may be a birth of a key
    whose death would be forgotten, which the sibling has had after it. Where that death is known
    the row has died with it; here it would live.
    """

    ours: int
    vector: Vector
    siblings: Mapping[int, Vector]
    lacks: bool

    def may_go(self, origin: int, at: int) -> bool:
        """Whether nobody needs the entry at a position of an origin."""
        if self.lacks or (origin != self.ours and at > self.vector.get(origin, 0)):
            return False
        return all(
            at <= acknowledged.get(origin, 0)
            for sibling, acknowledged in self.siblings.items()
            if sibling != origin
        )


def need_of(tx: Transaction) -> Need:
    """What is needed now: a sibling that is only silent keeps its claim, a retired one has none."""
    ((ours,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1")
    vector = dict(tx.rows("SELECT `origin`, `position` FROM `herdbook_vector`"))
    siblings = {one.sibling.origin: one.sibling.vector for one in known(tx) if one.state == ACTIVE}
    lacks = any(
        position > vector.get(origin, 0)
        for acknowledged in siblings.values()
        for origin, position in acknowledged.items()
        if origin != ours
    )
    return Need(int(ours), vector, siblings, lacks)


def floors_of(tx: Transaction) -> dict[int, int]:
    """For each origin the position up to which something was pruned here, or never was here.

    Of what a snapshot's sender had pruned some may still be here.
    """
    return dict(tx.rows("SELECT `origin`, `position` FROM `herdbook_pruned`"))


def raise_floors(tx: Transaction, pruned: Iterable[tuple[int, int]]) -> None:
    """Up to these positions of origins something is here no more."""
    highest: dict[int, int] = {}
    for origin, at in pruned:
        highest[origin] = max(at, highest.get(origin, 0))
    if highest:
        tx.execute(
            "INSERT INTO `herdbook_pruned` (`origin`, `position`) VALUES "
            f"{', '.join(['(?, ?)'] * len(highest))} ON DUPLICATE KEY UPDATE "
            "`position` = GREATEST(`position`, VALUES(`position`))",
            [value for pair in sorted(highest.items()) for value in pair],
        )
