"""How rows are found by the keys that entries name them with.

It is read from the database, not from the record classes: entries of tables that the running code
does not know are sealed as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from MySQLdb import Error as DriverError

from schema.capture.columns import graveyard_of
from schema.capture.key_words import row_key_in_words
from schema.capture.row_key import as_read, key_expression, split
from schema.capture.shape import BITS, TEXT, Capture, KeyPart
from service.store.database import error_number
from service.store.sql import marks, quoted, tuple_of
from service.store.transaction import Transaction

KEYS_A_STATEMENT = 500
"""Each key may have 3,072 bytes, and the server weighs a range for each."""

_ABSENT = frozenset({1054, 1146})
_LOCK_WAIT = 1205

# A number that is given as text would be compared as a double.
_NUMBERS: dict[str, Callable[[str], Any]] = {"decimal": Decimal, "float": float, "double": float}


def is_absent(error: DriverError) -> bool:
    """Whether a table or a column is not there."""
    return error_number(error) in _ABSENT


def structure_is_locked(error: DriverError) -> bool:
    """Whether a table was waited for in vain.

    Rows are never waited for where this is asked: somebody changes the table's structure.
    """
    return error_number(error) == _LOCK_WAIT


@dataclass(frozen=True)
class TableKeys:
    """The key of one table; `kept` are the columns that any UPDATE would set to the time."""

    table: str
    parts: tuple[KeyPart, ...]
    types: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def live(self) -> str:
        """The table, quoted."""
        return quoted(self.table)

    @property
    def dead(self) -> str:
        """Its graveyard, quoted."""
        return quoted(graveyard_of(self.table))

    @property
    def spelled_one_way(self) -> bool:
        """Whether keys that the server takes for the same are the same bytes."""
        return all(part.form != TEXT for part in self.parts)

    def expression(self, alias: str) -> str:
        """The key of a row as an entry has it."""
        return key_expression(self.parts, alias)

    def equal(self, one: str, other: str) -> str:
        """Whether two rows have the same key, as the server takes it."""
        names = [quoted(part.name) for part in self.parts]
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in names)

    def among(self, alias: str, count: int) -> str:
        """Whether the key of a row is one of `count`."""
        left = tuple_of([f"{alias}.{quoted(part.name)}" for part in self.parts])
        one = tuple_of(["?"] * len(self.parts))
        return f"{left} IN ({', '.join([one] * count)})"

    def in_words(self, tx: Transaction, key: bytes) -> str:
        """A key as people read it, by the record class of the table if the code has one."""
        records = tx.catalogue.records.values()
        record = next((record for record in records if record.table == self.table), None)
        fields = () if record is None else record.fields.values()
        return row_key_in_words(self.parts, key, {field.column: field.kind for field in fields})

    def parameters(self, keys: Iterable[bytes]) -> list[Any]:
        """The keys' values; raises ValueError where one is no key of this table."""
        values: list[Any] = []
        for key in keys:
            for part, kind, raw in zip(
                self.parts, self.types, split(key, len(self.parts)), strict=True
            ):
                try:
                    values.append(_value(part.form, kind, raw))
                except ArithmeticError as error:
                    raise ValueError(f"{raw!r} is no {kind}") from error
        return values


class KnownKeys:
    """The keys of the captured tables, as far as they were asked for."""

    def __init__(self) -> None:
        self._known: dict[str, TableKeys] = {}

    def of(self, tx: Transaction, tables: Sequence[str]) -> dict[str, TableKeys]:
        """The keys of those of the tables that are captured."""
        found = tx.rows(
            "SELECT `description` FROM `herdbook_capture` "
            f"WHERE `table_name` IN ({marks(len(tables))})",
            tables,
        )
        keys = (self._known.get(text) or self._learn(tx, text) for (text,) in found)
        return {one.table: one for one in keys}

    def forget(self) -> None:
        """Ask anew: the tables may be others."""
        self._known.clear()

    def _learn(self, tx: Transaction, description: str) -> TableKeys:
        capture = Capture.from_plain(json.loads(description))
        columns = tx.rows(
            "SELECT column_name, data_type, extra FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name = ?",
            (capture.table,),
        )
        types = {name: str(data_type).lower() for name, data_type, _extra in columns}
        learnt = self._known[description] = TableKeys(
            table=capture.table,
            parts=capture.key,
            types=tuple(types.get(part.name, "") for part in capture.key),
            kept=tuple(name for name, _type, extra in columns if "on update" in extra.lower()),
        )
        return learnt


def _value(form: str, kind: str, raw: bytes) -> Any:
    """A part of a key as a parameter."""
    if form == BITS:
        return int(raw)
    value = as_read(form, raw)
    return _NUMBERS[kind](value) if form == TEXT and kind in _NUMBERS else value
