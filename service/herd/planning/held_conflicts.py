"""Conflicts between what is held and what applications write here: they do not see what is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import DeltaRow
from service.herd.held import Held, belongs
from service.herd.journal import JournalEntry
from service.herd.planning.conflicts import told
from service.herd.planning.draft import Draft
from service.herd.shapes import Place


def held_losses(draft: Draft, rows: Iterable[DeltaRow], origin: int) -> Iterator[JournalEntry]:
    """What was written here over held values, and what they replace of that.

    The second is told when the row is released: until then the table has what was written.
    """
    for place in dict.fromkeys(row.place for row in rows):
        held, ours = draft.had(place), draft.before(place)
        if held is not None and ours is not None:
            yield from _written_over(held, ours, draft, origin)
            if draft.waits(place) is None:
                yield from _replaced(place, ours, draft, origin)


def _written_over(held: Held, ours: RowState, draft: Draft, origin: int) -> Iterator[JournalEntry]:
    """What waited, and the table's row has won."""
    waiting, place = held.row.state, held.row.place
    whole, _merged = draft.met(place)
    if whole is None or (belongs(held, ours) and not whole.alive):
        return
    shown = {c for c in waiting.values.keys() & ours.values.keys() if not _told(c, waiting, ours)}
    covered = _only(waiting, shown)
    yield from told(place, covered, whole, {v for v in _versions(covered) if v.origin != origin})
    # The same write may have brought columns that the table has, and others that it has not.
    hidden = _only(waiting, waiting.values.keys() - ours.values.keys())
    yield from told(place, hidden, whole, _versions(hidden))


def _told(column: str, waiting: RowState, ours: RowState) -> bool:
    """Whether the table's column tells of what waits: it shows it, or was written over it.

    Of another column of the same write that says nothing: this one may show the default that a
    migration gave to it.
    """
    version, slot = waiting.version(column), ours.slots.get(column)
    if ours.version(column) == version:
        return bool(ours.values[column] == waiting.values[column])
    return slot is not None and slot.over == version


def _only(state: RowState, columns: Set[str]) -> RowState:
    values = {column: value for column, value in state.values.items() if column in columns}
    return state._replace(values=values)


def _replaced(place: Place, ours: RowState, draft: Draft, origin: int) -> Iterator[JournalEntry]:
    """What was written here, and what waited has won."""
    whole, _merged = draft.met(place)
    if whole is not None:
        unseen = _versions(ours) - _overs(whole)
        yield from told(place, ours, whole, {v for v in unseen if v.origin == origin})


def _versions(state: RowState) -> set[Version]:
    return {state.version(column) for column in state.values}


def _overs(state: RowState) -> set[Version]:
    """What its writes are known to have overwritten."""
    return {slot.over for slot in state.slots.values()}
