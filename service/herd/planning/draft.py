"""The rows as they are to become, while a plan is being made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from records.states import Death, RowState, Value, born_again, changed, died
from service.herd import journal
from service.herd.journal import JournalEntry
from service.herd.shapes import Place, Reference, Shape, Shapes, shape_of
from service.herd.tables import Tables

WRITER = "herdbook:repair"
"""Who writes and deletes what a repair writes and deletes."""


class DeltaRefused(Exception):
    """The delta cannot come from a node that keeps the protocol; the text says why."""


class Draft:
    """The rows here, and above them those that a plan changes.

    `now` is in microseconds since 1970, UTC; `origin` writes the repairs.
    """

    def __init__(self, tables: Tables, shapes: Shapes, origin: int, now: int) -> None:
        self.tables = tables
        self.shapes = shapes
        self.after: dict[Place, RowState] = {}
        self._origin = origin
        self._now = now
        self._before: dict[Place, RowState | None] = {}
        self._merged: dict[Place, RowState] = {}
        self._repairs: dict[Place, list[JournalEntry]] = {}

    def load(self, places: Iterable[Place]) -> None:
        """Read the rows that are not known yet, all at once."""
        wanted = [place for place in dict.fromkeys(places) if place not in self._before]
        if wanted:
            found = self.tables.rows(wanted)
            self._before.update((place, found.get(place)) for place in wanted)

    def state(self, place: Place) -> RowState | None:
        """The row as it is to become; it must have been loaded."""
        planned = self.after.get(place)
        return self._before[place] if planned is None else planned

    def alive(self, place: Place) -> bool:
        """Whether the row will be there."""
        state = self.state(place)
        return state is not None and state.alive

    def before(self, place: Place) -> RowState | None:
        """The row as it is here; it must have been loaded."""
        return self._before[place]

    def absent(self, place: Place) -> bool:
        """Whether there is neither such a row nor a dead one."""
        return self.state(place) is None

    def known(self, place: Place) -> RowState:
        """The row as it is to become, where there is one, live or dead."""
        state = self.state(place)
        assert state is not None, f"{place} is neither here nor in the delta"
        return state

    def unrepaired(self, place: Place) -> RowState | None:
        """The row as it would be without repairs."""
        return self._merged[place] if place in self._merged else self._before[place]

    def shape(self, table: str) -> Shape:
        """What is known of a table; of an unknown one nothing has to hold."""
        return shape_of(self.shapes, table)

    def parent(self, place: Place, reference: Reference) -> Place | None:
        """The row that a row refers to; None where it refers to none."""
        values = self.known(place).values
        key = tuple(values[column] for column in reference.columns)
        return None if None in key else (reference.parent, key)

    def take(self, place: Place, state: RowState) -> None:
        """The row becomes what merging made of it."""
        self._merged[place] = self.after[place] = state

    def put_back(self, place: Place) -> None:
        """The row stays as it is here, until it comes again."""
        del self._merged[place], self.after[place]

    def kill(self, place: Place, rule: str) -> None:
        """The row is to die."""
        state = self.known(place)
        self._note(journal.whole_row(rule, place, state))
        self.after[place] = died(state, Death(self._now, WRITER))

    def revive(self, place: Place) -> None:
        """The dead row is to live again, with its values."""
        state = self.known(place)
        self._note(JournalEntry(journal.REVIVED, place, state.life, ()))
        self.after[place] = born_again(state, self._now, self._origin)

    def write(self, place: Place, values: Mapping[str, Value], rule: str) -> None:
        """Columns of the live row are to be written."""
        before = self.known(place)
        after = changed(before, values, self._now, self._origin)
        self._note(journal.some_columns(rule, place, before, after, values))
        self.after[place] = after

    def withdraw(self, place: Place) -> None:
        """The row is not to be there: it stays dead, or dies."""
        original = self.unrepaired(place)
        if original is None or original.alive:
            self.kill(place, journal.WITHDRAWN)
        else:
            self.after[place] = original
            self._repairs.pop(place, None)

    def repairs(self) -> list[JournalEntry]:
        """What the repairs put aside."""
        return [entry for entries in self._repairs.values() for entry in entries]

    def _note(self, entry: JournalEntry) -> None:
        self._repairs.setdefault(entry.place, []).append(entry)
