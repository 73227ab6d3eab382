"""The journal that lets a killed migration go on where it was.

MySQL and MariaDB commit around each statement that changes a definition, so a revision of several
statements can stop half-way. Each single statement happens wholly or not at all. So every statement
of a revision has a number, and the journal holds what became of it:

    definition   mark INTENDED, commit, statement, mark DONE, commit
    data         statement, mark DONE, commit
    the last     new revision in the revision table, journal emptied, commit

A run that finds marks leaves out what is DONE. What is INTENDED may or may not have happened: it is
carried out again, and an error that says "it is so already" counts as success. An empty journal
means that nothing was interrupted.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, Table, event, inspect
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

from schema.connection import UNREACHABLE, error_code, in_words
from schema.dead_rows import in_the_way
from schema.errors import MigrationInterrupted, RevisionChanged, SchemaError, StatementFailed
from schema.statements import Nature, digest_of, nature_of, says_done_already
from schema.system import JOURNAL_TABLE, TRIAL_TABLE
from schema.tables import TABLE_OPTIONS

# The server stopped the statement; whether it rolled it back wholly is for the next run to see.
_STOPPED = UNREACHABLE | {1317, 1969, 3024}
_SHOWN_CHARACTERS = 1_000
_BY_HAND = (
    "If the database was put back by hand to the state before the revision, empty the table "
    f"{JOURNAL_TABLE} first."
)
_PUT_BACK = f"Put the file back as it was and run the command again. {_BY_HAND}"

journal_table = Table(
    JOURNAL_TABLE,
    MetaData(),
    Column("revision", mysql.VARCHAR(32), nullable=False),
    Column("direction", mysql.ENUM("up", "down"), nullable=False),
    Column("number", mysql.INTEGER(unsigned=True), nullable=False, autoincrement=False),
    Column("state", mysql.ENUM("intended", "done"), nullable=False),
    Column("digest", mysql.BINARY(32), nullable=False),
    Column("statement", mysql.TEXT(), nullable=False),
    PrimaryKeyConstraint("revision", "direction", "number"),
    **TABLE_OPTIONS,
)


class Direction(enum.StrEnum):
    """Which way a revision is run."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True)
class Mark:
    """What the journal holds of one statement."""

    state: str
    digest: bytes


@dataclass(frozen=True)
class Interruption:
    """A revision that was begun and not completed, and how many of its statements are done.

    `has_file` is false where there is no file for it any more.
    """

    revision: str
    direction: Direction
    statements_done: int
    has_file: bool = True

    @property
    def command(self) -> str:
        """The command that completes it."""
        return "upgrade" if self.direction is Direction.UP else "downgrade -- -1"


@dataclass(frozen=True)
class Step:
    """One statement that a run came to; `resumed` if an earlier run had done it."""

    revision: str
    direction: Direction
    number: int
    statement: str
    resumed: bool


OnStep = Callable[[Step], None]


def interruption(connection: Connection, files: Container[str]) -> Interruption | None:
    """What was interrupted on this database, if anything was; `files` are the revisions we have."""
    if not inspect(connection).has_table(JOURNAL_TABLE):
        return None
    rows = connection.execute(journal_table.select()).all()
    if not rows:
        return None
    done = sum(row.state == "done" for row in rows)
    revision = rows[0].revision
    return Interruption(revision, Direction(rows[0].direction), done, revision in files)


def interrupted(left: Interruption) -> SchemaError:
    """The error for a migration that was not completed, with what completes it."""
    if left.has_file:
        return MigrationInterrupted(
            f"The migration of revision {left.revision} ({left.direction}) was interrupted after "
            f"{left.statements_done} statements.",
            f"Run `herdbook schema {left.command}`; it goes on where it was.",
        )
    return RevisionChanged(
        f"Revision {left.revision} was interrupted with {left.statements_done} of its statements "
        "done, and there is no file for it any more.",
        "No command can go on without it. Put the file back as it was and run `herdbook schema "
        f"{left.command}`, or restore the database from a backup of before this revision. "
        f"{_BY_HAND}",
    )


class Journal:
    """Carries out the statements of one revision after the other on one connection."""

    def __init__(self, connection: Connection, on_step: OnStep) -> None:
        self._connection = connection
        self._on_step = on_step
        self._revision = ""
        self._direction = Direction.UP
        self._number = 0
        self._marks: dict[int, Mark] = {}
        self._guarded = False
        self._changes = 0
        journal_table.create(connection, checkfirst=True)
        connection.commit()
        event.listen(connection, "before_cursor_execute", self._refuse_unjournalled)
        event.listen(connection, "after_cursor_execute", self._count)

    @contextmanager
    def revision(self, name: str, direction: Direction) -> Iterator[None]:
        """Everything in the block belongs to this revision; its end completes it."""
        self._revision, self._direction, self._number = name, direction, 0
        self._marks = self._read_marks()
        self._connection.commit()
        # The revision table's own rows are changed through `carry_out_last` only.
        self._guarded = True
        try:
            yield
            self._require_all_met()
        finally:
            self._guarded = False
        self._connection.execute(journal_table.delete().where(*self._mine()))
        self._connection.commit()

    @property
    def current(self) -> str:
        """The revision that is being run."""
        return self._revision

    def carry_out(
        self, statement: str, execute: Callable[[], Any], *, repeatable: bool = False
    ) -> Any:
        """Run a statement by `execute`, or leave it out when it is done already.

        A repeatable one may be made of several: refused after the first of them, it is neither
        done nor undone. Raises StatementFailed if the server refuses it, RevisionChanged if another
        statement had this number when the revision was begun.
        """
        nature = nature_of(statement)
        if nature is Nature.SESSION:
            return self._run(execute)
        self._number += 1
        mark = self._marks.get(self._number)
        if mark is not None and mark.digest != digest_of(statement):
            raise self._changed(f"statement {self._number} is another one now")
        done = mark is not None and mark.state == "done"
        self._on_step(Step(self._revision, self._direction, self._number, statement, done))
        if done:
            return None
        if nature is Nature.DATA:
            return self._change_data(statement, execute)
        if repeatable:
            return self._take_step(statement, execute, again=mark is not None)
        return self._define(statement, execute, again=mark is not None)

    def carry_out_last(self, execute: Callable[[], Any]) -> Any:
        """Run a statement on the revision table; it is committed with the journal's end."""
        return self._run(execute)

    def _change_data(self, statement: str, execute: Callable[[], Any]) -> Any:
        """Rows and mark in one transaction: both, or neither."""
        try:
            result = self._run(execute)
            self._mark("done", statement)
        except DBAPIError as error:
            self._connection.rollback()
            raise self._in_words(error) from error
        self._connection.commit()
        return result

    def _define(self, statement: str, execute: Callable[[], Any], *, again: bool) -> Any:
        """A definition between its two marks; `again` if an earlier run may have come this far."""
        result = None
        if not again:
            self._mark("intended", statement)
            self._connection.commit()
        try:
            result = self._run(execute)
        except DBAPIError as error:
            if not (again and says_done_already(statement, error_code(error), str(error.orig))):
                self._forget(error)
                raise self._with_advice(error, statement) from error
        self._mark("done", statement)
        self._connection.commit()
        return result

    def _take_step(self, name: str, execute: Callable[[], Any], *, again: bool) -> Any:
        """Several statements between two marks; what was begun stays intended until it is done."""
        if not again:
            self._mark("intended", name)
            self._connection.commit()
        self._changes = 0
        try:
            result = self._run(execute)
        except (SchemaError, DBAPIError) as error:
            stopped = isinstance(error, DBAPIError) and error_code(error) in _STOPPED
            self._connection.rollback()
            if not (again or stopped or self._changes):
                self._take_back()
            if isinstance(error, DBAPIError):
                raise self._in_words(error) from error
            raise
        self._mark("done", name)
        self._connection.commit()
        return result

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        """SQLAlchemy's hook: a statement that changes something was carried out."""
        if nature_of(statement) is not Nature.SESSION and TRIAL_TABLE not in statement:
            self._changes += 1

    def _forget(self, error: DBAPIError) -> None:
        """Take back the intent of a statement that the server refused: it had no effect."""
        if error_code(error) not in _STOPPED:
            self._take_back()

    def _take_back(self) -> None:
        number = journal_table.c.number == self._number
        with self._writing():
            self._connection.execute(journal_table.delete().where(*self._mine(), number))
        self._connection.commit()

    def _run(self, execute: Callable[[], Any]) -> Any:
        with self._writing():
            return execute()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Statements inside may write: they are the journal's own or known to it."""
        guarded, self._guarded = self._guarded, False
        try:
            yield
        finally:
            self._guarded = guarded

    def _mark(self, state: str, statement: str) -> None:
        """Write or overwrite the mark of the current statement."""
        values = {
            "revision": self._revision,
            "direction": str(self._direction),
            "number": self._number,
            "state": state,
            "digest": digest_of(statement),
            "statement": statement[:_SHOWN_CHARACTERS],
        }
        insert = mysql.insert(journal_table).values(values)
        with self._writing():
            self._connection.execute(insert.on_duplicate_key_update(state=state))

    def _read_marks(self) -> dict[int, Mark]:
        rows = self._connection.execute(journal_table.select().where(*self._mine()))
        return {row.number: Mark(row.state, bytes(row.digest)) for row in rows}

    def _mine(self) -> tuple[Any, ...]:
        """The rows of the current revision."""
        columns = journal_table.c
        return columns.revision == self._revision, columns.direction == str(self._direction)

    def _require_all_met(self) -> None:
        """A revision that lost statements since it was begun is not the one that was begun."""
        if self._marks and max(self._marks) > self._number:
            raise self._changed(f"statement {max(self._marks)} is no longer there")

    def _changed(self, what: str) -> RevisionChanged:
        done = sum(mark.state == "done" for mark in self._marks.values())
        return RevisionChanged(
            f"The file of revision {self._revision} was changed after it was interrupted with "
            f"{done} of its statements done: {what}.",
            _PUT_BACK,
        )

    def _with_advice(self, error: DBAPIError, statement: str) -> SchemaError:
        """A refusal in words; where deleted rows brought it about, with what to do about them."""
        told = self._in_words(error)
        advice = in_the_way(statement, error_code(error))
        return StatementFailed(told.message, advice) if advice else told

    def _in_words(self, error: DBAPIError) -> SchemaError:
        told = in_words(error)
        if isinstance(told, StatementFailed):
            place = f"Revision {self._revision}, statement {self._number}"
            return StatementFailed(f"{place}: {told.message}", told.hint)
        return told

    def _refuse_unjournalled(
        self, _connection: Any, _cursor: Any, statement: str, *_rest: Any
    ) -> None:
        """SQLAlchemy's hook: what a revision writes behind the journal could happen twice."""
        if self._guarded and nature_of(statement) is not Nature.SESSION:
            raise SchemaError(
                f"Revision {self._revision} writes through a connection of its own.",
                "Write through op.execute or op.bulk_insert, so that a killed migration can go on.",
            )
