"""What can be asked of a schema: where it is, and to bring it somewhere else."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from alembic.operations import ops
from sqlalchemy import Connection, MetaData, select

from records.catalogue import Catalogue, with_family, without_family
from schema.capture.adoption import OnRows
from schema.capture.audit import changed_triggers, findings, read_captured, stale_captures
from schema.capture.catalogue import columns_of
from schema.capture.columns import graveyard_of
from schema.capture.deaths import OnDeaths
from schema.capture.operations import CaptureOp, known_captures
from schema.capture.rows import OnShare, findings_in_rows
from schema.capture.trial import require_triggers
from schema.changes import Changes, Operations, changes_to, comparing_context, told
from schema.checks import checks_across
from schema.connection import connected
from schema.errors import (
    DatabaseRefused,
    RevisionUnwritten,
    SchemaAhead,
    SchemaBehind,
    SchemaError,
    UnsafeChange,
)
from schema.inspection import read_status
from schema.lock import only_runner
from schema.ordering import in_order
from schema.origin import follow_origin
from schema.progress import Direction, Journal, OnStep, Step, interrupted, interruption
from schema.recapture import OnLost, adopt_waiting, makes_triggers, recapture, rows_waiting
from schema.runner import Heads, current_heads, plan, run, write_sql
from schema.scripts import Revisions, load_revisions
from schema.status import Status, problem_of
from schema.system import BRANCH, is_system_table, sealer, system_metadata
from schema.tables import metadata_of
from schema.targets import downgrade_target, range_of
from schema.words import in_words
from schema.writing import write_revision

WAIT_SECONDS = 60.0
"""How long a run waits for another one that migrates the same database."""


@dataclass(frozen=True)
class Written:
    """A revision file that was written, with its changes in words.

    `destructive` are those that delete data or may change it, `filling` those that give rows that
    are there a value nobody chose.
    """

    path: Path
    changes: tuple[str, ...]
    destructive: tuple[str, ...]
    filling: tuple[str, ...]


_NEEDED = (ops.CreateTableOp, ops.AddColumnOp)
"""What the database lacks before these are done is asked for by ordinary calls."""


def _unseen(_step: Step) -> None:
    """For runs that nobody watches."""


def _unshared(_share: float) -> None:
    """For checks that nobody watches."""


def _unnamed(_table: str) -> None:
    """For captures that nobody asks about."""


def _uncounted(_table: str, _rows: int) -> None:
    """For adoptions and deaths that nobody watches."""


class Migrator:
    """The schema of one database, for one catalogue and its folder of revisions.

    Herdbook's own family belongs to every catalogue here, and to no revision of a project.

    `url` is an SQLAlchemy URL. Every method connects anew and raises a SchemaError that says what
    to do.
    """

    def __init__(self, url: str, catalogue: Catalogue, folder: Path | None) -> None:
        self._url = url
        self._catalogue = with_family(catalogue)
        self._folder = folder

    def status(self) -> Status:
        """Where the database is. Changes nothing."""
        revisions = load_revisions(self._folder)
        with connected(self._url) as connection:
            found = read_status(revisions, connection)
            if problem_of(found) is not None:
                return found
            changes = changes_to(connection, self._whole_metadata()).up
        return replace(found, unwritten=tuple(map(in_words, _needed(changes))))

    def problem(self) -> SchemaError | None:
        """Why a node must not start on this database, or None where it may.

        A declared table or column that is missing is one: its records could not be served. So is a
        capture that is missing or stale: changes would escape.
        """
        revisions = load_revisions(self._folder)
        with connected(self._url) as connection:
            problem = problem_of(read_status(revisions, connection))
            if problem is not None:
                return problem
            missing = _lacking(changes_to(connection, self._whole_metadata()).up)
            captured = [] if missing else read_captured(connection)
            stale = [*stale_captures(captured), *changed_triggers(captured)]
            waiting = rows_waiting(connection)
        if missing:
            return RevisionUnwritten("; ".join(missing) + ".")
        if stale:
            return SchemaBehind("; ".join(stale) + ".", "Run `herdbook schema recapture`.")
        return SchemaBehind(_not_adopted(waiting)) if waiting else None

    def upgrade(
        self,
        target: str = "heads",
        on_step: OnStep = _unseen,
        wait_seconds: float = WAIT_SECONDS,
        on_rows: OnRows = _uncounted,
    ) -> list[str]:
        """Run what is missing up to the target; gives the revisions that were run.

        Herdbook's own tables come first. Where another run holds the lock this one waits, and then
        finds that nothing is left to do. Rows of tables that are captured now enter the changelog.
        """
        revisions = load_revisions(self._folder)
        with self._only_runner(revisions, Direction.UP, wait_seconds) as connection:
            pending = [line.name for line in read_status(revisions, connection).pending]
            _try_triggers(connection, makes_triggers(revisions, pending, Direction.UP))
            journal = Journal(connection, on_step)
            targets = (f"{BRANCH}@head", target)
            done = [run(revisions, journal, connection, Direction.UP, part) for part in targets]
            adopt_waiting(connection, self._url, on_rows)
        return [name for part in done for name in part]

    def recapture(
        self,
        tables: Sequence[str] = (),
        on_rows: OnRows = _uncounted,
        wait_seconds: float = WAIT_SECONDS,
        on_lost: OnLost = _unnamed,
        on_deaths: OnDeaths = _uncounted,
    ) -> list[str]:
        """Rebuild the capture of these tables, or of all declared ones; gives the tables.

        Rows that came or went past the triggers are noted. `on_lost` is told the tables where
        triggers were missing or changed: what was updated meanwhile cannot be known.
        """
        revisions = load_revisions(self._folder)
        metadata = metadata_of(self._catalogue)
        with self._only_runner(revisions, Direction.UP, wait_seconds) as connection:
            _require_current(read_status(revisions, connection))
            return recapture(connection, self._url, metadata, tables, on_rows, on_lost, on_deaths)

    def follow_origin(self, wait_seconds: float = WAIT_SECONDS) -> bool:
        """Make triggers anew that hold a former origin of the node; whether there were some.

        A database that is behind is left to its upgrade.
        """
        revisions = load_revisions(self._folder)
        with connected(self._url) as connection:
            if problem_of(read_status(revisions, connection)) is not None:
                return False
        return follow_origin(self._url, wait_seconds)

    def horizon(self) -> int:
        """The highest position of the changelog that is not kept any more; 0 where all is.

        Where it is above 0, the deaths of rows that were not changed since cannot be known.
        """
        with connected(self._url) as connection:
            return connection.execute(select(sealer.c.horizon)).scalar() or 0

    def downgrade(
        self, target: str, on_step: OnStep = _unseen, wait_seconds: float = WAIT_SECONDS
    ) -> list[str]:
        """Go back to a revision, `-N` revisions, or to `base`; gives the revisions taken back.

        Herdbook's own tables stay, unless the target is a revision of theirs.
        """
        revisions = load_revisions(self._folder)
        with self._only_runner(revisions, Direction.DOWN, wait_seconds) as connection:
            goal = downgrade_target(revisions, current_heads(connection), target)
            steps = _steps_down(revisions, connection, goal)
            _require_released(revisions, connection, steps)
            _try_triggers(connection, makes_triggers(revisions, steps, Direction.DOWN))
            journal = Journal(connection, on_step)
            done = run(revisions, journal, connection, Direction.DOWN, goal) if goal else []
            adopt_waiting(connection, self._url, _uncounted)
        return done

    def revision(self, message: str, *, allow_destructive: bool = False) -> Written | None:
        """Write the revision that leads to the record classes as they are declared now.

        None when there is nothing to do. Raises SchemaBehind when the database lacks revisions,
        since it is what the declaration is compared with, and UnsafeChange when data would be
        deleted or changed and that is not allowed.
        """
        revisions = load_revisions(self._folder)
        metadata = metadata_of(without_family(self._catalogue))
        with connected(self._url) as connection:
            _require_current(read_status(revisions, connection))
            changes = changes_to(connection, metadata)
            if not changes.up:
                return None
            destructive = tuple(map(in_words, changes.destructive))
            if destructive and not allow_destructive:
                raise _unsafe(destructive)
            ordered = Changes(in_order(changes.up, metadata), in_order(changes.down, metadata))
            context = comparing_context(connection)
            path = write_revision(revisions, self._own_folder(), message, ordered, context)
            words, filling = map(in_words, told(changes.up)), map(in_words, changes.filling)
            return Written(path, tuple(words), destructive, tuple(filling))

    def check_rows(self, on_share: OnShare = _unshared) -> list[str]:
        """What no trigger saw, in words: rows never captured, orphans, rows that are gone.

        Reads every row. `on_share` is told which share of the work was done just now.
        """
        tables = metadata_of(self._catalogue).sorted_tables
        declared = {table.name for table in tables}
        with connected(self._url) as connection:
            there = columns_of(connection)
            captures = {
                name: capture
                for name, capture in known_captures(connection).items()
                if name in declared & there.keys() and graveyard_of(name) in there
            }
            checked = [table for table in tables if table.name in captures]
            return [*findings_in_rows(connection, captures, checked, on_share)]

    def check(self) -> list[str]:
        """Everything in which the database differs from what is declared, in words."""
        revisions = load_revisions(self._folder)
        with connected(self._url) as connection:
            status = read_status(revisions, connection)
            problem = problem_of(status)
            found = told(changes_to(connection, self._whole_metadata()).up)
            lines = [] if problem is None else [problem.message]
            lines += [in_words(change) for change in found]
            if known_captures(connection):
                waiting = rows_waiting(connection)
                lines += [_not_adopted(waiting)] if waiting else []
                lines += findings(connection)
            lines += checks_across(connection, self._catalogue)
        return lines

    def sql(self, direction: Direction, between: str) -> str:
        """The SQL that leads from one revision to another: `between` is `FROM:TO`.

        Without `FROM:` the way begins where the database is; only then is it asked. Empty where no
        revision lies between.
        """
        revisions = load_revisions(self._folder)
        start, target = range_of(revisions, direction, between, lambda: self._heads(revisions))
        output = io.StringIO()
        write_sql(revisions, direction, start, target, output)
        return output.getvalue()

    def _heads(self, revisions: Revisions) -> Heads:
        """Where the database is; refused where the way cannot begin there."""
        with connected(self._url) as connection:
            left = interruption(connection, revisions.names)
            if left is not None:
                raise interrupted(left)
            heads = current_heads(connection)
        _require_known(revisions, heads)
        return heads

    def _own_folder(self) -> Path:
        if self._folder is None:
            raise SchemaError(
                "There is no folder for revisions.", "Name one with --migrations DIR."
            )
        return self._folder

    def _whole_metadata(self) -> MetaData:
        """The application's tables and Herdbook's own."""
        metadata = metadata_of(self._catalogue)
        for table in system_metadata.tables.values():
            table.to_metadata(metadata)
        return metadata

    @contextmanager
    def _only_runner(
        self, revisions: Revisions, direction: Direction, wait_seconds: float
    ) -> Iterator[Connection]:
        """A connection that holds the lock, on a database that may be moved this way."""
        with connected(self._url) as connection, only_runner(connection, wait_seconds):
            left = interruption(connection, revisions.names)
            if left is not None and not (left.has_file and left.direction is direction):
                raise interrupted(left)
            _require_known(revisions, current_heads(connection))
            connection.commit()
            yield connection


def _lacking(changes: Operations) -> list[str]:
    """What calls would ask for in vain, and what is not captured, in words.

    No other difference of a table hides that its capture is another one. That more is captured than
    the code declares keeps no node from starting.
    """
    needed = _needed(changes)
    tables = {change.table_name for change in needed}
    captures = (change for change in changes if isinstance(change, CaptureOp))
    hidden = (
        change
        for change in captures
        if change.table_name not in tables
        and not (change.existing is not None and change.existing.covers(change.wanted))
    )
    return [in_words(change) for change in (*needed, *hidden)]


def _needed(changes: Operations) -> list[ops.CreateTableOp | ops.AddColumnOp]:
    """The tables and columns that calls would ask for in vain."""
    return [change for change in told(changes) if isinstance(change, _NEEDED)]


def _require_known(revisions: Revisions, heads: Heads) -> None:
    """Without the files of its revisions a database cannot be moved."""
    missing = [name for name in heads if name not in revisions.names]
    if missing:
        raise SchemaAhead(
            f"The database is at a revision that this code does not know: {', '.join(missing)}."
        )


def _steps_down(revisions: Revisions, connection: Connection, goal: str) -> list[str]:
    """The revisions that are taken back on the way to the goal."""
    if not goal:
        return []
    steps = plan(revisions, Direction.DOWN, goal, current_heads(connection))
    return [step.revision.revision for step in steps]


def _try_triggers(connection: Connection, needed: bool) -> None:
    """Refuse before anything is changed where triggers are to be made and may not be."""
    if needed:
        try:
            require_triggers(connection)
        except DatabaseRefused as refused:
            told_why = f"Nothing was changed. {refused.message}"
            raise DatabaseRefused(told_why, refused.hint) from refused
    connection.commit()


def _require_released(revisions: Revisions, connection: Connection, steps: Sequence[str]) -> None:
    """Herdbook's own tables cannot go while triggers of others write into them."""
    captured = [name for name in known_captures(connection) if not is_system_table(name)]
    if captured and revisions.system_names & set(steps):
        raise SchemaError(
            f"Herdbook's own tables are in use; captured are: {', '.join(sorted(captured))}.",
            "Take back the application's revisions first: `herdbook schema downgrade base`.",
        )


def _not_adopted(tables: Sequence[str]) -> str:
    return f"Rows of these tables are not in the changelog yet: {', '.join(tables)}."


def _require_current(status: Status) -> None:
    problem = problem_of(status)
    if isinstance(problem, SchemaBehind):
        raise SchemaBehind(problem.message, "Run `herdbook schema upgrade` first.")
    if problem is not None:
        raise problem


def _unsafe(destructive: tuple[str, ...]) -> UnsafeChange:
    return UnsafeChange(
        "The revision would delete or change data: " + "; ".join(destructive) + ".",
        "Allow it with --allow-drops. If something was only renamed, write the revision by hand.",
    )
