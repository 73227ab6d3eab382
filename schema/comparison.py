"""When a column in the database is the declared one, on either server.

Alembic walks over tables, columns, indexes and foreign keys; what it finds of types and defaults is
judged here. Its own judgement misses fractional seconds, UNSIGNED, collations and the order of an
ENUM. Here both sides are brought into one form first: the declared type as the dialect writes it,
the column's as `information_schema` tells it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import AlterColumnOp
from alembic.runtime.migration import MigrationContext
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import Column, Computed, Connection, DefaultClause, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from schema.capture.columns import GRAVEYARD_PREFIX, META
from schema.system import is_system_table
from schema.tables import TABLE_OPTIONS

_COLUMNS = text(
    """
    SELECT table_name, column_name, column_type, collation_name, extra
    FROM information_schema.columns
    WHERE table_schema = DATABASE()
    """
)
_JSON_CHECKS = text(
    """
    SELECT table_name, constraint_name
    FROM information_schema.check_constraints
    WHERE constraint_schema = DATABASE() AND level = 'Column' AND check_clause LIKE 'json_valid(%'
    """
)
_TYPE = re.compile(r"(?P<name>[a-z]+)(?:\((?P<arguments>.*?)\))?(?P<rest>.*)", re.DOTALL)
_BEHAVIOUR = re.compile(
    r"(?:stored|virtual|persistent) generated|auto_increment|on update .*", re.IGNORECASE
)
_SYNONYMS = {"integer": "int", "numeric": "decimal", "bool": "tinyint", "boolean": "tinyint"}
_WIDTH_ONLY = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_TEXTS = (sqltypes.String, sqltypes.Enum, mysql.SET)

BEHAVIOUR = "found_behaviour"
"""Under this name a change of a column holds what the server puts into it by itself."""


@dataclass(frozen=True)
class Shown:
    """A column as `information_schema` shows it."""

    kind: str
    collation: str | None
    behaviour: str
    """What the server puts into the column by itself: generated, counted, or the time of change."""


@dataclass(frozen=True)
class ColumnForm:
    """A column's type in the one form that both sides are brought into."""

    name: str
    arguments: str
    attributes: tuple[str, ...]
    choices: tuple[str, ...]
    collation: str | None
    behaviour: str = ""


Columns = dict[tuple[str, str], Shown]
"""By table and name."""


def compare_type(
    context: AutogenContext,
    change: AlterColumnOp,
    _schema: str | None,
    table_name: str,
    column_name: str,
    inspected: Column[Any],
    declared: Column[Any],
) -> PriorityDispatchResult:
    """Note in `change` whether a column's type must change, and what it is now."""
    assert context.migration_context is not None
    shown = _columns_in_database(context.migration_context)[table_name, column_name]
    found = _form(shown.kind, _found_choices(inspected.type), shown.collation)
    known = replace(found, behaviour=shown.behaviour)
    wanted = _form(
        declared.type.compile(dialect=context.migration_context.dialect),
        tuple(map(_shown, _choices(declared.type))),
        _declared_collation(declared.type),
    )
    if declared.autoincrement is True:
        wanted = replace(wanted, behaviour="AUTO_INCREMENT")
    if known == wanted:
        # As declared, it is written without what only one of the servers shows.
        change.existing_type = declared.type
    else:
        change.existing_type = _existing(shown, inspected.type)
        change.kw[BEHAVIOUR] = shown.behaviour
        change.modify_type = declared.type
    return PriorityDispatchResult.CONTINUE


def compare_default(
    _context: AutogenContext,
    change: AlterColumnOp,
    _schema: str | None,
    _table_name: str,
    _column_name: str,
    inspected: Column[Any],
    declared: Column[Any],
) -> PriorityDispatchResult:
    """Note in `change` whether a column's default must change, and what it is now."""
    if isinstance(inspected.server_default, Computed):
        if declared.server_default is not None:
            change.modify_server_default = declared.server_default
        return PriorityDispatchResult.CONTINUE
    shown, wanted = _written(inspected.server_default), _written(declared.server_default)
    known = None if shown is None else _literal(shown)
    change.existing_server_default = inspected.server_default
    if known is not None and known != shown:
        # A plain value is written as one; what is left as it is may be an expression.
        change.existing_server_default = DefaultClause(known)
    if _default_differs(declared.type, known, wanted):
        change.modify_server_default = declared.server_default
    return PriorityDispatchResult.CONTINUE


def _default_differs(kind: TypeEngine[Any], known: str | None, wanted: str | None) -> bool:
    if known is None or wanted is None:
        return known is not wanted
    if isinstance(kind, sqltypes.Numeric | sqltypes.Integer | sqltypes.Float | mysql.YEAR):
        return _number(kind, known) != _number(kind, wanted)
    return _shown(known) != _shown(wanted)


def _written(default: Any) -> str | None:
    """The text of a default."""
    return None if default is None else str(getattr(default.arg, "text", default.arg))


def is_compared(
    _item: object, name: str | None, kind: str, reflected: bool, counterpart: object
) -> bool:
    """Alembic's hook `include_object`.

    Names that begin with an underscore are nobody's business. A table of Herdbook's that is not
    declared belongs to the runner, to Herdbook's own family or to a newer release; the graveyard of
    a class that is not declared any more does not. The invisible columns of a table come and go
    with its capture.
    """
    if not name:
        return True
    if kind == "column" and reflected and counterpart is None and name in META:
        return False
    undeclared = kind == "table" and reflected and counterpart is None
    kept = undeclared and is_system_table(name.removeprefix(GRAVEYARD_PREFIX))
    return not (name.startswith("_") or kept)


def _columns_in_database(context: MigrationContext) -> Columns:
    """Every column; read once for each comparison."""
    memo: dict[str, Any] = context.impl.memo
    if "columns" not in memo:
        assert context.connection is not None
        memo["columns"] = _read_columns(context.connection)
    columns: Columns = memo["columns"]
    return columns


def _read_columns(connection: Connection) -> Columns:
    columns = {
        (table, column): Shown(str(kind), collation, _behaviour(extra))
        for table, column, kind, collation, extra in connection.execute(_COLUMNS)
    }
    if connection.dialect.is_mariadb:  # type: ignore[attr-defined]
        # MariaDB's JSON is a LONGTEXT with a check that has the column's name.
        for row in connection.execute(_JSON_CHECKS):
            if columns[(row[0], row[1])].kind == "longtext":
                columns[(row[0], row[1])] = Shown("json", None, "")
    return columns


def _behaviour(extra: str) -> str:
    """The part of `extra` that says what the server puts into a column."""
    found = _BEHAVIOUR.search(extra)
    return "" if found is None else found[0].upper()


def _form(written: str, choices: tuple[str, ...], collation: str | None) -> ColumnForm:
    """A type as it is written, in its one form."""
    # What is quoted (choices) is compared as a list; all else is not case-sensitive.
    bare = written if not choices else written.split("(")[0]
    parts = _TYPE.match(bare.lower())
    assert parts is not None
    name = _SYNONYMS.get(parts["name"], parts["name"])
    arguments = (parts["arguments"] or "").replace(" ", "")
    if name in _WIDTH_ONLY and not (name == "tinyint" and arguments == "1"):
        arguments = ""
    rest = re.sub(r"(character set|charset|collate) \w+", "", parts["rest"])
    return ColumnForm(name, arguments, tuple(rest.split()), choices, collation)


def _existing(shown: Shown, inspected: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type of a column in the database, for the way back."""
    if shown.kind == "json":
        return mysql.JSON()
    if isinstance(inspected, mysql.ENUM | mysql.SET):
        return type(inspected)(*_found_choices(inspected), collation=shown.collation)
    if isinstance(inspected, sqltypes.String):
        # SQLAlchemy leaves it out where it is the table's own; it names the character set too.
        inspected.collation, inspected.charset = shown.collation, None  # type: ignore[attr-defined]
    return inspected


def _choices(kind: TypeEngine[Any]) -> tuple[str, ...]:
    """The values of an ENUM or SET, in order: their places are what is stored."""
    if isinstance(kind, mysql.SET):
        return tuple(kind.values)
    return tuple(kind.enums) if isinstance(kind, sqltypes.Enum) else ()


def _found_choices(kind: TypeEngine[Any]) -> tuple[str, ...]:
    """The same of a column in the database, where a backslash stands doubled."""
    return tuple(choice.replace("\\\\", "\\") for choice in _choices(kind))


def _declared_collation(kind: TypeEngine[Any]) -> str | None:
    """The collation a declared text gets; it follows the table's where it has none of its own."""
    if not isinstance(kind, _TEXTS):
        return None
    return str(getattr(kind, "collation", None) or TABLE_OPTIONS["mysql_collate"])


def _shown(value: str) -> str:
    """A text as the servers' catalogues show it: characters of four bytes become question marks."""
    return re.sub(r"[\U00010000-\U0010ffff]", "?", value)


def _literal(shown: str) -> str:
    """The value of a literal as SHOW CREATE TABLE has it: quoted, in brackets, bytes or bare."""
    shown = shown.strip()
    if re.fullmatch(r"0x(?:[0-9A-F]{2})+", shown):
        return bytes.fromhex(shown[2:]).decode("utf-8", "replace")
    if shown.startswith("(") and shown.endswith(")"):
        shown = shown[1:-1]
    if shown.startswith("'") and shown.endswith("'"):
        return re.sub(r"''|\\(.)", lambda quoted: quoted[1] or "'", shown[1:-1])
    return shown


def _number(kind: TypeEngine[Any], written: str) -> object:
    """A number whatever way it is written; what is none stays text."""
    try:
        if isinstance(kind, mysql.FLOAT):
            return struct.pack("<f", float(written))
        return float(written) if isinstance(kind, mysql.DOUBLE) else Decimal(written)
    except ArithmeticError:
        return written


_plugin = Plugin("herdbook.columns")
_plugin.add_autogenerate_comparator(compare_type, "column", "types")
_plugin.add_autogenerate_comparator(compare_default, "column", "server_default")
