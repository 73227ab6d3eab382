"""`herdbook delta`: what one node lacks of another, carried as a file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.database_options import (
    database_option,
    database_url,
    dir_option,
    tells_of_database,
)
from service.cli.options import config_option, read_configuration
from service.cli.output import CommandFailed, ExitCode, Output, counted, output_option
from service.herd.faults import WireFault

if TYPE_CHECKING:
    from records.catalogue import Catalogue
    from service.herd.messages import Portion
    from service.herd.vectors import Vector
    from service.store.herd.reading import DeltaReading
    from service.store.work import Worker

_LINK = 1
_PIECE = 2**20


def _options(command: Callable[..., ExitCode | None]) -> Callable[..., ExitCode | None]:
    """Which database, and which record classes."""
    decorated = tells_of_database(command)
    records = click.option("--records", metavar="MODULE", help="The module of record classes.")
    for option in (output_option, records, database_option, dir_option, config_option):
        decorated = option(decorated)
    return decorated


@click.group()
def delta() -> None:
    r"""Carry changes from one node to another as a file.

    \b
    Examples:
      herdbook delta export everything.delta --dir ./node
      herdbook delta import everything.delta --dir ./far-away
    """


@delta.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--above",
    metavar="VECTOR",
    help="What the receiver has: a JSON object of origins and positions, as `delta vector` prints"
    " it on that node. Without it the file is for a node that has nothing.",
)
@_options
def export(file: Path, above: str | None, output: Output, **place: Any) -> None:
    r"""Write what is here, and not at a vector, into a file.

    Where the changelog does not reach back that far, the file is a snapshot: all rows.

    \b
    Examples:
      herdbook delta export everything.delta --dir ./node
      herdbook delta export news.delta --above '{"2735765433": 1200}'
    """
    from service.herd.files import delta_file

    vector = _vector(above)
    url, catalogue = _place(output, place)
    rows = entries = parts = 0
    draft = file.with_name(f"{file.name}.part")
    with draft.open("wb") as out, output.progress("rows", None) as advance:
        for data, part in delta_file("file", "", _parts(url, catalogue, vector)):
            out.write(data)
            rows, entries, parts = rows + len(part.rows), entries + len(part.entries), parts + 1
            advance(len(part.rows))
    draft.replace(file)
    document = {
        "file": str(file),
        "parts": parts,
        "rows": rows,
        "entries": entries,
        "snapshot": part.floors is not None,
        "covers": _plain(part.covers),
    }
    output.result(
        document,
        f"{counted(rows, 'row')} and {counted(entries, 'entry')} in {file}",
    )


@delta.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_options
def import_(file: Path, output: Output, **place: Any) -> None:
    r"""Apply a file that another node has written, as if that node had sent it.

    It may be applied again, or be cut short and begun anew: what is here already changes nothing.
    Exit code 4 where this node lacks what comes before the file.

    \b
    Examples:
      herdbook delta import everything.delta --dir ./far-away
    """
    from service.herd.planning.draft import DeltaRefused
    from service.herd.vectors import includes

    url, catalogue = _place(output, place)
    before = _vector_of(url, catalogue)
    covered: Vector = {}
    rows = parts = 0
    try:
        with file.open("rb") as pieces, output.progress("rows", None) as advance:
            for portion in _checked(url, catalogue, iter(partial(pieces.read, _PIECE), b"")):
                rows, parts = rows + len(portion.delta.rows), parts + 1
                covered = portion.delta.covers
                advance(len(portion.delta.rows))
    except WireFault as fault:
        raise CommandFailed(f"{file} is no whole delta: {fault.text}", code=fault.code) from fault
    except DeltaRefused as refused:
        raise CommandFailed(
            f"{file} cannot be applied here: {refused}",
            "export one for this node's vector, which `herdbook delta vector` prints",
            code="delta.refused",
            exit_code=ExitCode.UNSAFE,
        ) from refused
    vector = _plain(_vector_of(url, catalogue))
    new = not includes(before, covered)
    document = {"parts": parts, "rows": rows, "new": new, "vector": vector}
    told = f"{counted(rows, 'row')} in {counted(parts, 'part')}"
    output.result(document, f"applied {told}" if new else f"nothing was new: {told} were here")


@delta.command()
@_options
def vector(output: Output, **place: Any) -> None:
    r"""Print what a node has: for each origin a position.

    \b
    Example:
      herdbook delta vector --dir ./far-away
    """
    url, catalogue = _place(output, place)
    output.result(_plain(_vector_of(url, catalogue)))


def _checked(url: str, catalogue: Catalogue, pieces: Iterator[bytes]) -> Iterator[Portion]:
    """Apply the parts in a file; each comes back when it is committed."""
    from service.herd.files import parts_in
    from service.store.herd.applier import Applier
    from service.store.herd.arrivals import Arrivals
    from service.store.herd.described import Descriptions

    arrivals, ours = Arrivals(Applier(Descriptions())), _vector_of(url, catalogue)
    with _worker(url, catalogue) as worker:
        for portion in parts_in(pieces):
            yielded = portion.delta
            _require_not_ours(yielded.sender, yielded.covers, ours, worker)
            arrivals.apply(worker, _LINK, portion)
            yield portion


def _require_not_ours(sender: int, covers: Vector, ours: Vector, worker: Worker) -> None:
    """Raise CommandFailed for a file of this node, or one that knows more of it than it does."""
    from service.store.herd.renewing import origin_of

    seen: list[int] = []
    worker.run(lambda tx: seen.append(origin_of(tx)))
    (origin,) = seen
    if sender == origin or covers.get(origin, 0) > ours.get(origin, 0):
        raise CommandFailed(
            f"the file comes from this node, or knows more of it (origin {origin}) than it does",
            "where the database is a copy or was set back, `herdbook herd new-origin` first",
            code="delta.ours",
            exit_code=ExitCode.UNSAFE,
        )


def _parts(url: str, catalogue: Catalogue, above: Vector) -> Iterator[Any]:
    from service.database_url import DatabaseUrl
    from service.store.database import HerdbookDatabase
    from service.store.herd.held import held_at
    from service.store.herd.reading import DeltaReader
    from service.store.herd.snapshots import ReadingSession

    database = HerdbookDatabase(DatabaseUrl.parse(url), ReadingSession())
    reading: DeltaReading = DeltaReader(database, catalogue, lambda: None, held_at).read(above)
    while not reading.closed:
        yield reading.next()


@contextmanager
def _worker(url: str, catalogue: Catalogue) -> Iterator[Worker]:
    from service.database_url import DatabaseUrl
    from service.store.database import HerdbookDatabase
    from service.store.herd.session import ApplyingSession
    from service.store.work import RetryPolicy, Worker

    database = HerdbookDatabase(DatabaseUrl.parse(url), ApplyingSession())
    worker = Worker(database, catalogue, RetryPolicy(), random.random)
    try:
        yield worker
    finally:
        worker.close()


def _vector_of(url: str, catalogue: Catalogue) -> Vector:
    from service.store.herd.snapshots import moment_of

    seen: list[Vector] = []
    with _worker(url, catalogue) as worker:
        worker.run(lambda tx: seen.append(moment_of(tx).vector))
    return seen[-1]


def _place(output: Output, given: dict[str, Any]) -> tuple[str, Catalogue]:
    """The database, and the record classes, which say what deleting does."""
    from service.cli.prepare import catalogue_for

    url = database_url(output, given)
    said = {"database.url": url, "node.records": given["records"]}
    named = {key: value for key, value in said.items() if value is not None}
    configuration = read_configuration(given["config"], named, given["directory"])
    return url, catalogue_for(configuration)


def _vector(text: str | None) -> Vector:
    """A vector as it is given; raises UsageError."""
    try:
        given = json.loads(text or "{}")
        return {int(origin): int(position) for origin, position in given.items()}
    except (ValueError, AttributeError, TypeError):
        raise click.UsageError(
            '--above is a JSON object of origins and positions, such as {"2735765433": 1200}.'
        ) from None


def _plain(vector: Vector) -> dict[str, int]:
    return {str(origin): position for origin, position in sorted(vector.items())}
