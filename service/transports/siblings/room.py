"""A node's links: carries out what the flood says, and tells it what happened.

    room = HerdRoom(store, Who(name, schema), addresses, changes, around)
    room.start()

Until the database has said who the node is there are no links; it is asked until it does.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, NamedTuple, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.task import LoopingCall

from service.errors import ServiceError
from service.herd.flood import Flood
from service.herd.flood_events import (
    Admissions,
    Committed,
    Event,
    Grown,
    LinkClosed,
    LinkOpened,
    Received,
    Ticked,
)
from service.herd.link_actions import Action, Alarm, Apply, Blame, Build, Close, Send
from service.herd.link_greeting import RESTORED, Identity
from service.herd.link_stream import Stream
from service.herd.messages import Hello, Message, Portion, Prune, Refusal
from service.herd.port import HerdStore, Origin
from service.herd.status import HerdState
from service.transports.siblings.asking import Notes, OwnVector
from service.transports.siblings.choosing import Choosing
from service.transports.siblings.connection import STOPPED, Ending, SiblingConnection
from service.transports.siblings.database import Database, begin
from service.transports.siblings.diallers import Diallers
from service.transports.siblings.dialling import Dialler
from service.transports.siblings.doors import (
    about_own,
    admission_of,
    bearer_of,
    listener_of,
    make_place,
    over_by_now,
)
from service.transports.siblings.telling import (
    UNIX,
    Callers,
    printable,
    state_of_connection,
)
from service.transports.siblings.terms import Surroundings
from service.transports.subscribers import Changes
from service.transports.timing import fired, within_time

_log = logging.getLogger("herdbook.herd")

_CLOSE_SECONDS = 2.0
_BROKEN = Ending(Blame.OURS, "link.broken", "this node made a mistake; its log tells more")


class Who(NamedTuple):
    """What a node says of itself beside its origin."""

    name: str
    schema: str


class HerdRoom:
    """All links of a node. `listener` takes those of siblings that dial."""

    def __init__(
        self,
        store: HerdStore,
        who: Who,
        addresses: Sequence[str],
        changes: Changes,
        around: Surroundings,
    ) -> None:
        self.listener = listener_of(self, around)
        self._store = store
        self._who = who
        self._around = around
        self._run = around.draw_run()
        self._changes = changes
        self._flood: Flood | None = None
        self._identity: Identity | None = None
        self._events: deque[Event] = deque()
        self._is_handling = False
        self._has_renewed = False
        self._numbers = count(1)
        self._open: dict[int, SiblingConnection] = {}
        self._linked: dict[int, SiblingConnection] = {}
        self._hellos: dict[int, Hello] = {}
        self._diallers = Diallers(addresses, self, around)
        self._choosing = Choosing(store, self._diallers, self, around)
        self._callers = Callers()
        self._own = OwnVector(store, around, self._is_told)
        self._notes = Notes(store)
        reading_seconds = around.limits.reading_seconds
        self._database = Database(store, around.clock, reading_seconds, self._give, self._refuse)
        self._loops = [self._loop(partial(self._give, Ticked())), self._loop(self._note)]
        self._leave: Callable[[], None] = lambda: None
        self._closed: Deferred[None] | None = None
        around.metrics.show(self.state)

    # What the node calls.

    def start(self) -> None:
        """Begin to ask who the node is; links follow."""
        self._leave = self._changes.subscribe(self._is_sealed)
        self._own.ask()

    def stop(self) -> Deferred[None]:
        """Say goodbye and close everything; fires when that is done, what hangs is cut off."""
        self._leave()
        self._own.stop()
        for loop in self._loops:
            if loop.running:
                loop.stop()
        self._choosing.stop()
        self._diallers.stop()
        self._flood = None
        for connection in tuple(self._open.values()):
            self._end(connection, STOPPED)
        if not self._open:
            return fired()
        self._closed = closed = Deferred[None]()
        return within_time(closed, _CLOSE_SECONDS, self._around.clock, self._cut_off)

    def state(self) -> HerdState:
        """How things stand."""
        now, flood = self._around.clock.seconds(), self._flood
        alarms, warnings = about_own(self._around)
        accepted = [each for each in self._open.values() if not each.dialled]
        return HerdState(
            self._who.name,
            self._identity.origin if self._identity else None,
            dict(flood.ours) if flood else {},
            (
                *self._diallers.states(flood, now),
                *(state_of_connection(each, flood, now) for each in accepted),
                *self._callers.states(now),
            ),
            (*(flood.alarms if flood else ()), *alarms),
            self._who.schema,
            tuple(warnings),
        )

    def problem(self) -> str | None:
        """What keeps the node from its siblings until somebody does something about it."""
        if self._flood is None:
            return self._own.problem or "the database has not said yet what this node has"
        halting = self._flood.halting
        if halting is not None:
            return f"{halting.code}: {halting.text}"
        return self._database.problem

    # What tells of the node itself.

    def _is_sealed(self, position: int) -> None:
        """Something has got its position; it may be known already."""
        flood, identity = self._flood, self._identity
        if flood is None or identity is None or flood.ours.get(identity.origin, 0) < position:
            self._own.ask()

    def _is_told(self, origin: Origin) -> None:
        if self._identity is None or self._identity.origin != origin.origin:
            self._begin(origin)
        else:
            self._give(Admissions(admission_of(origin, self._around)))
            self._give(Grown(origin.vector))

    def _begin(self, origin: Origin) -> None:
        """The node is known, or is another one since: links of the former one end."""
        for connection in tuple(self._linked.values()):
            text = "this node has got another origin"
            self._end(connection, Ending(Blame.NOBODYS, "origin.changed", text))
        self._database.begin_anew()
        self._identity = Identity(origin.origin, self._run, *self._who)
        admission = admission_of(origin, self._around)
        self._flood = Flood(self._identity, origin.vector, admission=admission)
        _log.info("node %s has the origin %d", self._who.name, origin.origin)
        tick, note = self._loops
        for loop, seconds in (
            (tick, self._around.limits.tick_seconds),
            (note, self._around.limits.note_seconds),
        ):
            if not loop.running:
                loop.start(seconds, now=False)
        self._diallers.start()
        self._choosing.start()

    def _note(self) -> None:
        """Note what siblings have, and look whether somebody has made the node another one."""
        flood = self._flood
        if flood is None:
            return
        self._own.ask()
        for connection, ending in over_by_now(tuple(self._linked.values()), self._around):
            self._end(connection, ending)
        self._notes.note(flood.streams)

    def _loop(self, happen: Callable[[], None]) -> Any:
        loop = LoopingCall(happen)
        loop.clock = cast(Any, self._around.clock)
        return loop

    # What happens on connections.

    def accepted(self, address: IAddress | None) -> SiblingConnection | None:
        """A sibling dials; None: there is no place for it, or nothing is known yet."""
        make_place(self._open.values(), self._around.limits.handshakes)
        host, port = getattr(address, "host", None), getattr(address, "port", "")
        return self._new_connection(UNIX if host is None else f"tcp:{host}:{port}", None)

    def dialled(self, dialler: Dialler) -> SiblingConnection | None:
        """See the port."""
        return self._new_connection(dialler.address, dialler)

    def is_linked(self, origin: int) -> bool:
        """See the port."""
        streams = self._flood.streams if self._flood else []
        return any(stream.peer.origin == origin for stream in streams)

    def made(self, connection: SiblingConnection) -> None:
        """See the port."""
        self._open[connection.number] = connection

    def opened(self, connection: SiblingConnection) -> None:
        """See the port."""
        self._linked[connection.number] = connection
        self._give(LinkOpened(connection.number, connection.dialled, bearer_of(connection)))

    def received(self, connection: SiblingConnection, message: Message) -> None:
        """See the port."""
        if isinstance(message, Hello):
            self._hellos.setdefault(connection.number, message)
        elif isinstance(message, Prune):
            self._database.unwanted(connection.number, message.number)
        self._give(Received(connection.number, message))
        if isinstance(message, Hello) and self._flood is not None:
            # Who was met is waited for from then on, however soon this node stops.
            self._notes.note(self._flood.streams)

    def broke(self, connection: SiblingConnection, ending: Ending) -> None:
        """See the port."""
        self._end(connection, ending)

    def lost(self, connection: SiblingConnection) -> None:
        """See the port."""
        number = connection.number
        self._open.pop(number, None)
        self._forget(number)
        hello, ending = self._hellos.pop(number, None), cast(Ending, connection.ending)
        if not self._diallers.ended(number, ending, hello.origin if hello else None):
            self._callers.ended(connection, hello, ending, self._around.clock.seconds())
        if hello is not None and not self.is_linked(hello.origin):
            self._diallers.uncover(hello.origin)
        if not self._open and self._closed is not None:
            closed, self._closed = self._closed, None
            closed.callback(None)

    def _new_connection(self, address: str, dialler: Dialler | None) -> SiblingConnection | None:
        if self._flood is None or len(self._open) >= self._around.limits.links:
            return None
        number = next(self._numbers)
        if dialler is not None:
            self._diallers.made(number, dialler)
        return SiblingConnection(number, dialler is not None, address, self, self._around)

    def _end(self, connection: SiblingConnection, ending: Ending) -> None:
        """Close, and say why if somebody has to do something about it."""
        if connection.is_over:
            return
        if ending.blame is not Blame.NOBODYS:
            connection.send(Refusal(ending.code, ending.text))
        connection.close(ending)
        self._forget(connection.number)

    def _refuse(self, link: int, text: str) -> None:
        """The database has found that a delta is none."""
        connection = self._linked.get(link)
        if connection is not None:
            self._end(connection, Ending(Blame.THEIRS, "delta.refused", text))

    def _forget(self, link: int) -> None:
        """A link has ended; once is enough."""
        if self._linked.pop(link, None) is not None:
            self._database.forget(link)
            self._give(LinkClosed(link))

    def _greeted(self, link: int) -> None:
        """The first message was taken; it may have made a link."""
        connection, stream = self._linked.get(link), self._stream(link)
        if connection is None or stream is None:
            return
        hello = stream.peer
        connection.greeted()
        self._callers.linked(hello, connection.address)
        self._diallers.greeted(link)

    def _cut_off(self, result: object, seconds: float) -> None:
        self._closed = None
        for connection in tuple(self._open.values()):
            connection.cut_off()

    # What follows from it.

    def _give(self, event: Event) -> None:
        """Let an event happen, after those that are happening; what follows is done in order."""
        self._events.append(event)
        if self._is_handling:
            return
        self._is_handling = True
        try:
            while self._events:
                self._handle(self._events.popleft())
        finally:
            self._is_handling = False

    def _handle(self, event: Event) -> None:
        flood = self._flood
        if flood is None:
            return
        try:
            for action in flood.handle(event):
                _CARRY_OUT[type(action)](self, action)
        except Exception:
            _log.exception("the links broke at %s", type(event).__name__)
            self._break(getattr(event, "link", 0))
            return
        if isinstance(event, Received) and isinstance(event.message, Hello):
            self._greeted(event.link)
        elif isinstance(event, Committed):
            self._around.metrics.deltas["in"].inc()

    def _stream(self, link: int) -> Stream | None:
        return self._flood.stream(link) if self._flood else None

    def _break(self, link: int) -> None:
        connection = self._linked.get(link)
        if connection is not None:
            self._end(connection, _BROKEN)

    def _send(self, action: Send) -> None:
        connection = self._linked.get(action.link)
        if connection is not None:
            if isinstance(action.message, Portion):
                self._around.metrics.deltas["out"].inc()
            connection.send(action.message)

    def _build(self, action: Build) -> None:
        self._database.build(action)

    def _apply(self, action: Apply) -> None:
        stream = self._stream(action.link)
        sender = stream.peer.origin if stream else action.portion.delta.sender
        self._database.apply(action, sender)

    def _close(self, action: Close) -> None:
        connection = self._linked.get(action.link)
        if connection is not None:
            ending = Ending(action.blame, printable(action.code), printable(action.text))
            connection.close(ending)
            self._forget(action.link)

    def _alarm(self, action: Alarm) -> None:
        _log.error("%s: %s", action.code, action.text)
        if action.code == RESTORED and self._identity is not None and not self._has_renewed:
            self._has_renewed = True
            begin(self._renew(self._identity.origin))

    async def _renew(self, former: int) -> None:
        """The node was set back: it gets a new origin. Once; nonsense must not draw any more."""
        try:
            await self._store.renew(former)
            self._own.ask()
        except ServiceError as error:
            _log.error("no new origin could be drawn in place of %d: %s", former, error)


_CARRY_OUT: Mapping[type[Action], Callable[..., None]] = {
    Send: HerdRoom._send,
    Build: HerdRoom._build,
    Apply: HerdRoom._apply,
    Close: HerdRoom._close,
    Alarm: HerdRoom._alarm,
}
