"""Another name for a column of a captured table: in the table, its graveyard and all captures."""

from __future__ import annotations

from sqlalchemy import Connection, TextClause, text

from schema.capture.catalogue import columns_of
from schema.capture.columns import graveyard_of
from schema.capture.install import captures_in, install, run
from schema.capture.quoting import quoted
from schema.capture.shape import Capture
from schema.capture.trial import require_triggers
from schema.errors import StatementFailed


def rename_column(connection: Connection, table: str, column: str, new_name: str) -> None:
    """Rename a column; may be repeated, also after it was cut short. Commits.

    From the renaming until the triggers are replaced, moments later, writes to the table fail, and
    so do deletions in its parents. That they went past capture instead would be worse.
    """
    there = columns_of(connection)
    waiting = []
    for name in (table, graveyard_of(table)):
        columns = there.get(name, set())
        if column in columns:
            waiting.append(name)
        elif new_name not in columns and (name == table or columns):
            raise StatementFailed(f"Table {name} has no column {column}.")
    require_triggers(connection)
    for name in waiting:
        run(connection, _renaming(name, column, new_name))
    changed = [
        capture.renamed(table, column, new_name) for capture in captures_in(connection).values()
    ]
    # The table itself first: its writes wait for it.
    for capture in sorted(changed, key=lambda other: other.table != table):
        if capture.table == table or _names(capture, table, new_name):
            install(connection, capture)


def _names(capture: Capture, table: str, column: str) -> bool:
    """Whether a rule for children names this column of theirs."""
    return any(rule.table == table and column in rule.columns for rule in capture.children)


def renaming_statements(table: str, column: str, new_name: str) -> list[TextClause]:
    """The same as SQL, the triggers left out."""
    names = (graveyard_of(table), table)
    # A colon would stand for a parameter.
    return [text(_renaming(name, column, new_name).replace(":", r"\:")) for name in names]


def _renaming(table: str, column: str, new_name: str) -> str:
    return f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(column)} TO {quoted(new_name)}"
