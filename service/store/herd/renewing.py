"""A node that was set back, or is a copy of another one, gets an origin of its own.

The former one becomes one of others, of which this node surely has what siblings acknowledged. What
was written here above that becomes the new origin's, at once: under these positions siblings know
the same, or something else, or nothing, and what is in the rows here shows in all that this node
tells. A sibling that knows a write by its former position gets it a second time, which changes
nothing.
"""

from __future__ import annotations

from schema.capture.triggers import NOW
from service.store.herd.floors import floors_of
from service.store.herd.siblings import known
from service.store.transaction import Transaction

AT_ONCE = 20_000
"""So many entries change in one statement: a node's statements may take so long and no longer."""


def origin_of(tx: Transaction) -> int:
    """The node's origin."""
    ((origin,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1")
    return int(origin)


def draw(tx: Transaction, former: int, drawn: int, doubtful_seconds: float = 0.0) -> bool:
    """Give the node a new origin in the place of its former one; False: it has another already.

    Of what was sealed in the last `doubtful_seconds` it does not count that siblings acknowledged
    it: they may have had something else under these positions, from a copy of this node.
    """
    ((written,),) = tx.rows("SELECT `written` FROM `herdbook_sealer` WHERE `only` = 1 FOR UPDATE")
    ((origin,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1 FOR UPDATE")
    if origin != former or drawn == former:
        return False
    told = (one.sibling.vector.get(former, 0) for one in known(tx))
    floor = floors_of(tx).get(former, 0)
    sure = max(floor, min(written, max(told, default=0), _undoubted(tx, doubtful_seconds)))
    tx.execute(
        "INSERT INTO `herdbook_vector` (`origin`, `position`) VALUES (?, ?) "
        "ON DUPLICATE KEY UPDATE `position` = GREATEST(`position`, VALUES(`position`))",
        (former, sure),
    )
    tx.execute(
        "UPDATE `herdbook_node` SET `origin` = ?, `former` = ? WHERE `only` = 1", (drawn, former)
    )
    tx.execute("UPDATE `herdbook_sealer` SET `written` = 0 WHERE `only` = 1")
    _leave(tx, former, sure)
    _claim(tx, drawn, former, sure)
    return True


def _undoubted(tx: Transaction, seconds: float) -> int:
    """The last position that was given before the last so many seconds."""
    found = tx.rows(
        "SELECT `position` FROM `herdbook_changelog` FORCE INDEX (PRIMARY) "
        f"WHERE `sealed_at` <= {NOW} - {round(seconds * 1e6):d} ORDER BY `position` DESC LIMIT 1"
    )
    return int(found[0][0]) if found else 0


def _leave(tx: Transaction, former: int, sure: int) -> None:
    """What is sure of the former origin stands as what came from others does: at its position."""
    ((horizon,),) = tx.rows("SELECT `horizon` FROM `herdbook_sealer` WHERE `only` = 1")
    _change(tx, "`at_origin` = `position`", former, horizon, sure)


def _claim(tx: Transaction, ours: int, former: int, sure: int) -> None:
    """What was written here under the former origin, and is not sure, becomes the new one's."""
    ((last,),) = tx.rows(
        "SELECT MAX(`position`) FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) "
        "WHERE `origin` = ? AND `at_origin` IS NULL AND `position` > ?",
        (former, sure),
    )
    if last is not None:
        _change(tx, f"`origin` = {ours:d}", former, sure, last)
        tx.execute("UPDATE `herdbook_sealer` SET `written` = ? WHERE `only` = 1", (last,))


def _change(tx: Transaction, what: str, former: int, after: int, last: int) -> None:
    """Change the entries written here under the former origin, above one position up to another."""
    for start in range(after, last, AT_ONCE):
        tx.execute(
            f"UPDATE `herdbook_changelog` SET {what} "
            "WHERE `position` > ? AND `position` <= ? AND `origin` = ? AND `at_origin` IS NULL",
            (start, min(start + AT_ONCE, last), former),
        )
