"""Where a schema is, as a value, and what that means for a node that wants to start."""

from __future__ import annotations

import re
from dataclasses import dataclass

from schema.errors import (
    CodeTooOld,
    MigrationInterrupted,
    RevisionChanged,
    RevisionUnwritten,
    SchemaAhead,
    SchemaBehind,
    SchemaError,
)
from schema.progress import Interruption, interrupted
from schema.version import SCHEMA_NUMBER, Fit, SchemaNumbers, fit

_SYSTEM_NAME = re.compile(r"hb\d{4}")
"""Herdbook's own revisions are named so; what Alembic draws is never like it."""


@dataclass(frozen=True)
class RevisionLine:
    """One revision with its message."""

    name: str
    message: str


@dataclass(frozen=True)
class Status:
    """Where a database is.

    `current` are the revisions it is at, `pending` those it lacks, `unknown` those of `current`
    that there is no file for. `unwritten` says, where all of that is as it should be, which
    declared tables and columns no revision makes.
    """

    current: tuple[str, ...]
    pending: tuple[RevisionLine, ...]
    unknown: tuple[str, ...]
    interrupted: Interruption | None
    numbers: SchemaNumbers | None
    unwritten: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """One word: ready, interrupted, behind, unwritten, ahead or code_too_old."""
        problem = problem_of(self)
        return "ready" if problem is None else _STATES[type(problem)]


_STATES: dict[type[SchemaError], str] = {
    CodeTooOld: "code_too_old",
    MigrationInterrupted: "interrupted",
    RevisionChanged: "interrupted",
    RevisionUnwritten: "unwritten",
    SchemaAhead: "ahead",
    SchemaBehind: "behind",
}


def problem_of(status: Status) -> SchemaError | None:
    """Why a node must not start on this schema, or None where it may."""
    numbers = status.numbers
    fitting = fit(numbers)
    if numbers is not None and fitting is Fit.CODE_TOO_OLD:
        return CodeTooOld(
            f"The database's schema (number {numbers.schema}) needs code of at least number "
            f"{numbers.oldest_code}, and this code is number {SCHEMA_NUMBER}."
        )
    if status.interrupted is not None:
        return interrupted(status.interrupted)
    ahead = [name for name in status.unknown if not (tolerated(name) and fitting is Fit.FITS)]
    if ahead:
        return SchemaAhead(
            f"The database is at a revision that this code does not know: {', '.join(ahead)}."
        )
    if status.pending or fitting is Fit.BEHIND:
        names = ", ".join(line.name for line in status.pending)
        return SchemaBehind(f"The database's schema is behind; it lacks: {names or 'all tables'}.")
    return RevisionUnwritten("; ".join(status.unwritten) + ".") if status.unwritten else None


def tolerated(name: str) -> bool:
    """Whether an unknown revision is Herdbook's own: the two numbers decide about those."""
    return _SYSTEM_NAME.fullmatch(name) is not None
