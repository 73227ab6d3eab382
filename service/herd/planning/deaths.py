"""Deaths that are told again, since a birth came that they had not seen.

A dead row beats a birth of a lower life. But who has forgotten the death takes the birth: for that
node nothing was there. So whoever sees both lets the row die anew, as a write of its own, and
wherever it lives it dies of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import INSERT, Delta, DeltaRow
from service.herd.planning.conflicts import pruned_unseen
from service.herd.planning.draft import Draft
from service.herd.shapes import Place
from service.herd.vectors import Vector


def tell_again(delta: Delta, draft: Draft, rows: Iterable[DeltaRow], vector: Vector) -> None:
    """Let die anew what is dead now, and lived on one side without the other's having seen it born.

    The draft holds the rows merged and not yet repaired; `vector` is this node's. What waits is
    left alone.
    """
    dead = [row for row in rows if _is_dead(draft, row.place)]
    theirs: dict[Place, RowState] = {}
    ours: dict[Place, RowState] = {}
    for row in dead:
        before = draft.met(row.place)[0]
        if before is not None and before.born == row.state.born:
            # Whoever died had been born so: the death has seen that birth.
            continue
        if row.state.alive:
            theirs[row.place] = row.state
        elif before is not None and before.alive:
            ours[row.place] = before
    for place in _born_unseen_there(delta, vector, theirs) | _born_unseen_here(delta, draft, ours):
        draft.die_again(place)


def _is_dead(draft: Draft, place: Place) -> bool:
    state = draft.state(place)
    return state is not None and not state.alive and draft.waits(place) is None


def _born_unseen_there(delta: Delta, vector: Vector, lived: dict[Place, RowState]) -> Set[Place]:
    """Those of the sender's rows of whose birth this node has not heard."""
    pruned = pruned_unseen(delta, delta.floors or {}, vector)
    told = {
        entry.place
        for entry in delta.entries
        if entry.kind == INSERT
        and entry.place in lived
        and entry.life == lived[entry.place].life
        and entry.position > vector.get(entry.origin, 0)
    }
    return told | {place for place, state in lived.items() if state.born.origin in pruned}


def _born_unseen_here(delta: Delta, draft: Draft, lived: dict[Place, RowState]) -> Set[Place]:
    """Those of the rows here of whose birth the sender has not heard."""
    if not lived:
        return frozenset()
    pruned = pruned_unseen(delta, draft.tables.floors(), delta.covers)
    unseen = draft.tables.unseen(delta.covers, lived)
    return {
        place
        for place, state in lived.items()
        if _told_of(state, unseen.get(place, ())) or state.born.origin in pruned
    }


def _told_of(state: RowState, writes: Iterable[Version]) -> bool:
    """Whether one of these is a row's birth.

    The stamps tell: a node that has drawn a new origin tells of its births under that one.
    """
    return state.born.stamp in {version.stamp for version in writes}
