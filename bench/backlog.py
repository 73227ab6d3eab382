"""A node that takes in a large backlog: its peak of memory, each in a process of its own.

written     rows that were written elsewhere come in one delta, in parts
held        children came before their parent, and are held; then the parent comes
forgotten   rows that this node has were deleted elsewhere and forgotten: a snapshot lets them die

Reader and applier share the process, so both are in the figure.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from bench.machine import RECORDS, ask, new_database, plain_connection, server_of
from bench.report import Report, Value, options, progress, run, servers
from records.catalogue import load_catalogue
from schema.system import REVISION_TABLE
from service.database_url import DatabaseUrl
from service.herd.deltas import Delta
from service.herd.messages import Portion
from service.herd.vectors import Vector
from service.store.database import HerdbookDatabase
from service.store.herd.applier import Applier, where
from service.store.herd.arrivals import Arrivals
from service.store.herd.described import Descriptions
from service.store.herd.reading import DeltaReader
from service.store.herd.session import ApplyingSession
from service.store.herd.snapshots import ReadingSession
from service.store.retention import Pruner, Retention
from service.store.work import RetryPolicy, Worker
from tests.service.store.sealing.tools import seal_all, sealing, worker_at

TARGET_MEGABYTES = 200
_ROWS_A_STATEMENT = 5_000


class Receiver:
    """Reads deltas from one database and applies them to another."""

    def __init__(self, source: str, target: str) -> None:
        catalogue = load_catalogue(RECORDS)
        reading = HerdbookDatabase(DatabaseUrl.parse(source), ReadingSession(statement_seconds=900))
        self._reader = DeltaReader(reading, catalogue, lambda: None)
        writing = HerdbookDatabase(
            DatabaseUrl.parse(target), ApplyingSession(statement_seconds=900)
        )
        self._worker = Worker(writing, catalogue, RetryPolicy(), lambda: 0.5)
        self._arrivals = Arrivals(Applier(Descriptions()))
        self._number = 0

    def close(self) -> None:
        """Close the connection."""
        self._worker.close()

    def parts(self) -> Iterator[Delta]:
        """What the target lacks."""
        found: list[Vector] = []
        self._worker.run(lambda tx: found.append(where(tx).vector))
        reading = self._reader.read(found[0])
        try:
            while True:
                part = reading.next()
                yield part
                if part.last:
                    return
        finally:
            reading.close()

    def apply(self, *parts: Delta) -> None:
        """Apply a whole delta."""
        self.apply_all(iter(parts))

    def apply_all(self, parts: Iterator[Delta]) -> None:
        """Apply a whole delta, a part at a time."""
        self._number += 1
        for at, part in enumerate(parts):
            self._arrivals.apply(self._worker, 1, Portion(self._number, at, part))


def written(receiver: Receiver) -> None:
    """Take everything."""
    receiver.apply_all(receiver.parts())


def held(receiver: Receiver) -> None:
    """Take the children first, as if each part of them were all there is; then the parent."""
    parents: list[Delta] = []
    for part in receiver.parts():
        alone = part._replace(covers={}, entries=(), last=True)
        parents.append(alone._replace(rows=tuple(r for r in part.rows if r.table == "country")))
        receiver.apply(alone._replace(rows=tuple(r for r in part.rows if r.table == "city")))
    receiver.apply(parents[0])


def _in_process(work: Callable[[Receiver], None], source: str, target: str, told: Any) -> None:
    with closing(Receiver(source, target)) as receiver:
        before = _peak()
        began = time.perf_counter()
        work(receiver)
        told.put((before, _peak(), time.perf_counter() - began))


def _peak() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell the memory of a process")


def measured(work: Callable[[Receiver], None], source: str, target: str) -> tuple[float, ...]:
    """Megabytes before and at the peak, and seconds, of some work in a process of its own."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    process = context.Process(target=_in_process, args=(work, source, target, told))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"the receiver ended with {process.exitcode}")
    found: tuple[float, ...] = told.get()
    return found


def _fill(url: str, rows: int) -> None:
    with plain_connection(url) as connection:
        ask(connection, "INSERT INTO country (code, name) VALUES ('aa', 'A')")
        for start in range(0, rows, _ROWS_A_STATEMENT):
            values = ", ".join(
                f"({number}, 'aa', 'city {number}', 1)"
                for number in range(start, min(rows, start + _ROWS_A_STATEMENT))
            )
            ask(
                connection,
                f"INSERT INTO city (number, country_code, name, population) VALUES {values}",
            )
    _seal(url)


def _seal(url: str) -> None:
    with sealing(url) as sealer:
        seal_all(sealer)


def _forget(url: str) -> None:
    """Delete all children, and prune what tells of it."""
    with plain_connection(url) as connection:
        while ask(connection, "SELECT 1 FROM city LIMIT 1"):
            ask(connection, f"DELETE FROM city LIMIT {_ROWS_A_STATEMENT}")
    _seal(url)
    worker = worker_at(url)
    more = True
    while more:
        _gone, more = Pruner(worker, "one", Retention(30, 0), lambda: 0).prune()
    worker.close()


def measure(kind: str, rows: int, report: Report) -> None:
    """One server."""
    with server_of(kind) as server:
        source, first, second = (
            new_database(server, name, captured=True) for name in ("one", "two", "three")
        )
        for url in (source, first, second):
            with plain_connection(url) as connection:
                ask(connection, f"CREATE TABLE {REVISION_TABLE} (version_num CHAR(32) PRIMARY KEY)")
        progress(f"{kind}: writing {rows:,} rows")
        _fill(source, rows)
        cases: list[tuple[str, Callable[[], tuple[float, ...]]]] = [
            ("written", partial(measured, written, source, first)),
            ("held", partial(measured, held, source, second)),
        ]
        for name, case in cases:
            _report(report, f"{name}, {kind}", rows, case())
        progress(f"{kind}: forgetting them")
        _forget(source)
        _seal(first)
        _report(report, f"forgotten, {kind}", rows, measured(written, source, first))
        with plain_connection(first) as connection:
            ((left,),) = ask(connection, "SELECT COUNT(*) FROM city")
        with plain_connection(second) as connection:
            ((there,),) = ask(connection, "SELECT COUNT(*) FROM city")
        if (left, there) != (0, rows):
            raise RuntimeError(f"{left} rows did not die, {there} were not held and written")


def _report(report: Report, name: str, rows: int, found: tuple[float, ...]) -> None:
    before, most, seconds = found
    progress(f"{name}: {most:.0f} MB, {seconds:.0f} s")
    values: dict[str, Value] = {
        "measured": name,
        "rows": rows,
        "seconds": seconds,
        "MB before": before,
        "MB peak": most,
        "target": TARGET_MEGABYTES,
        "reached": most < TARGET_MEGABYTES,
    }
    report.add(**values)


def main() -> None:
    """Measure on each server and print the results."""
    parser = options("A node that takes in a large backlog, and its memory.")
    parser.add_argument("--rows", type=int, default=300_000, help="rows of the backlog")
    arguments = parser.parse_args()
    columns = ("measured", "rows", "seconds", "MB before", "MB peak", "target", "reached")
    report = Report("A backlog, and the memory of who takes it in", columns)
    for kind in servers(arguments):
        measure(kind, arguments.rows, report)
    report.show(as_json=arguments.json)


if __name__ == "__main__":
    run(main)
