"""Rows that break a rule between rows. The servers keep these rules, so there should be none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from service.methods.verifying_port import Violation
from service.store.herd.described import HerdTable
from service.store.sql import quoted
from service.store.transaction import Transaction

MOST_SHOWN = 20
"""Of each rule so many rows are told, and how many there are."""

_REFERENCES = (
    "SELECT constraint_name, referenced_table_name, column_name, referenced_column_name "
    "FROM information_schema.key_column_usage WHERE table_schema = DATABASE() "
    "AND referenced_table_schema = DATABASE() AND table_name = ? "
    "ORDER BY constraint_name, ordinal_position"
)
_UNIQUES = (
    "SELECT index_name, column_name, sub_part FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND non_unique = 0 AND table_name = ? "
    "ORDER BY index_name, seq_in_index"
)


def violations_of(tx: Transaction, table: HerdTable) -> Iterator[Violation]:
    """The broken rules of one table."""
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name, parent, column, parent_column in tx.rows(_REFERENCES, (table.name,)):
        pairs[name, parent].append((column, parent_column))
    for (name, parent), columns in pairs.items():
        yield from orphans(tx, table, name, parent, columns)
    members: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    for name, column, prefix in tx.rows(_UNIQUES, (table.name,)):
        members[name].append((column, prefix))
    for name, parts in members.items():
        # Prefixes and expressions are left to the server.
        if all(column is not None and prefix is None for column, prefix in parts):
            yield from duplicates(tx, table.name, name, [column for column, _prefix in parts])


def orphans(
    tx: Transaction,
    table: HerdTable,
    name: str,
    parent: str,
    columns: Sequence[tuple[str, str]],
) -> Iterator[Violation]:
    """Rows whose foreign key leads nowhere; `columns` are those here and the parent's."""
    match = " AND ".join(f"c.{quoted(here)} = p.{quoted(there)}" for here, there in columns)
    given = " AND ".join(f"c.{quoted(here)} IS NOT NULL" for here, _there in columns)
    source = (
        f"FROM {quoted(table.name)} AS c LEFT JOIN {quoted(parent)} AS p ON {match} "
        f"WHERE {given} AND p.{quoted(columns[0][1])} IS NULL"
    )
    ((rows,),) = tx.rows(f"SELECT COUNT(*) {source}")
    if rows:
        key = ", ".join(part.column.read_from("c") for part in table.key)
        some = tx.rows(f"SELECT {key} {source} LIMIT {MOST_SHOWN:d}")
        yield Violation("orphan", name, [part.column.name for part in table.key], int(rows), some)


def duplicates(
    tx: Transaction, table: str, name: str, columns: Sequence[str]
) -> Iterator[Violation]:
    """Values that several rows have in columns where each may stand once."""
    listed = ", ".join(map(quoted, columns))
    given = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    source = f"FROM {quoted(table)} WHERE {given} GROUP BY {listed} HAVING COUNT(*) > 1"
    found = tx.rows(f"SELECT {listed} {source} LIMIT {MOST_SHOWN:d}")
    if found:
        ((rows,),) = tx.rows(f"SELECT COUNT(*) FROM (SELECT 1 {source}) AS twice")
        yield Violation("duplicate", name, columns, int(rows), found)
