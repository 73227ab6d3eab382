"""How the database differs from the declaration, as Alembic's operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alembic.autogenerate import produce_migrations
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.runtime.plugins import Plugin
from sqlalchemy import Connection, MetaData

from schema.capture.columns import GRAVEYARD_PREFIX
from schema.capture.operations import CaptureOp, ReleaseOp
from schema.comparison import is_compared
from schema.keys import compare_keys
from schema.losses import may_lose
from schema.system import REVISION_TABLE

Operations = list[ops.MigrateOperation]

_PLUGINS = (
    "alembic.autogenerate.*",
    # Ours: columns in `schema.comparison`, keys in `schema.keys`, primary ones in
    # `schema.operations`.
    "herdbook.*",
    "~alembic.autogenerate.types",
    "~alembic.autogenerate.defaults",
    # Comments are the DBA's.
    "~alembic.autogenerate.comments",
)
_DROPS = (ops.DropTableOp, ops.DropColumnOp)
Plugin("herdbook.keys").add_autogenerate_comparator(compare_keys, "table", "keys")


@dataclass(frozen=True)
class Changes:
    """What leads from the database to the declaration, and what leads back; in no useful order."""

    up: Operations
    down: Operations

    @property
    def destructive(self) -> Operations:
        """What deletes data on the way up, or may change it; once each, as it is told."""
        found = [change for change in self.up if deletes_data(change) or changes_data(change)]
        return told(found)

    @property
    def filling(self) -> Operations:
        """What gives rows that are there a value on the way up."""
        return told([change for change in self.up if fills_rows(change)])


def told(changes: Operations) -> Operations:
    """What is worth telling.

    Not what a graveyard shares with its table, nor what follows for the capture of a table.
    """
    known = {subject_of(change) for change in changes}
    return [change for change in changes if not _follows(change, known)]


_NAMED_BY = ("column_name", "index_name", "constraint_name")
_OF_WHOLE_TABLES = ("CreateTableOp", "DropTableOp")
_RECAPTURED_WITH = (
    *_OF_WHOLE_TABLES,
    "AddColumnOp",
    "DropColumnOp",
    "AlterColumnOp",
    "ReplacePrimaryKeyOp",
)
"""What brings another capture of its table along."""

Subject = tuple[str, str, str]
"""What a change is about: the table, the kind of change, and the column or key."""


def subject_of(change: ops.MigrateOperation) -> Subject:
    """What a change is about."""
    table = str(getattr(change, "table_name", None) or getattr(change, "source_table", ""))
    names = (getattr(change, part, None) for part in _NAMED_BY)
    name = change.column.name if isinstance(change, ops.AddColumnOp) else ""
    return table, type(change).__name__, str(next(filter(None, names), name))


def _follows(change: ops.MigrateOperation, known: set[Subject]) -> bool:
    """Whether a change goes without saying, given the others."""
    table, kind, column = subject_of(change)
    if isinstance(change, CaptureOp | ReleaseOp):
        return any(other[0] == table and other[1] in _RECAPTURED_WITH for other in known)
    live = table.removeprefix(GRAVEYARD_PREFIX)
    if live == table:
        return False
    whole = {(live, made, "") for made in _OF_WHOLE_TABLES} | {(table, "CreateTableOp", "")}
    if (whole - {(table, kind, column)}) & known or (live, kind, column) in known:
        return True
    # The columns of a new key may not be NULL in the graveyard either.
    return isinstance(change, ops.AlterColumnOp) and (live, "ReplacePrimaryKeyOp", "") in known


def deletes_data(change: ops.MigrateOperation) -> bool:
    """Whether a change deletes data."""
    return isinstance(change, _DROPS)


def changes_data(change: ops.MigrateOperation) -> bool:
    """Whether a change of a column's type may round or cut values without an error."""
    if not isinstance(change, ops.AlterColumnOp) or change.modify_type is None:
        return False
    assert change.existing_type is not None
    return may_lose(change.existing_type, change.modify_type)


def fills_rows(change: ops.MigrateOperation) -> bool:
    """Whether the server makes up a value for the rows that are there: no default, and no NULL."""
    if not isinstance(change, ops.AddColumnOp):
        return False
    return not change.column.nullable and change.column.server_default is None


def changes_to(connection: Connection, metadata: MetaData) -> Changes:
    """How the database differs from the declared tables."""
    script = produce_migrations(comparing_context(connection), metadata)
    assert script.upgrade_ops is not None
    assert script.downgrade_ops is not None
    return Changes(_single(script.upgrade_ops.ops), _single(script.downgrade_ops.ops))


def comparing_context(connection: Connection) -> MigrationContext:
    """Alembic's context with our answers to its questions."""
    return MigrationContext.configure(
        connection,
        opts={
            "version_table": REVISION_TABLE,
            "include_object": is_compared,
            "autogenerate_plugins": _PLUGINS,
        },
    )


def _single(changes: Iterable[ops.MigrateOperation]) -> Operations:
    """Single changes, without those that another one brings about."""
    listed = list(_flat(changes))
    dropped = {change.table_name for change in listed if isinstance(change, ops.DropTableOp)}
    return [change for change in listed if not _goes_with_its_table(change, dropped)]


def _flat(changes: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    """The changes, out of Alembic's groups by table."""
    for change in changes:
        if isinstance(change, ops.CreateTableOp):
            # What is known of a declared table beyond its columns is not for revision files.
            change.info = {}
        if isinstance(change, ops.ModifyTableOps):
            yield from change.ops
        else:
            yield change


def _goes_with_its_table(change: ops.MigrateOperation, dropped: set[str]) -> bool:
    """Whether a key is dropped by dropping its table; alone it might not be allowed to go."""
    keys = ops.DropIndexOp | ops.DropConstraintOp
    return isinstance(change, keys) and change.table_name in dropped
