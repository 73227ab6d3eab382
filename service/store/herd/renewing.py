"""A node that was set back, or is a copy of another one, gets an origin of its own.

    draw        a new origin; the former one becomes one of others, of which this node surely has
                what siblings acknowledged
    catch up    siblings tell what the former origin wrote above that, as of any other origin
    settle      entries here that the siblings' log does not have at these positions were written
                since: they become entries of the new origin

Each step is one transaction. What is above the sure position of the former origin is told to nobody
until it is settled, since under these positions siblings know something else, or may.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from service.herd.vectors import Vector
from service.store.herd.floors import floors_of
from service.store.herd.siblings import known
from service.store.sealing.entries import APPLIED
from service.store.sql import marks
from service.store.transaction import Transaction

_AT_ONCE = 500

_UNSURE = (
    "FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) WHERE `origin` = ? "
    "AND `at_origin` IS NULL AND `position` > ?"
)
_WHAT = "`table_name`, `row_key`, `kind`, `stamp`"


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
    siblings = known(tx)
    told = (one.sibling.vector.get(former, 0) for one in siblings)
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
    if not siblings:
        # Nobody can know anything else of it.
        settle(tx, drawn, former, sure)
    return True


def settle_raised(tx: Transaction, ours: int, before: Vector, covers: Vector) -> None:
    """The vector was raised to what a sibling covers: settle what was unsure up to there."""
    for origin in formers(tx, ours):
        if covers.get(origin, 0) > before.get(origin, 0):
            settle(tx, ours, origin, before.get(origin, 0))


def settle_known(tx: Transaction, theirs: Iterable[Vector]) -> None:
    """Settle what siblings that are linked know nothing of; `theirs` is what they have."""
    ours = origin_of(tx)
    vectors = list(theirs)
    for origin in formers(tx, ours):
        found = tx.rows("SELECT `position` FROM `herdbook_vector` WHERE `origin` = ?", (origin,))
        sure = found[0][0] if found else 0
        if any(vector.get(origin, 0) <= sure for vector in vectors):
            settle(tx, ours, origin, sure)


def settle(tx: Transaction, ours: int, former: int, sure: int) -> None:
    """Make what was written here under a former origin, and siblings do not have, our own.

    What they have at the same position is one and the same, or was written by the node that was
    lost. A line that siblings may believe to have already is noted once more, as the newest.
    """
    unsure = {
        at: tuple(what)
        for at, *what in tx.rows(f"SELECT `position`, {_WHAT} {_UNSURE}", (former, sure))
    }
    if not unsure:
        return
    theirs = _theirs(tx, former, list(unsure))
    own = sorted(at for at, what in unsure.items() if theirs.get(at) != what)
    if not own:
        return
    ((written,),) = tx.rows("SELECT `written` FROM `herdbook_sealer` WHERE `only` = 1 FOR UPDATE")
    for part in _parts(own):
        among = f"`position` IN ({marks(len(part))})"
        tx.execute(f"UPDATE `herdbook_changelog` SET `origin` = ? WHERE {among}", (ours, *part))
        if written > own[0]:
            _note_again(tx, part)
    tx.execute(
        "UPDATE `herdbook_sealer` SET `written` = GREATEST(`written`, ?) WHERE `only` = 1",
        (own[-1],),
    )


def formers(tx: Transaction, ours: int) -> list[int]:
    """The other origins under which something was written here that is still in the changelog."""
    found = tx.rows(
        "SELECT DISTINCT `origin` FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) "
        "WHERE `at_origin` IS NULL AND `origin` <> ?",
        (ours,),
    )
    return [origin for (origin,) in found]


def _theirs(tx: Transaction, former: int, positions: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """What siblings have at these positions, sealed here or not."""
    found: dict[int, tuple[Any, ...]] = {}
    for part in _parts(positions):
        for place in ("changelog", "inbox"):
            rows = tx.rows(
                f"SELECT `at_origin`, {_WHAT} FROM `herdbook_{place}` WHERE `origin` = ? "
                f"AND `at_origin` IN ({marks(len(part))})",
                (former, *part),
            )
            found.update((at, tuple(what)) for at, *what in rows)
    return found


def _note_again(tx: Transaction, part: Sequence[int]) -> None:
    columns = "`table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`"
    tx.execute(
        f"INSERT INTO `herdbook_inbox` ({columns}, `applied`) SELECT {columns}, {APPLIED:d} "
        f"FROM `herdbook_changelog` WHERE `position` IN ({marks(len(part))}) ORDER BY `position`",
        part,
    )


def _parts(positions: Sequence[int]) -> Iterable[Sequence[int]]:
    return (positions[at : at + _AT_ONCE] for at in range(0, len(positions), _AT_ONCE))
