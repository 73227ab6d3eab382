"""Capture as declared, put on tables without a revision; births and deaths that it missed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from alembic.operations import ops
from sqlalchemy import Connection, MetaData

from schema.capture.adoption import OnRows, adopt, tables_to_adopt
from schema.capture.audit import read_captured, without_all
from schema.capture.catalogue import columns_of
from schema.capture.columns import LIFE, graveyard_of
from schema.capture.deaths import OnDeaths, note_deaths
from schema.capture.install import captures_in, install, numbered_in
from schema.capture.operations import known_captures
from schema.capture.quoting import quoted
from schema.capture.shape import Capture
from schema.capture.trial import require_triggers
from schema.changes import changes_to
from schema.connection import connected
from schema.errors import RevisionUnwritten, SchemaError
from schema.progress import Direction
from schema.scripts import Revisions
from schema.tables import CAPTURE
from schema.words import in_words

_MAKES_TRIGGERS = frozenset({"capture", "rename_column"})

OnLost = Callable[[str], None]
"""Told a table whose triggers were missing or changed."""


def recapture(
    connection: Connection,
    url: str,
    metadata: MetaData,
    tables: Sequence[str],
    on_rows: OnRows,
    on_lost: OnLost,
    on_deaths: OnDeaths,
) -> list[str]:
    """Rebuild the capture of these tables (none: of all declared ones); the tables, in order.

    Then note what went past the triggers: deaths first, those of children before their parents',
    then births. What is captured of other tables stays as it is.
    """
    declared = {
        table.name: table.info[CAPTURE] for table in metadata.sorted_tables if CAPTURE in table.info
    }
    unknown = sorted(set(tables) - declared.keys())
    if unknown:
        raise SchemaError(
            f"No record class has the table {', '.join(unknown)}.",
            f"The tables are: {', '.join(sorted(declared))}.",
        )
    chosen = [name for name in declared if not tables or name in tables]
    _require_shape(connection, metadata, chosen)
    require_triggers(connection)
    for name in without_all(read_captured(connection)):
        if name in chosen:
            on_lost(name)
    known = numbered_in(connection)
    for name in chosen:
        install(connection, declared[name].numbered_like(known.get(name)))
    captures = captures_in(connection)
    connection.commit()
    note_deaths(url, {name: captures[name] for name in reversed(chosen)}, on_deaths)
    _adopt(connection, url, chosen, on_rows)
    return chosen


def adopt_waiting(connection: Connection, url: str, on_rows: OnRows) -> None:
    """Adopt the rows of all tables that were captured when they had some already."""
    if known_captures(connection):
        _adopt(connection, url, tables_to_adopt(connection), on_rows)


def rows_waiting(connection: Connection) -> list[str]:
    """Tables whose rows are not all in the changelog yet, since an upgrade was cut short."""
    there = columns_of(connection)
    return [
        name
        for name in tables_to_adopt(connection)
        if LIFE in there.get(name, ()) and _has_rows_without_life(connection, name)
    ]


def makes_triggers(revisions: Revisions, names: Iterable[str], direction: Direction) -> bool:
    """Whether one of the revisions makes triggers on its way up or down."""
    start = {Direction.UP: "upgrade", Direction.DOWN: "downgrade"}[direction]
    sources = (Path(revisions.script(name).path).read_text(encoding="utf-8") for name in names)
    return any(not _MAKES_TRIGGERS.isdisjoint(_done_by(start, source)) for source in sources)


def _done_by(start: str, source: str) -> set[str]:
    """Whatever a function of a revision file names with a dot, and all that it may make use of.

    That is what it names, and what is done when the file is loaded: it may keep functions in a
    list, or hand them to a decorator.
    """
    tree = ast.parse(source)
    known: dict[str, list[ast.AST]] = {}
    waiting: list[ast.AST] = []
    for statement in tree.body:
        names = _names_given_by(statement)
        waiting += [] if names else [statement]
        for name in names:
            known.setdefault(name, []).append(statement)
    waiting += known.pop(start, [])
    found: set[str] = set()
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Name):
                waiting += known.pop(node.id, [])
    return found


def _names_given_by(statement: ast.stmt) -> list[str]:
    """The names under which others may use a statement, and that it does nothing without."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [] if statement.decorator_list else [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [
            node.id
            for target in targets
            for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
    return []


def _adopt(connection: Connection, url: str, tables: Iterable[str], on_rows: OnRows) -> None:
    known: dict[str, Capture] = captures_in(connection)
    there = columns_of(connection)
    for name in tables:
        if name in known and name in there:
            with connected(url) as reader:
                adopt(connection, reader, known[name], on_rows)


def _has_rows_without_life(connection: Connection, table: str) -> bool:
    query = f"SELECT 1 FROM {quoted(table)} WHERE {LIFE} = 0 LIMIT 1"
    return connection.exec_driver_sql(query.replace("%", "%%")).first() is not None


def _require_shape(connection: Connection, metadata: MetaData, chosen: Sequence[str]) -> None:
    """Triggers name columns: all of them must be there."""
    of_concern = {*chosen, *map(graveyard_of, chosen)}
    missing = [
        in_words(change)
        for change in changes_to(connection, metadata).up
        if isinstance(change, ops.CreateTableOp | ops.AddColumnOp)
        and change.table_name in of_concern
    ]
    if missing:
        raise RevisionUnwritten("; ".join(missing) + ".")
