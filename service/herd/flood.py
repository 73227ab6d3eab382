"""A node among its neighbours, without I/O: events in, actions out.

    flood = Flood(identity, vector, manner)
    for action in flood.handle(event):
        ...carry it out; the outcomes of Build and Apply come back as events...

The laws: what is said is committed; one delta at most is on its way in each direction of a link,
and one part at most is being applied; what a link lacks and may get is begun after every event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias

from service.herd.admission import EVERYBODY, Admission, refused_at_once, refused_hello
from service.herd.flood_alarms import APPLY_FAILED, BUILD_FAILED, Troubles
from service.herd.flood_asking import questions, second_way
from service.herd.flood_clones import Clones
from service.herd.flood_events import (
    Admissions,
    ApplyFailed,
    BuildFailed,
    Built,
    Committed,
    Event,
    Grown,
    LinkClosed,
    LinkOpened,
    Received,
    Ticked,
)
from service.herd.flood_halting import Halted, close_halted, halted_by, look, open_halted
from service.herd.flood_turns import Turns
from service.herd.flood_twins import part, surplus
from service.herd.link import Link, Phase
from service.herd.link_actions import Action, Alarm, Blame, Close
from service.herd.link_greeting import Identity, Refused
from service.herd.link_roles import Manner, prunes
from service.herd.link_stream import Stream
from service.herd.messages import Hello, Message, Portion
from service.herd.vectors import Vector, includes, joined


class Running(Enum):
    """The state that owns nothing."""

    RUNNING = "running"


State: TypeAlias = Running | Halted


class Flood:
    """All links of a node. `ours` is what the node has committed, as far as it was told."""

    def __init__(
        self,
        us: Identity,
        ours: Vector,
        manner: Manner = Manner.TREE,
        admission: Admission = EVERYBODY,
    ) -> None:
        self.ours = ours
        self.state: State = Running.RUNNING
        self._us = us
        self._manner = manner
        self._admission = admission
        self._links: dict[int, Link] = {}
        self._turns = Turns()
        self._troubles = Troubles()
        self._clones = Clones()
        self._now = 0

    @property
    def streams(self) -> list[Stream]:
        """The links on which both sides know each other."""
        return [link.stream for link in self._links.values() if link.stream]

    @property
    def halting(self) -> Alarm | None:
        """Why the node says nothing more, if it does not."""
        return self.state.alarm if isinstance(self.state, Halted) else None

    @property
    def alarms(self) -> list[Alarm]:
        """What is wrong at present."""
        halting = [self.halting] if self.halting else []
        return [*halting, *self._clones.present, *self._troubles.present]

    def stream(self, number: int) -> Stream | None:
        """What a link is, if both sides know each other."""
        link = self._links.get(number)
        return link.stream if link else None

    def handle(self, event: Event) -> list[Action]:
        """What follows from an event, in the order in which it is to be done."""
        if isinstance(self.state, Halted):
            return self._turn_away(event, self.state)
        before = self.ours
        actions = _HANDLERS[type(event)](self, event)
        actions += self._serve()
        everybody = self.ours is not before or isinstance(event, Ticked | Grown)
        for stream in self.streams if everybody else self._streams_of(event):
            actions += stream.push(self.ours)
        return actions

    def _opened(self, event: LinkOpened) -> list[Action]:
        link = self._new_link(event)
        refused = refused_at_once(event.bearer, self._admission)
        if refused is not None:
            return link.refuse(*refused)
        self._links[event.link] = link
        return link.open(self.ours)

    def _new_link(self, event: LinkOpened) -> Link:
        return Link(event.link, self._us, event.dialled, self._manner, event.bearer)

    def _received(self, event: Received) -> list[Action]:
        link = self._links.get(event.link)
        if link is None:
            return []
        refused = self._refused(link, event.message)
        if refused is not None:
            self._forget(event.link)
            return link.refuse(*refused)
        actions = link.receive(event.message, self.ours)
        alarm = next((action for action in actions if isinstance(action, Alarm)), None)
        if alarm is not None:
            return self._halt(halted_by(alarm, event.message, self._now))
        if link.state is Phase.CLOSED:
            self._forget(event.link)
        elif link.stream and isinstance(event.message, Hello):
            actions += self._meet(link, event.message)
        elif link.stream and isinstance(event.message, Portion):
            actions += self._decline_second_way(event.message, link.stream)
        return actions

    def _refused(self, link: Link, message: Message) -> Refused | None:
        """What stands against a first message before it is listened to: it can stop this node."""
        if not isinstance(message, Hello):
            return None
        return refused_hello(link.bearer, self._admission, message)

    def _admit(self, event: Admissions) -> list[Action]:
        """Who is linked and refused since is told so, and is linked no more."""
        self._admission = event.admission
        actions: list[Action] = []
        for stream in self.streams:
            link = self._links[stream.link]
            refused = self._refused(link, stream.peer)
            if refused is not None:
                self._forget(link.number)
                actions += link.refuse(*refused)
        return actions

    def _closed(self, event: LinkClosed) -> list[Action]:
        self._forget(event.link)
        return []

    def _grown(self, event: Grown) -> list[Action]:
        self._grow(event.vector)
        return []

    def _built(self, event: Built) -> list[Action]:
        self._grow(event.delta.covers)
        self._troubles.over(BUILD_FAILED, event.link)
        stream = self.stream(event.link)
        return stream.built(event.number, event.part, event.delta) if stream else []

    def _build_failed(self, event: BuildFailed) -> list[Action]:
        stream = self.stream(event.link)
        if stream is None:
            return []
        stream.sender.failed(event.number)
        return [*self._troubles.begin(BUILD_FAILED, event.link, event.text)]

    def _committed(self, event: Committed) -> list[Action]:
        self._grow(event.vector)
        self._troubles.over(APPLY_FAILED, event.link)
        portion = self._turns.finish(event.link, event.number, event.part)
        stream = self.stream(event.link)
        return stream.committed(portion, self.ours) if stream and portion else []

    def _apply_failed(self, event: ApplyFailed) -> list[Action]:
        self._turns.finish(event.link, event.number, event.part)
        if event.link not in self._links:
            return []
        self._turns.rest(event.link)
        return [*self._troubles.begin(APPLY_FAILED, event.link, event.text)]

    def _ticked(self, _event: Ticked) -> list[Action]:
        self._pass_time()
        streams, actions = self.streams, []
        for stream in streams:
            stream.tick(self.ours)
            if includes(stream.theirs, self.ours):
                self._troubles.over(BUILD_FAILED, stream.link)
        for stream, wanted in questions(self.ours, streams):
            actions += stream.ask(wanted, self.ours, self._now)
        for stream in streams:
            actions += stream.tell(self.ours)
        return actions

    def _serve(self) -> list[Action]:
        """Look at what waits, until something is being applied or nothing is left."""
        actions: list[Action] = []
        while (number := self._turns.next(self._ready())) is not None:
            actions += self._look_at(self._links[number])
        return actions

    def _ready(self) -> list[int]:
        return [stream.link for stream in self.streams if stream.receiver.head is not None]

    def _look_at(self, link: Link) -> list[Action]:
        """Apply what comes next over a link, unless it brings nothing or would leave a gap."""
        stream = link.stream
        portion = stream.receiver.head if stream else None
        if stream is None or portion is None:
            return []
        if includes(self.ours, portion.delta.covers):
            # It came another way: whatever kept it from being applied is over.
            self._troubles.over(APPLY_FAILED, link.number)
            return stream.duplicate(portion, self.ours)
        if includes(self.ours, portion.delta.above):
            return [self._turns.take(link.number, portion)]
        self._forget(link.number)
        text = f"delta {portion.number} begins above what this node has"
        return link.refuse(Blame.THEIRS, "portion.gap", text)

    def _decline_second_way(self, portion: Portion, stream: Stream) -> list[Action]:
        """A delta in parts begins: it is not wanted while others bring the same."""
        begins = portion.part == 0 and not portion.delta.last and prunes(self._manner)
        if begins and second_way(self.ours, stream, self.streams):
            return stream.decline(portion.number)
        return []

    def _meet(self, newest: Link, hello: Hello) -> list[Action]:
        """Somebody has greeted: two links are one too many, and two nodes of one origin too."""
        known = self._clones.present
        alarm = self._clones.greeted(hello, newest.number, self._now)
        if alarm is not None:
            told = [] if alarm in known else [alarm]
            return [*told, *self._close_all_of(hello.origin, alarm)]
        twin = surplus(self._us, newest, self._links.values())
        if twin is None:
            return []
        self._forget(twin.number)
        return part(twin, newest)

    def _close_all_of(self, origin: int, alarm: Alarm) -> list[Action]:
        """Nobody of this origin is linked: which of them is right a person has to say."""
        links = [self._links[each.link] for each in self.streams if each.peer.origin == origin]
        actions: list[Action] = []
        for link in links:
            self._forget(link.number)
            actions += link.refuse(Blame.THEIRS, *alarm)
        return actions

    def _halt(self, halted: Halted) -> list[Action]:
        """Say nothing more: what is said would give positions that are given."""
        self.state, alarm = halted, halted.alarm
        actions: list[Action] = [alarm]
        for link in tuple(self._links.values()):
            self._forget(link.number)
            actions += link.refuse(Blame.OURS, *alarm)
        return actions

    def _turn_away(self, event: Event, halted: Halted) -> list[Action]:
        """What a halted node does. What was on its way is noted when it has come to its end."""
        match event:
            case LinkOpened(number):
                link = self._new_link(event)
                refused = refused_at_once(event.bearer, self._admission)
                if refused is not None:
                    return link.refuse(*refused)
                if halted.looks:
                    self._links[number] = link
                return open_halted(link, self.ours, halted)
            case Received(number, message):
                return self._look(number, message, halted)
            case Ticked():
                self._pass_time()
                return self._go_on(halted)
        return _HANDLERS[type(event)](self, event)

    def _look(self, number: int, message: Message, halted: Halted) -> list[Action]:
        """The first message over a link that was refused."""
        link = self._links.pop(number, None)
        if link is None:
            return []
        refused = self._refused(link, message)
        if refused is not None:
            return [Close(number, *refused)]
        self.state = halted = look(self._us, message, halted, self._now)
        return [*close_halted((number,), halted), *self._go_on(halted)]

    def _go_on(self, halted: Halted) -> list[Action]:
        """If what halted the node is over, whoever was refused may come again."""
        if not halted.is_over(self._now):
            return []
        self.state = Running.RUNNING
        links, self._links = self._links, {}
        return close_halted(links, halted)

    def _pass_time(self) -> None:
        self._now += 1
        self._turns.tick()
        self._clones.tick(self._now)

    def _grow(self, vector: Vector) -> None:
        if not includes(self.ours, vector):
            self.ours = joined(self.ours, vector)

    def _forget(self, link: int) -> None:
        self._links.pop(link, None)
        self._turns.forget(link)
        self._troubles.forget(link)

    def _streams_of(self, event: Event) -> list[Stream]:
        stream = self.stream(getattr(event, "link", 0))
        return [stream] if stream else []


_HANDLERS: Mapping[type, Callable[..., list[Action]]] = {
    LinkOpened: Flood._opened,
    Received: Flood._received,
    LinkClosed: Flood._closed,
    Grown: Flood._grown,
    Admissions: Flood._admit,
    Built: Flood._built,
    BuildFailed: Flood._build_failed,
    Committed: Flood._committed,
    ApplyFailed: Flood._apply_failed,
    Ticked: Flood._ticked,
}
