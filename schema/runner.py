"""Runs revisions: Alembic's environment, one revision after the other, through the journal."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.dialects.mysql import mysqldb
from sqlalchemy.exc import DBAPIError

from schema.connection import SESSION, quote_all_names
from schema.errors import RevisionOutOfReach, SchemaError
from schema.progress import Direction, Journal
from schema.scripts import Revisions, failed_in_file
from schema.system import BRANCH, REVISION_TABLE

Heads = tuple[str, ...]


def current_heads(connection: Connection) -> Heads:
    """The revisions that a database is at."""
    context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
    return tuple(sorted(context.get_current_heads()))


def plan(
    revisions: Revisions, direction: Direction, target: str, heads: Heads
) -> list[RevisionStep]:
    """The revisions to run to get from the heads to the target."""
    directory = revisions.directory
    choose: Any = (
        directory._upgrade_revs if direction is Direction.UP else directory._downgrade_revs
    )
    try:
        steps: list[RevisionStep] = choose(target, heads)
    except CommandError as error:
        # What has no file is told as such.
        name = revisions.script(target).revision
        raise RevisionOutOfReach(
            f"The way {direction} does not lead to revision {name} from where the database is: "
            f"{', '.join(heads) or 'before the first one'}."
        ) from error
    return steps


def run(
    revisions: Revisions,
    journal: Journal,
    connection: Connection,
    direction: Direction,
    target: str,
) -> list[str]:
    """Run the revisions on the way to the target; gives back their names, in order."""
    names: list[str] = []

    def steps(heads: Any, _context: Any) -> Iterator[RevisionStep]:
        for step in plan(revisions, direction, target, tuple(heads)):
            name = step.revision.revision
            with journal.revision(name, direction):
                yield step
            names.append(name)

    options = {"connection": connection, "journal": journal}
    _run_environment(revisions, steps, options)
    return names


def write_sql(
    revisions: Revisions, direction: Direction, start: Sequence[str], target: str, output: TextIO
) -> None:
    """Write the SQL of the revisions between two points, for a client to run.

    Where no revision lies between them, nothing is written.
    """
    written = io.StringIO()

    def steps(_heads: Any, _context: Any) -> Iterator[RevisionStep]:
        heads = tuple(start)
        if direction is Direction.UP:
            yield from plan(revisions, direction, f"{BRANCH}@head", heads)
            heads = (revisions.system_head, *(set(heads) - revisions.system_names))
        yield from plan(revisions, direction, target, heads)

    # The text is not formatted once more by a driver, so a % must stay single.
    dialect = quote_all_names(mysqldb.dialect(paramstyle="named"))
    options = {
        "connection": _OnlyADialect(dialect),
        "output_buffer": written,
        "literal_binds": True,
    }
    starting: Any = list(start) or None
    _run_environment(revisions, steps, options, as_sql=True, starting_rev=starting)
    if written.getvalue().strip():
        output.write(f"SET NAMES utf8mb4;\n\n{SESSION};\n\n{written.getvalue()}")


class _OnlyADialect:
    """Stands for a connection where Alembic only asks which dialect to write."""

    def __init__(self, dialect: Any) -> None:
        self.dialect = dialect


def _run_environment(
    revisions: Revisions,
    steps: Callable[[Any, Any], Any],
    options: dict[str, Any],
    **settings: Any,
) -> None:
    """Let Alembic run its environment; errors in revision files come out in words."""
    configuration = Config()
    configuration.attributes["options"] = {"version_table": REVISION_TABLE, **options}
    try:
        with EnvironmentContext(configuration, revisions.directory, fn=steps, **settings):
            revisions.directory.run_env()
    except (SchemaError, DBAPIError):
        raise
    except Exception as error:
        told = failed_in_file(error, revisions.directory.version_locations)
        if told is None:
            raise
        raise told from error
