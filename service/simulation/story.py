"""What happened, as values; nothing is put into words before somebody wants to read it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from records.states import RowState
from service.herd.deltas import Delta, LogEntry
from service.herd.planning.plan import Plan
from service.herd.shapes import Place


class Wrote(NamedTuple):
    """An application's transaction: each row as it was and as it is."""

    rows: tuple[tuple[Place, RowState | None, RowState], ...]


class Sealed(NamedTuple):
    """What was committed got its positions."""

    entries: tuple[LogEntry, ...]


class Read(NamedTuple):
    """A delta for a neighbour was read."""

    link: int
    delta: Delta


class Applied(NamedTuple):
    """A part of a delta was applied."""

    number: int
    part: int
    delta: Delta
    plan: Plan


class Retried(NamedTuple):
    """What was held was tried again."""

    plan: Plan


class Happened(NamedTuple):
    """Anything else that a node did or that was done to it; `weighty` if it is always told."""

    text: str
    weighty: bool = False


Event: TypeAlias = Wrote | Sealed | Read | Applied | Retried | Happened


class Moment(NamedTuple):
    """When something happened, and to whom."""

    now: int
    node: str
    event: Event


Story: TypeAlias = list[Moment]
