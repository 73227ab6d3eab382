"""Conflicts between what is held and what applications write here: they do not see what is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    unseen = _versions(waiting) - _versions(ours) - _overs(ours)
    yield from told(place, waiting, whole, {v for v in unseen if v.origin != origin})
    # The same write may have brought columns that the table has, and others that it has not.
    unknown = {c: value for c, value in waiting.values.items() if c not in ours.values}
    hidden = waiting._replace(values=unknown)
    yield from told(place, hidden, whole, _versions(hidden) - unseen)


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
