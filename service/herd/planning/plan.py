"""What is to be written so that this node has what the delta brings, and every constraint holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
from service.herd.held import REFUSED, Held
from service.herd.journal import JournalEntry, part_only
from service.herd.planning.claims import settle_claims
from service.herd.planning.conflicts import our_losses, their_losses
from service.herd.planning.deaths import tell_again
from service.herd.planning.draft import WRITER, DeltaRefused, Draft
from service.herd.planning.families import Family
from service.herd.planning.held_conflicts import held_losses
from service.herd.planning.holding import follow_repairs, hold_orphans, outlived, stuck
from service.herd.planning.incoming import Bar, Bars, take
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

    `held` is to be stored, in the place of what was held of those rows; of `released` rows nothing
    is held any more.
    """

    rows: Mapping[Place, RowState]
    kept: tuple[LogEntry, ...]
    noted: tuple[LogEntry, ...]
    journal: tuple[JournalEntry, ...]
    waiting: tuple[DeltaRow, ...] = ()
    waiting_entries: tuple[LogEntry, ...] = ()
    held: tuple[Held, ...] = ()
    released: frozenset[Place] = frozenset()


NOTHING = Plan({}, (), (), ())
"""Nothing is to be written."""


class Here(NamedTuple):
    """The node that applies: its origin, its vector, and the time in microseconds since 1970."""

    origin: int
    vector: Vector
    now: int


NOBODY_REFUSES: Mapping[Place, str] = {}


def plan(
    delta: Delta,
    tables: Tables,
    shapes: Shapes,
    here: Here,
    refused: Mapping[Place, str] = NOBODY_REFUSES,
) -> Plan:
    """Merge a delta with the rows here, repair what cannot stand, and hold what cannot be written.

    The last part of a delta must bring along what waited of the parts before. `refused` are the
    rows that the database did not take when an earlier plan for this delta was carried out, and
    what it said. Raises DeltaRefused.
    """
    if not includes(here.vector, delta.above):
        raise DeltaRefused("the delta is for a node that has more than this one")
    bars = {place: Bar(REFUSED, text) for place, text in refused.items()}
    while True:
        draft = Draft(tables, shapes, here.origin, here.now)
        made = _drafted(delta, draft, here, bars)
        # Each time some more rows are barred, so this ends.
        more = stuck(draft, bars)
        if not more:
            return made
        bars.update(more)


def _drafted(delta: Delta, draft: Draft, here: Here, bars: Bars) -> Plan:
    """The plan if nothing but what is barred has to be held."""
    taken = take(delta, draft, bars, here.vector)
    waiting = frozenset() if delta.last else let_wait(draft)
    if delta.last:
        hold_orphans(draft)
    merged = [row for row in taken.rows if row.place not in waiting]
    put_aside = [
        *our_losses(delta, draft, merged),
        *their_losses(delta, draft, [*merged, *taken.outlived], here.vector),
        *held_losses(draft, merged, here.origin),
        *(part_only(row.place, row.state) for row in taken.stray),
    ]
    tell_again(delta, draft, merged, here.vector)
    if delta.last:
        _settle(draft)
    held = {**draft.newly_held(), **follow_repairs(draft)}
    return Plan(
        {place: draft.after[place] for place in sorted(draft.after, key=repr)},
        tuple(entry for entry in delta.entries if entry.place not in waiting),
        tuple(_own_entries(draft, here.origin)),
        (*put_aside, *draft.repairs()),
        tuple(row for row in delta.rows if row.place in waiting),
        tuple(entry for entry in delta.entries if entry.place in waiting),
        tuple(held[place] for place in sorted(held, key=repr)),
        draft.released() | outlived(draft),
    )


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
