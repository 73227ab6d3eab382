"""What comparing two nodes needs of each: sums, digests and states of its rows, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from records.states import RowState
from service.herd.digests import Sums
from service.herd.vectors import Vector

MOST_PHANTOMS = 8
MOST_BUCKETS = 1_000
MOST_KEYS = 500
MOST_ROWS = 100_000
"""Rows of one answer; each is some hundred bytes of it."""


@dataclass(frozen=True)
class Moment:
    """What a node had when it was read.

    `unsealed` are changes that are committed and have no position yet; no vector tells of them.
    `horizon` is the highest position that is no longer kept. `held` are the rows that wait.
    """

    origin: int
    vector: Vector
    unsealed: int
    horizon: int
    held: int


@dataclass(frozen=True)
class TableSeen:
    """A captured table: its columns by what names them to siblings, and about how many rows."""

    name: str
    columns: Mapping[str, str]
    rows: int


class TableSums(NamedTuple):
    """The sums of all rows of a table by bucket, and how many of the rows are deleted ones."""

    sums: Sums
    dead: int


class Digested(NamedTuple):
    """A row's key as bytes, and its digest."""

    key: bytes
    digest: int


@dataclass(frozen=True)
class RowSeen:
    """A row as it stands.

    `state` is None where `problem` says why it cannot be read. `stamp` and `origin` are what the
    row itself names as its latest version. `moving` says that it has changes which the other node
    cannot have yet. `shown` is the key for people.
    """

    key: bytes
    shown: Sequence[object]
    state: RowState | None
    stamp: int
    origin: int
    moving: bool
    problem: str = ""


@dataclass(frozen=True)
class Violation:
    """Rows that break a rule between rows.

    `rule` is `orphan` or `duplicate`, `name` that of the key, `rows` how many there are, and `some`
    the values of the first.
    """

    rule: str
    name: str
    columns: Sequence[str]
    rows: int
    some: Sequence[Sequence[object]] = field(default_factory=tuple)


class Verifying(Protocol):
    """A node's own tables, to be compared with those of another.

    Each answer is of one moment. Raises ParametersRefused for a table or a column that is not
    there, and TableUnverifiable where a row has no digest.
    """

    async def tables(self) -> tuple[Moment, list[TableSeen]]:
        """All captured tables."""
        ...

    async def digests(
        self,
        table: str,
        digits: int,
        columns: Sequence[str] | None,
        phantoms: Sequence[int],
    ) -> tuple[Moment, TableSums]:
        """The sums of all rows, in buckets by so many digits, and of the phantoms.

        `columns` are those that count, None for all.
        """
        ...

    async def rows(
        self, table: str, buckets: Sequence[str], columns: Sequence[str] | None
    ) -> tuple[Moment, list[Digested]]:
        """The rows of some buckets, all of one length."""
        ...

    async def states(
        self, table: str, keys: Sequence[bytes], above: Vector
    ) -> tuple[Moment, list[RowSeen]]:
        """How rows stand, those that are there. They move if they have changes above a vector."""
        ...

    async def violations(self, table: str) -> tuple[Moment, list[Violation]]:
        """Rows whose parents are not there, and values that stand twice where they must not."""
        ...
