"""Changes in words, for people who decide about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy.dialects import mysql
from sqlalchemy.sql.schema import DefaultClause

from schema.capture.columns import GRAVEYARD_PREFIX
from schema.capture.operations import CaptureOp, ReleaseOp
from schema.comparison import BEHAVIOUR
from schema.operations import ReplacePrimaryKeyOp

_HERE = "is declared and not in the database"
_THERE = "is in the database and not declared"
_DIALECT = mysql.dialect()


def in_words(change: ops.MigrateOperation) -> str:
    """What differs, seen from the database."""
    return _WORDS[type(change)](change).replace(
        f"table {GRAVEYARD_PREFIX}", "the graveyard of table "
    )


def _altered(change: ops.AlterColumnOp) -> str:
    """Everything that differs in one column."""
    return f"column {change.table_name}.{change.column_name} " + " and ".join(_aspects(change))


def _aspects(change: ops.AlterColumnOp) -> Iterator[str]:
    if change.modify_type is not None:
        behaviour = change.kw.get(BEHAVIOUR)
        known = _type(change.existing_type) + (f" {behaviour}" if behaviour else "")
        yield f"is {known}, declared {_type(change.modify_type)}"
    if change.modify_nullable is not None:
        yield f"{'may not' if change.modify_nullable else 'may'} be NULL, declared otherwise"
    if change.modify_server_default is not False:
        found, declared = change.existing_server_default, change.modify_server_default
        yield f"has {_default(found)}, declared {_default(declared)}"


def _type(kind: Any) -> str:
    return str(kind.compile(dialect=_DIALECT))


def _default(default: Any) -> str:
    if default is None or default is False:
        return "no default"
    return f"default {default.arg if isinstance(default, DefaultClause) else default}"


def _special(change: ops.DropIndexOp) -> str:
    """In what an index is not a plain one."""
    prefix = change.kw.get("mysql_prefix")
    lengths = change.kw.get("mysql_length") or {}
    parts = [f"{prefix}"] if prefix else []
    parts += [f"the first {length} of {column}" for column, length in lengths.items()]
    return f" ({', '.join(parts)})" if parts else ""


_WORDS: dict[type[ops.MigrateOperation], Callable[[Any], str]] = {
    ops.CreateTableOp: lambda change: f"table {change.table_name} {_HERE}",
    ops.DropTableOp: lambda change: f"table {change.table_name} {_THERE}",
    CaptureOp: lambda change: (
        f"the capture of table {change.table_name} is declared otherwise"
        if change.existing
        else f"table {change.table_name} is not captured"
    ),
    ReleaseOp: lambda change: f"table {change.table_name} is captured and not declared",
    ops.AddColumnOp: lambda change: f"column {change.table_name}.{change.column.name} {_HERE}",
    ops.DropColumnOp: lambda change: f"column {change.table_name}.{change.column_name} {_THERE}",
    ops.AlterColumnOp: _altered,
    ops.CreateIndexOp: lambda change: (
        f"index {change.index_name} of table {change.table_name} {_HERE}"
    ),
    ops.DropIndexOp: lambda change: (
        f"index {change.index_name} of table {change.table_name}{_special(change)} {_THERE}"
    ),
    ops.CreateUniqueConstraintOp: lambda change: (
        f"unique key {change.constraint_name} of table {change.table_name} {_HERE}"
    ),
    ops.CreateForeignKeyOp: lambda change: (
        f"foreign key {change.constraint_name} of table {change.source_table} {_HERE}"
    ),
    ops.DropConstraintOp: lambda change: (
        f"key {change.constraint_name} of table {change.table_name} {_THERE}"
    ),
    ReplacePrimaryKeyOp: lambda change: (
        f"table {change.table_name} has the primary key ({', '.join(change.existing)}), "
        f"declared ({', '.join(change.columns)})"
    ),
}
