"""What happens unseen in tests, and what `recapture` makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from records import Record
from tests.schema.conftest import Project
from tests.service.store.sealing.tools import changelog, seal_all, sealing
from tests.service.store.tools import ask, raw_connection


def sql(database: str, *statements: str) -> None:
    """Plain SQL in one session without foreign keys, each statement committed."""
    with raw_connection(database) as connection:
        for statement in ("SET foreign_key_checks = 0", *statements):
            ask(connection, statement)


def seal(database: str) -> None:
    """Seal all there is."""
    with sealing(database) as sealer:
        seal_all(sealer)


def deaths_noted(project: Project, classes: Sequence[type[Record]], *tables: str) -> Counter[str]:
    """How many deaths `recapture` notes, by table."""
    noted: Counter[str] = Counter()

    def count(table: str, deaths: int) -> None:
        noted[table] += deaths

    project.migrator(*classes).recapture(tables, on_deaths=count)
    return noted


def told(database: str, table: str) -> list[tuple[str, str, int]]:
    """Kind, key and life of what was sealed of a table."""
    return [
        (line.kind, line.key.decode(), line.life)
        for line in changelog(database)
        if line.table == table
    ]
