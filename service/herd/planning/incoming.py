"""The rows of a delta, each merged with the row here."""

from __future__ import annotations

from collections.abc import Collection

from records.merging import merge
from records.states import RowState
from service.herd.deltas import DeltaRow
from service.herd.planning.draft import DeltaRefused, Draft


def take(rows: Collection[DeltaRow], draft: Draft) -> None:
    """Merge rows into a draft.

    Raises DeltaRefused: some columns of a row cannot be merged unless the row is here, as it was
    born.
    """
    draft.load(row.place for row in rows)
    for row in rows:
        ours = draft.state(row.place)
        if not _mergeable(row, ours):
            raise DeltaRefused(f"the delta has only a part of the row {row.place}")
        _take(row, ours, draft)


def _mergeable(row: DeltaRow, ours: RowState | None) -> bool:
    if row.whole:
        return True
    if ours is None or row.state.life > ours.life:
        return False
    return row.state.life < ours.life or row.state.born <= ours.born


def _take(row: DeltaRow, ours: RowState | None, draft: Draft) -> None:
    if ours is None:
        draft.take(row.place, row.state)
        return
    state = merge(ours, row.state, draft.shape(row.table).groups)
    if state != ours:
        draft.take(row.place, state)
