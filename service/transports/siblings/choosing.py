"""Whom a node dials because the herd's records choose it, looked at again and again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

from twisted.internet.task import LoopingCall

from service.herd.port import HerdStore
from service.herd.topology import Member, Roll, to_dial
from service.transports.siblings.database import begin
from service.transports.siblings.diallers import Diallers
from service.transports.siblings.dialling import Links
from service.transports.siblings.terms import Surroundings

AWAY_SECONDS = 10.0
"""How long a node may not be reached before others are linked in its place: a start takes less."""

REMEMBERED_SECONDS = 60.0
"""How long one who was dialled in the place of another, in vain, is not tried again."""

_log = logging.getLogger("herdbook.herd")


class Choosing:
    """Tells the diallers whom the records choose, while it runs."""

    def __init__(
        self, store: HerdStore, diallers: Diallers, links: Links, around: Surroundings
    ) -> None:
        self._store = store
        self._diallers = diallers
        self._links = links
        self._around = around
        self._away: dict[str, float] = {}
        self._is_asking = self._has_failed = False
        self._loop: Any = LoopingCall(self._look)
        self._loop.clock = cast(Any, around.clock)

    def start(self) -> None:
        """Look at once, and then again and again; nothing happens where it was begun."""
        if self._around.follows_records and not self._loop.running:
            self._loop.start(self._around.limits.note_seconds)

    def stop(self) -> None:
        """Look no more."""
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        if not self._is_asking:
            self._is_asking = True
            begin(self._ask())

    async def _ask(self) -> None:
        """Where the records cannot be read or followed, those who were chosen stay so."""
        try:
            roll = await self._store.roll()
            if self._loop.running:
                self._follow(roll)
            self._has_failed = False
        except Exception as error:
            if not self._has_failed:
                _log.warning("the records of nodes are not followed; it is tried again: %s", error)
            self._has_failed = True
        self._is_asking = False

    def _follow(self, roll: Roll) -> None:
        now = self._around.clock.seconds()
        recent = {each: at for each, at in self._away.items() if now - at < REMEMBERED_SECONDS}
        self._away = {**recent, **dict.fromkeys(self._unreached(roll), now)}
        linked = {each.id for each in roll.members if self._is_linked(each)}
        away = self._away.keys() - linked
        wanted = set(filter(self._around.may_dial, to_dial(roll, away).values()))
        # While somebody is away, who is linked in his place stays, whoever could be as well.
        self._diallers.follow(wanted | self._diallers.linked() if away else wanted)

    def _unreached(self, roll: Roll) -> Iterator[str]:
        """Those who are dialled, and could not be reached for some time."""
        for each in roll.members:
            away = None if each.address is None else self._diallers.away_seconds(each.address)
            if away is not None and away >= AWAY_SECONDS:
                yield each.id

    def _is_linked(self, member: Member) -> bool:
        return member.origin is not None and self._links.is_linked(member.origin)
