"""What is kept of values that lost, and of repairs: both values, both versions and the rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from records.merging import Loss
from records.stamps import NEVER
from records.states import RowState
from service.herd.shapes import Place

LATER_WRITE = "later write"
"""Two nodes wrote a column, and neither had seen the other's value: the later one stands."""

OTHER_LIFE = "other life"
"""A row was written on one node while it was deleted, or deleted and made anew, on another."""

REVIVED = "revived"
"""A parent was deleted on one node and held on to on another: it lives again."""

TAKEN_ALONG = "taken along"
"""A row's parent was deleted on another node: it died with it."""

LET_GO = "let go"
"""What a row referred to was deleted on another node: its reference is empty now."""

UNIQUE = "unique"
"""Two rows claimed one unique value: the later one gave way."""

WITHDRAWN = "withdrawn"
"""Two rows claimed one unique value, and the later one could not be without it: it was deleted."""

DROPPED = "dropped"
"""What was held of a row was dropped, since somebody said so."""

NOT_HERE = "not here"
"""Some columns of a row came, and the row itself is not here: somebody took it away by hand."""


class JournalEntry(NamedTuple):
    """One row at which something was put aside or repaired.

    `life` is that of the row that the values come from. A loss without a version now (`NEVER`) has
    nothing in its place.
    """

    rule: str
    place: Place
    life: int
    losses: tuple[Loss, ...]


def whole_row(rule: str, place: Place, state: RowState) -> JournalEntry:
    """A live row that dies, with all its values."""
    gone = (
        Loss(column, value, state.version(column), None, NEVER)
        for column, value in state.values.items()
    )
    return JournalEntry(rule, place, state.life, tuple(gone))


def part_only(place: Place, state: RowState) -> JournalEntry:
    """Some columns of a row that is not here."""
    gone = (Loss(c, value, state.version(c), None, NEVER) for c, value in state.values.items())
    return JournalEntry(NOT_HERE, place, state.life, tuple(gone))


def some_columns(
    rule: str, place: Place, before: RowState, after: RowState, columns: Iterable[str]
) -> JournalEntry:
    """A live row some of whose columns are written anew."""
    lost = (
        Loss(c, before.values[c], before.version(c), after.values[c], after.version(c))
        for c in columns
    )
    return JournalEntry(rule, place, before.life, tuple(lost))
