"""One run of a node: what is lost when it is killed. It carries out what the links want."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

from service.herd.deltas import Delta
from service.herd.flood import Flood
from service.herd.flood_alarms import APPLY_FAILED, BUILD_FAILED
from service.herd.flood_events import (
    ApplyFailed,
    BuildFailed,
    Built,
    Committed,
    Event,
    Grown,
    Ticked,
)
from service.herd.held import Held
from service.herd.link_actions import Action, Alarm, Apply, Blame, Build, Close, Send
from service.herd.link_greeting import Identity
from service.herd.messages import Message, Portion
from service.herd.parts import parts
from service.herd.planning.draft import DeltaRefused
from service.herd.planning.plan import Plan
from service.herd.shapes import Place
from service.herd.vectors import Vector
from service.herd.waiting_rows import Waiting
from service.simulation.durable import DurableNode
from service.simulation.horizon import note
from service.simulation.reasons import require_reasons, require_whole_rows
from service.simulation.rules import BrokenRule
from service.simulation.story import Applied, Happened, Read, Retried, Sealed
from service.simulation.timeline import TICK
from service.simulation.world import World

LONGEST_WORK = 20
"""Moments that a transaction takes at most, or a report of its end."""

ACTIONS_TO_DEATH = 12

WHOLE = 1_000_000
"""Rows of a part; no herd has as many."""

TICKS_TO_NOTE = 10
"""How often it is noted what siblings have."""


class Surroundings(Protocol):
    """What a process needs of the network."""

    def send(self, process: Process, link: int, message: Message) -> None:
        """Send a message over a link."""
        ...

    def close(self, process: Process, link: int) -> None:
        """Close a link after what was sent over it."""
        ...

    def died(self, process: Process) -> None:
        """A process is gone."""
        ...

    def halted(self, process: Process) -> None:
        """A process says nothing more, since its origin is not its own."""
        ...


class Process:
    """A running node. `fuse` counts the actions until it is killed; None: it is not going to be."""

    def __init__(self, node: DurableNode, run: int, world: World, around: Surroundings) -> None:
        identity = Identity(node.origin, run, node.name, "1")
        self.node = node
        self.flood = Flood(identity, node.vector, world.setting.manner)
        self.alive = True
        self.fuse: int | None = None
        self.failing = 0.0
        self._world = world
        self._around = around
        self._paused = False
        self._held: deque[Event] = deque()
        self._readings: dict[int, Iterator[Delta]] = {}
        self._waiting: dict[int, Waiting] = {}
        self._named: dict[int, tuple[int, set[Place]]] = {}
        self._ticks = 0
        self._sealing = False
        world.timeline.later(world.random.randint(1, TICK), self._tick)
        self.wrote()

    def give(self, event: Event) -> None:
        """Let an event happen to the node; later, if it is paused."""
        if not self.alive:
            return
        if self._paused:
            self._held.append(event)
            return
        for action in self.flood.handle(event):
            if self.fuse is not None:
                self.fuse -= 1
                if self.fuse < 0:
                    self.kill()
                    return
            _CARRY_OUT[type(action)](self, action)

    def pause(self) -> None:
        """Take no messages; what comes waits."""
        self._paused = True

    def resume(self) -> None:
        """Go on with what has come meanwhile."""
        self._paused = False
        while self._held and not self._paused:
            self.give(self._held.popleft())

    def kill(self) -> None:
        """End at once, without a word."""
        if self.alive:
            self.alive = False
            self._tell("is killed")
            self._around.died(self)

    def wrote(self) -> None:
        """Something may be committed here: seal it before long."""
        if not self._sealing and self.node.tables.unsealed:
            self._sealing = True
            self._later(self._world.setting.seal_delay, self._seal)

    def note(self) -> None:
        """Note what the siblings that are linked have."""
        if not self._paused and self.node.writable(self._world.timeline.now):
            note(self.node, self.flood.streams)

    def _tick(self) -> None:
        if self.alive:
            self._ticks += 1
            if self._ticks % TICKS_TO_NOTE == 0:
                self.note()
            self.give(Ticked())
            self._world.timeline.later(TICK, self._tick)

    def _later(self, longest: int, happen: Callable[..., None], *arguments: object) -> None:
        delay = int(self._world.random.random() * (longest + 1))
        self._world.timeline.later(delay, happen, *arguments)

    def _report(self, event: Event) -> None:
        """The end of some work becomes known to the links a little later."""
        self._later(LONGEST_WORK, self.give, event)

    def _seal(self) -> None:
        self._sealing = False
        if not self.alive:
            return
        if not self.node.writable(self._world.timeline.now):
            self.wrote()
            return
        self._sealed()
        self._report(Grown(self.node.vector))

    def _sealed(self) -> None:
        node, before = self.node, self.node.vector
        entries = node.seal()
        if entries:
            self._world.tell(node, Sealed(tuple(entries)))
            self._world.rules.moved(node, before)

    def _send(self, action: Send) -> None:
        self._world.rules.said(self.node, action.message)
        self._around.send(self, action.link, action.message)

    def _close(self, action: Close) -> None:
        if action.blame is Blame.THEIRS:
            text = f"{self.node.name} closes a link for what its peer did: {action.text}"
            raise BrokenRule(action.code, text)
        self._tell(f"closes link {action.link}: {action.text}")
        self._around.close(self, action.link)

    def _alarm(self, action: Alarm) -> None:
        if action.code in self.node.expected:
            self._tell(action.text)
            self._around.halted(self)
        elif action.code not in (APPLY_FAILED, BUILD_FAILED):
            raise BrokenRule(action.code, f"{self.node.name} raises an alarm: {action.text}")

    def _build(self, action: Build) -> None:
        self._later(LONGEST_WORK, self._read, action)

    def _read(self, action: Build) -> None:
        """Read a part of a delta; the first one takes the snapshot."""
        if not self.alive:
            return
        node, world = self.node, self._world
        if not node.may_read(world.timeline.now) or self._fails():
            self._report(BuildFailed(action.link, action.number, "the database does not answer"))
            return
        if action.part == 0:
            self._readings[action.link] = self._snapshot(action)
        part = next(self._readings[action.link])
        self._report(Built(action.link, action.number, action.part, part))

    def _snapshot(self, action: Build) -> Iterator[Delta]:
        self._sealed()
        delta = self.node.delta(action.above)
        setting, is_snapshot = self._world.setting, delta.floors is not None
        self._world.counts["snapshots"] += is_snapshot
        self._world.tell(self.node, Read(action.link, delta))
        # The rows of a snapshot have no entries to go with them: who has a part of one, and is
        # asked by a third, tells of changes to rows that it cannot tell of.
        whole = is_snapshot and setting.nodes > 2
        return parts(delta, self.node.shapes, WHOLE if whole else setting.most_rows)

    def _apply(self, action: Apply) -> None:
        self._later(LONGEST_WORK, self._commit, action.link, action.portion)

    def _commit(self, link: int, portion: Portion) -> None:
        """Apply a part in one transaction; the last one with all that waited."""
        if not self.alive:
            return
        node, world = self.node, self._world
        number, part, delta = portion
        if not node.writable(world.timeline.now) or self._fails():
            self._report(ApplyFailed(link, number, part, "the database refuses"))
            return
        waiting, named = self._what_waits(link, number), self._what_is_named(link, portion)
        if delta.last:
            delta = waiting.with_last(delta)
        vector = node.vector
        try:
            plan = node.apply(delta, node.clock.read(world.timeline.date), named)
        except DeltaRefused as refused:
            raise BrokenRule(
                "refused", f"{node.name}: {refused}", [row.place for row in delta.rows]
            ) from refused
        if not delta.last:
            self._waiting[link] = waiting.and_more(plan)
        world.counts["waited"] += len(plan.waiting)
        world.counts["deltas"] += 1
        world.tell(node, Applied(number, part, delta, plan))
        self._carried_out(plan, vector)
        woken = node.woken(plan)
        if woken:
            self.retry(woken)
        self._report(Committed(link, number, part, node.vector))

    def retry(self, helds: Collection[Held] | None = None) -> None:
        """Try again what is held, in one transaction; None: all of it."""
        node, world = self.node, self._world
        plan = node.retry(node.clock.read(world.timeline.date), helds)
        world.counts["retried"] += 1
        world.tell(node, Retried(plan))
        self._carried_out(plan, node.vector)

    def _carried_out(self, plan: Plan, vector: Vector) -> None:
        """A transaction of the herd's was committed; the vector was another one before."""
        node, world = self.node, self._world
        world.counts["held"] += len(plan.held)
        world.rules.committed(node, plan.rows)
        world.rules.moved(node, vector)
        require_whole_rows(node, plan)
        require_reasons(node, plan)
        self.wrote()

    def _what_waits(self, link: int, number: int) -> Waiting:
        """The rows of this delta; those of one that broke off are dropped."""
        waiting = self._waiting.pop(link, None)
        return waiting if waiting and waiting.number == number else Waiting(number)

    def _what_is_named(self, link: int, portion: Portion) -> set[Place]:
        """The rows that the parts of a snapshot have named so far, this one among them."""
        number, _part, delta = portion
        if delta.floors is None:
            return set()
        known, named = self._named.get(link, (0, set()))
        if known != number:
            named = set()
        named.update(row.place for row in delta.rows)
        self._named[link] = number, named
        return named

    def _fails(self) -> bool:
        return self.failing > 0 and self._world.random.random() < self.failing

    def _tell(self, text: str) -> None:
        self._world.tell(self.node, Happened(text, weighty=True))


_CARRY_OUT: Mapping[type[Action], Callable[..., None]] = {
    Send: Process._send,
    Build: Process._build,
    Apply: Process._apply,
    Close: Process._close,
    Alarm: Process._alarm,
}
