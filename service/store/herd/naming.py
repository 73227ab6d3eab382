"""Tables, columns and keys of what is put aside, by the names that the capture gives them.

The journal and what is held name columns by their numbers, and rows by bytes or raw values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from records.states import Value
from schema.capture.row_key import as_read, split
from schema.capture.shape import Capture
from service.methods.raw_values import RawRow
from service.store.sql import marks
from service.store.transaction import Transaction


@dataclass(frozen=True)
class Names:
    """What is known of some tables."""

    captures: Mapping[str, Capture]

    def column(self, table: str, number: str) -> str:
        """The name of a column; its number where it is known no more."""
        known = self.captures.get(table)
        names = {} if known is None else known.numbers
        return names.get(int(number), number) if number.isdecimal() else number

    def row(self, table: str, key: tuple[Value, ...]) -> RawRow:
        """A row by its raw key."""
        columns = self._key_columns(table)
        return RawRow(table, columns if len(columns) == len(key) else (), key)

    def row_of_bytes(self, table: str, row_key: bytes) -> RawRow:
        """A row by the bytes that changelogs have for it."""
        known = self.captures.get(table)
        if known is None:
            return RawRow(table, (), (row_key,))
        try:
            parts = split(row_key, len(known.key))
            key = tuple(as_read(p.form, raw) for p, raw in zip(known.key, parts, strict=True))
        except (ValueError, AssertionError, IndexError):
            return RawRow(table, (), (row_key,))
        return RawRow(table, self._key_columns(table), key)

    def _key_columns(self, table: str) -> tuple[str, ...]:
        known = self.captures.get(table)
        return () if known is None else tuple(part.name for part in known.key)


def names_of(tx: Transaction, tables: Iterable[str]) -> Names:
    """What is known of these tables, also of some that are captured no more."""
    wanted = sorted(set(tables))
    if not wanted:
        return Names({})
    found = tx.rows(
        "SELECT `table_name`, `description` FROM `herdbook_capture` "
        f"WHERE `table_name` IN ({marks(len(wanted))})",
        wanted,
    )
    return Names({table: _capture(text) for table, text in found})


def nodes_by_origin(tx: Transaction, own_name: str) -> dict[int, str]:
    """The names of this node and of all that it has met."""
    own = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1")
    found = tx.rows("SELECT `origin`, `name` FROM `herdbook_sibling`")
    return {**{int(o): str(n) for o, n in found}, **{int(o): own_name for (o,) in own}}


@lru_cache(maxsize=1_000)
def _capture(description: str) -> Capture:
    """What is captured of a table, from its description."""
    return Capture.from_plain(json.loads(description))
