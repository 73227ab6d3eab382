"""What runs revisions: Alembic's operations, with every statement in the journal.

Revision files and `migrations/env.py` import from here and from nowhere else in Herdbook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from alembic import context
from alembic.autogenerate import renderers
from alembic.ddl.mysql import MySQLImpl
from alembic.operations import MigrateOperation, Operations
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import Executable, PrimaryKeyConstraint, Table, text
from sqlalchemy.schema import AddConstraint, CreateIndex, ExecutableDDLElement

from schema.errors import RevisionsBroken
from schema.progress import Journal
from schema.tables import TABLE_OPTIONS

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import ModifyTableOps
    from sqlalchemy.engine import CursorResult


class JournalledImpl(MySQLImpl):
    """Alembic's MySQL, MariaDB included, with a journal where the context has one."""

    __dialect__ = "mysql"

    def version_table_impl(self, **options: Any) -> Table:
        """Alembic's hook: the revision table, made like all others."""
        self._revisions = super().version_table_impl(**options)
        self._revisions.dialect_kwargs.update(TABLE_OPTIONS)
        return self._revisions

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> CursorResult[Any] | None:
        """Alembic's one door for statements."""
        journal: Journal | None = self.context_opts.get("journal")
        parent = super()._exec

        def execute() -> Any:
            return parent(construct, execution_options, multiparams, params or {})

        if journal is None:
            result = execute()
        elif getattr(construct, "table", None) is self._revisions:
            result = journal.carry_out_last(execute)
        else:
            _require_name(construct, journal.current)
            result = journal.carry_out(self._text_of(construct), execute)
        answer: CursorResult[Any] | None = result
        return answer

    def _text_of(self, construct: Executable | str) -> str:
        """The statement as the journal knows it: without the values of parameters."""
        if isinstance(construct, str):
            construct = text(construct)
        assert isinstance(construct, ExecutableDDLElement) or hasattr(construct, "compile")
        return str(construct.compile(dialect=self.dialect)).strip()


def _require_name(construct: object, revision: str) -> None:
    """A key without a name could be made twice: nothing says that it is there already."""
    if not isinstance(construct, AddConstraint | CreateIndex):
        return
    key = construct.element
    if key.name is None and not isinstance(key, PrimaryKeyConstraint):
        table = "" if key.table is None else f" to table {key.table.name}"
        raise RevisionsBroken(
            f"Revision {revision} adds a key without a name{table}.",
            "Give it a name, so that a migration that was killed can go on.",
        )


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
    """The performer."""
    quote = operations.impl.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, change.columns))
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
