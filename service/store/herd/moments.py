"""What a node has at the moment of a snapshot, and which rows have changes that another has not."""

from __future__ import annotations

from collections.abc import Collection

from service.herd.vectors import Vector
from service.methods.verifying_port import Moment
from service.store.herd.described import HerdTable
from service.store.sql import marks
from service.store.transaction import Transaction

_OURS = (
    "SELECT n.`origin`, s.`written` FROM `herdbook_node` AS n, `herdbook_sealer` AS s "
    "WHERE n.`only` = 1 AND s.`only` = 1"
)
# Of what came from siblings the index knows the last without reading the others.
_LAST = (
    "SELECT `origin`, MAX(`at_origin`) FROM `herdbook_changelog` "
    "WHERE `at_origin` IS NOT NULL GROUP BY `origin`"
)
_SEALED_HERE = "`at_origin` IS NULL AND `position` > ?"


def moment_of(tx: Transaction) -> Moment:
    """The node's vector as this transaction sees it, and what no vector tells of."""
    ((origin,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1")
    ((written, horizon),) = tx.rows(
        "SELECT `written`, `horizon` FROM `herdbook_sealer` WHERE `only` = 1"
    )
    ((unsealed,),) = tx.rows("SELECT COUNT(*) FROM `herdbook_inbox`")
    ((held,),) = tx.rows("SELECT COUNT(*) FROM `herdbook_held`")
    vector = {int(one): int(at) for one, at in tx.rows("SELECT * FROM `herdbook_vector`")}
    vector[int(origin)] = int(written)
    known = {one: at for one, at in vector.items() if at}
    return Moment(int(origin), known, int(unsealed), int(horizon), int(held))


def moving(tx: Transaction, table: HerdTable, keys: Collection[bytes], above: Vector) -> set[bytes]:
    """The rows of which something was noted here that a node at a vector has not.

    What is not sealed yet counts too: it will be within a moment.
    """
    if not keys:
        return set()
    ((ours, written),) = tx.rows(_OURS)
    noted: list[tuple[str, str, list[int]]] = [("inbox", "TRUE", [])]
    if written > above.get(ours, 0):
        noted.append(("changelog", _SEALED_HERE, [above.get(ours, 0)]))
    for origin, last in tx.rows(_LAST):
        if last > above.get(origin, 0):
            condition = "`origin` = ? AND `at_origin` > ?"
            noted.append(("changelog", condition, [origin, above.get(origin, 0)]))
    found: set[bytes] = set()
    for log, condition, parameters in noted:
        rows = tx.rows(
            f"SELECT DISTINCT `row_key` FROM `herdbook_{log}` WHERE {condition} "
            f"AND `table_name` = ? AND `row_key` IN ({marks(len(keys))})",
            [*parameters, table.name, *keys],
        )
        found.update(key for (key,) in rows)
    return found
