"""What runs revisions: Alembic's operations, with every statement in the journal.

Revision files and `migrations/env.py` import from here and from nowhere else in Herdbook.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alembic import context
from alembic.autogenerate import renderers
from alembic.operations import MigrateOperation, Operations
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import Table

# Imported for what they register with Alembic.
from schema import journalled
from schema.capture import operations as capture_operations
from schema.capture.columns import GRAVEYARD_PREFIX

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import ModifyTableOps

__all__ = ["ReplacePrimaryKeyOp", "capture_operations", "journalled", "run_migrations"]


def run_migrations() -> None:
    """All that an `env.py` has to do: run what Herdbook prepared."""
    context.configure(**context.config.attributes["options"])
    with context.begin_transaction():
        context.run_migrations()


@Operations.register_operation("replace_primary_key")
class ReplacePrimaryKeyOp(MigrateOperation):
    """`op.replace_primary_key("city", ["id"], existing=["code"])`: another key for a table.

    One statement, since a table without any key is refused by clusters.
    """

    def __init__(self, table_name: str, columns: Sequence[str], existing: Sequence[str]) -> None:
        self.table_name = table_name
        self.columns = list(columns)
        self.existing = list(existing)

    @classmethod
    def replace_primary_key(
        cls,
        operations: Operations,
        table_name: str,
        columns: Sequence[str],
        *,
        existing: Sequence[str],
    ) -> None:
        """Give a table another primary key."""
        operations.invoke(cls(table_name, columns, existing))

    def reverse(self) -> ReplacePrimaryKeyOp:
        """The way back."""
        return ReplacePrimaryKeyOp(self.table_name, self.existing, self.columns)


@Operations.implementation_for(ReplacePrimaryKeyOp)
def _replace_primary_key(operations: Operations, change: ReplacePrimaryKeyOp) -> None:
    """The performer. Dead rows are known by the key they had, so a graveyard is emptied."""
    quote = operations.impl.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, change.columns))
    if change.table_name.startswith(GRAVEYARD_PREFIX):
        operations.execute(f"DELETE FROM {quote(change.table_name)}")
    operations.execute(
        f"ALTER TABLE {quote(change.table_name)} DROP PRIMARY KEY, ADD PRIMARY KEY ({columns})"
    )


@renderers.dispatch_for(ReplacePrimaryKeyOp)
def _render_primary_key(_context: AutogenContext, change: ReplacePrimaryKeyOp) -> str:
    """The printer."""
    return (
        f"op.replace_primary_key({change.table_name!r}, {change.columns!r}, "
        f"existing={change.existing!r})"
    )


def _compare_primary_keys(
    _context: AutogenContext,
    changes: ModifyTableOps,
    _schema: str | None,
    table_name: str,
    found: Table | None,
    declared: Table | None,
) -> PriorityDispatchResult:
    """The comparer: Alembic's own leaves primary keys out."""
    if found is not None and declared is not None:
        known = [column.name for column in found.primary_key.columns]
        wanted = [column.name for column in declared.primary_key.columns]
        if known != wanted:
            changes.ops.append(ReplacePrimaryKeyOp(table_name, wanted, known))
    return PriorityDispatchResult.CONTINUE


Plugin("herdbook.primary_keys").add_autogenerate_comparator(
    _compare_primary_keys, "table", "primary_key"
)
