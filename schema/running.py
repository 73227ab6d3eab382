"""Whether a node that runs still stands on the schema that it was started on: rules over values.

Before a node starts the whole schema is compared (`schema.migrator`). While it runs somebody may
migrate the database. What a newer release adds leaves it running, so that one release can take the
place of another; what it needs must stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from schema.status import tolerated
from schema.version import SCHEMA_NUMBER, Fit, SchemaNumbers, fit

UPGRADE = "run `herdbook schema upgrade`"
_INSTALL = "install the newer Herdbook and start the node anew"
_CHECK = "`herdbook schema status` and `herdbook schema check` tell more"

Columns = Mapping[str, Collection[str]]
"""The columns of tables, by the tables' names."""


@dataclass(frozen=True, order=True)
class Lack:
    """Something that a running node needs and that is not there, and what to do about it."""

    what: str
    advice: str


@dataclass(frozen=True)
class Needs:
    """What a node was started with: the newest revisions, and all that it knows."""

    newest: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True)
class Seen:
    """What a look at a database has found; `numbers` is None where there are none."""

    numbers: SchemaNumbers | None
    revisions: frozenset[str]
    columns: Columns


def lacks(needs: Needs, declared: Columns, seen: Seen) -> tuple[Lack, ...]:
    """All that a node lacks, in order."""
    return tuple(
        sorted(
            {
                *_in_numbers(seen.numbers),
                *_in_revisions(needs, seen.revisions),
                *_in_tables(declared, seen.columns, _mended_by(needs, seen)),
            }
        )
    )


def _in_numbers(numbers: SchemaNumbers | None) -> Iterator[Lack]:
    """What the two numbers say."""
    fitting = fit(numbers)
    if fitting is Fit.BEHIND:
        yield Lack("Herdbook's own tables are those of older code", UPGRADE)
    elif fitting is Fit.CODE_TOO_OLD and numbers is not None:
        what = f"the schema needs code of number {numbers.oldest_code}, this is {SCHEMA_NUMBER}"
        yield Lack(what, _INSTALL)


def _in_revisions(needs: Needs, current: frozenset[str]) -> Iterator[Lack]:
    """The newest revisions that were taken back.

    A database is at one revision of Herdbook's and one of the application's. Where that is one this
    node does not know, a newer release has moved on from the one it needs.
    """
    moved_on = {tolerated(name) for name in current - needs.known}
    for name in needs.newest - current:
        if tolerated(name) not in moved_on:
            yield Lack(f"revision {name} was taken back", UPGRADE)


def _in_tables(declared: Columns, there: Columns, advice: str) -> Iterator[Lack]:
    """The declared tables and columns that are not there."""
    for table, columns in declared.items():
        if table not in there:
            yield Lack(f"table {table} is missing", advice)
            continue
        # The servers do not tell columns apart by the size of letters.
        found = {column.lower() for column in there[table]}
        for column in columns:
            if column.lower() not in found:
                yield Lack(f"column {table}.{column} is missing", advice)


def _mended_by(needs: Needs, seen: Seen) -> str:
    """What brings tables back: only what a revision took away comes with it."""
    return UPGRADE if any(_in_revisions(needs, seen.revisions)) else _CHECK
