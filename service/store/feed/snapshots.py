"""Many statements that all see the database as it was at one moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from service.store.transaction import Transaction

Result = TypeVar("Result")


def in_snapshot(work: Callable[[Transaction], Result]) -> Callable[[Transaction], Result]:
    """The same work, in a snapshot of its own, on a connection that commits each statement.

    The isolation level holds for this one transaction, so nothing is left of it on the connection.
    Where the work fails, whoever runs it rolls back, which ends the transaction as well.
    """

    def seen_at_once(tx: Transaction) -> Result:
        tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tx.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        result = work(tx)
        tx.execute("COMMIT")
        return result

    return seen_at_once
