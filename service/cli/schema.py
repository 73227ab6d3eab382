"""`herdbook schema`: where a database's schema is, and how it gets somewhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from service.cli.advice import with_options, with_options_in_comments
from service.cli.output import Advance, ExitCode, Output
from service.cli.schema_place import configured, place_options, place_words
from service.cli.schema_place import migrator as migrator_at
from service.cli.waited import write_what_waited

if TYPE_CHECKING:
    from schema.migrator import Migrator
    from schema.progress import OnStep, Step

_Command = TypeVar("_Command", bound=Callable[..., Any])
_REMEDY = (
    "What capture lacks `herdbook schema recapture` mends. What tables lack is for a revision: "
    "`herdbook schema upgrade` where some are pending, else a new one from `herdbook schema "
    'revision -m "what changes"`.'
)


def _wait_option(command: _Command) -> _Command:
    option = click.option(
        "--wait",
        type=click.FloatRange(0, 86_400),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for another run that migrates this database.",
    )
    return option(command)


@click.group()
def schema() -> None:
    r"""Migrate the database; show differences.

    A change of the record classes becomes a revision file, which the database is then upgraded
    with. A run that was killed goes on where it was when it is started again; of several runs at
    once one does the work and the others wait for it.

    \b
    The usual way:
      herdbook schema revision -m "cities have a mayor"
      herdbook schema sql             read what would be run
      herdbook schema upgrade
      herdbook schema check
    """


@schema.command()
@place_options
def status(output: Output, **place: Any) -> ExitCode:
    r"""Show where the database is, what it lacks, and whether a migration was interrupted.

    Changes nothing. The state is one of: ready, behind (upgrade it), unwritten (record classes have
    tables or columns that no revision makes yet: write one), ahead (this code is missing
    revisions), interrupted (run the same command again), code_too_old (install a newer Herdbook).
    `herdbook schema check` compares everything else.

    Exit code 0 where the state is ready, 3 where it is another one.

    \b
    Example:
      herdbook schema status --json
    """
    from schema.status import problem_of

    found = migrator_at(output=output, **place).status()
    problem = problem_of(found)
    left = found.interrupted
    document = {
        "state": found.state,
        "current": list(found.current),
        "pending": [{"revision": line.name, "message": line.message} for line in found.pending],
        "unknown": list(found.unknown),
        "unwritten": list(found.unwritten),
        "interrupted": None
        if left is None
        else {
            "revision": left.revision,
            "direction": str(left.direction),
            "statements_done": left.statements_done,
        },
        "schema_number": None if found.numbers is None else found.numbers.schema,
        "oldest_code": None if found.numbers is None else found.numbers.oldest_code,
    }
    lines = [f"{found.state}; at {', '.join(found.current) or 'nothing yet'}"]
    lines += [f"  pending  {line.name}  {line.message}" for line in found.pending]
    if problem is not None:
        lines += [problem.message, with_options(problem.hint, place_words(place))]
    output.result(document, "\n".join(lines))
    return ExitCode.DONE if problem is None else ExitCode.DIFFERENCES


@schema.command()
@click.option("-m", "--message", required=True, help="What changes, in a few words.")
@click.option("--allow-drops", is_flag=True, help="Write it even if it deletes or changes data.")
@place_options
def revision(message: str, allow_drops: bool, output: Output, **place: Any) -> None:
    r"""Write the revision that leads to the record classes as they are now.

    Compares the declared classes with the database, which must be up to date, and writes what
    differs into the folder of revisions. Read the file before you run it: a field that was renamed
    looks like one that was dropped and another that was added. Dropping a table or a column, and a
    change of type that may round or cut values, is refused (exit code 4) without --allow-drops.

    \b
    Example:
      herdbook schema revision -m "cities have a mayor"
    """
    written = migrator_at(output=output, **place).revision(message, allow_destructive=allow_drops)
    if written is None:
        nothing: dict[str, Any] = {"path": None, "changes": [], "destructive": [], "filling": []}
        output.result(nothing, "nothing to do")
        return
    document = {
        "path": str(written.path),
        "changes": list(written.changes),
        "destructive": list(written.destructive),
        "filling": list(written.filling),
    }
    lines = [f"wrote {written.path}", *(f"  {line}" for line in written.changes)]
    output.result(document, "\n".join(lines))
    for line in written.destructive:
        output.note(f"this deletes or changes data: {line}")
    for line in written.filling:
        output.note(f"rows that are there get what the server chooses: {line}")


@schema.command()
@click.argument("target", default="heads")
@_wait_option
@place_options
def upgrade(target: str, wait: float, output: Output, **place: Any) -> None:
    r"""Run the revisions that the database lacks, up to TARGET (by default all).

    Safe to run again at any time: what a killed run had done is left out. Another run on the same
    database is waited for; exit code 5 says that it took too long. What siblings wrote into columns
    or classes that were not there yet is written now; --json tells how many rows that were, and how
    many are still held. Triggers are made anew where the node has a new origin.

    \b
    Examples:
      herdbook schema upgrade
      herdbook schema upgrade 4f1c0a9d2b7e --wait 300
    """
    from service.cli.prepare import catalogue_for, migrator_for

    configuration = configured(output=output, may_make=True, **place)
    catalogue = catalogue_for(configuration)
    migrator = migrator_for(configuration, catalogue)
    with output.progress("upgrade", None) as advance:
        done = migrator.upgrade(
            target, _shown(output, advance), wait, lambda _table, _rows: advance()
        )
    _follow_origin(migrator, wait, output)
    waited = write_what_waited(configuration, catalogue, output)
    _tell(output, done, "upgraded to", **waited._asdict())


@schema.command()
@click.argument("target")
@_wait_option
@place_options
def downgrade(target: str, wait: float, output: Output, **place: Any) -> None:
    r"""Take revisions back, down to TARGET: a revision, `base`, or -1 for the last one.

    What the revisions added is deleted, with its data: make a backup first. Herdbook's own tables
    stay. A killed run is completed by running the same command again.

    \b
    Examples:
      herdbook schema downgrade 4f1c0a9d2b7e
      herdbook schema downgrade -- -1
    """
    migrator = migrator_at(output=output, **place)
    with output.progress("downgrade", None) as advance:
        done = migrator.downgrade(target, _shown(output, advance), wait)
    _tell(output, done, "took back")


@schema.command()
@click.option("--rows", is_flag=True, help="Read all rows too, for what no trigger saw.")
@place_options
def check(rows: bool, output: Output, **place: Any) -> ExitCode:
    r"""Compare the database with the record classes, and say every difference.

    Capture is looked at too: triggers that are missing, stale or changed, their definer, columns
    they miss, and foreign keys that cascade past them. With --rows every row is read, for rows that
    were never captured, rows without their parent, and rows that are gone without a trace.

    Exit code 0 where there is none, 3 where there are some or revisions are pending. Tables whose
    names begin with an underscore are not looked at.

    \b
    Examples:
      herdbook schema check
      herdbook schema check --rows
    """
    migrator = migrator_at(output=output, **place)
    found = migrator.check()
    if rows:
        with output.progress("rows, in percent", 100) as advance:
            found += migrator.check_rows(lambda share: advance(share * 100))
    output.result({"differences": found}, _told(found, place_words(place)))
    return ExitCode.DIFFERENCES if found else ExitCode.DONE


def _told(found: list[str], options: Sequence[str]) -> str:
    """Differences for people, with what to do about them."""
    return "\n".join([*found, with_options(_REMEDY, options)]) if found else "no differences"


@schema.command()
@click.option(
    "--table", "tables", multiple=True, metavar="TABLE", help="Only this table; may be repeated."
)
@_wait_option
@place_options
def recapture(tables: tuple[str, ...], wait: float, output: Output, **place: Any) -> None:
    r"""Rebuild the triggers that capture changes, as the record classes are declared now.

    For triggers that were dropped or changed, that belong to an account that is to go, or that an
    older release made; and after a TRUNCATE. Rows that came while there were none enter the
    changelog, and those that are gone though nobody saw them go are noted as deleted. Of rows that
    were not changed since the changelog's horizon that cannot be known; the output says so. Writes
    go on meanwhile, and none is missed. Other tables than those named stay as they are.

    \b
    Examples:
      herdbook schema recapture
      herdbook schema recapture --table city
    """
    migrator = migrator_at(output=output, **place)
    lost: list[str] = []
    deaths: Counter[str] = Counter()
    with output.progress("rows taken in or noted as gone", None) as advance:

        def on_deaths(table: str, noted: int) -> None:
            deaths[table] += noted
            advance(noted)

        done = migrator.recapture(
            tables, lambda _table, rows: advance(rows), wait, lost.append, on_deaths
        )
    _follow_origin(migrator, wait, output)
    lines = [f"captured {name}" for name in done]
    lines += [
        f"{deaths[name]} deaths noted of {name}: rows that were gone and nobody saw them go"
        for name in done
        if deaths[name]
    ]
    lines += [
        f"triggers of {name} were missing or changed: what was updated meanwhile of rows that were "
        "there before cannot be known; readers should read the table whole"
        for name in lost
    ]
    # Taken last: it may have risen while the changelog was read.
    horizon = migrator.horizon()
    if horizon:
        lines.append(
            f"the changelog is kept after position {horizon} only: deaths of rows not changed "
            "since cannot be known; where some may be gone unseen, readers should read the table "
            "whole"
        )
    document = {"tables": done, "lost": lost, "deaths": dict(deaths), "horizon": horizon}
    output.result(document, "\n".join(lines))


@schema.command()
@click.argument("between", default="", metavar="[FROM:TO]")
@click.option("--down", is_flag=True, help="The way back, from FROM down to TO.")
@place_options
def sql(between: str, down: bool, output: Output, **place: Any) -> None:
    r"""Print the SQL of revisions instead of running it.

    Without FROM it begins where the database is; without TO it ends at the newest revision, with
    --down one revision back. `base` is an empty database. With FROM given no server is asked.

    \b
    Examples:
      herdbook schema sql
      herdbook schema sql base: > everything.sql
      herdbook schema sql --down 4f1c0a9d2b7e:base
    """
    from schema.progress import Direction

    direction = Direction.DOWN if down else Direction.UP
    text = migrator_at(output=output, **place).sql(direction, between)
    if text or output.as_json:
        told = with_options_in_comments(text, place_words(place))
        output.result({"sql": told}, told.rstrip("\n"))
    else:
        output.note("nothing to run: no revision is pending" + (" there" if between else ""))


def _shown(output: Output, advance: Advance) -> OnStep:
    """Move the progress bar, and name each revision that was begun by an earlier run."""
    resumed: set[str] = set()

    def on_step(step: Step) -> None:
        if step.resumed and step.revision not in resumed:
            resumed.add(step.revision)
            output.note(f"revision {step.revision} was interrupted; going on where it was")
        advance()

    return on_step


def _follow_origin(migrator: Migrator, wait: float, output: Output) -> None:
    """Let triggers follow a new origin, for a node whose own account may make none."""
    if migrator.follow_origin(wait):
        output.note("the triggers know the node's new origin")


def _tell(output: Output, done: list[str], what: str, **more: int) -> None:
    """The result of a run; `more` is for programs."""
    lines = [f"{what} {name}" for name in done]
    output.result({"revisions": done, **more}, "\n".join(lines) or "nothing to do")
