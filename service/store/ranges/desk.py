"""Whoever wants a block is served together with all who wait by then, in one transaction.

One after the other each would wait for the commits of all before it: of 200 the last one for 199.
Those of a transaction are of one caller, as the changelog names him.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from uuid import UUID

from twisted.internet.defer import Deferred

from records.validation import Row
from records.values import RecordInfo
from service.errors import OutcomeUnknown, Refused
from service.methods.caller import current_principal
from service.methods.family_port import WantedBlock
from service.ranges.blocks import Block
from service.store.attempts import written
from service.store.feed.waiting import Clock
from service.store.ranges.giving import GiveBlocks
from service.store.ranges.spaces import Spaces
from service.store.threads import Lane
from service.store.ticket import Abandoned, Ticket

MOST_AT_ONCE = 200
"""Blocks that one transaction gives out: nobody else adds any meanwhile."""

MOST_TURNS = 10
"""Turns of the reactor for which those who come are waited for, as long as each brings some."""

OnGiven = Callable[[UUID, Block], None]


class Desk:
    """Gives blocks out, in the order in which they are asked for. For the reactor's thread.

    `on_given` is told each block that was given out, by the id of its range, before who asked is.
    """

    def __init__(
        self, record: RecordInfo, lane: Lane, spaces: Spaces, clock: Clock, on_given: OnGiven
    ) -> None:
        self._record = record
        self._lane = lane
        self._spaces = spaces
        self._clock = clock
        self._on_given = on_given
        self._waiting: list[_Wish] = []
        self._busy = False

    async def give(self, wanted: WantedBlock) -> Row:
        """The row of the range that is given out; raises as the port says.

        Cancelled before its turn has come, nothing is given out; later, it raises OutcomeUnknown.
        """
        wish = _Wish(wanted)
        self._waiting.append(wish)
        self._begin()
        try:
            row: Row = await wish.outcome
        finally:
            if wish in self._waiting:
                self._waiting.remove(wish)
        return row

    def _begin(self) -> None:
        """Serve those who wait, unless some are served now."""
        if self._waiting and not self._busy:
            self._busy = True
            self._gather(0, MOST_TURNS)

    def _gather(self, before: int, turns: int) -> None:
        """Begin once nobody new has come in a turn of the reactor, and after some turns anyhow.

        To read the calls of those who come would slow the transaction down: it takes the same
        processor.
        """
        waiting = len(self._waiting)
        if turns and before < waiting < MOST_AT_ONCE:
            self._clock.callLater(0, self._gather, waiting, turns - 1)
        elif waiting:
            some = self._next()
            done = some[0].context.run(Deferred.fromCoroutine, self._serve(some))
            done.addBoth(self._served)
        else:
            self._busy = False

    def _next(self) -> list[_Wish]:
        """The first, and those of the same caller; they wait no more."""
        who = self._waiting[0].principal
        some = [each for each in self._waiting if each.principal == who][:MOST_AT_ONCE]
        served = set(some)
        self._waiting[:] = [each for each in self._waiting if each not in served]
        return some

    def _served(self, _nothing: object) -> None:
        self._busy = False
        self._begin()

    async def _serve(self, some: Sequence[_Wish]) -> None:
        """Serve some together; each by itself where the constraints are against them."""
        try:
            await self._together(some)
        except Refused as refused:
            if len(some) == 1:
                some[0].tell(refused)
            for each in some if len(some) > 1 else ():
                await self._serve([each])
        except BaseException as error:
            for each in some:
                each.tell(error)

    async def _together(self, some: Sequence[_Wish]) -> None:
        """In one transaction; raises what went wrong with all of it, nobody told."""
        wanted = [each.wanted for each in some]
        giving = GiveBlocks(self._record, wanted, self._spaces, lambda at: some[at].takes_turn())
        try:
            rows = await written(self._lane, giving, ())
        except BaseException:
            giving.give_back()
            for each in some:
                each.gives_turn_back()
            raise
        for written_row in filter(None, rows):
            self._on_given(written_row["id"], Block.of(written_row["cidr"]))
        for number, (each, row) in enumerate(zip(some, rows, strict=True)):
            told = giving.refused.get(number, row)
            if told is not None:
                each.tell(told)


class _Wish:
    """A block that somebody waits for."""

    def __init__(self, wanted: WantedBlock) -> None:
        self.wanted = wanted
        self.principal = current_principal()
        self.context = copy_context()
        self.outcome: Deferred[Row] = Deferred(self._give_up)
        self._ticket = Ticket()

    def takes_turn(self) -> bool:
        """Whether it is still waited for; then it cannot be given up any more. For any thread."""
        try:
            self._ticket.begin_commit()
        except Abandoned:
            return False
        return True

    def gives_turn_back(self) -> None:
        """Nothing was given out; who was told meanwhile that nobody knows waits no more."""
        self._ticket.reopen()
        if self.outcome.called:
            self._ticket.abandon()

    def tell(self, told: Row | BaseException) -> None:
        """What came of it, unless it was given up."""
        if self.outcome.called:
            return
        if isinstance(told, BaseException):
            self.outcome.errback(told)
        else:
            self.outcome.callback(told)

    def _give_up(self, outcome: Deferred[Row]) -> None:
        if not self._ticket.abandon():
            outcome.errback(OutcomeUnknown("the call was given up while it committed"))
