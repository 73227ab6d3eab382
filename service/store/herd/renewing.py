"""A node that was set back, or is a copy of another one, gets an origin of its own.

The former one becomes one of others, of which this node surely has what siblings acknowledged. What
was written here above that becomes the new origin's, at once: under these positions siblings know
the same, or something else, or nothing, and what is in the rows here shows in all that this node
tells. A sibling that knows a write by its former position gets it a second time, which changes
nothing.
"""

from __future__ import annotations

from service.store.herd.floors import floors_of
from service.store.herd.siblings import known
from service.store.transaction import Transaction


def origin_of(tx: Transaction) -> int:
    """The node's origin."""
    ((origin,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1")
    return int(origin)


def draw(tx: Transaction, former: int, drawn: int) -> bool:
    """Give the node a new origin in the place of its former one; False: it has another already."""
    ((written,),) = tx.rows("SELECT `written` FROM `herdbook_sealer` WHERE `only` = 1 FOR UPDATE")
    ((origin,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1 FOR UPDATE")
    if origin != former or drawn == former:
        return False
    told = (one.sibling.vector.get(former, 0) for one in known(tx))
    sure = min(written, max((floors_of(tx).get(former, 0), *told)))
    tx.execute(
        "INSERT INTO `herdbook_vector` (`origin`, `position`) VALUES (?, ?) "
        "ON DUPLICATE KEY UPDATE `position` = GREATEST(`position`, VALUES(`position`))",
        (former, sure),
    )
    tx.execute(
        "UPDATE `herdbook_node` SET `origin` = ?, `former` = ? WHERE `only` = 1", (drawn, former)
    )
    tx.execute("UPDATE `herdbook_sealer` SET `written` = 0 WHERE `only` = 1")
    _claim(tx, drawn, former, sure)
    return True


def _claim(tx: Transaction, ours: int, former: int, sure: int) -> None:
    """What was written here under the former origin, and is not sure, becomes the new one's."""
    unsure = "WHERE `origin` = ? AND `at_origin` IS NULL AND `position` > ?"
    ((last,),) = tx.rows(
        "SELECT MAX(`position`) FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) " + unsure,
        (former, sure),
    )
    if last is not None:
        tx.execute(f"UPDATE `herdbook_changelog` SET `origin` = ? {unsure}", (ours, former, sure))
        tx.execute("UPDATE `herdbook_sealer` SET `written` = ? WHERE `only` = 1", (last,))
