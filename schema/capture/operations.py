"""Capture in revision files: `op.capture`, `op.release` and `op.rename_column`.

Each is one step of the journal, made of many statements that may be repeated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import renderers
from alembic.operations import MigrateOperation, Operations
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import Connection, inspect, text
from sqlalchemy.dialects import mysql

from schema.capture.install import (
    captures_in,
    description_of,
    forgetting_statements,
    install,
    numbered_in,
    release,
)
from schema.capture.quoting import literal
from schema.capture.renaming import rename_column, renaming_statements
from schema.capture.shape import Capture
from schema.capture.trial import require_triggers
from schema.system import captured_tables, is_system_table
from schema.tables import CAPTURE

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps

    from schema.journalled import JournalledImpl


@Operations.register_operation("capture")
class CaptureOp(MigrateOperation):
    """`op.capture("city", key=[…], columns=[…], …)`: capture a table as described.

    `existing` is what is captured of it before: the way back. Repeating it changes nothing.
    """

    def __init__(self, wanted: Capture, existing: Capture | None = None) -> None:
        self.wanted = wanted
        self.existing = existing

    @property
    def table_name(self) -> str:
        """The table that is captured."""
        return self.wanted.table

    @classmethod
    def capture(
        cls,
        operations: Operations,
        table: str,
        *,
        key: Sequence[Sequence[str]],
        columns: Sequence[Sequence[object]],
        last_number: int,
        children: Sequence[Sequence[object]] = (),
        groups: Sequence[Sequence[int]] = (),
    ) -> None:
        """Capture a table: its key, its numbered columns, what becomes of its children.

        `groups` are the numbers of columns that are written together.
        """
        description = {
            "table": table,
            "key": key,
            "columns": columns,
            "children": children,
            "last_number": last_number,
            "groups": groups,
        }
        operations.invoke(cls(Capture.from_plain(description)))

    def reverse(self) -> MigrateOperation:
        """The way back."""
        if self.existing is None:
            return ReleaseOp(self.table_name, self.wanted)
        return CaptureOp(self.existing, self.wanted)


@Operations.register_operation("release")
class ReleaseOp(MigrateOperation):
    """`op.release("city")`: capture a table no longer. It may be gone already."""

    def __init__(self, table_name: str, existing: Capture | None = None) -> None:
        self.table_name = table_name
        self.existing = existing

    @classmethod
    def release(cls, operations: Operations, table: str) -> None:
        """Take the triggers and the invisible columns off a table."""
        operations.invoke(cls(table))

    def reverse(self) -> MigrateOperation:
        """The way back."""
        assert self.existing is not None, "written by hand, it has no way back"
        return CaptureOp(self.existing)


@Operations.register_operation("rename_column")
class RenameColumnOp(MigrateOperation):
    """`op.rename_column("plant", "planted", "sown")`: another name for the same column.

    Changelogs go on knowing it, since it keeps its number. It is renamed in the graveyard too, and
    wherever capture names it.
    """

    def __init__(self, table_name: str, column_name: str, new_name: str) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.new_name = new_name

    @classmethod
    def rename_column(cls, operations: Operations, table: str, column: str, new_name: str) -> None:
        """Rename a column of a captured table."""
        operations.invoke(cls(table, column, new_name))

    def reverse(self) -> MigrateOperation:
        """The way back."""
        return RenameColumnOp(self.table_name, self.new_name, self.column_name)


@Operations.implementation_for(CaptureOp)
def _capture(operations: Operations, change: CaptureOp) -> None:
    """The performer."""
    description = json.dumps(change.wanted.as_plain(), sort_keys=True)
    digest = hashlib.sha256(description.encode()).hexdigest()
    _impl(operations).carry_out_step(
        f"CAPTURE {change.table_name} {digest}",
        lambda: _install(operations.get_bind(), change.wanted),
        _written(change.wanted),
    )


@Operations.implementation_for(ReleaseOp)
def _release(operations: Operations, change: ReleaseOp) -> None:
    """The performer."""
    name = change.table_name
    _impl(operations).carry_out_step(
        f"RELEASE {name}",
        lambda: release(operations.get_bind(), name),
        [
            f"Drop the triggers of table {name} whose names begin with herdbook_. To list them:\n"
            "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = "
            f"DATABASE() AND event_object_table = {literal(name)};",
            *(text(part.replace(":", r"\:")) for part in forgetting_statements(name)),
        ],
    )


@Operations.implementation_for(RenameColumnOp)
def _rename_column(operations: Operations, change: RenameColumnOp) -> None:
    """The performer."""
    names = (change.table_name, change.column_name, change.new_name)
    _impl(operations).carry_out_step(
        "CAPTURE WITH RENAMED COLUMN " + " ".join(names),
        lambda: rename_column(operations.get_bind(), *names),
        [*renaming_statements(*names), _afterwards(change.table_name)],
    )


def _install(connection: Connection, capture: Capture) -> None:
    """Capture a table. No number is ever given twice, also where the way led back in between."""
    known = numbered_in(connection).get(capture.table)
    if known is not None:
        last = max(capture.last_number, known.last_number)
        was_released = capture.table not in captures_in(connection)
        taken = any(
            number <= known.last_number and known.numbers.get(number) != name
            for number, name in capture.numbers.items()
        )
        # The file was written for another database.
        capture = capture.numbered_like(known) if was_released and taken else capture
        capture = replace(capture, last_number=max(last, capture.last_number))
    require_triggers(connection)
    install(connection, capture)


def _written(capture: Capture) -> list[Any]:
    """What can be written without a database: the triggers hold the number of its node."""
    values = {
        "table_name": capture.table,
        "description": description_of(capture),
        "definer": "",
        "adopted": False,
    }
    insert = mysql.insert(captured_tables).values(values)
    # Named by the columns: values would be parameters here, and nobody gives them.
    changed = {name: insert.inserted[name] for name in values if name != "table_name"}
    return [insert.on_duplicate_key_update(**changed), _afterwards(capture.table)]


def _afterwards(table: str) -> str:
    return (
        f"The triggers of table {table} hold the number of the node. At the end run:\n"
        f"herdbook schema recapture --table {table}"
    )


def _impl(operations: Operations) -> JournalledImpl:
    impl: Any = operations.impl
    return impl  # type: ignore[no-any-return]


@renderers.dispatch_for(CaptureOp)
def _render_capture(_context: AutogenContext, change: CaptureOp) -> str:
    """The printer."""
    plain = change.wanted.as_plain()
    lines = [f"op.capture(\n    {change.table_name!r},"]
    lines.append(f"    key={plain['key']!r},")
    for name in ("columns", "children"):
        if plain[name]:
            items = "".join(f"        {item!r},\n" for item in plain[name])
            lines.append(f"    {name}=[\n{items}    ],")
        elif name == "columns":
            lines.append("    columns=[],")
    if change.wanted.groups:
        lines.append(f"    groups={plain['groups']!r},")
    lines.append(f"    last_number={plain['last_number']!r},\n)")
    return "\n".join(lines)


@renderers.dispatch_for(ReleaseOp)
def _render_release(_context: AutogenContext, change: ReleaseOp) -> str:
    """The printer."""
    return f"op.release({change.table_name!r})"


@renderers.dispatch_for(RenameColumnOp)
def _render_rename(_context: AutogenContext, change: RenameColumnOp) -> str:
    """The printer."""
    names = (change.table_name, change.column_name, change.new_name)
    return f"op.rename_column({', '.join(map(repr, names))})"


def compare_captures(
    context: AutogenContext, changes: UpgradeOps, _schemas: object
) -> PriorityDispatchResult:
    """Alembic's hook: what is declared to be captured, against what the database notes."""
    assert context.connection is not None
    assert not isinstance(context.metadata, Sequence)
    assert context.metadata is not None
    known = known_captures(context.connection)
    numbered = numbered_captures(context.connection)
    wanted: Mapping[str, Capture] = {
        table.name: table.info[CAPTURE].numbered_like(numbered.get(table.name))
        for table in context.metadata.sorted_tables
        if CAPTURE in table.info
    }
    for name, capture in wanted.items():
        if capture != known.get(name):
            changes.ops.append(CaptureOp(capture, known.get(name)))
    # Herdbook's own are captured by its own revisions, those of a newer release too.
    gone = [name for name in known if name not in wanted and not is_system_table(name)]
    changes.ops += [ReleaseOp(name, known[name]) for name in gone]
    return PriorityDispatchResult.CONTINUE


def known_captures(connection: Connection) -> dict[str, Capture]:
    """What is captured; nothing where the database has no tables of Herdbook's for it yet."""
    if not inspect(connection).has_table(captured_tables.name):
        return {}
    return captures_in(connection)


def numbered_captures(connection: Connection) -> Mapping[str, Capture]:
    """What was ever captured; nothing where the database has no tables of Herdbook's for it yet."""
    if not inspect(connection).has_table(captured_tables.name):
        return {}
    return numbered_in(connection)


Plugin("herdbook.capture").add_autogenerate_comparator(compare_captures, "schema", "capture")
