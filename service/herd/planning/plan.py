"""What is to be written so that this node has what the delta brings, and every constraint holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
from service.herd.journal import JournalEntry
from service.herd.planning.claims import settle_claims
from service.herd.planning.conflicts import our_losses, their_losses
from service.herd.planning.draft import WRITER, DeltaRefused, Draft
from service.herd.planning.families import Family
from service.herd.planning.incoming import take
from service.herd.planning.waiting import let_wait
from service.herd.shapes import Place, Shapes
from service.herd.tables import Tables
from service.herd.vectors import Vector, includes

UNNUMBERED = 0
"""The position of an entry that has not been sealed."""


class Plan(NamedTuple):
    """What applying a delta, or a part of one, comes to.

    `rows` are the states that rows get; `kept` the sender's log entries that go with them, and
    `noted` those of this node's own repairs, still without positions. `journal` is what was put
    aside. `waiting` and `waiting_entries` are to come again with the next part.
    """

    rows: Mapping[Place, RowState]
    kept: tuple[LogEntry, ...]
    noted: tuple[LogEntry, ...]
    journal: tuple[JournalEntry, ...]
    waiting: tuple[DeltaRow, ...] = ()
    waiting_entries: tuple[LogEntry, ...] = ()


class Here(NamedTuple):
    """The node that applies: its origin, its vector, and the time in microseconds since 1970."""

    origin: int
    vector: Vector
    now: int


def plan(delta: Delta, tables: Tables, shapes: Shapes, here: Here) -> Plan:
    """Merge a delta with the rows here, and repair what cannot stand.

    The last part of a delta must bring along what waited of the parts before. Raises DeltaRefused.
    """
    if not includes(here.vector, delta.above):
        raise DeltaRefused("the delta is for a node that has more than this one")
    draft = Draft(tables, shapes, here.origin, here.now)
    take(delta.rows, draft)
    waiting = frozenset() if delta.last else let_wait(draft)
    merged = [row for row in delta.rows if row.place not in waiting]
    put_aside = [
        *our_losses(delta, draft, merged),
        *their_losses(delta, draft, merged, here.vector),
    ]
    if delta.last:
        _require_parents(draft)
        _settle(draft)
    return Plan(
        {place: draft.after[place] for place in sorted(draft.after, key=repr)},
        tuple(entry for entry in delta.entries if entry.place not in waiting),
        tuple(_own_entries(draft, here.origin)),
        (*put_aside, *draft.repairs()),
        tuple(row for row in delta.rows if row.place in waiting),
        tuple(entry for entry in delta.entries if entry.place in waiting),
    )


def _require_parents(draft: Draft) -> None:
    """The parents of live rows are in a sender's snapshot; a dead row's may be forgotten."""
    for edge in Family(draft).upward(filter(draft.alive, draft.after)):
        if draft.absent(edge.parent):
            raise DeltaRefused(f"{edge.child} comes without {edge.parent}, to which it refers")


def _settle(draft: Draft) -> None:
    """Repair until nothing is left: what one repair changes may need another."""
    withdrawn: set[Place] = set()
    changed = set(draft.after)
    while changed:
        Family(draft, withdrawn).settle(changed)
        changed = settle_claims(draft, withdrawn)


def _own_entries(draft: Draft, origin: int) -> Iterable[LogEntry]:
    """The entries for what repairs made of rows: one for each version that they wrote."""
    for place in sorted(draft.after, key=repr):
        before, after = draft.unrepaired(place), draft.after[place]
        if after is before or before is None:
            continue
        for kind, columns, stamp in _differences(before, after):
            yield LogEntry(origin, UNNUMBERED, *place, kind, columns, after.life, stamp, WRITER)


def _differences(before: RowState, after: RowState) -> Iterable[tuple[str, tuple[str, ...], int]]:
    """A death or birth, and what was written since, in the order of the versions."""
    if after.death is not None:
        return [(DELETE, (), after.death.died)]
    reborn = after.life != before.life
    written: dict[Version, list[str]] = {}
    for column in after.values:
        version = after.version(column)
        if version != (after.born if reborn else before.version(column)):
            written.setdefault(version, []).append(column)
    births = [(INSERT, (), after.born.stamp)] if reborn else []
    updates = [(UPDATE, tuple(written[v]), v.stamp) for v in sorted(written)]
    return [*births, *updates]
