"""Kills a migration at a chosen moment, and revisions worth killing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from schema.connection import connected
from schema.statements import Nature, nature_of


class Killed(BaseException):
    """Nothing in the code under test catches this: the run ends as if the process had died."""


class Points:
    """Counts the moments at which a run can die with different effects, and dies at one of them."""

    def __init__(self, deadly: int | None) -> None:
        self.deadly = deadly
        self.passed = 0

    def pass_one(self) -> None:
        """Come to the next moment."""
        self.passed += 1
        if self.passed == self.deadly:
            raise Killed

    def before_statement(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        """SQLAlchemy's hook: before each statement that changes something."""
        if nature_of(statement) is not Nature.SESSION:
            self.pass_one()

    def before_commit(self, _connection: Any) -> None:
        """SQLAlchemy's hook: before each commit."""
        self.pass_one()


@contextmanager
def killed_at(deadly: int | None) -> Iterator[Points]:
    """Die at this moment (None: never); gives the count of moments."""
    points = Points(deadly)
    hooks = (("before_cursor_execute", points.before_statement), ("commit", points.before_commit))
    for name, hook in hooks:
        event.listen(Engine, name, hook)
    try:
        yield points
    except Killed:
        assert points.passed == points.deadly
    finally:
        for name, hook in hooks:
            event.remove(Engine, name, hook)


REVISION = '''"""Everything that a revision can do.

Revision r1, after nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None
branch_labels = None
depends_on = None

tally = sa.table("tally", sa.column("number", sa.Integer), sa.column("word", sa.String))


def upgrade() -> None:
    """Go one revision up."""
    op.create_table(
        "tally", sa.Column("number", sa.Integer, primary_key=True), sa.Column("word", sa.String(9))
    )
    op.bulk_insert(tally, [{"number": 1, "word": "a"}, {"number": 10, "word": "b"}])
    op.create_table("other", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("tally", sa.Column("other_id", sa.Integer))
    op.execute("UPDATE tally SET number = number + 1 ORDER BY number DESC")
    op.create_index("ix_tally_other_id", "tally", ["other_id"])
    op.create_unique_constraint("uq_tally_word", "tally", ["word"])
    op.create_foreign_key("fk_tally_other", "tally", "other", ["other_id"], ["id"])
    op.alter_column("tally", "word", new_column_name="term", existing_type=sa.String(9))
    op.rename_table("other", "another")
    op.execute("CREATE TRIGGER watch BEFORE INSERT ON tally FOR EACH ROW SET NEW.number = 5")
    op.execute("UPDATE tally SET number = number + 100 ORDER BY number DESC")


def downgrade() -> None:
    """Go one revision back."""
    op.execute("UPDATE tally SET number = number - 100 ORDER BY number")
    op.execute("DROP TRIGGER watch")
    op.rename_table("another", "other")
    op.alter_column("tally", "term", new_column_name="word", existing_type=sa.String(9))
    op.drop_constraint("fk_tally_other", "tally", type_="foreignkey")
    op.drop_constraint("uq_tally_word", "tally", type_="unique")
    op.drop_index("ix_tally_other_id", "tally")
    op.drop_column("tally", "other_id")
    op.drop_table("other")
    op.drop_table("tally")
'''


def revision_of(*lines: str) -> str:
    """A revision r1 that runs these lines, and has no way back."""
    head = REVISION.partition("tally = ")[0]
    body = "".join(f"    {line}\n" for line in lines)
    return f"{head}def upgrade():\n{body}\n\ndef downgrade():\n    pass\n"


def write_revision(folder: Path, source: str = REVISION, name: str = "r1") -> Path:
    """Put a revision file into the project's folder."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(source)
    return path


def picture(url: str) -> dict[str, str]:
    """Every table, its rows and its triggers, as the server shows them."""
    with connected(url) as connection:
        tables = [row[0] for row in connection.execute(text("SHOW TABLES"))]
        return {name: _table(connection, name) for name in tables}


def _table(connection: Connection, name: str) -> str:
    made = connection.execute(text(f"SHOW CREATE TABLE `{name}`")).one()[1]
    rows: Sequence[Any] = connection.execute(text(f"SELECT * FROM `{name}` ORDER BY 1")).all()
    if name == "herdbook_node":
        # Drawn at random.
        rows = [(row.only, row.origin > 0) for row in rows]
    triggers = connection.execute(text(f"SHOW TRIGGERS LIKE '{name}'")).all()
    return f"{made} {[tuple(row) for row in rows]} {[row[0] for row in triggers]}"
