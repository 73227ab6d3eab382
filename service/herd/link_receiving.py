"""The delta that comes from one peer: its parts wait here, in order, until each is committed.

    between --part 0--> arriving --last part--> arrived --all committed--> between
       |                   |
       +------ declined <--+   (the same comes from others)

What has come before is told apart from what skips something. The first is harmless, since a wire
may repeat; the second would leave a gap that the vector hides for ever, and is refused.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple, TypeAlias

from service.herd.link_sending import PARTS_AHEAD
from service.herd.messages import Portion
from service.herd.vectors import Vector

STALLED_TICKS = 25
"""After five seconds without its next part a delta in many parts is no reason to wait any longer
before another neighbour is asked."""


class Arrival(Enum):
    """What a part is to a receiver."""

    ACCEPTED = "the next one"
    COMMITTED = "one that is committed already"
    KNOWN = "one that waits here, or was declined"
    MISPLACED = "one that skips another"
    TOO_MANY = "more than may be on the way"


class Transfer(NamedTuple):
    """A delta and how far it has come: parts that arrived, parts that were committed, their rows.

    `idle` counts the ticks in which nothing was here to apply.
    """

    number: int
    covers: Vector
    arrived: int = 0
    committed: int = 0
    idle: int = 0
    rows: int = 0
    snapshot: bool = False


class Progress(NamedTuple):
    """How much of a delta is committed here, while it comes."""

    parts: int
    rows: int
    snapshot: bool


class Between(NamedTuple):
    """Everything up to this number is done."""

    number: int


class Declined(NamedTuple):
    """Parts of this number may still come, and are dropped."""

    number: int


class Arriving(NamedTuple):
    """There are more parts to come."""

    transfer: Transfer


class Arrived(NamedTuple):
    """All parts are here, and not all committed."""

    transfer: Transfer


Receiving: TypeAlias = Between | Declined | Arriving | Arrived


class Receiver:
    """One direction of one link."""

    def __init__(self) -> None:
        self.state: Receiving = Between(0)
        self._queue: deque[Portion] = deque()

    @property
    def head(self) -> Portion | None:
        """The part to apply next."""
        return self._queue[0] if self._queue else None

    @property
    def waiting(self) -> Vector | None:
        """What will be here when all that has arrived is committed."""
        return self.state.transfer.covers if isinstance(self.state, Arrived) else None

    @property
    def underway(self) -> Vector | None:
        """What a delta in many parts will bring, while it goes on."""
        match self.state:
            case Arriving(transfer) if not self.stalled:
                return transfer.covers
            case Arrived(transfer) if transfer.arrived > 1:
                return transfer.covers
        return None

    @property
    def progress(self) -> Progress | None:
        """How far the delta is that is coming; None: none is."""
        match self.state:
            case Arriving(transfer) | Arrived(transfer):
                return Progress(transfer.committed, transfer.rows, transfer.snapshot)
        return None

    @property
    def stalled(self) -> bool:
        """Whether the next part has not come for too long."""
        return isinstance(self.state, Arriving) and self.state.transfer.idle >= STALLED_TICKS

    def arrive(self, portion: Portion) -> Arrival:
        """Take a part, if it is the next one."""
        number = self._number()
        if portion.number < number:
            return Arrival.COMMITTED
        if portion.number > number:
            return self._begin(portion)
        match self.state:
            case Between():
                return Arrival.COMMITTED
            case Declined():
                return Arrival.KNOWN
            case Arriving(transfer) if portion.part == transfer.arrived:
                return self._take(portion, transfer)
            case Arriving(transfer) | Arrived(transfer):
                return _placed(portion.part, transfer)

    def committed(self, number: int, part: int) -> None:
        """A part is committed. One of a delta that is over, because a newer began, counts not."""
        head = self.head
        if head is None or (head.number, head.part) != (number, part):
            return
        self._queue.popleft()
        rows = len(head.delta.rows)
        match self.state:
            case Arriving(transfer):
                self.state = Arriving(_further(transfer, part, rows))
            case Arrived(transfer) if part + 1 < transfer.arrived:
                self.state = Arrived(_further(transfer, part, rows))
            case _:
                self.state = Between(number)

    def decline(self) -> None:
        """Drop the delta, what is here of it and what still comes."""
        self.state = Declined(self._number())
        self._queue.clear()

    def tick(self) -> None:
        """An interval has passed."""
        if isinstance(self.state, Arriving) and not self._queue:
            transfer = self.state.transfer
            self.state = Arriving(transfer._replace(idle=transfer.idle + 1))

    def _begin(self, portion: Portion) -> Arrival:
        """A new delta; its sender has given up the one before."""
        if portion.part != 0:
            return Arrival.MISPLACED
        self._queue.clear()
        is_snapshot = portion.delta.floors is not None
        transfer = Transfer(portion.number, portion.delta.covers, snapshot=is_snapshot)
        return self._take(portion, transfer)

    def _take(self, portion: Portion, transfer: Transfer) -> Arrival:
        if portion.delta.covers != transfer.covers:
            return Arrival.MISPLACED
        if transfer.arrived - transfer.committed >= PARTS_AHEAD:
            return Arrival.TOO_MANY
        after = transfer._replace(arrived=portion.part + 1, idle=0)
        self.state = Arrived(after) if portion.delta.last else Arriving(after)
        self._queue.append(portion)
        return Arrival.ACCEPTED

    def _number(self) -> int:
        """The number of the last delta of which anything is known."""
        match self.state:
            case Between(number) | Declined(number):
                return number
            case Arriving(transfer) | Arrived(transfer):
                return transfer.number


def _further(transfer: Transfer, part: int, rows: int) -> Transfer:
    """A part more is committed."""
    return transfer._replace(committed=part + 1, rows=transfer.rows + rows)


def _placed(part: int, transfer: Transfer) -> Arrival:
    """What a part is that is not the next one."""
    if part < transfer.committed:
        return Arrival.COMMITTED
    return Arrival.KNOWN if part < transfer.arrived else Arrival.MISPLACED
