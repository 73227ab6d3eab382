"""What one node lacks of another, as values."""

from __future__ import annotations

from typing import NamedTuple

from records.stamps import Version
from records.states import RowState
from service.herd.shapes import Key, Place
from service.herd.vectors import Vector

INSERT, UPDATE, DELETE = "insert", "update", "delete"


class LogEntry(NamedTuple):
    """One entry of an origin's changelog, as every node keeps it.

    `columns` are those that an update names; else there are none. `stamp` is in microseconds since
    1970, UTC.
    """

    origin: int
    position: int
    table: str
    key: Key
    kind: str
    columns: tuple[str, ...]
    life: int
    stamp: int
    writer: str

    @property
    def place(self) -> Place:
        """Which row it speaks of."""
        return self.table, self.key

    @property
    def version(self) -> Version:
        """The version of what was written."""
        return Version(self.stamp, self.origin)


class DeltaRow(NamedTuple):
    """A row as the sender has it: whole, or only the columns that changed."""

    table: str
    key: Key
    state: RowState
    whole: bool

    @property
    def place(self) -> Place:
        """Which row it is."""
        return self.table, self.key


class Delta(NamedTuple):
    """What the sender has and a node at the vector `above` has not.

    Who has applied it, and had everything of `above`, has everything of `covers`. `entries` are in
    the sender's order. One that was cut into parts is whole with the `last` one.

    A snapshot has `floors`: for each origin the position up to which the sender may have pruned
    entries. It names all rows that the sender knows, live and dead, and in `tables` the
    tables that it has: that it names no row of another one says nothing of that row.
    """

    sender: int
    above: Vector
    covers: Vector
    rows: tuple[DeltaRow, ...]
    entries: tuple[LogEntry, ...]
    last: bool = True
    floors: Vector | None = None
    tables: tuple[str, ...] | None = None
