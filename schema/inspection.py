"""Reads from a database where its schema is."""

from __future__ import annotations

from alembic.script import Script
from sqlalchemy import Connection, inspect, select

from schema.progress import interruption
from schema.runner import Heads, current_heads
from schema.scripts import Revisions
from schema.status import RevisionLine, Status, tolerated
from schema.system import schema_numbers
from schema.version import SchemaNumbers


def read_status(revisions: Revisions, connection: Connection) -> Status:
    """Where the database is, seen with these revision files."""
    heads = current_heads(connection)
    return Status(
        current=heads,
        pending=_pending(revisions, heads),
        unknown=tuple(name for name in heads if name not in revisions.names),
        interrupted=interruption(connection, revisions.names),
        numbers=_numbers(connection),
    )


def _pending(revisions: Revisions, heads: Heads) -> tuple[RevisionLine, ...]:
    """What the database lacks, in the order in which it would be run."""
    done = {part for name in heads if name in revisions.names for part in revisions.lineage(name)}
    if any(tolerated(name) and name not in revisions.names for name in heads):
        # A newer release has been here; it has run all of ours.
        done |= revisions.system_names
    if any(not tolerated(name) and name not in revisions.names for name in heads):
        # Where it is among the application's cannot be told, but it is past what we have.
        done |= revisions.names - revisions.system_names
    scripts = reversed(list(revisions.directory.walk_revisions()))
    lines = [RevisionLine(script.revision, _message(script)) for script in scripts]
    # Alembic walks one branch after the other; Herdbook's own is run first.
    lines.sort(key=lambda line: line.name not in revisions.system_names)
    return tuple(line for line in lines if line.name not in done)


def _message(script: Script) -> str:
    """The first line of a revision file's docstring; a file may have none."""
    return script.doc.partition("\n")[0].rstrip(".")


def _numbers(connection: Connection) -> SchemaNumbers | None:
    """The two numbers, or None on a database that has no tables of Herdbook's."""
    if not inspect(connection).has_table(schema_numbers.name):
        return None
    row = connection.execute(select(schema_numbers.c.number, schema_numbers.c.oldest_code)).first()
    return None if row is None else SchemaNumbers(row.number, row.oldest_code)
