"""Conflicts: a value is put aside though the side whose value stands had not seen it.

The delta says what the sender had (`covers`), and our changelog which writes lie above that; the
delta's own entries above our vector are what we had not. Parts of a delta that broke off at the
sender are not in `covers`: a write that it had in such a part counts as unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set

from records.merging import losses
from records.stamps import NEVER, Version
from records.states import RowState
from service.herd.deltas import DELETE, Delta, DeltaRow
from service.herd.journal import LATER_WRITE, OTHER_LIFE, JournalEntry
from service.herd.planning.draft import Draft
from service.herd.shapes import Place
from service.herd.vectors import Vector

_NONE: frozenset[Version] = frozenset()


def our_losses(delta: Delta, draft: Draft, rows: Iterable[DeltaRow]) -> list[JournalEntry]:
    """What was written here, was not seen there, and does not stand any more.

    The draft holds the rows merged and not yet repaired.
    """
    doubtful = {
        row.place: ours
        for row in rows
        if (ours := draft.met(row.place)[0]) is not None
        and _may_lose(row, ours, draft.met(row.place)[1])
    }
    if not doubtful:
        return []
    unseen = draft.tables.unseen(delta.covers, doubtful)
    pruned = pruned_unseen(delta, draft.tables.floors(), delta.covers)
    theirs = {row.place: row.state for row in rows} if pruned else {}
    return _put_aside(
        (
            (p, ours, draft.met(p)[1], unseen.get(p, _NONE) | _untold(ours, theirs.get(p), pruned))
            for p, ours in doubtful.items()
        ),
    )


def their_losses(
    delta: Delta, draft: Draft, rows: Collection[DeltaRow], vector: Vector
) -> list[JournalEntry]:
    """What was written there, was not seen at our vector, and does not come to stand here.

    Among the rows there may be some that are not to be merged, since their lives are over.
    """
    news: dict[Place, set[Version]] = {}
    for entry in delta.entries:
        if entry.kind != DELETE and entry.position > vector.get(entry.origin, 0):
            news.setdefault(entry.place, set()).add(entry.version)
    kept = {row.place: _kept(draft, row) for row in rows}
    pruned = pruned_unseen(delta, delta.floors or {}, vector)
    if pruned:
        for row in rows:
            untold = _untold(row.state, draft.met(row.place)[0], pruned)
            news.setdefault(row.place, set()).update(untold)
    losing = [row for row in rows if losses(row.state, kept[row.place], news.get(row.place, _NONE))]
    if not losing:
        return []
    # Parts of a delta that broke off may have brought some of it here, above our vector.
    here = draft.tables.unseen(vector, {row.place for row in losing})
    return _put_aside(
        (r.place, r.state, kept[r.place], news[r.place] - here.get(r.place, _NONE)) for r in losing
    )


def _kept(draft: Draft, row: DeltaRow) -> RowState:
    """What is known of a row after merging; of one that is long gone nothing is."""
    merged = draft.whole(row.place)
    return RowState(row.state.life + 1, NEVER, {}, {}) if merged is None else merged


def pruned_unseen(delta: Delta, floors: Vector, vector: Vector) -> Set[int]:
    """The origins of which a node at a vector lacks what was pruned; only with a snapshot."""
    if delta.floors is None:
        return frozenset()
    return {origin for origin, floor in floors.items() if floor > vector.get(origin, 0)}


def _untold(state: RowState, other: RowState | None, pruned: Set[int]) -> Set[Version]:
    """What a state shows of pruned writes, as far as the other state does not tell of them.

    The other side may have had some of it all the same: that is an entry too many, and none lost.
    """
    if not pruned or other is None:
        return _NONE
    shown = {v for column in state.values if (v := state.version(column)).origin in pruned}
    had = {other.version(column) for column in other.values}
    return shown - had - {slot.over for slot in other.slots.values()}


def _may_lose(row: DeltaRow, ours: RowState, merged: RowState) -> bool:
    """Whether a value of ours gives way to one that may have been written without seeing it."""
    if not ours.alive or merged is ours:
        return False
    return merged.life > ours.life or any(_overruled(c, ours, merged) for c in row.state.values)


def _overruled(column: str, ours: RowState, merged: RowState) -> bool:
    our_version, version = ours.version(column), merged.version(column)
    if column not in ours.values or our_version == version:
        return False
    # What one origin wrote twice it has seen; and what a write names as overwritten.
    slot = merged.slots.get(column)
    seen = our_version.origin == version.origin or (slot is not None and slot.over == our_version)
    return version < our_version or not seen


def _put_aside(
    found: Iterable[tuple[Place, RowState, RowState, Set[Version]]],
) -> list[JournalEntry]:
    return [entry for one in found for entry in told(*one)]


def told(
    place: Place, loser: RowState, merged: RowState, unseen: Set[Version]
) -> Iterator[JournalEntry]:
    """The entry for what of a state was lost in a merge; none if nothing was."""
    lost = losses(loser, merged, unseen) if unseen else []
    if lost:
        rule = LATER_WRITE if merged.life == loser.life else OTHER_LIFE
        yield JournalEntry(rule, place, loser.life, tuple(lost))
