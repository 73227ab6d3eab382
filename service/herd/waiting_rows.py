"""What of a delta in parts could not stand yet; it is lost when its node's process ends."""

from __future__ import annotations

from typing import NamedTuple

from service.herd.deltas import Delta, DeltaRow, LogEntry
from service.herd.planning.plan import Plan


class Waiting(NamedTuple):
    """The rows of a delta that could not stand in the parts before."""

    number: int
    rows: tuple[DeltaRow, ...] = ()
    entries: tuple[LogEntry, ...] = ()

    def and_more(self, plan: Plan) -> Waiting:
        """These, and those of one more part."""
        entries = self.entries + plan.waiting_entries
        return Waiting(self.number, self.rows + plan.waiting, entries)

    def with_last(self, delta: Delta) -> Delta:
        """The last part with all that waited."""
        return delta._replace(rows=self.rows + delta.rows, entries=self.entries + delta.entries)
