"""Alembic's way to run a statement, with a journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from alembic.ddl.mysql import MySQLImpl
from sqlalchemy import Executable, PrimaryKeyConstraint, Table, text
from sqlalchemy.schema import AddConstraint, CreateIndex, ExecutableDDLElement

from schema.errors import RevisionsBroken
from schema.progress import Journal
from schema.tables import TABLE_OPTIONS

if TYPE_CHECKING:
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

    def carry_out_step(
        self, name: str, execute: Callable[[], None], written: Sequence[Executable | str]
    ) -> None:
        """Run a step of several statements that may be repeated as often as it takes.

        For the journal it is one statement with this name. Where only SQL is written, it is what
        is given as `written`; texts there are remarks.
        """
        journal: Journal | None = self.context_opts.get("journal")
        if self.as_sql:
            for part in written:
                if isinstance(part, str):
                    self.static_output("\n".join(f"-- {line}" for line in part.splitlines()))
                else:
                    self._exec(part)
        elif journal is None:
            execute()
        else:
            journal.carry_out(name, execute, repeatable=True)

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
