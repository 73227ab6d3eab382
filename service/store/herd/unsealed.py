"""What a snapshot shows and nobody has given a position yet.

It is committed, so it belongs to a delta that is read in this snapshot: without it half a
transaction would travel. The sealer is waited for, a little, and its lines are taken from where
it writes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from service.errors import Busy
from service.herd.deltas import DELETE, INSERT
from service.herd.vectors import Vector
from service.store.herd.lines import LateLine, Line, lines_between
from service.store.herd.snapshots import Moment
from service.store.sealing.entries import Entry, Place
from service.store.transaction import Transaction

MOST_UNSEALED = 20_000
"""As many are waited for by number; more than these, and the delta is read a little later."""


class Reach(NamedTuple):
    """How far a delta goes beyond what has a position in its snapshot.

    `lines` are those given since, `covers` what the delta has whole. `left_out` are births that
    keep waiting, with what followed them.
    """

    lines: tuple[Line, ...]
    covers: Vector
    left_out: tuple[Entry, ...]

    @property
    def unborn(self) -> frozenset[Place]:
        """The rows of which a birth is left out."""
        return frozenset(entry.place for entry in self.left_out if entry.kind == INSERT)


@dataclass(frozen=True)
class Patience:
    """How long the sealer is waited for, in seconds.

    `seal` is for births that may be held, `drain` for all that is surely sealed before long;
    `pause` lies between two looks.
    """

    seal: float = 1.0
    drain: float = 10.0
    pause: float = 0.02


class SealerWatch:
    """Looks at the sealer's work, in a transaction that sees what is committed now.

    `wake` tells the sealer that there is something to do.
    """

    def __init__(
        self,
        tx: Transaction,
        wake: Callable[[], None],
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tx = tx
        self._wake = wake
        self._patience = patience
        self._clock = clock
        self._sleep = sleep

    def reach(self, moment: Moment, stuck: Collection[int]) -> Reach:
        """Wait until what a moment shows is sealed. Entries that are `stuck` are not waited for.

        Raises Busy where too much of it stays unsealed, or it cannot be told any more.
        """
        wanted = frozenset(entry.entry for entry in moment.unsealed)
        waiting = wanted
        patient_until = self._clock() + self._patience.seal
        for _look in self._looks(self._patience.drain):
            # This before the lines: what has left the inbox by now is surely among them.
            waiting = self._inbox(wanted)
            if waiting <= frozenset(stuck):
                break
            left = [entry for entry in moment.unsealed if entry.entry in waiting]
            if self._clock() >= patient_until and may_wait(left):
                break
        ((last, horizon),) = self._tx.rows(
            "SELECT `position`, `horizon` FROM `herdbook_sealer` WHERE `only` = 1"
        )
        if horizon > moment.position:
            raise Busy("entries were pruned while a delta was read")
        # Positions are given without gaps, and what has one stays as it is.
        reach = reach_of(moment, lines_between(self._tx, moment.position, last), waiting)
        if not may_wait(reach.left_out):
            raise Busy("changes that a delta needs are not sealed yet")
        return reach

    def drained(self, most: int) -> bool:
        """Wait until at most so many entries are unsealed; whether that is so."""
        counted = (
            "SELECT COUNT(*) FROM (SELECT `entry` FROM `herdbook_inbox` "
            f"LIMIT {most + 1:d}) AS `lowest`"
        )
        return any(
            self._tx.rows(counted)[0][0] <= most for _look in self._looks(self._patience.drain)
        )

    def _looks(self, seconds: float) -> Iterator[None]:
        """At least one, and then one after the other until the time is up."""
        end = self._clock() + seconds
        while True:
            self._wake()
            yield
            if self._clock() >= end:
                return
            self._sleep(self._patience.pause)

    def _inbox(self, wanted: frozenset[int]) -> frozenset[int]:
        """Which of these entries are in the inbox."""
        found = self._tx.rows(
            "SELECT `entry` FROM `herdbook_inbox` WHERE `entry` BETWEEN ? AND ?",
            (min(wanted), max(wanted)),
        )
        return wanted.intersection(number for (number,) in found)


def reach_of(moment: Moment, since: Iterable[LateLine], waiting: Collection[int]) -> Reach:
    """What the delta of a moment takes of the lines sealed `since`, and what it covers.

    `waiting` are the numbers of the moment's entries that were still in the inbox. Those that are
    neither there nor among the lines came from a sibling for the second time, and were dropped;
    the line may stand under another number then.
    """
    wanted = {entry.entry for entry in moment.unsealed}
    came = {(e.origin, e.at_origin) for e in moment.unsealed if e.at_origin is not None}
    lines: list[Line] = []
    sealed: set[int] = set()
    written, whole = moment.vector.get(moment.origin, 0), True
    for line, entry, ours in since:
        taken = entry in wanted or (not ours and (line.origin, line.at) in came)
        if taken:
            lines.append(line)
            sealed.add(entry)
        if ours and line.origin == moment.origin:
            # Above what was committed after the moment nothing is covered.
            whole = whole and taken
            written = line.position if whole else written
    left_out = tuple(
        entry for entry in moment.unsealed if entry.entry in waiting and entry.entry not in sealed
    )
    covers = {**moment.vector, moment.origin: written} if written else moment.vector
    return Reach(tuple(lines), covers, left_out)


def may_wait(entries: Iterable[Entry]) -> bool:
    """Whether these, in their order, may be left out of a delta.

    They may be births, with what followed of the same rows in the same lives: where somebody holds
    such a row, nobody knows for how long. All else is sealed before long. Left out, it would leave
    traces: a death, for instance, after which a parent died too. And what came from others the
    vector tells of already.
    """
    born: set[Place] = set()
    for entry in entries:
        if entry.kind == INSERT and entry.at_origin is None:
            born.add(entry.place)
        elif entry.kind == DELETE or entry.at_origin is not None or entry.place not in born:
            return False
    return True
