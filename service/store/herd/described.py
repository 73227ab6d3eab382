"""What the captured tables are like, read from the database.

Not from the record classes: what is captured is passed on whatever code runs. The classes tell only
what deletes do where no trigger says it: of references that lead back to their own class.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from records.catalogue import Catalogue
from records.groups import by_member
from schema.capture.shape import Capture
from service.errors import Busy
from service.herd.shapes import RESTRICT, Reference, Shape, Shapes, Unique
from service.store.capture_look import is_migrated
from service.store.herd.values import HerdColumn, KeyColumn
from service.store.sql import marks
from service.store.transaction import Transaction

_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})

_COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default, "
    "character_maximum_length, collation_name, extra FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name IN ({0}) "
    "ORDER BY table_name, ordinal_position"
)
_UNIQUES = (
    "SELECT table_name, index_name, column_name, sub_part FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND non_unique = 0 AND index_name <> 'PRIMARY' "
    "AND table_name IN ({0}) ORDER BY table_name, index_name, seq_in_index"
)
_REFERENCES = (
    "SELECT table_name, constraint_name, column_name, referenced_table_name, "
    "referenced_column_name FROM information_schema.key_column_usage "
    "WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE() "
    "AND table_name IN ({0}) ORDER BY table_name, constraint_name, ordinal_position"
)
_SKIPPED = 1684
"""The warning of MariaDB that it tells nothing of a table, since somebody changes it just now."""

_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)
"""How long is waited between looks at tables that are being changed, in seconds."""

Rules = Mapping[tuple[str, frozenset[str]], str]
"""What deleting a parent does, by the child's table and the columns of its reference."""


@dataclass(frozen=True)
class HerdTable:
    """One captured table."""

    capture: Capture
    columns: tuple[HerdColumn, ...]
    shape: Shape

    @property
    def name(self) -> str:
        """Its name."""
        return self.capture.table

    @cached_property
    def by_id(self) -> Mapping[str, HerdColumn]:
        """The columns by what names them to siblings."""
        return {column.id: column for column in self.columns}

    @cached_property
    def key(self) -> tuple[KeyColumn, ...]:
        """The columns of its key."""
        by_name = {column.name: column for column in self.columns}
        return tuple(KeyColumn(by_name[part.name], part.form) for part in self.capture.key)


@dataclass(frozen=True)
class Described:
    """All captured tables."""

    tables: Mapping[str, HerdTable]

    @cached_property
    def shapes(self) -> Shapes:
        """What merging has to know of them."""
        return {name: table.shape for name, table in self.tables.items()}


class Descriptions:
    """The description of a database, read again when its schema has changed."""

    def __init__(self) -> None:
        self._seen: object = None
        self._described = Described({})

    def of(self, tx: Transaction) -> Described:
        """What the tables are like now."""
        seen = (
            tx.rows("SELECT `version_num` FROM `herdbook_revision` ORDER BY `version_num`"),
            tx.rows("SELECT `description` FROM `herdbook_capture` ORDER BY `table_name`"),
        )
        if seen != self._seen:
            self._described = describe(tx)
            self._seen = seen
        return self._described

    def forget(self) -> None:
        """Read anew: something was not as it was described."""
        self._seen = None


def describe(tx: Transaction) -> Described:
    """Read what all captured tables are like.

    Raises Busy where some are being changed for longer than a moment. Half of what they are like
    would be worse: a table that seems to be gone, or to have no unique keys.
    """
    for seconds in _PAUSES:
        described = _whole(tx)
        if described is not None:
            return described
        time.sleep(seconds)
    raise Busy("the structure of tables is being changed")


def _whole(tx: Transaction) -> Described | None:
    """The description; None where not all of it can be seen just now.

    A table that lacks what is captured of it while nobody migrates stays so: it is left out.
    """
    found = tx.rows("SELECT `description` FROM `herdbook_capture` ORDER BY `table_name`")
    captures = [Capture.from_plain(json.loads(text)) for (text,) in found]
    if not captures:
        return Described({})
    facts = _Facts(tx, [capture.table for capture in captures])
    known = {capture.table: capture for capture in captures if facts.has_all_of(capture)}
    if facts.skipped or (len(known) < len(captures) and is_migrated(tx)):
        return None
    rules = {**_rules_of_triggers(captures), **_rules_of_classes(tx.catalogue)}
    return Described({name: _table(one, known, facts, rules) for name, one in known.items()})


class _Facts:
    """What the server's catalogue says of some tables, by table."""

    def __init__(self, tx: Transaction, tables: Sequence[str]) -> None:
        among = marks(len(tables))
        self.skipped = False

        def by_table(statement: str) -> Mapping[str, list[tuple[Any, ...]]]:
            grouped: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
            for table, *rest in tx.rows(statement.format(among), tables):
                grouped[table].append(tuple(rest))
            warnings = tx.rows("SHOW WARNINGS")
            self.skipped |= any(number == _SKIPPED for _level, number, _text in warnings)
            return grouped

        self.columns = by_table(_COLUMNS)
        self.uniques = by_table(_UNIQUES)
        self.references = by_table(_REFERENCES)

    def has_all_of(self, capture: Capture) -> bool:
        """Whether the table is there, with every column that is captured."""
        names = {name for name, *_rest in self.columns[capture.table]}
        return bool(names) and {column.name for column in capture.columns} <= names


def _table(
    capture: Capture, captures: Mapping[str, Capture], facts: _Facts, rules: Rules
) -> HerdTable:
    ids = {column.name: str(column.number) for column in capture.columns}
    columns = tuple(_columns(facts.columns[capture.table], ids))
    references = tuple(_references(capture, captures, facts, rules, ids))
    shape = Shape(
        capture.table,
        tuple(ids[part.name] for part in capture.key),
        references,
        tuple(_uniques(capture, facts.uniques[capture.table], columns, references)),
        by_member(tuple(map(str, group)) for group in capture.groups),
        frozenset(column.id for column in columns),
        frozenset(column.id for column in columns if not column.has_default),
        frozenset(map(str, range(1, capture.last_number + 1))) - frozenset(ids.values()),
    )
    return HerdTable(capture, columns, shape)


def _columns(rows: Iterable[Sequence[Any]], ids: Mapping[str, str]) -> Iterator[HerdColumn]:
    for name, data_type, nullable, default, length, collation, extra in rows:
        if name in ids:
            kind = str(data_type).lower()
            can_be_null = nullable == "YES"
            yield HerdColumn(
                ids[name],
                name,
                kind,
                can_be_null,
                has_default=can_be_null or default is not None,
                length=int(length) if kind in _TEXTS else None,
                collation=collation if kind in _TEXTS else None,
                timed="on update" in extra.lower(),
            )


def _references(
    capture: Capture,
    captures: Mapping[str, Capture],
    facts: _Facts,
    rules: Rules,
    ids: Mapping[str, str],
) -> Iterator[Reference]:
    """The foreign keys that hold the whole key of a captured table."""
    pairs: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name, column, parent, parent_column in facts.references[capture.table]:
        pairs[name, parent][parent_column] = column
    for (name, parent), columns in pairs.items():
        key = [part.name for part in captures[parent].key] if parent in captures else []
        if set(key) == set(columns) and set(columns.values()) <= set(ids):
            rule = rules.get((capture.table, frozenset(columns.values())), RESTRICT)
            yield Reference(name, tuple(ids[columns[part]] for part in key), parent, rule)


def _uniques(
    capture: Capture,
    rows: Iterable[Sequence[Any]],
    columns: Sequence[HerdColumn],
    references: Sequence[Reference],
) -> Iterator[Unique]:
    """The unique keys over whole columns; of one over prefixes only the server can tell.

    The primary key is one where a collation may take different keys for the same.
    """
    by_name = {column.name: column for column in columns}
    key = [by_name[part.name] for part in capture.key]
    if any(column.collation is not None for column in key):
        yield Unique("PRIMARY", tuple(column.id for column in key))
    members: dict[str, list[HerdColumn | None]] = defaultdict(list)
    for name, column, prefix in rows:
        members[name].append(by_name.get(column) if prefix is None else None)
    keys = {part.name for part in capture.key}
    meaning = {part for reference in references for part in reference.columns}
    for name, found in members.items():
        whole = [column for column in found if column is not None]
        if len(whole) == len(found):
            yield _unique(name, whole, keys, meaning)


def _unique(name: str, columns: Sequence[HerdColumn], key: set[str], meaning: set[str]) -> Unique:
    """A unique key, and which of its columns gives way: the last that can with least loss."""
    ids = tuple(column.id for column in columns)
    free = [column for column in reversed(columns) if column.name not in key]
    plain = [column for column in free if column.id not in meaning]
    for column in [each for each in plain if each.nullable] or [e for e in free if e.nullable]:
        return Unique(name, ids, column.id, nullable=True)
    for column in plain:
        if column.data_type in _TEXTS:
            return Unique(name, ids, column.id, length=column.length)
    return Unique(name, ids)


def _rules_of_triggers(captures: Iterable[Capture]) -> dict[tuple[str, frozenset[str]], str]:
    return {
        (rule.table, frozenset(rule.columns)): rule.on_delete
        for capture in captures
        for rule in capture.children
    }


def _rules_of_classes(catalogue: Catalogue) -> dict[tuple[str, frozenset[str]], str]:
    return {
        (record.table, frozenset(record.columns(reference.fields))): reference.on_delete
        for record in catalogue.records.values()
        for reference in record.references.values()
    }
