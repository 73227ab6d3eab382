"""Who may run on which schema, decided over values alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema.errors import (
    CodeTooOld,
    MigrationInterrupted,
    RevisionChanged,
    RevisionUnwritten,
    SchemaAhead,
    SchemaBehind,
    SchemaError,
)
from schema.progress import Direction, Interruption
from schema.status import RevisionLine, Status, problem_of
from schema.version import OLDEST_CODE, SCHEMA_NUMBER, Fit, SchemaNumbers, fit

READY = Status(
    current=("hb0001", "a"),
    pending=(),
    unknown=(),
    interrupted=None,
    numbers=SchemaNumbers(SCHEMA_NUMBER, OLDEST_CODE),
)
TOO_NEW = SchemaNumbers(SCHEMA_NUMBER + 5, SCHEMA_NUMBER + 1)
NEWER = SchemaNumbers(SCHEMA_NUMBER + 5, SCHEMA_NUMBER)
INTERRUPTED = Interruption("b", Direction.DOWN, 3)
FILE_LOST = replace(INTERRUPTED, has_file=False)
PENDING = (RevisionLine("b", "what it does"),)


@pytest.mark.parametrize(
    ("database", "code", "expected"),
    [
        (None, 1, Fit.BEHIND),
        (SchemaNumbers(1, 1), 1, Fit.FITS),
        (SchemaNumbers(1, 1), 2, Fit.BEHIND),
        (SchemaNumbers(3, 2), 2, Fit.FITS),
        (SchemaNumbers(3, 3), 2, Fit.CODE_TOO_OLD),
        (SchemaNumbers(3, 1), 3, Fit.FITS),
    ],
)
def test_two_numbers_decide(database: SchemaNumbers | None, code: int, expected: Fit) -> None:
    """Behind, fitting, or newer than this code may touch."""
    assert fit(database, code) is expected


@pytest.mark.parametrize(
    ("status", "state", "problem"),
    [
        (READY, "ready", None),
        (replace(READY, pending=PENDING), "behind", SchemaBehind),
        (replace(READY, current=(), numbers=None), "behind", SchemaBehind),
        (replace(READY, unknown=("x",)), "ahead", SchemaAhead),
        (replace(READY, unknown=("hb0099",), numbers=NEWER), "ready", None),
        (replace(READY, unknown=("hb0099", "x"), numbers=NEWER), "ahead", SchemaAhead),
        (replace(READY, unknown=("hb0099",), numbers=None), "ahead", SchemaAhead),
        (replace(READY, unwritten=("table x",)), "unwritten", RevisionUnwritten),
        (replace(READY, interrupted=FILE_LOST), "interrupted", RevisionChanged),
        (replace(READY, interrupted=INTERRUPTED), "interrupted", MigrationInterrupted),
        (replace(READY, interrupted=INTERRUPTED, numbers=TOO_NEW), "code_too_old", CodeTooOld),
        (replace(READY, pending=PENDING, unknown=("x",)), "ahead", SchemaAhead),
    ],
)
def test_a_node_starts_only_where_it_may(
    status: Status, state: str, problem: type[SchemaError] | None
) -> None:
    """Each state has its error, and every error says what to do."""
    found = problem_of(status)
    assert status.state == state
    assert type(found) is (problem or type(None))
    assert found is None or found.hint


def test_an_interrupted_migration_names_the_command_that_completes_it() -> None:
    """Down is completed by going down one revision, up by an upgrade."""
    down = problem_of(replace(READY, interrupted=INTERRUPTED))
    up = problem_of(replace(READY, interrupted=replace(INTERRUPTED, direction=Direction.UP)))
    assert isinstance(down, SchemaError)
    assert isinstance(up, SchemaError)
    assert "`herdbook schema downgrade -- -1`" in down.hint
    assert "`herdbook schema upgrade`" in up.hint
