"""Whether the schema is still what a running node needs: somebody may migrate the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from functools import partial

from schema.running import Lack, Needs, Seen, lacks
from schema.version import SchemaNumbers
from service.store import sql
from service.store.capture_look import is_migrated
from service.store.threads import Lane
from service.store.transaction import Transaction
from service.store.watch import Clock, Watch

_NUMBERS, _REVISIONS = "herdbook_schema", "herdbook_revision"
_MOST_NAMED = 10
"""A whole schema may be gone; a probe's answer needs to name a part of it only."""


class SchemaWatch(Watch[Lack]):
    """Tells of tables, columns and revisions that are gone, and of a schema for newer code.

    While a migration runs nothing is looked at. `advise` puts this node's options into commands.
    """

    log = logging.getLogger(__name__)
    healed = "the schema is what this node needs again"
    unsure = "whether the schema is what this node needs is not known"

    def __init__(
        self,
        needs: Needs,
        reading: Lane,
        clock: Clock,
        every: float,
        advise: Callable[[str], str],
    ) -> None:
        super().__init__(partial(schema_lacks, needs), reading, clock, every)
        self._advise = advise

    def in_words(self, missing: Collection[Lack]) -> str:
        """What is gone, and what to do about each sort of it."""
        named = [lack.what for lack in sorted(missing)]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        advice = self._advise("; ".join(sorted({lack.advice for lack in missing})))
        return (
            f"the schema is not what this node needs: {', '.join(named[:_MOST_NAMED])}{more}; "
            f"{advice}"
        )


def schema_lacks(needs: Needs, tx: Transaction) -> tuple[Lack, ...] | None:
    """What this node needs and the database lacks; None while somebody migrates it."""
    if is_migrated(tx):
        return None
    declared = {
        record.table: tuple(info.column for info in record.fields.values())
        for record in tx.catalogue.records.values()
    }
    columns = _columns(tx, [*declared, _NUMBERS, _REVISIONS])
    return lacks(needs, declared, Seen(_numbers(tx, columns), _revisions(tx, columns), columns))


def _columns(tx: Transaction, tables: list[str]) -> dict[str, list[str]]:
    """The columns of those of these tables that are there."""
    found: dict[str, list[str]] = {}
    for table, column in tx.rows(
        "SELECT table_name, column_name FROM information_schema.columns "
        f"WHERE table_schema = DATABASE() AND table_name IN ({sql.marks(len(tables))})",
        tables,
    ):
        found.setdefault(str(table), []).append(str(column))
    return found


def _numbers(tx: Transaction, there: Collection[str]) -> SchemaNumbers | None:
    """The two numbers."""
    if _NUMBERS not in there:
        return None
    for number, oldest_code in tx.rows(f"SELECT number, oldest_code FROM {_NUMBERS}"):
        return SchemaNumbers(int(number), int(oldest_code))
    return None


def _revisions(tx: Transaction, there: Collection[str]) -> frozenset[str]:
    """The revisions that the database is at."""
    if _REVISIONS not in there:
        return frozenset()
    return frozenset(str(name) for (name,) in tx.rows(f"SELECT version_num FROM {_REVISIONS}"))
