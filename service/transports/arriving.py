"""A node that joins: once it has what the herd had it takes its ranges, and says it is active.

How far it has come is in its own record, so whatever breaks off it goes on at the next start, and
what somebody has changed since is not done again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred

from service.errors import Refused
from service.herd.levelling import Levelling
from service.herd.link_actions import Alarm
from service.herd.status import HerdState
from service.methods.caller import Caller, calling
from service.methods.family_port import NewRange, Ranges
from service.transports.timing import Clock

_log = logging.getLogger("herdbook.herd")

JOINING = "joining"
"""The state of a record whose node has not yet what the herd has."""

RANGE_REFUSED = "range.refused"

LOOK_SECONDS = 0.5
"""Between two looks at the links, each with two small queries."""

AGAIN_SECONDS = 5.0
"""Until something is tried again that went wrong, with the database for instance."""

_SELF = Caller("herdbook")


class OwnRecord(Protocol):
    """What is asked of the node's own record."""

    async def standing(self) -> str | None:
        """Its state, None where there is no such record."""

    async def joined(self) -> frozenset[int]:
        """The origins of the nodes whose records are here and do not say that they are joining."""

    async def arrive(self) -> None:
        """Let it say that the node is active, if it says that it is joining."""


class Wishes(NamedTuple):
    """What the node takes when it is there, and where it does so."""

    ranges: Ranges
    wanted: Sequence[NewRange]


class Arriving:
    """Looks after a node until it has joined. `state` is how its links stand."""

    def __init__(
        self,
        record: OwnRecord,
        wishes: Wishes,
        state: Callable[[], HerdState | None],
        clock: Clock,
    ) -> None:
        self.warnings: tuple[Alarm, ...] = ()
        self._record = record
        self._wishes = wishes
        self._state = state
        self._clock = clock
        self._levelling = Levelling()
        self._is_over = False
        self._next: Any = None

    def start(self, seconds: float = LOOK_SECONDS) -> None:
        """Look after a while, and then again and again, until it is done."""
        if not self._is_over:
            self._next = self._clock.callLater(seconds, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._is_over = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        self._next = None
        with calling(_SELF):
            done = Deferred.fromCoroutine(self._arrive())
        done.addCallbacks(lambda _nothing: self.start(), self._failed)

    def _failed(self, failure: Any) -> None:
        if not self._is_over:
            _log.warning("that this node has joined cannot be noted: %s", failure.value)
            self.start(AGAIN_SECONDS)

    async def _arrive(self) -> None:
        """Do what is left to do, if anything is, once the node is level."""
        standing = await self._record.standing()
        if standing == JOINING and await self._is_level():
            refused = [await self._take(each) for each in self._wishes.wanted]
            self.warnings = tuple(Alarm(RANGE_REFUSED, each) for each in refused if each)
            await self._record.arrive()
            _log.info("this node has joined: it has all that its siblings had when it met them")
            self._is_over = True
        elif standing not in (None, JOINING):
            self._is_over = True

    async def _is_level(self) -> bool:
        # Asked before the links are: who has joined by then has shown there what the herd has.
        joined = await self._record.joined()
        state = self._state()
        return state is not None and self._levelling.look(state, joined)

    async def _take(self, wanted: NewRange) -> str | None:
        """Take a range, unless it is there; why it is refused, if it is."""
        try:
            await self._wishes.ranges.add_all([wanted], True)
        except Refused as error:
            reason = "; ".join(each.message for each in error.failures)
            _log.warning("a range of the invitation is not taken: %s", reason)
            return reason
        return None
