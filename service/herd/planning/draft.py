"""The rows as they are to become, while a plan is being made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from records.states import Death, RowState, Value, born_again, changed, died
from service.herd import journal
from service.herd.deltas import DeltaRow
from service.herd.held import Held, state_to_send
from service.herd.journal import JournalEntry
from service.herd.shapes import Place, Reference, Shape, Shapes, shape_of
from service.herd.tables import Tables

WRITER = "herdbook:repair"
"""Who writes and deletes what a repair writes and deletes."""


class DeltaRefused(Exception):
    """The delta cannot come from a node that keeps the protocol; the text says why."""


class Draft:
    """The rows here, and above them those that a plan changes, and those that it holds.

    `held` is what waits of rows that came; `links` join each row that was repaired with those on
    whose account it was; `lost` rows are dead, and would have to live without a parent. `now` is in
    microseconds since 1970, UTC; `origin` writes the repairs.
    """

    def __init__(self, tables: Tables, shapes: Shapes, origin: int, now: int) -> None:
        self.tables = tables
        self.shapes = shapes
        self.after: dict[Place, RowState] = {}
        self.origin = origin
        self._now = now
        self._before: dict[Place, RowState | None] = {}
        self._merged: dict[Place, RowState] = {}
        self._repairs: dict[Place, list[JournalEntry]] = {}
        self._had: dict[Place, Held | None] = {}
        self._whole: dict[Place, tuple[RowState | None, RowState]] = {}
        self.held: dict[Place, Held] = {}
        self.lost: set[Place] = set()
        self.links: dict[Place, set[Place]] = defaultdict(set)

    def load(self, places: Iterable[Place]) -> None:
        """Read the rows that are not known yet, all at once."""
        wanted = [place for place in dict.fromkeys(places) if place not in self._before]
        if wanted:
            found = self.tables.rows(wanted)
            self._before.update((place, found.get(place)) for place in wanted)

    def load_held(self, places: Iterable[Place]) -> None:
        """Read what is held of rows, where that is not known yet, all at once."""
        wanted = [place for place in dict.fromkeys(places) if place not in self._had]
        if wanted:
            found = self.tables.held(wanted)
            self._had.update((place, found.get(place)) for place in wanted)

    def had(self, place: Place) -> Held | None:
        """What was held of a row before; it must have been loaded."""
        return self._had[place]

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
        """The row that a row refers to; None where it refers to none, or does not say."""
        values = self.known(place).values
        key = tuple(values.get(column) for column in reference.columns)
        return None if None in key else (reference.parent, key)

    def take(self, place: Place, state: RowState) -> None:
        """The row becomes what merging made of it."""
        self._merged[place] = self.after[place] = state

    def meet(self, place: Place, before: RowState | None, merged: RowState) -> None:
        """A row came: its state with what was held, and what merging made of that."""
        first, _merged = self._whole.get(place, (before, merged))
        self._whole[place] = first, merged

    def whole(self, place: Place) -> RowState | None:
        """The row's state with what is held of it; both must have been loaded."""
        if place in self._whole:
            return self._whole[place][1]
        return state_to_send(self._before[place], self._had[place])

    def met(self, place: Place) -> tuple[RowState | None, RowState]:
        """The state, with what is held, of a row that came: before merging, and after it."""
        return (
            self._whole[place] if place in self._whole else (self.before(place), self.known(place))
        )

    def holding(self, place: Place) -> Held | None:
        """What will be held of a row; what is held of it must have been loaded."""
        return self.held.get(place) if place in self._whole else self._had[place]

    def waits(self, place: Place) -> Held | None:
        """What will be held of a row, if that is all of it."""
        held = self.holding(place)
        return held if held is not None and held.row.whole else None

    def released(self) -> frozenset[Place]:
        """The rows that came of which nothing is held any more."""
        return frozenset(p for p in self._whole if self._had[p] is not None and p not in self.held)

    def newly_held(self) -> dict[Place, Held]:
        """What is to be held that was not held so before."""
        return {place: held for place, held in self.held.items() if held != self._had[place]}

    def lacking(self, table: str, state: RowState) -> list[str]:
        """The columns without which a live row cannot be written."""
        return sorted(self.shape(table).required - state.values.keys()) if state.alive else []

    def taken(self) -> Set[Place]:
        """The rows that become what merging made of them, or what repairs made of that."""
        return self._merged.keys()

    def repaired(self) -> list[Place]:
        """The rows that are not what merging made of them."""
        return [place for place in self.after if self.after[place] is not self.unrepaired(place)]

    def link(self, repaired: Place, other: Place) -> None:
        """A row was repaired on account of another one."""
        self.links[repaired].add(other)
        self.links[other].add(repaired)

    def put_back(self, place: Place) -> None:
        """The row stays as it is here, until it comes again."""
        self._merged.pop(place, None)
        self.after.pop(place, None)
        self.held.pop(place, None)
        self._whole.pop(place, None)

    def hold(self, place: Place, reason: str, text: str) -> None:
        """All that came of the row waits; the row here stays as it is."""
        self._merged.pop(place, None)
        self.after.pop(place, None)
        state = self._whole[place][1]
        self.held[place] = Held(DeltaRow(*place, state, whole=True), reason, text)

    def keep(self, place: Place) -> None:
        """What was held of a row that came stays as it is, and so does the row here."""
        had = self._had[place]
        assert had is not None, f"nothing was held of {place}"
        self.held[place] = had

    def kill(self, place: Place, rule: str) -> None:
        """The row is to die."""
        state = self.known(place)
        self._note(journal.whole_row(rule, place, state))
        self.after[place] = died(state, Death(self._now, WRITER))

    def die_again(self, place: Place) -> None:
        """The dead row is to die anew, of a higher life."""
        state = self.known(place)
        self.after[place] = state._replace(life=state.life + 2)

    def revive(self, place: Place) -> None:
        """The dead row is to live again, with its values."""
        state = self.known(place)
        self._note(JournalEntry(journal.REVIVED, place, state.life, ()))
        self.after[place] = born_again(state, self._now, self.origin)

    def write(self, place: Place, values: Mapping[str, Value], rule: str) -> None:
        """Columns of the live row are to be written."""
        before = self.known(place)
        groups = self.shape(place[0]).groups
        after = changed(before, values, self._now, self.origin, groups)
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

    def lose_too(self, place: Place, part: RowState) -> None:
        """A row that was killed had more columns than the table knows."""
        *others, last = self._repairs[place]
        more = journal.whole_row(last.rule, place, part).losses
        self._repairs[place] = [*others, last._replace(losses=(*last.losses, *more))]

    def repairs(self) -> list[JournalEntry]:
        """What the repairs put aside."""
        return [entry for entries in self._repairs.values() for entry in entries]

    def _note(self, entry: JournalEntry) -> None:
        self._repairs.setdefault(entry.place, []).append(entry)
