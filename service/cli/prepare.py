"""What has to be true before a node serves: a catalogue, a schema that fits, a log."""

from __future__ import annotations

import logging
import resource
import sys

from records.catalogue import Catalogue, load_catalogue
from schema.migrator import Migrator
from schema.scripts import own_revisions
from service.cli.output import Output
from service.config import Configuration

EXAMPLE = "examples.gazetteer.records"
"""The record module of a node that is told none."""


def catalogue_for(configuration: Configuration) -> Catalogue:
    """The record classes; raises DeclarationError."""
    return load_catalogue(configuration.node.records)


def start_log(level: str) -> None:
    """Log lines go to stderr, where process managers pick them up."""
    # What it tells at each look at a schema says nothing to operators.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def leave_no_core_dump() -> None:
    """Let nothing of this process's memory be kept where it crashes, in a file or by a program.

    A node holds the database's password, its key, and tokens for as long as calls take. Programs
    that it starts inherit this. Where the system pipes dumps into a program, Linux does so also at
    a limit of 0; at exactly 1 it does not, and a file is never as short.
    """
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0 if hard == 0 else 1, hard))


def migrator_for(configuration: Configuration, catalogue: Catalogue) -> Migrator:
    """What moves the schema of the configured database."""
    url = configuration.database.url.as_sqlalchemy()
    node = configuration.node
    return Migrator(url, catalogue, node.migrations or own_revisions(node.records))


def migrate(configuration: Configuration, catalogue: Catalogue, output: Output) -> None:
    """Bring the schema up to date, telling each revision; raises a SchemaError."""
    migrator = migrator_for(configuration, catalogue)
    for revision in migrator.upgrade():
        output.note(f"schema: {revision}")
    require_ready(configuration, catalogue)


def require_ready(configuration: Configuration, catalogue: Catalogue) -> None:
    """Raise a SchemaError that says what to do, unless this code may run on the schema.

    Triggers that have to follow a new origin do so first.
    """
    migrator_for(configuration, catalogue).follow_origin()
    problem = migrator_for(configuration, catalogue).problem()
    if problem is not None:
        raise problem
