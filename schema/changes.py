"""How the database differs from the declaration, as Alembic's operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alembic.autogenerate import produce_migrations
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from schema.comparison import is_compared
from schema.system import REVISION_TABLE

Operations = list[ops.MigrateOperation]

_PLUGINS = (
    "alembic.autogenerate.*",
    # Ours: columns in `schema.comparison`, primary keys in `schema.operations`.
    "herdbook.*",
    "~alembic.autogenerate.types",
    "~alembic.autogenerate.defaults",
    # Comments are the DBA's.
    "~alembic.autogenerate.comments",
)
_DESTRUCTIVE = (ops.DropTableOp, ops.DropColumnOp)


@dataclass(frozen=True)
class Changes:
    """What leads from the database to the declaration, and what leads back; in no useful order."""

    up: Operations
    down: Operations

    @property
    def destructive(self) -> Operations:
        """What deletes data on the way up."""
        return [change for change in self.up if is_destructive(change)]


def is_destructive(change: ops.MigrateOperation) -> bool:
    """Whether a change deletes data."""
    return isinstance(change, _DESTRUCTIVE)


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
        if isinstance(change, ops.ModifyTableOps):
            yield from change.ops
        else:
            yield change


def _goes_with_its_table(change: ops.MigrateOperation, dropped: set[str]) -> bool:
    """Whether a key is dropped by dropping its table; alone it might not be allowed to go."""
    keys = ops.DropIndexOp | ops.DropConstraintOp
    return isinstance(change, keys) and change.table_name in dropped
