"""One pass: a transaction that seals what it can see.

    lock the lease's row      SELECT … FOR UPDATE makes no snapshot yet
    read the inbox            the first plain read makes the snapshot
    mend births               rows whose key was used before get the life after the dead one's
    append and take out       into the changelog, out of the inbox
    note the position
    read                      what a reader wants from the same snapshot
    COMMIT

Entries keep the order of their numbers. A number is drawn while the row is locked, and whoever
builds upon a change draws the next one after that change was committed. So the numbers respect
every dependency among the entries that one snapshot shows, and what a later one shows depends on
them, never they on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from schema.capture.triggers import NOW
from service.store.sealing.entries import (
    Place,
    Sealed,
    seal,
    visible,
    waiting_above,
    without_repeated,
)
from service.store.sealing.judge import judge
from service.store.sealing.keys import KnownKeys
from service.store.sealing.lease import NOBODY, Lease, NotHolder
from service.store.sealing.troubles import Troubles
from service.store.transaction import Transaction
from service.store.work import Worker

Result = TypeVar("Result")

ENTRIES_A_PASS = 5_000
"""A few MB of memory, and less than half a second."""

MOST_HELD = 20_000
"""So many entries that wait for locked rows are read again at once, on top of those."""


@dataclass(frozen=True)
class Pass:
    """What a pass did: how many entries it sealed, and the last position that is given after it.

    `drained`: there is nothing in the pass's snapshot that is not sealed. `held` entries wait for
    rows that somebody holds; `more`: the next pass may seal what this one has not read. `highest`
    is the highest entry seen, 0 where there was none; `scan_seconds` is what reading them took.
    """

    sealed: int
    position: int
    drained: bool
    held: int = 0
    more: bool = False
    highest: int = 0
    scan_seconds: float = 0.0


@dataclass
class _Found:
    """What a pass has found; `more`: there may be entries above."""

    sealed: list[Sealed] = field(default_factory=list)
    seen: int = 0
    more: bool = True
    highest: int = 0
    scan_seconds: float = 0.0


Read = Callable[[Transaction, Pass], Result]
"""Reads in a pass's snapshot, after the pass did what it says."""


class Sealer:
    """Seals, as the holder of the lease. It belongs to one thread and one connection.

    `name` is what stands in the lease's row; no other process may have it.
    """

    def __init__(
        self,
        worker: Worker,
        name: str,
        entries_a_pass: int = ENTRIES_A_PASS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = worker
        self._name = name
        self._entries_a_pass = entries_a_pass
        self._clock = clock
        self._known = KnownKeys()
        self._troubles = Troubles(clock)
        self._held = 0

    def seal(self, read: Read[Result] | None = None) -> tuple[Pass, Result | None]:
        """Make one pass; `read` then sees what it saw, all sealed as far as it got.

        Raises NotHolder, and what a unit of work fails with: nothing is sealed then, or the next
        pass finds that it is.
        """

        def work(tx: Transaction) -> tuple[Pass, Result | None]:
            made = self._pass(tx)
            return made, None if read is None else read(tx, made)

        made, result = self._worker.run(work)
        self._held = made.held
        return made, result

    def _pass(self, tx: Transaction) -> Pass:
        """All but the reading."""
        position, moment = self._require_lease(tx)
        found = self._found(tx)
        if found.sealed:
            ours = _as_ours(tx, without_repeated(tx, found.sealed))
            position = _append(tx, position, ours, moment)
        held = found.seen - len(found.sealed)
        # What triggers of the application's wrote when rows took their lives, in this very pass.
        written = bool(found.sealed) and bool(waiting_above(tx, found.highest, 1))
        return Pass(
            sealed=len(found.sealed),
            position=position,
            drained=not found.more and not held and not written,
            held=held,
            # Nothing sealed: to look at the same again at once would be in vain.
            more=bool(found.sealed) and (found.more or written),
            highest=found.highest,
            scan_seconds=found.scan_seconds,
        )

    def _found(self, tx: Transaction) -> _Found:
        """What can be sealed, of the lowest entries; where all of them wait, of those above."""
        found = _Found()
        held: set[Place] = set()
        limit = self._entries_a_pass + min(self._held, MOST_HELD)
        while found.more and not found.sealed:
            began = self._clock()
            entries = visible(tx, limit, found.highest)
            found.scan_seconds += self._clock() - began
            found.seen += len(entries)
            found.more = len(entries) == limit
            if entries:
                found.highest = entries[-1].entry
            # What waits is followed by nothing of the same row.
            free = [entry for entry in entries if entry.place not in held]
            found.sealed = judge(tx, self._known, self._troubles, free, more=found.more)
            limit = self._entries_a_pass
            if found.more and not found.sealed:
                held.update(entry.place for entry in free)
        return found

    def _require_lease(self, tx: Transaction) -> tuple[int, int]:
        """Lock the lease's row; the last position, and the database's time in microseconds."""
        found = tx.rows(
            f"SELECT `holder`, `position`, {NOW} FROM `herdbook_sealer` WHERE `only` = 1 FOR UPDATE"
        )
        if not found or found[0][0] != self._name:
            raise NotHolder("another process seals")
        return found[0][1], found[0][2]

    def waiting(self, floor: int, most: int) -> list[int]:
        """The numbers of the entries above `floor` that wait to be sealed, up to `most`."""
        return self._worker.run(lambda tx: waiting_above(tx, floor, most))

    def lease(self) -> tuple[Lease, int]:
        """Who seals, and the last position; without waiting for anybody."""
        question = "SELECT `holder`, `beat`, `position` FROM `herdbook_sealer` WHERE `only` = 1"
        holder, beat, position = self._worker.run(lambda tx: tx.rows(question))[0]
        return Lease(holder, beat), position

    def take(self, seen: Lease) -> bool:
        """Become the holder, if the row still says what was seen and nobody is working on it."""

        def work(tx: Transaction) -> bool:
            found = tx.rows(
                "SELECT `holder`, `beat` FROM `herdbook_sealer` WHERE `only` = 1 "
                "FOR UPDATE SKIP LOCKED"
            )
            if not found or Lease(*found[0]) != seen:
                return False
            statement = "UPDATE `herdbook_sealer` SET `holder` = ?, `beat` = `beat` + 1"
            return tx.execute(f"{statement} WHERE `only` = 1", (self._name,)) == 1

        return self._worker.run(work)

    def beat(self) -> None:
        """Show that the holder is alive; raises NotHolder."""
        statement = "UPDATE `herdbook_sealer` SET `beat` = `beat` + 1"
        mine = "WHERE `only` = 1 AND `holder` = ?"
        if self._worker.run(lambda tx: tx.execute(f"{statement} {mine}", (self._name,))) != 1:
            raise NotHolder("another process seals")

    def release(self) -> None:
        """Give the lease back, if it is still held."""
        statement = "UPDATE `herdbook_sealer` SET `holder` = ? WHERE `only` = 1 AND `holder` = ?"
        self._worker.run(lambda tx: tx.execute(statement, (NOBODY, self._name)))

    def close(self) -> None:
        """Give the connection back to the server."""
        self._known.forget()
        self._worker.close()


def _as_ours(tx: Transaction, sealed: Sequence[Sealed]) -> list[Sealed]:
    """What was written here is of this node's origin, also where a trigger knows a former one."""
    ((origin,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1")
    return [
        (entry if entry.at_origin is not None else replace(entry, origin=origin), life)
        for entry, life in sealed
    ]


def _append(tx: Transaction, before: int, sealed: Sequence[Sealed], moment: int) -> int:
    """Move entries into the changelog, and note how far it reaches now: the last position."""
    if sealed:
        seal(tx, before, sealed, moment)
    last = before + len(sealed)
    ours = (at for at, (entry, _) in enumerate(sealed, before + 1) if entry.at_origin is None)
    tx.execute(
        "UPDATE `herdbook_sealer` SET `position` = ?, `beat` = `beat` + 1, "
        "`written` = GREATEST(`written`, ?) WHERE `only` = 1",
        (last, max(ours, default=0)),
    )
    return last
